"""Contention: both workers at the same rows, in opposite order, as fast as they can - and nobody but them notices.

Each round, the same batch of letters - several of them to everybody - goes to one worker in order and to the other in
reverse; two systems act for each group of agencies, each at a worker of its own, and acknowledge the same deliveries
in opposite order; both say the same statuses of them at the same time. A second attempt is never made.
"""

import asyncio
import contextlib
import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random

import pytest
from faults.load import CODES, STATUSES, systems
from faults.moments import until
from faults.stillness import stopped
from province import KINDS, cases, fetch, quick_letter

from exchange import ids
from exchange.demo import cast
from exchange.links import sdk
from exchange.store import cluster_folder
from exchange.store import pool as pools

SIZES = (452, 100, 60, 452, 30, 8, 3, *[1] * 25)
SENDERS = ("H13", "H13.01")
PAGE = 500
SAID = 12
"""Deliveries of each page about which both systems say two statuses."""
GATHERING_SECONDS = 0.4
SECONDS = 8
SLOW = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$;
CREATE TRIGGER dawdling BEFORE INSERT ON letter FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
"""Makes a statement that writes many letters last long enough to meet the other worker's."""

LONG_SECONDS = int(os.environ.get("CONGVAN_CONTENTION_SECONDS") or 60)


@dataclass
class Seen:
    """What the clients saw: answers that are no 2xx, the receipts of every letter, who was told which id is theirs."""

    strange: list = field(default_factory=list)
    receipts: dict = field(default_factory=dict)
    statuses: Counter = field(default_factory=Counter)
    acknowledged: Counter = field(default_factory=Counter)
    unknown: list = field(default_factory=list)
    notices: Counter = field(default_factory=Counter)

    def answered(self, what, answer):
        """The answer's body, if it is a success; else it is kept."""
        if answer.status in {200, 201}:
            return answer.body
        self.strange.append((what, answer.status, answer.raw[:200]))
        return None


@dataclass
class Contest:
    """A server, its two workers, and for each worker a client of every system."""

    server: object
    here: list
    there: list
    seen: Seen = field(default_factory=Seen)
    random: Random = field(default_factory=lambda: Random(1))
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    numbers: count = field(default_factory=lambda: count(1))

    async def send(self, desk, sender):
        """Batch after batch, there and back at the same time.

        Nobody may write a letter until both workers have most of theirs: then each commits all of them at once.
        """
        while not self.ending.is_set():
            batch = [self._letter(sender, size) for size in SIZES]
            async with asyncio.TaskGroup() as group, held(self.server.dsn):
                for one, other in zip(batch, reversed(batch), strict=True):
                    group.create_task(self._post(self.here[desk], one))
                    group.create_task(self._post(self.there[desk], other))
                await asyncio.sleep(GATHERING_SECONDS)

    def _letter(self, sender, size):
        others = [code for code in CODES if code != sender]
        recipients = tuple(self.random.sample(others, size))
        return quick_letter(next(self.numbers), sender=sender, recipients=recipients), recipients

    async def _post(self, client, letter):
        raw, recipients = letter
        answer = await client.send(raw)
        if self.seen.answered("send", answer):
            self.seen.statuses[answer.status] += 1
            self.seen.receipts.setdefault(raw, (recipients, []))[1].append(answer.raw)

    async def receive(self, desk):
        """One group of agencies: its two systems see the same page, and take it from both ends at once."""
        here, there = self.here[desk], self.there[desk]
        while True:
            body = self.seen.answered("inbox", await here.inbox(limit=PAGE, wait=1))
            items = body["items"] if body else []
            if not items:
                if self.ending.is_set():
                    return
                continue
            given = [item["id"] for item in items]
            await asyncio.gather(
                self._take(here, items), self._take(there, items[::-1]),
                self._acknowledge(here, given), self._acknowledge(there, given[::-1]),
                self._say(here, there, items),
            )  # fmt: skip

    async def _take(self, client, items):
        """Bodies; the first time a recipient takes one is journalled."""
        for letter in list(dict.fromkeys(item["letter"] for item in items))[:8]:
            self.seen.answered("body", await client.body(letter))

    async def _acknowledge(self, client, given):
        body = self.seen.answered("ack", await client.ack(given))
        if body:
            self.seen.acknowledged.update(body["acknowledged"])
            self.seen.unknown += body["unknown"]

    async def _say(self, here, there, items):
        """Two statuses of some deliveries, by both systems at once, the one in the other order."""
        letters = [item for item in items if item["kind"] == "letter"]
        chosen = self.random.sample(letters, min(SAID, len(letters)))
        at = datetime.now(UTC)
        said = [(item["id"], code, at) for item in chosen for code in self.random.sample(STATUSES, 2)]
        await asyncio.gather(
            *(self._status(here, one) for one in said), *(self._status(there, one) for one in reversed(said))
        )

    async def _status(self, client, said):
        delivery, code, at = said
        body = self.seen.answered("status", await client.status(delivery, code, at=at))
        if body:
            self.seen.notices[(delivery, code)] += 1


@contextlib.asynccontextmanager
async def held(dsn):
    """Letters are written at the end of the block only."""
    connection = await pools.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE letter IN SHARE MODE")
            yield
    finally:
        await connection.close()


async def desks(stack, server, keys, other):
    """A client of each system whose connections are all the other worker's, for it takes them while that one stands."""
    with stopped(other):
        found = [await stack.enter_async_context(sdk.connected(server.url, key, attempts=1)) for key in keys]
        await asyncio.gather(*(client.ready() for client in found for _ in range(len(SIZES) + SAID)))
    return found


async def made_slow(dsn):
    connection = await pools.connect(dsn)
    try:
        await connection.execute(SLOW)
    finally:
        await connection.close()


async def twins(server):
    """Beside each of the province's systems another that acts for the same agencies; their keys."""
    opened, keys = await pools.open(server.dsn, size=1), []
    try:
        for name, kinds in cast.SYSTEMS.items():
            codes = [code for code in CODES if KINDS[code] in kinds]
            new_ids, at = ids.Ids(lambda: datetime.now(UTC)), datetime.now(UTC)
            key = await cases.add_system(opened, name=f"{name} 2", acts_for=codes, new_ids=new_ids, at=at)
            keys.append(key.secret)
    finally:
        await opened.close()
    return keys


async def fought(server, seconds):
    """Everything at once for so many seconds, and until every inbox is empty."""
    first = [server.province.key_of(code) for code in systems(server.province)]
    second = await twins(server)
    one, other = server.workers()
    await made_slow(server.dsn)
    async with contextlib.AsyncExitStack() as stack:
        contest = Contest(
            server,
            await desks(stack, server, first, other),
            await desks(stack, server, second, one),
        )
        async with asyncio.TaskGroup() as group:
            for desk in range(len(first)):
                group.create_task(contest.receive(desk))
            for sender in SENDERS:
                desk = first.index(server.province.key_of(sender))
                group.create_task(contest.send(desk, sender))
            await asyncio.sleep(seconds)
            contest.ending.set()
        await drained(contest)
    return contest.seen


async def drained(contest):
    """What the relay still had to deliver when the last letter was answered."""
    async with asyncio.timeout(120):
        waiting = "SELECT FROM letter WHERE expanded_at IS NULL"
        assert await until(lambda: nothing(contest.server, waiting), 60)
        await asyncio.gather(*(contest.receive(desk) for desk in range(len(contest.here))))
        await asyncio.gather(*(contest.receive(desk) for desk in range(len(contest.here))))


async def nothing(server, query):
    return not await fetch(server.dsn, query)


async def compared(server, seen):
    """Both answers to a letter are one receipt; every promise is one delivery, arrived, acknowledged by one of two."""
    both = [receipts for _, receipts in seen.receipts.values()]
    assert {(len(one), len(set(one))) for one in both} == {(2, 1)}
    assert seen.statuses[201] == seen.statuses[200] == len(both)
    promised = Counter(
        (json.loads(receipts[0])["receipt"]["letter"], code)
        for recipients, receipts in seen.receipts.values()
        for code in recipients
    )
    rows = await fetch(
        server.dsn,
        """SELECT delivery.id, letter, code, delivery.kind, open, state FROM delivery JOIN agency ON agency.id = recipient""",
    )
    made = Counter((str(row["letter"]), row["code"]) for row in rows if row["kind"] == "letter")
    assert made == promised
    assert set(made.values()) == {1}
    assert not [row for row in rows if row["open"] or row["state"] == "waiting"]
    assert seen.unknown == []
    told = {
        row["id"]
        for row in await fetch(
            server.dsn, "SELECT DISTINCT delivery AS id FROM journal WHERE event = 'status'"
        )
    }
    acknowledged = {one for one, n in seen.acknowledged.items() if n == 1}
    assert {str(row["id"]) for row in rows} == acknowledged | {str(one) for one in told}
    assert set(seen.acknowledged.values()) == {1}
    assert set(seen.notices.values()) == {2}
    kept = await fetch(server.dsn, "SELECT count(*) AS n FROM letter WHERE operation = 'status'")
    assert kept[0]["n"] == len(seen.notices)
    return len(rows)


async def proven(server, postgres, seconds):
    started = time.monotonic()
    seen = await fought(server, seconds)
    assert seen.strange == []
    deliveries = await compared(server, seen)
    checked = server.congvan("check", "--json")
    assert checked.returncode == 0, checked.stdout
    (row,) = await fetch(
        server.dsn, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    print(
        f"\ncontention, {seconds} s of load, {time.monotonic() - started:.0f} s in all: {len(seen.receipts)} letters,"
        f" {deliveries} deliveries, {len(seen.notices)} notices, each twice; deadlocks met: {row['deadlocks']}"
    )
    assert "internal" not in server.log.read_text()
    assert row["deadlocks"] == 0, deadlocks(postgres)


def deadlocks(postgres):
    """What PostgreSQL says of who waited for whom."""
    home, inner = cluster_folder.home(postgres.data), cluster_folder.cluster(postgres.data)
    files = [home / "server.log", *inner.glob("log/*")]
    lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    places = [number for number, line in enumerate(lines) if "deadlock" in line]
    return "\n".join(line[:600] for number in places for line in lines[number : number + 9])


async def test_two_workers_at_the_same_rows_in_opposite_order(server, postgres):
    await proven(server, postgres, SECONDS)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_two_workers_at_the_same_rows_in_opposite_order_for_a_minute(server, postgres):
    await proven(server, postgres, LONG_SECONDS)
