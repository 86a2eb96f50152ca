"""B15: what measures M8 to M11 add to a tally, on a table of 10^5 letters.

Letters of 450 agencies over five years, with two signatures each and every tenth letter judged twice, by SQL in a table
with all its indexes; one certificate for each agency. The statements are those behind GET /v1/tally, for the last year:
for one agency, and for the whole exchange. The anchor is what no count can do without: reading the letters once and
each one's verdicts once, one agency's by their key. Median times, in turns. The bounds keep what was seen, 4 to 5 times
for the whole exchange and 5 to 11 times for one agency on a machine with others at work, with room.
"""

import os
import statistics
import time
from datetime import UTC, datetime

import pytest
import uvloop
from bench import anchors, works

from exchange.store import signature_counts, signed_documents
from exchange.tracker import signature_usage, tally
from signing import trust

LETTERS, SENDERS = 100_000, 450
ROUNDS = {"one": 40, "all": 8}
BOUNDS = {"one": 15, "all": 7}
PERIOD, AS_OF = tally.period("2030"), datetime(2031, 1, 1, tzinfo=UTC)

_READ = """SELECT count(*), bool_or(indication = 'TOTAL_FAILED'), max(accepted_at)
             FROM letter LEFT JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id
            WHERE $1::uuid[] IS NULL OR letter.sender = ANY($1)"""


@pytest.mark.bench
@pytest.mark.parametrize("who", ROUNDS)
def test_b15_measures_of_signatures_stay_within_a_bound_of_reading_what_they_count(
    postgres, province_database, who
):
    with anchors.Stopwatch(ours=[os.getpid()], database=[postgres.pid]) as watch:
        told = uvloop.run(_b15(province_database, who))
    ratio = told["measures"] / told["read"]
    anchors.judge(
        f"B15 usage: M8 to M11 of {who} take {ratio:.1f} x one reading of letters and verdicts, {told['measures']:.1f} ÷ "
        f"{told['read']:.1f} ms (documents and uses {told['counted']:.1f}, certificates "
        f"{told['certificates']:.1f}); the tally of classes takes {told['classes']:.1f} ms",
        ratio,
        most=BOUNDS[who],
        spans=[watch.span],
    )


async def _b15(dsn, who):
    """Median milliseconds of the measures, of one reading, and of the classes."""
    async with works.connected(dsn) as connection:
        await _filled(connection)
        last = await connection.fetchval("SELECT max(sender::text)::uuid FROM letter")
        agencies = None if who == "all" else [last]
        asked = signature_usage.Asked(period=PERIOD, agencies=agencies, as_of=AS_OF)
        nothing = trust.load([], [])
        span = (asked.first, asked.end)
        asked_of = {
            "measures": lambda: signature_usage.measures(connection, asked, nothing),
            "read": lambda: connection.fetch(_READ, agencies),
            "classes": lambda: tally.count(
                connection, PERIOD, view="out", scope=tally.WHOLE, agencies=agencies, as_of=AS_OF
            ),
            "counted": lambda: signed_documents.counted(connection, agencies, *span),
            "certificates": lambda: signature_counts.certificates(connection, agencies),
        }
        taken = {name: [] for name in asked_of}
        for _ in range(ROUNDS[who]):
            for name, work in asked_of.items():
                start = time.perf_counter()
                await work()
                taken[name].append(1e3 * (time.perf_counter() - start))
        told = await signature_usage.measures(connection, asked, nothing)
        year = LETTERS // 5
        assert told["M8"].d == told["M8"].n == (year if agencies is None else -(-year // SENDERS))
        return {name: statistics.median(each) for name, each in taken.items()}


async def _filled(connection):
    """Letters in order of time, their senders in turn; every fifth of the time is a year."""
    await connection.execute(
        f"""CREATE TEMP TABLE senders AS
            SELECT row_number() OVER (ORDER BY code) - 1 AS place, id FROM agency ORDER BY code LIMIT {SENDERS}"""
    )
    await connection.execute(
        f"""INSERT INTO letter (sender, id, document_id, operation, round, sha256, size, number, notation, issued_on,
                    document_type, subject, recipients, requirement, directory_version, policy_sha256, system, accepted_at,
                    receipt, expanded_at, issued_year, number_key, notation_key, first_of_key)
             SELECT senders.id, (lpad(to_hex(n), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, 'văn bản ' || n, 'new', 1,
                    sha256(n::text::bytea), 20000, n::text, 'UBND-VX', at::date, 'Công văn', 'V/v đo tốc độ của số liệu',
                    ARRAY[senders.id], 'met', 1, '', senders.id, at, repeat('x', 900)::bytea, at, extract(year FROM at), n::text, 'UBND-VX', true
               FROM (SELECT n, '2026-01-01T05:00:00+07:00'::timestamptz + make_interval(years => n / {LETTERS // 5}, secs => 1500 * (n % {LETTERS // 5})) AS at
                       FROM generate_series(0, {LETTERS} - 1) AS n) AS made
               JOIN senders ON senders.place = n % {SENDERS}"""
    )  # fmt: skip
    await connection.execute(
        """INSERT INTO signer_certificate (sha256, agency, kind, valid_from, basis, confirmed_at)
             SELECT sha256(id::text::bytea), id, 'organisation', '2026-01-01', 'QĐ', now() FROM senders"""
    )
    await connection.execute(
        """INSERT INTO verdict (sender, letter, revision, position, place, main, format, indication, why, signer_kind,
                    signer_agency, certificate_sha256, best_signature_time, time_source, covers_whole, coverage, provisional,
                    trust_sha256, policy_sha256, verifier, judged_at)
             SELECT sender, letter.id, revision, position, 'van_ban.pdf', true, 'pades', 'TOTAL_PASSED', 'passed',
                    CASE position WHEN 0 THEN 'individual' ELSE 'organisation' END, sender,
                    sha256((sender::text || CASE position WHEN 0 THEN 'x' ELSE '' END)::bytea), accepted_at, 'receipt', true, 'whole', false, '', '', '1', accepted_at
               FROM letter, generate_series(0, 1) AS position, generate_series(1, 2) AS revision
              WHERE revision = 1 OR number LIKE '%7'"""
    )
    await connection.execute("ANALYZE")
    await connection.execute("SELECT brin_summarize_new_values('letter_accepted')")  # as a vacuum does
