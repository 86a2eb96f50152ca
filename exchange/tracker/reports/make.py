"""One report by its name, everything in it of one moment."""

from collections.abc import Sequence

from exchange.store.pool import Connection
from exchange.tracker import signature_usage
from exchange.tracker.reports import behind, failures, inventory, usage
from exchange.tracker.reports.report import Report
from exchange.tracker.signature_usage import Asked
from signing.trust import Trust


async def make(connection: Connection, code: str, asked: Asked, trust: Trust, scope: Sequence[str]) -> Report:
    """The report named `code` (one of `report.NAMES`); `scope` are the codes of the agencies asked for, none for all."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = await signature_usage.gathered(connection, asked, trust)
        match code:
            case "BC-10":
                return usage.report(found, asked, scope)
            case "BC-11":
                return inventory.report(found, asked, scope)
            case "BC-12":
                return await failures.report(connection, found, asked, scope)
            case _:
                return await behind.report(connection, code, found, asked, scope)
