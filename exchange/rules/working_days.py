"""Working days (ngày làm việc): by when a letter must be sent and answered, and how many working hours something took.

    send        the day of issue, at the latest the morning of the next working day    Decision 28/2018/QĐ-TTg Art. 6(2)
    answer      the day of arrival; what comes after hours, the next working day       Decree 30/2020/NĐ-CP Art. 21(2)(c)

Which days are worked is data (`calendar.toml`, or a deployment's own file). All moments are aware and looked at in Vietnam.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from exchange.rules.paper_class import VIETNAM, local_day

DAY = timedelta(days=1)
LONGEST_BREAK = 60
"""Days; no break between two working days is longer, or the calendar is a mistake."""
_LEAP = 2000
"""A year that has every day."""
_SPANS = range(1, 366 + 1)
_MINUTES = range(1, 7 * 24 * 60 + 1)
"""How long an urgent letter may wait at most."""


@dataclass(frozen=True, kw_only=True)
class Days:
    """Spans of days that no law read gives: settings, told beside figures where a deployment has its own.

    `contact`: an agency whose systems called or wrote within them is connected (M20). `ending`: a certificate that ends within
    them is told of (BC-01). `idle`: a certificate in force is idle after so many without a valid signature (BC-10).
    """

    contact: int = 7
    ending: int = 30
    idle: int = 90


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """What is worked and when (lịch làm việc). `weekend` are ISO weekdays, `holidays` (month, day) of every year.

    `hours` are spans of a working day in order, `urgent` how long an urgent letter may wait, `years` those announced, `days` the
    spans that are settings.
    """

    morning_ends: time
    hours: tuple[tuple[time, time], ...]
    urgent: timedelta
    weekend: frozenset[int]
    holidays: frozenset[tuple[int, int]]
    off: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    days: Days = Days()

    @property
    def closes(self) -> time:
        """The end of a working day."""
        return self.hours[-1][1]


def works(calendar: Calendar, day: date) -> bool:
    """Whether a day is worked: days named singly first, then holidays and the week."""
    if day in calendar.worked:
        return True
    free = day in calendar.off or (day.month, day.day) in calendar.holidays
    return not free and day.isoweekday() not in calendar.weekend


def following(calendar: Calendar, day: date) -> date:
    """The next working day after a day."""
    return next(one for one in _days(day, DAY) if works(calendar, one))


def preceding(calendar: Calendar, day: date) -> date:
    """The last working day before a day."""
    return next(one for one in _days(day, -DAY) if works(calendar, one))


def sent(calendar: Calendar, issued_on: date, at: datetime) -> str:
    """How timely a document was sent: `same_day`, `next_morning` or `late`."""
    day = local_day(at)
    if day <= issued_on:
        return "same_day"
    until = datetime.combine(following(calendar, issued_on), calendar.morning_ends, VIETNAM)
    return "next_morning" if at <= until else "late"


def earliest(calendar: Calendar, day: date) -> tuple[date, date]:
    """The oldest days of issue that are still sent in time on a day, in its morning and in its afternoon."""
    before = preceding(calendar, day)
    return before, day if works(calendar, day) else before


def after_hours(calendar: Calendar, at: datetime) -> bool:
    """Whether something comes when nobody works any more that day."""
    local = at.astimezone(VIETNAM)
    return not works(calendar, local.date()) or local.time() >= calendar.closes


def answer_by(calendar: Calendar, arrived_at: datetime) -> datetime:
    """Until when a letter is to be confirmed: the end of that working day, of the next one if it came after hours."""
    day = local_day(arrived_at)
    if after_hours(calendar, arrived_at):
        day = following(calendar, day)
    return datetime.combine(day, calendar.closes, VIETNAM)


def between(calendar: Calendar, first: datetime, last: datetime) -> timedelta:
    """The working time between two moments, none if the second is not later."""
    day, end = local_day(first), local_day(last)
    ends = {day, end} if day <= end else set()
    total = sum((_shared(calendar, one, first, last) for one in ends), timedelta())
    return total + _whole(calendar, day, end)


def _shared(calendar: Calendar, day: date, first: datetime, last: datetime) -> timedelta:
    """What two moments have of one day."""
    if not works(calendar, day):
        return timedelta()
    spans = ([datetime.combine(day, moment, VIETNAM) for moment in span] for span in calendar.hours)
    return sum(
        (max(min(closes, last) - max(opens, first), timedelta()) for opens, closes in spans), timedelta()
    )


@lru_cache(maxsize=4_096)
def _whole(calendar: Calendar, first: date, end: date) -> timedelta:
    """The working time of the days between two days; many letters wait from the same day."""
    worked = sum(works(calendar, first + number * DAY) for number in range(1, (end - first).days))
    return worked * _length(calendar)


def _length(calendar: Calendar) -> timedelta:
    """How long is worked on a working day."""
    spans = ([datetime.combine(date.min, moment, VIETNAM) for moment in span] for span in calendar.hours)
    return sum((closes - opens for opens, closes in spans), timedelta())


def _days(day: date, step: timedelta) -> Iterator[date]:
    return (day + number * step for number in range(1, LONGEST_BREAK + 1))


@cache
def default() -> Calendar:
    """The calendar that comes with the exchange."""
    return read(files(__package__).joinpath("calendar.toml").read_text(encoding="utf-8"))


def read(text: str) -> Calendar:
    """A calendar from a file like `calendar.toml`. Raises ValueError that says what is wrong with it."""
    try:
        given = tomllib.loads(text)
        made = _calendar(given["hours"], given["week"], given.get("year", []))
        made = replace(made, days=Days(**given.get("days", {})))
        strange = next(_strange(made), None)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"calendar: {type(error).__name__}: {error}") from error
    if strange:
        raise ValueError(f"calendar: {strange}")
    if not set(range(1, 8)) - made.weekend:
        raise ValueError("calendar: week.off leaves no working day")
    ordered = all(first < last for first, last in made.hours) and list(made.hours) == sorted(made.hours)
    if not made.hours or not ordered:
        raise ValueError("calendar: hours.work are spans of one day, in order")
    return made


def _strange(made: Calendar) -> Iterator[str]:
    """What is no moment, day, weekday or year, though it stands where one belongs."""
    if type(made.morning_ends) is not time:
        yield "hours.morning_ends is a time of day"
    if not all(type(day) is int and 1 <= day <= 7 for day in made.weekend):  # noqa: PLR2004 - ISO weekdays
        yield "week.off are weekdays, 1 to 7"
    if not all(type(day) is date for day in made.off | made.worked):
        yield "year.off and year.worked are days"
    if not all(type(year) is int for year in made.years):
        yield "year.year is a year"
    if not all(type(span) is int and span in _SPANS for span in astuple(made.days)):
        yield f"days are whole numbers from {_SPANS.start} to {_SPANS.stop - 1}"
    longest = {*made.off, *(date(_LEAP, *day) for day in made.holidays)}
    if not all(any(works(made, one) for one in _days(day, DAY)) for day in longest):
        yield f"more than {LONGEST_BREAK} days off in a row"


def _calendar(hours: Mapping[str, Any], week: Mapping[str, Any], years: list[Mapping[str, Any]]) -> Calendar:
    spans = [tuple(time.fromisoformat(moment) for moment in span) for span in hours["work"]]
    days = [date.fromisoformat(f"{_LEAP}-{day}") for day in week["holidays"]]
    if type(hours["urgent_minutes"]) is not int or hours["urgent_minutes"] not in _MINUTES:
        raise ValueError(f"calendar: hours.urgent_minutes: {_MINUTES.start} to {_MINUTES.stop - 1}")
    return Calendar(
        morning_ends=hours["morning_ends"],
        hours=tuple((first, last) for first, last in spans),
        urgent=timedelta(minutes=hours["urgent_minutes"]),
        weekend=frozenset(week["off"]),
        holidays=frozenset((day.month, day.day) for day in days),
        off=frozenset(day for year in years for day in year.get("off", ())),
        worked=frozenset(day for year in years for day in year.get("worked", ())),
        years=frozenset(year["year"] for year in years),
    )
