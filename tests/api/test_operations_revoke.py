"""Revoking (thu hồi) over real HTTP: what it does to each recipient, to bytes, inbox, traces and figures."""

import asyncio
from dataclasses import replace

import pytest
from correspondence import (
    MISSING,
    REGISTERED,
    STATE_OF,
    TODAY,
    codes,
    desk,
    digest,
    letter,
    revoking,
    sealed,
    signed,
)  # fmt: skip
from province import OLD, fetch

from exchange.edxml import write


@pytest.fixture(scope="module")
def shared_server(correspondence_server):
    return correspondence_server


async def test_before_registration_the_letter_is_frozen_and_its_bytes_are_gone(shared_server):
    """Nobody has taken it yet: it leaves the inbox, what tells of it stays, and it was never counted."""
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        raw = write.write(revoking(said))
        answer = await at.send(raw)
        receipt = answer.body["receipt"]
        assert (answer.status, receipt["operation"], receipt["recipients"]) == (201, "revoke", ["H13.31"])
        assert (receipt["sha256"], receipt["size"], receipt["round"]) == (digest(raw), len(raw), 1)
        assert "no_signature" in str(answer.body) or answer.body["requirement"] == "not_met"
        seen = await at.told(first)
        assert (seen["state"], seen["recalled"], seen["request"]) == ("withdrawn", False, None)
        assert await at.open(about=first) == []
        status, problem, _ = await at.bytes_(first)
        assert (status, problem) == (410, "gone")
        for what in ("header", "verdicts", "trace"):
            assert (await at.recipient.about(first["letter"], what)).status == 200
        assert (await at.bytes_(first, at.sender))[0] == 200
        assert (await at.bytes_(first, at.stranger))[:2] == (404, "not_found")
        (line,) = await at.open(about=receipt)
        assert (line["kind"], line["operation"], line["class"], line["sha256"]) == (
            "letter",
            "revoke",
            "X",
            digest(raw),
        )
        assert (await at.bytes_(receipt))[2] == raw
        await at.ack(receipt)
        assert await at.tally() == {}
        assert (await at.journal(first, "H13.31"))["withdrawn"] == 1


async def test_what_had_arrived_is_taken_out_of_its_class(shared_server, province):
    """E becomes X recalled in both views; the recipient that keeps the letter keeps its class."""
    async with desk(shared_server) as at:
        said = signed(province, "H13.31", "H13.32")
        first = await at.sent(said)
        await at.ack(first, "H13.31", "H13.32")
        assert await at.tally() == {"E": 2}
        second = await at.sent(revoking(said, "H13.31"))
        assert await at.tally() == {"E": 1, "recalled": 1}
        seen = await at.told(first)
        assert (seen["state"], seen["class"], seen["recalled"]) == ("withdrawn", "X", False)
        other = await at.told(first, "H13.32")
        assert (other["state"], other["class"], other["recalled"], other["request"]) == (
            "arrived",
            "E",
            False,
            None,
        )
        await at.ack(second)
        assert await at.tally() == {"E": 1, "recalled": 1}


@pytest.mark.parametrize("code", REGISTERED)
async def test_after_registration_it_asks_and_the_recipient_agrees(shared_server, province, code):
    """Nothing moves until 15; then the letter is withdrawn, stays counted, and is marked as recalled."""
    async with desk(shared_server) as at:
        said = signed(province)
        first = await at.sent(said)
        await at.say(first, code)
        second = await at.sent(revoking(said))
        seen = await at.told(first)
        request = seen["request"]
        assert (seen["state"], seen["recalled"]) == (STATE_OF[code], False)
        assert (request["kind"], request["letter"]) == ("revoke", second["letter"])
        assert (request["answer"], request["answered_at"]) == (None, None)
        assert (await at.bytes_(first))[0] == 200
        assert await at.tally() == {"E": 1}
        await at.say(first, "15")
        seen = await at.told(first)
        assert (seen["state"], seen["class"], seen["recalled"]) == ("withdrawn", "E", True)
        assert seen["request"]["answer"] == "agreed"
        assert seen["request"]["answered_at"] is not None
        assert (await at.bytes_(first))[:2] == (410, "gone")
        assert await at.tally() == {"E": 1}
        told = await at.journal(first, "H13.31")
        assert (told["asked"], told["agreed"]) == (1, 1)


async def test_a_recipient_may_refuse_and_be_asked_again(shared_server, province):
    """16 moves nothing, and stands against a late 15; a new revoke is a new request."""
    async with desk(shared_server) as at:
        said = signed(province)
        first = await at.sent(said)
        await at.say(first, "03")
        await at.sent(revoking(said))
        await at.say(first, "16", reason="Đã giải quyết")
        seen = await at.told(first)
        assert (seen["state"], seen["request"]["answer"]) == ("registered", "refused")
        await at.say(first, "15")
        assert ((await at.told(first))["state"], await at.request(first)) == (
            "registered",
            ("revoke", "refused"),
        )
        assert (await at.bytes_(first))[0] == 200
        again = await at.sent(revoking(said))
        seen = await at.told(first)
        assert (seen["request"]["letter"], seen["request"]["answer"]) == (again["letter"], None)
        await at.say(first, "15")
        assert (await at.told(first))["state"] == "withdrawn"
        await at.say(first, "16")
        assert ((await at.told(first))["state"], await at.request(first)) == (
            "withdrawn",
            ("revoke", "agreed"),
        )
        assert await at.tally() == {"E": 1}


async def test_one_letter_meets_every_state_at_once(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32", "H13.33", "H13.34", "H13.35")
        first = await at.sent(said)
        await at.ack(first, "H13.32")
        await at.say(first, "04", "H13.33")
        await at.say(first, "02", "H13.34")
        await at.sent(revoking(said, "H13.35"))
        assert (await at.states(first))["H13.35"] == "withdrawn"
        await at.sent(revoking(said))
        assert await at.states(first) == {
            "H13.31": "withdrawn", "H13.32": "withdrawn", "H13.33": "assigned", "H13.34": "refused", "H13.35": "withdrawn",
        }  # fmt: skip
        asked = {
            code: await at.request(first, code) for code in ("H13.31", "H13.32", "H13.33", "H13.34", "H13.35")
        }
        assert {code for code, request in asked.items() if request} == {"H13.33"}
        assert await at.tally() == {"N": 1, "recalled": 1, "refused": 1}
        # One system acts for all five: what it still holds for one of them it may read.
        assert (await at.bytes_(first))[0] == 200
        await at.say(first, "15", "H13.33")
        await at.say(first, "15", "H13.34")
        assert (await at.states(first))["H13.34"] == "refused"


async def test_a_letter_that_expired_is_withdrawn_too(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        await fetch(
            at.server.dsn,
            """WITH gone AS (UPDATE delivery SET state = 'expired', open = false WHERE letter::text = $1 RETURNING *)
               INSERT INTO journal (agency, id, at, event, letter, delivery, detail)
               SELECT recipient, gen_random_uuid(), now(), 'expired', letter, id, '{}' FROM gone""",
            first["letter"],
        )
        await at.sent(revoking(said))
        assert (await at.told(first))["state"] == "withdrawn"
        assert await at.tally() == {}


# --- what is said of a letter that was withdrawn ----------------------------------------------------------------------


async def test_after_it_nothing_that_a_recipient_says_brings_it_back(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        delivery = (await at.told(first))["id"]
        await at.sent(revoking(said))
        for code in ("02", *REGISTERED):
            assert ((await at.notify(first, code)).problem) == "wrong_state"
        for code in ("01", "15", "16", "13"):
            await at.say(first, code)
        await at.recipient.ack([delivery])
        seen = await at.told(first)
        assert (seen["state"], await at.tally()) == ("withdrawn", {})
        assert [one["code"] for one in seen["statuses"]] == ["01", "15", "16", "13"]


async def test_the_same_bytes_are_one_revocation_and_other_bytes_another(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        raw = write.write(revoking(said))
        answers = await asyncio.gather(*(at.send(raw) for _ in range(6)))
        assert sorted(one.status for one in answers) == [200] * 5 + [201]
        assert len({one.raw for one in answers}) == 1
        assert len(await at.open(about=answers[0].body["receipt"])) == 1
        twice = await at.sent(replace(revoking(said), document_id=answers[0].body["receipt"]["document_id"]))
        assert twice["letter"] != answers[0].body["receipt"]["letter"]
        assert (await at.journal(first, "H13.31"))["withdrawn"] == 1
        assert (await at.told(first))["state"] == "withdrawn"


# --- which letter, and whose ------------------------------------------------------------------------------------------

WAYS = {
    "the document named beside the operation": revoking,
    "the id in the header": lambda said: revoking(said, target_document_id="", document_id=said.document_id),
    "number, notation and day": lambda said: revoking(
        said, target_document_id="", document_id="", number=said.number, notation=said.notation
    ),
    "number, notation and day beside an id of its own": lambda said: revoking(
        said, target_document_id="", number=said.number, notation=said.notation
    ),
    "the old code of its sender": lambda said: replace(
        revoking(said), sender=replace(said.sender, code=OLD["H13.01"])
    ),
    "an id with spaces around it": lambda said: revoking(said, target_document_id=f" {said.document_id} "),
}


@pytest.mark.parametrize("way", WAYS)
async def test_the_target_is_found(shared_server, way):
    async with desk(shared_server) as at:
        said, beside = letter(), letter()
        first, other = await at.sent(said), await at.sent(beside)
        answer = await at.send(WAYS[way](said))
        if way == "number, notation and day":  # an id is mandatory in the header
            assert answer.problem in {"", "findings"}
        else:
            assert answer.status == 201, answer.body
        expected = "waiting" if answer.problem else "withdrawn"
        assert [(await at.told(one))["state"] for one in (first, other)] == [expected, "waiting"]


async def test_the_document_named_goes_before_the_id_in_the_header(shared_server):
    async with desk(shared_server) as at:
        said, beside = letter(), letter()
        first, other = await at.sent(said), await at.sent(beside)
        await at.sent(
            revoking(said, document_id=beside.document_id, number=beside.number, notation=beside.notation)
        )
        assert [(await at.told(one))["state"] for one in (first, other)] == ["withdrawn", "waiting"]


async def test_a_letter_that_is_not_there_or_not_ones_own_is_not_found(shared_server):
    """One answer for all of them, one journal row each, and nothing else."""
    async with desk(shared_server) as at:
        said, mine = letter(), letter(sender="H13.02")
        first, theirs = await at.sent(said), await at.sent(mine)
        notified = await at.say(first, "01")
        before = await at.rows()
        refused = [
            await at.send(revoking(said, target_document_id="no such letter")),
            await at.send(revoking(said, target_document_id=MISSING)),
            await at.send(revoking(said, target_document_id=notified["letter"])),
            await at.send(revoking(said, sender=mine.sender)),
            await at.send(revoking(mine, sender=said.sender)),
            await at.send(revoking(said, target_document_id="", number="99999", notation="CV")),
            await at.send(
                revoking(said, target_document_id="", number=said.number, notation=said.notation, issued_on=TODAY.replace(year=2020))
            ),
        ]  # fmt: skip
        assert {(one.status, one.problem) for one in refused} == {(404, "not_found")}
        after = await at.rows()
        assert after == {**before, "journal": before["journal"] + len(refused)}
        assert [(await at.told(one))["state"] for one in (first, theirs)] == ["arrived", "waiting"]


async def test_another_system_cannot_revoke_even_in_the_senders_name(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        raw = write.write(revoking(said))
        before = await at.rows()
        for client in (at.stranger, at.recipient):
            assert (await client.send(raw)).problem == "not_allowed_to_act"
            assert (await client.send(write.write(revoking(said, sender=replace(said.sender, code="H13.31"))))).status in {
                403, 404,
            }  # fmt: skip
        assert (await at.told(first))["state"] == "waiting"
        assert await at.rows() == {**before, "journal": before["journal"] + 4}
        assert (await at.told(await at.sent(raw)))["state"] == "waiting"  # the revocation's own delivery


async def test_recipients_that_never_had_the_letter_are_named(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32")
        first = await at.sent(said)
        answer = await at.send(revoking(said, "H13.31", "H13.36"))
        assert (answer.status, codes(answer).count("recipient_without_target")) == (201, 1)
        assert "H13.36" in str(answer.body["warnings"])
        assert await at.states(first) == {"H13.31": "withdrawn", "H13.32": "waiting"}
        (line,) = await at.open("H13.36", answer.body["receipt"])
        assert line["operation"] == "revoke"
        before = await at.rows()
        refused = await at.send(revoking(said, "H13.36", "H13.37"))
        assert (refused.status, refused.problem) == (422, "findings")
        assert {(one["severity"], one["code"]) for one in refused.body["findings"]} >= {
            ("error", "recipient_without_target")
        }
        assert await at.rows() == {**before, "journal": before["journal"] + 1}


# --- admission --------------------------------------------------------------------------------------------------------


async def test_signatures_of_a_revocation_are_judged_like_any_letters(shared_server, province):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        before = await at.rows()
        for case, problem in (("forged", "signature_broken"),):
            refused = await at.send(sealed(province, revoking(said, document_id=said.document_id), case))
            assert (refused.status, refused.problem) == (422, problem)
        assert (await at.told(first))["state"] == "waiting"
        assert await at.rows() == {**before, "journal": before["journal"] + 1}
        answer = await at.send(sealed(province, revoking(said, document_id=said.document_id)))
        assert (answer.status, answer.body["requirement"]) == (201, "met")
        judged = (await at.sender.about(answer.body["receipt"]["letter"], "verdicts")).body
        assert {one["indication"] for one in judged["signatures"]} == {"TOTAL_PASSED"}
        assert (await at.told(first))["state"] == "withdrawn"


async def test_a_training_revocation_cannot_touch_a_real_letter_unseen(shared_server):
    """Whatever a test letter may do to a real one, the figures and states still add up."""
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said, test="1")
        await at.ack(first)
        assert await at.tally() == {"test": 1}
        await at.sent(revoking(said), test="1")
        assert (await at.told(first))["state"] == "withdrawn"
        assert await at.tally() == {"test": 1}


# --- at the same moment -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["ack", "03", "02"])
async def test_revoking_at_the_moment_when_a_recipient_acts(shared_server, code):
    """Whichever comes first, the letter ends in one of the two ways, and the figures agree."""
    async with desk(shared_server) as at:
        written = [letter() for _ in range(8)]
        firsts = [await at.sent(said) for said in written]
        ids = [(await at.told(first))["id"] for first in firsts]

        async def act(first, delivery):
            return await (at.recipient.ack([delivery]) if code == "ack" else at.notify(first, code))

        acts = [act(*pair) for pair in zip(firsts, ids, strict=True)]
        revocations = [at.send(revoking(said)) for said in written]
        answers = await asyncio.gather(*(one for pair in zip(acts, revocations, strict=True) for one in pair))
        assert {one.problem for one in answers[1::2]} == {""}
        assert {one.problem for one in answers[0::2]} <= {"", "wrong_state"}
        seen = [await at.told(first) for first in firsts]
        ends = [(one["state"], bool(one["request"])) for one in seen]
        other = {"ack": ("withdrawn", False), "03": ("registered", True), "02": ("refused", False)}[code]
        assert set(ends) <= {("withdrawn", False), other}
        counted = await at.tally()
        if code == "03":
            assert counted.get("N", 0) == ends.count(("registered", True))
        elif code == "02":
            assert counted.get("refused", 0) == ends.count(("refused", False))
        assert sum(counted.values()) <= len(firsts)
