"""Keys, certificates and revocation lists of a test or demo authority (cơ quan chứng thực thử nghiệm).

The exchange itself never holds an agency's or a person's key; this is for the demo, tests and `congvan sign`.
The only randomness is the making of keys: moments and serial numbers are given by the caller.
Certificates have the shape of the state authority's (reference/signing.md 1.3): subject C, O, CN, mailbox in
the alternative name, client authentication and e-mail protection as purposes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NotRequired, Required, TypedDict, Unpack

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
StatementKey = ec.EllipticCurvePrivateKey
StatementPublicKey = ec.EllipticCurvePublicKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

_CURVES: Mapping[str, ec.EllipticCurve] = {
    "p256": ec.SECP256R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
}
_PURPOSES = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION)
_DER = serialization.Encoding.DER
_TEST_ORGANISATION = "Cơ quan thử nghiệm"


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """A certification authority (tổ chức chứng thực) that we play ourselves: its certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who holds a certificate (chủ thể chứng thư) that we issued: an agency or a person of the demo or a test."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def der(self) -> bytes:
        """The certificate's DER bytes."""
        return self.certificate.public_bytes(_DER)


class Terms(TypedDict):
    """What a certificate states beyond name and key: start, days of validity, serial number, mailbox, organisation."""

    at: Required[datetime]
    serial: Required[int]
    days: NotRequired[int]
    email: NotRequired[str | None]
    organisation: NotRequired[str]


def new_key(kind: str = "p256") -> PrivateKey:
    """A fresh private key: `p256`, `p384`, `p521` or `rsa` with its bits (`rsa2048`). Raises ValueError otherwise."""
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind])
    if kind.startswith("rsa") and kind[3:].isdigit():
        return rsa.generate_private_key(65537, int(kind[3:]))
    raise ValueError(f"unknown kind of key: {kind}")


def root(name: str, *, key: PrivateKey, at: datetime, days: int = 3650) -> Issuer:
    """A self-signed root authority valid from `at`."""
    subject = _name(name, _TEST_ORGANISATION)
    draft = _draft(subject, subject, key.public_key(), at, days).serial_number(
        _serial_of(name, key.public_key())
    )
    return Issuer(certificate=_authority(draft, None).sign(key, hashes.SHA256()), key=key)


def subordinate(issuer: Issuer, name: str, *, key: PrivateKey, at: datetime, days: int = 1825) -> Issuer:
    """An authority below `issuer` that may issue to signers only (path length 0)."""
    draft = _draft(_name(name, _TEST_ORGANISATION), issuer.certificate.subject, key.public_key(), at, days)
    draft = _authority(draft.serial_number(_serial_of(name, key.public_key())), 0)
    draft = draft.add_extension(_issued_by(issuer), critical=False)
    return Issuer(certificate=draft.sign(issuer.key, hashes.SHA256()), key=key)


def certificate(issuer: Issuer, name: str, public_key: PublicKey, **terms: Unpack[Terms]) -> x509.Certificate:
    """A signer's certificate (chứng thư chữ ký số) of an agency or a person; `name` has at most 64 characters."""
    subject = _name(name, terms.get("organisation", _TEST_ORGANISATION))
    draft = _draft(subject, issuer.certificate.subject, public_key, terms["at"], terms.get("days", 1825))
    draft = draft.serial_number(terms["serial"]).add_extension(_issued_by(issuer), critical=False)
    draft = draft.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    draft = draft.add_extension(_usage(signing=True), critical=True)
    draft = draft.add_extension(x509.ExtendedKeyUsage(_PURPOSES), critical=False)
    email = terms.get("email")
    if email:
        draft = draft.add_extension(x509.SubjectAlternativeName([x509.RFC822Name(email)]), critical=False)
    return draft.sign(issuer.key, hashes.SHA256())


def special(
    issuer: Issuer,
    name: str,
    public_key: PublicKey,
    extensions: Sequence[tuple[x509.ExtensionType, bool]],
    **terms: Unpack[Terms],
) -> x509.Certificate:
    """A certificate for a service (timestamps, OCSP): what it is for stands in `extensions`, each with criticality."""
    subject = _name(name, terms.get("organisation", _TEST_ORGANISATION))
    draft = _draft(subject, issuer.certificate.subject, public_key, terms["at"], terms.get("days", 1825))
    draft = draft.serial_number(terms["serial"]).add_extension(_issued_by(issuer), critical=False)
    draft = draft.add_extension(_usage(signing=True), critical=True)
    for extension, critical in extensions:
        draft = draft.add_extension(extension, critical=critical)
    return draft.sign(issuer.key, hashes.SHA256())


def revocation_list(
    issuer: Issuer, revoked: Mapping[int, datetime], *, at: datetime, days: int = 7, number: int = 1
) -> bytes:
    """A certificate revocation list (danh sách chứng thư bị thu hồi) in DER: serial number -> moment of revocation."""
    draft = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    draft = draft.last_update(at).next_update(at + timedelta(days=days))
    draft = draft.add_extension(x509.CRLNumber(number), critical=False)
    draft = draft.add_extension(_issued_by(issuer), critical=False)
    for serial, moment in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        draft = draft.add_revoked_certificate(entry.build())
    return draft.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def signature(key: PrivateKey, signed: bytes) -> bytes:
    """A signature with SHA-256 as certificates carry it: RSA PKCS#1 v1.5, or ECDSA in DER."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(signed, ec.ECDSA(hashes.SHA256()))
    return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def private_pem(key: PrivateKey) -> bytes:
    """The key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


class LockedKeyError(ValueError):
    """A private key that only a password opens."""


def load_private(pem: bytes) -> PrivateKey:
    """The RSA or elliptic-curve key in an unencrypted PEM. Raises LockedKeyError, and ValueError for anything else."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError as error:  # says so when the key has a password
        raise LockedKeyError(str(error)) from error
    if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        return key
    raise ValueError("neither an RSA nor an elliptic-curve key")


def new_statement_key() -> StatementKey:
    """A fresh P-256 key for statements of our own (`seal.sign_statement`)."""
    return ec.generate_private_key(ec.SECP256R1())


def load_statement_key(pem: bytes) -> StatementKey:
    """The P-256 key in an unencrypted PEM. Raises ValueError for anything else."""
    key = load_private(pem)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("not a P-256 key")


def public_pem(key: PublicKey) -> bytes:
    """The public half as PEM (SubjectPublicKeyInfo), which `load_statement_public_key` reads."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form)


@lru_cache(maxsize=1024)
def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the certificate's DER bytes, by which the directory knows it."""
    return certificate.fingerprint(hashes.SHA256())


@lru_cache(maxsize=1024)
def der(certificate: x509.Certificate) -> bytes:
    """The certificate's DER bytes."""
    return certificate.public_bytes(_DER)


def key_id(key: PrivateKey) -> str:
    """Short name of a key: the first 16 hex digits of the SHA-256 of its public key (SubjectPublicKeyInfo, DER)."""
    return public_key_id(key.public_key())


def public_key_id(key: PublicKey) -> str:
    """The same name, from the public half."""
    return public_key_sha256(key)[:16]


def public_key_sha256(key: PublicKey) -> str:
    """The whole SHA-256 of a public key (SubjectPublicKeyInfo, DER), in hex."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(_DER, form)).hexdigest()


def load_statement_public_key(raw: bytes) -> StatementPublicKey:
    """Whose statements are checked: a P-256 public key (PEM), or a certificate (PEM or DER) for one. Raises ValueError."""
    public = b"-----BEGIN PUBLIC KEY" in raw
    try:
        key = serialization.load_pem_public_key(raw) if public else load_certificate(raw).public_key()
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("not a P-256 key")


def load_certificate(raw: bytes) -> x509.Certificate:
    """One certificate, PEM (the first of the file) or DER. Raises ValueError for anything else."""
    return (
        x509.load_pem_x509_certificate(raw) if b"-----BEGIN" in raw else x509.load_der_x509_certificate(raw)
    )


def _name(name: str, organisation: str) -> x509.Name:
    attributes = (
        (NameOID.COUNTRY_NAME, "VN"),
        (NameOID.ORGANIZATION_NAME, organisation),
        (NameOID.COMMON_NAME, name),
    )
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in attributes])


def _serial_of(name: str, public_key: PublicKey) -> int:
    """An authority's serial number, 15 bytes from its name and key: the same authority always has the same one."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    digest = hashlib.sha256(
        name.encode() + public_key.public_bytes(serialization.Encoding.DER, form)
    ).digest()
    return int.from_bytes(b"\x01" + digest[:14], "big")


def _draft(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, at: datetime, days: int
) -> x509.CertificateBuilder:
    draft = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    draft = draft.not_valid_before(at).not_valid_after(at + timedelta(days=days))
    return draft.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)


def _authority(draft: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=path_length)
    return draft.add_extension(constraints, critical=True).add_extension(_usage(signing=False), critical=True)


def _issued_by(issuer: Issuer) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())


def _usage(*, signing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signing,
        content_commitment=signing,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signing,
        crl_sign=not signing,
        encipher_only=False,
        decipher_only=False,
    )
