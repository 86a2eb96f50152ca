"""League tables (bảng xếp hạng): points from measures, levels from points, ranks from totals. All of it data: `league.toml`.

Points are exact fractions. They are shown cut off, not rounded, and what is missing to a level is rounded up: nobody is
shown with the points of a level that he does not have. Equal totals share a rank, and the next one is left out (1, 2, 2, 4).
"""

import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, TypeVar

from exchange.rules.measures import DEFINITIONS
from exchange.rules.ratios import SMALLEST_RANKED, Measure

Who = TypeVar("Who", bound=Hashable)

UNRANKED = ""
"""Không xếp hạng: the level of who reaches none."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One league table. `levels` from the highest down: name and least points, which are enough.

    `parts`: measures and their weights, none where points are given from elsewhere. `kinds` of agencies that it is for; none: any.
    """

    name: str
    levels: tuple[tuple[str, Fraction], ...]
    parts: tuple[tuple[str, Fraction], ...] = ()
    smallest: int = SMALLEST_RANKED
    maximum: Fraction | None = None
    source: str = ""
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class League:
    """All tables by name, and the targets of measures in percent."""

    tables: Mapping[str, Table]
    targets: Mapping[str, Fraction]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Points that come from elsewhere, a survey for example, by agency code, and the table whose levels they reach."""

    table: Table
    points: Mapping[str, Fraction]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where somebody stands: points by measure, their sum, rank and level; `lacking` to the next higher level.

    Without a `total` there is no place: a measure has nothing to divide by, or too little was counted.
    """

    points: Mapping[str, Fraction]
    total: Fraction | None
    rank: int | None
    level: str
    lacking: Fraction | None


def table_for(league: League, kinds: Collection[str]) -> Table:
    """The table by which agencies of these kinds are ranked together: one that is for them, else one that is for any.

    A league without such a table ranks by the one that comes with the exchange.
    """
    ranking = [one for one in league.tables.values() if one.parts]
    own = [one for one in ranking if one.kinds and one.kinds.issuperset(kinds)]
    common = [one for one in ranking if not one.kinds]
    return next(iter((*own, *common)), None) or default().tables["standard"]


def points(table: Table, measures: Mapping[str, Measure]) -> dict[str, Fraction]:
    """The points of each part that can be told."""
    return {
        name: weight * Fraction(measures[name].n, measures[name].d)
        for name, weight in table.parts
        if measures[name].d
    }


def total(table: Table, measures: Mapping[str, Measure], counted: int) -> Fraction | None:
    """All points; None for who has no place: a part without a denominator, or fewer counted than `smallest`."""
    found = points(table, measures)
    if counted < table.smallest or len(found) < len(table.parts):
        return None
    return sum(found.values(), Fraction())


def level(table: Table, total: Fraction) -> str:
    """The highest level whose least points are reached, or UNRANKED."""
    return next((name for name, least in table.levels if total >= least), UNRANKED)


def lacking(table: Table, total: Fraction) -> Fraction | None:
    """Points that are missing to the next higher level; None in the highest."""
    above = [least for _, least in table.levels if total < least]
    return above[-1] - total if above else None


def ranks(totals: Mapping[Who, Fraction | None]) -> dict[Who, int]:
    """Ranks from 1, the most points first; equal points share one. Who has no total has none."""
    ordered = sorted((one for one in totals.values() if one is not None), reverse=True)
    first = {one: place for place, one in reversed(list(enumerate(ordered, 1)))}
    return {who: first[one] for who, one in totals.items() if one is not None}


def placed(
    table: Table, measured: Mapping[Who, Mapping[str, Measure]], counted: Mapping[Who, int]
) -> dict[Who, Place]:
    """Everybody's place by their measures."""
    totals = {who: total(table, measures, counted.get(who, 0)) for who, measures in measured.items()}
    found = {who: points(table, measures) for who, measures in measured.items()}
    return _places(table, totals, found.__getitem__)


def given(table: Table, totals: Mapping[Who, Fraction | None]) -> dict[Who, Place]:
    """Everybody's place by points that come from elsewhere."""
    return _places(table, totals, lambda _who: {})


def _places(
    table: Table, totals: Mapping[Who, Fraction | None], points: Callable[[Who], Mapping[str, Fraction]]
) -> dict[Who, Place]:
    ranked = ranks(totals)
    return {
        who: Place(
            points=points(who),
            total=one,
            rank=ranked.get(who),
            level=UNRANKED if one is None else level(table, one),
            lacking=None if one is None else lacking(table, one),
        )
        for who, one in totals.items()
    }


def by_level(table: Table, places: Iterable[Place]) -> dict[str, int]:
    """How many are in each level, from the highest down, and last how many in none."""
    counts = Counter(place.level for place in places)
    return {name: counts[name] for name in (*(name for name, _ in table.levels), UNRANKED)}


def shown(points: Fraction) -> int:
    """Points in hundredths as they are shown: cut off."""
    return int(points * 100 // 1)


def shown_lacking(points: Fraction) -> int:
    """What is missing, in hundredths: rounded up."""
    return int(-(-points * 100 // 1))


@cache
def default() -> League:
    """The tables and targets that come with the exchange."""
    return read(files(__package__).joinpath("league.toml").read_text(encoding="utf-8"))


def read(text: str) -> League:
    """Tables and targets from a file like `league.toml`. Raises ValueError that says what is wrong with it."""
    try:
        given = tomllib.loads(text)
        tables = [_table(row) for row in given.get("table", [])]
        targets = {name: Fraction(str(one)) for name, one in given.get("targets", {}).items()}
        for table in tables:
            _check(table)
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ValueError(f"league: {type(error).__name__}: {error}") from error
    strange = [name for name in targets if name not in DEFINITIONS]
    if strange:
        raise ValueError(f"league: targets: no such measure: {', '.join(strange)}")
    outside = [name for name, target in targets.items() if not 0 <= target <= 100]  # noqa: PLR2004 - percent
    if outside:
        raise ValueError(f"league: targets are percent, from 0 to 100: {', '.join(outside)}")
    return League(tables={table.name: table for table in tables}, targets=targets)


def scores(text: str, known: League) -> Scores:
    """Points from a file that names one of the tables: `table = "cao_bang_districts"`, `[points]`, `"H13.31" = 64.61`.

    Raises ValueError that says what is wrong with it.
    """
    try:
        told = tomllib.loads(text)
        found = Scores(
            table=known.tables[told["table"]],
            points={code: Fraction(str(one)) for code, one in told["points"].items()},
        )
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ValueError(f"scores: {type(error).__name__}: {error}") from error
    most = found.table.maximum
    wrong = [code for code, one in found.points.items() if one < 0 or (most is not None and one > most)]
    if wrong:
        raise ValueError(f"scores: points: {', '.join(wrong)}")
    return found


def _table(row: Mapping[str, Any]) -> Table:
    return Table(
        name=row["name"],
        levels=tuple((one["name"], Fraction(str(one["least"]))) for one in row["levels"]),
        parts=tuple((one["measure"], Fraction(str(one["weight"]))) for one in row.get("parts", ())),
        smallest=row.get("smallest", SMALLEST_RANKED),
        maximum=Fraction(str(row["maximum"])) if "maximum" in row else None,
        source=row.get("source", ""),
        kinds=frozenset(row.get("kinds", ())),
    )


def _check(table: Table) -> None:
    strange = [name for name, _ in table.parts if name not in DEFINITIONS]
    if strange:
        raise ValueError(f"league: {table.name}: no such measure: {', '.join(strange)}")
    fewer = [name for name, _ in table.parts if not DEFINITIONS[name].more]
    if fewer:
        raise ValueError(
            f"league: {table.name}: no points for what is better when it is less: {', '.join(fewer)}"
        )
    if not _falling([least for _, least in table.levels]):
        raise ValueError(f"league: {table.name}: levels go from the highest down")
    weights = sum((weight for _, weight in table.parts), Fraction())
    if table.parts and table.maximum is not None and weights != table.maximum:
        raise ValueError(f"league: {table.name}: the weights make {weights}, not {table.maximum}")


def _falling(points: Sequence[Fraction]) -> bool:
    return all(one > other for one, other in pairwise(points))
