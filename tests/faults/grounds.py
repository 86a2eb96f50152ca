"""An exchange on a data folder of its own - parent, workers, embedded PostgreSQL - whose processes can be found and killed."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from province import furnish

from exchange.demo import run
from exchange.links import sdk
from exchange.store import cluster_folder, embedded

WORKERS = 2
READY_SECONDS = 60
STOP_SECONDS = 60
EXCUSED = {"database_not_restarted"}
"""Errors in the log that follow from a strike, when it comes while PostgreSQL is being started."""
OURS = ("-m", "exchange")
INLINE_BYTES = 2_000
"""Letters above this go to files, so that a small load has both kinds."""


@dataclass
class Grounds:
    """`launcher` is what the interpreter runs as `congvan`; `process` the parent, `congvan serve`."""

    folder: Path
    url: str
    environment: dict
    launcher: tuple = OURS
    province: object = None
    process: subprocess.Popen = field(default=None, repr=False)

    @property
    def data(self):
        return self.folder / "data"

    @property
    def database(self):
        return self.data / "postgres"

    @property
    def dsn(self):
        return cluster_folder.dsn(self.database, cluster_folder.postmaster(self.database)[1])

    def start(self):
        command = [sys.executable, *self.launcher, "serve", "--workers", str(WORKERS), "--allow-nobody"]
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    async def ready(self, seconds=READY_SECONDS):
        deadline = time.monotonic() + seconds
        async with sdk.connected(self.url, "", attempts=1) as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(sdk.UnavailableError):
                    if (await client.ready()).status == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError(f"not ready after {seconds} s (ended: {self.process.poll()}): {self.tail()}")

    def stop(self):
        """End it as an operator would; the exit code of `serve`."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def congvan(self, *arguments):
        command = [sys.executable, *OURS, *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=120
        )

    def lines(self):
        """What was logged, and what was said otherwise on standard error."""
        lines = (self.folder / "serve.log").read_text(errors="replace").splitlines()
        events = [event for line in lines if (event := _event(line)) is not None]
        return events, [line for line in lines if _event(line) is None]

    def told(self, event):
        """How often an event was logged."""
        return sum(line["event"] == event for line in self.lines()[0])

    def defects(self):
        """What no fault from outside excuses."""
        events, others = self.lines()
        grave = [line for line in events if line["level"] == "error" and line["event"] not in EXCUSED]
        return grave + [line for line in others if line.startswith("Traceback")]

    def tail(self):
        return (self.folder / "serve.log").read_text(errors="replace")[-3000:]

    def client(self, code, *, attempts=1):
        return sdk.connected(self.url, self.province.key_of(code), attempts=attempts)

    def processes(self):
        """Every process of this exchange but PostgreSQL's, by number: its command line."""
        mark = f"CONGVAN_DATA={self.data}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode().split("\0")
        return found

    def workers(self):
        return [number for number, words in self.processes().items() if "worker" in words]

    def postmaster(self):
        found = cluster_folder.postmaster(self.database)
        alive = found is not None and cluster_folder.lives(self.database, found[0])
        return [found[0]] if alive else []

    def backends(self):
        """PostgreSQL's processes that work for our clients."""
        found = []
        for number in cluster_folder.processes(self.database):
            with contextlib.suppress(OSError):
                if b"congvan congvan" in Path(f"/proc/{number}/cmdline").read_bytes():
                    found.append(number)
        return found


def _event(line):
    """What a log line tells; None for other lines, and for one that its writer did not live to end."""
    with contextlib.suppress(ValueError):
        return json.loads(line) if line.startswith("{") else None
    return None


def kill(*numbers):
    """SIGKILL; how many were still there."""
    killed = 0
    for number in numbers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
            killed += 1
    return killed


@contextlib.contextmanager
def furnished(launcher=OURS, **settings):
    """Grounds with the province's directory in the database; nothing runs yet, and nothing is left at the end."""
    folder = Path(tempfile.mkdtemp(prefix="congvan-faults-"))
    folder.chmod(0o711)
    grounds = _grounds(folder, launcher, settings)
    try:
        with embedded.running(grounds.database, allow_nobody=True) as server:
            asyncio.run(run.prepare(server.dsn))
            grounds.province = asyncio.run(furnish(server.dsn, folder))
        yield grounds
    finally:
        _clear(grounds)


def _grounds(folder, launcher, settings):
    port = run.free_port()
    environment = {
        **os.environ,
        "CONGVAN_DATA": str(folder / "data"),
        "CONGVAN_LISTEN": f"127.0.0.1:{port}",
        "CONGVAN_TRUST_DIR": str(folder / "trust"),
        "CONGVAN_CRL_DIR": str(folder / "crl"),
        "CONGVAN_INLINE_BYTES": str(INLINE_BYTES),
        "CONGVAN_LOG_LEVEL": "info",
        **settings,
    }
    environment.pop("CONGVAN_DATABASE_URL", None)
    return Grounds(folder, f"http://127.0.0.1:{port}", environment, launcher)


def _clear(grounds):
    kill(*grounds.processes())
    if grounds.process is not None:
        grounds.process.wait()
    kill(*cluster_folder.processes(grounds.database))
    while cluster_folder.processes(grounds.database):
        time.sleep(0.01)
    found = cluster_folder.postmaster(grounds.database)
    if found is not None:
        shutil.rmtree(found[1], ignore_errors=True)
    shutil.rmtree(grounds.folder, ignore_errors=True)
