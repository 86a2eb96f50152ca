"""One line of a book: from its cells to rows, or to what is wrong with it."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Literal
from uuid import UUID

from exchange.errors import Finding
from exchange.rules import directory_csv, document_types, documents, register_books, register_days
from exchange.rules.register_books import Book
from exchange.rules.xlsx_cells import Cell

MOST_TEXT = 2_000
"""Letters kept of what is only shown. What names the parties is never cut: it is as long as a cell may be."""
MOST_COPIES = 100_000
_BULLETS = "-–—•*+·. \t"
_CONTROLS = dict.fromkeys((*range(32), 127), " ")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One document to one party as a book has it (dòng sổ). `party` is empty where none is named.

    `year`, `series`, `number_key`, `notation_key` tell the document apart (`rules.documents`); `moved_on` is the day of the book:
    ngày chuyển of what went out, ngày đến of what came. `entry`: số đến.
    """

    line: int
    year: int
    series: str
    number_key: str
    notation_key: str
    number: str
    notation: str
    issued_on: date | None
    document_type: str
    subject: str
    party: str
    moved_on: date
    copies: int | None = None
    entry: str = ""
    signer: str = ""
    kept_by: str = ""
    handed_to: str = ""
    handed_on: date | None = None
    signed_for: str = ""
    note: str = ""

    @property
    def party_key(self) -> str:
        """The party as two rows are compared by it."""
        return directory_csv.folded(self.party)


def finding(
    code: str, line: int | None, severity: Literal["error", "warning", "info"] = "error", **facts: object
) -> Finding:
    """Something about a line of a book."""
    said = {name: str(fact)[:500] for name, fact in facts.items()}
    return Finding(severity=severity, code=code, path="register", line=line, facts=said)


def numbering(cells: Sequence[Cell | None]) -> bool:
    """Whether a line only numbers the columns: (1) (2) (3)."""
    held = [cell.text.strip("()[] ") for cell in cells if cell]
    return len(held) > 2 and held == [str(place) for place in range(1, len(held) + 1)]  # noqa: PLR2004 - two could be a row


def rows(
    line: int, given: Mapping[str, Cell], book: Book, year: int, today: date
) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    """The rows of a line, one for each party, or its faults: of a line with an error no row is taken."""
    headings = {column.name: column.heading for column in book.columns}
    findings = [
        finding(f"register_{cell.kind}", line, column=headings[name], cell=cell.text)
        for name, cell in given.items()
        if cell.kind in {"formula", "error"}
    ]
    if findings:
        return (), tuple(findings)
    said = {name: _kept(name, _plain(cell.text)) for name, cell in given.items()}
    days = {name: register_days.day(said[name], year) for name in _DAYS if name in said}
    findings = [
        finding("register_bad_day", line, column=headings[name], cell=said[name])
        for name, on in days.items()
        if on is None
    ]
    if findings:
        return (), tuple(findings)
    return _rows(line, said, {name: on for name, on in days.items() if on}, book, _Span(year, today))


_DAYS = ("issued_on", "moved_on", "handed_on")


@dataclass(frozen=True)
class _Span:
    year: int
    today: date


def _rows(
    line: int, said: Mapping[str, str], days: Mapping[str, date], book: Book, span: _Span
) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    findings = list(_day_faults(line, days, book, span))
    issued, kind = days.get("issued_on"), _type(said)
    number, notation = _document(said)
    year = issued.year if issued else span.year
    key = documents.key(_NOBODY, number, notation, issued or date(year, 1, 1), kind)
    if key is None or not key.number[0].isdecimal():
        findings.append(finding("register_no_number", line, cell=f"{number} {notation}".strip()))
    if findings or key is None:
        return (), tuple(findings)
    first = Row(
        line=line, year=year, series=key.series, number_key=key.number, notation_key=key.notation,
        **_shown(number, notation), issued_on=issued, document_type=document_types.named(kind, key.notation),
        subject=said.get("summary", ""), party="", moved_on=days["moved_on"], copies=_copies(said.get("copies", "")),
        handed_on=days.get("handed_on"), **{name: said.get(name, "") for name in _TEXTS},
    )  # fmt: skip
    parties = _parties(said.get("party", ""), book)
    told = () if parties else (finding("register_no_party", line, "warning"),)
    return tuple(_to(first, party) for party in parties or [""]), told


_TEXTS = ("entry", "signer", "kept_by", "handed_to", "signed_for", "note")
_NOBODY = UUID(int=0)


def _to(row: Row, party: str) -> Row:
    made = object.__new__(Row)
    vars(made).update(vars(row), party=party)
    return made


def _day_faults(line: int, days: Mapping[str, date], book: Book, span: _Span) -> Iterator[Finding]:
    """Days that cannot be: none, in the future, moved before issued, or of another year than the book."""
    moved, issued = days.get("moved_on"), days.get("issued_on")
    if moved is None:
        yield finding("register_no_day", line, column=_heading(book, "moved_on"))
        return
    of_book = issued if book.name == "out" else moved
    if book.name == "out" and issued is None:
        yield finding("register_no_day", line, column=_heading(book, "issued_on"))
    if of_book and of_book.year != span.year:
        yield finding("register_other_year", line, day=_written(of_book), year=span.year)
    if moved > span.today:
        yield finding("register_future_day", line, day=_written(moved))
    if issued and moved < issued:
        yield finding("register_moved_before_issued", line, issued=_written(issued), moved=_written(moved))


def _heading(book: Book, name: str) -> str:
    return next(column.heading for column in book.columns if column.name == name)


def _written(on: date) -> str:
    return f"{on:%d/%m/%Y}"


def _plain(text: str) -> str:
    """The lines of a cell, whatever parts them, each without more than one space anywhere."""
    lines = unicodedata.normalize("NFC", text).splitlines()
    return "\n".join(filter(None, (" ".join(line.translate(_CONTROLS).split()) for line in lines)))


def _kept(name: str, text: str) -> str:
    return text if name == "party" else text[:MOST_TEXT]


def _document(said: Mapping[str, str]) -> tuple[str, str]:
    """Number and notation: in one cell as a rule, in two where a book keeps them apart."""
    if "document" in said:
        return said["document"], said.get("notation", "")
    return said.get("number", ""), said.get("notation", "")


def _shown(number: str, notation: str) -> dict[str, str]:
    """As rows show them: what stands before the first stroke is the number."""
    head, _, rest = number.partition("/")
    return {
        "number": head.strip()[: documents.MOST],
        "notation": (rest or notation).strip()[: documents.MOST],
    }


def _type(said: Mapping[str, str]) -> str:
    """The kind of a document: its own column, else what its summary begins with."""
    if said.get("type"):
        return said["type"]
    plain = document_types.fold(said.get("summary", "").split(":")[0])
    return next((name for folded, name in _kinds() if plain == folded or plain.startswith(f"{folded} ")), "")


@cache
def _kinds() -> tuple[tuple[str, str], ...]:
    """Names of kinds, folded and as they are, longest first."""
    named = ((document_types.fold(kind.name), kind.name) for kind in document_types.table())
    return tuple(sorted(named, key=lambda one: -len(one[0])))


def _copies(text: str) -> int | None:
    head = text.split(" ", maxsplit=1)[0]
    return int(head) if head.isascii() and head.isdecimal() and int(head) <= MOST_COPIES else None


def _parties(text: str, book: Book) -> list[str]:
    """The parties of a cell; the author of what came is one."""
    if book.direction == "in":
        return [" ".join(text.split())] if text else []
    parts = (one.strip(_BULLETS) for one in text.replace("\n", ";").split(";"))
    return list(dict.fromkeys(part for part in parts if part and not _own_copy(part)))


def _own_copy(part: str) -> bool:
    plain = directory_csv.folded(part)
    return any(plain == opening or plain.startswith(f"{opening} ") for opening in register_books.no_party())
