"""Measures on a real database: random worlds against brute force, whatever is asked for and however far the folder is."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import measured_world
import pytest
from measured_world import AT, SCOPES, TYPES, Brute, World

from exchange.rules import measures as rules
from exchange.rules import working_days
from exchange.store import tally as tally_store
from exchange.tracker import measures, spans, tally
from exchange.tracker.measures import Means
from exchange.tracker.signature_usage import Asked, Filters

MEANS = Means(calendar=working_days.default())
NAMES = [name for name in rules.DEFINITIONS if name not in ("M8", "M9", "M10", "M10_leaders", "M11")]
PERIODS = ("2026-02", "2026", "2026-02-10", "2026-W09", "2025", "2026-Q1")


@pytest.fixture
async def connection(pool):
    async with pool.acquire() as connection:
        yield connection


def asked(period="2026", agencies=None, **filters):
    return Asked(period=tally.period(period), agencies=agencies, as_of=AT, filters=Filters(**filters))


async def figures(connection, question):
    found = await measures.figures(connection, question, MEANS, NAMES)
    return {agency: +one for agency, one in found.items() if +one}


def expected(world, question):
    given, period = question.filters, question.period
    return Brute(
        world, period.first, period.last, None if question.agencies is None else set(question.agencies),
        view=given.view, scope=given.scope, types=given.types, urgency=given.urgency,
    )  # fmt: skip


def cuts(random, world):
    """Questions of every sort about a world."""
    some = random.sample([one["id"] for one in world.agencies], 2)
    for period in PERIODS:
        yield asked(period)
        yield asked(period, some, view="in")
    yield asked("2026", view="in", scope=random.choice(SCOPES))
    yield asked("2026-02", some, types=(random.choice(TYPES),))
    yield asked("2026", urgency=(1, 3))
    yield asked("2026", scope="same_root", types=TYPES[:2], urgency=(0,))


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(3, 40))]
)
async def test_every_figure_is_what_brute_force_finds(connection, seed):
    random = Random(seed)
    world = await World(connection, random).fill()
    seen = set()
    for number, question in enumerate(cuts(random, world)):
        if number % 5 == 2:
            await tally_store.fold(connection, 40)
        brute = expected(world, question)
        found = await figures(connection, question)
        assert found == brute.found, (question, measured_world.plain(brute.found))
        seen |= {name for one in found.values() for name in one}
        for name, sizes in brute.took().items():
            took = (await measures.took(connection, question))[(None, name)]
            assert (took.n, took.median) == (len(sizes), sizes[(len(sizes) - 1) // 2])
            assert took.p95 == sizes[-(-len(sizes) * 95 // 100) - 1]
    lacking = {
        "signed_all",
        "signed_organisation",
        "signed_both",
        "signers",
        "signers_used",
        "leaders",
        "leaders_used",
    }
    assert seen >= set(rules.FIGURES) - lacking - {"agencies_sealed"}


async def test_the_measures_of_all_are_those_of_their_sum(connection):
    world = await World(connection, Random(5)).fill()
    found = await measures.measured(connection, asked(), MEANS)
    total = rules.of(rules.together(expected(world, asked()).found.values()), NAMES)
    assert {name: (found[name]["n"], found[name]["d"]) for name in NAMES} == total
    assert set(found["M14_arrival"]) == {"n", "median_s", "p95_s"}
    assert "M8" not in found
    assert "M18" not in await measures.measured(connection, asked(scope="same_root"), MEANS)


async def explained(connection, first, last, book="out"):
    """An explanation of the main series of the agency that has most numbers in the year."""
    await connection.execute(
        """INSERT INTO number_explanation (agency, id, book, year, series, first, last, why, author, at)
           SELECT (SELECT id FROM agency WHERE code = 'H99'), gen_random_uuid(), $1, 2026, '', $2, $3, 'x', 'y', now()""",
        book, first, last,
    )  # fmt: skip


async def numbered(connection):
    """An agency with numbers 2, 3 and 9 of February in its book, and 12 of March."""
    world = await World(connection, Random(5)).fill()
    await world.agency("H99")
    for number, day in ((2, "02-03"), (3, "02-04"), (9, "02-27"), (12, "03-30")):
        await connection.execute(
            """INSERT INTO register_row (agency, id, direction, number, notation, moved_on, loaded_at)
               SELECT id, gen_random_uuid(), 'out', $1, 'CV', $2, now() FROM agency WHERE code = 'H99'""",
            str(number), date.fromisoformat(f"2026-{day}"),
        )  # fmt: skip
    agency = await connection.fetchval("SELECT id FROM agency WHERE code = 'H99'")

    async def complete(period):
        one = (await measures.measured(connection, asked(period, [agency]), MEANS))["M18"]
        return one["n"], one["d"]

    return complete


async def test_numbers_that_an_office_explains_are_as_good_as_seen(connection):
    complete = await numbered(connection)
    assert (await complete("2026-02"), await complete("2026")) == ((3, 9), (4, 12))
    await explained(connection, 3, 5)
    await explained(connection, 4, 4)
    await explained(connection, 1, 1, book="in")
    assert (await complete("2026-02"), await complete("2026")) == ((5, 9), (6, 12))
    await connection.execute("UPDATE number_explanation SET undone_at = now()")
    assert (await complete("2026-02"), await complete("2026")) == ((3, 9), (4, 12))


async def test_an_explanation_of_later_numbers_leaves_earlier_periods_as_they_were(connection):
    complete = await numbered(connection)
    await explained(connection, 8, 20)
    await explained(connection, 501, 505)
    assert (await complete("2026-02"), await complete("2026")) == ((4, 9), (7, 12))


async def test_nothing_at_all_is_no_ratio(connection):
    found = await measures.measured(connection, asked(), MEANS)
    assert {one["text"] for name, one in found.items() if name in NAMES} == {"—"}
    assert found["M14_done"] == {"n": 0}
    assert (await measures.measured(connection, asked("2030"), MEANS))["M12"]["d"] == 0


async def test_days_to_come_have_no_measures(connection):
    await World(connection, Random(8)).fill()
    found = await measures.measured(connection, asked("2030"), MEANS)
    assert {one["d"] for name, one in found.items() if name in NAMES and name != "M20"} == {0}


async def test_the_tally_and_the_measures_say_the_same(connection):
    await World(connection, Random(7)).fill()
    for view in ("out", "in"):
        counted = await tally.count(
            connection, tally.period("2026"), view=view, scope=tally.WHOLE, agencies=None, as_of=AT
        )
        found = await measures.measured(connection, asked(view=view), MEANS)
        for name, one in tally.as_json(counted)["measures"].items():
            assert found[name] == one


@pytest.mark.parametrize(
    "text, before",
    [
        ("2026", "2025"), ("2026-01", "2025-12"), ("2026-03", "2026-02"), ("2026-Q1", "2025-Q4"), ("2026-Q3", "2026-Q2"),
        ("2026-H1", "2025-H2"), ("2026-H2", "2026-H1"), ("2026-W01", "2025-W52"), ("2021-W01", "2020-W53"),
        ("2026-03-01", "2026-02-28"), ("1900", None), ("1900-01-01", None),
    ],
)  # fmt: skip
def test_the_period_before(text, before):
    found = spans.previous(tally.period(text))
    assert (found and found.text) == before
    if found:
        assert found.last + timedelta(days=1) == tally.period(text).first


def test_trends_are_months_weeks_or_days():
    assert [one.text for one in spans.trend(tally.period("2019"))][::11] == ["2019-01", "2019-12"]
    assert spans.trend(tally.period("2026-Q1"))[0].text == "2025-04"
    assert spans.trend(tally.period("2026-W03"), 4)[0].text == "2025-W52"
    assert len(spans.history(tally.period("1901"), 12)) == 2
    assert spans.trend(tally.period("2026-03-02"), 3)[0].first == date(2026, 2, 28)
    assert datetime(2026, 1, 1, tzinfo=UTC)
