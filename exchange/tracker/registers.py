"""Registers (sổ đăng ký văn bản) after they were loaded (`register_load`): matched again, and taken back.

rematch    letters that came, or went, after their row was loaded
undo       a load's rows taken away, and with them what they said
"""

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from exchange.rules import register_books
from exchange.store import journal, pool, register_rows, rows
from exchange.store import registers as store
from exchange.store.pool import Connection
from exchange.tracker import register_counted, register_proof
from exchange.tracker.register_proof import Hand


@dataclass(frozen=True, kw_only=True)
class Rematched:
    """What a new look at an agency's rows found: rows of letters that came since, and deliveries told that paper went."""

    matched: int
    told: int


async def rematch(connection: Connection, agency: UUID, hand: Hand) -> Rematched:
    """Match again: letters that arrived after their row was loaded; and finish what was interrupted."""

    async def settled(direction: str) -> int:
        async with connection.transaction():
            await store.lock(connection, agency)
            return await register_counted.settled(connection, agency, direction, hand)

    # one book after the other: what both lock together would be in no order
    found = [await pool.again(partial(settled, direction)) for direction in ("out", "in")]
    told = await register_proof.tell(connection, agency, hand)
    return Rematched(matched=sum(found), told=told)


async def undo(connection: Connection, load: UUID, hand: Hand) -> int | None:
    """Take a load back: how many rows it had; None if there is none of that id, or it was taken back before."""
    held = await store.find(connection, load)
    if held is None or held["undone_at"] is not None:
        return None
    agency, direction = held["agency"], register_books.books()[held["book"]].direction
    await register_proof.take_back(connection, agency, load, hand)

    async def undone() -> int | None:
        async with connection.transaction():
            await store.lock(connection, agency)
            if not await store.undo(connection, agency, load, hand.at, hand.by):
                return None
            await register_proof.take_back(connection, agency, load, hand)  # what was told since
            changes = await register_rows.remove(connection, agency, load)
            await register_counted.tallied(connection, changes, hand.ids)
            await register_counted.settled(connection, agency, direction, hand)
            detail = {"load": str(load), "rows": held["n"], "by": hand.by}
            line = rows.JournalRow(
                agency=agency, id=hand.ids.new(), at=hand.at, event="register_undone", detail=detail
            )
            await journal.append(connection, [line])
            return int(held["n"])

    had = await pool.again(undone)
    await register_proof.tell(connection, agency, hand)  # rows of other loads that met letters only now
    return had
