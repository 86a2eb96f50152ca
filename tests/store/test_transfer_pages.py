"""Pages of transfers: together the whole period in its order, and none of them reads days that it does not need."""

import asyncio
import itertools
import random
from datetime import date, timedelta
from uuid import UUID

import pytest

from exchange.store import transfer_pages, transfers
from exchange.store.measures import Cut
from exchange.store.transfers import Place, Wanted

FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
WANTED = Wanted(view="out", first=FIRST, last=LAST, cut=Cut(agencies=None), classes=["P"])
ROW = """INSERT INTO register_row (agency, id, direction, number, notation, moved_on, loaded_at, counted)
         VALUES ($1, $2, 'out', '1', 'CV', $3, now(), true)"""


@pytest.fixture
async def filled(pool):
    """Some hundred rows: many in the first days, then few, a gap of months, and many on one day."""
    dice = random.Random(8)
    days = [*range(40), *(5 for _ in range(90)), 60, 75, 76, *(300 for _ in range(120)), 363, 364]
    async with pool.acquire() as connection:
        for day in days:
            own, name = (UUID(int=dice.getrandbits(128)) for _ in range(2))
            await connection.execute(ROW, own, name, FIRST + timedelta(days=day))
        yield connection, len(days)


def place(row):
    return Place(day=row["day"], letter=row["letter"], recipient=row["recipient"], round=row["round"])


async def walked(connection, limit):
    found, after = [], None
    while page := await transfer_pages.page(connection, WANTED, after, limit):
        assert len(page) <= limit
        found += page
        after = place(page[-1])
    return found


@pytest.mark.parametrize("limit", [1, 7, 100, 1_000])
async def test_pages_are_the_whole_in_order(filled, limit):
    connection, rows = filled
    whole = await transfers.page(connection, WANTED, None, 10_000)
    assert len(whole) == rows
    assert await walked(connection, limit) == whole


async def asked(connection, after, limit):
    """The days that the statements of one page ask for."""
    said = []
    with connection.query_logger(lambda record: said.append(record.args[1:3])):
        await transfer_pages.page(connection, WANTED, after, limit)
        await asyncio.sleep(0)
    return said


async def test_a_page_reads_no_day_that_it_does_not_need(filled):
    connection, _ = filled
    await transfer_pages.page(connection, WANTED, None, 1)  # the driver learns the types that it needs
    assert await asked(connection, None, 1) == [(FIRST, FIRST)]
    day = FIRST + timedelta(days=300)
    before = Place(day=day, letter=UUID(int=0), recipient=UUID(int=0), round=0)
    assert await asked(connection, before, 50) == [(day, day)]
    spans = await asked(connection, None, 10_000)
    assert (spans[0][0], spans[-1][1]) == (FIRST, LAST)
    assert len(spans) < 20
    assert all(one[1] + timedelta(days=1) == two[0] for one, two in itertools.pairwise(spans))
    assert max((last - first).days + 1 for first, last in spans) == transfer_pages.MOST_DAYS
