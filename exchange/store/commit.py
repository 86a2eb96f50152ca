"""The group committer: what waits is written together, durably, and only then answered.

Theory of operation. One task per process owns one connection. It takes whatever waits (never waiting for more), writes
it in one transaction - one `unnest` statement per table, in fixed order, rows sorted by key - commits, and resolves the
futures. 2xx leaves only after that commit. Under load batches grow by themselves; idle, a letter is committed at once.

Identity. A letter's row goes in with ON CONFLICT DO NOTHING; who was not written is read back in a new statement, which
sees what a concurrent writer has committed meanwhile. My id: an earlier attempt of ours got through. Same sha256: a
replay, answered with the first receipt. Else: a conflict, journalled in the same commit.

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
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

import asyncpg

from exchange import metrics
from exchange.errors import Problem
from exchange.store import operations, rows, transitions
from exchange.store.pool import Connection

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


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What one decision writes: a letter with all that belongs to it, or (letter None) a refusal's journal row.

    `transition` is what a notice does to the delivery it speaks of, `effects` what an operation does to those of its
    targets (`links`); `added` are deliveries of a target with their lines, unless they are there. `refused` is written instead of everything else
    when the letter turns out to be a conflict.
    """

    letter: rows.LetterRow | None
    verdicts: tuple[rows.VerdictRow, ...] = ()
    deliveries: tuple[rows.DeliveryRow, ...] = ()
    payload: rows.PayloadRow | None = None
    evidence: tuple[rows.EvidenceRow, ...] = ()
    transition: transitions.Transition | None = None
    effects: tuple[transitions.Transition, ...] = ()
    links: tuple[rows.LinkRow, ...] = ()
    added: tuple[tuple[rows.DeliveryRow, rows.JournalRow], ...] = ()
    accepted: rows.JournalRow | None = None
    refused: rows.JournalRow | None = None

    @property
    def weight(self) -> tuple[int, int]:
        """Bytes and rows that this submission adds to a batch."""
        body = len(self.payload.body) if self.payload and self.payload.body else 0
        return body, 3 + len(self.deliveries) + len(self.verdicts) + len(self.effects) + len(self.added)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a submission ended: stored | replayed | conflict | recorded, and the letter that holds the identity."""

    kind: str
    letter: UUID | None = None
    receipt: bytes = b""


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
            written = await _write_letters(self._connection, submissions)
            outcomes = await _read_back(self._connection, submissions, written)
            await _write_rest(self._connection, submissions, outcomes, written)
        return outcomes


def _resolve(future: "asyncio.Future[Outcome]", outcome: Outcome | Problem) -> None:
    if isinstance(outcome, Problem):
        future.set_exception(outcome)
        with contextlib.suppress(Problem):
            future.exception()  # a client that hung up no longer asks; the loop need not warn
    else:
        future.set_result(outcome)


async def _write_letters(connection: Connection, submissions: Sequence[Submission]) -> set[UUID]:
    letters = [submission.letter for submission in submissions if submission.letter]
    records = await rows.insert(
        connection, letters, conflict="ON CONFLICT DO NOTHING", returning="RETURNING id"
    )
    return {record["id"] for record in records}


async def _read_back(
    connection: Connection, submissions: Sequence[Submission], written: set[UUID]
) -> list[Outcome]:
    """The outcome of each submission; one more statement only when some letter was not written just now."""
    others = [one.letter for one in submissions if one.letter and one.letter.id not in written]
    holders = await _holders(connection, others) if others else {}
    return [_outcome(submission.letter, written, holders) for submission in submissions]


def _outcome(letter: rows.LetterRow | None, written: set[UUID], holders: dict[UUID, Any]) -> Outcome:
    if letter is None:
        return Outcome(kind="recorded")
    if letter.id in written:
        return Outcome(kind="stored", letter=letter.id, receipt=letter.receipt)
    holder = holders[letter.id]
    if holder["id"] == letter.id:
        return Outcome(kind="stored", letter=letter.id, receipt=letter.receipt)
    kind = "replayed" if holder["sha256"] == letter.sha256 else "conflict"
    return Outcome(kind=kind, letter=holder["id"], receipt=holder["receipt"])


async def _holders(connection: Connection, letters: Sequence[rows.LetterRow]) -> dict[UUID, Any]:
    """For each letter that was not written: the row that holds its identity."""
    records = await connection.fetch(
        """SELECT given.id AS mine, letter.id, letter.sha256, letter.receipt
             FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::bytea[])
                  AS given (sender, id, document_id, operation, round, sha256)
             JOIN letter ON letter.sender = given.sender AND letter.document_id = given.document_id
                        AND letter.operation = given.operation AND letter.round = given.round
                        AND (given.operation IN ('new', 'replace') OR letter.sha256 = given.sha256)""",
        *(
            [getattr(letter, name) for letter in letters]
            for name in ("sender", "id", "document_id", "operation", "round", "sha256")
        ),
    )
    return {record["mine"]: record for record in records}


async def _write_rest(
    connection: Connection, submissions: Sequence[Submission], outcomes: Sequence[Outcome], written: set[UUID]
) -> None:
    new = [one for one in submissions if one.letter and one.letter.id in written]
    await rows.insert(connection, [row for one in new for row in one.verdicts])
    await rows.insert(connection, [row for one in new for row in one.deliveries])
    await rows.insert(connection, [one.payload for one in new if one.payload])
    kept = {row.sha256: row for one in new for row in one.evidence}
    await rows.insert(connection, list(kept.values()), conflict="ON CONFLICT DO NOTHING")
    await rows.insert(connection, [row for one in new for row in one.links])
    lines = [one.accepted for one in new if one.accepted]
    lines += await add([pair for one in new for pair in one.added], connection)
    moves = [each for one in new for each in (one.transition, *one.effects) if each]
    moved = await transitions.apply(connection, moves)
    lines += [line for one in moved for line in one.lines]
    lines += _refusals(submissions, outcomes)
    await rows.insert(connection, lines, conflict="ON CONFLICT DO NOTHING")
    await rows.insert(connection, [fact for one in moved for fact in one.facts])


async def add(
    given: Sequence[tuple[rows.DeliveryRow, rows.JournalRow]], connection: Connection
) -> list[rows.JournalRow]:
    """Give recipients deliveries of an earlier letter, unless they have one; the lines of those that were given."""
    made = await operations.add(connection, [delivery for delivery, _ in given])
    return [line for delivery, line in given if delivery.id in made]


def _refusals(submissions: Sequence[Submission], outcomes: Sequence[Outcome]) -> Iterable[rows.JournalRow]:
    for submission, outcome in zip(submissions, outcomes, strict=True):
        if outcome.kind in {"conflict", "recorded"} and submission.refused:
            yield submission.refused
