"""Rounds of one document: what comes late about an earlier one moves the later one as little as it counts beside it."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from acting import acting, filed
from correspondence import SENDER, notice, revoking
from province import fetch

from exchange.broker import decisions, send
from exchange.edxml import write
from exchange.rules import paper_class
from exchange.store import deliveries

X, Y, Z = "H13.31", "H13.32", "H13.33"


@pytest.fixture
async def at(province, province_database, tmp_path):
    """One process; at the end the self-check is content."""
    async with acting(province, province_database, tmp_path) as one:
        yield one
        assert await one.faults() == []


@pytest.fixture
async def other(at, province, province_database, tmp_path):
    """Another process on the same database."""
    async with acting(province, province_database, tmp_path) as two:
        yield two


def following(said, *recipients, **changed):
    """Other bytes under the same id."""
    facts = {"number": said.number, "document_id": said.document_id, "subject": "V/v lần sau"}
    return filed(*recipients, **{**facts, **changed})


async def says(at, said, code, when, agency=X):
    """A status by notice that names the id, and tells when it was said."""
    found = await at.send(notice(said.document_id, code, sender=agency, to=SENDER, at=when), agency)
    assert isinstance(found, decisions.Accepted), found.code


# --- late notices -----------------------------------------------------------------------------------------------------


MOVED = (
    "UPDATE letter SET accepted_at = accepted_at + $1 WHERE round = 1",
    "UPDATE delivery SET accepted_at = accepted_at + $1 WHERE round = 1",
)


@contextlib.asynccontextmanager
async def earlier(at, by):
    """In here the first round was accepted so much earlier than it was."""
    for statement in MOVED:
        await fetch(at.dsn, statement, -by)
    yield
    for statement in MOVED:
        await fetch(at.dsn, statement, by)


async def test_what_was_said_before_a_round_began_is_about_the_round_before_it(at):
    first = filed(X)
    a = await at.sent(first)
    async with earlier(at, timedelta(hours=2)):
        await at.say(a, "02", X)
        b = await at.sent(following(first, X))
        await at.ack(b, X)
        between = datetime.now(UTC) - deliveries.CLOCKS_DIFFER - timedelta(minutes=1)
        for code in ("02", "03"):
            await says(at, first, code, between)
        assert (await at.told(a, "state"), await at.told(b, "state")) == ({X: "refused"}, {X: "arrived"})
        assert await at.tally() == {"N": 1, "refused": 1}
        await says(at, first, "03", datetime.now(UTC))
        assert await at.told(b, "state") == {X: "registered"}


ENDS = {
    "withdrawn": lambda at, first, _: at.sent(revoking(first, X)),
    "expired": lambda at, *_: at.expire(),
    "refused": lambda at, _, a: at.say(a, "02", X),
}


@pytest.mark.parametrize("end", list(ENDS))
async def test_what_a_slow_clock_says_of_a_round_is_about_that_round(at, end):
    """The first round is two hours old and over; who takes the next one in has a clock that is 90 seconds slow."""
    first = filed(X)
    a = await at.sent(first)
    async with earlier(at, timedelta(hours=2)):
        await ENDS[end](at, first, a)
        b = await at.sent(following(first, X))
        await says(at, first, "03", datetime.now(UTC) - timedelta(seconds=90))
        assert (await at.told(a, "state"), await at.told(b, "state")) == ({X: end}, {X: "registered"})
        assert (await at.tally())["N"] == 1


async def test_a_clock_that_cannot_be_and_a_day_without_its_hour_tell_nothing(at):
    first = filed(X, Y)
    a = await at.sent(first)
    for code in (X, Y):
        await at.say(a, "02", code)
    b = await at.sent(following(first, X, Y))
    async with earlier(at, timedelta(days=9)):
        await says(at, first, "03", datetime(2020, 1, 1, 12, tzinfo=UTC), X)
        await says(at, first, "03", paper_class.start_of(paper_class.local_day(datetime.now(UTC))), Y)
        assert await at.told(b, "state") == {X: "registered", Y: "registered"}


# --- expired, and sent again ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["old first", "new first"])
@pytest.mark.parametrize("how", ["the same bytes", "other bytes", "another number", "without a key"])
async def test_a_round_that_expired_counts_no_more_beside_the_next_one(at, how, order):
    first = filed(X, Y) if how != "without a key" else filed(X, Y, number="-")
    a = await at.sent(first)
    await at.expire()
    if how == "the same bytes":
        b = await at.sent(write.write(first), resend=2)
    else:
        more = {"another number": {"number": "9" + first.number}, "without a key": {"number": "-"}}
        b = await at.sent(following(first, X, file=b"2", **more.get(how, {})))
    assert b["round"] == 2
    for about in (a, b) if order == "old first" else (b, a):
        assert await at.ack(about, X) == 1
    assert (await at.told(a, "excluded"))[X] == "duplicate"
    assert (await at.told(b, "excluded"))[X] is None
    assert await at.tally() == {"N": 1, "duplicate": 1}
    assert await at.journal(a, "duplicate") == len(await at.rows(b))


async def test_what_the_next_round_does_not_go_to_still_counts(at):
    first = filed(X, Y)
    a = await at.sent(first)
    await at.expire()
    b = await at.sent(following(first, X))
    await at.ack(a, X, Y)
    await at.ack(b, X)
    assert await at.told(a, "excluded") == {X: "duplicate", Y: None}
    assert await at.tally() == {"N": 2, "duplicate": 1}


@pytest.mark.parametrize("number", ["", "9"])
async def test_taken_in_in_the_moment_in_which_it_is_sent_again_it_counts_once(
    at, other, monkeypatch, number
):
    """The round before it is over when the next one is asked for, and is not when that one is written."""
    first = filed(X)
    a = await at.sent(first)
    await at.expire()
    examined = send._examined

    async def late(*given):
        await other.ack(a, X)
        return await examined(*given)

    monkeypatch.setattr(send, "_examined", late)
    b = await at.sent(following(first, X, file=b"2", number=number + first.number))
    monkeypatch.undo()
    await at.ack(b, X)
    assert (await at.told(a, "excluded"), await at.told(b, "excluded")) == ({X: None}, {X: "duplicate"})
    assert await at.tally() == {"N": 1, "duplicate": 1}


async def test_a_third_round_leaves_one(at):
    first = filed(X)
    sent = [await at.sent(first)]
    for n in (2, 3):
        await at.expire()
        sent.append(await at.sent(following(first, X, subject=f"V/v lần {n}")))
    for one in sent:
        await at.ack(one, X)
    assert [(await at.told(one, "excluded"))[X] for one in sent] == ["duplicate", "duplicate", None]
    assert await at.tally() == {"N": 1, "duplicate": 2}


async def test_training_rounds_stay_training(at):
    first = filed(X)
    a = await at.sent(first, test=True)
    await at.expire()
    b = await at.sent(following(first, X), test=True)
    assert (await at.told(a, "excluded"), await at.told(b, "excluded")) == ({X: "test"}, {X: "test"})


async def test_the_self_check_finds_what_is_counted_twice(at):
    """As it was counted before: both rounds arrived, and both count."""
    first = filed(X)
    a = await at.sent(first)
    await at.expire()
    b = await at.sent(following(first, X))
    await at.ack(a, X)
    await at.ack(b, X)
    keep = await fetch(
        at.dsn,
        "SELECT class, excluded, counted_class FROM delivery WHERE letter = $1::text::uuid",
        a["letter"],
    )
    undo = "UPDATE delivery SET class = $2, excluded = $3, counted_class = $4 WHERE letter = $1::text::uuid"
    await fetch(at.dsn, undo, a["letter"], "N", None, "N")
    assert ("counted_twice", b["letter"]) in await at.faults()
    await fetch(at.dsn, undo, a["letter"], *keep[0])
