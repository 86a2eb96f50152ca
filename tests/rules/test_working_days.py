"""Working days: cases of the law by hand, and every moment of two years against a count hour by hour."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import working_days
from exchange.rules.paper_class import VIETNAM

CALENDAR = working_days.default()
DAYS = st.dates(date(2018, 12, 20), date(2026, 12, 20))
MOMENTS = st.integers(0, 180 * 24 * 60).map(
    lambda minutes: datetime(2019, 1, 1, tzinfo=VIETNAM) + timedelta(minutes=minutes)
)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


@pytest.mark.parametrize(
    "day, works",
    [
        ("2019-01-01", False), ("2018-12-31", False), ("2019-01-05", True), ("2019-01-06", False), ("2019-02-01", True),
        ("2019-02-04", False), ("2019-02-08", False), ("2019-02-11", True), ("2019-04-29", False), ("2019-04-30", False),
        ("2019-05-04", True), ("2026-02-16", False), ("2026-02-23", True), ("2026-08-22", True), ("2026-09-02", False),
        ("2030-05-01", False), ("2030-05-02", True),
    ],
)  # fmt: skip
def test_which_days_are_worked(day, works):
    assert working_days.works(CALENDAR, date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    "issued, sent, how",
    [
        ("2019-03-11", "2019-03-11 23:59", "same_day"),
        ("2019-03-11", "2019-03-10 09:00", "same_day"),
        ("2019-03-11", "2019-03-12 07:30", "next_morning"),
        ("2019-03-11", "2019-03-12 12:00", "next_morning"),
        ("2019-03-11", "2019-03-12 12:00:01", "late"),
        ("2019-03-15", "2019-03-17 22:00", "next_morning"),  # Friday, Sunday night
        ("2019-03-15", "2019-03-18 11:00", "next_morning"),
        ("2019-03-15", "2019-03-18 13:00", "late"),
        ("2019-02-01", "2019-02-11 09:00", "next_morning"),  # over Tết
        ("2019-04-26", "2019-05-02 09:00", "next_morning"),
        ("2019-04-26", "2019-05-02 13:00", "late"),
    ],
)  # fmt: skip
def test_sent_on_the_day_or_on_the_next_working_morning(issued, sent, how):
    assert working_days.sent(CALENDAR, date.fromisoformat(issued), at(sent)) == how


@given(DAYS, st.integers(-3, 20), st.times())
def test_the_oldest_days_sent_in_time_say_what_the_rule_says(issued, later, moment):
    """What SQL compares with is the rule turned round."""
    day = issued + timedelta(days=later)
    morning, afternoon = working_days.earliest(CALENDAR, day)
    oldest = morning if moment <= CALENDAR.morning_ends else afternoon
    timely = (
        working_days.sent(CALENDAR, issued, datetime.combine(day, moment, VIETNAM).astimezone(UTC)) != "late"
    )
    assert timely == (issued >= min(oldest, day))


@pytest.mark.parametrize(
    "arrived, until",
    [
        ("2019-03-11 08:00", "2019-03-11 17:00"),
        ("2019-03-11 16:59", "2019-03-11 17:00"),
        ("2019-03-11 17:00", "2019-03-12 17:00"),
        ("2019-03-15 18:00", "2019-03-18 17:00"),
        ("2019-03-16 09:00", "2019-03-18 17:00"),
        ("2019-02-04 09:00", "2019-02-11 17:00"),
    ],
)
def test_by_when_a_letter_is_confirmed(arrived, until):
    assert working_days.answer_by(CALENDAR, at(arrived)) == at(until)


@pytest.mark.parametrize(
    "first, last, hours",
    [
        ("2019-03-11 07:30", "2019-03-11 17:00", 8), ("2019-03-11 11:00", "2019-03-11 14:00", 1.5),
        ("2019-03-15 16:00", "2019-03-18 08:30", 2), ("2019-03-16 09:00", "2019-03-17 20:00", 0),
        ("2019-03-11 17:00", "2019-03-11 07:30", 0),
    ],
)  # fmt: skip
def test_working_hours(first, last, hours):
    assert working_days.between(CALENDAR, at(first), at(last)) == timedelta(hours=hours)


@given(MOMENTS, MOMENTS, MOMENTS)
def test_working_hours_add_up(one, other, third):
    first, middle, last = sorted((one, other, third))
    whole = working_days.between(CALENDAR, first, last)
    assert whole == working_days.between(CALENDAR, first, middle) + working_days.between(
        CALENDAR, middle, last
    )
    assert working_days.between(CALENDAR, last, first) == timedelta()
    assert timedelta() <= whole <= last - first


@given(DAYS)
def test_next_and_last_working_days_meet(day):
    after, before = working_days.following(CALENDAR, day), working_days.preceding(CALENDAR, day)
    assert before < day < after
    assert working_days.works(CALENDAR, after)
    assert working_days.works(CALENDAR, before)
    between = [before + timedelta(days=one) for one in range(1, (after - before).days)]
    assert [one for one in between if working_days.works(CALENDAR, one)] in ([], [day])


GOOD = '[hours]\nmorning_ends = 11:00:00\nwork = [["07:00", "11:00"]]\nurgent_minutes = 30\n[week]\noff = [7]\nholidays = []\n'


def test_a_file_of_ones_own():
    made = working_days.read(GOOD + "[[year]]\nyear = 2030\noff = [2030-01-07]\n")
    assert (made.closes, made.urgent, made.years) == (time(11), timedelta(minutes=30), {2030})
    assert working_days.works(made, date(2030, 1, 5))
    assert not working_days.works(made, date(2030, 1, 7))


@pytest.mark.parametrize(
    "wrong",
    [
        "", "x", GOOD.replace("[7]", "[1, 2, 3, 4, 5, 6, 7]"), GOOD.replace("07:00", "12:00"), GOOD.replace("07:00", "25:00"),
        GOOD.replace("urgent_minutes = 30\n", ""), GOOD.replace('[["07:00", "11:00"]]', "[]"),
    ],
    ids=["empty", "none", "week", "order", "hour", "lacking", "hours"],
)  # fmt: skip
def test_a_calendar_that_cannot_be_used(wrong):
    with pytest.raises(ValueError, match=r"."):
        working_days.read(wrong)


def test_spans_of_days_are_settings_and_each_may_be_left_out():
    assert CALENDAR.days == working_days.Days() == working_days.Days(contact=7, ending=30, idle=90)
    assert working_days.read(GOOD).days == working_days.Days()
    made = working_days.read(GOOD + "[days]\ncontact = 3\nidle = 366\n")
    assert made.days == working_days.Days(contact=3, ending=30, idle=366)


@pytest.mark.parametrize(
    "wrong", ["contact = 0", "ending = 367", "idle = true", "idle = 9.5", "soon = 3", 'idle = "9"']
)
def test_spans_that_are_none(wrong):
    with pytest.raises(ValueError, match=r"days|soon"):
        working_days.read(f"{GOOD}[days]\n{wrong}\n")


VALUES = ("11:00:00", "30", "[7]", '[["07:00", "11:00"]]', "[]", "2030")
ODD = ("true", "-1", "1e300", "inf", '"x"', '"11:00"', "[1]", "[[1]]", '[["1"]]', "{ a = 1 }", "2030-01-07", "2030-01-07T08:00:00", "[2030-01-07]",
       "[8]", "[2.5]", "99999999999", '["02-30"]', '["2-1-1"]', '[["07:00", "11:00", "12:00"]]')  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "line",
    [
        "morning_ends = {}",
        "work = {}",
        "urgent_minutes = {}",
        "off = {}",
        "holidays = {}",
        "year = {}",
        "hours = {}",
        "week = {}",
    ],
)
def test_a_calendar_works_or_is_refused(line, odd):
    name = line.partition(" ")[0]
    lines = [
        one for one in (GOOD + "[[year]]\nyear = 2030\n").splitlines() if not one.startswith(f"{name} =")
    ]
    place = {
        "hours": 0,
        "week": 0,
        "morning_ends": 1,
        "work": 1,
        "urgent_minutes": 1,
        "off": 3,
        "holidays": 3,
        "year": None,
    }[name]
    lines.insert(len(lines) if place is None else place, line.format(odd))
    try:
        made = working_days.read("\n".join(lines))
    except ValueError:
        return
    day, moment = date(2030, 1, 7), at("2030-01-07 08:00")
    assert working_days.works(made, day) in (True, False)
    assert working_days.sent(made, day, moment) == "same_day"
    assert working_days.answer_by(made, moment) > moment - timedelta(days=1)
    assert moment + made.urgent >= moment
    assert all(isinstance(year, int) for year in made.years)
    assert made.morning_ends < time.max
    assert (1, 1) not in made.holidays
