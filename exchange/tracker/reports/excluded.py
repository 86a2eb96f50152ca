"""What is not counted (không tính), one list a reason: every transfer of it, so that leaving out can be looked at."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from exchange.store import excluded, listed
from exchange.store.pool import Connection
from exchange.tracker import measures as tracker
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Report, Table, Value, Word
from exchange.tracker.signature_usage import Asked

COLUMNS = making.columns(
    "place", "number", "date", "type", "subject", "sender", "recipient", "sent_at", "arrived_at", "state",
    keeps=("place", "number"), numeric=("place",),
)  # fmt: skip


async def report(given: Given, code: str) -> Report:
    """One row a transfer that is not counted for the reason that `code` names: `X-<reason>`."""
    rows = given.rows()
    async for row in found(given.connection, given.asked, code.removeprefix("X-")):
        rows.number(_row(given, row))
    return given.report(code, Table(name="excluded", columns=COLUMNS, rows=rows))


def found(connection: Connection, asked: Asked, kind: str) -> AsyncIterator[Any]:
    """What the tally has as not counted; what never came as far as the tally is listed all the same. Within a transaction."""
    if kind in excluded.UNTOLD:
        return excluded.untold(connection, kind, asked.filters.view, tracker.span(asked), tracker.cut(asked))
    return listed.excluded(connection, tracker.wanted(asked, "X"), kind)


def _row(given: Given, row: Mapping[str, Any]) -> list[Value]:
    return [
        making.numbered(row),
        row["issued_on"],
        row["document_type"] or None,
        making.shortened(row["subject"]),
        given.code(row["sender"]),
        given.code(row["recipient"]),
        row["at"] or row["day"],
        row["arrived_at"],
        Word(f"delivery_state.{row['state']}") if row["state"] else None,
    ]
