"""B23: measures from the tally's months against counting the transfers themselves, on a table of 10^6 deliveries.

Deliveries of 450 agencies over two years by SQL, in a table with all its indexes, and the facts that the exchange would have
folded of them, day by day. Asked is what `congvan report` asks: the classes of every agency in one month, of one agency in a year, and the
24 months of a trend. The scan counts the same from deliveries. The anchor of a page is one look-up by key. Median times, in
turns. CONGVAN_BENCH_TRANSFERS makes the table smaller, or ten times as large.
"""

import os
import statistics
import time
from collections import Counter

import pytest
import uvloop
from bench import anchors, works

from exchange.store import measures as store
from exchange.store import tally as tally_store
from exchange.store.measures import Cut
from exchange.tracker import spans, tally

TRANSFERS, AGENCIES = int(os.environ.get("CONGVAN_BENCH_TRANSFERS", "1000000")), 450
ROUNDS = 12
BOUND = ("total", "agency", "month")
MONTH, YEAR = tally.period("2031-06"), tally.period("2031")
TREND = spans.trend(tally.period("2031"), 24)

_SCAN = """SELECT sender AS agency, counted_class AS class, coalesce(excluded, '') AS excluded, grade, justified, count(*) AS n
             FROM delivery
            WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND counted_class IS NOT NULL
              AND (accepted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN $2 AND $3
            GROUP BY 1, 2, 3, 4, 5"""


@pytest.mark.bench
def test_b23_measures_come_from_the_tallys_days_and_not_from_transfers(postgres, province_database):
    with anchors.Stopwatch(ours=[os.getpid()], database=[postgres.pid]) as watch:
        told = uvloop.run(_b23(province_database))
    scan = told["scan"] / told["month"]
    pages = {name: told[name] / told["look_up"] for name in ("month", "total", "agency", "trend")}
    line = (
        f"B23 {TRANSFERS:,} transfers, scan ÷ roll-up {scan:.1f}; in look-ups of {told['look_up']:.2f} ms: a month of all agencies, "
        f"one by one {pages['month']:.1f}, added up {pages['total']:.1f}; a year of one agency {pages['agency']:.1f}; 24 months of "
        f"all {pages['trend']:.1f}"
    )
    for name in BOUND:
        anchors.judge(line, pages[name], most=20, spans=[watch.span])
    anchors.judge(line, scan, least=8, spans=[watch.span])


async def _b23(dsn):
    """Median milliseconds of each question."""
    async with works.connected(dsn, patient=True) as connection:  # ten million rows take their time
        agency = await _filled(connection)
        key = await connection.fetchrow("SELECT recipient, letter, round FROM delivery LIMIT 1 OFFSET 1000")
        one = Cut(agencies=[agency])
        asked_of = {
            "total": lambda: tally_store.counts(connection, "out", MONTH.first, MONTH.last, None),
            "month": lambda: store.classes(connection, "out", MONTH.first, MONTH.last, Cut()),
            "scan": lambda: connection.fetch(_SCAN, None, MONTH.first, MONTH.last),
            "agency": lambda: store.classes(connection, "out", YEAR.first, YEAR.last, one),
            "look_up": lambda: connection.fetchrow(
                "SELECT * FROM delivery WHERE recipient = $1 AND letter = $2 AND round = $3", *key
            ),
            "trend": lambda: store.classes_by_span(
                connection, "out", [(part.first, part.last) for part in TREND], Cut()
            ),
        }
        taken = {name: [] for name in asked_of}
        for _ in range(ROUNDS):
            for name, work in asked_of.items():
                start = time.perf_counter()
                await work()
                taken[name].append(1e3 * (time.perf_counter() - start))
        assert _facts(await asked_of["month"]()) == _facts(await asked_of["scan"]())
        assert sum(row["n"] for row in await asked_of["trend"]()) == TRANSFERS
        return {name: statistics.median(each) for name, each in taken.items()}


def _facts(rows):
    found = Counter()
    for row in rows:
        found[tuple(row[name] for name in ("agency", "class", "excluded", "grade", "justified"))] += row["n"]
    assert found
    return found


async def _filled(connection):
    """Deliveries in order of time over 2030 and 2031, senders in turn; the folded facts of them. One of the senders."""
    await connection.execute(
        f"""CREATE TEMP TABLE senders AS
            SELECT row_number() OVER (ORDER BY code) - 1 AS place, id FROM agency ORDER BY code LIMIT {AGENCIES}"""
    )
    await connection.execute(
        f"""INSERT INTO delivery (recipient, letter, round, id, sender, kind, operation, document_id, number, notation, document_type,
                    subject, urgency, purpose, sha256, size, accepted_at, requirement, class, counted_class, scope, grade,
                    justified, state, open, arrived_at)
             SELECT receiver.id, letter, 1, letter, senders.id, 'letter', 'new', 'văn bản ' || n, n::text, 'UBND-VX', 'Công văn',
                    'V/v đo tốc độ của số liệu', 0, 'act', sha256(n::text::bytea), 20000, at, 'met', class, class, 'same_root',
                    CASE class WHEN 'E' THEN 'B' ELSE '' END, CASE class WHEN 'S' THEN 'no' ELSE '' END, 'arrived', false, at
               FROM (SELECT n, (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS letter,
                            '2030-01-01T00:00:00+07:00'::timestamptz + n * (interval '730 days' / {TRANSFERS}) AS at,
                            CASE WHEN n % 20 = 0 THEN 'S' WHEN n % 33 = 0 THEN 'N' ELSE 'E' END AS class
                       FROM generate_series(0, {TRANSFERS} - 1) AS n) AS made
               JOIN senders ON senders.place = n % {AGENCIES}
               JOIN senders AS receiver ON receiver.place = (n + 7) % {AGENCIES}"""
    )  # fmt: skip
    await connection.execute(
        """INSERT INTO tally_day
             SELECT view, agency, day, scope, document_type, urgency, class, '', grade, justified, count(*)
               FROM delivery CROSS JOIN LATERAL (VALUES ('out', sender), ('in', recipient)) AS seen (view, agency)
              CROSS JOIN LATERAL (VALUES ((accepted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)) AS local (day)
              GROUP BY 1, 2, 3, 4, 5, 6, 7, 9, 10 ORDER BY 3"""
    )
    while await tally_store.fold_days(connection, 20_000):
        pass
    await connection.execute("VACUUM ANALYZE tally_day, tally_month")  # as the server does of itself
    await connection.execute("ANALYZE")
    return await connection.fetchval("SELECT id FROM senders WHERE place = 3")
