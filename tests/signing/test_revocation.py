"""Revocation lists: what each says at which moment, and which lists say nothing."""

from datetime import timedelta

import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from signing import crl, judge, keys, trust
from signing.verdict import Indication, SubIndication

AT, AUTHORITY, ROOT = cases.AT, cases.AUTHORITY, cases.ROOT
SIGNER = cases.CERTIFICATES["p256"]
SERIAL = SIGNER.serial_number
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
IMPOSTOR = keys.root("Cơ quan chứng thực", key=keys.new_key(), at=cases.ISSUED)


def by_root(revoked=None, at=AT + HOUR, **how):
    return keys.revocation_list(ROOT, revoked or {}, at=at, **how)


def by_authority(revoked=None, at=AT + HOUR, **how):
    return keys.revocation_list(AUTHORITY, revoked or {}, at=at, **how)


def drawn(issuer=AUTHORITY, entries=(), at=AT + HOUR, extensions=(), digest=None, days=7):
    """A list of any shape: entries as (serial, moment, reason), extensions with their criticality."""
    draft = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    draft = draft.last_update(at).next_update(at + timedelta(days=days))
    for serial, moment, reason in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        draft = draft.add_revoked_certificate(
            entry.add_extension(x509.CRLReason(reason), critical=False).build()
        )
    for extension, critical in extensions:
        draft = draft.add_extension(extension, critical=critical)
    return draft.sign(issuer.key, digest or hashes.SHA256()).public_bytes(Encoding.DER)


def scope(**limits):
    fields = (
        "full_name", "relative_name", "only_contains_user_certs", "only_contains_ca_certs", "only_some_reasons",
        "indirect_crl", "only_contains_attribute_certs",
    )  # fmt: skip
    plain = {
        name: None if name in {"full_name", "relative_name", "only_some_reasons"} else False
        for name in fields
    }
    return x509.IssuingDistributionPoint(**plain | limits), True


def held(moment, at):
    return drawn(entries=[(SERIAL, moment, x509.ReasonFlags.certificate_hold)], at=at)


AUTHORITY_SERIAL = AUTHORITY.certificate.serial_number
GOOD, LATER = "TOTAL_PASSED/None/passed", "TOTAL_PASSED/None/passed_provisionally"
REVOKED = "INDETERMINATE/REVOKED_NO_POE/certificate_revoked"
NO_AUTHORITY = "INDETERMINATE/REVOKED_CA_NO_POE/authority_revoked"
HELD, AUTHORITY_HELD = (
    "INDETERMINATE/TRY_LATER/certificate_on_hold",
    "INDETERMINATE/TRY_LATER/authority_on_hold",
)
MISSING, STALE = "INDETERMINATE/TRY_LATER/revocation_missing", "INDETERMINATE/TRY_LATER/revocation_stale"

# fmt: off
TABLE = {
    "lists made after the moment": ([by_root(), by_authority()], GOOD),
    "lists made at the moment": ([by_root(at=AT), by_authority(at=AT)], GOOD),
    "lists made before the moment": ([by_root(), by_authority(at=AT - HOUR)], LATER),
    "the root's list made before": ([by_root(at=AT - HOUR), by_authority()], LATER),
    "an old list and a new one": ([by_root(), by_authority(at=AT - HOUR), by_authority()], GOOD),
    "no lists": ([], MISSING),
    "none for the signer": ([by_root()], MISSING),
    "none for the authority": ([by_authority()], MISSING),
    "run out": ([by_root(), by_authority(at=AT - 8 * DAY)], STALE),
    "running out now": ([by_root(), by_authority(at=AT - 7 * DAY)], LATER),
    "the root's list run out": ([by_root(at=AT - 8 * DAY), by_authority()], STALE),
    "revoked before": ([by_root(), by_authority({SERIAL: AT - HOUR})], REVOKED),
    "revoked at the moment": ([by_root(), by_authority({SERIAL: AT})], REVOKED),
    "revoked after": ([by_root(), by_authority({SERIAL: AT + timedelta(seconds=1)}, at=AT + HOUR)], GOOD),
    "another revoked": ([by_root(), by_authority({SERIAL + 1: AT - HOUR})], GOOD),
    "revoked in an old list": ([by_root(), by_authority({SERIAL: AT - 9 * DAY}, at=AT - 8 * DAY), by_authority()], REVOKED),
    "revoked in a list that has run out": ([by_root(), by_authority({SERIAL: AT - 9 * DAY}, at=AT - 8 * DAY)], REVOKED),
    "the signer's number in the root's list": ([by_root({SERIAL: AT - HOUR}), by_authority()], GOOD),
    "authority revoked": ([by_root({AUTHORITY_SERIAL: AT - HOUR}), by_authority()], NO_AUTHORITY),
    "authority revoked after": ([by_root({AUTHORITY_SERIAL: AT + HOUR}, at=AT + 2 * HOUR), by_authority()], GOOD),
    "authority revoked, nothing on the signer": ([by_root({AUTHORITY_SERIAL: AT - HOUR})], NO_AUTHORITY),
    "both revoked": ([by_root({AUTHORITY_SERIAL: AT - HOUR}), by_authority({SERIAL: AT - HOUR})], REVOKED),
    "on hold": ([by_root(), held(AT - HOUR, AT + HOUR)], HELD),
    "on hold in a list made before": ([by_root(), held(AT - 2 * HOUR, AT - HOUR)], HELD),
    "on hold, then revoked": ([by_root(), held(AT - 9 * HOUR, AT - 8 * HOUR), by_authority({SERIAL: AT - 9 * HOUR})], REVOKED),
    "the authority on hold": ([drawn(ROOT, entries=[(AUTHORITY_SERIAL, AT - HOUR, x509.ReasonFlags.certificate_hold)]), by_authority()], AUTHORITY_HELD),
    "released from hold": ([by_root(), held(AT - 9 * HOUR, AT - 8 * HOUR), by_authority()], GOOD),
    "put on hold later": ([by_root(), held(AT + HOUR, AT + 2 * HOUR)], GOOD),
    "made by an impostor": ([by_root(), keys.revocation_list(IMPOSTOR, {}, at=AT + HOUR)], MISSING),
    "an impostor revokes": ([by_root(), by_authority(), keys.revocation_list(IMPOSTOR, {SERIAL: AT - HOUR}, at=AT + 2 * HOUR)], GOOD),
    "signed with SHA-224": ([by_root(), drawn(digest=hashes.SHA224())], MISSING),
    "for signers only": ([by_root(), drawn(extensions=[scope(only_contains_user_certs=True)])], GOOD),
    "for authorities only": ([by_root(), drawn(extensions=[scope(only_contains_ca_certs=True)])], MISSING),
    "the root's for authorities only": ([drawn(ROOT, extensions=[scope(only_contains_ca_certs=True)]), by_authority()], GOOD),
    "the root's for signers only": ([drawn(ROOT, extensions=[scope(only_contains_user_certs=True)]), by_authority()], MISSING),
    "for another distribution point": ([by_root(), drawn(extensions=[scope(full_name=[x509.UniformResourceIdentifier("http://x.example/a")])])], MISSING),
}
# fmt: on


@pytest.mark.parametrize("name", TABLE)
def test_what_the_lists_say(name):
    lists, expected = TABLE[name]
    trusted = trust.load(cases.TRUSTED, lists)
    judged = judge.certificate(SIGNER, (), trusted, AT)
    assert cases.ended(judged) == expected
    assert judged.provisional == (expected == LATER)
    read = {crl.read(one).sha256 for one in lists}
    authorities = {keys.fingerprint(one.certificate).hex() for one in (ROOT, AUTHORITY)}
    assert authorities <= set(judged.evidence) <= authorities | read
    if judged.indication is Indication.TOTAL_PASSED:
        assert len(judged.evidence) == 4


@pytest.mark.parametrize("name", TABLE)
def test_what_passes_with_us_passes_with_pyhanko_certvalidator(name):
    lists, expected = TABLE[name]
    accepted = cases.certvalidator_accepts(SIGNER, [AUTHORITY.certificate], lists)
    # It hears the older of two lists as well, and so never lets a certificate off its hold.
    assert accepted or expected not in {GOOD, LATER} or name == "released from hold"


def test_a_list_of_its_own_distribution_point_speaks():
    where = [x509.UniformResourceIdentifier("http://x.example/a.crl")]
    points = x509.CRLDistributionPoints([x509.DistributionPoint(where, None, None, None)])
    certificate = cases.issued(extensions=[(points, False)])
    trusted = trust.load(cases.TRUSTED, [by_root(), drawn(extensions=[scope(full_name=where)])])
    assert judge.certificate(certificate, (), trusted, AT).indication is Indication.TOTAL_PASSED


def test_a_list_made_after_a_certificate_ran_out_acquits_nobody():
    certificate = cases.issued(valid=(cases.ISSUED, AT + HOUR))
    late = trust.load(cases.TRUSTED, [by_root(), by_authority(at=AT + 2 * HOUR)])
    assert judge.certificate(certificate, (), late, AT).sub_indication is SubIndication.TRY_LATER
    told = trust.load(cases.TRUSTED, [by_root(), by_authority({4711: AT - HOUR}, at=AT + 2 * HOUR)])
    assert judge.certificate(certificate, (), told, AT).sub_indication is SubIndication.REVOKED_NO_POE
    both = trust.load(cases.TRUSTED, [by_root(), by_authority(at=AT), by_authority(at=AT + 2 * HOUR)])
    assert judge.certificate(certificate, (), both, AT).indication is Indication.TOTAL_PASSED


def test_an_authority_that_may_not_sign_lists_is_not_heard():
    key = keys.new_key()
    silent = keys.Issuer(
        certificate=cases.issued(
            ROOT, name="CA", key=key, extensions=[cases.CA, cases.usage("key_cert_sign")]
        ),
        key=key,
    )
    trusted = trust.load(
        [*cases.TRUSTED, keys.der(silent.certificate)],
        [by_root(), keys.revocation_list(silent, {}, at=AT + HOUR)],
    )
    assert judge.certificate(cases.issued(silent), (), trusted, AT).why == "revocation_missing"


NOT_READ = {
    "attribute certificates": drawn(extensions=[scope(only_contains_attribute_certs=True)]),
    "unknown and critical": drawn(
        extensions=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), True)]
    ),
    "a certificate": keys.der(SIGNER),
    "nothing": b"",
}


@pytest.mark.parametrize("name", NOT_READ)
def test_lists_that_are_not_read(name):
    with pytest.raises(ValueError, match=r"."):
        crl.read(NOT_READ[name])
    with pytest.raises(ValueError, match="revocation list file 1"):
        trust.load([], [by_root(), NOT_READ[name]])


def test_a_long_list_is_asked_in_no_time():
    many = by_authority(dict.fromkeys(range(1000, 4000), AT - HOUR))
    trusted = trust.load(cases.TRUSTED, [by_root(), many])
    assert judge.certificate(SIGNER, (), trusted, AT).indication is Indication.TOTAL_PASSED
    listed = cases.issued(serial=3999)
    assert judge.certificate(listed, (), trusted, AT).why == "certificate_revoked"
