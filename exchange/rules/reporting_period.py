"""Reporting periods (kỳ báo cáo) as people write them: from a day to a year, in Vietnamese days."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_PERIOD = re.compile(r"(\d{4})(?:-(?:(\d{2})(?:-(\d{2}))?|Q([1-4])|H([12])|W(\d{2})))?", re.ASCII)

YEARS = range(1900, 2200)
"""A year outside is a mistake of typing."""


@dataclass(frozen=True, kw_only=True)
class Period:
    """A span of local days (kỳ báo cáo), both ends included."""

    text: str
    first: date
    last: date


def period(text: str) -> Period:
    """`2019`, `2019-07`, `2019-07-31`, `2019-Q3`, `2019-H1` or `2019-W05`. Raises ValueError for anything else."""
    match = _PERIOD.fullmatch(text)
    if match is None or int(match[1]) not in YEARS or "00" in match.groups():
        raise ValueError(text)
    year, month, day, quarter, half, week = (int(part) if part else 0 for part in match.groups())
    if day:
        return Period(text=text, first=date(year, month, day), last=date(year, month, day))
    if week:
        monday = date.fromisocalendar(year, week, 1)
        return Period(text=text, first=monday, last=monday + timedelta(days=6))
    first, last = _months(month, quarter, half)
    return Period(
        text=text, first=date(year, first, 1), last=date(year, last, calendar.monthrange(year, last)[1])
    )


def _months(month: int, quarter: int, half: int) -> tuple[int, int]:
    if month:
        return month, month
    if quarter:
        return 3 * quarter - 2, 3 * quarter
    return (6 * half - 5, 6 * half) if half else (1, 12)
