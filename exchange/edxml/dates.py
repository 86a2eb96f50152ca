"""Days and times as messages write them; they give no zone, so Vietnam's is meant (UTC+7).

`yyyy/MM/dd` is the standard's form; `dd/MM/yyyy`, `yyyy-MM-dd` and a time part are accepted too.
Source: reference page edxml, section 9.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

ZONE = timezone(timedelta(hours=7))
YEARS = range(1900, 2200)
"""A year outside is a mistake of typing."""

LONGEST_REMEMBERED = 40
"""Characters of a text that is remembered: the letters of a day are of few days."""

_FORMS = (
    re.compile(r"(?P<year>[0-9]{4})/(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})"),
    re.compile(r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})"),
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"),
)
_CLOCK = re.compile(
    r"(?:T|[ \t]+)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"(?:\.[0-9]{1,9})?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)
_NUMBERS = ("year", "month", "day", "hour", "minute", "second")


def day(text: str) -> date | None:
    """The day written in `text`, whatever the time beside it; None if no such day exists."""
    found = moment(text)
    return found.date() if found else None


def moment(text: str) -> datetime | None:
    """The zoned moment in `text`, a day alone being its first second; None if no such moment exists."""
    return _remembered(text) if len(text) <= LONGEST_REMEMBERED else _read(text)


@lru_cache(maxsize=1024)
def _remembered(text: str) -> datetime | None:
    return _read(text)


def _read(text: str) -> datetime | None:
    for form in _FORMS:
        found = form.match(text)
        if found:
            return _moment(found.groupdict(), text[found.end() :])
    return None


def _moment(parts: Mapping[str, str], rest: str) -> datetime | None:
    clock = _CLOCK.fullmatch(rest)
    if (rest and not clock) or int(parts["year"]) not in YEARS:
        return None
    found = {**parts, **(clock.groupdict() if clock else {})}
    year, month, day, hour, minute, second = (int(found.get(name) or 0) for name in _NUMBERS)
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=_zone(found.get("zone")))
    except ValueError:
        return None


def _zone(text: str | None) -> tzinfo | None:
    return datetime.strptime(text, "%z").tzinfo if text else ZONE


def write_day(value: date) -> str:
    """`yyyy/MM/dd`."""
    return f"{value.year:04}/{value.month:02}/{value.day:02}"


def write_moment(value: datetime) -> str:
    """`yyyy/MM/dd HH:mm:ss` in Vietnam's time; `value` must be zoned."""
    local = value.astimezone(ZONE)
    return f"{write_day(local)} {local.hour:02}:{local.minute:02}:{local.second:02}"
