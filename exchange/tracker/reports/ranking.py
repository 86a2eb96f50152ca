"""BC-13, league table (bảng xếp hạng mức độ), and the history of ranks: points, weights and levels are data (`rules.league`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from exchange.rules import league, measures
from exchange.rules.league import Place, Scores
from exchange.tracker import spans
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given, Known
from exchange.tracker.reports.report import Column, Hundredths, Line, Report, Table, Value, Word
from exchange.tracker.tally import Period

HISTORY = 6
"""Periods in the history of ranks."""
RANKS = making.columns(
    "period", "rank", "agency", "name", "total", "level", keeps=("period",), numeric=("rank", "total")
)
SCORES = making.columns(
    "rank",
    "agency",
    "name",
    "total",
    "level",
    "lacking",
    keeps=("rank", "agency"),
    numeric=("rank", "total", "lacking"),
)
_BETWEEN = ("before", "lacking")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Everybody's place in a period, by agency."""

    agencies: Sequence[Known]
    places: Mapping[UUID, Place]


def table(given: Given) -> league.Table:
    """The league table for the agencies asked for: by their kinds."""
    return league.table_for(given.league, {one.kind for one in given.agencies if one.active and one.counted})


async def standing(given: Given) -> Standing:
    """Places in the period: of agencies that are active and counted, each by its own measures."""
    by = table(given)
    names = [name for name, _ in by.parts]
    figures = await given.figures("M1", *names)
    agencies = [one for one in given.agencies if one.active and one.counted]
    measured = {one.id: measures.of(making.of(figures, one), names) for one in agencies}
    counted = {one.id: making.total(making.of(figures, one)) for one in agencies}
    return Standing(agencies=agencies, places=league.placed(by, measured, counted))


async def report(given: Given) -> Report:
    """One row an agency, the best first; those without a place last, by code."""
    by, now = table(given), await standing(given)
    period = spans.previous(given.period)
    before = (await standing(await given.about(period))).places if period else {}
    rows = [_row(by, one, now.places[one.id], before.get(one.id)) for one in _ordered(now)]
    return given.report(
        "BC-13",
        Table(name="BC-13", columns=columns(by), rows=rows),
        lines=(_levels(by, now.places), _steps(by)),
    )


def columns(by: league.Table) -> tuple[Column, ...]:
    """The columns of a league table: its parts have their weights in the heading."""
    parts = tuple(
        Column(name=name, numeric=True, facts={"weight": _points(weight)}) for name, weight in by.parts
    )
    whole = Column(name="total", numeric=True, facts={"weight": _points(sum((w for _, w in by.parts), Fraction()))})  # fmt: skip
    rest = making.columns("level", *_BETWEEN, numeric=_BETWEEN)
    return (*making.columns("rank", "agency", keeps=("rank", "agency"), numeric=("rank",)), *parts, whole, *rest)  # fmt: skip


def _ordered(one: Standing) -> list[Known]:
    return sorted(one.agencies, key=lambda each: (_rank(one.places[each.id]), each.code))


def _rank(place: Place) -> int | float:
    return float("inf") if place.rank is None else place.rank


def _row(by: league.Table, one: Known, place: Place, before: Place | None) -> list[Value]:
    return [
        place.rank,
        one.name,
        *(_shown(place.points.get(name)) for name, _ in by.parts),
        _shown(place.total),
        _level(place),
        before.rank if before else None,
        _lacking(place),
    ]


def _lacking(place: Place) -> Hundredths | None:
    return None if place.lacking is None else Hundredths(league.shown_lacking(place.lacking))


def _shown(points: Fraction | None) -> Hundredths | None:
    return None if points is None else Hundredths(league.shown(points))


def _level(place: Place) -> Value:
    return place.level or Word("report.unranked" if place.total is not None else "report.too_little")


def _levels(by: league.Table, places: Mapping[Any, Place]) -> Line:
    """How many agencies are in each level, in none, and without enough to tell."""
    with_total = [one for one in places.values() if one.total is not None]
    counts = league.by_level(by, with_total)
    named = "; ".join(f"{name}: {n}" for name, n in counts.items() if name)
    return Line(
        key="by_level",
        facts={
            "levels": named, "unranked": counts[league.UNRANKED], "without": len(places) - len(with_total), "all": len(places),
        },
    )  # fmt: skip


def _steps(by: league.Table) -> Line:
    named = ", ".join(f"{name} ≥ {_points(least)}" for name, least in by.levels)
    return Line(key="steps", facts={"levels": named, "smallest": by.smallest})


def _points(points: Fraction) -> str:
    return f"{float(points):g}".replace(".", ",")


async def ranks(given: Given) -> Report:
    """Ranks of the last periods of the same kind, one row an agency and period."""
    periods = spans.history(given.period, given.periods or HISTORY)
    rows = [row for period in periods for row in await _ranked(given, period)]
    return given.report("ranks", Table(name="ranks", columns=RANKS, rows=rows))


async def scores(given: Given) -> Report:
    """Ranks and levels by points that come from elsewhere, one row an agency asked for, the best first."""
    by = given.scores or Scores(table=table(given), points={})
    names = {one.code: one.name for one in given.agencies}
    wanted = by.points if given.asked.agencies is None else by.points.keys() & names.keys()
    places = league.given(by.table, {code: by.points[code] for code in wanted})
    rows = [
        [one.rank, code, names.get(code), _shown(one.total), _level(one), _lacking(one)]
        for code, one in sorted(places.items(), key=lambda pair: (_rank(pair[1]), pair[0]))
    ]
    told = Line(key="scores_of", facts={"table": by.table.name, "source": by.table.source})
    return given.report(
        "scores",
        Table(name="scores", columns=SCORES, rows=rows),
        lines=(told, _levels(by.table, places), _steps(by.table)),
    )


async def _ranked(given: Given, period: Period) -> list[list[Value]]:
    found = await standing(await given.about(period))
    return [
        [period.text, found.places[one.id].rank, one.code, one.name, _shown(found.places[one.id].total), _level(found.places[one.id])]
        for one in _ordered(found)
        if found.places[one.id].rank is not None
    ]  # fmt: skip
