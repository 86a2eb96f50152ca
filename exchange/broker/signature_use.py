"""Signature use (sử dụng chữ ký số): who signed the letters of some agencies, with what, and what it was worth."""

from dataclasses import dataclass
from typing import Any

from exchange.broker.exchange import Exchange
from exchange.store import signatures
from exchange.store.signatures import Place, Span


@dataclass(frozen=True, kw_only=True)
class Page:
    """Signatures in their order, whether more follow, and on the first page what all of them add up to."""

    rows: tuple[Any, ...]
    more: bool
    totals: Any | None

    @property
    def last(self) -> Place | None:
        """The place of the last signature, if there is one."""
        if not self.rows:
            return None
        row = self.rows[-1]
        return Place(row["accepted_at"], row["letter"], row["position"])


async def page(exchange: Exchange, span: Span, after: Place | None, limit: int) -> Page:
    """One page; it and the totals are of one moment."""
    async with (
        exchange.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        found = await signatures.page(connection, span, after, limit)
        totals = await signatures.totals(connection, span) if after is None else None
    return Page(rows=tuple(found[:limit]), more=len(found) > limit, totals=totals)
