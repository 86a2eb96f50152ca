"""Replacing (thay thế), and rounds, over real HTTP: the new document, the old one's deliveries, and what links them."""

import asyncio
from dataclasses import replace

import pytest
from correspondence import MISSING, desk, letter, replacing, revoking, sealed, signed

from exchange.edxml import write


@pytest.fixture(scope="module")
def shared_server(correspondence_server):
    return correspondence_server


BOTH = ("H13.31", "H13.32")


async def test_for_two_recipients_one_is_withdrawn_and_one_is_asked(shared_server, province):
    """The new document is counted like any; the old one leaves the class of who had not registered it."""
    async with desk(shared_server) as at:
        said = signed(province, *BOTH)
        first = await at.sent(said)
        await at.ack(first, "H13.31")
        await at.say(first, "03", "H13.32")
        assert await at.tally() == {"E": 2}
        answer = await at.send(sealed(province, replacing([(said, BOTH)])))
        second = answer.body["receipt"]
        assert (answer.status, second["operation"], answer.body["requirement"]) == (201, "replace", "met")
        assert answer.body["class_if_electronic"] == "E"
        assert await at.tally() == {"E": 1, "recalled": 1}
        one, two = [await at.told(first, code) for code in BOTH]
        assert (one["state"], one["class"], one["recalled"], one["replaced_by"]) == (
            "withdrawn", "X", False, second["letter"],
        )  # fmt: skip
        assert (two["state"], two["class"], two["recalled"], two["replaced_by"]) == (
            "registered", "E", False, second["letter"],
        )  # fmt: skip
        assert (two["request"]["kind"], two["request"]["letter"]) == ("replace", second["letter"])
        (line,) = await at.open("H13.32", second)
        assert (line["kind"], line["operation"], line["class"], line["requirement"]) == (
            "letter",
            "replace",
            "E",
            "met",
        )
        await at.ack(second, *BOTH)
        assert await at.tally() == {"E": 3, "recalled": 1}
        await at.say(first, "15", "H13.32")
        two = await at.told(first, "H13.32")
        assert (two["state"], two["class"], two["recalled"], two["request"]["answer"]) == (
            "withdrawn",
            "E",
            True,
            "agreed",
        )
        assert two["replaced_by"] == second["letter"]
        assert await at.tally() == {"E": 3, "recalled": 1}
        assert (await at.bytes_(first))[:2] == (410, "gone")
        assert (await at.bytes_(second))[0] == 200


async def test_a_refused_replacement_keeps_the_link(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        await at.say(first, "04")
        second = await at.sent(replacing([(said, ())]))
        await at.say(first, "16")
        seen = await at.told(first)
        assert (seen["state"], seen["recalled"], seen["request"]["answer"]) == ("assigned", False, "refused")
        assert seen["replaced_by"] == second["letter"]
        assert (await at.bytes_(first))[0] == 200


async def test_an_agency_list_keeps_the_others_out(shared_server):
    async with desk(shared_server) as at:
        said = letter(*BOTH, "H13.33")
        first = await at.sent(said)
        second = await at.sent(replacing([(said, ["H13.32"])], *BOTH))
        assert await at.states(first) == {"H13.31": "waiting", "H13.32": "withdrawn", "H13.33": "waiting"}
        assert set((await at.states(second)).values()) == {"waiting"}
        assert [(await at.told(first, code))["replaced_by"] for code in BOTH] == [None, second["letter"]]


async def test_no_agency_list_means_every_recipient_of_the_new_letter(shared_server):
    async with desk(shared_server) as at:
        said = letter(*BOTH, "H13.33")
        first = await at.sent(said)
        await at.sent(replacing([(said, ())], *BOTH))
        assert await at.states(first) == {"H13.31": "withdrawn", "H13.32": "withdrawn", "H13.33": "waiting"}


async def test_several_documents_by_one(shared_server):
    async with desk(shared_server) as at:
        old = [letter(*BOTH), letter("H13.31"), letter("H13.32")]
        firsts = [await at.sent(one) for one in old]
        second = await at.sent(replacing([(old[0], ["H13.31"]), (old[1], ()), (old[2], ())], *BOTH))
        assert [await at.states(one) for one in firsts] == [
            {"H13.31": "withdrawn", "H13.32": "waiting"}, {"H13.31": "withdrawn"}, {"H13.32": "withdrawn"},
        ]  # fmt: skip
        assert await at.links(second) == {("replaces", one["letter"]) for one in firsts}
        for one in firsts:
            assert ("replaced_by", second["letter"]) in await at.links(one)


async def test_one_unknown_document_is_enough_to_find_none(shared_server):
    """404 for what is not there or somebody else's, 422 for a replacement of nothing: nothing else happens."""
    async with desk(shared_server) as at:
        said, theirs = letter(), letter(sender="H13.02")
        first, other = await at.sent(said), await at.sent(theirs)
        before = await at.rows()
        unknown = replace(said, document_id=MISSING)
        for targets in ([(unknown, ())], [(said, ()), (unknown, ())], [(said, ()), (theirs, ())]):
            refused = await at.send(replacing(targets, sender=said.sender))
            assert (refused.status, refused.problem) == (404, "not_found")
        empty = await at.send(replacing([(said, ())], replaced=()))
        assert (empty.status, empty.problem) == (422, "findings")
        assert ("error", "nothing_replaced") in {
            (one["severity"], one["code"]) for one in empty.body["findings"]
        }
        assert await at.rows() == {**before, "journal": before["journal"] + 4}
        assert [(await at.told(one))["state"] for one in (first, other)] == ["waiting", "waiting"]


async def test_a_replacement_is_a_document_and_may_itself_be_replaced_and_revoked(shared_server):
    async with desk(shared_server) as at:
        one = letter()
        first = await at.sent(one)
        two = replacing([(one, ())])
        second = await at.sent(two)
        three = replacing([(two, ())])
        third = await at.sent(three)
        assert [(await at.told(about))["state"] for about in (first, second, third)] == [
            "withdrawn",
            "withdrawn",
            "waiting",
        ]
        assert await at.links(second) >= {("replaces", first["letter"]), ("replaced_by", third["letter"])}
        await at.ack(third)
        assert await at.tally() == {"N": 1}
        last = await at.sent(revoking(three))
        assert await at.links(third) >= {("replaces", second["letter"]), ("revoked_by", last["letter"])}
        assert ("revokes", third["letter"]) in await at.links(last)
        assert await at.tally() == {"recalled": 1}


async def test_links_are_shown_only_to_who_may_see_the_letter(shared_server):
    """H13 got the old letter alone: it learns nothing of what came after."""
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13")
        first = await at.sent(said)
        second = await at.sent(replacing([(said, ())], "H13.31"))
        assert ("replaced_by", second["letter"]) in await at.links(first, at.recipient)
        assert ("replaces", first["letter"]) in await at.links(second, at.recipient)
        assert await at.links(first, at.stranger) == set()
        assert (await at.sender.about(second["letter"], "trace")).status == 200
        assert (await at.stranger.about(second["letter"], "trace")).status == 404
        (line,) = [one for one in (await at.trace(first))["links"] if one["kind"] == "replaced_by"]
        assert (line["operation"], line["sender"], line["document_id"]) == (
            "replace",
            "H13.01",
            second["document_id"],
        )


async def test_the_same_bytes_replace_once(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        raw = write.write(replacing([(said, ())]))
        answers = await asyncio.gather(*(at.send(raw) for _ in range(6)))
        assert sorted(one.status for one in answers) == [200] * 5 + [201]
        assert (await at.journal(first, "H13.31"))["replaced"] == 1
        assert len(await at.open(about=answers[0].body["receipt"])) == 1


# --- rounds -----------------------------------------------------------------------------------------------------------


async def test_after_a_refusal_other_bytes_open_a_new_round_and_the_same_only_with_resend(shared_server):
    """The old round stays refused and uncounted; the new one is counted."""
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        await at.say(first, "02")
        assert await at.tally() == {"refused": 1}
        same = await at.send(said)
        assert (same.status, same.body["receipt"]["round"]) == (200, 1)
        assert (await at.send(said, resend="3")).status == 200
        second = await at.sent(said, resend="2")
        assert second["round"] == 2
        await at.ack(second)
        assert await at.tally() == {"refused": 1, "N": 1}
        other = replace(said, subject="V/v đã sửa")
        assert (await at.send(other)).problem == "conflict"
        await at.say(second, "02")
        third = await at.sent(other)
        assert third["round"] == 3
        await at.ack(third)
        assert await at.tally() == {"refused": 2, "N": 1}


async def test_a_revocation_finds_the_newest_round_and_leaves_the_older_ones(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        await at.say(first, "02")
        second = await at.sent(replace(said, subject="V/v đã sửa"))
        await at.ack(second)
        await at.sent(revoking(said))
        assert [(await at.told(one))["state"] for one in (first, second)] == ["refused", "withdrawn"]
        assert await at.tally() == {"refused": 1, "recalled": 1}
        third = await at.sent(replace(said, subject="V/v sửa lần nữa"))
        assert third["round"] == 3
        assert (await at.bytes_(second))[:2] == (410, "gone")
        assert (await at.bytes_(third))[0] == 200


async def test_a_round_is_not_over_while_one_recipient_is_only_asked(shared_server):
    async with desk(shared_server) as at:
        said = letter(*BOTH)
        first = await at.sent(said)
        await at.say(first, "03", "H13.31")
        await at.sent(revoking(said))
        other = replace(said, subject="V/v đã sửa")
        assert (await at.send(other)).problem == "conflict"
        await at.say(first, "15", "H13.31")
        assert (await at.sent(other))["round"] == 2


async def test_a_replacement_opens_rounds_like_a_new_letter(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        new = replacing([(said, ())])
        second = await at.sent(new)
        changed = await at.send(replace(new, subject="V/v đã sửa"))
        assert (changed.status, changed.problem) == (409, "conflict")
        await at.say(second, "02")
        third = await at.sent(replace(new, subject="V/v đã sửa"))
        assert third["round"] == 2
        assert (await at.told(first))["state"] == "withdrawn"
