"""The tally's rows: deltas appended with the event they ride on, merged into days, and read as one.

A read adds what is not merged yet in the same statement, so it never depends on how far the folder is.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from exchange.store import insert, rows
from exchange.store.pool import Connection

_PROPERTIES = "view, agency, day, scope, document_type, urgency, class, excluded, grade, justified"


async def append(connection: Connection, deltas: Sequence[rows.DeltaRow]) -> None:
    """Add facts; part of the transaction of the state change they count."""
    await insert.rows(connection, deltas)


async def fold(connection: Connection, limit: int) -> int:
    """Housekeeping: merge up to `limit` deltas into their days in one statement; how many were merged."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"""WITH taken AS (DELETE FROM tally_delta
                            WHERE (agency, id) IN (SELECT agency, id FROM tally_delta LIMIT $1 FOR UPDATE SKIP LOCKED)
                           RETURNING *),
                 merged AS (INSERT INTO tally_day ({_PROPERTIES}, n)
                            SELECT {_PROPERTIES}, sum(n) FROM taken GROUP BY {_PROPERTIES} ORDER BY {_PROPERTIES}
                            ON CONFLICT ({_PROPERTIES}) DO UPDATE SET n = tally_day.n + excluded.n)
            SELECT count(*) FROM taken""",  # noqa: S608 - the column list is ours
        limit,
    )


async def counts(  # noqa: PLR0913 - one filter a parameter
    connection: Connection,
    view: str,
    first: date,
    last: date,
    agencies: Sequence[UUID] | None,
    scope: str | None = None,
    *,
    types: Sequence[str] | None = None,
    urgency: Sequence[int] | None = None,
) -> list[Any]:
    """Transfers by class, kind of exclusion and grade in a span of days as they are shown: of closed months as closed."""
    return await connection.fetch(
        """SELECT class, excluded, grade, sum(n)::bigint AS n FROM tally_shown
            WHERE view = $1 AND day BETWEEN $2 AND $3 AND ($4::uuid[] IS NULL OR agency = ANY($4))
              AND ($5::text IS NULL OR scope = $5)
              AND ($6::text[] IS NULL OR document_type = ANY($6)) AND ($7::smallint[] IS NULL OR urgency = ANY($7))
            GROUP BY class, excluded, grade HAVING sum(n) <> 0""",
        view, first, last, agencies, scope, types, urgency,
    )  # fmt: skip


async def everything(connection: Connection) -> list[Any]:
    """All counted facts, merged or not, for the self-check."""
    return await connection.fetch(
        f"""SELECT {_PROPERTIES}, sum(n)::bigint AS n
              FROM (SELECT {_PROPERTIES}, n FROM tally_day UNION ALL SELECT {_PROPERTIES}, n FROM tally_delta) AS facts
             GROUP BY {_PROPERTIES} HAVING sum(n) <> 0"""  # noqa: S608 - the column list is ours
    )
