"""Registers (sổ đăng ký văn bản): a book's file taken apart into rows, one for each document and party, and findings.

Theory of operation. A book is read line by line (`register_sheet`). Lines before the heading are the book's cover; a page without a
heading is told and left aside, a file without any is refused whole, with the columns that it lacks. After that every line either
gives rows or is told with its number and why: a day that is none, no number, a formula. Nothing is dropped in silence. The whole
file is refused at its end where it was not typed in Unicode, or where cells are joined: what stands under a joined cell is in none.

A row is a transfer on paper: one document to one party. "Nơi nhận" names several, one a line or with semicolons between; what
only tells where the office's own copy lies is no party. A line without a party keeps its place in the number series.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import BinaryIO

from exchange.errors import Finding
from exchange.rules import register_books, register_lines, register_sheet, register_text, xlsx_cells
from exchange.rules.register_books import Book, Headed
from exchange.rules.register_lines import Row
from exchange.rules.xlsx_cells import Cell, Line
from exchange.rules.xlsx_parts import UnreadableError

LOOKED_AT = 40
"""So many lines a book's cover may have above its heading."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which book it is, of which year; `today`: what is dated later has not happened."""

    book: Book
    year: int
    today: date


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One line of a book: its rows, and what is wrong with it. A line with an error gives no rows."""

    line: int
    page: str
    rows: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()


class RefusedError(Exception):
    """A file that is not taken at all, and why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__(", ".join(one.code for one in findings))
        self.findings = tuple(findings)


@dataclass(kw_only=True)
class _Whole:
    """What only the whole file shows."""

    text: register_text.Seen = field(default_factory=register_text.Seen)
    headed: bool = False
    nearest: Headed | None = None


def read(file: BinaryIO, asked: Asked) -> Iterator[Taken]:
    """Every line below a heading. RefusedError, at the start or at the end, for a file that is not taken."""
    whole = _Whole()
    try:
        for page in register_sheet.pages(file, lambda cells: register_books.headed(asked.book, cells).known):
            yield from _page(page, asked, whole)
    except UnreadableError as error:
        raise RefusedError([_why(error)]) from error
    _judge(whole)


def _why(error: UnreadableError) -> Finding:
    facts = {name: str(fact) for name, fact in error.facts.items()}
    return Finding(severity="error", code=error.code, path="register", facts=facts)


def _judge(whole: _Whole) -> None:
    if whole.text.verdict:
        raise RefusedError([register_lines.finding(f"register_{whole.text.verdict}", None)])
    if not whole.headed:
        missing = ", ".join(one.heading for one in whole.nearest.missing) if whole.nearest else ""
        raise RefusedError([register_lines.finding("register_columns_missing", None, columns=missing)])


def _page(page: register_sheet.Page, asked: Asked, whole: _Whole) -> Iterator[Taken]:
    found = _heading(page.lines, asked.book, whole)
    if found is None:
        if page.title:
            told = register_lines.finding("register_page_skipped", None, "info", page=page.title)
            yield Taken(line=0, page=page.title, findings=(told,))
        return
    line, headed = found
    whole.headed = True
    yield Taken(line=line, page=page.title, findings=tuple(_of_heading(line, headed)))
    last = line
    for number, cells in page.lines:
        last = number
        if not register_lines.numbering(cells):
            yield replace(_taken(number, cells, headed, asked, whole), page=page.title)
    _joined(page, line, last)


def _joined(page: register_sheet.Page, heading: int, last: int) -> None:
    """Cells joined among the lines; above them it is the cover."""
    joined = [cells for cells in page.merged if _below(cells, heading) and not _beyond(cells, last)]
    if joined:
        shown = ", ".join(joined[:5])
        told = register_lines.finding(
            "register_merged", None, page=page.title, cells=shown, count=len(joined)
        )
        raise RefusedError([told])


def _below(cells: str, heading: int) -> bool:
    _, _, end = cells.partition(":")
    place = xlsx_cells.place(end or cells)
    return place is None or place[0] > heading


def _beyond(cells: str, last: int) -> bool:
    place = xlsx_cells.place(cells.partition(":")[0])
    return place is not None and place[0] > last


def _heading(lines: Iterator[Line], book: Book, whole: _Whole) -> tuple[int, Headed] | None:
    """The heading's line: the first that has every needed column; the nearest to it is kept for the refusal."""
    for count, (number, cells) in enumerate(lines, 1):
        said = [cell.text if cell else "" for cell in cells]
        whole.text.line(said)
        headed = register_books.headed(book, said)
        if headed.known and not headed.missing:
            return number, headed
        if headed.known and (whole.nearest is None or headed.known > whole.nearest.known):
            whole.nearest = headed
        if count >= LOOKED_AT:
            break
    return None


def _of_heading(line: int, headed: Headed) -> Iterator[Finding]:
    if headed.twice:
        said = ", ".join(dict.fromkeys(headed.twice))
        raise RefusedError([register_lines.finding("register_column_twice", line, columns=said)])
    if headed.unknown:
        yield register_lines.finding(
            "register_columns_unknown", line, "info", columns=", ".join(headed.unknown)
        )


def _taken(number: int, cells: Sequence[Cell | None], headed: Headed, asked: Asked, whole: _Whole) -> Taken:
    typed = whole.text.line([cell.text for cell in cells if cell])
    if typed:
        return Taken(
            line=number, page="", findings=(register_lines.finding(f"register_line_{typed}", number),)
        )
    given = {name: cell for name, cell in zip(headed.fields, cells, strict=False) if name and cell}
    rows, findings = register_lines.rows(number, given, asked.book, asked.year, asked.today)
    return Taken(line=number, page="", rows=rows, findings=findings)
