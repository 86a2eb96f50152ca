"""Agencies that were merged within a period: what reports and tallies say, whose code it was, how registers count."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from exchange.cli import named
from exchange.store import directory as store
from exchange.store import open_data
from exchange.tracker import merged, signature_usage, tally
from exchange.tracker.reports import book, make, worded
from exchange.tracker.signature_usage import Asked
from signing import trust

AT = datetime(2026, 11, 21, 5, tzinfo=UTC)
TRUST = trust.load([], [])
LOADED = """INSERT INTO register_load (agency, id, book, year, lists, sha256, name, at, first, last)
            VALUES ($1, $2, 'out', 2026, 'paper', '', 'so.csv', now(), $3, $4)"""
SINCE = date(2026, 7, 1)
DAY = timedelta(days=1)


@pytest.fixture
async def connection(pool):
    async with pool.acquire() as connection:
        yield connection


async def agency(connection, code, last=None, first=date(2020, 1, 1)):
    made = uuid4()
    await connection.execute(
        "INSERT INTO agency (id, code, name, kind, level, valid_from, valid_to) VALUES ($1, $2, $3, 'department', 2, $4, $5)",
        made, code, f"Sở {code}", first, last,
    )  # fmt: skip
    return made


async def merge(connection, one, other, since=SINCE):
    await connection.execute(
        "INSERT INTO agency_succession (predecessor, successor, takes_effect, basis) VALUES ($1, $2, $3, 'NQ')",
        one, other, since,
    )  # fmt: skip


async def holds(connection, code, agency, first, last=None):
    await connection.execute(
        "INSERT INTO agency_code (code, form, agency, valid_from, valid_to) VALUES ($1, 'other', $2, $3, $4)",
        code, agency, first, last,
    )  # fmt: skip


async def told(connection, period, agencies=None, name="BC-02"):
    asked = Asked(period=tally.period(period), agencies=agencies, as_of=AT)
    made = await make.make(connection, name, asked, TRUST, [])
    async with connection.transaction():
        books = await book.report(connection, "register-out", asked, [], "vi")
    assert [one for one in books.lines if one.key.startswith("merged")] == [
        one for one in made.lines if one.key.startswith("merged")
    ]
    counted = await signature_usage.told(connection, asked, TRUST)
    said = [worded.sentence(one, "vi") for one in made.lines if one.key.startswith("merged")]
    return said, [one["code"] for one in counted["merged"]], counted["merged_more"]


@pytest.mark.parametrize(
    "period, said",
    [("2026", True), ("2026-07", True), ("2026-07-01", True), ("2026-H1", False), ("2026-08", False), ("2027", False)],
)  # fmt: skip
async def test_the_period_of_the_merger_says_so_and_no_other(connection, period, said):
    new, old = await agency(connection, "A"), await agency(connection, "B", SINCE - DAY)
    await merge(connection, old, new)
    lines, codes, more = await told(connection, period)
    assert (bool(lines), codes, more) == (said, ["B"] if said else [], 0)
    assert all("B Sở B → A (01/07/2026)" in one for one in lines)
    assert (await told(connection, period, [new]))[0] == []
    assert bool((await told(connection, period, [old]))[0]) is said


async def test_what_is_to_come_is_not_told_yet(connection):
    new, old = await agency(connection, "A"), await agency(connection, "B", date(2026, 11, 30))
    await merge(connection, old, new, date(2026, 12, 1))
    assert await told(connection, "2026") == ([], [], 0)


@pytest.mark.parametrize("n", [1, 20, 21, 25])
async def test_at_most_twenty_are_named(connection, n):
    new = await agency(connection, "A")
    for number in range(n):
        await merge(connection, await agency(connection, f"B{number:02}", SINCE - DAY), new)
    lines, codes, more = await told(connection, "2026")
    assert (len(codes), more) == (min(n, merged.SHOWN), max(n - merged.SHOWN, 0))
    assert lines[0].count("→ A") == min(n, 20)
    assert lines[1:] == ([f"Và {n - 20} cơ quan khác đã nhập trong kỳ."] if n > 20 else [])


@pytest.mark.parametrize(
    "period, agency_, last",
    [
        ("2019", "later", None), ("2025", "first", None), ("2026-Q1", "first", None), ("2026-Q2", "gap", None),
        ("2026-Q3", "second", None), ("2026", "second", None), ("2027", "second", None),
    ],
)  # fmt: skip
async def test_a_code_is_of_who_had_it_when_the_period_ended(connection, period, agency_, last):
    """Held by one that ended in April, by nobody for a while, then by another; asked of before it was, whoever has it now."""
    first = await agency(connection, "A", date(2026, 4, 30))
    second = await agency(connection, "B")
    await holds(connection, "X", first, date(2020, 1, 1))
    await holds(connection, "X", second, date(2026, 8, 1))
    wanted = {"first": first, "gap": first, "second": second, "later": second}[agency_]
    span = tally.period(period)
    assert await store.of_period(connection, ["x", "?"], span.last, date(2026, 11, 21)) == (
        {"X": wanted} if period != "2019" else {"X": second}
    )
    (found, none) = await named.of_period(connection, ["x", "?"], span.last, AT)
    assert (found.id, none) == (wanted, None)
    (own,) = await named.of_period(connection, ["a"], span.last, AT)
    assert own is None or own.id == first


@pytest.mark.parametrize(
    "period, until, covered",
    [
        ("2026", date(2026, 6, 30), (1, 1)),
        ("2026", date(2026, 6, 29), (0, 1)),
        ("2026-H1", date(2026, 6, 30), (1, 1)),
        ("2026-06", date(2026, 6, 30), (1, 1)),
        ("2026-H2", date(2026, 6, 30), (0, 0)),
        ("2026-07", date(2026, 6, 30), (0, 0)),
    ],
    ids=str,
)
async def test_a_merged_agency_counts_for_as_long_as_it_was(connection, period, until, covered):
    new, old = await agency(connection, "A"), await agency(connection, "B", SINCE - DAY)
    await merge(connection, old, new)
    await connection.execute(LOADED, old, uuid4(), date(2026, 1, 1), until)
    for asked, extra in (([old], 0), (None, 1)):
        found = await tally.coverage(connection, tally.period(period), "out", tally.WHOLE, asked, AT)
        assert found == (covered[0], covered[1] + extra)
    span = tally.period(period)
    assert len(await open_data.covered(connection, "out", span.first, span.last)) == covered[0]


@pytest.mark.parametrize(
    "period, since, covered",
    [
        ("2026", date(2026, 7, 1), (1, 1)),
        ("2026", date(2026, 7, 2), (0, 1)),
        ("2026-H2", date(2026, 7, 1), (1, 1)),
        ("2026-H1", date(2026, 7, 1), (0, 0)),
    ],
    ids=str,
)
async def test_a_new_agency_counts_from_its_first_day(connection, period, since, covered):
    new = await agency(connection, "A")
    await connection.execute("UPDATE agency SET valid_from = $2 WHERE id = $1", new, SINCE)
    await connection.execute(LOADED, new, uuid4(), since, date(2026, 12, 31))
    span = tally.period(period)
    assert await tally.coverage(connection, span, "out", tally.WHOLE, [new], AT) == covered
    assert len(await open_data.covered(connection, "out", span.first, span.last)) == covered[0]
