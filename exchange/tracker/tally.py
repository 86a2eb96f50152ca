"""Tally (số liệu): how many transfers were fully electronic, with paper, without legal value, undeclared, paper only.

Every ratio stands with its numerator, its denominator and the coverage of the registers that could contradict it.
Source: reference page rules_and_measures, part C.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.rules import ratios
from exchange.rules.reporting_period import Period, period
from exchange.store import tally
from exchange.store.pool import Connection
from exchange.tracker import periods
from exchange.tracker.periods import PROVISIONAL, Standing

__all__ = ["WHOLE", "Period", "Tally", "as_json", "count", "period"]

WHOLE = "*"
"""Every scope (phạm vi)."""


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
    standing: Standing = PROVISIONAL


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

    `scope` is one of the directory's (phạm vi), or WHOLE. Registers do not tell the scope of what went on paper: of one
    scope nothing is counted as paper only, and no register covers it.
    """
    only = None if scope == WHOLE else scope
    found = await tally.counts(connection, view, span.first, span.last, agencies, only)
    paper = await tally.paper_only(connection, view, span.first, span.last, agencies)
    registers = await tally.register_coverage(connection, view, span.first, span.last, agencies)
    if only:
        paper, registers = 0, (0, registers[1])
    return Tally(
        period=span, view=view, scope=scope, as_of=as_of,
        classes={**{klass: _sum(found, "class", klass) for klass in ("E", "S", "N", "U")}, "P": paper},
        excluded={record["excluded"]: _sum(found, "excluded", record["excluded"]) for record in found if record["excluded"]},
        grade_a=sum(record["n"] for record in found if record["class"] == "E" and record["grade"] == "A"),
        registers=registers,
        standing=await periods.standing(connection, span),
    )  # fmt: skip


def _sum(found: Sequence[Any], column: str, entry: str) -> int:
    return sum(int(record["n"]) for record in found if record[column] == entry)


def as_json(one: Tally) -> dict[str, Any]:
    """The tally as the contract shows it."""
    measured = ratios.measures(one.classes, one.grade_a)
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
        "coverage": {"registers": {"n": one.registers[0], "d": one.registers[1]}},
    }
