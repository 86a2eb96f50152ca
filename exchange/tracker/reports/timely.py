"""BC-08, how timely letters are sent and taken up (kịp thời gửi và tiếp nhận); in the annex when they are sent."""

from collections.abc import Mapping

from exchange.rules import measures
from exchange.store import timeliness
from exchange.tracker import measures as tracker
from exchange.tracker.measures import Took
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given, measure
from exchange.tracker.reports.report import Report, Table, Value, Word

NAMES = ("M12", "M13", "M13_lenient", "M17")
_NUMBERS = (
    "sent", "same_day", "next_morning", "late", "m12", "arrived", "answered", "m13", "median", "p95", "urgent", "m17",
)  # fmt: skip
COLUMNS = making.columns(
    "agency", *_NUMBERS, keeps=("agency",), numeric=_NUMBERS, ratios=("m12", "m13", "m17")
)
_HOURS = tuple(f"h{hour:02}" for hour in range(24))
HOURS = making.columns("weekday", *_HOURS, keeps=("weekday",), numeric=_HOURS)
SPAN = "M14_registered"


async def report(given: Given) -> Report:
    """One row an agency that sent or received anything, and all of them; weekdays by hour."""
    figures = await given.figures(*NAMES)
    lasting = await tracker.took(given.connection, given.asked)
    shown = [
        one
        for one in given.agencies
        if making.of(figures, one).get("sent_documents") or making.of(figures, one).get("arrived")
    ]
    whole = measures.together(figures.values())
    rows: list[list[Value]] = [
        [one.code, *_row(making.of(figures, one), lasting.get((one.id, SPAN)))] for one in shown
    ]
    return given.report(
        "BC-08",
        Table(
            name="BC-08",
            columns=COLUMNS,
            rows=rows,
            total=[None, *_row(whole, lasting.get((None, SPAN)))],
        ),
        annex=await _hours(given),
        measures=measures.of(whole, NAMES),
    )


def _row(figures: Mapping[str, int], lasting: Took | None) -> list[Value]:
    return [
        figures.get("sent_documents", 0),
        figures.get("sent_same_day", 0),
        figures.get("sent_next_morning", 0),
        figures.get("sent_late", 0),
        measure(figures, "M12"),
        figures.get("arrived", 0),
        figures.get("answered_same_day", 0),
        measure(figures, "M13"),
        making.lasted(lasting, "median"),
        making.lasted(lasting, "p95"),
        figures.get("urgent", 0),
        measure(figures, "M17"),
    ]


async def _hours(given: Given) -> Table:
    found = await timeliness.hours(given.connection, tracker.span(given.asked), tracker.cut(given.asked))
    counted = {(row["weekday"], row["hour"]): int(row["n"]) for row in found}
    rows: list[list[Value]] = [
        [Word(f"weekday.{day}"), *(counted.get((day, hour), 0) for hour in range(24))] for day in range(1, 8)
    ]
    return Table(name="hours", columns=HOURS, rows=rows)
