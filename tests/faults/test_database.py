"""The embedded PostgreSQL in trouble: a crash while somebody starts on it, and a server that does not stop."""

import asyncio
import os
import shutil
import signal
import tempfile
from pathlib import Path

import asyncpg
import pytest
from faults.moments import until

from exchange.store import cluster_folder, embedded, shutdown


@pytest.fixture
def folder():
    place = Path(tempfile.mkdtemp(prefix="congvan-faults-"))
    place.chmod(0o711)
    yield place / "data"
    for number in cluster_folder.processes(place / "data"):
        os.kill(number, signal.SIGKILL)
    shutil.rmtree(place, ignore_errors=True)


async def crash(dsn):
    """Kill the process that serves us, as the system does when memory runs out: PostgreSQL starts all others anew."""
    connection = await asyncpg.connect(dsn)
    os.kill(connection.get_server_pid(), signal.SIGKILL)
    connection.terminate()


def of_kind(data, kind):
    """The process of that kind, such as `checkpointer`."""
    numbers = cluster_folder.processes(data)
    return next(one for one in numbers if kind in Path(f"/proc/{one}/cmdline").read_text())


def test_a_server_that_recovers_from_a_crash_is_waited_for_and_not_stopped(folder):
    first = embedded.start(folder, allow_nobody=True)
    first.plan.lock.release()  # as if the one who started it had been killed
    for _ in range(3):
        asyncio.run(crash(first.dsn))
        second = embedded.start(folder, allow_nobody=True)
        assert (second.pid, second.attached) == (first.pid, True)
        second.plan.lock.release()
    embedded.stop(second)


def test_a_server_that_does_not_stop_is_ended(folder, monkeypatch):
    monkeypatch.setattr(shutdown, "STOP_LIMIT", 1)
    server = embedded.start(folder, allow_nobody=True)
    os.kill(of_kind(folder, "checkpointer"), signal.SIGSTOP)  # a stop waits for its checkpoint, for ever
    embedded.stop(server)
    assert cluster_folder.processes(folder) == ()
    with embedded.running(folder, allow_nobody=True) as again:
        assert again.attached is False


def test_a_server_found_stopping_for_ever_is_ended_and_started_anew(folder, monkeypatch):
    monkeypatch.setattr(shutdown, "STOP_LIMIT", 1)
    first = embedded.start(folder, allow_nobody=True)
    first.plan.lock.release()
    os.kill(of_kind(folder, "checkpointer"), signal.SIGSTOP)
    os.kill(first.pid, signal.SIGINT)
    assert asyncio.run(until(lambda: cluster_folder.postmaster(folder)[2] == "stopping"))
    with embedded.running(folder, allow_nobody=True) as second:
        assert (second.attached, second.pid != first.pid) == (False, True)
        assert second.dsn == first.dsn  # whoever used the first finds the second
