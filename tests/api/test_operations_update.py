"""Updating (cập nhật) over real HTTP: recipients added and removed, facts of the header, and what is asked first."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from correspondence import MISSING, TODAY, codes, desk, digest, letter, revoking, sealed, signed, updating
from province import fetch

from exchange.edxml import write


@pytest.fixture(scope="module")
def shared_server(correspondence_server):
    return correspondence_server


FACTS = ("subject", "number", "notation", "issued_on", "type", "urgency")


async def line_of(at, agency, about):
    """The inbox line of one letter."""
    (line,) = await at.open(agency, about)
    return line


async def rows_by_type(at):
    """What the tally holds, by document type and urgency, in each view."""
    rows = await fetch(
        at.server.dsn,
        """SELECT view, document_type, urgency, class, sum(n)::int AS n
             FROM (SELECT view, document_type, urgency, class, n FROM tally_day
                   UNION ALL SELECT view, document_type, urgency, class, n FROM tally_delta) AS facts
            GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0""",
    )
    return {tuple(row)[:4]: row["n"] for row in rows}


# --- recipients -----------------------------------------------------------------------------------------------------------


async def test_an_added_recipient_gets_the_first_letter_as_it_came(shared_server, province):
    """Its bytes, in its round, to be dealt with; counted like any other, answered like any other."""
    async with desk(shared_server) as at:
        said = signed(province)
        first = await at.sent(said)
        await at.ack(first)
        raw = write.write(updating(said, added=["H13.35"]))
        second = (await at.send(raw)).body["receipt"]
        assert second["operation"] == "update"
        assert sorted(second["recipients"]) == ["H13.31", "H13.35"]
        items = await at.open("H13.35")
        shown = {one["letter"]: (one["kind"], one["operation"], one["sha256"]) for one in items}
        assert shown[first["letter"]] == ("letter", "new", first["sha256"])
        assert shown[second["letter"]] == ("letter", "update", digest(raw))
        (line,) = [one for one in items if one["letter"] == first["letter"]]
        assert (line["purpose"], line["class"], line["requirement"]) == ("act", "E", "met")
        assert await at.states(first) == {"H13.31": "arrived", "H13.35": "waiting"}
        assert await at.tally() == {"E": 1}
        await at.ack(first, "H13.35")
        await at.ack(second, "H13.31", "H13.35")
        assert await at.tally() == {"E": 2}
        answer = await at.say(first, "03", "H13.35")
        assert (answer["recipients"], answer["round"]) == (["H13.01"], 1)
        assert await at.states(first) == {"H13.31": "arrived", "H13.35": "registered"}
        assert await at.links(first) == {("updated_by", second["letter"])}
        assert await at.links(second) == {("updates", first["letter"])}
        told = (await at.sender.about(first["letter"], "receipt")).body
        assert told["receipt"]["recipients"] == ["H13.31"]  # what was receipted stays as it was said


async def test_the_bytes_of_the_added_are_those_of_the_first_letter(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13")
        raw = write.write(said)
        first = (await at.send(raw)).body["receipt"]
        assert (await at.bytes_(first))[0] == 404
        await at.sent(updating(said, added=["H13.35"]))
        assert await at.bytes_(first) == (200, "", raw)


async def test_a_removed_recipient_is_told_and_loses_what_it_had_not_registered(shared_server, province):
    async with desk(shared_server) as at:
        said = signed(province, "H13.31", "H13.32", "H13.33")
        first = await at.sent(said)
        await at.ack(first, "H13.31", "H13.32", "H13.33")
        await at.say(first, "03", "H13.33")
        second = await at.sent(updating(said, "H13.31", removed=["H13.32", "H13.33"]))
        assert sorted(second["recipients"]) == ["H13.31", "H13.32", "H13.33"]
        assert await at.states(first) == {"H13.31": "arrived", "H13.32": "withdrawn", "H13.33": "registered"}
        assert await at.request(first, "H13.33") == ("update", None)
        assert await at.tally() == {"E": 2, "recalled": 1}
        assert (await line_of(at, "H13.32", second))["operation"] == "update"
        await at.say(first, "15", "H13.33")
        seen = await at.told(first, "H13.33")
        assert (seen["state"], seen["class"], seen["recalled"]) == ("withdrawn", "E", True)
        assert await at.tally() == {"E": 2, "recalled": 1}


async def test_a_removed_recipient_may_refuse(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32")
        first = await at.sent(said)
        await at.say(first, "05", "H13.32")
        await at.sent(updating(said, removed=["H13.32"]))
        await at.say(first, "16", "H13.32")
        assert (await at.told(first, "H13.32"))["state"] == "in_process"
        assert await at.request(first, "H13.32") == ("update", "refused")


async def test_adding_and_removing_at_once(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32")
        first = await at.sent(said)
        await at.sent(updating(said, added=["H13.34", "H13.35"], removed=["H13.32"]))
        assert await at.states(first) == {
            "H13.31": "waiting", "H13.32": "withdrawn", "H13.34": "waiting", "H13.35": "waiting",
        }  # fmt: skip
        await at.ack(first, "H13.31", "H13.34", "H13.35")
        assert await at.tally() == {"N": 3}


async def test_who_has_it_already_and_who_never_had_it_change_nothing(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32")
        first = await at.sent(said)
        await at.ack(first, "H13.31")
        answer = await at.send(updating(said, added=["H13.31"], removed=["H13.36"]))
        assert (answer.status, codes(answer).count("recipient_unchanged")) == (201, 2)
        assert await at.states(first) == {"H13.31": "arrived", "H13.32": "waiting"}
        assert sorted(answer.body["receipt"]["recipients"]) == ["H13.31", "H13.32", "H13.36"]


async def test_who_was_added_may_be_revoked_from_and_removed_again(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        await at.sent(updating(said, added=["H13.34", "H13.35"]))
        answer = await at.send(revoking(said, "H13.34"))
        assert (answer.status, "recipient_without_target" in codes(answer)) == (201, False)
        await at.sent(updating(said, removed=["H13.35"]))
        assert await at.states(first) == {"H13.31": "waiting", "H13.34": "withdrawn", "H13.35": "withdrawn"}


async def test_an_unknown_agency_in_the_list_is_named_and_the_rest_is_done(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        answer = await at.send(updating(said, added=["X99.99", "H13.35"]))
        assert answer.status == 201
        assert "X99.99" in str(answer.body["warnings"])
        assert (await at.states(first))["H13.35"] == "waiting"


async def test_the_same_bytes_add_once_and_a_second_update_adds_more(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        one = updating(said, added=["H13.35"])
        raw = write.write(one)
        answers = await asyncio.gather(*(at.send(raw) for _ in range(6)))
        assert sorted(answer.status for answer in answers) == [200] * 5 + [201]
        two = await at.sent(replace(updating(said, added=["H13.36"]), document_id=one.document_id))
        assert two["letter"] != answers[0].body["receipt"]["letter"]
        assert set(await at.states(first)) == {"H13.31", "H13.35", "H13.36"}
        assert len(await at.open("H13.35", first)) == 1


async def test_two_updates_at_once_that_add_the_same_agency(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        answers = await asyncio.gather(
            *(at.send(updating(said, added=["H13.35", "H13.36"])) for _ in range(6))
        )
        assert {one.status for one in answers} == {201}
        assert await at.states(first) == dict.fromkeys(("H13.31", "H13.35", "H13.36"), "waiting")
        await at.ack(first, "H13.31", "H13.35", "H13.36")
        assert await at.tally() == {"N": 3}


# --- facts of the header --------------------------------------------------------------------------------------------------


def changed(said):
    """An update of every fact that is shown."""
    return updating(
        said, document=True, subject="V/v đã sửa", number="999", notation="QĐ-SỬA", issued_on=TODAY - timedelta(days=3),
        type_name="Quyết định", priority=2,
    )  # fmt: skip


async def test_facts_change_at_once_for_who_has_not_registered(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32")
        first = await at.sent(said)
        before = {name: (await line_of(at, "H13.31", first))[name] for name in FACTS}
        await at.sent(changed(said))
        line = await line_of(at, "H13.31", first)
        after = {name: line[name] for name in FACTS}
        assert all(after[name] != before[name] for name in FACTS), (before, after)
        assert (line["subject"], line["number"], line["notation"], line["urgency"]) == (
            "V/v đã sửa",
            "999",
            "QĐ-SỬA",
            2,
        )
        assert (line["document_id"], line["sha256"], line["operation"]) == (
            said.document_id,
            first["sha256"],
            "new",
        )
        assert (await at.told(first))["request"] is None
        header = (await at.recipient.about(first["letter"], "header")).body
        assert (header["subject"], header["number"]) == (said.subject, said.number)  # what the bytes say


async def test_facts_change_after_15_for_who_has_registered(shared_server):
    """Seen in the figures, which count by type and urgency: old ones are taken back, new ones added, in both views."""
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32", type_name="Báo cáo")
        first = await at.sent(said)
        await at.say(first, "03", "H13.31")
        await at.say(first, "03", "H13.32")
        start = await rows_by_type(at)
        await at.sent(changed(said))
        assert await at.request(first, "H13.31") == ("update", None)
        assert await rows_by_type(at) == start
        await at.say(first, "16", "H13.32")
        assert await rows_by_type(at) == start
        await at.say(first, "15", "H13.31")
        seen = await at.told(first)
        assert (seen["state"], seen["recalled"], seen["request"]["answer"]) == ("registered", False, "agreed")
        expected = dict(start)
        for view in ("in", "out"):
            for key, n in (((view, "Báo cáo", 0, "N"), -1), ((view, "Quyết định", 2, "N"), 1)):
                expected[key] = expected.get(key, 0) + n
        found = await rows_by_type(at)
        named = {row[1] for row in set(found) - set(start)}
        assert len(named) <= 1, named
        assert sorted(found.values()) == sorted(n for n in expected.values() if n)
        assert await at.tally() == {"N": 2}


async def test_facts_of_what_was_counted_follow_at_once_before_registration(shared_server):
    async with desk(shared_server) as at:
        said = letter(type_name="Báo cáo")
        first = await at.sent(said)
        await at.ack(first)
        start = await rows_by_type(at)
        await at.sent(changed(said))
        found = await rows_by_type(at)
        assert found != start
        assert sum(found.values()) == sum(start.values())
        assert await at.tally() == {"N": 1}
        await at.say(first, "02")
        assert await at.tally() == {"refused": 1}


async def test_the_added_get_the_facts_as_they_are_now(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        await at.sent(changed(said))
        await at.sent(updating(said, added=["H13.35"]))
        assert (await line_of(at, "H13.35", first))["subject"] in {"V/v đã sửa", said.subject}
        await at.ack(first, "H13.35", "H13.31")
        await at.sent(replace(changed(said), recipients=changed(said).recipients))
        assert await at.tally() == {"N": 2}


async def test_facts_and_recipients_in_one_update(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32")
        first = await at.sent(said)
        both = updating(said, document=True, added=["H13.35"], removed=["H13.32"], subject="V/v đã sửa")
        await at.sent(both)
        assert await at.states(first) == {"H13.31": "waiting", "H13.32": "withdrawn", "H13.35": "waiting"}
        assert (await line_of(at, "H13.31", first))["subject"] == "V/v đã sửa"


async def test_a_refused_or_withdrawn_delivery_is_left_alone(shared_server):
    async with desk(shared_server) as at:
        said = letter("H13.31", "H13.32")
        first = await at.sent(said)
        await at.say(first, "02", "H13.31")
        await at.sent(revoking(said, "H13.32"))
        await at.sent(changed(said))
        assert await at.states(first) == {"H13.31": "refused", "H13.32": "withdrawn"}
        assert [await at.request(first, code) for code in ("H13.31", "H13.32")] == [None, None]
        assert await at.tally() == {"refused": 1}


# --- nothing, nobody's ----------------------------------------------------------------------------------------------------


async def test_an_update_of_nothing_is_delivered_and_says_so(shared_server):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        for empty in (updating(said), updating(said, update=None)):
            answer = await at.send(empty)
            assert (answer.status, codes(answer).count("nothing_updated")) == (201, 1)
            assert (await line_of(at, "H13.31", answer.body["receipt"]))["operation"] == "update"
        assert ((await at.told(first))["state"], await at.request(first)) == ("waiting", None)


async def test_only_the_sender_updates_and_only_what_is_there(shared_server):
    async with desk(shared_server) as at:
        said, theirs = letter(), letter(sender="H13.02")
        first, other = await at.sent(said), await at.sent(theirs)
        before = await at.rows()
        refused = [
            await at.send(updating(said, added=["H13.35"], sender=theirs.sender)),
            await at.send(updating(theirs, added=["H13.35"], sender=said.sender)),
            await at.send(updating(said, added=["H13.35"], target_document_id=MISSING)),
        ]
        assert {(one.status, one.problem) for one in refused} == {(404, "not_found")}
        assert await at.rows() == {**before, "journal": before["journal"] + 3}
        assert [set(await at.states(one)) for one in (first, other)] == [{"H13.31"}, {"H13.31"}]


async def test_signatures_of_an_update_are_judged_like_any_letters(shared_server, province):
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        update = updating(said, added=["H13.35"])
        refused = await at.send(sealed(province, update, "forged"))
        assert (refused.status, refused.problem) == (422, "signature_broken")
        assert set(await at.states(first)) == {"H13.31"}
        answer = await at.send(sealed(province, update))
        assert (answer.status, answer.body["requirement"]) == (201, "met")
        assert set(await at.states(first)) == {"H13.31", "H13.35"}
