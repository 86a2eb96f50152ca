"""A receipt proves what was sent, or it is told why not."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.links import statement
from signing import keys, seal

KEY, OTHER = keys.new_statement_key(), keys.new_statement_key()
SENT = b"<edXML/>"


def receipt(sent=SENT, **changes):
    return {"id": "i", "letter": "l", "sha256": hashlib.sha256(sent).hexdigest(), "size": len(sent)} | changes


def made(member=None, *, key=KEY, context=statement.CONTEXT, **changes):
    member = json.dumps(receipt() if member is None else member, ensure_ascii=False, separators=(",", ":"))
    value = base64.b64encode(seal.sign_statement(member.encode(), key, context=context)).decode()
    signature = {"algorithm": "ES256", "key_id": keys.key_id(key), "value": value} | changes
    return f'{{"receipt":{member},"requirement":"met","signature":{json.dumps(signature)}}}'.encode()


def test_a_good_receipt():
    assert statement.fault(made(), SENT) == ""
    assert statement.fault(made(), SENT, KEY.public_key()) == ""


@pytest.mark.parametrize(
    "name, raw, fault",
    [
        ("another letter", made(receipt(b"other")), "other_bytes"),
        ("another size", made(receipt(size=9)), "other_bytes"),
        ("size as text", made(receipt(size=str(len(SENT)))), "other_bytes"),
        ("no digest", made({"id": "i"}), "other_bytes"),
        ("another key", made(key=OTHER), "other_key"),
        ("another key under our name", made(key=OTHER, key_id=keys.key_id(KEY)), "bad_signature"),
        ("another context", made(context=b"congvan-receipt-v2\n"), "bad_signature"),
        ("no value", made(value=None), "bad_signature"),
        ("no base64", made(value="%%"), "bad_signature"),
        ("short", made(value="AAAA"), "bad_signature"),
        ("no signature", b'{"receipt":' + json.dumps(receipt()).encode() + b"}", "other_key"),
        ("signature as list", b'{"receipt":' + json.dumps(receipt()).encode() + b',"signature":[]}', "other_key"),
        ("spaces put in", made().replace(b'"id":', b'"id": ', 1), "bad_signature"),
        ("empty", b"", "not_a_receipt"),
        ("list", b"[]", "not_a_receipt"),
        ("number", b"1", "not_a_receipt"),
        ("no utf-8", b"\xff" + made(), "not_a_receipt"),
        ("deep", b'{"receipt":' + b"[" * 100_000, "not_a_receipt"),
        ("no member", b'{"signature":{}}', "not_a_receipt"),
        ("member elsewhere", b'{"a":1,' + made()[1:], "not_a_receipt"),
        ("member a list", b'{"receipt":[]}', "not_a_receipt"),
        ("cut", made()[:-1], "not_a_receipt"),
    ],
)  # fmt: skip
def test_every_way_to_prove_nothing(name, raw, fault):
    assert statement.fault(raw, SENT, KEY.public_key()) == fault


def test_a_second_member_does_not_lend_itself_the_signature_of_the_first():
    """A reader of JSON takes the last of two equal names; what was signed is the first."""
    signed = made(receipt(b"another letter"))
    forged = signed[:-1] + b',"receipt":' + json.dumps(receipt()).encode() + b"}"
    assert json.loads(forged)["receipt"] == receipt()
    assert statement.fault(forged, SENT, KEY.public_key()) == "not_a_receipt"


def test_a_second_member_is_not_shown_under_the_signature_of_the_first():
    forged = made()[:-1] + b',"receipt":' + json.dumps(receipt(recipients=["H99"])).encode() + b"}"
    assert statement.fault(forged, SENT, KEY.public_key()) == "not_a_receipt"


@given(st.integers(0, len(made()) - 1), st.integers(1, 255))
def test_no_flipped_byte_of_the_member_passes(place, change):
    whole = made()
    end = whole.index(b',"requirement"')
    if place < end:
        flipped = bytearray(whole)
        flipped[place] ^= change
        assert statement.fault(bytes(flipped), SENT, KEY.public_key()) != ""


def test_public_keys_come_from_keys_and_certificates(tmp_path):
    from cryptography.hazmat.primitives import serialization

    public = KEY.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert keys.public_key_id(keys.load_statement_public_key(public)) == keys.key_id(KEY)
    for bad in (b"", b"x", keys.private_pem(KEY), public[:-40], b"-----BEGIN PUBLIC KEY"):
        with pytest.raises(ValueError):  # noqa: PT011 - the library's words
            keys.load_statement_public_key(bad)
    for kind in ("p384", "rsa2048"):
        public = (
            keys.new_key(kind)
            .public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        )
        with pytest.raises(ValueError, match="P-256"):
            keys.load_statement_public_key(public)
