"""Letters in pieces and bytes in ranges: what a weak line needs, over real HTTP."""

import asyncio
import gzip
import hashlib
import json
import os
import socket
import time

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from province import fetch, quick_letter

from exchange.api import unfolding
from exchange.broker import uploads as cases
from exchange.store import uploads

MISSING = "0" * 64


class Line:
    """One system's plain HTTP, without the client's courtesies."""

    def __init__(self, server, code="H13.01"):
        self.server, self.key = server, server.province.key_of(code)

    async def ask(self, method, path, *, data=None, **headers):
        """Status, headers and bytes of one answer; underscores in names of headers are dashes."""
        given = {"Authorization": f"Bearer {self.key}", "Accept-Encoding": "identity"}
        given |= {name.replace("_", "-"): str(text) for name, text in headers.items()}
        async with (
            aiohttp.ClientSession(self.server.url, auto_decompress=False) as session,
            session.request(method, path, data=data, headers=given) as answer,
        ):
            return answer.status, answer.headers, await answer.read()

    async def add(self, raw, first, end, *, sha256=None, size=None):
        sha256 = sha256 or hashlib.sha256(raw).hexdigest()
        status, _, body = await self.ask(
            "PATCH",
            f"/v1/uploads/{sha256}",
            data=raw[first:end],
            Upload_Offset=first,
            Upload_Length=len(raw) if size is None else size,
        )
        return status, json.loads(body)

    async def hand_over(self, raw):
        sha256 = hashlib.sha256(raw).hexdigest()
        status, _, body = await self.ask("POST", f"/v1/messages?upload={sha256}")
        return status, json.loads(body)


def letter(number, size=3_000):
    return quick_letter(number, subject="V/v nối tiếp").replace(b"?>\n", b"?>" + b"\n" * size, 1)


async def test_a_letter_comes_in_pieces_and_is_the_letter(shared_server):
    line, raw = Line(shared_server), letter(1)
    sha256 = hashlib.sha256(raw).hexdigest()
    assert (await line.ask("GET", f"/v1/uploads/{sha256}"))[0] == 404
    for first in range(0, len(raw), 1_000):
        status, said = await line.add(raw, first, first + 1_000)
        assert (status, said["offset"]) == (200, min(len(raw), first + 1_000))
        status, headers, body = await line.ask("GET", f"/v1/uploads/{sha256}")
        assert (status, json.loads(body)) == (200, {**said, "expires_at": json.loads(body)["expires_at"]})
        assert headers["Upload-Offset"] == str(said["offset"])
    status, receipt = await line.hand_over(raw)
    assert (status, receipt["receipt"]["sha256"]) == (201, sha256)
    assert (await line.hand_over(raw)) == (200, receipt)  # the answer was lost: the bytes are not sent again
    letter_id = receipt["receipt"]["letter"]
    assert (await line.ask("GET", f"/v1/messages/{letter_id}"))[2] == raw


async def test_who_goes_on_at_a_wrong_place_is_told_the_right_one(shared_server):
    line, raw = Line(shared_server), letter(2)
    await line.add(raw, 0, 500)
    for first in (0, 499, 501, len(raw)):
        status, said = await line.add(raw, first, first + 100)
        assert (status, said["code"], said["offset"]) == (409, "wrong_offset", 500)
    status, said = await line.hand_over(raw)
    assert (status, said["code"], said["offset"]) == (409, "wrong_offset", 500)
    assert (await line.add(raw, 500, len(raw)))[0] == 200
    assert (await line.hand_over(raw))[0] == 201


async def test_a_cut_line_keeps_what_came(shared_server):
    line, raw = Line(shared_server), letter(3, 200_000)
    sha256 = hashlib.sha256(raw).hexdigest()
    host, port = shared_server.url.rpartition("/")[2].split(":")
    head = (
        f"PATCH /v1/uploads/{sha256} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {line.key}\r\n"
        f"Upload-Offset: 0\r\nUpload-Length: {len(raw)}\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as cut:
        cut.sendall(head.encode() + raw[:120_000])
        await asyncio.sleep(0.5)
    for _ in range(50):
        there = json.loads((await line.ask("GET", f"/v1/uploads/{sha256}"))[2])["offset"]
        if there == 120_000:
            break
        await asyncio.sleep(0.1)
    assert there == 120_000
    assert (await line.add(raw, there, len(raw)))[0] == 200
    assert (await line.hand_over(raw))[0] == 201


async def test_two_lines_that_send_the_same_letter_do_not_mix(shared_server):
    raw = letter(4, 100_000)
    lines = [Line(shared_server) for _ in range(8)]

    async def send(line):
        first = 0
        while first < len(raw):
            status, said = await line.add(raw, first, first + 7_000)
            assert status in {200, 409, 503}
            first = said.get("offset", first)
        return await line.hand_over(raw)

    answers = await asyncio.gather(*map(send, lines))
    assert sorted(status for status, _ in answers) == [200] * 7 + [201]
    assert len({json.dumps(body) for _, body in answers}) == 1


async def test_other_bytes_than_announced_are_thrown_away(shared_server):
    line, raw = Line(shared_server), letter(5)
    other = raw.replace(b"ti\xe1", b"th\xe1")
    sha256 = hashlib.sha256(raw).hexdigest()
    await line.add(other, 0, len(other), sha256=sha256)
    before = (await fetch(shared_server.dsn, "SELECT count(*) AS n FROM letter"))[0]["n"]
    status, said = await line.hand_over(raw)
    assert (status, said["code"]) == (400, "digest_mismatch")
    assert (await line.ask("GET", f"/v1/uploads/{sha256}"))[0] == 404
    assert (await fetch(shared_server.dsn, "SELECT count(*) AS n FROM letter"))[0]["n"] == before
    await line.add(raw, 0, len(raw))
    assert (await line.hand_over(raw))[0] == 201


async def test_an_upload_is_its_systems_own(shared_server):
    line, stranger, raw = Line(shared_server), Line(shared_server, "H13.31"), letter(6)
    await line.add(raw, 0, len(raw))
    nothing = await stranger.ask("GET", f"/v1/uploads/{MISSING}")
    theirs = await stranger.ask("GET", f"/v1/uploads/{hashlib.sha256(raw).hexdigest()}")
    assert (
        (theirs[0], json.loads(theirs[2])["code"])
        == (nothing[0], json.loads(nothing[2])["code"])
        == (404, "not_found")
    )
    assert (await stranger.hand_over(raw))[1]["code"] == "not_found"
    assert (await line.hand_over(raw))[0] == 201


BAD = {
    "no offset": ({"Upload_Length": 9}, 400, "bad_request"),
    "no length": ({"Upload_Offset": 0}, 400, "bad_request"),
    "a negative offset": ({"Upload_Offset": -1, "Upload_Length": 9}, 400, "bad_request"),
    "an offset in other digits": ({"Upload_Offset": "%", "Upload_Length": 9}, 400, "bad_request"),
    "a length of nothing": ({"Upload_Offset": 0, "Upload_Length": 0}, 400, "bad_request"),
    "a huge length": ({"Upload_Offset": 0, "Upload_Length": 10**14}, 413, "too_large"),
    "an endless length": ({"Upload_Offset": 0, "Upload_Length": "9" * 400}, 400, "bad_request"),
    "more than announced": ({"Upload_Offset": 0, "Upload_Length": 3}, 413, "too_large"),
    "folded": (
        {"Upload_Offset": 0, "Upload_Length": 9, "Content_Encoding": "gzip"},
        415,
        "unsupported_media_type",
    ),
}


@pytest.mark.parametrize("headers, status, code", BAD.values(), ids=BAD.keys())
async def test_a_piece_that_makes_no_sense_is_refused(shared_server, headers, status, code):
    line = Line(shared_server)
    sha256 = hashlib.sha256(repr(headers).encode()).hexdigest()
    found, _, body = await line.ask("PATCH", f"/v1/uploads/{sha256}", data=b"123456789", **headers)
    assert (found, json.loads(body)["code"]) == (status, code)


@pytest.mark.parametrize("name", ["x", "0" * 63, "0" * 65, "g" * 64, "..%2f..%2fetc%2fpasswd", "%00" * 64])
async def test_what_is_no_digest_names_nothing(shared_server, name):
    line = Line(shared_server)
    for method, headers in (("GET", {}), ("PATCH", {"Upload_Offset": 0, "Upload_Length": 9})):
        assert (await line.ask(method, f"/v1/uploads/{name}", **headers))[0] == 404


async def test_a_body_beside_an_upload_is_refused(shared_server):
    line, raw = Line(shared_server), letter(7)
    await line.add(raw, 0, len(raw))
    path = f"/v1/messages?upload={hashlib.sha256(raw).hexdigest()}"
    assert (await line.ask("POST", path, data=b"x"))[0] == 400
    assert (await line.hand_over(raw))[0] == 201


def test_whole_uploads_give_way_and_half_ones_do_not(tmp_path):
    class Exchange:
        upload_folder = tmp_path
        config = type("Config", (), {"max_letter_bytes": 1_000})

    system = "01900000-0000-7000-8000-000000000000"
    for number in range(4):
        held = cases.begun(Exchange, system, bytes([number]) * 32, 1_000)
        if number in (1, 2):
            held.path.write_bytes(bytes(1_000))
        os.utime(held.path, (number, number))
    cases.begun(Exchange, system, bytes([9]) * 32, 900)
    left = {one.sha256[0] for one in uploads.of_system(tmp_path, system)}
    assert left == {0, 2, 3, 9}
    cases.begun(Exchange, system, bytes([10]) * 32, 900)
    with pytest.raises(cases.Problem) as refused:
        cases.begun(Exchange, system, bytes([11]) * 32, 900)
    assert refused.value.code == "rate_limited"
    other = "01900000-0000-7000-8000-000000000001"
    cases.begun(Exchange, other, bytes([11]) * 32, 900)
    assert len(uploads.stale(tmp_path, 10)) == 2
    assert len(uploads.stale(tmp_path, time.time() + 1)) == 5


# --- ranges, tags, gzip -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def held(shared_server):
    line, raw = Line(shared_server), letter(100, 5_000)
    _, _, body = await line.ask("POST", "/v1/messages", data=raw)
    return line, raw, f"/v1/messages/{json.loads(body)['receipt']['letter']}"


@pytest.mark.parametrize(
    "header, first, end",
    [
        ("bytes=0-0", 0, 1), ("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-100", -100, None),
        ("bytes=5-99999999", 5, None), ("bytes=-99999999", 0, None), ("BYTES = 1 - 2", 1, 3),
    ],
)  # fmt: skip
async def test_a_range_is_that_part(held, header, first, end):
    line, raw, path = held
    status, headers, body = await line.ask("GET", path, Range=header)
    part = raw[first:end]
    assert (status, body) == (206, part)
    at = raw.index(part) if first != 0 else 0
    assert headers["Content-Range"] == f"bytes {at}-{at + len(part) - 1}/{len(raw)}"
    assert headers["ETag"] == f'"{hashlib.sha256(raw).hexdigest()}"'


@pytest.mark.parametrize(
    "header", ["bytes=0-1,5-6", "bytes=9-5", "lines=1-2", "bytes=", "bytes=-", "nonsense", "bytes=a-b"]
)
async def test_a_range_that_is_none_of_ours_gets_the_whole(held, header):
    line, raw, path = held
    status, headers, body = await line.ask("GET", path, Range=header)
    assert (status, body, headers["Accept-Ranges"]) == (200, raw, "bytes")


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=-0"])
async def test_a_range_beyond_the_end_is_refused(held, header):
    line, raw, path = held
    status, headers, body = await line.ask("GET", path, Range=header)
    assert (status, json.loads(body)["code"]) == (416, "range_not_satisfiable")
    assert headers["Content-Range"] == f"bytes */{len(raw)}"


async def test_a_range_of_another_version_gets_the_whole(held):
    line, raw, path = held
    tag = f'"{hashlib.sha256(raw).hexdigest()}"'
    assert (await line.ask("GET", path, Range="bytes=0-9", If_Range=tag))[0] == 206
    for other in ('"x"', f"W/{tag}", "Sat, 21 Nov 2026 08:00:00 GMT"):
        assert (await line.ask("GET", path, Range="bytes=0-9", If_Range=other))[0] == 200


async def test_what_the_client_holds_is_not_sent_again(held):
    line, raw, path = held
    tag = f'"{hashlib.sha256(raw).hexdigest()}"'
    for held_tags in (tag, f"W/{tag}", f'"a", {tag}', "*"):
        status, headers, body = await line.ask("GET", path, If_None_Match=held_tags)
        assert (status, body, headers["ETag"]) == (304, b"", tag)
    assert (await line.ask("GET", path, If_None_Match='"other"'))[0] == 200


@pytest.mark.parametrize(
    "accepted, folded",
    [("gzip", True), ("gzip;q=0.5", True), ("br, gzip", True), ("*", True), ("gzip;q=0", False), ("br", False), ("", False)],
)  # fmt: skip
async def test_a_letter_is_folded_for_who_takes_it(held, accepted, folded):
    line, raw, path = held
    status, headers, body = await line.ask("GET", path, Accept_Encoding=accepted)
    assert (status, headers.get("Content-Encoding"), headers["Vary"]) == (
        200,
        "gzip" if folded else None,
        "Accept-Encoding",
    )
    assert (gzip.decompress(body) if folded else body) == raw
    assert headers["ETag"].startswith("W/") is folded
    assert len(body) < len(raw) or not folded
    status, headers, body = await line.ask("GET", path, Accept_Encoding=accepted, Range="bytes=0-9")
    assert (status, headers.get("Content-Encoding"), body) == (206, None, raw[:10])


# --- unfolding, pure --------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=5_000), st.integers(1, 4_000), st.integers(1, 40))
def test_what_was_folded_unfolds_in_any_pieces(plain, step, times):
    raw = plain * times
    folded = gzip.compress(raw)
    one = unfolding.Gzip(cap=len(raw) + 1)
    pieces = [
        piece for first in range(0, len(folded), step) for piece in one.feed(folded[first : first + step])
    ]
    one.end()
    assert b"".join(pieces) == raw
    assert max(map(len, pieces)) <= unfolding.PIECE_BYTES


def test_a_bomb_is_stopped_before_it_is_large():
    bomb = gzip.compress(bytes(200 << 20))
    one, seen = unfolding.Gzip(cap=100 << 20), []
    with pytest.raises(unfolding.TooMuchError):
        seen.extend(len(piece) for piece in one.feed(bomb))
    assert one.out <= unfolding.RATIO * len(bomb) + unfolding.PIECE_BYTES < 100 << 20


def test_the_cap_holds_for_every_coding():
    for coding, raw in (("identity", b"x" * 11), ("gzip", gzip.compress(b"x" * 11))):
        with pytest.raises(unfolding.TooMuchError):
            list(unfolding.unfolding(coding, 10).feed(raw))
        assert b"".join(unfolding.unfolding(coding, 11).feed(raw)) == b"x" * 11
    assert unfolding.unfolding("br", 1) is None
