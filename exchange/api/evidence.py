"""GET /v1/transfers/{letter}/{recipient}/evidence: a row's whole evidence as a ZIP; contents only for its parties."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from aiohttp import web

from exchange.api import auth, long_answers, native
from exchange.api.parts import EXCHANGE, GATE
from exchange.broker import deliver, evidence, monitors
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.edxml.spooled import Content
from exchange.errors import Problem
from exchange.rules import directory_succession, paper_class
from exchange.store import evidence as store

IN_MEMORY = 4 << 20


async def get_evidence(request: web.Request) -> web.StreamResponse:
    """The evidence of one transfer, for its sender, its recipient, and whoever watches one of them (without the bytes)."""
    exchange = request.app[EXCHANGE]
    calling = await auth.system(request)
    letter = native.identified(request.match_info["letter"])
    snapshot = await exchange.snapshot.current()
    agency = directory_succession.last_with(
        snapshot, request.match_info["recipient"], paper_class.local_day(exchange.clock())
    )
    if agency is None:
        raise Problem("not_found")
    asked = await _asked(exchange, calling, letter, agency.id)
    headers = {"Content-Disposition": f'attachment; filename="{letter}.zip"'}
    if request.method == "HEAD":
        return web.Response(content_type="application/zip", headers=headers)
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=_folder(exchange))  # noqa: SIM115 - closed below
    with file:
        async with request.app[GATE].enter():
            await _write(exchange, asked, file)
        return await long_answers.file(request, file, {"Content-Type": "application/zip", **headers})


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A letter's row and the deliveries asked for; for which of the parties the caller acts."""

    calling: Caller
    row: Any
    deliveries: Sequence[Any]
    parties: frozenset[UUID]


async def _asked(exchange: Exchange, calling: Caller, letter: UUID, recipient: UUID) -> _Asked:
    """What the caller may have evidence of. Raises Problem not_found for everybody else."""
    seen = monitors.seen((await exchange.snapshot.current()).parents, calling)
    async with exchange.pool.acquire() as connection:
        row = await store.letter(connection, letter)
        deliveries = await store.deliveries(connection, letter, recipient) if row else []
    if row is None or not deliveries:
        raise Problem("not_found")
    parties = frozenset({row["sender"], recipient})
    if seen is not None and not parties & seen:
        raise Problem("not_found")
    return _Asked(
        calling=calling, row=row, deliveries=deliveries, parties=frozenset(parties & calling.agencies)
    )


async def _write(exchange: Exchange, asked: _Asked, file: IO[bytes]) -> None:
    """The ZIP; a party that takes the bytes with it has fetched them."""
    async with exchange.pool.acquire() as connection:
        package = await evidence.gathered(connection, asked.row, asked.deliveries, asked.parties)
    raw = await _bytes(exchange, asked.calling, asked.row["id"]) if asked.parties else None
    agencies = (await exchange.snapshot.current()).agencies.values()
    sealed = evidence.Seal(
        key=exchange.receipt_key, at=exchange.clock(), codes={one.id: one.code for one in agencies}
    )

    async def fetched(sha256: bytes) -> bytes:
        async with exchange.pool.acquire() as connection:
            return await store.document(connection, sha256)

    await evidence.write(evidence.with_bytes(package, raw), sealed, fetched, file)


async def _bytes(exchange: Exchange, calling: Caller, letter: UUID) -> Content | None:
    """The letter's bytes as its parties get them; none where it was withdrawn from them."""
    try:
        held = await deliver.body(exchange, calling, letter)
    except Problem as problem:
        if problem.code != "gone":
            raise
        return None
    return held.raw if held else None


def _folder(exchange: Exchange) -> str:
    exchange.spool_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(exchange.spool_folder)
