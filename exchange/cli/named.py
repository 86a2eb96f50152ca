"""Agencies that a command names by code."""

from collections.abc import Sequence
from datetime import datetime

from exchange.rules import directory as rules_directory
from exchange.rules import paper_class
from exchange.store import directory, pool


async def agencies(
    connection: pool.Connection, codes: Sequence[str], at: datetime
) -> list[rules_directory.Agency | None]:
    """The agencies with these codes today, None for a code that nobody has."""
    today = paper_class.local_day(at)
    snapshot = await directory.load(connection, today) if codes else None
    return [rules_directory.find(snapshot, code, today) for code in codes] if snapshot else []
