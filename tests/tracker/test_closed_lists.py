"""Lists of a closed month on a real database: as many rows as the tally says, of the same transfers, before and after a restatement.

What happens to transfers after their month was closed changes neither; a further version changes both together.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import uuid4

import pytest
from measured_world import AT, FIRST, World

from exchange import ids
from exchange.broker import counted
from exchange.rules import paper_class
from exchange.store import insert, rows, shown, transfers
from exchange.store.measures import Cut
from exchange.tracker import periods, tally
from exchange.tracker.reports import make
from exchange.tracker.signature_usage import Asked, Filters
from signing import trust

FEBRUARY = tally.period("2026-02")
NEW_IDS = ids.Ids(lambda: datetime.now(UTC))
KINDS = ("test", "internal", "duplicate", "refused", "recalled")
LISTS = ("BC-05", "BC-06", "BC-14", *(f"X-{kind}" for kind in KINDS), "transfers")
ELECTRONIC = ("E", "S", "N", "U")


@pytest.fixture
async def world(pool):
    async with pool.acquire() as connection:
        made = await World(connection, Random(5)).fill(letters=80)
        for name in ("test", "duplicate"):  # something to list of each kind
            one = next(one for one in made.deliveries if one["class"] == "E")
            await becomes(made, one, "X", name)
        yield made


async def becomes(world, one, klass, excluded="", arrived_at=None):
    """A transfer changes its class, or arrives in one: the delivery and its facts, as the exchange writes them."""
    counts, arrived = Counter(), arrived_at or one["arrived_at"]
    if one["class"]:
        counts.subtract(counted.facts(one, found(one), one["arrived_at"]))
    one |= {"class": klass, "excluded": excluded or None, "arrived_at": arrived}
    one |= {"grade": "B" if klass == "E" else "", "justified": "no" if klass == "S" else ""}
    counts.update(counted.facts(one, found(one), arrived))
    await insert.rows(world.connection, counted.deltas(counts, NEW_IDS))
    await world.connection.execute(
        """UPDATE delivery SET counted_class = $3, excluded = nullif($4, ''), grade = $5, justified = $6, arrived_at = $7
            WHERE recipient = $1 AND id = $2""",
        one["recipient"], one["id"], klass, excluded, one["grade"], one["justified"], arrived,
    )  # fmt: skip


def found(one):
    return paper_class.Classification(
        klass=one["class"],
        step="",
        excluded=one["excluded"] or "",
        grade=one["grade"],
        justified=one["justified"],
    )


async def on_paper(world, book, n):
    """A row of an outgoing register is counted as paper only, or is no more."""
    fact = rows.DeltaRow(
        agency=book["agency"], id=uuid4(), view="out", day=book["moved_on"], scope="", document_type=book["document_type"],
        urgency=0, klass="P", excluded="", grade="", justified="", n=n,
    )  # fmt: skip
    await insert.rows(world.connection, [fact])
    if n < 0:
        await world.connection.execute(
            "DELETE FROM register_row WHERE agency = $1 AND id = $2", book["agency"], book["id"]
        )
    else:
        await world.connection.execute(
            """INSERT INTO register_row (agency, id, direction, number, notation, document_type, other_party, moved_on, loaded_at, counted)
               VALUES ($1, $2, 'out', '77', 'CV', $3, '', $4, now(), true)""",
            book["agency"], uuid4(), book["document_type"], book["moved_on"],
        )  # fmt: skip


async def changed(world):
    """Everything that can happen to transfers of a month that is over: one of each class goes to another, one arrives, paper too."""
    sent = [
        one for one in world.deliveries
        if one["operation"] in ("new", "replace") and FIRST <= one["accepted_at"] < FIRST + timedelta(days=27)
        and (one["arrived_at"] is None or one["arrived_at"] < FIRST + timedelta(days=27))
    ]  # fmt: skip
    for before, after, excluded in (
        ("S", "E", ""), ("E", "S", ""), ("E", "X", "recalled"), ("N", "E", ""), ("X", "E", ""), ("S", "X", "test"),
        ("E", "X", "internal"), ("E", "X", "duplicate"), ("E", "X", "refused"), ("E", "S", ""), ("E", "S", ""),
        ("E", "X", "internal"),
    ):  # fmt: skip
        one = next(one for one in sent if one["class"] == before)
        sent.remove(one)
        await becomes(world, one, after, excluded)
    late = next(one for one in sent if one["class"] is None)
    await becomes(world, late, "S", arrived_at=late["accepted_at"] + timedelta(days=3))
    book = next(
        one for one in world.books
        if one["direction"] == "out" and one["letter"] is None and one["moved_on"].month == 2
    )  # fmt: skip
    await on_paper(world, book, -1)
    await on_paper(world, book, 1)
    await on_paper(world, book, 1)


def cut(view):
    return {"view": view, "scope": tally.WHOLE, "agencies": None, "as_of": AT}


async def report(world, name, view):
    asked = Asked(period=FEBRUARY, agencies=None, as_of=AT, filters=Filters(view=view))
    return await make.make(world.connection, name, asked, trust.load([], []), [])


async def listed(world, name, view):
    """What a list has, as the tally would count it, and what it shows."""
    if name == "transfers":
        wanted = shown.Wanted(
            view=view,
            first=FEBRUARY.first,
            last=FEBRUARY.last,
            cut=Cut(),
            classes=[*paper_class.CLASSES, "X"],
        )
        told = await transfers.page(world.connection, wanted, None, 10_000)
        return Counter(one["class"] for one in told), sorted(told, key=str)
    made = await report(world, name, view)
    if name == "BC-14":
        pairs = [row[:4] for row in made.annex.rows]
        return Counter(n=sum(row[2] for row in pairs), e=sum(row[3] for row in pairs)), pairs
    told = [[getattr(value, "key", value) for value in row] for row in made.table.rows]
    assert len(made.table.rows) == len(told)
    if name == "BC-05":
        assert made.measures["M7"].n == sum(row[9] == "report.no" for row in told)
    return Counter({name: len(told)}), told


async def total(world, name, view):
    """The same from the tally."""
    made = await tally.count(world.connection, FEBRUARY, **cut(view))
    classes = {**made.classes, "X": sum(made.excluded.values())}
    counts = {
        "BC-05": {"BC-05": classes["S"]}, "BC-06": {"BC-06": classes["P"]}, "transfers": classes,
        "BC-14": {"n": sum(classes[one] for one in ELECTRONIC), "e": classes["E"]},
        **{f"X-{kind}": {f"X-{kind}": made.excluded.get(kind, 0)} for kind in KINDS},
    }[name]  # fmt: skip
    return +Counter(counts)


@pytest.mark.parametrize("view", ["out", "in"])
async def test_lists_and_totals_of_a_closed_month_agree_before_and_after_a_restatement(world, view):
    names = [name for name in LISTS if view == "out" or name not in ("BC-06", "BC-14")]
    live = {name: await listed(world, name, view) for name in names}
    (closed,) = await periods.close(world.connection, FEBRUARY, at=AT, author="Lê Thị Mai")
    assert closed.written
    published = {name: await listed(world, name, view) for name in names}
    for name in names:
        assert +published[name][0] == await total(world, name, view), name
        assert published[name] == live[name], name
    await changed(world)
    for name in names:
        after = await listed(world, name, view)
        assert +after[0] == await total(world, name, view), name
        assert after[0] == published[name][0], name
        assert after[1] == published[name][1] or name in ("BC-06", "transfers"), (
            name
        )  # these tell what a row says now, too
    (closed,) = await periods.close(world.connection, FEBRUARY, at=AT, author="Lê Thị Mai")
    assert closed.version.version == 2
    restated = {name: await listed(world, name, view) for name in names}
    for name in names:
        assert +restated[name][0] == await total(world, name, view), name
    different = {name for name in names if restated[name] != published[name]}
    assert different == set(names)


@pytest.mark.parametrize("said", ["listed", None])
async def test_paper_is_what_the_sender_says_of_it_now_in_both_lists(world, said):
    """A correction replaces what the letter says, its reason too: rows tell of it, also of a closed month, and say that they do."""
    await periods.close(world.connection, FEBRUARY, at=AT, author="Lê Thị Mai")
    statement = "UPDATE letter SET paper = 1, paper_reason = 'government'"
    await world.connection.execute(statement)
    before = await report(world, "BC-05", "out")
    (fast,) = {row[8].key for row in before.table.rows}
    assert fast == "paper_reason.government"
    await world.connection.execute("UPDATE delivery SET said_paper = 1, said_reason = $1", said)
    made = await report(world, "BC-05", "out")
    assert {row[8].key for row in made.table.rows} == {f"paper_reason.{said or 'none'}"}
    assert (made.version, made.sha256) == (before.version, before.sha256)
    assert [line.key for line in made.lines] == ["rows_as_of_now"]
    rows_of = [one for one in (await listed(world, "transfers", "out"))[1] if one["class"] == "S"]
    assert len(rows_of) == len(made.table.rows) > 2
    assert {(one["paper"], one["paper_reason"]) for one in rows_of} == {(1, said)}
    await world.connection.execute("UPDATE delivery SET said_paper = 0, said_reason = NULL")
    rows_of = [one for one in (await listed(world, "transfers", "out"))[1] if one["class"] == "S"]
    assert {(one["paper"], one["paper_reason"]) for one in rows_of} == {(0, None)}


async def test_only_its_month_is_as_it_was_closed(world):
    """A list over a closed month and an open one has the members of the one, and what is counted now of the other."""
    await periods.close(world.connection, FEBRUARY, at=AT, author="Lê Thị Mai")
    before = [await report(world, "BC-05", "out")]
    quarter = Asked(period=tally.period("2026-Q1"), agencies=None, as_of=AT, filters=Filters())
    await changed(world)
    march = [
        one for one in world.deliveries
        if one["class"] == "E" and one["accepted_at"] >= paper_class.start_of(date(2026, 3, 1))
    ][:2]  # fmt: skip
    assert len(march) == 2
    of_march = sum(
        one["class"] == "S" and one["accepted_at"] >= paper_class.start_of(date(2026, 3, 1))
        for one in world.deliveries
    )
    for one in march:
        await becomes(world, one, "S")
    made = await make.make(world.connection, "BC-05", quarter, trust.load([], []), [])
    assert len(made.table.rows) == len(before[0].table.rows) + of_march + 2
    assert (await tally.count(world.connection, quarter.period, **cut("out"))).classes["S"] == len(
        made.table.rows
    )
    await periods.close(world.connection, FEBRUARY, at=AT, author="Lê Thị Mai")
    other = replace(quarter, agencies=[world.agencies[0]["id"]])
    for asked in (quarter, other):
        made = await make.make(world.connection, "BC-05", asked, trust.load([], []), [])
        counts = await tally.count(
            world.connection, asked.period, **{**cut("out"), "agencies": asked.agencies}
        )
        assert counts.classes["S"] == len(made.table.rows)
