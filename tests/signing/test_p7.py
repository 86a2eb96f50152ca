"""Signature files: what passes, what does not and why, and what `openssl cms -verify` says of the same bytes."""

import hashlib
import shutil
import time
from dataclasses import replace
from datetime import timedelta

import p7_cases as p7s
import pdf_cases as cases
import pytest
from asn1crypto import cms, core, crl, ocsp

from signing import cms_enclosed, keys, keys_revocation, keys_timestamp, p7, p7_write, trust
from signing.verdict import Indication, Remark, SubIndication, TooComplexError

FORMAT, UNFOUND = SubIndication.FORMAT_FAILURE, SubIndication.NO_SIGNING_CERTIFICATE_FOUND
needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the openssl program is the oracle"
)


@pytest.mark.parametrize("armoured", [False, True], ids=["der", "pem"])
@pytest.mark.parametrize(
    "signers", [(p7s.PERSON,), (p7s.ORGANISATION,), (p7s.PERSON, p7s.ORGANISATION)], ids=len
)
def test_what_is_signed_passes(signers, armoured):
    verdicts = p7s.judged(p7s.signed(p7s.CONTENT, *signers, armoured=armoured)).verdicts
    assert all(one.passed and one.coverage.whole and one.format == "cades" for one in verdicts)
    assert [one.position for one in verdicts] == list(range(len(signers)))
    assert {one.certificate for one in verdicts} == {keys.der(one.certificate) for one in signers}
    assert {(one.where, one.carrier) for one in verdicts} == {("bao-cao.docx", "bao-cao.docx.p7s")}
    assert all(one.signed_at_claimed == cases.SIGNED_AT for one in verdicts)
    assert all(one.best_signature_time == cases.AT for one in verdicts)  # what is claimed proves nothing


def test_the_content_inside_is_what_counts_when_none_is_given():
    raw = p7s.signed(inside=True)
    assert p7s.only(raw, None).passed
    assert p7s.only(raw, p7s.CONTENT).passed
    assert p7.read(raw).inside == p7s.CONTENT


def test_another_content_beside_than_inside_is_a_failure():
    verdict = p7s.only(p7s.signed(inside=True), p7s.CONTENT + b" ")
    assert cases.ending(verdict) == (
        Indication.TOTAL_FAILED,
        SubIndication.HASH_FAILURE,
        "p7_other_content",
    )
    # Signed is what stands beside it, but another content was put inside for a reader that opens the file.
    shadow = p7s.changed(lambda data: data["encap_content_info"].__setitem__("content", b"other"))
    assert p7s.only(shadow, p7s.CONTENT).why == "p7_other_content"


def test_without_its_content_nothing_is_concluded():
    verdict = p7s.only(p7s.signed(), None)
    assert cases.ending(verdict) == (
        Indication.INDETERMINATE,
        SubIndication.SIGNED_DATA_NOT_FOUND,
        "p7_content_missing",
    )
    assert verdict.signer_name == "UBND phường Thử"
    assert not verdict.coverage.whole


def test_certificate_and_time_are_judged_as_everywhere():
    raw = p7s.signed(p7s.CONTENT, p7s.PERSON)
    revoked = trust.load(cases.TRUSTED, cases.lists({1: cases.SIGNED_AT}))
    assert p7s.only(raw, trusted=revoked).why == "certificate_revoked"
    assert p7s.only(raw, trusted=trust.Trust()).sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_chain_that_comes_along_helps():
    alone = trust.load(cases.TRUSTED[:1], cases.lists())
    bare = p7s.signed(p7s.CONTENT, p7s.PERSON)
    chained = p7_write.Signer(
        key=cases.PERSON_KEY, certificate=cases.PERSON, chain=(cases.AUTHORITY.certificate,)
    )
    assert p7s.only(bare, trusted=alone).why == "unknown_issuer"
    assert p7s.only(p7s.signed(p7s.CONTENT, chained), trusted=alone).passed


def set_(path, value):
    def change(data):
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value

    return change


def without_attributes(data):
    del data["signer_infos"][0]["signed_attrs"]


def flip(data):
    signer = data["signer_infos"][0]
    value = signer["signature"].native
    signer["signature"] = value[:-1] + bytes([value[-1] ^ 1])


def other_certificate(data):
    """The same name and number, another key: what an attacker's own authority could issue."""
    twin = keys.Issuer(certificate=cases.AUTHORITY.certificate, key=keys.new_key())
    key = cases.ORGANISATION_KEY.public_key()
    certificate = keys.certificate(twin, "UBND phường Thử", key, at=cases.ISSUED, serial=2)
    data["certificates"] = [cms.CertificateChoices("certificate", cases.asn1(certificate))]


def attributes_of_another(data):
    """The signed attributes of another file's signature, value and all, by the same signer."""
    other = cms.ContentInfo.load(p7s.signed(b"another content"))["content"]["signer_infos"][0]
    data["signer_infos"] = [other]


def one_signer_forged(data):
    infos = cms.ContentInfo.load(p7s.signed(p7s.CONTENT, p7s.PERSON, p7s.ORGANISATION))["content"]
    data["certificates"] = infos["certificates"]
    data["signer_infos"] = infos["signer_infos"]
    flip(data)


BAD = {
    "value": (flip, SubIndication.SIG_CRYPTO_FAILURE, "p7_value"),
    "no_signer": (set_(["signer_infos"], []), FORMAT, "p7_no_signer"),
    "no_certificate": (set_(["certificates"], []), UNFOUND, "cms_no_certificate"),
    "other_certificate": (other_certificate, UNFOUND, "cms_other_certificate"),
    "no_attributes": (without_attributes, FORMAT, "p7_no_attributes"),
    "moved": (attributes_of_another, SubIndication.HASH_FAILURE, "p7_digest"),
    "content_type": (set_(["encap_content_info", "content_type"], "tst_info"), FORMAT, "p7_content_type"),
    "sha1": (
        set_(["signer_infos", 0, "digest_algorithm"], {"algorithm": "sha1"}),
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        "cms_algorithm",
    ),
    "another_hash": (
        set_(["signer_infos", 0, "signature_algorithm"], {"algorithm": "sha384_ecdsa"}),
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        "cms_algorithm",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_not_what_was_signed(name):
    change, sub_indication, why = BAD[name]
    verdict = p7s.only(p7s.changed(change))
    assert (verdict.sub_indication, verdict.why) == (sub_indication, why)
    assert not verdict.passed


def test_the_altered_files_would_pass_unaltered():
    assert p7s.only(p7s.changed(lambda _: None)).passed


def test_each_signer_has_a_verdict_of_its_own():
    verdicts = p7s.judged(p7s.changed(one_signer_forged)).verdicts
    assert (
        sorted(one.why for one in verdicts) == ["p7_value", "passed"]
        or sorted(one.why for one in verdicts) == ["p7_value", "passed"][::-1]
    )


def test_a_changed_file():
    verdict = p7s.only(p7s.signed(), p7s.CONTENT.replace(b"b", b"c", 1))
    assert cases.ending(verdict) == (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE, "p7_digest")


def test_every_truncation_is_an_answer():
    """Wherever the file ends, it is a failure and never a crash or a pass."""
    for raw in (p7s.signed(), p7s.signed(inside=True), p7s.signed(armoured=True)):
        for end in range(0, len(raw) - 1, 97):
            (verdict,) = p7s.judged(raw[:end]).verdicts
            assert (verdict.sub_indication, verdict.why) == (FORMAT, "p7_damaged")


def test_every_flipped_byte_is_an_answer():
    """One bit anywhere: never a pass, unless it is in a part that nobody signs (versions, the bag's order)."""
    raw, passed = p7s.signed(), []
    for at in range(0, len(raw), 7):
        mutant = raw[:at] + bytes([raw[at] ^ 0x10]) + raw[at + 1 :]
        if any(one.passed for one in p7s.judged(mutant).verdicts):
            passed.append(at)
    assert len(passed) <= 3, passed


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"%PDF-1.7 no signature",
        b"PK\x03\x04",
        b"\x30\x03abc",
        b"\x30\x80" * 5000,
        b"-----BEGIN PKCS7-----\nMII\n-----END PKCS7-----\n",
        b"-----BEGIN PKCS7-----\n-----END CMS-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        p7s.signed(armoured=True) * 2,
        p7s.signed() + b"\x01",
        cases.PERSON.public_bytes(cases.Encoding.DER),
    ],
    ids=[
        "empty", "pdf", "zip", "junk", "nested", "short_pem", "mixed_pem", "certificate_pem", "twice", "behind", "certificate",
    ],
)  # fmt: skip
def test_what_is_no_signature_file(raw):
    (verdict,) = p7s.judged(raw).verdicts
    assert (verdict.indication, verdict.sub_indication, verdict.why) == (
        Indication.TOTAL_FAILED,
        FORMAT,
        "p7_damaged",
    )
    assert p7.read(raw) is None


def test_an_encrypted_message_is_a_remark():
    raw = bytes.fromhex("300f06092a864886f70d010703a0020500")  # EnvelopedData, and nothing of it
    assert p7s.judged(raw).remarks == (Remark(code="encrypted_p7", where="bao-cao.docx.p7s"),)


def test_budgets():
    assert len(p7s.judged(p7s.signed(p7s.CONTENT, *[p7s.ORGANISATION] * 8)).verdicts) == 8
    with pytest.raises(TooComplexError, match="signatures ≤ 8"):
        p7s.judged(p7s.signed(p7s.CONTENT, *[p7s.ORGANISATION] * 9))
    filling = cms.CMSAttribute({"type": "1.2.3.4", "values": [core.OctetString(bytes(8 << 20))]})
    with pytest.raises(TooComplexError, match="signature_bytes"):
        p7s.judged(p7s.changed(set_(["signer_infos", 0, "unsigned_attrs"], [filling])))


def test_a_large_file_is_hashed_once_for_all_its_signers():
    """The price of eight signers over one file is that of one, and what each adds is not the file's."""

    def seconds(raw, content):
        best = 1e9
        for _ in range(3):
            start = time.perf_counter()
            p7s.judged(raw, content)
            best = min(best, time.perf_counter() - start)
        return best

    content = bytes(24 << 20)
    one, eight = p7s.signed(content), p7s.signed(content, *[p7s.ORGANISATION] * 8)
    small = seconds(p7s.signed(p7s.CONTENT, *[p7s.ORGANISATION] * 8), p7s.CONTENT)
    assert seconds(eight, content) - small < 3 * seconds(one, content)


@needs_openssl
@pytest.mark.parametrize(
    "arguments, given",
    [
        (["-cades"], True),
        ([], True),
        (["-keyid"], True),
        (["-md", "sha512"], True),
        (["-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:digest"], True),
        (["-nodetach", "-cades"], False),
        (["-nodetach", "-stream"], False),
    ],
    ids=["cades", "plain", "keyid", "sha512", "pss", "inside", "chunks"],
)
def test_what_openssl_signs(tmp_path, arguments, given):
    content = p7s.CONTENT if given else None
    raw = p7s.openssl(tmp_path, *arguments)
    report = p7s.judged(raw, content)
    assert [one.passed for one in report.verdicts] == [True]
    assert [one.code for one in report.remarks] == [] if "-cades" in arguments else ["plain_cms"]
    assert p7s.openssl_accepts(tmp_path, raw, content)


@needs_openssl
def test_openssl_takes_what_we_sign_and_nothing_that_we_pass_is_refused_by_it(tmp_path):
    pairs = [
        (p7s.signed(), p7s.CONTENT),
        (p7s.signed(p7s.CONTENT, p7s.PERSON, p7s.ORGANISATION), p7s.CONTENT),
        (p7s.signed(inside=True), None),
        (p7s.signed(), p7s.CONTENT + b" "),
        *((p7s.changed(change), p7s.CONTENT) for change, _, _ in BAD.values()),
    ]
    answers = [
        (
            all(one.passed for one in p7s.judged(raw, content).verdicts),
            p7s.openssl_accepts(tmp_path, raw, content),
        )
        for raw, content in pairs
    ]
    assert answers[:3] == [(True, True)] * 3
    assert [ours for ours, theirs in answers if ours and not theirs] == []
    assert sum(not ours for ours, _ in answers) == len(BAD) + 1


@needs_openssl
def test_stricter_than_openssl_where_a_signature_could_be_passed_off(tmp_path):
    raw = p7s.openssl(tmp_path, "-noattr")
    assert p7s.openssl_accepts(tmp_path, raw)
    assert p7s.only(raw).why == "p7_no_attributes"


ROOT = keys.root("Gốc dấu thời gian", key=keys.new_key(), at=cases.ISSUED)
STAMPER = keys_timestamp.authority(ROOT, "Dấu thời gian", key=keys.new_key(), at=cases.ISSUED, serial=7)
EARLIER = cases.SIGNED_AT - timedelta(days=1)
WITH_TSA = trust.load(
    cases.TRUSTED,
    [*cases.lists(), keys.revocation_list(ROOT, {}, at=cases.LISTED_AT)],
    timestamp_files=[keys.der(ROOT.certificate)],
)


def stamped(signer=p7s.ORGANISATION, at=EARLIER, of=None):
    """The signer with a timestamp authority at hand, which stamps `of` instead of the value if it is given."""
    return replace(
        signer,
        stamped=lambda value: keys_timestamp.token(STAMPER, hashlib.sha256(of or value).digest(), at=at),
    )


def test_a_timestamp_over_the_signature_value_is_its_time():
    verdict = p7s.only(p7s.signed(p7s.CONTENT, stamped()), trusted=WITH_TSA)
    assert verdict.passed
    assert (verdict.best_signature_time, verdict.time_source) == (EARLIER, "timestamp")
    assert keys.fingerprint(ROOT.certificate).hex() in verdict.evidence


def test_a_timestamp_of_something_else_or_by_a_stranger_leaves_the_receipt():
    for raw, trusted in (
        (p7s.signed(p7s.CONTENT, stamped(of=b"another value")), WITH_TSA),
        (p7s.signed(p7s.CONTENT, stamped()), cases.TRUST),
    ):
        report = p7s.judged(raw, trusted=trusted)
        assert [(one.passed, one.best_signature_time, one.time_source) for one in report.verdicts] == [
            (True, cases.AT, "receipt")
        ]
        assert report.remarks == (Remark(code="timestamp_not_valid", where="bao-cao.docx.p7s"),)


def test_signed_before_expiry_and_sent_after():
    """With a timestamp it holds, without one nothing proves that it is that old."""
    key, later = keys.new_key(), cases.AT + timedelta(days=30)
    short = keys.certificate(
        cases.AUTHORITY, "Trần Thị Ngắn", key.public_key(), at=cases.ISSUED, serial=9, days=205
    )
    signer = p7_write.Signer(key=key, certificate=short)
    lists = [*cases.lists(), *cases.lists(at=later), keys.revocation_list(ROOT, {}, at=later)]
    trusted = trust.load(cases.TRUSTED, lists, timestamp_files=[keys.der(ROOT.certificate)])
    assert p7s.only(p7s.signed(p7s.CONTENT, signer), trusted=trusted, at=later).why == "certificate_expired"
    assert p7s.only(p7s.signed(p7s.CONTENT, stamped(signer)), trusted=trusted, at=later).passed


def listed(raw):
    """The signature with the authorities' lists put beside it."""
    lists = [crl.CertificateList.load(one) for one in cases.lists()]
    choices = [cms.RevocationInfoChoice("crl", one) for one in lists]
    return p7s.changed(lambda data: data.__setitem__("crls", choices), raw)


def answered(raw):
    """The root's list beside it, and an OCSP response on the signer's certificate (RFC 5940)."""
    response = keys_revocation.response(cases.AUTHORITY, cases.ORGANISATION, at=cases.LISTED_AT)
    other = {"other_rev_info_format": "ocsp_response", "other_rev_info": ocsp.OCSPResponse.load(response)}
    choices = [
        cms.RevocationInfoChoice("crl", crl.CertificateList.load(cases.lists()[0])),
        cms.RevocationInfoChoice("other", cms.OtherRevocationInfoFormat(other)),
    ]
    return p7s.changed(lambda data: data.__setitem__("crls", choices), raw)


def archived(raw):
    """The same lists among the unsigned attributes (revocation-values)."""
    lists = [crl.CertificateList.load(one) for one in cases.lists()]
    return _among_unsigned(raw, {"crls": cms_enclosed._Lists(lists)})


def archived_response(raw):
    response = keys_revocation.response(cases.AUTHORITY, cases.ORGANISATION, at=cases.LISTED_AT)
    basic = ocsp.OCSPResponse.load(response)["response_bytes"]["response"].parsed
    lists = [crl.CertificateList.load(cases.lists()[0])]
    held = {"crls": cms_enclosed._Lists(lists), "responses": cms_enclosed._Responses([basic])}
    return _among_unsigned(raw, held)


def _among_unsigned(raw, held):
    values = cms_enclosed._RevocationValues(held)
    attribute = cms.CMSAttribute({"type": "1.2.840.113549.1.9.16.2.24", "values": [values]})
    return p7s.changed(set_(["signer_infos", 0, "unsigned_attrs"], [attribute]), raw)


@pytest.mark.parametrize("along", [listed, answered, archived, archived_response])
def test_revocation_lists_that_come_along_settle_what_ours_cannot(along):
    without = trust.load(cases.TRUSTED, [])
    assert p7s.only(p7s.signed(), trusted=without).why == "revocation_missing"
    assert p7s.only(along(p7s.signed()), trusted=without).passed


def test_lists_that_come_along_are_believed_only_when_the_authority_signed_them():
    stranger = keys.root("Cơ quan chứng thực thử nghiệm", key=keys.new_key(), at=cases.ISSUED)
    forged = crl.CertificateList.load(keys.revocation_list(stranger, {}, at=cases.LISTED_AT))
    raw = p7s.changed(lambda data: data.__setitem__("crls", [cms.RevocationInfoChoice("crl", forged)]))
    assert p7s.only(raw, trusted=trust.load(cases.TRUSTED, [])).why == "revocation_missing"


def test_junk_that_comes_along_harms_nobody():
    junk = cms.CMSAttribute({"type": "1.2.840.113549.1.9.16.2.24", "values": [core.OctetString(b"junk")]})
    token = cms.CMSAttribute(
        {"type": "signature_time_stamp_token", "values": [cms.ContentInfo({"content_type": "data"})]}
    )
    for attribute in (junk, token):
        report = p7s.judged(p7s.changed(set_(["signer_infos", 0, "unsigned_attrs"], [attribute])))
        assert [one.passed for one in report.verdicts] == [True]
