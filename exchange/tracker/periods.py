"""Periods (kỳ báo cáo): provisional until they are closed; what was published stays, and what changed stands beside it.

A month may be closed once it is over and a few days have passed (rules_and_measures.md C.8: day 5 of the next month). It
is closed in one REPEATABLE READ transaction. Closing it again writes a further version, if anything is counted otherwise
now: a letter of that month that arrived late, a verdict that a certificate's confirmation changed, a correction. A longer
period is closed when all its months are; its version is one more than all their restatements.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from exchange.rules import paper_class
from exchange.rules.reporting_period import Period
from exchange.store import periods
from exchange.store.periods import Month, Version
from exchange.store.pool import Connection

CLOSE_DAY = 5
"""The day of the next month from which a month may be closed, unless the deployment says otherwise."""


class PeriodError(Exception):
    """A period that cannot be closed; `key` is one of the catalogue's `period.…`, `facts` its numbers."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts


@dataclass(frozen=True, kw_only=True)
class Closed:
    """What closing one month did: its version, and whether that was written now."""

    version: Version
    written: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a period stands: its version, None while any of its months is open, and what proves it."""

    version: int | None = None
    sha256: bytes | None = None
    closed_at: datetime | None = None

    @property
    def text(self) -> str:
        """As tallies and reports name it: `provisional`, or the number."""
        return "provisional" if self.version is None else str(self.version)


PROVISIONAL = Standing()
"""Of a period with a month that is not closed."""


def months(period: Period) -> tuple[Month, ...]:
    """The months that a period touches."""
    first, found = period.first.replace(day=1), []
    while first <= period.last:
        following = (first + timedelta(days=31)).replace(day=1)
        found.append(
            Month(first=first, start=paper_class.start_of(first), end=paper_class.start_of(following))
        )
        first = following
    return tuple(found)


def due(month: Month, close_day: int = CLOSE_DAY) -> date:
    """The first day on which a month may be closed."""
    return paper_class.local_day(month.end).replace(day=close_day)


def whole(period: Period) -> tuple[Month, ...]:
    """The months of a period that consists of months. Raises PeriodError for days, weeks."""
    found = months(period)
    if period.first.day != 1 or paper_class.local_day(found[-1].end) != period.last + timedelta(days=1):
        raise PeriodError("period.no_months", period=period.text)
    return found


async def close(
    connection: Connection, period: Period, *, at: datetime, author: str, close_day: int = CLOSE_DAY
) -> list[Closed]:
    """Close every month of a period, or write a further version of those that changed; all or none.

    Raises PeriodError: the period is not over, does not consist of months, its tally is wrong (`congvan check`), or
    somebody else closes the same month.
    """
    chosen = whole(period)
    late = due(chosen[-1], close_day)
    if paper_class.local_day(at) < late:
        raise PeriodError("period.not_over", period=period.text, day=late.strftime("%d/%m/%Y"))
    try:
        async with connection.transaction(isolation="repeatable_read"):
            await periods.looked_at(
                connection, [month.first for month in chosen]
            )  # before anything else can come
            return [await _closed(connection, month, at, author) for month in chosen]
    except periods.TakenError:
        raise PeriodError("period.busy") from None


async def _closed(connection: Connection, month: Month, at: datetime, author: str) -> Closed:
    before = await periods.versions(connection, month.first, month.first)
    number = before[-1].version if before else 0
    if before and not await periods.changed(connection, month, number):
        return Closed(version=before[-1], written=False)
    version = await periods.close(connection, month, number + 1, at=at, author=author)
    if await periods.differences(connection, month, number + 1):
        raise PeriodError("period.uncounted", month=f"{month.first:%Y-%m}")
    return Closed(version=version, written=True)


async def close_due(
    connection: Connection, *, at: datetime, author: str, close_day: int = CLOSE_DAY
) -> list[Closed]:
    """Close the months that are due, from the first that counted anything; those closed and changed since are restated.

    Raises PeriodError when all others are closed: those that cannot be, in one sentence.
    """
    first = await periods.first_day(connection)
    if first is None:
        return []
    written, failed = [], []
    for month in await _open(connection, first, at, close_day):
        one = Period(text=f"{month.first:%Y-%m}", first=month.first, last=_last(month))
        try:
            written += await close(connection, one, at=at, author=author, close_day=close_day)
        except PeriodError as error:
            failed.append(error)
    if failed:
        told = ", ".join(str(one.facts["month"]) for one in failed if "month" in one.facts)
        raise PeriodError(failed[0].key, **{**failed[0].facts, **({"month": told} if told else {})})
    return [one for one in written if one.written]


async def _open(connection: Connection, first: date, at: datetime, close_day: int) -> list[Month]:
    """The months that are due and were not closed, or of which facts came since."""
    today = paper_class.local_day(at)
    span = months(Period(text="", first=first, last=max(first, today)))
    chosen = [month for month in span if due(month, close_day) <= today]
    closed = newest_of(await periods.versions(connection, span[0].first, span[-1].first))
    touched = await periods.touched(connection, span[0].first, span[-1].first)
    found = []
    for month in chosen:
        known = closed.get(month.first)
        if (
            known is None
            or month.first in touched
            or await periods.differences(connection, month, known.version)
        ):
            found.append(month)
    return found


def _last(month: Month) -> date:
    return paper_class.local_day(month.end) - timedelta(days=1)


async def standing(connection: Connection, period: Period) -> Standing:
    """The version of a period as it is shown: that of its months, if every one is closed."""
    chosen = months(period)
    newest = newest_of(await periods.versions(connection, chosen[0].first, chosen[-1].first))
    if len(newest) < len(chosen):
        return PROVISIONAL
    ordered = [newest[month.first] for month in chosen]
    return Standing(
        version=1 + sum(one.version - 1 for one in ordered),
        sha256=ordered[0].sha256 if len(ordered) == 1 else _together(ordered),
        closed_at=max(one.closed_at for one in ordered),
    )


def newest_of(versions: Iterable[Version]) -> dict[date, Version]:
    """The newest version of each month; versions in ascending order."""
    return {one.month: one for one in versions}


def _together(versions: Sequence[Version]) -> bytes:
    """The digest of a longer period: SHA-256 over its months' digests, in their order."""
    return hashlib.sha256(b"".join(one.sha256 for one in versions)).digest()


async def history(connection: Connection, period: Period, view: str) -> list[dict[str, Any]]:
    """Each version of each month with what it published of every class, and what it changed (điều chỉnh, chênh lệch)."""
    chosen = months(period)
    found = []
    for month in chosen:
        changes = [row for row in await periods.totals(connection, month.first) if row["view"] == view]
        sums: dict[str, int] = {}
        for one in await periods.versions(connection, month.first, month.first):
            change = _by_class(row for row in changes if row["version"] == one.version)
            sums = {name: sums.get(name, 0) + change.get(name, 0) for name in sums | change}
            found.append({"version": one, "classes": dict(sums), "change": change})
    return found


def _by_class(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row["class"]] = found.get(row["class"], 0) + int(row["n"])
    return found
