"""The directory's one workbook, taken apart: sheets of cells become rows as CSV files would give them.

So a workbook and a sheet mean the same to the plan. What only a workbook can do wrong is told here: formulas, joined
cells, days where codes should stand, sheets that nobody knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from exchange.errors import Finding
from exchange.rules import directory_csv, directory_laid, directory_tabs, xlsx_cells, xlsx_read
from exchange.rules.directory_csv import Bad, Column, Layout, Row, finding
from exchange.rules.directory_entries import CERTIFICATES, OFFICERS
from exchange.rules.directory_tabs import ACCOUNTS, CERTIFICATE_PART, OFFICER_PART, PERSONS
from exchange.rules.xlsx_cells import Cell
from exchange.rules.xlsx_read import Book

BOOK = Layout(name="workbook", columns=())
"""Of findings about the file as a whole."""
MERGED_SHOWN = 5

_WHOSE = frozenset({"agency", "officer"})
_NOTHING = (None, "", ())
_SHEET_OF = {"officer": "person", "certificate": "person", "acts_for": "system"}
_HERE = {
    **{("officer", there): here for here, there in OFFICER_PART.items()},
    ("system", "id"): "system",
}
"""Columns that are called otherwise in the workbook than in the entry they fill."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A workbook taken apart: rows by kind, what is wrong with its cells, and where each column stands."""

    sheets: Mapping[str, directory_csv.Sheet] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    letters: Mapping[tuple[str, str], str] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Tab:
    """A sheet that we know, its cells in lines of one width, and the column of each cell."""

    layout: Layout
    title: str
    lines: Sequence[tuple[int, Sequence[Cell | None]]]
    columns: Sequence[Column | None]
    merged: Sequence[str]


def taken(book: Book) -> Taken:
    """Take a workbook apart. Sheets whose title nobody knows are findings, unless they are empty."""
    tabs: dict[str, _Tab] = {}
    findings: list[Finding] = []
    for sheet in book.sheets:
        known = directory_tabs.tab(sheet.title)
        if known is None or known.layout.name in tabs:
            findings.extend(_stranger(sheet, known))
        else:
            tabs[known.layout.name] = _tab(known.layout, sheet)
    if not tabs:
        findings.append(finding(BOOK, "sheet_no_known", None, known=_titles()))
    if book.linked:
        findings.append(replace(finding(BOOK, "sheet_linked", None), severity="warning"))
    sheets = {name: _sheet(tab) for name, tab in tabs.items()}
    findings.extend(found for tab in tabs.values() for found in (*_numbers(tab), *_merged(tab)))
    return Taken(
        sheets=_divided(sheets),
        findings=tuple(findings),
        letters={place: letters for tab in tabs.values() for place, letters in _letters(tab)},
        titles={name: tab.title for name, tab in tabs.items()},
    )


def place(of: Taken, found: Finding) -> tuple[str, str]:
    """The sheet's title and the cell (F12, or only the row's number) that a finding is about; empty for neither."""
    kind, _, column = found.path.partition(".")
    sheet = _SHEET_OF.get(kind, kind)
    row = "" if found.line is None else str(found.line)
    letters = of.letters.get((sheet, _HERE.get((kind, column), column)), "")
    return of.titles.get(sheet, ""), f"{letters}{row}" if row else ""


def _tab(layout: Layout, sheet: xlsx_read.Sheet) -> _Tab:
    width = max((len(cells) for _, cells in sheet.lines), default=0)
    lines = [(number, [*cells, *[None] * (width - len(cells))]) for number, cells in sheet.lines]
    line, heading = lines[0] if lines else (1, [])
    columns, _ = directory_csv.columns_of(layout, line, [cell.text if cell else "" for cell in heading])
    return _Tab(layout=layout, title=sheet.title, lines=lines, columns=columns, merged=sheet.merged)


def _sheet(tab: _Tab) -> directory_csv.Sheet:
    if not tab.lines:
        return directory_csv.Sheet()
    (line, heading), *rest = tab.lines
    rows = [
        (number, [_cell(cell, column) for cell, column in zip(cells, tab.columns, strict=True)])
        for number, cells in rest
    ]
    return directory_csv.table(tab.layout, [(line, [cell.text if cell else "" for cell in heading]), *rows])


def _cell(cell: Cell | None, column: Column | None) -> str | Bad:
    if cell is None:
        return ""
    if cell.kind == "formula":
        return Bad("sheet_formula_cell", cell=cell.text)
    if cell.kind == "error":
        return Bad("sheet_error_cell", cell=cell.text)
    if cell.kind == "date" and column is not None and not directory_tabs.is_day(column):
        return Bad("sheet_date_as_text", cell=cell.text)
    return cell.text


def _letters(tab: _Tab) -> Iterator[tuple[tuple[str, str], str]]:
    for number, column in enumerate(tab.columns, 1):
        if column:
            yield (tab.layout.name, column.name), xlsx_cells.letters(number)


def _stranger(sheet: xlsx_read.Sheet, known: directory_tabs.Tab | None) -> Iterator[Finding]:
    if known is not None:
        yield finding(BOOK, "sheet_title_twice", None, title=sheet.title)
    elif sheet.lines and not directory_tabs.is_notes(sheet.title):
        yield finding(BOOK, "sheet_unknown_sheet", None, title=sheet.title, known=_titles())


def _titles() -> str:
    return ", ".join(title for tab in directory_tabs.TABS for title in tab.titles.values())


def _numbers(tab: _Tab) -> Iterator[Finding]:
    """Codes that a spreadsheet took for numbers: taken as they are, but zeros in front or at the end may be lost."""
    coded = [
        (at, column.name)
        for at, column in enumerate(tab.columns)
        if column and directory_tabs.is_code(column)
    ]
    for line, cells in tab.lines[1:]:
        for at, name in coded:
            cell = cells[at]
            if cell is not None and cell.kind == "number":
                told = finding(tab.layout, "sheet_number_as_code", line, name, cell=cell.text)
                yield replace(told, severity="warning")


def _merged(tab: _Tab) -> Iterator[Finding]:
    for joined in tab.merged[:MERGED_SHOWN]:
        corner = xlsx_cells.place(joined.partition(":")[0])
        yield finding(tab.layout, "sheet_merged", corner[0] if corner else None, cells=joined)


def _divided(sheets: Mapping[str, directory_csv.Sheet]) -> dict[str, directory_csv.Sheet]:
    """The sheets by kind of entry: accounts refused, officers and certificates each on their own."""
    divided = {name: sheet for name, sheet in sheets.items() if name != "person"}
    if "account" in divided:
        refused = [finding(ACCOUNTS, "sheet_accounts_later", row.line) for row in divided["account"].rows]
        divided["account"] = directory_csv.Sheet(findings=(*divided["account"].findings, *refused))
    if "person" in sheets:
        divided |= _persons(sheets["person"])
    return divided


def _persons(sheet: directory_csv.Sheet) -> dict[str, directory_csv.Sheet]:
    officers = _part(sheet.rows, OFFICERS, OFFICER_PART)
    certificates = _part(sheet.rows, CERTIFICATES, CERTIFICATE_PART)
    told = {row.line for part in (officers, certificates) for row in part.rows}
    idle = [row.line for row in sheet.rows if row.line not in told and not row.bad]
    rows, contradictions = directory_laid.once(OFFICERS, officers.rows)
    unfinished = [finding(PERSONS, "sheet_row_unfinished", line) for line in idle]
    return {
        "person": directory_csv.Sheet(findings=(*sheet.findings, *unfinished)),
        "officer": directory_csv.Sheet(rows=tuple(rows), findings=(*officers.findings, *contradictions)),
        "certificate": certificates,
    }


def _part(rows: Sequence[Row], layout: Layout, part: Mapping[str, str]) -> directory_csv.Sheet:
    """Of each row that says anything of that kind of entry, what it says; an empty cell is the column's default."""
    columns = {column.name: column for column in layout.columns}
    found, findings = [], []
    for row in rows:
        if any(row.given.get(name) not in _NOTHING or name in row.bad for name in part.keys() - _WHOSE):
            given = {there: row.given[here] for here, there in part.items() if here in row.given}
            empty = [name for name, value in given.items() if value is None and columns[name].needed]
            findings += [finding(layout, "sheet_cell_empty", row.line, name) for name in empty]
            bad = {*empty, *(part[name] for name in row.bad if name in part)}
            found.append(Row(line=row.line, given=_whole(given, columns), bad=frozenset(bad)))
    return directory_csv.Sheet(rows=tuple(found), findings=tuple(findings))


def _whole(given: Mapping[str, Any], columns: Mapping[str, Column]) -> dict[str, Any]:
    return {name: columns[name].default if value is None else value for name, value in given.items()}
