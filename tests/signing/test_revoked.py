"""Since when lists call a certificate revoked, whoever asks; and when a list was made."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from signing import keys, revoked, trust

AT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
KEY = keys.new_key()
ROOT = keys.root("Gốc", key=KEY, at=AT - 900 * DAY)
ISSUER = keys.subordinate(ROOT, "Nơi cấp", key=keys.new_key(), at=AT - 900 * DAY)
STRANGER = keys.subordinate(ROOT, "Nơi cấp", key=keys.new_key(), at=AT - 900 * DAY)
PEM = serialization.Encoding.PEM


def certificate(serial, issuer=ISSUER):
    made = keys.certificate(issuer, f"Số {serial}", KEY.public_key(), at=AT - 400 * DAY, serial=serial)
    return made.public_bytes(serialization.Encoding.DER)


def trusted(*lists, authorities=(ROOT, ISSUER)):
    return trust.load([one.certificate.public_bytes(PEM) for one in authorities], lists)


def listed(revocations, *, issuer=ISSUER, at=AT):
    return keys.revocation_list(issuer, revocations, at=at)


def test_what_no_list_names_is_not_revoked():
    assert revoked.since(certificate(1), trusted()) is None
    assert revoked.since(certificate(1), trusted(listed({2: AT - DAY}))) is None


def test_the_earliest_moment_that_any_list_tells():
    lists = listed({1: AT - 5 * DAY}, at=AT - 4 * DAY), listed({1: AT - 3 * DAY}, at=AT)
    assert revoked.since(certificate(1), trusted(*lists)) == AT - 5 * DAY


def test_a_list_that_ran_out_still_tells():
    old = keys.revocation_list(ISSUER, {1: AT - 300 * DAY}, at=AT - 299 * DAY, days=7)
    assert revoked.since(certificate(1), trusted(old)) == AT - 300 * DAY


@pytest.mark.parametrize("authorities", [(ROOT, ISSUER), (ROOT, ISSUER, STRANGER)])
def test_a_list_by_another_key_of_the_same_name_tells_nothing(authorities):
    forged = listed({1: AT - DAY}, issuer=STRANGER)
    assert revoked.since(certificate(1), trusted(forged, authorities=(ROOT, ISSUER))) is None
    assert revoked.since(certificate(1, STRANGER), trusted(forged, authorities=(ROOT, STRANGER))) == AT - DAY
    assert revoked.since(certificate(1), trusted(authorities=authorities)) is None


def test_without_its_issuer_nothing_is_known():
    assert revoked.since(certificate(1), trusted(listed({1: AT - DAY}), authorities=(ROOT,))) is None


def held(serial, *, on_hold, at):
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - 9 * DAY)
    reason = x509.ReasonFlags.certificate_hold if on_hold else x509.ReasonFlags.key_compromise
    entry = entry.add_extension(x509.CRLReason(reason), critical=False).build()
    draft = x509.CertificateRevocationListBuilder().issuer_name(ISSUER.certificate.subject)
    draft = draft.last_update(at).next_update(at + 7 * DAY).add_revoked_certificate(entry)
    return draft.sign(ISSUER.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def test_on_hold_counts_only_while_the_newest_list_says_so():
    assert revoked.since(certificate(1), trusted(held(1, on_hold=True, at=AT))) == AT - 9 * DAY
    released = held(1, on_hold=True, at=AT - 2 * DAY), listed({}, at=AT)
    assert revoked.since(certificate(1), trusted(*released)) is None
    for_good = held(1, on_hold=False, at=AT - 2 * DAY), listed({}, at=AT)
    assert revoked.since(certificate(1), trusted(*for_good)) == AT - 9 * DAY


def test_when_a_list_or_a_response_was_made():
    assert revoked.made("crl", listed({}, at=AT - DAY)) == AT - DAY
    mine, issuer = (x509.load_der_x509_certificate(certificate(1)), ISSUER.certificate)
    good = ocsp.OCSPCertStatus.GOOD
    response = ocsp.OCSPResponseBuilder().add_response(
        mine, issuer, hashes.SHA256(), good, AT - 2 * DAY, AT + DAY, None, None
    )
    response = response.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer)
    der = response.sign(ISSUER.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    assert revoked.made("ocsp", der) == AT - 2 * DAY
    failed = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    assert revoked.made("ocsp", failed.public_bytes(serialization.Encoding.DER)) is None
    assert [revoked.made(kind, b"nothing") for kind in ("crl", "ocsp", "certificate")] == [None] * 3


def test_what_is_no_certificate_is_an_error():
    with pytest.raises(ValueError, match=r".*"):
        revoked.since(b"nothing", trusted())
