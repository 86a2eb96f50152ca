"""Why a requirement is not met: the sub-reason of class N, chosen by one order of precedence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

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


def unmet(
    demands: Sequence[supply.Demand],
    signatures: Sequence[supply.Signature],
    terms: supply.Terms,
    remarks: Iterable[Remark],
) -> tuple[Unmet, ...]:
    """The demands that no signature supplies, and those on the main document that only one certificate does."""
    seen = tuple(remarks)
    found = tuple(one for demand in demands if (one := _unmet(demand, signatures, terms, seen)) is not None)
    return found or _one_certificate(demands, signatures, terms)


def first(codes: Iterable[str]) -> str:
    """The gravest of some sub-reasons."""
    return min(codes, key=PRECEDENCE.index)


def _unmet(
    demand: supply.Demand,
    signatures: Sequence[supply.Signature],
    terms: supply.Terms,
    remarks: Sequence[Remark],
) -> Unmet | None:
    tried = [
        tuple(supply.obstacles(signature, demand, terms))
        for signature in signatures
        if supply.is_candidate(signature, demand)
    ]
    if () in tried:
        return None
    telling = frozenset(_telling(obstacles) for obstacles in tried)
    return Unmet(
        demand=demand,
        reasons=telling or frozenset({_silence(demand, signatures, remarks)}),
        temporary=any(supply.TEMPORARY.issuperset(obstacles) for obstacles in tried),
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


def _one_certificate(
    demands: Iterable[supply.Demand], signatures: Sequence[supply.Signature], terms: supply.Terms
) -> tuple[Unmet, ...]:
    """Agency and person sign the main document with different certificates; one registered as both is one."""
    on_main = [demand for demand in demands if demand.part.main]
    used = {
        signature.verdict.certificate_sha256
        for demand in on_main
        for signature in signatures
        if supply.is_candidate(signature, demand) and not any(supply.obstacles(signature, demand, terms))
    }
    if len(used) >= len(on_main):
        return ()
    return (Unmet(demand=on_main[-1], reasons=frozenset({"same_certificate"}), temporary=False),)
