"""Operations on letters to an agency that has ended since (cơ quan đã sáp nhập): what lies waiting there is concerned all the same."""

from datetime import date

import pytest
from acting import acting, filed
from correspondence import replacing, revoking, updating
from province import fetch

X, Y, Z = "H13.31", "H13.32", "H13.33"


@pytest.fixture
async def at(province, province_database, tmp_path):
    async with acting(province, province_database, tmp_path) as one:
        yield one
        assert await one.faults() == []


async def end(at, *codes):
    """These agencies have ended, as the directory is read from now on."""
    await fetch(at.dsn, "UPDATE agency SET valid_to = $2 WHERE code = ANY($1)", codes, date(2026, 1, 1))
    at.exchange.snapshot._held = at.exchange.snapshot._checked = None


OPERATIONS = {
    "removed": lambda first: updating(first, removed=[X]),
    "revoked": lambda first: revoking(first, X, Y),
    "replaced": lambda first: replacing([(first, [X, Y])], Y, Z),
}


@pytest.mark.parametrize("kind", OPERATIONS)
async def test_an_operation_reaches_who_ended_as_it_would_have_before(at, kind):
    found = []
    for ended in (False, True):
        first = filed(X, Y, name=f"{kind} {ended}")
        about = await at.sent(first)
        if ended:
            await end(at, X)
        await at.sent(OPERATIONS[kind](first))
        rows = await at.rows(about)
        found.append({code: (one["state"], one["excluded"]) for code, one in rows.items()})
    assert found[0] == found[1]
    assert found[0][X] != ("waiting", None)


async def test_who_ended_is_not_added(at):
    first = filed(Y)
    about = await at.sent(first)
    await end(at, X)
    await at.sent(updating(first, added=[X, Z]))
    assert {*await at.rows(about)} == {Y, Z}
