"""The demo's sheet of certificates: the same at every hour of the day, also while Vietnam is a day ahead of UTC."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from exchange.demo import authority


@pytest.mark.parametrize("hour, local", [(3, date(2026, 11, 21)), (18, date(2026, 11, 22))])
def test_the_use_of_anothers_seal_begins_a_day_after_the_owners_own(hour, local):
    shared = authority.Shared(agency="H13", owner="H13.01", basis="thử")
    odd = authority.Exceptions(shared=(shared,))
    at = datetime(2026, 11, 21, hour, tzinfo=UTC)
    ours = authority.issue({"H13.01": "Sở Thử"}, (), odd, at, rsa=0)
    lines = list(csv.DictReader(io.StringIO(authority.sheet(ours, odd).decode())))
    begins = {one["agency"]: one["valid_from"] for one in lines}
    own = local - timedelta(days=authority.ISSUED_DAYS)
    assert begins == {"H13.01": "", "H13": (own + timedelta(days=1)).isoformat()}
