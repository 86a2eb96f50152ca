"""A workbook (XLSX) that a clerk can fill in: the one home of openpyxl.

Codes are text and stay so, days are days, closed lists can be chosen from, headings stand still. Text is written as
text whatever it begins with: nothing that we write is ever a formula.
"""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, NamedTuple, cast

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from exchange import texts

TEXT, DAY, MOMENT = "@", "dd/mm/yyyy", "dd/mm/yyyy hh:mm"
WHOLE, DECIMAL, SIGNED, PERCENT, HOURS = "#,##0", "0.00", "+0.00;-0.00;0.00", "0.00%", "[h]:mm"
LONGEST_TITLE = 31
FIRST_DAY = date(1900, 3, 1)
"""Days before it have no serial number that all programs agree on; they are written as text."""
ROWS_TO_FILL = 5_000
"""How far below the last row a new one still has its lists to choose from."""

_HEADING = Font(bold=True)
_GROUND = PatternFill("solid", fgColor="FFE7EEF7")
LONGEST_TEXT = 32_767
"""Letters in one cell; programs take no more."""
_FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
_LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

Value = str | int | date | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a sheet: heading, width in characters, what may be chosen; `day`: it holds dates."""

    heading: str
    width: int = 16
    choices: tuple[str, ...] = ()
    day: bool = False


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet (trang tính): its columns and rows, as wide as the columns are many."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]


@dataclass(frozen=True, kw_only=True)
class Notes:
    """The first sheet: lines that tell how to fill in the others; a line of several cells is a table's."""

    title: str
    lines: Sequence[Sequence[str]]
    widths: Mapping[int, int] = field(default_factory=dict)


class Figure(NamedTuple):
    """A number and how it is shown."""

    value: float
    form: str


Cellular = str | date | Figure | None


@dataclass(frozen=True, kw_only=True)
class Grid:
    """One table of a report: headings that stand still, widths in characters, rows as they come, perhaps a last one."""

    title: str
    headings: Sequence[str]
    widths: Sequence[int]
    rows: Iterable[Iterable[Cellular]]
    total: Iterable[Cellular] | None = None


def tables(file: Path, notes: Notes, grids: Sequence[Grid]) -> None:
    """Write a workbook row by row: rows go to disk as they come, however many. Raises OSError."""
    book = Workbook(write_only=True)
    book.properties.creator = "congvan"
    for grid in grids:
        _grid(_streamed(book, grid.title), grid)
    sheet = _streamed(book, notes.title)
    for column, width in notes.widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = width
    for place, line in enumerate(notes.lines):
        sheet.append([_text(sheet, text, bold=not place, wrapped=True) for text in line])
    book.save(file)


def _streamed(book: Workbook, title: str) -> Worksheet:
    """A sheet whose rows go to disk; it takes widths and a frozen heading like any other, which its type does not tell."""
    return cast("Worksheet", book.create_sheet(_FORBIDDEN.sub(" ", title)[:LONGEST_TITLE]))


def _grid(sheet: Worksheet, grid: Grid) -> None:
    sheet.freeze_panes = "A2"
    for number, width in enumerate(grid.widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.append([_heading(sheet, text) for text in grid.headings])
    for row in grid.rows:
        sheet.append([_streamed_cell(sheet, value) for value in row])
    if grid.total is not None:
        cells = [_streamed_cell(sheet, value) for value in grid.total]
        for cell in cells:
            cell.font = _HEADING
        sheet.append(cells)


def _heading(sheet: Worksheet, text: str) -> Cell:
    cell = _text(sheet, text, bold=True, wrapped=True)
    cell.fill = _GROUND
    return cell


def _streamed_cell(sheet: Worksheet, value: Cellular) -> Cell:
    if value is None:
        return WriteOnlyCell(sheet)
    if isinstance(value, Figure):
        cell = WriteOnlyCell(sheet, value.value)
        cell.number_format = value.form
        return cell
    if isinstance(value, date) and (value.date() if isinstance(value, datetime) else value) >= FIRST_DAY:
        cell = WriteOnlyCell(sheet)
        cell.value, cell.number_format = value, MOMENT if isinstance(value, datetime) else DAY
        return cell
    return _text(sheet, str(value))


def _text(sheet: Worksheet, given: str, *, bold: bool = False, wrapped: bool = False) -> Cell:
    """Text, whatever it begins with: never a formula."""
    text = _LIKE_ESCAPE.sub("_x005F_", texts.clean(given))[:LONGEST_TEXT]
    cell = WriteOnlyCell(sheet, "")
    cell.value, cell.data_type, cell.number_format = text, "s", TEXT
    cell.quotePrefix = text[:1] in set("=+-@")
    if bold:
        cell.font = _HEADING
    if wrapped:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def write(notes: Notes, sheets: Sequence[Sheet]) -> bytes:
    """The workbook's bytes."""
    book = Workbook()
    book.properties.creator = "congvan"
    first = book.active
    assert isinstance(first, Worksheet)
    _notes(first, notes)
    for sheet in sheets:
        _sheet(book.create_sheet(sheet.title), sheet)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def _notes(sheet: Worksheet, notes: Notes) -> None:
    sheet.title = notes.title
    for row, cells in enumerate(notes.lines, 1):
        for column, text in enumerate(cells, 1):
            cell = _put(sheet, row, column, text)
            cell.alignment = Alignment(wrap_text=len(cells) > 1, vertical="top")
            if row == 1:
                cell.font = _HEADING
    for column, width in notes.widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = width


def _sheet(sheet: Worksheet, given: Sheet) -> None:
    sheet.freeze_panes = "A2"
    for number, column in enumerate(given.columns, 1):
        cell = _put(sheet, 1, number, column.heading)
        cell.font, cell.fill = _HEADING, _GROUND
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        _column(sheet, number, column, 1 + len(given.rows))
    for row, values in enumerate(given.rows, 2):
        for number, value in enumerate(values, 1):
            if value not in {None, ""}:
                _put(sheet, row, number, value)
    last = get_column_letter(len(given.columns))
    sheet.auto_filter.ref = f"A1:{last}{max(2, 1 + len(given.rows))}"


def _column(sheet: Worksheet, number: int, column: Column, last: int) -> None:
    letter = get_column_letter(number)
    dimension = sheet.column_dimensions[letter]
    dimension.width = column.width
    dimension.number_format = DAY if column.day else TEXT  # what is typed in later is of the same kind
    if column.choices:
        listed = DataValidation(
            type="list",
            formula1='"' + ",".join(column.choices) + '"',
            allow_blank=True,
            showErrorMessage=True,
        )
        listed.add(f"{letter}2:{letter}{last + ROWS_TO_FILL}")
        sheet.add_data_validation(listed)


def _put(sheet: Worksheet, row: int, column: int, value: Value) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)
    _fill(cell, value)
    return cell


def _fill(cell: Cell, value: Value) -> None:
    if isinstance(value, date) and value >= FIRST_DAY:
        cell.value, cell.number_format = value, DAY
    elif isinstance(value, int):
        cell.value = value
    else:
        text = _LIKE_ESCAPE.sub("_x005F_", texts.clean(str(value)))
        cell.value, cell.data_type, cell.number_format = text, "s", TEXT
        cell.quotePrefix = text[:1] in set("=+-@")


class Roll:
    """One sheet written row by row, of which nothing is held in memory: a heading that stands still, then any number of rows."""

    def __init__(self, title: str, columns: Sequence[Column]) -> None:
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(title)
        self._sheet.freeze_panes = "A2"
        for number, column in enumerate(columns, 1):
            self._sheet.column_dimensions[get_column_letter(number)].width = column.width
        self._sheet.append([self._cell(column.heading, _HEADING) for column in columns])

    def add(self, values: Sequence[Value]) -> None:
        """One more row."""
        self._sheet.append([None if value in {None, ""} else self._cell(value) for value in values])

    def save(self, file: IO[bytes]) -> None:
        """Write the workbook; nothing can be added after that."""
        self._book.save(file)

    def _cell(self, value: Value, font: Font | None = None) -> Cell:
        cell = WriteOnlyCell(self._sheet)
        assert isinstance(cell, Cell)
        _fill(cell, value)
        if font:
            cell.font = font
        return cell
