"""The tasks beside an exchange: one that dies takes the process with it; housekeeping comes again."""

import asyncio

import pytest

from exchange.broker import clock, exchange


async def dies():
    await asyncio.sleep(0)
    raise LookupError("a defect")


async def lives(ended):
    try:
        await asyncio.Event().wait()
    finally:
        ended.append(True)


async def test_a_task_that_dies_cancels_the_block_and_its_neighbours():
    ended = []

    async def block():
        async with exchange._running([dies(), lives(ended)]):
            await asyncio.sleep(30)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.create_task(block()), 5)
    assert ended == [True]


async def test_a_block_that_ends_ends_its_tasks():
    ended = []
    async with exchange._running([lives(ended)]):
        await asyncio.sleep(0)
    assert ended == [True]


@pytest.mark.parametrize("error", [ConnectionRefusedError("no database"), LookupError("a defect")])
async def test_housekeeping_that_fails_comes_again(error):
    done, often = [], asyncio.Event()

    async def job(_exchange):
        done.append(True)
        if len(done) < 3:
            raise error
        often.set()

    task = asyncio.create_task(clock._every(None, job, 0.001))
    await asyncio.wait_for(often.wait(), 5)
    assert not task.done()
    task.cancel()
