"""Numbers of a series as registers and letters show them, and what offices say of those that are missing (giải trình số)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection


async def numbers(connection: Connection, agency: UUID, year: int) -> dict[str, list[str]]:
    """The numbers of an agency's documents of a year in its registers, by series, each once."""
    records = await connection.fetch(
        """SELECT series, array_agg(DISTINCT number_key) AS numbers FROM register_row
            WHERE agency = $1 AND direction = 'out' AND coalesce(of_year, issued_year) = $2 AND load IS NOT NULL
            GROUP BY series ORDER BY series""",
        agency, year,
    )  # fmt: skip
    return {one["series"]: list(one["numbers"]) for one in records}


async def arrivals(connection: Connection, agency: UUID, year: int) -> list[str]:
    """The arrival numbers (số đến) of a year in an agency's registers, without leading zeros."""
    records = await connection.fetch(
        """SELECT DISTINCT regexp_replace(entry, '^0+(?=[0-9])', '') AS number FROM register_row
            WHERE agency = $1 AND direction = 'in' AND extract(year FROM moved_on) = $2 AND entry <> '' AND load IS NOT NULL""",
        agency, year,
    )  # fmt: skip
    return [one["number"] for one in records]


async def explained(connection: Connection, agency: UUID, book: str, year: int) -> list[Any]:
    """The explanations in force: `id`, `series`, `first`, `last`, `why`, `author`, `at`; in order."""
    return await connection.fetch(
        """SELECT * FROM number_explanation
            WHERE agency = $1 AND book = $2 AND year = $3 AND undone_at IS NULL ORDER BY series, first, at""",
        agency, book, year,
    )  # fmt: skip


async def add(
    connection: Connection,
    agency: UUID,
    made: UUID,
    what: tuple[str, int, str, int, int],
    said: tuple[str, str, datetime],
) -> None:
    """An explanation: book, year, series, first and last number; why, by whom, when."""
    await connection.execute(
        """INSERT INTO number_explanation (agency, id, book, year, series, first, last, why, author, at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        agency, made, *what, *said,
    )  # fmt: skip


async def undo(connection: Connection, made: UUID, at: datetime, by: str) -> Any | None:  # noqa: ANN401 - a record
    """Take an explanation back; it, or None if there is none of that id in force."""
    return await connection.fetchrow(
        """UPDATE number_explanation SET undone_at = $2, undone_by = $3 WHERE id = $1 AND undone_at IS NULL
           RETURNING agency, book, year, series, first, last""",
        made, at, by,
    )  # fmt: skip
