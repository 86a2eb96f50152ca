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
from typing import Literal, TypeAlias

from cryptography import x509

from signing import certificate_facts
from signing.certificate_facts import Facts
from signing.trust import Authorities
from signing.verdict import SubIndication

Purpose: TypeAlias = Literal["signer", "timestamp"]

DEEPEST = 8
SIGNATURE_CHECKS = 64
_WEIGHTS = {"unknown_issuer": 0, "unknown_root": 0, "wrong_issuer": 1}


@dataclass(frozen=True, kw_only=True)
class Path:
    """A path that holds (đường dẫn chứng thực): the signer's certificate first, the root last."""

    certificates: tuple[x509.Certificate, ...]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no path: the sub-indication and the stable code of the sentence `verdict.<why>`."""

    sub_indication: SubIndication
    why: str


_Chain: TypeAlias = tuple[Facts, ...]


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
    leaf: x509.Certificate,
    extra: Sequence[x509.Certificate],
    trust: Authorities,
    at: datetime,
    *,
    purpose: Purpose = "signer",
) -> Path | Failure:
    """The path from `leaf` to one of the roots as of `at`, or why there is none. Without roots nothing passes."""
    signer = certificate_facts.read(leaf)
    if signer is None or signer.unprocessed:
        return _constraint("certificate_extension")
    failure = _signer_failure(signer, at, purpose)
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
    except certificate_facts.UNREADABLE:
        return None
    return certificate if certificate_facts.read(certificate) else None


def _signer_failure(signer: Facts, at: datetime, purpose: Purpose) -> Failure | None:
    if at < signer.valid_from:
        return Failure(sub_indication=SubIndication.NOT_YET_VALID, why="certificate_not_yet_valid")
    if at > signer.valid_to:
        return Failure(sub_indication=SubIndication.OUT_OF_BOUNDS_NO_POE, why="certificate_expired")
    if not signer.key_strong:
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_key")
    if purpose == "timestamp":
        return None if signer.may_stamp else _constraint("timestamp_purpose")
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


def _issuers(chain: _Chain, search: _Search) -> Iterator[tuple[Facts, bool]]:
    """Candidates by name, roots first; a certificate below the root never appears twice in one chain."""
    name = chain[-1].issuer
    yield from ((anchor, True) for anchor in search.anchors if anchor.subject == name)
    yield from ((other, False) for other in search.others if other.subject == name and other not in chain)


def _step_failure(chain: _Chain, issuer: Facts, search: _Search) -> Failure | None:
    """Why `issuer` cannot stand above the chain (RFC 5280 §6.1.3, §6.1.4), or None."""
    if search.checks_left == 0 or len(chain) == DEEPEST:
        return _constraint("path_too_complex")
    if not (chain[-1].signed_strongly and issuer.key_strong):
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_certificate")
    search.checks_left -= 1
    if not certificate_facts.issued(chain[-1].certificate, issuer.certificate):
        return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why="wrong_issuer")
    if not issuer.valid_from <= search.at <= issuer.valid_to:
        sub_indication = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE
        return Failure(sub_indication=sub_indication, why="issuer_out_of_dates")
    return _authority_failure(chain, issuer)


def _authority_failure(chain: _Chain, issuer: Facts) -> Failure | None:
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


def _no_issuer(certificate: Facts) -> Failure:
    why = "unknown_root" if certificate.subject == certificate.issuer else "unknown_issuer"
    return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why=why)


def _constraint(why: str) -> Failure:
    return Failure(sub_indication=SubIndication.CHAIN_CONSTRAINTS_FAILURE, why=why)


@lru_cache(maxsize=4)
def _trusted(trust: Authorities) -> tuple[_Chain, _Chain]:
    return _all_read(trust.anchors), _all_read(trust.intermediates)


def _all_read(certificates: Iterable[x509.Certificate]) -> _Chain:
    return tuple(one for one in map(certificate_facts.read, certificates) if one)
