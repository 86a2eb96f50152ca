"""Rolling restarts under load: two workers, all clients at work, every worker replaced again and again - no one notices."""

import os
import signal

import pytest
from faults.calm import loaded, proven
from faults.moments import until
from province import serving

ROUNDS = 1
EVENTS = ("worker_ready", "worker_left", "worker_died", "drain_cut")
LONG_ROUNDS = int(os.environ.get("CONGVAN_ROLLING_ROUNDS") or 25)


@pytest.fixture
def busy_server(province, province_database, tmp_path):
    with serving(province, province_database, tmp_path, CONGVAN_INLINE_BYTES="2000") as server:
        yield server


def told(server, event):
    return server.log.read_text(errors="replace").count(f'"event": "{event}"')


async def renewed(server):
    """SIGHUP to the parent: both workers are replaced, one after the other."""
    left = told(server, "worker_left")
    server.process.send_signal(signal.SIGHUP)
    assert await until(lambda: told(server, "worker_left") == left + 2, 120)


async def replaced(server, worker):
    """SIGTERM to one worker: it leaves, and another comes."""
    ready, left = told(server, "worker_ready"), told(server, "worker_left")
    os.kill(worker, signal.SIGTERM)
    assert await until(lambda: told(server, "worker_ready") == ready + 1, 60)
    assert await until(lambda: told(server, "worker_left") == left + 1, 60)


async def rolled(server, rounds):
    async with loaded(server) as calm:
        assert await until(calm.worked(50))
        for _ in range(rounds):
            await renewed(server)
            await replaced(server, server.workers()[0])
            assert await until(calm.worked(20))
    proven(calm)
    events = {name: told(server, name) for name in EVENTS}
    print(events)
    assert events == dict(zip(EVENTS, (3 * rounds + 2, 3 * rounds, 0, 0), strict=True))
    assert '"level": "error"' not in server.log.read_text()
    return calm


async def test_rolling_restarts_under_load_fail_no_request_and_lose_nothing(busy_server):
    calm = await rolled(busy_server, ROUNDS)
    assert len(calm.ledger.promised()) > 100


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_many_rolling_restarts_under_load(busy_server):
    await rolled(busy_server, LONG_ROUNDS)
