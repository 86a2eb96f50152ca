"""What a certificate says of itself (chứng thư chữ ký số): for lists and imports. Whose it is, the directory says."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from signing import keys

PEM_BEGIN = b"-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, kw_only=True)
class Description:
    """Names as RFC 4514 texts; `valid_to` is the last moment of validity; `sha256` is of the DER bytes.

    `organisation` and `authority` are what people call the holder's organisation and the issuer.
    """

    sha256: bytes
    der: bytes
    subject: str
    issuer: str
    common_name: str
    organisation: str
    authority: str
    valid_from: datetime
    valid_to: datetime


def describe(raw: bytes) -> Description:
    """Read one certificate, DER or the first of a PEM file; ValueError if it is none."""
    certificate = (
        x509.load_pem_x509_certificate(raw) if PEM_BEGIN in raw else x509.load_der_x509_certificate(raw)
    )
    return Description(
        sha256=keys.fingerprint(certificate),
        der=certificate.public_bytes(serialization.Encoding.DER),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        common_name=_first(certificate.subject, NameOID.COMMON_NAME),
        organisation=_first(certificate.subject, NameOID.ORGANIZATION_NAME),
        authority=_first(certificate.issuer, NameOID.COMMON_NAME) or certificate.issuer.rfc4514_string(),
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
    )


def _first(name: x509.Name, kind: x509.ObjectIdentifier) -> str:
    return next((str(one.value) for one in name.get_attributes_for_oid(kind)), "")
