"""The parts one process of the exchange is made of, opened and closed together."""

import asyncio
import contextlib
import functools
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Any
from uuid import UUID

import structlog

from exchange import config, ids
from exchange.broker import bell, receipts, signature_policy, trusted, verify
from exchange.broker.snapshot import Snapshot
from exchange.broker.together import Together
from exchange.rules import requirements
from exchange.rules.documents import Earlier
from exchange.store import commit, documents, insert, letters, pool, rows
from signing import trust

BODIES_BYTES = 64 << 20
POOL_SIZE = 8


class Bodies:
    """Bytes of letters taken lately, newest kept, at most 64 MiB: a letter to many is read from the database once."""

    def __init__(self, limit: int = BODIES_BYTES) -> None:
        self._limit = limit
        self._size = 0
        self._held: OrderedDict[UUID, bytes] = OrderedDict()

    def get(self, letter: UUID) -> bytes | None:
        """The bytes, if they are held."""
        if letter in self._held:
            self._held.move_to_end(letter)
        return self._held.get(letter)

    def put(self, letter: UUID, raw: bytes) -> None:
        """Hold these bytes, letting go of the ones not asked for longest."""
        if letter in self._held or len(raw) > self._limit // 4:
            return
        self._held[letter] = raw
        self._size += len(raw)
        while self._size > self._limit:
            self._size -= len(self._held.popitem(last=False)[1])


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """What the use cases share. `clock` gives aware UTC moments; `expand` is set when a letter wants the relay.

    `kept` are digests of evidence that is known to be stored; `seen` are systems that called, and when last, until
    that is stored; `postponed` are letters that could not be expanded, and when to try again; `leaving` is set when
    nothing shall be waited for any more.
    """

    config: config.Config
    pool: pool.Pool
    committer: commit.Committer
    bell: bell.Bell
    verifier: verify.VerifyPool
    watch: trusted.Watch
    policy: requirements.Policy
    receipt_key: receipts.ReceiptKey
    ids: ids.Ids
    clock: Callable[[], datetime]
    snapshot: Snapshot
    known: Together[letters.Identity, letters.Known]
    reused: Together[letters.MainFile, str]
    earlier: Together[documents.Asked, tuple[Earlier, ...]]
    bodies: Bodies
    kept: set[bytes]
    seen: dict[UUID, datetime]
    expand: asyncio.Event
    postponed: dict[UUID, datetime]
    leaving: asyncio.Event
    holder: UUID

    @property
    def trust(self) -> trust.Trust:
        """The trust set in force; letters being examined end with the one that they began with."""
        return self.verifier.trust

    @property
    def payload_folder(self) -> Path:
        """Where bytes too large for the database stand."""
        return self.config.data / "payloads"

    @property
    def upload_folder(self) -> Path:
        """Where parts of letters stand that come in pieces."""
        return self.config.data / "uploads"

    @property
    def spool_folder(self) -> Path:
        """Where letters and their files stand that are too large for memory, while they are looked at."""
        return self.config.data / "spool"

    def leave(self) -> None:
        """The process is about to end: who waits for something to come is answered now, with what there is."""
        self.leaving.set()
        self.bell.ring_out()


def now() -> datetime:
    """The moment, in UTC: the one clock that is handed to everything else."""
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def opened(
    settings: config.Config, dsn: str, clock: Callable[[], datetime] = now
) -> AsyncIterator[Exchange]:
    """An exchange at work on that database: its pool, committer and bell run until the block ends."""
    watch = await asyncio.to_thread(trusted.opened, settings)
    new_ids = ids.Ids(clock)
    async with contextlib.AsyncExitStack() as stack:
        connections = await stack.enter_async_context(_pool(dsn))
        verifier = await stack.enter_async_context(verify.VerifyPool(watch.trust))
        exchange = Exchange(
            config=settings,
            pool=connections,
            committer=commit.Committer(lambda: pool.connect(dsn)),
            bell=bell.Bell(notify=settings.notify, randomness=SystemRandom()),
            verifier=verifier,
            watch=watch,
            policy=await _policy(connections, settings, clock()),
            receipt_key=await _receipt_key(connections, settings, clock()),
            ids=new_ids,
            clock=clock,
            snapshot=Snapshot(connections, clock),
            known=Together(functools.partial(_known, connections)),
            reused=Together(functools.partial(_reused, connections)),
            earlier=Together(functools.partial(_earlier, connections)),
            bodies=Bodies(),
            kept=await keep_trust(connections, watch.trust, clock(), set()),
            seen={},
            expand=asyncio.Event(),
            postponed={},
            leaving=asyncio.Event(),
            holder=new_ids.new(),
        )
        tasks = (
            exchange.committer.run(),
            exchange.bell.tell(connections),
            exchange.bell.listen(lambda: pool.connect(dsn)),
            exchange.bell.sweep(connections),
        )
        await stack.enter_async_context(_running(tasks))
        yield exchange


async def _known(
    connections: pool.Pool, asked: Collection[letters.Identity]
) -> dict[letters.Identity, letters.Known]:
    async with connections.acquire() as connection:
        return await letters.known(connection, asked)


async def _reused(connections: pool.Pool, asked: Collection[letters.MainFile]) -> dict[letters.MainFile, str]:
    async with connections.acquire() as connection:
        return await letters.reused(connection, asked)


async def _earlier(
    connections: pool.Pool, asked: Collection[documents.Asked]
) -> dict[documents.Asked, tuple[Earlier, ...]]:
    async with connections.acquire() as connection:
        return await documents.earlier(connection, asked)


async def _policy(connections: pool.Pool, settings: config.Config, at: datetime) -> requirements.Policy:
    """The signature policy, kept so that what it decided can be understood later."""
    given = signature_policy.load(settings.policy_file)
    async with connections.acquire() as connection:
        await signature_policy.keep(connection, given, at)
    return given


async def _receipt_key(connections: pool.Pool, settings: config.Config, at: datetime) -> receipts.ReceiptKey:
    """The key of receipts; its public half is kept, so that what it signed can be checked when it is another one."""
    key = receipts.load(settings.receipt_key_file, f"{settings.host}:{settings.port}")
    async with connections.acquire() as connection:
        await receipts.keep(connection, key, at)
    return key


async def keep_trust(
    connections: pool.Pool, trusted: trust.Trust, at: datetime, known: Collection[bytes]
) -> set[bytes]:
    """Store the trust set as evidence, once, so that a verdict can be judged again from the database alone.

    `known` is what need not be stored again. All digests of the set.
    """
    documents = trust.documents(trusted)
    kept = [
        rows.EvidenceRow(sha256=sha256, kind=kind, body=body, first_seen=at)
        for digest, (kind, body) in documents.items()
        if (sha256 := bytes.fromhex(digest)) not in known
    ]
    async with connections.acquire() as connection:
        await insert.rows(connection, kept, conflict="ON CONFLICT DO NOTHING")
    return {bytes.fromhex(digest) for digest in documents}


@contextlib.asynccontextmanager
async def _pool(dsn: str) -> AsyncIterator[pool.Pool]:
    connections = await pool.open(dsn, size=POOL_SIZE)
    try:
        yield connections
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await connections.close()
        connections.terminate()


@contextlib.asynccontextmanager
async def _running(coroutines: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Tasks that run beside the block; one that dies is a defect: it is logged, and the block is cancelled with it."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    for task in tasks:
        task.add_done_callback(functools.partial(_fallen, asyncio.current_task()))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _fallen(block: "asyncio.Task[Any] | None", task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        structlog.get_logger().error("task_died", task=task.get_name(), exc_info=error)
        if block is not None:
            block.cancel()
