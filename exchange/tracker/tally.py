"""Tally (số liệu): how many transfers were fully electronic, with paper, without legal value, undeclared, paper only.

Every ratio stands with its numerator, its denominator and the coverage of the registers that could contradict it.
Source: reference page rules_and_measures, part C.
"""

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from exchange.rules import paper_class, ratios
from exchange.store import registers, tally
from exchange.store.pool import Connection

_PERIOD = re.compile(r"(\d{4})(?:-(?:(\d{2})(?:-(\d{2}))?|Q([1-4])|H([12])|W(\d{2})))?", re.ASCII)

YEARS = range(1900, 2200)
"""A year outside is a mistake of typing."""

WHOLE = "*"
"""Every scope (phạm vi)."""

UNKNOWN_SCOPE = ""
"""Of what went on paper to somebody whom the directory does not know."""

COVERAGE_PERCENT = 90
"""Of so many agencies books are wanted before a ratio is said in percent (mức đủ căn cứ), unless the settings say otherwise."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """A span of local days (kỳ báo cáo), both ends included."""

    text: str
    first: date
    last: date


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The counts of one view, period and set of agencies; shape: contract.md, "Tally"."""

    period: Period
    view: str
    scope: str
    as_of: datetime
    classes: Mapping[str, int]
    excluded: Mapping[str, int]
    grade_a: int
    registers: tuple[int, int]


def period(text: str) -> Period:
    """`2019`, `2019-07`, `2019-07-31`, `2019-Q3`, `2019-H1` or `2019-W05`. Raises ValueError for anything else."""
    match = _PERIOD.fullmatch(text)
    if match is None or int(match[1]) not in YEARS or "00" in match.groups():
        raise ValueError(text)
    year, month, day, quarter, half, week = (int(part) if part else 0 for part in match.groups())
    if day:
        return Period(text=text, first=date(year, month, day), last=date(year, month, day))
    if week:
        monday = date.fromisocalendar(year, week, 1)
        return Period(text=text, first=monday, last=monday + timedelta(days=6))
    first, last = _months(month, quarter, half)
    return Period(
        text=text, first=date(year, first, 1), last=date(year, last, calendar.monthrange(year, last)[1])
    )


def _months(month: int, quarter: int, half: int) -> tuple[int, int]:
    if month:
        return month, month
    if quarter:
        return 3 * quarter - 2, 3 * quarter
    return (6 * half - 5, 6 * half) if half else (1, 12)


async def count(
    connection: Connection,
    span: Period,
    *,
    view: str,
    scope: str,
    agencies: Sequence[UUID] | None,
    as_of: datetime,
) -> Tally:
    """The tally of one view (`out` by sender, `in` by recipient); `agencies` None means the whole exchange.

    `scope` is one of the directory's (phạm vi), or WHOLE. Of paper to parties that the directory does not know nobody can
    tell the scope: where there is such paper, no register covers a single scope.
    """
    only = None if scope == WHOLE else scope
    found = await tally.counts(connection, view, span.first, span.last, agencies, only)
    covered = await _coverage(connection, span, view, agencies, as_of)
    if only and await tally.counts(connection, view, span.first, span.last, agencies, UNKNOWN_SCOPE):
        covered = (0, covered[1])
    return Tally(
        period=span, view=view, scope=scope, as_of=as_of,
        classes={klass: _sum(found, "class", klass) for klass in paper_class.CLASSES},
        excluded={record["excluded"]: _sum(found, "excluded", record["excluded"]) for record in found if record["excluded"]},
        grade_a=sum(record["n"] for record in found if record["class"] == "E" and record["grade"] == "A"),
        registers=covered,
    )  # fmt: skip


async def _coverage(
    connection: Connection, span: Period, view: str, agencies: Sequence[UUID] | None, as_of: datetime
) -> tuple[int, int]:
    """How many agencies' books cover the span as far as it is past: of today and days to come no book can tell."""
    last = max(span.first, min(span.last, paper_class.local_day(as_of) - timedelta(days=1)))
    return await registers.coverage(connection, view, span.first, last, agencies)


def sufficient(covered: tuple[int, int], percent: int = COVERAGE_PERCENT) -> bool:
    """Whether enough books are loaded that the ratios can be believed: paper that no book tells of is in none of them."""
    n, d = covered
    return d > 0 and n * 100 >= percent * d


def _sum(found: Sequence[Any], column: str, entry: str) -> int:
    return sum(int(record["n"]) for record in found if record[column] == entry)


def as_json(one: Tally, percent: int = COVERAGE_PERCENT) -> dict[str, Any]:
    """The tally as the contract shows it; `percent`: of so many agencies books are wanted."""
    measured = ratios.measures(one.classes, one.grade_a)
    return {
        "period": one.period.text,
        "view": one.view,
        "scope": one.scope,
        "version": "provisional",
        "as_of": one.as_of.isoformat(timespec="seconds"),
        "classes": dict(one.classes),
        "excluded": dict(one.excluded),
        "measures": {name: {"n": n, "d": d, "text": ratios.text(n, d)} for name, (n, d) in measured.items()},
        "coverage": {
            "registers": {"n": one.registers[0], "d": one.registers[1]},
            "percent": percent,
            "sufficient": sufficient(one.registers, percent),
        },
    }
