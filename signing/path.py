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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signing import algorithms
from signing.trust import Trust
from signing.verdict import SubIndication

DEEPEST = 8
SIGNATURE_CHECKS = 64
_WEIGHTS = {"unknown_issuer": 0, "unknown_root": 0, "wrong_issuer": 1}

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
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


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """What a certificate says of itself, read once: may it issue, how long a path below it, may it sign documents."""

    authority: bool
    path_length: int | None
    may_issue: bool
    may_sign: bool
    unprocessed: bool


@dataclass(kw_only=True)
class _Search:
    """One search: its fixed facts, and what changes - the checks left, and the best reason so far with its weight."""

    extra: Sequence[x509.Certificate]
    trust: Trust
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
    failure = _leaf_failure(leaf, at)
    if failure is not None:
        return failure
    readable = tuple(certificate for certificate in extra if _facts(certificate) is not None)
    search = _Search(extra=readable, trust=trust, at=at, failure=_no_issuer(leaf))
    found = _climb((leaf,), search)
    return search.failure if found is None else Path(certificates=found)


def readable(der: bytes) -> x509.Certificate | None:
    """The certificate in `der`, or None when any part that we need cannot be decoded."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        return None
    return certificate if _facts(certificate) else None


def _leaf_failure(leaf: x509.Certificate, at: datetime) -> Failure | None:
    facts = _facts(leaf)
    if facts is None or facts.unprocessed:
        return _constraint("certificate_extension")
    if at < leaf.not_valid_before_utc:
        return Failure(sub_indication=SubIndication.NOT_YET_VALID, why="certificate_not_yet_valid")
    if at > leaf.not_valid_after_utc:
        return Failure(sub_indication=SubIndication.OUT_OF_BOUNDS_NO_POE, why="certificate_expired")
    if not algorithms.key_is_strong(leaf.public_key()):
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_key")
    return None if facts.may_sign else _constraint("key_usage")


def _climb(chain: tuple[x509.Certificate, ...], search: _Search) -> tuple[x509.Certificate, ...] | None:
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


def _issuers(chain: tuple[x509.Certificate, ...], search: _Search) -> Iterator[tuple[x509.Certificate, bool]]:
    """Candidates by name, roots first; a certificate below the root never appears twice in one chain."""
    name = chain[-1].issuer
    for anchor in search.trust.anchors:
        if anchor.subject == name:
            yield anchor, True
    for candidate in (*search.trust.intermediates, *search.extra):
        if candidate.subject == name and candidate not in chain:
            yield candidate, False


def _step_failure(
    chain: tuple[x509.Certificate, ...], issuer: x509.Certificate, search: _Search
) -> Failure | None:
    """Why `issuer` cannot stand above the chain (RFC 5280 §6.1.3, §6.1.4), or None."""
    if search.checks_left == 0 or len(chain) == DEEPEST:
        return _constraint("path_too_complex")
    if not (algorithms.is_signed_strongly(chain[-1]) and algorithms.key_is_strong(issuer.public_key())):
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_certificate")
    search.checks_left -= 1
    if not _issued(chain[-1], issuer):
        return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why="wrong_issuer")
    if not issuer.not_valid_before_utc <= search.at <= issuer.not_valid_after_utc:
        return Failure(
            sub_indication=SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE, why="issuer_out_of_dates"
        )
    return _authority_failure(chain, issuer)


def _authority_failure(chain: tuple[x509.Certificate, ...], issuer: x509.Certificate) -> Failure | None:
    facts = _facts(issuer)
    if facts is None or facts.unprocessed:
        return _constraint("issuer_extension")
    if not facts.authority:
        return _constraint("issuer_not_authority")
    if not facts.may_issue:
        return _constraint("issuer_key_usage")
    # Self-issued certificates (an authority renewing its key) do not count (RFC 5280 §6.1.4 l).
    below = sum(1 for certificate in chain[1:] if certificate.subject != certificate.issuer)
    if facts.path_length is not None and below > facts.path_length:
        return _constraint("path_too_long")
    return None


def _no_issuer(certificate: x509.Certificate) -> Failure:
    why = "unknown_root" if certificate.subject == certificate.issuer else "unknown_issuer"
    return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why=why)


def _constraint(why: str) -> Failure:
    return Failure(sub_indication=SubIndication.CHAIN_CONSTRAINTS_FAILURE, why=why)


@lru_cache(maxsize=4096)
def _issued(child: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        child.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


@lru_cache(maxsize=4096)
def _facts(certificate: x509.Certificate) -> _Facts | None:
    """None when the certificate cannot be read: the library decodes names, key and extensions only when asked."""
    try:
        certificate.public_key(), certificate.subject, certificate.issuer
        extensions = tuple(certificate.extensions)
    except _UNREADABLE:
        return None
    authority, path_length, may_issue, may_sign = False, None, True, True
    for extension in extensions:
        match extension.value:
            case x509.BasicConstraints() as constraints:
                authority, path_length = constraints.ca, constraints.path_length
            case x509.KeyUsage() as usage:
                may_issue = usage.key_cert_sign
                may_sign = may_sign and (usage.digital_signature or usage.content_commitment)
            case x509.ExtendedKeyUsage() as purposes if extension.critical:
                may_sign = may_sign and not _SIGNING_PURPOSES.isdisjoint(purposes)
    return _Facts(
        authority=authority,
        path_length=path_length,
        may_issue=may_issue,
        may_sign=may_sign,
        unprocessed=any(map(_is_unprocessed, extensions)),
    )


def _is_unprocessed(extension: x509.Extension[x509.ExtensionType]) -> bool:
    """Whether an extension limits the path in a way that we do not process."""
    if isinstance(extension.value, x509.NameConstraints):
        return True
    if isinstance(extension.value, x509.PolicyConstraints):
        return extension.value.require_explicit_policy is not None
    return extension.critical and extension.oid not in _PROCESSED
