"""The verify pool (design 6, settled 10): where signatures of a letter are examined without holding up the event loop.

Theory of operation. XML goes to `signing.xmldsig`, inline when small, else in a thread: lxml and OpenSSL let other
threads run, and budgets bound the work. A small `.p7s` goes the same way, whatever the size of the file it signs. PDF,
and signature files that are large or carry a content, go to `signing.pdf` in worker processes: that code is large, not
ours, slow, and reads whatever strangers send. A worker may take 1 GiB of memory and 30 s a file. Over time it is
killed and the file keeps the remark `verification_timeout`; a worker that dies is replaced and the file tried once
more. Each worker has an executor of its own, so killing one harms no neighbour, and one letter holds at most one
worker at a time, so a letter with 200 files delays nobody but itself.

Workers start when first needed, load the trust set once, ignore Ctrl-C and end when their parent does.
"""

import asyncio
import contextlib
import multiprocessing
import os
import resource
import signal
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing import connection
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from exchange.broker import attached
from signing import trust, xmldsig
from signing.verdict import Remark, Report, TooComplexError

INLINE_BYTES = 50_000
_ATTEMPTS = 2

_Result = TypeVar("_Result")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the pool may use: worker processes, seconds per file and per letter, bytes of address space per worker."""

    workers: int = 2
    seconds: float = 30.0
    letter_seconds: float = 120.0
    memory: int = 1 << 30


LIMITS = Limits()


class Examined(NamedTuple):
    """What was found out about a letter's signatures, and the digest of the trust set by which."""

    report: Report
    trust_sha256: bytes


@dataclass(frozen=True, kw_only=True)
class _Worker:
    """One process: its executor, its number, and the trust set that it loaded."""

    executor: ProcessPoolExecutor
    process: int
    trust: trust.Trust


@dataclass(frozen=True, kw_only=True)
class _File:
    """One file to be examined in a worker."""

    task: attached.Task
    at: datetime

    @property
    def where(self) -> str:
        """The file that a remark about it names."""
        return self.task.carrier or self.task.where


class VerifyPool:
    """Worker processes for PDF files and the trust set in force: `async with VerifyPool(trust) as pool`.

    `trust` may be replaced at any time; letters already being examined end with the set they began with.
    """

    def __init__(self, trusted: trust.Trust, limits: Limits = LIMITS) -> None:
        self.trust = trusted
        self.limits = limits
        self._free: asyncio.LifoQueue[_Worker | None] = asyncio.LifoQueue()  # the last used is warm
        for _ in range(limits.workers):
            self._free.put_nowait(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the workers, after the files that they are at."""
        for _ in range(self.limits.workers):
            worker = await self._free.get()
            if worker:
                await asyncio.to_thread(worker.executor.shutdown)

    async def examine(self, trusted: trust.Trust, file: _File, seconds: float) -> Report:
        """The report on one PDF, or a remark that there is none. Raises TooComplexError."""
        if seconds <= 0:
            return _remark("verification_timeout", file.where)
        for _ in range(_ATTEMPTS):
            try:
                async with self._worker(trusted) as worker, asyncio.timeout(seconds):
                    outcome = await _run(worker.executor, file)
            except TimeoutError:
                return _remark("verification_timeout", file.where)
            except BrokenProcessPool:
                continue
            if isinstance(outcome, TooComplexError):
                raise outcome
            return outcome
        return _remark("verification_failed", file.where)

    @contextlib.asynccontextmanager
    async def _worker(self, trusted: trust.Trust) -> AsyncIterator[_Worker]:
        """A worker with this trust set; one that did not come back with an answer is killed."""
        worker = await self._free.get()
        healthy = None
        try:
            if worker is None or worker.trust is not trusted:
                _retire(worker)
                worker = None
                worker = await self._start(trusted)
            yield worker
            healthy = worker
        finally:
            if healthy is None:
                _retire(worker)
            self._free.put_nowait(healthy)

    async def _start(self, trusted: trust.Trust) -> _Worker:
        executor = ProcessPoolExecutor(
            max_workers=1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_prepare,
            initargs=(trust.material(trusted), self.limits.memory),
        )
        try:
            process = await asyncio.get_running_loop().run_in_executor(executor, os.getpid)
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            raise
        return _Worker(executor=executor, process=process, trust=trusted)


async def letter(
    pool: VerifyPool, raw: bytes, attachments: Sequence[tuple[str, bytes]], at: datetime, *, repaired: bool
) -> Examined:
    """All verdicts and remarks of a letter as of `at`: the message's own first, then of each file in order.

    `attachments` are (name, opened bytes). Raises TooComplexError, and `signing.xmldsig`'s errors for what is no XML.
    """
    trusted, clock = pool.trust, asyncio.get_running_loop().time
    reports = [await _message(raw, trusted, at, repaired=repaired)]
    deadline = clock() + pool.limits.letter_seconds
    for task in await _beside(sum(len(content) for _, content in attachments), attached.tasks, attachments):
        if isinstance(task, Remark):
            reports.append(Report(remarks=(task,)))
        elif task.light:
            size = len(task.content or b"")
            reports.append(await _beside(size, attached.judge, task, trusted, at))
        else:
            seconds = min(pool.limits.seconds, deadline - clock())
            reports.append(await pool.examine(trusted, _File(task=task, at=at), seconds))
    whole = Report(
        verdicts=tuple(verdict for report in reports for verdict in report.verdicts),
        remarks=tuple(remark for report in reports for remark in report.remarks),
    )
    return Examined(report=whole, trust_sha256=trusted.sha256)


async def _message(raw: bytes, trusted: trust.Trust, at: datetime, *, repaired: bool) -> Report:
    verify = partial(xmldsig.verify, repaired=repaired)
    return await _beside(len(raw), verify, raw, trusted, at)


async def _beside(size: int, work: Callable[..., _Result], *arguments: object) -> _Result:
    """`work` done here when it is small, else in a thread: lxml, OpenSSL and hashing let other threads run."""
    if size < INLINE_BYTES:
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


def _remark(code: str, where: str) -> Report:
    return Report(remarks=(Remark(code=code, where=where),))


async def _run(executor: ProcessPoolExecutor, file: _File) -> Report | TooComplexError:
    return await asyncio.get_running_loop().run_in_executor(executor, _examine, file)


def _retire(worker: _Worker | None) -> None:
    """Kills a worker. Only a child that is still ours is killed: its number may have passed to a stranger."""
    if worker is None:
        return
    for child in multiprocessing.active_children():
        if child.pid == worker.process:
            child.kill()
    worker.executor.shutdown(wait=False, cancel_futures=True)


# What follows runs in the worker process.

_LOADED: list[trust.Trust] = []


def _prepare(material: trust.Material, memory: int) -> None:
    """Readies a new worker: limits, signals, the trust set."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _LOADED.append(trust.of(material))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _examine(file: _File) -> Report | TooComplexError:
    """The report on a file; a budget exceeded is an answer too, and must not look like a broken worker."""
    try:
        return attached.judge(file.task, _LOADED[0], file.at)
    except TooComplexError as problem:
        return problem
