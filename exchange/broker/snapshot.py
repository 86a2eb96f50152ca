"""The directory as the use cases see it: a snapshot at most five seconds behind the tables."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from exchange.rules import paper_class
from exchange.rules.directory import Directory
from exchange.store import directory
from exchange.store.pool import Pool

FRESH = timedelta(seconds=2)


class Snapshot:
    """Holds one version; asks every two seconds, when used, whether there is a newer one."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock
        self._held: Directory | None = None
        self._checked: datetime | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> Directory:
        """The directory, at most five seconds old."""
        return self._fresh() or await self._asked()

    def _fresh(self) -> Directory | None:
        known = self._checked is not None and self._clock() - self._checked <= FRESH
        return self._held if known else None

    async def _asked(self) -> Directory:
        """The directory, asked for by one of those who want it; the others wait for the answer."""
        async with self._lock:
            fresh = self._fresh()
            if fresh is not None:
                return fresh
            at = self._clock()
            self._held = await self._refreshed(at)
            self._checked = at
            return self._held

    async def _refreshed(self, at: datetime) -> Directory:
        async with self._pool.acquire() as connection:
            version = await directory.version(connection)
            if self._held is not None and version == self._held.version:
                return self._held
            return await directory.load(connection, paper_class.local_day(at))
