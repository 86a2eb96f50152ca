"""What every import of the directory does once its rows are read: judge them together, write all or nothing, record.

One transaction holds the lock of the directory, the rows, the version with what it changed, and the journal's line.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.broker import concerned
from exchange.errors import Finding
from exchange.rules import directory_csv, directory_images, directory_plan, directory_systems, paper_class
from exchange.rules.directory_images import Difference
from exchange.rules.directory_laid import Change, Keyed
from exchange.rules.directory_plan import Plan
from exchange.store import directory, directory_changes, directory_sheets, insert, journal, rejudgements, rows
from exchange.store.directory_changes import Version
from exchange.store.directory_sheets import Stored
from exchange.store.pool import Connection, Pool

HEAD_START = timedelta(seconds=10)
"""So long the command that changed the directory may judge letters itself before the exchange does."""
JOURNALLED: Mapping[str, str] = {
    "sheets": "directory_import",
    "workbook": "directory_import",
    "acts_for": "system_acts_for",
    "proposed": "certificate_proposed",
    "confirmed": "certificate_confirmed",
}
"""What the journal calls the events of the directory's versions."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One entry that is new or differs; `fields`: name -> (as it stood, as it stands), empty for a new one.

    `label` is the name of the system that it is about: an id says nothing to a person.
    """

    kind: str
    line: int
    key: tuple[str, ...]
    new: bool
    fields: Mapping[str, tuple[str, str]]
    label: str = ""


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
class Source:
    """What an import comes from: sheets by kind as read, the event it makes, digests of the files for the record.

    `bodies` are the certificates (DER, by SHA-256) that came whole: they are kept as evidence, for inventories.
    """

    sheets: Mapping[str, directory_csv.Sheet]
    event: str
    digests: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    bodies: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How somebody wants a change of the directory done: in their name, or only tried."""

    by: str = ""
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When a change is made, how it was asked for, and where new ids come from."""

    new_ids: ids.Ids
    at: datetime
    asked: Asked


async def run(pool: Pool, source: Source, *, new_ids: ids.Ids, at: datetime, asked: Asked) -> Outcome:
    """Judge the sheets together; without an error write what differs from the directory."""
    async with opened(pool, asked) as (connection, known):
        return await written(connection, known, source, Moment(new_ids=new_ids, at=at, asked=asked))


@asynccontextmanager
async def opened(pool: Pool, asked: Asked) -> AsyncIterator[tuple[Connection, Stored]]:
    """One transaction with everything that the directory holds, and its lock unless it is only tried."""
    async with pool.acquire() as connection, connection.transaction():
        if not asked.dry_run:
            await directory.lock(connection)
        yield connection, await directory_sheets.stored(connection)


async def written(connection: Connection, known: Stored, source: Source, moment: Moment) -> Outcome:
    """Judge and write within the transaction of `opened`."""
    plan = _planned(known, source, moment.new_ids, moment.at)
    systems = {entry.id: entry.name for entry in known.state.systems.values()}
    outcome = _outcome(plan, source, systems, dry_run=moment.asked.dry_run)
    if outcome.errors or moment.asked.dry_run:
        return outcome
    kept = [
        rows.EvidenceRow(sha256=digest, kind="certificate", body=body, first_seen=moment.at)
        for digest, body in source.bodies.items()
    ]
    await insert.rows(connection, kept, conflict="ON CONFLICT DO NOTHING")
    if not outcome.changes:
        return outcome
    numbered = directory_sheets.numbered(plan, known, moment.new_ids.new)
    await directory_sheets.write(connection, plan, numbered, moment.at)
    after = await directory_sheets.stored(connection)
    detail = {"sheets": dict(source.digests)}
    made = Version(version=0, at=moment.at, event=source.event, by=moment.asked.by, detail=detail)
    version = await recorded(connection, made, directory_images.differences(known.images, after.images))
    line = rows.JournalRow(
        agency=_agency(outcome.changes[0], numbered.agencies, plan), id=moment.new_ids.new(), at=moment.at,
        event=JOURNALLED[source.event], detail=_detail(outcome, source, moment.asked.by, version),
    )  # fmt: skip
    await journal.append(connection, [line])
    return replace(outcome, version=version)


async def recorded(connection: Connection, made: Version, differences: Iterable[Difference]) -> int:
    """One version more, with what it changed; its number (that of `made` is not looked at).

    Letters whose signers are others by it are due to be judged again from this commit on.
    """
    changed = tuple(differences)
    numbered = replace(made, version=await directory.bump(connection))
    await directory_changes.record(connection, numbered, changed)
    reason = await concerned.reason(connection, numbered, changed)
    if reason is not None:
        await rejudgements.order(connection, reason, HEAD_START)
    return numbered.version


def _planned(known: Stored, source: Source, new_ids: ids.Ids, at: datetime) -> Plan:
    lines = {kind: sheet.rows for kind, sheet in source.sheets.items()}
    names = directory_systems.unknown(lines.get("system", ()), known.state.systems)
    new_systems = {name: str(new_ids.new()) for name in names}
    return directory_plan.plan(known.state, lines, paper_class.local_day(at), new_systems)


def _outcome(plan: Plan, source: Source, systems: Mapping[str, str], *, dry_run: bool) -> Outcome:
    read = [found for sheet in source.sheets.values() for found in sheet.findings]
    findings = sorted(
        (*source.findings, *read, *plan.findings),
        key=lambda found: (found.path.partition(".")[0], found.line or 0),
    )
    named = {**systems, **{change.after.id: change.after.name for change in plan.systems}}
    changes = (
        *_changes("agency", plan.agencies),
        *_changes("officer", plan.officers),
        *_changes("certificate", plan.certificates),
        *_changes("system", plan.systems, named),
        *_changes("acts_for", plan.acts, named),
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


def _changes(
    kind: str, changes: Sequence[Change[Any]], systems: Mapping[str, str] = MappingProxyType({})
) -> list[Changed]:
    return [
        Changed(
            kind=kind,
            line=change.line,
            key=change.after.key,
            new=change.before is None,
            label=systems.get(change.after.key[0], ""),
            fields={name: (_cell(change.before, name), _cell(change.after, name)) for name in change.fields},
        )
        for change in changes
    ]


def _cell(entry: Keyed | None, name: str) -> str:
    return directory_csv.cell(getattr(entry, name))


def _agency(first: Changed, agencies: Mapping[str, UUID], plan: Plan) -> UUID:
    """The agency under which an import is journalled: that of its first change, a system's owner."""
    if first.kind == "system":
        return agencies[plan.systems[0].after.owner]
    return agencies[first.key[1] if first.kind == "acts_for" else first.key[0]]


def _detail(outcome: Outcome, source: Source, by: str, version: int) -> dict[str, Any]:
    """For the journal: counts, which files, and of every changed entry what it was and is."""
    return {
        "version": version,
        "by": by,
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "sheets": source.digests,
        "changes": [
            {"kind": change.kind, "key": change.key, "fields": change.fields}
            for change in outcome.changes
            if not change.new
        ],
    }
