"""The verify pool (design 6, settled 10): where signatures of a letter are examined without holding up the event loop.

Theory of operation. XML goes to `signing.xmldsig`, inline when small, else in a thread: lxml and OpenSSL let other
threads run, and budgets bound the work. A small `.p7s` goes the same way, whatever the size of the file it signs. PDF,
and signature files that are large or carry a content, go to worker processes (`verify_worker`): that code is large, not
ours, slow, and reads whatever strangers send.

A worker that has used a quarter of a second of processor time without an answer leaves the quick lane together with its
file: another takes its place, and it goes on, behind everybody else, in one of the few patient places; when these are
taken the file waits for one and is begun anew there. Who sent it queues behind himself for a while (`turns`), for the
patient places and in a lane of a single worker that gives way to everybody else: the quick one is for those who sent no
such file lately. So files that take long, or are made to, delay each other, then their sender, and hardly anybody else.
Over time a worker is killed, one that dies is replaced and the file tried once more.

A file that has used up its processor time keeps the remark `verification_too_slow`. One that had no turn in time, or too
little of a processor, keeps `verification_timeout`, one whose workers died `verification_failed`: these tell of this
machine and moment (`POSTPONED`), and whoever asked must ask again. A letter that is accepted with one of them is due to be
judged again (`written`, `rejudge`).

Each worker has an executor of its own, so killing one harms no neighbour, and one letter holds at most one
worker at a time, so a letter with 200 files delays nobody but itself. Workers start when first needed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from exchange.broker import attached, verify_worker
from exchange.broker.turns import Turns
from exchange.broker.verify_worker import Answer, File, FirstPage, Limits, Worker
from exchange.edxml.spooled import Content
from signing import xmldsig
from signing.trust import Trust
from signing.verdict import Remark, Report, TooComplexError

__all__ = ["INLINE_BYTES", "LIMITS", "Examined", "Limits", "Verifier", "VerifyPool", "letter"]

INLINE_BYTES = 50_000
POSTPONED = frozenset({"verification_timeout", "verification_failed"})
"""Remarks that tell of this machine and moment, not of the file."""
TOO_SLOW = "verification_too_slow"
FIRST_PAGE_SECONDS = 3.0
LIMITS = Limits()
_ATTEMPTS = 2
_ROUNDED = 1.0
"""Seconds of the allowance that may be left where a file is told to have used it up: the kernel counts whole ones."""

_Result = TypeVar("_Result")


class Examined(NamedTuple):
    """What was found out about a letter's signatures, and the digest of the trust set by which."""

    report: Report
    trust_sha256: bytes


class Lane:
    """So many workers for files that are quick, until one turns out not to be; one that `gives_way` does so to the others."""

    def __init__(self, places: int, *, gives_way: bool = False) -> None:
        self.places = places
        self.gives_way = gives_way
        self.free: asyncio.LifoQueue[Worker | None] = asyncio.LifoQueue()  # the last used is warm
        self._order = asyncio.Lock()  # a queue alone gives to whoever comes by before those who wait
        for _ in range(places):
            self.free.put_nowait(None)

    async def taken(self) -> Worker | None:
        """A free worker, or None where one is to be started."""
        async with self._order:
            return await self.free.get()


class Place(NamedTuple):
    """A lane, and the worker in it that is free now; None where one is to be started."""

    lane: Lane
    worker: Worker | None


class VerifyPool:
    """Worker processes for PDF files and the trust set in force: `async with VerifyPool(trust) as pool`.

    `trust` may be replaced at any time; letters already being examined end with the set they began with.
    """

    def __init__(self, trusted: Trust, limits: Limits = LIMITS) -> None:
        self.trust = trusted
        self.limits = limits
        self._turns = Turns(limits.patient)
        self._quick, self._behind = Lane(limits.workers), Lane(1, gives_way=True)
        self._renewing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the workers, after the files that they are at."""
        await self._turns.emptied(self.limits.patient)
        for lane in (self._quick, self._behind):
            for _ in range(lane.places):
                worker = await lane.taken()
                if worker:
                    await asyncio.to_thread(worker.executor.shutdown)

    def of(self, who: Hashable) -> "OneSender":
        """The pool for the files of one sender."""
        return OneSender(self, who)

    async def examine(self, trusted: Trust, file: File, seconds: float, who: Hashable = None) -> Report:
        """The report on one file, or a remark that there is none. Raises TooComplexError."""
        if seconds <= 0:
            return _remark("verification_timeout", file.where)
        for _ in range(_ATTEMPTS):
            try:
                answer = await self._answer(trusted, file, seconds, who)
            except TimeoutError:
                return _remark("verification_timeout", file.where)
            except BrokenProcessPool:
                continue
            if isinstance(answer.outcome, TooComplexError):
                raise answer.outcome
            if isinstance(answer.outcome, Report):
                return answer.outcome
        return _remark("verification_failed", file.where)

    async def first_page(self, raw: Content, who: Hashable = None) -> str:
        """The text of a PDF's first page; empty when there is none, or not within the limits."""
        seconds = min(self.limits.seconds, FIRST_PAGE_SECONDS)
        try:
            answer, _ = await self._quickly(self.trust, FirstPage(raw=raw), seconds, who)
        except (BrokenProcessPool, TimeoutError):
            return ""
        return answer.outcome if answer and isinstance(answer.outcome, str) else ""

    async def _answer(self, trusted: Trust, file: File, seconds: float, who: Hashable) -> Answer:
        """A worker's answer. Raises TimeoutError, BrokenProcessPool."""
        answer, begun = await self._quickly(trusted, file, seconds, who)
        if answer is not None:
            return answer
        left = seconds - begun.seconds
        if left <= 0:
            raise TimeoutError
        async with self._turns.patient(who, seconds):
            return await self._patiently(trusted, file, left, begun)

    async def _quickly(
        self, trusted: Trust, file: File | FirstPage, seconds: float, who: Hashable
    ) -> tuple[Answer | None, Worker]:
        """The quick lane's answer, or none, and the worker, which leaves with its file if there is a patient place.

        Raises TimeoutError when no worker is free in time, BrokenProcessPool.
        """
        async with contextlib.AsyncExitStack() as turn:
            place, waited = await self._waited(turn, seconds, who)
            worker = await turn.enter_async_context(self._worker(place, trusted))
            answer = await worker.quickly(file, self.limits, seconds - waited)
            worker.seconds += waited
            if answer is None:
                self._turns.blame(who)
                stays = isinstance(file, FirstPage) or worker.seconds >= seconds
                worker.leaves = not stays and self._turns.patient_at_once(who)
        return answer, worker

    async def _waited(
        self, turn: contextlib.AsyncExitStack, seconds: float, who: Hashable
    ) -> tuple[Place, float]:
        """A place with a worker, and how long it took until there was one. Raises TimeoutError."""
        clock = asyncio.get_running_loop().time
        start = clock()
        async with asyncio.timeout(seconds):
            place = await self._place_for(who, turn)
        return place, clock() - start

    async def _place_for(self, who: Hashable, turn: contextlib.AsyncExitStack) -> Place:
        """The same; who is blamed while he waits with the others waits anew, behind his own."""
        while True:
            queued = self._turns.blamed(who)
            await turn.enter_async_context(self._turns.quick(who))
            lane = self._behind if queued else self._quick
            free = await lane.taken()
            if queued or not self._turns.blamed(who):
                return Place(lane, free)
            lane.free.put_nowait(free)

    async def _patiently(self, trusted: Trust, file: File, seconds: float, begun: Worker) -> Answer:
        """The answer of the worker that left with the file, else of a new one: its last."""
        worker = begun if begun.leaves else await verify_worker.start(trusted, self.limits)
        worker.give_way(verify_worker.LOWEST_PRIORITY)
        try:
            async with asyncio.timeout(seconds):
                return await (worker.work or worker.begin(file, self.limits))
        except TimeoutError:
            if worker.used() - worker.before < self.limits.cpu_seconds - _ROUNDED:
                raise
            return Answer(verify_worker.too_slow(file), 0)
        finally:
            worker.retire()

    @contextlib.asynccontextmanager
    async def _worker(self, place: Place, trusted: Trust) -> AsyncIterator[Worker]:
        """The worker at that place, or one in its place, with this trust set."""
        worker = place.worker
        if worker and worker.trust is not trusted:
            worker.retire()
            worker = None
        try:
            worker = worker or await self._started(place.lane, trusted)
            yield worker
        finally:
            self._give_back(place.lane, worker, trusted)

    async def _started(self, lane: Lane, trusted: Trust) -> Worker:
        worker = await verify_worker.start(trusted, self.limits)
        if lane.gives_way:
            worker.give_way(verify_worker.LOWER_PRIORITY)
        return worker

    def _give_back(self, lane: Lane, worker: Worker | None, trusted: Trust) -> None:
        """Leaves the worker to the next file, or has another one started in its place."""
        if worker is None or worker.healthy(self.limits):
            lane.free.put_nowait(worker)
            return
        if not worker.leaves:
            worker.retire()
        task = asyncio.create_task(self._renew(lane, trusted))
        self._renewing.add(task)
        task.add_done_callback(self._renewing.discard)

    async def _renew(self, lane: Lane, trusted: Trust) -> None:
        worker = None
        try:
            # Where none can be started now, the next file tries again.
            with contextlib.suppress(OSError, BrokenProcessPool):
                worker = await self._started(lane, trusted)
        finally:
            lane.free.put_nowait(worker)


@dataclass(frozen=True)
class OneSender:
    """The pool as it is for the files of one sender, who waits for himself if they take long."""

    pool: VerifyPool
    who: Hashable

    @property
    def trust(self) -> Trust:
        """The trust set in force."""
        return self.pool.trust

    @property
    def limits(self) -> Limits:
        """What the pool may use."""
        return self.pool.limits

    async def examine(self, trusted: Trust, file: File, seconds: float) -> Report:
        """As the pool does."""
        return await self.pool.examine(trusted, file, seconds, self.who)

    async def first_page(self, raw: Content) -> str:
        """As the pool does."""
        return await self.pool.first_page(raw, self.who)


Verifier = VerifyPool | OneSender


async def letter(
    pool: Verifier,
    raw: bytes,
    attachments: Sequence[tuple[str, Content]],
    at: datetime,
    *,
    repaired: bool,
    cut: bool = False,
) -> Examined:
    """All verdicts and remarks of a letter as of `at`: the message's own first, then of each file in order.

    `attachments` are (name, opened bytes or their file). `raw` is a large message `cut` to what is left without them.
    Raises TooComplexError, and `signing.xmldsig`'s errors for what is no XML.
    """
    trusted, clock = pool.trust, asyncio.get_running_loop().time
    message = partial(xmldsig.verify, repaired=repaired, cut=cut)
    reports = [await _beside(len(raw), message, raw, trusted, at)]
    deadline = clock() + pool.limits.letter_seconds
    for task in await _beside(sum(len(content) for _, content in attachments), attached.tasks, attachments):
        if isinstance(task, Remark):
            reports.append(Report(remarks=(task,)))
        elif task.light:
            size = len(task.content or b"")
            reports.append(await _beside(size, attached.judge, task, trusted, at))
        else:
            seconds = min(pool.limits.seconds, deadline - clock())
            reports.append(await pool.examine(trusted, File(task=task, at=at), seconds))
    whole = Report(
        verdicts=tuple(verdict for report in reports for verdict in report.verdicts),
        remarks=tuple(remark for report in reports for remark in report.remarks),
    )
    return Examined(report=whole, trust_sha256=trusted.sha256)


async def _beside(size: int, work: Callable[..., _Result], *arguments: object) -> _Result:
    """`work` done here when it is small, else in a thread: lxml, OpenSSL and hashing let other threads run."""
    if size < INLINE_BYTES:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


def _remark(code: str, where: str) -> Report:
    return Report(remarks=(Remark(code=code, where=where),))
