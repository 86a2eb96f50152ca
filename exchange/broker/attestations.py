"""Attestations: a recipient says of a month that has ended that no other paper came (xác nhận không nhận bản giấy khác).

All its deliveries that arrived in that month and have no paper on record hold it from then on: what is fully electronic,
or undeclared with valid signatures, is confirmed (grade A). One attestation of a month stands at most; said again it also
reaches what it did not reach then, such as a delivery whose paper turned out to be a mistake.

The row is written first and its deliveries follow in chunks, each of which holds the row's lock; so a chunk never writes
for an attestation that was taken back meanwhile, and a new one waits until the traces of the old one are gone. What a
crash left half done, housekeeping finishes.
"""

import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from exchange.broker import paper
from exchange.broker.decisions import Refused
from exchange.broker.exchange import Exchange
from exchange.broker.paper import Desk, Observed
from exchange.broker.paper_acts import UNDONE, Act, Author
from exchange.rules import paper_class
from exchange.store import paper as stored
from exchange.store import pool
from exchange.store.deliveries import BEFORE_ALL
from exchange.store.pool import Connection
from exchange.store.transitions import Key

_MONTH = re.compile(r"(19|20|21)\d\d-(0[1-9]|1[0-2])", re.ASCII)
LEFT_AFTER = timedelta(seconds=60)
"""Whoever attests is done by then, or was interrupted."""
LEFT_AT_ONCE = 20


@dataclass(frozen=True, kw_only=True)
class Attested:
    """An attestation and how many deliveries this call changed, by the class they count in now."""

    id: UUID
    agency: UUID
    month: date
    changed: int
    classes: Counter[str]


def month(text: str) -> date | None:
    """The first day of `YYYY-MM` in a year that a report may name; None for anything else."""
    if not _MONTH.fullmatch(text):
        return None
    return date.fromisoformat(f"{text}-01")


def after(first: date) -> date:
    """The first day of the month after."""
    return (first + timedelta(days=31)).replace(day=1)


async def attest(at: Desk, agency: UUID, first: date, author: Author) -> Attested | Refused:
    """The agency attests that month; said again, it goes on with the attestation that stands."""
    if paper_class.local_day(author.at) < after(first):
        return Refused(code="bad_request", detail=f"month: {after(first)}")
    async with at.pool.acquire() as connection:
        while True:
            standing, gone = await pool.again(
                functools.partial(_begun, connection, agency, first, (at.ids.new(), author))
            )
            for old in gone:
                await _each(at, connection, old, _taker(old), undone=True)
            if standing is not None:
                done = await _each(at, connection, standing, author, undone=False)
                return _told(standing, done)


async def undo(at: Desk, agency: UUID, first: date, author: Author) -> Attested | Refused:
    """Take the attestation of that month back; what it raised falls back."""
    if not author.why.strip():
        return Refused(code="bad_request", detail="why")
    async with at.pool.acquire() as connection:
        taken = await stored.undo(connection, agency, first, (author.at, author.name, author.why))
        if taken is None:
            return Refused(code="not_found")
        (one,) = [
            one for one in await stored.attestations(connection, agency, first) if one["id"] == taken
        ] or [None]
        if one is None:  # somebody else cleared it at once
            return Attested(id=taken, agency=agency, month=first, changed=0, classes=Counter())
        return _told(one, await _each(at, connection, one, author, undone=True))


async def finish(exchange: Exchange) -> int:
    """Housekeeping: go on with what was interrupted; how many attestations."""
    at, before = paper.desk(exchange), exchange.clock() - LEFT_AFTER
    async with at.pool.acquire() as connection:
        left = await stored.unfinished(connection, before, LEFT_AT_ONCE)
        for one in left:
            undone = one["undone_at"] is not None
            structlog.get_logger().info("attestation_finished", attestation=str(one["id"]), undone=undone)
            who = _taker(one) if undone else Author(name=one["author"], at=one["at"], system=one["system"])
            await _each(at, connection, one, who, undone=undone)
    return len(left)


async def _begun(
    connection: Connection, agency: UUID, first: date, made: tuple[UUID, Author]
) -> tuple[Any | None, Sequence[Any]]:
    """The standing attestation, made if there was none; None as long as an old one leaves traces, which come second."""
    new_id, author = made
    async with connection.transaction():
        found = await stored.attestations(connection, agency, first)
        gone = [one for one in found if one["undone_at"] is not None]
        if not gone:
            row = (new_id, author.name, author.system, author.at)
            await stored.begin(connection, agency, first, made=row)
            found = await stored.attestations(connection, agency, first)
            gone = [one for one in found if one["undone_at"] is not None]
    standing = [one for one in found if one["undone_at"] is None]
    return (standing[0] if standing and not gone else None), gone


def _taker(one: Any) -> Author:  # noqa: ANN401 - a record
    return Author(name=one["undone_by"], at=one["undone_at"], why=one["undone_why"])


def _span(first: date) -> tuple[datetime, datetime]:
    return paper_class.start_of(first), paper_class.start_of(after(first))


async def _each(
    at: Desk,
    connection: Connection,
    one: Any,  # noqa: ANN401 - a record
    author: Author,
    *,
    undone: bool,
) -> Counter[str]:
    """Every delivery that arrived in the month gets the attestation, or loses it; what changed, by class."""
    last: Key = (one["agency"], BEFORE_ALL, 0)
    changed: Counter[str] = Counter()
    name = (one["agency"], one["month"], one["id"])
    facts = {"attestation": str(one["id"]), "month": f"{one['month']:%Y-%m}"}
    act = Act(
        event="attested" + (UNDONE if undone else ""),
        author=author,
        facts=facts if undone else {**facts, "at": author.at.isoformat()},
    )
    while True:
        keys = await stored.arrived(connection, one["agency"], _span(one["month"]), last, paper.CHUNK)
        done = await pool.again(functools.partial(_chunk, at, connection, name, keys, act))
        changed += paper.classes(done or ())
        if len(keys) < paper.CHUNK or done is None:
            break
        last = keys[-1]
    ended = stored.cleared if undone else stored.done
    await ended(connection, name, author.at)
    return changed


async def _chunk(
    at: Desk, connection: Connection, name: tuple[UUID, date, UUID], keys: Sequence[Key], act: Act
) -> list[Observed] | None:
    """One transaction; None when the attestation no longer is what it was."""
    async with connection.transaction():
        if not await stored.held(connection, name, undone=act.event.endswith(UNDONE)):
            return None
        return await paper.observe(connection, [(key, act) for key in keys], at.ids)


def _told(one: Any, changed: Counter[str]) -> Attested:  # noqa: ANN401 - a record
    return Attested(
        id=one["id"], agency=one["agency"], month=one["month"], changed=changed.total(), classes=changed
    )
