"""`congvan directory …`: agencies, officers, certificates in one workbook or in sheets, and their versions.

    directory import|export FILE.xlsx        everything in one workbook; --dry-run shows what would change
    directory history, directory undo        versions of the directory, and taking one back
    directory agency import FILE             also officer, certificate: one kind as a CSV sheet
    directory agency export, agency list
    directory certificate propose|confirm|list|expiring|revoked
    directory system …                       the same as `congvan system …`

Exit 1: an undo that something stands in the way of. Exit 2: a file with errors (nothing is written), an unknown code.
"""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

import click

from exchange import texts
from exchange.broker import directory as cases
from exchange.broker.imports import Asked
from exchange.cli import (
    answers,
    certificates,
    confirming,
    import_outcome,
    operators,
    rejudging,
    systems,
    versions,
    workbook,
)
from exchange.rules.directory_entries import AgencyEntry
from exchange.store import directory as store
from exchange.store import directory_sheets
from exchange.store.pool import Pool


@click.group()
def directory() -> None:
    """Agencies, officers and certificates: who may take part, and whose a signature is."""


@directory.group()
def agency() -> None:
    """Agencies (cơ quan, tổ chức) and their codes."""


@directory.group()
def officer() -> None:
    """Officers (cán bộ) who sign."""


@directory.group()
def certificate() -> None:
    """Whose a certificate is (chứng thư chữ ký số)."""


def _importing(kind: str) -> click.Command:
    """The command that imports one kind of sheet: every error at once, all or nothing."""

    @click.command(
        "import", help=f"Import a CSV sheet of the kind {kind}: every error at once, all or nothing."
    )
    @operators.FILE
    @operators.asked
    @operators.JSON
    @operators.LANGUAGE
    def import_sheet(*, file: Path, asked: Asked, as_json: bool, language: str) -> None:
        sheet, at, new_ids = _sheet(kind, file), operators.now(), operators.new_ids()
        with operators.progress("directory.reading", language, file=file.name):
            outcome, judged = operators.on_pool(
                rejudging.followed(
                    lambda pool: cases.import_csv(
                        pool, [sheet], new_ids=new_ids, at=at, dry_run=asked.dry_run, by=asked.by
                    ),
                    language,
                )
            )
        import_outcome.show(outcome, import_outcome.Whence(file=file.name), language, as_json=as_json)
        rejudging.show(judged, language)
        sys.exit(answers.USAGE if outcome.errors else answers.YES)

    return import_sheet


def _exporting(kind: str) -> click.Command:
    """The command that writes one kind of sheet; `import` takes it back without a change."""

    @click.command("export", help=f"Write everything of the kind {kind} as a CSV sheet.")
    @click.option("--output", type=click.File("wb"), default="-", help="A file; standard output without it.")
    @click.option("--headings", type=click.Choice(texts.LANGUAGES), default="en", show_default=True)
    def export_sheet(*, output: BinaryIO, headings: str) -> None:
        output.write(operators.on_pool(lambda pool: _export(pool, kind, headings)))

    return export_sheet


for _group, _kind in ((agency, "agency"), (officer, "officer"), (certificate, "certificate")):
    _group.add_command(_importing(_kind))
    _group.add_command(_exporting(_kind))
for _command in (
    workbook.import_workbook,
    workbook.export_workbook,
    versions.history,
    versions.undo,
    systems.system,
):
    directory.add_command(_command)

for _command in (
    certificates.propose,
    confirming.confirm,
    certificates.list_certificates,
    certificates.expiring,
    certificates.revoked,
):
    certificate.add_command(_command)


@agency.command("list")
@operators.JSON
@operators.LANGUAGE
def list_agencies(*, as_json: bool, language: str) -> None:
    """All agencies by code."""
    found, version = operators.on_pool(_agencies)
    if as_json:
        answers.show_json({"version": version, "agencies": [asdict(entry) for entry in found]})
        return
    lines = [(entry.code, entry.code102, entry.name, entry.kind, entry.parent) for entry in found]
    operators.table(("code", "code102", "name", "kind", "parent"), lines, language)
    click.echo(texts.say("directory.agencies", language, count=len(found), version=version))


def _sheet(kind: str, file: Path) -> cases.Sheet:
    """A sheet and, for certificates, the files beside it that it names."""
    raw = file.read_bytes()
    names = cases.file_names(raw) if kind == "certificate" else ()
    return cases.Sheet(kind=kind, raw=raw, files=operators.beside(file, names))


async def _agencies(pool: Pool) -> tuple[list[AgencyEntry], int]:
    async with pool.acquire() as connection:
        held = await directory_sheets.stored(connection)
        return list(held.state.agencies.values()), await store.version(connection)


async def _export(pool: Pool, kind: str, headings: str) -> bytes:
    async with pool.acquire() as connection:
        return await cases.export_csv(connection, kind, headings)
