"""The dated lists behind an agency's line: the codes it has had, and what it has declared.

A line of the sheet shows one second code, the newest without an end, and the newest statement of each kind. What was
before stays. A code has no end for as long as its agency lasts: that the agency has one is enough. A code or statement that a sheet takes away ends on the day before `on`, or goes altogether if it had
not begun; one that it puts in replaces what had not ended by then. First and last days are included.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from operator import attrgetter
from typing import Any

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


def shown(entry: AgencyEntry, held: Iterable[Held], stated: Iterable[Statement]) -> AgencyEntry:
    """The agency's line with its second code and its newest statements, as a sheet shows it; a merger's ground stays."""
    seconds = [code for code in held if code.code != entry.code and code.valid_to is None]
    newest = sorted(
        seconds, key=lambda code: (code.valid_from, directory_entries.form(code.code) == "qcvn102")
    )
    line = replace(entry, code102=newest[-1].code if newest else "")
    for statement in sorted(stated, key=attrgetter("valid_from")):
        line = _declaring(line, statement.kind, statement.valid_from, statement.valid_to)
        line = replace(line, basis=statement.basis)
    return replace(line, basis=entry.basis) if entry.successor else line


def settled(before: AgencyEntry | None, after: AgencyEntry, on: date) -> AgencyEntry:
    """A line as it will stand: a statement taken away has ended, not vanished; no ground without something that has one."""
    if before is not None:
        for kind in STATEMENTS:
            after = _kept(before, after, kind, on)
    if after.code102 == after.code:
        after = replace(after, code102="")
    grounded = after.successor or any(period(after, kind)[0] for kind in STATEMENTS)
    return after if grounded else replace(after, basis="")


def whole(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a line gives, with whole periods: a statement's first day in a sheet without last days has no end."""
    ends = {f"{kind}_to": None for kind in STATEMENTS if f"{kind}_from" in given}
    return {**ends, **given}


def period(entry: AgencyEntry, kind: str) -> tuple[date | None, date | None]:
    """First and last day of the line's statement of a kind; (None, None) without one."""
    return getattr(entry, f"{kind}_from"), getattr(entry, f"{kind}_to")


def codes(held: Sequence[Held], before: AgencyEntry | None, after: AgencyEntry, on: date) -> tuple[Held, ...]:
    """All codes of an agency once its line has changed."""
    if before is None:
        both = (after.code, after.code102) if after.code102 else (after.code,)
        return tuple(Held(code=code, agency=after.code, valid_from=after.valid_from) for code in both)
    left = [_moved(code, before, after) for code in held]
    if before.code102 != after.code102:
        first = max(after.valid_from, min(on, after.valid_to or on))
        left = [kept for code in left if (kept := _ended(code, before.code102, first))]
        if after.code102:
            left = _begun(left, Held(code=after.code102, agency=after.code, valid_from=first))
    return tuple(left)


def within(code: Held, agency: AgencyEntry) -> Held:
    """The days on which a code leads to its agency: none after the agency's last."""
    ends = [last for last in (code.valid_to, agency.valid_to) if last is not None]
    return replace(code, valid_to=min(ends, default=None))


def statements(
    stated: Sequence[Statement], before: AgencyEntry | None, after: AgencyEntry
) -> tuple[Statement, ...]:
    """All statements of an agency once its line has changed; what ended before a new one stays.

    The ground on a merged agency's line is that of the merger: a statement that stays keeps its own.
    """
    left = list(stated)
    for kind in STATEMENTS:
        was = period(before, kind) if before else (None, None)
        first, last = period(after, kind)
        same_ground = before is not None and (before.basis == after.basis or after.successor)
        if (first, last) == was and same_ground:
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


def _moved(code: Held, before: AgencyEntry, after: AgencyEntry) -> Held:
    return replace(code, valid_from=after.valid_from) if code.valid_from == before.valid_from else code


def _ended(code: Held, which: str, on: date) -> Held | None:
    if code.code != which or code.valid_to is not None:
        return code
    return replace(code, valid_to=on - _DAY) if code.valid_from < on else None


def _begun(held: Sequence[Held], new: Held) -> list[Held]:
    """With a code that begins; where the agency had it until then, that goes on."""
    before = new.valid_from - _DAY
    same = [code for code in held if code.code == new.code and overlap(code, before, None)]
    first = min(code.valid_from for code in (*same, new))
    return [*(code for code in held if code not in same), replace(new, valid_from=first)]


def _over(statement: Statement, before: date) -> bool:
    return statement.valid_to is not None and statement.valid_to < before
