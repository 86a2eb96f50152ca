"""Indicators (chỉ tiêu tự đánh giá): sets that an office must report on, as data: name, formula, target, period, points.

A formula is the name of a measure (`M1`), or sums of figures with one stroke between (`E + S / E + S + N + U + P`,
`documents_E / documents`); a figure may be a whole number. Nothing else is understood, so a file can compute nothing else.
A measure knows whether more of it is better; of a formula of one's own `more = false` says that less is. For what is better
when it is less there are no points: they go by the ratio.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from exchange.rules import ratios, reporting_period
from exchange.rules.measures import DEFINITIONS, FIGURES, of
from exchange.rules.ratios import Measure

MOST = 500
"""Indicators in one file."""

_TERM = re.compile(r"\s*([+-]?)\s*([A-Za-z][A-Za-z0-9_]*|[0-9]{1,9})\s*", re.ASCII)

Sum = tuple[tuple[int, str], ...]
"""Signs and names (or whole numbers) of a sum."""


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One indicator. `above` and `below` are sums; `target` in percent; `points` at most, by the ratio; `period` its own.

    `more`: whether more is better, and the target the least that is wanted.
    """

    id: str
    name: str
    formula: str
    above: Sum
    below: Sum
    target: Fraction | None = None
    points: Fraction | None = None
    period: str = ""
    more: bool = True


@dataclass(frozen=True, kw_only=True)
class Found:
    """What came of an indicator: its counts (`share` only where they make one), whether the target is met, its points."""

    indicator: Indicator
    n: int
    d: int

    @property
    def share(self) -> Measure | None:
        """Counts as a ratio; None where the upper one is no part of the lower one."""
        return Measure(n=self.n, d=self.d) if 0 <= self.n <= self.d else None

    @property
    def met(self) -> bool | None:
        """Whether the target is reached, by the counts; None without a target or over nothing."""
        target = self.indicator.target
        return None if target is None else ratios.met(self.n, self.d, target, more=self.indicator.more)

    @property
    def points(self) -> Fraction | None:
        """Ratio times the most points, between none and all of them."""
        most = self.indicator.points
        if most is None or self.d <= 0:
            return None
        return min(max(Fraction(self.n, self.d) * most, Fraction()), most)


def found(indicator: Indicator, figures: Mapping[str, int]) -> Found:
    """The indicator of these figures."""
    if indicator.formula in DEFINITIONS:
        one = of(figures, [indicator.formula])[indicator.formula]
        return Found(indicator=indicator, n=one.n, d=one.d)
    return Found(indicator=indicator, n=_sum(indicator.above, figures), d=_sum(indicator.below, figures))


def _sum(terms: Sum, figures: Mapping[str, int]) -> int:
    return sum(sign * (int(name) if name.isdecimal() else figures.get(name, 0)) for sign, name in terms)


def read(text: str) -> tuple[Indicator, ...]:
    """The indicators of a file. Raises ValueError that tells which one is wrong, and how."""
    try:
        rows = tomllib.loads(text)["indicator"]
        if not isinstance(rows, list) or not 0 < len(rows) <= MOST:
            raise ValueError(f"1 to {MOST} indicators")
        made = tuple(_indicator(row) for row in rows)
    except (KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    names = [one.id for one in made]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"id: {', '.join(twice)}")
    return made


def _indicator(row: Mapping[str, Any]) -> Indicator:
    formula = row["formula"].strip()
    above, below = ((), ()) if formula in DEFINITIONS else _formula(formula)
    made = Indicator(
        id=str(row["id"]),
        name=row["name"],
        formula=formula,
        above=above,
        below=below,
        target=_fraction(row, "target"),
        points=_fraction(row, "points"),
        period=reporting_period.period(row["period"]).text if "period" in row else "",
        more=_more(row, formula),
    )
    if made.points is not None and not made.more:
        raise ValueError(f"{made.id}: points: {formula}: less is better")
    return made


def _more(row: Mapping[str, Any], formula: str) -> bool:
    """Whether more is better: as the measure has it, or as the file says of a formula of its own."""
    if formula in DEFINITIONS and "more" not in row:
        return DEFINITIONS[formula].more
    if formula in DEFINITIONS or not isinstance(row.get("more", True), bool):
        raise ValueError(f"{row['id']}: more: {row['more']}")
    return bool(row.get("more", True))


def _fraction(row: Mapping[str, Any], name: str) -> Fraction | None:
    if name not in row:
        return None
    made = Fraction(str(row[name]))
    if made < 0:
        raise ValueError(f"{row['id']}: {name} {row[name]}")
    return made


def _formula(formula: str) -> tuple[Sum, Sum]:
    parts = formula.split("/")
    if len(parts) != 2:  # noqa: PLR2004 - one stroke
        raise ValueError(f"formula: {formula}")
    above, below = (tuple(_terms(part, formula)) for part in parts)
    return above, below


def _terms(text: str, formula: str) -> Iterator[tuple[int, str]]:
    place = 0
    while place < len(text) or not place:
        found = _TERM.match(text, place)
        if found is None or (place and not found[1]) or not _known(found[2]):
            raise ValueError(f"formula: {formula}: {text[place:].strip()}")
        yield (-1 if found[1] == "-" else 1), found[2]
        place = found.end()


def _known(name: str) -> bool:
    return name.isdecimal() or name in FIGURES
