"""BC-09, refused, returned, taken back, replaced (từ chối, trả lại, thu hồi, thay thế): what was asked, and the answer."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from exchange.rules import measures
from exchange.store import listed
from exchange.tracker import measures as tracker
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import NO, YES, Report, Table, Took, Value, Word

COLUMNS = making.columns(
    "place", "event", "number", "sender", "recipient", "at", "reason", "answer", "answered_at", "took", "instead",
    keeps=("place", "number"), numeric=("place", "took"),
)  # fmt: skip
KINDS = making.columns(
    "event", "reason", "n", "share", keeps=("event", "reason"), numeric=("n", "share"), ratios=("share",)
)
AGENCIES = making.columns(
    "agency", "refused", "requests", "withdrawn", "replaced", keeps=("agency",),
    numeric=("refused", "requests", "withdrawn", "replaced"),
)  # fmt: skip
ANSWERS: Mapping[str, Word] = {"agreed": YES, "refused_request": NO}


async def report(given: Given) -> Report:
    """One row an event; by event and reason, and by the agencies that sent; M15 and M16."""
    asked = given.asked
    rows, reasons, agencies = given.rows(), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    async for row in listed.events(
        given.connection, asked.filters.view, tracker.span(asked), tracker.cut(asked)
    ):
        rows.number(_row(given, row))
        reasons[_event(row), making.shortened(_reason(row)) or ""] += 1
        agencies[given.code(row["sender"]) or "", _event(row).partition("_")[0]] += 1
    figures = measures.together((await given.figures("M15", "M16")).values())
    return given.report(
        "BC-09",
        Table(name="BC-09", columns=COLUMNS, rows=rows),
        measures=measures.of(figures, ("M15", "M16")),
        annexes=(_by_reason(reasons), _by_agency(agencies)),
    )


def _event(row: Mapping[str, Any]) -> str:
    """What it was: a refusal, a request of some kind, a withdrawal before it was registered, or a replacement."""
    if row["event"] == "status":
        return "refused"
    if row["event"] == "asked":
        return f"asked_{row['detail']['kind']}"
    return "replaced" if row["detail"].get("operation") == "replace" else "withdrawn"


def _row(given: Given, row: Mapping[str, Any]) -> list[Value]:
    answered = row["answered_at"]
    return [
        Word(f"report_event.{_event(row)}"),
        making.numbered(row),
        given.code(row["sender"]),
        given.code(row["recipient"]),
        row["at"],
        making.shortened(_reason(row)),
        ANSWERS.get(row["answer"] or ""),
        answered,
        Took(round((answered - row["at"]).total_seconds())) if answered else None,
        row["instead"],
    ]


def _reason(row: Mapping[str, Any]) -> str:
    return row["detail"].get("text") or ""


def _by_reason(counted: Counter[tuple[str, str]]) -> Table:
    rows: list[list[Value]] = [
        [Word(f"report_event.{event}"), reason or None, n, share]
        for (event, reason), n, share, _ in making.pareto(counted)
    ]
    return Table(name="events", columns=KINDS, rows=rows)


def _by_agency(counted: Counter[tuple[str, str]]) -> Table:
    rows: list[list[Value]] = [
        [code, *(counted[code, name] for name in ("refused", "asked", "withdrawn", "replaced"))]
        for code in sorted({code for code, _ in counted})
    ]
    return Table(name="event_agencies", columns=AGENCIES, rows=rows)
