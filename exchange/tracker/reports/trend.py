"""BC-04, trend (xu hướng): a row of months, weeks or days up to the end of the period, from the tally's days."""

from collections import Counter, defaultdict

from exchange.rules import measures, paper_class
from exchange.store import measures as store
from exchange.tracker import measures as tracker
from exchange.tracker import spans
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given, measure
from exchange.tracker.reports.report import Report, Table, Value, Word
from exchange.tracker.tally import Period

_NUMBERS = ("total", "E", "S", "N", "U", "P", "m1", "m2", "m4")
COLUMNS = making.columns("period", *_NUMBERS, "note", keeps=("period",), numeric=_NUMBERS)


async def report(given: Given) -> Report:
    """One row a part of the trend; of the one that has not ended it is said so."""
    parts = spans.trend(given.period)
    found = await store.classes_by_span(
        given.connection,
        given.asked.filters.view,
        [(one.first, one.last) for one in parts],
        tracker.cut(given.asked),
    )
    figures: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row in found:
        figures[row["place"]].update(tracker.of_class(row))
    return given.report(
        "BC-04",
        Table(
            name="BC-04",
            columns=COLUMNS,
            rows=[_row(await given.about(one), one, figures[place]) for place, one in enumerate(parts, 1)],
        ),
        measures=measures.of(measures.together(figures.values()), ("M1", "M2", "M4")),
    )


def _row(given: Given, one: Period, figures: Counter[str]) -> list[Value]:
    running = one.last >= paper_class.local_day(given.asked.as_of)
    shares = [given.believed(measure(figures, name)) for name in ("M1", "M2", "M4")]
    return [
        one.text,
        *making.counts(figures),
        *shares,
        Word("report.running") if running else None,
    ]
