"""Operations through a real server and database: what each does in every state, and the self-check after all of them."""

from itertools import count

import pytest
from faults.load import CODES
from faults.moments import until
from operation_letters import document_id, operation, replaced, update_info
from province import fetch, quick_letter
from rejudging import faults

WORKERS = 2
SENDER, ONE, OTHER, THIRD = "H13.01", "H13.31", "H13.32", "H13"
FOURTH, FIFTH = "H13.41", "H13.31.01"


async def stored(server, raw, sender=SENDER):
    async with server.client(sender) as client:
        answer = await client.send(raw)
    assert answer.status == 201, answer.raw
    return answer.body


async def refused(server, raw, status, code, sender=SENDER):
    async with server.client(sender) as client:
        answer = await client.send(raw)
    assert (answer.status, answer.body.get("code")) == (status, code), answer.raw
    return [one["code"] for one in answer.body.get("findings", [])]


async def rows(server, letter):
    """The deliveries of a letter by code of their recipient."""
    found = await fetch(
        server.dsn,
        """SELECT agency.code, delivery.* FROM delivery JOIN agency ON agency.id = recipient
            WHERE letter = $1::text::uuid""",
        letter,
    )
    return {one["code"]: one for one in found}


async def counted(server, letter):
    """The tally of a letter's deliveries, as they say themselves."""
    return {
        code: (one["counted_class"], one["excluded"]) for code, one in (await rows(server, letter)).items()
    }


SAID = count(1)
"""What is said twice in one second in the same words is said once."""


async def says(server, letter, code, *statuses):
    """One recipient says these statuses of its delivery; nothing means an acknowledgement."""
    one = (await rows(server, letter))[code]
    async with server.client(code) as client:
        for status in statuses or ("ack",):
            if status == "ack":
                answer = await client.ack([str(one["id"])])
            else:
                answer = await client.status(str(one["id"]), status, reason=f"lần {next(SAID)}")
            assert answer.status in (200, 201), answer.raw


async def sent(server, number, recipients=(ONE, OTHER)):
    body = await stored(server, quick_letter(number, recipients=recipients))
    return body["receipt"]["letter"]


def codes(body):
    return [one["code"] for one in body["warnings"]]


async def body_of(server, letter, code):
    async with server.client(code) as client:
        return (await client.body(letter)).status


async def test_a_revocation_withdraws_what_is_not_registered_and_asks_for_what_is(shared_server):
    server = shared_server
    letter = await sent(server, 100, (ONE, OTHER, THIRD, FOURTH))
    await says(server, letter, OTHER)
    await says(server, letter, THIRD, "03")
    await says(server, letter, FOURTH, "02")
    raw = operation("revoke", 100, document_id(100), recipients=(ONE, OTHER, THIRD, FOURTH, FIFTH))
    body = await stored(server, raw)
    assert body["receipt"]["operation"] == "revoke"
    assert "recipient_without_target" in codes(body)
    found = await rows(server, letter)
    assert {code: one["state"] for code, one in found.items()} == {
        ONE: "withdrawn", OTHER: "withdrawn", THIRD: "registered", FOURTH: "refused",
    }  # fmt: skip
    assert await counted(server, letter) == {
        ONE: ("X", "recalled"), OTHER: ("X", "recalled"), THIRD: ("N", None), FOURTH: ("X", "refused"),
    }  # fmt: skip
    assert [await body_of(server, letter, code) for code in (ONE, OTHER, THIRD, SENDER)] == [
        410,
        410,
        200,
        200,
    ]
    assert (found[THIRD]["request"], found[THIRD]["request_answer"]) == ("revoke", None)
    async with server.client(ONE) as client:
        items = (await client.inbox(limit=500)).body["items"]
        shown = {one["operation"] for one in items if one["letter"] in (letter, body["receipt"]["letter"])}
        assert shown == {"revoke"}
        assert (await client.about(letter, "header")).status == 200
    async with server.client() as client:
        again = await client.send(raw)
        assert (again.status, again.body) == (200, body)
    await says(server, letter, THIRD, "16")
    assert (await rows(server, letter))[THIRD]["state"] == "registered"
    await says(server, letter, THIRD, "15")
    assert (await rows(server, letter))[THIRD]["state"] == "registered"
    await stored(server, operation("revoke", 100, document_id(100), recipients=(THIRD,)))
    await says(server, letter, THIRD, "15")
    last = (await rows(server, letter))[THIRD]
    assert (last["state"], last["recalled"], last["counted_class"], last["request_answer"]) == (
        "withdrawn", True, "N", "agreed",
    )  # fmt: skip
    assert await body_of(server, letter, THIRD) == 410
    assert await faults(server) == set()


async def test_what_cannot_be_acted_on_is_refused(shared_server):
    server = shared_server
    await sent(server, 110)
    assert await refused(server, operation("revoke", 111, "nirgends"), 404, "not_found") == []
    foreign = operation("revoke", 110, document_id(110), sender="H13.02", recipients=(ONE,))
    await refused(server, foreign, 404, "not_found", sender="H13.02")
    nobody = operation("revoke", 110, document_id(110), recipients=(THIRD,))
    assert "recipient_without_target" in await refused(server, nobody, 422, "findings")
    assert "nothing_replaced" in await refused(server, operation("replace", 0, "", own=112), 422, "findings")
    lost = operation("replace", 0, "", own=113, more=replaced("nirgends"))
    await refused(server, lost, 404, "not_found")


@pytest.mark.parametrize(
    "before, answer, state, klass",
    [
        ((), "15", "withdrawn", ("X", "recalled")),
        (("ack",), "16", "arrived", ("N", None)),
        (("ack",), "15", "withdrawn", ("X", "recalled")),
        (("03",), "15", "withdrawn", ("N", None)),
        (("06",), "16", "done", ("N", None)),
    ],
)
async def test_a_take_back_asks_and_the_answer_moves(shared_server, before, answer, state, klass):
    server = shared_server
    number = 120 + len(before) * 10 + int(answer) + ord(state[0]) + len(str(klass))
    letter = await sent(server, number, (ONE,))
    if before:
        await says(server, letter, ONE, *before)
    was = (await rows(server, letter))[ONE]
    async with server.client() as client:
        assert (await client.status(str(was["id"]), "13", reason="nhầm")).status == 201
    asked = (await rows(server, letter))[ONE]
    assert (asked["state"], asked["request"]) == (was["state"], "take_back")
    await says(server, letter, ONE, answer)
    found = (await rows(server, letter))[ONE]
    assert found["state"] == state
    assert (await counted(server, letter))[ONE] == klass
    assert await faults(server) == set()


async def test_an_update_restates_adds_and_removes(shared_server):
    server = shared_server
    letter = await sent(server, 200, (ONE, OTHER))
    await says(server, letter, OTHER, "03")
    info = update_info(document=True, added=(THIRD, FOURTH, ONE, "K99"), removed=(FIFTH,))
    raw = operation(
        "update", 200, document_id(200), own=201, more=info, recipients=(ONE, OTHER), subject="V/v sửa"
    )
    body = await stored(server, raw)
    assert codes(body).count("recipient_unchanged") == 2
    assert body["receipt"]["unroutable"] == ["K99"]
    found = await rows(server, letter)
    assert {code: (one["subject"], one["number"]) for code, one in found.items()} == {
        ONE: ("V/v sửa", "201"), OTHER: ("V/v thử", "200"), THIRD: ("V/v sửa", "201"), FOURTH: ("V/v sửa", "201"),
    }  # fmt: skip
    assert found[OTHER]["request"] == "update"
    assert await body_of(server, letter, THIRD) == 200
    await says(server, letter, OTHER, "15")
    assert (await rows(server, letter))[OTHER]["subject"] == "V/v sửa"
    await says(server, letter, THIRD)
    gone = operation(
        "update", 200, document_id(200), own=202, more=update_info(removed=(OTHER, THIRD)), recipients=(ONE,)
    )
    await stored(server, gone)
    found = await rows(server, letter)
    assert (found[THIRD]["state"], found[OTHER]["state"]) == ("withdrawn", "registered")
    await says(server, letter, OTHER, "15")
    assert (await rows(server, letter))[OTHER]["recalled"]
    nothing = await stored(server, operation("update", 200, document_id(200), own=203, recipients=(ONE,)))
    assert "nothing_updated" in codes(nothing)
    assert await faults(server) == set()


async def test_a_replacement_links_old_and_new(shared_server):
    server = shared_server
    letter = await sent(server, 300, (ONE, OTHER, THIRD))
    await says(server, letter, OTHER, "03")
    raw = operation("replace", 0, "", own=301, more=replaced(document_id(300)), recipients=(ONE, OTHER))
    new = (await stored(server, raw))["receipt"]["letter"]
    found = await rows(server, letter)
    assert {code: (one["state"], str(one["replaced_by"])) for code, one in found.items()} == {
        ONE: ("withdrawn", new), OTHER: ("registered", new), THIRD: ("waiting", "None"),
    }  # fmt: skip
    await says(server, new, OTHER, "03")
    await says(server, letter, OTHER, "16")
    assert await counted(server, new) == {ONE: (None, None), OTHER: ("N", None)}
    links = await fetch(
        server.dsn, "SELECT kind, target::text FROM letter_link WHERE letter = $1::text::uuid", new
    )
    assert [tuple(one) for one in links] == [("replaces", letter)]
    async with server.client() as client:
        assert (await client.send(raw)).status == 200
        other = raw.replace("V/v thử".encode(), "V/v khác".encode())
        assert (await client.send(other)).status == 409
    assert await faults(server) == set()


async def test_many_deliveries_are_withdrawn_by_the_relay(shared_server):
    server, recipients = shared_server, CODES[1:102]
    target = quick_letter(400, sender="H13", recipients=recipients)
    letter = (await stored(server, target, "H13"))["receipt"]["letter"]
    raw = operation("revoke", 400, document_id(400, "H13"), sender="H13", recipients=recipients)
    revoke = (await stored(server, raw, "H13"))["receipt"]["letter"]

    async def effected():
        query = "SELECT effected_at IS NOT NULL AS done FROM letter WHERE id = $1::text::uuid"
        return (await fetch(server.dsn, query, revoke))[0]["done"]

    assert await until(effected)
    assert {one["state"] for one in (await rows(server, letter)).values()} == {"withdrawn"}
    lines = await fetch(
        server.dsn,
        "SELECT delivery FROM journal WHERE event = 'withdrawn' AND letter = $1::text::uuid",
        letter,
    )
    assert len(lines) == len({one["delivery"] for one in lines}) == len(recipients)
    assert await faults(server) == set()
