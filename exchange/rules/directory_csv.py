"""Sheets of the directory (danh mục) as CSV: bytes in, rows and line-numbered findings out, and back.

Theory of operation. A sheet is a table that people keep in a spreadsheet: UTF-8 with or without byte order mark,
commas or semicolons, headings in English or Vietnamese in any order. `read` takes each line apart by a layout
(`directory_entries` has the three we know) and reports everything wrong with it at once, by line and column; what
lines mean together, and beside what the directory holds, is for `directory_plan`.

A column that the sheet does not have says nothing: what is stored stays. A column that it has is the truth: an
empty cell there means the column's default. So a sheet of two columns changes one fact of each agency, and a sheet
written by `write` changes nothing when it is read again.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from exchange import texts
from exchange.errors import Finding

MAX_BYTES = 32 << 20
MAX_FINDINGS = 2_000
"""Of one sheet; how many more there are is told in one."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Value = str | int | bool | date | tuple[str, ...] | None


@dataclass(frozen=True)
class Bad:
    """A cell that cannot be read: the code of its finding, what would do, and what stands there if it is no text."""

    code: str
    wanted: str = ""
    cell: str = ""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: the field it fills, its Vietnamese headings (the first is the one written), how a cell is read.

    `needed`: no empty cell, and a new entry must have it. `default`: what an empty cell means.
    """

    name: str
    headings: tuple[str, ...]
    read: Callable[[str], Value | Bad]
    needed: bool = False
    default: Value = ""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A kind of sheet (loại bảng): agency, officer or certificate, and its columns in the order they are written."""

    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line taken apart: what it gives, by field, and the fields whose cells were bad."""

    line: int
    given: Mapping[str, Any]
    bad: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet read: its rows in order and everything wrong with its cells."""

    rows: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(layout: Layout, raw: bytes) -> Sheet:
    """Take a sheet apart. What cannot be read is in the findings; nothing is raised."""
    if len(raw) > MAX_BYTES:
        return _refused(layout, "sheet_too_large", None, megabytes=MAX_BYTES >> 20)
    try:
        text = raw.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        return _refused(layout, "sheet_not_utf8", error.object.count(b"\n", 0, error.start) + 1)
    lines, broken = _lines(text)
    if not lines and broken is None:
        return _refused(layout, "sheet_empty", 1)
    sheet = table(layout, lines) if lines else Sheet()
    torn = () if broken is None else (finding(layout, "sheet_not_csv", broken),)
    return Sheet(rows=sheet.rows, findings=(*sheet.findings, *torn))


def write(layout: Layout, entries: Iterable[object], language: str = "en") -> bytes:
    """A sheet of these entries, as `read` takes it; with a byte order mark, for spreadsheets need one."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(column.name if language == "en" else column.headings[0] for column in layout.columns)
    writer.writerows(
        [texts.clean(cell(getattr(entry, column.name))) for column in layout.columns] for entry in entries
    )
    return BYTE_ORDER_MARK + text.getvalue().encode()


def cell(value: Value) -> str:
    """A value as a sheet shows it."""
    if isinstance(value, tuple):
        return ";".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def finding(layout: Layout, code: str, line: int | None, column: str = "", **facts: object) -> Finding:
    """An error of a sheet; its path is the sheet's kind and the column, as in `agency.parent`."""
    path = f"{layout.name}.{column}" if column else layout.name
    said = {name: str(fact)[:500] for name, fact in facts.items()}
    return Finding(severity="error", code=code, path=path, line=line, facts=said)


def folded(text: str) -> str:
    """A heading or a listed word as it is compared: no case, no Vietnamese marks, one blank between words."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    unmarked = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in unmarked).split())


def _refused(layout: Layout, code: str, at: int | None, **facts: object) -> Sheet:
    return Sheet(findings=(finding(layout, code, at, "", **facts),))


def _lines(text: str) -> tuple[list[tuple[int, list[str]]], int | None]:
    """Lines that are not blank, with the number of the first line of each (a quoted cell may hold line ends).

    Second, the number of the line from which on the text is no CSV, if there is one.
    """
    heading = text.lstrip("\r\n").partition("\n")[0]
    delimiter = ";" if heading.count(";") > heading.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, before = [], 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append((before + 1, cells))
            before = reader.line_num
    except csv.Error:
        return lines, before + 1
    return lines, None


def table(layout: Layout, lines: Sequence[tuple[int, Sequence[str | Bad]]]) -> Sheet:
    """Lines of cells with their numbers, the first of them headings, taken apart; at least one."""
    (line, heading), *rest = lines
    columns, findings = columns_of(layout, line, [_shown(cell) for cell in heading])
    if findings:
        return Sheet(findings=tuple(findings))
    rows, more = [], 0
    for number, cells in rest:
        row, wrong = _row(layout, columns, number, cells)
        rows.append(row)
        kept = wrong[: MAX_FINDINGS - len(findings)]
        findings.extend(kept)
        more += len(wrong) - len(kept)
    if more:
        findings.append(finding(layout, "sheet_more_faults", None, count=more))
    return Sheet(rows=tuple(rows), findings=tuple(findings))


def columns_of(
    layout: Layout, line: int, heading: Sequence[str]
) -> tuple[list[Column | None], list[Finding]]:
    """The column of each cell of the heading; an unknown one is an error, else a misspelt column would be lost."""
    known = {folded(name): column for column in layout.columns for name in (column.name, *column.headings)}
    found = [known.get(folded(cell)) for cell in heading]
    findings = []
    for cell, column in zip(heading, found, strict=True):
        if column is None and cell.strip():
            findings.append(finding(layout, "sheet_unknown_column", line, name=cell, known=_names(layout)))
        elif column is not None and found.count(column) > 1:
            findings.append(finding(layout, "sheet_column_twice", line, column.name, name=cell))
    return found, findings


def _names(layout: Layout) -> str:
    return ", ".join(column.name for column in layout.columns)


def _row(
    layout: Layout, columns: Sequence[Column | None], line: int, cells: Sequence[str | Bad]
) -> tuple[Row, list[Finding]]:
    if len(cells) != len(columns):
        wrong = finding(layout, "sheet_cells", line, cells=len(cells), columns=len(columns))
        return Row(line=line, given={}, bad=frozenset({"*"})), [wrong]
    given: dict[str, Value] = {}
    findings, bad = [], set()
    for column, cell in zip(columns, cells, strict=True):
        taken, name = _taken(column, cell), column.name if column else ""
        if isinstance(taken, Bad):
            facts = {"cell": _shown(cell), "wanted": taken.wanted}
            findings.append(finding(layout, taken.code, line, name, **facts))
            bad.add(name)
        elif column:
            given[name] = taken
    return Row(line=line, given=given, bad=frozenset(bad)), findings


def _shown(cell: str | Bad) -> str:
    return cell.cell if isinstance(cell, Bad) else cell


def _taken(column: Column | None, cell: str | Bad) -> Value | Bad:
    if isinstance(cell, Bad):
        return cell
    text = " ".join(unicodedata.normalize("NFC", cell).split())
    if column is None:
        return Bad("sheet_cell_without_column") if text else None
    if not text:
        return Bad("sheet_cell_empty") if column.needed else column.default
    return column.read(text)
