"""One worker process of the verify pool: what it may use, how it is asked, how it ends.

Theory of operation. A worker examines one file after the other with the trust set that it loaded when it started. Its
address space is limited for good, its processor time file by file: when that is used up, the file's examination is
broken off from within and the worker lives on. Where no Python runs to break it off, the pool's clock kills the worker.
With every answer it tells how large it has grown. Workers ignore Ctrl-C and end when their parent does. They are forked
from one process that has read the code and has no threads: so one is there in the time of a quick file.
"""

import asyncio
import contextlib
import math
import multiprocessing
import os
import resource
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import NamedTuple, NoReturn

from exchange.broker import attached
from exchange.edxml.spooled import Content
from signing import pdf_text, trust
from signing.verdict import Remark, Report, TooComplexError

LOWER_PRIORITY, LOWEST_PRIORITY = 15, 19
_LOOK_SECONDS = 0.02
_PAGE, _TICKS = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the pool may use.

    `workers` processes, one more for senders of slow files, and `patient` more for files that take `quick_seconds` of a
    processor or more. A file may take `seconds` by the clock and `cpu_seconds` of a processor, a letter `letter_seconds`. A
    worker may have `memory` bytes of address space, and is replaced after `files` files or once it holds `resident` bytes.
    """

    workers: int = 2
    patient: int = 2
    quick_seconds: float = 0.25
    seconds: float = 30.0
    cpu_seconds: int = 20
    letter_seconds: float = 120.0
    memory: int = 1 << 30
    files: int = 1000
    resident: int = 400 << 20


@dataclass(frozen=True, kw_only=True)
class File:
    """One file to be examined in a worker."""

    task: attached.Task
    at: datetime

    @property
    def where(self) -> str:
        """The file that a remark about it names."""
        return self.task.carrier or self.task.where


@dataclass(frozen=True, kw_only=True)
class FirstPage:
    """A PDF whose first page's text is wanted."""

    raw: Content
    where: str = ""


class Answer(NamedTuple):
    """What a worker found, a report on a file or a page's text, and how many bytes of memory it now holds."""

    outcome: Report | TooComplexError | str
    resident: int


@dataclass(kw_only=True)
class Worker:
    """A process: its executor, its number, the trust set that it loaded, the file it is at, and what it has used up.

    `before` is the processor time used before that file, `seconds` how long it was at it in the quick lane; `leaves` when it
    takes its file along to a patient place.
    """

    executor: ProcessPoolExecutor
    process: int
    trust: trust.Trust
    work: "asyncio.Future[Answer] | None" = None
    leaves: bool = False
    before: float = 0.0
    seconds: float = 0.0
    files: int = 0
    resident: int = 0

    def begin(self, file: File | FirstPage, limits: Limits) -> "asyncio.Future[Answer]":
        """Gives it a file; the answer comes, or BrokenProcessPool: at once if it died while it had none."""
        self.files += 1
        self.before = self.used()
        loop = asyncio.get_running_loop()
        try:
            self.work = loop.run_in_executor(self.executor, _examine, file, limits.cpu_seconds)
        except BrokenProcessPool as dead:
            self.work = loop.create_future()
            self.work.set_exception(dead)
        self.work.add_done_callback(_seen)
        return self.work

    def used(self) -> float:
        """Seconds of processor time that the process has used so far; nothing when it is gone."""
        try:
            told = Path(f"/proc/{self.process}/stat").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        user, system = told.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS

    async def quickly(self, file: File | FirstPage, limits: Limits, seconds: float) -> Answer | None:
        """The answer, or None when it takes more processor time than a quick one, or more than `seconds`.

        By the clock alone a busy machine would call every file slow. Raises BrokenProcessPool.
        """
        clock = asyncio.get_running_loop().time
        work, start, patience = self.begin(file, limits), clock(), limits.quick_seconds
        while not work.done() and patience > 0 and clock() - start < seconds:
            # A file uses up no more than what passes; never looked at more often than the kernel counts.
            pause = min(max(patience, _LOOK_SECONDS), start + seconds - clock())
            await asyncio.wait([work], timeout=max(0.0, pause))
            patience = limits.quick_seconds - (self.used() - self.before)
        self.seconds = clock() - start
        return work.result() if work.done() else None

    def healthy(self, limits: Limits) -> bool:
        """Whether it is done with its file and may have another."""
        if self.work is None:
            return True
        if not self.work.done() or self.work.cancelled() or self.work.exception():
            return False
        self.resident = self.work.result().resident
        return self.files < limits.files and self.resident < limits.resident

    def give_way(self, priority: int) -> None:
        """Lets others go first from now on; there is no way back."""
        with contextlib.suppress(OSError):  # it may just have ended
            os.setpriority(os.PRIO_PROCESS, self.process, priority)

    def retire(self) -> None:
        """Kills it. Only a child that is still ours is killed: its number may have passed to a stranger."""
        for child in multiprocessing.active_children():
            if child.pid == self.process:
                child.kill()
        self.executor.shutdown(wait=False, cancel_futures=True)


def _seen(work: "asyncio.Future[Answer]") -> None:
    """Looks at how the work of a worker ended, for nobody may be waiting for it any more."""
    if not work.cancelled():
        work.exception()


async def start(trusted: trust.Trust, limits: Limits) -> Worker:
    """A new worker, ready. Beside the loop: the first one waits until the code is read, each until it has its trust set."""
    executor = ProcessPoolExecutor(
        max_workers=1,
        mp_context=_context(),
        initializer=_prepare,
        initargs=(trust.material(trusted), limits.memory),
    )
    try:
        begun = await asyncio.to_thread(executor.submit, os.getpid)
        process = await asyncio.wrap_future(begun)
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    return Worker(executor=executor, process=process, trust=trusted)


def _context() -> ForkServerContext:
    """How workers are made: copies of one process that has read all code already and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


# What follows runs in the worker process.

_LOADED: list[trust.Trust] = []


class _OutOfTimeError(BaseException):
    """The file has used up its processor time. No `Exception`: parsers' errors are caught on the way."""


def _prepare(material: trust.Material, memory: int) -> None:
    """Readies a new worker: limits, signals, the trust set."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGXCPU, _break_off)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _LOADED.append(trust.of(material))


def _end_with_parent() -> None:
    """Ends this process when its parent is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _break_off(_signal: int, _frame: object) -> NoReturn:
    raise _OutOfTimeError


def _examine(file: File | FirstPage, cpu_seconds: int) -> Answer:
    """The report on a file, or a page's text; a budget exceeded is an answer too, and must not look like a broken worker."""
    outcome: Report | TooComplexError | str
    try:
        _allow(cpu_seconds)
        outcome = _outcome(file)
    except TooComplexError as problem:
        outcome = problem
    except _OutOfTimeError:
        outcome = too_slow(file)
    return Answer(outcome, _resident())


def too_slow(file: File | FirstPage) -> Report:
    """What is said of a file that needs more processor time than it may have, today as ever."""
    return Report(remarks=(Remark(code="verification_too_slow", where=file.where),))


def _outcome(file: File | FirstPage) -> Report | str:
    if isinstance(file, FirstPage):
        return pdf_text.first_page(file.raw if isinstance(file.raw, bytes) else file.raw.path)
    return attached.judge(file.task, _LOADED[0], file.at)


def _allow(cpu_seconds: int) -> None:
    """So much processor time from now on; a little more and the kernel ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    end = math.ceil(used.ru_utime + used.ru_stime) + cpu_seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    most = end if hard == resource.RLIM_INFINITY else min(end, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
