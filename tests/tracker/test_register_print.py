"""Registers as they are printed: no line lost, none twice, each in the month of its day."""

from datetime import UTC, date, datetime

import pytest
import register_files as files
import register_world as world
from register_world import book, load, undo

from exchange.store import pool as pools
from exchange.tracker import register_print
from exchange.tracker import tally as counting

MIDNIGHT = datetime(2026, 1, 31, 17, 30, tzinfo=UTC)
"""Half past midnight on 1 February in Vietnam."""


@pytest.fixture
async def pool(province_database):
    opened = await pools.open(province_database)
    yield opened
    await opened.close()


async def printed(pool, period, book="in", code="H13.01"):
    async with pool.acquire() as connection, connection.transaction():
        whose = await world.agency(pool, code)
        return [one async for one in register_print.lines(connection, book, whose, counting.period(period))]


def came(*lines):
    return files.as_csv(lines, files.IN)


async def arrive(pool, number, at, **how):
    return await world.arrive(pool, number, sender="H13.02", recipient="H13.01", arrived_at=at, **how)


async def entries(pool, period):
    """Day, arrival number, document and kind of each line."""
    found = await printed(pool, period)
    return [(f"{line[0]:%d/%m}", line[1], line[3], line[9].parts[0].key.rpartition("_")[2]) for line in found]


async def test_every_arrival_number_of_a_letter_is_a_line(pool):
    await arrive(pool, "1", datetime(2026, 1, 6, 3, tzinfo=UTC))
    await load(
        pool, came(files.came("1/UBND", "H13.02", "5"), files.came("1/UBND", "H13.02", "9")), book="in"
    )
    assert await entries(pool, "2026-01") == [
        ("06/01", "5", "1/UBND", "both"),
        ("06/01", "9", "1/UBND", "both"),
    ]


async def test_a_line_is_in_the_month_of_the_day_that_it_shows(pool):
    await arrive(pool, "1", datetime(2026, 1, 31, 3, tzinfo=UTC))
    await arrive(pool, "2", MIDNIGHT)
    await arrive(pool, "3", datetime(2026, 1, 31, 16, 59, tzinfo=UTC))
    late = files.came("1/UBND", "H13.02", "7", arrived="02/02/2026")
    await load(pool, came(late), book="in")
    assert await entries(pool, "2026-01") == [("31/01", "", "3/UBND", "electronic")]
    assert await entries(pool, "2026-02") == [
        ("01/02", "", "2/UBND", "electronic"), ("02/02", "7", "1/UBND", "both"),
    ]  # fmt: skip
    early = files.came("2/UBND", "H13.02", "6", arrived="30/01/2026")
    await load(pool, came(early), book="in")
    assert [line[1] for line in await entries(pool, "2026-01")] == ["6", ""]
    assert [line[1] for line in await entries(pool, "2026-02")] == ["7"]


async def test_lines_stand_in_the_order_of_the_days_in_vietnam(pool):
    await arrive(pool, "2", MIDNIGHT)
    days = [("8/UBND", "3", "31/01/2026"), ("9/UBND", "4", "01/02/2026")]
    await load(pool, came(*(files.came(one, "H13.03", n, arrived=day) for one, n, day in days)), book="in")
    assert [line[2] for line in await entries(pool, "2026-Q1")] == ["8/UBND", "9/UBND", "2/UBND"]


async def test_a_line_in_several_loads_is_printed_once_as_the_newest_has_it(pool):
    line, more = (
        files.came("8/UBND", "H13.03", "3"),
        files.came("9/UBND", "H13.03", "4", arrived="30/01/2026"),
    )
    corrected = files.came("8/UBND", "H13.03", "3", arrived="08/01/2026")
    await load(pool, came(line, more), book="in")
    again = await load(pool, came(corrected, more), book="in", first=date(2026, 1, 1))
    shown = [("08/01", "3", "8/UBND", "paper"), ("30/01", "4", "9/UBND", "paper")]
    assert await entries(pool, "2026-01") == shown
    await undo(pool, again.load)
    assert (await entries(pool, "2026-01"))[0][0] == "06/01"
    sent = [files.out("1/UBND", "H13.02", copies="3"), files.out("2/UBND", "H13.02")]
    for raw in (book(sent[0]), book(*sent)):
        await load(pool, raw)
    assert [(line[0], line[6]) for line in await printed(pool, "2026", "out")] == [
        ("1/UBND", 3),
        ("2/UBND", 1),
    ]


async def test_a_whole_register_says_nothing_of_paper(pool):
    await arrive(pool, "1", datetime(2026, 1, 6, 3, tzinfo=UTC))
    await load(
        pool,
        came(files.came("1/UBND", "H13.02", "5"), files.came("2/UBND", "H13.02", "6")),
        book="in",
        lists="all",
    )
    assert [line[3] for line in await entries(pool, "2026-01")] == ["electronic", "paper"]
    await world.arrive(pool, "1")
    await load(pool, book(files.out("1/UBND", "H13.02")), lists="all")
    (line,) = await printed(pool, "2026", "out")
    assert line[9].parts[0] == register_print.ELECTRONIC
