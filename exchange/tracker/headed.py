"""Measures with what a tally says of itself (kỳ, phiên bản, độ phủ): all of one moment."""

from typing import Any

from exchange.store.pool import Connection
from exchange.tracker import measures, merged, signature_usage, tally
from exchange.tracker.measures import Means
from exchange.tracker.signature_usage import Asked

HEAD = ("period", "view", "scope", "version", "sha256", "as_of", "coverage")


async def measured(connection: Connection, asked: Asked, means: Means, percent: int) -> dict[str, Any]:
    """Every measure of what is asked. `percent`: of so many agencies books are wanted. The caller holds no transaction.

    `enough` is for `written.doubted`, which takes it out.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        counted = await signature_usage.count(connection, asked)
        found = await measures.measured(connection, asked, means)
        books = await enough(connection, asked, counted.registers, percent)
        mergers = merged.as_json(await merged.within(connection, asked.period, asked.agencies, asked.as_of))
    head = tally.as_json(counted, percent)
    return {**{name: head[name] for name in HEAD}, "measures": found, "enough": sorted(books), **mergers}


async def covered(connection: Connection, asked: Asked, book: str) -> tuple[int, int]:
    """How many agencies' registers of one direction cover the period, of how many."""
    scope = asked.filters.scope or tally.WHOLE
    return await tally.coverage(connection, asked.period, book, scope, asked.agencies, asked.as_of)


async def enough(connection: Connection, asked: Asked, own: tuple[int, int], percent: int) -> frozenset[str]:
    """The registers, out and in, of which enough are loaded; `own`: how many of the view that is asked for."""
    other = "in" if asked.filters.view == "out" else "out"
    found = {asked.filters.view: own, other: await covered(connection, asked, other)}
    return frozenset(book for book, one in found.items() if tally.sufficient(one, percent))
