"""Counts that anybody may read (dữ liệu mở): by month, direction and agency; nothing of letters, nothing of persons."""

from datetime import date
from typing import Any

from exchange.store import registers, tally
from exchange.store.pool import Connection


async def counts(connection: Connection, view: str, first: date, last: date) -> list[Any]:
    """Counted transfers of a span of days by agency and class, as they are shown."""
    shown = tally.facts([(first, last)], whole=True)
    return await connection.fetch(
        f"""SELECT agency.code, agency.name, agency.kind, agency.level, class, sum(n)::bigint AS n
             FROM {shown} AS facts JOIN agency ON agency.id = facts.agency
            WHERE view = $1 AND day BETWEEN $2 AND $3 AND class <> 'X'
            GROUP BY agency.code, agency.name, agency.kind, agency.level, class HAVING sum(n) <> 0
            ORDER BY agency.code, class""",  # noqa: S608 - the name is ours
        view, first, last,
    )  # fmt: skip


async def covered(connection: Connection, book: str, first: date, last: date) -> set[str]:
    """The codes of agencies whose registers cover every day of a span on which they were agencies."""
    records = await connection.fetch(
        f"""SELECT agency.code FROM register_load AS load JOIN agency ON agency.id = load.agency
            WHERE load.book = $1 AND load.undone_at IS NULL AND valid_from <= $3 AND (valid_to IS NULL OR valid_to >= $2)
            GROUP BY agency.id HAVING range_agg({registers.COVERED}) @> {registers.LASTED}""",  # noqa: S608 - ours
        book, first, last,
    )  # fmt: skip
    return {one["code"] for one in records}
