"""While the database is being revived, dead workers are replaced, and say 503 instead of leaving clients to hang."""

import asyncio
import contextlib

import pytest
from faults import tardy
from faults.grounds import furnished, kill
from faults.moments import until
from province import quick_letter

from exchange.links import sdk


@pytest.fixture
def grounds():
    with furnished((tardy.__file__,)) as place:
        place.start()
        yield place


async def test_without_workers_and_database_the_answer_is_503_and_then_201(grounds):
    await grounds.ready()
    kill(*grounds.workers(), *grounds.postmaster())
    raw, said = quick_letter(1), []
    async with sdk.connected(grounds.url, "", attempts=1) as client, asyncio.timeout(tardy.SECONDS):
        assert await until(lambda: grounds.told("waiting_for_database"))
        down = await client.ask("GET", "/readyz")
        assert (down.status, down.body["status"]) == (503, "down")
        assert (await client.ask("GET", "/healthz")).status == 200
        assert (await client.ask("DELETE", "/v1/anything")).problem == "starting"

    async def accepted():
        """One attempt, on a connection of its own, that must be answered at once."""
        async with grounds.client("H13.01") as client, asyncio.timeout(tardy.SECONDS):
            with contextlib.suppress(sdk.UnavailableError):
                said.append(await client.send(raw))
        return said and said[-1].status == 201

    assert await until(accepted, 60)
    before = said[:-1]
    assert {(one.status, one.problem) for one in before} == {(503, "starting")}
    assert all(int(one.headers["Retry-After"]) > 0 for one in before)
    assert {one.headers["X-Request-Id"] for one in before} == {one.body["request_id"] for one in before}
    assert (grounds.told("database_restarted"), grounds.told("worker_died")) == (1, 2)
    assert grounds.stop() == 0
    assert grounds.defects() == []
