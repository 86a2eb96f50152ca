"""The schema: numbered SQL files, each applied once, whole or not at all, in order.

A file is `schemas/postgres/NNNN_name.sql`: statements separated by empty lines, one statement a call, all of a file in
one transaction together with its row in `schema_migration`. Files only add: code of the release before runs on the
schema of the next. Two migrators at once take turns by an advisory lock that ends with its transaction. A file that
was applied is never edited; its SHA-256 shows if it was.

Table `payload` is partitioned by month of its id, a UUIDv7; months are made ahead, so that its default partition
stays empty.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

import asyncpg

from exchange import texts
from exchange.store.pool import Connection

LOCK = 0x636F6E6776616E  # "congvan"

OLDEST_SERVER = 15

TABLE = """CREATE TABLE IF NOT EXISTS schema_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 bytea NOT NULL,
    applied_at timestamptz NOT NULL
)"""

EXISTS = """SELECT EXISTS (
    SELECT FROM pg_class WHERE relname = $1 AND relnamespace = current_schema()::regnamespace
)"""
"""Asked of the table itself: to_regclass would answer from a cache that waiting for our turn does not refresh."""

WAIT_FOR_OTHERS = "SET LOCAL lock_timeout = '10min'"
"""For our turn after another migrator."""

WAIT_FOR_TABLES = "SET LOCAL lock_timeout = '5s'"
"""For a table in use: letters queue behind us while we wait, so we give up soon."""

NO_LIMIT = "SET LOCAL statement_timeout = 0"

SECONDS = 86_400.0
"""How long we wait for one statement: as long as it takes, and not the pool's few seconds."""


class MigrationError(Exception):
    """The schema cannot be brought up to date: `database.<key>` with `facts` says why and what to do."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts

    @property
    def temporary(self) -> bool:
        """Whether running again later may succeed."""
        return self.key == "migrate_locked"

    def sentence(self, language: str = "vi") -> str:
        """The sentence for the operator."""
        return texts.say(f"database.{self.key}", language, **self.facts)

    def __str__(self) -> str:
        return self.sentence("en")


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file of the schema (tệp lược đồ); `name` is the file's without its ending, as `0001_exchange`."""

    number: int
    name: str
    sha256: bytes
    statements: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class State:
    """How a database stands to this code, by names of files.

    `applied` in it, `missing` from it, `changed` since they were applied, and `newer` than this code knows.
    """

    applied: tuple[str, ...]
    missing: tuple[str, ...]
    changed: tuple[str, ...]
    newer: tuple[str, ...]


@cache
def carried() -> tuple[Migration, ...]:
    """All files of the schema that this code carries, in order."""
    folder = files("schemas") / "postgres"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple(read(name, (folder / name).read_bytes()) for name in names)


def read(file_name: str, content: bytes) -> Migration:
    """One file, split into its statements."""
    return Migration(
        number=int(file_name[:4]),
        name=file_name.removesuffix(".sql"),
        sha256=hashlib.sha256(content).digest(),
        statements=statements(content.decode()),
    )


def statements(text: str) -> tuple[str, ...]:
    """The statements of a file: blocks between empty lines that hold more than comments."""
    blocks = (block.strip() for block in re.split(r"\n[ \t\r]*\n", text))
    return tuple(block for block in blocks if re.sub(r"--[^\n]*", "", block).strip())


async def migrate(
    connection: Connection, at: datetime, schema: tuple[Migration, ...] | None = None
) -> tuple[str, ...]:
    """Apply what is missing of `schema` (default: `carried`); the names of what was applied now.

    Each file is durable on its own: call it outside any transaction.

    MigrationError: an applied file has changed, the database is newer than this code, a table is busy, the server
    is too old, or its user may not make tables.
    """
    if (major := connection.get_server_version().major) < OLDEST_SERVER:
        raise MigrationError("migrate_old_server", found=major, wanted=OLDEST_SERVER)
    applied: list[str] = []
    try:
        while (name := await _apply_next(connection, at, schema or carried())) is not None:
            applied.append(name)
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError("migrate_denied", why=error) from error
    except asyncpg.LockNotAvailableError as error:
        raise MigrationError("migrate_locked") from error
    return tuple(applied)


async def state(connection: Connection, schema: tuple[Migration, ...] | None = None) -> State:
    """How the database stands to this code. Reads only, and answers for a database that is still empty."""
    if await connection.fetchval("SELECT to_regclass('schema_migration') IS NULL"):
        return _compare({}, schema or carried())
    records = await connection.fetch("SELECT number, name, sha256 FROM schema_migration ORDER BY number")
    there = {record["number"]: (record["name"], record["sha256"]) for record in records}
    return _compare(there, schema or carried())


async def partitions(connection: Connection, at: datetime, months_ahead: int = 2) -> tuple[str, ...]:
    """Make the partitions of `payload` for the month of `at` and those after it; the names of the new ones.

    Rows that already lie in the default partition move to where they belong. A busy table is `pool.UNAVAILABLE`.
    """
    first = at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    made: list[str] = []
    for _ in range(months_ahead + 1):
        following = _next_month(first)
        name = f"payload_{first:%Y_%m}"
        if await _attach(connection, name, _lowest_id(first), _lowest_id(following)):
            made.append(name)
        first = following
    return tuple(made)


async def _apply_next(connection: Connection, at: datetime, schema: tuple[Migration, ...]) -> str | None:
    """Apply the first missing file in a transaction of its own; its name, or None when there is none."""
    async with connection.transaction():
        await _take_turn(connection)
        await connection.execute(TABLE)
        missing = _checked(await state(connection, schema), schema).missing
        if not missing:
            return None
        await _apply(connection, next(one for one in schema if one.name == missing[0]), at)
        return missing[0]


async def _take_turn(connection: Connection) -> None:
    await connection.execute(NO_LIMIT)
    await connection.execute(WAIT_FOR_OTHERS)
    await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK, timeout=SECONDS)
    await connection.execute(WAIT_FOR_TABLES)


async def _apply(connection: Connection, migration: Migration, at: datetime) -> None:
    for statement in migration.statements:  # prepared, so that PostgreSQL refuses two statements in one block
        await connection.fetch(statement, timeout=SECONDS)
    await connection.execute(
        "INSERT INTO schema_migration (number, name, sha256, applied_at) VALUES ($1, $2, $3, $4)",
        *(migration.number, migration.name, migration.sha256, at),
    )


def _compare(there: Mapping[int, tuple[str, bytes]], schema: tuple[Migration, ...]) -> State:
    ours = {migration.number: (migration.name, migration.sha256) for migration in schema}
    both = [number for number in there if number in ours]
    return State(
        applied=tuple(there[number][0] for number in both),
        missing=tuple(name for number, (name, _) in ours.items() if number not in there),
        changed=tuple(there[number][0] for number in both if there[number] != ours[number]),
        newer=tuple(name for number, (name, _) in there.items() if number not in ours),
    )


def _checked(found: State, schema: tuple[Migration, ...]) -> State:
    if found.newer:
        raise MigrationError("migrate_newer", database=found.newer[-1], code=schema[-1].name)
    if found.changed:
        raise MigrationError("migrate_changed", names=", ".join(found.changed))
    return found


async def _attach(connection: Connection, name: str, low: UUID, high: UUID) -> bool:
    """One partition: made as a table, given its rows from the default partition, then attached."""
    if await connection.fetchval(EXISTS, name):
        return False
    async with connection.transaction():
        await _take_turn(connection)
        if await connection.fetchval(EXISTS, name):
            return False
        await _move_and_attach(connection, name, low, high)
    return True


async def _move_and_attach(connection: Connection, name: str, low: UUID, high: UUID) -> None:
    await connection.execute("LOCK TABLE payload_default IN ACCESS EXCLUSIVE MODE")
    await connection.execute(f"CREATE TABLE {name} (LIKE payload INCLUDING ALL)")
    await connection.execute(
        f"WITH moved AS (DELETE FROM payload_default WHERE id >= $1 AND id < $2 RETURNING *)"  # noqa: S608 - our own name
        f" INSERT INTO {name} SELECT * FROM moved",
        *(low, high),
    )
    await connection.execute(
        f"ALTER TABLE payload ATTACH PARTITION {name} FOR VALUES FROM ('{low}') TO ('{high}')"
    )


def _next_month(first: datetime) -> datetime:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


def _lowest_id(moment: datetime) -> UUID:
    """The lowest value that begins with this moment, as a UUIDv7 does: 48 bits of milliseconds (RFC 9562 §5.7)."""
    return UUID(int=int(moment.timestamp()) * 1000 << 80)
