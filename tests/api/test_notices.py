"""Notices over real HTTP: in, counted, handed to the one they answer, and kept - whatever their order and number."""

import asyncio
import hashlib
import json
import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from province import OLD, fetch, quick_letter

from exchange.broker import receipts
from exchange.edxml import model, read, write
from exchange.store import pool
from exchange.tracker import check
from exchange.tracker import tally as tallies

AT = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
SECONDS, NUMBERS = count(1), count(1)
MISSING = "01900000-0000-7000-8000-000000000000"
EVER = tallies.Period(text="ever", first=date(2000, 1, 1), last=date(2199, 12, 31))


def letter(*recipients, **other):
    """The bytes of a letter that is a document of its own."""
    return quick_letter(next(NUMBERS), recipients=recipients or ("H13.31",), **other)


def notice(document_id, code, *, sender="H13.31", to="H13.01", reason="", at=None):
    """The bytes of one notice; each has a second of its own, so that no two are the same unless `at` is given."""
    said = model.Notice(
        sender=model.Party(code=sender),
        response_for=model.ResponseFor(code=to, document_id=document_id),
        status=code,
        description=reason,
        at=at or AT + timedelta(seconds=next(SECONDS)),
    )
    return write.write(said)


async def sent(client, raw, **beside):
    """A letter handed over: its receipt's member."""
    answer = await client.send(raw, **beside)
    assert answer.status == 201, answer.body
    return answer.body["receipt"]


async def waiting(client, agency, document):
    """What is open for an agency about one document."""
    return [item async for item in client.pending(agency) if item["document_id"] == document["document_id"]]


async def delivery_of(client, receipt, agency="H13.31"):
    """The id of the open delivery of a letter to an agency."""
    (found,) = [one for one in await waiting(client, agency, receipt) if one["letter"] == receipt["letter"]]
    return found["id"]


async def told(client, receipt, recipient="H13.31"):
    """What the trace tells of one recipient."""
    trace = (await client.about(receipt["letter"], "trace")).body
    (found,) = [one for one in trace["deliveries"] if one["recipient"] == recipient]
    return found


def codes(seen):
    return [one["code"] for one in seen["statuses"]]


async def faults_of(server):
    """What the self-check finds wrong, by code."""
    connection = await pool.connect(server.dsn)
    try:
        key = receipts.load(server.folder / "receipt.key", "")
        result = await check.check(connection, server.folder / "payloads", key)
    finally:
        await connection.close()
    assert result.letters > 0
    return {fault.code for fault in result.faults}


async def rows_of(server):
    """How many rows each table has that a refusal could touch."""
    tables = ("letter", "delivery", "payload", "journal")
    return {name: (await fetch(server.dsn, f"SELECT count(*) AS n FROM {name}"))[0]["n"] for name in tables}


async def lines_of(server, receipt, event):
    """Journal lines of one kind about a letter."""
    return await fetch(
        server.dsn, "SELECT * FROM journal WHERE letter::text = $1 AND event = $2", receipt["letter"], event
    )


async def counted(server):
    """Transfers by class or kind of exclusion; both views must agree."""
    connection = await pool.connect(server.dsn)
    try:
        views = [
            await tallies.count(connection, EVER, view=view, scope="*", agencies=None, as_of=AT)
            for view in ("out", "in")
        ]
    finally:
        await connection.close()
    found = [Counter(one.classes) + Counter(one.excluded) for one in views]
    assert found[0] == found[1]
    return found[0]


@pytest.fixture
async def tally(shared_server):
    """Asks what was counted, by class, since the test began."""
    before = await counted(shared_server)

    async def since():
        now = await counted(shared_server)
        now.subtract(before)
        return {name: n for name, n in now.items() if n}

    return since


async def test_every_status_goes_in_and_comes_out(shared_server, tally):
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        delivery = await delivery_of(recipient, receipt)
        assert (await recipient.ack([delivery])).body["acknowledged"] == [delivery]
        raws = [
            notice(receipt["document_id"], "01"),
            notice(receipt["document_id"], "03", sender=OLD["H13.31"], to=OLD["H13.01"]),
            *(notice(f" {receipt['document_id']} ", code) for code in ("04", "05", "06")),
            notice(receipt["document_id"], "13", sender="H13.01", to="H13.31", reason="Nhầm nơi nhận"),
            notice(receipt["document_id"], "15"),
            notice(receipt["document_id"], "16", reason="Đã xử lý"),
        ]
        answers = [await (sender if b">13<" in raw else recipient).send(raw) for raw in raws]
        assert [one.status for one in answers] == [201] * 8
        for raw, answer in zip(raws, answers, strict=True):
            said = answer.body["receipt"]
            assert (said["operation"], said["document_id"]) == ("status", receipt["document_id"])
            assert (said["sha256"], said["size"]) == (hashlib.sha256(raw).hexdigest(), len(raw))
            assert said["letter"] != receipt["letter"]
            expected = ("H13.01", ["H13.31"]) if b">13<" in raw else ("H13.31", ["H13.01"])
            assert (said["sender"], said["recipients"]) == expected
        seen = await told(sender, receipt)
        assert (seen["state"], codes(seen)) == ("withdrawn", ["01", "03", "04", "05", "06", "13", "15", "16"])
        assert seen["statuses"][5]["text"] == "Nhầm nơi nhận"
        assert [one["from"] for one in seen["statuses"]] == ["H13.31"] * 5 + ["H13.01"] + ["H13.31"] * 2
        assert seen["statuses"][0]["at"].startswith("2026-11-21T08:00:")
        happened = [
            "accepted",
            "arrived",
            *["status"] * 6,
            "asked",
            "status",
            "agreed",
            "withdrawn",
            "status",
        ]
        assert [one["event"] for one in seen["events"]] == happened
        assert (await told(recipient, receipt)) == seen
        items = await waiting(sender, "H13.01", receipt)
        shown = {(one["kind"], one["operation"], one["document_id"], one["sender"]) for one in items}
        assert shown == {("notice", "status", receipt["document_id"], "H13.31")}
        assert {(await sender.body(one["letter"])).raw for one in items} == {*raws[:5], *raws[6:]}
        assert (await recipient.body(items[0]["letter"])).raw == raws[0]
        header = (await sender.about(items[0]["letter"], "header")).body
        assert (header["kind"], header["status"]) == ("notice", "01")
        acked = await sender.ack([one["id"] for one in items])
        assert len(acked.body["acknowledged"]) == 7
        (back,) = await waiting(recipient, "H13.31", receipt)
        assert (back["kind"], back["status"], back["sender"]) == ("notice", "13", "H13.01")
        again = await recipient.about(answers[0].body["receipt"]["letter"], "receipt")
        assert again.raw == answers[0].raw
        key = receipts.load(shared_server.folder / "receipt.key", "")
        assert all(receipts.signed(one.raw, key.key.public_key()) for one in answers)
    assert await tally() == {"N": 1}
    assert await faults_of(shared_server) == set()


async def test_the_json_shortcut_writes_the_notice_that_edxml_would(shared_server, tally):
    staff = {
        "department": "Văn thư",
        "name": "Nguyễn Văn Thử",
        "phone": "0900000000",
        "email": "thu@example.vn",
    }
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        delivery = await delivery_of(recipient, receipt)
        said = await recipient.status(delivery, "02", reason="Sai < thẩm quyền", staff=staff, at=AT)
        assert said.status == 201
        mine = await recipient.body(said.body["receipt"]["letter"])
        message = read.read(mine.raw).message
        assert (message.status, message.description, message.at) == ("02", "Sai < thẩm quyền", AT)
        assert message.staff == model.Staff(
            department="Văn thư", name="Nguyễn Văn Thử", mobile="0900000000", email="thu@example.vn"
        )
        assert message.response_for.reference.endswith("/CV")
        again = [
            await recipient.status(delivery, "02", reason="Sai < thẩm quyền", staff=staff, at=AT),
            await recipient.send(mine.raw),
            await recipient.send(write.write(message)),
        ]
        assert [(one.status, one.raw) for one in again] == [(200, said.raw)] * 3
        seen = await told(sender, receipt)
        assert (seen["id"], seen["state"], seen["class"], codes(seen)) == (delivery, "refused", "X", ["02"])
        took = await sender.status(seen["id"], "13", reason="Gửi nhầm")
        assert (took.status, took.body["receipt"]["recipients"]) == (201, ["H13.31"])
        assert codes(await told(sender, receipt)) == ["02", "13"]
    assert await tally() == {"refused": 1}
    assert await faults_of(shared_server) == set()


async def test_bodies_that_are_no_status_are_refused_and_change_nothing(shared_server):
    bodies = (
        b"", b"[]", b"nonsense", b"[" * 60_000, b'{"code": 2}', b'{"code": "02", "reason": []}', b'{"code":"01","staff":"x"}',
        b'{"code":"01","staff":{"name":1}}', b'{"code":"01","at":"yesterday"}', b'{"code":"01","at":"2026-11-21T08:00:00"}',
        b'{"code":"01","at":"0001-01-01T00:00:00+14:00"}', b'{"code":"01","at":"9999-12-31T23:59:59-12:00"}',
        b'{"code":"02","reason":"nul \\u0000"}', b'{"code":"02","reason":"half \\ud800"}',
    )  # fmt: skip
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        delivery = await delivery_of(recipient, receipt)
        before = await rows_of(shared_server)
        path = f"/v1/deliveries/{delivery}/status"
        kind = {"Content-Type": "application/json"}
        answers = [await recipient.ask("POST", path, data=body, headers=kind) for body in bodies]
        assert [(one.status, one.problem) for one in answers] == [(400, "bad_request")] * len(bodies)
        large = await recipient.ask("POST", path, data=b" " * 70_000, headers=kind)
        assert (large.status, large.problem) == (413, "too_large")
        for code in ("", "07", "99", "ack", "1 3"):
            assert (await recipient.status(delivery, code)).problem == "findings"
        assert (await told(sender, receipt))["state"] == "waiting"
    after = await rows_of(shared_server)
    assert after == {**before, "journal": before["journal"] + len(bodies) + 6}
    assert await faults_of(shared_server) == set()


async def test_strangers_get_the_404_of_a_letter_that_does_not_exist(shared_server):
    """Not a recipient, not the sender, or not allowed to act: one answer, one journal row, nothing else."""
    async with (
        shared_server.client("H13.01") as sender,
        shared_server.client("H13.31") as recipient,
        shared_server.client("H13.14.51") as stranger,
        shared_server.client("H13") as other,
    ):
        receipt = await sent(sender, letter())
        delivery = await delivery_of(recipient, receipt)
        before = await rows_of(shared_server)
        name = receipt["document_id"]
        refused = [
            await stranger.send(notice("no such letter", "01", sender="H13.14.51")),
            await stranger.send(notice(name, "01", sender="H13.14.51")),
            await stranger.send(notice(name, "01", sender="H13.31")),
            await other.send(notice(name, "13", sender="H13.01", to="H13.31")),
            await other.send(notice(name, "13", sender="H13", to="H13.31")),
            await recipient.send(notice(name, "13", sender="H13.31", to="H13.01")),
            await recipient.send(notice(name, "03", sender="H13.31", to="H13.02")),
            await recipient.send(notice(name, "03", sender="H13.32", to="H13.01")),
            await recipient.send(notice(name, "03", sender="H13.31", to="H99.99")),
            await recipient.send(notice(name, "03", sender="H99.99", to="H13.01")),
            await sender.send(notice(name, "03", sender="H13.01", to="H13.01")),
            await sender.send(notice(name, "13", sender="H13.01", to="H13.32")),
            await stranger.status(delivery, "03"),
            await stranger.status(delivery, "13"),
            await sender.status(delivery, "03"),
            await recipient.status(delivery, "13"),
            await recipient.status(MISSING, "03"),
            await recipient.status("nonsense", "03"),
        ]
        shown = [{k: v for k, v in one.body.items() if k != "request_id"} for one in refused]
        assert [one.status for one in refused] == [404] * len(refused)
        assert all(one == shown[0] for one in shown)
        assert (await told(sender, receipt))["state"] == "waiting"
    after = await rows_of(shared_server)
    assert after == {**before, "journal": before["journal"] + len(refused)}
    assert await faults_of(shared_server) == set()


async def test_a_refusal_needs_its_reason(shared_server):
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        delivery = await delivery_of(recipient, receipt)
        for answer in (
            await recipient.send(notice(receipt["document_id"], "02", reason="  ")),
            await recipient.status(delivery, "02"),
            await recipient.status(delivery, "02", reason=" \n "),
            await recipient.send(notice("no such letter", "02")),
        ):
            assert (answer.status, answer.problem) == (422, "findings")
            assert [one["code"] for one in answer.body["findings"]] == ["reason_missing"]
        assert (await told(sender, receipt))["state"] == "waiting"
    assert await faults_of(shared_server) == set()


async def test_what_the_table_does_not_know_is_wrong_state(shared_server, tally):
    """A letter that was withdrawn is over: what its recipient says of it is refused, and journalled as that."""
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        stand = "UPDATE delivery SET state = $1, open = $2 WHERE letter::text = $3"
        await fetch(shared_server.dsn, stand, "withdrawn", False, receipt["letter"])
        before = await rows_of(shared_server)
        raws = [
            notice(receipt["document_id"], code, reason="Lý do") for code in ("02", "03", "04", "05", "06")
        ]
        answers = [await recipient.send(raw) for raw in raws]
        assert {(one.status, one.problem) for one in answers} == {(409, "wrong_state")}
        assert await rows_of(shared_server) == {**before, "journal": before["journal"] + 5}
        for code in ("01", "13", "15", "16"):
            client, parties = (
                (sender, ("H13.01", "H13.31")) if code == "13" else (recipient, ("H13.31", "H13.01"))
            )
            raw = notice(receipt["document_id"], code, sender=parties[0], to=parties[1])
            assert (await client.send(raw)).status == 201
        seen = await told(sender, receipt)
        assert (seen["state"], codes(seen)) == ("withdrawn", ["01", "13", "15", "16"])
    assert await tally() == {}
    gone = "DELETE FROM {} WHERE {} IN (SELECT id FROM letter WHERE document_id = $1)"
    for table, column in (("delivery", "letter"), ("journal", "letter"), ("payload", "id"), ("letter", "id")):
        await fetch(shared_server.dsn, gone.format(table, column), receipt["document_id"])


async def test_a_refusal_wins_and_what_comes_late_is_kept(shared_server, tally):
    """02 and whatever else, in either order: refused, nothing turned away, nothing forgotten."""
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        for story in (("02", "03", "04", "05", "06"), ("06", "02"), ("02", "06", "02")):
            receipt = await sent(sender, letter())
            for code in story:
                raw = notice(receipt["document_id"], code, reason="Trả lại")
                assert (await recipient.send(raw)).status == 201
            seen = await told(sender, receipt)
            assert (seen["state"], seen["class"], codes(seen)) == ("refused", "X", list(story))
            assert len(await waiting(sender, "H13.01", receipt)) == len(story)
    assert await tally() == {"refused": 3}
    assert await faults_of(shared_server) == set()


NOTICES = st.lists(
    st.sampled_from(["01", "02", "03", "04", "05", "06", "13", "15", "16"]), min_size=2, max_size=7
).filter(lambda codes: not {"13", "15"} <= set(codes))
"""Whether 15 comes before or after 13 decides what becomes of the letter: tests/api/test_operations_take_back.py."""


@settings(max_examples=int(os.environ.get("CONGVAN_EXAMPLES") or 10), deadline=None, derandomize=True)
@given(codes_=NOTICES, data=st.data())
def test_any_permutation_of_notices_ends_alike_with_the_full_history(shared_server, codes_, data):
    """Of one letter to four: in order, in another order, by JSON in a third, and all at once - one state, one class."""
    orders = [codes_, data.draw(st.permutations(codes_)), data.draw(st.permutations(codes_)), codes_]
    again = data.draw(st.sampled_from(range(len(codes_))))
    asyncio.run(ends_alike(shared_server, orders, again))


async def ends_alike(server, orders, again):
    recipients = ("H13.31", "H13.32", "H13.33", "H13.34")
    async with server.client("H13.01") as sender, server.client("H13.31") as recipient:
        receipt = await sent(sender, letter(*recipients))

        async def say(agency, code, delivery=None):
            client, parties = (
                (sender, ("H13.01", agency)) if code == "13" else (recipient, (agency, "H13.01"))
            )
            at = AT + timedelta(seconds=next(SECONDS))
            if delivery:
                asked = [client.status(delivery, code, reason="Lý do", at=at) for _ in range(2)]
            else:
                raw = notice(
                    receipt["document_id"], code, sender=parties[0], to=parties[1], reason="Lý do", at=at
                )
                asked = [client.send(raw) for _ in range(2)]
            answers = [await asked[0], await asked[1]]
            assert [one.status for one in answers] == [201, 200]  # the same again is the same notice

        for agency, order in zip(recipients[:2], orders, strict=False):
            for code in order:
                await say(agency, code)
        delivery = (await told(sender, receipt, recipients[2]))["id"]
        for code in orders[2]:
            await say(recipients[2], code, delivery)
        await asyncio.gather(*(say(recipients[3], code) for code in orders[3]))
        await say(recipients[3], orders[3][again])
        seen = [await told(sender, receipt, one) for one in recipients]
        assert len({(one["state"], one["class"]) for one in seen}) == 1, (orders, seen)
        assert [codes(one) for one in seen[:3]] == orders[:3]
        assert Counter(codes(seen[3])) == Counter([*orders[3], orders[3][again]])
        said = [one for one in orders[0] if one != "13"]
        assert seen[0]["state"] == ("refused" if "02" in said else highest(said))
    assert await faults_of(server) == set()


def highest(said):
    order = ("waiting", "arrived", "registered", "assigned", "in_process", "done")
    reached = {"01": 1, "03": 2, "04": 3, "05": 4, "06": 5}
    return order[max((reached.get(code, 0) for code in said), default=0)]


async def test_repeated_skipped_and_late_notices_are_kept_and_harmless(shared_server, tally):
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        delivery = await delivery_of(recipient, receipt)
        story = ("05", "01", "03", "05", "06", "04", "06", "01")
        for code in story:
            assert (
                await recipient.status(delivery, code, at=AT + timedelta(seconds=next(SECONDS)))
            ).status == 201
        seen = await told(sender, receipt)
        assert (seen["state"], codes(seen)) == ("done", list(story))
        assert await waiting(recipient, "H13.31", receipt) == []
        assert (await recipient.ack([delivery])).body["already"] == [delivery]
        assert seen["arrived_at"] is not None
        assert len(await waiting(sender, "H13.01", receipt)) == len(story)
    assert len(await lines_of(shared_server, receipt, "arrived")) == 1
    assert await tally() == {"N": 1}
    assert await faults_of(shared_server) == set()


async def test_a_first_notice_is_an_arrival_as_an_acknowledgement_is(shared_server, tally):
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        for first in ("01", "02", "03", "06"):
            receipt = await sent(sender, letter())
            delivery = await delivery_of(recipient, receipt)
            raw = notice(receipt["document_id"], first, reason="Lý do")
            assert [(await recipient.send(raw)).status for _ in range(3)] == [201, 200, 200]
            assert await waiting(recipient, "H13.31", receipt) == []
            assert (await recipient.ack([delivery])).body["already"] == [delivery]
            (row,) = await fetch(
                shared_server.dsn, "SELECT * FROM delivery WHERE letter::text = $1", receipt["letter"]
            )
            assert None not in (row["arrived_at"], row["system"])
            assert not row["open"]
            assert codes(await told(sender, receipt)) == [first]
    assert await tally() == {"N": 3, "refused": 1}
    assert await faults_of(shared_server) == set()


async def test_a_counted_transfer_that_is_refused_is_taken_out_of_its_class(shared_server, province, tally):
    """E becomes X refused, in both views, beside other letters that stay."""
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        first = await sent(sender, province.letter(next(NUMBERS), recipients=["H13.31", "H13.32"]))
        for code in ("H13.31", "H13.32"):
            await recipient.ack([await delivery_of(recipient, first, code)])
        assert await tally() == {"E": 2}
        assert (await recipient.send(notice(first["document_id"], "03"))).status == 201
        assert await tally() == {"E": 2}
        assert (await recipient.send(notice(first["document_id"], "02", reason="Trả lại"))).status == 201
        assert await tally() == {"E": 1, "refused": 1}
        seen = await told(sender, first)
        assert (seen["state"], seen["class"]) == ("refused", "X")
        assert (await told(sender, first, "H13.32"))["class"] == "E"
    assert await faults_of(shared_server) == set()


async def test_what_is_never_counted_stays_uncounted_when_refused(shared_server, tally):
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter(), test="1")
        delivery = await delivery_of(recipient, receipt)
        await recipient.ack([delivery])
        assert (await recipient.status(delivery, "02", reason="Thử")).status == 201
        assert (await told(sender, receipt))["state"] == "refused"
    assert await tally() == {"test": 1}
    assert await faults_of(shared_server) == set()


@pytest.mark.parametrize("last", ["06", "02"])
async def test_twenty_notices_and_acknowledgements_at_once(shared_server, tally, last):
    """Over two workers: the highest wins, every notice is kept, the letter is counted once."""
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        delivery = await delivery_of(recipient, receipt)
        kinds = ["01", "03", "04", "05"] * 4 + [last] * 4
        raws = [notice(receipt["document_id"], code, reason="Lý do") for code in kinds]
        asked = [recipient.send(raw) for raw in raws] + [recipient.ack([delivery]) for _ in range(10)]
        answers = await asyncio.gather(*asked, *(recipient.send(raw) for raw in raws[:8]))
        accepted = answers[:20]
        assert {one.problem for one in answers} == {""}
        acks = [one.body for one in answers[20:30]]
        assert all(one["acknowledged"] + one["already"] == [delivery] for one in acks)
        assert sum(len(one["acknowledged"]) for one in acks) <= 1
        seen = await told(sender, receipt)
        assert seen["state"] == ("done" if last == "06" else "refused")
        assert len(seen["statuses"]) == len({one.body["receipt"]["letter"] for one in accepted}) == 20
    assert len(await lines_of(shared_server, receipt, "arrived")) == 1
    assert await tally() == ({"N": 1} if last == "06" else {"refused": 1})
    assert await faults_of(shared_server) == set()


async def test_refusing_and_finishing_at_once_is_a_refusal(shared_server, tally):
    """Whichever comes first; both are kept."""
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        letters = [await sent(sender, letter()) for _ in range(12)]
        raws = [notice(one["document_id"], code, reason="Lý do") for one in letters for code in ("02", "06")]
        await asyncio.gather(*(recipient.send(raw) for raw in raws))
        seen = [await told(sender, one) for one in letters]
    assert {one["state"] for one in seen} == {"refused"}
    assert {tuple(sorted(codes(one))) for one in seen} == {("02", "06")}
    assert await tally() == {"refused": 12}
    assert await faults_of(shared_server) == set()


async def test_a_new_round_opens_only_after_all_refused(shared_server, tally):
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        number = next(NUMBERS)
        raw, other = (
            quick_letter(number, recipients=["H13.31", "H13.32"], subject=text) for text in ("V/v a", "V/v b")
        )
        first = await sent(sender, raw)
        name = first["document_id"]
        late = notice(name, "02", reason="Sai thẩm quyền")
        assert (await recipient.send(late)).status == 201
        assert (await sender.send(other)).problem == "conflict"
        assert (await recipient.send(notice(name, "02", sender="H13.32", reason="Sai"))).status == 201
        assert ((await sender.send(raw)).status, (await sender.send(raw, resend="3")).status) == (200, 200)
        second = await sent(sender, other)
        assert second["round"] == 2
        delivery = await delivery_of(recipient, second)
        replay = await recipient.send(late)
        assert (replay.status, replay.body["receipt"]["round"]) == (200, 1)
        assert (await told(sender, second))["state"] == "waiting"
        answer = await recipient.send(notice(name, "03"))
        assert (answer.status, answer.body["receipt"]["round"]) == (201, 2)
        assert (await told(sender, second))["state"] == "registered"
        assert (await told(sender, first))["state"] == "refused"
        old = (await told(sender, first))["id"]
        late = await recipient.status(old, "03")
        assert (late.status, late.body["receipt"]["round"]) == (201, 1)
        assert (await told(sender, first))["state"] == "refused"
        for agency in ("H13.31", "H13.32"):
            opened = delivery if agency == "H13.31" else await delivery_of(recipient, second, agency)
            assert (await recipient.status(opened, "02", reason="Trả lại", at=AT)).status == 201
        assert (await sender.send(other)).status == 200
        third = await sent(sender, other, resend="3")
        assert third["round"] == 3
        opened = await delivery_of(recipient, third)
        again = await recipient.status(opened, "02", reason="Trả lại", at=AT)
        assert (again.status, again.body["receipt"]["round"]) == (201, 3)
        assert (await told(sender, third))["state"] == "refused"
    assert await tally() == {"refused": 5}
    assert await faults_of(shared_server) == set()


async def test_a_sender_waiting_is_woken_by_a_notice(shared_server):
    async with shared_server.client("H13.01") as sender, shared_server.client("H13.31") as recipient:
        receipt = await sent(sender, letter(sender="H13.03"))
        loop = asyncio.get_running_loop()
        polling = asyncio.create_task(sender.inbox("H13.03", wait=20))
        await asyncio.sleep(0.5)
        started = loop.time()
        await recipient.send(notice(receipt["document_id"], "01", to="H13.03"))
        (item,) = (await polling).body["items"]
        assert (item["kind"], item["status"], item["class"]) == ("notice", "01", "X")
        assert loop.time() - started < 4


SPOILT = {
    "state_differs": "UPDATE delivery SET state = 'assigned' WHERE kind = 'letter'",
    "class_differs": "UPDATE delivery SET counted_class = 'E' WHERE kind = 'letter'",
    "counted_before_arrival": "UPDATE delivery SET counted_class = 'X' WHERE kind = 'notice'",
    "bytes_differ": "UPDATE payload SET body = 'x' WHERE id IN (SELECT id FROM letter WHERE operation = 'status')",
    "notices_without_status": "DELETE FROM journal WHERE event = 'status' AND code = '03'",
    "letters_half_delivered": "DELETE FROM delivery WHERE kind = 'notice'",
    "statuses_without_notice": "DELETE FROM letter WHERE operation = 'status'",
}


async def test_the_self_check_sees_what_is_wrong_with_notices(server):
    """One fault after the other is planted; each is new, and named."""
    async with server.client("H13.01") as sender, server.client("H13.31") as recipient:
        receipt = await sent(sender, letter())
        for code in ("01", "03"):
            await recipient.send(notice(receipt["document_id"], code))
    done = server.congvan("check")
    assert done.returncode == 0, done.stdout + done.stderr
    found = set()
    for fault, statement in SPOILT.items():
        assert fault not in found
        await fetch(server.dsn, statement)
        found = await faults_of(server)
        assert fault in found
    done = server.congvan("check", "--json")
    assert done.returncode == 1
    assert {one["code"] for one in json.loads(done.stdout)["faults"]} == found
