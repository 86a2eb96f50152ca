"""One connection judged by its facts: what is well, what will soon not be, what is wrong (kiểm tra kết nối).

Each check answers with a code; its sentence is `connection.<code>`, and what to do about it `connection.<code>_advice`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from exchange.rules import directory, paper_class

SOON = timedelta(days=14)
"""A key, certificate or period that ends within it is told in time."""
SILENT = timedelta(days=1)
"""A system that did not call for so long, or leaves a delivery so long, is told."""
SHOWN = 5

Severity = Literal["good", "warning", "fault"]


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A key (its public part) or client certificate (its SHA-256) of a system."""

    kind: str
    id: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, kw_only=True)
class Acted:
    """An agency that a system acts for, or did or will; `over` and `disabled` are the agency's own state today."""

    code: str
    valid_from: date
    valid_to: date | None
    over: bool
    disabled: bool


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Something that the system sent and that was refused."""

    at: datetime
    code: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the database knows of one system; `open` are deliveries waiting for it, `oldest` since when."""

    id: UUID
    name: str
    owner: str
    disabled_at: datetime | None
    seen_at: datetime | None
    credentials: tuple[Credential, ...] = ()
    agencies: tuple[Acted, ...] = ()
    open: int = 0
    oldest: datetime | None = None
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at, and how it is; `facts` are its sentence's."""

    severity: Severity
    code: str
    facts: dict[str, str] = field(default_factory=dict)


def judge(facts: Facts, at: datetime) -> tuple[Check, ...]:
    """All checks, in the order in which one would mend them."""
    return (
        _enabled(facts),
        *_credentials(facts.credentials, at),
        *_agencies(facts.agencies, paper_class.local_day(at)),
        _seen(facts.seen_at, at),
        _open(facts, at),
        _refusals(facts.refusals, at),
    )


def answered(status: int | None, server: str) -> Check:
    """The check of the running exchange, by what `/readyz` answered; None: nothing did."""
    known: dict[int | None, tuple[Severity, str]] = {
        200: ("good", "exchange_ready"),
        None: ("fault", "exchange_silent"),
    }
    severity, code = known.get(status, ("fault", "exchange_down"))
    return Check(severity=severity, code=code, facts={"server": server, "status": str(status)})


def _enabled(facts: Facts) -> Check:
    if facts.disabled_at is None:
        return Check(severity="good", code="enabled")
    return Check(severity="fault", code="disabled", facts={"at": moment(facts.disabled_at)})


def _credentials(held: Sequence[Credential], at: datetime) -> Iterator[Check]:
    """One that is in date is enough; it is told when the last of them ends soon."""
    standing = [one for one in held if one.valid_from <= at and (one.valid_to is None or at < one.valid_to)]
    if not standing:
        yield Check(severity="fault", code="no_credential", facts={"count": str(len(held))})
        return
    ends = [one.valid_to for one in standing if one.valid_to is not None]
    counts = {"count": str(len(standing))}
    if len(ends) < len(standing):
        yield Check(severity="good", code="credential_unending", facts=counts)
        return
    soon = max(ends) - at < SOON
    facts = {**counts, "until": moment(max(ends))}
    yield Check(
        severity="warning" if soon else "good", code="credential_ends" if soon else "credential", facts=facts
    )


def _agencies(acted: Sequence[Acted], on: date) -> Iterator[Check]:
    today = [one for one in acted if directory.holds(one, on)]
    if not today:
        yield Check(severity="fault", code="no_agency")
        return
    yield Check(severity="good", code="agencies", facts={"count": str(len(today))})
    groups: tuple[tuple[Severity, str, list[Acted]], ...] = (
        ("fault", "agency_over", [one for one in today if one.over]),
        ("fault", "agency_disabled", [one for one in today if one.disabled]),
        ("warning", "agency_ends", [one for one in today if _ends(one, acted, on)]),
    )
    for severity, code, which in groups:
        if which:
            yield Check(severity=severity, code=code, facts=_codes(which))


def _ends(one: Acted, acted: Sequence[Acted], on: date) -> bool:
    """Whether a period ends soon and none follows it."""
    if one.valid_to is None or one.valid_to - on >= SOON:
        return False
    return not any(next_.code == one.code and next_.valid_from > one.valid_to for next_ in acted)


def _codes(which: Sequence[Acted]) -> dict[str, str]:
    named = ", ".join(one.code for one in which[:SHOWN])
    more = "" if len(which) <= SHOWN else ", …"
    return {"count": str(len(which)), "codes": named + more}


def _seen(seen_at: datetime | None, at: datetime) -> Check:
    if seen_at is None:
        return Check(severity="warning", code="never_seen")
    late = at - seen_at > SILENT
    facts = {"at": moment(seen_at)}
    return Check(severity="warning" if late else "good", code="silent" if late else "seen", facts=facts)


def _open(facts: Facts, at: datetime) -> Check:
    if facts.oldest is None:
        return Check(severity="good", code="open_none")
    late = at - facts.oldest > SILENT
    said = {
        "count": str(facts.open),
        "at": moment(facts.oldest),
        "hours": str((at - facts.oldest) // timedelta(hours=1)),
    }
    return Check(severity="fault" if late else "good", code="open_late" if late else "open", facts=said)


def _refusals(refusals: Sequence[Refusal], at: datetime) -> Check:
    """Refusals of the last day are told; older ones are only shown."""
    recent = [one for one in refusals if at - one.at <= SILENT]
    facts = {"count": str(len(recent)), "codes": ", ".join(dict.fromkeys(one.code for one in recent))}
    return Check(
        severity="warning" if recent else "good", code="refused" if recent else "refused_none", facts=facts
    )


def moment(at: datetime) -> str:
    """A moment as people here read it, to the minute."""
    return at.astimezone(paper_class.VIETNAM).strftime("%d/%m/%Y %H:%M")
