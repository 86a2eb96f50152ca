"""What is not counted (không tính), one list a reason: every transfer of it, so that leaving out can be looked at."""

from collections.abc import Mapping
from typing import Any

from exchange.store import listed
from exchange.tracker import measures as tracker
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Report, Table, Value, Word

COLUMNS = making.columns(
    "place", "number", "date", "type", "subject", "sender", "recipient", "sent_at", "arrived_at", "state",
    keeps=("place", "number"), numeric=("place",),
)  # fmt: skip


async def report(given: Given, code: str) -> Report:
    """One row a transfer that is not counted for the reason that `code` names: `X-<reason>`."""
    asked = given.asked
    found = await listed.excluded(
        given.connection, asked.filters.view, code.removeprefix("X-"), tracker.span(asked), tracker.cut(asked)
    )
    rows = making.rows(_row(given, row) for row in found)
    return given.report(code, Table(name="excluded", columns=COLUMNS, rows=rows))


def _row(given: Given, row: Mapping[str, Any]) -> list[Value]:
    return [
        making.numbered(row),
        row["issued_on"],
        row["document_type"] or None,
        making.shortened(row["subject"]),
        given.code(row["sender"]),
        given.code(row["recipient"]),
        row["accepted_at"],
        row["arrived_at"],
        Word(f"delivery_state.{row['state']}"),
    ]
