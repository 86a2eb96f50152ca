"""The parent of the workers: owns the listening socket and the embedded database, and starts again what dies.

Workers share one socket, so a worker that dies takes only the requests it was answering with it: the rest of the queue
is answered by the others, and by its successor. A worker notices the parent's death by the end of a pipe and stops.
"""

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from exchange import config
from exchange.errors import Problem

POLL_SECONDS = 0.1
RESTART_SECONDS = 0.5
STOP_SECONDS = 40.0
BACKLOG = 1_024
ADDRESS_SECONDS = 5.0
"""How long the workers of a parent that was killed may keep its address: they see its end, and finish."""


@dataclass
class Supervisor:
    """One running exchange: its workers by process, and when a dead one may be started again.

    `revive` restores the database if it died and says whether it did; it is called several times a second.
    `command` starts a worker: numbers of the listening socket and of the lifeline follow as its last arguments.
    """

    listening: socket.socket
    environment: Mapping[str, str]
    workers: int
    revive: Callable[[], bool]
    command: Sequence[str] = (sys.executable, "-m", "exchange", "worker")
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    stopping: bool = False
    lifeline: tuple[int, int] = field(default_factory=os.pipe)

    def run(self) -> None:
        """Keep `workers` workers alive until SIGTERM or SIGINT; then let them finish."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self.processes = [self._start() for _ in range(self.workers)]
        while not self.stopping:
            time.sleep(POLL_SECONDS)
            if self.revive():
                structlog.get_logger().warning("database_restarted")
            self.processes = [self._kept(process) for process in self.processes]
        self._finish()

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def _start(self) -> subprocess.Popen[bytes]:
        socket_number, pipe_number = self.listening.fileno(), self.lifeline[0]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*self.command, str(socket_number), str(pipe_number)],
            env=dict(self.environment),
            pass_fds=(socket_number, pipe_number),
        )

    def _kept(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        code = process.poll()
        if code is None or self.stopping:
            return process
        structlog.get_logger().warning("worker_died", pid=process.pid, code=code)
        time.sleep(RESTART_SECONDS if code > 0 else 0)
        return self._start()

    def _finish(self) -> None:
        for process in self.processes:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


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
