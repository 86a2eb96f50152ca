"""Which delivery a row of a register is of: found by the document's key and the party, given up when it counts no more.

Only a delivery that arrived and counts: what was refused, or taken back before it was registered, went on paper alone; of a
duplicate the one that counts is meant. A row whose book names no day of issue is of its book's year, or of the end of the year
before, where nothing of its own year can be meant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules import register_days
from exchange.store.pool import Connection
from exchange.store.transitions import Key


@dataclass(frozen=True, kw_only=True, order=True)
class Matched:
    """A row that proves paper, the delivery it is of, the day on which the paper moved, and whose register it is in."""

    key: Key
    row: UUID
    moved_on: date
    agency: UUID


SENDER = "CASE row.direction WHEN 'out' THEN row.agency ELSE row.other_agency END"
RECIPIENT = "CASE row.direction WHEN 'out' THEN row.other_agency ELSE row.agency END"
GONE = "(delivery.counted_class = 'X' AND coalesce(delivery.excluded, '') IN ('refused', 'recalled', 'duplicate'))"
"""A delivery that is none, as far as paper beside it goes."""
_OF_ROW = f"delivery.recipient = {RECIPIENT} AND delivery.letter = row.letter AND delivery.round = row.round"
MEANT = f"""letter.sender = {SENDER} AND letter.series = row.series
        AND letter.number_key = row.number_key AND letter.notation_key = row.notation_key
        AND letter.issued_year BETWEEN row.issued_year - CASE WHEN row.issued_on IS NULL THEN 1 ELSE 0 END AND row.issued_year
        AND (row.issued_on IS NOT NULL
             OR CASE WHEN letter.issued_year < row.issued_year THEN row.moved_on - letter.issued_on
                     ELSE letter.issued_on - row.moved_on END <= {register_days.HANDED_OVER})
        AND letter.operation IN ('new', 'replace') AND NOT letter.test"""
"""Whether a letter carries the document that a row tells of."""


async def match(connection: Connection, agency: UUID, direction: str) -> int:
    """Find the deliveries that unmatched rows are of; how many were found. Of several the counted one that came first."""
    found: str = await connection.execute(
        f"""UPDATE register_row AS row SET letter = found.letter, delivery = found.id, round = found.round
             FROM (SELECT row.agency, row.id AS row_id, held.*
                     FROM register_row AS row CROSS JOIN LATERAL
                          (SELECT delivery.letter, delivery.id, delivery.round
                             FROM letter JOIN delivery ON delivery.letter = letter.id AND delivery.round = letter.round
                            WHERE {MEANT} AND delivery.recipient = {RECIPIENT}
                              AND delivery.arrived_at IS NOT NULL AND NOT coalesce({GONE}, false)
                            ORDER BY letter.issued_year DESC, delivery.counted_class = 'X', delivery.arrived_at, delivery.id
                            LIMIT 1) AS held
                    WHERE row.agency = $1 AND row.direction = $2 AND row.letter IS NULL AND row.other_agency IS NOT NULL
                      AND row.load IS NOT NULL) AS found
            WHERE row.agency = found.agency AND row.id = found.row_id""",  # noqa: S608 - the statement is ours
        agency, direction,
    )  # fmt: skip
    return int(found.rpartition(" ")[2])


async def astray(connection: Connection, agency: UUID, direction: str) -> list[Matched]:
    """Rows whose delivery was told that paper went beside it, and counts no more."""
    return _matched(await connection.fetch(
        f"""{_KEYS} JOIN delivery ON {_OF_ROW}
             WHERE row.agency = $1 AND row.direction = $2 AND row.letter IS NOT NULL AND row.load IS NOT NULL
               AND row.proven_at IS NOT NULL AND {GONE}
             ORDER BY row.id""",
        agency, direction,
    ), agency)  # fmt: skip


async def release(connection: Connection, agency: UUID, direction: str) -> int:
    """Let go of deliveries that count no more; how many rows. Whoever was told by them, was told the contrary before."""
    done: str = await connection.execute(
        f"""UPDATE register_row AS row SET letter = NULL, delivery = NULL, round = NULL FROM delivery
             WHERE {_OF_ROW} AND row.agency = $1 AND row.direction = $2 AND row.letter IS NOT NULL AND row.load IS NOT NULL
               AND row.proven_at IS NULL AND {GONE}""",  # noqa: S608 - the statement is ours
        agency, direction,
    )  # fmt: skip
    return int(done.rpartition(" ")[2])


_KEYS = (
    f"SELECT row.id, row.moved_on, {RECIPIENT} AS recipient, row.letter, row.round FROM register_row AS row"  # noqa: S608
)


async def unproven(connection: Connection, agency: UUID, most: int) -> list[Matched]:
    """Some of an agency's matched rows that say paper went, and whose delivery was not told so yet."""
    records = await connection.fetch(
        f"""{_KEYS} JOIN register_load ON register_load.agency = row.agency AND register_load.id = row.load
             WHERE row.agency = $1 AND row.letter IS NOT NULL AND row.proven_at IS NULL AND register_load.lists = 'paper'
             ORDER BY row.id LIMIT $2""",
        agency, most,
    )  # fmt: skip
    return _matched(records, agency)


async def proven(connection: Connection, agency: UUID, load: UUID, most: int) -> list[Matched]:
    """Some of a load's rows whose deliveries were told that paper went."""
    records = await connection.fetch(
        f"{_KEYS} WHERE row.agency = $1 AND row.load = $2 AND row.proven_at IS NOT NULL ORDER BY row.id LIMIT $3",
        agency, load, most,
    )  # fmt: skip
    return _matched(records, agency)


def _matched(records: Iterable[Any], agency: UUID) -> list[Matched]:
    return [
        Matched(
            key=(one["recipient"], one["letter"], one["round"]),
            row=one["id"],
            moved_on=one["moved_on"],
            agency=agency,
        )
        for one in records
    ]


async def mark(connection: Connection, agency: UUID, told: Sequence[UUID], at: datetime | None) -> None:
    """Note of these rows that their deliveries were told at that moment; None: that they no longer are."""
    await connection.execute(
        "UPDATE register_row SET proven_at = $3 WHERE agency = $1 AND id = ANY($2)", agency, list(told), at
    )
