"""A long run by hand: `CONGVAN_SOAK_MINUTES=20 pytest -m long -s tests/faults/test_soak.py`; one minute in `make check`.

Nothing is killed. The workers' memory, open files and connections stay as they are, and at the end the journal, the
deliveries and the tally say what the clients' ledger says.
"""

import asyncio
import os
from datetime import UTC, date, datetime

import pytest
from faults.calm import loaded, proven
from faults.soak import Watch
from province import serving

from exchange.store import pool
from exchange.tracker import tally

MINUTES = float(os.environ.get("CONGVAN_SOAK_MINUTES") or 1)
LOOKS = 60
MOST = {"memory": 1.15, "files": 1.15, "connections": 1.15}
EVER = tally.Period(text="ever", first=date(2000, 1, 1), last=date(2199, 12, 31))


async def counted(dsn, view):
    """Transfers counted in that view: all of them, and those that were refused."""
    connection = await pool.connect(dsn)
    try:
        found = await tally.count(
            connection, EVER, view=view, scope="*", agencies=None, as_of=datetime.now(UTC)
        )
    finally:
        await connection.close()
    return sum(found.classes.values()) + sum(found.excluded.values()), found.excluded.get("refused", 0)


def expected(ledger):
    """The same by the clients' ledger."""
    transfers = sum(len(one.recipients) for one in ledger.letters if not one.code)
    return transfers, sum(state == "refused" for state in ledger.states().values())


@pytest.mark.long
@pytest.mark.timeout(int(90 * MINUTES + 600))
async def test_a_long_run_grows_nowhere_and_every_number_is_the_ledgers(
    province, province_database, tmp_path
):
    with serving(province, province_database, tmp_path, CONGVAN_INLINE_BYTES="2000") as server:
        watch = Watch(server)
        async with loaded(server, pause=0.1) as calm:
            for _ in range(LOOKS):
                await asyncio.sleep(60 * MINUTES / LOOKS)
                await watch.look()
        proven(calm)
        print(f"{MINUTES:g} min; medians of quarters, last ÷ second:", watch.told())
        numbers = {view: await counted(server.dsn, view) for view in ("out", "in")}
        print("tally (transfers, refused):", numbers)
        assert numbers == dict.fromkeys(("out", "in"), expected(calm.ledger))
        assert {kind: watch.growth(kind) for kind in MOST if watch.growth(kind) > MOST[kind]} == {}
        assert '"level": "error"' not in server.log.read_text()
