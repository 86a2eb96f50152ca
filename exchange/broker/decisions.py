"""What a message that was handed over ends as: accepted with a receipt, or refused with its reason on record."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from exchange import metrics
from exchange.broker.caller import Caller
from exchange.broker.declared import Declared
from exchange.broker.exchange import Exchange
from exchange.edxml.spooled import Content
from exchange.errors import Finding, Problem
from exchange.store import commit, rows

IN_THREAD_BYTES = 50_000

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The message is held, durably; `replayed`: it was already."""

    letter: UUID
    receipt: bytes
    replayed: bool


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The message is not held; `code` is the problem's, `detail` public. `recorded`: its journal row is written."""

    code: str
    detail: str = ""
    findings: tuple[Finding, ...] = ()
    recorded: bool = False


@dataclass(frozen=True, kw_only=True)
class Given:
    """One request: the bytes, or the file that holds them, with their digest, who brings them, what it declares, and when."""

    raw: Content
    sha256: bytes
    caller: Caller
    declared: Declared
    at: datetime


async def recorded(exchange: Exchange, given: Given, answer: Accepted | Refused) -> Accepted | Refused:
    """The answer, after a refusal has been put on record."""
    metrics.MESSAGES.labels(_outcome(answer)).inc()
    if isinstance(answer, Refused) and not answer.recorded:
        return await refuse(exchange, given.caller, answer, sha256=given.sha256, size=len(given.raw))
    return answer


def _outcome(answer: Accepted | Refused) -> str:
    if isinstance(answer, Refused):
        return "refused"
    return "replayed" if answer.replayed else "accepted"


async def refuse(
    exchange: Exchange, caller: Caller, refused: Refused, *, sha256: bytes | None = None, size: int
) -> Refused:
    """Put a refusal on record: exactly one journal row, under the caller's owner, claiming no identity."""
    line = refusal(exchange, caller, refused.code, sha256=sha256, size=size)
    await exchange.committer.submit(commit.Submission(letter=None, refused=line))
    return refused


@contextlib.asynccontextmanager
async def on_record(exchange: Exchange, caller: Caller, raw: bytes = b"") -> AsyncIterator[None]:
    """A block in which a request is understood: the problem that it ends with is put on record, unless it may pass."""
    try:
        yield
    except Problem as problem:
        if not problem.kind.temporary:
            sha256 = await beside(len(raw), _digest, raw) if raw else None
            await refuse(exchange, caller, Refused(code=problem.code), sha256=sha256, size=len(raw))
        raise


def _digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def refusal(
    exchange: Exchange, caller: Caller, code: str, *, sha256: bytes | None, size: int
) -> rows.JournalRow:
    """The journal row of a refusal."""
    return rows.JournalRow(
        agency=caller.owner, id=exchange.ids.new(), at=exchange.clock(), event="refused",
        system=caller.system, sha256=sha256, size=size, code=code,
    )  # fmt: skip


async def beside(size: int, work: Callable[..., Result], *given: object) -> Result:
    """Work on a message of that size: at once when it is small, else in a thread, so that nobody else waits."""
    return await asyncio.to_thread(work, *given) if size > IN_THREAD_BYTES else work(*given)
