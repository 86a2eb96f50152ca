"""The demo: a province at work on this machine, once - real PostgreSQL, real HTTP server, real signatures.

prepare   database, authority, directory (452 agencies and their superior), systems with keys
send      one letter for every way a letter can end, through the systems' own client
receive   every system takes what is open, compares each body byte for byte, acknowledges
answer    some recipients say what became of a letter; the senders' systems take the notices
count     the tally, and the self-check that recomputes it
"""

import asyncio
import contextlib
import hashlib
import os
import socket
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from exchange import config, ids
from exchange.broker import credentials, directory, receipts
from exchange.demo import agencies, answers, authority, cast, letters, summary
from exchange.demo.summary import Received, Sent, accepted
from exchange.links import sdk
from exchange.store import embedded, migrate, pool
from exchange.tracker import check, signature_usage, tally
from signing import trust

READY_SECONDS = 60.0
PAGE = 200

Say = Callable[..., None]

Tell = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, of how much."""


class DemoError(Exception):
    """The demo could not be played; `key` is one of the catalogue's `demo_failure.…`."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where the demo plays: its folder, the address of its server, and who is told what happens (`say(key, **facts)`)."""

    folder: Path
    port: int
    workers: int
    say: Say

    @property
    def server(self) -> str:
        """The exchange's address."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self, dsn: str) -> dict[str, str]:
        """What `congvan serve` is told."""
        told = {
            "CONGVAN_DATABASE_URL": dsn,
            "CONGVAN_DATA": str(self.folder),
            "CONGVAN_LISTEN": f"127.0.0.1:{self.port}",
            "CONGVAN_TRUST_DIR": str(self.folder / "trust"),
            "CONGVAN_CRL_DIR": str(self.folder / "crl"),
            "CONGVAN_LOG_LEVEL": "warning",
        }
        return {**os.environ, **told}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def play(stage: Stage, dsn: str, started: float) -> dict[str, Any]:
    """Play the whole demo on a migrated, empty database; the summary of `contract.md`."""
    at = datetime.now(UTC)
    script = cast.cast()
    ours = authority.issue(script.seals, script.persons, script.odd, at)
    authority.publish(ours, stage.folder / "trust", stage.folder / "crl")
    stage.say("demo.issued", n=ours.certificates)
    keys = await _furnish(dsn, script, ours, at, stage.say)
    async with _serving(stage, dsn), _clients(stage.server, keys) as clients:
        stage.say("demo.serving", address=stage.server)
        sent = await _send_all(clients, script, ours, stage.say)
        received = await _receive_all(clients, sent, stage.say)
        received.notices = await answers.exchanged(clients, sent, received)
        stage.say("demo.answered", n=received.notices, expected=len(answers.SAID))
        verdicts = await _verdicts(clients, sent)
    counted = await _counted(stage, dsn, received)
    return {**summary.of(sent, received, verdicts, counted), "seconds": round(monotonic() - started, 1)}


async def _furnish(
    dsn: str, script: cast.Cast, ours: authority.Authority, at: datetime, say: Say
) -> dict[str, str]:
    """The directory and the systems; kind of agency -> the key of the system that acts for it."""
    new_ids = ids.Ids(lambda: datetime.now(UTC))
    opened = await pool.open(dsn, size=2)
    try:
        sheets = [
            directory.Sheet(kind="agency", raw=agencies.agency_sheet()),
            directory.Sheet(kind="officer", raw=agencies.officer_sheet()),
            directory.Sheet(kind="certificate", raw=authority.sheet(ours, script.odd)),
        ]
        outcome = await directory.import_csv(opened, sheets, new_ids=new_ids, at=at)
        if outcome.errors:
            raise DemoError("demo_failure.directory", errors=outcome.errors[:3])
        say("demo.directory", n=outcome.added)
        return await systems(opened, new_ids, at)
    finally:
        await opened.close()


async def systems(opened: pool.Pool, new_ids: ids.Ids, at: datetime) -> dict[str, str]:
    """Add the document systems; kind of agency -> the key of the system that acts for it. Raises DemoError."""
    keys: dict[str, str] = {}
    for name, kinds in cast.SYSTEMS.items():
        codes = [entry.code for entry in agencies.agencies() if entry.kind in kinds]
        key = await directory.add_system(opened, name=name, acts_for=codes, new_ids=new_ids, at=at)
        if not isinstance(key, credentials.Key):
            raise DemoError(
                "demo_failure.system",
                name=name,
                codes=", ".join(key if isinstance(key, tuple) else [key.why]),
            )
        keys.update(dict.fromkeys(kinds, key.secret))
    return keys


@contextlib.asynccontextmanager
async def _serving(stage: Stage, dsn: str) -> AsyncIterator[None]:
    """`congvan serve` as an operator would start it, for the length of the block."""
    command = (sys.executable, "-m", "exchange", "serve", "--workers", str(stage.workers))
    log = stage.folder / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env=stage.environment(dsn), stderr=file)  # noqa: ASYNC220, S603 - our own program
    try:
        await _ready(stage.server, process, log)
        yield
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait)


async def _ready(server: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = monotonic() + READY_SECONDS
    while monotonic() < deadline:
        if process.poll() is not None:
            raise DemoError("demo_failure.ended", log=log)
        with contextlib.suppress(sdk.UnavailableError):
            async with sdk.connected(server, "", attempts=1) as client:
                if (await client.ready()).status == 200:  # noqa: PLR2004 - HTTP
                    return
        await asyncio.sleep(0.1)
    raise DemoError("demo_failure.not_ready", seconds=int(READY_SECONDS))


@contextlib.asynccontextmanager
async def _clients(server: str, keys: Mapping[str, str]) -> AsyncIterator[dict[str, sdk.Client]]:
    """One client a system, by kind of agency."""
    async with contextlib.AsyncExitStack() as stack:
        by_key = {
            key: await stack.enter_async_context(sdk.connected(server, key)) for key in set(keys.values())
        }
        yield {kind: by_key[key] for kind, key in keys.items()}


async def _send_all(
    clients: Mapping[str, sdk.Client], script: cast.Cast, ours: authority.Authority, say: Say
) -> list[Sent]:
    kinds = {entry.code: entry.kind for entry in agencies.agencies()}
    sent = []
    for draft in script.drafts:
        raw = await asyncio.to_thread(letters.compose, draft, ours, datetime.now(UTC))
        sent.append(await _send(clients[kinds[draft.sender.code]], draft, raw, say))
    first = sent[0]
    again = letters.replayed(first.draft)
    sent.append(await _send(clients[kinds[again.sender.code]], again, first.raw, say))
    return sent


async def _send(client: sdk.Client, draft: letters.Draft, raw: bytes, say: Say) -> Sent:
    answer = await client.send(raw)
    said = f"requirement.{answer.body['requirement']}" if not answer.problem else f"problem.{answer.problem}"
    say(
        "demo.sent",
        case=f"demo_case.{draft.case}",
        sender=draft.sender.name,
        n=len(draft.recipients),
        status=answer.status,
        answer=said,
    )
    return Sent(draft=draft, raw=raw, answer=answer)


async def _receive_all(clients: Mapping[str, sdk.Client], sent: list[Sent], say: Say) -> Received:
    """Pull until every delivery that was promised is acknowledged, or nothing more comes."""
    expected = sum(len(one.answer.body["receipt"]["recipients"]) for one in accepted(sent))
    digests = {
        one.answer.body["receipt"]["letter"]: hashlib.sha256(one.raw).hexdigest() for one in accepted(sent)
    }
    received = Received()
    deadline = monotonic() + READY_SECONDS
    while received.acknowledged < expected and monotonic() < deadline:
        for client in dict.fromkeys(clients.values()):
            await _receive(client, digests, received)
    say("demo.received", n=received.acknowledged, expected=expected)
    for client in dict.fromkeys(clients.values()):
        await _receive(client, digests, received)
    return received


async def _receive(client: sdk.Client, digests: Mapping[str, str], received: Received) -> None:
    by_agency: defaultdict[str, list[str]] = defaultdict(list)
    async for item in client.pending(limit=PAGE):
        raw = (await client.body(item["letter"])).raw
        received.different += hashlib.sha256(raw).hexdigest() != digests.get(item["letter"])
        received.seen[(item["letter"], item["recipient"])] += 1
        received.deliveries[(item["letter"], item["recipient"])] = item["id"]
        by_agency[item["recipient"]].append(item["id"])
    everything = [one for ids_ in by_agency.values() for one in ids_]
    for start in range(0, len(everything), PAGE):
        answer = await client.ack(everything[start : start + PAGE])
        received.acknowledged += len(answer.body["acknowledged"])


async def _verdicts(clients: Mapping[str, sdk.Client], sent: list[Sent]) -> list[Mapping[str, Any]]:
    """The verdicts of every accepted letter, asked for by its sender."""
    kinds = {entry.code: entry.kind for entry in agencies.agencies()}
    found: list[Mapping[str, Any]] = []
    for one in accepted(sent):
        client = clients[kinds[one.draft.sender.code]]
        answer = await client.about(one.answer.body["receipt"]["letter"], "verdicts")
        found.extend(answer.body["signatures"])
    return found


async def _counted(stage: Stage, dsn: str, received: Received) -> summary.Counted:
    """Tally and use of signatures, after the self-check has recomputed the tally."""
    at = datetime.now(UTC)
    connection = await pool.connect(dsn)
    try:
        key = receipts.load(stage.folder / "receipt.key", "")
        checked = await check.check(connection, stage.folder / "payloads", key)
        if checked.faults or received.different:
            raise DemoError("demo_failure.differs", faults=checked.faults[:3], bodies=received.different)
        span = tally.period(str(at.year))
        trusted = trust.load(*(config.files(stage.folder / name) for name in ("trust", "crl")))
        asked = signature_usage.Asked(period=span, agencies=None, as_of=at)
        return summary.Counted(
            tally=await tally.count(connection, span, view="out", scope="*", agencies=None, as_of=at),
            usage=await signature_usage.usage(connection, asked, trusted),
        )
    finally:
        await connection.close()


async def prepare(dsn: str) -> None:
    """The schema, in a fresh database."""
    connection = await pool.connect(dsn)
    try:
        await migrate.migrate(connection, datetime.now(UTC))
        await migrate.partitions(connection, datetime.now(UTC))
    finally:
        await connection.close()


@contextlib.contextmanager
def database(folder: Path, user: str | None, progress: embedded.Progress) -> Iterator[str]:
    """The demo's own embedded PostgreSQL."""
    with embedded.running(folder / "postgres", user=user, allow_nobody=True, progress=progress) as server:
        yield server.dsn
