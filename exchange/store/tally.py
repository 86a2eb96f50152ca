"""The tally's rows: deltas appended with the event they ride on, merged into days, days into months, and read as one.

A read adds what is not merged yet in the same statement, so it never depends on how far the folder is.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from exchange.store import insert, rows
from exchange.store.pool import Connection

_PROPERTIES = "view, agency, day, scope, document_type, urgency, class, excluded, grade, justified"
_OF_MONTH = "view, agency, month, class, excluded, grade, justified"
_SUMMED = "view, month, class, excluded, grade, justified, GROUPING SETS ((agency), ())"
EVERYBODY = UUID(int=0)
"""All agencies together, in the months."""
TOUCH = """INSERT INTO period_touched SELECT DISTINCT date_trunc('month', {0})::date AS month FROM {1} ORDER BY month
           ON CONFLICT (month) DO UPDATE SET month = excluded.month"""
"""Write down the months of which facts came, also those written down already: who is about to look at one must see them."""


async def append(connection: Connection, deltas: Sequence[rows.DeltaRow]) -> None:
    """Add facts; part of the transaction of the state change they count."""
    await insert.rows(connection, deltas)


async def fold(connection: Connection, limit: int) -> int:
    """Housekeeping: merge up to `limit` deltas into their days in one statement; how many were merged.

    Their months are written down: facts that cancel out change no count, but may change what a closed month consists of.
    """
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"""WITH taken AS (DELETE FROM tally_delta
                            WHERE (agency, id) IN (SELECT agency, id FROM tally_delta LIMIT $1 FOR UPDATE SKIP LOCKED)
                           RETURNING *),
                 merged AS (INSERT INTO tally_day ({_PROPERTIES}, n)
                            SELECT {_PROPERTIES}, sum(n) FROM taken GROUP BY {_PROPERTIES} ORDER BY {_PROPERTIES}
                            ON CONFLICT ({_PROPERTIES}) DO UPDATE SET n = tally_day.n + excluded.n),
                 touched AS ({TOUCH.format("day", "taken")})
            SELECT count(*) FROM taken""",  # noqa: S608 - the column list is ours
        limit,
    )


async def fold_days(connection: Connection, limit: int) -> int:
    """Housekeeping: merge what up to `limit` days have more than their months know of; how many were merged."""
    taken = " AND ".join(f"tally_day.{name} = taken.{name}" for name in _PROPERTIES.split(", "))
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"""WITH taken AS (SELECT *, date_trunc('month', day)::date AS month, n - monthly AS more FROM tally_day
                            WHERE n <> monthly LIMIT $1 FOR UPDATE SKIP LOCKED),
                 marked AS (UPDATE tally_day SET monthly = tally_day.n FROM taken WHERE {taken}),
                 merged AS (INSERT INTO tally_month ({_OF_MONTH}, n)
                            SELECT view, coalesce(agency, $2), month, class, excluded, grade, justified, sum(more)
                              FROM taken GROUP BY {_SUMMED} ORDER BY 1, 2, 3, 4, 5, 6, 7
                            ON CONFLICT ({_OF_MONTH}) DO UPDATE SET n = tally_month.n + excluded.n)
            SELECT count(*) FROM taken""",  # noqa: S608 - the column lists are ours
        limit,
        EVERYBODY,
    )


def facts(spans: Sequence[tuple[date, date]], *, whole: bool, together: bool = False) -> str:
    """What to read of spans of days as transfers are shown: months, where all are months and nothing is cut off.

    Transfers of closed months are shown as closed, all others as counted now. `together`: of all agencies at once.
    """
    months = all(first.day == 1 and (last + timedelta(days=1)).day == 1 for first, last in spans)
    if not (whole and months):
        return "tally_shown"
    return "tally_shown_together" if together else "tally_shown_by_month"


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
    whole = scope is None and types is None and urgency is None
    shown = facts([(first, last)], whole=whole, together=agencies is None)
    return await connection.fetch(
        f"""SELECT class, excluded, grade, sum(n)::bigint AS n FROM {shown}
            WHERE view = $1 AND day BETWEEN $2 AND $3 AND ($4::uuid[] IS NULL OR agency = ANY($4))
              AND ($5::text IS NULL OR scope = $5)
              AND ($6::text[] IS NULL OR document_type = ANY($6)) AND ($7::smallint[] IS NULL OR urgency = ANY($7))
            GROUP BY class, excluded, grade HAVING sum(n) <> 0""",  # noqa: S608 - the names are ours
        view, first, last, agencies, scope, types, urgency,
    )  # fmt: skip


async def everything(connection: Connection) -> list[Any]:
    """All counted facts, merged or not, for the self-check."""
    return await connection.fetch(
        f"""SELECT {_PROPERTIES}, sum(n)::bigint AS n
              FROM (SELECT {_PROPERTIES}, n FROM tally_day UNION ALL SELECT {_PROPERTIES}, n FROM tally_delta) AS facts
             GROUP BY {_PROPERTIES} HAVING sum(n) <> 0"""  # noqa: S608 - the column list is ours
    )


async def months_differ(connection: Connection) -> int:
    """Of how many months and kinds of transfers the sum is not what their days handed over, for the self-check."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"""SELECT count(*)
              FROM (SELECT FROM (SELECT {_OF_MONTH}, n FROM tally_month
                                 UNION ALL
                                 SELECT view, coalesce(agency, $1), month, class, excluded, grade, justified, -sum(monthly)
                                   FROM (SELECT *, date_trunc('month', day)::date AS month FROM tally_day) AS days
                                  GROUP BY {_SUMMED}) AS facts
                     GROUP BY {_OF_MONTH} HAVING sum(n) <> 0) AS different""",  # noqa: S608 - the column lists are ours
        EVERYBODY,
    )
