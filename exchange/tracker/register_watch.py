"""Registers kept up with letters, by housekeeping: what `register match` does, of the offices where there is something to do.

A letter may arrive, be refused or be taken back after its row was loaded, and whoever loads a book may be interrupted before all
deliveries were told. Where nothing of that kind happened, nothing is done.
"""

from datetime import timedelta
from uuid import UUID

import structlog

from exchange.broker.exchange import Exchange
from exchange.store import register_watch
from exchange.store.pool import UNAVAILABLE, Connection
from exchange.tracker import registers
from exchange.tracker.register_proof import Hand

OURSELVES = "congvan"
OVERLAP = timedelta(minutes=10)
"""So long a commit may take, and so much clocks may differ: what happened then is looked at twice."""
LEFT_AFTER = timedelta(seconds=60)
"""Whoever loads a book has told the deliveries by then, or was interrupted."""


async def keep_up(exchange: Exchange) -> int:
    """Match again where it is due; how many offices."""
    at = exchange.clock()
    hand = Hand(by=OURSELVES, at=at, ids=exchange.ids)
    async with exchange.pool.acquire() as connection:
        since = await register_watch.upto(connection)
        found = set(await register_watch.interrupted(connection, at - LEFT_AFTER))
        found |= set(
            await register_watch.everybody(connection)
            if since is None
            else await register_watch.due(connection, since - OVERLAP)
        )
        done = [await _rematched(connection, agency, hand) for agency in sorted(found)]
        if all(done):
            await register_watch.advance(connection, at)
    return sum(done)


async def _rematched(connection: Connection, agency: UUID, hand: Hand) -> bool:
    """Match one office's rows again. One that cannot be now, since its book is being loaded, holds up no other and comes again."""
    try:
        done = await registers.rematch(connection, agency, hand)
    except UNAVAILABLE as error:
        structlog.get_logger().warning("register_match_waits", agency=str(agency), error=repr(error))
        return False
    structlog.get_logger().info("register_matched", agency=str(agency), matched=done.matched, told=done.told)
    return True
