"""Pages of transfers, read day by day: their order begins with the day, so a page costs as much at any place of a period."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from exchange.store import transfers
from exchange.store.pool import Connection
from exchange.store.shown import Wanted
from exchange.store.transfers import Place

MOST_DAYS = 32
"""Where there is little, so many days are read at once."""


async def page(connection: Connection, wanted: Wanted, after: Place | None, limit: int) -> list[Any]:
    """The next transfers after a place, at most so many. Within a transaction that sees one moment."""
    found: list[Any] = []
    first, days = max(wanted.first, after.day) if after else wanted.first, 1
    while first <= wanted.last and len(found) < limit:
        last = min(wanted.last, first + timedelta(days=days - 1))
        some = replace(wanted, first=first, last=last)
        found += await transfers.page(connection, some, after, limit - len(found))
        first, days = last + timedelta(days=1), min(2 * days, MOST_DAYS)
    return found
