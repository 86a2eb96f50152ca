"""The tally on a real database: periods, views, registers beside every ratio, and days that are Vietnamese."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from traffic import by_months_and_by_days

from exchange.rules import paper_class
from exchange.store import pool as pools
from exchange.store import rows
from exchange.store import tally as store
from exchange.tracker import tally

AT = datetime(2026, 11, 21, tzinfo=UTC)
AGENCY, OTHER = uuid4(), uuid4()


def fact(day=date(2026, 11, 21), klass="E", n=1, agency=AGENCY, view="out", **other):
    facts = {
        "scope": "same_root",
        "document_type": "Công văn",
        "urgency": 0,
        "excluded": "",
        "grade": "B",
        "justified": "",
    }
    facts |= {"agency": agency, "id": uuid4(), "view": view, "day": day, "klass": klass, "n": n}
    return rows.DeltaRow(**{**facts, **other})


async def count(pool, period="2026", view="out", agencies=None, scope="*"):
    async with pool.acquire() as connection:
        return await tally.count(
            connection, tally.period(period), view=view, scope=scope, agencies=agencies, as_of=AT
        )


async def covering(pool, agency, first, last, book="out"):
    """A book of that agency covers these days."""
    await pool.execute(
        """INSERT INTO register_load (agency, id, book, year, lists, sha256, name, at, first, last)
           VALUES ($1, $2, $3, $4, 'paper', $5, '', now(), $6, $7)""",
        agency, uuid4(), book, first.year, uuid4().bytes, first, last,
    )  # fmt: skip


@pytest.mark.parametrize(
    "text, first, last",
    [
        ("2019", "2019-01-01", "2019-12-31"),
        ("2019-02", "2019-02-01", "2019-02-28"),
        ("2020-02", "2020-02-01", "2020-02-29"),
        ("2019-02-03", "2019-02-03", "2019-02-03"),
        ("2019-Q1", "2019-01-01", "2019-03-31"),
        ("2019-Q4", "2019-10-01", "2019-12-31"),
        ("2019-H1", "2019-01-01", "2019-06-30"),
        ("2019-H2", "2019-07-01", "2019-12-31"),
        ("2020-W53", "2020-12-28", "2021-01-03"),
    ],
)
def test_a_period_is_a_span_of_local_days(text, first, last):
    span = tally.period(text)
    assert (span.first.isoformat(), span.last.isoformat()) == (first, last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "19",
        "2019-13",
        "2019-00",
        "2019-07-00",
        "2019-W00",
        "2019-02-30",
        "2019-Q5",
        "2019-W54",
        "2019-H3",
        "x2019",
        "2019 ",
        "0001",
        "9999-W52",
        "２０１９",
    ],
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        tally.period(text)


async def test_classes_exclusions_views_and_agencies(either_pool):
    async with either_pool.acquire() as connection:
        await store.append(
            connection,
            [
                fact(n=3), fact(klass="S", justified="no"), fact(klass="N"), fact(klass="U", n=2), fact(grade="A"),
                fact(klass="X", excluded="internal", n=4), fact(view="in", n=7), fact(agency=OTHER, n=10),
                fact(day=date(2025, 12, 31), n=99), fact(day=date(2027, 1, 1), n=99),
            ],
        )  # fmt: skip
    everything = await count(either_pool)
    assert everything.classes == {"E": 14, "S": 1, "N": 1, "U": 2, "P": 0}
    assert (everything.excluded, everything.grade_a) == ({"internal": 4}, 1)
    assert (await count(either_pool, agencies=[AGENCY])).classes["E"] == 4
    assert (await count(either_pool, view="in")).classes == {"E": 7, "S": 0, "N": 0, "U": 0, "P": 0}
    body = tally.as_json(everything)
    assert body["measures"]["M1"] == {"n": 14, "d": 18, "text": "77,78 % (14/18)"}
    assert body["coverage"] == {"registers": {"n": 0, "d": 0}, "percent": 90, "sufficient": False}


async def test_books_are_wanted_of_agencies_that_were_switched_off_later(either_pool):
    ends = datetime(2026, 7, 31, 17, tzinfo=UTC)  # of July, in Vietnam
    moments = [None, ends, ends - timedelta(seconds=1), ends + timedelta(days=40)]
    async with either_pool.acquire() as connection:
        await connection.executemany(
            """INSERT INTO agency (id, code, name, kind, level, valid_from, disabled_at)
               VALUES (gen_random_uuid(), $1, 'x', 'commune', 3, '2020-01-01', $2)""",
            [(f"H{number}", at) for number, at in enumerate(moments)],
        )
    covered = [
        (await count(either_pool, period)).registers[1]
        for period in ("2026-06", "2026-07", "2026-08", "2026")
    ]
    assert covered == [4, 3, 2, 1]


async def test_one_scope_is_counted_alone(either_pool):
    paper = {"klass": "P", "grade": ""}
    async with either_pool.acquire() as connection:
        await store.append(
            connection,
            [
                fact(n=3), fact(n=5, scope="other_root"), fact(klass="N", scope="other_root"),
                fact(scope="other_root", **paper), fact(n=2, scope="", **paper),
            ],
        )  # fmt: skip
        await store.fold(connection, 2)
    assert (await count(either_pool)).classes == {"E": 8, "S": 0, "N": 1, "U": 0, "P": 3}
    one = await count(either_pool, scope="other_root")
    assert (one.classes, one.scope) == ({"E": 5, "S": 0, "N": 1, "U": 0, "P": 1}, "other_root")
    assert (await count(either_pool, scope="internal")).classes == dict.fromkeys("ESNUP", 0)


async def test_reads_are_the_same_before_during_and_after_the_fold(either_pool):
    dice = Random(1)
    async with either_pool.acquire() as connection:
        for _ in range(5):
            facts = [
                fact(
                    klass=dice.choice("ESNU"),
                    n=dice.choice((-1, 1, 2)),
                    day=date(2026, 1, dice.randint(1, 5)),
                )
                for _ in range(60)
            ]
            before = await count(either_pool)
            await store.append(connection, facts)
            expected = {
                klass: before.classes[klass] + sum(one.n for one in facts if one.klass == klass)
                for klass in "ESNU"
            }
            assert {**(await count(either_pool)).classes, "P": 0} == {**expected, "P": 0}
            assert await store.fold(connection, 25) == 25
            assert {**(await count(either_pool)).classes, "P": 0} == {**expected, "P": 0}
        while await store.fold(connection, 1_000):
            pass
        assert await connection.fetchval("SELECT count(*) FROM tally_delta") == 0
    assert {**(await count(either_pool)).classes, "P": 0} == {**expected, "P": 0}


async def test_months_are_their_days_before_during_and_after_the_fold(either_pool):
    dice = Random(2)
    async with either_pool.acquire() as connection:
        for _ in range(6):
            facts = [
                fact(
                    klass=dice.choice("ESNU"),
                    n=dice.choice((-1, 1, 2)),
                    day=date(2026, dice.randint(1, 3), dice.randint(1, 5)),
                    agency=dice.choice((AGENCY, OTHER)),
                    view=dice.choice(("in", "out")),
                )
                for _ in range(60)
            ]
            await store.append(connection, facts)
            await store.fold(connection, 40)
            assert await store.fold_days(connection, 7) == 7
            months, days, differing = await by_months_and_by_days(connection)
            assert (months, differing) == (days, 0)
        while await store.fold(connection, 1_000) + await store.fold_days(connection, 1_000):
            pass
        assert await connection.fetchval("SELECT count(*) FROM tally_day WHERE n <> monthly") == 0
        months, days, differing = await by_months_and_by_days(connection)
        assert (months, differing) == (days, 0)
        assert len(months) > 20


async def test_who_knows_no_months_merges_days_that_are_still_read(either_pool):
    """A release before, beside us on the same database, merges deltas into days and nothing else."""
    async with either_pool.acquire() as connection:
        await store.append(connection, [fact(n=3)])
        await store.fold(connection, 9)
        await store.fold_days(connection, 9)
        await store.append(connection, [fact(n=4), fact(klass="N")])
        await store.fold(connection, 9)
        assert (await count(either_pool, "2026-11")).classes == {"E": 7, "S": 0, "N": 1, "U": 0, "P": 0}
        assert await store.fold_days(connection, 9) == 2
        assert (await count(either_pool, "2026-11")).classes == {"E": 7, "S": 0, "N": 1, "U": 0, "P": 0}


async def test_a_month_that_is_not_its_days_is_found(either_pool):
    async with either_pool.acquire() as connection:
        await store.append(connection, [fact(n=3)])
        await store.fold(connection, 9)
        await store.fold_days(connection, 9)
        await connection.execute("UPDATE tally_month SET n = n + 1")
        assert await store.months_differ(connection) == 2  # of the agency, and of all together


async def test_books_cover_a_span_together_and_their_share_stands_beside_the_count(province_database):
    opened = await pools.open(province_database)
    first, second = [
        row["id"] for row in await opened.fetch("SELECT id FROM agency WHERE counted ORDER BY code LIMIT 2")
    ]
    await covering(opened, first, date(2026, 1, 1), date(2026, 6, 30))
    await covering(opened, first, date(2026, 7, 1), date(2026, 11, 20))
    await covering(opened, second, date(2026, 1, 2), date(2026, 12, 31))
    assert (await count(opened)).registers == (1, 452)
    assert (await count(opened, "2026-02")).registers == (2, 452)
    assert (await count(opened, "2026-02", view="in")).registers == (0, 452)
    assert (await count(opened, "2025")).registers == (0, 452)
    assert (await count(opened, agencies=[first])).registers == (1, 1)
    await opened.execute("UPDATE register_load SET undone_at = now() WHERE first = '2026-07-01'")
    assert (await count(opened, agencies=[first])).registers == (0, 1)
    await opened.close()


@pytest.mark.parametrize(
    "covered, percent, enough",
    [((9, 10), 90, True), ((406, 452), 90, False), ((407, 452), 90, True), ((0, 0), 90, False), ((0, 1), 1, False), ((1, 1), 100, True)],
)  # fmt: skip
def test_enough_books_by_whole_numbers(covered, percent, enough):
    assert tally.sufficient(covered, percent) is enough


def test_half_past_eleven_at_night_belongs_to_the_old_year():
    assert paper_class.local_day(datetime(2019, 12, 31, 16, 30, tzinfo=UTC)) == date(2019, 12, 31)
    assert paper_class.local_day(datetime(2019, 12, 31, 17, 0, tzinfo=UTC)) == date(2020, 1, 1)
