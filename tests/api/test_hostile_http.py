"""Whatever comes over a socket is answered with a stable code or closed: no crash, no leak, nobody else worse off.

Known tricks stand in tables with the answer that each gets; then spoilt requests by the thousand (`hostile_http`).
"""

import asyncio
import contextlib
import dataclasses
import gzip
import json
import random
import re
import statistics
import subprocess
import sys
import time
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import hostile_http
import province as provinces
import pytest
from province import fetch, quick_letter

from exchange import config
from exchange.api import app, bodies, connections
from exchange.broker import exchange as parts
from exchange.broker import receipts
from exchange.errors import PROBLEMS
from exchange.store import pool as pools
from exchange.tracker import check

SENDER, RECIPIENT = "H13.01", "H13.31"
SHORT, LONG = 1_500, 10_000
AT_ONCE = 12
PATIENCE_SECONDS, PATIENCE_TIMES = 0.3, 8
"""How long an answer is waited for that a server may owe us or not, for much of what is sent here is no whole request:
so long, or so many times as long as a good client waited just now."""

MORE_SECONDS = 0.1
"""How long more is waited for behind an answer."""

LOST_BYTES = 1 << 16
GOOD_STATUSES = {200, 201, 206, 304}


# --- sockets ---------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Answer:
    """One answer as it stood on the wire."""

    status: int
    headers: dict
    body: bytes

    @property
    def code(self):
        return json.loads(self.body)["code"] if self.body and self.status >= 400 else ""


def parsed(raw):
    """All whole answers in these bytes, and what is left."""
    found = []
    while (end := raw.find(b"\r\n\r\n")) >= 0:
        lines = raw[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines[1:])}
        status, rest = int(lines[0].split(" ")[1]), raw[end + 4 :]
        if status == 100:
            raw = rest
            continue
        if "chunked" in headers.get("transfer-encoding", ""):
            body, rest = unchunked(rest)
        else:
            size = 0 if status == 304 else int(headers.get("content-length", 0))
            size = 0 if rest[:9] == b"HTTP/1.1 " else size  # the answer to HEAD
            body, rest = (rest[:size], rest[size:]) if len(rest) >= size else (None, rest)
        if body is None:
            break
        found.append(Answer(status, headers, body))
        raw = rest
    return found, raw


def unchunked(raw):
    body = b""
    while (end := raw.find(b"\r\n")) >= 0:
        size = int(raw[:end], 16)
        if len(raw) < end + 4 + size:
            break
        body, raw = body + raw[end + 2 : end + 2 + size], raw[end + 4 + size :]
        if size == 0:
            return body, raw
    return None, raw


async def said(server, *pieces, patience=PATIENCE_SECONDS, pause=0.05, half_close=False):
    """Bytes on a socket, some after a pause; the answers, and whether the server closed."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(server.url.rpartition(":")[2]), limit=1 << 22
    )
    got, closed = b"", False
    try:
        with contextlib.suppress(ConnectionError):
            for number, piece in enumerate(pieces):
                await asyncio.sleep(pause if number else 0)
                writer.write(piece)
                await writer.drain()
            if half_close:
                writer.write_eof()
        while not closed:
            async with asyncio.timeout(min(patience, MORE_SECONDS) if b"\r\n\r\n" in got else patience):
                more = await reader.read(1 << 20)
            got, closed = got + more, not more
    except TimeoutError:
        pass
    except ConnectionError:
        closed = True
    finally:
        writer.transport.abort()
    found, rest = parsed(got)
    if rest.startswith(b"HTTP/1."):  # the answer to HEAD, or one that broke off with the line
        found.append(Answer(int(rest.split(b" ", 2)[1]), {}, b""))
    return found, closed


def faults(answer):
    """What is wrong with an answer: a status of ours, and every error a problem with its code."""
    if answer.status in GOOD_STATUSES:
        return []
    if not answer.headers or not answer.body:
        return [] if answer.status in {kind.status for kind in PROBLEMS.values()} - {500} else [str(answer)]
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return [f"no problem: {answer}"]
    body = json.loads(answer.body)
    known = body.keys() >= {"type", "title", "status", "code", "detail", "findings", "request_id"}
    if not known or body["code"] not in PROBLEMS or PROBLEMS[body["code"]].status != answer.status:
        return [f"unknown: {answer}"]
    text = answer.body.decode()
    inside = [
        word for word in ("Traceback", 'File "', "exchange/", "asyncpg", "site-packages") if word in text
    ]
    waits = body["code"] == "busy" and "retry-after" in answer.headers  # two pieces of one upload at a time
    harmed = (answer.status >= 500 and not waits) or inside or not text.isprintable()
    return [f"{inside}: {answer}"] if harmed else []


# --- the server, and what may not grow ---------------------------------------------------------------------------------


def SETTINGS(folder):  # noqa: N802 - read by the fixture under this name
    """A folder of its own for temporary files, every line in the log, and no quota that hides what lies behind it."""
    (folder / "tmp").mkdir()
    return {
        "TMPDIR": str(folder / "tmp"),
        "CONGVAN_LOG_LEVEL": "debug",
        "CONGVAN_MAX_LETTER_MB": "2",
        "CONGVAN_QUOTA_REQUESTS": "10000000",
    }


@pytest.fixture(scope="module")
def served(shared_server):
    """The server; at the end the same workers live, and nothing is left of all that came."""
    for _ in range(200):
        if shared_server.log.read_text().count('"worker_ready"') == 2:
            break
        time.sleep(0.1)
    workers = shared_server.workers()
    yield shared_server
    assert shared_server.workers() == workers
    expect_clean(shared_server)
    assert asyncio.run(self_check(shared_server)) == set()


WHOLE_LINE = re.compile(r'\{"(?:(?!\}\{").)*\}')


def expect_clean(server):
    """No crash and no secret in the log, no file left behind."""
    log = server.log.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in log.split("\n") if "{" in line]
    assert [line for line in lines if not WHOLE_LINE.fullmatch(line)] == []
    levels = Counter(json.loads(line)["level"] for line in lines)
    assert "Traceback" not in log
    assert '"internal"' not in log
    assert levels.keys() <= {"info", "debug"}
    for key in set(server.province.keys.values()):
        assert key[-16:] not in log
    assert list((server.folder / "tmp").iterdir()) == []
    assert [path.name for path in (server.folder / "payloads").glob("*.part*")] == []
    names = [path.name for path in (server.folder / "uploads").glob("*")]
    assert [name for name in names if not re.fullmatch(r"[0-9a-f-]{36}-[0-9a-f]{64}-\d+\.part", name)] == []


async def self_check(server):
    connection = await pools.connect(server.dsn)
    try:
        key = receipts.load(server.folder / "receipt.key", "")
        return {
            fault.code for fault in (await check.check(connection, server.folder / "payloads", key)).faults
        }
    finally:
        await connection.close()


def opened_by(pid):
    for one in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield str(one.readlink())


def standing(server):
    """What each worker holds: descriptors, threads, megabytes."""
    found = []
    for pid in server.workers():
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        descriptors = list(opened_by(pid))
        found.append(
            {
                "descriptors": len(descriptors),
                "deleted": [name for name in descriptors if "(deleted)" in name],
                "threads": int(status["Threads"]),
                "megabytes": int(status["VmRSS"].split()[0]) // 1024,
            }
        )
    return found


async def settled(server, before, megabytes):
    """Waits until every worker holds no more than it did; says what it still holds too much of."""
    for _ in range(100):
        now = standing(server)
        grown = [
            (then, one)
            for then, one in zip(before, now, strict=True)
            if one["descriptors"] > then["descriptors"] + 4
            or one["threads"] > then["threads"] + 8
            or one["megabytes"] > then["megabytes"] + megabytes
            or one["deleted"]
        ]
        if not grown:
            return []
        await asyncio.sleep(0.2)
    return grown


async def database_connections(server):
    (row,) = await fetch(
        server.dsn,
        "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    return row["n"]


@pytest.fixture
async def letter(served):
    """A letter and its delivery to RECIPIENT."""
    async with served.client(SENDER) as client:
        answer = await client.send(quick_letter(next(hostile_http.NUMBERS), recipients=(RECIPIENT,)))
    found = answer.body["receipt"]["letter"]
    (row,) = await fetch(served.dsn, "SELECT id::text FROM delivery WHERE letter::text = $1", found)
    return found, row["id"]


# --- known tricks ----------------------------------------------------------------------------------------------------

HOST = b"Host: x\r\n"
TRICKS = {
    "HTTP/0.9": (b"GET /healthz\r\n", "nothing"),
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n\r\n", "200"),
    "HTTP/1.2": (b"GET /healthz HTTP/1.2\r\nHost: x\r\n\r\n", "400 bad_request"),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", "400 bad_request"),
    "an upgrade to HTTP/2": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "200"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512), "400 bad_request"),
    "SSL 2": (b"\x80\x2e\x01\x03\x01" + bytes(40), "400 bad_request"),
    "zeros": (bytes(1_000), "400 bad_request"),
    "a zero in a name": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX\0: y\r\n\r\n", "400 bad_request"),
    "a zero in a header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", "400 bad_request"),
    "a zero in the target": (b"GET /health\0z HTTP/1.1\r\nHost: x\r\n\r\n", "400 bad_request"),
    "an absolute target": (b"GET http://other.example/healthz HTTP/1.1\r\nHost: x\r\n\r\n", "200"),
    "an absolute target of a key's route": (b"GET http://other.example/v1/inbox HTTP/1.1\r\nHost: x\r\n\r\n", "401 unauthenticated"),
    "a target that is no address": (b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n", "400 bad_request"),
    "CONNECT": (b"CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", "404 not_found"),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "404 not_found"),
    "GET *": (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", "400 bad_request"),
    "TRACE": (b"TRACE /v1/inbox HTTP/1.1\r\nHost: x\r\n\r\n", "405 method_not_allowed"),
    "a method in small letters": (b"get /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "400 bad_request"),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", "400 bad_request"),
    "two hosts": (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 bad_request"),
    "a folded header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "400 bad_request"),
    "a space behind a name": (b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", "400 bad_request"),
    "bare line feeds": (b"GET /healthz HTTP/1.1\nHost: x\n\n", "400 bad_request"),
    "ten megabytes in one header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 10_000_000, "400 bad_request"),
    "ten megabytes of headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + (b"A: " + b"b" * 1_000 + b"\r\n") * 10_000, "400 bad_request"),
    "a hundred thousand headers": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 100_000, "400 bad_request"),
    "a target of a megabyte": (b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", "400 bad_request"),
    "a method of ten megabytes": (b"G" * 10_000_000, "400 bad_request"),
    "dots": (b"GET /v1/messages/../inbox HTTP/1.1\r\nHost: x\r\n\r\n", "404 not_found"),
    "dots and slashes in disguise": (b"GET /v1/messages/%2e%2e%2finbox HTTP/1.1\r\nKEY\r\n", "404 not_found"),
    "an id of other digits": (b"GET /v1/messages/%D9%A01900000-0000-7000-8000-000000000000 HTTP/1.1\r\nKEY\r\n", "404 not_found"),
    "an id that is no text": (b"GET /v1/messages/%ff%fe HTTP/1.1\r\nKEY\r\n", "404 not_found"),
    "an endless number": (b"GET /v1/inbox?limit=000000001" + b"9" * 40 + b" HTTP/1.1\r\nKEY\r\n", "400 bad_request"),
    "a parameter nobody knows": (b"GET /v1/inbox?whatever=1 HTTP/1.1\r\nKEY\r\n", "400 bad_request"),
    "a parameter twice": (b"GET /v1/inbox?limit=5&limit=6 HTTP/1.1\r\nKEY\r\n", "400 bad_request"),
    "a key twice": (b"GET /v1/inbox HTTP/1.1\r\nKEYAuthorization: Bearer cv_a_b\r\n\r\n", "401 unauthenticated"),
    "a key among the trailers": (b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Key: y\r\nAUTH\r\n\r\n", "401 unauthenticated"),
    "a length and chunks": (b"POST /v1/messages HTTP/1.1\r\nKEYContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 bad_request"),
    "chunks twice": (b"POST /v1/messages HTTP/1.1\r\nKEYTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 bad_request"),
    "a coding that is none": (b"POST /v1/messages HTTP/1.1\r\nKEYTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400 bad_request"),
    "two lengths": (b"POST /v1/messages HTTP/1.1\r\nKEYContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400 bad_request"),
    "a list of lengths": (b"POST /v1/messages HTTP/1.1\r\nKEYContent-Length: 3, 3\r\n\r\nabc", "400 bad_request"),
    "a length with a sign": (b"POST /v1/messages HTTP/1.1\r\nKEYContent-Length: +3\r\n\r\nabc", "400 bad_request"),
    "an endless length": (b"POST /v1/messages HTTP/1.1\r\nKEYContent-Length: 99999999999999999999999\r\n\r\nabc", "400 bad_request"),
    "a length over the limit": (b"POST /v1/messages HTTP/1.1\r\nKEYContent-Length: 9999999999\r\n\r\nabc", "413 too_large"),
    "no key and a body": (b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\nabc", "401 unauthenticated"),
    "an endless chunk": (b"POST /v1/messages HTTP/1.1\r\nKEYTransfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\nabc", "400"),
    "a chunk below nothing": (b"POST /v1/messages HTTP/1.1\r\nKEYTransfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\n", "400"),
    "another expectation": (b"POST /v1/messages HTTP/1.1\r\nKEYExpect: magic\r\nContent-Length: 3\r\n\r\nabc", "400 bad_request"),
    "a content coding of no use": (b"POST /v1/messages HTTP/1.1\r\nKEYContent-Encoding: zstd\r\nContent-Length: 3\r\n\r\nabc", "415 unsupported_media_type"),
    "another content type": (b"POST /v1/inbox/ack HTTP/1.1\r\nKEYContent-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", "415 unsupported_media_type"),
    "a content type that is none": (b"POST /v1/inbox/ack HTTP/1.1\r\nKEYContent-Type: \xff/;;=\r\nContent-Length: 2\r\n\r\n{}", "415 unsupported_media_type"),
}  # fmt: skip
"""What is sent -> what is answered, or how that begins; KEY stands for the headers of a good request, AUTH for its key."""


@pytest.mark.parametrize("raw, expected", TRICKS.values(), ids=TRICKS)
async def test_a_trick_gets_its_answer(served, raw, expected):
    bearer = b"Authorization: Bearer " + served.province.key_of(SENDER).encode()
    raw = raw.replace(b"KEY", b"Host: x\r\nAUTH\r\n").replace(b"AUTH", bearer)
    before = standing(served)
    answers, closed = await said(served, raw, patience=0.5 if expected == "nothing" else 5)
    assert [fault for answer in answers for fault in faults(answer)] == []
    told = [f"{one.status} {one.code}".strip() for one in answers]
    reset = (
        closed and len(raw) > LOST_BYTES
    )  # the answer went ahead of our last bytes, and was lost with the line
    assert [one[: len(expected)] for one in told[:1]] == (
        [] if expected == "nothing" or (reset and not told) else [expected]
    )
    assert await settled(served, before, 64) == []


# --- by the thousand -------------------------------------------------------------------------------------------------


async def campaign(server, letter, number, seed):
    """So many spoilt requests, some at a time, and a good client beside them: ways and statuses seen, and what was wrong."""
    rng, key = random.Random(seed), server.province.key_of(SENDER)
    keys = (key, server.province.key_of(RECIPIENT), server.province.key_of(RECIPIENT))
    requests = hostile_http.good(*letter, lambda n: quick_letter(n, recipients=(RECIPIENT,)))
    todo = [hostile_http.spoilt(requests, rng.choice(keys), rng) for _ in range(number)]
    seen, wrong, recent = Counter(), [], [0.0]

    async def attack():
        while todo:
            way, raw = todo.pop()
            patience = max(PATIENCE_SECONDS, PATIENCE_TIMES * recent[-1])
            answers, closed = await said(server, raw, patience=patience)
            seen.update((way, answer.status) for answer in answers)
            if not answers:
                seen[way, "closed" if closed else "waits"] += 1
            wrong.extend((way, raw[:300], fault) for answer in answers for fault in faults(answer))

    attacks = [asyncio.create_task(attack()) for _ in range(AT_ONCE)]
    async with server.client(SENDER, attempts=1) as client:
        while todo:
            began = time.perf_counter()
            sent = await client.send(quick_letter(next(hostile_http.NUMBERS), recipients=(RECIPIENT,)))
            recent.append(time.perf_counter() - began)
            wrong += [] if sent.status == 201 else [("good client", b"", sent)]
            await asyncio.sleep(0.02)
    await asyncio.gather(*attacks)
    return seen, wrong


async def expect_unharmed(server, letter, number, capsys):
    """Every answer is one of ours, and what the workers hold does not grow with what they are sent."""
    seen, wrong = await campaign(server, letter, number // 2, 1)
    assert wrong == []
    await asyncio.sleep(1)
    warm, connections_before = standing(server), await database_connections(server)
    more, wrong = await campaign(server, letter, number // 2, 2)
    assert wrong == []
    assert await settled(server, warm, 32) == []
    assert await database_connections(server) <= connections_before + 4
    expect_clean(server)
    seen += more
    statuses = Counter()
    for (_, status), n in seen.items():
        statuses[status] += n
    with capsys.disabled():
        print(f"\nhostile: {number} sent, {dict(sorted(statuses.items(), key=str))}, now {standing(server)}")
    assert {way for way, _ in seen} == {way.__name__ for way in hostile_http.SPOILT}
    assert {200, 400, 401, 404, 405, 413, 415, 422} <= statuses.keys()
    assert statuses["waits"] < number // 3


async def test_spoilt_requests_harm_nobody(served, letter, capsys):
    await expect_unharmed(served, letter, SHORT, capsys)


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_ten_thousand_spoilt_requests_harm_nobody(served, letter, capsys):
    await expect_unharmed(served, letter, LONG, capsys)


async def every_cut(server, letter, step):
    """Each good request, broken off after every `step` bytes; by closing half the line, and by falling silent."""
    key = server.province.key_of(RECIPIENT)
    requests = [one.raw(key) for one in hostile_http.good(*letter, quick_letter)]
    todo = [raw[:end] for raw in requests for end in range(1, len(raw), step)]
    wrong, number = [], len(todo)

    async def attack():
        while todo:
            raw = todo.pop()
            answers, _ = await said(server, raw, patience=0.05, half_close=len(raw) % 2 == 0)
            wrong.extend((raw[-80:], fault) for answer in answers for fault in faults(answer))

    before = standing(server)
    await asyncio.gather(*(attack() for _ in range(AT_ONCE)))
    assert wrong == []
    assert await settled(server, before, 64) == []
    expect_clean(server)
    return number


async def test_requests_broken_off_anywhere_harm_nobody(served, letter):
    assert await every_cut(served, letter, 13) > 300


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_requests_broken_off_everywhere_harm_nobody(served, letter):
    assert await every_cut(served, letter, 1) > 4_000


# --- much in little, and clocks that are off -------------------------------------------------------------------------


def bomb(megabytes, layers=1):
    """Gzip of so many megabytes of nothing, in a thousandth of it; each block unfolds by itself."""
    folding = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    start = folding.compress(bytes(1 << 20)) + folding.flush(zlib.Z_FULL_FLUSH)
    block = folding.compress(bytes(1 << 20)) + folding.flush(zlib.Z_FULL_FLUSH)
    raw = start + block * (megabytes - 1)
    for _ in range(layers - 1):
        raw = gzip.compress(raw)
    return raw


BOMBS = {
    "a gigabyte": (bomb(1_024), "413 too_large"),
    "a gigabyte in a gigabyte": (bomb(1_024, layers=2), "413 too_large"),
    "a gigabyte, chunked": (bomb(1_024), "413 too_large"),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_does_not_go_off(served, name):
    raw, expected = BOMBS[name]
    extra = [("Content-Encoding", "gzip")]
    body = raw
    if name.endswith("chunked"):
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(raw), raw)
        extra.append(("Transfer-Encoding", "chunked"))
    before = standing(served)
    one = hostile_http.Good(method="POST", target="/v1/messages", body=body)
    answers, _ = await said(served, one.raw(served.province.key_of(SENDER), extra=extra), patience=20)
    assert [f"{one.status} {one.code}" for one in answers] == [expected]
    assert await settled(served, before, 32) == []


OFF = {
    "ten minutes late": timedelta(minutes=-10),
    "ten minutes early": timedelta(minutes=10),
    "ten years late": timedelta(days=-3_652),
    "ten years early": timedelta(days=3_652),
}


@pytest.mark.parametrize("off", OFF.values(), ids=OFF)
async def test_a_client_whose_clock_is_off_is_believed_about_nothing_but_its_own_word(served, letter, off):
    """Its time stands in the notice as it said it; when things happened is what our clock says."""
    began = datetime.now(UTC)
    async with served.client(RECIPIENT) as client:
        answer = await client.status(letter[1], "03", at=began + off)
        assert answer.status == 201
        again = await client.status(letter[1], "03", at=began + off)
        assert (again.status, again.raw) == (200, answer.raw)
        trace = (await client.about(letter[0], "trace")).body["deliveries"][0]
    assert datetime.fromisoformat(trace["statuses"][0]["at"]) == (began + off).replace(microsecond=0)
    moments = [
        trace["arrived_at"],
        *(event["at"] for event in trace["events"] if event["event"] != "accepted"),
    ]
    assert all(began <= datetime.fromisoformat(one) + timedelta(milliseconds=1) for one in moments)
    assert datetime.fromisoformat(answer.body["receipt"]["accepted_at"]) < datetime.now(UTC)


# --- lines that are slow, half or never read ---------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def impatient(served, monkeypatch, **patience):
    """The same exchange once more in this process, which waits for nobody long."""
    for place, name, seconds in (
        (connections, "IDLE_SECONDS", 0.5),
        (connections, "UNREAD_SECONDS", 0.5),
        (bodies, "SILENCE_SECONDS", 0.5),
    ):
        monkeypatch.setattr(place, name, patience.get(name, seconds))
    async with parts.opened(config.read(served.environment), served.dsn) as exchange:
        runner = connections.runner(app.application(exchange), 5)
        await runner.setup()
        try:
            site = app.web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            yield dataclasses.replace(served, url=f"http://{host}:{port}")
        finally:
            await runner.cleanup()


async def test_a_head_that_never_ends_is_given_up(served, monkeypatch):
    async with impatient(served, monkeypatch) as server:
        pieces = [b"GET /healthz HTTP/1.1\r\n", *[b"A"] * 30]
        began = time.monotonic()
        answers, closed = await said(server, *pieces, patience=5, pause=0.1)
        assert (answers, closed) == ([], True)
        assert time.monotonic() - began < 5


async def test_a_body_that_falls_silent_is_given_up(served, monkeypatch):
    key = served.province.key_of(SENDER)
    raw = hostile_http.Good(method="POST", target="/v1/messages", body=quick_letter(1)).raw(key)
    async with impatient(served, monkeypatch) as server:
        answers, _ = await said(server, raw[:-100], patience=5)
    assert [(one.status, one.code) for one in answers] == [(400, "incomplete_body")]
    (line,) = await fetch(served.dsn, "SELECT code, size FROM journal ORDER BY at DESC, id DESC LIMIT 1")
    assert tuple(line) == ("incomplete_body", len(quick_letter(1)) - 100)


async def trickled(writer):
    """A byte now and then, until the line is gone."""
    while True:
        writer.write(b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.1)


async def test_an_answer_that_is_never_read_is_given_up(served, letter, monkeypatch):
    """A letter of two megabytes, asked for again and again by somebody who reads none of it."""
    key = served.province.key_of(SENDER)
    large = provinces.quick_letter(next(hostile_http.NUMBERS), recipients=(RECIPIENT,)).replace(
        b"</edXML:edXMLHeader>",
        b"<x>" + b"<y>" * 10 + b"y" * 99_000 + b"</y>" * 10 + b"</x></edXML:edXMLHeader>",
    )
    async with served.client(SENDER) as client:
        sent = await client.send(large)
        assert sent.status == 201
    ask = hostile_http.Good(method="GET", target=f"/v1/messages/{sent.body['receipt']['letter']}").raw(key)
    async with impatient(served, monkeypatch) as server:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", int(server.url.rpartition(":")[2]), limit=1
        )
        writer.transport.pause_reading()
        writer.write(ask * 400)
        async with asyncio.timeout(20):
            with pytest.raises(ConnectionError):
                await trickled(writer)
        writer.transport.abort()
        answers, _ = await said(server, ask, patience=5)
        assert [one.status for one in answers] == [200]
        assert reader is not None


# --- who behaves well is no worse off --------------------------------------------------------------------------------

WINDOWS, WINDOW_SECONDS = 12, 2.5
MOST_TIMES = 2.0


async def waits(client, letter):
    """Seconds that a well-behaved client waits, for one window: a letter sent, the inbox looked at, a letter taken."""
    found, end = [], time.monotonic() + WINDOW_SECONDS
    while time.monotonic() < end:
        raw = quick_letter(next(hostile_http.NUMBERS), recipients=("H13.33",))
        for ask in (
            lambda raw=raw: client.send(raw),
            lambda: client.inbox("H13.02", limit=10),
            lambda: client.body(letter),
        ):
            began = time.perf_counter()
            answer = await ask()
            found.append(time.perf_counter() - began)
            assert answer.status in {200, 201}, answer
    return found


def attacking(port, key):
    return subprocess.Popen([sys.executable, hostile_http.__file__, port, key, "7"])


def p99(found):
    return sorted(found)[int(len(found) * 0.99)]


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_another_client_waits_no_longer(served, letter, capsys):
    """Windows with and without an attacker at work in turn; its half-said lines stay open throughout."""
    port, key = served.url.rpartition(":")[2], served.province.key_of("H13.14.51")
    attacker = attacking(port, key)
    seen = {SIGSTOP: [], SIGCONT: []}
    try:
        async with served.client(SENDER, attempts=1) as client:
            await waits(client, letter[0])
            for number in range(2 * WINDOWS):
                signal = (SIGSTOP, SIGCONT)[number % 2]
                attacker.send_signal(signal)
                await asyncio.sleep(0.2)
                seen[signal].append(p99(await waits(client, letter[0])))
        assert attacker.poll() is None
    finally:
        attacker.kill()
        attacker.wait()
    quiet, attacked = (statistics.median(seen[signal]) for signal in (SIGSTOP, SIGCONT))
    with capsys.disabled():
        print(
            f"\nhostile: p99 of another client {1_000 * quiet:.1f} ms, attacked {1_000 * attacked:.1f} ms, {attacked / quiet:.2f} x"
        )
    assert attacked <= MOST_TIMES * quiet
