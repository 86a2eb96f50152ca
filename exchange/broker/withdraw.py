"""Withdraw: the effects of operations that were too many for one commit, or came before their target was expanded.

Each chunk is one transaction: the operation and its targets are locked, its row tells how far the effects are, the
deliveries are moved, and the row says how far they are now. So a relay may be killed anywhere and run in several processes at once: every
delivery is moved once. Operations on one target are done in the order of their acceptance.

An operation that cannot be done holds nobody back but younger ones on the same target: it is logged and tried again a
minute later.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from exchange.broker import expand, left_out, operations
from exchange.broker.exchange import Exchange
from exchange.broker.expand import CHUNK, LETTERS_AT_ONCE
from exchange.broker.targets import Link
from exchange.rules.directory import Directory
from exchange.store import batch, documents, heirs, journal, pool, rows, tally, transitions
from exchange.store import operations as stored
from exchange.store.pool import Connection


async def all_waiting(exchange: Exchange) -> int:
    """Do the effects of every operation that waits for them, oldest first; how many operations were done."""
    directory, done = await exchange.snapshot.current(), 0
    async with exchange.pool.acquire() as connection:
        while True:
            found = await stored.waiting(
                connection, exchange.clock(), LETTERS_AT_ONCE + len(exchange.postponed)
            )
            ready = [expand.letter(one) for one in found if one["id"] not in exchange.postponed]
            went = 0
            for one in ready:
                doing = effected(exchange, connection, one, directory)
                went += await expand.tried(exchange, one, doing, "operation_not_effected")
            done += went
            if not went:
                return done


async def effected(
    exchange: Exchange, connection: Connection, one: rows.LetterRow, directory: Directory
) -> None:
    """All effects of an operation, chunk by chunk, also those that another process left over."""
    while await pool.again(
        lambda: _chunk(_Task(exchange=exchange, letter=one, directory=directory), connection)
    ):
        pass


@dataclass(frozen=True, kw_only=True)
class _Task:
    """An operation whose effects are done, by which directory."""

    exchange: Exchange
    letter: rows.LetterRow
    directory: Directory


async def _links(connection: Connection, one: rows.LetterRow) -> list[Link]:
    """What the operation acts on as it stands now; locked, with the operation, until the transaction ends."""
    found = await stored.links(connection, one.sender, one.id)
    await documents.lock(connection, {(one.sender, record["id"]) for record in (*found, {"id": one.id})})
    return [
        Link(
            target=expand.letter(record),
            concerned=tuple(record["concerned"]),
            shows=_shows(await stored.reach(connection, one.sender, record["id"]), one),
        )
        for record in await stored.links(connection, one.sender, one.id)
    ]


def _shows(reach: stored.Reach, one: rows.LetterRow) -> rows.LetterRow | None:
    return expand.letter(reach.restated_by) if reach.restated_by and not one.restated else None


def _span(links: Sequence[Link], start: int) -> Iterator[tuple[Link, tuple[UUID, ...]]]:
    """The next deliveries after so many, by target."""
    end = start + CHUNK
    for link in links:
        here = link.concerned[max(start, 0) : max(end, 0)]
        if here:
            yield link, here
        start, end = start - len(link.concerned), end - len(link.concerned)


async def _chunk(task: _Task, connection: Connection) -> bool:
    """One transaction; whether there may be more to do."""
    one, at, new_ids = task.letter, task.exchange.clock(), task.exchange.ids
    acts = replace(operations.cause(one), at=at)
    given, moves = list[stored.Added](), list[transitions.Transition]()
    async with connection.transaction():
        links = await _links(connection, one)
        start = await stored.progress(connection, one.sender, one.id)
        if start is None:
            return False
        for link, here in _span(links, start):
            given += operations.given(one, link, here, task.directory, acts, new_ids)
            moves += operations.struck(one, link, here, acts, new_ids)
        numbered = [(link, here) for link, here in _span(links, start) if left_out.same_number(one, link)]
        held = [key for _, here in numbered for key in left_out.keys(one, here)]
        late = await documents.expired(connection, stored.meant(given))
        late += await heirs.keys(connection, moves)
        await transitions.locked(connection, [*held, *late, *(each.key for each in moves)])
        lines = await batch.add(given, connection)
        moved = await heirs.apply(connection, moves)
        for link, here in numbered:
            moved += await left_out.where_it_stays(connection, acts, (one, link), here, new_ids)
        await journal.append(connection, lines + [line for each in moved for line in each.lines])
        await tally.append(connection, [fact for each in moved for fact in each.facts])
        whole = sum(len(link.concerned) for link in links)
        end = min(start + CHUNK, whole)
        await stored.advance(connection, one.sender, one.id, end, at if end == whole else None)
    task.exchange.bell.ring([each.delivery.recipient for each in given])
    return end < whole
