"""The directory's use cases: sheets in and out, systems and their keys.

An import is all or nothing: every line of every sheet is judged first, and one error means that nothing is written.
It moves the directory's version by one if it changed anything, keeps what it changed so that it can be taken back,
and leaves one line in the journal.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from exchange import ids
from exchange.broker import certificates, credentials, imports
from exchange.broker.credentials import ROTATION, Key, Registered, Unfit
from exchange.broker.imports import Outcome
from exchange.rules import directory as rules
from exchange.rules import directory_csv, directory_entries, directory_images, paper_class
from exchange.rules.directory_images import Difference
from exchange.rules.directory_laid import Key as EntryKey
from exchange.rules.directory_laid import Keyed
from exchange.store import directory, directory_sheets, journal, rows, systems
from exchange.store.directory_changes import Version
from exchange.store.pool import Connection, Pool


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One CSV file: `kind` is agency, officer or certificate; `files` are certificates that its lines name."""

    kind: str
    raw: bytes = field(repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


async def import_csv(
    pool: Pool,
    sheets: Sequence[Sheet],
    *,
    new_ids: ids.Ids,
    at: datetime,
    dry_run: bool = False,
    by: str = "",
) -> Outcome:
    """Judge the sheets, one of a kind, together; without an error write what differs from the directory."""
    held = [sheet for sheet in sheets if sheet.kind == "certificate"]
    source = imports.Source(
        sheets={sheet.kind: _read(sheet) for sheet in sheets},
        event="sheets",
        digests={sheet.kind: hashlib.sha256(sheet.raw).hexdigest() for sheet in sheets},
        bodies=certificates.bodies(_parsed(held[0]), held[0].files) if held else {},
    )
    asked = imports.Asked(by=by, dry_run=dry_run)
    return await imports.run(pool, source, new_ids=new_ids, at=at, asked=asked)


async def export_csv(connection: Connection, kind: str, language: str = "en") -> bytes:
    """A sheet of everything of that kind; imported again it changes nothing."""
    state = (await directory_sheets.stored(connection)).state
    entries: Mapping[str, Mapping[EntryKey, object]] = {
        "agency": state.agencies,
        "officer": state.officers,
        "certificate": state.certificates,
    }
    return directory_csv.write(directory_entries.LAYOUTS[kind], entries[kind].values(), language)


def file_names(raw: bytes) -> tuple[str, ...]:
    """The files that a sheet of certificates names."""
    return certificates.file_names(directory_csv.read(directory_entries.CERTIFICATES, raw))


async def add_system(  # noqa: PLR0913 - what is said of a system
    pool: Pool,
    *,
    name: str,
    acts_for: Sequence[str],
    new_ids: ids.Ids,
    at: datetime,
    certificate: bytes | None = None,
    watching: bool = False,
) -> Key | tuple[str, ...] | Unfit:
    """Register a system that acts for these agencies (codes in either form); the first answers for it.

    `watching`: it acts for nobody, and is to watch (`broker.monitors`); the agencies beyond the first must only be known.
    `certificate`, PEM or DER, is its TLS client certificate, registered beside the key. Answers the codes that nobody
    holds today, if there are any, or why the certificate will not do: then nothing was written.
    """
    codes, on = [rules.canonical(code) for code in acts_for], paper_class.local_day(at)
    async with pool.acquire() as connection, connection.transaction():
        await directory.lock(connection)
        found = await directory.find(connection, codes, on)
        unknown = tuple(dict.fromkeys(code for code in codes if code not in found))
        if unknown:
            return unknown
        said = await credentials.fit(connection, certificate, at) if certificate else None
        if isinstance(said, Unfit):
            return said
        system, agencies = new_ids.new(), list(dict.fromkeys(found[code] for code in codes))
        if watching:
            await systems.add_watching(connection, system, name, agencies[0], at)
        else:
            await systems.add_system(connection, system, name, agencies, at, on)
        key = await credentials.new_key(connection, system, at)
        if said:
            await credentials.register(connection, system, said, at)
        line = journalled(
            new_ids, at, "system_added", agencies[0], system, name=name, acts_for=[] if watching else codes
        )
        await journal.append(connection, [line])
        await _version(connection, system, at)
        return key


async def rotate(
    pool: Pool, system: UUID, *, new_ids: ids.Ids, at: datetime, both_for: timedelta = ROTATION
) -> Key | None:
    """A new key for a system; its old ones work for `both_for` more. None: there is no such system."""
    async with pool.acquire() as connection, connection.transaction():
        owner = await systems.owner(connection, system)
        if owner is None:
            return None
        await systems.end_keys(connection, system, at + both_for)
        key = await credentials.new_key(connection, system, at)
        await journal.append(connection, [journalled(new_ids, at, "system_key_rotated", owner, system)])
        return key


async def rotate_certificate(
    pool: Pool, system: UUID, raw: bytes, *, new_ids: ids.Ids, at: datetime, both_for: timedelta = ROTATION
) -> Registered | Unfit | None:
    """A new client certificate for a system; its old ones work for `both_for` more. None: there is no such system."""
    async with pool.acquire() as connection, connection.transaction():
        await directory.lock(connection)
        owner = await systems.owner(connection, system)
        if owner is None:
            return None
        said = await credentials.fit(connection, raw, at)
        if isinstance(said, Unfit):
            return said
        await systems.end_certificates(connection, system, at + both_for)
        registered = await credentials.register(connection, system, said, at)
        detail = {"sha256": registered.sha256, "subject": registered.subject}
        line = journalled(new_ids, at, "system_certificate_rotated", owner, system, **detail)
        await journal.append(connection, [line])
        return registered


async def disable(pool: Pool, system: UUID, *, new_ids: ids.Ids, at: datetime) -> bool:
    """Switch a system off at once, for good; a second time changes nothing. False: there is no such system."""
    async with pool.acquire() as connection, connection.transaction():
        await directory.lock(connection)
        owner = await systems.owner(connection, system)
        if owner is not None and await systems.disable_system(connection, system, at):
            await journal.append(connection, [journalled(new_ids, at, "system_disabled", owner, system)])
            detail = {"system": str(system)}
            made = Version(version=0, at=at, event="system_disabled", detail=detail)
            await imports.recorded(connection, made, ())
        return owner is not None


def journalled(
    new_ids: ids.Ids, at: datetime, event: str, agency: UUID, system: UUID | None, **detail: object
) -> rows.JournalRow:
    """The journal's line about a change of the directory."""
    return rows.JournalRow(agency=agency, id=new_ids.new(), at=at, event=event, system=system, detail=detail)


async def _version(connection: Connection, system: UUID, at: datetime) -> None:
    """The version that a new system makes, with everything that is new."""
    own, periods = await systems.entries(connection, system)
    new: list[tuple[str, Keyed]] = [("system", each) for each in own]
    new += [("acts_for", each) for each in periods]
    differences = [
        Difference(kind=kind, key=entry.key, before=None, after=directory_images.image(entry))
        for kind, entry in new
    ]
    await imports.recorded(connection, Version(version=0, at=at, event="system_added"), differences)


def _parsed(sheet: Sheet) -> directory_csv.Sheet:
    return directory_csv.read(directory_entries.LAYOUTS[sheet.kind], sheet.raw)


def _read(sheet: Sheet) -> directory_csv.Sheet:
    read = _parsed(sheet)
    return certificates.completed(read, sheet.files) if sheet.kind == "certificate" else read
