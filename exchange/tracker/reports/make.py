"""One report by its name, everything in it of one moment."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from exchange.rules import league, working_days
from exchange.rules.indicators import Indicator
from exchange.rules.league import League
from exchange.rules.working_days import Calendar
from exchange.store.pool import Connection
from exchange.tracker import periods, signature_usage, tally
from exchange.tracker.measures import Means
from exchange.tracker.reports import (
    behind,
    by_agency,
    by_kind,
    every_measure,
    excluded,
    failures,
    flows,
    given,
    inventory,
    overview,
    paper_only,
    parallel,
    ranking,
    returned,
    timely,
    trend,
    usage,
    waiting,
)
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Report
from exchange.tracker.signature_usage import Asked
from signing.trust import Trust

REPORTS: Mapping[str, Callable[[Given], Awaitable[Report]]] = {
    "BC-01": overview.report,
    "BC-02": by_agency.report,
    "BC-03": by_kind.report,
    "BC-04": trend.report,
    "BC-05": parallel.report,
    "BC-06": paper_only.report,
    "BC-07": waiting.report,
    "BC-08": timely.report,
    "BC-09": returned.report,
    "BC-13": ranking.report,
    "BC-14": flows.report,
    "measures": every_measure.report,
    "ranks": ranking.ranks,
    "adoption": flows.adoption,
    "indicators": every_measure.of_set,
}
"""Reports on transfers and agencies; the others are on signatures, or lists of what is not counted."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a deployment may give as files of its own, the indicators that are asked for, and where long lists are kept."""

    calendar: Calendar = field(default_factory=working_days.default)
    league: League = field(default_factory=league.default)
    indicators: Sequence[Indicator] = ()
    folder: Path | None = None
    percent: int = tally.COVERAGE_PERCENT


async def make(
    connection: Connection,
    code: str,
    asked: Asked,
    trust: Trust,
    scope: Sequence[str],
    settings: Settings | None = None,
) -> Report:
    """The report named `code` (one of `report.NAMES`); `scope` are the codes of the agencies asked for, none for all."""
    by = settings or Settings()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        standing = await periods.standing(connection, asked.period)
        made = await _made(connection, code, asked, trust, scope, by)
    return replace(made, version=standing.text, sha256=standing.sha256.hex() if standing.sha256 else None)


async def _made(
    connection: Connection, code: str, asked: Asked, trust: Trust, scope: Sequence[str], by: Settings
) -> Report:
    means = Means(calendar=by.calendar, trust=trust)
    about = replace(
        await given.gathered(connection, asked, scope, means, by.league, by.indicators),
        folder=by.folder,
        percent=by.percent,
    )
    if code in REPORTS:
        return await REPORTS[code](about)
    if code.startswith("X-"):
        return await excluded.report(about, code)
    return replace(await _of_signatures(about, code, trust), coverage=about.coverage, percent=about.percent)


async def _of_signatures(about: Given, code: str, trust: Trust) -> Report:
    asked, scope = about.asked, about.scope
    found = await signature_usage.gathered(about.connection, asked, trust)
    match code:
        case "BC-10":
            return usage.report(found, asked, scope)
        case "BC-11":
            return inventory.report(found, asked, scope)
        case "BC-12":
            return await failures.report(about.connection, found, about.asked, about.scope, about.rows())
        case _:
            return await behind.report(about, code, found)
