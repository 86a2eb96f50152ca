"""Transitions on a real database: once per letter, one after the other, whoever else writes the same row."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from exchange.store import commit, deliveries, insert, pool, rows, transitions

AT = datetime(2026, 11, 21, tzinfo=UTC)
SENDER = UUID(int=1)


def letter_row(number=0, **other):
    facts = {
        "sender": SENDER, "id": uuid4(), "document_id": "doc", "operation": "new", "round": 1,
        "sha256": number.to_bytes(32, "big"), "size": 1, "number": "1", "notation": "CV", "issued_on": None,
        "document_type": "", "subject": "", "urgency": 0, "target_document_id": None, "response_for": (),
        "main_attachment": None, "copy_form": "original", "paper": 0, "paper_reason": None, "no_paper_standing": False,
        "test": False, "recipients": (), "purposes": (), "unroutable": (), "requirement": "met", "reason": "",
        "missing": (), "directory_version": 1, "policy_sha256": b"p", "system": uuid4(), "accepted_at": AT,
        "receipt": b"", "expanded_at": AT,
    }  # fmt: skip
    return rows.LetterRow(**{**facts, **other})


def delivery_row(recipient, letter):
    return rows.DeliveryRow(
        recipient=recipient, letter=letter, round=1, id=uuid4(), sender=SENDER, kind="letter", operation="new",
        document_id="doc", number="1", notation="CV", issued_on=None, document_type="", subject="", urgency=0,
        purpose="act", sha256=b"s", size=1, accepted_at=AT, requirement="met", klass="E", excluded=None,
        scope="same_root", grade="B", justified="", state="waiting",
    )  # fmt: skip


def counting(key):
    """A transition to the state after the one it meets; its journal line names the one it met."""
    order = ("waiting", "arrived", "registered", "assigned", "in_process", "done")

    def move(now):
        state = order[min(order.index(now.state) + 1, len(order) - 1)]
        line = rows.JournalRow(agency=key[0], id=uuid4(), at=AT, event="status", code=now.state)
        fact = rows.DeltaRow(
            agency=key[0], id=uuid4(), view="in", day=AT.date(), scope="", document_type="", urgency=0, klass="E",
            excluded="", grade="", justified="", n=1,
        )  # fmt: skip
        standing = transitions.Standing(
            requirement=now.requirement,
            state=state,
            open=False,
            system=now.system,
            arrived_at=AT,
            counted_class="E",
            excluded=None,
        )
        return transitions.Moved(standing=standing, lines=(line,), facts=(fact,))

    return transitions.Transition(key=key, move=move)


def notice(key, number):
    letter = letter_row(number, operation="status", target_document_id="doc")
    return commit.Submission(letter=letter, transition=counting(key))


@pytest.fixture
async def keys(either_pool):
    """Twelve deliveries of one letter, in the reverse of the order in which they must be locked."""
    letter = uuid4()
    made = [delivery_row(UUID(int=100 - number), letter) for number in range(12)]
    await insert.rows(either_pool, made)
    return [(one.recipient, one.letter, one.round) for one in made]


async def run(dsn, batches):
    """Every batch by a committer of its own, all at once."""
    committers = [commit.Committer(lambda: pool.connect(dsn)) for _ in batches]
    tasks = [asyncio.create_task(one.run()) for one in committers]
    asked = [
        one.submit(submission) for one, batch in zip(committers, batches, strict=True) for submission in batch
    ]
    outcomes = await asyncio.gather(*asked)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return outcomes


async def test_several_of_one_batch_follow_each_other(either_database, either_pool, keys):
    outcomes = await run(either_database, [[notice(keys[0], number) for number in range(3)]])
    assert {one.kind for one in outcomes} == {"stored"}
    states = await either_pool.fetch("SELECT recipient, state FROM delivery WHERE state <> 'waiting'")
    assert [tuple(one) for one in states] == [(keys[0][0], "assigned")]
    met = await either_pool.fetch("SELECT code FROM journal")
    assert sorted(one["code"] for one in met) == ["arrived", "registered", "waiting"]
    assert await either_pool.fetchval("SELECT sum(n) FROM tally_delta") == 3


async def test_the_same_again_moves_nothing(either_database, either_pool, keys):
    outcomes = await run(either_database, [[notice(keys[0], 1), notice(keys[0], 1)], [notice(keys[0], 1)]])
    assert sorted(one.kind for one in outcomes) == ["replayed", "replayed", "stored"]
    assert (
        await either_pool.fetchval("SELECT state FROM delivery WHERE recipient = $1", keys[0][0]) == "arrived"
    )
    assert await either_pool.fetchval("SELECT count(*) FROM journal") == 1


async def test_a_delivery_that_is_not_there_moves_nothing_and_harms_nobody(
    either_database, either_pool, keys
):
    nowhere = (uuid4(), uuid4(), 1)
    outcomes = await run(either_database, [[notice(nowhere, 1), notice(keys[0], 2)]])
    assert {one.kind for one in outcomes} == {"stored"}
    assert await either_pool.fetchval("SELECT count(*) FROM journal") == 1


async def test_two_processes_and_acknowledgements_in_opposite_orders(either_database, either_pool, keys):
    """Every transition meets the state that the one before left; nobody waits in a circle, nothing is lost."""
    there = [notice(key, number) for number, key in enumerate(keys)]
    back = [notice(key, 100 + number) for number, key in enumerate(reversed(keys))]
    given = [row["id"] for row in await either_pool.fetch("SELECT id FROM delivery ORDER BY id")]
    agencies = [key[0] for key in keys]

    async def acknowledge():
        async with either_pool.acquire() as connection, connection.transaction():
            return await deliveries.acknowledge(connection, agencies, given, uuid4(), AT)

    (*moved, acknowledged) = await asyncio.gather(run(either_database, [there, back]), acknowledge())
    assert {one.kind for one in moved[0]} == {"stored"}
    states = {row["recipient"]: row["state"] for row in await either_pool.fetch("SELECT * FROM delivery")}
    acked = {row["recipient"] for row in acknowledged}
    assert states == {key[0]: "assigned" if key[0] in acked else "registered" for key in keys}
    met = await either_pool.fetch("SELECT agency, code FROM journal")
    assert len({tuple(one) for one in met}) == len(met) == 24


SLOW = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END $$;
CREATE TRIGGER dawdling BEFORE INSERT ON letter FOR EACH ROW EXECUTE FUNCTION dawdle();
"""


async def test_the_same_notices_of_one_letter_in_opposite_orders_meet_without_a_deadlock(
    either_database, either_pool, keys
):
    """They differ in nothing but their bytes; the statements last long enough to meet."""
    await either_pool.execute(SLOW)
    there = [notice(keys[0], number) for number in range(40)]
    back = [notice(keys[0], number) for number in reversed(range(40))]
    outcomes = await run(either_database, [there, back])
    assert sorted(one.kind for one in outcomes) == ["replayed"] * 40 + ["stored"] * 40
    assert await either_pool.fetchval("SELECT count(*) FROM journal") == 40
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await either_pool.fetchval(query) == 0
