"""XAdES-T: what a timestamp over the signature value proves, and what revocation data and certificates inside are worth."""

import base64
import hashlib
from datetime import timedelta

import pytest
import xml_cases as cases
from asn1crypto import cms
from lxml import etree
from xml_changes import dropped

from signing import keys, keys_revocation, keys_timestamp, trust
from signing.algorithms import DS, EXCLUSIVE, INCLUSIVE
from signing.xades import XADES

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROOT = keys.root("Gốc dấu thời gian", key=keys.new_key(), at=cases.ISSUED)
STAMPER = keys_timestamp.authority(ROOT, "Dấu thời gian", key=keys.new_key(), at=cases.ISSUED, serial=7)
STRANGER = keys_timestamp.authority(
    cases.AUTHORITY, "Dấu thời gian của cơ quan cấp chứng thư", key=keys.new_key(), at=cases.ISSUED, serial=8
)
STAMPED_AT = cases.SIGNED_AT + timedelta(minutes=1)
LATER = cases.AT + 30 * DAY
ENDED = cases.issued(valid=(cases.ISSUED, cases.AT + DAY), serial=12)


def trusted(revoked=None, at=LATER):
    found = [*cases.lists(revoked, at), keys.revocation_list(ROOT, {}, at=LATER)]
    return trust.load(cases.TRUSTED, found, timestamp_files=[keys.der(ROOT.certificate)])


def stamper(at=STAMPED_AT, holder=STAMPER, **how):
    return lambda digest: keys_timestamp.token(holder, how.get("over", digest), at=at)


def stamped(certificate=None, **how):
    terms = {"references": ["#header"], "canonical": "inclusive", **how.pop("terms", {})}
    return cases.seal.sign_xml(
        cases.LETTER,
        cases.KEYS["p256"],
        certificate or cases.CERTIFICATES["p256"],
        **{"at": cases.SIGNED_AT, "xades": True, "stamper": stamper(**how), **terms},
    )


def told(raw, trusted_=None, at=LATER):
    report = cases.judged(raw, trusted_ or trusted(), at)
    (verdict,) = report.verdicts
    return verdict, [remark.code for remark in report.remarks]


@pytest.mark.parametrize("form", ["exclusive", "inclusive"])
@pytest.mark.parametrize("references", [[""], ["#header", "#file1"]], ids=["whole", "parts"])
def test_a_timestamp_is_the_time_of_the_signature(form, references):
    verdict, remarks = told(stamped(terms={"canonical": form, "references": references}))
    assert verdict.passed
    assert (verdict.profile, verdict.format, remarks) == ("xades-t", "xades", [])
    assert (verdict.best_signature_time, verdict.time_source) == (STAMPED_AT, "timestamp")
    assert keys.fingerprint(ROOT.certificate).hex() in verdict.evidence


@pytest.mark.parametrize("form", [EXCLUSIVE, INCLUSIVE])
def test_what_is_stamped_is_the_value_s_element_in_the_form_that_is_named(form):
    """By lxml, in the whole message; the form of the timestamp need not be that of the signature."""
    raw = stamped(terms={"canonical": "exclusive" if form == EXCLUSIVE else "inclusive"})
    root = cases.parsed(raw)
    value = cases.part(root, "SignatureValue")
    octets = etree.tostring(value, method="c14n", exclusive=form == EXCLUSIVE, with_tail=False)
    token = cms.ContentInfo.load(base64.b64decode(cases.part(root, "EncapsulatedTimeStamp").text))
    stated = token["content"]["encap_content_info"]["content"].parsed
    assert stated["message_imprint"]["hashed_message"].native == hashlib.sha256(octets).digest()


# fmt: off
WORTHLESS = {
    "over something else": stamped(over=bytes(32)),
    "by an authority for signers": stamped(holder=STRANGER),
    "by the signer": stamped(holder=keys.Holder(certificate=cases.CERTIFICATES["p256"], key=cases.KEYS["p256"])),
    "no token": cases.changed(stamped(), lambda root: setattr(cases.part(root, "EncapsulatedTimeStamp"), "text", "AAAA")),
    "in another form than named": cases.changed(
        cases.signed(xades=True, stamper=stamper()),
        lambda root: cases.part(cases.part(root, "SignatureTimeStamp"), "CanonicalizationMethod").set("Algorithm", INCLUSIVE),
    ),
    "over another signature's value": None,
}
# fmt: on


def exchanged():
    """The timestamp of one signature, in another."""
    token = cases.part(cases.parsed(stamped()), "EncapsulatedTimeStamp").text
    return cases.changed(
        stamped(), lambda root: setattr(cases.part(root, "EncapsulatedTimeStamp"), "text", token)
    )


@pytest.mark.parametrize("name", WORTHLESS)
def test_a_timestamp_that_proves_nothing_leaves_the_receipt_and_a_remark(name):
    verdict, remarks = told(WORTHLESS[name] or exchanged())
    assert verdict.passed
    assert (verdict.best_signature_time, verdict.time_source) == (LATER, "receipt")
    assert remarks == ["timestamp_not_valid"]


def test_without_the_timestamp_s_anchor_it_proves_nothing():
    only_signers = trust.load(cases.TRUSTED, cases.lists(at=LATER))
    assert told(stamped(), only_signers)[0].time_source == "receipt"


def test_the_earliest_of_two_timestamps_counts_and_no_more_than_a_few_are_looked_at():
    def earlier(root):
        first = cases.part(root, "SignatureTimeStamp")
        second = etree.fromstring(etree.tostring(first, with_tail=False))
        value = etree.tostring(cases.part(root, "SignatureValue"), method="c14n", with_tail=False)
        token = stamper(cases.SIGNED_AT)(hashlib.sha256(value).digest())
        cases.part(second, "EncapsulatedTimeStamp").text = base64.b64encode(token).decode()
        first.addnext(second)

    verdict, remarks = told(cases.changed(stamped(), earlier))
    assert (verdict.best_signature_time, remarks) == (cases.SIGNED_AT, [])
    verdict, _ = told(cases.changed(cases.changed(exchanged(), earlier), dropped("SignatureTimeStamp", 1)))
    assert verdict.time_source == "receipt"


def test_a_certificate_that_ended_between_timestamp_and_receipt():
    in_time = trusted(at=cases.AT + HOUR)  # a list from after its end says nothing of a certificate
    assert told(stamped(ENDED), in_time)[0].passed
    verdict, _ = told(cases.changed(stamped(ENDED), dropped("UnsignedProperties")), in_time)
    assert (verdict.profile, verdict.why) == ("xades-b", "certificate_expired")
    assert told(stamped(ENDED, over=bytes(32)), in_time)[0].why == "certificate_expired"


def test_a_certificate_that_was_revoked_between_timestamp_and_receipt():
    after, before = {100: cases.AT + DAY}, {100: STAMPED_AT - HOUR}
    assert told(stamped(), trusted(after))[0].passed
    assert told(stamped(), trusted(before))[0].why == "certificate_revoked"
    assert told(cases.signed(xades=True), trusted(after))[0].why == "certificate_revoked"


def test_a_timestamp_before_the_certificate_began_is_final():
    young = cases.issued(valid=(STAMPED_AT + HOUR, LATER + DAY))
    assert told(stamped(young))[0].why == "certificate_not_yet_valid"


def enclosed(markup):
    """Values put among the unsigned properties; they are not signed, so nothing is to be signed anew."""

    def change(root):
        holder = cases.part(root, "UnsignedSignatureProperties")
        holder.append(etree.fromstring(f'<x:{markup[0]} xmlns:x="{XADES}">{markup[1]}</x:{markup[0]}>'))

    return change


def listed(*lists):
    inner = "".join(
        f"<x:EncapsulatedCRLValue>{base64.b64encode(one).decode()}</x:EncapsulatedCRLValue>" for one in lists
    )
    return enclosed(("RevocationValues", f"<x:CRLValues>{inner}</x:CRLValues>"))


def answered(*responses):
    inner = "".join(
        f"<x:EncapsulatedOCSPValue>{base64.b64encode(one).decode()}</x:EncapsulatedOCSPValue>"
        for one in responses
    )
    return enclosed(("RevocationValues", f"<x:OCSPValues>{inner}</x:OCSPValues>"))


NO_LISTS = trust.load(cases.TRUSTED, [keys.revocation_list(ROOT, {}, at=LATER)], timestamp_files=[keys.der(ROOT.certificate)])  # fmt: skip
BY_STRANGER = keys.revocation_list(
    keys.Issuer(certificate=cases.AUTHORITY.certificate, key=keys.new_key()), {}, at=STAMPED_AT
)


def test_revocation_lists_inside_count_like_configured_ones():
    assert told(stamped(), NO_LISTS)[0].why == "revocation_missing"
    assert told(cases.changed(stamped(), listed(*cases.lists(at=STAMPED_AT + HOUR))), NO_LISTS)[0].passed
    revoked = cases.lists({100: STAMPED_AT - HOUR}, at=STAMPED_AT + HOUR)
    assert told(cases.changed(stamped(), listed(*revoked)), NO_LISTS)[0].why == "certificate_revoked"
    assert told(cases.changed(stamped(), listed(BY_STRANGER)), NO_LISTS)[0].why == "revocation_missing"
    assert told(cases.changed(stamped(), listed(b"x" * 99)), NO_LISTS)[0].why == "revocation_missing"


def test_answers_inside_count_like_configured_ones():
    only_root = trust.load(
        cases.TRUSTED,
        [cases.lists(at=LATER)[0], keys.revocation_list(ROOT, {}, at=LATER)],
        timestamp_files=[keys.der(ROOT.certificate)],
    )
    signer, at = cases.CERTIFICATES["p256"], STAMPED_AT + HOUR
    good = keys_revocation.response(cases.AUTHORITY, signer, at=at)
    of_another = keys_revocation.response(cases.AUTHORITY, cases.CERTIFICATES["p384"], at=at)
    gone = keys_revocation.response(
        cases.AUTHORITY, signer, keys_revocation.Revoked(STAMPED_AT - HOUR), at=at
    )
    ends = [
        told(cases.changed(stamped(), answered(one)), only_root)[0].why for one in (good, of_another, gone)
    ]
    assert ends == ["passed", "revocation_missing", "certificate_revoked"]


def test_a_list_in_key_info_counts_as_well():
    root_list, list_ = cases.lists(at=STAMPED_AT + HOUR)
    both = "".join(f"<X509CRL>{base64.b64encode(one).decode()}</X509CRL>" for one in (root_list, list_))

    def change(root):
        cases.part(root, "KeyInfo").append(etree.fromstring(f'<X509Data xmlns="{DS}">{both}</X509Data>'))

    assert told(cases.changed(stamped(), change), NO_LISTS)[0].passed


def test_certificates_inside_help_to_build_the_path_and_are_never_trusted():
    anchor = trust.load([keys.der(cases.ROOT.certificate)], cases.lists(at=LATER))
    value = base64.b64encode(keys.der(cases.AUTHORITY.certificate)).decode()
    inside = enclosed(
        ("CertificateValues", f"<x:EncapsulatedX509Certificate>{value}</x:EncapsulatedX509Certificate>")
    )
    assert told(stamped(), anchor)[0].why == "unknown_issuer"
    assert told(cases.changed(stamped(), inside), anchor)[0].passed
    assert told(cases.changed(stamped(), inside), trust.load([], cases.lists(at=LATER)))[0].passed is False
