"""Closed periods on a real database: what was published stays; later facts make a further version, told by its difference."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from traffic import CLASSES, NEW_IDS, Traffic, by_months_and_by_days, some

from exchange.broker import counted
from exchange.rules import paper_class
from exchange.store import insert
from exchange.store import periods as store
from exchange.store import tally as store_tally
from exchange.tracker import periods, tally
from exchange.tracker.periods import PeriodError

NOW = datetime(2026, 11, 21, tzinfo=UTC)
JULY = tally.period("2026-07")


@pytest.fixture
async def traffic(pool):
    async with pool.acquire() as connection:
        yield Traffic(connection, Random(6))


async def close(traffic, period="2026-07", at=NOW, author="Lê Thị Mai", **more):
    return await periods.close(traffic.connection, tally.period(period), at=at, author=author, **more)


async def lines(traffic, month, version):
    told = []

    async def take(chunk):
        told.append(chunk)

    await store.lines(traffic.connection, month, version, take)
    return b"".join(told).splitlines(keepends=True)


async def shown(traffic, period="2026-07", view="out"):
    found = await tally.count(
        traffic.connection, tally.period(period), view=view, scope="*", agencies=None, as_of=NOW
    )
    return {name: n for name, n in {**found.classes, "X": sum(found.excluded.values())}.items() if n}


# --- closing -------------------------------------------------------------------------------------------------------------


async def test_a_closed_month_keeps_its_members_and_their_digest(traffic):
    await some(traffic, 150)
    (closed,) = await close(traffic)
    assert (closed.written, closed.version.version, closed.version.author) == (True, 1, "Lê Thị Mai")
    told, expected = await lines(traffic, date(2026, 7, 1), 1), traffic.members(date(2026, 7, 1))
    assert sorted(told) == sorted(expected)
    assert len(told) > 100
    assert closed.version.members == len(told)
    assert closed.version.sha256 == hashlib.sha256(b"".join(told)).digest()
    assert told == sorted(told)


async def test_a_closed_month_is_shown_by_its_month_and_by_its_days_alike(traffic):
    """Also a version by a release that wrote no months."""
    await some(traffic, 80)
    await close(traffic)
    for letter in [one for one, (_, now, _) in traffic.known.items() if now and now.klass == "N"][:4]:
        await traffic.is_now(letter, ("E", "", "B", ""))
    await close(traffic)
    assert await traffic.connection.fetchval("SELECT count(*) FROM period_month WHERE version = 2") > 1
    for _ in range(2):
        months, days, _ = await by_months_and_by_days(traffic.connection)
        assert months == days
        await traffic.connection.execute("DELETE FROM period_summed WHERE version = 2")
        await traffic.connection.execute("DELETE FROM period_month WHERE version = 2")


async def test_nothing_changed_is_no_version(traffic):
    await some(traffic, 20)
    (first,) = await close(traffic)
    (second,) = await close(traffic, at=NOW + timedelta(days=1), author="Trần Văn Bình")
    assert (second.written, second.version) == (False, first.version)


async def test_later_facts_leave_a_version_as_it_was_and_make_the_next(traffic):
    await some(traffic, 60)
    waiting = await traffic.transfer(paper_class.start_of(date(2026, 7, 30)))
    await close(traffic)
    published, before = await shown(traffic), await lines(traffic, date(2026, 7, 1), 1)
    await traffic.is_now(waiting, ("E", "", "B", ""), paper_class.start_of(date(2026, 8, 20)))
    unvalued = next(one for one, (row, now, _) in traffic.known.items()
                    if now and now.klass == "N" and counted.facts(vars(row), now, NOW)[0].day.month == 7)  # fmt: skip
    await traffic.is_now(unvalued, ("E", "", "B", ""))
    assert await shown(traffic) == published
    (closed,) = await close(traffic)
    assert (closed.written, closed.version.version) == (True, 2)
    assert await lines(traffic, date(2026, 7, 1), 1) == before
    assert sorted(await lines(traffic, date(2026, 7, 1), 2)) == sorted(traffic.members(date(2026, 7, 1)))
    now = await shown(traffic)
    assert now == Counter(published) + Counter({"E": 2}) - Counter({"N": 1})
    first, second = await periods.history(traffic.connection, JULY, "out")
    assert second["change"] == {"E": 2, "N": -1}
    assert {name: n for name, n in first["classes"].items() if n} == published


async def test_what_ceases_to_be_counted_is_told_as_gone(traffic):
    letter = await traffic.transfer(
        paper_class.start_of(date(2026, 7, 3)), paper_class.start_of(date(2026, 7, 4)), ("E", "", "B", "")
    )
    await close(traffic)
    row, now, arrived = traffic.known[letter]
    facts = Counter()
    facts.subtract(counted.facts(vars(row), now, arrived))
    await insert.rows(traffic.connection, counted.deltas(facts, NEW_IDS))
    await traffic.connection.execute(
        "UPDATE delivery SET counted_class = NULL, arrived_at = NULL WHERE letter = $1", letter
    )
    (closed,) = await close(traffic)
    assert (closed.version.version, closed.version.members) == (2, 0)
    assert len(await lines(traffic, date(2026, 7, 1), 1)) == 2
    assert await shown(traffic) == {}
    (again,) = await close(traffic)
    assert not again.written
    await traffic.connection.execute(
        "UPDATE delivery SET counted_class = 'E', arrived_at = $2 WHERE letter = $1", letter, arrived
    )
    await insert.rows(
        traffic.connection, counted.deltas(Counter(counted.facts(vars(row), now, arrived)), NEW_IDS)
    )
    (back,) = await close(traffic)
    assert (back.version.version, back.version.members) == (3, 2)
    assert await shown(traffic) == {"E": 1}


@pytest.mark.parametrize("seed", range(4))
async def test_versions_are_what_was_counted_when_they_were_made(pool, seed):
    """Any mixture of arrivals, changes, merging and closing: each version stays, and is what was counted at its moment."""
    chance = Random(seed)
    async with pool.acquire() as connection:
        traffic = Traffic(connection, chance)
        await some(traffic, 25)
        kept = {}
        for _ in range(30):
            for _ in range(chance.randrange(4)):
                letter = chance.choice(list(traffic.known))
                row, _, arrived = traffic.known[letter]
                arrives = None if arrived else row.accepted_at + timedelta(days=chance.randrange(40))
                await traffic.is_now(letter, chance.choice(CLASSES), arrives)
            await store_tally.fold(connection, chance.randrange(1, 50))
            await store_tally.fold_days(connection, chance.randrange(1, 50))
            for closed in await close(traffic, chance.choice(["2026-06", "2026-07", "2026-H1", "2026-Q3"]),
                                      at=datetime(2026, 12, 31, tzinfo=UTC)):  # fmt: skip
                month = closed.version.month
                if closed.written:
                    kept[month, closed.version.version] = sorted(traffic.members(month))
                else:
                    assert kept[month, closed.version.version] == sorted(traffic.members(month))
        for (month, version), members in kept.items():
            assert sorted(await lines(traffic, month, version)) == members
        numbers = Counter(month for month, _ in kept)
        assert all((month, number) in kept for month, n in numbers.items() for number in range(1, n + 1))
        for month in {month for month, _ in kept}:
            found = await shown(traffic, f"{month:%Y-%m}")
            last = kept[month, numbers[month]]
            classes = Counter(line.decode().split("\t")[9] for line in last if line.startswith(b"out"))
            assert found == classes
        months, days, differing = await by_months_and_by_days(connection)
        assert (months, differing) == (days, 0)


async def test_two_who_close_at_once_write_one_version(traffic, pool):
    await some(traffic, 30)

    async def closing():
        async with pool.acquire() as connection:
            return await periods.close(connection, JULY, at=NOW, author="x")

    told = await asyncio.gather(closing(), closing(), return_exceptions=True)
    written = [one for one in told if isinstance(one, list) and one[0].written]
    assert len(written) == 1
    assert all(isinstance(one, list | PeriodError) for one in told), told
    assert len(await store.versions(traffic.connection, date(2026, 7, 1), date(2026, 7, 1))) == 1


async def test_a_tally_that_does_not_follow_from_its_transfers_cannot_be_closed(traffic):
    await some(traffic, 10)
    letter = await traffic.transfer(
        paper_class.start_of(date(2026, 7, 3)), paper_class.start_of(date(2026, 7, 4)), ("E", "", "B", "")
    )
    await traffic.connection.execute("UPDATE delivery SET counted_class = 'N' WHERE letter = $1", letter)
    with pytest.raises(PeriodError) as told:
        await close(traffic)
    assert told.value.key == "period.uncounted"
    assert await store.versions(traffic.connection, date(2026, 7, 1), date(2026, 7, 1)) == []


# --- when ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "at", "key"),
    [
        ("2026-07", "2026-08-04T16:59:59Z", "period.not_over"),
        ("2026-07", "2026-08-04T17:00:00Z", None),
        ("2026-11", "2026-11-21T00:00:00Z", "period.not_over"),
        ("2027", "2026-11-21T00:00:00Z", "period.not_over"),
        ("2026-Q3", "2026-10-04T00:00:00Z", "period.not_over"),
        ("2026-Q3", "2026-10-05T00:00:00Z", None),
        ("2026-12", "2027-01-05T00:00:00Z", None),
        ("2026-07-31", "2026-11-21T00:00:00Z", "period.no_months"),
        ("2026-W30", "2026-11-21T00:00:00Z", "period.no_months"),
        ("1950", "2026-11-21T00:00:00Z", None),
    ],
)
async def test_a_period_is_closed_when_it_is_over_and_some_days_have_passed(traffic, period, at, key):
    moment = datetime.fromisoformat(at)
    if key is None:
        months = await close(traffic, period, at=moment)
        assert [one.version.members for one in months] == [0] * len(periods.months(tally.period(period)))
    else:
        with pytest.raises(PeriodError) as told:
            await close(traffic, period, at=moment)
        assert told.value.key == key


async def test_all_months_of_a_longer_period_or_none(traffic):
    await some(traffic, 60, first=date(2026, 6, 1), days=20)
    await traffic.connection.execute("UPDATE delivery SET counted_class = 'N' WHERE counted_class = 'E'")
    with pytest.raises(PeriodError):
        await close(traffic, "2026-Q2")
    assert await store.versions(traffic.connection, date(2026, 1, 1), date(2026, 12, 1)) == []


async def test_a_longer_period_stands_by_its_months(traffic):
    await some(traffic, 40)
    quarter, half = tally.period("2026-Q3"), tally.period("2026-H2")
    assert (await periods.standing(traffic.connection, quarter)).text == "provisional"
    await close(traffic, "2026-07")
    assert (await periods.standing(traffic.connection, quarter)).text == "provisional"
    assert (await periods.standing(traffic.connection, tally.period("2026-07-15"))).text == "1"
    assert (await periods.standing(traffic.connection, tally.period("2026-W31"))).text == "provisional"
    closed = await close(traffic, "2026-Q3")
    assert [one.written for one in closed] == [False, True, True]
    found = await periods.standing(traffic.connection, quarter)
    together = hashlib.sha256(b"".join(one.version.sha256 for one in closed)).digest()
    assert (found.text, found.sha256, found.closed_at) == ("1", together, NOW)
    await traffic.transfer(
        paper_class.start_of(date(2026, 8, 1)), paper_class.start_of(date(2026, 8, 1)), CLASSES[0]
    )
    await close(traffic, "2026-08")
    assert (await periods.standing(traffic.connection, quarter)).text == "2"
    assert (await periods.standing(traffic.connection, half)).text == "provisional"


async def test_what_is_due_is_closed_by_itself_and_restated(traffic):
    assert await periods.close_due(traffic.connection, at=NOW, author="congvan") == []
    await some(traffic, 40, first=date(2026, 5, 20), days=60)
    closed = await periods.close_due(traffic.connection, at=NOW, author="congvan")
    months = [f"{one.version.month:%Y-%m}" for one in closed]
    assert months == ["2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10"]
    assert await periods.close_due(traffic.connection, at=NOW, author="congvan") == []
    letter = next(one for one, (row, now, _) in traffic.known.items() if now and row.accepted_at.month == 6)
    other = next(found for found in CLASSES if found[0] != traffic.known[letter][1].klass)
    await traffic.is_now(letter, other)
    again = await periods.close_due(traffic.connection, at=NOW, author="congvan")
    assert {one.version.version for one in again} == {2}
    assert replace(again[0].version, version=1) != closed[1].version


async def swapped(traffic):
    """Two deliveries alike but for their classes, which they exchange once the month is closed."""
    at, arrived = paper_class.start_of(date(2026, 7, 3)), paper_class.start_of(date(2026, 7, 4))
    made = []
    for klass in CLASSES[1:3]:
        traffic.chance = Random(7)
        made.append(await traffic.transfer(at, arrived, klass))
    first, second = made
    (row, _, _), (other, _, _) = traffic.known[first], traffic.known[second]
    for name in ("sender", "recipient", "scope", "document_type", "urgency"):
        assert getattr(row, name) == getattr(other, name), name
    return first, second


async def test_members_that_change_while_the_counts_stay_are_restated(traffic):
    first, second = await swapped(traffic)
    await close(traffic)
    published = await shown(traffic)
    await traffic.is_now(first, CLASSES[2])
    await traffic.is_now(second, CLASSES[1])
    assert await store.differences(traffic.connection, periods.months(JULY)[0], 1) == 0
    await store_tally.fold(traffic.connection, 1_000)
    closed, *_ = await periods.close_due(traffic.connection, at=NOW, author="congvan")
    assert (closed.version.version, await shown(traffic)) == (2, published)
    assert sorted(await lines(traffic, date(2026, 7, 1), 2)) == sorted(traffic.members(date(2026, 7, 1)))
    assert await periods.close_due(traffic.connection, at=NOW, author="congvan") == []
    (again,) = await close(traffic)
    assert again.written is False


async def test_a_month_is_not_looked_at_by_what_was_known_before_facts_were_merged(traffic, pool):
    """Though it was touched already."""
    (month,) = periods.months(JULY)
    await swapped(traffic)
    assert await store_tally.fold(traffic.connection, 1_000)
    async with pool.acquire() as closing, closing.transaction(isolation="repeatable_read"):
        assert await store.touched(closing, month.first, month.first) == {month.first}
        await swapped(traffic)
        assert await store_tally.fold(traffic.connection, 1_000)
        with pytest.raises(store.TakenError):
            await store.looked_at(closing, [month.first])
    assert await store.touched(traffic.connection, month.first, month.first) == {month.first}


async def test_a_month_that_cannot_be_closed_keeps_no_other_open(traffic):
    await some(traffic, 40, first=date(2026, 5, 20), days=60)
    letter = next(one for one, (row, now, _) in traffic.known.items() if now and row.accepted_at.month == 6)
    await traffic.connection.execute("UPDATE delivery SET scope = 'internal' WHERE letter = $1", letter)
    with pytest.raises(PeriodError) as refused:
        await periods.close_due(traffic.connection, at=NOW, author="congvan")
    assert refused.value.key == "period.uncounted"
    assert "2026-06" in refused.value.facts["month"]
    closed = await store.versions(traffic.connection, date(2026, 1, 1), date(2026, 12, 31))
    months = {f"{one.month:%Y-%m}" for one in closed}
    assert {"2026-05", "2026-08", "2026-09", "2026-10"} <= months
    assert "2026-06" not in months


@pytest.mark.parametrize(
    "change, fault",
    [
        ("UPDATE period_member SET class = 'E' WHERE class = 'S'", "closed_members_differ"),
        ("UPDATE period_day SET n = n + 1 WHERE class = 'S'", "closed_days_differ"),
        ("UPDATE period_month SET n = n + 1 WHERE class = 'S'", "closed_month_differs"),
    ],
)
async def test_what_is_closed_is_looked_at_by_the_self_check(traffic, change, fault):
    await some(traffic, 60)
    await close(traffic)
    assert await store.faults(traffic.connection) == []
    await traffic.connection.execute(change)
    assert (fault, "2026-07") in [(code, where[:7]) for code, where in await store.faults(traffic.connection)]
