"""Ending an embedded server: first as PostgreSQL wishes to end, then, if it does not, as if it had crashed.

An immediate shutdown loses nothing that was committed; the next start replays the log. It is needed: PostgreSQL 18.6
was seen to wait for ever when told to stop while it recovers from the crash of one of its processes.
"""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from exchange.store import cluster_folder
from exchange.store.database_user import EmbeddedError

STOP_LIMIT = 120
"""Seconds a stop may take: a checkpoint of everything in memory."""

END_LIMIT = 60
"""Seconds an immediate end may take: PostgreSQL itself kills, after five, what does not obey."""

PAUSE = 0.05


def end(data: Path, pid: int) -> None:
    """End the server of this folder, whatever it takes. EmbeddedError `not_stopped`: something of it still lives."""
    ways = ((signal.SIGINT, STOP_LIMIT), (signal.SIGQUIT, END_LIMIT))  # "fast" and "immediate" shutdown
    if not any(_ended(data, pid, number, seconds) for number, seconds in ways):
        raise EmbeddedError("not_stopped", folder=data, seconds=STOP_LIMIT + END_LIMIT)


def stopping(data: Path) -> int | None:
    """The server that is about to end, by its own word."""
    found = cluster_folder.postmaster(data)
    return found[0] if found is not None and found[2] == "stopping" else None


def _ended(data: Path, pid: int, number: signal.Signals, seconds: float) -> bool:
    """Send a signal to the server; whether all its processes are gone within so many seconds."""
    limit = time.monotonic() + seconds
    if cluster_folder.lives(data, pid):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    while cluster_folder.processes(data):
        if time.monotonic() > limit:
            return False
        time.sleep(PAUSE)
    return True
