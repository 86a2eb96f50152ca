"""BC-03, by kind and level of agencies (theo cấp và loại cơ quan): sums, the best, the last and the middle of each."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from statistics import median
from typing import TypeVar

from exchange.rules import measures, ratios
from exchange.rules.ratios import Measure, Unproven
from exchange.tracker.measures import Figures
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import KINDS, Given, Known, measure
from exchange.tracker.reports.report import Hundredths, Report, Table, Value, Word

Key = TypeVar("Key", bound=Hashable)

_NAMES = ("agencies", "active", "total", "E", "S", "N", "U", "P", "m1", "highest", "lowest", "median", "met")
_NUMBERS = ("agencies", "active", "total", "E", "S", "N", "U", "P", "m1", "median", "met")
COLUMNS = making.columns("kind", *_NAMES, keeps=("kind",), numeric=_NUMBERS, ratios=("m1",))
LEVELS = making.columns("level", *_NAMES, keeps=("level",), numeric=_NUMBERS, ratios=("m1",))
_ORDER = {name: place for place, name in enumerate(KINDS)}


async def report(given: Given) -> Report:
    """One row a kind and, in the annex, one a level; agencies without enough transfers are neither best nor last."""
    figures = await given.figures("M1")
    agencies = [
        one for one in given.agencies if (one.active and one.counted) or making.total(making.of(figures, one))
    ]
    kinds = _groups((one.kind, one) for one in agencies)
    levels = _groups((one.level, one) for one in agencies)
    ordered = sorted(kinds, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    return given.report(
        "BC-03",
        Table(
            name="BC-03",
            columns=COLUMNS,
            rows=[[making.kind(name), *_row(given, kinds[name], figures)] for name in ordered],
            total=[None, *_whole(given, _row(given, agencies, figures))],
        ),
        annex=Table(
            name="levels",
            columns=LEVELS,
            rows=[[Word(f"agency_level.{level}"), *_row(given, levels[level], figures)] for level in sorted(levels)],
        ),
    )  # fmt: skip


_BESIDE = 4
"""Columns beside a ratio: highest, lowest, median, how many met the target."""


def _groups(pairs: Iterable[tuple[Key, Known]]) -> dict[Key, list[Known]]:
    found: defaultdict[Key, list[Known]] = defaultdict(list)
    for key, one in pairs:
        found[key].append(one)
    return dict(found)


def _row(given: Given, agencies: Sequence[Known], figures: Figures) -> list[Value]:
    whole = measures.together(making.of(figures, one) for one in agencies)
    each = [(measure(making.of(figures, one), "M1"), one) for one in agencies]
    ranked = sorted(
        (pair for pair in each if ratios.ranked(pair[0].d)),
        key=lambda pair: (Fraction(*pair[0]), pair[1].code),
    )
    shares = [Fraction(*one) for one, _ in each if one.d]
    target = given.target("M1")
    reached = [ratios.met(*one, target) for one, _ in each if one.d] if target is not None else []
    return [
        len(agencies),
        len(shares),
        *making.counts(whole),
        measure(whole, "M1"),
        _named(ranked[-1:]),
        _named(ranked[:1]),
        Hundredths(ratios.half_up(median(shares) * 10_000)) if shares else None,
        reached.count(True) if target is not None else None,
    ]


def _whole(given: Given, row: Sequence[Value]) -> list[Value]:
    """What all kinds come to; its ratio, and what is told beside it, only as far as registers prove it."""
    *counts, m1 = row[:-_BESIDE]
    assert isinstance(m1, Measure)
    told = given.believed(m1)
    beside = [None] * _BESIDE if isinstance(told, Unproven) else row[-_BESIDE:]
    return [*counts, told, *beside]


def _named(pairs: Sequence[tuple[Measure, Known]]) -> str | None:
    return next((f"{agency.name}, {ratios.share(*one)} %" for one, agency in pairs), None)
