"""From a signer's certificate to a configured root (đường dẫn chứng thực): the part of RFC 5280 §6 that we need.

Theory of operation. `build` first asks what concerns the signer's certificate alone: its dates, key, key usage.
Then it searches upward, by issuer name, among the roots (anchors) first, then configured intermediates, then the
certificates that came with the signature, which are material only and never trusted by themselves. Each step asks
of the issuer: signature, dates at the moment, authority flag, key usage, path length, extensions. The search is
bounded in depth and in signature checks, so a hostile bundle of certificates costs little.

What we do not process refuses the path instead of being passed over: an unknown critical extension, name
constraints in any form, a demand for an explicit policy. Policies are otherwise "any". When several reasons are
found, the one from the longest partial path is told.

The outcome of a signature check between two certificates depends on nothing else and is remembered.
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
from signing.trust import Trust
from signing.verdict import SubIndication

_T = TypeVar("_T", bound=x509.ExtensionType)
_Extension: TypeAlias = x509.Extension[x509.ExtensionType]

DEEPEST = 8
SIGNATURE_CHECKS = 64
_WEIGHTS = {"unknown_issuer": 0, "unknown_root": 0, "wrong_issuer": 1}

_UNREADABLE = (
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


@dataclass(frozen=True, kw_only=True)
class Path:
    """A path that holds (đường dẫn chứng thực): the signer's certificate first, the root last."""

    certificates: tuple[x509.Certificate, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no path: the sub-indication and the stable code of the sentence `verdict.<why>`."""

    sub_indication: SubIndication
    why: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Read:
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
    unprocessed: bool


_Chain: TypeAlias = tuple[_Read, ...]


@dataclass(kw_only=True)
class _Search:
    """One search: its fixed facts, and what changes - the checks left, and the best reason so far with its weight."""

    anchors: _Chain
    others: _Chain
    at: datetime
    checks_left: int = SIGNATURE_CHECKS
    weight: tuple[int, int] = (0, 0)
    failure: Failure

    def note(self, length: int, failure: Failure) -> None:
        """Keep the reason of the longest partial path; there, one about a real issuer before one about a namesake."""
        weight = (length, _WEIGHTS.get(failure.why, 2))
        if weight > self.weight:
            self.weight, self.failure = weight, failure


def build(
    leaf: x509.Certificate, extra: Sequence[x509.Certificate], trust: Trust, at: datetime
) -> Path | Failure:
    """The path from `leaf` to one of the roots as of `at`, or why there is none. Without roots nothing passes."""
    signer = _read(leaf)
    if signer is None or signer.unprocessed:
        return _constraint("certificate_extension")
    failure = _signer_failure(signer, at)
    if failure is not None:
        return failure
    anchors, intermediates = _trusted(trust)
    others = (*intermediates, *_all_read(extra))
    search = _Search(anchors=anchors, others=others, at=at, failure=_no_issuer(signer))
    found = _climb((signer,), search)
    return Path(certificates=tuple(one.certificate for one in found)) if found else search.failure


def readable(der: bytes) -> x509.Certificate | None:
    """The certificate in `der`, or None when any part that we need cannot be decoded."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except _UNREADABLE:
        return None
    return certificate if _read(certificate) else None


def _signer_failure(signer: _Read, at: datetime) -> Failure | None:
    if at < signer.valid_from:
        return Failure(sub_indication=SubIndication.NOT_YET_VALID, why="certificate_not_yet_valid")
    if at > signer.valid_to:
        return Failure(sub_indication=SubIndication.OUT_OF_BOUNDS_NO_POE, why="certificate_expired")
    if not signer.key_strong:
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_key")
    return None if signer.may_sign else _constraint("key_usage")


def _climb(chain: _Chain, search: _Search) -> _Chain | None:
    """The chain completed to a root, or None with the best reason noted."""
    search.note(len(chain), _no_issuer(chain[-1]))
    for issuer, anchored in _issuers(chain, search):
        failure = _step_failure(chain, issuer, search)
        if failure is not None:
            search.note(len(chain), failure)
            continue
        longer = (*chain, issuer)
        complete = longer if anchored else _climb(longer, search)
        if complete is not None:
            return complete
    return None


def _issuers(chain: _Chain, search: _Search) -> Iterator[tuple[_Read, bool]]:
    """Candidates by name, roots first; a certificate below the root never appears twice in one chain."""
    name = chain[-1].issuer
    yield from ((anchor, True) for anchor in search.anchors if anchor.subject == name)
    yield from ((other, False) for other in search.others if other.subject == name and other not in chain)


def _step_failure(chain: _Chain, issuer: _Read, search: _Search) -> Failure | None:
    """Why `issuer` cannot stand above the chain (RFC 5280 §6.1.3, §6.1.4), or None."""
    if search.checks_left == 0 or len(chain) == DEEPEST:
        return _constraint("path_too_complex")
    if not (chain[-1].signed_strongly and issuer.key_strong):
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_certificate")
    search.checks_left -= 1
    if not _issued(chain[-1], issuer):
        return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why="wrong_issuer")
    if not issuer.valid_from <= search.at <= issuer.valid_to:
        sub_indication = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE
        return Failure(sub_indication=sub_indication, why="issuer_out_of_dates")
    return _authority_failure(chain, issuer)


def _authority_failure(chain: _Chain, issuer: _Read) -> Failure | None:
    if issuer.unprocessed:
        return _constraint("issuer_extension")
    if not issuer.authority:
        return _constraint("issuer_not_authority")
    if not issuer.may_issue:
        return _constraint("issuer_key_usage")
    # Self-issued certificates (an authority renewing its key) do not count (RFC 5280 §6.1.4 l).
    below = sum(1 for certificate in chain[1:] if certificate.subject != certificate.issuer)
    if issuer.path_length is not None and below > issuer.path_length:
        return _constraint("path_too_long")
    return None


def _no_issuer(certificate: _Read) -> Failure:
    why = "unknown_root" if certificate.subject == certificate.issuer else "unknown_issuer"
    return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why=why)


def _constraint(why: str) -> Failure:
    return Failure(sub_indication=SubIndication.CHAIN_CONSTRAINTS_FAILURE, why=why)


@lru_cache(maxsize=1024)
def _issued(child: _Read, issuer: _Read) -> bool:
    try:
        child.certificate.verify_directly_issued_by(issuer.certificate)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


@lru_cache(maxsize=4)
def _trusted(trust: Trust) -> tuple[_Chain, _Chain]:
    return _all_read(trust.anchors), _all_read(trust.intermediates)


def _all_read(certificates: Iterable[x509.Certificate]) -> _Chain:
    return tuple(one for one in map(_read, certificates) if one)


@lru_cache(maxsize=1024)
def _read(certificate: x509.Certificate) -> _Read | None:
    """None when the certificate cannot be read: the library decodes names, key and extensions only when asked."""
    try:
        extensions = tuple(certificate.extensions)
        if certificate.serial_number <= 0:
            return None
        return _Read(
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
            unprocessed=any(map(_is_unprocessed, extensions)),
        )
    except _UNREADABLE:
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


def _is_unprocessed(extension: _Extension) -> bool:
    """Whether an extension limits the path in a way that we do not process."""
    if isinstance(extension.value, x509.NameConstraints):
        return True
    if isinstance(extension.value, x509.PolicyConstraints):
        return extension.value.require_explicit_policy is not None
    return extension.critical and extension.oid not in _PROCESSED
