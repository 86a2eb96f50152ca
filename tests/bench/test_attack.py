"""B14: what a good letter notices of an attack with bombs.

Over real HTTP, two workers: one sender sends letters with a PDF of two signatures, one after the other; in rounds, first
alone, then while another system, in a process of its own, keeps four requests going with nothing but bombs: PDF files that
hang or bloat the parser (`pdf_bombs`, quick ones and slow ones), and XML over the budgets, new ones in every round. A round
begins when the bombs of the one before are answered. The bound is on the 99th percentile of all good letters during the attack against the 99th of
those without it. What the bombs get is no concern here (tests/broker/test_verify_bombs.py), but that they are answered is.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import multiprocessing
import statistics
import time

import pdf_bombs
import province as provinces
import pytest
import uvloop
from bench import anchors
from bench.test_ceiling import PLENTY

from exchange.demo import letters
from exchange.edxml import attachments, write

ROUNDS, EACH, WARM = 4, 100, 12
PASSES = 2  # of all bombs, more than a round can take
PAUSE = 0.05  # seconds between letters, so that every bomb has its time
ATTACKERS = 4
BOUND = 2
ATTACKER = "H13.31"  # of another system than the good letters
DEEP = b"<a>" * 5_000 + b"</a>" * 5_000
FIRST = ("object stream that unpacks to 160 MB", "arrays in arrays", "many ranges", "thirty thousand fields")


def bomb(province, number, content):
    """A letter that brings a bomb."""
    draft = province.letter(number, sender=ATTACKER, recipients=("H13.02",))
    letter = letters.read_letter(draft)
    file = attachments.encode("van_ban.pdf", content, "application/pdf")
    return write.write(dataclasses.replace(letter, attachments=(file,)))


def bombs(province, contents, start):
    """Letters with bombs, PDF and XML, as many as one round of the attack sends."""
    first, *others = (bomb(province, number, content) for number, content in enumerate(contents, start))
    deep, many = (provinces.quick_letter(start + number, sender=ATTACKER) for number in (98, 99))
    deep = deep.replace(b"V/v th", DEEP + b"V/v th", 1)
    many = many.replace(b"V/v th", b"<a/>" * 250_000 + b"V/v th", 1)
    return [first, deep, many, *others]


@pytest.mark.bench
@pytest.mark.timeout(600)
def test_b14_a_good_letter_notices_little_of_an_attack(postgres, province, province_database, tmp_path):
    with (
        provinces.serving(province, province_database, tmp_path, **PLENTY) as server,
        _attacker(server) as line,
        anchors.Stopwatch(ours=[server.process.pid], database=[postgres.pid]) as watch,
    ):
        calm, attacked, answered = uvloop.run(_b14(server, line))
    own, worst = (sorted(times)[int(0.99 * len(times))] for times in (calm, attacked))
    anchors.judge(
        f"B14 attack: 99 of 100 good letters take at most {worst:.0f} ms = {worst / own:.2f} x the {own:.0f} ms without it "
        f"(medians {statistics.median(attacked):.0f} and {statistics.median(calm):.0f}); {answered} bombs answered",
        worst / own,
        most=BOUND,
        spans=[watch.span],
    )


@contextlib.contextmanager
def _attacker(server):
    """Another system in a process of its own, which waits at the other end of this line for every round."""
    quick = {name: make() for name, make in pdf_bombs.QUICK.items()}
    slow = [make() for make in pdf_bombs.SLOW.values()]
    contents = [*(quick.pop(name) for name in FIRST), *slow, *quick.values()]
    starts = iter(range(10_000, 10_000 + 100 * ROUNDS * PASSES, 100))
    rounds = [
        [one for start in itertools.islice(starts, PASSES) for one in bombs(server.province, contents, start)]
        for _ in range(ROUNDS)
    ]
    forked = multiprocessing.get_context("fork")
    line, other = forked.Pipe()
    process = forked.Process(target=_attacks, args=(server, rounds, other), daemon=True)
    process.start()
    other.close()
    yield line
    line.close()
    process.join(60)


def _attacks(server, rounds, line):
    """A round whenever the line says so, until it says so again; then how many bombs were answered."""
    for hostile in rounds:
        line.recv()
        line.send(uvloop.run(_attack(server, iter(hostile), line)))


async def _attack(server, hostile, line):
    """Bombs by several at once until the line says so; every one that was begun is answered."""
    ending, met = asyncio.ensure_future(asyncio.to_thread(line.recv)), []

    async def attack(bad):
        while not ending.done():
            answer = await bad.send(next(hostile))
            assert answer.status in {201, 409, 413, 422, 503}, answer.raw
            met.append(answer.status)

    async with server.client(ATTACKER) as bad, asyncio.TaskGroup() as group:
        for _ in range(ATTACKERS):
            group.create_task(attack(bad))
    await ending
    return len(met)


async def _b14(server, line):
    """Milliseconds of good letters without and with the attack, and how many bombs were answered."""
    raws = iter([server.province.letter(number) for number in range(1, 2 * ROUNDS * EACH + WARM + 1)])
    calm, attacked, answered = [], [], 0
    async with server.client() as good:
        await _timed(good, raws, WARM)
        for _ in range(ROUNDS):
            calm += await _timed(good, raws, EACH)
            line.send("begin")
            await asyncio.sleep(1)
            attacked += await _timed(good, raws, EACH)
            line.send("end")
            answered += await asyncio.to_thread(line.recv)
    return calm, attacked, answered


async def _timed(client, raws, count):
    """Milliseconds of each of so many letters, sent one after the other."""
    taken = []
    for raw in itertools.islice(raws, count):
        started = time.perf_counter()
        answer = await client.send(raw)
        taken.append(1e3 * (time.perf_counter() - started))
        assert answer.status == 201, answer.raw
        await asyncio.sleep(PAUSE)
    return taken
