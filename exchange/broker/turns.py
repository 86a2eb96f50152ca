"""Whose files may be examined at the same time: everybody's, but one after the other of whoever sent a slow one lately.

Who keeps the verify pool busy with files that take long pays with his own time: his next files queue behind each other,
so he waits for himself and not everybody else for him. Nobody is refused for it; a file that finds no turn in time is
examined later (`verify.POSTPONED`). Who sends no slow file for a while is forgotten.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Hashable
from weakref import WeakValueDictionary

REMEMBERED_SECONDS = 60.0


class Turns:
    """Who sent a slow file lately, whose turn it is among his own, and the places for slow files."""

    def __init__(self, patient: int, remembered: float = REMEMBERED_SECONDS) -> None:
        self._remembered = remembered
        self._slow_until: dict[Hashable, float] = {}
        self._quick: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._patient: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._places = asyncio.Semaphore(patient)

    def blame(self, who: Hashable) -> None:
        """A file of this sender took long."""
        now = asyncio.get_running_loop().time()
        kept = {other: until for other, until in self._slow_until.items() if until > now}
        self._slow_until = kept | {who: now + self._remembered}

    def blamed(self, who: Hashable) -> bool:
        """Whether a file of this sender took long lately."""
        return self._slow_until.get(who, 0.0) > asyncio.get_running_loop().time()

    @contextlib.asynccontextmanager
    async def quick(self, who: Hashable) -> AsyncIterator[None]:
        """A turn among the quick ones: at once, unless the sender is slow, then after his own others."""
        if not self.blamed(who):
            yield
            return
        async with self._quick.setdefault(who, asyncio.Lock()):
            yield

    def patient_at_once(self, who: Hashable) -> bool:
        """Whether a slow file of this sender would have a place without waiting."""
        mine = self._patient.get(who)
        return not self._places.locked() and not (mine and mine.locked())

    @contextlib.asynccontextmanager
    async def patient(self, who: Hashable, seconds: float) -> AsyncIterator[None]:
        """A place for a slow file, always after the sender's own others. Raises TimeoutError when none comes in time."""
        async with contextlib.AsyncExitStack() as stack:
            async with asyncio.timeout(seconds):
                await stack.enter_async_context(self._patient.setdefault(who, asyncio.Lock()))
                await stack.enter_async_context(self._places)
            yield

    async def emptied(self, patient: int) -> None:
        """Waits until no slow file is left, and lets no other begin."""
        for _ in range(patient):
            await self._places.acquire()
