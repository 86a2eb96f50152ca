"""`congvan show` and `congvan lint`: one message file, without database or network.

show   what a file says            exit 0 readable, 2 not
lint   what is wrong with a file   exit 0 no errors, 1 errors, 2 unreadable
"""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from exchange import errors, texts
from exchange.cli import answers, letter_facts, screen
from exchange.edxml import attachments, model, read, shape, spooled, view

_FILE = click.argument("file", type=click.File("rb"))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_LANGUAGE = click.option(
    "--language",
    type=click.Choice(texts.LANGUAGES),
    default="vi",
    envvar="CONGVAN_LANGUAGE",
    show_default=True,
    help="Language of sentences and labels.",
)
_STYLES = {"error": "bold red", "warning": "yellow", "info": "dim"}


_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@_FILE
@_JSON
@click.option("--files", "folder", type=_FOLDER, default=None)
@click.option("--embed", is_flag=True)
@_LANGUAGE
def show(file: BinaryIO, *, as_json: bool, folder: Path | None, embed: bool, language: str) -> None:
    """Show what the message in FILE says. Exit 0 if it is readable, 2 if not.

    With --json these are the facts from which `congvan new --facts` makes the message again; --files saves the
    attached files in a folder, --embed (with --json) puts them into the facts.
    """
    reading = _read(file.read(read.LIMITS.bytes + 1), language, as_json=as_json)
    attached = reading.message.attachments if isinstance(reading.message, model.Letter) else ()
    if folder:
        _save(attached, folder, language)
    if as_json:
        facts = {"readable": True, **view.facts(reading, language)}
        if embed and isinstance(reading.message, model.Letter):
            facts["files"] = view.files(reading.message)
        answers.show_json(facts)
        return
    _print(reading, language)


def _save(attached: Iterable[model.Attachment], folder: Path, language: str) -> None:
    """Every attached file under its safe name; one that is there already is not written over, and ends the program (2)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        answers.fail(answers.USAGE, "show.cannot_save", name=folder, why=error.strerror or error)
    for one in attached:
        try:
            data = spooled.whole(attachments.content(one))
            with (folder / one.name).open("xb") as file:
                file.write(data)
        except attachments.Damaged:
            click.echo(texts.say("show.not_saved", language, name=one.name), err=True)
        except OSError as error:
            answers.fail(answers.USAGE, "show.cannot_save", name=one.name, why=error.strerror or error)


def _print(reading: model.Reading, language: str) -> None:
    console = screen.console()
    console.print(_facts_table(reading.message, language))
    findings = reading.findings
    if isinstance(reading.message, model.Letter) and reading.message.attachments:
        opened = list(attachments.inspections(reading.message))
        console.print(_attachments_table(reading.message, opened, language))
        findings += tuple(finding for inspection in opened for finding in inspection.findings)
    _print_findings(console, findings, language)


@click.command()
@_FILE
@_JSON
@_LANGUAGE
def lint(file: BinaryIO, *, as_json: bool, language: str) -> None:
    """Say what is wrong with the message in FILE. Exit 0 without errors, 1 with, 2 if it is unreadable."""
    raw = file.read(read.LIMITS.bytes + 1)
    reading = _read(raw, language, as_json=as_json)
    findings = view.findings(reading)
    findings += shape.findings(raw, findings)
    if as_json:
        listed = [view.finding(finding, language) for finding in findings]
        answers.show_json({"readable": True, "repaired": reading.repaired, "findings": listed})
    else:
        console = screen.console()
        _print_findings(console, findings, language)
        _print_summary(console, findings, language)
    sys.exit(any(finding.severity == "error" for finding in findings))


def _read(raw: bytes, language: str, *, as_json: bool) -> model.Reading:
    """The message in a file's bytes; one that is unreadable is told about and ends the program with 2."""
    try:
        return read.read(raw)
    except read.Unreadable as problem:
        if as_json:
            listed = [view.finding(finding, language) for finding in problem.findings]
            answers.show_json({"readable": False, "code": problem.code, "findings": listed})
        else:
            console = screen.console(stderr=True)
            console.print(texts.say("show.unreadable", language))
            _print_findings(console, problem.findings, language)
        sys.exit(2)


def _table(*headings: str) -> Table:
    return Table(*headings, box=box.SIMPLE, show_header=bool(headings), pad_edge=False)


def _facts_table(message: model.Message, language: str) -> Table:
    table = _table()
    table.title = texts.say(f"show.{view.kind(message)}", language)
    table.title_justify = "left"
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, facts in letter_facts.rows(message, language):
        shown = "\n".join(map(texts.clean, facts))
        table.add_row(Text(texts.say(f"show.{label}", language)), Text(shown))
    return table


def _attachments_table(
    letter: model.Letter, opened: Iterable[attachments.Inspection], language: str
) -> Table:
    headings = [texts.say(f"show.{label}", language) for label in ("name", "declared", "kind", "size")]
    table = _table(*headings)
    for attachment, inspection in zip(letter.attachments, opened, strict=True):
        cells = (attachment.name, attachment.content_type, inspection.kind, str(inspection.size))
        table.add_row(*(Text(texts.clean(cell)) for cell in cells))
    return table


def _print_findings(console: Console, findings: Iterable[errors.Finding], language: str) -> None:
    """One line each: severity, code, path, line, sentence."""
    lines = [_finding_line(finding, language) for finding in findings]
    for line in lines or [Text(texts.say("show.none", language))]:
        console.print(line, soft_wrap=True)


def _print_summary(console: Console, findings: Iterable[errors.Finding], language: str) -> None:
    """How many of each severity, if there are any."""
    counted = Counter(finding.severity for finding in findings)
    if counted:
        facts = {f"{severity}s": counted[severity] for severity in ("error", "warning")}
        console.print(texts.say("show.summary", language, notes=counted["info"], **facts))


def _finding_line(finding: errors.Finding, language: str) -> Text:
    told = view.finding(finding, language)
    at = texts.say("show.line", language, line=finding.line) if finding.line else ""
    where = " ".join(part for part in (str(told["path"]), at) if part)
    line = Text(texts.say(f"show.{finding.severity}", language), style=_STYLES[finding.severity])
    line.append(f" {finding.code}", style="bold")
    line.append(f" {where}: " if where else ": ", style="none")
    return line.append(str(told["text"]), style="none")
