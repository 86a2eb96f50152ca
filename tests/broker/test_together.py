"""Questions of many tasks, asked in one statement: who gets which answer, and what a failure or a hang-up does."""

import asyncio

import pytest

from exchange.broker.together import MOST, Together

pytestmark = pytest.mark.timeout(20)


class Database:
    """Answers `n` with its square if it is even; each statement waits until it is let go."""

    def __init__(self):
        self.asked, self.free, self.fault = [], asyncio.Event(), None

    async def ask(self, questions):
        self.asked.append(sorted(questions))
        await self.free.wait()
        if self.fault:
            raise self.fault
        return {number: number**2 for number in questions if number % 2 == 0}


def all_of(together, numbers):
    return [asyncio.create_task(together.answer(number)) for number in numbers]


async def test_what_is_asked_meanwhile_goes_together_and_each_gets_its_own_answer():
    database = Database()
    together = Together(database.ask)
    tasks = all_of(together, [2])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += all_of(together, [4, 5, 4, 2])
    await asyncio.sleep(0)
    database.free.set()
    assert await asyncio.gather(*tasks) == [4, 16, None, 16, 4]
    assert database.asked == [[2], [2, 4, 5]]  # asked again for who came later: nothing is remembered


async def test_no_statement_asks_too_much():
    database = Database()
    database.free.set()
    answers = await asyncio.gather(*all_of(Together(database.ask), range(0, 6 * MOST, 2)))
    assert answers == [number**2 for number in range(0, 6 * MOST, 2)]
    assert [len(asked) for asked in database.asked] == [MOST, MOST, MOST]


async def test_a_failure_is_told_to_all_it_was_asked_with_and_to_nobody_else():
    database = Database()
    database.free.set()
    together = Together(database.ask)
    database.fault = ConnectionError("gone")
    told = await asyncio.gather(*all_of(together, [2, 4]), return_exceptions=True)
    assert told == [database.fault] * 2
    database.fault = None
    assert await together.answer(6) == 36


async def test_who_hangs_up_harms_nobody():
    database = Database()
    together = Together(database.ask)
    first, second = all_of(together, [2, 4])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    database.free.set()
    assert await second == 16
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await together.answer(8) == 64
