"""Why a requirement is not met: the sub-reason of class N, chosen by one order of precedence."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from exchange.rules import supply
from signing.verdict import Remark

PRECEDENCE = (
    "broken_main",
    "broken_package",
    "broken_annex",
    "broken",
    "repaired",
    "no_document",
    "ambiguous_name",
    "revoked",
    "expired",
    "not_yet_valid",
    "weak_algorithm",
    "no_path",
    "no_certificate",
    "format",
    "changed_after_signing",
    "coverage",
    "same_certificate",
    "signer_of_another",
    "signer_unknown",
    "package_not_declared",
    "unreadable",
    "placeholder",
    "foreign_namespace",
    "no_signature",
    "organisation_missing",
    "individual_missing",
    "annex_unsigned",
    "signer_unconfirmed",
    "on_hold",
    "no_revocation_data",
    "file_reused",
)
"""Every sub-reason, the gravest first; what a confirmation or time may still heal stands last."""

_SEEN_IN_FILE = (("unreadable_pdf", "unreadable"), ("encrypted_pdf", "unreadable"))
_SEEN_IN_PACKAGE = (("placeholder_signature", "placeholder"), ("foreign_namespace", "foreign_namespace"))


@dataclass(frozen=True, kw_only=True)
class Unmet:
    """A demand without its signature. `temporary`: some signature would do once its obstacles are healed."""

    demand: supply.Demand
    reasons: frozenset[str]
    temporary: bool


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """What came of holding every signature against a demand.

    `good`: certificates (SHA-256) of signatures that supply it; `waiting`: of those that would once their obstacles
    are healed; `told`: of each of the others what is most telling.
    """

    demand: supply.Demand
    good: frozenset[str]
    waiting: frozenset[str]
    told: frozenset[str]

    @property
    def hopeful(self) -> frozenset[str]:
        """Certificates that supply it, or may yet."""
        return self.good | self.waiting


def unmet(
    demands: Sequence[supply.Demand],
    signatures: Sequence[supply.Signature],
    terms: supply.Terms,
    remarks: Iterable[Remark],
) -> tuple[Unmet, ...]:
    """The demands that no signature supplies, and those on the main document that only one certificate does."""
    seen = tuple(remarks)
    tried = [_tried(demand, signatures, terms) for demand in demands]
    missing = tuple(_unmet(one, signatures, seen) for one in tried if not one.good)
    return (*missing, *_one_certificate([one for one in tried if one.demand.part.main]))


def first(codes: Iterable[str]) -> str:
    """The gravest of some sub-reasons."""
    return min(codes, key=PRECEDENCE.index)


def _tried(demand: supply.Demand, signatures: Iterable[supply.Signature], terms: supply.Terms) -> _Tried:
    held = [
        (signature.verdict.certificate_sha256, tuple(supply.obstacles(signature, demand, terms)))
        for signature in signatures
        if supply.is_candidate(signature, demand)
    ]
    return _Tried(
        demand=demand,
        good=frozenset(one for one, found in held if not found),
        waiting=frozenset(one for one, found in held if found and supply.TEMPORARY.issuperset(found)),
        told=frozenset(_telling(found) for _, found in held if found),
    )


def _unmet(tried: _Tried, signatures: Sequence[supply.Signature], remarks: Sequence[Remark]) -> Unmet:
    return Unmet(
        demand=tried.demand,
        reasons=tried.told or frozenset({_silence(tried.demand, signatures, remarks)}),
        temporary=bool(tried.waiting),
    )


def _telling(obstacles: Sequence[str]) -> str:
    """Of one signature's obstacles the first that lasts: what else ails a stranger's signature helps nobody."""
    return next((code for code in obstacles if code not in supply.TEMPORARY), obstacles[0])


def _silence(demand: supply.Demand, signatures: Sequence[supply.Signature], remarks: Sequence[Remark]) -> str:
    """The reason when nothing was even meant to supply a demand."""
    in_file = {remark.code for remark in remarks if remark.where == demand.part.name}
    for code, reason in _SEEN_IN_FILE:
        if code in in_file:
            return reason
    if not demand.part.main:
        return "annex_unsigned"
    if any(signature.signer.place != "annex" for signature in signatures):
        return f"{demand.capacity}_missing"
    codes = {remark.code for remark in remarks}
    return next((reason for code, reason in _SEEN_IN_PACKAGE if code in codes), "no_signature")


def _one_certificate(on_main: Sequence[_Tried]) -> Iterator[Unmet]:
    """Agency and person sign the main document with different certificates; one registered as both is one.

    Where a signature that may yet count would bring a second certificate, the question stays open.
    """
    if not all(one.hopeful for one in on_main) or _different(one.good for one in on_main):
        return
    if not _different(one.hopeful for one in on_main):
        yield Unmet(demand=on_main[-1].demand, reasons=frozenset({"same_certificate"}), temporary=False)
    elif all(one.good for one in on_main):
        waits = next(one for one in on_main if one.waiting - one.good)
        yield Unmet(demand=waits.demand, reasons=waits.told & supply.TEMPORARY, temporary=True)


def _different(certificates: Iterable[frozenset[str]]) -> bool:
    """Whether one certificate can be chosen of each, no two the same."""
    return any(len(set(chosen)) == len(chosen) for chosen in product(*certificates))
