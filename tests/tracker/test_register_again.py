"""Books that overlap, and letters that change after their row was matched: each transfer counts once, whatever came first."""

import asyncio
import contextlib
import io
from datetime import date, timedelta
from itertools import permutations
from random import Random

import pytest
import register_files as files
import register_world as world
from register_world import book, count, load, rematch, sound, undo

from exchange.store import periods as months
from exchange.store import pool as pools
from exchange.tracker import periods, register_load, registers
from exchange.tracker import tally as counting


@pytest.fixture
async def pool(province_database):
    opened = await pools.open(province_database)
    yield opened
    await opened.close()


async def classes(pool, period="2026", **asked):
    """What is counted, as a short word: E1 P2."""
    found = await count(pool, period, **asked)
    return " ".join(f"{name}{n}" for name, n in found.classes.items() if n)


def dispatch(*lines):
    return files.as_csv(lines, files.DISPATCH)


async def test_a_paper_list_beside_the_whole_register_proves_paper(pool):
    await world.arrive(pool, "1")
    whole = [files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")]
    held = {"all": book(*whole), "paper": book(whole[0])}
    for order in permutations(held):
        loads = {name: await load(pool, held[name], lists=name) for name in order}
        assert (loads["paper"].matched, loads["paper"].told, loads["paper"].skipped) == (1, 1, 0)
        assert await classes(pool) == "S1 P1"
        await sound(pool)
        await undo(pool, loads["paper"].load)
        assert await classes(pool) == "E1 P1"
        await undo(pool, loads["all"].load)
        assert await classes(pool) == "E1"
        await sound(pool)


async def test_a_row_stays_while_any_load_has_it(pool):
    one, two = files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")
    first = await load(pool, book(one))
    second = await load(pool, book(one, two))
    assert (second.rows, second.skipped, second.known, second.paper_only) == (2, 0, 1, 2)
    (found,) = second.findings
    assert (found.code, found.line, found.severity) == ("register_row_known", 2, "info")
    assert found.facts["load"] == str(first.load)
    assert await classes(pool) == "P2"
    assert await undo(pool, first.load) == 1
    assert await classes(pool) == "P2"
    await sound(pool)
    assert await undo(pool, second.load) == 2
    assert await classes(pool) == ""
    await sound(pool)


async def test_a_month_that_is_closed_while_a_book_is_loaded_again_is_looked_at_once_more(pool):
    """Another row counts in place of one like it: nothing that the tally could tell."""
    january, row = counting.period("2026-01"), "SELECT id FROM register_row WHERE counted"
    await load(pool, book(files.out("1/UBND", "H13.02")))
    before = await pool.fetchval(row)
    async with pool.acquire() as loading, pool.acquire() as closing:
        (month,) = periods.months(january)
        assert await months.touched(closing, month.first, month.first) == {month.first}
        async with loading.transaction():
            asked = register_load.Order(
                agency=await world.agency(pool, "H13.01"), book="out", year=2026, lists="paper", name="so.csv"
            )
            raw = book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02", moved="03/02/2026"))
            await register_load.load(loading, io.BytesIO(raw), asked, world.HAND, print)
            meanwhile = asyncio.create_task(periods.close(closing, january, at=world.AT, author="x"))
            await asyncio.wait([meanwhile], timeout=0.5)
        with contextlib.suppress(periods.PeriodError):
            await meanwhile
        await periods.close_due(closing, at=world.AT, author="x")
        assert await pool.fetchval(f"{row} AND number = '1'") != before
        version = (await months.versions(closing, month.first, month.first))[-1].version
        assert not await months.changed(closing, month, version)


async def test_of_two_undos_at_once_one_is_told_that_there_was_nothing(pool):
    await world.arrive(pool, "1")
    done = await load(pool, book(*(files.out(f"{number}/UBND", "H13.02") for number in range(1, 5))))
    found = await asyncio.gather(*(undo(pool, done.load) for _ in range(4)))
    assert sorted(one or 0 for one in found) == [0, 0, 0, 4]
    assert await pool.fetchval("SELECT count(*) FROM journal WHERE event = 'register_undone'") == 1
    assert await classes(pool) == "E1"
    await sound(pool)


async def test_proof_stays_while_any_load_gives_it(pool):
    _, delivery = await world.arrive(pool, "1")
    first = await load(pool, book(files.out("1/UBND", "H13.02")))
    second = await load(pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")))
    rows = await pool.fetchval("SELECT cardinality(register_rows) FROM delivery WHERE id = $1", delivery.id)
    assert rows == 2
    await undo(pool, first.load)
    assert await classes(pool) == "S1 P1"
    await undo(pool, second.load)
    assert await classes(pool) == "E1"
    await sound(pool)


async def test_the_newest_book_says_on_which_day_it_moved(pool):
    wrong, right = "05/01/2026", "05/03/2026"
    last = files.out("9/UBND", "H13.02", issued="20/04/2026", moved="20/04/2026")
    for before, after in ((wrong, right), (right, wrong)):
        first = await load(pool, book(files.out("1/UBND", "H13.02", moved=before), last))
        second = await load(pool, book(files.out("1/UBND", "H13.02", moved=after), last))
        assert await classes(pool, f"2026-{after[3:5]}") == "P1"
        assert await classes(pool, f"2026-{before[3:5]}") == ""
        await sound(pool)
        await undo(pool, second.load)
        assert await classes(pool, f"2026-{before[3:5]}") == "P1"
        await undo(pool, first.load)
        await sound(pool)


async def test_sent_again_in_a_later_month_it_counts_on_the_first_day(pool):
    """The later book does not cover the earlier day, so it does not correct it."""
    await load(pool, book(files.out("5/UBND", "H13.02", issued="03/03/2026", moved="03/03/2026")))
    await load(pool, book(files.out("5/UBND", "H13.02", issued="03/03/2026", moved="10/04/2026")))
    assert (await classes(pool, "2026-03"), await classes(pool, "2026-04")) == ("P1", "")
    await sound(pool)


@pytest.mark.parametrize("gone", ["refused", "withdrawn"])
async def test_what_was_refused_and_sent_again_is_proven_where_it_counts(pool, gone):
    for number, loaded in (("1", "before"), ("2", "after")):
        raw = book(files.out(f"{number}/UBND", "H13.02"))
        first = await world.arrive(pool, number)
        if loaded == "before":
            await load(pool, raw)
        await world.become(pool, *first, gone)
        second, _ = await world.arrive(pool, number)
        if loaded == "after":
            await load(pool, raw)
        found = int(loaded == "before")
        assert await rematch(pool) == registers.Rematched(matched=found, told=found)
        assert await pool.fetchval("SELECT letter FROM register_row WHERE number = $1", number) == second.id
        proofs = await pool.fetch(
            "SELECT letter, cardinality(register_rows) AS n FROM delivery WHERE number = $1", number
        )
        assert {one["letter"]: one["n"] for one in proofs} == {first[0].id: 0, second.id: 1}
        await sound(pool)
    assert await classes(pool) == "S2"


@pytest.mark.parametrize("gone", ["refused", "withdrawn"])
async def test_what_was_refused_and_went_on_paper_is_paper_only(pool, gone):
    for number, loaded in (("1", "before"), ("2", "after")):
        raw = book(files.out(f"{number}/UBND", "H13.02"))
        letter = await world.arrive(pool, number)
        if loaded == "before":
            await load(pool, raw)
        await world.become(pool, *letter, gone)
        if loaded == "after":
            await load(pool, raw)
        await rematch(pool)
        assert await rematch(pool) == registers.Rematched(matched=0, told=0)
        await sound(pool)
    kind = "recalled" if gone == "withdrawn" else gone
    assert (await classes(pool), (await count(pool)).excluded) == ("P2", {kind: 2})


async def test_a_second_refusal_takes_the_proof_along(pool):
    await load(pool, book(files.out("1/UBND", "H13.02")))
    for _ in range(3):
        letter = await world.arrive(pool, "1")
        assert await rematch(pool) == registers.Rematched(matched=1, told=1)
        assert await classes(pool) == "S1"
        await sound(pool)
        await world.become(pool, *letter, "refused")
        await rematch(pool)
        assert await classes(pool) == "P1"
        await sound(pool)


NEW_YEAR = {"issued": date(2025, 12, 31)}
SENT = files.sent("999/UBND", "H13.02", moved="02/01/2026")
BOOKED = files.out("999/UBND", "H13.02", issued="31/12/2025", moved="31/12/2025")


async def test_a_letter_of_the_old_year_in_the_dispatch_book_of_the_new(pool):
    await world.arrive(pool, "999", **NEW_YEAR)
    other = files.sent("998/UBND", "H13.02", moved="02/01/2026")
    done = await load(pool, dispatch(SENT, other), book="dispatch")
    assert (done.matched, done.paper_only, await classes(pool, "2026-01-02")) == (1, 1, "P1")
    await world.arrive(pool, "998", **NEW_YEAR)
    await rematch(pool)
    assert await classes(pool) == "S2"
    await sound(pool)


async def test_the_register_of_the_old_year_and_the_dispatch_book_of_the_new_tell_of_one(pool):
    given = {"out": (book(BOOKED), {"year": 2025}), "dispatch": (dispatch(SENT), {"book": "dispatch"})}
    for names in permutations(given):
        loads = {}
        for name in names:
            raw, order = given[name]
            loads[name] = (await load(pool, raw, **order)).load
            await sound(pool)
        assert (await classes(pool, "2025"), await classes(pool, "2026")) == ("P1", "")
        await undo(pool, loads["out"])
        assert (await classes(pool, "2025"), await classes(pool, "2026")) == ("", "P1")
        await sound(pool)
        await undo(pool, loads["dispatch"])


async def test_an_incoming_book_without_days_of_issue(pool):
    await world.arrive(pool, "999", sender="H13.02", recipient="H13.01", **NEW_YEAR)
    raw = files.as_csv([files.came("999/UBND", "H13.02", "1", issued="", arrived="03/01/2026")], files.IN)
    done = await load(pool, raw, book="in")
    assert (done.matched, done.paper_only) == (1, 0)
    await sound(pool)


GUESSED = [
    (date(2025, 12, 31), "31/01/2026", True),
    (date(2025, 12, 2), "02/01/2026", True),
    (date(2025, 12, 1), "02/01/2026", False),  # more than a month: nobody takes so long
    (date(2025, 12, 31), "01/02/2026", False),
    (date(2025, 1, 2), "02/01/2026", False),
    (date(2024, 12, 31), "02/01/2026", False),
    (date(2026, 1, 2), "02/01/2026", True),
    (date(2026, 1, 3), "02/01/2026", True),  # not issued yet: somebody wrote a wrong day
    (date(2026, 12, 20), "02/01/2026", False),
]


async def test_a_year_is_guessed_from_letters_only_where_it_is_clear(pool):
    for number, (issued, _, _) in enumerate(GUESSED, 1):
        await world.arrive(pool, str(number), issued=issued)
    lines = [files.sent(f"{n}/UBND", "H13.02", moved=moved) for n, (_, moved, _) in enumerate(GUESSED, 1)]
    await load(pool, dispatch(*lines), book="dispatch")
    found = await pool.fetch("SELECT letter IS NOT NULL AS same FROM register_row ORDER BY number::int")
    assert [one["same"] for one in found] == [same for *_, same in GUESSED]
    await sound(pool)


@pytest.mark.parametrize("first", ["out", "dispatch"])
async def test_a_year_is_guessed_from_other_books_only_where_it_is_clear(pool, first):
    given = []
    for year in (2024, 2025, 2026):
        days = {n: f"{issued:%d/%m/%Y}" for n, (issued, *_) in enumerate(GUESSED, 1) if issued.year == year}
        lines = [files.out(f"{n}/UBND", "H13.02", issued=day, moved=day) for n, day in days.items()]
        given.append((book(*lines), {"year": year}))
    sent = [files.sent(f"{n}/UBND", "H13.02", moved=moved) for n, (_, moved, _) in enumerate(GUESSED, 1)]
    given.append((dispatch(*sent), {"book": "dispatch"}))
    for raw, order in given if first == "out" else given[::-1]:
        await load(pool, raw, **order)
        await sound(pool)
    found = await pool.fetch(
        "SELECT sum(counted::int) AS n FROM register_row GROUP BY number ORDER BY number::int"
    )
    known = [same or issued.year == 2026 for issued, _, same in GUESSED]  # a book's own year goes first
    assert [one["n"] for one in found] == [1 if same else 2 for same in known]


async def test_of_two_years_that_could_be_it_is_the_books_own(pool):
    await world.arrive(pool, "3", issued=date(2025, 12, 30))
    here, _ = await world.arrive(pool, "3", issued=date(2026, 1, 2))
    await load(pool, dispatch(files.sent("3/UBND", "H13.02", moved="05/01/2026")), book="dispatch")
    assert await pool.fetchval("SELECT letter FROM register_row") == here.id
    for day, year in [("30/12/2025", 2025), ("02/01/2026", 2026)]:
        await load(pool, book(files.out("3/UBND", "H13.03", issued=day, moved=day)), year=year)
    await load(pool, dispatch(files.sent("3/UBND", "H13.03", moved="05/01/2026")), book="dispatch")
    assert await classes(pool, "2026-01-05") == ""
    await sound(pool)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_refused_withdrawn_sent_again_loaded_and_undone_the_books_agree(pool, seed):
    """In the end what counts depends on what stands, and not on how it came to stand."""
    dice, standing, letters = Random(seed), {}, []
    for step in range(16):
        act = dice.choice(("load", "load", "arrive", "become", "match", "undo"))
        if act == "load":
            raw, order = _book(dice, step)
            standing[(await load(pool, raw, **order)).load] = (raw, order)
        elif act == "arrive":
            number = str(dice.randint(1, 3))
            if not await pool.fetchval(_OPEN, number):
                issued = dice.choice([date(2025, 12, 30), date(2026, 1, 2)])
                letters.append(await world.arrive(pool, number, issued=issued))
        elif act == "become" and letters:
            await world.become(
                pool, *letters.pop(dice.randrange(len(letters))), dice.choice(("refused", "withdrawn"))
            )
        elif act == "match":
            await rematch(pool)
        elif act == "undo" and standing:
            gone = dice.choice(list(standing))
            del standing[gone]
            await undo(pool, gone)
        await sound(pool)
    await rematch(pool)
    was = (await classes(pool, "2025"), await classes(pool, "2026"))
    for one in standing:
        await undo(pool, one)
    await sound(pool)
    assert "P" not in " ".join([await classes(pool, "2025"), await classes(pool, "2026")])
    for raw, order in standing.values():
        await load(pool, raw, **order)
    assert (await classes(pool, "2025"), await classes(pool, "2026")) == was
    await sound(pool)


_OPEN = "SELECT count(*) FROM delivery WHERE number = $1 AND state NOT IN ('refused', 'withdrawn')"


def _book(dice, step):
    """A book of either year with some of the numbers 1 to 3, and one of its own."""
    kind = dice.choice(("old", "new", "dispatch"))
    numbers = [f"{n}/UBND" for n in dice.sample(range(1, 4), 2)]
    own = f"{step + 10}/X"
    if kind == "dispatch":
        days = [f"{dice.randint(2, 9):02}/01/2026" for _ in numbers]
        lines = [files.sent(number, "H13.02", moved=day) for number, day in zip(numbers, days, strict=True)]
        return dispatch(*lines, files.sent(own, "A")), {"book": "dispatch"}
    year = 2025 if kind == "old" else 2026
    issued = "30/12/2025" if kind == "old" else "02/01/2026"
    moved = date(2025, 12, 30) if kind == "old" else date(2026, 1, 2)
    lines = [
        files.out(number, "H13.02", issued=issued, moved=f"{moved + timedelta(days=dice.randint(0, 5)):%d/%m/%Y}")
        for number in numbers
    ]  # fmt: skip
    lists = dice.choice(("all", "paper"))
    return book(*lines, files.out(own, "Lưu", issued=issued, moved=issued)), {"year": year, "lists": lists}
