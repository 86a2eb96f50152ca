"""Who a party named in a book is: an agency of the directory by one of its codes or by its name, or nobody known.

A name that several agencies have (Phòng Tư pháp of every district) is that of the one nearest to the book's agency, if one is:
among those below it or beside it under the same superior. What stands in brackets behind a name is a remark, or the code.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from exchange.rules import directory, folding, routing
from exchange.rules.directory import Agency, Directory

MOST_COMMAS = 2_000
_REMARK = re.compile(r"\s*\(([^()]*)\)\s*$")


@dataclass(frozen=True)
class Party:
    """A party as a book names it, the agency that it is, and how far a transfer between the two goes ("" if unknown)."""

    name: str
    agency: UUID | None
    scope: str


@dataclass(frozen=True, kw_only=True)
class Known:
    """The agencies by their names written out, as seen by one of them (`own`)."""

    directory: Directory
    own: UUID
    names: Mapping[str, tuple[Agency, ...]]


def known(snapshot: Directory, own: UUID) -> Known:
    """The directory, ready to be asked for parties of an agency's books."""
    names: defaultdict[str, list[Agency]] = defaultdict(list)
    for name, agency in snapshot.written_out:
        names[name].append(agency)
    return Known(directory=snapshot, own=own, names={name: tuple(several) for name, several in names.items()})


def parties(held: Known, text: str, on: date) -> tuple[Party, ...]:
    """The party of that name on a day; several where commas stand between and each of them is known."""
    agency = _agency(held, text, on)
    if agency is None and text.count(",") in range(1, MOST_COMMAS):
        parts = [part.strip() for part in text.split(",") if part.strip()]
        found = [_agency(held, part, on) for part in parts]
        if all(found):
            return tuple(_party(held, part, one) for part, one in zip(parts, found, strict=True))
    return (_party(held, text, agency),)


def _party(held: Known, name: str, agency: Agency | None) -> Party:
    if agency is None:
        return Party(name, None, "")
    return Party(name, agency.id, routing.scope(held.directory, held.own, agency.id))


def _agency(held: Known, text: str, on: date) -> Agency | None:
    for said in _spellings(text):
        found = directory.find(held.directory, said, on) or _named(held, said, on)
        if found:
            return found
    return None


def _spellings(text: str) -> Iterator[str]:
    yield text
    remark = _REMARK.search(text)
    if remark:
        yield remark[1]
        yield text[: remark.start()]


def _named(held: Known, said: str, on: date) -> Agency | None:
    several = [one for one in held.names.get(folding.written_out(said), ()) if directory.holds(one, on)]
    if len(several) > 1:
        own = held.directory.agencies[held.own]
        several = [one for one in several if one.parent in {own.id, own.parent}]
    return several[0] if len(several) == 1 else None
