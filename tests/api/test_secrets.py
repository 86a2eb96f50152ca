"""Secrets are planted wherever one could be, and must come out nowhere: not in logs, journal, tables, answers, output.

The server is driven through requests that go well, are refused, come from strangers, and crash.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
from province import fetch, quick_letter

from exchange import log
from exchange.broker import receipts
from exchange.store import pool as pools

MISSING = "01900000-0000-7000-8000-000000000000"
HOSTILE = "V/v \u009b2J\u202ecod.exe\u2028giả\x7f"
PLANTED = "planted-9c1f6e0b7a55"
"""A secret of ours in the server's environment, and what a caller may put where it does not belong."""


SETTINGS = {"CONGVAN_LOG_LEVEL": "debug", "CONGVAN_SECRET": PLANTED, "CONGVAN_MASTER_KEY_FILE": PLANTED}
"""A server that logs everything, with secrets in its environment."""


def secrets_of(server):
    """Every secret as it is written, by name."""
    pem = (server.folder / "receipt.key").read_text()
    return {
        "environment": PLANTED,
        "password": urlsplit(server.dsn).password,
        **{f"key {number}": key for number, key in enumerate(set(server.province.keys.values()))},
        **{
            f"half key {number}": key.split("_", 2)[2]
            for number, key in enumerate(set(server.province.keys.values()))
        },
        **{f"receipt key {number}": line for number, line in enumerate(pem.splitlines()[1:-1])},
    }


def found(text, secrets):
    """The names of the secrets that stand in a text, as they are or in hexadecimal."""
    return [name for name, one in secrets.items() if one in text or one.encode().hex() in text]


async def tables_as_text(dsn):
    """Every column of every table, as text."""
    connection = await pools.connect(dsn)
    try:
        names = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        )
        return {
            record["relname"]: "\n".join(
                row["line"]
                for row in await connection.fetch(f"SELECT one::text AS line FROM {record['relname']} AS one")
            )
            for record in names
        }
    finally:
        await connection.close()


async def order(dsn, statement):
    connection = await pools.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def ask(server, method, path, **given):
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.request(method, path, **given) as response,
    ):
        return response.status, await response.read()


async def good_requests(server, number, answers):
    async with server.client() as sender, server.client("H13.31") as recipient:
        sent = await sender.send(
            quick_letter(number, recipients=["H13.31"], subject=HOSTILE.replace("\x7f", ""))
        )
        letter = sent.body["receipt"]["letter"]
        answers += [sent.raw, (await sender.send(quick_letter(number, recipients=["H13.31"]))).raw]
        inbox = await recipient.inbox()
        answers += [inbox.raw, (await recipient.ack([inbox.body["items"][0]["id"]])).raw]
        for what in ("header", "verdicts", "trace", "receipt"):
            answers.append((await sender.about(letter, what)).raw)
    return letter


async def misplaced_secrets(server, answers):
    """The caller's own key where it does not belong: parameters, path, body, another scheme, half a header."""
    key = server.province.key_of("H13.01")
    bearer = {"Authorization": f"Bearer {key}"}
    for path in (
        f"/v1/inbox?after={key}", f"/v1/inbox?for={key}", f"/v1/inbox?limit={key}", f"/v1/messages/{key}", f"/{key}",
    ):  # fmt: skip
        answers.append((await ask(server, "GET", path, headers=bearer))[1])
    for parameter in ("copy", "purpose", "resend", "paper_reason", "test", "main"):
        path = f"/v1/messages?{parameter}={quote(key)}"
        answers.append((await ask(server, "POST", path, headers=bearer, data=b"x"))[1])
    answers.append((await ask(server, "POST", "/v1/inbox/ack", headers=bearer, data=key.encode()))[1])
    for header in (f"Basic {key}", f"Bearer {key}x", f"Bearer {key} {key}", key, f"Bearer x{key}"):
        answers.append((await ask(server, "GET", "/v1/inbox", headers={"Authorization": header}))[1])


async def no_http(server):
    """A key in a request that is none; the HTTP library answers these by itself."""
    key = server.province.key_of("H13.01")
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    for request in (
        f"GET /v1/inbox HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {key}\r\n\r\n",
        f"GET /v1/inbox HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\x00\r\n\r\n",
        f"Bearer {key}\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request.encode())
        await reader.read(1)
        writer.close()


async def crashes(server, number, letter, answers):
    """Requests that fail in our own code, because a table is gone; and ones without a database."""
    bearer = {"Authorization": f"Bearer {server.province.key_of('H13.01')}"}
    statuses = []
    await order(server.dsn, "ALTER TABLE verdict RENAME TO hidden")
    try:
        for method, path, data in (
            ("GET", f"/v1/messages/{letter}/verdicts", None),
            ("POST", "/v1/messages", server.province.letter(number, subject=PLANTED)),
        ):
            status, raw = await ask(server, method, path, headers=bearer, data=data)
            statuses.append(status)
            answers.append(raw)
    finally:
        await order(server.dsn, "ALTER TABLE hidden RENAME TO verdict")
    await order(
        server.dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    answers.append((await ask(server, "GET", f"/v1/messages/{MISSING}", headers=bearer))[1])
    return statuses


async def test_no_secret_comes_out_anywhere(shared_server):
    server, answers = shared_server, []
    letter = await good_requests(server, 1, answers)
    await misplaced_secrets(server, answers)
    await no_http(server)
    statuses = await crashes(server, 2, letter, answers)
    assert 500 in statuses  # or nothing crashed
    async with server.client() as client:
        assert (await client.send(quick_letter(3))).status == 201
    secrets = secrets_of(server)
    assert len(secrets) > 10
    checked = await asyncio.to_thread(server.congvan, "check")
    assert checked.returncode == 0, checked
    told = server.log.read_text(encoding="utf-8")
    assert '"event": "internal"' in told
    assert "Traceback" in told
    assert found(told, secrets) == []
    assert found(checked.stdout + checked.stderr, secrets) == []
    assert [one for one in answers if found(one.decode(), secrets)] == []
    tables = await tables_as_text(server.dsn)
    assert "refused" in tables["journal"]
    assert {name: found(text, secrets) for name, text in tables.items() if found(text, secrets)} == {}


async def test_every_line_of_the_log_is_one_json_object_without_control_characters(shared_server):
    letter = await good_requests(shared_server, 11, [])
    await no_http(shared_server)
    await crashes(shared_server, 12, letter, [])
    _, *lines = shared_server.log.read_text(encoding="utf-8").splitlines()  # the first one is for people
    assert len(lines) > 2
    for line in lines:
        assert line.isprintable()
        assert isinstance(json.loads(line)["event"], str)


def test_processes_do_not_show_secrets_to_other_users(shared_server):
    secrets = secrets_of(shared_server)
    pids = (shared_server.process.pid, *shared_server.workers())
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes().decode() for pid in pids]
    assert len(shown) == 3
    assert found("".join(shown), secrets) == []
    assert (shared_server.folder / "receipt.key").stat().st_mode & 0o077 == 0


DSNS = {
    "a wrong password": "postgresql://congvan:{planted}@{address}",
    "no such server": "postgresql://congvan:{planted}@127.0.0.1:1/congvan",
    "a slash in the password": "postgresql://congvan:{planted}/x@127.0.0.1:1/congvan",
    "a hash in the password": "postgresql://congvan:{planted}#x@127.0.0.1:1/congvan",
    "a port that is none": "postgresql://congvan:{planted}@127.0.0.1:{planted}/congvan",
    "another scheme": "mysql://congvan:{planted}@127.0.0.1:1/congvan",
    "a password as parameter": "postgresql:///congvan?host=/nowhere&user=congvan&password={planted}",
    "an unknown parameter": "postgresql://127.0.0.1:1/congvan?{planted}={planted}",
    "no DSN": "{planted}",
}


STARTED = [
    *(pytest.param(dsn, ["check"], id=name) for name, dsn in DSNS.items()),
    *(
        pytest.param(DSNS[name], ["serve", "--workers", "1"], id=f"{name} of a server")
        for name in list(DSNS)[:3]
    ),
]


@pytest.mark.parametrize("dsn, verb", STARTED)
def test_a_database_that_cannot_be_had_is_told_without_its_password(postgres, tmp_path, dsn, verb):
    address = postgres.dsn.partition("@")[2]
    environment = {
        **os.environ,
        "CONGVAN_DATA": str(tmp_path),
        "CONGVAN_LISTEN": "127.0.0.1:0",
        "CONGVAN_DATABASE_URL": dsn.format(planted=PLANTED, address=address),
        "CONGVAN_RECEIPT_KEY_FILE": str(receipt_key(tmp_path)),
    }
    command = [sys.executable, "-m", "exchange", *verb]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    said = ended.stdout + ended.stderr
    assert ended.returncode in {2, 3}, said
    assert "Traceback" not in said
    assert PLANTED not in said
    assert len(said.strip().splitlines()) == 1


def receipt_key(folder):
    receipts.ensure(folder / "receipt.key")
    return folder / "receipt.key"


def test_hostile_text_is_harmless_on_a_terminal(tmp_path):
    """XML lets control characters of the upper half through, and every direction mark."""
    file = tmp_path / "letter.edxml"
    raw = quick_letter(1, sender="H13\u009b31m", subject=HOSTILE.replace("\x7f", "&#127;"))
    file.write_bytes(raw)
    environment = {**os.environ, "COLUMNS": "200"}
    told = {}
    for arguments in ("show", "show --json", "lint", "verify"):
        command = [sys.executable, "-m", "exchange", *arguments.split(), str(file)]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert ended.returncode in {0, 1}, ended.stderr
        told[arguments] = ended.stdout
        for line in (ended.stdout + ended.stderr).splitlines():
            assert line.isprintable(), (arguments, line)
    assert "\\x9b2J\\u202ecod.exe" in told["show"]
    subject = json.loads(told["show --json"])["subject"]
    assert subject == HOSTILE  # as it came, for programs


def test_the_last_step_before_a_line_is_printed_hides_secrets_in_everything():
    key, dsn = "cv_abc234_" + "x-_Y" * 10, "postgresql://congvan:pa_s-s@/congvan?host=/tmp"
    pem = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqG\n-----END PRIVATE KEY-----"
    event = {
        "event": f"one {key} two {dsn}",
        "error": ValueError(key, dsn),
        "nested": {"a": [key, pem]},
        "raw": key.encode(),
        "pem": f"x {pem} y",
        "cut": pem[:45],
        "parameter": "postgresql:///x?password=pa_s-s&user=congvan",
        "ansi": "\x1b[31m\u202e\r\n",
        "n": 3, "none": None, "yes": True,
    }  # fmt: skip
    told = log.harmless(None, "info", event)
    shown = json.dumps(told, ensure_ascii=False)
    for secret in (key, key[10:], "pa_s-s", "MIGHAgEAMBMGByqG"):
        assert secret not in shown
    assert told["ansi"] == "\\x1b[31m\\u202e\\x0d\\x0a"
    assert told["pem"] == "x (private key) y"
    assert (told["n"], told["none"], told["yes"]) == (3, None, True)
    assert re.match(r"one cv_abc234_\*\*\* two postgresql://congvan:\*\*\*@/congvan", told["event"])
    assert told["parameter"].endswith("password=***&user=congvan")


async def test_the_journal_of_a_refusal_holds_a_digest_and_nothing_of_the_letter(shared_server):
    async with shared_server.client() as client:
        refused = await client.send(quick_letter(21, recipients=[PLANTED], subject=PLANTED))
        assert refused.problem == "no_routable_recipient"
    lines = await fetch(
        shared_server.dsn, "SELECT journal::text AS line FROM journal WHERE event = 'refused'"
    )
    assert any("no_routable_recipient" in line["line"] for line in lines)
    assert [line["line"] for line in lines if PLANTED in line["line"].lower()] == []


LIBRARY = """
import logging, sys, warnings
from exchange import log
log.configure("debug")
key = sys.argv[1]
try:
    raise ValueError(f"\\x1b[31m Authorization Bearer {key}")
except ValueError:
    logging.getLogger("aiohttp.server").exception("request %s", key)
warnings.warn(key)
logging.getLogger("asyncio").debug("%s", key)
"""


def test_what_libraries_say_goes_through_the_same_sieve():
    key = "cv_abc234_" + "xY" * 20
    command = [sys.executable, "-W", "default", "-c", LIBRARY, key]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == ""
    lines = [json.loads(line) for line in told.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["error", "warning"]
    assert lines[0]["event"] == "request cv_abc234_***"
    assert "Bearer cv_abc234_***" in lines[0]["exception"]
    assert "cv_abc234_***" in lines[1]["event"]
    assert "xYxY" not in told.stderr
    assert told.stderr.replace("\n", "").isprintable()
