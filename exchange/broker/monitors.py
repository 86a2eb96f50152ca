"""Monitors (giám sát, role R4): systems that see figures and facts of agencies, never contents, and change nothing.

The role is a dated row; what it reaches is asked of the directory as it stands at each request: an agency that moves under
another parent is seen by whoever watches there from then on, with everything it ever did; who watches where it was sees
of it no more than the periods that ended before. Source: rules_and_measures.md, part E.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from exchange import ids
from exchange.broker import directory as cases
from exchange.broker.caller import Caller
from exchange.broker.credentials import Key, Unfit
from exchange.rules import directory as rules
from exchange.rules import paper_class
from exchange.store import directory, journal, monitors, systems
from exchange.store.pool import Connection, Pool


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a system is to watch: the agency with that code (None: everything), with all below it or alone."""

    system: UUID
    code: str | None
    subtree: bool = False
    first: date | None = None
    last: date | None = None
    author: str = ""


def seen(parents: Mapping[UUID, UUID | None], caller: Caller) -> frozenset[UUID] | None:
    """The agencies whose figures and facts a system may see: its own and those it watches; None for all of them."""
    watches = caller.watches
    if watches.everything:
        return None
    return caller.agencies | watches.agencies | rules.below(parents, watches.subtrees)


async def watch(pool: Pool, role: Role, *, new_ids: ids.Ids, at: datetime) -> str:
    """Let a system watch. What is said last of an agency (or of everything) holds from its first day on.

    `done`, `changed` if it took the place of something else, `same`, `unknown_system` or `unknown_agency`.
    """
    today = paper_class.local_day(at)
    async with pool.acquire() as connection, connection.transaction():
        found = await _found(connection, role, today)
        if isinstance(found, str):
            return found
        owner, agency = found
        first = role.first or today
        before = await monitors.standing(connection, role.system, agency, first)
        if _same(before, role, first):
            return "same"
        await monitors.end(connection, role.system, agency, first)
        row = monitors.MonitorRow(
            system=role.system, id=new_ids.new(), agency=agency, subtree=role.subtree, valid_from=first,
            valid_to=role.last, author=role.author,
        )  # fmt: skip
        await monitors.add(connection, row)
        days = {"from": first.isoformat(), "to": role.last.isoformat() if role.last else None}
        line = cases.journalled(
            new_ids, at, "monitor_added", owner, role.system, watches=role.code, subtree=role.subtree, by=role.author,
            **days,
        )  # fmt: skip
        await journal.append(connection, [line])
        return "changed" if before else "done"


def _same(before: list[tuple[bool, date, date | None]], role: Role, first: date) -> bool:
    """Whether nothing would be another than it is; without a first day it may have begun earlier."""
    if len(before) != 1:
        return False
    subtree, since, last = before[0]
    return (subtree, last) == (role.subtree, role.last) and (
        since == first or (role.first is None and since < first)
    )


async def add(  # noqa: PLR0913 - what is said of a system, and what it watches
    pool: Pool,
    name: str,
    owner: str,
    roles: Sequence[Role],
    *,
    new_ids: ids.Ids,
    at: datetime,
    certificate: bytes | None = None,
) -> Key | tuple[str, ...] | Unfit:
    """Register a system that acts for nobody and watches this (the roles' own `system` is not looked at); `owner` answers for it.

    Answers as `directory.add_system`: codes that nobody holds today, or why the certificate will not do.
    """
    codes = [owner, *(one.code for one in roles if one.code is not None)]
    added = await cases.add_system(
        pool, name=name, acts_for=codes, new_ids=new_ids, at=at, certificate=certificate, watching=True
    )
    if isinstance(added, Key):
        for one in roles:
            await watch(pool, replace(one, system=added.system), new_ids=new_ids, at=at)
    return added


async def end(pool: Pool, role: Role, *, new_ids: ids.Ids, at: datetime) -> str:
    """Let a system watch no longer, from now on: `ended`, `none`, `unknown_system` or `unknown_agency`."""
    today = paper_class.local_day(at)
    async with pool.acquire() as connection, connection.transaction():
        found = await _found(connection, role, today)
        if isinstance(found, str):
            return found
        owner, agency = found
        if not await monitors.end(connection, role.system, agency, today):
            return "none"
        line = cases.journalled(
            new_ids, at, "monitor_ended", owner, role.system, watches=role.code, by=role.author
        )
        await journal.append(connection, [line])
        return "ended"


async def _found(connection: Connection, role: Role, today: date) -> tuple[UUID, UUID | None] | str:
    """Who answers for the system, and the agency (None: everything); else which of them nobody knows. The system is locked."""
    owner = await systems.owner(connection, role.system)
    if owner is None:
        return "unknown_system"
    agency = await _agency(connection, role.code, today)
    return "unknown_agency" if role.code is not None and agency is None else (owner, agency)


async def _agency(connection: Connection, code: str | None, on: date) -> UUID | None:
    """Also one that has ended: its figures are still asked for, and who may ask for them is still decided."""
    if code is None:
        return None
    wanted = rules.canonical(code)
    return (await directory.of_period(connection, [wanted], on, on)).get(wanted)
