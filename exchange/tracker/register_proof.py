"""Rows of registers that match a delivery prove that paper went beside it: told to the delivery, some hundred a commit.

    tell        the deliveries of matched rows
    take_back   before a load goes
    release     where a delivery counts no more (refused, taken back): its rows are matched anew

`proven` is the one place where what a register proves meets the class of a delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange import ids
from exchange.broker import paper
from exchange.broker.paper_acts import Author
from exchange.store import register_match
from exchange.store import registers as store
from exchange.store.pool import Connection
from exchange.store.register_match import Matched

CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Who acts on a register (người thực hiện), and when; the ids of what is made."""

    by: str
    at: datetime
    ids: ids.Ids


async def proven(
    connection: Connection, found: Sequence[Matched], hand: Hand, *, undone: bool = False
) -> None:
    """Paper went beside these deliveries, by these rows; `undone`: those rows prove nothing any more."""
    author = Author(name=hand.by, at=hand.at)
    await (paper.unmatched if undone else paper.matched)(connection, found, author, hand.ids)


async def tell(connection: Connection, agency: UUID, hand: Hand) -> int:
    """Tell the deliveries of all matched rows that were not told yet; how many rows."""
    done = 0
    while True:
        async with connection.transaction():
            await store.lock(connection, agency)
            found = await register_match.unproven(connection, agency, CHUNK)
            await proven(connection, found, hand)
            await register_match.mark(connection, agency, [one.row for one in found], hand.at)
        done += len(found)
        if len(found) < CHUNK:
            return done


async def take_back(connection: Connection, agency: UUID, load: UUID, hand: Hand) -> None:
    """Tell the deliveries of a load's rows that these prove nothing any more."""
    while await _taken_back(connection, agency, load, hand) == CHUNK:
        pass


async def _taken_back(connection: Connection, agency: UUID, load: UUID, hand: Hand) -> int:
    async with connection.transaction():
        await store.lock(connection, agency)
        found = await register_match.proven(connection, agency, load, CHUNK)
        await proven(connection, found, hand, undone=True)
        await register_match.mark(connection, agency, [one.row for one in found], None)
    return len(found)


async def release(connection: Connection, agency: UUID, direction: str, hand: Hand) -> int:
    """Within the caller's transaction: rows let go of deliveries that count no more, which are told so; how many rows."""
    found = await register_match.astray(connection, agency, direction)
    await proven(connection, found, hand, undone=True)
    await register_match.mark(connection, agency, [one.row for one in found], None)
    return await register_match.release(connection, agency, direction)
