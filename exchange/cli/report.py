"""`congvan report`: reports, and the rows behind their measures, as a table, JSON or CSV, or on paper (DOCX, PDF)."""

import csv
import functools
import importlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from exchange import config, texts
from exchange.cli import answers, operators, report_made, report_table, screen
from exchange.cli.report_made import Made, Wanted
from exchange.rules import paper_class, ratios
from exchange.rules.ratios import Measure
from exchange.tracker import signature_usage
from exchange.tracker import tally as counting
from exchange.tracker.reports.report import Column, Dated, Pair, Report, Table, Value, Word

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula, or of a cell that hides one."""


PAPER = ("docx", "pdf")


@dataclass(frozen=True, kw_only=True)
class Print:
    """What goes on paper beside the report: the file, who issues it, who signs, the target that charts show."""

    output: Path | None
    issuer: str | None
    target: int | None
    letterhead: Mapping[str, str]


def printable(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of printed forms, which it gets as one `on_paper`."""

    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="the file to write")
    @click.option("--issuer", metavar="CODE", help="code of the agency that issues the report")
    @click.option("--target", type=click.IntRange(0, 100), help="target in percent, shown on charts")
    @click.option("--place", default="", help="place before the date")
    @click.option("--number", default="", help="number and notation of the report")
    @click.option("--position", default="", help="authority and position of the signer")
    @click.option("--signer", default="", help="full name of the signer")
    @functools.wraps(command)
    def called(*, output: Path | None, issuer: str | None, target: int | None, **others: Any) -> None:  # noqa: ANN401
        letterhead = {name: others.pop(name) for name in ("place", "number", "position", "signer")}
        command(
            on_paper=Print(output=output, issuer=issuer, target=target, letterhead=letterhead), **others
        )

    return called


@click.command()
@click.argument("name", metavar="REPORT", type=click.Choice(report_made.EVERY, case_sensitive=False))
@click.option("--period", required=True, help="2019, 2019-07, 2019-07-31, 2019-Q3, 2019-H1, 2019-W05")
@click.option("--agency", "codes", multiple=True, help="agency code; repeat for several; without it: all")
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv", *PAPER]), default="table", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="same as --format json")
@printable
def report(
    *, name: str, period: str, codes: tuple[str, ...], form: str, as_json: bool, on_paper: Print
) -> None:
    """Use of signatures (BC-10), certificates (BC-11), what was not verified (BC-12), rows behind M8 to M11, the periodic report (BC-15)."""
    given = answers.settings()
    try:
        span = counting.period(period)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_period", period=period)
    chosen = "json" if as_json else form
    _usable(name, chosen, on_paper)
    wanted = Wanted(name=name, span=span, codes=codes, issuer=on_paper.issuer, target=on_paper.target)
    made = _made(given, wanted)
    if chosen in PAPER:
        _write(made, chosen, on_paper, given)
    elif made.gathered:
        _PERIODIC[chosen](made, given.language)
    else:
        _PRINT[chosen](made.report, given.language)


def _usable(name: str, form: str, on_paper: Print) -> None:
    """End (2) where options do not go together."""
    if form in PAPER and on_paper.output is None:
        answers.fail(answers.USAGE, "form.needs_output", form=form)
    stray = (on_paper.output, on_paper.issuer, *on_paper.letterhead.values())
    if form not in PAPER and any(stray):
        answers.fail(answers.USAGE, "form.only_files")
    if (name, form) == (report_made.PERIODIC, "csv"):
        answers.fail(answers.USAGE, "form.no_csv")


def _made(given: config.Config, wanted: Wanted) -> Made:
    trusted = answers.trusted(given)
    with answers.database(given) as dsn:
        try:
            return answers.reached(report_made.made(dsn, wanted, trusted))
        except report_made.UnknownAgencyError as error:
            answers.fail(answers.USAGE, error.key, **error.facts)


def _paper() -> Any:  # noqa: ANN401 - a module
    """The printed forms, loaded when one is asked for: their libraries take a third of a second."""
    return importlib.import_module("exchange.cli.report_print")


def _write(made: Made, form: str, on_paper: Print, given: config.Config) -> None:
    paper, own_fonts = _paper(), given.data / "fonts"
    assert on_paper.output is not None
    with operators.progress("form.writing", given.language, file=on_paper.output.name):
        laid = paper.paper(made, on_paper.letterhead, given.language, target=on_paper.target)
        try:
            raw = paper.written(laid, form, str(own_fonts))
            on_paper.output.write_bytes(raw)
        except paper.MissingFontError:
            answers.fail(answers.USAGE, "form.no_font", folder=own_fonts)
        except OSError as error:
            answers.fail(answers.USAGE, "form.not_written", file=on_paper.output, why=error.strerror)
    click.echo(texts.say("form.written", given.language, file=on_paper.output, bytes=len(raw)))


def _print_sections(made: Made, language: str) -> None:
    """The periodic report's sentences under their headings."""
    console = screen.console()
    console.print(texts.say(f"report.{report_made.PERIODIC}.title", language))
    for name, fact in report_table.about(made.report, language):
        console.print(texts.say(f"report.about.{name}", language, **{name: fact}), soft_wrap=True)
    for heading, sentences in _paper().sections(made, language):
        console.print(f"\n{heading}")
        for one in sentences:
            console.print(one, soft_wrap=True)


def _sections_json(made: Made, language: str) -> None:
    """The same as one object, with the figures and the reports that are its annexes."""
    assert made.gathered is not None
    body = {name: one for name, one in as_json(made.report, language).items() if name not in ("columns", "rows")}
    figures = asdict(made.gathered.figures)
    answers.show_json(
        body
        | {
            "measures": signature_usage.as_json(made.gathered.figures.measures),
            "figures": {name: figures[name] for name in ("sent", "received", "excluded", "certificates", "failed")},
            "coverage": {"registers": dict(zip("nd", made.gathered.figures.registers, strict=True))},
            "months": {name: signature_usage.as_json({"M1": one})["M1"] for name, one in made.gathered.months},
            "sections": [
                {"heading": heading, "sentences": sentences}
                for heading, sentences in _paper().sections(made, language)
            ],
            "annexes": {code: as_json(one, language) for code, one in made.annexes.items()},
        }
    )


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
_PERIODIC: Mapping[str, Callable[[Made, str], None]] = {"table": _print_sections, "json": _sections_json}
