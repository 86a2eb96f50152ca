"""What every process does to go by the same trust set as the others, while it runs; see `trusted` and `links.revocation`.

renew    folders are looked at, and what changed comes into force
mirror   what any process fetched is written to this machine's own folder, whole or not at all
"""

import asyncio
import os
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

from exchange.broker import exchange as parts
from exchange.broker import trusted
from exchange.broker.exchange import Exchange
from exchange.store import revocation_sources

_OURS = re.compile(r"[0-9a-f]{64}\.(crt|crl|ocsp)")
LEFTOVER_SECONDS = 3_600


async def renew(exchange: Exchange) -> bool:
    """Look at the folders; whether another trust set came into force. Its evidence is stored before anybody names it."""
    before = exchange.watch.troubles
    await asyncio.to_thread(exchange.watch.look)
    for trouble in set(exchange.watch.troubles) - set(before):
        structlog.get_logger().warning(
            "trust_file_trouble", code=trouble.code, where=trouble.where, why=trouble.why
        )
    found = exchange.watch.trust
    if found.sha256 == exchange.trust.sha256:
        return False
    kept = await parts.keep_trust(exchange.pool, found, exchange.clock(), exchange.kept)
    exchange.kept.update(kept)
    exchange.verifier.trust = found
    structlog.get_logger().info(
        "trust_set_replaced",
        trust_sha256=found.sha256.hex(),
        anchors=len(found.anchors),
        intermediates=len(found.intermediates),
        lists=len(found.revocation.all),
    )
    return True


async def mirror(exchange: Exchange) -> int:
    """Bring the folder of what was fetched to what the database says is held. How many files were written or removed."""
    folder = exchange.config.revocation_folder
    async with exchange.pool.acquire() as connection:
        held = await revocation_sources.held(connection)
        wanted = {f"{one.sha256.hex()}{trusted.SUFFIXES[one.kind]}": one for one in held}
        there = await asyncio.to_thread(_sizes, folder)
        if not wanted and not there:
            return 0
        lacking = {name: one for name, one in wanted.items() if there.get(name) != one.size}
        bodies = await revocation_sources.bodies(connection, [one.sha256 for one in lacking.values()])
    files = {name: bodies[one.sha256] for name, one in lacking.items() if one.sha256 in bodies}
    gone = [name for name in there if name not in wanted and _OURS.fullmatch(name)]
    await asyncio.to_thread(_written, folder, files, gone)
    return len(files) + len(gone)


def _sizes(folder: Path) -> dict[str, int]:
    """Names and sizes of the files there; those that a killed process left half-written are removed when old."""
    if not folder.is_dir():
        return {}
    found = {}
    for path in folder.iterdir():
        with suppress(OSError):
            status = path.stat()
            if path.name.startswith("."):
                _sweep(path, status.st_mtime)
            else:
                found[path.name] = status.st_size
    return found


def _sweep(path: Path, written: float) -> None:
    if time.time() - written > LEFTOVER_SECONDS:
        path.unlink()


def _written(folder: Path, files: Mapping[str, bytes], gone: Iterable[str]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        _write(folder, name, content)
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    if files:
        _synced(folder)


def _write(folder: Path, name: str, content: bytes) -> None:
    """The file, whole or not at all: written aside, durable, then named."""
    temporary = folder / f".{name}.{os.getpid()}.tmp"
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / name)


def _synced(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
