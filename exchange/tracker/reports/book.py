"""Registers as annexes of BC-15 (sổ đăng ký văn bản đi, đến): what a book's cover tells of each agency, and one agency's lines.

The lines have the ten columns of Decree 30/2020/NĐ-CP Annex IV (forms I and VI); of several agencies together there is no
register, so that only the summary is told.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from exchange.rules import register_books
from exchange.store.pool import Connection
from exchange.tracker import periods, register_print
from exchange.tracker.reports import make
from exchange.tracker.reports.given import columns
from exchange.tracker.reports.report import Column, Report, Table
from exchange.tracker.reports.spooled import Rows
from exchange.tracker.signature_usage import Asked

CODES: Mapping[str, str] = {"register-out": "out", "register-in": "in"}
"""The annexes that are registers, and the books that they are of."""
_SUMMARY = (
    "agency", "name", "documents", "first_day", "last_day", "first_number", "last_number", "electronic", "both", "paper",
)  # fmt: skip
SUMMARY = columns(*_SUMMARY, keeps=("agency",), numeric=("documents", *_SUMMARY[5:]))
NUMERIC = ("copies",)


async def report(
    connection: Connection,
    code: str,
    asked: Asked,
    scope: Sequence[str],
    language: str,
    folder: Path | None = None,
) -> Report:
    """One row an agency; of one agency alone the lines too, in the reader's language, long ones kept in `folder`.

    Within the caller's transaction.
    """
    book = CODES[code]
    found = await register_print.summary(connection, book, asked.agencies, asked.period)
    rows = [[row["code"], *(row[name] for name in _SUMMARY[1:])] for row in found]
    lines = None
    if asked.agencies is not None and len(asked.agencies) == 1:
        lines = await _lines(connection, book, asked, language, Rows(folder))
    table = Table(name=code, columns=SUMMARY, rows=rows)
    mergers = await make.mergers(connection, asked)
    made = Report(code=code, asked=asked, scope=scope, table=table, annex=lines, lines=mergers)
    return make.told(made, await periods.standing(connection, asked.period), make.Settings())


async def _lines(connection: Connection, book: str, asked: Asked, language: str, rows: Rows) -> Table:
    assert asked.agencies is not None
    async for line in register_print.lines(connection, book, asked.agencies[0], asked.period):
        rows.add([register_print.said(value, language) or None for value in line])
    return Table(name=f"book-{book}", columns=book_columns(book), rows=rows)


def book_columns(book: str) -> tuple[Column, ...]:
    """The columns of Annex IV, under the names by which books are loaded."""
    names = [one.name for one in register_books.books()[book].printed_columns]
    return columns(*names, keeps=names[:1], numeric=NUMERIC)
