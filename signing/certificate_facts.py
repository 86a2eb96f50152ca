"""What a certificate states (chứng thư chữ ký số), read once into a record, for everything that judges certificates.

The library decodes names, key and extensions only when asked, so a certificate that loads may still be unreadable.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signing import algorithms

_T = TypeVar("_T", bound=x509.ExtensionType)
_Extension: TypeAlias = x509.Extension[x509.ExtensionType]

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    Warning,  # the library warns of what it is going to refuse; where warnings are errors, so do we
)
_PROCESSED = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)
_SIGNING_PURPOSES = frozenset(
    {
        ExtendedKeyUsageOID.CLIENT_AUTH,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        ExtendedKeyUsageOID.SMARTCARD_LOGON,
        x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # document signing, RFC 9336
        x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),  # Microsoft document signing
        x509.ObjectIdentifier("1.2.840.113583.1.1.5"),  # Adobe authentic documents
    }
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """A certificate with all that we ask of it, read once; names in DER, as RFC 5280 §7.1 compares at the least."""

    certificate: x509.Certificate
    subject: bytes
    issuer: bytes
    valid_from: datetime
    valid_to: datetime
    key_strong: bool
    signed_strongly: bool
    authority: bool
    path_length: int | None
    may_issue: bool
    may_sign: bool
    may_stamp: bool
    unprocessed: bool


@lru_cache(maxsize=1024)
def issued(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key signed the child, and the child names it; remembered, for it never changes."""
    try:
        child.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


@lru_cache(maxsize=1024)
def read(certificate: x509.Certificate) -> Facts | None:
    """None when the certificate cannot be read: the library decodes names, key and extensions only when asked."""
    try:
        extensions = tuple(certificate.extensions)
        if certificate.serial_number <= 0:
            return None
        return Facts(
            certificate=certificate,
            subject=certificate.subject.public_bytes(),
            issuer=certificate.issuer.public_bytes(),
            valid_from=certificate.not_valid_before_utc,
            valid_to=certificate.not_valid_after_utc,
            key_strong=algorithms.key_is_strong(certificate.public_key()),
            signed_strongly=algorithms.is_signed_strongly(certificate),
            authority=any(constraint.ca for constraint in _values(extensions, x509.BasicConstraints)),
            path_length=next((one.path_length for one in _values(extensions, x509.BasicConstraints)), None),
            may_issue=all(usage.key_cert_sign for usage in _values(extensions, x509.KeyUsage)),
            may_sign=_may_sign(extensions),
            may_stamp=_may_stamp(extensions),
            unprocessed=any(map(_is_unprocessed, extensions)),
        )
    except UNREADABLE:
        return None


def _values(extensions: Iterable[_Extension], kind: type[_T]) -> Iterator[_T]:
    return (extension.value for extension in extensions if isinstance(extension.value, kind))


def _may_sign(extensions: Sequence[_Extension]) -> bool:
    """Key usage, where stated, must be for signing; purposes bind only when critical (Circular 15/2025: optional)."""
    if not all(
        usage.digital_signature or usage.content_commitment for usage in _values(extensions, x509.KeyUsage)
    ):
        return False
    purposes = _values([extension for extension in extensions if extension.critical], x509.ExtendedKeyUsage)
    return all(not _SIGNING_PURPOSES.isdisjoint(stated) for stated in purposes)


def _may_stamp(extensions: Sequence[_Extension]) -> bool:
    """A timestamp authority's key is for this alone, and its certificate says so bindingly (RFC 3161 2.3)."""
    stated = [one for one in extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    only = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    usages = _values(extensions, x509.KeyUsage)
    return (
        len(stated) == 1
        and stated[0].critical
        and stated[0].value == only
        and all(usage.digital_signature or usage.content_commitment for usage in usages)
    )


def _is_unprocessed(extension: _Extension) -> bool:
    """Whether an extension limits the path in a way that we do not process."""
    if isinstance(extension.value, x509.NameConstraints):
        return True
    if isinstance(extension.value, x509.PolicyConstraints):
        return extension.value.require_explicit_policy is not None
    return extension.critical and extension.oid not in _PROCESSED
