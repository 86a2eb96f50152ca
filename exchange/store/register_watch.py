"""Which offices' registers are to be matched again: letters arrived, went, or got their number after their row was loaded."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from exchange.store.pool import Connection
from exchange.store.register_match import GONE, MEANT

MOVING = ("arrived", "status", "withdrawn", "agreed", "replaced", "duplicate", "duplicate_undone")
"""Events of the journal after which a delivery may count that did not, or no longer."""
_CHANGED = """SELECT DISTINCT delivery.* FROM journal JOIN delivery ON delivery.recipient = journal.agency
                                                                  AND delivery.id = journal.delivery
               WHERE journal.at > $1 AND journal.event = ANY($2)
               UNION
              SELECT delivery.*
                FROM letter AS said
                JOIN letter_link AS link ON link.sender = said.sender AND link.letter = said.id AND link.kind = 'updates'
                JOIN letter AS target ON target.sender = link.sender AND target.id = link.target
                JOIN letter AS moved ON moved.sender = target.sender AND moved.issued_year = target.issued_year
                     AND moved.series = target.series AND moved.number_key = target.number_key
                     AND moved.notation_key = target.notation_key AND moved.operation IN ('new', 'replace')
                JOIN delivery ON delivery.sender = moved.sender AND delivery.letter = moved.id
               WHERE said.operation = 'update' AND said.restated AND said.accepted_at > $1"""
"""Deliveries of which something was told since, and those of documents that an update may have given another number."""
_DUE = f"""WITH changed AS MATERIALIZED ({_CHANGED})
           SELECT row.agency FROM changed AS delivery JOIN register_row AS row ON row.letter = delivery.letter
            WHERE row.load IS NOT NULL AND row.delivery = delivery.id AND {GONE}
            UNION
           SELECT row.agency
             FROM changed AS delivery JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
                  CROSS JOIN LATERAL (VALUES ('out', delivery.sender, delivery.recipient),
                                             ('in', delivery.recipient, delivery.sender)) AS side (direction, own, other)
                  JOIN register_row AS row ON row.agency = side.own AND row.direction = side.direction
                                          AND row.other_agency = side.other
                                          AND row.issued_year IN (letter.issued_year, letter.issued_year + 1)
            WHERE row.load IS NOT NULL AND row.letter IS NULL AND {MEANT}
              AND delivery.arrived_at IS NOT NULL AND NOT coalesce({GONE}, false)"""  # noqa: S608 - the statement is ours
_INTERRUPTED = """SELECT DISTINCT agency FROM register_load AS load
                   WHERE lists = 'paper' AND undone_at IS NULL AND at < $1
                     AND EXISTS (SELECT FROM register_row AS row
                                  WHERE row.agency = load.agency AND row.load = load.id AND letter IS NOT NULL
                                    AND proven_at IS NULL)"""


async def upto(connection: Connection) -> datetime | None:
    """Housekeeping: up to when all that happened was looked at; None: never."""
    return await connection.fetchval("SELECT upto FROM register_watch WHERE single")  # type: ignore[no-any-return]


async def advance(connection: Connection, at: datetime) -> None:
    """Housekeeping: all that happened up to that moment was looked at."""
    await connection.execute(
        """INSERT INTO register_watch (upto) VALUES ($1)
           ON CONFLICT (single) DO UPDATE SET upto = greatest(register_watch.upto, $1)""",
        at,
    )


async def everybody(connection: Connection) -> Collection[UUID]:
    """Housekeeping: every agency that has a register."""
    records = await connection.fetch("SELECT DISTINCT agency FROM register_load WHERE undone_at IS NULL")
    return {one["agency"] for one in records}


async def due(connection: Connection, since: datetime) -> Collection[UUID]:
    """Housekeeping: agencies with a row whose delivery arrived, stopped counting, or has another number, since then."""
    return {one["agency"] for one in await connection.fetch(_DUE, since, list(MOVING))}


async def interrupted(connection: Connection, before: datetime) -> Collection[UUID]:
    """Housekeeping: agencies of whose rows, loaded before then, some did not yet tell their delivery that paper went."""
    return {one["agency"] for one in await connection.fetch(_INTERRUPTED, before)}
