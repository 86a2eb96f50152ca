"""The journal (nhật ký): append-only, written in the commit of what it records."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from exchange.store import insert, rows
from exchange.store.pool import Connection


async def append(connection: Connection, lines: Sequence[rows.JournalRow]) -> None:
    """Add lines; a line already there (a retried commit) stays as it is."""
    await insert.rows(connection, lines, conflict="ON CONFLICT DO NOTHING")


async def of_letter(connection: Connection, letter: UUID) -> list[Any]:
    """All lines about one letter, oldest first, of every agency; the caller filters by who may see what."""
    return await connection.fetch("SELECT * FROM journal WHERE letter = $1 ORDER BY id", letter)
