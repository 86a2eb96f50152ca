"""Deliver: a recipient's system pulls its inbox, takes bodies and acknowledges; the first acknowledgement is *arrived*.

The inbox is the set of open deliveries, whatever the order in which they were committed. An acknowledgement writes, in
one transaction: the delivery's state, a journal line, and two facts of the tally (the outgoing view dated by the day of
acceptance, the incoming one by the day of arrival; design §6, settled 5).
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange import metrics
from exchange.broker import counted
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.errors import Problem
from exchange.rules import paper_class
from exchange.store import deliveries, journal, letters, operations, payloads, pool, rows, tally

MAX_PAGE = 500


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of an inbox: delivery records, whether more are open after the last, whether it was waited for."""

    items: tuple[Any, ...]
    more: bool
    waited: bool = False

    def of(self, agencies: Collection[UUID]) -> "Page":
        """The page without the deliveries of other agencies."""
        return replace(self, items=tuple(one for one in self.items if one["recipient"] in agencies))


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """What became of each id of an acknowledgement; somebody else's id is unknown."""

    acknowledged: tuple[UUID, ...]
    already: tuple[UUID, ...]
    unknown: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class Body:
    """A letter's bytes as they came, for its sender or a recipient."""

    sha256: bytes
    raw: bytes


async def inbox(
    exchange: Exchange, agencies: Sequence[UUID], *, after: UUID | None, limit: int, wait: float
) -> Page:
    """Open deliveries of these agencies; with `wait` (s) an empty inbox is watched first, unless the process leaves."""
    loop = asyncio.get_running_loop()
    deadline, waited = loop.time() + wait, False
    while True:
        event = exchange.bell.watch(agencies)
        try:
            async with exchange.pool.acquire() as connection:
                found = await deliveries.inbox(connection, agencies, after, limit)
            if found or exchange.leaving.is_set() or loop.time() >= deadline:
                return Page(items=tuple(found[:limit]), more=len(found) > limit, waited=waited)
            waited = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await event.wait()
        finally:
            exchange.bell.forget(agencies, event)


async def acknowledge(
    exchange: Exchange, caller: Caller, agencies: Sequence[UUID], given: Sequence[UUID]
) -> Acknowledged:
    """Take note that these deliveries are in the recipient's hands; the same ids again are `already`."""
    at = exchange.clock()
    unique = list(dict.fromkeys(given))
    async with exchange.pool.acquire() as connection:
        changed = await pool.again(lambda: _acknowledge(exchange, connection, caller, agencies, unique, at))
        rest = [one for one in unique if one not in changed]
        known = await deliveries.arrived(connection, agencies, rest) if rest else set()
    metrics.ARRIVED.inc(len(changed))
    return Acknowledged(
        acknowledged=tuple(one for one in unique if one in changed),
        already=tuple(one for one in rest if one in known),
        unknown=tuple(one for one in rest if one not in known),
    )


async def _acknowledge(
    exchange: Exchange,
    connection: pool.Connection,
    caller: Caller,
    agencies: Sequence[UUID],
    given: Sequence[UUID],
    at: datetime,
) -> set[UUID]:
    async with connection.transaction():
        changed = await deliveries.acknowledge(connection, agencies, given, caller.system, at)
        lines = [
            rows.JournalRow(
                agency=delivery["recipient"], id=exchange.ids.new(), at=at, event="arrived",
                letter=delivery["letter"], delivery=delivery["id"], system=caller.system,
            )
            for delivery in changed
        ]  # fmt: skip
        await journal.append(connection, lines)
        counts = Counter(fact for delivery in changed for fact in _facts(delivery))
        await tally.append(connection, counted.deltas(counts, exchange.ids))
    return {delivery["id"] for delivery in changed}


def _facts(delivery: Mapping[str, Any]) -> tuple[counted.Fact, ...]:
    """The facts of one arrival. Revocations, updates and notices are no transfers of their own."""
    found = paper_class.Classification(
        klass=delivery["counted_class"], step="arrived", excluded=delivery["excluded"] or "",
        grade=delivery["grade"], justified=delivery["justified"],
    )  # fmt: skip
    return counted.facts(delivery, found, delivery["arrived_at"])


async def body(
    exchange: Exchange, caller: Caller, letter: UUID, *, taken: bool = True, facts: bool = False
) -> Body | None:
    """The bytes of a letter that the caller sent or received; a recipient's first time is journalled as *fetched*.

    Not `taken`: only what is told of them goes out (HEAD). One system may act for the sender and for recipients: then it is both.
    Raises Problem gone where the letter was withdrawn from the caller, unless only its `facts` are asked for.
    """
    agencies = list(caller.agencies)
    async with exchange.pool.acquire() as connection:
        row = await letters.of_sender(connection, agencies, letter)
        if row is None and not facts and await operations.gone(connection, agencies, letter):
            raise Problem("gone")
        row = row or await letters.of_recipient(connection, agencies, letter)
        if row is None:
            return None
        if taken and await deliveries.unfetched(connection, agencies, letter):
            await pool.again(lambda: _note_fetched(exchange, connection, caller, letter))
        raw = exchange.bodies.get(letter) or await payloads.get(connection, exchange.payload_folder, letter)
    if raw is not None:
        exchange.bodies.put(letter, raw)
    return Body(sha256=row["sha256"], raw=raw) if raw is not None else None


async def _note_fetched(
    exchange: Exchange, connection: pool.Connection, caller: Caller, letter: UUID
) -> None:
    at = exchange.clock()
    async with connection.transaction():
        changed = await deliveries.fetched(connection, list(caller.agencies), letter, at)
        lines = [
            rows.JournalRow(
                agency=delivery["recipient"], id=exchange.ids.new(), at=at, event="fetched",
                letter=letter, delivery=delivery["id"], system=caller.system,
            )
            for delivery in changed
        ]  # fmt: skip
        await journal.append(connection, lines)
