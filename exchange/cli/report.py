"""`congvan report`: every report, and the rows behind measures, as a table, JSON, CSV or XLSX."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from exchange import texts
from exchange.cli import answers, closing, report_asked, report_table, report_xlsx
from exchange.cli.report_asked import Options
from exchange.rules import paper_class, ratios
from exchange.rules.ratios import Measure
from exchange.tracker import signature_usage
from exchange.tracker import tally as counting
from exchange.tracker.reports import make
from exchange.tracker.reports.report import (
    NAMES,
    Column,
    Dated,
    Hundredths,
    Pair,
    Report,
    Table,
    Took,
    Value,
    Word,
)
from signing import trust

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or of a cell that hides one."""


@click.command()
@click.argument("name", metavar="REPORT", type=click.Choice((*NAMES, *closing.ACTS), case_sensitive=False))
@click.argument(
    "set_file", metavar="[FILE]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--period", required=True, help="2019, 2019-07, 2019-07-31, 2019-Q3, 2019-H1, 2019-W05")
@report_asked.options
@report_asked.where
@click.option("--by", "author", default="", metavar="NAME", help="who closes a period")
def report(  # noqa: PLR0913 - one option a parameter
    *,
    name: str,
    set_file: Path | None,
    period: str,
    asked_for: Options,
    form: str,
    output: Path | None,
    author: str,
) -> None:
    """Reports BC-01 to BC-14, all measures, ranks, adoption, indicator sets, and the rows behind M8 to M11 and X."""
    given = answers.settings()
    if (name == "indicators") != (set_file is not None):
        answers.fail(answers.USAGE, "cli.report_indicators")
    span = _span(period)
    if name in closing.ACTS:
        closing.ACTS[name](given, span, author, as_json=form == "json")
        return
    settings, trusted = report_asked.settings(given, set_file), answers.trusted(given)
    with answers.database(given) as dsn:
        made = answers.reached(_made(dsn, name, span, asked_for, trusted, settings))
    if made is None:
        answers.fail(
            answers.USAGE, "cli.unknown_agency", codes=", ".join((*asked_for.codes, *asked_for.subtrees))
        )
    _give(made, form, output, given.language)


def _span(period: str) -> counting.Period:
    try:
        return counting.period(period)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_period", period=period)


async def _made(
    dsn: str,
    name: str,
    span: counting.Period,
    asked_for: Options,
    trusted: trust.Trust,
    settings: make.Settings,
) -> Report | None:
    at = datetime.now(UTC)
    async with answers.connected(dsn) as connection:
        question = await report_asked.asked(connection, span, asked_for, at)
        if question is None:
            return None
        asked, scope = question
        return await make.make(connection, name, asked, trusted, scope, settings)


def _give(made: Report, form: str, output: Path | None, language: str) -> None:
    if output is None:
        _PRINT[form](made, language)
        return
    try:
        _WRITE[form](made, output, language)
    except OSError as error:
        answers.fail(answers.USAGE, "cli.report_file", file=output, why=error.strerror)
    click.echo(texts.say("cli.report_written", language, file=output), err=True)


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
        "filters": filters(made),
        "version": made.version,
        "as_of": made.asked.as_of.isoformat(timespec="seconds"),
        **_table(made.table, language),
        "measures": signature_usage.as_json(made.measures),
        **{line.key: {name: _plain(value) for name, value in line.facts.items()} for line in made.lines},
    }
    body |= {annex.name: _table(annex, language) for annex in made.tables[1:]}
    if made.coverage:
        body["coverage"] = {"registers": {"n": made.coverage[0], "d": made.coverage[1]}}
    return body


def filters(made: Report) -> dict[str, list[str]]:
    """What the report was cut by: each filter with what it held."""
    found: dict[str, list[str]] = {}
    for name, held in made.asked.filters.told:
        found.setdefault(name, []).append(held)
    return found


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
        case Hundredths():
            return value.value / 100
        case Took():
            return value.seconds
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
        writer.writerow(harmless(_cell(value)) for _, value in report_table.flat(table.columns, row))
    return file.getvalue()


def _cell(value: Value) -> str | int | Decimal:
    match value:
        case None:
            return ""
        case Measure():
            return ratios.share(value.n, value.d).replace(",", ".") if value.d else ""
        case Hundredths():
            return Decimal(value.value).scaleb(-2)
        case Took():
            return round(Decimal(value.seconds) / 3600, 2)
        case Dated():
            return f"{value.word.code} {_plain(value.at)}"
        case int():
            return value
        case _:
            return str(_plain(value))


def harmless(cell: str | int | Decimal) -> str | int | Decimal:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _write_json(made: Report, file: Path, language: str) -> None:
    body = json.dumps(as_json(made, language), ensure_ascii=False, indent=1)
    file.write_text(body + "\n", encoding="utf-8")


def _write_csv(made: Report, file: Path, language: str) -> None:
    file.write_bytes(as_csv(made.table, language).encode("utf-8-sig"))


def _write_table(made: Report, file: Path, language: str) -> None:
    with file.open("w", encoding="utf-8") as opened:
        report_table.show(made, language, opened)


_PRINT: Mapping[str, Callable[[Report, str], None]] = {
    "table": report_table.show,
    "json": _print_json,
    "csv": _print_csv,
}
_WRITE: Mapping[str, Callable[[Report, Path, str], None]] = {
    "table": _write_table,
    "json": _write_json,
    "csv": _write_csv,
    "xlsx": report_xlsx.write,
}
