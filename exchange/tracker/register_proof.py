"""Rows of registers that match a delivery prove that paper went beside it: told to the delivery, some hundred a commit.

`proven` is the one place where what a register proves meets the class of a delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange import ids
from exchange.broker import paper
from exchange.broker.paper import Match
from exchange.broker.paper_acts import Author
from exchange.store import register_rows
from exchange.store import registers as store
from exchange.store.pool import Connection
from exchange.store.register_rows import Matched

CHUNK = 500


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Who acts on a register (người thực hiện), and when; the ids of what is made."""

    by: str
    at: datetime
    ids: ids.Ids


async def proven(
    connection: Connection, agency: UUID, found: Sequence[Matched], hand: Hand, *, undone: bool = False
) -> None:
    """Paper went beside these deliveries, by these rows of an agency; `undone`: those rows prove nothing any more."""
    author = Author(name=hand.by, at=hand.at)
    rows = [Match(one.key, one.row, one.moved_on, agency) for one in found]
    await (paper.unmatched if undone else paper.matched)(connection, rows, author, hand.ids)


async def tell(connection: Connection, agency: UUID, hand: Hand) -> int:
    """Tell the deliveries of all matched rows that were not told yet; how many rows."""
    done = 0
    while True:
        async with connection.transaction():
            await store.lock(connection, agency)
            found = await register_rows.unproven(connection, agency, CHUNK)
            await proven(connection, agency, found, hand)
            await register_rows.mark(connection, agency, [one.row for one in found], hand.at)
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
        found = await register_rows.proven(connection, agency, load, CHUNK)
        await proven(connection, agency, found, hand, undone=True)
        await register_rows.mark(connection, agency, [one.row for one in found], None)
    return len(found)
