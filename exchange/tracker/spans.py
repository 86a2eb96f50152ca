"""Periods beside a period (kỳ báo cáo): the one before it, a row of them, and the months of a trend."""

from datetime import date, timedelta

from exchange.tracker import tally
from exchange.tracker.tally import Period

TREND = 12
"""Months, weeks or days of a trend."""


def previous(span: Period) -> Period | None:
    """The period of the same kind that ends the day before; None before the first year that is known."""
    try:
        return tally.period(_named(span.text, span.first - timedelta(days=1)))
    except ValueError:
        return None


def history(span: Period, most: int) -> list[Period]:
    """So many periods of the same kind, the last of them `span`; fewer where time began later."""
    found = [span]
    while len(found) < most and (before := previous(found[0])):
        found.insert(0, before)
    return found


def trend(span: Period, most: int = TREND) -> list[Period]:
    """The months to the end of a period, its weeks or days where it is one."""
    if "W" in span.text or span.text.count("-") == 2:  # noqa: PLR2004 - year, month, day
        return history(span, most)
    return history(tally.period(f"{span.last:%Y-%m}"), most)


def _named(like: str, day: date) -> str:
    """The period around a day that is of the same kind as `like`."""
    if "W" in like:
        week = day.isocalendar()
        return f"{week.year}-W{week.week:02}"
    if "Q" in like:
        return f"{day.year}-Q{(day.month + 2) // 3}"
    if "H" in like:
        return f"{day.year}-H{(day.month + 5) // 6}"
    return (f"{day:%Y}", f"{day:%Y-%m}", day.isoformat())[like.count("-")]
