"""One file judged where it lies, without exchange or database: what `congvan verify` asks.

look      a letter with its files, another XML, a PDF, a signature file: everything found out about its signatures
look_at   the same for a letter of any size, as the exchange judges it
judged    whether a letter is signed as it must be, by a directory read from sheets or by none
sheets    such a directory: the workbook, or CSV sheets, that an exchange would import
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from exchange.broker import attached, certificates, intake, workbook
from exchange.broker.caller import Caller
from exchange.broker.declared import Declared
from exchange.edxml import model, read, spool
from exchange.edxml.spooled import Content
from exchange.errors import Finding
from exchange.rules import directory, directory_alone, directory_csv, directory_entries, requirements
from exchange.rules.directory_csv import Sheet
from exchange.rules.signers import Signer, identify
from signing import p7, xmldsig
from signing.trust import Trust
from signing.verdict import Remark, Report

NOBODY = UUID(int=0)
KINDS = ("agency", "officer", "certificate")
_ZIP = b"PK\x03\x04"

Form = Literal["letter", "notice", "xml", "pdf", "p7", "file"]


class DamagedError(ValueError):
    """A letter whose attachment cannot be decoded; `finding` says which."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.code)
        self.finding = finding


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a file is, and all that was found out about its signatures; of a letter also what it says, and its files."""

    form: Form
    report: Report
    reading: model.Reading | None = None
    files: tuple[intake.File, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Named:
    """Bytes and the name that people know them by."""

    name: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class DirectoryFile(Named):
    """A workbook or a CSV sheet; `beside` are the files that stand in its folder, by name."""

    beside: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def look(file: Named, trusted: Trust, at: datetime, content: Named | None = None) -> Looked:
    """Judge every signature of a file. `content`: what a detached signature file signs.

    Raises `read.Unreadable`, DamagedError, `signing.xml_document`'s errors and TooComplexError for what cannot be read.
    """
    form = _form(file)
    if form in ("pdf", "p7", "file"):
        return Looked(form=form, report=_alone(file, form, trusted, at, content))
    try:
        reading = read.read(file.raw)
    except read.Unreadable as error:
        if error.code != "not_edxml":
            raise
        return Looked(form="xml", report=xmldsig.verify(file.raw, trusted, at))
    return _read(reading, xmldsig.verify(file.raw, trusted, at, repaired=reading.repaired), trusted, at)


def look_at(raw: Content, folder: Path, trusted: Trust, at: datetime) -> Looked:
    """The same for a letter of whatever size, judged as the exchange judges it: a large one by what is left without its files.

    Those are put into `folder`, which is the caller's to take away.
    """
    if isinstance(raw, bytes):
        return look(Named(name="letter.xml", raw=raw), trusted, at)
    reading = spool.read_file(raw.path, folder)
    assert reading.skeleton is not None
    package = xmldsig.verify(reading.skeleton, trusted, at, repaired=reading.repaired, cut=True)
    return _read(reading, package, trusted, at)


def _read(reading: model.Reading, package: Report, trusted: Trust, at: datetime) -> Looked:
    """A letter or notice that was read, with its own signatures' report; now those of its files."""
    if isinstance(reading.message, model.Notice):
        return Looked(form="notice", report=package, reading=reading)
    files = intake.files(reading.message)
    if isinstance(files, Finding):
        raise DamagedError(files)
    found = _judged([(one.name, one.raw) for one in files], trusted, at)
    return Looked(form="letter", report=_joined([package, *found]), reading=reading, files=files)


def judged(
    looked: Looked,
    known: directory.Directory,
    declared: Declared,
    policy: requirements.Policy,
    at: datetime,
) -> requirements.Judgement:
    """Whether a letter is signed as it must be; of a sender whom the directory lacks nobody's signature is its own."""
    assert looked.reading is not None
    caller = Caller(system=NOBODY, name="", owner=NOBODY, agencies=frozenset())
    case = intake.intake(known, looked.reading, caller, declared, at)
    if case.sender is None:
        case = replace(case, sender=_stranger(looked.reading, at))
    facts = intake.facts(looked.reading, case, declared, looked.files)
    return requirements.judge(facts, looked.report, known, policy, intake.day(at))


def signers(
    looked: Looked, known: directory.Directory, at: datetime, judgement: requirements.Judgement | None
) -> tuple[Signer, ...]:
    """Who signed, in the order of the verdicts: as the letter's judgement has it, else as the directory alone says."""
    if judgement is not None:
        return judgement.signers
    on = intake.day(at)
    return tuple(identify(verdict, "main", NOBODY, known, on) for verdict in looked.report.verdicts)


def sheets(files: Sequence[DirectoryFile], at: datetime) -> directory_alone.Alone:
    """The directory that these files hold together."""
    found: dict[str, Sheet] = {}
    findings: list[Finding] = []
    for file in files:
        if file.raw.startswith(_ZIP):
            book = workbook.read(file.raw)
            findings.extend(book.taken.findings)
            laid = dict(book.taken.sheets)
        else:
            laid = dict([_csv(file.raw)])
        if "certificate" in laid:
            laid["certificate"] = certificates.completed(laid["certificate"], file.beside)
        found |= laid
    findings.extend(one for sheet in found.values() for one in sheet.findings)
    alone = directory_alone.of({kind: sheet.rows for kind, sheet in found.items()}, intake.day(at))
    return directory_alone.Alone(directory=alone.directory, findings=(*findings, *alone.findings))


def file_names(raw: bytes) -> tuple[str, ...]:
    """The certificate files that a workbook or sheet names."""
    if raw.startswith(_ZIP):
        return workbook.read(raw).file_names
    kind, sheet = _csv(raw)
    return certificates.file_names(sheet) if kind == "certificate" else ()


def _stranger(reading: model.Reading, at: datetime) -> directory.Agency:
    """The sender of a letter where the directory does not know the code: an agency that owns nothing."""
    sender = reading.message.sender
    return directory.Agency(
        id=NOBODY,
        code=sender.code,
        name=sender.name,
        kind="",
        level=1,
        parent=None,
        root=NOBODY,
        valid_from=intake.day(at),
    )


def _csv(raw: bytes) -> tuple[str, Sheet]:
    """A CSV sheet with its kind: the one whose columns it has."""
    read_as = {kind: directory_csv.read(directory_entries.LAYOUTS[kind], raw) for kind in KINDS}
    fitting = [kind for kind, sheet in read_as.items() if sheet.rows] or [KINDS[0]]
    return fitting[0], read_as[fitting[0]]


def _form(file: Named) -> Form:
    if attached.is_signature_file(file.name):
        return "p7"
    if file.raw.startswith(b"%PDF-"):
        return "pdf"
    if attached.is_container(file.raw):
        return "file"
    return "p7" if p7.read(file.raw) is not None else "letter"


def _alone(file: Named, form: Form, trusted: Trust, at: datetime, content: Named | None) -> Report:
    """A file by itself; a signature file under whatever name with the content that is said to be its own."""
    if form == "p7" and content is not None:
        task = attached.Task(
            form="p7", raw=file.raw, where=content.name, carrier=file.name, content=content.raw
        )
        return attached.judge(task, trusted, at)
    if form == "p7":
        return attached.judge(attached.Task(form="p7", raw=file.raw, where=file.name), trusted, at)
    return _joined(_judged([(file.name, file.raw)], trusted, at))


def _judged(files: Sequence[attached.File], trusted: Trust, at: datetime) -> list[Report]:
    return [
        Report(remarks=(one,)) if isinstance(one, Remark) else attached.judge(one, trusted, at)
        for one in attached.tasks(files)
    ]


def _joined(reports: Sequence[Report]) -> Report:
    return Report(
        verdicts=tuple(one for report in reports for one in report.verdicts),
        remarks=tuple(one for report in reports for one in report.remarks),
    )
