"""Registers on the demo's province: files loaded, letters that arrived, and what the tally and the self-check make of both."""

import io
from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from uuid import uuid4

import register_files as files

from exchange import ids
from exchange.broker import counted as broker_counted
from exchange.broker import standings
from exchange.rules import documents, paper_class
from exchange.store import insert, register_settled, rows, tally, transitions
from exchange.tracker import register_counted, register_load, registers
from exchange.tracker import tally as counting
from exchange.tracker.register_proof import Hand

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
FACT = broker_counted.Fact._fields
HAND = Hand(by="Nguyễn Văn Thử", at=AT, ids=ids.Ids(lambda: datetime.now(UTC)))


async def agency(pool, code):
    return await pool.fetchval("SELECT id FROM agency WHERE code = $1", code)


async def load(pool, raw, code="H13.01", book="out", hand=HAND, **order):
    """Load a file as that agency's book of 2026."""
    given = {"year": 2026, "lists": "paper", "name": "so.csv"} | order
    told = []
    async with pool.acquire() as connection:
        asked = register_load.Order(agency=await agency(pool, code), book=book, **given)
        return await register_load.load(connection, io.BytesIO(raw), asked, hand, told.append)


async def undo(pool, load):
    async with pool.acquire() as connection:
        return await registers.undo(connection, load, HAND)


async def rematch(pool, code="H13.01"):
    async with pool.acquire() as connection:
        return await registers.rematch(connection, await agency(pool, code), HAND)


async def arrive(
    pool, number, *, sender="H13.01", recipient="H13.02", notation="UBND", issued=date(2026, 1, 5), **other
):
    """An electronic letter that its recipient has acknowledged, counted as E in both views."""
    whose, to = await agency(pool, sender), await agency(pool, recipient)
    key = documents.key(whose, number, notation, issued)
    known = (key.issuer, key.year, key.series, key.number, key.notation)
    letter = rows.LetterRow(**blank(rows.LetterRow) | {
        "sender": whose, "id": HAND.ids.new(), "document_id": str(uuid4()), "operation": "new", "round": 1, "number": number, "notation": notation,
        "issued_on": issued, "recipients": (to,), "requirement": "met", "paper": 0, "accepted_at": AT, "expanded_at": AT, "copy_form": "original",
        "issued_year": key.year, "series": key.series, "number_key": key.number, "notation_key": key.notation,
        "first_of_key": await pool.fetchval(FIRST, *known),
    })  # fmt: skip
    delivery = rows.DeliveryRow(**blank(rows.DeliveryRow) | {
        "recipient": to, "letter": letter.id, "round": 1, "id": HAND.ids.new(), "sender": whose, "kind": "letter", "operation": "new",
        "document_id": letter.document_id, "number": number, "notation": notation, "issued_on": issued, "purpose": "act", "accepted_at": AT,
        "requirement": "met", "klass": "E", "excluded": None, "scope": "same_root", "grade": "B", "state": "arrived", "copy_form": "original",
    })  # fmt: skip
    state = {"arrived_at": AT, "counted_class": "E", "excluded": None} | other
    async with pool.acquire() as connection, connection.transaction():
        await insert.rows(connection, [letter])
        await insert.rows(connection, [delivery])
        await connection.execute(
            "UPDATE delivery SET arrived_at = $2, counted_class = $3, excluded = $4 WHERE id = $1",
            delivery.id, state["arrived_at"], state["counted_class"], state["excluded"],
        )  # fmt: skip
        (row,) = await connection.fetch("SELECT * FROM delivery WHERE id = $1", delivery.id)
        await tally.append(connection, broker_counted.deltas(facts(row), HAND.ids))
    return letter, delivery


FIRST = """SELECT CASE WHEN NOT EXISTS (SELECT FROM letter WHERE sender = $1 AND issued_year = $2 AND series = $3
                                           AND number_key = $4 AND notation_key = $5) THEN true END"""


def facts(row):
    """What the tally has of a delivery."""
    if row["arrived_at"] is None or row["counted_class"] is None:
        return Counter()
    found = paper_class.Classification(
        klass=row["counted_class"], step="", excluded=row["excluded"] or "",
        grade=row["grade"] if row["counted_class"] == "E" else "",
        justified=row["justified"] if row["counted_class"] == "S" else "",
    )  # fmt: skip
    return Counter(broker_counted.facts(row, found, row["arrived_at"]))


async def become(pool, letter, delivery, state, **more):
    """The delivery stands otherwise: arrived, refused, withdrawn, registered."""
    matter = standings.Matter(
        letter=letter, recipient=delivery.recipient, delivery=delivery.id, scope=delivery.scope
    )
    moved = transitions.Transition(
        key=(delivery.recipient, delivery.letter, delivery.round),
        move=lambda now: standings.settled(matter, now, replace(now, state=state, **more), [], HAND.ids),
    )
    async with pool.acquire() as connection, connection.transaction():
        (done,) = await transitions.apply(connection, [moved])
        await tally.append(connection, broker_counted.merged(done.facts))


def blank(kind):
    """Values for the columns that do not matter."""
    plain = {"str": "", "int": 0, "bool": False, "bytes": b"x", "UUID": uuid4(), "datetime": AT}
    return {
        field.name: plain.get(
            str(getattr(field.type, "__name__", field.type)), () if "tuple" in str(field.type) else None
        )
        for field in fields(kind)
    }


async def count(pool, period="2026", view="out", **asked):
    given = {"scope": "*", "agencies": None, "as_of": AT} | asked
    async with pool.acquire() as connection:
        return await counting.count(connection, counting.period(period), view=view, **given)


async def sound(pool):
    """What registers and deliveries should have in the tally, and have: no fault, and the same facts."""
    async with pool.acquire() as connection:
        assert await register_settled.faults(connection) == []
        anew = Counter()
        for one in await register_settled.recount(connection):
            anew[register_counted.fact(one)] += one.n
        for row in await connection.fetch("SELECT * FROM delivery"):
            anew += facts(row)
        kept = {
            broker_counted.Fact(
                **{name: record["class" if name == "klass" else name] for name in FACT}
            ): record["n"]
            for record in await tally.everything(connection)
            if record["n"]
        }
        assert kept == dict(anew)


def book(*lines, **how):
    return files.as_csv(lines, **how)
