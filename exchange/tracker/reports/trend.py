"""BC-04, how things go (xu hướng): the months, weeks or days to the end of the period, from the tally's days."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from exchange.rules import measures, paper_class
from exchange.store import measures as store
from exchange.store import periods as store_periods
from exchange.store.periods import Version
from exchange.tracker import measures as tracker
from exchange.tracker import periods, spans
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given, measure
from exchange.tracker.reports.report import Dated, Report, Table, Value, Word
from exchange.tracker.tally import Period

_NUMBERS = ("total", "E", "S", "N", "U", "P", "m1", "m2", "m4")
_SHARES = ("M1", "M2", "M4")
COLUMNS = making.columns(
    "period", *_NUMBERS, "note", keeps=("period",), numeric=_NUMBERS, ratios=("m1", "m2", "m4")
)


async def report(given: Given) -> Report:
    """One row a part of the trend, with what is to be known of it; the measures are those of the period asked for."""
    parts = spans.trend(given.period, given.periods or spans.TREND)
    figures = await _figures(given, parts)
    versions = await store_periods.versions(given.connection, parts[0].first.replace(day=1), parts[-1].last)
    newest = periods.newest_of(versions)
    rows = [_row(await given.about(one), figures[place], newest) for place, one in enumerate(parts, 1)]
    whole = measures.together((await given.figures(*_SHARES)).values())
    return given.report(
        "BC-04", Table(name="BC-04", columns=COLUMNS, rows=rows), measures=measures.of(whole, _SHARES)
    )


async def _figures(given: Given, parts: Sequence[Period]) -> Mapping[int, Counter[str]]:
    """The classes of each part, by its place."""
    view, days = given.asked.filters.view, [(one.first, one.last) for one in parts]
    figures: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in await store.classes_by_span(given.connection, view, days, tracker.cut(given.asked)):
        figures[row["place"]].update(tracker.of_class(row))
    return figures


def _row(about: Given, figures: Counter[str], newest: Mapping[date, Version]) -> list[Value]:
    shares = [about.believed(measure(figures, name)) for name in _SHARES]
    return [about.period.text, *making.counts(figures), *shares, _note(about, newest)]


def _note(about: Given, newest: Mapping[date, Version]) -> Value:
    """That a part has not ended; that a month was restated after it was closed, and when."""
    one = about.period
    if one.last >= paper_class.local_day(about.asked.as_of):
        return Word("report.running")
    version = newest.get(one.first) if one.text == f"{one.first:%Y-%m}" else None
    return Dated(Word("report.restated"), version.closed_at) if version and version.version > 1 else None
