"""What answers what, purposes, copy forms and a leader's remark over real HTTP: who learns of them, and who does not."""

import asyncio
import json
from datetime import UTC, datetime
from itertools import count

import pytest
from clerk import congvan
from province import OLD, fetch

from exchange.edxml import model, write

NUMBERS = count(700_000)
DAY = datetime.now(UTC).date()
SENDER, RECIPIENT, UNIT, SCHOOL = "H13.01", "H13.31", "H13", "H13.31.05.001"
"""Agencies of four kinds, each kind with a system of its own."""
REMARK = "Giao phòng Nội vụ tham mưu trước 30/11 <&> “gấp”"


def letter(sender=SENDER, recipients=(RECIPIENT,), answers=(), number=None, notation="CV", **other):
    """A letter that is a document of its own: the bytes and what another one would name it by."""
    number = number or str(next(NUMBERS))
    made = model.Letter(
        sender=model.Party(code=sender), recipients=tuple(model.Party(code=one) for one in recipients),
        document_id=f"{sender},{number}/{notation}", number=number, notation=notation, issued_on=DAY,
        subject="V/v trả lời", response_for=tuple(answers), **other,
    )  # fmt: skip
    named = model.ResponseFor(
        code=sender, reference=f"{number}/{notation}", issued_on=DAY, document_id=made.document_id
    )
    return write.write(made), named


@pytest.fixture
async def systems(shared_server):
    """A client for each agency's system, by code."""
    clients = {code: shared_server.client(code) for code in (SENDER, RECIPIENT, UNIT, SCHOOL)}
    async with (
        clients[SENDER] as one,
        clients[RECIPIENT] as two,
        clients[UNIT] as three,
        clients[SCHOOL] as four,
    ):
        yield {SENDER: one, RECIPIENT: two, UNIT: three, SCHOOL: four}


async def sent(client, raw, **beside):
    answer = await client.send(raw, **beside)
    assert answer.status == 201, answer.body
    return answer.body["receipt"]["letter"]


async def trace(client, id_):
    answer = await client.about(id_, "trace")
    assert answer.status == 200, answer.body
    return answer.body


async def links(client, id_):
    return {(one["kind"], one["letter"]) for one in (await trace(client, id_))["links"]}


# --- answers ---------------------------------------------------------------------------------------------------------

NAMED = {
    "whole": lambda named: named,
    "id": lambda named: model.ResponseFor(code=named.code, document_id=named.document_id),
    "id-in-other-clothes": lambda named: model.ResponseFor(code=OLD[SENDER], document_id=f"  {named.document_id} "),
    "id-without-agency": lambda named: model.ResponseFor(document_id=named.document_id),
    "id-of-unknown-agency": lambda named: model.ResponseFor(code="X99", document_id=named.document_id),
    "number": lambda named: model.ResponseFor(code=named.code, reference=named.reference, issued_on=DAY),
    "number-with-zero": lambda named: model.ResponseFor(
        code=named.code, reference=f"0{named.reference.lower()}", issued_on=DAY
    ),
    "number-and-an-id-that-nobody-has": lambda named: model.ResponseFor(
        code=named.code, reference=named.reference, issued_on=DAY, document_id="mất"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("first", ["question", "answer"])
async def test_an_answer_is_linked_both_ways(systems, name, first):
    """Also when it comes before what it answers."""
    raw, named = letter()
    answer, _ = letter(RECIPIENT, (SENDER,), [NAMED[name](named)])
    if first == "answer":
        second = await sent(systems[RECIPIENT], answer)
        assert await links(systems[SENDER], second) == set()
    question = await sent(systems[SENDER], raw)
    if first == "question":
        second = await sent(systems[RECIPIENT], answer)
    for code in (SENDER, RECIPIENT):
        assert await links(systems[code], question) == {("answered_by", second)}
        assert await links(systems[code], second) == {("answers", question)}


NOT_NAMED = {
    "other-day": lambda named: model.ResponseFor(code=named.code, reference=named.reference, issued_on=DAY.replace(day=1, month=1)),
    "no-day": lambda named: model.ResponseFor(code=named.code, reference=named.reference),
    "other-agency": lambda named: model.ResponseFor(code=UNIT, reference=named.reference, issued_on=DAY, document_id=named.document_id),
    "other-notation": lambda named: model.ResponseFor(code=named.code, reference=f"{named.reference}-X", issued_on=DAY),
    "longer-number": lambda named: model.ResponseFor(code=named.code, reference=f"1{named.reference}", issued_on=DAY),
    "endless": lambda named: model.ResponseFor(code=named.code, reference="/" * 5_000, document_id=named.document_id * 200, issued_on=DAY),
    "agency-alone": lambda named: model.ResponseFor(code=named.code),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_NAMED)
async def test_what_names_another_document_is_no_link(systems, name):
    raw, named = letter()
    question = await sent(systems[SENDER], raw)
    answer = await sent(systems[RECIPIENT], letter(RECIPIENT, (SENDER,), [NOT_NAMED[name](named)])[0])
    for code in (SENDER, RECIPIENT):
        assert await links(systems[code], question) == set()
        assert await links(systems[code], answer) == set()


async def test_a_chain_is_followed_step_by_step_and_a_circle_is_harmless(systems):
    """a is answered by b, b by c, and a says that it answers c, which was not there yet; d answers itself and b."""
    (a, a_named), (_, c_named) = letter(), letter(number="c" + str(next(NUMBERS)))
    a, a_named = letter(answers=[c_named])
    b, b_named = letter(RECIPIENT, (SENDER,), [a_named])
    c, _ = letter(answers=[b_named], number=c_named.reference.partition("/")[0])
    number = str(next(NUMBERS))
    own = model.ResponseFor(
        code=SENDER, reference=f"{number}/CV", issued_on=DAY, document_id=f"{SENDER},{number}/CV"
    )
    d, _ = letter(answers=[own, b_named], number=number)
    ids = [
        await sent(systems[code], raw)
        for code, raw in ((SENDER, a), (RECIPIENT, b), (SENDER, c), (SENDER, d))
    ]
    found = [await links(systems[RECIPIENT], one) for one in ids]
    assert found == [
        {("answers", ids[2]), ("answered_by", ids[1])},
        {("answers", ids[0]), ("answered_by", ids[2]), ("answered_by", ids[3])},
        {("answers", ids[1]), ("answered_by", ids[0])},
        {("answers", ids[1])},
    ]


async def test_a_number_that_stands_for_two_documents_gives_way_to_the_id(systems):
    number = str(next(NUMBERS))
    one, named = letter(number=number)
    other, _ = letter(number=number)
    other = other.replace(named.document_id.encode(), f"{named.document_id}-2".encode())
    first, second = await sent(systems[SENDER], one), await sent(systems[SENDER], other)
    answer = await sent(systems[RECIPIENT], letter(RECIPIENT, (SENDER,), [named])[0])
    assert await links(systems[RECIPIENT], answer) == {("answers", first)}
    assert await links(systems[RECIPIENT], second) == set()
    by_number = model.ResponseFor(code=SENDER, reference=named.reference, issued_on=DAY)
    both = await sent(systems[RECIPIENT], letter(RECIPIENT, (SENDER,), [by_number])[0])
    assert await links(systems[SENDER], both) == {("answers", first), ("answers", second)}


async def test_rounds_are_one_document(systems):
    """What answers a document is linked with each of its rounds, and leads to the newest one."""
    raw, named = letter()
    first = await sent(systems[SENDER], raw)
    delivery = (await trace(systems[RECIPIENT], first))["deliveries"][0]["id"]
    assert (await systems[RECIPIENT].status(delivery, "02", reason="Sai thể thức")).status == 201
    second = await sent(systems[SENDER], raw.replace(b"V/v", b"Re"))
    answer = await sent(systems[RECIPIENT], letter(RECIPIENT, (SENDER,), [named])[0])
    assert await links(systems[SENDER], answer) == {("answers", second)}
    for one in (first, second):
        assert await links(systems[SENDER], one) == {("answered_by", answer)}


async def test_a_link_tells_what_it_leads_to(systems):
    raw, named = letter()
    question = await sent(systems[SENDER], raw)
    answer, _ = letter(RECIPIENT, (SENDER,), [named], number="15", notation=f"UBND-{next(NUMBERS)}")
    answer = await sent(systems[RECIPIENT], answer)
    ((link), *_) = (await trace(systems[SENDER], question))["links"]
    header = (await systems[SENDER].about(answer, "header")).body
    assert link.pop("at").endswith("+07:00")
    assert link == {
        "kind": "answered_by", "letter": answer, "document_id": header["document_id"], "number": "15",
        "notation": header["notation"], "operation": "new", "sender": RECIPIENT,
    }  # fmt: skip
    notice = await answered_notice(systems, question)
    assert (await trace(systems[SENDER], notice))["links"] == []


async def answered_notice(systems, question):
    delivery = (await trace(systems[RECIPIENT], question))["deliveries"][0]["id"]
    return (await systems[RECIPIENT].status(delivery, "03")).body["receipt"]["letter"]


async def test_what_a_letter_says_it_answers_is_capped(shared_server, systems):
    many = [model.ResponseFor(code=SENDER, document_id=f"không có {number}") for number in range(120)]
    answer = await sent(systems[RECIPIENT], letter(RECIPIENT, (SENDER,), many)[0])
    ((found),) = await fetch(
        shared_server.dsn, "SELECT count(*) AS n FROM letter_answer WHERE letter::text = $1", answer
    )
    assert found["n"] == 50
    assert await links(systems[SENDER], answer) == set()


# --- who may know what ------------------------------------------------------------------------------------------------

ACTORS = (SENDER, RECIPIENT, UNIT, SCHOOL)
FACTS = """
                         H13.01  H13.31  H13      H13.31.05.001
delivery_of_recipient    +       +       -       .
delivery_of_unit         +       -       +       .
purpose_of_recipient     +       +       -       .
purpose_of_unit          +       -       +       .
copy_form                +       +       +       .
remark_of_recipient      -       +       -       .
remark_of_unit           -       -       +       .
shared_remark_of_unit    +       -       +       .
link_to_answer           +       +       -       .
link_to_side_letter      -       +       -       .
link_to_far_letter       -       -       -       .
"""
"""Question of H13.01 to H13.31 and H13; who learns what of its trace, inbox and header (`+`), and who gets 404 (`.`)."""


@pytest.fixture
async def world(systems):
    raw, named = letter(recipients=(RECIPIENT, UNIT))
    purposes = [f"{RECIPIENT}:cooperate", f"{UNIT}:inform"]
    question = await sent(systems[SENDER], raw, purpose=purposes, copy="true_copy")
    items = {}
    for code in (RECIPIENT, UNIT):
        (items[code],) = [one async for one in systems[code].pending(code) if one["letter"] == question]
    said = {
        RECIPIENT: {"remark": "bút phê của huyện"},
        UNIT: {"remark": "bút phê của chi cục"},
    }
    for code, words in said.items():
        assert (await systems[code].status(items[code]["id"], "04", **words)).status == 201
    shared = await systems[UNIT].status(items[UNIT]["id"], "05", remark="lời chuyển lại", share_remark=True)
    assert shared.status == 201
    answer = await sent(systems[RECIPIENT], letter(RECIPIENT, (SENDER,), [named])[0])
    side = await sent(systems[RECIPIENT], letter(RECIPIENT, (SCHOOL,), [named])[0])
    far = await sent(systems[SCHOOL], letter(SCHOOL, ("H13.31.05.002",), [named])[0])
    return question, {"answer": answer, "side": side, "far": far}


async def known(client, code, world):
    """What one system learns of the question, by the names of `FACTS`; None if it is told nothing at all."""
    question, others = world
    answer, header = await client.about(question, "trace"), await client.about(question, "header")
    assert answer.status == header.status
    if answer.status == 404:
        return None
    raw, told = answer.raw.decode(), answer.body
    declared = {one["recipient"]: one["purpose"] for one in header.body["declared"]["purposes"]}
    deliveries = {one["recipient"]: one for one in told["deliveries"]}
    assert {recipient: one["purpose"] for recipient, one in deliveries.items()} == declared
    linked = {one["letter"] for one in told["links"]}
    facts = {
        "delivery_of_recipient": RECIPIENT in deliveries,
        "delivery_of_unit": UNIT in deliveries,
        "purpose_of_recipient": declared.get(RECIPIENT) == "cooperate",
        "purpose_of_unit": declared.get(UNIT) == "inform",
        "copy_form": told["copy"] == header.body["declared"]["copy"] == "true_copy",
        "remark_of_recipient": "bút phê của huyện" in raw,
        "remark_of_unit": "bút phê của chi cục" in raw,
        "shared_remark_of_unit": "lời chuyển lại" in raw,
        **{f"link_to_{name}{'_letter' * (name != 'answer')}": id_ in linked for name, id_ in others.items()},
    }
    return {name for name, seen in facts.items() if seen}


@pytest.mark.parametrize("code", ACTORS)
async def test_who_learns_what(systems, world, code):
    _, *rows = (line.split() for line in FACTS.strip().splitlines())
    cells = {name: cells[ACTORS.index(code)] for name, *cells in rows}
    expected = None if set(cells.values()) == {"."} else {name for name, cell in cells.items() if cell == "+"}
    assert await known(systems[code], code, world) == expected


async def test_who_writes_an_answer_learns_nothing_by_it(systems, world):
    """A stranger may name any document: its own trace does not tell whether there is one."""
    question, others = world
    assert await links(systems[SCHOOL], others["far"]) == set()
    assert await links(systems[SCHOOL], others["side"]) == set()
    assert await links(systems[RECIPIENT], others["side"]) == {("answers", question)}
    raw = (await systems[SCHOOL].about(others["far"], "trace")).raw.decode()
    assert question not in raw


# --- remarks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def delivery(systems):
    """A letter of H13.01 to H13.31: its id and its delivery's."""
    id_ = await sent(systems[SENDER], letter()[0])
    return id_, (await trace(systems[RECIPIENT], id_))["deliveries"][0]["id"]


async def remarks(client, id_):
    (delivery,) = (await trace(client, id_))["deliveries"]
    return [(one["by"], one["detail"]) for one in delivery["events"] if one["event"] == "remark"]


async def test_a_remark_stays_within_the_agency(shared_server, systems, delivery):
    id_, delivery = delivery
    notice = await systems[RECIPIENT].status(delivery, "04", reason="Đã phân công", remark=REMARK)
    assert notice.status == 201
    assert await remarks(systems[RECIPIENT], id_) == [(RECIPIENT, REMARK)]
    assert await remarks(systems[SENDER], id_) == []
    raw = (await systems[SENDER].body(notice.body["receipt"]["letter"])).raw
    assert "Đã phân công".encode() in raw
    assert b"tham m" not in raw
    everything = await fetch(shared_server.dsn, "SELECT * FROM journal WHERE letter::text = $1", id_)
    assert [(line["event"], line["detail"]["text"]) for line in everything if "tham mưu" in str(line)] == [
        ("remark", REMARK)
    ]
    log = shared_server.log.read_text(encoding="utf-8", errors="replace")
    assert "tham m" not in log


async def test_a_remark_goes_out_when_it_is_shared(systems, delivery):
    id_, delivery = delivery
    notice = await systems[RECIPIENT].status(
        delivery, "05", reason="Đang làm", remark=REMARK, share_remark=True
    )
    header = (await systems[SENDER].about(notice.body["receipt"]["letter"], "header")).body
    assert header["description"] == f"Đang làm\n{REMARK}"
    assert header["declared"] is None
    assert await remarks(systems[RECIPIENT], id_) == [(RECIPIENT, REMARK)]
    assert await remarks(systems[SENDER], id_) == []
    (seen,) = (await trace(systems[SENDER], id_))["deliveries"]
    assert [one["text"] for one in seen["statuses"]] == [f"Đang làm\n{REMARK}"]


async def test_a_system_of_both_sides_sees_the_remark_as_the_recipient(systems):
    """H13.02's letter to H13.03 and H13.31: the first two have one system."""
    id_ = await sent(systems[SENDER], letter("H13.02", ("H13.03", RECIPIENT))[0])
    seen = {one["recipient"]: one["id"] for one in (await trace(systems[SENDER], id_))["deliveries"]}
    assert (await systems[SENDER].status(seen["H13.03"], "04", remark="của ta")).status == 201
    assert (await systems[RECIPIENT].status(seen[RECIPIENT], "04", remark="của họ")).status == 201
    told = {
        code: [one["detail"] for each in (await trace(systems[code], id_))["deliveries"] for one in each["events"] if one["event"] == "remark"]
        for code in (SENDER, RECIPIENT)
    }  # fmt: skip
    assert told == {SENDER: ["của ta"], RECIPIENT: ["của họ"]}


async def test_said_again_it_is_there_once(systems, delivery):
    """The same again is the first notice and one remark; other words beside the same notice are a second one."""
    id_, delivery = delivery
    at = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)
    answers = [
        await systems[RECIPIENT].status(delivery, "04", at=at, remark=text)
        for text in ("một", "một", "hai", " một ", "hai")
    ]
    assert [one.status for one in answers] == [201, 200, 200, 200, 200]
    assert len({one.raw for one in answers}) == 1
    assert sorted(await remarks(systems[RECIPIENT], id_)) == [(RECIPIENT, "hai"), (RECIPIENT, "một")]
    together = await asyncio.gather(
        *(systems[RECIPIENT].status(delivery, "05", at=at, remark="ba") for _ in range(6))
    )
    assert {one.status for one in together} <= {200, 201}
    assert len(await remarks(systems[RECIPIENT], id_)) == 3


BAD = {
    "of-the-sender": ({"code": "13", "remark": "x"}, SENDER, 400),
    "too-long": ({"code": "04", "remark": "x" * 2_001}, RECIPIENT, 400),
    "control": ({"code": "04", "remark": "a\u0007b"}, RECIPIENT, 400),
    "null-character": ({"code": "04", "remark": "a\u0000b"}, RECIPIENT, 400),
    "half-a-pair": ({"code": "04", "remark": "a\ud800b"}, RECIPIENT, 400),
    "no-text": ({"code": "04", "remark": 7}, RECIPIENT, 400),
    "list": ({"code": "04", "remark": ["x"]}, RECIPIENT, 400),
    "no-flag": ({"code": "04", "remark": "x", "share_remark": "yes"}, RECIPIENT, 400),
    "number-for-flag": ({"code": "04", "remark": "x", "share_remark": 1}, RECIPIENT, 400),
    "no-reason": ({"code": "02", "remark": "x", "share_remark": True}, RECIPIENT, 422),
    "of-another": ({"code": "04", "remark": "x"}, UNIT, 404),
    "of-the-sender-as-recipient": ({"code": "04", "remark": "x"}, SENDER, 404),
}
GOOD = {
    "longest": {"code": "04", "remark": "ệ" * 2_000},
    "longest-with-space": {"code": "04", "remark": f"  {'x' * 2_000}\n"},
    "lines": {"code": "04", "remark": "một\nhai\tba\r"},
    "blank": {"code": "04", "remark": "  \n"},
    "nothing": {"code": "04", "remark": None, "share_remark": None},
    "flag-alone": {"code": "04", "share_remark": True},
    "take-back-without": {"code": "03", "remark": ""},
}


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_a_remark(shared_server, systems, delivery, name):
    """Refused, once on record, and nothing of it is kept."""
    id_, delivery = delivery
    body, code, status = BAD[name]
    before = await counts(shared_server)
    answer = await systems[code].ask("POST", f"/v1/deliveries/{delivery}/status", json=body)
    assert answer.status == status, answer.body
    after = await counts(shared_server)
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
        "journal": 1
    }
    assert await remarks(systems[RECIPIENT], id_) == []


@pytest.mark.parametrize("name", GOOD)
async def test_what_may_be_a_remark(systems, delivery, name):
    id_, delivery = delivery
    body = GOOD[name]
    answer = await systems[RECIPIENT].ask("POST", f"/v1/deliveries/{delivery}/status", json=body)
    assert answer.status == 201, answer.body
    kept = (body.get("remark") or "").strip()
    assert await remarks(systems[RECIPIENT], id_) == ([(RECIPIENT, kept)] if kept else [])


async def counts(server):
    names = ("letter", "delivery", "journal", "letter_answer")
    return {name: (await fetch(server.dsn, f"SELECT count(*) AS n FROM {name}"))[0]["n"] for name in names}


# --- purposes and copy forms -----------------------------------------------------------------------------------------


async def test_inbox_and_header_tell_purpose_and_form(systems):
    raw, _ = letter(recipients=(RECIPIENT, UNIT))
    id_ = await sent(systems[SENDER], raw, purpose=[f"{OLD[RECIPIENT]}:inform"], copy="extract", main="a.pdf")
    wanted = {RECIPIENT: "inform", UNIT: "act"}
    for code, purpose in wanted.items():
        (item,) = [one async for one in systems[code].pending(code) if one["letter"] == id_]
        assert (item["purpose"], item["copy"]) == (purpose, "extract")
        declared = (await systems[code].about(id_, "header")).body["declared"]
        assert declared["purposes"] == [{"recipient": code, "purpose": purpose}]
    declared = (await systems[SENDER].about(id_, "header")).body["declared"]
    assert {one["recipient"]: one["purpose"] for one in declared.pop("purposes")} == wanted
    assert declared == {"copy": "extract", "main": None, "paper_reason": None, "test": False}


@pytest.mark.parametrize(
    ("purposes", "warned", "holds"),
    [
        ([f"{RECIPIENT}:inform"], [], "inform"),
        ([f"{UNIT}:inform"], ["purpose_without_recipient"], "act"),
        (["X99:inform"], ["purpose_without_recipient"], "act"),
        ([f"{RECIPIENT}:inform", f"{OLD[RECIPIENT]}:cooperate"], ["purpose_twice"], "cooperate"),
        ([f"{RECIPIENT}:inform", f"{OLD[RECIPIENT]}:inform", f"{RECIPIENT}:inform"], [], "inform"),
    ],
    ids=["fine", "no-recipient", "nobody", "two", "the-same"],
)
async def test_a_purpose_that_cannot_hold_is_told(systems, purposes, warned, holds):
    answer = await systems[SENDER].send(letter()[0], purpose=purposes)
    assert answer.status == 201
    told = [one["code"] for one in answer.body["warnings"] if one["code"].startswith("purpose_")]
    assert told == warned
    (delivery,) = (await trace(systems[SENDER], answer.body["receipt"]["letter"]))["deliveries"]
    assert delivery["purpose"] == holds


async def test_one_code_with_two_purposes_is_no_request(systems):
    answer = await systems[SENDER].send(letter()[0], purpose=[f"{RECIPIENT}:inform", f"{RECIPIENT}:act"])
    assert (answer.status, answer.problem) == (400, "bad_request")


# --- for clerks ------------------------------------------------------------------------------------------------------


async def test_the_clerk_reads_links_purposes_and_remarks(shared_server, systems):
    raw, named = letter()
    id_ = await sent(systems[SENDER], raw, purpose=[f"{RECIPIENT}:cooperate"], copy="true_copy")
    delivery = (await trace(systems[RECIPIENT], id_))["deliveries"][0]["id"]
    table = await run(shared_server, "inbox", "--for", RECIPIENT, code=RECIPIENT, COLUMNS="250")
    lines = table.out.splitlines()
    row = next(number for number, line in enumerate(lines) if delivery in line)
    assert "To cooperate" in lines[row], lines[row]
    assert "True copy" in lines[row] + lines[row + 1]
    ran = await run(shared_server, "status", delivery, "04", "--remark", REMARK, "--quiet", code=RECIPIENT)
    assert (ran.code, ran.out) == (0, "")
    answer = await sent(systems[RECIPIENT], letter(RECIPIENT, (SENDER,), [named])[0])
    mine, theirs = [(await run(shared_server, "trace", id_, code=code)).out for code in (RECIPIENT, SENDER)]
    for said in (mine, theirs):
        assert f"{RECIPIENT} · To cooperate · " in said
        assert "Form: True copy" in said
        assert "answered by" in said
        assert answer in said
    assert REMARK in " ".join(mine.split())
    assert "Remark" not in theirs
    shared = await run(
        shared_server,
        "status",
        delivery,
        "05",
        "--remark",
        "gửi cả cho nơi gửi",
        "--share-remark",
        code=RECIPIENT,
    )
    assert shared.code == 0
    assert "gửi cả cho nơi gửi" in (await run(shared_server, "trace", id_, code=SENDER)).out
    body = json.loads((await run(shared_server, "trace", id_, "--json", code=SENDER)).out)
    assert [one["kind"] for one in body["links"]] == ["answered_by"]


async def run(server, *arguments, **given):
    return await asyncio.to_thread(congvan, server, *arguments, **given)


# --- operations ------------------------------------------------------------------------------------------------------


async def test_operations_are_links_for_whom_they_concern(systems):
    """A letter to two, revoked at one: the other learns nothing of it; what replaces is linked with what is replaced."""
    raw, named = letter(recipients=(RECIPIENT, UNIT))
    first = await sent(systems[SENDER], raw)
    old = (await trace(systems[UNIT], first))["deliveries"][0]["id"]
    assert (await systems[UNIT].status(old, "03")).status == 201
    revoke, _ = letter(recipients=(UNIT,), operation="revoke", target_document_id=named.document_id)
    revoke = await sent(systems[SENDER], revoke)
    await settled(systems[SENDER], first, lambda told: any(one["request"] for one in told["deliveries"]))
    assert (
        await links(systems[SENDER], first) == await links(systems[UNIT], first) == {("revoked_by", revoke)}
    )
    assert await links(systems[SENDER], revoke) == await links(systems[UNIT], revoke) == {("revokes", first)}
    other = await trace(systems[RECIPIENT], first)
    assert (other["links"], other["deliveries"][0]["request"]) == ([], None)
    assert revoke not in json.dumps(other)
    (asked,) = (await trace(systems[UNIT], first))["deliveries"]
    assert (asked["request"]["kind"], asked["request"]["letter"], asked["request"]["answer"]) == (
        "revoke",
        revoke,
        None,
    )
    assert [one["by"] for one in asked["events"] if one["event"] == "asked"] == [SENDER]


async def test_who_does_not_get_what_replaces_is_not_told_its_id(systems):
    """The old letter went to two, the new one goes to one of them, and is said to replace it for both."""
    raw, named = letter(recipients=(RECIPIENT, UNIT))
    old = await sent(systems[SENDER], raw)
    said = model.Replacement(document_id=named.document_id, codes=(RECIPIENT, UNIT))
    new = await sent(systems[SENDER], letter(operation="replace", replaced=(said,))[0])
    await settled(systems[SENDER], old, lambda told: all(one["replaced_by"] for one in told["deliveries"]))
    for code, told in ((SENDER, new), (RECIPIENT, new), (UNIT, None)):
        seen = await trace(systems[code], old)
        assert {one["replaced_by"] for one in seen["deliveries"]} == {told}
        assert (new in json.dumps(seen)) is (told is not None)
        assert {one["letter"] for one in seen["links"]} == ({new} if told else set())
    assert await links(systems[RECIPIENT], new) == {("replaces", old)}


async def settled(client, id_, holds):
    """Wait until the effects of an operation show in a letter's trace."""
    for _ in range(100):
        if holds(await trace(client, id_)):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(await trace(client, id_))
