"""Heirs: where a transfer ends uncounted, a duplicate of its document at the same recipient counts in its place (C.2).

A document sent twice counts once: the first transfer, and the second is its duplicate. When the first is refused, or
withdrawn before it was registered, the second is what the recipient holds. What was replaced has the replacement instead:
that one counts, if it is a duplicate there, and no other.
A duplicate without a delivery yet is none any more by its letter alone: expanding it looks there (`letters.locked`).

Duplicates that may count are looked up before anything is locked, and locked together with what may end; the letters of
the document are locked before (`documents.lock`), so nobody sends it once more meanwhile.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from exchange.rules import operations
from exchange.rules.documents import Held
from exchange.store import documents, transitions
from exchange.store.pool import Connection
from exchange.store.transitions import Key, Moved, Standing, Transition

_COMING = Standing(
    requirement="",
    state="waiting",
    open=True,
    system=None,
    arrived_at=None,
    counted_class=None,
    excluded=None,
)
"""Of a delivery that is not there yet."""


def letters(moves: Sequence[Transition]) -> set[tuple[UUID, UUID]]:
    """The letters (sender, id) whose transfers may end."""
    return {(one.ends.sender, one.key[1]) for one in moves if one.ends}


async def keys(connection: Connection, moves: Sequence[Transition]) -> list[Key]:
    """Part of a transaction: the deliveries that may come to count by these moves."""
    meant = [(one.ends.sender, one.key[1], one.key[0]) for one in moves if one.ends]
    found = await documents.held(connection, meant) if meant else {}
    return [one.key for each in found.values() for one in each if one.delivery and _waits(one)]


async def apply(connection: Connection, moves: Sequence[Transition]) -> list[Moved]:
    """Part of a transaction that locked those keys: the moves, and what comes to count by them."""
    done = await transitions.applied(connection, moves)
    moved, following = done.moved, list[Transition]()
    for one in _last(moves):
        if one.ends and _ended(done, one.key):
            for heir in await _heir(connection, one, done.now[one.key].replaced_by):
                record = await _counts_now(connection, one.ends.sender, heir)
                if heir.delivery:
                    following.append(one.ends.heir(record, heir.recipient))
                else:
                    moved.append(Moved(standing=_COMING, lines=(one.ends.coming(record, heir.recipient),)))
    return moved + await transitions.apply(connection, following)


def _last(moves: Sequence[Transition]) -> Iterator[Transition]:
    """One of those of each delivery."""
    yield from {one.key: one for one in moves if one.ends}.values()


def _ended(done: transitions.Applied, key: Key) -> bool:
    before, now = done.before.get(key), done.now.get(key)
    return before is not None and now is not None and _counts(before) and not _counts(now)


def _counts(one: Standing) -> bool:
    return (one.excluded is None and one.state not in operations.OVER) or one.recalled


def _waits(one: Held) -> bool:
    return one.same and one.duplicate and one.state not in operations.OVER


async def _heir(connection: Connection, move: Transition, replacement: UUID | None) -> list[Held]:
    """The oldest duplicate, if nothing else of the document counts; first of those that arrived.

    Of what was replaced none but its `replacement`.
    """
    assert move.ends is not None
    recipient, letter, _ = move.key
    held = (await documents.held(connection, [(move.ends.sender, letter, recipient)]))[letter]
    if any(one.same and _stands(one) for one in held):
        return []
    waiting = [one for one in held if _waits(one) and replacement in {None, one.letter}]
    return sorted(waiting, key=lambda one: one.state in {"waiting", "expired"})[:1]


def _stands(one: Held) -> bool:
    return not one.duplicate and (one.state not in operations.OVER or one.recalled)


async def _counts_now(connection: Connection, sender: UUID, one: Held) -> Any:  # noqa: ANN401 - a record
    """The record of the letter that is a transfer of its own from now on."""
    return await connection.fetchrow(
        """UPDATE letter SET duplicates = array_remove(duplicates, $3) WHERE sender = $1 AND id = $2 RETURNING *""",
        sender, one.letter, one.recipient,
    )  # fmt: skip
