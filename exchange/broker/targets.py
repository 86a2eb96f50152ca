"""Targets: which letters of its sender an operation names (edXML, section 4.3), and how far each of them reaches.

An id names, else number, notation and day; nobody else's letter is ever found. Two letters may have one id, a new one
and one that replaces it: then both are meant. A training letter names training letters, and no others.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from exchange.broker import expand, intake
from exchange.broker.exchange import Exchange
from exchange.edxml import model
from exchange.rules import directory, directory_succession
from exchange.rules.directory import Directory
from exchange.store import operations as stored
from exchange.store import rows


@dataclass(frozen=True, kw_only=True)
class Link:
    """One target: its row, whose deliveries are concerned, and the update whose facts it shows now, if any.

    `changes`: how often it had been changed when this was planned.
    """

    target: rows.LetterRow
    concerned: tuple[UUID, ...]
    shows: rows.LetterRow | None = None
    changes: int = 0


@dataclass(frozen=True, kw_only=True)
class Asking:
    """One operation's letter with what its codes are resolved by."""

    exchange: Exchange
    sender: UUID
    letter: model.Letter
    snapshot: Directory
    on: date
    test: bool

    def agencies(self, codes: Iterable[str]) -> dict[UUID, str]:
        """The agencies of these codes, also those switched off, ended or merged: their deliveries are concerned all the same."""
        found = ((directory_succession.last_with(self.snapshot, code, self.on), code) for code in codes)
        return {agency.id: directory.canonical(code) for agency, code in found if agency is not None}

    def takes(self, agency: UUID) -> bool:
        """Whether an agency takes letters today."""
        known = self.snapshot.agencies[agency]
        return directory.holds(known, self.on) and not known.disabled


@dataclass(frozen=True, kw_only=True)
class Target:
    """A letter that is named, and how far it reaches."""

    letter: rows.LetterRow
    reach: stored.Reach

    def link(self, concerned: Collection[UUID]) -> Link:
        """The link to it for those who are concerned."""
        by = self.reach.restated_by
        return Link(
            target=self.letter, concerned=in_order(concerned), shows=expand.letter(by) if by else None,
            changes=self.reach.changes,
        )  # fmt: skip


async def found(asking: Asking, named: stored.Named) -> list[Target]:
    """The letters that are named, the newest first."""
    async with asking.exchange.pool.acquire() as connection:
        return [
            Target(letter=expand.letter(one), reach=await stored.reach(connection, asking.sender, one["id"]))
            for one in await stored.targets(connection, asking.sender, named)
        ]


async def withdrawn(asking: Asking, meant: Iterable[Target]) -> set[UUID]:
    """From whom all of them were withdrawn: an update gives none of them again."""
    async with asking.exchange.pool.acquire() as connection:
        return await stored.withdrawn(connection, [one.letter.id for one in meant])


def reached(targets: Iterable[Target]) -> frozenset[UUID]:
    """Whoever has a delivery of one of them, or gets one."""
    return frozenset().union(*(one.reach.recipients for one in targets))


def named_by(letter: model.Letter, *, test: bool) -> stored.Named:
    """By the id beside the operation if there is one, and by nothing else: who names a document means no other.

    Else by the id in the header (where none stands beside the operation the model has that one), else by number,
    notation and day (edXML, section 4.3).
    """
    named, own = compared(letter.target_document_id), compared(letter.document_id)
    if named not in {(), own}:
        return stored.Named(ids=named, test=test)
    return stored.Named(
        ids=own,
        test=test,
        number=letter.number[: rows.MOST_NUMBER],
        notation=letter.notation[: rows.MOST_NUMBER],
        issued_on=letter.issued_on,
    )


def compared(*names: str) -> tuple[str, ...]:
    """These ids as they are compared, each once."""
    return tuple(dict.fromkeys(filter(None, map(intake.compared, names))))


def in_order(agencies: Collection[UUID]) -> tuple[UUID, ...]:
    """As links and letters keep them."""
    return tuple(sorted(agencies))
