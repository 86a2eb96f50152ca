"""Long lists take no more memory than short ones, from the rows of the database to the file; and are in the file whole."""

import csv
import gc
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest

from exchange.cli import register_print
from exchange.cli.report import _WRITE
from exchange.rules.ratios import Measure
from exchange.store import excluded, listed, measures, shown, signature_counts, signed_documents
from exchange.store import register_print as register_print_store
from exchange.tracker import register_print as register_lines
from exchange.tracker import tally
from exchange.tracker.reports import failures, make, spooled, written
from exchange.tracker.reports.report import Hundredths, Took, Word
from exchange.tracker.reports.spooled import BATCH, Changed, Rows
from exchange.tracker.signature_usage import Asked
from signing import trust

AT = datetime(2026, 11, 21, 5, tzinfo=UTC)
YEAR = tally.period("2026")
ONE, TWO = UUID(int=1), UUID(int=2)
FEW, CHUNK = 300, 100
LISTS = ("BC-05", "BC-06", "BC-07", "BC-09", "BC-12", "X-refused", "M8")
MOST = 1.6
"""A list of eight times as many rows may take so many times the memory; all of them held would take eight times."""


async def filled(connection, first, last):
    """Letters number `first` to `last`, each to two: one got paper beside it, one refused; a verdict that failed; a row of a register."""
    for code, agency in (("A", ONE), ("B", TWO)):
        await connection.execute(
            """INSERT INTO agency (id, code, name, kind, level, counted, valid_from)
               VALUES ($1, $2, $2, 'department', 2, true, '2010-01-01') ON CONFLICT DO NOTHING""",
            agency, code,
        )  # fmt: skip
    made = "SELECT n, lpad(to_hex(n), 32, '0')::uuid AS id, '2026-02-01Z'::timestamptz + n * interval '1 minute' AS at FROM generate_series($1::int, $2::int) AS n"
    for statement in (
        """INSERT INTO letter (sender, id, document_id, operation, round, sha256, size, number, notation, issued_on, subject, recipients,
                  requirement, directory_version, policy_sha256, system, accepted_at, receipt, issued_year, number_key, notation_key, first_of_key)
           SELECT %1, id, n::text, 'new', 1, int8send(n), 1, n::text, 'CV', '2026-02-01', 'Về việc số ' || n, ARRAY[%2], 'not_met', 1, '',
                  id, at, '', 2026, n::text, 'CV', true FROM made""",
        """INSERT INTO delivery (recipient, letter, round, id, sender, kind, operation, document_id, number, notation, document_type, subject,
                  urgency, purpose, sha256, size, accepted_at, requirement, class, excluded, counted_class, scope, state, arrived_at, justified)
           SELECT recipient, made.id, 1, made.id, %1, 'letter', 'new', n::text, n::text, 'CV', 'Công văn', 'Về việc số ' || n, 0, 'act', '', 1,
                  at, 'met', class, CASE class WHEN 'X' THEN 'refused' END, class, 'same_root', state, at, 'no'
             FROM made CROSS JOIN (VALUES (%2, 'S', 'arrived'), (%1, 'X', 'refused')) AS given (recipient, class, state)""",
        """INSERT INTO journal (agency, id, at, event, letter, delivery, code, detail)
           SELECT %1, made.id, at, 'status', made.id, made.id, '02', '{"text": "Sai thẩm quyền"}' FROM made""",
        """INSERT INTO verdict (sender, letter, revision, position, place, main, format, indication, sub_indication, why, signer_kind, signer_name,
                  best_signature_time, time_source, covers_whole, coverage, provisional, evidence, trust_sha256, policy_sha256, verifier, judged_at)
           SELECT %1, made.id, 1, 1, 'tệp.pdf', true, 'pades', 'INDETERMINATE', 'TRY_LATER', 'no_revocation_data', 'unknown', 'Ai đó ' || n,
                  at, 'receipt', true, '', false, ARRAY[encode(sha256(int8send(n)), 'hex')], '', '', '', at FROM made""",
        """INSERT INTO register_row (agency, id, direction, number, notation, document_type, subject, other_party, moved_on, loaded_at, note,
                  counted, load, book, issued_year, number_key, notation_key, party_key, entry, line)
           SELECT %1, id, 'out', (n + 100000)::text, 'CV', 'Công văn', 'Về việc số ' || n, 'Nơi nhận ' || n, '2026-03-01', at, 'ghi chú ' || n,
                  true, %2, 'out', 2026, (n + 100000)::text, 'CV', 'x', n::text, n
             FROM made""",
    ):  # fmt: skip
        whole = f"WITH made AS ({made}) {statement}".replace("%1", f"'{ONE}'::uuid").replace(
            "%2", f"'{TWO}'::uuid"
        )
        await connection.execute(whole, first, last)


async def report(connection, name):
    asked = Asked(period=YEAR, agencies=None, as_of=AT)
    return await make.make(connection, name, asked, trust.load([], []), [])


class Peak:
    """The most memory that Python takes within a block, over what it had before."""

    def __enter__(self):
        gc.collect()
        tracemalloc.reset_peak()
        self.before = tracemalloc.get_traced_memory()[0]
        return self

    def __exit__(self, *_):
        self.bytes = tracemalloc.get_traced_memory()[1] - self.before


async def measured(connection, folder, names, forms):
    """The peak of making each list and writing it, and how many rows each has; what is read once is read before."""
    found, sizes = {}, {}
    for name in names:
        for form in forms if name == "BC-05" else ("csv",):
            with Peak() as peak:
                made = await report(connection, name)
                _WRITE[form](made, Path(folder) / f"{name}.{form}", "vi")
            found[name, form], sizes[name] = peak.bytes, len(made.table.rows)
            del made
    with Peak() as peak:
        async with connection.transaction():
            file = Path(folder) / "register.csv"
            order = register_print._Order(code="A", book="out", period=YEAR, form="csv", output=file)
            with register_print._sheet(order) as add:
                async for line in register_lines.lines(connection, "out", ONE, YEAR):
                    add([register_lines.said(value, "vi") for value in line])
    found["register", "csv"] = peak.bytes
    return found, sizes


@pytest.fixture
def traced(monkeypatch):
    """Memory is watched; and fewer rows at a time than usual, so that a list is long soon."""
    for module in (spooled, failures):
        monkeypatch.setattr(module, "BATCH", CHUNK)
    for module in (
        excluded,
        listed,
        measures,
        register_print_store,
        shown,
        signature_counts,
        signed_documents,
    ):
        monkeypatch.setattr(module, "CHUNK", CHUNK)
    monkeypatch.setattr(written, "PIECE", 8_192)
    monkeypatch.setattr(failures, "MOST_MOMENTS", CHUNK)
    tracemalloc.start()
    yield
    tracemalloc.stop()


async def test_eight_times_as_many_rows_take_no_more_memory(pool, tmp_path, traced):
    async with pool.acquire() as connection:
        await filled(connection, 1, 9)
        await measured(connection, tmp_path, LISTS, ("csv", "json", "xlsx"))
        await filled(connection, 10, FEW)
        few, sizes = await measured(connection, tmp_path, LISTS, ("csv", "json", "xlsx"))
        assert set(sizes.values()) == {FEW}
        await filled(connection, FEW + 1, 8 * FEW)
        many, sizes = await measured(connection, tmp_path, LISTS, ("csv", "json", "xlsx"))
    assert set(sizes.values()) == {8 * FEW}
    ratios = {name: round(many[name] / few[name], 2) for name in few}
    print(ratios, few, many)
    assert all(one <= MOST for one in ratios.values()), ratios
    for form, read in (("csv", csv_rows), ("json", json_rows), ("xlsx", xlsx_rows)):
        assert read(tmp_path / f"BC-05.{form}") == [f"{n}/CV" for n in range(1, 8 * FEW + 1)], form
    assert len((tmp_path / "register.csv").read_text("utf-8-sig").splitlines()) == 1 + 2 * 8 * FEW


def csv_rows(file):
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return [row[2] for row in csv.reader(opened)][1:]


def json_rows(file):
    return [row["number"] for row in json.loads(file.read_text("utf-8"))["rows"]]


def xlsx_rows(file):
    book = openpyxl.load_workbook(file, read_only=True)
    found = [row[2].value for row in book["BC-05"].iter_rows(min_row=2)]
    book.close()
    return found


# --- rows in a file ------------------------------------------------------------------------------------------------------


def row(n):
    return [
        n,
        f"số {n}",
        None,
        AT + timedelta(days=n),
        AT.date(),
        Word("class.E"),
        Measure(n, n + 1),
        Hundredths(n),
        Took(n),
    ]


@pytest.mark.parametrize("n", [0, 1, BATCH - 1, BATCH, BATCH + 1, 3 * BATCH, 3 * BATCH + 7])
def test_rows_come_back_as_they_were(n):
    rows = Rows()
    for one in range(n):
        rows.add(row(one))
    expected = [row(one) for one in range(n)]
    assert (len(rows), list(rows), list(rows)) == (n, expected, expected)
    assert rows[: BATCH + 3] == expected[: BATCH + 3]
    assert rows[-2:] == expected[-2:]
    for place in (0, BATCH - 1, BATCH, n - 1, -1):
        if -n <= place < n:
            assert rows[place] == expected[place]
        else:
            with pytest.raises(IndexError):
                rows[place]
    for one in zip(rows, chain([None], rows), strict=False):  # two who read at once
        assert one[1] is None or one[1][0] == one[0][0] - 1
    hidden = Changed(rows, lambda one: one[:1])
    assert (len(hidden), list(hidden), hidden[:2]) == (
        n,
        [[one] for one in range(n)],
        [[one] for one in range(n)][:2],
    )


def test_numbered_rows_and_no_file_left(tmp_path):
    rows = Rows(tmp_path)
    for _ in range(2 * BATCH):
        rows.number(["x"])
    assert [one[0] for one in rows] == list(range(1, 2 * BATCH + 1))
    assert list(tmp_path.iterdir()) == []
