"""`congvan new`: a correct letter or notice (edXML) from options, files and facts, as an exchange makes one from facts.

What it writes is read again before it is kept: with an error nothing is written. Exit 0: written. 2: something that
was said will not do; everything wrong is told at once.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import click

from exchange import texts
from exchange.cli import answers, facts_file, new_facts, screen
from exchange.cli.language import language
from exchange.edxml import attachments, codes, draft, model, read, view, write
from exchange.edxml.notes import Notes
from exchange.errors import Finding

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--from", "sender", default="", metavar="CODE"),
    click.option("--from-name", default=""),
    click.option("--to", "recipients", multiple=True, metavar="CODE"),
    click.option("--number", default=""),
    click.option("--notation", default=""),
    click.option("--subject", default=""),
    click.option("--type", "type_name", default=""),
    click.option("--issued", default=None, metavar="DATE"),
    click.option("--place", default=""),
    click.option("--content", default=""),
    click.option("--competence", default=""),
    click.option("--position", default=""),
    click.option("--signer", default=""),
    click.option("--due", default=None, metavar="DATE"),
    click.option("--priority", type=click.IntRange(0, 4), default=None),
    click.option("--paper/--no-paper", default=None),
    click.option("--attach", type=_FILE, multiple=True),
    click.option("--answers", type=_FILE, default=None),
    click.option("--operation", type=click.Choice(model.OPERATIONS), default=None),
    click.option("--original", type=_FILE, default=None),
    click.option("--target", multiple=True, metavar="ID"),
    click.option("--reason", default=""),
    click.option("--add", multiple=True, metavar="CODE"),
    click.option("--remove", multiple=True, metavar="CODE"),
    click.option("--document-changes", is_flag=True),
    click.option("--replaced-for", multiple=True, metavar="CODE"),
    click.option("--status", type=click.Choice([*codes.STATUSES]), default=None),
    click.option("--facts", type=_FILE, default=None),
    click.option("--files", type=_FOLDER, default=None),
    click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path)),
    click.option("--json", "as_json", is_flag=True),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    return reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), command)


@click.command()
@_with_options
def new(**given: Any) -> None:  # noqa: ANN401 - click's
    """Make a letter or notice (edXML): `congvan show` reads it, `congvan sign` signs it.

    Files that need a signature are signed before they are attached.
    """
    options, at = new_facts.Given(**given), datetime.now(UTC)  # type: ignore[typeddict-item]  # click gives each, of its type
    base = facts_file.read(options["facts"], options["files"])
    message = _notice(options, base, at) if _of_notice(options, base) else _letter(options, base, at)
    raw = write.write(message)
    findings = [*read.read(raw).findings, *_examined(message)]
    _tell(findings)
    if any(one.severity == "error" for one in findings):
        answers.fail(answers.USAGE, "new.not_written")
    _save(options["out"], raw)
    _say(options, message, len(raw), findings)


def _save(path: Path, raw: bytes) -> None:
    """A file that cannot be written ends the command (2)."""
    try:
        path.write_bytes(raw)
    except OSError as error:
        answers.fail(answers.USAGE, "show.cannot_save", name=path, why=error.strerror or error)


def _of_notice(options: new_facts.Given, base: facts_file.Facts) -> bool:
    return options["status"] is not None or base.get("kind") == "notice"


def _letter(options: new_facts.Given, base: facts_file.Facts, at: datetime) -> model.Letter:
    """The letter with its files; everything that is wrong with what was said ends the command (2)."""
    notes = Notes()
    drafted = draft.read(notes, new_facts.of_letter(options, base, at))
    if drafted is None:
        _tell(notes.findings())
        answers.fail(answers.USAGE, "new.not_written")
    return draft.sealed(drafted)


def _notice(options: new_facts.Given, base: facts_file.Facts, at: datetime) -> model.Notice:
    notes = Notes()
    made = draft.notice(notes, new_facts.of_notice(options, base, at))
    if made is None:
        _tell(notes.findings())
        answers.fail(answers.USAGE, "new.not_written")
    return made


def _examined(message: model.Message) -> tuple[Finding, ...]:
    return attachments.examine(message) if isinstance(message, model.Letter) else ()


def _say(options: new_facts.Given, message: model.Message, size: int, findings: Sequence[Finding]) -> None:
    named = message.document_id if isinstance(message, model.Letter) else message.response_for.document_id
    out = options["out"]
    if options["as_json"]:
        listed = [view.finding(one, language()) for one in findings]
        answers.show_json({"out": str(out), "document_id": named, "size": size, "findings": listed})
        return
    screen.line(texts.say("new.written", language(), out=out, document_id=named))
    if isinstance(message, model.Letter) and message.paper is None:
        screen.line(texts.say("new.paper_undeclared", language()), err=True)


def _tell(findings: Sequence[Finding]) -> None:
    for one in findings:
        where = f"{one.path}: " if one.path else ""
        severity = texts.say(f"show.{one.severity}", language())
        screen.line(f"{severity} {one.code} {where}{view.sentence(one, language())}", err=True)
