"""The place where the year is played: the directory, one confirmed seal an agency, systems, and an exchange with its clock.

The clock is that of 2019. Each task has a moment of its own, so that letters sent beside each other keep theirs.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from exchange import config, ids
from exchange.broker import caller as callers
from exchange.broker import directory, exchange, receipts
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.demo import agencies, authority, run, year_plan
from exchange.rules import paper_class
from exchange.store import migrate, periods, pool
from signing import keys

BEGINS = paper_class.start_of(date(year_plan.YEAR, 1, 1))
OVER = paper_class.start_of(date(year_plan.YEAR + 1, 1, 2))
LIST_DAYS = 31

NOW: ContextVar[datetime] = ContextVar("year_now")


def clock() -> datetime:
    """The moment that is played."""
    return NOW.get(BEGINS).astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class Place:
    """An exchange with everybody in it: who acts for agencies of each kind, and their seals by code."""

    exchange: Exchange
    callers: Mapping[str, Caller]
    seals: Mapping[str, keys.Holder]


async def prepare(dsn: str) -> None:
    """The schema in a fresh database, with room for the year. Raises DemoError if anything was counted there before."""
    connection = await pool.connect(dsn)
    try:
        await migrate.migrate(connection, datetime.now(UTC))
        await migrate.partitions(connection, BEGINS, months_ahead=13)
        await migrate.partitions(connection, datetime.now(UTC))
        if await periods.first_day(connection) is not None:
            raise run.DemoError("demo_failure.not_empty")
    finally:
        await connection.close()


@asynccontextmanager
async def opened(dsn: str, folder: Path) -> AsyncIterator[Place]:
    """The furnished exchange, at work until the block ends."""
    names = {entry.code: entry.name for entry in year_plan.senders()}
    ours = await asyncio.to_thread(authority.issue, names, (), authority.Exceptions(), BEGINS, rsa=0)
    authority.publish(replace(ours, revocations=_lists(ours)), folder / "trust", folder / "crl")
    shown, settings = await _furnish(dsn, ours), _settings(folder)
    await asyncio.to_thread(receipts.ensure, settings.receipt_key_file)
    async with exchange.opened(settings, dsn, clock) as open_:
        by = {
            kind: await callers.authenticate(
                open_.pool, callers.Credentials(key=key, certificate=None), BEGINS
            )
            for kind, key in shown.items()
        }
        yield Place(exchange=open_, callers=by, seals=ours.seals)


def _settings(folder: Path) -> config.Config:
    """The demo's own, whatever the environment says."""
    told = {"DATA": folder, "TRUST_DIR": folder / "trust", "CRL_DIR": folder / "crl"}
    return config.read({f"CONGVAN_{name}": str(path) for name, path in told.items()})


def _lists(ours: authority.Authority) -> tuple[bytes, ...]:
    """Revocation lists made when the year was over: nobody's seal had been revoked."""
    everybody = (ours.root, ours.issuer, *ours.others)
    return tuple(keys.revocation_list(one, {}, at=OVER, days=LIST_DAYS) for one in everybody)


async def _furnish(dsn: str, ours: authority.Authority) -> dict[str, str]:
    """The directory and the systems; kind of agency -> the key of the system that acts for it."""
    connections = await pool.open(dsn, size=2)
    try:
        sheets = [
            directory.Sheet(kind="agency", raw=agencies.agency_sheet()),
            directory.Sheet(kind="certificate", raw=authority.sheet(ours, authority.Exceptions())),
        ]
        new_ids = ids.Ids(clock)
        outcome = await directory.import_csv(connections, sheets, new_ids=new_ids, at=BEGINS)
        if outcome.errors:
            raise run.DemoError("demo_failure.directory", errors=outcome.errors[:3])
        return await run.systems(connections, new_ids, BEGINS)
    finally:
        await connections.close()
