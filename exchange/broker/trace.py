"""Trace (theo dõi lượt gửi): what happened to each delivery; a recipient sees only its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.store import deliveries, journal, letters


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A letter's row, the deliveries the caller may see, and the journal lines about them."""

    letter: Any
    deliveries: tuple[Any, ...]
    events: tuple[Any, ...]

    def of(self, delivery: UUID) -> tuple[Any, ...]:
        """The lines about one delivery, preceded by those about the whole letter."""
        return tuple(line for line in self.events if line["delivery"] in {None, delivery})


async def trace(exchange: Exchange, caller: Caller, letter: UUID) -> Trace | None:
    """The trace of a letter that the caller sent or received; None for everybody else."""
    agencies = list(caller.agencies)
    async with exchange.pool.acquire() as connection:
        row = await letters.of_sender(connection, agencies, letter)
        recipients = None if row else agencies
        row = row or await letters.of_recipient(connection, agencies, letter)
        if row is None:
            return None
        seen = await deliveries.of_letter(connection, letter, recipients)
        lines = await journal.of_letter(connection, letter)
    return Trace(letter=row, deliveries=tuple(seen), events=_visible(lines, seen))


def _visible(lines: Sequence[Any], seen: Sequence[Any]) -> tuple[Any, ...]:
    own = {None, *(delivery["id"] for delivery in seen)}
    return tuple(line for line in lines if line["delivery"] in own)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A letter's row and its newest verdicts."""

    letter: Any
    verdicts: tuple[Any, ...]


async def judged(exchange: Exchange, caller: Caller, letter: UUID) -> Judged | None:
    """The verdicts of a letter that the caller sent or received; None for everybody else."""
    agencies = list(caller.agencies)
    async with exchange.pool.acquire() as connection:
        row = await letters.of_sender(connection, agencies, letter)
        row = row or await letters.of_recipient(connection, agencies, letter)
        if row is None:
            return None
        return Judged(letter=row, verdicts=tuple(await letters.verdicts(connection, row["sender"], letter)))
