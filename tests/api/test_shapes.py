"""Bodies of answers, where the wire is not enough to see them."""

from datetime import UTC, date, datetime

import pytest

from exchange.api import shapes


@pytest.mark.parametrize(
    "at, expected",
    [
        (datetime(2026, 11, 21, 17, 30, tzinfo=UTC), "2026-11-22T00:30:00.000+07:00"),
        (datetime(1911, 4, 17, 6, 5, 51, tzinfo=UTC), "1911-04-17T13:05:51.000+07:00"),
        (date(2026, 11, 21), "2026-11-21"),
        (None, None),
    ],
    ids=["today", "before zones had whole hours", "day", "none"],
)
def test_moments_are_told_in_one_zone_at_all_times(at, expected):
    assert shapes.moment(at) == expected
