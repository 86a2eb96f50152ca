"""Loads of registers (lần nạp sổ): which file of which book, what it covers, and how much of a period books cover."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection

COVERED = """CASE WHEN load.first <= load.last THEN daterange(load.first, load.last, '[]')
                      * daterange(make_date(load.year, 1, 1), make_date(load.year, 12, 31), '[]') END"""
"""The days that a load covers: none but those of its year. What is handed over in January is in the new year's book too."""
LASTED = "daterange(greatest($2::date, agency.valid_from), least($3::date, agency.valid_to), '[]')"
"""The days of a span, $2 to $3, on which an agency was one; only where there are any."""


@dataclass(frozen=True)
class Load:
    """One file of one book, as table `register_load` keeps it. `first`, `last`: the days that it tells of, None for none."""

    agency: UUID
    id: UUID
    book: str
    year: int
    lists: str
    sha256: bytes
    name: str
    n: int
    at: datetime
    author: str
    first: date | None
    last: date | None


async def lock(connection: Connection, agency: UUID) -> None:
    """Until the transaction ends nobody else changes this agency's registers."""
    await connection.fetchval("SELECT id FROM agency WHERE id = $1 FOR NO KEY UPDATE", agency)


async def loaded(connection: Connection, agency: UUID, book: str, year: int, sha256: bytes) -> UUID | None:
    """The load of the same file as the same book, if it stands."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """SELECT id FROM register_load
            WHERE agency = $1 AND book = $2 AND year = $3 AND sha256 = $4 AND undone_at IS NULL""",
        agency, book, year, sha256,
    )  # fmt: skip


async def add(connection: Connection, load: Load) -> None:
    """Record a load; its rows are written beside it."""
    await connection.execute(
        """INSERT INTO register_load (agency, id, book, year, lists, sha256, name, n, at, author, first, last)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        *astuple(load),
    )


async def finish(
    connection: Connection, agency: UUID, load: UUID, first: date | None, last: date | None
) -> Any:  # noqa: ANN401 - a record: n, first, last
    """Count a load's rows and say what it covers: the days given, else those of its rows.

    A book that has number 1 of the year's common series begins with the year: numbers run from 01 on 1 January (Decree 30/2020
    Art. 15(1)). Series of their own begin whenever their first document is issued.
    """
    return await connection.fetchrow(
        f"""WITH held AS (SELECT count(*)::int AS n, min(moved_on) AS first, max(moved_on) AS last,
                                coalesce(bool_or(CASE direction WHEN 'in' THEN ltrim(entry, '0') = '1'
                                                                ELSE series = '' AND number_key = '1' END), false) AS begins
                           FROM register_row WHERE agency = $1 AND load = $2)
           UPDATE register_load AS load SET n = held.n, last = coalesce($4, held.last),
                  first = coalesce($3, CASE WHEN held.begins THEN make_date(load.year, 1, 1) ELSE held.first END)
             FROM held WHERE load.agency = $1 AND load.id = $2
           RETURNING load.n, lower({COVERED}) AS first, upper({COVERED}) - 1 AS last""",  # noqa: S608 - the statement is ours
        agency, load, first, last,
    )  # fmt: skip


_HELD = """SELECT count(*) FILTER (WHERE letter IS NOT NULL) AS matched, count(*) FILTER (WHERE counted) AS paper_only,
                  count(*) FILTER (WHERE other_agency IS NULL AND party_key <> '') AS unknown_parties
             FROM register_row"""


async def of_load(connection: Connection, agency: UUID, load: UUID) -> Any:  # noqa: ANN401 - a record
    """How many rows of a load match, are counted as paper only, and name nobody of the directory."""
    return await connection.fetchrow(
        f"{_HELD} WHERE agency = $1 AND load = $2",
        agency,
        load,
    )


async def find(connection: Connection, load: UUID) -> Any | None:  # noqa: ANN401 - a record
    """A load by its id, undone or not."""
    return await connection.fetchrow("SELECT * FROM register_load WHERE id = $1", load)


async def undo(connection: Connection, agency: UUID, load: UUID, at: datetime, by: str) -> bool:
    """Note that a load was undone, whose rows are taken away beside it; False if it was before."""
    done = await connection.fetchval(
        """UPDATE register_load SET undone_at = $3, undone_by = $4
            WHERE agency = $1 AND id = $2 AND undone_at IS NULL RETURNING true""",
        agency, load, at, by,
    )  # fmt: skip
    return bool(done)


async def loads(
    connection: Connection, agencies: Sequence[UUID] | None, year: int | None, most: int
) -> list[Any]:
    """Loads, newest first, with their agency's code and name, and how many rows match, are paper only and are proven."""
    return await connection.fetch(
        f"""SELECT load.*, agency.code, agency.name AS agency_name, held.*,
                   lower({COVERED}) AS covers_first, upper({COVERED}) - 1 AS covers_last
             FROM register_load AS load JOIN agency ON agency.id = load.agency
                  CROSS JOIN LATERAL
                  ({_HELD} WHERE register_row.agency = load.agency AND register_row.load = load.id) AS held
            WHERE ($1::uuid[] IS NULL OR load.agency = ANY($1)) AND ($2::int IS NULL OR load.year = $2)
            ORDER BY load.at DESC, load.id DESC LIMIT $3""",  # noqa: S608 - the statement is ours
        agencies, year, most,
    )  # fmt: skip


async def used_twice(connection: Connection, agency: UUID, load: UUID, most: int) -> list[Any]:
    """Numbers of a load that stand for different documents in the agency's book: `line`, `number`, `n`, `documents`."""
    return await connection.fetch(
        """SELECT line, number, n, documents[1:5] AS documents
             FROM (SELECT min(line) FILTER (WHERE load = $2) AS line,
                          CASE direction WHEN 'in' THEN ltrim(entry, '0') ELSE number_key END AS number,
                          count(DISTINCT (of_year, series, number_key, notation_key,
                                          CASE direction WHEN 'in' THEN party_key ELSE '' END)) AS n,
                          array_agg(DISTINCT concat_ws('/', number, nullif(notation, ''))
                                    || CASE direction WHEN 'in' THEN ' ' || other_party ELSE '' END) AS documents
                     FROM register_row
                    WHERE agency = $1 AND load IN (SELECT id FROM register_load
                                                    WHERE agency = $1 AND book = (SELECT book FROM register_load
                                                                                   WHERE agency = $1 AND id = $2))
                    GROUP BY CASE direction WHEN 'in' THEN extract(year FROM moved_on) ELSE of_year END,
                             CASE direction WHEN 'in' THEN '' ELSE series END, 2) AS held
            WHERE n > 1 AND line IS NOT NULL AND number <> '' ORDER BY line LIMIT $3""",
        agency, load, most,
    )  # fmt: skip


async def coverage(
    connection: Connection, book: str, first: date, last: date, agencies: Sequence[UUID] | None
) -> tuple[int, int]:
    """How many counted agencies have loaded books that cover every day of the span together, of how many.

    Of those that were not yet switched off when the span ended: its figures do not move afterwards. Of an agency that
    began or ended within the span (merged, sáp nhập) books need tell no more than the days that it lasted.
    """
    record = await connection.fetchrow(
        f"""SELECT count(*) FILTER (WHERE coalesce((SELECT range_agg({COVERED}) FROM register_load AS load
                                                     WHERE load.agency = agency.id AND load.book = $1 AND load.undone_at IS NULL)
                                                  @> {LASTED}, false)) AS n,
                  count(*) AS d
             FROM agency
            WHERE counted AND ($4::uuid[] IS NULL OR agency.id = ANY($4))
              AND valid_from <= $3 AND (valid_to IS NULL OR valid_to >= $2)
              AND (disabled_at IS NULL OR disabled_at >= ($3 + 1)::timestamp AT TIME ZONE 'Asia/Ho_Chi_Minh')""",  # noqa: S608 - ours
        book, first, last, agencies,
    )  # fmt: skip
    assert record is not None
    return record["n"], record["d"]
