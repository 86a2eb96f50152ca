"""`congvan verify`: who signed a file, for whom, when, does it hold, why not and what to do; offline, without a database.

    FILE                a letter (edXML) with its attachments, another signed XML, a PDF, a .p7s or .p7m
    --policy            is the letter signed as it must be?
    --directory FILE    whose certificates are whose: the workbook or CSV sheets that an exchange imports

Exit 0: at least one real signature and all of them TOTAL_PASSED; with --policy: the requirement is met. 1: not so.
2: something cannot be read.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any, TypedDict

import click

from exchange import config, texts
from exchange.broker import offline
from exchange.broker.declared import COPY_FORMS, Declared
from exchange.cli import answers, operators, verdict_cards, verdict_facts
from exchange.cli.verdict_facts import Answer
from exchange.edxml import read, view
from exchange.errors import Finding
from exchange.rules import directory, requirements, xlsx_parts
from signing import p7, trust, verdict, xml_document

MOST_TOLD = 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OPTIONS = (
    click.argument("file", type=_FILE),
    click.option("--trust", "trust_folder", type=_FOLDER),
    click.option("--tsa", "tsa_folder", type=_FOLDER),
    click.option("--crl", "crl_folder", type=_FOLDER),
    click.option("--ocsp", "ocsp_folder", type=_FOLDER),
    click.option("--at", "moment", default=None),
    click.option("--content", type=_FILE),
    click.option("--policy", "asks_policy", is_flag=True),
    click.option("--directory", "directory_files", type=_FILE, multiple=True),
    click.option("--main", default=None),
    click.option("--copy", type=click.Choice(COPY_FORMS), default=COPY_FORMS[0], show_default=True),
    click.option("--json", "as_json", is_flag=True),
)


class Given(TypedDict):
    """The options as click hands them over."""

    file: Path
    trust_folder: Path | None
    tsa_folder: Path | None
    crl_folder: Path | None
    ocsp_folder: Path | None
    moment: str | None
    content: Path | None
    asks_policy: bool
    directory_files: tuple[Path, ...]
    main: str | None
    copy: str
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is asked about which file, when, in which language."""

    file: Path
    trusted: trust.Trust
    at: datetime
    content: Path | None
    declared: Declared
    language: str


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    return reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), command)


@click.command()
@_with_options
def verify(**given: Any) -> None:  # noqa: ANN401 - click's
    """Judge every signature in FILE: a letter (edXML) with its attachments, another signed XML, a PDF, a .p7s or .p7m.

    Exit 0: at least one real signature, and all of them TOTAL_PASSED; with --policy: signed as required. 1: not so.
    2: FILE cannot be read. Nothing is trusted without --trust; without --crl or --ocsp no signature passes.
    """
    options = Given(**given)  # type: ignore[typeddict-item]  # click gives each option, of its type
    language = answers.settings().language
    asked = _Asked(
        file=options["file"],
        trusted=_trusted(options),
        at=_moment(options["moment"]),
        content=options["content"] or _beside(options["file"]),
        declared=Declared(main=options["main"], copy_form=options["copy"]),
        language=language,
    )
    known = _directory(options["directory_files"], asked.at, language)
    answer = _answer(asked, known, asks_policy=options["asks_policy"])
    if options["as_json"]:
        answers.show_json(verdict_facts.facts(answer, language))
    else:
        verdict_cards.show(answer, language)
    sys.exit(answers.YES if answer.good else answers.NO)


def _answer(asked: _Asked, known: directory.Directory | None, *, asks_policy: bool) -> Answer:
    looked = _looked(asked)
    if asks_policy and looked.form != "letter":
        answers.fail(answers.USAGE, "verify.policy_no_letter", file=asked.file.name)
    judgement = None
    if looked.form == "letter":
        policy, snapshot = requirements.DEFAULT, known or directory.Directory(version=0)
        judgement = offline.judged(looked, snapshot, asked.declared, policy, asked.at)
    return Answer(
        file=asked.file.name,
        at=asked.at,
        looked=looked,
        signers=offline.signers(looked, known or directory.Directory(version=0), asked.at, judgement),
        judgement=judgement,
        directory=known,
        asks_policy=asks_policy,
    )


def _looked(asked: _Asked) -> offline.Looked:
    """What the file holds; one that cannot be read ends the command (2)."""
    file = offline.Named(name=asked.file.name, raw=asked.file.read_bytes())
    content = (
        offline.Named(name=asked.content.name, raw=asked.content.read_bytes()) if asked.content else None
    )
    try:
        return offline.look(file, asked.trusted, asked.at, content)
    except (ValueError, verdict.TooComplexError, read.Unreadable) as error:
        answers.fail(answers.USAGE, "cli.unreadable", file=file.name, why=_why(error, asked.language))


def _beside(file: Path) -> Path | None:
    """The file that a signature file signs by its name (`report.pdf.p7s`, else the only `report.*`), if it stands there."""
    if file.suffix.casefold() not in p7.ENDINGS:
        return None
    named = file.with_name(file.name[: -len(file.suffix)])
    if named.is_file():
        return named
    of_stem = [
        one
        for one in file.parent.glob("*")
        if one.stem == named.name and one.suffix.casefold() not in p7.ENDINGS and one.is_file()
    ]
    return of_stem[0] if len(of_stem) == 1 else None


def _trusted(options: Given) -> trust.Trust:
    """What is trusted; a file among it that cannot be read ends the command (2)."""
    try:
        return trust.load(
            config.files(options["trust_folder"]),
            config.files(options["crl_folder"]),
            timestamp_files=config.files(options["tsa_folder"]),
            ocsp_files=config.files(options["ocsp_folder"]),
        )
    except ValueError as error:
        answers.fail(answers.USAGE, "cli.trust_unreadable", why=error)


def _directory(files: tuple[Path, ...], at: datetime, language: str) -> directory.Directory | None:
    """The directory that was given; one with errors ends the command (2)."""
    if not files:
        return None
    read_in = []
    for path in files:
        raw = operators.start_of(path, xlsx_parts.MAX_FILE_BYTES)
        beside = operators.beside(path, offline.file_names(raw))
        read_in.append(offline.DirectoryFile(name=path.name, raw=raw, beside=beside))
    alone = offline.sheets(read_in, at)
    errors = [one for one in alone.findings if one.severity == "error"]
    for one in errors[:MOST_TOLD]:
        where = f"{one.path}:{one.line}" if one.line else one.path
        click.echo(texts.clean(f"{where}: {view.sentence(one, language)}"), err=True)
    if errors:
        answers.fail(answers.USAGE, "verify.directory_errors", count=len(errors))
    return alone.directory


def _why(error: Exception, language: str) -> str:
    match error:
        case read.Unreadable(findings=(found, *_)):
            return view.sentence(found, language)
        case offline.DamagedError(finding=found):
            return view.sentence(found, language)
        case verdict.TooComplexError():
            facts = {"detail": str(error)}
            return view.sentence(Finding(severity="error", code="too_complex", facts=facts), language)
        case xml_document.UnreadableXmlError(code=code, detail=detail):
            return view.sentence(Finding(severity="error", code=code, facts={"detail": detail}), language)
        case _:
            return str(error)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_moment", moment=text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
