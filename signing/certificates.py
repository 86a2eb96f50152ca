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

    `common_name` is the subject's, `issuer_name` the issuer's; `serial` is the serial number in hexadecimal digits.
    `identifiers`: the subject's UIDs (`MST:…`, `CCCD:…`); `mailboxes`: of subject and alternative names.
    """

    sha256: bytes
    der: bytes
    subject: str
    issuer: str
    common_name: str
    issuer_name: str
    serial: str
    valid_from: datetime
    valid_to: datetime
    identifiers: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()


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
        common_name=_common_name(certificate.subject),
        issuer_name=_common_name(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        identifiers=_named(certificate, NameOID.USER_ID),
        mailboxes=(*_named(certificate, NameOID.EMAIL_ADDRESS), *_mailboxes(certificate)),
    )


def _common_name(name: x509.Name) -> str:
    names = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _named(certificate: x509.Certificate, kind: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(one.value) for one in certificate.subject.get_attributes_for_oid(kind))


def _mailboxes(certificate: x509.Certificate) -> tuple[str, ...]:
    """Alternative names that cannot be read say nothing."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    return tuple(names.get_values_for_type(x509.RFC822Name))
