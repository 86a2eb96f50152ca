"""Rows of registers: written many at once, taken away with their load.

A row is a line of a book to one party. Several loads may hold the same line; which of them says how it is, and what is counted
of all that tell of one transfer, `register_settled` finds out; which delivery they are of, `register_match`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class RegisterRow:
    """One row as table `register_row` keeps it before anything is known of a match; the schema file tells the columns."""

    agency: UUID
    id: UUID
    load: UUID
    direction: str
    position: int
    line: int
    number: str
    notation: str
    issued_on: date | None
    issued_year: int
    series: str
    number_key: str
    notation_key: str
    document_type: str
    subject: str
    other_party: str
    party_key: str
    other_agency: UUID | None
    scope: str
    moved_on: date
    copies: int | None
    entry: str
    signer: str
    kept_by: str
    handed_to: str
    handed_on: date | None
    signed_for: str
    note: str
    loaded_at: datetime


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the tally has of rows alike, more or less: paper only, or what stays within one desk."""

    agency: UUID
    direction: str
    moved_on: date
    scope: str
    document_type: str
    n: int


_TYPES = {
    "agency": "uuid", "id": "uuid", "load": "uuid", "other_agency": "uuid", "position": "int", "line": "int",
    "copies": "int", "issued_year": "smallint", "issued_on": "date", "moved_on": "date", "handed_on": "date",
    "loaded_at": "timestamptz",
}  # fmt: skip
_NAMES = tuple(field.name for field in fields(RegisterRow))
LINE = "agency, issued_year, series, number_key, notation_key, party_key, entry"
"""What two rows of one line of a book have in common."""
ALIKE = "agency, direction, moved_on, scope, document_type"
"""What two rows must have in common to be counted as one."""


def _unnested(names: Sequence[str]) -> str:
    arrays = (f"${place}::{_TYPES.get(name, 'text')}[]" for place, name in enumerate(names, 1))
    return f"unnest({', '.join(arrays)})"


_WRITE = f"""INSERT INTO register_row ({", ".join(_NAMES)})
             SELECT * FROM {_unnested(_NAMES)}
             ON CONFLICT ({LINE}, load) WHERE load IS NOT NULL DO NOTHING RETURNING position"""  # noqa: S608 - names are ours


async def write(connection: Connection, given: Sequence[RegisterRow]) -> set[int]:
    """Add rows; the positions of those that were not there: their load may name a line twice."""
    columns = [[getattr(row, name) for row in given] for name in _NAMES]
    return {record["position"] for record in await connection.fetch(_WRITE, *columns)}


async def twice(connection: Connection, missed: Sequence[RegisterRow]) -> dict[int, int]:
    """Of rows that their load holds already, by position: the line where it does."""
    if not missed:
        return {}
    names = [*LINE.split(", "), "load", "position"]
    columns = [[getattr(row, name) for row in missed] for name in names]
    records = await connection.fetch(
        f"""SELECT given.position, register_row.line
              FROM {_unnested(names)} AS given ({", ".join(names)}) JOIN register_row USING ({LINE}, load)
             WHERE register_row.load IS NOT NULL""",  # noqa: S608 - names are ours
        *columns,
    )
    return {record["position"]: record["line"] for record in records}


async def known(connection: Connection, agency: UUID, load: UUID, most: int) -> list[Any]:
    """Rows of a load that another one of the same book has too, in order: what they tell of, the newest such load, and how many."""
    return await connection.fetch(
        f"""WITH book AS (SELECT book FROM register_load WHERE agency = $1 AND id = $2),
                 held AS (SELECT DISTINCT ON (row.position) row.position, row.line, row.number, row.notation,
                                 row.other_party, other.load
                            FROM register_row AS row JOIN register_row AS other USING ({LINE})
                                 JOIN register_load AS load ON load.agency = other.agency AND load.id = other.load
                           WHERE row.agency = $1 AND row.load = $2 AND other.load IS NOT NULL AND other.load <> $2
                             AND load.book = (SELECT book FROM book)
                           ORDER BY row.position, load.at DESC, load.id DESC)
            SELECT *, count(*) OVER () AS n FROM held ORDER BY position LIMIT $3""",  # noqa: S608 - names are ours
        agency, load, most,
    )  # fmt: skip


async def remove(connection: Connection, agency: UUID, load: UUID) -> list[Counted]:
    """Take a load's rows away; how the tally changes by it."""
    records = await connection.fetch(
        f"""WITH gone AS (DELETE FROM register_row WHERE agency = $1 AND load = $2 RETURNING *)
            SELECT {ALIKE}, -count(*)::int AS n FROM gone WHERE counted GROUP BY {ALIKE}""",  # noqa: S608 - the statement is ours
        agency, load,
    )  # fmt: skip
    return counted(records)


def counted(records: Iterable[Any]) -> list[Counted]:
    """Records of those columns."""
    return [Counted(**{field.name: record[field.name] for field in fields(Counted)}) for record in records]
