"""Recheck: what makes letters due to be judged again by itself, and doing what is due, a little at a time.

settle    reasons of a minute ago: letters that were accepted on the directory of before
newer     letters whose verdicts are provisional or lack revocation data, once newer lists are in the trust set
roots     letters that led to a root which is no longer trusted, or lacked one that is now

A trust set without any root says that something is wrong with this machine, not with the letters: then nothing happens.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from exchange.broker import rejudge
from exchange.broker.examined import Bench
from exchange.broker.rejudged import Effect, pause
from exchange.store import directory, judgements, rejudgements
from exchange.store.pool import Connection
from exchange.store.rejudgements import Reason
from signing import keys, trust

TURN_SECONDS = 10.0
SETTLED_AFTER = timedelta(seconds=60)
"""A worker's directory is at most five seconds old, and a commit takes at most forty."""
LOOKED_AT = 500
"""Letters looked at for newer data in one turn."""


async def turn(at: Bench, *, seconds: float = TURN_SECONDS) -> Effect:
    """Find what is due and judge for some seconds, at least a few letters if there are any."""
    if not at.verifier.trust.anchors:
        return Effect()
    await find(at)
    until = asyncio.get_running_loop().time() + seconds
    done = Effect()
    while (judged := await rejudge.some(at)) is not None:
        done += judged
        if asyncio.get_running_loop().time() >= until:
            break
    return done


async def find(at: Bench) -> int:
    """Make letters due by what changed without a commit of ours; how many."""
    async with at.pool.acquire() as connection, connection.transaction():
        return await found(at, connection)


async def found(at: Bench, connection: Connection) -> int:
    """The same within a transaction."""
    moment = at.clock()
    made = await rejudgements.settle(connection, moment - SETTLED_AFTER, moment)
    made += await _roots(at, connection, moment)
    return made + await _newer(at, connection, moment)


async def ask(at: Bench, connection: Connection, senders: Sequence[UUID]) -> int:
    """Make all letters of these agencies due because somebody asks for it; how many."""
    version = await directory.version(connection)
    reason = Reason(id=at.ids.new(), cause="asked", at=at.clock(), directory_version=version, senders=senders)
    return await rejudgements.order(connection, reason)


async def _newer(at: Bench, connection: Connection, moment: datetime) -> int:
    """Letters that lists made after their acceptance may settle, unless they were judged by these very lists."""
    trusted = at.verifier.trust
    covered = covers_until(trusted)
    if covered is None:
        return 0
    records = await judgements.unsettled(connection, moment, covered, LOOKED_AT)
    due = [one for one in records if one["open"] and one["trust_sha256"] != trusted.sha256]
    await judgements.recheck(
        connection,
        [
            (one["sender"], one["id"], moment + pause(moment, one["accepted_at"]) if one["open"] else None)
            for one in records
        ],
    )
    version = await directory.version(connection)
    reason = Reason(id=at.ids.new(), cause="revocation", at=moment, directory_version=version)
    return await rejudgements.add(connection, reason, [(one["sender"], one["id"]) for one in due])


def covers_until(trusted: trust.Trust) -> datetime | None:
    """The newest moment that a revocation list or response in the set was made at; None without any."""
    made = [one.this_update for one in trusted.revocation.all]
    return max((*made, *(one.produced_at for one in trusted.responses.all)), default=None)


async def _roots(at: Bench, connection: Connection, moment: datetime) -> int:
    """The first time they are only noted: nothing was judged by others."""
    trusted = at.verifier.trust
    now = {keys.fingerprint(one) for one in trusted.anchors}
    before = await rejudgements.roots(connection)
    if now == before:
        return 0
    await rejudgements.note_roots(connection, now, moment)
    if not before:
        return 0
    letters = await rejudgements.by_roots(connection, before - now, added=bool(now - before))
    version = await directory.version(connection)
    reason = Reason(id=at.ids.new(), cause="trust", at=moment, directory_version=version)
    return await rejudgements.add(connection, reason, letters)
