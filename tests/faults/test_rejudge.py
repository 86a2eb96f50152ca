"""Judging again among everything else: while letters are acknowledged and answered, twice at once, and killed half-way."""

import asyncio
import dataclasses
import subprocess
import sys
from datetime import timedelta
from random import Random

from faults.moments import until
from province import fetch
from rejudging import ODD, bench, classes, faults, newer, now, serial

from exchange.broker import recheck
from signing import keys

RECIPIENTS = ("H13.31", "H13.32", "H13.33", "H13.34")
SLOW = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.03); RETURN NEW; END $$;
CREATE TRIGGER dawdling BEFORE INSERT ON judgement FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
"""Makes a commit of judgements last long enough to be met."""


async def order(dsn, statement):
    for each in statement.strip().split("\n"):
        await fetch(dsn, each)


async def sent(server, sender, letters):
    async with server.client(sender) as client:
        for number in range(1, letters + 1):
            answer = await client.send(server.province.letter(number, sender=sender, recipients=RECIPIENTS))
            assert answer.status == 201, answer.raw


@dataclasses.dataclass
class Contest:
    """How often each of two judges changed letters; over when all is answered and both did so a few times."""

    changed: dict
    answered: bool = False

    @property
    def over(self):
        return self.answered and all(n > 2 for n in self.changed.values())


async def flipping(at, name, sender, contest):
    """Judge all letters of an agency again and again, by one trust set."""
    while not contest.over:
        await once(at, sender)
        contest.changed[name] += (await recheck.turn(at, seconds=0.05)).changed > 0


async def once(at, sender):
    async with at.pool.acquire() as connection, connection.transaction():
        await recheck.ask(at, connection, [sender])


async def answering(server, contest):
    """Take letters in one by one, and say now and then what became of them."""
    dice = Random(1)
    async with server.client(RECIPIENTS[0]) as client:
        items = (await client.inbox(limit=500)).body["items"]
        for item in items:
            code = dice.choice(("01", "02", "03", None))
            if code is None:
                await client.ack([item["id"]])
            else:
                said = await client.status(item["id"], code, reason="Sai nơi nhận" if code == "02" else None)
                assert said.status == 201, said.raw
    contest.answered = True
    return len(items)


async def test_two_who_judge_differently_while_letters_are_taken_in_and_answered(server, province):
    """Class and count go there and back under notices and acknowledgements; at the end each stands where it must."""
    code, letters = "H13.01", 8
    await sent(server, code, letters)
    sender = (await fetch(server.dsn, "SELECT id FROM agency WHERE code = $1", code))[0]["id"]
    revoked = newer(province, {serial(province, code): now() - timedelta(hours=1)})
    await order(server.dsn, SLOW.replace("0.03", "0.002"))
    async with (
        bench(server.dsn, revoked, keep=True) as one,
        bench(server.dsn, newer(province), keep=True) as other,
    ):
        for at in (one, other):
            await once(at, sender)
            await recheck.turn(at)
        contest = Contest(changed={"one": 0, "other": 0})
        _, _, taken = await asyncio.gather(
            flipping(one, "one", sender, contest),
            flipping(other, "other", sender, contest),
            answering(server, contest),
        )
        assert taken == letters * len(RECIPIENTS)
        assert await faults(server) == set()
        await once(other, sender)
        await recheck.turn(other)
    counted = await classes(server.dsn, code)
    assert (counted.keys(), sum(counted.values())) == ({"E", "X"}, taken)
    assert await faults(server) == set()
    (row,) = await fetch(
        server.dsn, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert row["deadlocks"] == 0


async def test_killed_half_way_nothing_is_half_done_and_the_next_one_goes_on(server, province):
    letters = 40
    await sent(server, ODD, letters)
    async with server.client(RECIPIENTS[0]) as client:
        items = (await client.inbox(limit=500)).body["items"]
        await client.ack([one["id"] for one in items])
    transfers = letters * len(RECIPIENTS)
    assert await classes(server.dsn, ODD) == {"N": transfers}
    await order(server.dsn, SLOW)
    digest = keys.fingerprint(province.ours.seals[ODD].certificate).hex()
    command = ["directory", "certificate", "confirm", digest, "--by", "Lê An", "--by", "Trần Bình", "--yes"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exchange", *command,
        env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert await until(lambda: judged(server.dsn))
    process.kill()
    await process.wait()
    half = await classes(server.dsn, ODD)
    assert half.keys() == {"N", "E"}
    assert await faults(server) == set()
    (due,) = await fetch(server.dsn, "SELECT count(*) AS n FROM rejudgement_due")
    assert due["n"] * len(RECIPIENTS) == half["N"]
    async with bench(server.dsn, newer(province)) as at:
        later = dataclasses.replace(at, clock=lambda: now() + timedelta(minutes=3))
        assert (await recheck.turn(later, seconds=30)).changed >= due["n"]
    assert await classes(server.dsn, ODD) == await classes(server.dsn, ODD) == {"E": transfers}
    assert await faults(server) == set()


async def judged(dsn):
    (row,) = await fetch(dsn, "SELECT count(*) AS n FROM judgement")
    return row["n"] > 0
