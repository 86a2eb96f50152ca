"""How a worker leaves: what it began is answered, what waits at the door is left to the others.

door     it takes no new connection; the queue of the shared socket is the other workers'
polls    long polls answer at once, empty, instead of holding everybody for a minute
last     every answer from now on says `Connection: close` (RFC 9112 section 9.6); the connection goes with it
linger   a connection on which nothing is asked gets LINGER_SECONDS to hear that, and is closed
begun    what was being answered has SHUTDOWN_SECONDS, then it is given up
commit   what waits for its commit is committed, and the database let go (broker.exchange)
cut      whoever still holds on after CUT_SECONDS is cut off: what was acknowledged is committed by then
"""

import asyncio
import os

import structlog
from aiohttp import web

from exchange.api.parts import EXCHANGE

LINGER_SECONDS = 1.0
SHUTDOWN_SECONDS = 30.0
CUT_SECONDS = 38.0
"""Below what the parent grants (supervisor.STOP_SECONDS): a worker without a parent ends as well."""

PAUSE_SECONDS = 0.02


class Stop:
    """The order to leave, whoever gives it: a signal, or the end of the parent."""

    def __init__(self) -> None:
        self._given = asyncio.Event()

    def give(self) -> None:
        """Leave; from the first time on, the clock runs."""
        if not self._given.is_set():
            self._given.set()
            asyncio.get_running_loop().call_later(CUT_SECONDS, _cut)

    @property
    def given(self) -> bool:
        """Whether the order was given."""
        return self._given.is_set()

    async def wait(self, seconds: float | None = None) -> bool:
        """Until the order is given, or for so many seconds; whether it was given."""
        try:
            async with asyncio.timeout(seconds):
                return await self._given.wait()
        except TimeoutError:
            return False


def _cut() -> None:
    structlog.get_logger().warning("drain_cut", seconds=CUT_SECONDS)
    os._exit(1)


async def say_last(request: web.Request, response: web.StreamResponse) -> None:
    """Hook before every answer: a worker that leaves says so with it."""
    if request.app[EXCHANGE].leaving.is_set():
        response.force_close()
        response.headers["Connection"] = "close"


async def emptied(runner: web.AppRunner) -> None:
    """Wait until every connection went by itself, at most as long as idle ones may linger."""
    for _ in range(int(LINGER_SECONDS / PAUSE_SECONDS)):
        if runner.server is None or not runner.server.connections:
            return
        await asyncio.sleep(PAUSE_SECONDS)
