"""Long work at the gate: so many inside, so many in line, the rest are told; letters go on while reports stand still."""

import asyncio
import contextlib
import json
from collections import Counter
from datetime import UTC, datetime

import aiohttp
import pytest

from exchange.api.gate import AT_ONCE, IN_LINE, Gate
from exchange.errors import Problem
from exchange.store import pool as pools

WORKERS = 1
YEAR = datetime.now(UTC).year
PATHS = (f"/v1/reports/BC-02?period={YEAR}", f"/v1/measures?period={YEAR}")


async def test_so_many_inside_so_many_in_line():
    gate, inside, most, done = Gate(2, 3), 0, [], asyncio.Event()

    async def work():
        nonlocal inside
        async with gate.enter():
            inside += 1
            most.append(inside)
            await done.wait()
            inside -= 1

    tasks = [asyncio.create_task(work()) for _ in range(5)]
    await asyncio.sleep(0)
    for _ in range(3):
        with pytest.raises(Problem) as caught:
            await work()
        assert caught.value.code == "busy"
    tasks[4].cancel()  # who gives up leaves the line
    with contextlib.suppress(asyncio.CancelledError):
        await tasks[4]
    tasks[4] = asyncio.create_task(work())
    await asyncio.sleep(0)
    done.set()
    await asyncio.gather(*tasks)
    assert max(most) == 2
    await work()


async def test_letters_go_on_while_reports_stand_still(shared_server):
    """One worker; reports wait for a table that somebody holds locked, and take no connection from the inbox."""
    headers = {"Authorization": f"Bearer {shared_server.province.key_of('H13.01')}"}
    holder = await pools.connect(shared_server.dsn)
    try:
        async with aiohttp.ClientSession(shared_server.url, headers=headers) as session:

            async def asked(path):
                async with session.get(path) as answer:
                    return answer.status, await answer.read(), answer.headers.get("Retry-After")

            lock = holder.transaction()
            await lock.start()
            await holder.execute("LOCK TABLE period_version IN ACCESS EXCLUSIVE MODE")
            waiting = [asyncio.create_task(asked(PATHS[n % 2])) for n in range(AT_ONCE + IN_LINE)]
            await asyncio.sleep(1)
            more = await asyncio.gather(*(asked(path) for path in PATHS))
            inbox = await asyncio.wait_for(asked("/v1/inbox"), 20)
            assert not any(one.done() for one in waiting)
            await lock.rollback()
            answers = Counter([(await one)[0] for one in waiting])
    finally:
        await holder.close()
    assert inbox[0] == 200
    assert [(one[0], json.loads(one[1])["code"], one[2]) for one in more] == [(503, "busy", "5")] * 2
    assert answers == {200: AT_ONCE + IN_LINE}
