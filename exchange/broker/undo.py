"""Taking back a version of the directory: what it changed is put back, as a new version, or nothing is.

One transaction holds the lock, the judgement, what is put back, the new version and the journal's line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from exchange import ids
from exchange.broker import imports
from exchange.broker.imports import Asked
from exchange.rules import directory_undo
from exchange.rules.directory_images import Difference
from exchange.rules.directory_undo import Obstacle
from exchange.store import directory_changes, journal, rows, systems
from exchange.store.directory_changes import Version
from exchange.store.directory_sheets import Stored
from exchange.store.pool import Connection, Pool


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What taking `undoes` back did, or would do. With `obstacles` it did nothing; `version` is set if it wrote."""

    undoes: int
    changes: tuple[Difference, ...]
    obstacles: tuple[Obstacle, ...]
    dry_run: bool
    version: int | None = None


@dataclass(frozen=True)
class Nothing:
    """There is nothing to take back: `why` is none, unknown, taken_back or empty (`directory.undo_<why>`)."""

    why: str


async def undo(
    pool: Pool, wanted: int | None, *, new_ids: ids.Ids, at: datetime, asked: Asked
) -> Undone | Nothing:
    """Take back the version `wanted`, or the last import in effect."""
    async with imports.opened(pool, asked) as (connection, known):
        version = await _which(connection, wanted)
        if isinstance(version, Nothing):
            return version
        done = await directory_changes.differences(connection, version)
        if not done:
            return Nothing("empty")
        plan = directory_undo.plan(known.images, done)
        obstacles = [await _dated(connection, each, version) for each in plan.obstacles]
        obstacles += await _in_use(connection, plan.changes, known)
        undone = Undone(
            undoes=version, changes=plan.changes, obstacles=tuple(obstacles), dry_run=asked.dry_run
        )
        if obstacles or asked.dry_run:
            return undone
        await directory_changes.put_back(connection, plan.changes, known, at)
        made = Version(version=0, at=at, event="undo", by=asked.by, undoes=version)
        new = await imports.recorded(connection, made, plan.changes)
        line = rows.JournalRow(
            agency=_agency(plan.changes, known), id=new_ids.new(), at=at, event="directory_undo",
            detail={"version": new, "undoes": version, "by": asked.by, "changes": len(plan.changes)},
        )  # fmt: skip
        await journal.append(connection, [line])
        return replace(undone, version=new)


async def _which(connection: Connection, wanted: int | None) -> int | Nothing:
    versions = [
        directory_undo.Version(version=one.version, event=one.event, undoes=one.undoes)
        for one in await directory_changes.listed(connection)
    ]
    if wanted is None:
        last = directory_undo.last_import(versions)
        return Nothing("none") if last is None else last
    if wanted not in {one.version for one in versions}:
        return Nothing("unknown")
    return wanted if wanted in directory_undo.in_effect(versions) else Nothing("taken_back")


async def _dated(connection: Connection, obstacle: Obstacle, version: int) -> Obstacle:
    """An entry that was changed since, with the version that changed it last, if one did."""
    if obstacle.why != "changed":
        return obstacle
    last = await directory_changes.later(connection, obstacle.kind, obstacle.key, version)
    return replace(obstacle, about=str(last) if last else "?")


async def _in_use(connection: Connection, changes: Sequence[Difference], known: Stored) -> list[Obstacle]:
    """Entries that would be gone and cannot be: agencies with letters, systems with keys."""
    gone = [each for each in changes if each.after is None]
    agencies = {known.agencies[each.key[0]]: each.key for each in gone if each.kind == "agency"}
    acting = {UUID(each.key[0]): each.key for each in gone if each.kind == "system"}
    with_letters = await directory_changes.with_letters(connection, list(agencies))
    with_keys = await systems.used(connection, list(acting))
    return [
        *(Obstacle("agency", key, "letters") for row, key in agencies.items() if row in with_letters),
        *(Obstacle("system", key, "keys") for row, key in acting.items() if row in with_keys),
    ]


def _agency(changes: Sequence[Difference], known: Stored) -> UUID:
    """The agency under which it is journalled: the first that a change is about."""
    first = changes[0]
    held = first.after or first.before or {}
    code = held.get("agency") or held.get("owner") or held["code"]
    return known.agencies[code] if code in known.agencies else UUID(held["row"])
