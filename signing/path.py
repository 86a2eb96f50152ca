"""From a signer's certificate to a configured root (đường dẫn chứng thực): RFC 5280 §6.1.

Theory of operation. `build` first asks what concerns the signer's certificate alone: its dates, key, key usage.
Then it searches upward, by issuer name, among the roots (anchors) first, then configured intermediates, then the
certificates that came with the signature, which are material only and never trusted by themselves. Each step asks
of the issuer: signature, dates at the moment, authority flag, key usage, path length, extensions. A chain that reaches
a root is then read from the root down: name constraints, a root's own included (RFC 5937), and policies. The search
is bounded in depth and in signature checks, so a hostile bundle of certificates costs little.

An unknown critical extension refuses the path instead of being passed over. When several reasons are found, the one
from the longest partial path is told. What signatures between certificates say is remembered.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal, TypeAlias

from cryptography import x509

from signing import certificate_facts, names, policies
from signing.certificate_facts import Facts
from signing.moment import Moment
from signing.trust import Authorities
from signing.verdict import SubIndication

Purpose: TypeAlias = Literal["signer", "timestamp", "lists"]
"""What the last certificate is used for: a signer's signature, timestamps, revocation lists."""

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


Chain: TypeAlias = tuple[Facts, ...]
_ByName: TypeAlias = Mapping[names.Folded, Chain]


@dataclass(kw_only=True)
class _Search:
    """One search: its fixed facts, and what changes - the checks left, and the best reason so far with its weight."""

    anchors: _ByName
    others: tuple[_ByName, ...]
    moment: Moment
    demand: policies.Demand
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
    if signer is None:
        return _constraint("certificate_extension")
    found = search(signer, all_read(extra), trust, Moment(at), purpose=purpose)
    if isinstance(found, Failure):
        return found
    return Path(certificates=tuple(one.certificate for one in found))


def search(
    signer: Facts, extra: Chain, trust: Authorities, moment: Moment, *, purpose: Purpose = "signer"
) -> Chain | Failure:
    """The same with certificates as read."""
    failure = _signer_failure(signer, moment, purpose)
    if failure is not None:
        return failure
    anchors, intermediates = _trusted(trust)
    task = _Search(
        anchors=anchors,
        others=(intermediates, _by_name(extra)),
        moment=moment,
        demand=trust.demand,
        failure=_no_issuer(signer),
    )
    return _climb((signer,), task) or task.failure


def readable(der: bytes) -> x509.Certificate | None:
    """The certificate in `der`, or None when any part that we need cannot be decoded."""
    return _remembered(der) if len(der) <= certificate_facts.REMEMBERED_BYTES else _readable(der)


def _readable(der: bytes) -> x509.Certificate | None:
    try:
        certificate = certificate_facts.load(der)
    except certificate_facts.UNREADABLE:
        return None
    return certificate if certificate_facts.read(certificate) else None


_remembered = lru_cache(maxsize=1024)(_readable)


def all_read(certificates: Iterable[x509.Certificate]) -> Chain:
    """The certificates that can be read."""
    return tuple(one for one in map(certificate_facts.read, certificates) if one)


def _signer_failure(signer: Facts, moment: Moment, purpose: Purpose) -> Failure | None:
    if signer.unprocessed:
        return _constraint("certificate_extension")
    if not moment.reached(signer.valid_from):
        return Failure(sub_indication=SubIndication.NOT_YET_VALID, why="certificate_not_yet_valid")
    if moment.passed(signer.valid_to):
        return Failure(sub_indication=SubIndication.OUT_OF_BOUNDS_NO_POE, why="certificate_expired")
    if not signer.key_strong:
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_key")
    return _purpose_failure(signer, purpose)


def _purpose_failure(signer: Facts, purpose: Purpose) -> Failure | None:
    if purpose == "timestamp":
        return None if signer.may_stamp else _constraint("timestamp_purpose")
    allowed = signer.may_sign if purpose == "signer" else signer.may_list
    return None if allowed else _constraint("key_usage")


def _climb(chain: Chain, search: _Search) -> Chain | None:
    """The chain completed to a root, or None with the best reason noted."""
    search.note(len(chain), _no_issuer(chain[-1]))
    for issuer, anchored in _issuers(chain, search):
        failure = _step_failure(chain, issuer, search)
        if failure is not None:
            search.note(len(chain), failure)
            continue
        longer = (*chain, issuer)
        complete = _completed(longer, search) if anchored else _climb(longer, search)
        if complete is not None:
            return complete
    return None


def _completed(chain: Chain, search: _Search) -> Chain | None:
    """The chain with its root, when what its authorities constrain is kept."""
    failure = _chain_failure(chain, search.demand)
    if failure is None:
        return chain
    search.note(len(chain), failure)
    return None


def _chain_failure(chain: Chain, demand: policies.Demand) -> Failure | None:
    if not _keeps_names(chain):
        return _constraint("name_constraints")
    below_root = [one.policies for one in chain[-2::-1]]
    return None if policies.hold(below_root, demand) else _constraint("policies")


def _keeps_names(chain: Chain) -> bool:
    """Whether the names of each certificate lie where those above it allow; self-issued authorities are exempt."""
    bound: list[Facts] = []
    for position, one in enumerate(chain):
        if one.constraints and not all(names.allowed(below.bound, one.constraints) for below in bound):
            return False
        if position == 0 or not one.self_issued:
            bound.append(one)
    return True


def _issuers(chain: Chain, search: _Search) -> Iterator[tuple[Facts, bool]]:
    """Candidates by name, roots first; a certificate below the root never appears twice in one chain."""
    name = chain[-1].issuer
    yield from ((anchor, True) for anchor in search.anchors.get(name, ()))
    for others in search.others:
        yield from ((other, False) for other in others.get(name, ()) if other not in chain)


def _step_failure(chain: Chain, issuer: Facts, search: _Search) -> Failure | None:
    """Why `issuer` cannot stand above the chain (RFC 5280 §6.1.3, §6.1.4), or None."""
    if search.checks_left == 0 or len(chain) == DEEPEST:
        return _constraint("path_too_complex")
    if not (chain[-1].signed_strongly and issuer.key_strong):
        return Failure(sub_indication=SubIndication.CRYPTO_CONSTRAINTS_FAILURE, why="weak_certificate")
    search.checks_left -= 1
    if not certificate_facts.issued(chain[-1], issuer):
        return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why="wrong_issuer")
    if not search.moment.reached(issuer.valid_from) or search.moment.passed(issuer.valid_to):
        sub_indication = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE
        return Failure(sub_indication=sub_indication, why="issuer_out_of_dates")
    return _authority_failure(chain, issuer)


def _authority_failure(chain: Chain, issuer: Facts) -> Failure | None:
    if issuer.unprocessed:
        return _constraint("issuer_extension")
    if not issuer.authority:
        return _constraint("issuer_not_authority")
    if not issuer.may_issue:
        return _constraint("issuer_key_usage")
    # Self-issued certificates (an authority renewing its key) do not count (RFC 5280 §6.1.4 l).
    below = sum(1 for certificate in chain[1:] if not certificate.self_issued)
    if issuer.path_length is not None and below > issuer.path_length:
        return _constraint("path_too_long")
    return None


def _no_issuer(certificate: Facts) -> Failure:
    why = "unknown_root" if certificate.subject == certificate.issuer else "unknown_issuer"
    return Failure(sub_indication=SubIndication.NO_CERTIFICATE_CHAIN_FOUND, why=why)


def _constraint(why: str) -> Failure:
    return Failure(sub_indication=SubIndication.CHAIN_CONSTRAINTS_FAILURE, why=why)


@lru_cache(maxsize=4)
def _trusted(trust: Authorities) -> tuple[_ByName, _ByName]:
    return _by_name(all_read(trust.anchors)), _by_name(all_read(trust.intermediates))


def _by_name(certificates: Iterable[Facts]) -> _ByName:
    """Certificates by subject; a nameless one issues nothing."""
    found: dict[names.Folded, Chain] = {}
    for one in certificates:
        if one.subject:
            found[one.subject] = (*found.get(one.subject, ()), one)
    return found
