"""Taking back (lấy lại, 13) and its answers (15, 16) over real HTTP; then every order of all that two sides can say."""

import asyncio
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from correspondence import REGISTERED, STATE_OF, desk, letter, revoking, signed
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def shared_server(correspondence_server):
    return correspondence_server


DISTRICTS = tuple(f"H13.3{n}" for n in range(1, 10))


async def test_13_asks_and_moves_nothing(shared_server):
    """In whatever state: the state stays, the bytes stay, and a request stands."""
    async with desk(shared_server) as at:
        said = letter(*DISTRICTS[:6])
        first = await at.sent(said)
        states = dict(zip(DISTRICTS, ("", "01", "03", "05", "06", "02"), strict=False))
        for code, status in states.items():
            await at.at(first, status, code)
            await at.say(first, "13", code, reason="Nhầm nơi nhận")
        found = {code: await at.told(first, code) for code in states}
        assert [one["state"] for one in found.values()] == [
            "waiting", "arrived", "registered", "in_process", "done", "refused",
        ]  # fmt: skip
        assert [(one["request"] or {}).get("kind") for one in found.values()] == ["take_back"] * 5 + [None]
        assert not any(one["recalled"] for one in found.values())
        assert (await at.bytes_(first))[0] == 200
        assert await at.tally() == {"N": 4, "refused": 1}
        (line,) = [one for one in await at.open("H13.32") if one["document_id"] == said.document_id]
        assert (line["kind"], line["status"]) == ("notice", "13")


async def test_agreed_before_registration_it_is_recalled(shared_server, province):
    async with desk(shared_server) as at:
        first = await at.sent(signed(province))
        await at.ack(first)
        taken = await at.say(first, "13")
        request = (await at.told(first))["request"]
        assert (request["kind"], request["letter"], request["answer"]) == ("take_back", taken["letter"], None)
        assert await at.tally() == {"E": 1}
        await at.say(first, "15")
        seen = await at.told(first)
        assert (seen["state"], seen["class"], seen["recalled"], seen["request"]["answer"]) == (
            "withdrawn", "X", False, "agreed",
        )  # fmt: skip
        assert await at.tally() == {"recalled": 1}
        assert (await at.bytes_(first))[:2] == (410, "gone")


async def test_agreed_by_one_who_never_fetched_it(shared_server):
    async with desk(shared_server) as at:
        first = await at.sent(letter())
        await at.say(first, "13")
        await at.say(first, "15")
        assert (await at.told(first))["state"] == "withdrawn"
        assert await at.open(about=first) == []
        assert await at.tally() in ({}, {"recalled": 1})


@pytest.mark.parametrize("code", REGISTERED)
async def test_agreed_after_registration_it_stays_counted(shared_server, province, code):
    async with desk(shared_server) as at:
        first = await at.sent(signed(province))
        await at.say(first, code)
        await at.say(first, "13")
        assert (await at.told(first))["state"] == STATE_OF[code]
        await at.say(first, "15")
        seen = await at.told(first)
        assert (seen["state"], seen["class"], seen["recalled"]) == ("withdrawn", "E", True)
        assert await at.tally() == {"E": 1}


async def test_registered_while_the_request_stood_it_stays_counted(shared_server):
    """What counts is where the letter stands when its recipient agrees."""
    async with desk(shared_server) as at:
        first = await at.sent(letter())
        await at.ack(first)
        await at.say(first, "13")
        await at.say(first, "03")
        assert await at.request(first) == ("take_back", None)
        await at.say(first, "15")
        seen = await at.told(first)
        assert (seen["state"], seen["class"], seen["recalled"]) == ("withdrawn", "N", True)
        assert await at.tally() == {"N": 1}


async def test_refused_it_stays_and_may_be_asked_again(shared_server):
    async with desk(shared_server) as at:
        first = await at.sent(letter())
        await at.ack(first)
        await at.say(first, "13")
        await at.say(first, "16", reason="Đã vào sổ")
        assert ((await at.told(first))["state"], await at.request(first)) == (
            "arrived",
            ("take_back", "refused"),
        )
        for late in ("15", "16"):
            await at.say(first, late)
        assert ((await at.told(first))["state"], await at.request(first)) == (
            "arrived",
            ("take_back", "refused"),
        )
        second = await at.say(first, "13")
        seen = await at.told(first)
        assert (seen["request"]["letter"], seen["request"]["answer"]) == (second["letter"], None)
        await at.say(first, "15")
        assert ((await at.told(first))["state"], await at.tally()) == ("withdrawn", {"recalled": 1})


async def test_answers_to_nothing_are_kept_and_move_nothing(shared_server):
    """15 and 16 before any request answer nothing, also none that comes later."""
    async with desk(shared_server) as at:
        first = await at.sent(letter("H13.31", "H13.32"))
        await at.ack(first)
        await at.say(first, "03", "H13.32")
        for agency, state in (("H13.31", "arrived"), ("H13.32", "registered")):
            for code in ("15", "16", "15"):
                await at.say(first, code, agency)
            seen = await at.told(first, agency)
            assert (seen["state"], seen["request"], seen["recalled"]) == (state, None, False)
            await at.say(first, "13", agency)
            assert ((await at.told(first, agency))["state"], await at.request(first, agency)) == (
                state, ("take_back", None),
            )  # fmt: skip
        assert await at.tally() == {"N": 2}


async def test_the_same_notice_again_is_the_same_notice(shared_server):
    """A repeated 13 does not ask again after the answer; a repeated 15 is its first receipt."""
    async with desk(shared_server) as at:
        first = await at.sent(letter())
        await at.ack(first)
        delivery = (await at.told(first))["id"]
        for code, by, at_ in (("13", at.sender, 1), ("16", at.recipient, 2)):
            answers = [await by.status(delivery, code, reason="Lý do", at=_second(at_)) for _ in range(3)]
            assert [one.status for one in answers] == [201, 200, 200]
        again = await at.sender.status(delivery, "13", reason="Lý do", at=_second(1))
        assert (again.status, await at.request(first)) == (200, ("take_back", "refused"))


def _second(n):
    return datetime(2026, 11, 20, 8, 0, n, tzinfo=UTC)


async def test_one_recipient_agrees_for_itself_alone(shared_server):
    async with desk(shared_server) as at:
        first = await at.sent(letter("H13.31", "H13.32", "H13.33"))
        await at.ack(first, "H13.31", "H13.32", "H13.33")
        await at.say(first, "13", "H13.31")
        await at.say(first, "15", "H13.32")  # was not asked
        await at.say(first, "15", "H13.31")
        assert await at.states(first) == {"H13.31": "withdrawn", "H13.32": "arrived", "H13.33": "arrived"}
        assert await at.tally() == {"N": 2, "recalled": 1}


# --- every order --------------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """One delivery as the contract tells of it, in the fewest words; shares no code with the exchange."""

    rank: int = 0  # waiting, arrived, registered, assigned, in process, done
    end: str = ""
    arrived: bool = False
    request: str | None = None  # None, open, agreed, refused
    asked_unarrived: bool = False
    kept: list = field(default_factory=list)

    def does(self, act):
        """What becomes of it; whether the act is accepted."""
        accepted = self._does(act)
        if accepted and act not in {"ack", "revoke"}:
            self.kept.append(act)
        return accepted

    def _does(self, act):
        if act == "revoke":
            self._revoke()
        elif act == "13":
            if not self.end:
                self.request = "open"
        elif act in {"15", "16"}:
            self._answer(act)
        elif self.end == "withdrawn" and act in {"02", "03", "04", "05", "06"}:
            return False
        elif not self.end:
            self.arrived = True
            if act == "02":
                self.end = "refused"
            self.rank = max(self.rank, {"ack": 1, "01": 1, "03": 2, "04": 3, "05": 4, "06": 5}.get(act, 0))
        return True

    def _revoke(self):
        if not self.end and self.rank >= 2:
            self.request = "open"
        elif not self.end:
            self.end = "withdrawn"

    def _answer(self, act):
        if self.request != "open" or self.end:
            return
        self.request = "agreed" if act == "15" else "refused"
        if act == "15":
            self.asked_unarrived = not self.arrived
            self.end = "withdrawn"

    @property
    def state(self):
        return self.end or ("waiting", "arrived", "registered", "assigned", "in_process", "done")[self.rank]

    @property
    def counts(self):
        """The class that this delivery is counted in, None before it arrived."""
        if not self.arrived:
            return None
        if self.end == "refused":
            return "refused"
        return "recalled" if self.end == "withdrawn" and self.rank < 2 else "N"


ACTS = st.lists(
    st.sampled_from(["ack", "01", "02", "03", "06", "13", "13", "15", "15", "16", "revoke", "revoke"]),
    min_size=1,
    max_size=7,
)


@settings(max_examples=int(os.environ.get("CONGVAN_EXAMPLES") or 4), deadline=None, derandomize=True)
@given(st.lists(ACTS, min_size=9, max_size=9))
def test_any_story_ends_as_the_contract_says(shared_server, stories):
    """Nine recipients of one letter, each with a story of its own, all at the same time."""
    asyncio.run(ends_as_told(shared_server, stories))


async def ends_as_told(server, stories):
    async with desk(server) as at:
        said = letter(*DISTRICTS)
        first = await at.sent(said)
        ids = {one["recipient"]: one["id"] for one in (await at.trace(first))["deliveries"]}
        models = {code: Model() for code in DISTRICTS}

        async def play(code, story):
            for act in story:
                if act == "ack":
                    answer = await at.recipient.ack([ids[code]])
                elif act == "revoke":
                    answer = await at.send(revoking(said, code))
                else:
                    answer = await at.notify(first, act, code)
                accepted = models[code].does(act)
                assert answer.problem == ("" if accepted else "wrong_state"), (code, story, act, answer.body)

        await asyncio.gather(*(play(*pair) for pair in zip(DISTRICTS, stories, strict=True)))
        expected = {}
        for code, story in zip(DISTRICTS, stories, strict=True):
            model, seen = models[code], await at.told(first, code)
            assert seen["state"] == model.state, (code, story)
            assert seen["recalled"] == (model.counts == "N" and model.end == "withdrawn"), (code, story)
            answer = (seen["request"] or {"answer": "none"})["answer"]
            if model.end != "refused":
                waits = "overtaken" if model.end else None
                assert answer == {None: "none", "open": waits}.get(model.request, model.request), (
                    code,
                    story,
                )
            assert [one["code"] for one in seen["statuses"]] == model.kept, (code, story)
            if model.counts:
                expected[model.counts] = expected.get(model.counts, 0) + 1
                assert seen["class"] == {"N": "N"}.get(model.counts, "X"), (code, story)
        found = await at.tally()
        late = sum(model.asked_unarrived for model in models.values())
        extra = found.get("recalled", 0) - expected.get("recalled", 0)
        assert 0 <= extra <= late, (found, expected)
        assert {**found, "recalled": 0} == {**expected, "recalled": 0}
