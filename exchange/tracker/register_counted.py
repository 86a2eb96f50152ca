"""What registers add to the tally, or take from it: rows that no electronic transfer stands beside, each transfer once."""

from collections import Counter
from collections.abc import Iterable
from uuid import UUID

from exchange import ids
from exchange.broker.counted import Fact, deltas
from exchange.store import register_match, register_settled, tally
from exchange.store.pool import Connection
from exchange.store.register_rows import Counted
from exchange.tracker import register_proof
from exchange.tracker.register_proof import Hand


async def settled(connection: Connection, agency: UUID, direction: str, hand: Hand) -> int:
    """Match an agency's rows with what counts now, and let the tally have what is on paper only; how many more match.

    Within the caller's transaction.
    """
    await register_proof.release(connection, agency, direction, hand)
    found = await register_match.match(connection, agency, direction)
    await tallied(connection, await register_settled.settle(connection, agency, direction), hand.ids)
    return found


async def tallied(connection: Connection, changes: Iterable[Counted], new_ids: ids.Ids) -> None:
    """Let the tally have what changed."""
    sums: Counter[Fact] = Counter()
    for one in changes:
        sums[fact(one)] += one.n
    await tally.append(connection, deltas(sums, new_ids))


def fact(one: Counted) -> Fact:
    """What rows alike count as: P, or X where they stay within one clerk's desk (C.2)."""
    klass, excluded = ("X", "internal") if one.scope == "internal" else ("P", "")
    return Fact(
        one.agency, one.direction, one.moved_on, one.scope, one.document_type, 0, klass, excluded, "", ""
    )
