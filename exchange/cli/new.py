"""`congvan new`: a correct letter (edXML) from options and files, as an exchange makes one from facts.

What it writes is read again before it is kept: a letter with a finding is not written. Exit 0: written. 2: something
that was said will not do; everything wrong is told at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import reduce
from pathlib import Path
from typing import Any, TypedDict

import click

from exchange import texts
from exchange.cli import answers, screen
from exchange.cli.language import language
from exchange.edxml import attachments, codes, dates, draft, model, read, view, write
from exchange.edxml.notes import Notes
from exchange.errors import Finding
from exchange.rules import paper_class

_TYPES = {
    "pdf": "application/pdf",
    "xml": "application/xml",
    "zip": "application/zip",
    "txt": "text/plain",
    "p7s": "application/pkcs7-signature",
    "p7m": "application/pkcs7-mime",
}
_OFFICIAL_LETTER = codes.DOCUMENT_TYPES["18"]["name_vi"]
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--from", "sender", required=True, metavar="CODE"),
    click.option("--from-name", default=""),
    click.option("--to", "recipients", required=True, multiple=True, metavar="CODE"),
    click.option("--number", required=True),
    click.option("--notation", required=True),
    click.option("--subject", required=True),
    click.option("--type", "type_name", default=""),
    click.option("--issued", default=None, metavar="DATE"),
    click.option("--place", default=""),
    click.option("--content", default=""),
    click.option("--competence", default=""),
    click.option("--position", default=""),
    click.option("--signer", default=""),
    click.option("--due", default=None, metavar="DATE"),
    click.option("--priority", type=click.IntRange(0, 3), default=0, show_default=True),
    click.option("--paper/--no-paper", default=None),
    click.option("--operation", type=click.Choice(model.OPERATIONS), default="new", show_default=True),
    click.option("--target", default=""),
    click.option("--reason", default=""),
    click.option("--attach", type=_FILE, multiple=True),
    click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path)),
    click.option("--json", "as_json", is_flag=True),
)


class Given(TypedDict):
    """The options as click hands them over."""

    sender: str
    from_name: str
    recipients: tuple[str, ...]
    number: str
    notation: str
    subject: str
    type_name: str
    issued: str | None
    place: str
    content: str
    competence: str
    position: str
    signer: str
    due: str | None
    priority: int
    paper: bool | None
    operation: str
    target: str
    reason: str
    attach: tuple[Path, ...]
    out: Path
    as_json: bool


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    return reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), command)


@click.command()
@_with_options
def new(**given: Any) -> None:  # noqa: ANN401 - click's
    """Make a letter (edXML) from options and files: `congvan show` reads it, `congvan sign` signs it.

    Files that need a signature are signed before they are attached.
    """
    options, at = Given(**given), datetime.now(UTC)  # type: ignore[typeddict-item]  # click gives each, of its type
    if options["operation"] != "new" and not options["target"]:
        answers.fail(answers.USAGE, "new.no_target", operation=options["operation"])
    letter = _letter(options, at)
    raw = write.write(letter)
    findings = [*read.read(raw).findings, *attachments.examine(letter)]
    _tell(findings)
    if any(one.severity == "error" for one in findings):
        answers.fail(answers.USAGE, "new.not_written")
    options["out"].write_bytes(raw)
    if options["as_json"]:
        listed = [view.finding(one, language()) for one in findings]
        answers.show_json(
            {
                "out": str(options["out"]),
                "document_id": letter.document_id,
                "size": len(raw),
                "findings": listed,
            }
        )
    else:
        screen.line(texts.say("new.written", language(), out=options["out"], document_id=letter.document_id))


def _letter(options: Given, at: datetime) -> model.Letter:
    """The letter with its files; everything that is wrong with what was said ends the command (2)."""
    notes = Notes()
    drafted = draft.read(notes, _said(options, at))
    if drafted is None:
        _tell(notes.findings())
        answers.fail(answers.USAGE, "new.not_written")
    encoded = tuple(attachments.encode(one.name, one.data, one.content_type) for one in drafted.files)
    return replace(drafted.letter, attachments=encoded)


def _said(options: Given, at: datetime) -> dict[str, Any]:
    """The options as the facts of a draft, without those that nobody gave."""
    name = _type_name(options)
    facts: dict[str, Any] = {
        "sender": {"code": options["sender"], "name": options["from_name"]},
        "recipients": list(options["recipients"]),
        "number": options["number"],
        "notation": options["notation"],
        "subject": options["subject"],
        "type_name": name,
        "type_code": codes.document_type(name, options["notation"]),
        "issued_on": _day(options["issued"]) or paper_class.local_day(at).isoformat(),
        "due_on": _day(options["due"]),
        "place": options["place"],
        "content": options["content"],
        "signer": _given(
            competence=options["competence"], position=options["position"], name=options["signer"]
        ),
        "priority": options["priority"],
        "paper": None if options["paper"] is None else int(options["paper"]),
        "operation": options["operation"],
        "operation_reason": options["reason"],
        "target_document_id": "" if options["operation"] == "replace" else options["target"],
        "replaced": [{"document_id": options["target"]}] if options["operation"] == "replace" else [],
        "traces": [{"code": options["sender"], "at_text": dates.write_moment(at)}],
        "files": [_file(path) for path in options["attach"]],
    }
    return _given(**facts)


def _given(**facts: Any) -> dict[str, Any]:  # noqa: ANN401 - facts of many kinds
    """Those that somebody gave."""
    return {name: fact for name, fact in facts.items() if fact not in ("", None, {}, [])}


def _type_name(options: Given) -> str:
    """The document's kind by its name or abbreviation, else as the notation tells.

    A notation that names no kind is an official letter's (Decree 30/2020/NĐ-CP, annex I part II, 3b).
    """
    given = options["type_name"]
    for row in codes.DOCUMENT_TYPES.values():
        if given and given in (row["name_vi"], row["abbreviation"]):
            return row["name_vi"]
    code = codes.document_type("", options["notation"])
    return given or (codes.DOCUMENT_TYPES[code]["name_vi"] if code else _OFFICIAL_LETTER)


def _day(text: str | None) -> str | None:
    """A day as ISO 8601, from that or from dd/mm/yyyy; another text is left for the draft to refuse."""
    if text is None:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return _read_day(text, form).isoformat()
        except ValueError:
            continue
    return text


def _read_day(text: str, form: str) -> date:
    return datetime.strptime(text, form).replace(tzinfo=UTC).date()


def _file(path: Path) -> dict[str, Any]:
    kind = _TYPES.get(path.suffix.casefold().lstrip("."), draft.UNNAMED_TYPE)
    return {"name": path.name, "content_type": kind, "data": path.read_bytes()}


def _tell(findings: Sequence[Finding]) -> None:
    for one in findings:
        where = f"{one.path}: " if one.path else ""
        screen.line(f"{one.severity} {one.code} {where}{view.sentence(one, language())}", err=True)
