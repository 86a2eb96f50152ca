"""Notices, acknowledgements, judgements, acts about paper and their undoing, all at once, on a real exchange.

Whatever comes in between: afterwards the self-check is silent, so every class follows from the journal and the tally is
the recount.
"""

import asyncio
import os
import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from province import fetch
from rejudging import bench, faults, newer, now, other

from exchange import ids
from exchange.broker import attestations, paper, recheck
from exchange.broker.paper import Declaration, Desk
from exchange.broker.paper_acts import Author
from exchange.rules import paper_class
from exchange.store import pool as pools
from exchange.store.register_match import Matched

WORKERS = 2
SEED = int(os.environ.get("CONGVAN_PAPER_SEED", "6"))
ROUNDS = 5  # whose act comes first is the machine's choice: they go on until nearly everything has happened
SENDER, RECIPIENTS = "H13.01", ("H13.31", "H13.32")


def by(at=None):
    return Author(name="Thử", at=at or now(), why="vì")


class Crowd:
    """Everybody who has something to do with some letters, acting at random."""

    def __init__(self, server, desk, benches, seed):
        self.server, self.desk, self.benches = server, desk, benches
        self.dice, self.number = random.Random(seed), 1_000 * (seed + 1)
        self.letters, self.rows, self.agencies = [], [], {}

    async def start(self, count):
        for code in RECIPIENTS:
            (row,) = await fetch(self.server.dsn, "SELECT id FROM agency WHERE code = $1", code)
            self.agencies[code] = row["id"]
        async with self.server.client(SENDER) as client:
            for _ in range(count):
                self.number += 1
                case = self.dice.choice(["signed_pdf", "undeclared", "paper", "annex_unsigned"])
                raw = self.server.province.letter(self.number, case=case, recipients=RECIPIENTS)
                self.letters.append((await client.send(raw)).body["receipt"]["letter"])
        for number in range(4):
            self.rows.append(uuid4())
            await fetch(
                self.server.dsn,
                """INSERT INTO register_row (agency, id, direction, number, notation, moved_on, loaded_at)
                   SELECT id, $2, 'out', $3, 'CV', current_date, now() FROM agency WHERE code = $1""",
                SENDER, self.rows[-1], str(number),
            )  # fmt: skip

    async def delivery(self):
        rows = await fetch(
            self.server.dsn,
            "SELECT * FROM delivery WHERE letter = $1::text::uuid",
            self.dice.choice(self.letters),
        )
        return self.dice.choice(rows)

    def code_of(self, row):
        return next(code for code, agency in self.agencies.items() if agency == row["recipient"])

    async def ack(self):
        row = await self.delivery()
        async with self.server.client(self.code_of(row)) as client:
            await client.ack([str(row["id"])])

    async def status(self):
        row = await self.delivery()
        code = self.dice.choice(["01", "02", "03", "04", "06", "13", "15", "16"])
        async with self.server.client(SENDER if code == "13" else self.code_of(row)) as client:
            await client.status(str(row["id"]), code, reason="vì")

    async def received(self):
        row = await self.delivery()
        day = self.dice.choice([paper_class.local_day(now()), None])
        await paper.received(self.desk, [row["recipient"]], row["id"], day, by())

    async def declare(self):
        letter = UUID(self.dice.choice(self.letters))
        said = self.dice.choice(
            [Declaration(paper=0), Declaration(paper=1, reason="government"), Declaration(paper=None)]
        )
        await paper.declare(self.desk, None, letter, said, by())

    async def attest(self):
        month = paper_class.local_day(now()).replace(day=1)
        at = paper_class.start_of(attestations.after(month)) + timedelta(hours=8)
        case = self.dice.choice([attestations.attest, attestations.attest, attestations.undo])
        await case(self.desk, self.dice.choice(list(self.agencies.values())), month, by(at))

    async def match(self):
        row = await self.delivery()
        key = (row["recipient"], row["letter"], row["round"])
        whose = self.dice.choice([row["sender"], row["recipient"]])
        one = Matched(key=key, row=self.dice.choice(self.rows), moved_on=now().date(), agency=whose)
        case = self.dice.choice([paper.matched, paper.unmatched])

        async def written():
            async with self.desk.pool.acquire() as connection, connection.transaction():
                await case(connection, [one], by(), self.desk.ids)

        await pools.again(written)

    async def judge(self):
        at = self.dice.choice(self.benches)
        async with at.pool.acquire() as connection, connection.transaction():
            sender = await connection.fetchval("SELECT id FROM agency WHERE code = $1", SENDER)
            await recheck.ask(at, connection, [sender])
        await recheck.turn(at, seconds=0)

    async def act(self, often):
        for _ in range(often):
            names = ("ack", "status", "received", "declare", "attest", "match")
            await getattr(self, self.dice.choices((*names, "judge"), (3, 4, 4, 2, 2, 3, 1))[0])()


async def together(server, *, letters, often, at_once):
    opened = await pools.open(server.dsn, size=at_once)
    try:
        async with (
            bench(server.dsn, newer(server.province), folder=server.folder / "payloads", keep=True) as one,
            bench(server.dsn, other(), folder=server.folder / "payloads", keep=True) as two,
        ):
            crowd = Crowd(server, Desk(pool=opened, ids=ids.Ids(now)), (one, two), SEED)
            await crowd.start(letters)
            for _ in range(ROUNDS):
                await asyncio.gather(*(crowd.act(often) for _ in range(at_once)))
                seen = await happened(server)
                if len(seen) >= len(EVENTS) - 2:
                    break
        assert await faults(server) == set(), f"CONGVAN_PAPER_SEED={SEED}"
        return seen
    finally:
        await opened.close()


async def happened(server):
    rows = await fetch(
        server.dsn, "SELECT event, count(*) AS n FROM journal WHERE event = ANY($1) GROUP BY event", EVENTS
    )
    return {one["event"]: one["n"] for one in rows}


EVENTS = [
    "arrived", "status", "rejudged", "paper_received", "paper_declared", "attested", "register_matched",
    "paper_received_undone", "paper_declared_undone", "attested_undone", "register_matched_undone",
]  # fmt: skip


async def test_whatever_comes_in_between_the_tally_is_the_recount(server):
    seen = await together(server, letters=5, often=10, at_once=5)
    assert len(seen) >= len(EVENTS) - 2, seen


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_the_same_for_long(server):
    seen = await together(server, letters=40, often=400, at_once=8)
    assert set(seen) == set(EVENTS)
