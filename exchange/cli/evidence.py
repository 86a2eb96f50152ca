"""`congvan evidence`: a letter's whole evidence as a ZIP, and such a ZIP checked without the exchange.

    evidence LETTER --output FILE.zip [--recipient CODE]              from the configured database
    evidence --check FILE.zip --key FILE|ID --trust DIR [--tsa DIR]   anywhere, offline

Exit 0: written, or sound. 1: the check found something, or it is consistent but no --key says whose it must be.
2: no such letter, a file that is no evidence.
"""

import asyncio
import errno
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

import click

from exchange import config, texts
from exchange.broker import evidence as cases
from exchange.broker import evidence_check, receipts
from exchange.broker.evidence_check import Auditor, Expected
from exchange.broker.evidence_pairs import Judged
from exchange.broker.evidence_zip import UnfitError
from exchange.cli import answers, screen
from exchange.edxml.spooled import Spooled
from exchange.rules import directory as rules
from exchange.rules import paper_class
from exchange.store import directory, payloads
from exchange.store import evidence as store
from exchange.store.pool import Connection
from signing import keys

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_KEY_ID = re.compile("[0-9a-f]{16,64}")


class _FailedError(Exception):
    """What ends the command (2): one sentence of the catalogue."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Which letter, its transfer to which agency only, and where the ZIP is to be."""

    letter: UUID
    code: str | None
    output: Path


@click.command()
@click.argument("letter", metavar="[LETTER]", required=False, type=click.UUID)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the ZIP to this file.")
@click.option("--recipient", "code", metavar="CODE", help="Only the transfer to this agency.")
@click.option("--check", "checked", type=_FILE, help="Check this ZIP instead.")
@click.option("--key", "expected", metavar="FILE|ID", multiple=True, help="The exchange's receipt key.")
@click.option("--trust", "trust_folder", type=_FOLDER, help="Whom the auditor trusts.")
@click.option("--tsa", "tsa_folder", type=_FOLDER, help="Whose timestamps the auditor trusts.")
@click.option("--json", "as_json", is_flag=True)
def evidence(
    *,
    letter: UUID | None,
    output: Path | None,
    code: str | None,
    checked: Path | None,
    as_json: bool,
    expected: tuple[str, ...],
    **folders: Path | None,
) -> None:
    """Write a letter's whole evidence into a ZIP, or check such a ZIP offline."""
    given = answers.settings()
    if (letter is None) is (checked is None) or (letter is not None and output is None):
        answers.fail(answers.USAGE, "evidence.one_of")
    if checked is not None:
        auditor = _auditor(folders["trust_folder"], folders["tsa_folder"], expected)
        _check(checked, auditor, given.language, as_json=as_json)
    if letter is not None and output is not None:
        _export(given, letter, output, code)


def _export(given: config.Config, letter: UUID, output: Path, code: str | None) -> None:
    try:
        key = receipts.load(given.receipt_key_file, "")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        answers.fail(answers.USAGE, "evidence.no_key_file", file=given.receipt_key_file, why=why)
    try:
        with answers.database(given) as dsn, _written_whole(output) as file:
            answers.reached(_written(given, dsn, _Asked(letter=letter, code=code, output=output), key, file))
            size = file.tell()
    except _FailedError as failed:
        answers.fail(answers.USAGE, failed.key, **failed.facts)
    click.echo(texts.say("evidence.written", given.language, file=output, size=size), err=True)


@contextmanager
def _written_whole(output: Path) -> Iterator[IO[bytes]]:
    """A file beside `output`, which takes its name when the block ends well; until then what stood there stays."""
    target = Path(os.path.realpath(output))
    if target.exists() and not target.is_file():
        raise _FailedError("cli.report_file", file=output, why=os.strerror(errno.EOPNOTSUPP))
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    except OSError as error:
        raise _FailedError("cli.report_file", file=output, why=error.strerror) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            _kept(output, file)
        _named(Path(name), target, output)
    finally:
        Path(name).unlink(missing_ok=True)


def _named(made: Path, target: Path, output: Path) -> None:
    try:
        made.replace(target)
    except OSError as error:
        raise _FailedError("cli.report_file", file=output, why=error.strerror) from error


def _kept(output: Path, file: IO[bytes]) -> None:
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        raise _FailedError("cli.report_file", file=output, why=error.strerror) from error


async def _written(
    given: config.Config, dsn: str, asked: _Asked, key: receipts.ReceiptKey, file: IO[bytes]
) -> None:
    """The ZIP of a letter, or of its transfer to one agency."""
    at, letter, code = datetime.now(UTC), asked.letter, asked.code
    async with answers.connected(dsn) as connection:
        known = await directory.load(connection, paper_class.local_day(at))
        agency = rules.find(known, code, paper_class.local_day(at)) if code else None
        row = await store.letter(connection, letter)
        deliveries = await store.deliveries(connection, letter, agency.id if agency else None)
        if row is None or (code and (agency is None or not deliveries)):
            raise _FailedError("evidence.no_letter", letter=letter)
        package = await cases.gathered(connection, row, deliveries, None)
        whole = cases.with_bytes(package, await _bytes(connection, given, letter))
        codes = {one.id: one.code for one in known.agencies.values()}
        sealed = cases.Seal(key=key, at=at, codes=codes)
        try:
            await cases.write(whole, sealed, lambda sha256: store.document(connection, sha256), file)
        except (ConnectionError, TimeoutError):
            raise
        except OSError as error:
            raise _FailedError("cli.report_file", file=asked.output, why=error.strerror) from error


async def _bytes(connection: Connection, given: config.Config, letter: UUID) -> bytes | Spooled | None:
    """The letter's bytes; that their file is gone is no fault of the database."""
    try:
        raw = await payloads.get(connection, given.data / "payloads", letter)
        if isinstance(raw, Spooled):
            await asyncio.to_thread(raw.path.stat)
    except OSError as error:
        raise _FailedError("evidence.no_bytes", file=error.filename, why=error.strerror) from error
    return raw


def _auditor(trust_folder: Path | None, tsa_folder: Path | None, expected: Iterable[str]) -> Auditor:
    """What the options bring along; a file among it that cannot be read ends the command (2)."""
    try:
        trusted, stamps = config.files(trust_folder), config.files(tsa_folder)
    except OSError as error:
        answers.fail(answers.USAGE, "cli.trust_unreadable", why=error)
    return Auditor(trust_files=trusted, timestamp_files=stamps, expected=[_expected(one) for one in expected])


def _expected(text: str) -> Expected:
    """A key by its id, or in a file."""
    if _KEY_ID.fullmatch(text.casefold()) and not Path(text).exists():
        return Expected(sha256=text.casefold())
    try:
        key = keys.load_statement_public_key(Path(text).read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        answers.fail(answers.USAGE, "client.bad_receipt_key", file=texts.clean(text), why=why)
    return Expected(sha256=keys.public_key_sha256(key), key=key)


def _check(file: Path, auditor: Auditor, language: str, *, as_json: bool) -> None:
    try:
        found = evidence_check.check(file, auditor)
    except UnfitError as error:
        answers.fail(answers.USAGE, f"evidence.unfit_{error.code}", file=file, name=texts.clean(error.name))
    except ValueError as error:
        answers.fail(answers.USAGE, "cli.trust_unreadable", why=error)
    (_show_json if as_json else _show)(found, language)
    sys.exit(answers.YES if found.standing == evidence_check.SOUND else answers.NO)


def _show_json(found: evidence_check.Checked, _language: str) -> None:
    answers.show_json(
        {
            "standing": found.standing, "sound": found.standing == evidence_check.SOUND, "letter": found.letter,
            "key_id": found.key_id, "receipt_key_id": found.receipt_key_id, "key_compared": found.compared,
            "accepted_at": found.accepted_at, "contents": found.contents, "files": found.files,
            "receipt_left_out": found.receipt_left_out,
            "faults": [{"code": code, "file": name} for code, name in found.faults],
            "signatures": [
                {"where": one.where, "recorded": one.recorded, "found": one.found, "examined": one.examined}
                for one in found.signatures
            ],
        }
    )  # fmt: skip


def _show(found: evidence_check.Checked, language: str) -> None:
    for key, facts in _sentences(found):
        screen.line(texts.clean(texts.say(f"evidence.{key}", language, **facts)))


def _sentences(found: evidence_check.Checked) -> Iterator[tuple[str, dict[str, object]]]:
    yield "about", {"letter": found.letter, "at": found.accepted_at, "files": found.files}
    yield "key" if found.compared else "key_not_compared", {"id": found.key_id}
    if found.receipt_key_id != found.key_id:
        yield "earlier_key", {"id": found.receipt_key_id}
    for code, name in found.faults:
        yield f"fault_{code}", {"name": name}
    yield from _of_signatures(found.signatures)
    if not found.contents:
        yield "no_receipt" if found.receipt_left_out else "no_contents", {}
    yield found.standing, {}


def _of_signatures(
    signatures: Sequence[Judged],
) -> Iterator[tuple[str, dict[str, object]]]:
    for one in signatures:
        key = "unexamined" if not one.examined else "differs" if one.differs else "same"
        yield key, {"where": one.where, "recorded": one.recorded or "–", "found": one.found or "–"}
