"""Measures with what a tally says of itself (kỳ, phiên bản, độ phủ): all of one moment."""

from typing import Any

from exchange.store.pool import Connection
from exchange.tracker import measures, signature_usage, tally
from exchange.tracker.measures import Means
from exchange.tracker.signature_usage import Asked

HEAD = ("period", "view", "scope", "version", "sha256", "as_of", "coverage")


async def measured(connection: Connection, asked: Asked, means: Means, percent: int) -> dict[str, Any]:
    """Every measure of what is asked. `percent`: of so many agencies books are wanted. The caller holds no transaction."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        counted = await signature_usage.count(connection, asked)
        found = await measures.measured(connection, asked, means)
    head = tally.as_json(counted, percent)
    return {**{name: head[name] for name in HEAD}, "measures": found}
