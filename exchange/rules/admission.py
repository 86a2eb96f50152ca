"""May a letter enter (tiếp nhận vào hệ thống)? One table; verdicts, requirement and admission are three separate facts.

    row 1  error findings, sender unknown, not the caller's, switched off, no recipient reachable    refused
    row 2  package or main document: wrapping, broken, or signed by another agency instead           refused
    row 3  requirement met                                                        accepted, E or U (S with paper)
    row 4  anything else about signatures                               accepted with a warning to both sides, N
    row 5  some recipients unknown                                   accepted for the others, the rest unroutable

What cannot be read or is too large to judge is refused before this table is asked. Two things soften row 2:
a deployment may accept with a warning (`accept_broken`), and a package signature broken on a letter that comes
from the national axis is only a warning, since the axis re-serialises. Neither ever makes a requirement met.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from exchange.errors import Finding
from exchange.rules.directory import Agency
from exchange.rules.directory_succession import Heir
from exchange.rules.requirements import Judgement, Requirement
from exchange.rules.routing import Routing
from exchange.rules.signers import Standing
from exchange.rules.supply import Signature
from signing.verdict import Report


@dataclass(frozen=True, kw_only=True)
class Intake:
    """What is known of a letter before any signature is looked at.

    `sender`: the agency that From names, None when nobody has that code. `acts_for`: the agencies the
    caller may act for today. `findings`: what reading the message found, of every severity. `merged`: the code in From
    and who follows that agency, if it has ended and was merged into another.
    """

    sender: Agency | None
    acts_for: frozenset[UUID]
    routing: Routing
    findings: tuple[Finding, ...] = ()
    from_axis: bool = False
    paper: int | None = None
    no_paper_standing: bool = False
    merged: tuple[str, Heir] | None = None


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """The letter enters. `class_if_electronic` is E, U or N: what its signatures and declarations are worth
    without paper; `klass` is S instead once the sender declares paper. `reason`: the sub-reason of N.
    """

    requirement: Requirement
    reason: str
    class_if_electronic: str
    klass: str
    warnings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The letter stays out: the code of the problem (`exchange.errors.PROBLEMS`) and what was found."""

    code: str
    findings: tuple[Finding, ...] = ()


def check(intake: Intake) -> Refused | None:
    """Row 1: what refuses a letter whoever signed it. Cheap, and asked before any signature is verified."""
    if any(finding.severity == "error" for finding in intake.findings):
        return Refused(code="findings", findings=intake.findings)
    if intake.sender is None:
        return Refused(code="unknown_sender", findings=tuple(_merged_sender(intake)))
    if intake.sender.id not in intake.acts_for:
        return Refused(code="not_allowed_to_act")
    if intake.sender.disabled:
        return Refused(code="disabled")
    if not intake.routing.recipients:
        return Refused(code="no_routable_recipient", findings=tuple(_unroutable(intake.routing)))
    return None


def decide(
    intake: Intake, report: Report, judgement: Judgement, *, accept_broken: bool = False
) -> Admitted | Refused:
    """The whole table for a letter whose signatures are judged; `report` is the one the judgement was made of."""
    refused = check(intake)
    if refused is not None:
        return refused
    signatures = [
        Signature(verdict=verdict, signer=signer)
        for verdict, signer in zip(report.verdicts, judgement.signers, strict=True)
    ]
    offences = tuple(_offences(signatures, from_axis=intake.from_axis))
    if offences and not accept_broken:
        return Refused(code=offences[0].code, findings=offences)
    return _admitted(intake, judgement, offences, tuple(_softened(signatures, from_axis=intake.from_axis)))


def class_if_electronic(requirement: str, paper: int | None, *, no_paper_standing: bool) -> str:
    """E, U or N of a letter that goes without paper; a flag speaks before a standing declaration.

    Flag 1 says that paper follows, so it leaves open only whether paper goes: what remains is E.
    """
    if requirement != "met":
        return "N"
    return "E" if paper in {0, 1} or no_paper_standing else "U"


def _admitted(
    intake: Intake, judgement: Judgement, offences: tuple[Finding, ...], softened: tuple[Finding, ...]
) -> Admitted:
    requirement = "not_met" if offences else judgement.requirement
    klass = class_if_electronic(requirement, intake.paper, no_paper_standing=intake.no_paper_standing)
    return Admitted(
        requirement=requirement,
        reason=judgement.reason or ("signer_of_another" if offences else ""),
        class_if_electronic=klass,
        klass="S" if intake.paper == 1 else klass,
        warnings=(
            *intake.findings,
            *_unroutable(intake.routing),
            *_purposes(intake.routing),
            *(_as_warning(finding) for finding in offences),
            *softened,
            *judgement.warnings,
        ),
    )


def _offences(signatures: list[Signature], *, from_axis: bool) -> Iterator[Finding]:
    """Row 2, the gravest first: only signatures of the package and of the main document are looked at."""
    here = [signature for signature in signatures if signature.signer.place != "annex"]
    yield from (_offence("signature_wrapping", one) for one in here if one.verdict.wrapping)
    yield from (
        _offence("signature_broken", one)
        for one in here
        if one.broken and not one.verdict.wrapping and not (from_axis and one.broken_package)
    )
    if not any(_seal(one, Standing.OWN) or _seal(one, Standing.UNCONFIRMED) for one in signatures):
        yield from (_offence("signature_of_another", one) for one in here if _seal(one, Standing.OTHER))


def _softened(signatures: Iterable[Signature], *, from_axis: bool) -> Iterator[Finding]:
    if from_axis and any(one.broken_package for one in signatures):
        yield Finding(severity="warning", code="package_broken_by_axis")


def _seal(signature: Signature, standing: Standing) -> bool:
    return signature.verdict.passed and not signature.broken and signature.signer.organisation is standing


def _offence(code: str, signature: Signature) -> Finding:
    facts = {"name": signature.verdict.where, "signer": signature.signer.name}
    return Finding(severity="error", code=code, facts=facts)


def _as_warning(finding: Finding) -> Finding:
    return Finding(severity="warning", code=finding.code, facts=finding.facts)


def _purposes(routing: Routing) -> Iterator[Finding]:
    for code in routing.aimless:
        yield Finding(severity="warning", code="purpose_without_recipient", facts={"code": code})
    for code, purpose in routing.torn.items():
        yield Finding(severity="warning", code="purpose_twice", facts={"code": code, "purpose": purpose})


def _unroutable(routing: Routing) -> Iterator[Finding]:
    for code in routing.unroutable:
        if code in routing.heirs:
            facts = _followed(code, routing.heirs[code])
            yield Finding(severity="warning", code="recipient_merged", facts=facts)
            continue
        kind = "recipient_disabled" if code in routing.disabled else "recipient_unknown"
        yield Finding(severity="warning", code=kind, facts={"code": code})


def _merged_sender(intake: Intake) -> Iterator[Finding]:
    if intake.merged:
        yield Finding(severity="error", code="sender_merged", facts=_followed(*intake.merged))


def _followed(code: str, heir: Heir) -> dict[str, str]:
    return {"code": code, "successor": heir.agency.code, "since": f"{heir.since:%d/%m/%Y}"}
