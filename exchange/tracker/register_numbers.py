"""Continuity of numbers (kiểm tra liền mạch số): which numbers of an agency's year nobody has seen, and what it says of them.

The same series runs through paper and electronic documents (Decree 30/2020/NĐ-CP Art. 15(1)), so letters and register rows are
put together. A missing number is a question to the office: it is explained, or it lowers M18.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from exchange.rules import number_series
from exchange.rules.number_series import Numbers
from exchange.rules.ratios import Measure
from exchange.store import documents, explanations, journal, rows
from exchange.store.pool import Connection
from exchange.tracker.register_proof import Hand

MOST_EXPLAINED = 10_000
"""Numbers of one explanation: who explains more has another problem."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series of an agency's year (dãy số): what is there, what is missing, how many were explained, and how."""

    name: str
    numbers: Numbers
    seen: int
    explained: int
    explanations: tuple[Any, ...]

    @property
    def missing(self) -> int:
        """How many numbers nobody has seen and nothing explains."""
        return sum(gap.size for gap in self.numbers.gaps)

    @property
    def complete(self) -> Measure:
        """M18: seen or explained, of the highest number."""
        return self.numbers.complete


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What an office says of numbers (giải trình): of which book, year and series, from the first to the last, and why."""

    agency: UUID
    book: str
    year: int
    series: str
    first: int
    last: int
    why: str


async def series(connection: Connection, agency: UUID, book: str, year: int) -> tuple[Series, ...]:
    """The series of an agency's year in the order of their names; arrival numbers are one."""
    seen = await _seen(connection, agency, book, year)
    said = await explanations.explained(connection, agency, book, year)
    names = sorted({*seen, *(one["series"] for one in said)})
    return tuple(
        _one(name, seen.get(name, set()), [one for one in said if one["series"] == name]) for name in names
    )


async def _seen(connection: Connection, agency: UUID, book: str, year: int) -> dict[str, set[str]]:
    if book == "in":
        arrived = await explanations.arrivals(connection, agency, year)
        return {"": set(arrived)} if arrived else {}
    found: dict[str, set[str]] = {}
    for held in (
        await documents.numbers(connection, agency, year),
        await explanations.numbers(connection, agency, year),
    ):
        for name, numbers in held.items():
            found.setdefault(name, set()).update(numbers)
    return found


def _one(name: str, seen: set[str], said: Iterable[Any]) -> Series:
    held = tuple(said)
    explained = {str(number) for one in held for number in range(one["first"], one["last"] + 1)}
    found = number_series.of(seen, explained)
    return Series(
        name=name,
        numbers=found,
        seen=found.present - found.explained,
        explained=found.explained,
        explanations=held,
    )


async def explain(connection: Connection, said: Explanation, hand: Hand) -> UUID:
    """Record what an office says of numbers; the explanation's id."""
    made = hand.ids.new()
    async with connection.transaction():
        what = (said.book, said.year, said.series, said.first, said.last)
        await explanations.add(connection, said.agency, made, what, (said.why, hand.by, hand.at))
        await _journalled(connection, said.agency, "numbers_explained", made, hand)
    return made


async def unexplain(connection: Connection, explanation: UUID, hand: Hand) -> bool:
    """Take an explanation back; whether there was one."""
    async with connection.transaction():
        gone = await explanations.undo(connection, explanation, hand.at, hand.by)
        if gone is not None:
            await _journalled(connection, gone["agency"], "explanation_undone", explanation, hand)
    return gone is not None


async def _journalled(connection: Connection, agency: UUID, event: str, made: UUID, hand: Hand) -> None:
    detail = {"explanation": str(made), "by": hand.by}
    line = rows.JournalRow(agency=agency, id=hand.ids.new(), at=hand.at, event=event, detail=detail)
    await journal.append(connection, [line])
