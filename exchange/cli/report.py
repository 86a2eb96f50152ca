"""`congvan report`: reports, and the rows behind their measures, as a table, JSON or CSV, or on paper (DOCX, PDF)."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import click

from exchange import texts
from exchange.cli import answers, report_paper, report_periodic, report_table, tally
from exchange.cli.report_paper import Print
from exchange.rules import paper_class, ratios
from exchange.rules.ratios import Measure
from exchange.tracker import signature_usage
from exchange.tracker import tally as counting
from exchange.tracker.forms.wanted import CODE as PERIODIC
from exchange.tracker.reports import make
from exchange.tracker.reports.report import NAMES, Column, Dated, Pair, Report, Table, Value, Word
from exchange.tracker.signature_usage import Asked
from signing import trust

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or of a cell that hides one."""


@click.command()
@click.argument("name", metavar="REPORT", type=click.Choice((*NAMES, PERIODIC), case_sensitive=False))
@click.option("--period", required=True, help="2019, 2019-07, 2019-07-31, 2019-Q3, 2019-H1, 2019-W05")
@click.option("--agency", "codes", multiple=True, help="agency code; repeat for several; without it: all")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv", *report_paper.FORMATS]), default="table",
    show_default=True,
)  # fmt: skip
@click.option("--json", "json_wanted", is_flag=True, help="same as --format json")
@report_paper.options
def report(
    *, name: str, period: str, codes: tuple[str, ...], form: str, json_wanted: bool, on_paper: Print
) -> None:
    """Use of signatures (BC-10), certificates (BC-11), what was not verified (BC-12), rows behind M8 to M11, the periodic report (BC-15)."""
    given, form = answers.settings(), "json" if json_wanted else form
    report_paper.check(form, on_paper)
    try:
        span = counting.period(period)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_period", period=period)
    if name == PERIODIC:
        wanted = report_periodic.Wanted(span=span, codes=codes, form=form, on_paper=on_paper)
        report_periodic.run(given, wanted, as_json)
        return
    trusted = answers.trusted(given)
    with answers.database(given) as dsn:
        letterhead = report_paper.issued(dsn, on_paper)
        made = answers.reached(_made(dsn, name, span, codes, trusted))
    if made is None:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=", ".join(codes))
    if form in report_paper.FORMATS:
        report_paper.write(made, form, on_paper, letterhead, given)
    else:
        _PRINT[form](made, given.language)


async def _made(
    dsn: str, name: str, span: counting.Period, codes: Sequence[str], trusted: trust.Trust
) -> Report | None:
    at = datetime.now(UTC)
    async with answers.connected(dsn) as connection:
        found = await tally.agencies(connection, codes, at)
        if None in found:
            return None
        chosen = [one.id for one in found if one] if codes else None
        asked = Asked(period=span, agencies=chosen, as_of=at)
        return await make.make(connection, name, asked, trusted, [one.code for one in found if one])


def _print_json(made: Report, language: str) -> None:
    answers.show_json(as_json(made, language))


def as_json(made: Report, language: str) -> dict[str, Any]:
    """The report as one object: what it says about itself, then rows by the names of their columns."""
    body: dict[str, Any] = {
        "report": made.code,
        **{name: texts.say(f"report.{made.code}.{name}", language) for name in ("title", "unit", "note")},
        "period": made.asked.period.text,
        "first": made.asked.period.first.isoformat(),
        "last": made.asked.period.last.isoformat(),
        "agencies": list(made.scope),
        "version": made.version,
        "as_of": made.asked.as_of.isoformat(timespec="seconds"),
        **_table(made.table, language),
        "measures": signature_usage.as_json(made.measures),
        **{line.key: {name: _plain(value) for name, value in line.facts.items()} for line in made.lines},
    }
    if made.annex:
        body[made.annex.name] = _table(made.annex, language)
    return body


def _table(table: Table, language: str) -> dict[str, Any]:
    titles = {
        name: report_table.heading(table, column, language, name)
        for column in table.columns
        for name in column.parts or (column.name,)
    }
    shown: dict[str, Any] = {"columns": titles, "rows": [_object(table.columns, row) for row in table.rows]}
    return shown | ({"total": _object(table.columns, table.total)} if table.total else {})


def _object(columns: Sequence[Column], row: Sequence[Value]) -> dict[str, Any]:
    return dict(_members(columns, row))


def _members(columns: Sequence[Column], row: Sequence[Value]) -> Iterator[tuple[str, Any]]:
    for column, value in zip(columns, row, strict=True):
        if isinstance(value, Pair):
            assert column.parts is not None
            yield from zip(column.parts, (value.first, value.second), strict=True)
        else:
            yield column.name, _plain(value)


def _plain(value: Value) -> Any:  # noqa: ANN401 - whatever JSON holds
    match value:
        case Word():
            return value.code
        case Measure():
            return {"n": value.n, "d": value.d, "text": value.text}
        case Dated():
            return {"result": value.word.code, "at": _plain(value.at)}
        case datetime():
            return value.astimezone(paper_class.VIETNAM).isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case _:
            return value


def _print_csv(made: Report, language: str) -> None:
    click.echo("\ufeff" + as_csv(made.table, language), nl=False)


def as_csv(table: Table, language: str) -> str:
    """One row of headings, then one row a row; no total. What a spreadsheet would take for a formula gets an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(
        report_table.heading(table, column, language, name)
        for column in table.columns
        for name in column.parts or (column.name,)
    )
    for row in table.rows:
        writer.writerow(harmless(_cell(value)) for _, value in _flat(table.columns, row))
    return file.getvalue()


def _flat(columns: Sequence[Column], row: Sequence[Value]) -> Iterator[tuple[str, Value]]:
    for column, value in zip(columns, row, strict=True):
        if isinstance(value, Pair):
            yield from ((column.name, part) for part in (value.first, value.second))
        else:
            yield column.name, value


def _cell(value: Value) -> str | int:
    match value:
        case None:
            return ""
        case Measure():
            return ratios.share(value.n, value.d).replace(",", ".") if value.d else ""
        case Dated():
            return f"{value.word.code} {_plain(value.at)}"
        case int():
            return value
        case _:
            return str(_plain(value))


def harmless(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


_PRINT: Mapping[str, Callable[[Report, str], None]] = {
    "table": report_table.show,
    "json": _print_json,
    "csv": _print_csv,
}
