"""Operations on letters of many recipients, done by the relay; and operations that are malformed, huge or hostile."""

import asyncio
from dataclasses import replace

import pytest
from correspondence import SENDER, desk, eventually, letter, replacing, revoking, updating
from province import KINDS, quick_letter

from exchange.edxml import model, write


@pytest.fixture(scope="module")
def shared_server(correspondence_server):
    return correspondence_server


COMMUNES = tuple(sorted(code for code, kind in KINDS.items() if kind in {"commune", "district_unit"}))
MANY = COMMUNES[:101]


async def test_a_letter_of_many_recipients_is_revoked_from_all_of_them_once(shared_server):
    """At once after it was sent, when it may not even be expanded; three had registered another one before."""
    async with desk(shared_server) as at:
        said = letter(*MANY)
        first = await at.sent(said)
        second = await at.sent(revoking(said))
        assert await eventually(lambda: at.states(first), dict.fromkeys(MANY, "withdrawn"))
        await eventually(lambda: _count(at, second), len(MANY))
        assert (await at.journal(first))["withdrawn"] == len(MANY)
        assert await at.tally() == {}


async def test_the_many_that_registered_are_asked_and_the_rest_is_recalled(shared_server):
    async with desk(shared_server) as at:
        said = letter(*MANY)
        first = await at.sent(said)
        await eventually(lambda: _count(at, first), len(MANY))
        registered, taken = MANY[:3], MANY[3:53]
        for code in registered:
            await at.say(first, "03", code)
        ids = [one["id"] for one in (await at.trace(first))["deliveries"] if one["recipient"] in taken]
        assert len((await at.recipient.ack(ids)).body["acknowledged"]) == 50
        assert await at.tally() == {"N": 53}
        await at.sent(revoking(said))
        wanted = {code: "registered" if code in registered else "withdrawn" for code in MANY}
        await eventually(lambda: at.states(first), wanted)
        assert [await at.request(first, code) for code in registered] == [("revoke", None)] * 3
        assert await at.tally() == {"N": 3, "recalled": 50}
        told = await at.journal(first)
        assert (told["withdrawn"], told["asked"]) == (len(MANY) - 3, 3)


async def test_many_are_added_by_one_update(shared_server):
    async with desk(shared_server) as at:
        said = letter(MANY[0])
        first = await at.sent(said)
        await at.sent(updating(said, added=MANY[1:]))
        await eventually(lambda: at.states(first), dict.fromkeys(MANY, "waiting"))
        ids = [one["id"] for one in (await at.trace(first))["deliveries"]]
        assert len((await at.recipient.ack(ids)).body["acknowledged"]) == len(MANY)
        assert await at.tally() == {"N": len(MANY)}


async def test_many_are_replaced_by_one_letter(shared_server):
    async with desk(shared_server) as at:
        said = letter(*MANY)
        first = await at.sent(said)
        second = await at.sent(replacing([(said, ())]))
        await eventually(lambda: at.states(first), dict.fromkeys(MANY, "withdrawn"))
        await eventually(lambda: at.states(second), dict.fromkeys(MANY, "waiting"))
        assert {one["replaced_by"] for one in (await at.trace(first))["deliveries"]} == {second["letter"]}


async def _count(at, about):
    return len((await at.trace(about))["deliveries"])


# --- bad input --------------------------------------------------------------------------------------------------------


def spoilt(raw, old, new):
    assert old in raw, old
    return raw.replace(old, new, 1)


LONG = "a" * 5_000
HOSTILE = (
    "\u202e" + "x" * 40,
    "'; DROP TABLE letter; --",
    "../../etc/passwd",
    "%00",
    "null",
    "Đ" * 400,
    LONG,
    "<x/>",
    "{}",
)


def targets(said):
    """Operations that name their document by hostile texts."""
    for text in HOSTILE:
        yield revoking(said, target_document_id=text)
        yield updating(said, added=["H13.35"], target_document_id=text)
        yield replacing([(replace(said, document_id=text), ())])


def lists(said):
    """Updates and replacements whose lists are odd."""
    yield updating(said, added=["H13.35"] * 50)
    yield updating(said, added=["H13.35"], removed=["H13.35"])
    yield updating(said, removed=["H13.35"] * 50)
    yield updating(said, added=HOSTILE)
    yield updating(said, added=[SENDER])
    yield updating(said, removed=[SENDER])
    yield updating(said, added=["H13.35"], update=model.Update(recipients=True))
    yield updating(said, update=model.Update(receivers=(model.Receiver(code="H13.35", added=True),)))
    yield updating(said, document=True, subject=LONG, number="9" * 300, notation="Đ" * 300)
    yield updating(said, document=True, issued_on=None, issued_on_text="30/02/2026")
    yield replacing([(said, HOSTILE)])
    yield replacing([(said, ["H13.31"])] * 300)
    yield replacing([(said, ()), (said, ())])
    yield revoking(said, "H13.31", *HOSTILE)
    yield revoking(said, *(["H13.31"] * 60))


def shapes(said):
    """Bytes that no writer would make."""
    revoke, update = write.write(revoking(said)), write.write(updating(said, added=["H13.35"]))
    replacement = write.write(replacing([(said, ["H13.31"])]))
    kind = b"BussinessDocType>"
    for code in (b"4", b"-1", b"01", b"1e0", b"\xef\xbc\x91", b" 1 ", b"", b"1 1", b"revoke"):
        yield spoilt(revoke, kind + b"1<", kind + code + b"<")
    yield spoilt(
        revoke,
        b"<edXML:BussinessDocType>1",
        b"<edXML:BussinessDocType>0</edXML:BussinessDocType><edXML:BussinessDocType>1",
    )
    yield spoilt(revoke, b"</edXML:Bussiness>", b"</edXML:Bussiness><edXML:Bussiness></edXML:Bussiness>")
    yield spoilt(revoke, b"<edXML:Bussiness>", b"<edXML:Bussiness><edXML:DocumentId>x</edXML:DocumentId>")
    for way in (b"2", b"", b"-1", b"true", b"added"):
        yield spoilt(update, b"ReceiverType>1<", b"ReceiverType>" + way + b"<")
    for flag in (b"2", b"", b"yes"):
        yield spoilt(update, b"DocumentReceiver>1<", b"DocumentReceiver>" + flag + b"<")
    yield spoilt(update, b"<edXML:ReceiverList>", b"<edXML:ReceiverList><edXML:Receiver/>")
    yield spoilt(replacement, b"<edXML:OrganIdList>", b"<edXML:OrganIdList><edXML:OrganId/>")
    yield spoilt(
        replacement, b"<edXML:ReplacementInfoList>", b"<edXML:ReplacementInfoList><edXML:ReplacementInfo/>"
    )
    for raw in (revoke, update, replacement):
        yield raw[: len(raw) // 2]
        yield raw.replace(b"UTF-8", b"UTF-16", 1)
        yield raw + b"x"
        yield spoilt(raw, b"</edXML:Subject>", b"\x00</edXML:Subject>")
        yield raw.replace(b"H13.01,", b"H13.01\xc3,", 1)
        yield spoilt(raw, b"<edXML:OrganId>H13.01", b"<edXML:OrganId>H99.99")


BAD = {"targets": targets, "lists": lists, "shapes": shapes}
TRIED = {"targets": 27, "lists": 15, "shapes": 41}


@pytest.mark.parametrize("family", BAD)
async def test_bad_input_never_breaks_the_exchange_or_what_it_holds(shared_server, family):
    """Every one is answered by a decision; what was accepted was carried out on its own target and nothing beside it."""
    async with desk(shared_server) as at:
        beside = letter("H13.31", "H13.32")
        other = await at.sent(beside)
        tried = 0
        for number in range(len(list(BAD[family](letter())))):
            said = letter()
            first = await at.sent(said)
            bad = list(BAD[family](said))[number]
            answer = await at.send(bad)
            assert answer.status in {201, 400, 403, 404, 422}, (number, answer.status, answer.body)
            assert answer.problem != "internal"
            seen = await at.states(first)
            if answer.status != 201:
                assert seen == {"H13.31": "waiting"}, (number, answer.body)
            assert seen["H13.31"] in {"waiting", "withdrawn"}
            tried += 1
        assert tried == TRIED[family]
        assert await at.states(other) == {"H13.31": "waiting", "H13.32": "waiting"}
        assert (await at.sent(revoking(beside)))["operation"] == "revoke"
        assert set((await at.states(other)).values()) == {"withdrawn"}


async def test_what_looks_like_an_operation_of_a_notice_is_none(shared_server):
    """A recipient cannot revoke by answering, a sender cannot agree in the recipient's place."""
    async with desk(shared_server) as at:
        said = letter()
        first = await at.sent(said)
        await at.say(first, "13")
        for code in ("15", "16", "03"):
            raw = write.write(
                model.Notice(
                    sender=model.Party(code=SENDER), status=code, description="x",
                    response_for=model.ResponseFor(code="H13.31", document_id=first["document_id"]),
                )
            )  # fmt: skip
            assert (await at.sender.send(raw)).problem == "not_found"
        assert await at.request(first) == ("take_back", None)
        assert (await at.told(first))["state"] == "waiting"


async def test_an_operation_in_flight_harms_no_other_letter(shared_server):
    """Revocations, updates and plain letters at once over two workers: each does what it says."""
    async with desk(shared_server) as at:
        written = [letter("H13.31", "H13.32") for _ in range(12)]
        firsts = [await at.sent(said) for said in written]
        acts = [
            revoking(said) if number % 2 else updating(said, added=["H13.35"])
            for number, said in enumerate(written)
        ]
        plain = [at.sender.send(quick_letter(70_000 + number, recipients=["H13.33"])) for number in range(12)]
        answers = await asyncio.gather(*(at.send(act) for act in acts), *plain)
        assert {one.status for one in answers} == {201}
        for number, first in enumerate(firsts):
            expected = (
                {"H13.31": "withdrawn", "H13.32": "withdrawn"}
                if number % 2
                else {"H13.31": "waiting", "H13.32": "waiting", "H13.35": "waiting"}
            )
            assert await at.states(first) == expected
