"""The directory's use cases: sheets in and out, systems and their keys.

An import is all or nothing: every line of every sheet is judged first, and one error means that nothing is written.
It moves the directory's version by one if it changed anything, and leaves one line in the journal.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.broker import certificates
from exchange.errors import Finding
from exchange.rules import directory as rules
from exchange.rules import directory_csv, directory_entries, directory_plan, paper_class
from exchange.rules.directory_plan import Change, Plan
from exchange.store import directory, directory_sheets, journal, rows
from exchange.store.pool import Connection, Pool

ROTATION = timedelta(days=7)
"""How long old keys of a system still work beside a new one, unless told otherwise."""

_KEY_ID_BYTES = 5
_SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One CSV file: `kind` is agency, officer or certificate; `files` are certificates that its lines name."""

    kind: str
    raw: bytes = field(repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One entry that is new or differs; `fields`: name -> (as it stood, as it stands), empty for a new one."""

    kind: str
    line: int
    key: tuple[str, ...]
    new: bool
    fields: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an import did, or would do (`dry_run`). With `errors` it did nothing; `version` is set if it wrote."""

    added: int
    changed: int
    unchanged: int
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    changes: tuple[Changed, ...]
    dry_run: bool
    version: int | None = None


@dataclass(frozen=True, kw_only=True)
class Key:
    """A system's new key (khóa truy cập), said once: `secret` is not kept anywhere, only its digest."""

    system: UUID
    secret: str = field(repr=False)


async def import_csv(
    pool: Pool, sheets: Sequence[Sheet], *, new_ids: ids.Ids, at: datetime, dry_run: bool = False
) -> Outcome:
    """Judge the sheets, one of a kind, together; without an error write what differs from the directory."""
    read = {sheet.kind: _read(sheet) for sheet in sheets}
    async with pool.acquire() as connection, connection.transaction():
        if not dry_run:
            await directory.lock(connection)
        known = await directory_sheets.stored(connection)
        lines = {kind: sheet.rows for kind, sheet in read.items()}
        plan = directory_plan.plan(known.state, lines, paper_class.local_day(at))
        outcome = _outcome(
            plan, [finding for sheet in read.values() for finding in sheet.findings], dry_run=dry_run
        )
        if outcome.errors or dry_run or not outcome.changes:
            return outcome
        numbered = directory_sheets.numbered(plan, known, new_ids.new)
        await directory_sheets.write(connection, plan, numbered, at)
        agency = numbered.agencies[outcome.changes[0].key[0]]
        line = _line(new_ids, at, "directory_import", agency, None, **_detail(outcome, sheets))
        await journal.append(connection, [line])
        return replace(outcome, version=await directory.bump(connection))


async def export_csv(connection: Connection, kind: str, language: str = "en") -> bytes:
    """A sheet of everything of that kind; imported again it changes nothing."""
    state = (await directory_sheets.stored(connection)).state
    entries: Mapping[str, Mapping[directory_plan.Key, object]] = {
        "agency": state.agencies,
        "officer": state.officers,
        "certificate": state.certificates,
    }
    return directory_csv.write(directory_entries.LAYOUTS[kind], entries[kind].values(), language)


def file_names(raw: bytes) -> tuple[str, ...]:
    """The files that a sheet of certificates names."""
    return certificates.file_names(directory_csv.read(directory_entries.CERTIFICATES, raw))


async def add_system(
    pool: Pool, *, name: str, acts_for: Sequence[str], new_ids: ids.Ids, at: datetime
) -> Key | tuple[str, ...]:
    """Register a system that acts for these agencies (codes in either form); the first answers for it.

    Answers the codes that nobody holds today, if there are any: then nothing was written.
    """
    codes = [rules.canonical(code) for code in acts_for]
    on = paper_class.local_day(at)
    async with pool.acquire() as connection, connection.transaction():
        await directory.lock(connection)
        found = await directory.find(connection, codes, on)
        unknown = tuple(dict.fromkeys(code for code in codes if code not in found))
        if unknown:
            return unknown
        system, agencies = new_ids.new(), list(dict.fromkeys(found[code] for code in codes))
        await directory.add_system(connection, system, name, agencies, at, on)
        key = await _new_key(connection, system, at)
        line = _line(new_ids, at, "system_added", agencies[0], system, name=name, acts_for=codes)
        await journal.append(connection, [line])
        await directory.bump(connection)
        return key


async def rotate(
    pool: Pool, system: UUID, *, new_ids: ids.Ids, at: datetime, both_for: timedelta = ROTATION
) -> Key | None:
    """A new key for a system; its old ones work for `both_for` more. None: there is no such system."""
    async with pool.acquire() as connection, connection.transaction():
        owner = await directory.owner(connection, system)
        if owner is None:
            return None
        await directory.end_keys(connection, system, at + both_for)
        key = await _new_key(connection, system, at)
        await journal.append(connection, [_line(new_ids, at, "system_key_rotated", owner, system)])
        return key


async def disable(pool: Pool, system: UUID, *, new_ids: ids.Ids, at: datetime) -> bool:
    """Switch a system off at once, for good; a second time changes nothing. False: there is no such system."""
    async with pool.acquire() as connection, connection.transaction():
        await directory.lock(connection)
        owner = await directory.owner(connection, system)
        if owner is not None and await directory.disable_system(connection, system, at):
            await journal.append(connection, [_line(new_ids, at, "system_disabled", owner, system)])
            await directory.bump(connection)
        return owner is not None


async def _new_key(connection: Connection, system: UUID, at: datetime) -> Key:
    """Written `cv_<id>_<secret>`: the id has no underscore, so the parts are told from each other."""
    key_id = base64.b32encode(secrets.token_bytes(_KEY_ID_BYTES)).decode().lower()
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    await directory.add_key(connection, key_id, system, hashlib.sha256(secret.encode()).digest(), at)
    return Key(system=system, secret=f"cv_{key_id}_{secret}")


def _line(
    new_ids: ids.Ids, at: datetime, event: str, agency: UUID, system: UUID | None, **detail: object
) -> rows.JournalRow:
    return rows.JournalRow(agency=agency, id=new_ids.new(), at=at, event=event, system=system, detail=detail)


def _read(sheet: Sheet) -> directory_csv.Sheet:
    read = directory_csv.read(directory_entries.LAYOUTS[sheet.kind], sheet.raw)
    return certificates.completed(read, sheet.files) if sheet.kind == "certificate" else read


def _outcome(plan: Plan, read: Sequence[Finding], *, dry_run: bool) -> Outcome:
    findings = sorted(
        (*read, *plan.findings), key=lambda found: (found.path.partition(".")[0], found.line or 0)
    )
    changes = (
        *_changes("agency", plan.agencies),
        *_changes("officer", plan.officers),
        *_changes("certificate", plan.certificates),
    )
    return Outcome(
        added=sum(change.new for change in changes),
        changed=sum(not change.new for change in changes),
        unchanged=plan.unchanged,
        errors=tuple(found for found in findings if found.severity == "error"),
        warnings=tuple(found for found in findings if found.severity != "error"),
        changes=changes,
        dry_run=dry_run,
    )


def _changes(kind: str, changes: Iterable[Change[directory_plan.Entry]]) -> list[Changed]:
    return [
        Changed(
            kind=kind,
            line=change.line,
            key=change.after.key,
            new=change.before is None,
            fields={
                name: (
                    directory_csv.cell(getattr(change.before, name)),
                    directory_csv.cell(getattr(change.after, name)),
                )
                for name in change.fields
            },
        )
        for change in changes
    ]


def _detail(outcome: Outcome, sheets: Sequence[Sheet]) -> dict[str, Any]:
    """For the journal: counts, which files, and of every changed entry what it was and is."""
    return {
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "sheets": {sheet.kind: hashlib.sha256(sheet.raw).hexdigest() for sheet in sheets},
        "changes": [
            {"kind": change.kind, "key": change.key, "fields": change.fields}
            for change in outcome.changes
            if not change.new
        ],
    }
