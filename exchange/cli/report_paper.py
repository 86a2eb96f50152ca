"""Reports on paper from the command line: what an author gives beside the figures, and the file that is written.

The libraries for DOCX and PDF take as long to load as the rest of the program: they are loaded when paper is asked for.
"""

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from exchange import config, texts
from exchange.cli import answers, operators
from exchange.rules import directory as rules_directory
from exchange.rules import paper_class
from exchange.rules.directory import Agency
from exchange.store import directory
from exchange.tracker.reports.report import Report

FORMATS = ("docx", "pdf")
FILES_ONLY = frozenset({"xlsx", *FORMATS})
"""Forms that no terminal takes: they need --output."""

LETTERHEAD = ("place", "number", "position", "signer")


@dataclass(frozen=True, kw_only=True)
class Print:
    """What goes on paper beside the figures: the file, who issues it, who signs, the target that charts show."""

    output: Path | None
    issuer: str | None
    target: int | None
    letterhead: Mapping[str, str]


def options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options of printed forms, which it gets as one `on_paper`."""

    @click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="the file to write")
    @click.option("--issuer", metavar="CODE", help="code of the agency that issues the report")
    @click.option("--target", type=click.IntRange(0, 100), help="target in percent, shown on charts")
    @click.option("--place", default="", help="place before the date")
    @click.option("--number", default="", help="number and notation of the report")
    @click.option("--position", default="", help="authority and position of the signer")
    @click.option("--signer", default="", help="full name of the signer")
    @functools.wraps(command)
    def called(*, output: Path | None, issuer: str | None, target: int | None, **others: Any) -> None:  # noqa: ANN401 - options of any kind
        letterhead = {name: others.pop(name) for name in LETTERHEAD}
        command(on_paper=Print(output=output, issuer=issuer, target=target, letterhead=letterhead), **others)

    return called


def check(form: str, on_paper: Print) -> None:
    """End (2) where options do not go together."""
    if form in FILES_ONLY and on_paper.output is None:
        answers.fail(answers.USAGE, "form.needs_output", form=form)
    if form not in FORMATS and any((on_paper.issuer, *on_paper.letterhead.values())):
        answers.fail(answers.USAGE, "form.only_files")


def printing() -> Any:  # noqa: ANN401 - a module
    """The printed forms, loaded now."""
    return importlib.import_module("exchange.tracker.forms.printed")


def issued(dsn: str, on_paper: Print) -> dict[str, str]:
    """Who issues the document, by the directory and as given; a code that nobody has ends the command (2)."""
    if on_paper.issuer is None:
        return dict(on_paper.letterhead)
    names = answers.reached(_names(dsn, on_paper.issuer))
    if names is None:
        answers.fail(answers.USAGE, "form.unknown_issuer", agency=on_paper.issuer)
    agency, parent = names
    return {"agency": agency, "parent": parent, **on_paper.letterhead}


async def _names(dsn: str, code: str) -> Sequence[str] | None:
    """The names of an agency today and of the one above it, None for a code that nobody has."""
    today = paper_class.local_day(datetime.now(UTC))
    async with answers.connected(dsn) as connection:
        snapshot = await directory.load(connection, today)
    found = rules_directory.find(snapshot, code, today)
    if found is None:
        return None
    above: Agency | None = snapshot.agencies.get(found.parent) if found.parent else None
    return found.name, above.name if above else ""


def write(
    made: Report, form: str, on_paper: Print, letterhead: Mapping[str, str], given: config.Config
) -> None:
    """Write one report, with the charts that its rows make."""
    keep(printing().of_report(made, letterhead, given.language, on_paper.target), form, on_paper, given)


def keep(document: Any, form: str, on_paper: Print, given: config.Config) -> None:  # noqa: ANN401 - a `page.Form`
    """Write a document to its file; what hinders ends the command (2)."""
    paper, own_fonts = printing(), given.data / "fonts"
    assert on_paper.output is not None
    try:
        with operators.progress("form.writing", given.language, file=on_paper.output.name):
            raw = paper.written(document, form, str(own_fonts))
            on_paper.output.write_bytes(raw)
    except paper.MissingFontError:
        answers.fail(answers.USAGE, "form.no_font", folder=own_fonts)
    except OSError as error:
        answers.fail(answers.USAGE, "form.not_written", file=on_paper.output, why=error.strerror)
    click.echo(texts.say("form.written", given.language, file=on_paper.output, bytes=len(raw)))
