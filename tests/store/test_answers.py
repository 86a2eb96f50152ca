"""Looking up what answers what costs the same however many letters there are: by indexes, never through a table."""

import json
from datetime import date
from uuid import UUID

import pytest

from exchange.store import answers

AGENCIES = 100
DAYS = 20
PAGES = 400
"""So many pages of 8 kB one question may touch; a walk through the smaller crowd's letters touches more."""
ONE, HUB = [UUID(int=7)], [UUID(int=number) for number in range(1, AGENCIES + 1)]
FIRST = date(2026, 1, 1)

LETTERS = f"""
INSERT INTO letter (sender, id, document_id, operation, round, sha256, size, number, notation, issued_on, recipients,
                    purposes, requirement, directory_version, policy_sha256, system, accepted_at, receipt, expanded_at)
SELECT lpad(to_hex(n % {AGENCIES} + 1), 32, '0')::uuid, lpad(to_hex(n + 4096), 32, 'a')::uuid, 'document ' || n, 'new', 1,
       sha256(n::text::bytea), 100, (n / {AGENCIES})::text, 'CV', date '2026-01-01' + n % {DAYS},
       ARRAY[lpad(to_hex((n + 1) % {AGENCIES} + 1), 32, '0')::uuid], '{{act}}', 'met', 1, '', lpad('1', 32, '0')::uuid,
       timestamptz '2026-01-01' + n * interval '1 second', '', now()
  FROM generate_series(1, $1::int) AS n
"""
ANSWERS = """
INSERT INTO letter_answer (sender, letter, position, agency, document_id, reference, issued_on)
SELECT sender, id, 0, CASE WHEN size % 2 = 0 THEN recipients[1] END, 'document ' || (substr(document_id, 10)::int - 99),
       number || '/CV', issued_on
  FROM letter
"""  # each answers a letter of its recipient, every other one without naming the agency
DELIVERIES = """
INSERT INTO delivery (recipient, letter, round, id, sender, kind, operation, document_id, number, notation, issued_on,
                      document_type, subject, urgency, purpose, sha256, size, accepted_at, requirement, class, scope, state)
SELECT recipients[1], id, 1, id, sender, 'letter', 'new', document_id, number, notation, issued_on, '', '', 0, 'act',
       sha256, size, accepted_at, 'met', 'E', 'same_root', 'waiting'
  FROM letter
"""

QUESTIONS = {
    "said": (
        "said", lambda _agencies, one: (one["sender"], one["id"]),
    ),
    "said_of": ("said_of", lambda agencies, one: (agencies, one["sender"], one["document_id"])),
    "said_of_number": (
        "said_of_number",
        lambda agencies, one: (agencies, one["sender"], one["issued_on"], f"{one['number']}/CV"),
    ),
    "by_id": (
        "by_id",
        lambda agencies, one: (agencies, [answers.ById(0, one["sender"], one["document_id"])]),
    ),
    "by_number": (
        "by_number",
        lambda agencies, one: (agencies, [answers.ByNumber(0, one["sender"], one["issued_on"], one["number"])]),
    ),
    "visible": ("visible", lambda agencies, one: (agencies, [one["id"]])),
}  # fmt: skip


class Explaining:
    """A connection that explains, with the real figures, what it is asked to fetch, and then fetches it."""

    def __init__(self, connection):
        self.connection = connection
        self.plans = []

    async def fetch(self, statement, *arguments):
        told = await self.connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", *arguments
        )
        self.plans.append(json.loads(told)[0]["Plan"])
        return await self.connection.fetch(statement, *arguments)


def nodes(plan):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.fixture(params=[20_000, pytest.param(100_000, marks=pytest.mark.long)])
async def crowd(pool, request):
    async with pool.acquire() as connection:
        await connection.execute(LETTERS.replace("$1", str(request.param)))
        await connection.execute(ANSWERS)
        await connection.execute(DELIVERIES)
        await connection.execute("ANALYZE letter, letter_answer, delivery")
        yield connection, request.param


async def test_every_question_goes_by_indexes(crowd):
    connection, size = crowd
    middle = await connection.fetchrow("SELECT * FROM letter WHERE document_id = $1", f"document {size // 2}")
    for agencies in ([middle["sender"]], HUB):
        for name, (asked, arguments) in QUESTIONS.items():
            explaining = Explaining(connection)
            found = await getattr(answers, asked)(explaining, *arguments(agencies, middle))
            seen = [node for plan in explaining.plans for node in nodes(plan)]
            whole = [node["Relation Name"] for node in seen if node["Node Type"] == "Seq Scan"]
            assert whole == [], (name, len(agencies))
            pages = sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in explaining.plans)
            print(f"{name}, {len(agencies)} agencies, {size} letters: {pages} pages")
            assert pages <= PAGES, (name, len(agencies))
            assert len(found) >= 1 or name.startswith("said_of"), name


async def test_of_what_nobody_may_see_nothing_is_found(crowd):
    connection, size = crowd
    middle = await connection.fetchrow("SELECT * FROM letter WHERE document_id = $1", f"document {size // 2}")
    stranger = [UUID(int=4_000)]
    for name, (asked, arguments) in QUESTIONS.items():
        found = await getattr(answers, asked)(connection, *arguments(stranger, middle))
        assert not found or name == "said", name
