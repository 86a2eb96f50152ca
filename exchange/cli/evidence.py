"""`congvan evidence`: a letter's whole evidence as a ZIP, and such a ZIP checked without the exchange.

    evidence LETTER --output FILE.zip [--recipient CODE]     from the configured database
    evidence --check FILE.zip --trust DIR [--tsa DIR]        anywhere, offline

Exit 0: written, or sound. 1: the check found something. 2: no such letter, a file that is no evidence.
"""

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click

from exchange import config, texts
from exchange.broker import evidence as cases
from exchange.broker import evidence_check, receipts
from exchange.cli import answers, screen
from exchange.rules import directory as rules
from exchange.rules import paper_class
from exchange.store import directory, payloads
from exchange.store import evidence as store

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("letter", metavar="[LETTER]", required=False, type=click.UUID)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the ZIP to this file.")
@click.option("--recipient", "code", metavar="CODE", help="Only the transfer to this agency.")
@click.option("--check", "checked", type=_FILE, help="Check this ZIP instead.")
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
    **folders: Path | None,
) -> None:
    """Write a letter's whole evidence into a ZIP, or check such a ZIP offline."""
    given = answers.settings()
    if (letter is None) is (checked is None) or (letter is not None and output is None):
        answers.fail(answers.USAGE, "evidence.one_of")
    if checked is not None:
        _check(checked, folders["trust_folder"], folders["tsa_folder"], given.language, as_json=as_json)
    if letter is not None and output is not None:
        _export(given, letter, output, code)


def _export(given: config.Config, letter: UUID, output: Path, code: str | None) -> None:
    with answers.database(given) as dsn:
        size = answers.reached(_written(given, dsn, letter, output, code))
    if size is None:
        answers.fail(answers.USAGE, "evidence.no_letter", letter=letter)
    click.echo(texts.say("evidence.written", given.language, file=output, size=size), err=True)


async def _written(
    given: config.Config, dsn: str, letter: UUID, output: Path, code: str | None
) -> int | None:
    at = datetime.now(UTC)
    key = await asyncio.to_thread(receipts.load, Path(given.receipt_key_file), "")
    async with answers.connected(dsn) as connection:
        known = await directory.load(connection, paper_class.local_day(at))
        agency = rules.find(known, code, paper_class.local_day(at)) if code else None
        row = await store.letter(connection, letter)
        deliveries = await store.deliveries(connection, letter, agency.id if agency else None)
        if row is None or (code and (agency is None or not deliveries)):
            return None
        package = await cases.gathered(connection, row, deliveries, None)
        raw = await payloads.get(connection, given.data / "payloads", letter)
    codes = {one.id: one.code for one in known.agencies.values()}
    whole = cases.with_bytes(package, raw)
    return await asyncio.to_thread(_put, whole, key, at, codes, output)


def _put(
    package: cases.Package, key: receipts.ReceiptKey, at: datetime, codes: dict[UUID, str], output: Path
) -> int:
    try:
        with output.open("wb") as file:
            cases.write(package, key, at, codes, file)
            return file.tell()
    except OSError as error:
        answers.fail(answers.USAGE, "cli.report_file", file=output, why=error.strerror)


def _check(
    file: Path, trust_folder: Path | None, tsa_folder: Path | None, language: str, *, as_json: bool
) -> None:
    try:
        found = evidence_check.check(
            file,
            [path.read_bytes() for path in _files(trust_folder)],
            [path.read_bytes() for path in _files(tsa_folder)],
        )
    except evidence_check.UnfitError as error:
        answers.fail(answers.USAGE, f"evidence.unfit_{error.code}", file=file, name=texts.clean(error.name))
    except ValueError as error:
        answers.fail(answers.USAGE, "cli.trust_unreadable", why=error)
    (_show_json if as_json else _show)(found, language)
    sys.exit(answers.YES if found.sound else answers.NO)


def _files(folder: Path | None) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_file()) if folder else []


def _show_json(found: evidence_check.Checked, _language: str) -> None:
    answers.show_json(
        {
            "sound": found.sound, "letter": found.letter, "key_id": found.key_id, "accepted_at": found.accepted_at,
            "contents": found.contents, "files": found.files,
            "faults": [{"code": code, "file": name} for code, name in found.faults],
            "signatures": [
                {"where": one.where, "recorded": one.recorded, "found": one.found} for one in found.signatures
            ],
        }
    )  # fmt: skip


def _show(found: evidence_check.Checked, language: str) -> None:
    for key, facts in _sentences(found):
        screen.line(texts.clean(texts.say(f"evidence.{key}", language, **facts)))


def _sentences(found: evidence_check.Checked) -> Iterator[tuple[str, dict[str, object]]]:
    yield "about", {"letter": found.letter, "at": found.accepted_at, "files": found.files}
    yield "key", {"id": found.key_id}
    for code, name in found.faults:
        yield f"fault_{code}", {"name": name}
    for one in found.signatures:
        same = "same" if one.recorded == one.found else "differs"
        yield same, {"where": one.where, "recorded": one.recorded or "–", "found": one.found or "–"}
    if not found.contents:
        yield "no_contents", {}
    yield ("sound" if found.sound else "unsound"), {}
