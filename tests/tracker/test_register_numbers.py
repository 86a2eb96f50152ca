"""Completeness of numbers (M18): the gaps of an office, the measures and report BC-06 say the same."""

from datetime import UTC, date, datetime

import pytest
import register_files as files
import register_world as world
from register_world import book, load

from exchange.rules import measures as rules
from exchange.rules import working_days
from exchange.store import pool as pools
from exchange.tracker import measures, register_numbers
from exchange.tracker import tally as counting
from exchange.tracker.measures import Means
from exchange.tracker.signature_usage import Asked

AT = datetime(2026, 11, 21, 3, tzinfo=UTC)
MEANS = Means(calendar=working_days.default())


@pytest.fixture
async def pool(province_database):
    opened = await pools.open(province_database)
    yield opened
    await opened.close()


async def complete(pool, year):
    """M18 of a year by the gaps and by the measures: known of highest."""
    async with pool.acquire() as connection:
        agency = await world.agency(pool, "H13.01")
        found = [one.complete for one in await register_numbers.series(connection, agency, "out", year)]
        asked = Asked(period=counting.period(str(year)), agencies=[agency], as_of=AT)
        figures = await measures.figures(connection, asked, MEANS, ["M18"])
        n, d = rules.of(rules.together(figures.values()), ["M18"])["M18"]
    return (sum(one.n for one in found), sum(one.d for one in found)), (n, d)


async def test_the_measures_know_the_numbers_that_the_office_does(pool):
    december = {"issued": "31/12/2025"}
    await load(
        pool,
        book(
            files.out("1/UBND", "H13.02", issued="05/01/2025", moved="05/01/2025"),
            files.out("3/UBND", "H13.02", moved="02/01/2026", **december),  # handed over in the new year
            files.out("2/2025/NĐ-UBND", "H13.02", moved="31/12/2025", **december),
            files.out(
                "1/X", "H13.02", summary="Thông tư liên tịch về việc thử", moved="31/12/2025", **december
            ),
        ),
        year=2025,
    )
    await load(
        pool,
        files.as_csv([files.sent("3/UBND", "H13.02", moved="03/01/2026")], files.DISPATCH),
        book="dispatch",
    )
    await load(pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")))
    await world.arrive(pool, "4", issued=date(2026, 1, 2))
    assert await complete(pool, 2025) == (
        (4, 6),
        (4, 6),
    )  # 1 and 3 of 3, 2 of 2 in a series of its own, 1 of 1
    assert await complete(pool, 2026) == ((3, 4), (3, 4))
