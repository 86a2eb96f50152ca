"""Agencies that a command names by code."""

from collections.abc import Sequence
from datetime import date, datetime

from exchange.rules import directory as rules_directory
from exchange.rules import paper_class
from exchange.store import directory, pool


async def agencies(
    connection: pool.Connection, codes: Sequence[str], at: datetime
) -> list[rules_directory.Agency | None]:
    """The agencies with these codes today, or that had them last: books outlive who kept them. None for a code that nobody had."""
    return await of_period(connection, codes, paper_class.local_day(at), at)


async def of_period(
    connection: pool.Connection, codes: Sequence[str], last: date, at: datetime
) -> list[rules_directory.Agency | None]:
    """The agencies that had these codes when a period ended, or last before that; None for a code that nobody had."""
    today = paper_class.local_day(at)
    snapshot = await directory.load(connection, today) if codes else None
    found = await directory.of_period(connection, codes, last, today)
    held = [found.get(rules_directory.canonical(code)) for code in codes]
    return [snapshot.agencies.get(one) if one and snapshot else None for one in held]
