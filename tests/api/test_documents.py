"""One document counts once for each recipient, over HTTP: whatever its letters are called, and whoever sends when."""

import asyncio
from datetime import UTC, date, datetime
from itertools import count

import pytest
from api.test_notices import counted, faults_of, lines_of, notice, rows_of, told
from province import KINDS, fetch

from exchange.edxml import attachments, model, write
from exchange.rules import number_series
from exchange.store import documents, pool
from exchange.tracker import signature_usage
from exchange.tracker import tally as tallies

NUMBERS = count(70_001)
NAMES = count(1)
TODAY = datetime.now(UTC).date()


def document(
    number=None, *, recipients=("H13.31",), file=None, name=None, sender="H13.01", notation="QLT", day=TODAY
):
    """The bytes of a letter with a file, by default a document of its own; `name` makes another DocumentId."""
    number = number or str(next(NUMBERS))
    body = file if file is not None else f"nội dung {number}".encode()
    return write.write(
        model.Letter(
            sender=model.Party(code=sender),
            recipients=tuple(model.Party(code=code) for code in recipients),
            document_id=name or f"{sender},{day:%Y/%m/%d},{number}/{notation},{next(NAMES)}",
            number=number,
            notation=notation,
            issued_on=day,
            type_name="Công văn",
            subject="V/v văn bản gửi hai lần",
            paper=0,
            attachments=(attachments.encode("van_ban.docx", body, "application/msword"),),
        )
    )


@pytest.fixture
async def tally(shared_server):
    """Asks what was counted, by class, since the test began."""
    before = await counted(shared_server)

    async def since():
        now = await counted(shared_server)
        now.subtract(before)
        return {name: n for name, n in now.items() if n}

    return since


async def sent(client, raw, **beside):
    """A letter handed over: its receipt's member and the codes of its warnings about the document."""
    answer = await client.send(raw, **beside)
    assert answer.status == 201, answer.body
    codes = {one["code"]: one["text"] for one in answer.body["warnings"]}
    return answer.body["receipt"], {
        code: text for code, text in codes.items() if code in {"duplicate_number", "document_sent_before"}
    }


async def taken(server, code, receipt):
    """The recipient acknowledges what it has of a letter; that many."""
    async with server.client(code) as recipient:
        ids = [item["id"] async for item in recipient.pending(code) if item["letter"] == receipt["letter"]]
        if ids:
            assert (await recipient.ack(ids)).body["acknowledged"] == ids
        return len(ids)


async def documents_sent(server):
    """M8's denominator: how many documents were sent."""
    connection = await pool.connect(server.dsn)
    try:
        asked = signature_usage.Asked(
            period=tallies.Period(text="ever", first=date(2000, 1, 1), last=date(2199, 12, 31)),
            agencies=None, as_of=datetime.now(UTC),
        )  # fmt: skip
        rows = (
            await signature_usage.signed_documents.counted(connection, None, asked.first, asked.end)
        ).documents
    finally:
        await connection.close()
    return sum(row["n"] for row in rows)


async def test_the_same_bytes_twice_are_one_letter(shared_server, tally):
    raw, before = document(), await documents_sent(shared_server)
    async with shared_server.client() as sender:
        first = await sender.send(raw)
        rows = await rows_of(shared_server)
        again = await sender.send(raw)
        assert (first.status, again.status, first.raw == again.raw) == (201, 200, True)
        assert await rows_of(shared_server) == rows
    await taken(shared_server, "H13.31", first.body["receipt"])
    assert await tally() == {"N": 1}
    assert await documents_sent(shared_server) - before == 1


async def test_the_same_document_under_another_id_is_left_out_where_it_is_held(shared_server, tally):
    number, before = str(next(NUMBERS)), await documents_sent(shared_server)
    keys = shared_server.province
    other = next(code for code in KINDS if keys.key_of(code) not in map(keys.key_of, ("H13.01", "H13.31")))
    async with shared_server.client() as sender:
        first, said = await sent(sender, document(number, file=b"the same"))
        assert said == {}
        await taken(shared_server, "H13.31", first)
        beside = {"recipients": ("H13.31", other), "notation": "qlt", "file": b"the same"}
        again, said = await sent(sender, document(f"0{number} ", **beside))
        assert list(said) == ["document_sent_before"]
        assert first["document_id"] in said["document_sent_before"]
        for code in ("H13.31", other):
            assert await taken(shared_server, code, again) == 1
        held, new = await told(sender, again, "H13.31"), await told(sender, again, other)
    assert (held["class"], new["class"]) == ("X", "N")
    assert [one["event"] for one in held["events"]].count("duplicate") == 1
    assert not [one for one in new["events"] if one["event"] == "duplicate"]
    async with shared_server.client(other) as recipient:
        seen = (await recipient.about(again["letter"], "trace")).body
    assert "duplicate" not in str(seen)
    (line,) = await lines_of(shared_server, again, "duplicate")
    assert line["detail"] == {"of": first["letter"]}
    assert await tally() == {"N": 2, "duplicate": 1}
    assert await documents_sent(shared_server) - before == 1
    assert await faults_of(shared_server) == set()


async def test_a_number_used_twice_is_told_and_counts(shared_server, tally):
    number = str(next(NUMBERS))
    async with shared_server.client() as sender:
        first, _ = await sent(sender, document(number))
        again, said = await sent(sender, document(number, file=b"other content"))
        third, third_said = await sent(sender, document(number, file=b"third", recipients=("H13.02",)))
    assert list(said) == list(third_said) == ["duplicate_number"]
    assert f"{number}/QLT" in said["duplicate_number"]
    assert first["document_id"] in said["duplicate_number"]
    assert first["document_id"] in third_said["duplicate_number"]
    for receipt in (first, again):
        await taken(shared_server, "H13.31", receipt)
    await taken(shared_server, "H13.02", third)
    assert await tally() == {"N": 3}


async def test_one_document_to_three_recipients_in_three_letters(shared_server, tally):
    number, before = str(next(NUMBERS)), await documents_sent(shared_server)
    codes = ("H13.31", "H13.02", "H13.03")
    async with shared_server.client() as sender:
        for code in codes:
            receipt, said = await sent(sender, document(number, recipients=(code,)))
            assert said == {}
            await taken(shared_server, code, receipt)
    assert await tally() == {"N": 3}
    assert await documents_sent(shared_server) - before == 1


async def test_a_second_round_after_full_refusal_counts(shared_server, tally):
    number, before = str(next(NUMBERS)), await documents_sent(shared_server)
    name = f"H13.01,vòng hai,{number}"
    async with shared_server.client() as sender, shared_server.client("H13.31") as recipient:
        first, _ = await sent(sender, document(number, name=name))
        assert (await recipient.send(notice(name, "02", reason="Sai thể thức"))).status == 201
        second, said = await sent(sender, document(number, name=name, file=b"corrected"))
        assert (first["round"], second["round"], said) == (1, 2, {})
        await taken(shared_server, "H13.31", second)
        assert (await told(sender, second))["class"] == "N"
    assert await tally() == {"N": 1, "refused": 1}
    assert await documents_sent(shared_server) - before == 1


async def test_refused_and_sent_again_under_another_id_counts(shared_server, tally):
    number = str(next(NUMBERS))
    async with shared_server.client() as sender, shared_server.client("H13.31") as recipient:
        first, _ = await sent(sender, document(number))
        assert (await recipient.send(notice(first["document_id"], "02", reason="Trùng"))).status == 201
        again, _ = await sent(sender, document(number))
        await taken(shared_server, "H13.31", again)
    assert await tally() == {"N": 1, "refused": 1}
    assert await faults_of(shared_server) == set()


@pytest.mark.parametrize("code", ["02", "03", "06"])
async def test_what_is_left_out_stays_so_whatever_its_recipient_says(shared_server, tally, code):
    number = str(next(NUMBERS))
    async with shared_server.client() as sender, shared_server.client("H13.31") as recipient:
        first, _ = await sent(sender, document(number))
        again, _ = await sent(sender, document(number))
        assert (await recipient.send(notice(again["document_id"], code, reason="x"))).status == 201
        await taken(shared_server, "H13.31", first)
    assert await tally() == {"N": 1, "duplicate": 1}
    assert await faults_of(shared_server) == set()


async def test_training_makes_no_duplicates_and_is_none(shared_server, tally):
    number = str(next(NUMBERS))
    async with shared_server.client() as sender:
        raws = [document(number) for _ in range(3)]
        receipts = [await sent(sender, raw, test="1") for raw in raws[:2]]
        receipts.append(await sent(sender, raws[2]))
        assert [said for _, said in receipts] == [{}, {}, {}]
        receipts.append(await sent(sender, document(number), test="1"))
    for receipt, _ in receipts:
        await taken(shared_server, "H13.31", receipt)
    assert await tally() == {"N": 1, "test": 3}
    rows = await fetch(
        shared_server.dsn, "SELECT test, first_of_key FROM letter WHERE number_key = $1", number
    )
    assert sorted((row["test"], row["first_of_key"]) for row in rows if not row["test"]) == [(False, True)]
    assert {row["first_of_key"] for row in rows if row["test"]} == {None}


async def test_two_years_are_two_documents(shared_server):
    number = str(next(NUMBERS))
    async with shared_server.client() as sender:
        await sent(sender, document(number, day=date(2025, 12, 31), file=b"a"))
        _, said = await sent(sender, document(number, day=date(2026, 1, 1), file=b"a"))
        assert said == {}
        assert (await sent(sender, document(number, day=date(2026, 1, 2), file=b"b")))[1] != {}


async def test_many_at_the_same_moment_count_once(shared_server, tally):
    """Two workers take them: whatever the order of their commits, one of each document counts."""
    numbers = [str(next(NUMBERS)) for _ in range(6)]
    raws = [document(number) for number in numbers for _ in range(4)]
    async with shared_server.client() as one, shared_server.client() as two:
        answers = await asyncio.gather(*((one if at % 2 else two).send(raw) for at, raw in enumerate(raws)))
    receipts = [answer.body["receipt"] for answer in answers]
    warned = [
        any(one["code"] == "document_sent_before" for one in answer.body["warnings"]) for answer in answers
    ]
    assert warned.count(False) == len(numbers)
    for receipt in receipts:
        await taken(shared_server, "H13.31", receipt)
    assert await tally() == {"N": len(numbers), "duplicate": len(raws) - len(numbers)}
    assert await faults_of(shared_server) == set()


async def test_more_recipients_than_one_commit_takes(shared_server, tally):
    records = await fetch(
        shared_server.dsn,
        "SELECT code FROM agency WHERE code <> 'H13.01' AND kind <> 'system' AND disabled_at IS NULL"
        " AND own_clerk AND code LIKE 'H13%' ORDER BY code LIMIT 130",
    )
    codes = [one["code"] for one in records]
    number = str(next(NUMBERS))
    async with shared_server.client() as sender:
        first, _ = await sent(sender, document(number, recipients=codes[:120]))
        again, said = await sent(sender, document(number, recipients=codes[10:]))
        assert list(said) == ["document_sent_before"]
        for _ in range(600):
            trace = (await sender.about(again["letter"], "trace")).body
            if len(trace["deliveries"]) == len(again["recipients"]):
                break
            await asyncio.sleep(0.05)
    left_out = {one["recipient"] for one in trace["deliveries"] if one["class"] == "X"}
    both = {*first["recipients"]} & {*again["recipients"]}
    assert both <= left_out
    assert len(both) > 100
    assert all(
        one["class"] == "N" for one in trace["deliveries"] if one["recipient"] not in first["recipients"]
    )
    (line,) = await lines_of(shared_server, again, "duplicate")
    assert line["detail"] == {"count": len(both)}
    assert await faults_of(shared_server) == set()


async def test_the_numbers_of_an_issuer_stand_ready(shared_server):
    year = 2011
    async with shared_server.client("H13.02") as sender:
        for number in ("2", "05", "7a", "3/2011"):
            day = date(year, 5, 5)
            notation = "QĐ-X" if "/" in number else "QLT"
            await sent(sender, document(number, sender="H13.02", day=day, notation=notation))
    connection = await pool.connect(shared_server.dsn)
    try:
        (agency,) = await connection.fetch("SELECT id FROM agency WHERE code = 'H13.02'")
        found = await documents.numbers(connection, agency["id"], year)
    finally:
        await connection.close()
    assert {name: sorted(numbers) for name, numbers in found.items()} == {"": ["2", "5", "7A"], "QĐ": ["3"]}
    one = number_series.of(found[""])
    assert ([(gap.first, gap.last) for gap in one.gaps], tuple(one.complete)) == ([(1, 1), (3, 4)], (2, 5))
