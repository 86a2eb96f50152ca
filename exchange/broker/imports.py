"""What every import of the directory does once its rows are read: judge them together, write all or nothing, record.

One transaction holds the lock of the directory, the rows, the version with what it changed, and the journal's line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.errors import Finding
from exchange.rules import directory_csv, directory_images, directory_plan, directory_systems, paper_class
from exchange.rules.directory_images import Difference
from exchange.rules.directory_laid import Change, Keyed
from exchange.rules.directory_plan import Plan
from exchange.store import directory, directory_changes, directory_sheets, journal, rows
from exchange.store.directory_changes import Version
from exchange.store.pool import Connection, Pool


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One entry that is new or differs; `fields`: name -> (as it stood, as it stands), empty for a new one.

    `label` is the name of a system: its key says nothing to a person.
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
    """What an import comes from: sheets by kind as read, the event it makes, digests of the files for the record."""

    sheets: Mapping[str, directory_csv.Sheet]
    event: str
    digests: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How somebody wants a change of the directory done: in their name, or only tried."""

    by: str = ""
    dry_run: bool = False


async def run(pool: Pool, source: Source, *, new_ids: ids.Ids, at: datetime, asked: Asked) -> Outcome:
    """Judge the sheets together; without an error write what differs from the directory."""
    async with pool.acquire() as connection, connection.transaction():
        if not asked.dry_run:
            await directory.lock(connection)
        known = await directory_sheets.stored(connection)
        plan = _planned(known, source, new_ids, at)
        outcome = _outcome(plan, source, dry_run=asked.dry_run)
        if outcome.errors or asked.dry_run or not outcome.changes:
            return outcome
        numbered = directory_sheets.numbered(plan, known, new_ids.new)
        await directory_sheets.write(connection, plan, numbered, at)
        written = await directory_sheets.stored(connection)
        made = Version(version=0, at=at, event=source.event, by=asked.by, detail={"sheets": source.digests})
        version = await recorded(connection, made, directory_images.differences(known.images, written.images))
        line = rows.JournalRow(
            agency=_agency(outcome.changes[0], numbered.agencies, plan), id=new_ids.new(), at=at,
            event="directory_import", detail=_detail(outcome, source, asked.by, version),
        )  # fmt: skip
        await journal.append(connection, [line])
        return replace(outcome, version=version)


async def recorded(connection: Connection, made: Version, differences: Iterable[Difference]) -> int:
    """One version more, with what it changed; its number (that of `made` is not looked at)."""
    version = await directory.bump(connection)
    await directory_changes.record(connection, replace(made, version=version), differences)
    return version


def _planned(known: directory_sheets.Stored, source: Source, new_ids: ids.Ids, at: datetime) -> Plan:
    lines = {kind: sheet.rows for kind, sheet in source.sheets.items()}
    names = directory_systems.unknown(lines.get("system", ()), known.state.systems)
    new_systems = {name: str(new_ids.new()) for name in names}
    return directory_plan.plan(known.state, lines, paper_class.local_day(at), new_systems)


def _outcome(plan: Plan, source: Source, *, dry_run: bool) -> Outcome:
    read = [found for sheet in source.sheets.values() for found in sheet.findings]
    findings = sorted(
        (*source.findings, *read, *plan.findings),
        key=lambda found: (found.path.partition(".")[0], found.line or 0),
    )
    changes = (
        *_changes("agency", plan.agencies),
        *_changes("officer", plan.officers),
        *_changes("certificate", plan.certificates),
        *_changes("system", plan.systems),
        *_changes("acts_for", plan.acts),
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


def _changes(kind: str, changes: Sequence[Change[Any]]) -> list[Changed]:
    return [
        Changed(
            kind=kind,
            line=change.line,
            key=change.after.key,
            new=change.before is None,
            label=change.after.name if kind == "system" else "",
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
