"""What is told together is of one moment: version, classes and measures come out of one transaction."""

from datetime import UTC, datetime

import pytest

from exchange.rules import working_days
from exchange.tracker import headed, signature_usage, tally
from exchange.tracker.measures import Means
from exchange.tracker.signature_usage import Asked
from signing import trust

AT = datetime(2026, 11, 21, 5, tzinfo=UTC)
TOLD = {
    "tally": signature_usage.told,
    "measures": lambda connection, asked, trusted: headed.measured(
        connection, asked, Means(calendar=working_days.default(), trust=trusted), 90
    ),
}


@pytest.mark.parametrize("name", TOLD)
async def test_one_transaction_around_all_of_it(pool, name):
    asked = Asked(period=tally.period("2026-11"), agencies=None, as_of=AT)
    said = []
    async with pool.acquire() as connection:
        with connection.query_logger(lambda record: said.append(record.query)):
            body = await TOLD[name](connection, asked, trust.load([], []))
    assert {"period", "version", "measures", "coverage"} <= body.keys()
    assert "REPEATABLE READ" in said[0]
    assert said[-1].startswith("COMMIT")
    assert sum(one.startswith(("BEGIN", "COMMIT")) for one in said) == 2
    assert len(said) > 8
