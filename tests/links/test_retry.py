"""Asking again: pauses, Retry-After in both forms, and when patience ends. Against a server of ours that says what we like."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weak_line import WeakLine, answering

from exchange.links import retry, sdk

NOW = datetime(2026, 11, 21, 1, 0, 0, tzinfo=UTC)
GOOD = answering(200, b'{"items": [], "next": null, "more": false}')


@given(failures=st.integers(1, 10_000), asked=st.floats(0, 1e6), chance=st.floats(0, 1))
def test_a_pause_is_bounded_and_never_shorter_than_asked(failures, asked, chance):
    seconds = retry.pause(failures, asked, chance)
    assert asked <= seconds <= max(retry.LONGEST_PAUSE_SECONDS, asked + 1)
    assert seconds >= retry.FIRST_PAUSE_SECONDS / 2


def test_pauses_grow_and_differ():
    assert [retry.pause(n, 0, 1.0) for n in range(1, 9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert len({retry.pause(5, 0) for _ in range(20)}) > 10


@pytest.mark.parametrize(
    "said, seconds",
    [
        ("2", 2), ("0", 0), ("  7 ", 7), ("", 0), ("soon", 0), ("-5", 0), ("1e9", 0), ("٣", 0), ("2.5", 0),
        ("9" * 400, 999_999_999),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0),
        ("Sat, 21 Nov 99999 00:00:00 GMT", 0), ("Sat, 99 Nov 2026 00:00:00 GMT", 0), ("\x00", 0),
    ],
)  # fmt: skip
def test_retry_after(said, seconds):
    assert retry.retry_after({"Retry-After": said, "Date": format_datetime(NOW, usegmt=True)}) == seconds


def test_a_date_is_compared_with_the_clock_of_the_exchange_if_it_tells_it():
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < retry.retry_after({"Retry-After": then}) <= 60
    assert 50 < retry.retry_after({"Retry-After": then, "Date": "?"}) <= 60


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_what_tells_nothing_is_asked_again_with_the_same_key(status):
    with WeakLine(faults=[answering(status), answering(status), GOOD]) as line:
        async with sdk.connected(line.url, "cv_a_b") as client:
            assert (await client.ack(["x"])).status == 200
        assert line.connections == 3
        assert len(line.header("Idempotency-Key")) == 3
        assert len(set(line.header("Idempotency-Key"))) == 1


async def test_another_operation_has_another_key():
    with WeakLine(faults=[GOOD, GOOD]) as line:
        async with sdk.connected(line.url, "cv_a_b") as client:
            await client.ack(["x"])
            await client.ack(["x"])
        assert len(set(line.header("Idempotency-Key"))) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 410, 413, 415, 416, 422, 500, 301])
async def test_a_final_answer_is_not_asked_for_again(status):
    with WeakLine(faults=[answering(status, b'{"code": "x"}'), GOOD]) as line:
        async with sdk.connected(line.url, "cv_a_b") as client:
            assert (await client.ack(["x"])).status == status
        assert line.connections == 1


@pytest.mark.parametrize(
    "faults, attempts",
    [([answering(503)] * 9, 3), ([answering(503)] * 9, 1)],
)
async def test_attempts_are_counted_and_the_last_answer_is_told(faults, attempts):
    with WeakLine(faults=faults) as line:
        async with sdk.connected(line.url, "cv_a_b", attempts=attempts) as client:
            assert (await client.ack(["x"])).status == 503
        assert line.connections == attempts


async def test_patience_is_a_total_time():
    """Also against a server that is silent: an attempt never goes beyond it."""
    with WeakLine(always=answering(503)) as line:
        started = time.monotonic()
        async with sdk.connected(line.url, "cv_a_b", attempts=None, seconds=1.0) as client:
            assert (await client.ack(["x"])).status == 503
        assert line.connections >= 3
        assert time.monotonic() - started < 4


async def test_silence_ends_with_patience():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with sdk.connected(url, "cv_a_b", attempts=None, seconds=0.6) as client:
            with pytest.raises(sdk.UnavailableError, match="timeout"):
                await client.ack(["x"])
        assert 0.5 < time.monotonic() - started < 4


@pytest.mark.parametrize(
    "header", ["Retry-After: 3600", "Retry-After: Wed, 21 Oct 2099 07:28:00 GMT"], ids=["seconds", "date"]
)
async def test_asked_for_more_than_our_patience_we_end_at_once(header):
    with WeakLine(faults=[answering(429, b"{}", header), GOOD]) as line:
        started = time.monotonic()
        async with sdk.connected(line.url, "cv_a_b", attempts=None, seconds=30) as client:
            assert (await client.ack(["x"])).status == 429
        assert (line.connections, time.monotonic() - started < 5) == (1, True)


async def test_a_short_retry_after_is_kept():
    with WeakLine(faults=[answering(429, b"{}", "Retry-After: 1"), GOOD]) as line:
        started = time.monotonic()
        async with sdk.connected(line.url, "cv_a_b", seconds=30) as client:
            assert (await client.ack(["x"])).status == 200
        assert time.monotonic() - started >= 1


NO_ANSWERS = {
    "ssh": b"SSH-2.0-OpenSSH_9\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "short body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{",
    "bad length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "bad gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "long head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("name", NO_ANSWERS)
async def test_what_is_no_answer_is_asked_again(name):
    with WeakLine(faults=[type(GOOD)("answer", raw=NO_ANSWERS[name]), GOOD]) as line:
        async with sdk.connected(line.url, "cv_a_b") as client:
            assert (await client.ack(["x"])).status == 200
        assert line.connections == 2


STRANGE = {
    "html": b"<html>",
    "text": b'"ok"',
    "list": b"[]",
    "null": b"null",
    "deep": b"[" * 100_000,
    "utf": b'"\xff"',
}


@pytest.mark.parametrize("name", STRANGE)
async def test_an_answer_that_is_no_object_is_strange(name):
    with WeakLine(always=answering(200, STRANGE[name])) as line:
        async with sdk.connected(line.url, "cv_a_b") as client:
            with pytest.raises(sdk.StrangeAnswerError):
                (await client.inbox()).facts()


async def test_a_redirect_is_not_followed():
    """A key must not travel to where an answer points."""
    with (
        WeakLine() as elsewhere,
        WeakLine(faults=[answering(307, b"", f"Location: {elsewhere.url}/")]) as line,
    ):
        async with sdk.connected(line.url, "cv_a_b") as client:
            answer = await client.ack(["x"])
        assert (answer.status, elsewhere.connections) == (307, 0)
        with pytest.raises(sdk.RefusedError):
            answer.facts()


async def test_being_told_to_end_is_not_lost_below():
    """A library may call the end that it was told a failure of its own; nothing is tried again then."""
    asked = 0

    async def swallowing():
        nonlocal asked
        asked += 1
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise retry.NoAnswerError("connection") from None

    work = asyncio.create_task(retry.until_known(swallowing, retry.Patience(), 60))
    await asyncio.sleep(0.05)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert asked == 1
