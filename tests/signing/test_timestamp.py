"""Timestamp tokens: which hold, for whom, and which prove nothing."""

from datetime import timedelta

import pytest
import timestamp_cases as stamps
import xml_cases as cases
from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from timestamp_cases import AT, BY_RSA, DAY, HOUR, ISSUED, STAMPER, check, stamped

from signing import keys, keys_revocation, revocation, timestamp
from signing.keys_revocation import HOLD, Revoked
from signing.verdict import Indication, SubIndication


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("stamper", [STAMPER, BY_RSA], ids=["ecdsa", "rsa"])
def test_a_token_that_holds(stamper, hash_name):
    stamp = check(stamped(stamper, hash_name=hash_name))
    assert stamp.failure is None
    assert stamp.moment == stamp.claimed == AT - HOUR
    assert (stamp.certificate, stamp.name) == (stamper.der, "Dấu thời gian" + " RSA" * (stamper is BY_RSA))
    assert keys.fingerprint(stamps.ROOT.certificate).hex() in stamp.evidence


def holder(*purposes, critical=True, key=None, issuer=stamps.ROOT, **how):
    key = key or keys.new_key()
    extensions = [(x509.ExtendedKeyUsage(purposes), critical)] if purposes else []
    return keys.Holder(
        certificate=cases.issued(
            issuer, key=key, extensions=[*extensions, *how.pop("extensions", ())], **how
        ),
        key=key,
    )


STAMPING, CLIENT = ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CLIENT_AUTH
SIGNER = keys.Holder(certificate=cases.CERTIFICATES["p256"], key=cases.KEYS["p256"])
OF_SIGNERS = holder(STAMPING, issuer=cases.AUTHORITY)
EXPIRED = holder(STAMPING, valid=(ISSUED, AT - timedelta(minutes=1)))
BOTH_STORES = stamps.trusted(stampers=[*stamps.TRUSTED, *cases.TRUSTED])


def altered(token, change):
    """The token with its contents changed after it was signed."""
    content = cms.ContentInfo.load(token)
    data = content["content"]
    change(data)
    data["encap_content_info"] = data["encap_content_info"]
    return content.dump(force=True)


def restated(**fields):
    def change(data):
        stated = data["encap_content_info"]["content"].parsed
        for name, value in fields.items():
            stated[name] = value
        data["encap_content_info"] = {
            "content_type": "tst_info",
            "content": tsp.TSTInfo.load(stated.dump(force=True)),
        }

    return change


def without_certificates(data):
    data["certificates"] = []


EARLIER = {"gen_time": AT - DAY}
FORMAT, ORDER = SubIndication.FORMAT_FAILURE, SubIndication.TIMESTAMP_ORDER_FAILURE
HASH, CONSTRAINTS = SubIndication.HASH_FAILURE, SubIndication.CHAIN_CONSTRAINTS_FAILURE
WEAK, NO_CHAIN = SubIndication.CRYPTO_CONSTRAINTS_FAILURE, SubIndication.NO_CERTIFICATE_CHAIN_FOUND
# fmt: off
REFUSED = {
    "over another signature": (stamped(value=b"another"), stamps.TRUST, HASH, "timestamp_of_another"),
    "over another with SHA-512": (stamped(value=b"another", hash_name="sha512"), stamps.TRUST, HASH, "timestamp_of_another"),
    "over a SHA-1 digest": (stamped(hash_name="sha1"), stamps.TRUST, WEAK, "timestamp_weak"),
    "its moment changed": (altered(stamped(), restated(**EARLIER)), stamps.TRUST, HASH, "cms_digest"),
    "without its certificate": (altered(stamped(), without_certificates), stamps.TRUST, SubIndication.NO_SIGNING_CERTIFICATE_FOUND, "cms_no_certificate"),
    "cut": (stamped()[:-1], stamps.TRUST, FORMAT, "timestamp_damaged"),
    "more behind": (stamped() + b"\1", stamps.TRUST, FORMAT, "timestamp_damaged"),
    "nothing": (b"", stamps.TRUST, FORMAT, "timestamp_damaged"),
    "a certificate": (STAMPER.der, stamps.TRUST, FORMAT, "timestamp_damaged"),
    "gigantic": (stamped() + bytes(timestamp.MOST_BYTES), stamps.TRUST, FORMAT, "timestamp_damaged"),
    "by a signer": (stamped(SIGNER), stamps.TRUST, CONSTRAINTS, "timestamp_purpose"),
    "by a signer, both stores alike": (stamped(SIGNER), BOTH_STORES, CONSTRAINTS, "timestamp_purpose"),
    "by a signers' authority's": (stamped(OF_SIGNERS), stamps.TRUST, NO_CHAIN, "unknown_issuer"),
    "by one with its root beside": (stamped(OF_SIGNERS, others=[cases.AUTHORITY.certificate, cases.ROOT.certificate]), stamps.TRUST, NO_CHAIN, "unknown_root"),
    "no store for timestamps": (stamped(), stamps.trusted(stampers=()), NO_CHAIN, "unknown_issuer"),
    "its root only among the signers'": (stamped(), stamps.trusted(signers=[*cases.TRUSTED, *stamps.TRUSTED], stampers=()), NO_CHAIN, "unknown_issuer"),
    "for other purposes too": (stamped(holder(STAMPING, CLIENT)), stamps.TRUST, CONSTRAINTS, "timestamp_purpose"),
    "for timestamps, not bindingly": (stamped(holder(STAMPING, critical=False)), stamps.TRUST, CONSTRAINTS, "timestamp_purpose"),
    "for nothing stated": (stamped(holder()), stamps.TRUST, CONSTRAINTS, "timestamp_purpose"),
    "for encryption by its usage": (stamped(holder(STAMPING, extensions=[cases.usage("key_encipherment")])), stamps.TRUST, CONSTRAINTS, "timestamp_purpose"),
    "by a weak key": (stamped(holder(STAMPING, key=keys.new_key("rsa1024"))), stamps.TRUST, WEAK, "weak_key"),
    "by one that has run out": (stamped(EXPIRED), stamps.trusted(*cases.lists()), SubIndication.OUT_OF_BOUNDS_NO_POE, "certificate_expired"),
    "by one that was revoked": (stamped(), stamps.trusted(stamps.by_root({7: AT - DAY})), SubIndication.REVOKED_NO_POE, "certificate_revoked"),
    "by one revoked after the token": (stamped(), stamps.trusted(stamps.by_root({7: AT - timedelta(minutes=1)})), SubIndication.REVOKED_NO_POE, "certificate_revoked"),
    "by one on hold": (stamped(), stamps.trusted(keys_revocation.revocation_list(stamps.ROOT, {7: Revoked(AT - DAY, HOLD)}, at=AT)), SubIndication.TRY_LATER, "certificate_on_hold"),
    "without a list": (stamped(), stamps.trusted(*cases.lists()), SubIndication.TRY_LATER, "revocation_missing"),
    "much later than the receipt": (stamped(at=AT + timedelta(minutes=6)), stamps.TRUST, ORDER, "timestamp_later"),
}
# fmt: on


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_that_proves_nothing(name):
    token, trusted, sub_indication, why = REFUSED[name]
    stamp = check(token, trusted)
    assert stamp.moment is None
    assert (stamp.failure.sub_indication, stamp.failure.why) == (sub_indication, why)
    assert stamp.failure.indication is not Indication.TOTAL_PASSED


def test_a_little_later_is_put_down_to_clocks():
    stamp = check(stamped(at=AT + timedelta(minutes=4)))
    assert stamp.moment == AT
    assert stamp.claimed == AT + timedelta(minutes=4)


def test_an_authority_revoked_later_takes_nothing_back():
    lost = stamps.trusted(stamps.by_root({7: AT + timedelta(minutes=1)}))
    assert check(stamped(), lost).moment == AT - HOUR
    assert check(stamped(), lost, at=AT + HOUR).moment is None


def test_lists_that_came_inside_do_too():
    bare = stamps.trusted(*cases.lists())
    enclosed = revocation.Enclosed(crls=(stamps.by_root(),))
    assert check(stamped(), bare, enclosed=enclosed).moment == AT - HOUR


def test_every_cut_of_a_token_is_told_damaged():
    token = stamped()
    ended = {check(token[:length]).failure.why for length in range(0, len(token), 7)}
    assert ended == {"timestamp_damaged"}


def test_a_byte_changed_anywhere_proves_nothing_or_the_same():
    """One bit of every 5th byte: only what no signature covers (the bag of certificates, versions) may pass."""
    token, passed = stamped(), 0
    for position in range(0, len(token), 5):
        flipped = token[:position] + bytes([token[position] ^ 1]) + token[position + 1 :]
        stamp = check(flipped)
        assert stamp.moment in {None, AT - HOUR}
        passed += stamp.moment is not None
    assert passed <= len(token) // 5 // 20
