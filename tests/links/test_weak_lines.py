"""Large letters over lines that are cut, reset, or stand still: against the real server, through a proxy that does that."""

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from province import fetch, quick_letter
from weak_line import Fault, WeakLine, answering

from exchange.links import connection, download, retry, sdk, statement, upload

numbers = iter(range(50_000, 60_000))
KB = 1 << 10


def large(size):
    """A new letter of some more than `size` bytes, none of which repeat."""
    number = next(numbers)
    padding = b"".join(
        hashlib.sha256(f"{number} {n}".encode()).hexdigest().encode() for n in range(size // 64)
    )
    return quick_letter(number) + b"<!--" + padding + b"-->\n"


def over(line, server, code="H13.01", **terms):
    given = {"attempts": None, "seconds": 30} | terms
    return sdk.connected(line.url, server.province.key_of(code), **given)


async def stored(server, answer):
    letter = answer.facts()["receipt"]["letter"]
    (row,) = await fetch(server.dsn, "SELECT sha256, size FROM letter WHERE id = $1", letter)
    return row["sha256"].hex(), row["size"]


def identity(raw):
    return hashlib.sha256(raw).hexdigest(), len(raw)


async def test_a_large_letter_goes_up_in_parts(shared_server):
    raw, seen = large(2_500 * KB), []
    with WeakLine(shared_server.url) as line:
        async with over(line, shared_server) as client:
            answer = await client.send(raw, progress=lambda done, total: seen.append((done, total)), test="1")
        methods = [method for method, _ in line.requests()]
    assert answer.status == 201
    assert await stored(shared_server, answer) == identity(raw)
    assert statement.fault(answer.raw, raw) == ""
    assert methods == ["GET", "PATCH", "PATCH", "PATCH", "POST"]
    assert seen == [(1 << 20, len(raw)), (2 << 20, len(raw)), (len(raw), len(raw))]
    assert len(set(line.header("Idempotency-Key"))) == 1
    (row,) = await fetch(
        shared_server.dsn, "SELECT test FROM letter WHERE sha256 = $1", bytes.fromhex(identity(raw)[0])
    )
    assert row["test"] is True


@pytest.mark.parametrize("kind", ["cut", "reset"])
async def test_every_connection_is_cut_after_300_kb(shared_server, kind):
    """What arrived is kept: little more than the letter itself goes over the line."""
    raw = large(2_000 * KB)
    with WeakLine(shared_server.url, always=Fault(kind, up=300 * KB)) as line:
        async with over(line, shared_server) as client:
            answer = await client.send(raw)
        assert line.connections > 5
        assert line.up < 1.5 * len(raw)
    assert await stored(shared_server, answer) == identity(raw)


async def test_a_part_that_stands_still_is_given_up(shared_server, monkeypatch):
    monkeypatch.setattr(upload, "STEP_SECONDS", 1.0)
    raw = large(1_500 * KB)
    with WeakLine(shared_server.url, [Fault("stall", up=500 * KB), Fault("stall", up=200 * KB)]) as line:
        async with over(line, shared_server) as client:
            answer = await client.send(raw)
        assert line.connections >= 3
    assert await stored(shared_server, answer) == identity(raw)


async def test_the_answer_to_the_last_word_is_lost(shared_server):
    """The letter is accepted, nobody hears it; asked again there is the first receipt, and the bytes go up once."""
    raw = large(1_200 * KB)
    with WeakLine(shared_server.url, [Fault(down=1)] * 3) as line:
        async with over(line, shared_server) as client:
            first = await client.send(raw)
        assert line.up < 1.3 * len(raw)
    async with shared_server.client() as client:
        assert (await client.send(raw)).raw == first.raw


async def test_another_run_goes_on(shared_server):
    raw = large(3_000 * KB)
    with WeakLine(shared_server.url, [Fault(up=1_500 * KB)], always=Fault(up=0)) as line:
        async with over(line, shared_server, seconds=1) as client:
            with pytest.raises(sdk.UnavailableError):
                await client.send(raw)
    with WeakLine(shared_server.url) as line:
        async with over(line, shared_server) as client:
            answer = await client.send(raw)
        assert line.up < 2_000 * KB
    assert await stored(shared_server, answer) == identity(raw)


async def test_an_upload_of_somebody_else_is_not_ours(shared_server):
    raw = large(1_200 * KB)
    async with shared_server.client("H13.01") as client:
        assert (await client.send(raw)).status == 201
    async with shared_server.client("H13.31") as client:
        assert (await client.send(raw)).problem == "not_allowed_to_act"


@settings(max_examples=8, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 200 * KB), max_size=6),
    kinds=st.lists(st.sampled_from(["cut", "reset"]), min_size=6),
)
def test_cut_anywhere(shared_server, cuts, kinds):
    """Whatever is cut, on the way up or down: one letter, its bytes, one receipt."""
    import asyncio

    raw = large(150 * KB)
    faults = [
        Fault(kind, up=cut) if cut % 3 else Fault(kind, down=cut % 500)
        for cut, kind in zip(cuts, kinds, strict=False)
    ]

    async def story():
        with WeakLine(shared_server.url, faults) as line:
            async with over(line, shared_server) as client:
                answer = await sdk.Client(client.line, upload_above=0).send(raw)
        return await stored(shared_server, answer)

    assert asyncio.run(story()) == identity(raw)


async def test_too_large_is_told_before_the_bytes_go(shared_server):
    with WeakLine(shared_server.url) as line:
        async with over(line, shared_server) as client:
            answer = await client.send(large(101 << 20))
        assert answer.problem == "too_large"
        assert line.up < 4 * upload.PART_BYTES


async def test_an_exchange_without_uploads_gets_the_letter_whole(shared_server):
    raw = large(1_100 * KB)
    missing = answering(404, b'{"code": "not_found"}', content_type="application/problem+json")
    with WeakLine(shared_server.url, [missing, missing]) as line:
        async with over(line, shared_server) as client:
            answer = await client.send(raw)
        assert [method for method, _ in line.requests()] == ["GET", "PATCH", "POST"]
    assert await stored(shared_server, answer) == identity(raw)


OFFSETS = ["-1", "1e9", "99999999999", '"5"', "null", "true", "[]", "{}", "1.5"]


@pytest.mark.parametrize("offset", OFFSETS)
async def test_an_offset_that_cannot_be_is_strange(offset):
    with WeakLine(always=answering(200, b'{"offset": ' + offset.encode() + b"}")) as line:
        async with sdk.connected(line.url, "cv_a_b", seconds=5) as client:
            with pytest.raises(sdk.StrangeAnswerError):
                await sdk.Client(client.line, upload_above=0).send(b"x" * 100)


@pytest.mark.parametrize(
    "name, always",
    [
        ("stuck", answering(200, b'{"offset": 7}')),
        ("back and forth", answering(409, b'{"code": "wrong_offset", "offset": 3}')),
        ("busy", answering(503)),
        ("cut", Fault(up=0)),
    ],
)
async def test_an_upload_without_progress_ends(name, always):
    with WeakLine(always=always) as line:
        async with sdk.connected(line.url, "cv_a_b", attempts=4) as client:
            with pytest.raises(sdk.UnavailableError):
                await sdk.Client(client.line, upload_above=0).send(b"x" * 100)
        assert line.connections < 20


@pytest.mark.parametrize("code", ["not_found", "digest_mismatch"])
async def test_a_lost_upload_is_begun_again_but_not_for_ever(code):
    """GET, PATCH, POST, and the exchange has lost it again; each time."""
    whole = answering(200, b'{"offset": 100}')
    lost = answering(404 if code == "not_found" else 400, f'{{"code": "{code}"}}'.encode())
    with WeakLine(faults=[answering(404), *[whole, lost] * 10]) as line:
        async with sdk.connected(line.url, "cv_a_b", seconds=10) as client:
            answer = await sdk.Client(client.line, upload_above=0).send(b"x" * 100)
        assert answer.problem == code
        assert line.connections == 1 + 2 * (1 + upload.RESTARTS)


@pytest.fixture(scope="module")
def letter(shared_server):
    """A large letter in somebody's inbox: item, bytes."""
    import asyncio

    raw = large(1_500 * KB)

    async def send():
        async with shared_server.client() as client:
            return (await client.send(raw)).facts()["receipt"]["letter"]

    named = asyncio.run(send())
    return {"letter": named, "sha256": identity(raw)[0], "size": len(raw)}, raw


async def test_a_download_goes_on_where_it_was_cut(shared_server, letter):
    item, raw = letter
    file, seen = io.BytesIO(), []
    with WeakLine(shared_server.url, always=Fault(down=400 * KB)) as line:
        async with over(line, shared_server) as client:
            assert await client.fetch(item, file, progress=lambda done, _: seen.append(done)) is None
        assert line.down < 1.1 * len(raw)
        assert line.header("Range")[0].startswith("bytes=")
        assert set(line.header("If-Range")) == {f'"{item["sha256"]}"'}
    assert file.getvalue() == raw
    assert seen == sorted(seen)
    assert seen[-1] == len(raw)


async def test_a_download_that_stands_still_is_given_up(shared_server, letter, monkeypatch):
    monkeypatch.setattr(download, "SILENCE_SECONDS", 0.5)
    item, raw = letter
    file = io.BytesIO()
    with WeakLine(shared_server.url, [Fault("stall", down=300 * KB)]) as line:
        async with over(line, shared_server) as client:
            assert await client.fetch(item, file) is None
    assert file.getvalue() == raw


BEGINNINGS = {
    "nothing": lambda raw: raw[:0],
    "the beginning": lambda raw: raw[:700_000],
    "all": lambda raw: raw,
    "too much": lambda raw: raw + b"x",
    "other bytes": lambda raw: b"y" * (len(raw) // 2),
    "other bytes, whole": lambda raw: b"y" * len(raw),
    "far too much": lambda raw: raw * 2,
}


@pytest.mark.parametrize("name", BEGINNINGS)
async def test_whatever_the_file_held_it_holds_the_letter(shared_server, letter, name):
    item, raw = letter
    file = io.BytesIO(BEGINNINGS[name](raw))
    async with shared_server.client() as client:
        assert await client.fetch(item, file) is None
    assert file.getvalue() == raw


async def test_a_refused_download_is_an_answer(shared_server, letter):
    item, _ = letter
    async with shared_server.client("H13.31") as client:
        answer = await client.fetch(item, io.BytesIO())
    assert (answer.status, answer.problem) == (404, "not_found")


OTHER = b"z" * 1000
SMALL = {
    "letter": "01900000-0000-7000-8000-000000000000",
    "sha256": hashlib.sha256(b"a" * 1000).hexdigest(),
    "size": 1000,
}


@pytest.mark.parametrize(
    "name, fault",
    [
        ("other bytes", answering(200, OTHER)),
        ("less", answering(200, OTHER[:10])),
        ("more", answering(200, OTHER * 2)),
        ("a part nobody asked for", answering(206, OTHER, "Content-Range: bytes 5-1004/2000")),
        ("beyond", answering(416)),
    ],
)
async def test_bytes_that_are_not_the_announced_ones_are_damaged(name, fault):
    written = []

    class Counting(io.BytesIO):
        def write(self, piece):
            written.append(len(piece))
            return super().write(piece)

    file = Counting()
    with WeakLine(always=fault) as line:
        async with sdk.connected(line.url, "cv_a_b", attempts=5) as client:
            with pytest.raises(sdk.DamagedError):
                await client.fetch(SMALL, file)
        assert line.connections == 1 + download.RESTARTS
    assert max(written, default=0) <= SMALL["size"] + 1  # nobody fills our disk beyond what was announced


async def test_a_download_without_progress_ends():
    """A server that knows no ranges, over a line that is always cut at the same place."""
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"a" * 500
    with WeakLine(always=Fault("answer", raw=half)) as line:
        async with sdk.connected(line.url, "cv_a_b", attempts=4) as client:
            with pytest.raises(sdk.UnavailableError):
                await client.fetch(SMALL, io.BytesIO())
        assert line.connections < 8


async def test_a_full_disk_is_no_bad_line(shared_server, letter):
    """An error of the file is the caller's, and not tried again."""
    item, _ = letter

    class Full(io.BytesIO):
        def write(self, _piece):
            raise OSError(28, "No space left on device")

    with WeakLine(shared_server.url) as line:
        async with over(line, shared_server) as client:
            with pytest.raises(OSError, match="No space"):
                await client.fetch(item, Full())
        assert line.connections == 1


def test_limits_fit_together():
    assert connection.ANSWER_SECONDS > 40
    assert upload.SMALLEST_PART_BYTES <= upload.PART_BYTES
    assert retry.FIRST_PAUSE_SECONDS < retry.LONGEST_PAUSE_SECONDS
