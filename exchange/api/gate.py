"""The gate for long work (cổng việc nặng): so many reports, sets of measures and packs of evidence at once in one worker.

Each holds a connection for as long as it takes; the worker has few, and letters need them. A few more wait in line, holding
nothing; who comes after them is told `busy`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from exchange.errors import Problem

AT_ONCE, IN_LINE = 2, 8
AGAIN_SECONDS = 5


@dataclass
class Gate:
    """So many may be inside, and so many wait."""

    at_once: int = AT_ONCE
    in_line: int = IN_LINE
    _here: int = 0
    _inside: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._inside = asyncio.Semaphore(self.at_once)

    @property
    def full(self) -> bool:
        """Whether who comes now is told `busy`."""
        return self._here >= self.at_once + self.in_line

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Inside as long as the block lasts. Raises Problem busy when too many wait already."""
        if self.full:
            raise Problem("busy", retry_after=AGAIN_SECONDS)
        self._here += 1
        try:
            async with self._inside:
                yield
        finally:
            self._here -= 1
