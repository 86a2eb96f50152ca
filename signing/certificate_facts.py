# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""What a certificate states (chứng thư chữ ký số), read once into a record, for everything that judges certificates.

The library decodes names, key and extensions only when asked, so a certificate that loads may still be unreadable.
Records are remembered by the certificate's bytes, the small ones only: strangers send certificates of any size.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias, TypeVar

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signing import algorithms, names, policies

_T = TypeVar("_T", bound=x509.ExtensionType)
_Extension: TypeAlias = x509.Extension[x509.ExtensionType]

_DER = serialization.Encoding.DER
MOST_BYTES = 1 << 16
REMEMBERED_BYTES = 1 << 14

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
        ExtensionOID.NAME_CONSTRAINTS,
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
    """A certificate with all that we ask of it, read once; `subject` and `issuer` are folded names.

    `bound` are the names that constraints bind, `constraints` what an authority constrains below itself.
    """

    certificate: x509.Certificate
    subject: names.Folded
    issuer: names.Folded
    serial: int
    valid_from: datetime
    valid_to: datetime
    key_strong: bool
    signed_strongly: bool
    authority: bool
    path_length: int | None
    may_issue: bool
    may_sign: bool
    may_stamp: bool
    may_list: bool
    may_answer: bool
    no_check: bool
    unprocessed: bool
    bound: tuple[x509.GeneralName, ...]
    constraints: x509.NameConstraints | None
    policies: policies.Stated
    points: tuple[x509.DistributionPoint, ...]

    @property
    def self_issued(self) -> bool:
        """Whether the authority issued it to itself, under its own name."""
        return self.subject == self.issuer


def load(der: bytes) -> x509.Certificate:
    """The certificate in `der`; small ones read before are the same object. Raises ValueError and its like."""
    if len(der) > MOST_BYTES:
        raise ValueError("a certificate of more than 64 KiB")
    return _loaded(der) if len(der) <= REMEMBERED_BYTES else x509.load_der_x509_certificate(der)


@lru_cache(maxsize=1024)
def _loaded(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


@lru_cache(maxsize=1024)
def issued(child: Facts, issuer: Facts) -> bool:
    """Whether the issuer's key signed the child; remembered, for it never changes."""
    return signed_by(child.certificate, issuer.certificate)


def signed_by(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key signed the child, whose issuer's name may be another spelling of the issuer's."""
    try:
        if child.issuer.public_bytes() == issuer.subject.public_bytes():
            child.verify_directly_issued_by(issuer)
        else:
            _verify(child, issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _verify(child: x509.Certificate, issuer: x509.Certificate) -> None:
    parsed = asn1_x509.Certificate.load(child.public_bytes(_DER))
    if parsed["tbs_certificate"]["signature"].dump() != parsed["signature_algorithm"].dump():
        raise ValueError("two statements of the algorithm")
    key, terms, digest = (
        issuer.public_key(),
        child.signature_algorithm_parameters,
        child.signature_hash_algorithm,
    )
    if isinstance(key, rsa.RSAPublicKey) and digest and isinstance(terms, padding.PKCS1v15 | padding.PSS):
        key.verify(child.signature, child.tbs_certificate_bytes, terms, digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(terms, ec.ECDSA):
        key.verify(child.signature, child.tbs_certificate_bytes, terms)
    else:
        raise ValueError("another kind of key")


@lru_cache(maxsize=1024)
def read(certificate: x509.Certificate) -> Facts | None:
    """None when the certificate cannot be read."""
    try:
        return _read(certificate)
    except UNREADABLE:
        return None


def _read(certificate: x509.Certificate) -> Facts | None:
    extensions = tuple(certificate.extensions)
    if certificate.serial_number <= 0:
        return None
    subject, issuer = names.folded(certificate.subject), names.folded(certificate.issuer)
    return Facts(
        certificate=certificate,
        subject=subject,
        issuer=issuer,
        serial=certificate.serial_number,
        valid_from=certificate.not_valid_before_utc,
        valid_to=certificate.not_valid_after_utc,
        key_strong=algorithms.key_is_strong(certificate.public_key()),
        signed_strongly=algorithms.is_signed_strongly(certificate),
        authority=any(constraint.ca for constraint in _values(extensions, x509.BasicConstraints)),
        path_length=next((one.path_length for one in _values(extensions, x509.BasicConstraints)), None),
        may_issue=all(usage.key_cert_sign for usage in _values(extensions, x509.KeyUsage)),
        may_sign=_may_sign(extensions),
        may_stamp=_may_stamp(extensions),
        may_list=all(usage.crl_sign for usage in _values(extensions, x509.KeyUsage)),
        may_answer=_may_answer(extensions),
        no_check=next(_values(extensions, x509.OCSPNoCheck), None) is not None,
        unprocessed=any(one.critical and one.oid not in _PROCESSED for one in extensions),
        bound=names.of(
            certificate.subject,
            [one for all_ in _values(extensions, x509.SubjectAlternativeName) for one in all_],
        ),
        constraints=next(_values(extensions, x509.NameConstraints), None),
        policies=_policies(extensions, self_issued=subject == issuer),
        points=tuple(one for all_ in _values(extensions, x509.CRLDistributionPoints) for one in all_),
    )


def _policies(extensions: Sequence[_Extension], *, self_issued: bool) -> policies.Stated:
    stated = next(_values(extensions, x509.CertificatePolicies), None)
    limits = next(_values(extensions, x509.PolicyConstraints), None)
    inhibited = next(_values(extensions, x509.InhibitAnyPolicy), None)
    return policies.Stated(
        self_issued=self_issued,
        policies=None if stated is None else frozenset(_dotted(one) for one in stated),
        mappings=tuple(_mappings(extensions)),
        explicit_after=limits.require_explicit_policy if limits else None,
        mapping_until=limits.inhibit_policy_mapping if limits else None,
        any_until=inhibited.skip_certs if inhibited else None,
    )


def _dotted(policy: x509.PolicyInformation) -> str:
    return policy.policy_identifier.dotted_string


def _mappings(extensions: Sequence[_Extension]) -> Iterator[tuple[str, str]]:
    """Pairs of policies that an authority takes for the same (§4.2.1.5); the library leaves them undecoded."""
    for one in extensions:
        if one.oid == ExtensionOID.POLICY_MAPPINGS and isinstance(one.value, x509.UnrecognizedExtension):
            for pair in asn1_x509.PolicyMappings.load(one.value.value, strict=True):
                yield pair["issuer_domain_policy"].dotted, pair["subject_domain_policy"].dotted


def _values(extensions: Iterable[_Extension], kind: type[_T]) -> Iterator[_T]:
    return (extension.value for extension in extensions if isinstance(extension.value, kind))


def _may_sign(extensions: Sequence[_Extension]) -> bool:
    """Key usage, where stated, must be for signing; purposes bind only when critical (Circular 15/2025: optional)."""
    if not _for_signatures(extensions):
        return False
    purposes = _values([extension for extension in extensions if extension.critical], x509.ExtendedKeyUsage)
    return all(not _SIGNING_PURPOSES.isdisjoint(stated) for stated in purposes)


def _may_stamp(extensions: Sequence[_Extension]) -> bool:
    """A timestamp authority's key is for this alone, and its certificate says so bindingly (RFC 3161 2.3)."""
    stated = [one for one in extensions if isinstance(one.value, x509.ExtendedKeyUsage)]
    only = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    bound = len(stated) == 1 and stated[0].critical and stated[0].value == only
    return bound and _for_signatures(extensions)


def _may_answer(extensions: Sequence[_Extension]) -> bool:
    """Whether the certificate was issued for OCSP answers; that any purpose is allowed does not do (RFC 6960 4.2.2.2)."""
    purposes = _values(extensions, x509.ExtendedKeyUsage)
    stated = any(ExtendedKeyUsageOID.OCSP_SIGNING in purpose for purpose in purposes)
    return stated and _for_signatures(extensions)


def _for_signatures(extensions: Sequence[_Extension]) -> bool:
    usages = _values(extensions, x509.KeyUsage)
    return all(usage.digital_signature or usage.content_commitment for usage in usages)
