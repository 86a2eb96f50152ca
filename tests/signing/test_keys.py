from datetime import timedelta

import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signing import keys

AT = cases.ISSUED


@pytest.mark.parametrize(("kind", "size"), [("p256", 256), ("p384", 384), ("p521", 521), ("rsa2048", 2048)])
def test_a_key_of_each_kind_survives_its_file(kind, size):
    key = keys.new_key(kind)
    assert key.key_size == size
    again = keys.load_private(keys.private_pem(key))
    assert again.public_key() == key.public_key()
    assert isinstance(again, rsa.RSAPrivateKey if kind.startswith("rsa") else ec.EllipticCurvePrivateKey)


@pytest.mark.parametrize("kind", ["", "p255", "rsa", "rsa-1", "ed25519"])
def test_an_unknown_kind_is_refused(kind):
    with pytest.raises(ValueError, match="unknown kind"):
        keys.new_key(kind)


def test_other_files_are_refused():
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(ValueError, match="neither"):
        keys.load_private(other)
    with pytest.raises(ValueError, match=r"."):
        keys.load_private(b"x")


def test_a_signer_s_certificate_has_the_shape_of_the_state_authority_s():
    made = keys.certificate(
        cases.AUTHORITY, "Sở Y tế", cases.KEYS["p256"].public_key(), at=AT, days=10, serial=7,
        email="vt@x.example", organisation="Tỉnh thử",
    )  # fmt: skip
    assert made.serial_number == 7
    assert made.not_valid_after_utc - made.not_valid_before_utc == timedelta(days=10)
    assert made.subject.rfc4514_string() == "CN=Sở Y tế,O=Tỉnh thử,C=VN"
    assert made.issuer == cases.AUTHORITY.certificate.subject
    values = {type(extension.value): extension.value for extension in made.extensions}
    assert not values[x509.BasicConstraints].ca
    assert values[x509.KeyUsage].content_commitment
    assert values[x509.SubjectAlternativeName].get_values_for_type(x509.RFC822Name) == ["vt@x.example"]
    key_id = values[x509.AuthorityKeyIdentifier].key_identifier
    assert key_id == x509.SubjectKeyIdentifier.from_public_key(cases.AUTHORITY.key.public_key()).digest
    made.verify_directly_issued_by(cases.AUTHORITY.certificate)


def test_an_authority_is_the_same_whenever_it_is_made_from_one_key():
    key = keys.new_key()
    one, two = (keys.root("Gốc", key=key, at=AT).certificate for _ in range(2))
    assert one.serial_number == two.serial_number
    assert one.tbs_certificate_bytes == two.tbs_certificate_bytes
    assert keys.root("Gốc khác", key=key, at=AT).certificate.serial_number != one.serial_number


def test_a_list_says_what_it_was_given():
    raw = keys.revocation_list(
        cases.AUTHORITY, {5: AT, 9: AT + timedelta(1)}, at=AT + timedelta(2), days=3, number=8
    )
    crl = x509.load_der_x509_crl(raw)
    assert {one.serial_number: one.revocation_date_utc for one in crl} == {5: AT, 9: AT + timedelta(1)}
    assert crl.is_signature_valid(cases.AUTHORITY.key.public_key())
    assert crl.next_update_utc - crl.last_update_utc == timedelta(days=3)
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 8


def test_a_fingerprint_is_of_the_der_bytes():
    certificate = cases.CERTIFICATES["p256"]
    assert keys.fingerprint(certificate) == keys.hashlib.sha256(keys.der(certificate)).digest()
