"""Operations in any order and at the same moment, by two processes on one database: after each story the self-check is silent.

What each step does to one delivery is told by other tests; here is only asked whether all that was derived still follows
from what was recorded, whether anybody broke off, and whether anything was left undone.
"""

import asyncio
import itertools
import os
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from acting import LENIENT, acting, filed
from correspondence import letter, parties, replacing, revoking, updating
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from province import KINDS, fetch

from exchange.broker import decisions
from exchange.rules import requirements

AGENCIES = ("H13.31", "H13.32", "H13.33", "H13.34")
STEPS = (
    "new", "same", "round", "ack", "01", "02", "03", "06", "13", "15", "16", "revoke", "add", "remove", "restate",
    "renumber", "replace", "replace_same", "replace_id", "relay", "relay", "expire", "lenient", "strict", "named 15", "named 16",
)  # fmt: skip
STEP = st.tuples(
    st.sampled_from(STEPS),
    st.integers(0, 3),
    st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
)
MOMENT = st.tuples(st.booleans(), st.lists(STEP, min_size=1, max_size=4))
"""Whether what is sent now is left to the relay, and what happens at the same time."""
FILES = (b"one", b"another")
"""So letters that get each other's number may be one document, or two."""
REFUSALS = {"", "wrong_state", "not_found", "findings", "conflict", "gone"}


@dataclass
class Story:
    """What was sent so far by `sender`: each letter with its receipt, and how each step ended."""

    sender: str
    sent: list = field(default_factory=list)
    ends: Counter = field(default_factory=Counter)

    async def play(self, at, step):
        kind, which, whom = step
        codes = [AGENCIES[n] for n in whom]
        code = await self._act(at, kind, which, codes)
        assert code in REFUSALS, (step, code)
        self.ends[kind, code] += 1

    async def _act(self, at, kind, which, codes):
        if kind == "new" or not self.sent:
            return await self._send(at, filed(*codes, sender=self.sender, file=FILES[which % 2]))
        said, about = self.sent[which % len(self.sent)]
        if kind in ("relay", "expire"):
            await getattr(at, kind)()
        elif kind in ("lenient", "strict"):
            await at.judged(LENIENT if kind == "lenient" else requirements.DEFAULT, self.sender)
        elif kind == "ack":
            rows = await at.rows(about)
            if rows.keys() & codes:
                await at.ack(about, *(rows.keys() & codes))
        elif kind.startswith("named"):
            return await at.say(about, kind.split()[1], codes[0])
        elif kind.isdecimal():
            return await self._say(at, about, kind, codes)
        else:
            return await self._send(at, MADE[kind](said, codes))
        return ""

    async def _say(self, at, about, code, codes):
        rows = await at.rows(about)
        named = next((one for one in codes if one in rows), None)
        return await at.answer(about, code, named) if named else "not_found"

    async def _send(self, at, said):
        found = await at.send(said)  # a second one of the same id in the same way is a conflict
        if isinstance(found, decisions.Refused):
            return found.code
        if said.operation in ("new", "replace"):
            self.sent.append((said, {"letter": str(found.letter), "document_id": said.document_id}))
        return ""


def again(said, codes):
    """The same document in another letter."""
    return filed(
        *codes,
        sender=said.sender.code,
        number=said.number,
        notation=said.notation,
        name=f"lần {letter().number}",
        attachments=said.attachments,
    )


def following(said, codes):
    """The same document id with other bytes: a new round, if the last one is over."""
    return replace(said, recipients=parties(codes), subject=f"V/v {letter().number}")


MADE = {
    "same": again,
    "round": following,
    "revoke": lambda said, codes: revoking(said, *codes),
    "add": lambda said, codes: updating(said, added=codes),
    "remove": lambda said, codes: updating(said, removed=codes),
    "restate": lambda said, _: updating(
        said, document=True, subject="V/v mới", priority=2, type_name="Báo cáo"
    ),
    "renumber": lambda said, codes: updating(
        said, document=True, number=str(int(said.number) - len(codes)), notation=said.notation
    ),
    "replace": lambda said, codes: replacing([(said, codes[1:])], *codes, attachments=said.attachments),
    "replace_same": lambda said, codes: replacing(
        [(said, codes[1:])], *codes, number=said.number, notation=said.notation, attachments=said.attachments
    ),
    "replace_id": lambda said, codes: replacing(
        [(said, codes[1:])], *codes, number=said.number, notation=said.notation, document_id=said.document_id
    ),
}


async def told(processes, sender, moments):
    """One story from its beginning to the last relay."""
    story = Story(sender)
    for late, steps in moments:
        with pytest.MonkeyPatch.context() as patch:
            if late:
                patch.setattr("exchange.broker.expand.INLINE_RECIPIENTS", 0)
            turns = (story.play(processes[n % 2], step) for n, step in enumerate(steps))
            await asyncio.gather(*turns)
    while await processes[0].relay():
        pass
    return story


async def wrong(at):
    """What the self-check finds, what is left undone, and whether anybody waited in a circle."""
    found = await at.faults()
    await at.tally()
    (left,) = await fetch(
        at.dsn,
        """SELECT (SELECT count(*) FROM letter WHERE expanded_at IS NULL
                     OR effected_at IS NULL AND operation IN ('revoke', 'update', 'replace')) AS undone,
                  (SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()) AS deadlocks""",
    )
    return found, left["undone"], left["deadlocks"]


class World:
    """Where stories are told. What an earlier one left wrong is not the next one's fault: `known`."""

    def __init__(self, runner, processes):
        self.runner = runner
        self.processes = processes
        self.known = ([], 0, 0)
        self.senders = itertools.cycle(sorted(code for code, kind in KINDS.items() if kind == "department"))

    def tried(self, moments):
        """How each step of the story ended; the self-check finds nothing new after it."""
        story = self.runner.run(told(self.processes, next(self.senders), moments))
        before, self.known = self.known, self.runner.run(wrong(self.processes[0]))
        assert self.known == before
        return story.ends


@pytest.fixture(scope="module")
def world(province, shared_database, tmp_path_factory):
    """A loop with two processes of an exchange in it, for all stories of this module."""
    with asyncio.Runner() as runner:
        folder = tmp_path_factory.mktemp("stories")
        opened = [acting(province, shared_database, folder) for _ in range(2)]
        processes = [runner.run(one.__aenter__()) for one in opened]
        yield World(runner, processes)
        print(ENDS)
        for one in opened:
            runner.run(one.__aexit__(None, None, None))


ENDS = Counter()
QUICK = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@settings(
    max_examples=int(os.environ.get("CONGVAN_EXAMPLES") or 12),
    derandomize=True,
    phases=[Phase.generate],
    **QUICK,
)
@given(st.lists(MOMENT, min_size=3, max_size=9))
def test_any_story_leaves_everything_in_order(world, moments):
    ENDS.update(world.tried(moments))


@pytest.mark.long
@pytest.mark.timeout(3_600)
@settings(
    max_examples=int(os.environ.get("CONGVAN_EXAMPLES") or 400),
    phases=[Phase.generate, Phase.shrink],
    **QUICK,
)
@given(st.lists(MOMENT, min_size=3, max_size=16))
def test_many_long_stories(world, moments):
    ENDS.update(world.tried(moments))
