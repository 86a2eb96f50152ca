"""BC-05, paper beside electronic letters, and why (gửi song song và lý do): every transfer, and what the reasons come to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from exchange.rules import measures
from exchange.store import listed
from exchange.tracker import measures as tracker
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Report, Table, Value, Word

COLUMNS = making.columns(
    "place", "sender", "number", "date", "type", "subject", "recipient", "source", "reason", "justified", "listed",
    keeps=("place", "number"), numeric=("place",),
)  # fmt: skip
REASONS = making.columns(
    "reason",
    "n",
    "share",
    "so_far",
    keeps=("reason",),
    numeric=("n", "share", "so_far"),
    ratios=("share", "so_far"),
)
TYPES = making.columns(
    "type",
    "n",
    "share",
    "so_far",
    keeps=("type",),
    numeric=("n", "share", "so_far"),
    ratios=("share", "so_far"),
)


async def report(given: Given) -> Report:
    """One row a transfer with paper; M7; reasons and types, most frequent first."""
    rows, reasons, types = given.rows(), Counter[Value](), Counter[Value]()
    async for row in listed.parallel(given.connection, tracker.wanted(given.asked, "S")):
        rows.number(_row(given, row))
        reasons[_reason(row)] += 1
        types[row["document_type"] or None] += 1
    figures = measures.together((await given.figures("M7")).values())
    return given.report(
        "BC-05",
        Table(name="BC-05", columns=COLUMNS, rows=rows),
        measures=measures.of(figures, ["M7"]),
        annexes=(
            Table(name="reasons", columns=REASONS, rows=_pareto(reasons)),
            Table(name="types", columns=TYPES, rows=_pareto(types)),
        ),
    )


def _row(given: Given, row: Mapping[str, Any]) -> list[Value]:
    return [
        given.code(row["sender"]),
        making.numbered(row),
        row["issued_on"],
        row["document_type"] or None,
        making.shortened(row["subject"]),
        given.code(row["recipient"]),
        _source(row),
        _reason(row),
        making.word(holds=row["justified"] == "yes"),
        making.listed(row),
    ]


def _source(row: Mapping[str, Any]) -> Word:
    if row["on_register"]:
        return Word("paper_source.register")
    return Word("paper_source.recipient" if row["seen"] else "paper_source.declared")


def _reason(row: Mapping[str, Any]) -> Word:
    return Word(f"paper_reason.{row['reason'] or 'none'}")


def _pareto(counted: Counter[Value]) -> list[Sequence[Value]]:
    return [list(row) for row in making.pareto(counted)]
