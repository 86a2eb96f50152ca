"""Agencies that were merged within a period (cơ quan đã nhập): every tally and report over them says so.

What they sent and received before stands under their own codes; counting does not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules import paper_class
from exchange.store import directory
from exchange.store.pool import Connection
from exchange.tracker.tally import Period

SHOWN = 20
"""So many are named; how many more there are is told."""


@dataclass(frozen=True, kw_only=True)
class Merged:
    """An agency that was merged into another: its code and name, the successor's code, and since when."""

    code: str
    name: str
    successor: str
    since: date


async def within(
    connection: Connection, period: Period, agencies: Sequence[UUID] | None, as_of: datetime
) -> list[Merged]:
    """Those of these agencies (None: all) that were merged within a period, so far, by code."""
    last = min(period.last, paper_class.local_day(as_of))
    rows = await directory.merged(connection, period.first, last, agencies)
    return [Merged(**row) for row in rows]


def shown(code: str, name: str, successor: str, since: date) -> str:
    """`H13.31 Sở X → H13.40 (01/07/2026)`."""
    return f"{code} {name} → {successor} ({since:%d/%m/%Y})"


def as_json(found: Sequence[Merged]) -> dict[str, Any]:
    """What a tally and measures say of them."""
    listed = [{**vars(one), "since": one.since.isoformat()} for one in found[:SHOWN]]
    return {"merged": listed, "merged_more": max(len(found) - SHOWN, 0)}
