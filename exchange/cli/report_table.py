"""Reports on a terminal: what a table says about itself, the table in one part or two or row by row, and footnotes."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table as RichTable

from exchange import texts
from exchange.cli import screen
from exchange.tracker.reports import worded
from exchange.tracker.reports.report import Column, Report, Table, Value
from exchange.tracker.reports.written import heading, ratio

WIDE = 110
WIDEST_TEXT = {False: 20, True: 28}
"""Columns of text are wrapped at so many letters on a narrow terminal, and on a wide one."""
FEW_COLUMNS, WIDEST_OF_FEW = 5, 40
LONGEST_NUMBER = 12
SHORTENED = ("serial", "letter")
"""Columns whose long values are cut in the middle on a terminal; files hold all of them."""
FRAME = 3
HEADING_LINES = (2, 3, 4, 5, 6, 9)
MOST_PARTS = 2


def show(made: Report, language: str, file: TextIO | None = None) -> None:
    """Print a report for people, to a terminal or into a file."""
    console = screen.console() if file is None else screen.console(file=file)
    _say(console, f"report.{made.code}.title", language)
    for name, fact in worded.about(made, language):
        _say(console, f"report.about.{name}", language, **{name: fact})
    _show(console, made.table, language)
    for line in made.lines:
        console.print(worded.sentence(line, language), soft_wrap=True)
    for name, measure in made.measures.items():
        said = texts.say(f"measure.{name}", language)
        console.print(f"{name.partition('_')[0]}  {said}: {ratio(measure, language)}", soft_wrap=True)
    for annex in made.tables[1:]:
        console.print()
        _say(console, f"report.{annex.name}.title", language)
        _show(console, annex, language)
    console.print()
    _say(console, f"report.{made.code}.note", language)


def _say(console: Console, key: str, language: str, **facts: str) -> None:
    console.print(texts.say(key, language, **facts))


def _show(console: Console, table: Table, language: str) -> None:
    """The table in one part or two; where more were needed, each row as a list of its own."""
    widths, parts = _fitted(table, language, console.width)
    if len(parts) > MOST_PARTS:
        for row in table.rows:
            console.print(_card(table, row, language))
        return
    for number, part in enumerate(parts, 1):
        shown = _part(table, part, widths, language)
        if len(parts) > 1:
            shown.caption = texts.say("report.part", language, number=number, of=len(parts))
        console.print(shown)


def _part(table: Table, part: Sequence[int], widths: Sequence[int], language: str) -> RichTable:
    shown = RichTable(caption_justify="left", show_footer=table.total is not None)
    for place in part:
        shown.add_column(
            heading(table, table.columns[place], language),
            justify="right" if table.columns[place].numeric else "left",
            footer=_total(table, place, language),
            width=widths[place],
            overflow="fold",
        )
    for row in table.rows:
        shown.add_row(*(_short(table.columns[place], worded.text(row[place], language)) for place in part))
    return shown


def _card(table: Table, row: Sequence[Value], language: str) -> RichTable:
    """One row as lines of heading and value, without what is empty."""
    shown = RichTable(box=None, show_header=False, pad_edge=False)
    shown.add_column(width=max(len(heading(table, column, language)) for column in table.columns))
    shown.add_column(overflow="fold")
    for column, value in zip(table.columns, row, strict=True):
        if value is not None:
            shown.add_row(heading(table, column, language), worded.text(value, language))
    shown.add_row("", "")
    return shown


def _fitted(table: Table, language: str, width: int) -> tuple[list[int], list[list[int]]]:
    """Widths of the columns, and the parts they make: the lowest headings that need no more parts than the highest ones."""
    fitted = [_widths(table, language, width, lines) for lines in HEADING_LINES]
    parted = [list(_parts(table.columns, widths, width)) for widths in fitted]
    fewest = min(map(len, parted))
    return next(pair for pair in zip(fitted, parted, strict=True) if len(pair[1]) == fewest)


def _widths(table: Table, language: str, width: int, lines: int) -> list[int]:
    most = WIDEST_TEXT[width >= WIDE] if len(table.columns) > FEW_COLUMNS else WIDEST_OF_FEW
    return [_width(table, place, language, most=most, lines=lines) for place in range(len(table.columns))]


def _width(table: Table, place: int, language: str, *, most: int, lines: int) -> int:
    """Letters a column needs: its heading in so many lines, and its cells, wrapped where they are text."""
    column = table.columns[place]
    rows = [*table.rows, *([table.total] if table.total else [])]
    cells = max((len(_short(column, worded.text(row[place], language))) for row in rows), default=0)
    title = _title_width(heading(table, column, language), lines)
    total = len(texts.say("report.total", language)) if table.total and place == 0 else 0
    return max(title, min(cells, LONGEST_NUMBER if column.numeric else most), total)


def _title_width(title: str, lines: int) -> int:
    """The narrowest column in which a heading takes so many lines; its longest word fits in any case."""
    least = max(map(len, title.split()))
    return next(
        width for width in range(least, least + len(title)) if len(textwrap.wrap(title, width)) <= lines
    )


def _total(table: Table, place: int, language: str) -> str:
    if table.total is None:
        return ""
    return texts.say("report.total", language) if place == 0 else worded.text(table.total[place], language)


def _parts(columns: Sequence[Column], widths: Sequence[int], width: int) -> Iterator[list[int]]:
    """Which columns stand together, none wider than the terminal if it can be helped; those that are kept stand in each."""
    kept = [place for place, column in enumerate(columns) if column.keeps]
    part = list(kept)
    for place, column in enumerate(columns):
        if column.keeps:
            continue
        if len(part) > len(kept) and sum(widths[one] + FRAME for one in (*part, place)) + 1 > width:
            yield part
            part = list(kept)
        part.append(place)
    yield part


def _short(column: Column, cell: str) -> str:
    return f"{cell[:4]}…{cell[-4:]}" if column.name in SHORTENED and len(cell) > LONGEST_NUMBER else cell
