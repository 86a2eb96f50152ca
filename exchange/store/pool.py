"""Connections to PostgreSQL: opened one way, with the same codecs, time limits and name everywhere.

A value of `jsonb` is a Python object, a `uuid` a `uuid.UUID`, a `timestamptz` an aware datetime in UTC. What is wanted of
a session travels with the start of the connection: no SET is ever sent.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import parse_qs, urlsplit

import asyncpg

Connection: TypeAlias = (
    "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
)
"""What functions of `store` work on: a connection of its own, or one lent by the pool."""

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

UNAVAILABLE: Final = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # 57: shutting down, starting up, cancelled by a time limit
    asyncpg.InsufficientResourcesError,  # 53: disk full, too many connections
    asyncpg.InvalidAuthorizationSpecificationError,  # 28: wrong name or password
    asyncpg.InvalidCatalogNameError,  # 3D: no such database
    asyncpg.ObjectNotInPrerequisiteStateError,  # 55000: it takes no connections at the moment
    asyncpg.LockNotAvailableError,  # 55P03: waited as long as it was told to
    asyncpg.ReadOnlySQLTransactionError,  # 25006: this server is no longer the primary
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""The database did not do what was asked, for no fault of what was asked: worth trying again later."""

TOO_SLOW: Final = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError, TimeoutError)
"""Among those what one statement may bring upon itself, on a database that serves others well."""

AGAIN: Final = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The transaction lost against another one and changed nothing: worth trying again at once."""

TRIES = 5

CONNECT_SECONDS = 10.0

CLIENT_SECONDS = 40.0
"""How long we wait for an answer at all; above the server's own limit, which gives the clearer error."""

PATIENT_SECONDS = 86_400.0
"""The same of a command whose work grows with the years, and that somebody watches."""

SETTINGS = {
    "application_name": "congvan",
    "timezone": "UTC",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "max_parallel_workers_per_gather": "0",
}
"""No statement is shared out among processes: to start them takes longer than most pages, and letters need the processors."""

Answer = TypeVar("Answer")


async def open(dsn: str, size: int = 10) -> Pool:  # noqa: A001 - read as `pool.open(...)`
    """A pool of up to `size` connections; the first is made now, so a database that is not there shows at once."""
    return await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_nothing_to_reset,
        command_timeout=CLIENT_SECONDS,
        **_wishes(dsn),
    )


async def connect(dsn: str, *, patient: bool = False) -> "asyncpg.Connection[asyncpg.Record]":
    """One connection outside any pool: for a committer, a listener, a command. A patient one waits for long statements."""
    wishes = _wishes(dsn)
    if patient:
        wishes["server_settings"] = {**SETTINGS, "statement_timeout": "0"}
    connection: asyncpg.Connection[asyncpg.Record] = await asyncpg.connect(
        dsn, command_timeout=PATIENT_SECONDS if patient else CLIENT_SECONDS, **wishes
    )
    await _prepare(connection)
    return connection


async def again(transaction: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do a whole transaction, up to five times while it loses against others."""
    for attempt in range(1, TRIES):
        try:
            return await transaction()
        except AGAIN:
            await asyncio.sleep(0.01 * attempt)
    return await transaction()


@contextlib.asynccontextmanager
async def tried(connection: Connection) -> AsyncIterator[None]:
    """A block whose writing is seen inside of it only: it is always taken back."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


def _wishes(dsn: str) -> dict[str, Any]:
    wishes: dict[str, Any] = {"timeout": CONNECT_SECONDS, "server_settings": SETTINGS}
    if _several_hosts(dsn):
        wishes["target_session_attrs"] = "primary"
    return wishes


def _several_hosts(dsn: str) -> bool:
    parts = urlsplit(dsn)
    named = [parts.netloc.rpartition("@")[2], *parse_qs(parts.query).get("host", [])]
    return any("," in hosts for hosts in named)


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=_json, decoder=json.loads, schema="pg_catalog")


async def _nothing_to_reset(_connection: Connection) -> None:
    """Between two uses there is nothing to undo: no SET, no session lock, no LISTEN on a pool's connection.

    A transaction left open is rolled back all the same. asyncpg's own reset asks the server once per use.
    """


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
