"""Books of 200,000 lines: what a line costs does not grow with the book, and few lines are held at a time."""

import io
import subprocess
import sys
import time

import pytest
import register_files as files
import register_world as world

from exchange.rules import xlsx_write
from exchange.store import pool as pools
from exchange.tracker import register_load

pytestmark = pytest.mark.bench
SMALL, LARGE, WORKBOOK = 20_000, 200_000, 40_000
"""Lines; writing a workbook costs more than reading it."""

READ = """
import sys
from datetime import date
from exchange.rules import register_books, registers
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
asked = registers.Asked(book=register_books.books()["out"], year=2026, today=date(2026, 11, 21))
before = peak()
with open(sys.argv[1], "rb") as file:
    rows = sum(len(taken.rows) for taken in registers.read(file, asked))
print(rows, peak() - before)
"""


def lines(count):
    return (
        files.out(
            f"{number}/UBND", f"Cơ quan số {number % 500}", summary=f"Công văn V/v việc số {number} của năm"
        )
        for number in range(1, count + 1)
    )


def workbook(path, count):
    roll = xlsx_write.Roll("Sổ", [xlsx_write.Column(heading=heading) for heading in files.OUT])
    for line in lines(count):
        roll.add(line)
    with path.open("wb") as file:
        roll.save(file)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_memory_does_not_grow_with_the_book(kind, tmp_path):
    path = tmp_path / f"book.{kind}"
    if kind == "csv":
        path.write_bytes(files.as_csv(lines(LARGE)))
    else:
        workbook(path, WORKBOOK)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True, timeout=600
    )
    rows, grown = map(int, done.stdout.split())
    print(f"{kind}: {rows:,} rows of {path.stat().st_size:,} bytes in {grown:,} kB over idle")
    assert rows == (LARGE if kind == "csv" else WORKBOOK)
    assert grown * 1024 < 8 * 2**20 + (
        2 * path.stat().st_size if kind == "xlsx" else 0
    )  # an archive is held whole


async def test_a_line_costs_the_same_in_a_large_book(province_database):
    opened = await pools.open(province_database)
    small, large = [await loaded(opened, count) for count in (SMALL // 10, SMALL)]
    ratio = (large / SMALL) / (small / (SMALL // 10))
    print(
        f"a row of {SMALL:,} costs {ratio:.2f} of a row of {SMALL // 10:,}; {large / SMALL * 1e6:.0f} µs each"
    )
    assert ratio < 2
    await opened.close()


async def loaded(opened, count):
    """Seconds for a book of so many lines, taken back again."""
    async with opened.acquire() as connection:
        agency = await world.agency(opened, "H13.01")
        order = register_load.Order(
            agency=agency, book="out", year=2026, lists="paper", name="a", dry_run=True
        )
        began = time.monotonic()
        outcome = await register_load.load(
            connection, io.BytesIO(files.as_csv(lines(count))), order, world.HAND, lambda _: None
        )
        taken = time.monotonic() - began
    assert outcome.rows == outcome.paper_only == count
    return taken
