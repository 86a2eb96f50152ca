import pdf_cases as cases
import pytest
from asn1crypto import cms as asn1_cms

from signing import keys, pdf_write
from signing.verdict import Indication, SubIndication

ALL = ["content_type", "message_digest", "signing_certificate_v2"]
FORMAT, CRYPTO = SubIndication.FORMAT_FAILURE, SubIndication.CRYPTO_CONSTRAINTS_FAILURE
UNFOUND = SubIndication.NO_SIGNING_CERTIFICATE_FOUND


def test_a_forged_value():
    verdict = cases.only(cases.forge(cases.by_person(), cases.flip_last_of_value))
    expected = (Indication.TOTAL_FAILED, SubIndication.SIG_CRYPTO_FAILURE, "cms_value")
    assert cases.ending(verdict) == expected


def test_bytes_in_the_padding_of_contents():
    verdict = cases.only(cases.forge(cases.by_person(), lambda contents: contents[:-1] + b"x"))
    assert cases.ending(verdict) == (Indication.TOTAL_FAILED, FORMAT, "pdf_signature_damaged")


def test_a_signature_moved_from_another_file():
    other = pdf_write.blank(["Văn bản khác"])
    donor = pdf_write.sign(other, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan")
    start, end = cases.hole_of(donor)
    contents = bytes.fromhex(donor[start + 1 : end - 1].decode())
    verdict = cases.only(cases.forge(cases.by_person(), lambda _: contents))
    assert verdict.sub_indication is SubIndication.HASH_FAILURE


def two_signers(whole):
    signers_ = whole["content"]["signer_infos"]
    whole["content"]["signer_infos"] = [signers_[0], signers_[0].copy()]


def no_signer(whole):
    whole["content"]["signer_infos"] = []


def no_certificate(whole):
    whole["content"]["certificates"] = []


def other_certificate(whole):
    """The same name and number, another key: what an attacker's own authority could issue."""
    twin = keys.Issuer(certificate=cases.AUTHORITY.certificate, key=keys.new_key())
    certificate = keys.certificate(
        twin, "UBND phường Thử", cases.PERSON_KEY.public_key(), at=cases.ISSUED, serial=2
    )
    whole["content"]["certificates"] = [asn1_cms.CertificateChoices("certificate", cases.asn1(certificate))]


def embedded_content(whole):
    whole["content"]["encap_content_info"] = {"content_type": "data", "content": b"nothing"}


def signed_again(keep):
    """Keeps the attributes that `keep` names and signs them anew."""

    def change(whole):
        signer = whole["content"]["signer_infos"][0]
        kept = [one for one in signer["signed_attrs"] if one["type"].native in keep]
        attributes = asn1_cms.CMSAttributes(
            [one.copy() for one in kept for _ in range(keep.count(one["type"].native))]
        )
        signer["signed_attrs"] = attributes
        signer["signature"] = cases.value_of(asn1_cms.CMSAttributes.load(attributes.dump()).dump())

    return change


def sha1_digest(whole):
    whole["content"]["signer_infos"][0]["digest_algorithm"] = {"algorithm": "sha1"}


def other_hash(whole):
    whole["content"]["signer_infos"][0]["signature_algorithm"] = {"algorithm": "sha384_ecdsa"}


@pytest.mark.parametrize(
    "change, sub_indication, why",
    [
        (two_signers, FORMAT, "cms_signers"),
        (no_signer, FORMAT, "cms_signers"),
        (no_certificate, UNFOUND, "cms_no_certificate"),
        (other_certificate, UNFOUND, "cms_other_certificate"),
        (embedded_content, FORMAT, "cms_not_detached"),
        (signed_again(ALL[1:]), FORMAT, "cms_attributes"),
        (signed_again([ALL[0], ALL[2]]), FORMAT, "cms_attributes"),
        (signed_again([ALL[0], *ALL[1:2] * 2, ALL[2]]), FORMAT, "cms_attributes"),
        (signed_again([*ALL, ALL[2]]), UNFOUND, "cms_other_certificate"),
        (signed_again(ALL[:2]), SubIndication.SIG_CONSTRAINTS_FAILURE, "cms_no_reference"),
        (sha1_digest, CRYPTO, "cms_algorithm"),
        (other_hash, CRYPTO, "cms_algorithm"),
        (lambda whole: whole["content"].dump(), FORMAT, "pdf_signature_damaged"),
        (lambda _: b"\x30\x03abc", FORMAT, "pdf_signature_damaged"),
        (lambda _: b"", FORMAT, "pdf_signature_damaged"),
        (lambda _: b"\x30\x80" * 900, FORMAT, "pdf_signature_damaged"),
    ],
)
def test_a_container_that_is_not_what_pades_allows(change, sub_indication, why):
    verdict = cases.only(cases.with_contents(change))
    final = sub_indication is FORMAT
    assert verdict.indication is (Indication.TOTAL_FAILED if final else Indication.INDETERMINATE)
    assert (verdict.sub_indication, verdict.why) == (sub_indication, why)


def test_the_altered_containers_would_pass_unaltered():
    assert cases.only(cases.with_contents(lambda _: None)).passed
    assert cases.only(cases.with_contents(signed_again(ALL))).passed
