"""Letters over real HTTP: in, found again, delivered, acknowledged - and who may see what."""

import asyncio
import base64
import hashlib
import json

from province import OLD, fetch, quick_letter


async def test_a_letter_goes_from_agency_to_agency(server, province):
    raw = province.letter(1, sender="H13.01", recipients=["H13.31", OLD["H13.32"]])
    async with server.client("H13.01") as sender, server.client("H13.31") as recipient:
        answer = await sender.send(raw, purpose="H13.31:cooperate")
        assert answer.status == 201
        receipt = answer.body["receipt"]
        assert receipt["recipients"] == ["H13.31", "H13.32"]
        assert receipt["sha256"] == hashlib.sha256(raw).hexdigest()
        assert (answer.body["requirement"], answer.body["class_if_electronic"]) == ("met", "E")
        inbox = (await recipient.inbox("H13.31")).body
        assert inbox["more"] is False
        (item,) = inbox["items"]
        assert (item["letter"], item["purpose"], item["class"]) == (receipt["letter"], "cooperate", "E")
        body = await recipient.body(item["letter"])
        assert body.raw == raw
        assert body.headers["ETag"] == f'"{receipt["sha256"]}"'
        acked = (await recipient.ack([item["id"], "nonsense"])).body
        assert acked == {"acknowledged": [item["id"]], "already": [], "unknown": ["nonsense"]}
        assert (await recipient.ack([item["id"]])).body["already"] == [item["id"]]
        assert (await recipient.inbox("H13.31")).body["items"] == []
        trace = (await sender.about(receipt["letter"], "trace")).body
        assert [(one["recipient"], one["state"]) for one in trace["deliveries"]] == [
            ("H13.31", "arrived"),
            ("H13.32", "waiting"),
        ]
        assert [one["event"] for one in trace["deliveries"][0]["events"]] == [
            "accepted",
            "fetched",
            "arrived",
        ]
        again = await sender.about(receipt["letter"], "receipt")
        assert again.raw == answer.raw
        verdicts = (await recipient.about(receipt["letter"], "verdicts")).body
        assert [one["signer"]["kind"] for one in verdicts["signatures"]] == ["individual", "organisation"]
        assert {one["indication"] for one in verdicts["signatures"]} == {"TOTAL_PASSED"}
        header = (await recipient.about(receipt["letter"], "header")).body
        assert "V/v thử" in json.dumps(header, ensure_ascii=False)


async def test_a_recipient_sees_only_its_own_delivery_and_a_stranger_nothing(server):
    raw = quick_letter(1, recipients=["H13.31", "H13.14.51"])
    async with (
        server.client("H13.01") as sender,
        server.client("H13.31") as district,
        server.client("H13") as stranger,
    ):
        letter = (await sender.send(raw)).body["receipt"]["letter"]
        trace = (await district.about(letter, "trace")).body
        assert [one["recipient"] for one in trace["deliveries"]] == ["H13.31"]
        missing = "01900000-0000-7000-8000-000000000000"
        for what in ("", "/header", "/verdicts", "/trace", "/receipt"):
            answers = [await stranger.ask("GET", f"/v1/messages/{one}{what}") for one in (letter, missing)]
            shown = [
                {name: text for name, text in one.body.items() if name != "request_id"} for one in answers
            ]
            assert [one.status for one in answers] == [404, 404]
            assert shown[0] == shown[1]
        assert (await stranger.inbox("H13.31")).problem == "not_allowed_to_act"


async def test_the_same_agency_under_both_codes_is_one_sender(server):
    new, old = quick_letter(1, sender="H13.01"), quick_letter(1, sender=OLD["H13.01"])
    old = old.replace(f"<edXML:DocumentId>{OLD['H13.01']}".encode(), b"<edXML:DocumentId>H13.01")
    async with server.client("H13.01") as client:
        first = await client.send(new)
        second = await client.send(old)
    assert (first.status, second.status, second.problem) == (201, 409, "conflict")
    assert second.body["detail"] == first.body["receipt"]["letter"]


async def test_two_hundred_identical_submits_over_two_workers(server):
    raw = quick_letter(7)
    async with server.client() as client:
        answers = await asyncio.gather(*(client.send(raw) for _ in range(200)))
    assert sorted(one.status for one in answers) == [200] * 199 + [201]
    assert len({one.raw for one in answers}) == 1
    assert [row["n"] for row in await fetch(server.dsn, "SELECT count(*) AS n FROM letter")] == [1]


async def test_two_hundred_different_bodies_under_one_document_id(server):
    bodies = [quick_letter(7, subject=f"V/v {number}") for number in range(200)]
    async with server.client() as client:
        answers = await asyncio.gather(*(client.send(raw) for raw in bodies))
    assert sorted(one.status for one in answers) == [201] + [409] * 199
    winner = next(one.body["receipt"]["letter"] for one in answers if one.status == 201)
    assert {one.body["detail"] for one in answers if one.status == 409} == {winner}
    lines = await fetch(
        server.dsn,
        "SELECT event, code, count(*) AS n FROM journal WHERE event IN ('accepted', 'refused') GROUP BY 1, 2 ORDER BY 1",
    )
    assert [tuple(line) for line in lines] == [("accepted", None, 1), ("refused", "conflict", 199)]


async def test_a_lost_reply_and_a_retry_give_the_same_receipt(server):
    raw = quick_letter(9)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
    head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.province.key_of('H13.01')}\r\nContent-Length: {len(raw)}\r\n\r\n"
    writer.write(head.encode() + raw)
    await writer.drain()
    for _ in range(200):
        if await fetch(server.dsn, "SELECT FROM letter"):
            break
        await asyncio.sleep(0.02)
    writer.transport.abort()  # the answer, if it came, was never read
    assert reader is not None
    async with server.client() as client:
        (row,) = await fetch(server.dsn, "SELECT receipt FROM letter")
        again = await client.send(raw)
    assert (again.status, again.raw) == (200, row["receipt"])


async def test_a_long_poll_is_woken_by_a_letter_sent_through_another_worker(server):
    async with server.client("H13.31") as recipient, server.client("H13.01") as sender:
        loop = asyncio.get_running_loop()
        waiting = asyncio.create_task(recipient.inbox("H13.31", wait=20))
        await asyncio.sleep(0.5)
        started = loop.time()
        await sender.send(quick_letter(1, recipients=["H13.31"]))
        page = (await waiting).body
        assert len(page["items"]) == 1
        assert loop.time() - started < 4  # the sweep comes after 4 s at the earliest: it was the bell


async def test_content_digest_is_checked(server):
    raw = quick_letter(3)
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    async with server.client() as client:
        answer = await client.ask(
            "POST", "/v1/messages", data=raw, headers={"Content-Digest": f"sha-256=:{wrong}:"}
        )
        assert (answer.status, answer.problem) == (400, "digest_mismatch")
        assert (await client.send(raw)).status == 201


async def test_a_letter_to_everybody_is_expanded_exactly(server, province):
    everybody = [code for code in OLD if code != "H13"]
    raw = quick_letter(5, sender="H13", recipients=everybody)
    async with server.client("H13") as client:
        answer = await client.send(raw)
        assert (answer.status, len(answer.body["receipt"]["recipients"])) == (201, 452)
        for _ in range(100):
            (row,) = await fetch(
                server.dsn, "SELECT count(*) AS n, count(DISTINCT recipient) AS d FROM delivery"
            )
            if row["n"] == 452:
                break
            await asyncio.sleep(0.1)
    assert tuple(row) == (452, 452)
