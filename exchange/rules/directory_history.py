"""The dated lists behind an agency's line: the codes it has had, and what it has declared.

A line of the sheet shows one code of the older form and one statement of each kind: the current ones. What was
before stays. A code or statement that a sheet takes away ends on the day before `on`, or goes altogether if it had
not begun; one that it puts in replaces what had not ended by then. First and last days are included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from operator import attrgetter

from exchange.rules import directory_entries
from exchange.rules.directory_entries import AgencyEntry

STATEMENTS = ("no_paper", "signs_package")
"""Kinds of dated statements; an agency's line has `<kind>_from` and `<kind>_to` for each."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Held:
    """A code that an agency has or had (mã định danh)."""

    code: str
    agency: str
    valid_from: date
    valid_to: date | None = None


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A dated statement of an agency and its ground: no_paper or signs_package."""

    agency: str
    kind: str
    valid_from: date
    valid_to: date | None = None
    basis: str = ""


def shown(entry: AgencyEntry, held: Iterable[Held], stated: Sequence[Statement], on: date) -> AgencyEntry:
    """The agency's line with its current second code and its newest statements, as a sheet shows it on a day."""
    last = min(on, entry.valid_to or on)
    seconds = [
        code for code in held if code.code != entry.code and (code.valid_to is None or code.valid_to >= last)
    ]
    newest = sorted(
        seconds, key=lambda code: (code.valid_from, directory_entries.form(code.code) == "qcvn102")
    )
    line = replace(entry, code102=newest[-1].code if newest else "")
    for statement in sorted(stated, key=attrgetter("valid_from")):
        line = _declaring(line, statement.kind, statement.valid_from, statement.valid_to)
        line = replace(line, basis=statement.basis)
    return line


def settled(before: AgencyEntry | None, after: AgencyEntry, on: date) -> AgencyEntry:
    """A line as it will stand: a statement taken away has ended, not vanished; no ground without a statement."""
    if before is not None:
        for kind in STATEMENTS:
            after = _kept(before, after, kind, on)
    if after.code102 == after.code:
        after = replace(after, code102="")
    return after if any(period(after, kind)[0] for kind in STATEMENTS) else replace(after, basis="")


def period(entry: AgencyEntry, kind: str) -> tuple[date | None, date | None]:
    """First and last day of the line's statement of a kind; (None, None) without one."""
    return getattr(entry, f"{kind}_from"), getattr(entry, f"{kind}_to")


def codes(held: Sequence[Held], before: AgencyEntry | None, after: AgencyEntry, on: date) -> tuple[Held, ...]:
    """All codes of an agency once its line has changed; those that lasted as long as the agency still do."""
    if before is None:
        both = (after.code, after.code102) if after.code102 else (after.code,)
        return tuple(_new(code, after, after.valid_from) for code in both)
    moved = [_moved(code, before, after) for code in held]
    if before.code102 != after.code102:
        change = max(after.valid_from, min(on, after.valid_to or on))
        moved = [kept for code in moved if (kept := _ended(code, before.code102, change))]
        if after.code102:
            moved.append(_new(after.code102, after, change))
    return tuple(moved)


def statements(
    stated: Sequence[Statement], before: AgencyEntry | None, after: AgencyEntry
) -> tuple[Statement, ...]:
    """All statements of an agency once its line has changed; what ended before a new one stays."""
    left = list(stated)
    for kind in STATEMENTS:
        was = (*period(before, kind), before.basis) if before else (None, None, "")
        first, last = period(after, kind)
        if (first, last, after.basis) == was:
            continue
        start = first or was[0]
        left = [each for each in left if each.kind != kind or start is None or _over(each, start)]
        if first is not None:
            left.append(
                Statement(agency=after.code, kind=kind, valid_from=first, valid_to=last, basis=after.basis)
            )
    return tuple(left)


def overlap(one: Held | Statement, first: date, last: date | None) -> bool:
    """Whether a dated row holds on some day of a period; `last` None: no end."""
    return (last is None or one.valid_from <= last) and (one.valid_to is None or first <= one.valid_to)


def _declaring(entry: AgencyEntry, kind: str, first: date | None, last: date | None) -> AgencyEntry:
    if kind == "no_paper":
        return replace(entry, no_paper_from=first, no_paper_to=last)
    return replace(entry, signs_package_from=first, signs_package_to=last)


def _kept(before: AgencyEntry, after: AgencyEntry, kind: str, on: date) -> AgencyEntry:
    first, last = period(before, kind)
    if first is None or period(after, kind)[0] is not None or first >= on:
        return after
    return _declaring(after, kind, first, last if last and last < on else on - _DAY)


def _new(code: str, agency: AgencyEntry, first: date) -> Held:
    return Held(code=code, agency=agency.code, valid_from=first, valid_to=agency.valid_to)


def _moved(code: Held, before: AgencyEntry, after: AgencyEntry) -> Held:
    first = after.valid_from if code.valid_from == before.valid_from else code.valid_from
    last = after.valid_to if code.valid_to == before.valid_to else code.valid_to
    return replace(code, valid_from=first, valid_to=last)


def _ended(code: Held, which: str, on: date) -> Held | None:
    if code.code != which or (code.valid_to is not None and code.valid_to < on):
        return code
    return replace(code, valid_to=on - _DAY) if code.valid_from < on else None


def _over(statement: Statement, before: date) -> bool:
    return statement.valid_to is not None and statement.valid_to < before
