"""B9: what years of history do to pulling an inbox.

The delivery table with all its indexes, filled by SQL: 10^5 rows and 10^6, of 450 recipients each, 50 open for every
one. The statement is the one behind GET /v1/inbox (`store.deliveries.inbox`), for one agency, and for a system that acts
for all of them. Median times of single pulls, both tables in turn. It says nothing about bodies, nor about tables that
do not fit into memory.
"""

import os
import statistics
import time
from uuid import UUID

import pytest
import uvloop
from bench import anchors, works

from exchange.store import deliveries
from exchange.store import pool as pools

SIZES = {"small": 100_000, "large": 1_000_000}
RECIPIENTS = [UUID(int=1 << 100 | number) for number in range(450)]
OPEN_EACH, PAGE, PULLS, PULLS_FOR_ALL = 50, 100, 300, 30
BOUND = 2


@pytest.mark.bench
def test_b9_a_long_history_does_not_slow_the_inbox(postgres, database):
    with anchors.Stopwatch(ours=[os.getpid()], database=[postgres.pid]) as watch:
        told = uvloop.run(_b9(database))
    one, everyone = (told["large", who] / told["small", who] for who in ("one", "all"))
    anchors.judge(
        f"B9 inbox: at 10^6 rows {one:.2f} x as long as at 10^5, {told['large', 'one']:.2f} ÷ "
        f"{told['small', 'one']:.2f} ms a page for one agency; for 450 at once {everyone:.2f} x, "
        f"{told['large', 'all']:.1f} ÷ {told['small', 'all']:.1f} ms",
        one,
        most=BOUND,
        spans=[watch.span],
    )


async def _b9(dsn):
    """Median milliseconds of a pull by size of the table and by who asks."""
    connections = {}
    try:
        for name, size in SIZES.items():
            connections[name] = await _filled(dsn, name, size)
        asked = {"one": (RECIPIENTS[7:8], PULLS), "all": (RECIPIENTS, PULLS_FOR_ALL)}
        taken = {(name, who): [] for name in SIZES for who in asked}
        for who, (agencies, pulls) in asked.items():
            for _ in range(pulls):
                for name, connection in connections.items():
                    taken[name, who].append(await _pull(connection, agencies))
        return {key: statistics.median(each) for key, each in taken.items()}
    finally:
        for connection in connections.values():
            await connection.close()


async def _filled(dsn, name, size):
    """A connection that sees a delivery table of that size, built as the real one, in a schema of its own.

    Indexes are made after the rows, and nothing is logged: only reading is measured.
    """
    connection = await pools.connect(dsn)
    await connection.execute(f"CREATE SCHEMA {name}")
    await connection.execute(
        f"CREATE UNLOGGED TABLE {name}.delivery (LIKE delivery INCLUDING ALL EXCLUDING INDEXES)"
    )
    await works.lay_in(connection, f"{name}.delivery", RECIPIENTS, 1, size, open_each=OPEN_EACH)
    indexes = await connection.fetch(
        "SELECT indexdef FROM pg_indexes WHERE tablename = 'delivery' AND schemaname = 'public'"
    )
    assert len(indexes) >= 4
    for index in indexes:
        await connection.execute(index["indexdef"].replace(" ON public.", f" ON {name}."))
    await connection.execute(f"ANALYZE {name}.delivery")
    await connection.execute(f"SET search_path = {name}")
    return connection


async def _pull(connection, agencies):
    start = time.perf_counter()
    found = await deliveries.inbox(connection, agencies, None, PAGE)
    taken = 1e3 * (time.perf_counter() - start)
    assert len(found) == min(PAGE + 1, OPEN_EACH * len(agencies))
    return taken
