"""Lookups that ask for many at once give what one by one would: identities held, and pages of inboxes."""

import random
from uuid import UUID

import pytest
from store.test_commit import delivery_row, letter_row

from exchange.store import deliveries, insert, letters

AGENCIES = [UUID(int=number) for number in range(1, 6)]


def asked(letter, round_=None, **other):
    facts = {"sender": letter.sender, "document_id": letter.document_id, "operation": letter.operation}
    return letters.Identity(**{**facts, "sha256": letter.sha256, **other}, round=round_)


@pytest.fixture
async def held(either_pool):
    """Two rounds of one document, the first refused by everybody; a notice; a letter that is not expanded."""
    first, second = letter_row("a", b"1"), letter_row("a", b"2", round=2)
    notice, waiting = letter_row("a", b"3", operation="status"), letter_row("b", expanded_at=None)
    async with either_pool.acquire() as connection:
        for one in (first, second, notice, waiting):
            await insert.rows(connection, [one])
        states = [(first, "refused"), (second, "waiting")]
        await insert.rows(connection, [delivery_row(one, AGENCIES[1], state=state) for one, state in states])
        yield connection, first, second, notice, waiting


async def test_each_identity_gets_its_newest_round_or_the_one_asked_for(held):
    connection, first, second, notice, waiting = held
    strange = letter_row("c")
    questions = [
        asked(first), asked(first, 1), asked(first, 3), asked(notice), asked(notice, sha256=b"other"),
        asked(waiting, sha256=b"other"), asked(strange), asked(first, sender=UUID(int=77)),
    ]  # fmt: skip
    found = await letters.known(connection, questions)
    told = {questions.index(question): (one.id, one.round, one.over) for question, one in found.items()}
    assert told == {
        0: (second.id, 2, False),
        1: (first.id, 1, True),
        3: (notice.id, 1, True),
        5: (waiting.id, 1, False),
    }
    assert found[questions[1]].receipt == first.receipt
    assert found[questions[1]].sha256 == first.sha256


async def test_one_by_one_gives_the_same(held):
    connection, *written = held
    questions = [asked(one, round_) for one in written for round_ in (None, 1, 2)]
    together = await letters.known(connection, questions)
    single = {}
    for question in questions:
        single |= await letters.known(connection, [question])
    assert together == single


async def test_pages_of_an_inbox_are_the_open_deliveries_in_order(either_pool):
    choice = random.Random(7)
    made = [
        delivery_row(letter_row(), choice.choice(AGENCIES), id=UUID(int=choice.getrandbits(128)))
        for _ in range(300)
    ]
    async with either_pool.acquire() as connection:
        await insert.rows(connection, made)
        closed = {one.id for one in choice.sample(made, 120)}
        await connection.execute("UPDATE delivery SET open = false WHERE id = ANY($1)", closed)
        for agencies in ([], AGENCIES[:1], AGENCIES[1:4], AGENCIES, [*AGENCIES, UUID(int=99)]):
            expected = sorted(one.id for one in made if one.recipient in agencies and one.id not in closed)
            for after in (None, *expected[::40], UUID(int=2**128 - 1)):
                rest = [one for one in expected if after is None or one > after]
                page = await deliveries.inbox(connection, agencies, after, 25)
                assert [record["id"] for record in page] == rest[:26]
            assert await deliveries.waiting(connection, agencies) == {
                one.recipient for one in made if one.id in expected
            }
