"""B8: what one letter to many costs.

Letters to 1, 100 and 1,000 recipients through `broker.send`, all unsigned and small, and our own expansion: up to 100
deliveries in the letter's commit, more by the relay in chunks of 500. Told are PostgreSQL's CPU per delivery row at
1,000 (the whole server's: letters, journal and payload included) against that of copying the very same rows by one
statement a letter into a twin of the table with the same indexes; and what a delivery costs in CPU, ours and the
database's, in a letter to one against a letter to 100, in turns. The latter is bound by half of what bare rows allow
(20, reference/performance.md 8): every recipient is also read, routed and receipted. It says nothing about how
recipients take them in (B3).
"""

import os

import pytest
import uvloop
from bench import anchors, works

from exchange.broker import expand

ROUNDS, IN_FLIGHT = 3, 32
LETTERS = {1: 400, 100: 60, 1000: 16}
TWIN_BOUND, BOUND = 3, 10
MORE = 600
"""Agencies added to the province's 453, so that a letter can go to a thousand."""


@pytest.mark.bench
def test_b8_many_recipients_cost_little_each(postgres, province, province_database, tmp_path):
    uvloop.run(_b8(postgres, province, province_database, tmp_path))


async def _b8(postgres, province, dsn, folder):
    rounds, spans = [], []
    codes = await _enlarged(dsn)
    async with works.exchange(province, dsn, folder) as at_work:
        for _ in range(ROUNDS):
            one = {}
            for recipients, letters in LETTERS.items():
                raws = [works.small(codes[:recipients]) for _ in range(letters)]
                span = await _expanded(at_work, raws, postgres)
                spans.append(span)
                rows = letters * recipients
                one |= {recipients: rows / span.wall, f"cpu {recipients}": 1e6 * span.cpu["database"] / rows}
                one[f"all {recipients}"] = 1e6 * span.ours / rows
            one["copied"] = await _copied(dsn, postgres, LETTERS[1000])
            rounds.append(
                one | {"ratio": one["all 1"] / one["all 100"], "twin": one["cpu 1000"] / one["copied"]}
            )
    sent = sum(letters * recipients for recipients, letters in LETTERS.items())
    assert await works.value(dsn, "SELECT count(*) FROM delivery") == ROUNDS * sent
    assert await works.value(dsn, "SELECT count(*) FROM letter WHERE expanded_at IS NULL") == 0
    told = anchors.medians(rounds)
    line = (
        f"B8 fan-out: {told['twin']:.1f} x a bare copy, {told['cpu 1000']:.1f} ÷ {told['copied']:.1f} us of database CPU a "
        f"row at 1,000 recipients; {told['cpu 100']:.1f} us at 100, {told['cpu 1']:.0f} at one"
    )
    anchors.judge(line, told["twin"], most=TWIN_BOUND, spans=spans)
    line = (
        f"B8 fan-out: a letter to one costs {told['ratio']:.1f} x a delivery of a letter to 100, {told['all 1']:.0f} ÷ "
        f"{told['all 100']:.0f} us of CPU; deliveries a second {told[1]:.0f}, {told[100]:.0f}, {told[1000]:.0f} to 1,000"
    )
    anchors.judge(line, told["ratio"], least=BOUND, spans=spans)


async def _enlarged(dsn):
    """Codes of a thousand recipients, in a directory that has more agencies than the province."""
    async with works.connected(dsn) as connection:
        await connection.execute(
            f"""WITH model AS (SELECT * FROM agency WHERE code = 'H13.02'),
                     made AS (INSERT INTO agency (id, code, name, kind, level, parent, valid_from)
                              SELECT gen_random_uuid(), 'H13.02.' || n, 'Đơn vị ' || n, kind, level, parent, valid_from
                                FROM model, generate_series(1001, {1000 + MORE}) AS n RETURNING *)
                INSERT INTO agency_code (code, form, agency, valid_from)
                SELECT code, 'qcvn102', id, valid_from FROM made"""
        )
        await connection.execute("UPDATE directory_version SET version = version + 1")
        found = await connection.fetch(
            "SELECT code FROM agency WHERE code <> $1 ORDER BY code LIMIT 1000", works.SENDER
        )
        assert len(found) == 1000
        return [record["code"] for record in found]


async def _expanded(at_work, raws, postgres):
    """Send them and expand what the commit left to the relay; the stretch measured."""
    exchange, calling = at_work
    with anchors.Stopwatch(ours=[os.getpid()], database=[postgres.pid]) as watch:
        await anchors.crowd(lambda raw: works.accept(exchange, calling, raw), raws, IN_FLIGHT, 60)
        await expand.all_waiting(exchange)
    return watch.span


async def _copied(dsn, postgres, letters):
    """Microseconds of database CPU a row, for copying the deliveries of the latest letters to all into a twin."""
    async with works.connected(dsn) as connection:
        await connection.execute("DROP TABLE IF EXISTS twin")
        await connection.execute("CREATE TABLE twin (LIKE delivery INCLUDING ALL)")
        latest = (
            "SELECT id FROM letter WHERE cardinality(recipients) = 1000 ORDER BY accepted_at DESC LIMIT $1"
        )
        names = [record["id"] for record in await connection.fetch(latest, letters)]
        with anchors.Stopwatch(database=[postgres.pid]) as watch:
            for name in names:
                await connection.execute("INSERT INTO twin SELECT * FROM delivery WHERE letter = $1", name)
        rows = await connection.fetchval("SELECT count(*) FROM twin")
        assert rows == letters * 1000
        return 1e6 * watch.span.ours / rows
