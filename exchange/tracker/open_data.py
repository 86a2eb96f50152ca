"""Open data (dữ liệu mở): counts by agency and month for anybody, as Decision 28/2018 Art. 14(3) asks.

Of closed months the newest version that was published; the current month as provisional; a month that is over and not
closed yet is not told. No letters, no persons, nothing of what is not counted.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from exchange import texts
from exchange.rules import paper_class
from exchange.store import open_data, periods
from exchange.store.pool import Connection
from exchange.tracker import tally
from exchange.tracker.periods import Standing
from exchange.tracker.reports import written
from exchange.tracker.tally import Period

MONTHS = 24
"""So many months are told at once, the current one among them."""
VIEWS = ("out", "in")
COLUMNS = (
    "month",
    "version",
    "view",
    "code",
    "name",
    "kind",
    "level",
    *paper_class.CLASSES,
    "total",
    "registers",
)


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month as it is published."""

    period: Period
    standing: Standing
    coverage: Mapping[str, tuple[int, int]]
    rows: Sequence[Mapping[str, Any]]


async def months(connection: Connection, at: datetime) -> list[Month]:
    """The closed months and the current one, oldest first; of one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return [await _month(connection, span, at) for span in await _told(connection, at)]


async def _told(connection: Connection, at: datetime) -> list[Period]:
    today = paper_class.local_day(at)
    current = today.replace(day=1)
    closed = {one.month for one in await periods.versions(connection, date.min, current)}
    chosen = sorted({*closed, current})[-MONTHS:]
    return [tally.period(f"{one:%Y-%m}") for one in chosen]


async def _month(connection: Connection, span: Period, at: datetime) -> Month:
    counted = {
        view: await tally.count(connection, span, view=view, scope=tally.WHOLE, agencies=None, as_of=at)
        for view in VIEWS
    }
    last = max(span.first, min(span.last, paper_class.local_day(at) - timedelta(days=1)))
    rows: list[Mapping[str, Any]] = []
    for view in VIEWS:
        covered = await open_data.covered(connection, view, span.first, last)
        rows += _rows(await open_data.counts(connection, view, span.first, span.last), view, covered)
    return Month(
        period=span,
        standing=counted["out"].standing,
        coverage={view: one.registers for view, one in counted.items()},
        rows=rows,
    )


def _rows(found: Sequence[Mapping[str, Any]], view: str, covered: set[str]) -> Iterator[Mapping[str, Any]]:
    """One row an agency: its counts by class, and whether its register covers the month."""
    agencies: dict[str, dict[str, Any]] = {}
    for one in found:
        row = agencies.setdefault(
            one["code"],
            {
                "view": view, **{name: one[name] for name in ("code", "name", "kind", "level")},
                **dict.fromkeys(paper_class.CLASSES, 0),
            },
        )  # fmt: skip
        row[one["class"]] = int(one["n"])
    for code, row in agencies.items():
        yield {
            **row,
            "total": sum(row[klass] for klass in paper_class.CLASSES),
            "registers": code in covered,
        }


def as_json(
    told: Sequence[Month], at: datetime, exchange: str, percent: int, language: str
) -> dict[str, Any]:
    """Everything as one object, with what its words mean."""
    return {
        "title": texts.say("open_data.title", language),
        "about": texts.say("open_data.about", language),
        "exchange": exchange,
        "as_of": at.isoformat(timespec="seconds"),
        "definitions": {klass: texts.say(f"class.{klass}", language) for klass in paper_class.CLASSES},
        "months": [_told_month(one, percent) for one in told],
    }


def _told_month(one: Month, percent: int) -> dict[str, Any]:
    return {
        "month": one.period.text,
        "version": one.standing.text,
        "sha256": one.standing.sha256.hex() if one.standing.sha256 else None,
        "closed_at": one.standing.closed_at.isoformat(timespec="seconds") if one.standing.closed_at else None,
        "coverage": {
            view: {
                "registers": {"n": n, "d": d},
                "percent": percent,
                "sufficient": tally.sufficient((n, d), percent),
            }
            for view, (n, d) in one.coverage.items()
        },
        "agencies": [dict(row) for row in one.rows],
    }


def as_csv(told: Sequence[Month]) -> str:
    """One row an agency, month and direction, under names that do not change with the language."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for one in told:
        for row in one.rows:
            facts = {
                **row,
                "month": one.period.text,
                "version": one.standing.text,
                "registers": int(row["registers"]),
            }
            writer.writerow(written.harmless(facts[name]) for name in COLUMNS)
    return file.getvalue()
