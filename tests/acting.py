"""The broker at work in this process, on a real database, without HTTP: both sides of an exchange, its relay and its judges.

For stories whose steps are chosen here: nothing is expanded, withdrawn, expired or judged again until it is told to be.
"""

import contextlib
import dataclasses
from dataclasses import dataclass
from uuid import UUID

from correspondence import NUMBERS, SENDER, letter, notice
from province import fetch

from exchange import config
from exchange.broker import (
    answer,
    caller,
    clock,
    decisions,
    deliver,
    expand,
    receipts,
    recheck,
    rejudge,
    send,
    withdraw,
)
from exchange.broker import exchange as parts
from exchange.broker.declared import Declared
from exchange.edxml import attachments, write
from exchange.rules import requirements
from exchange.store import pool as pools
from exchange.tracker import check

LENIENT = dataclasses.replace(
    requirements.DEFAULT,
    rules=tuple(dataclasses.replace(one, demands=()) for one in requirements.DEFAULT.rules),
)
"""A signature policy that asks for nothing: judged by it, letters without a signature are E."""


def filed(*recipients, number="", file=b"the same", name="", **changed):
    """A letter with a main file; letters of one number and file are one document, whatever their names."""
    number = number or str(next(NUMBERS))
    facts = {"number": number, "document_id": f"{SENDER},doc,{number},{name}"}
    files = (attachments.encode("van_ban.docx", file, "application/msword"),)
    return letter(*recipients, **{**facts, "attachments": files, **changed})


@dataclass
class Acting:
    """One process of the exchange, and who calls it: `caller` by agency code."""

    exchange: parts.Exchange
    province: object
    dsn: str
    callers: dict

    async def caller(self, code):
        if code not in self.callers:
            shown = caller.Credentials(key=self.province.key_of(code), certificate=None)
            self.callers[code] = await caller.authenticate(self.exchange.pool, shown, self.exchange.clock())
        return self.callers[code]

    async def send(self, said, code=SENDER, **declared):
        """Hand over a letter or a notice, a model or bytes."""
        raw = said if isinstance(said, bytes) else write.write(said)
        return await send.send(self.exchange, raw, await self.caller(code), Declared(**declared))

    async def sent(self, said, **declared):
        """Its receipt: it must be accepted."""
        found = await self.send(said, **declared)
        assert isinstance(found, decisions.Accepted), found
        return receipts.read(found.receipt)["receipt"]

    async def say(self, about, code, agency="H13.31"):
        """A status of a letter (its receipt): by the recipient, 13 by the sender. What became of it: empty, or the refusal."""
        names = (SENDER, agency) if code == "13" else (agency, SENDER)
        raw = notice(about["document_id"], code, sender=names[0], to=names[1])
        found = await self.send(raw, names[0])
        return found.code if isinstance(found, decisions.Refused) else ""

    async def answer(self, about, code, agency="H13.31"):
        """The same of exactly this letter's delivery, as the JSON shortcut says it."""
        one = (await self.rows(about))[agency]
        by = SENDER if code == "13" else agency
        said = answer.Status(code=code, reason=f"Lý do {UUID(int=one['id'].int)}")
        found = await answer.status(self.exchange, await self.caller(by), one["id"], said, b"{}")
        return found.code if isinstance(found, decisions.Refused) else ""

    async def ack(self, about, *agencies):
        """Acknowledge for agencies; how many were new."""
        rows, new = await self.rows(about), 0
        for code in agencies or ("H13.31",):
            who = await self.caller(code)
            found = await deliver.acknowledge(self.exchange, who, list(who.agencies), [rows[code]["id"]])
            new += len(found.acknowledged)
        return new

    async def rows(self, about):
        """The deliveries of a letter by code of their recipient."""
        found = await fetch(
            self.dsn,
            """SELECT agency.code, delivery.* FROM delivery JOIN agency ON agency.id = recipient
                WHERE letter = $1::text::uuid""",
            about["letter"],
        )
        return {one["code"]: one for one in found}

    async def told(self, about, *names):
        """Of every recipient one or more columns of its delivery."""
        rows = await self.rows(about)
        pick = (lambda one: one[names[0]]) if len(names) == 1 else (lambda one: tuple(one[n] for n in names))
        return {code: pick(one) for code, one in sorted(rows.items())}

    async def relay(self):
        """What the relay does when it wakes."""
        return await expand.all_waiting(self.exchange) + await withdraw.all_waiting(self.exchange)

    async def expire(self):
        """Whoever waits now has waited too long."""
        settings = dataclasses.replace(self.exchange.config, expire_days=0)
        return await clock.expire(dataclasses.replace(self.exchange, config=settings))

    async def judged(self, policy=LENIENT, code=SENDER):
        """Every letter of an agency judged again, by a policy."""
        bench = dataclasses.replace(rejudge.bench(self.exchange), policy=policy)
        async with bench.pool.acquire() as connection, connection.transaction():
            sender = await connection.fetchval("SELECT id FROM agency WHERE code = $1", code)
            await recheck.ask(bench, connection, [sender])
        return await recheck.turn(bench)

    async def tally(self):
        """What is counted, by class and kind of exclusion; both views must agree."""
        found = {"out": {}, "in": {}}
        for one in await fetch(
            self.dsn,
            """SELECT view, coalesce(nullif(excluded, ''), class) AS kind, sum(n)::int AS n
                 FROM (SELECT view, class, excluded, n FROM tally_day
                       UNION ALL SELECT view, class, excluded, n FROM tally_delta) AS facts
                GROUP BY 1, 2 HAVING sum(n) <> 0""",
        ):
            found[one["view"]][one["kind"]] = one["n"]
        assert found["out"] == found["in"]
        return found["out"]

    async def journal(self, about, event):
        """How often an event stands in the journal of a letter."""
        query = "SELECT count(*) AS n FROM journal WHERE letter = $1::text::uuid AND event = $2"
        return (await fetch(self.dsn, query, about["letter"], event))[0]["n"]

    async def faults(self):
        """What the self-check finds wrong, in words."""
        connection = await pools.connect(self.dsn)
        try:
            found = await check.check(connection, self.exchange.payload_folder, self.exchange.receipt_key)
        finally:
            await connection.close()
        return [(one.code, one.where) for one in found.faults]


@contextlib.asynccontextmanager
async def acting(province, dsn, folder):
    """A process of its own, as far as the database can tell; several may work on one database."""
    receipts.ensure(folder / "receipt.key")
    environment = {
        "CONGVAN_DATA": str(folder),
        "CONGVAN_TRUST_DIR": str(province.folder / "trust"),
        "CONGVAN_CRL_DIR": str(province.folder / "crl"),
    }
    async with parts.opened(config.read(environment), dsn) as exchange:
        yield Acting(exchange, province, dsn, {})
