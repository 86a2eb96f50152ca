"""A timestamp authority, its tokens, and a trust set that has stores for both signers and timestamps."""

import hashlib
from datetime import timedelta

import xml_cases as cases

from signing import keys, keys_timestamp, timestamp, trust

AT, ISSUED = cases.AT, cases.ISSUED
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ROOT = keys.root("Gốc dấu thời gian", key=keys.new_key(), at=ISSUED)
STAMPER = keys_timestamp.authority(ROOT, "Dấu thời gian", key=keys.new_key(), at=ISSUED, serial=7)
BY_RSA = keys_timestamp.authority(ROOT, "Dấu thời gian RSA", key=keys.new_key("rsa2048"), at=ISSUED, serial=8)
TRUSTED = [keys.der(ROOT.certificate)]
VALUE = b"signature value"


def by_root(revoked=None, at=AT + HOUR, **how):
    return keys.revocation_list(ROOT, revoked or {}, at=at, **how)


def trusted(*lists, signers=None, stampers=TRUSTED):
    """Both stores, with these lists alone, or with lists made an hour after the letter."""
    held = lists or [*cases.lists(), by_root()]
    return trust.load(cases.TRUSTED if signers is None else signers, held, timestamp_files=stampers)


TRUST = trusted()


def digest_of(name):
    return hashlib.new(name, VALUE).digest()


def stamped(stamper=STAMPER, at=AT - HOUR, hash_name="sha256", value=VALUE, **how):
    digest = hashlib.new(hash_name, value).digest()
    return keys_timestamp.token(stamper, digest, at=at, hash_name=hash_name, **how)


def check(token, trust_set=TRUST, at=AT, **how):
    return timestamp.check(token, digest_of, trust_set, at, **how)
