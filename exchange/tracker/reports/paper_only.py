"""BC-06, documents on paper only and gaps in numbers (văn bản chỉ giấy và kiểm tra liền mạch số)."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from exchange.rules import measures
from exchange.rules.number_series import Gap, Numbers, Seen
from exchange.store import listed
from exchange.store import measures as store
from exchange.tracker import measures as tracker
from exchange.tracker import register_keys
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Report, Table, Value, Word

COLUMNS = making.columns(
    "agency", "number", "date", "type", "recipient", "copies", "moved_on", "reason", "source",
    keeps=("agency", "number"), numeric=("copies",),
)  # fmt: skip
SERIES = making.columns(
    "agency", "series", "first", "last", "known", "lacking", "gaps", "complete",
    keeps=("agency", "series"), numeric=("first", "last", "known", "lacking", "complete"), ratios=("complete",),
)  # fmt: skip
MOST_GAPS = 50
"""So many gaps are named; how many numbers are lacking is told in any case."""


async def report(given: Given) -> Report:
    """One row a register row without an electronic letter; in the annex one row a series of the year.

    Numbers run through every kind of document: where those are cut, nothing is said of series.
    """
    listing = given.rows()
    async for row in listed.paper_only(given.connection, tracker.wanted(given.asked, "P", view="out")):
        listing.add(_row(given, row))
    table = Table(name="BC-06", columns=COLUMNS, rows=listing)
    if not given.asked.filters.whole:
        return given.report("BC-06", table)
    series = await _series(given)
    rows = [_numbers(given, agency, name, series[agency, name]) for agency, name in _ordered(given, series)]
    whole = measures.of(
        {
            "numbers_known": sum(one.complete.n for one in series.values()),
            "numbers_highest": sum(one.complete.d for one in series.values()),
        },
        ["M18"],
    )
    return given.report(
        "BC-06",
        table,
        annex=Table(name="series", columns=SERIES, rows=rows),
        measures=whole,
    )


async def _series(given: Given) -> dict[tuple[UUID, str], Numbers]:
    """The numbers of the year in which the period ends, up to its end, as letters and registers know them."""
    last, agencies = tracker.year_end(given.asked), tracker.cut(given.asked).agencies
    if last is None:
        return {}
    seen: defaultdict[tuple[UUID, str], Seen] = defaultdict(Seen)
    async for row in store.number_rows(given.connection, agencies, last.year, last):
        series = seen[row["agency"], row["series"]]
        (series.add if row["seen"] else series.explain)(row["number"])
    async for row in store.registered_documents(
        given.connection, agencies, last.replace(month=1, day=1), last
    ):
        for key in register_keys.keys([row]):
            if key.year == last.year:
                seen[key.issuer, key.series].add(key.number)
    found = {name: each.numbers() for name, each in seen.items()}
    return {name: one for name, one in found.items() if one.present or one.others}


def _ordered(given: Given, series: Mapping[tuple[UUID, str], Numbers]) -> list[tuple[UUID, str]]:
    return sorted(series, key=lambda one: (given.code(one[0]) or "", one[1]))


def _row(given: Given, row: Mapping[str, Any]) -> list[Value]:
    return [
        given.code(row["agency"]),
        "/".join(filter(None, (row["number"], row["notation"]))) or None,
        row["issued_on"],
        row["document_type"] or None,
        row["other_party"] or None,
        row["copies"],
        row["day"],
        making.shortened(row["note"] or ""),
        Word("paper_source.register"),
    ]


def _numbers(given: Given, agency: UUID, name: str, one: Numbers) -> list[Value]:
    return [
        given.code(agency),
        name or Word("report.main_series"),
        one.first,
        one.last,
        one.present,
        sum(gap.size for gap in one.gaps),
        _gaps(one.gaps),
        one.complete,
    ]


def _gaps(gaps: tuple[Gap, ...]) -> str | None:
    named = [str(gap.first) if gap.size == 1 else f"{gap.first}-{gap.last}" for gap in gaps[:MOST_GAPS]]
    more = ["…"] if len(gaps) > MOST_GAPS else []
    return ", ".join([*named, *more]) or None
