"""Who watches (giám sát): the periods in which a system may see the figures and facts of agencies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class MonitorRow:
    """A period of watching: one agency (None: everything), with all below it or alone, from a day to a last day."""

    system: UUID
    id: UUID
    agency: UUID | None
    subtree: bool
    valid_from: date
    valid_to: date | None = None
    author: str = ""


async def add(connection: Connection, row: MonitorRow) -> None:
    """A new period."""
    await connection.execute(
        """INSERT INTO monitors (system, id, agency, subtree, valid_from, valid_to, author)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        row.system, row.id, row.agency, row.subtree, row.valid_from, row.valid_to, row.author,
    )  # fmt: skip


async def standing(
    connection: Connection, system: UUID, agency: UUID | None, first: date
) -> list[tuple[bool, date, date | None]]:
    """How it watches that agency (None: everything) from a day on: with all below, from when, to when; in order."""
    records = await connection.fetch(
        """SELECT subtree, valid_from, valid_to FROM monitors
            WHERE system = $1 AND agency IS NOT DISTINCT FROM $2
              AND (valid_to IS NULL OR valid_to >= greatest(valid_from, $3))
            ORDER BY valid_from""",
        system, agency, first,
    )  # fmt: skip
    return [(one["subtree"], one["valid_from"], one["valid_to"]) for one in records]


async def end(connection: Connection, system: UUID, agency: UUID | None, first: date) -> bool:
    """It watches that agency (None: everything) no longer from that day on; False if it would not have."""
    status = await connection.execute(
        """UPDATE monitors SET valid_to = greatest(valid_from, $3) - 1
            WHERE system = $1 AND agency IS NOT DISTINCT FROM $2
              AND (valid_to IS NULL OR valid_to >= greatest(valid_from, $3))""",
        system, agency, first,
    )  # fmt: skip
    return status != "UPDATE 0"


async def listed(connection: Connection, on: date) -> Mapping[UUID, list[tuple[str | None, bool]]]:
    """By system what it watches on a day: the agency's code, None for everything, and whether all below it too."""
    records = await connection.fetch(
        """SELECT monitors.system, agency.code, monitors.subtree
             FROM monitors LEFT JOIN agency ON agency.id = monitors.agency
            WHERE monitors.valid_from <= $1 AND (monitors.valid_to IS NULL OR $1 <= monitors.valid_to)
            ORDER BY monitors.system, agency.code NULLS FIRST""",
        on,
    )
    found: dict[UUID, list[tuple[str | None, bool]]] = {}
    for one in records:
        found.setdefault(one["system"], []).append((one["code"], one["subtree"]))
    return found
