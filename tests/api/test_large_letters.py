"""Letters too large for memory over real HTTP: the same answers as for small ones, and nothing left behind."""

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
import io
import json
import os
import random
import time
import zlib
from datetime import timedelta

import aiohttp
import p7_cases
import pytest
import rejudging
from large_letters import MB, letter, with_encoded
from province import fetch, quick_letter

from exchange import config, texts
from exchange.broker import evidence_check, receipts, recheck
from exchange.demo import letters
from exchange.edxml import attachments, write
from exchange.store import spools

SETTINGS = {"CONGVAN_MAX_LETTER_MB": "40"}
WORKERS = 1
NOISE = random.Random(7).randbytes(18 * MB)
LARGE = ("ban_ve.bin", NOISE)


async def post(server, body, *, code="H13.01", query="", method="POST", **headers):
    """Status and JSON of one answer."""
    body = io.BytesIO(body) if isinstance(body, bytes) else body
    headers = {"Authorization": f"Bearer {server.province.key_of(code)}"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.request(method, f"/v1/messages{query}", data=body, headers=headers) as answer,
    ):
        return answer.status, json.loads(await answer.read())


async def get(server, path, code="H13.02", **headers):
    headers = {
        "Authorization": f"Bearer {server.province.key_of(code)}",
        "Accept-Encoding": "identity",
    } | headers
    async with aiohttp.ClientSession(server.url) as session, session.get(path, headers=headers) as answer:
        return answer.status, answer.headers, await answer.read()


def in_pieces(raw):
    async def pieces():
        for start in range(0, len(raw), MB):
            yield raw[start : start + MB]

    return pieces()


async def emptied(server):
    """Whether nothing stands in the folder for letters that are looked at."""
    for _ in range(100):
        if not list((server.folder / "spool").iterdir()):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_the_way_of_a_large_letter(shared_server):
    raw = letter(1, LARGE, ("phu_luc.txt", b"phu luc"))
    digest = hashlib.sha256(raw).hexdigest()
    status, first = await post(shared_server, raw)
    assert (status, first["receipt"]["sha256"], first["receipt"]["size"]) == (201, digest, len(raw))
    assert await post(shared_server, in_pieces(raw)) == (200, first)
    folded = zlib.compress(raw, 1, 31)
    assert await post(shared_server, folded, Content_Encoding="gzip") == (200, first)
    path = f"/v1/messages/{first['receipt']['letter']}"
    status, headers, body = await get(shared_server, path)
    assert (status, body == raw, headers["ETag"]) == (200, True, f'"{digest}"')
    status, headers, part = await get(shared_server, path, Range=f"bytes=5-{9 * MB}")
    assert (status, part == raw[5 : 9 * MB + 1], headers["Content-Length"]) == (206, True, str(len(part)))
    status, _, told = await get(shared_server, f"{path}/header")
    (bin_, txt) = json.loads(told)["attachments"]
    assert (bin_["size"], bin_["sha256"]) == (len(NOISE), hashlib.sha256(NOISE).hexdigest())
    assert (txt["size"], txt["kind"]) == (7, "text")
    (stored,) = await fetch(shared_server.dsn, "SELECT file, body FROM payload WHERE size = $1", len(raw))
    assert stored["body"] is None
    assert (shared_server.folder / "payloads" / stored["file"]).read_bytes() == raw
    assert await emptied(shared_server)
    status, problem = await post(shared_server, raw.replace(b"phu_luc", b"phu-luc"))
    assert (status, problem["code"]) == (409, "conflict")


def signed(province, number, *files, sender="H13.01"):
    """A letter whose main document is signed by person and agency, with these files beside it."""
    raw = province.letter(number, sender=sender)
    drafted = letters.read_letter(raw)
    (main,) = drafted.attachments
    encoded = tuple(attachments.encode(name, data, "application/octet-stream") for name, data in files)
    return write.write(dataclasses.replace(drafted, attachments=(main, *encoded)))


async def test_files_of_a_large_letter_are_judged_as_those_of_a_small_one(shared_server):
    found = []
    for number, data in ((2, NOISE[:1_000]), (3, NOISE)):
        status, answer = await post(
            shared_server, signed(shared_server.province, number, ("ban_ve.bin", data))
        )
        assert status == 201
        path = f"/v1/messages/{answer['receipt']['letter']}/verdicts"
        verdicts = json.loads((await get(shared_server, path))[2])
        told = [(one["where"], one["indication"], one["signer"]["kind"]) for one in verdicts["signatures"]]
        found.append((answer["requirement"], answer["class_if_electronic"], verdicts["missing"], told))
        (row,) = await fetch(
            shared_server.dsn,
            "SELECT main_sha256, main_attachment FROM letter WHERE id = $1",
            answer["receipt"]["letter"],
        )
        assert row["main_attachment"]
        assert row["main_sha256"]
    assert found[0] == found[1]
    assert found[0][0] == "met"


async def test_a_signature_file_beside_a_large_file(shared_server):
    files = (LARGE, ("ban_ve.bin.p7s", p7_cases.signed(NOISE)), ("khac.bin", NOISE[:100_000]))
    status, answer = await post(shared_server, letter(4, *files))
    assert status == 201
    path = f"/v1/messages/{answer['receipt']['letter']}/verdicts"
    (one,) = json.loads((await get(shared_server, path))[2])["signatures"]
    assert (one["where"], one["format"], one["coverage"]["whole"]) == ("ban_ve.bin", "cades", True)
    assert one["why"] not in ("p7_digest", "p7_content_missing", "p7_other_content")


async def test_a_signed_package_that_is_too_large_is_not_concluded_on(shared_server, tmp_path):
    raw = shared_server.province.letter(5, case="package_signed")
    encoded = base64.b64encode(NOISE)
    grown = raw.replace(
        b"</AttachmentEncoded>",
        b"<Attachment><AttachmentName>a.bin</AttachmentName>"
        b"<ContentTransferEncoded>" + encoded + b"</ContentTransferEncoded></Attachment></AttachmentEncoded>",
    )
    assert len(grown) > 16 * MB
    status, answer = await post(shared_server, grown)
    assert (status, answer["requirement"] == "met") == (201, False)
    path = f"/v1/messages/{answer['receipt']['letter']}/verdicts"
    package = [
        one
        for one in json.loads((await get(shared_server, path))[2])["signatures"]
        if one["where"] == "package"
    ]
    told = [(one["indication"], one["sub_indication"], one["why"]) for one in package]
    why = texts.say("verdict.package_too_large", "vi")
    assert told == [("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", why)]
    path = f"/v1/transfers/{answer['receipt']['letter']}/H13.02/evidence"
    _, _, packed = await get(shared_server, path)
    (tmp_path / "a.zip").write_bytes(packed)
    key = receipts.load(shared_server.folder / "receipt.key", "")
    auditor = evidence_check.Auditor(
        trust_files=config.files(shared_server.province.folder / "trust"),
        expected=[evidence_check.Expected(sha256=key.key_id)],
    )
    found = evidence_check.check(tmp_path / "a.zip", auditor)
    assert ("package", "INDETERMINATE (SIG_CONSTRAINTS_FAILURE)") in [
        (one.where, one.found) for one in found.signatures
    ]
    assert (found.standing, found.contents) == ("sound", True)


ENCODED = base64.b64encode(NOISE)
PLAIN = quick_letter(6)
LETTER = with_encoded(PLAIN, ("a.bin", ENCODED))
REFUSED = {
    "base64 cut short": (with_encoded(PLAIN, ("a.bin", ENCODED[:-1])), 422, "findings", "damaged_bytes"),
    "no base64": (with_encoded(PLAIN, ("a.bin", b"*" * (17 * MB))), 422, "findings", "damaged_bytes"),
    "no bytes": (with_encoded(PLAIN, ("a.bin", ENCODED), ("b.bin", b"")), 422, "findings", "missing_bytes"),
    "two headers": (
        LETTER.replace(b"</edXML:edXMLHeader>", b"<MessageHeader/></edXML:edXMLHeader>"),
        *(422, "findings", "twice"),
    ),
    "a subject twice": (
        LETTER.replace(b"<edXML:Subject>", b"<edXML:SUBJECT>x</edXML:SUBJECT><edXML:Subject>"),
        *(422, "findings", "twice"),
    ),
    "a comment in the base64": (
        with_encoded(PLAIN, ("a.bin", ENCODED[: 4 * MB] + b"<!-- -->" + ENCODED[4 * MB :])),
        *(422, "findings", "comment_in_value"),
    ),
    "a huge subject": (PLAIN.replace(b"V/v th", b"a" * (18 * MB), 1), 422, "too_complex", "too_complex"),
    "a DOCTYPE": (
        LETTER.replace(b"<edXML ", b"<!DOCTYPE edXML><edXML ", 1),
        422,
        "forbidden_xml",
        "forbidden_xml",
    ),
    "another root": (
        LETTER.replace(b"<edXML ", b"<letter ", 1).replace(b"</edXML>", b"</letter>"),
        422,
        "not_edxml",
        "not_edxml",
    ),
    "no XML": (NOISE, 422, "not_xml", "not_xml"),
    "cut off": (LETTER[:-40], 422, "not_xml", "not_xml"),
    "above the cap": (LETTER + b" " * (40 * MB - len(LETTER) + 1), 413, "too_large", None),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_large_letters_are_refused_as_small_ones(shared_server, name):
    raw, status, code, finding = REFUSED[name]
    before = await fetch(shared_server.dsn, "SELECT count(*) AS n FROM journal WHERE event = 'refused'")
    body = in_pieces(raw) if status == 413 else raw
    answered, problem = await post(shared_server, body)
    assert (answered, problem["code"]) == (status, code)
    if finding:
        assert finding in {one["code"] for one in problem["findings"]}
    after = await fetch(shared_server.dsn, "SELECT count(*) AS n FROM journal WHERE event = 'refused'")
    assert after[0]["n"] == before[0]["n"] + 1
    assert await emptied(shared_server)


async def test_a_digest_that_differs(shared_server):
    named = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    status, problem = await post(shared_server, LETTER, Content_Digest=f"sha-256=:{named}:")
    assert (status, problem["code"]) == (400, "digest_mismatch")
    named = base64.b64encode(hashlib.sha256(LETTER).digest()).decode()
    assert (await post(shared_server, LETTER, Content_Digest=f"sha-256=:{named}:"))[0] in (200, 201)


async def test_an_upload_of_a_large_letter(shared_server):
    raw = letter(7, LARGE)
    sha256 = hashlib.sha256(raw).hexdigest()
    headers = {
        "Authorization": f"Bearer {shared_server.province.key_of('H13.01')}",
        "Upload-Length": str(len(raw)),
    }
    async with aiohttp.ClientSession(shared_server.url) as session:
        for start in range(0, len(raw), 10 * MB):
            part = raw[start : start + 10 * MB]
            told = headers | {"Upload-Offset": str(start)}
            async with session.patch(f"/v1/uploads/{sha256}", data=io.BytesIO(part), headers=told) as answer:
                assert answer.status == 200
    status, first = await post(shared_server, b"", query=f"?upload={sha256}")
    assert (status, first["receipt"]["sha256"]) == (201, sha256)
    assert await post(shared_server, b"", query=f"?upload={sha256}") == (200, first)
    _, _, body = await get(shared_server, f"/v1/messages/{first['receipt']['letter']}")
    assert body == raw
    assert await emptied(shared_server)


async def test_a_cut_line_leaves_nothing(shared_server):
    async def broken():
        yield LETTER[: 17 * MB]
        raise ConnectionResetError

    with contextlib.suppress(aiohttp.ClientError, ConnectionResetError):
        await post(shared_server, broken())
    assert await emptied(shared_server)


def test_what_a_crash_left_is_swept(tmp_path):
    with spools.folder(tmp_path) as used:
        (used / "body").write_bytes(b"x")
        left = tmp_path / "left"
        left.mkdir()
        (left / "body").write_bytes(b"x")
        young = tmp_path / "young"
        young.mkdir()
        for path in (used, left):
            os.utime(path, (time.time() - 100,) * 2)
        assert spools.sweep(tmp_path) == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted((used.name, "young"))
    assert [path.name for path in tmp_path.iterdir()] == ["young"]


async def test_a_large_letter_is_judged_again_and_checked(shared_server, province):
    """Its seal was revoked an hour before it came, as the next list says: it is read from its file as it was."""
    code = "H13.06"
    raw = signed(province, 8, ("ban_ve.bin", NOISE), sender=code)
    status, answer = await post(shared_server, raw, code=code)
    assert (status, answer["requirement"]) == (201, "met")
    list_ = rejudging.newer(
        province, {rejudging.serial(province, code): rejudging.now() - timedelta(hours=1)}
    )
    async with rejudging.bench(shared_server.dsn, list_, folder=shared_server.folder / "payloads") as at:
        async with at.pool.acquire() as connection, connection.transaction():
            sender = await connection.fetchval("SELECT id FROM agency WHERE code = $1", code)
            await recheck.ask(at, connection, [sender])
        await recheck.turn(at)
    history = await rejudging.history(shared_server.dsn, answer["receipt"]["letter"])
    assert history == [["TOTAL_PASSED"] * 2, ["TOTAL_PASSED", "REVOKED_NO_POE"]]
    assert await rejudging.faults(shared_server) == set()
    (stored,) = await fetch(
        shared_server.dsn, "SELECT file FROM payload WHERE id = $1::text::uuid", answer["receipt"]["letter"]
    )
    with (shared_server.folder / "payloads" / stored["file"]).open("r+b") as file:
        file.seek(MB)
        file.write(b"x" if file.read(1) != b"x" else b"y")
    assert await rejudging.faults(shared_server) == {"bytes_differ"}
    assert await emptied(shared_server)
