"""Leaving: what was begun is answered, long polls end at once, connections go with their answer, the others take the rest."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from faults.moments import until
from province import fetch, quick_letter, serving

from exchange.store import pool as pools

WAIT = 50


@contextlib.asynccontextmanager
async def held(dsn, table="letter"):
    """Whoever writes to the table waits for the end of the block."""
    connection = await pools.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield
    finally:
        await connection.close()


async def blocked(dsn):
    """Whether a commit comes to wait for a lock."""
    query = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO letter%'"
    return await until(lambda: fetch(dsn, query))


def told(server, event):
    return server.log.read_text(errors="replace").count(f'"event": "{event}"')


async def one_worker_more(server, count):
    assert await until(lambda: told(server, "worker_ready") >= count)


async def test_long_polls_are_answered_at_once_and_nobody_waits_for_them(server):
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(server.client("H13.31", attempts=1)) for _ in range(30)]
        polls = [asyncio.create_task(one.inbox("H13.31", wait=WAIT)) for one in clients]
        await asyncio.sleep(1)
        assert not any(poll.done() for poll in polls)
        started = time.monotonic()
        server.process.terminate()
        answers = await asyncio.gather(*polls)
        assert {(one.status, len(one.body["items"])) for one in answers} == {(200, 0)}
        assert {one.headers.get("Connection") for one in answers} == {"close"}
        assert await asyncio.to_thread(server.process.wait, WAIT) == 0
        assert time.monotonic() - started < WAIT / 4
    assert told(server, "drain_cut") == 0


async def test_what_was_begun_is_committed_and_answered(province, province_database, tmp_path):
    with serving(province, province_database, tmp_path, workers=1) as server:
        async with server.client(attempts=1) as client:
            async with held(server.dsn):
                sending = [asyncio.create_task(client.send(quick_letter(n))) for n in range(1, 9)]
                assert await blocked(server.dsn)
                server.process.terminate()
                await asyncio.sleep(2)  # longer than idle connections may linger
                assert (server.process.poll(), [one.done() for one in sending]) == (None, [False] * 8)
            answers = await asyncio.gather(*sending)
        assert await asyncio.to_thread(server.process.wait, WAIT) == 0
        assert {(one.status, one.headers.get("Connection")) for one in answers} == {(201, "close")}
        kept = {str(row["id"]) for row in await fetch(server.dsn, "SELECT id FROM letter")}
        assert {one.body["receipt"]["letter"] for one in answers} == kept


async def test_no_request_of_a_busy_connection_fails_when_its_worker_leaves(server):
    """Without a second attempt: 40 connections that ask without pause, while each worker is told to leave in turn."""
    ending, answers = asyncio.Event(), []

    async def ask():
        async with server.client("H13.31", attempts=1) as client:
            while not ending.is_set():
                answers.append(await client.inbox("H13.31"))

    asking = [asyncio.create_task(ask()) for _ in range(40)]
    for count, worker in enumerate(server.workers(), 3):
        before = len(answers)
        assert await until(lambda before=before: len(answers) > before + 100)
        os.kill(worker, signal.SIGTERM)
        await one_worker_more(server, count)
    assert await until(lambda: told(server, "worker_left") == 2)
    ending.set()
    await asyncio.gather(*asking)
    assert {one.status for one in answers} == {200}
    last = [one for one in answers if one.headers.get("Connection") == "close"]
    assert 2 <= len(last) <= 80  # each connection is told once by each worker, at most


ASK = b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"


async def answered(reader, writer):
    """The head of one answer on a connection; empty if it was closed instead."""
    with contextlib.suppress(ConnectionError):
        writer.write(ASK)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        await reader.readexactly(length)
        return head
    return b""


async def test_an_idle_connection_hears_it_with_its_next_answer(server):
    """Whoever asks again within a second is answered, and told that it was the last time."""
    host, port = server.url.removeprefix("http://").split(":")
    streams = [await asyncio.open_connection(host, int(port)) for _ in range(10)]
    heads = await asyncio.gather(*(answered(*one) for one in streams))
    assert not any(b"Connection: close" in head for head in heads)
    for worker in server.workers():
        os.kill(worker, signal.SIGTERM)

    async def last(stream):
        while b"Connection: close" not in (head := await answered(*stream)):
            assert head.startswith(b"HTTP/1.1 200"), head
            await asyncio.sleep(0.1)
        return await stream[0].read()

    assert await asyncio.gather(*(last(one) for one in streams)) == [b""] * 10
    for _, writer in streams:
        writer.close()
    await one_worker_more(server, 4)


async def test_a_connection_on_which_nothing_is_asked_is_closed(server):
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    await asyncio.sleep(0.5)  # it is somebody's by now
    server.process.send_signal(signal.SIGHUP)
    async with asyncio.timeout(WAIT):
        assert await reader.read() == b""
    writer.close()
    assert told(server, "drain_cut") == 0


async def test_a_renewal_reads_the_files_that_settings_name(province, province_database, tmp_path):
    """Trust is what the folder holds when a worker starts: the same kind of letter is worth less without it."""
    trust = tmp_path / "trust"
    shutil.copytree(province.folder / "trust", trust)
    with serving(province, province_database, tmp_path, CONGVAN_TRUST_DIR=str(trust)) as server:
        async with server.client() as client:
            assert (await client.send(province.letter(1))).body["requirement"] == "met"
            for path in trust.iterdir():
                path.unlink()
            assert (await client.send(province.letter(2))).body["requirement"] == "met"
            server.process.send_signal(signal.SIGHUP)
            assert await until(lambda: told(server, "worker_left") == 2)
            assert (await client.send(province.letter(3))).body["requirement"] != "met"


async def test_the_renewed_answer_while_the_old_one_still_drains(server):
    """A worker that cannot end yet holds up neither letters nor its successor."""
    async with server.client(attempts=1) as client:
        async with held(server.dsn, "delivery"):
            sending = asyncio.create_task(client.send(quick_letter(1)))
            query = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO del%'"
            assert await until(lambda: fetch(server.dsn, query))
            server.process.send_signal(signal.SIGHUP)
            await one_worker_more(server, 3)
            async with server.client("H13.31") as other:
                assert (await other.inbox()).status == 200
            assert not sending.done()
        assert (await sending).status == 201
    await one_worker_more(server, 4)
    assert await until(lambda: told(server, "worker_left") == 2)
    assert len(server.workers()) == 2


BRIEF = """
import asyncio, exchange.api.drain as drain
drain.CUT_SECONDS = 0.2
async def main():
    stop = drain.Stop()
    assert not await stop.wait(0.01)
    stop.give()
    assert stop.given and await stop.wait()
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_who_does_not_end_is_cut():
    done = subprocess.run([sys.executable, "-c", BRIEF], capture_output=True, timeout=30, check=False)
    assert (done.returncode, b"drain_cut" in done.stdout + done.stderr) == (1, True)
