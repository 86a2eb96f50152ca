from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization

from signing import certificates, keys

AT = datetime(2019, 1, 1, 8, tzinfo=UTC)
KEY = keys.new_key()
ROOT = keys.root("Gốc thử nghiệm", key=KEY, at=AT)
LEAF = keys.certificate(
    ROOT, "Sở Nội vụ", KEY.public_key(), at=AT, days=365, serial=7, organisation="Cơ quan, thử"
)
DER = LEAF.public_bytes(serialization.Encoding.DER)
PEM = LEAF.public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    "raw", [DER, PEM, b"Subject: as openssl prints it\n" + PEM], ids=["der", "pem", "text and pem"]
)
def test_a_certificate_says_what_it_is(raw):
    said = certificates.describe(raw)
    assert said.sha256 == keys.fingerprint(LEAF)
    assert said.der == DER
    assert said.common_name == "Sở Nội vụ"
    assert "CN=Sở Nội vụ" in said.subject
    assert "O=Cơ quan\\, thử" in said.subject
    assert said.issuer == ROOT.certificate.subject.rfc4514_string()
    assert said.valid_from == LEAF.not_valid_before_utc
    assert said.valid_to == LEAF.not_valid_after_utc


@pytest.mark.parametrize("raw", [b"", b"x", DER[:-1], PEM[:100], PEM.replace(b"M", b"!", 1)], ids=range(5))
def test_what_is_no_certificate_is_a_value_error(raw):
    with pytest.raises(ValueError, match=r"."):
        certificates.describe(raw)
