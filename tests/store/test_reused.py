"""One signed file under two numbers is found, and nothing else is taken for it."""

from datetime import timedelta
from uuid import UUID

import pytest
from store.test_commit import AT, SENDER, letter_row

from exchange.store import insert, letters, policies

FILE, OTHER = b"f" * 32, b"o" * 32


def row(document_id, minutes=0, **further):
    at = AT + timedelta(minutes=minutes)
    return letter_row(document_id, document_id.encode(), main_sha256=FILE, accepted_at=at, **further)


HELD = {
    # what is held already, what is found for document B with the same file
    "nothing": ([], None),
    "another document": ([row("A", number="7", notation="CV")], "7/CV"),
    "another document without a number": ([row("A", number="", notation="")], "A"),
    "two others, the first of them": ([row("C", 2, number="9"), row("A", 1, number="8")], "8/UBND"),
    "another operation of another document": ([row("A", operation="replace")], "1/UBND"),
    "the same document": ([row("B")], None),
    "the same document in an earlier round": ([row("B"), row("B", 1, round=2)], None),
    "an update of the same document": ([row("B", operation="update")], None),
    "another sender's": ([row("A", sender=UUID(int=77))], None),
    "another file": ([letter_row("A", main_sha256=OTHER)], None),
    "no file": ([letter_row("A", main_sha256=None)], None),
    "training": ([row("A", test=True)], None),
    "a notice": ([row("A", operation="status")], None),
}


@pytest.mark.parametrize("case", HELD)
async def test_what_is_taken_for_the_same_file(case, pool):
    held, expected = HELD[case]
    asked = letters.MainFile(SENDER, "B", FILE)
    async with pool.acquire() as connection:
        await insert.rows(connection, held)
        assert (await letters.reused(connection, [asked])).get(asked) == expected


async def test_many_are_asked_at_once_and_as_of_a_moment(either_pool):
    questions = [
        letters.MainFile(SENDER, "B", FILE),
        letters.MainFile(SENDER, "A", FILE),
        letters.MainFile(SENDER, "A", FILE, AT + timedelta(minutes=4)),
        letters.MainFile(SENDER, "C", FILE, AT),
        letters.MainFile(SENDER, "C", FILE, AT + timedelta(seconds=1)),
        letters.MainFile(SENDER, "C", OTHER),
    ]
    async with either_pool.acquire() as connection:
        await insert.rows(connection, [row("A", number="7"), row("B", 5, number="8")])
        found = await letters.reused(connection, questions)
    assert {questions.index(one): number for one, number in found.items()} == {
        0: "7/UBND",
        1: "8/UBND",
        4: "7/UBND",
    }


async def test_the_look_up_uses_its_index(pool):
    async with pool.acquire() as connection:
        await connection.execute("SET enable_seqscan = off")
        plan = await connection.fetch(
            "EXPLAIN SELECT number FROM letter WHERE sender = $1 AND main_sha256 = $2 AND document_id <> 'x'"
            " ORDER BY accepted_at, id LIMIT 1",
            SENDER,
            FILE,
        )
    assert "letter_main_file" in "".join(line[0] for line in plan)


async def test_a_policy_is_kept_once_and_found_by_its_digest(pool):
    async with pool.acquire() as connection:
        for text in ('{"a":1}', '{"a":2}'):
            await policies.keep(connection, FILE, text, AT)
        assert (await policies.found(connection, FILE), await policies.found(connection, OTHER)) == (
            '{"a":1}',
            None,
        )
