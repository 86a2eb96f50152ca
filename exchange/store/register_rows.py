"""Rows of registers: written many at once, matched with deliveries, counted as paper only where nothing electronic is there.

Theory of operation. A row is a transfer that a book tells of. The same transfer may stand in several books (a register and a
dispatch book), so rows of one document to one party are one: of them the first is `counted`, and none as soon as one matches
a delivery. `settle` sets this anew from what stands in the table and returns what the tally has to take in; whatever the order
of loading, matching and undoing, the tally is that of the rows.

A document to a party that is no agency of the directory is told apart by the party's name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection
from exchange.store.transitions import Key


@dataclass(frozen=True, kw_only=True)
class RegisterRow:
    """One row as table `register_row` keeps it before anything is known of a match; the schema file tells the columns."""

    agency: UUID
    id: UUID
    load: UUID
    book: str
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


@dataclass(frozen=True, kw_only=True, order=True)
class Matched:
    """A row and the delivery it is of."""

    key: Key
    row: UUID
    moved_on: date


_TYPES = {
    "agency": "uuid", "id": "uuid", "load": "uuid", "other_agency": "uuid", "position": "int", "line": "int",
    "copies": "int", "issued_year": "smallint", "issued_on": "date", "moved_on": "date", "handed_on": "date",
    "loaded_at": "timestamptz",
}  # fmt: skip
_NAMES = tuple(field.name for field in fields(RegisterRow))
_ARRAYS = ", ".join(f"${place}::{_TYPES.get(name, 'text')}[]" for place, name in enumerate(_NAMES, 1))
_ONCE = "agency, book, issued_year, series, number_key, notation_key, party_key, entry"
_WRITE = f"""INSERT INTO register_row ({", ".join(_NAMES)})
             SELECT * FROM unnest({_ARRAYS})
             ON CONFLICT ({_ONCE}) WHERE load IS NOT NULL DO NOTHING RETURNING position"""  # noqa: S608 - names are ours


async def write(connection: Connection, given: Sequence[RegisterRow]) -> set[int]:
    """Add rows; the positions of those that were not there. A row of the same book, document and party is there already."""
    columns = [[getattr(row, name) for row in given] for name in _NAMES]
    return {record["position"] for record in await connection.fetch(_WRITE, *columns)}


async def standing(connection: Connection, missed: Sequence[RegisterRow]) -> dict[int, tuple[UUID, int]]:
    """Of rows that were there already, by position: the load and the line where they stand."""
    if not missed:
        return {}
    names = [*_ONCE.split(", "), "position"]
    columns = [[getattr(row, name) for row in missed] for name in names]
    arrays = ", ".join(f"${place}::{_TYPES.get(name, 'text')}[]" for place, name in enumerate(names, 1))
    records = await connection.fetch(
        f"""SELECT given.position, register_row.load, register_row.line
              FROM unnest({arrays}) AS given ({", ".join(names)}) JOIN register_row USING ({_ONCE})
             WHERE register_row.load IS NOT NULL""",  # noqa: S608 - names are ours
        *columns,
    )
    return {record["position"]: (record["load"], record["line"]) for record in records}


async def match(connection: Connection, agency: UUID, direction: str) -> int:
    """Find the deliveries that unmatched rows are of, by the document's key and the party; how many were found.

    Only a delivery that arrived: what did not went on paper alone. Of several (it was refused, and sent again) the counted one.
    """
    found: str = await connection.execute(
        """UPDATE register_row AS row SET letter = found.letter, delivery = found.id, round = found.round
             FROM (SELECT row.agency, row.id AS row_id, held.*
                     FROM register_row AS row CROSS JOIN LATERAL
                          (SELECT delivery.letter, delivery.id, delivery.round
                             FROM letter JOIN delivery ON delivery.letter = letter.id AND delivery.round = letter.round
                            WHERE letter.sender = CASE row.direction WHEN 'out' THEN row.agency ELSE row.other_agency END
                              AND letter.issued_year = row.issued_year AND letter.series = row.series
                              AND letter.number_key = row.number_key AND letter.notation_key = row.notation_key
                              AND letter.operation IN ('new', 'replace') AND NOT letter.test
                              AND delivery.recipient = CASE row.direction WHEN 'out' THEN row.other_agency ELSE row.agency END
                              AND delivery.arrived_at IS NOT NULL
                            ORDER BY delivery.counted_class = 'X', delivery.arrived_at, delivery.id LIMIT 1) AS held
                    WHERE row.agency = $1 AND row.direction = $2 AND row.letter IS NULL AND row.other_agency IS NOT NULL
                      AND row.load IS NOT NULL) AS found
            WHERE row.agency = found.agency AND row.id = found.row_id""",
        agency, direction,
    )  # fmt: skip
    return int(found.rpartition(" ")[2])


STANDING = """SELECT agency, id, counted AS was, letter IS NULL AND party_key <> '' AND row_number() OVER (
                         PARTITION BY agency, direction, issued_year, series, number_key, notation_key,
                                      coalesce(other_agency::text, party_key)
                             ORDER BY letter IS NULL, moved_on, id) = 1 AS counted,
                     direction, moved_on, scope, document_type
                FROM register_row WHERE load IS NOT NULL"""
"""Every row with whether it is counted, from what the table holds."""
_ALIKE = "agency, direction, moved_on, scope, document_type"


async def settle(connection: Connection, agency: UUID, direction: str) -> list[Counted]:
    """Count what is to be counted of an agency's rows, and no more; how the tally changes."""
    records = await connection.fetch(
        f"""WITH standing AS ({STANDING} AND agency = $1 AND direction = $2),
                 changed AS (UPDATE register_row AS row SET counted = standing.counted FROM standing
                              WHERE row.agency = standing.agency AND row.id = standing.id
                                AND standing.was <> standing.counted RETURNING row.*)
            SELECT {_ALIKE}, sum(CASE WHEN counted THEN 1 ELSE -1 END)::int AS n FROM changed GROUP BY {_ALIKE}""",  # noqa: S608 - the statement is ours
        agency, direction,
    )  # fmt: skip
    return _counted(records)


async def remove(connection: Connection, agency: UUID, load: UUID) -> list[Counted]:
    """Take a load's rows away; how the tally changes by it."""
    records = await connection.fetch(
        f"""WITH gone AS (DELETE FROM register_row WHERE agency = $1 AND load = $2 RETURNING *)
            SELECT {_ALIKE}, -count(*)::int AS n FROM gone WHERE counted GROUP BY {_ALIKE}""",  # noqa: S608 - the statement is ours
        agency, load,
    )  # fmt: skip
    return _counted(records)


def _counted(records: Iterable[Any]) -> list[Counted]:
    return [Counted(**{field.name: record[field.name] for field in fields(Counted)}) for record in records]


_KEY = "CASE direction WHEN 'out' THEN other_agency ELSE row.agency END AS recipient, letter, round"


async def unproven(connection: Connection, agency: UUID, most: int) -> list[Matched]:
    """Some of an agency's matched rows that say paper went, and whose delivery was not told so yet."""
    records = await connection.fetch(
        f"""SELECT row.id, row.moved_on, {_KEY}
              FROM register_row AS row JOIN register_load ON register_load.agency = row.agency AND register_load.id = row.load
             WHERE row.agency = $1 AND row.letter IS NOT NULL AND row.proven_at IS NULL AND register_load.lists = 'paper'
             ORDER BY row.id LIMIT $2""",  # noqa: S608 - the statement is ours
        agency, most,
    )  # fmt: skip
    return _matched(records)


async def proven(connection: Connection, agency: UUID, load: UUID, most: int) -> list[Matched]:
    """Some of a load's rows whose deliveries were told that paper went."""
    records = await connection.fetch(
        f"""SELECT row.id, row.moved_on, {_KEY} FROM register_row AS row
             WHERE row.agency = $1 AND row.load = $2 AND row.proven_at IS NOT NULL ORDER BY row.id LIMIT $3""",  # noqa: S608 - the statement is ours
        agency, load, most,
    )  # fmt: skip
    return _matched(records)


def _matched(records: Iterable[Any]) -> list[Matched]:
    return [
        Matched(key=(one["recipient"], one["letter"], one["round"]), row=one["id"], moved_on=one["moved_on"])
        for one in records
    ]


async def mark(connection: Connection, agency: UUID, told: Sequence[UUID], at: datetime | None) -> None:
    """Note of these rows that their deliveries were told at that moment; None: that they no longer are."""
    await connection.execute(
        "UPDATE register_row SET proven_at = $3 WHERE agency = $1 AND id = ANY($2)", agency, list(told), at
    )


async def recount(connection: Connection) -> list[Counted]:
    """Housekeeping: what the tally must have of all rows, computed anew."""
    records = await connection.fetch(
        f"""SELECT {_ALIKE}, count(*)::int AS n FROM ({STANDING}) AS standing WHERE counted GROUP BY {_ALIKE}"""  # noqa: S608 - the statement is ours
    )
    return _counted(records)


async def faults(connection: Connection) -> list[Any]:
    """Housekeeping, for the self-check: `code`, and the row or load.

    register_counted_differs  what is counted is not what the rows give
    register_match_differs    a row's delivery is not there, or its load is not
    """
    return await connection.fetch(
        f"""SELECT 'register_counted_differs' AS code, id AS place FROM ({STANDING}) AS standing WHERE was <> counted
            UNION ALL
            SELECT 'register_match_differs', row.id FROM register_row AS row
             WHERE row.letter IS NOT NULL AND row.load IS NOT NULL AND NOT EXISTS
                   (SELECT FROM delivery
                     WHERE delivery.recipient = CASE row.direction WHEN 'out' THEN row.other_agency ELSE row.agency END
                       AND delivery.letter = row.letter AND delivery.round = row.round AND delivery.id = row.delivery)
            UNION ALL
            SELECT 'register_match_differs', row.id FROM register_row AS row
             WHERE row.load IS NOT NULL AND NOT EXISTS
                   (SELECT FROM register_load WHERE register_load.agency = row.agency AND register_load.id = row.load
                       AND undone_at IS NULL)"""  # noqa: S608 - the statement is ours
    )
