"""Reports as workbooks (XLSX): numbers as numbers, days as days, text as text; a sheet a table, and one that says what it is."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from exchange import texts
from exchange.rules import paper_class, ratios, xlsx_write
from exchange.rules.ratios import Measure, Unproven
from exchange.rules.xlsx_write import Figure, Grid
from exchange.tracker.reports import worded, written
from exchange.tracker.reports.report import Column, Dated, Hundredths, Pair, Report, Table, Took, Value, Word

LONGEST, SHORTEST = 48, 9
SAMPLED = 200
"""So many rows tell how wide a column is."""


def write(made: Report, file: Path, language: str) -> None:
    """Write the workbook. Raises OSError."""
    notes = [
        [texts.say(f"report.{made.code}.title", language)],
        *(
            [texts.say(f"report.about.{name}", language, **{name: fact})]
            for name, fact in worded.about(made, language)
        ),
        *([worded.sentence(one, language)] for one in made.lines),
        *(
            [
                f"{name.partition('_')[0]}  {texts.say(f'measure.{name}', language)}: {written.ratio(one, language)}"
            ]
            for name, one in made.measures.items()
        ),
        [],
        [texts.say(f"report.{made.code}.note", language)],
    ]
    about = xlsx_write.Notes(title=texts.say("report.sheet_about", language), lines=notes, widths={1: 110})
    xlsx_write.tables(file, about, [_grid(made, table, language) for table in made.tables])


def _grid(made: Report, table: Table, language: str) -> Grid:
    title = table.name if table is made.table else texts.say(f"report.{table.name}.title", language)
    headings = written.headings(table, language)
    rows = [*table.rows[:SAMPLED], *([table.total] if table.total else [])]
    texts_of = _texts(table, rows, language, len(headings))
    widths = [_width(heading, cells) for heading, cells in zip(headings, texts_of, strict=True)]
    return Grid(
        title=title,
        headings=headings,
        widths=widths,
        rows=(_cells(table.columns, row, language) for row in table.rows),
        total=_total(table, language),
    )


def _texts(table: Table, rows: Sequence[Sequence[Value]], language: str, columns: int) -> list[list[str]]:
    """The cells of each column as people read them, to see how wide they are."""
    shown = [[worded.text(value, language) for _, value in written.flat(table.columns, row)] for row in rows]
    return [[row[place] for row in shown] for place in range(columns)]


def _width(heading: str, cells: Sequence[str]) -> int:
    return min(max(SHORTEST, *map(len, (*cells, *heading.split()))), LONGEST) + 2


def _total(table: Table, language: str) -> list[xlsx_write.Cellular] | None:
    if table.total is None:
        return None
    cells = list(_cells(table.columns, table.total, language))
    place = next((place for place, one in enumerate(cells) if one in {None, ""}), None)
    if place is not None:
        cells[place] = texts.say("report.total", language)
    return cells


def _cells(columns: Sequence[Column], row: Sequence[Value], language: str) -> Iterator[xlsx_write.Cellular]:
    return (_cell(value, language) for _, value in written.flat(columns, row))


def _cell(value: Value, language: str) -> xlsx_write.Cellular:
    match value:
        case None:
            return None
        case Unproven() if value.d:
            return worded.text(value, language)
        case datetime():
            return value.astimezone(paper_class.VIETNAM).replace(tzinfo=None)
        case date():
            return value
        case str():
            return texts.clean(value)
        case Word() | Dated() | Pair():
            return worded.text(value, language)
        case _:
            return _number(value)


def _number(value: int | Measure | Hundredths | Took) -> Figure | None:
    match value:
        case Measure():
            return Figure(ratios.hundredths(*value) / 10_000, xlsx_write.PERCENT) if value.d else None
        case Hundredths():
            return Figure(value.value / 100, xlsx_write.SIGNED if value.signed else xlsx_write.DECIMAL)
        case Took():
            return Figure(value.seconds / 86_400, xlsx_write.HOURS)
        case _:
            return Figure(value, xlsx_write.WHOLE)
