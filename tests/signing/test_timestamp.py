"""Timestamp tokens: what they prove, for whom, and which prove nothing; and what a signature's time becomes by them."""

import hashlib
from datetime import timedelta

import pytest
import xml_cases as cases

from signing import keys, keys_timestamp, settled, timestamp, trust
from signing.verdict import Indication, SubIndication

AT, ISSUED = cases.AT, cases.ISSUED
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROOT = keys.root("Gốc dấu thời gian", key=keys.new_key(), at=ISSUED)
STAMPER = keys_timestamp.authority(ROOT, "Dấu thời gian", key=keys.new_key(), at=ISSUED, serial=7)
BY_RSA = keys_timestamp.authority(ROOT, "Dấu thời gian RSA", key=keys.new_key("rsa2048"), at=ISSUED, serial=8)
VALUE = b"signature value"
LISTS = [*cases.lists(), keys.revocation_list(ROOT, {}, at=AT + HOUR)]
TRUST = trust.load(cases.TRUSTED, LISTS, timestamp_files=[keys.der(ROOT.certificate)])
SIGNER = cases.CERTIFICATES["p256"]


def digest_of(name):
    return hashlib.new(name, VALUE).digest()


def stamped(stamper=STAMPER, at=AT - HOUR, hash_name="sha256", value=VALUE, **how):
    digest = hashlib.new(hash_name, value).digest()
    return keys_timestamp.token(stamper, digest, at=at, hash_name=hash_name, **how)


def check(token, trusted=TRUST, at=AT, **how):
    return timestamp.check(token, digest_of, trusted, at, **how)


@pytest.mark.parametrize("hash_name", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("stamper", [STAMPER, BY_RSA], ids=["ecdsa", "rsa"])
def test_a_token_that_holds(stamper, hash_name):
    stamp = check(stamped(stamper, hash_name=hash_name))
    assert stamp.failure is None
    assert stamp.moment == AT - HOUR
    assert stamp.certificate == stamper.der
    assert keys.fingerprint(ROOT.certificate).hex() in stamp.evidence


def settle(tokens, trusted=TRUST):
    return settled.judged(SIGNER, (), tokens, digest_of, trusted, AT)


def test_the_earliest_token_is_the_time_of_the_signature():
    found = settle([stamped(at=AT - HOUR), stamped(at=AT - DAY)])
    assert (found.best_signature_time, found.time_source, found.remarks) == (AT - DAY, "timestamp", ())
    assert found.judgement.indication is Indication.TOTAL_PASSED
    assert keys.fingerprint(ROOT.certificate).hex() in found.judgement.evidence


def test_without_a_token_that_holds_the_receipt_is_the_time():
    assert settle([]) == settled.Settled(
        judgement=settle([]).judgement, best_signature_time=AT, time_source="receipt"
    )
    found = settle([stamped(value=b"of another")])
    assert (found.best_signature_time, found.time_source) == (AT, "receipt")
    assert found.remarks == ("timestamp_not_valid",)
    assert found.stamps[0].failure.sub_indication is SubIndication.HASH_FAILURE
