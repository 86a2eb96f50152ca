"""The figures behind BC-15 on a real database: of one period, the one before it, month by month, and of the agencies asked for."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from signed_world import World

from exchange.rules import working_days
from exchange.rules.ratios import Measure, Unproven
from exchange.store import rows
from exchange.store import tally as store
from exchange.tracker import spans, tally
from exchange.tracker.measures import Means
from exchange.tracker.reports import periodic
from exchange.tracker.signature_usage import Asked

AT = datetime(2026, 11, 21, 3, tzinfo=UTC)


@pytest.fixture
async def world(pool):
    async with pool.acquire() as connection:
        yield World(connection)


def fact(agency, day, klass="E", n=1, view="out", **other):
    facts = {"scope": "same_root", "document_type": "Công văn", "urgency": 0, "excluded": "", "grade": "B", "justified": ""}  # fmt: skip
    facts |= {"agency": agency, "id": uuid4(), "view": view, "day": day, "klass": klass, "n": n}
    return rows.DeltaRow(**{**facts, **other})


async def gathered(world, period, agencies=None, at=AT, percent=0):
    asked = Asked(period=tally.period(period), agencies=agencies, as_of=at)
    return await periodic.gather(
        world.connection, asked, Means(calendar=working_days.default(), trust=world.trust()), 92, percent
    )


async def test_this_period_the_one_before_and_every_month(world):
    one, other = await world.agency("A"), await world.agency("B")
    await store.append(
        world.connection,
        [
            fact(one, date(2026, 1, 1), n=6), fact(one, date(2026, 3, 31), "S", n=3),
            fact(one, date(2026, 3, 31), "X", n=5, excluded="internal"), fact(one, date(2026, 2, 1), n=7, view="in"),
            fact(one, date(2025, 12, 31), n=1), fact(one, date(2025, 10, 1), "N", n=3),
            fact(one, date(2025, 9, 30), n=90), fact(one, date(2026, 4, 1), n=99), fact(other, date(2026, 1, 5), n=10),
        ],
    )  # fmt: skip
    found = await gathered(world, "2026-Q1", [one])
    figures = found.figures
    assert figures.sent == {"E": 6, "S": 3, "N": 0, "U": 0, "P": 0}
    assert (figures.received["E"], figures.excluded, figures.target) == (7, 5, 92)
    assert figures.before == Measure(1, 4)
    assert {f"M{number}" for number in (1, 7, 8, 12, 13, 15, 16, 17, 19)} <= set(figures.measures)
    assert found.months == [
        ("01/2026", Measure(6, 6)),
        ("02/2026", Measure(0, 0)),
        ("03/2026", Measure(0, 3)),
    ]
    assert (await gathered(world, "2026-Q1")).figures.sent["E"] == 16
    doubted = await gathered(world, "2026-Q1", [one], percent=90)
    assert (doubted.figures.before, doubted.figures.percent) == (None, 90)
    assert all(isinstance(month, Unproven) for _, month in doubted.months)
    assert set(figures.measures) >= {"M1", "M8", "M10", "M11", "M19"}
    assert figures.certificates["issued"] == 0


async def test_months_that_have_not_begun_are_not_drawn(world):
    assert [name for name, _ in (await gathered(world, "2026")).months][-1] == "11/2026"
    assert (await gathered(world, "2026-W05")).months == []


@pytest.mark.parametrize(
    "text, first, last",
    [
        ("2019", "2018-01-01", "2018-12-31"),
        ("2019-Q1", "2018-10-01", "2018-12-31"),
        ("2019-H2", "2019-01-01", "2019-06-30"),
        ("2020-03", "2020-02-01", "2020-02-29"),
        ("2019-01", "2018-12-01", "2018-12-31"),
        ("2019-W05", "2019-01-21", "2019-01-27"),
        ("2019-03-01", "2019-02-28", "2019-02-28"),
    ],
)
def test_the_period_before_is_of_the_same_kind(text, first, last):
    found = spans.previous(tally.period(text))
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)
