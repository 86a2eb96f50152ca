"""Reports on a terminal: what a table says about itself, the table in as many parts as the width asks for, and footnotes.

Numbers, days and moments are written as Vietnamese write them, in every language, as the ratios are.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from rich.console import Console
from rich.table import Table as RichTable

from exchange import texts
from exchange.cli import screen
from exchange.rules import paper_class, ratios
from exchange.rules.ratios import Measure
from exchange.tracker.reports.report import Column, Dated, Line, Pair, Report, Table, Value, Word

NOTHING = "—"
WIDE = 110
WIDEST_TEXT = {False: 20, True: 28}
"""Columns of text are wrapped at so many letters on a narrow terminal, and on a wide one."""
LONGEST_NUMBER = 12
SHORTENED = ("serial", "letter")
"""Columns whose long values are cut in the middle on a terminal; files hold all of them."""
FRAME = 3


def show(made: Report, language: str) -> None:
    """Print a report for people."""
    console = screen.console()
    _say(console, f"report.{made.code}.title", language)
    for name, fact in _about(made, language):
        _say(console, f"report.about.{name}", language, **{name: fact})
    _show(console, made.table, language)
    for line in made.lines:
        console.print(_line(line, language), soft_wrap=True)
    for name, measure in made.measures.items():
        console.print(f"{name}  {texts.say(f'measure.{name}', language)}: {measure.text}", soft_wrap=True)
    if made.annex:
        _say(console, f"report.{made.annex.name}.title", language)
        _show(console, made.annex, language)
    _say(console, f"report.{made.code}.note", language)


def _say(console: Console, key: str, language: str, **facts: str) -> None:
    console.print(texts.say(key, language, **facts))


def _about(made: Report, language: str) -> Iterator[tuple[str, str]]:
    """What every table says about itself: period, scope, unit, version, moment."""
    period = made.asked.period
    yield "period", f"{period.text} ({text(period.first, language)} – {text(period.last, language)})"
    yield "scope", ", ".join(made.scope) or texts.say("report.everybody", language)
    yield "unit", texts.say(f"report.{made.code}.unit", language)
    yield "version", texts.say(f"report.version.{made.version}", language)
    yield "as_of", text(made.asked.as_of, language)


def _line(line: Line, language: str) -> str:
    """A sentence with its numbers; the check line names the states there are."""
    if line.key != "balance":
        facts = {name: text(value, language) for name, value in line.facts.items()}
        return texts.say(f"report.{line.key}", language, **facts)
    parts = [
        f"{text(n, language)} {texts.say(f'certificate_state.{state}', language).lower()}"
        for state, n in line.facts.items()
        if state != "issued"
    ]
    return texts.say(
        "report.balance", language, issued=text(line.facts["issued"], language), parts=" + ".join(parts)
    )


def _show(console: Console, table: Table, language: str) -> None:
    widths = [
        _width(table, position, language, wide=console.width >= WIDE)
        for position in range(len(table.columns))
    ]
    parts = list(_parts(table.columns, widths, console.width))
    for number, part in enumerate(parts, 1):
        shown = RichTable(title_justify="left", caption_justify="left", show_footer=table.total is not None)
        if len(parts) > 1:
            shown.caption = texts.say("report.part", language, number=number, of=len(parts))
        for place in part:
            column = table.columns[place]
            shown.add_column(
                heading(table, column, language),
                justify="right" if column.numeric else "left",
                footer=_total(table, place, language),
                width=widths[place],
                overflow="fold",
            )
        for row in table.rows:
            shown.add_row(*(_short(table.columns[place], text(row[place], language)) for place in part))
        console.print(shown)


def _total(table: Table, place: int, language: str) -> str:
    if table.total is None:
        return ""
    return texts.say("report.total", language) if place == 0 else text(table.total[place], language)


def _width(table: Table, place: int, language: str, *, wide: bool) -> int:
    """Letters a column needs: the longest word of its heading, and its cells, wrapped where they are text."""
    column = table.columns[place]
    rows = [*table.rows, *([table.total] if table.total else [])]
    cells = max((len(_short(column, text(row[place], language))) for row in rows), default=0)
    words = max(map(len, heading(table, column, language).split()))
    most = LONGEST_NUMBER if column.numeric else WIDEST_TEXT[wide]
    total = len(texts.say("report.total", language)) if table.total and place == 0 else 0
    return max(words, min(cells, most), total)


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


def heading(table: Table, column: Column, language: str, name: str = "") -> str:
    """The heading of a column, or of the part of it that is called `name`."""
    return texts.say(f"report_column.{table.name}.{name or column.name}", language)


def _short(column: Column, cell: str) -> str:
    return f"{cell[:4]}…{cell[-4:]}" if column.name in SHORTENED and len(cell) > LONGEST_NUMBER else cell


def text(value: Value, language: str) -> str:
    """One value for people."""
    match value:
        case None:
            return NOTHING
        case Word():
            return texts.say(value.key, language)
        case Dated():
            return f"{text(value.word, language)}, {text(value.at, language)}"
        case date():
            return _day(value)
        case int() | Pair() | Measure():
            return _number(value)
        case _:
            return texts.clean(value)


def _number(value: int | Pair | Measure) -> str:
    match value:
        case Measure():
            return ratios.share(value.n, value.d)
        case Pair():
            return f"{ratios.grouped(value.first)} / {ratios.grouped(value.second)}"
        case _:
            return ratios.grouped(value)


def _day(value: date) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(paper_class.VIETNAM):%d/%m/%Y %H:%M}"
    return f"{value:%d/%m/%Y}"
