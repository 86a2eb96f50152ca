"""Documents by their key in the database: the first holds it, the later one sees it, also when both come at once."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from uuid import UUID, uuid4

import pytest
from rules.test_documents import ONE
from store.test_commit import AT, RECIPIENT, SENDER, committing, delivery_row, letter_row, submission

from exchange.rules import documents as rule
from exchange.store import documents, documents_check, insert

FILE, OTHER = b"f" * 32, b"o" * 32
KEYED = {"issued_year": 2026, "number_key": "1", "notation_key": "UBND"}


def row(name, minutes=0, *, first=True, **further):
    at = AT + timedelta(minutes=minutes)
    facts = {"main_sha256": FILE, "accepted_at": at, "first_of_key": first, **KEYED, **further}
    return letter_row(name, name.encode(), **facts)


def again(letter):
    """A submission that decides for itself, as `broker.numbered` does."""

    def decide(held):
        found = tuple(rule.duplicates(rule.Sent(document_id=letter.document_id), held))
        made = [
            delivery_row(
                letter,
                one,
                klass="X" if one in found else "E",
                excluded="duplicate" if one in found else None,
            )
            for one in letter.recipients
        ]
        return documents.Resent(duplicates=found, deliveries=tuple(made), lines=())

    body = letter.document_id.encode()
    return submission(letter, body, deliveries=(), again=decide)


async def left_out(connection):
    """Document ids of the deliveries that are duplicates."""
    records = await connection.fetch(
        "SELECT document_id FROM delivery WHERE excluded = 'duplicate' ORDER BY 1"
    )
    return [one["document_id"] for one in records]


async def test_who_comes_second_is_told_and_nothing_of_it_is_kept(either_database, either_pool):
    async with committing(either_database) as committer:
        first, second = await asyncio.gather(
            *(committer.submit(submission(row(name), name.encode())) for name in "AB")
        )
        assert sorted([first.kind, second.kind]) == ["known_document", "stored"]
    counts = [
        await either_pool.fetchval(f"SELECT count(*) FROM {name}")
        for name in ("letter", "delivery", "journal")
    ]
    assert counts == [1, 1, 1]


async def test_of_two_later_ones_at_the_same_moment_one_is_left_out(either_database, either_pool):
    """The first went to somebody else, so neither later one meets it; each has a committer of its own."""
    async with committing(either_database) as one, committing(either_database) as two:
        for turn in range(30):
            key = {"number_key": str(turn)}
            await one.submit(
                submission(row(f"A{turn}", recipients=(UUID(int=99),), **key), f"A{turn}".encode())
            )
            await asyncio.gather(
                *(
                    committer.submit(again(row(f"{name}{turn}", 1, first=False, **key)))
                    for name, committer in (("B", one), ("C", two))
                )
            )
    found = await left_out(either_pool)
    assert sorted(name[1:] for name in found) == sorted(map(str, range(30)))
    assert (
        await either_pool.fetchval("SELECT count(*) FROM letter WHERE $1 = ANY(duplicates)", RECIPIENT) == 30
    )


async def test_within_one_batch_each_sees_those_before_it(either_database, either_pool):
    async with committing(either_database) as committer:
        await committer.submit(submission(row("A", recipients=(UUID(int=99),)), b"A"))
        ids = sorted(uuid4() for _ in range(3))
        await asyncio.gather(
            *(
                committer.submit(again(row(name, 1, first=False, id=one)))
                for name, one in zip("BCD", ids, strict=True)
            )
        )
    assert await left_out(either_pool) == ["C", "D"]


HELD = {
    # what is held already: what of document B is left out
    "the first": ([row("A")], True),
    "the first, not expanded yet": ([row("A", expanded_at=None)], True),
    "the first under a replacement": ([row("A", operation="replace")], True),
    "to somebody else": ([row("A", recipients=(UUID(int=99),))], False),
    "other content": ([row("A", main_sha256=OTHER)], False),
    "another series": ([row("A", series="QĐ")], False),
    "another year": ([row("A", issued_year=2025)], False),
    "another notation": ([row("A", notation_key="X")], False),
    "another issuer": ([row("A", sender=UUID(int=77))], False),
    "training": ([row("A", first=None, test=True)], False),
    "an update": ([row("A", first=None, operation="update")], False),
    "one left out itself": ([row("A", duplicates=(RECIPIENT,))], False),
}


@pytest.mark.parametrize("case", HELD)
async def test_what_holds_a_letter_back(case, database, pool):
    held, expected = HELD[case]
    await insert.rows(pool, held)
    async with committing(database) as committer:
        await committer.submit(again(row("B", 1, first=False)))
    assert await left_out(pool) == (["B"] if expected else [])


@pytest.mark.parametrize("state", ["waiting", "arrived", "done", "refused", "withdrawn", "expired"])
async def test_by_the_state_of_the_first(state, database, pool):
    first = row("A")
    await insert.rows(pool, [first])
    await insert.rows(pool, [delivery_row(first, RECIPIENT, state=state)])
    async with committing(database) as committer:
        await committer.submit(again(row("B", 1, first=False)))
    assert await left_out(pool) == (["B"] if state in ("waiting", "arrived", "done") else [])


async def test_what_came_before_is_told_oldest_first_and_many_are_asked_at_once(either_pool):
    held = [
        row("C", 2, first=False),
        row("A"),
        row("B", 1, first=False, main_sha256=OTHER),
        row("T", first=None, test=True),
    ]
    await insert.rows(either_pool, held)
    asked = [
        documents.Asked(SENDER, 2026, "", "1", "UBND", FILE),
        documents.Asked(SENDER, 2026, "", "2", "UBND", FILE),
        documents.Asked(SENDER, 2026, "", "1", "UBND", OTHER),
    ]
    found = await documents.earlier(either_pool, asked)
    told = {
        asked.index(one): [(letter.document_id, letter.same) for letter in letters]
        for one, letters in found.items()
    }
    assert told == {
        0: [("A", True), ("B", False), ("C", True)],
        2: [("A", False), ("B", True), ("C", False)],
    }


async def test_the_look_ups_use_their_index(pool):
    await pool.execute("SET enable_seqscan = off")
    plan = await pool.fetch(
        "EXPLAIN SELECT FROM letter WHERE sender = $1 AND issued_year = 2026 AND series = '' AND number_key = '1'"
        " AND operation IN ('new', 'replace')",
        SENDER,
    )
    assert "letter_number" in "".join(line[0] for line in plan)


FAULTS = {
    "left out, nothing before": (
        [row("B", duplicates=(RECIPIENT,))],
        {"duplicate_unfounded", "duplicate_unsaid"},
    ),
    "left out and not said": (
        [row("A"), row("B", 1, first=False, duplicates=(RECIPIENT,))],
        {"duplicate_unsaid"},
    ),
    "counted twice": ([row("A"), row("B", 1, first=False)], {"counted_twice"}),
    "other content": ([row("A"), row("B", 1, first=False, main_sha256=OTHER)], set()),
    "from before the rule": ([row("A"), row("B", 1, first=None)], set()),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_the_self_check_names_it(case, pool):
    held, expected = FAULTS[case]
    await insert.rows(pool, held)
    await insert.rows(pool, [delivery_row(one, RECIPIENT, state="arrived") for one in held])
    await pool.execute(
        "UPDATE delivery SET arrived_at = delivery.accepted_at,"
        " counted_class = CASE WHEN duplicates = '{}' THEN 'E' ELSE 'X' END FROM letter WHERE letter.id = letter"
    )
    assert {one["code"] for one in await documents_check.faults(pool)} == expected


async def test_letters_of_before_get_the_key_that_the_rules_give_or_none(either_pool):
    """The migration's own statements, on a table of spellings."""
    day = date(2026, 3, 2)
    spellings = [
        *ONE,
        ("12", "TT-BTC"),
        ("5", "NĐ-CP"),
        ("5", "TTLT-A-B"),
        ("", "CV"),
        ("12", "–x"),
        ("1–2", "X"),
    ]
    held = [
        letter_row(
            str(number),
            sha256=hashlib.sha256(str(number).encode()).digest(),
            number=one,
            notation=other,
            issued_on=day,
        )
        for number, (one, other) in enumerate(spellings)
    ]
    twice = replace(held[0], id=uuid4(), document_id="again", accepted_at=AT + timedelta(days=1))
    await insert.rows(either_pool, [*held, twice])
    sql = files("schemas.postgres").joinpath("0009_documents.sql").read_text(encoding="utf-8")
    updates = [statement for statement in sql.split("\n\n") if "UPDATE letter" in statement]
    assert len(updates) == 2
    await either_pool.execute("DROP INDEX letter_first")
    for statement in updates:
        await either_pool.execute(statement)
    records = await either_pool.fetch("SELECT * FROM letter")
    filled = [one for one in records if one["number_key"] is not None]
    for one in filled:
        key = rule.key(SENDER, one["number"], one["notation"], day, one["document_type"])
        stored = (one["issued_year"], one["series"], one["number_key"], one["notation_key"])
        assert stored == (key.year, key.series, key.number, key.notation)
    assert len(filled) >= 15
    firsts = {
        (one["series"], one["number_key"], one["notation_key"]) for one in filled if one["first_of_key"]
    }
    assert len(firsts) == sum(bool(one["first_of_key"]) for one in filled)
    (late,) = [one for one in records if one["document_id"] == "again"]
    assert late["first_of_key"] is None
