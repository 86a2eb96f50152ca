"""`congvan report`: every report, and the rows behind measures, as a table, JSON, CSV or XLSX, or on paper (DOCX, PDF)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import click

from exchange import texts
from exchange.cli import (
    answers,
    closing,
    given_files,
    report_asked,
    report_paper,
    report_periodic,
    report_table,
)
from exchange.cli.report_asked import Options
from exchange.cli.report_paper import Print
from exchange.tracker import tally as counting
from exchange.tracker.forms.wanted import CODE as PERIODIC
from exchange.tracker.reports import cuts, make, workbook
from exchange.tracker.reports.report import NAMES, Report
from exchange.tracker.reports.written import as_json, csv_pieces, json_pieces
from signing import trust


@click.command()
@click.argument(
    "name", metavar="REPORT", type=click.Choice((*NAMES, PERIODIC, *closing.ACTS), case_sensitive=False)
)
@click.argument(
    "set_file", metavar="[FILE]", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--period", required=True, help="2019, 2019-07, 2019-07-31, 2019-Q3, 2019-H1, 2019-W05")
@closing.BY
@click.option(
    "--periods", type=click.IntRange(1, cuts.LONGEST), help="so many periods in a row (BC-04, ranks)"
)
@report_asked.options
@report_asked.in_form
@report_paper.options
def report(
    *, name: str, set_file: Path | None, period: str, asked_for: Options, form: str, on_paper: Print
) -> None:
    """Reports BC-01 to BC-15, all measures, ranks, adoption, indicator sets, and the rows behind M8 to M11 and X."""
    given, span = answers.settings(), _span(period)
    if name in closing.ACTS:
        closing.ACTS[name](given, span, as_json=form == "json")
        return
    report_paper.check(form, on_paper)
    if (name in report_asked.WITH_FILE) != (set_file is not None):
        answers.fail(answers.USAGE, "cli.report_indicators")
    report_asked.check(name, asked_for)
    if name == PERIODIC:
        wanted = report_periodic.Wanted(span=span, asked_for=asked_for, form=form, on_paper=on_paper)
        report_periodic.run(given, wanted)
        return
    settings = replace(report_asked.settings(given, name, set_file), periods=asked_for.periods)
    trusted = given_files.trust_set(given)
    with answers.database(given) as dsn:
        letterhead = report_paper.issued(dsn, on_paper)
        made = answers.reached(_made(dsn, name, span, asked_for, trusted, settings))
    if made is None:
        report_asked.unknown(asked_for)
    if form in report_paper.FORMATS:
        report_paper.write(made, form, on_paper, letterhead, given)
    else:
        _give(made, form, on_paper.output, given.language)


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
    answers.show_json_pieces(json_pieces(as_json(made, language, iter)))


def _print_csv(made: Report, language: str) -> None:
    for piece in chain("\ufeff", csv_pieces(made.table, language)):
        click.echo(piece, nl=False)


def _write_json(made: Report, file: Path, language: str) -> None:
    with file.open("w", encoding="utf-8") as opened:
        opened.writelines(json_pieces(as_json(made, language, iter)))
        opened.write("\n")


def _write_csv(made: Report, file: Path, language: str) -> None:
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        opened.writelines(csv_pieces(made.table, language))


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
    "xlsx": workbook.write,
}
