"""Housekeeping of registers: letters that come or go after their row was loaded, and loads that were interrupted."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import register_files as files
import register_world as world
from acting import acting, filed
from correspondence import updating
from register_world import AT, HAND, book, count, load, sound, undo

from exchange.store import journal, rows
from exchange.store import pool as pools
from exchange.tracker import register_watch, registers

LATER = AT + timedelta(hours=1)


@dataclass
class Keeper:
    """As much of an exchange as the housekeeping of registers uses."""

    pool: Any
    ids: Any = HAND.ids
    now: datetime = LATER

    def clock(self):
        return self.now


@pytest.fixture
async def pool(province_database):
    opened = await pools.open(province_database)
    yield opened
    await opened.close()


async def tell(pool, event, delivery, at=LATER):
    """A line of the journal, as the transition itself writes it."""
    line = rows.JournalRow(
        agency=delivery.recipient, id=HAND.ids.new(), at=at, event=event, letter=delivery.letter, delivery=delivery.id,
        detail={},
    )  # fmt: skip
    async with pool.acquire() as connection:
        await journal.append(connection, [line])


async def classes(pool, **asked):
    found = await count(pool, **asked)
    return " ".join(f"{name}{n}" for name, n in found.classes.items() if n)


async def sent(pool):
    """All that was ever sent, by class, whatever the year."""
    found = await pool.fetch(
        """SELECT class, sum(n)::int AS n FROM (SELECT view, class, n FROM tally_day UNION ALL SELECT view, class, n FROM tally_delta)
            AS facts WHERE view = 'out' GROUP BY class HAVING sum(n) <> 0"""
    )
    return {one["class"]: one["n"] for one in found}


async def interrupted(pool, raw):
    """Loaded, and killed before any delivery was told."""
    done = await load(pool, raw, lists="all")
    await pool.execute("UPDATE register_load SET lists = 'paper' WHERE id = $1", done.load)
    return done.load


async def test_an_interrupted_load_is_finished_by_the_same_file(pool):
    await world.arrive(pool, "1")
    raw = book(files.out("1/UBND", "H13.02"))
    held = await interrupted(pool, raw)
    tried = await load(pool, raw, dry_run=True)
    assert (tried.earlier, tried.told, tried.dry_run, await classes(pool)) == (held, 0, True, "E1")
    again = await load(pool, raw)
    assert (again.load, again.earlier, again.told, await classes(pool)) == (None, held, 1, "S1")
    await sound(pool)


async def test_an_interrupted_load_is_finished_by_housekeeping_once_it_is_old(pool):
    await world.arrive(pool, "1")
    keeper = Keeper(pool)
    await register_watch.keep_up(keeper)
    await interrupted(pool, book(files.out("1/UBND", "H13.02")))
    keeper.now = AT + register_watch.LEFT_AFTER
    assert (await register_watch.keep_up(keeper), await classes(pool)) == (0, "E1")
    keeper.now += timedelta(seconds=1)
    assert (await register_watch.keep_up(keeper), await classes(pool)) == (1, "S1")
    assert await register_watch.keep_up(keeper) == 0
    await sound(pool)


async def test_letters_that_come_and_go_after_the_book_was_loaded(pool):
    outgoing = await load(pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.03")))
    await load(pool, files.as_csv([files.came("1/UBND", "H13.01", "1")], files.IN), code="H13.02", book="in")
    keeper = Keeper(pool)
    assert await register_watch.keep_up(keeper) == 2  # the first time: all that have books
    assert await register_watch.keep_up(keeper) == 0
    first = await world.arrive(pool, "1")
    assert await register_watch.keep_up(keeper) == 0  # the journal tells of none
    await tell(pool, "arrived", first[1])
    keeper.now += timedelta(minutes=1)
    assert await register_watch.keep_up(keeper) == 2
    assert (await classes(pool), await classes(pool, view="in")) == ("S1 P1", "S1")
    await sound(pool)
    assert await register_watch.keep_up(keeper) == 0
    await world.become(pool, *first, "refused")
    await tell(pool, "status", first[1], keeper.now)
    assert await register_watch.keep_up(keeper) == 2
    assert (await classes(pool), await classes(pool, view="in")) == ("P2", "P1")
    assert await register_watch.keep_up(keeper) == 0
    await sound(pool)
    await undo(pool, outgoing.load)
    assert (await classes(pool), await classes(pool, view="in")) == ("", "P1")
    await sound(pool)


async def test_a_letter_that_got_its_number_by_an_update_is_found(province, province_database, tmp_path):
    async with acting(province, province_database, tmp_path) as at:
        pool, first = at.exchange.pool, filed("H13.02", number="12", issued_on=date(2026, 1, 5))
        about = await at.sent(first)
        await at.ack(about, "H13.02")
        await load(pool, book(files.out(f"921/{first.notation}", "H13.02")))
        assert await sent(pool) == {"N": 1, "P": 1}
        await register_watch.keep_up(at.exchange)
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        await pool.execute("UPDATE journal SET at = $1", long_ago)  # what else there was to look at is told
        assert await register_watch.keep_up(at.exchange) == 0
        await at.sent(updating(first, document=True, number="921", notation=first.notation))
        await pool.execute("UPDATE journal SET at = $1", long_ago)
        assert await register_watch.keep_up(at.exchange) == 1
        assert await sent(pool) == {"S": 1}
        assert await register_watch.keep_up(at.exchange) == 0
        await sound(pool)


async def test_what_is_no_office_s_business_is_none_of_ours(pool):
    """Letters without a row, of another year, and rows of others."""
    await load(pool, book(files.out("1/UBND", "H13.02"), files.out("2/UBND", "H13.02")))
    keeper = Keeper(pool)
    await register_watch.keep_up(keeper)
    for number, recipient in (("1", "H13.03"), ("3", "H13.02")):
        _, delivery = await world.arrive(pool, number, recipient=recipient)
        await tell(pool, "arrived", delivery)
    _, waiting = await world.arrive(pool, "2", arrived_at=None, counted_class=None)
    await tell(pool, "status", waiting)
    assert await register_watch.keep_up(keeper) == 0


async def test_what_was_committed_late_is_seen_at_the_next_look(pool):
    await load(pool, book(files.out("1/UBND", "H13.02")))
    keeper = Keeper(pool)
    await register_watch.keep_up(keeper)
    _, delivery = await world.arrive(pool, "1")
    await tell(pool, "arrived", delivery, LATER - register_watch.OVERLAP)
    assert (await register_watch.keep_up(keeper), await classes(pool)) == (0, "E1 P1")
    await tell(pool, "arrived", delivery, LATER - register_watch.OVERLAP + timedelta(seconds=1))
    assert (await register_watch.keep_up(keeper), await classes(pool)) == (1, "S1")
    await sound(pool)


async def test_two_keepers_at_once_do_no_harm(pool):
    _, delivery = await world.arrive(pool, "1")
    await load(pool, book(files.out("2/UBND", "H13.02")))
    await interrupted(pool, book(files.out("1/UBND", "H13.02")))
    keeper = Keeper(pool)
    async with pool.acquire() as one, pool.acquire() as other:
        agency = await world.agency(pool, "H13.01")
        found = await asyncio.gather(*(registers.rematch(each, agency, HAND) for each in (one, other)))
    assert sorted(each.told for each in found) == [0, 1]
    assert await register_watch.keep_up(keeper) == 1
    assert await pool.fetchval("SELECT paper_acts FROM delivery WHERE id = $1", delivery.id) == 1
    await sound(pool)
