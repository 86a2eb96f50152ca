"""BC-07, not arrived, not confirmed, overdue (chưa tới, chưa xác nhận, quá hạn): as things stand now, oldest first."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from exchange.rules import paper_class, working_days
from exchange.rules.ratios import Measure
from exchange.store import listed
from exchange.tracker import measures as tracker
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Report, Table, Took, Value, Word

COLUMNS = making.columns(
    "place", "number", "urgency", "sender", "recipient", "sent_at", "arrived_at", "state", "due", "overdue", "tries",
    "error", "person", keeps=("place", "number"), numeric=("place", "overdue", "tries"),
)  # fmt: skip
AGES = making.columns(
    "age", "n", "share", "overdue", keeps=("age",), numeric=("n", "share", "overdue"), ratios=("share",)
)
HOURS = ((timedelta(hours=1), "hour"), (timedelta(hours=4), "four_hours"))
DAYS = timedelta(days=3)
BUCKETS = ("hour", "four_hours", "day", "three_days", "more")


async def report(given: Given) -> Report:
    """One row a letter that nobody has confirmed or refused; in the annex how long they have waited."""
    rows, ages, late = given.rows(), Counter[str](), Counter[str]()
    async for row in _waiting(given):
        rows.number(_row(given, row))
        age = _age(row["accepted_at"], given.asked.as_of)
        ages[age] += 1
        late[age] += _late(given, row)
    return given.report(
        "BC-07",
        Table(name="BC-07", columns=COLUMNS, rows=rows),
        annex=Table(
            name="ages",
            columns=AGES,
            rows=[
                [Word(f"report_age.{name}"), ages[name], Measure(ages[name], len(rows)), late[name]]
                for name in BUCKETS
            ],
        ),
    )


async def overdue(given: Given) -> int:
    """How many are overdue now."""
    return sum([_late(given, row) async for row in _waiting(given)])


def _waiting(given: Given) -> AsyncIterator[Any]:
    asked = given.asked
    return listed.waiting(given.connection, asked.filters.view, tracker.span(asked), tracker.cut(asked))


def due(given: Given, row: Mapping[str, Any]) -> datetime:
    """Until when it is to be confirmed: urgent ones at once, others that day or after hours the next working day.

    What has not arrived is reckoned from when it was sent: it should have come at once.
    """
    since, calendar = row["arrived_at"] or row["accepted_at"], given.means.calendar
    urgent: datetime = since + calendar.urgent
    return urgent if row["urgency"] > 0 else working_days.answer_by(calendar, since)


def _late(given: Given, row: Mapping[str, Any]) -> bool:
    return due(given, row) < given.asked.as_of


def _row(given: Given, row: Mapping[str, Any]) -> list[Value]:
    until, late = due(given, row), _late(given, row)
    took = working_days.between(given.means.calendar, until, given.asked.as_of)
    return [
        making.numbered(row),
        making.urgency(row["urgency"]),
        given.code(row["sender"]),
        given.code(row["recipient"]),
        row["accepted_at"],
        row["arrived_at"],
        Word(f"delivery_state.{row['state']}"),
        until,
        Took(round(took.total_seconds())) if late else None,
        row["tries"],
        None,
        None,
    ]


def _age(sent: datetime, now: datetime) -> str:
    age = now - sent
    for limit, name in HOURS:
        if age < limit:
            return name
    if paper_class.local_day(sent) == paper_class.local_day(now):
        return "day"
    return "three_days" if age <= DAYS else "more"
