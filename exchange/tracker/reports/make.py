"""One report by its name, everything in it of one moment."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from exchange.rules import league, measures, paper_class, working_days
from exchange.rules.indicators import Indicator
from exchange.rules.league import League, Scores
from exchange.rules.working_days import Calendar, Days
from exchange.store.pool import Connection
from exchange.tracker import merged, periods, signature_usage, tally
from exchange.tracker.measures import Means
from exchange.tracker.periods import Standing
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
from exchange.tracker.reports.report import Line, Report
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
    "scores": ranking.scores,
}
"""Reports on transfers and agencies; the others are on signatures, or lists of what is not counted."""


AS_CLOSED = frozenset({"BC-02", "BC-03", "BC-04"})
"""Reports on classes alone: of a closed period everything in them is as it was closed."""

ROWS_AS_CLOSED = {
    "BC-05": "class, justified",
    **dict.fromkeys(("X-test", "X-internal", "X-duplicate", "X-refused", "X-recalled"), "class, excluded"),
}
"""Lists of what was closed: which transfers there are, and these facts of each, are as closed; what else a row tells is of now."""

ON_DEADLINES = frozenset({"BC-01", "BC-07", "BC-08", "BC-13", "BC-15", "measures", "ranks", "indicators"})
"""Reports in which something is reckoned by working days."""


BY_SPANS = frozenset({"BC-01", "BC-10", "BC-15", "adoption", "measures", "ranks", "indicators"})
"""Reports that say who is connected, or which certificates end soon or lie idle."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a deployment may give as files of its own; what is asked for beside the question; where long lists are kept."""

    calendar: Calendar = field(default_factory=working_days.default)
    league: League = field(default_factory=league.default)
    indicators: Sequence[Indicator] = ()
    periods: int | None = None
    scores: Scores | None = None
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
        made = replace(made, lines=[*made.lines, *await mergers(connection, asked)])
    return told(made, standing, by)


async def mergers(connection: Connection, asked: Asked) -> list[Line]:
    """What a report says of those of its agencies that were merged into others within the period."""
    found = await merged.within(connection, asked.period, asked.agencies, asked.as_of)
    named = "; ".join(
        merged.shown(one.code, one.name, one.successor, one.since) for one in found[: merged.SHOWN]
    )
    more = len(found) - merged.SHOWN
    lines = [Line(key="merged", facts={"agencies": named})] if found else []
    return [*lines, Line(key="merged_more", facts={"n": more})] if more > 0 else lines


def told(made: Report, standing: Standing, settings: Settings) -> Report:
    """The report with the version that its period has, and what is to be said of that."""
    return replace(
        made,
        version=standing.text,
        sha256=standing.sha256.hex() if standing.sha256 else None,
        lines=[*made.lines, *lines_about(made.code, standing, made.asked, settings)],
    )


def lines_about(code: str, standing: Standing, asked: Asked, settings: Settings) -> list[Line]:
    """What every report says of its days off, and, of a closed period, of what in it is not as closed."""
    lines = [*_unlisted(code, asked, settings), *_spans(code, settings)]
    if standing.version is not None and code in ROWS_AS_CLOSED:
        lines.append(Line(key="rows_as_of_now", facts={"closed": ROWS_AS_CLOSED[code]}))
    elif standing.version is not None and code not in AS_CLOSED:
        lines.append(_AS_OF_NOW)
    return lines


_AS_OF_NOW = Line(key="as_of_now", facts={"closed": ", ".join(measures.BY_CLASS)})
"""What else is told of a closed period is told as of the moment of making."""


def _unlisted(code: str, asked: Asked, by: Settings) -> Iterator[Line]:
    """The years of the period whose days off nobody has told the exchange: deadlines in them are reckoned without."""
    years = range(
        asked.period.first.year, min(asked.period.last, paper_class.local_day(asked.as_of)).year + 1
    )
    unlisted = [str(year) for year in years if year not in by.calendar.years]
    if code in ON_DEADLINES and unlisted:
        yield Line(key="unlisted_years", facts={"years": ", ".join(unlisted)})


def _spans(code: str, by: Settings) -> Iterator[Line]:
    """The spans of days that this deployment has otherwise than the notes tell."""
    if code in BY_SPANS and by.calendar.days != Days():
        yield Line(key="own_spans", facts=asdict(by.calendar.days))


async def _made(
    connection: Connection, code: str, asked: Asked, trust: Trust, scope: Sequence[str], by: Settings
) -> Report:
    means = Means(calendar=by.calendar, trust=trust)
    about = replace(
        await given.gathered(connection, asked, scope, means, by.league, by.indicators),
        periods=by.periods,
        scores=by.scores,
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
            return usage.report(found, asked, scope, about.means.calendar.days.idle)
        case "BC-11":
            return inventory.report(found, asked, scope)
        case "BC-12":
            return await failures.report(about.connection, found, about.asked, about.scope, about.rows())
        case _:
            return await behind.report(about, code, found)
