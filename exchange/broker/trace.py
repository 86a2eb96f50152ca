"""Trace (theo dõi lượt gửi): what happened to each delivery, and the letters linked with this one.

Who sees what: the sender every delivery, a recipient its own; a remark (bút phê) only the agency whose it is; another
letter only who sent or received that one too. A system that acts for both sides sees what each of them sees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from exchange.broker import linked, why
from exchange.broker.caller import Caller
from exchange.broker.exchange import Exchange
from exchange.store import answers, deliveries, journal, letters

OF_ALL = frozenset({"accepted", "rejudged"})
"""Events of the whole letter that every recipient may know of; others concern its sender, or one delivery."""
PRIVATE = frozenset({"remark"})
"""Events that only the agency itself may know of."""
_NAMED = ("request_letter", "replaced_by")


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A letter's row, the deliveries the caller may see, the journal lines about them, and the letters linked.

    `visible`: which of the letters that the deliveries name the caller may see too.
    """

    letter: Any
    deliveries: tuple[Any, ...]
    events: tuple[Any, ...]
    links: tuple[linked.Link, ...] = ()
    visible: frozenset[UUID] = frozenset()

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
        links = await linked.links(connection, agencies, row)
        visible = await answers.visible(connection, agencies, _named(seen))
    return Trace(
        letter=row, deliveries=tuple(seen), events=told(lines, seen, caller.agencies), links=links,
        visible=frozenset(visible),
    )  # fmt: skip


def whys(seen: Trace, caller: Caller) -> dict[UUID, why.Why | None]:
    """Why each delivery counts as it does, by its id; persons and notes of the caller's own agencies only."""
    return {
        one["id"]: why.why(seen.letter, one, seen.of(one["id"]), caller.agencies) for one in seen.deliveries
    }


def _named(seen: Iterable[Any]) -> set[UUID]:
    """The letters that deliveries name: what asks for something, what replaced them."""
    return {delivery[name] for delivery in seen for name in _NAMED} - {None}


def told(lines: Iterable[Any], seen: Sequence[Any], agencies: frozenset[UUID]) -> tuple[Any, ...]:
    """The lines that these agencies may see, of those about deliveries that they see."""
    own = {delivery["id"] for delivery in seen}
    return tuple(line for line in lines if _may_see(line, own, agencies))


def _may_see(line: Any, deliveries_seen: set[UUID], agencies: frozenset[UUID]) -> bool:  # noqa: ANN401 - a record
    if line["agency"] in agencies:
        return True
    if line["event"] in PRIVATE:
        return False
    return line["event"] in OF_ALL if line["delivery"] is None else line["delivery"] in deliveries_seen


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What the sender declared beside the bytes: the letter's row, and recipient and purpose as far as the caller may know."""

    letter: Any
    purposes: tuple[tuple[UUID, str], ...]


async def beside(exchange: Exchange, caller: Caller, letter: UUID) -> Beside | None:
    """The declarations about a letter that the caller sent or received; a recipient learns of its own purpose only."""
    agencies = list(caller.agencies)
    async with exchange.pool.acquire() as connection:
        row = await letters.of_sender(connection, agencies, letter)
        if row is not None:
            pairs = zip(row["recipients"], row["purposes"], strict=False)
            return Beside(letter=row, purposes=tuple(pairs))
        row = await letters.of_recipient(connection, agencies, letter)
        if row is None:
            return None
        seen = await deliveries.of_letter(connection, letter, agencies)
    return Beside(letter=row, purposes=tuple((one["recipient"], one["purpose"]) for one in seen))


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
