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
        async with self._lock:
            at = self._clock()
            if self._held is None or self._checked is None or at - self._checked > FRESH:
                self._held = await self._refreshed(at)
                self._checked = at
            return self._held

    async def _refreshed(self, at: datetime) -> Directory:
        async with self._pool.acquire() as connection:
            version = await directory.version(connection)
            if self._held is not None and version == self._held.version:
                return self._held
            return await directory.load(connection, paper_class.local_day(at))
