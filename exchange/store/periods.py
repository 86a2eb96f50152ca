"""Closed months (tháng đã chốt): their members, what differs from version to version, and the digest over their lines.

Theory of operation. A month is the unit that is closed; quarters, half-years and years are closed when all their months
are. A version of a month holds only what differs from the version before, in two shapes: `period_member`, the transfers
with their classes, and `period_day`, the same counted. So the first version is everything, later ones are small, and a
version is read as the newest member up to it, or as the sum of the days up to it; `period_month` is those days added up.
Nothing of it is ever changed.

What the members are is told by the deliveries, not by the tally; `differences` then compares both, so that a month cannot
be closed on a tally that does not follow from its transfers.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg

from exchange.store import tally
from exchange.store.pool import Connection

PROPERTIES = "view, agency, day, scope, document_type, urgency, class, excluded, grade, justified"
"""What two transfers must have in common to be counted as one."""

_OF_MONTH = "view, agency, class, excluded, grade, justified"
_SUMMED = "view, class, excluded, grade, justified, GROUPING SETS ((agency), ())"
_FACTS = "agency, day, scope, document_type, urgency, class, excluded, grade, justified"
_KEY = "view, letter, recipient, round"

_IN_VIEW = """SELECT '{view}' AS view, letter, recipient, round, {agency} AS agency,
       ({moment} AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day, scope, document_type, urgency, counted_class AS class,
       CASE WHEN counted_class = 'X' THEN coalesce(excluded, '') ELSE '' END AS excluded,
       CASE WHEN counted_class = 'E' THEN grade ELSE '' END AS grade,
       CASE WHEN counted_class = 'S' THEN justified ELSE '' END AS justified
  FROM delivery WHERE {moment} >= $2 AND {moment} < $3 AND arrived_at IS NOT NULL AND counted_class IS NOT NULL
   AND operation IN ('new', 'replace')"""
_ON_PAPER = """SELECT direction, id, agency, 0, agency, moved_on, scope, document_type, 0::smallint,
       CASE scope WHEN 'internal' THEN 'X' ELSE 'P' END, CASE scope WHEN 'internal' THEN 'internal' ELSE '' END, '', ''
  FROM register_row WHERE counted AND moved_on >= ($2 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
   AND moved_on < ($3 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"""
_LIVE = " UNION ALL ".join(
    (
        _IN_VIEW.format(view="out", agency="sender", moment="accepted_at"),
        _IN_VIEW.format(view="in", agency="recipient", moment="arrived_at"),
        _ON_PAPER,
    )
)
"""Every transfer of a month ($1 its first day; $2 and $3 its first moment and the next month's) as it is counted now."""

_KEPT = f"""SELECT DISTINCT ON ({_KEY}) {_KEY}, {_FACTS}
  FROM period_member WHERE month = $1 AND version <= $4
 ORDER BY {_KEY}, version DESC"""  # noqa: S608
"""The members of a month up to version $4, also those that went."""


_CHANGED = f"""({_LIVE}) AS live FULL JOIN ({_KEPT}) AS kept USING ({_KEY})
 WHERE (live.class IS NOT NULL OR kept.class <> '')
   AND ({", ".join(f"live.{name}" for name in _FACTS.split(", "))})
       IS DISTINCT FROM ({", ".join(f"kept.{name}" for name in _FACTS.split(", "))})"""
"""Members that are others now than by version $4."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """A month: its first day, its first moment and that of the next month."""

    first: date
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a closed month (phiên bản số liệu tháng đã chốt)."""

    month: date
    version: int
    closed_at: datetime
    author: str
    snapshot: str
    members: int
    sha256: bytes


class TakenError(Exception):
    """Somebody else writes the same version at the same moment; what they write is seen when this is tried again."""


async def versions(connection: Connection, first: date, last: date) -> list[Version]:
    """The versions of the months of a span, oldest month first, each month's newest last."""
    records = await connection.fetch(
        "SELECT * FROM period_version WHERE month BETWEEN $1 AND $2 ORDER BY month, version", first, last
    )
    return [Version(**record) for record in records]


async def first_day(connection: Connection) -> date | None:
    """The first day on which anything was counted."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT min(day) FROM (SELECT day FROM tally_day UNION ALL SELECT day FROM tally_delta) AS counted"
    )


def _following(month: Month) -> date:
    return date(month.first.year + month.first.month // 12, month.first.month % 12 + 1, 1)


async def close(connection: Connection, month: Month, version: int, *, at: datetime, author: str) -> Version:
    """Write a version; part of the caller's REPEATABLE READ transaction.

    The digest is filled in last: a version is seen by others only when the transaction is committed. Raises TakenError.
    """
    try:
        await connection.execute(
            """INSERT INTO period_version (month, version, closed_at, author, snapshot, members, sha256)
               VALUES ($1, $2, $3, $4, pg_current_snapshot()::text, 0, '')""",
            month.first, version, at, author,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as error:
        raise TakenError from error
    await _write_members(connection, month, version)
    await _write_days(connection, month, version)
    await _write_month(connection, month, version)
    members, sha256 = await digest(connection, month.first, version)
    record = await connection.fetchrow(
        "UPDATE period_version SET members = $3, sha256 = $4 WHERE month = $1 AND version = $2 RETURNING *",
        month.first, version, members, sha256,
    )  # fmt: skip
    assert record is not None
    return Version(**record)


async def _write_members(connection: Connection, month: Month, version: int) -> None:
    facts = _FACTS.split(", ")
    shown = [f"coalesce(live.{name}, kept.{name})" for name in facts[:5]]
    shown += [f"coalesce(live.{name}, '')" for name in facts[5:]]
    await connection.execute(
        f"""INSERT INTO period_member (month, version, {_KEY}, {_FACTS})
            SELECT $1, $4 + 1, {_KEY}, {", ".join(shown)} FROM {_CHANGED}""",  # noqa: S608
        month.first, month.start, month.end, version - 1,
    )  # fmt: skip


async def changed(connection: Connection, month: Month, version: int) -> bool:
    """Whether any member is another now than by a version, or counted otherwise: also where the counts are the same."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"SELECT EXISTS (SELECT FROM {_CHANGED})",  # noqa: S608
        month.first, month.start, month.end, version,
    )  # fmt: skip


async def touched(connection: Connection, first: date, last: date) -> set[date]:
    """The months of which facts came since they were last looked at."""
    records = await connection.fetch(
        "SELECT month FROM period_touched WHERE month BETWEEN $1 AND $2", first, last
    )
    return {one["month"] for one in records}


async def looked_at(connection: Connection, months: Sequence[date]) -> None:
    """Of these months everything that is known is compared with their newest version. Raises TakenError.

    In their order, as they are written down: who needs several waits for nobody who waits for him.
    """
    try:
        await connection.execute(
            """WITH locked AS (SELECT month FROM period_touched WHERE month = ANY($1) ORDER BY month FOR UPDATE)
               DELETE FROM period_touched USING locked WHERE period_touched.month = locked.month""",
            list(months),
        )
    except asyncpg.SerializationError as error:
        raise TakenError from error


async def _write_days(connection: Connection, month: Month, version: int) -> None:
    """The differences: what the version's members add, less what they were before."""
    columns = ", ".join(f"changed.{name}" for name in PROPERTIES.split(", "))
    before = columns.replace("changed.", "before.")
    await connection.execute(
        f"""INSERT INTO period_day (month, version, {PROPERTIES}, n)
            SELECT $1, $2, {PROPERTIES}, sum(n)
              FROM (SELECT {columns}, 1 AS n FROM period_member AS changed
                     WHERE month = $1 AND version = $2 AND class <> ''
                    UNION ALL
                    SELECT {before}, -1
                      FROM period_member AS changed
                     CROSS JOIN LATERAL (SELECT * FROM period_member AS earlier
                                          WHERE earlier.month = changed.month AND earlier.view = changed.view
                                            AND earlier.letter = changed.letter
                                            AND earlier.recipient = changed.recipient
                                            AND earlier.round = changed.round AND earlier.version < changed.version
                                          ORDER BY earlier.version DESC LIMIT 1) AS before
                     WHERE changed.month = $1 AND changed.version = $2 AND before.class <> '') AS facts
             GROUP BY {PROPERTIES} HAVING sum(n) <> 0""",  # noqa: S608
        month.first, version,
    )  # fmt: skip


async def _write_month(connection: Connection, month: Month, version: int) -> None:
    """The differences of the days, added up: of each agency, and of all together."""
    await connection.execute(
        f"""INSERT INTO period_month (month, version, {_OF_MONTH}, n)
            SELECT $1, $2, view, coalesce(agency, $3), class, excluded, grade, justified, sum(n)
              FROM period_day WHERE month = $1 AND version = $2
             GROUP BY {_SUMMED} HAVING sum(n) <> 0""",  # noqa: S608
        month.first, version, tally.EVERYBODY,
    )  # fmt: skip
    await connection.execute("INSERT INTO period_summed VALUES ($1, $2)", month.first, version)


_LINES = f"""SELECT {_KEY}, {_FACTS}
  FROM (SELECT DISTINCT ON ({_KEY}) * FROM period_member WHERE month = $1 AND version <= $2
         ORDER BY {_KEY}, version DESC) AS member
 WHERE class <> '' ORDER BY {_KEY}"""  # noqa: S608


async def digest(connection: Connection, month: date, version: int) -> tuple[int, bytes]:
    """How many members a version has, and the SHA-256 over their lines: `lines`, sorted by their key."""
    hashed, members = hashlib.sha256(), 0

    async def take(chunk: bytes) -> None:
        nonlocal members
        members += chunk.count(b"\n")
        hashed.update(chunk)

    await lines(connection, month, version, take)
    return members, hashed.digest()


async def lines(connection: Connection, month: date, version: int, take: Any) -> None:  # noqa: ANN401 - a file or a coroutine
    """Hand the lines of a version's members to `take`, chunk by chunk, in the order of their key.

    Lines are PostgreSQL's text format: values between tabs; a tab, line end or backslash within a value has a backslash.
    """
    await connection.copy_from_query(_LINES, month, version, output=take)


async def totals(connection: Connection, month: date) -> list[Any]:
    """By version and view: what it changed of each class."""
    return await connection.fetch(
        """SELECT version, view, class, excluded, sum(n)::bigint AS n FROM period_day WHERE month = $1
            GROUP BY version, view, class, excluded HAVING sum(n) <> 0 ORDER BY version, view, class, excluded""",
        month,
    )


async def differences(connection: Connection, month: Month, version: int) -> int:
    """How many kinds of transfers are counted otherwise now than by a version; of version 0, how many are counted at all.

    Asked in the transaction that closed the month, it must be 0: else the tally does not follow from the transfers.
    """
    return await connection.fetchval(  # type: ignore[no-any-return]
        f"""SELECT count(*)
              FROM (SELECT FROM (SELECT {PROPERTIES}, n FROM tally_day WHERE day >= $1 AND day < $2
                                 UNION ALL SELECT {PROPERTIES}, n FROM tally_delta WHERE day >= $1 AND day < $2
                                 UNION ALL SELECT {PROPERTIES}, -n FROM period_day
                                            WHERE month = $1 AND version <= $3) AS facts
                     GROUP BY {PROPERTIES} HAVING sum(n) <> 0) AS different""",  # noqa: S608
        month.first, _following(month), version,
    )  # fmt: skip


SUMS = {
    "closed_days_differ": f"""SELECT month
          FROM (SELECT month, {PROPERTIES}, -n AS n FROM period_day
                 UNION ALL
                SELECT month, {PROPERTIES}, 1
                  FROM (SELECT DISTINCT ON (month, {_KEY}) * FROM period_member
                         ORDER BY month, {_KEY}, version DESC) AS newest WHERE class <> '') AS facts
         GROUP BY month, {PROPERTIES} HAVING sum(n) <> 0""",  # noqa: S608
    "closed_month_differs": f"""SELECT month
          FROM (SELECT month, version, {_OF_MONTH}, n FROM period_month
                 UNION ALL
                SELECT month, version, view, coalesce(agency, '{tally.EVERYBODY}'), class, excluded, grade, justified, -sum(n)
                  FROM period_day WHERE (month, version) IN (SELECT month, version FROM period_summed)
                 GROUP BY month, version, {_SUMMED}) AS facts
         GROUP BY month, version, {_OF_MONTH} HAVING sum(n) <> 0""",  # noqa: S608
}  # fmt: skip
"""What was added up, less what it was added up of: the months in which something is left, by the fault that it is."""


async def faults(connection: Connection) -> list[tuple[str, str]]:
    """For the self-check: versions that are no longer what their digest says, months that are not the sum of theirs."""
    found = [
        ("closed_members_differ", f"{one.month:%Y-%m} {one.version}")
        for one in await versions(connection, date.min, date.max)
        if await digest(connection, one.month, one.version) != (one.members, one.sha256)
    ]
    for code, statement in SUMS.items():
        records = await connection.fetch(f"SELECT DISTINCT month FROM ({statement}) AS different")  # noqa: S608
        found += [(code, f"{one['month']:%Y-%m}") for one in records]
    return found
