"""Tally (số liệu): how many transfers were fully electronic, with paper, without legal value, undeclared, paper only.

Every ratio stands with its numerator, its denominator and the coverage of the registers that could contradict it.
Source: reference page rules_and_measures, part C.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from exchange.rules import measures, paper_class, ratios
from exchange.rules.reporting_period import Period, period
from exchange.store import registers, tally
from exchange.store.pool import Connection
from exchange.tracker import periods
from exchange.tracker.periods import PROVISIONAL, Standing

__all__ = ["WHOLE", "Period", "Tally", "as_json", "count", "period"]

WHOLE = "*"
"""Every scope (phạm vi)."""

UNKNOWN_SCOPE = ""
"""Of what went on paper to somebody whom the directory does not know."""

COVERAGE_PERCENT = 90
"""Of so many agencies books are wanted before a ratio is said in percent (mức đủ căn cứ), unless the settings say otherwise."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The counts of one view, period and set of agencies; shape: contract.md, "Tally". `whole`: of every type and urgency."""

    period: Period
    view: str
    scope: str
    as_of: datetime
    classes: Mapping[str, int]
    excluded: Mapping[str, int]
    grade_a: int
    registers: tuple[int, int]
    standing: Standing = PROVISIONAL
    whole: bool = True


async def count(  # noqa: PLR0913 - one filter a parameter
    connection: Connection,
    span: Period,
    *,
    view: str,
    scope: str,
    agencies: Sequence[UUID] | None,
    as_of: datetime,
    types: Sequence[str] | None = None,
    urgency: Sequence[int] | None = None,
) -> Tally:
    """The tally of one view (`out` by sender, `in` by recipient); `agencies` None means the whole exchange.

    `scope` is one of the directory's (phạm vi), or WHOLE. Of paper to parties that the directory does not know nobody can
    tell the scope: where there is such paper, no register covers a single scope.
    """
    only = None if scope == WHOLE else scope
    found = await tally.counts(
        connection, view, span.first, span.last, agencies, only, types=types, urgency=urgency
    )
    return Tally(
        period=span, view=view, scope=scope, as_of=as_of,
        classes={klass: _sum(found, "class", klass) for klass in paper_class.CLASSES},
        excluded={record["excluded"]: _sum(found, "excluded", record["excluded"]) for record in found if record["excluded"]},
        grade_a=sum(record["n"] for record in found if record["class"] == "E" and record["grade"] == "A"),
        registers=await coverage(connection, span, view, scope, agencies, as_of),
        standing=await periods.standing(connection, span),
        whole=types is None and urgency is None,
    )  # fmt: skip


async def coverage(
    connection: Connection,
    span: Period,
    view: str,
    scope: str,
    agencies: Sequence[UUID] | None,
    as_of: datetime,
) -> tuple[int, int]:
    """How many agencies' books cover the span as far as it is past: of today and days to come no book can tell."""
    last = max(span.first, min(span.last, paper_class.local_day(as_of) - timedelta(days=1)))
    n, d = await registers.coverage(connection, view, span.first, last, agencies)
    if scope != WHOLE and await tally.counts(
        connection, view, span.first, span.last, agencies, UNKNOWN_SCOPE
    ):
        return 0, d
    return n, d


def sufficient(covered: tuple[int, int], percent: int = COVERAGE_PERCENT) -> bool:
    """Whether enough books are loaded that the ratios can be believed: paper that no book tells of is in none of them."""
    n, d = covered
    return d > 0 and n * 100 >= percent * d


def _sum(found: Sequence[Any], column: str, entry: str) -> int:
    return sum(int(record["n"]) for record in found if record[column] == entry)


def as_json(one: Tally, percent: int = COVERAGE_PERCENT) -> dict[str, Any]:
    """The tally as the contract shows it; `percent`: of so many agencies books are wanted."""
    measured = measures.of_classes(one.classes, one.grade_a)
    return {
        "period": one.period.text,
        "view": one.view,
        "scope": one.scope,
        "version": one.standing.text,
        "sha256": one.standing.sha256.hex() if one.standing.sha256 else None,
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
