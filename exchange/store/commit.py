"""The group committer: what waits is written together, durably, and only then answered.

Theory of operation. One task per process owns one connection. It takes whatever waits (never waiting for more), writes
it in one transaction - one `unnest` statement per table, in fixed order, rows sorted by key - commits, and resolves the
futures. 2xx leaves only after that commit. Under load batches grow by themselves; idle, a letter is committed at once.

Identity. A letter's row goes in with ON CONFLICT DO NOTHING; who was not written is read back in a new statement, which
sees what a concurrent writer has committed meanwhile. My id: an earlier attempt of ours got through. Same sha256: a
replay, answered with the first receipt. Else: a conflict, journalled in the same commit. Nobody holds the identity: it
was written as the first letter of a document that has one (`store.documents`); nothing is kept, the caller asks what
came before and submits again with `again`. An operation whose target changed since it was planned is *overtaken*:
nothing of it is kept either, and it is planned anew.

Transitions. A notice moves the delivery it speaks of in the same transaction, and only with the letter row that was
written just now: what is tried again or replayed moves nothing twice.

Errors, by SQLSTATE:
    22, 23 and other statement errors   somebody's data: bisect, so that a bad neighbour harms nobody
    40001, 40P01                        again, at once
    connection lost, 57P, time-outs     outcome unknown: new connection, same ids, until the budget ends;
                                        then `outcome_unknown` (503) - the sender sends again and finds out
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

import asyncpg

from exchange import metrics
from exchange.errors import Problem
from exchange.store import batch
from exchange.store.batch import Outcome, Submission
from exchange.store.pool import Connection

__all__ = ["Committer", "Outcome", "Submission"]

MAX_LETTERS = 64
MAX_BYTES = 4_000_000
MAX_ROWS = 2_000
MAX_WAITING = 1_024
BUDGET_SECONDS = 40.0
STATEMENT_SECONDS = 15.0
PAUSE_SECONDS = 0.1

AGAIN = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
UNKNOWN = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    OSError,
    TimeoutError,
)


Waiting = tuple[Submission, "asyncio.Future[Outcome]"]


class Committer:
    """One committer per process; `run` is its task, `submit` its door."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._queue: asyncio.Queue[Waiting] = asyncio.Queue(MAX_WAITING)
        self._left: Waiting | None = None

    @property
    def waiting(self) -> int:
        """How many submissions wait to be written."""
        return self._queue.qsize()

    async def submit(self, submission: Submission) -> Outcome:
        """Write one submission durably. Raises Problem busy, outcome_unknown or internal.

        The caller may be cancelled; what it submitted is written all the same.
        """
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((submission, future))
        except asyncio.QueueFull:
            raise Problem("busy") from None
        return await asyncio.shield(future)

    async def run(self) -> None:
        """Commit until cancelled; what waits at that moment is committed first."""
        try:
            while True:
                await self._settle(await self._take())
        finally:
            await self._drain()
            if self._connection is not None:
                await self._connection.close()

    async def _drain(self) -> None:
        while self._left or not self._queue.empty():
            await self._settle(await self._take())

    async def _take(self) -> list[Waiting]:
        first = self._left or await self._queue.get()
        self._left = None
        batch, (size, count) = [first], first[0].weight
        while not self._queue.empty() and len(batch) < MAX_LETTERS:
            following = self._queue.get_nowait()
            size, count = size + following[0].weight[0], count + following[0].weight[1]
            if size > MAX_BYTES or count > MAX_ROWS:
                self._left = following
                break
            batch.append(following)
        return batch

    async def _settle(self, batch: Sequence[Waiting]) -> None:
        outcomes = await self._outcomes([submission for submission, _ in batch], monotonic() + BUDGET_SECONDS)
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if not future.done():
                _resolve(future, outcome)

    async def _outcomes(self, submissions: Sequence[Submission], deadline: float) -> list[Outcome | Problem]:
        """How each submission ended, in order; errors never leave here."""
        while True:
            try:
                metrics.COMMIT_LETTERS.observe(len(submissions))
                async with asyncio.timeout(STATEMENT_SECONDS):
                    with metrics.COMMIT_SECONDS.time():
                        return list(await self._commit(submissions))
            except AGAIN:
                problem = Problem("busy")
            except ValueError as error:  # asyncpg could not encode a value: somebody's data, like SQLSTATE 22
                return await self._bisect(submissions, deadline, type(error).__name__)
            except UNKNOWN:
                problem = Problem("outcome_unknown")
                self._forget()
                await asyncio.sleep(PAUSE_SECONDS)
            except asyncpg.PostgresError as error:
                return await self._bisect(submissions, deadline, f"SQLSTATE {error.sqlstate}")
            if monotonic() > deadline:
                return [problem] * len(submissions)

    async def _bisect(
        self, submissions: Sequence[Submission], deadline: float, why: str
    ) -> list[Outcome | Problem]:
        if len(submissions) == 1:
            return [Problem("internal", why)]
        half = len(submissions) // 2
        first = await self._outcomes(submissions[:half], deadline)
        return first + await self._outcomes(submissions[half:], deadline)

    def _forget(self) -> None:
        """Drop the connection at once: the server may be gone, and a polite close would wait for it."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _commit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        async with self._connection.transaction():
            return await batch.write(self._connection, submissions)


def _resolve(future: "asyncio.Future[Outcome]", outcome: Outcome | Problem) -> None:
    if isinstance(outcome, Problem):
        future.set_exception(outcome)
        with contextlib.suppress(Problem):
            future.exception()  # a client that hung up no longer asks; the loop need not warn
    else:
        future.set_result(outcome)
