"""Agencies merged into others (cơ quan kế thừa): what a sheet may say of it, who follows whom, and who went before.

An agency that is merged has a last day; its successor takes over on the day after. Whoever looks for the successor
follows the chain to an agency that holds; whoever counts with predecessors follows it the other way, as far as mergers
had taken effect.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from exchange.rules import directory
from exchange.rules.directory import Agency, Directory, Succession
from exchange.rules.directory_entries import AgencyEntry

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Misfit:
    """What is wrong with the line of a merged agency: the code of its finding, the column to look at, and about what."""

    code: str
    why: str
    column: str
    about: str = ""


@dataclass(frozen=True)
class Heir:
    """Who stands in for an agency that has ended, and since which day (cơ quan kế thừa)."""

    agency: Agency
    since: date


def takes_effect(entry: AgencyEntry) -> date | None:
    """The first day of the successor: the one after the last of the merged agency."""
    return entry.valid_to + _DAY if entry.successor and _ends(entry) and entry.valid_to else None


def _ends(entry: AgencyEntry) -> bool:
    """Whether it has a last day; the last that there is stands for none in many sheets."""
    return entry.valid_to not in (None, date.max)


def misfits(entries: Mapping[str, AgencyEntry]) -> Iterator[Misfit]:
    """Everything that speaks against the mergers among these agencies, by canonical code."""
    for entry in entries.values():
        if entry.successor:
            yield from _unfounded(entry)
            yield from _followed(entry, entries)


def heir(snapshot: Directory, code: str, on: date) -> Heir | None:
    """Who follows the agency that had `code` and has ended by a day: the first of the chain that holds; None for nobody."""
    ended = last_with(snapshot, code, on)
    return heir_of(snapshot, ended, on) if ended else None


def heir_of(snapshot: Directory, ended: Agency, on: date) -> Heir | None:
    """The same of an agency."""
    if ended.valid_to is None or ended.valid_to >= on:
        return None
    seen, current = {ended.id}, snapshot.successions.get(ended.id)
    while current is not None and current.takes_effect <= on and current.successor not in seen:
        seen.add(current.successor)
        found = snapshot.agencies.get(current.successor)
        if found is not None and directory.holds(found, on) and not found.disabled:
            return Heir(found, current.takes_effect)
        current = snapshot.successions.get(current.successor)
    return None


def last_with(snapshot: Directory, code: str, on: date) -> Agency | None:
    """The agency that has `code` on a day, or else the last that had it before; None when nobody did."""
    known = [
        (min(day for day in (row.valid_to, agency.valid_to, on) if day is not None), agency)
        for row in snapshot.codes.get(directory.canonical(code), ())
        if (agency := snapshot.agencies.get(row.agency)) and max(row.valid_from, agency.valid_from) <= on
    ]
    return max(known, key=lambda one: (one[0], one[1].code))[1] if known else None


def with_predecessors(
    successions: Iterable[Succession], asked: Collection[UUID], until: date
) -> frozenset[UUID]:
    """These agencies and all that were merged into them, in any number of steps, by a day."""
    before: defaultdict[UUID, list[UUID]] = defaultdict(list)
    for each in successions:
        if each.takes_effect <= until:
            before[each.successor].append(each.predecessor)
    found, left = set(asked), list(asked)
    while left:
        new = [one for one in before[left.pop()] if one not in found]
        found.update(new)
        left += new
    return frozenset(found)


def _unfounded(entry: AgencyEntry) -> Iterator[Misfit]:
    if not _ends(entry):
        yield Misfit(entry.code, "sheet_successor_no_end", "valid_to", entry.successor)
    if not entry.basis:
        yield Misfit(entry.code, "sheet_successor_no_basis", "basis", entry.successor)


def _followed(entry: AgencyEntry, entries: Mapping[str, AgencyEntry]) -> Iterator[Misfit]:
    if entry.successor == entry.code:
        yield Misfit(entry.code, "sheet_successor_itself", "successor", entry.code)
        return
    circle = _circle(entry.code, entries)
    after, first = entries.get(entry.successor), takes_effect(entry)
    if circle:
        yield Misfit(entry.code, "sheet_successor_circle", "successor", circle)
    elif after is not None and first is not None and not directory.holds(after, first):
        yield Misfit(
            entry.code, "sheet_successor_not_active", "successor", f"{after.code} ({first.isoformat()})"
        )


def _circle(code: str, entries: Mapping[str, AgencyEntry]) -> str:
    """The way round from an agency to itself; empty if there is none."""
    way, met = [code], {code}
    while (entry := entries.get(way[-1])) and entry.successor and entry.successor not in met:
        way.append(entry.successor)
        met.add(entry.successor)
    return " → ".join([*way, code]) if entry and entry.successor == code else ""
