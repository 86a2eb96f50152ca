"""The demo's directory of certificates, made at any hour of the day."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from exchange.demo import authority, cast
from exchange.rules import paper_class


@pytest.mark.parametrize("hour", [3, 18], ids=["the same day here", "tomorrow already here"])
def test_the_use_of_another_agencys_seal_begins_after_its_owners(hour):
    script = cast.cast()
    made = authority.issue(script.seals, script.persons, script.odd, datetime(2026, 11, 21, hour, tzinfo=UTC))
    sheet = csv.DictReader(io.StringIO(authority.sheet(made, script.odd).decode()))
    shared = {(row["agency"], row["valid_from"]) for row in sheet if row["valid_from"]}
    starts = {
        one.agency: paper_class.local_day(made.seals[one.owner].certificate.not_valid_before_utc)
        for one in script.odd.shared
    }
    assert {agency for agency, _ in shared} == starts.keys()
    for agency, first in shared:
        assert date.fromisoformat(first) == starts[agency] + timedelta(days=1)
