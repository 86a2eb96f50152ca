"""`congvan directory …` and `congvan system …`: agencies, officers, certificates from sheets; systems and their keys.

    directory agency import FILE      also officer, certificate; --dry-run shows what would change
    directory agency export           the whole directory as a sheet that `import` takes
    directory agency list
    system add|list|rotate|disable    a system's key is shown once

Exit 2: a sheet with errors (nothing is written), an unknown code or system.
"""

import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NoReturn, TypeVar
from uuid import UUID

import click
from rich import box
from rich.table import Table
from rich.text import Text

from exchange import ids, texts
from exchange.broker import directory as cases
from exchange.cli import answers, import_outcome, screen
from exchange.rules import paper_class
from exchange.rules.directory_entries import AgencyEntry
from exchange.store import directory as store
from exchange.store import directory_sheets, systems
from exchange.store import pool as pools
from exchange.store.pool import Pool

MAX_CERTIFICATE_BYTES = 1 << 20

Result = TypeVar("Result")

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_LANGUAGE = click.option(
    "--language",
    type=click.Choice(texts.LANGUAGES),
    envvar="CONGVAN_LANGUAGE",
    default="vi",
    show_default=True,
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
_SYSTEM = click.argument("system_id", metavar="ID", type=click.UUID)


@click.group()
def directory() -> None:
    """Agencies, officers and certificates: who may take part, and whose a signature is."""


@click.group()
def system() -> None:
    """Document systems that send and receive for agencies, and their keys."""


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
    @_FILE
    @_DRY_RUN
    @_JSON
    @_LANGUAGE
    def import_sheet(*, file: Path, dry_run: bool, as_json: bool, language: str) -> None:
        sheet = _sheet(kind, file)
        at = datetime.now(UTC)
        outcome = _on_pool(
            lambda pool: cases.import_csv(pool, [sheet], new_ids=_ids(), at=at, dry_run=dry_run)
        )
        if as_json:
            answers.show_json(import_outcome.facts(outcome, language))
        else:
            import_outcome.tell(outcome, file.name, language)
        sys.exit(answers.USAGE if outcome.errors else answers.YES)

    return import_sheet


def _exporting(kind: str) -> click.Command:
    """The command that writes one kind of sheet; `import` takes it back without a change."""

    @click.command("export", help=f"Write everything of the kind {kind} as a CSV sheet.")
    @click.option("--output", type=click.File("wb"), default="-", help="A file; standard output without it.")
    @click.option("--headings", type=click.Choice(texts.LANGUAGES), default="en", show_default=True)
    def export_sheet(*, output: BinaryIO, headings: str) -> None:
        output.write(_on_pool(lambda pool: _export(pool, kind, headings)))

    return export_sheet


for _group, _kind in ((agency, "agency"), (officer, "officer"), (certificate, "certificate")):
    _group.add_command(_importing(_kind))
    _group.add_command(_exporting(_kind))


@agency.command("list")
@_JSON
@_LANGUAGE
def list_agencies(*, as_json: bool, language: str) -> None:
    """All agencies by code."""
    found, version = _on_pool(_agencies)
    if as_json:
        answers.show_json({"version": version, "agencies": [asdict(entry) for entry in found]})
        return
    lines = [(entry.code, entry.code102, entry.name, entry.kind, entry.parent) for entry in found]
    _print_table(("code", "code102", "name", "kind", "parent"), lines, language)
    click.echo(texts.say("directory.agencies", language, count=len(found), version=version))


@system.command("add")
@click.option(
    "--acts-for", "codes", multiple=True, required=True, metavar="CODE...", help="Agencies, in either form."
)
@click.argument("more_codes", nargs=-1, metavar="")
@click.option("--name", required=True, help="What people call it, for example: i-Office Sở Nội vụ.")
@_JSON
@_LANGUAGE
def add_system(
    *, codes: tuple[str, ...], more_codes: tuple[str, ...], name: str, as_json: bool, language: str
) -> None:
    """Register a system and show its key once. The first agency answers for it."""
    wanted, at = (*codes, *more_codes), datetime.now(UTC)
    added = _on_pool(lambda pool: cases.add_system(pool, name=name, acts_for=wanted, new_ids=_ids(), at=at))
    if not isinstance(added, cases.Key):
        _refuse("directory.unknown_agency", language, codes=", ".join(added))
    _show_key(added, "directory.system_added", as_json=as_json, language=language)


@system.command("rotate")
@_SYSTEM
@click.option(
    "--both-for",
    type=click.IntRange(0, 24 * 90),
    default=7 * 24,
    show_default=True,
    help="Hours that old keys still work.",
)
@_JSON
@_LANGUAGE
def rotate_key(*, system_id: UUID, both_for: int, as_json: bool, language: str) -> None:
    """Give a system a new key, shown once; its old keys end soon."""
    at, hours = datetime.now(UTC), timedelta(hours=both_for)
    key = _on_pool(lambda pool: cases.rotate(pool, system_id, new_ids=_ids(), at=at, both_for=hours))
    if key is None:
        _refuse("directory.unknown_system", language, system=system_id)
    _show_key(key, "directory.key_rotated", as_json=as_json, language=language, hours=both_for)


@system.command("disable")
@_SYSTEM
@_LANGUAGE
def disable_system(*, system_id: UUID, language: str) -> None:
    """Switch a system off at once, with all its keys."""
    at = datetime.now(UTC)
    if not _on_pool(lambda pool: cases.disable(pool, system_id, new_ids=_ids(), at=at)):
        _refuse("directory.unknown_system", language, system=system_id)
    click.echo(texts.say("directory.system_disabled", language, system=system_id))


@system.command("list")
@_JSON
@_LANGUAGE
def list_systems(*, as_json: bool, language: str) -> None:
    """All systems, whom they act for, and the public parts of their keys."""
    at = datetime.now(UTC)
    found = _on_pool(lambda pool: _systems(pool, at))
    if as_json:
        answers.show_json({"systems": [asdict(row) for row in found]})
        return
    lines = [
        (
            str(row.id),
            row.name,
            " ".join(row.acts_for),
            " ".join(row.keys),
            texts.say(f"directory.{_state(row)}", language),
        )
        for row in found
    ]
    _print_table(("system", "name", "acts_for", "keys", "state"), lines, language)


directory.add_command(system)


def _refuse(key: str, language: str, **facts: object) -> NoReturn:
    click.echo(texts.say(key, language, **facts), err=True)
    sys.exit(answers.USAGE)


def _state(row: systems.SystemRow) -> str:
    return "disabled" if row.disabled_at else "active"


def _sheet(kind: str, file: Path) -> cases.Sheet:
    """A sheet and, for certificates, the files beside it that it names; a name with a path is not followed."""
    raw = file.read_bytes()
    names = cases.file_names(raw) if kind == "certificate" else ()
    beside = {name: file.parent / name for name in names if Path(name).name == name}
    files = {name: _start(path) for name, path in beside.items() if path.is_file()}
    return cases.Sheet(kind=kind, raw=raw, files=files)


def _start(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(MAX_CERTIFICATE_BYTES)


def _ids() -> ids.Ids:
    return ids.Ids(lambda: datetime.now(UTC))


def _on_pool(case: Callable[[Pool], Awaitable[Result]]) -> Result:
    """Run one use case on the configured database; if it cannot be had, the command ends (3)."""

    async def run(dsn: str) -> Result:
        opened = await pools.open(dsn, size=1)
        try:
            return await case(opened)
        finally:
            await opened.close()

    with answers.database(answers.settings()) as dsn:
        return answers.reached(run(dsn))


async def _agencies(pool: Pool) -> tuple[list[AgencyEntry], int]:
    async with pool.acquire() as connection:
        held = await directory_sheets.stored(connection)
        return list(held.state.agencies.values()), await store.version(connection)


async def _systems(pool: Pool, at: datetime) -> list[systems.SystemRow]:
    async with pool.acquire() as connection:
        return await systems.systems(connection, at, paper_class.local_day(at))


async def _export(pool: Pool, kind: str, headings: str) -> bytes:
    async with pool.acquire() as connection:
        return await cases.export_csv(connection, kind, headings)


def _print_table(names: Iterable[str], lines: Iterable[tuple[str, ...]], language: str) -> None:
    table, rows = Table(box=box.SIMPLE, pad_edge=False), list(lines)
    whole = max((len(cells[0]) for cells in rows), default=0)  # what one copies from here is never cut
    for position, name in enumerate(names):
        least = 0 if position else whole
        table.add_column(texts.say(f"directory.column_{name}", language), min_width=least, overflow="fold")
    for cells in rows:
        table.add_row(*(Text(texts.clean(cell)) for cell in cells))
    screen.console().print(table)


def _show_key(key: cases.Key, said: str, *, as_json: bool, language: str, **facts: object) -> None:
    if as_json:
        answers.show_json({"system": str(key.system), "secret": key.secret, "vxp_secret": None})
        return
    click.echo(texts.say(said, language, system=key.system, **facts))
    click.echo(texts.say("directory.key_once", language, secret=key.secret))
