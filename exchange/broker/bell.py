"""Who waits for what: long polls sleep here until their agency's inbox may have changed.

Three tasks per process feed it: `listen` hears other processes, `tell` tells them (at most 20 times a second), and
`sweep` asks the database every few seconds about those who wait - the floor on which everything works without NOTIFY.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable
from random import Random
from uuid import UUID

from exchange.store import deliveries, wake
from exchange.store.pool import UNAVAILABLE, Connection, Pool

TELL_SECONDS = 0.05
SWEEP_SECONDS = 5.0
RETRY_SECONDS = 1.0


class Bell:
    """The waiting long polls of one process, by agency."""

    def __init__(self, *, notify: bool, randomness: Random) -> None:
        self._notify = notify
        self._random = randomness
        self._waiting: defaultdict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._untold: set[UUID] = set()
        self._something_to_tell = asyncio.Event()

    def watch(self, agencies: Collection[UUID]) -> asyncio.Event:
        """An event that is set when something may have opened for one of these agencies; give it back to `forget`."""
        event = asyncio.Event()
        for agency in agencies:
            self._waiting[agency].add(event)
        return event

    def forget(self, agencies: Collection[UUID], event: asyncio.Event) -> None:
        """The waiting ended."""
        for agency in agencies:
            self._waiting[agency].discard(event)
            if not self._waiting[agency]:
                del self._waiting[agency]

    def ring(self, agencies: Iterable[UUID]) -> None:
        """Something opened for these agencies: wake who waits here, and have the other processes told."""
        for agency in agencies:
            self._wake(agency)
            self._untold.add(agency)
        self._something_to_tell.set()

    def ring_out(self) -> None:
        """Wake everybody who waits here, for the last time."""
        for agency in self._waiting:
            self._wake(agency)

    def _wake(self, agency: UUID) -> None:
        for event in self._waiting.get(agency, ()):
            event.set()

    def _heard(self, notice: str) -> None:
        for agency in wake.named(notice, list(self._waiting)):
            self._wake(agency)

    async def tell(self, pool: Pool) -> None:
        """Task: tell the other processes what opened; a lost notice costs them one sweep, nothing else."""
        while True:
            await self._something_to_tell.wait()
            self._something_to_tell.clear()
            agencies, self._untold = self._untold, set()
            if self._notify:
                try:
                    async with pool.acquire() as connection:
                        await wake.notify(connection, agencies)
                except UNAVAILABLE:
                    await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(TELL_SECONDS)

    async def listen(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        """Task: hear the other processes; after a lost connection, listen again."""
        while self._notify:
            try:
                await self._listen_once(await connect())
            except UNAVAILABLE:
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen_once(self, connection: Connection) -> None:
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        try:
            await wake.listen(connection, self._heard)
            await ended.wait()
        finally:
            connection.terminate()  # a listener has nothing to finish

    async def sweep(self, pool: Pool) -> None:
        """Task: ask the database about everybody who waits, every five seconds or so."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS * self._random.uniform(0.8, 1.2))
            try:
                async with pool.acquire() as connection:
                    for agency in await deliveries.waiting(connection, list(self._waiting)):
                        self._wake(agency)
            except UNAVAILABLE:
                continue
