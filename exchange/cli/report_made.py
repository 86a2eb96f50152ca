"""What a report is made of, read from the database in one transaction: its rows, its charts, and who issues it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from exchange.cli import answers, tally
from exchange.rules import directory as rules_directory
from exchange.rules import periodic_report
from exchange.store.pool import Connection
from exchange.tracker import tally as counting
from exchange.tracker.reports import make, periodic
from exchange.tracker.reports.periodic import Gathered
from exchange.tracker.reports.report import NAMES, Report, Table
from exchange.tracker.signature_usage import Asked
from signing.trust import Trust

PERIODIC = "BC-15"
"""The report that is a document (văn bản), not a table."""
EVERY = (*NAMES, PERIODIC)
CHARTED = ("BC-01", "BC-02")
"""Reports that are printed with the bar of classes."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which report, of what, and for print: whose it is and the target that charts show."""

    name: str
    span: counting.Period
    codes: Sequence[str]
    issuer: str | None = None
    target: int | None = None


@dataclass(frozen=True, kw_only=True)
class Made:
    """A report with what its printed form adds. `gathered`, `annexes`: of the periodic report; its own table is empty."""

    report: Report
    issuer: rules_directory.Agency | None = None
    superior: rules_directory.Agency | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    gathered: Gathered | None = None
    annexes: Mapping[str, Report] = field(default_factory=dict)


class UnknownAgencyError(Exception):
    """A code that no agency has; `key` tells which sentence says so."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key, self.facts = key, facts


async def made(dsn: str, wanted: Wanted, trusted: Trust) -> Made:
    """Everything of one moment. Raises UnknownAgencyError."""
    at = datetime.now(UTC)
    async with (
        answers.connected(dsn) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        found = await tally.agencies(connection, wanted.codes, at)
        if None in found:
            raise UnknownAgencyError("cli.unknown_agency", codes=", ".join(wanted.codes))
        issuer, superior = await _issuer(connection, wanted.issuer, at)
        chosen = [one.id for one in found if one] if wanted.codes else None
        asked = Asked(period=wanted.span, agencies=chosen, as_of=at)
        scope = [one.code for one in found if one]
        if wanted.name == PERIODIC:
            one = await _periodic(connection, asked, trusted, scope, wanted.target)
        else:
            one = Made(
                report=await make.make(connection, wanted.name, asked, trusted, scope),
                counts=await _counts(connection, asked) if wanted.name in CHARTED else {},
            )
    return Made(
        report=one.report, issuer=issuer, superior=superior,
        counts=one.counts, gathered=one.gathered, annexes=one.annexes,
    )  # fmt: skip


async def _issuer(
    connection: Connection, code: str | None, at: datetime
) -> tuple[rules_directory.Agency | None, rules_directory.Agency | None]:
    """The agency that issues the report, and the one above it."""
    if code is None:
        return None, None
    found, snapshot = await tally.named(connection, code, at)
    if found is None:
        raise UnknownAgencyError("form.unknown_issuer", code=code)
    return found, snapshot.agencies.get(found.parent) if found.parent else None


async def _periodic(
    connection: Connection, asked: Asked, trusted: Trust, scope: Sequence[str], target: int | None
) -> Made:
    codes = [code for codes in periodic_report.ANNEXES.values() for code in codes if code in NAMES]
    return Made(
        report=Report(
            code=PERIODIC, asked=asked, scope=scope, table=Table(name=PERIODIC, columns=(), rows=())
        ),
        gathered=await periodic.gather(connection, asked, trusted, target),
        annexes={code: await make.make(connection, code, asked, trusted, scope) for code in codes},
    )


async def _counts(connection: Connection, asked: Asked) -> Mapping[str, int]:
    counted = await counting.count(
        connection, asked.period, view="out", scope=counting.WHOLE, agencies=asked.agencies, as_of=asked.as_of
    )
    return counted.classes
