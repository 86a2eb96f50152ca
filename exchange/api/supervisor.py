"""The parent of the workers: owns the listening socket and the embedded database, and starts again what dies.

Theory of operation. Workers share one socket, so a worker that dies takes only the requests it was answering with it:
the rest of the queue is answered by the others, and by its successor. Several times a second the parent looks at what
is, and does what is missing. Nothing in that look waits; the database is revived by a thread of its own.

    a worker died, or says that it is leaving    a successor is started
    SIGHUP: all workers are old now              one more than wanted is started; when it answers, the oldest leaves;
                                                 when that one is gone, the next, as long as there are old ones
    a new worker fails, or is not ready in time  the old ones stay, and the log says so: a mistake in a new file is no
                                                 reason to stop
    SIGTERM, SIGINT, the terminal hung up        all workers leave, then the parent

A worker notices the parent's death by the end of a pipe, and leaves (exchange.api.drain tells how).
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from exchange import config
from exchange.api import pipes
from exchange.errors import Problem

POLL_SECONDS = 0.1
RESTART_SECONDS = 0.5
READY_SECONDS = 60.0
STOP_SECONDS = 40.0
BACKLOG = 1_024
STDIN = 0
ADDRESS_SECONDS = 5.0
"""How long the workers of a parent that was killed may keep its address: they see its end, and finish."""


@dataclass
class Worker:
    """One process, started after so many SIGHUPs, then; `until`: it was told to leave, and is killed at that moment."""

    process: "subprocess.Popen[bytes]"
    ear: pipes.Ear
    generation: int
    since: float
    until: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether it answers requests."""
        return pipes.READY in self.ear.listen()

    @property
    def leaving(self) -> bool:
        """Whether it says that it takes no more connections."""
        return pipes.LEAVING in self.ear.listen()


@dataclass
class Supervisor:
    """One running exchange: its workers, oldest first, and those that are leaving.

    `revive` restores the database if it died and says whether it did; it may take its time. `command` starts a worker:
    the numbers of the listening socket, the lifeline and the ear follow as its last arguments.
    """

    listening: socket.socket
    environment: Mapping[str, str]
    workers: int
    revive: Callable[[], bool]
    command: Sequence[str] = (sys.executable, "-m", "exchange", "worker")
    serving: list[Worker] = field(default_factory=list)
    parting: list[Worker] = field(default_factory=list)
    asked: int = 0
    generation: int = 0
    patience: float = 0.0
    stopping: threading.Event = field(default_factory=threading.Event)
    lifeline: tuple[int, int] = field(default_factory=os.pipe)
    attended: bool = field(default_factory=lambda: os.isatty(STDIN))

    def run(self) -> None:
        """Keep `workers` workers alive until SIGTERM or SIGINT; then let them finish."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._hung_up)
        reviving = threading.Thread(target=self._reviving)
        reviving.start()
        while not self.stopping.is_set():
            self._look()
            time.sleep(POLL_SECONDS)
        self._finish()
        reviving.join()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping.set()

    def _hung_up(self, _number: int, _frame: FrameType | None) -> None:
        if self.attended and not os.isatty(STDIN):  # whoever started us closed the terminal
            self.stopping.set()
        self.asked += 1

    def _reviving(self) -> None:
        """Thread: have the database alive. A defect here is told, and must not leave the exchange without one."""
        while not self.stopping.wait(POLL_SECONDS):
            try:
                if self.revive():
                    structlog.get_logger().warning("database_restarted")
            except Exception:  # noqa: BLE001 - whatever it is: the database is still wanted
                structlog.get_logger().exception("revival_failed")

    def _look(self) -> None:
        """One look at everything; each step is right whatever the others found."""
        if self.generation != self.asked:
            self.generation = self.asked
            structlog.get_logger().info("rolling_restart", old=len(self._old()))
        self.serving = [one for one in self.serving if self._stays(one)]
        self.parting = [one for one in self.parting if not self._gone(one)]
        self._wait_no_longer()
        while len(self.serving) < self._wanted() and time.monotonic() >= self.patience:
            self.serving.append(self._start())
        answering = [one for one in self.serving if one.ready]
        if len(answering) > self.workers:
            self.serving.remove(answering[0])
            self._part(answering[0])

    def _old(self) -> list[Worker]:
        return [one for one in self.serving if one.generation < self.generation]

    def _wanted(self) -> int:
        """How many workers should be: one more while there are old ones, but not while one is leaving."""
        return self.workers + bool(self._old() and not self.parting)

    def _start(self) -> Worker:
        ear, mouth = pipes.ear()
        numbers = (self.listening.fileno(), self.lifeline[0], mouth)
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*self.command, *map(str, numbers)], env=dict(self.environment), pass_fds=numbers
        )
        os.close(mouth)
        return Worker(process, ear, self.generation, time.monotonic())

    def _stays(self, worker: Worker) -> bool:
        """Whether a worker lives and takes connections; if not, what has to be done about it is done."""
        code = worker.process.poll()
        if code is not None:
            self._ended(worker, code)
        elif worker.leaving:
            self._await_end(worker)
        return code is None and not worker.leaving

    def _part(self, worker: Worker) -> None:
        worker.process.terminate()
        self._await_end(worker)

    def _await_end(self, worker: Worker) -> None:
        worker.until = time.monotonic() + STOP_SECONDS
        self.parting.append(worker)

    def _gone(self, worker: Worker) -> bool:
        """Whether a leaving worker has left; one that does not is killed."""
        code = worker.process.poll()
        if code is not None:
            self._ended(worker, code)
        elif time.monotonic() > worker.until:
            worker.process.kill()
        return code is not None

    def _ended(self, worker: Worker, code: int) -> None:
        failed, left = code > 0 and not worker.ready, code == 0 and worker.leaving
        worker.ear.close()
        if left:
            structlog.get_logger().info("worker_left", pid=worker.process.pid)
            return
        structlog.get_logger().warning("worker_died", pid=worker.process.pid, code=code)
        self.patience = time.monotonic() + (RESTART_SECONDS if code > 0 else 0)
        if failed and worker.generation == self.generation:
            self._keep_old()

    def _wait_no_longer(self) -> None:
        """A new worker that is not ready in time is given up, if there are old ones to go on with."""
        late = [one for one in self.serving if not one.ready and one.since + READY_SECONDS < time.monotonic()]
        if late and self._old():
            self._keep_old()
            self.serving = [one for one in self.serving if one not in late]
            for one in late:
                self._part(one)

    def _keep_old(self) -> None:
        """End a rolling restart where it stands; the next SIGHUP begins another."""
        old = self._old()
        for one in old:
            one.generation = self.generation
        if old:
            structlog.get_logger().error("rolling_restart_abandoned", old=len(old))

    def _finish(self) -> None:
        workers = self.serving + self.parting
        for one in workers:
            one.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for one in workers:
            try:
                one.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.process.kill()
                one.process.wait()


def listen(settings: config.Config) -> socket.socket:
    """The listening socket. Raises Problem bad_request for a public address without protection, OSError if taken."""
    if not (loopback(settings.host) or settings.tls or settings.trusted_proxies):
        raise Problem("bad_request", f"CONGVAN_LISTEN={settings.host}")
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _bind(listening, settings)
    listening.listen(BACKLOG)
    return listening


def _bind(listening: socket.socket, settings: config.Config) -> None:
    deadline = time.monotonic() + ADDRESS_SECONDS
    while True:
        try:
            return listening.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
        time.sleep(POLL_SECONDS)


def loopback(host: str) -> bool:
    """Whether an address stays on this machine."""
    return host in {"localhost", "::1"} or host.startswith("127.")
