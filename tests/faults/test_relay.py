"""Letters that the relay cannot expand: they are told, passed over, and tried again; younger ones do not wait for them."""

import signal

from faults.load import CODES
from faults.moments import until
from province import fetch, quick_letter

from exchange.broker.expand import LETTERS_AT_ONCE
from exchange.store import pool as pools

POISONED = LETTERS_AT_ONCE + 1
"""More than the relay takes at once."""

COPIES = """
INSERT INTO letter
SELECT (jsonb_populate_record(whole, jsonb_build_object(
            'id', gen_random_uuid(), 'document_id', 'poison ' || copy, 'expanded_at', NULL,
            'first_of_key', NULL))).*
  FROM letter AS whole, generate_series(1, $2::int) AS copy WHERE whole.id = $1"""
POISON = "UPDATE letter SET recipients = recipients || gen_random_uuid() WHERE document_id LIKE 'poison%'"
CURE = (
    "UPDATE letter SET recipients = recipients[:cardinality(recipients) - 1] WHERE document_id LIKE 'poison%'"
)


async def poisoned(server, letter):
    """So many letters like that one, but with a recipient that nobody knows."""
    connection = await pools.connect(server.dsn)
    try:
        async with connection.transaction():
            await connection.execute(COPIES, letter, POISONED)
            await connection.execute(POISON)
    finally:
        await connection.close()


async def test_letters_that_cannot_be_expanded_hold_back_nobody(server):
    async def expanded(condition, *arguments):
        query = f"SELECT count(*) AS n FROM letter WHERE expanded_at IS NULL AND {condition}"
        return (await fetch(server.dsn, query, *arguments))[0]["n"] == 0

    async with server.client("H13") as client:
        first = await client.send(quick_letter(1, sender="H13", recipients=CODES[1:]))
        letter = first.body["receipt"]["letter"]
        assert await until(lambda: expanded("id = $1", letter))
        await poisoned(server, letter)
        for number in (2, 3):
            younger = await client.send(quick_letter(number, sender="H13", recipients=CODES[1:]))
            letter = younger.body["receipt"]["letter"]
            assert await until(lambda letter=letter: expanded("id = $1", letter))
        rows = await fetch(server.dsn, "SELECT count(*) AS n FROM delivery WHERE letter = $1", letter)
        assert rows[0]["n"] == 452
    text = server.log.read_text()
    told = text.count('"event": "letter_not_expanded"')
    assert POISONED <= told <= 2 * POISONED  # once by each worker, and not again at once
    assert "housekeeping_failed" not in text
    await fetch(server.dsn, CURE)
    server.process.send_signal(
        signal.SIGHUP
    )  # new workers know nothing of what failed, and do not wait a minute
    assert await until(lambda: expanded("true"), 60)
    rows = await fetch(server.dsn, "SELECT count(*) AS n FROM delivery")
    assert rows[0]["n"] == 452 * (3 + POISONED)
