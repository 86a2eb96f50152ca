"""Composed letters over real HTTP: built, judged, delivered, fetched and read back equal; sent again, the same receipt."""

import asyncio
import base64
import hashlib
import io
import json
from random import Random

import aiohttp
import pytest
from province import OLD, fetch, table_counts

from exchange.edxml import attachments, read, view
from exchange.links import sdk

PATH = "/v1/messages:compose"
JSON = "application/json"
SETTINGS = {"CONGVAN_MAX_LETTER_MB": "1"}


@pytest.fixture(scope="module")
def sound(shared_server):
    yield shared_server
    log = shared_server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log
    assert '"event": "internal"' not in log


def signed_pdf(province, number=1):
    """A document that the person and the agency signed, as bytes."""
    (file,) = read.read(province.letter(number)).message.attachments
    return attachments.content(file)


def facts(number, **more):
    return {
        "sender": {"code": "H13.01", "name": "Sở A & B"},
        "recipients": ["H13.02", {"code": OLD["H13.31"], "purpose": "inform"}],
        "number": str(number),
        "notation": "CV-SA",
        "issued_on": "2026-11-21",
        "type_name": "Công văn",
        "subject": "V/v ghép gói tin <thử> 😀",
        "content": "dòng một\ndòng hai",
        "signer": {"position": "Giám đốc", "name": "Nguyễn Văn A"},
        "due_on": "2026-12-01",
        "priority": 1,
        "pages": 2,
        "copies": 0,
        "paper": 0,
        "staff": {"department": "Văn phòng", "mobile": "0900"},
        "response_for": [
            {"code": "H13.02", "reference": "7/CV", "issued_on": "2026-11-01", "document_id": "x"}
        ],
        "to_places": ["Như trên"],
        **more,
    }


def with_files(said, *files):
    listed = [
        {"name": name, "content_type": kind, "data": base64.b64encode(data).decode()}
        for name, kind, data in files
    ]
    return {**said, "files": listed}


def parts(said, *files):
    """The same as multipart/form-data."""
    with aiohttp.MultipartWriter("form-data", boundary="ranh-gioi") as writer:
        writer.append_json(said).set_content_disposition("form-data", name="facts")
        for name, kind, data in files:
            part = writer.append(data, {"Content-Type": kind})
            part.set_content_disposition("form-data", name="file", filename=name)
    return writer


async def post(server, body, *, key="H13.01", language="vi", query="", **headers):
    """One request without the client's courtesies; `key` is an agency's code, or a whole header."""
    given = {"Accept-Language": language, "Content-Type": JSON, **headers}
    body = body() if callable(body) else body
    if key is not None:
        given["Authorization"] = f"Bearer {server.province.key_of(key)}" if key in OLD else key
    if isinstance(body, aiohttp.MultipartWriter):
        given["Content-Type"] = body.headers["Content-Type"]
    data = json.dumps(body, ensure_ascii=False).encode() if isinstance(body, dict) else body
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.post(PATH + query, data=data, headers=given) as response,
    ):
        raw = await response.read()
        return sdk.Answer(status=response.status, raw=raw, body=json.loads(raw), headers=response.headers)


async def refused(server, body, status, code, **given):
    """Refused in both languages, each time with one journal row and nothing else; the findings' codes and places."""
    answers = {}
    for language in ("vi", "en"):
        before = await table_counts(server.dsn)
        answers[language] = await post(server, body, language=language, **given)
        assert (answers[language].status, answers[language].problem) == (status, code), answers[language].raw
        after = await table_counts(server.dsn)
        assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {
            "journal": 1
        }
        (line,) = await fetch(server.dsn, "SELECT * FROM journal ORDER BY at DESC, id DESC LIMIT 1")
        assert (line["event"], line["code"], line["letter"]) == ("refused", code, None)
    assert answers["vi"].body["title"] != answers["en"].body["title"]
    found = [(one["code"], one["path"]) for one in answers["vi"].body["findings"]]
    assert all(one["text"].strip() for one in answers["vi"].body["findings"])
    return found, line


async def test_a_composed_letter_is_delivered_and_read_back_equal(sound, province):
    pdf, sheet = signed_pdf(province), b"a,b\r\n1,2"
    files = (("Văn bản.pdf", "application/pdf", pdf), ("bảng số.csv", "text/csv", sheet))
    said = facts(1)
    async with sound.client("H13.01") as sender, sound.client("H13.31") as recipient:
        answer = await post(sound, with_files(said, *files))
        assert answer.status == 201, answer.raw
        receipt = answer.body["receipt"]
        assert answer.headers["Location"] == f"/v1/messages/{receipt['letter']}"
        assert receipt["document_id"] == "H13.01,2026/11/21,1/CV-SA"
        assert (receipt["sender"], receipt["recipients"]) == ("H13.01", ["H13.02", "H13.31"])
        assert (answer.body["requirement"], answer.body["class_if_electronic"]) == ("met", "E")
        (item,) = [one async for one in recipient.pending("H13.31") if one["letter"] == receipt["letter"]]
        assert (item["purpose"], item["class"], item["urgency"]) == ("inform", "E", 1)
        body = await recipient.body(receipt["letter"])
        assert hashlib.sha256(body.raw).hexdigest() == receipt["sha256"]
        assert (await sender.body(receipt["letter"])).raw == body.raw
        header = (await recipient.about(receipt["letter"], "header")).body
        verdicts = (await recipient.about(receipt["letter"], "verdicts")).body
    reading = read.read(body.raw)
    assert (reading.findings, reading.repaired) == ((), False)
    assert [attachments.content(one) for one in reading.message.attachments] == [pdf, sheet]
    assert [one["name"] for one in header["attachments"]] == ["Văn bản.pdf", "bảng số.csv"]
    for name, fact in said.items():
        if name in {"signer", "staff"}:
            assert {**header[name], **fact} == header[name]
        elif name == "response_for":
            assert {**header[name][0], **fact[0]} == header[name][0]
        elif name not in {"sender", "recipients"}:
            assert header[name] == fact, name
    assert [one["code"] for one in header["recipients"]] == ["H13.02", OLD["H13.31"]]
    assert [one["signer"]["kind"] for one in verdicts["signatures"]] == ["individual", "organisation"]
    assert {one["where"] for one in verdicts["signatures"]} == {"Văn bản.pdf"}


async def test_the_same_said_again_is_a_replay_however_it_is_written(sound):
    files = [("a.pdf", "application/pdf", b"%PDF-1.7 x"), ("b.xlsx", "", b"PK")]
    said = facts(2)
    first = await post(sound, with_files(said, *files))
    turned = {name: said[name] for name in reversed(said)}
    answers = [
        await post(sound, with_files(said, *files)),
        await post(sound, json.dumps(with_files(turned, *files), indent=3).replace("/", "\\/").encode()),
        await post(sound, parts(turned, ("a.pdf", "application/pdf", b"%PDF-1.7 x"), ("b.xlsx", "application/octet-stream", b"PK"))),
    ]  # fmt: skip
    assert [first.status, *(one.status for one in answers)] == [201, 200, 200, 200]
    assert {one.raw for one in answers} == {first.raw}
    other = await post(sound, with_files(facts(2, subject="V/v khác"), *files))
    assert (other.status, other.problem) == (409, "conflict")
    assert other.body["detail"] == first.body["receipt"]["letter"]


async def test_what_the_header_route_tells_makes_the_same_letter(sound, province):
    raw = province.letter(3, recipients=["H13.02"])
    async with sound.client("H13.01") as client:
        sent = await client.send(raw)
        header = (await client.about(sent.body["receipt"]["letter"], "header")).body
    (file,) = read.read(raw).message.attachments
    header.pop("attachments")
    answer = await post(sound, with_files(header, (file.name, file.content_type, attachments.content(file))))
    assert (answer.status, answer.raw) == (200, sent.raw)


async def test_fifty_at_once_are_one_letter(sound):
    body = with_files(facts(4), ("a.pdf", "application/pdf", b"%PDF-"))
    answers = await asyncio.gather(*(post(sound, body) for _ in range(50)))
    assert sorted(one.status for one in answers) == [200] * 49 + [201]
    assert len({one.raw for one in answers}) == 1


async def test_what_is_declared_beside_the_letter_is_as_of_every_letter(sound):
    body = with_files(
        facts(5), ("a.pdf", "application/pdf", b"%PDF-1"), ("b.pdf", "application/pdf", b"%PDF-2")
    )
    answer = await post(sound, body, query="?main=b.pdf&copy=true_copy&paper_reason=listed&test=1")
    (row,) = await fetch(
        sound.dsn,
        "SELECT main_attachment, copy_form, paper_reason, test, purposes FROM letter WHERE id = $1",
        answer.body["receipt"]["letter"],
    )
    assert tuple(row) == ("b.pdf", "true_copy", "listed", True, ["act", "inform"])


FINDINGS = {
    "a fact that is missing": ({"number": ""}, [("fact_missing", "/number")]),
    "a name nobody knows": ({"recipient": "H13.02"}, [("fact_unknown", "/recipient")]),
    "an escape character": ({"subject": "a\x1b[2J"}, [("fact_unwritable", "/subject")]),
    "a zero": ({"content": "a\0"}, [("fact_unwritable", "/content")]),
    "a file name that is a path": (
        {"files": [{"name": "../../etc/passwd", "data": "QQ=="}]},
        [("file_unsafe_name", "/files/0/name")],
    ),
    "bytes that are not base64": (
        {"files": [{"name": "a.pdf", "data": "%%%"}]},
        [("file_not_base64", "/files/0/data")],
    ),
    "two files of one name": (
        {"files": [{"name": "a.pdf", "data": "QQ=="}, {"name": "A.PDF", "data": "Qg=="}]},
        [("file_same_name", "/files/1")],
    ),
    "everything at once": (
        {"number": 1, "issued_on": "x", "files": [{"name": "a.pdf", "data": ""}]},
        [("fact_not_text", "/number"), ("fact_not_day", "/issued_on"), ("file_empty", "/files/0/data")],
    ),
}


@pytest.mark.parametrize("number, name", list(enumerate(FINDINGS, 100)), ids=FINDINGS)
async def test_every_bad_field_is_told_with_its_place(sound, number, name):
    more, expected = FINDINGS[name]
    body = {**facts(number), **more}
    found, line = await refused(sound, body, 422, "findings")
    assert found == expected
    raw = json.dumps(body, ensure_ascii=False).encode()
    assert (line["sha256"], line["size"]) == (hashlib.sha256(raw).digest(), len(raw))
    assert (await post(sound, facts(number))).status == 201


def marked(count):
    """Letters of three bytes each that no database packs into less."""
    dice = Random(count)
    return "".join(chr(dice.randint(0x4E00, 0x9FFE)) for _ in range(count))


async def test_what_a_document_is_known_by_has_a_longest_form(sound):
    longest = marked(666)
    for number, name in ((200, longest), (201, marked(2_000))):
        answer = await post(sound, facts(number, document_id=f"{number % 10}" + name, notation=marked(600)))
        assert answer.status in {201, 422}, answer.raw
        assert (answer.status == 201) == (name == longest)
    ((code, path),) = [
        (one["code"], one["path"]) for one in answer.body["findings"] if one["severity"] == "error"
    ]
    assert (code, path.rpartition("/")[2]) == ("too_long", "DocumentId")
    answer = await post(
        sound, {**facts(202), "number": marked(600), "notation": marked(601), "document_id": "x202"}
    )
    assert answer.status == 201


async def test_half_a_surrogate_pair_is_told_and_not_tripped_over(sound):
    found, _ = await refused(sound, b'{"subject": "\\ud83d", "\\udc00": 1}', 422, "findings")
    assert ("fact_unwritable", "/subject") in found
    assert ("fact_unknown", "/\\udc00") in found


BODIES = {
    "nothing": (400, "bad_request", b"", {}),
    "no JSON": (400, "bad_request", b"{", {}),
    "no object": (400, "bad_request", b"[1]", {}),
    "a name twice": (400, "bad_request", b'{"number": "1", "number": "2"}', {}),
    "edXML": (415, "unsupported_media_type", b"<edXML/>", {"Content-Type": "application/xml"}),
    "a form of another kind": (415, "unsupported_media_type", b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}),
    "a form without a boundary": (400, "bad_request", b"--a--", {"Content-Type": "multipart/form-data"}),
    "a form without facts": (400, "bad_request", b"--a--", {"Content-Type": "multipart/form-data; boundary=a"}),
    "a parameter nobody knows": (400, "bad_request", b"{}", {"query": "?purpose=H13.02:inform"}),
    "a copy of no form": (400, "bad_request", b"{}", {"query": "?copy=photo"}),
    "another digest": (400, "digest_mismatch", b"{}", {"Content-Digest": "sha-256=:" + "A" * 43 + "=:"}),
    "a body over the cap": (413, "too_large", lambda: io.BytesIO(b" " * ((1 << 20) + 1)), {}),
    "files over the cap once encoded": (413, "too_large", lambda: parts(facts(90), ("a.pdf", "", b"%PDF-" + bytes(900_000))), {}),
    "files that with the rest are over the cap": (
        413, "too_large", lambda: parts(facts(91), ("a.pdf", "", b"%PDF-" + bytes(786_420))), {},
    ),
    "a sender nobody knows": (422, "unknown_sender", facts(92, sender="H99.99"), {}),
    "a sender of another system": (403, "not_allowed_to_act", facts(93, sender="H13.31"), {}),
    "recipients nobody knows": (422, "no_routable_recipient", facts(94, recipients=["H99.99"]), {}),
    "an operation on a letter that is not there": (404, "not_found", facts(95, operation="revoke", target_document_id="x"), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_what_is_no_letter_is_refused(sound, name):
    status, code, body, given = BODIES[name]
    await refused(sound, body, status, code, **given)


async def test_almost_the_cap_is_taken(sound):
    answer = await post(sound, parts(facts(96), ("a.zip", "application/zip", b"PK\x05\x06" + bytes(780_000))))
    assert answer.status == 201
    assert 1_000_000 < answer.body["receipt"]["size"] <= 1 << 20


@pytest.mark.parametrize("key", [None, "Basic eDp5", "Bearer cv_x_y"])
async def test_nobody_composes_without_a_key(sound, key):
    before = await table_counts(sound.dsn)
    answer = await post(sound, facts(97), key=key)
    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert await table_counts(sound.dsn) == before


async def test_a_key_among_the_facts_is_no_key_and_is_not_told_again(sound):
    secret = sound.province.key_of("H13.01")
    answer = await post(sound, {**facts(98), secret: secret}, key=None)
    assert answer.status == 401
    assert secret.encode() not in answer.raw


def test_facts_are_those_of_the_view(province):
    """The names in these tests are the names of `view.facts`."""
    told = view.facts(read.read(province.letter(1)))
    assert set(facts(1)) <= set(told)
