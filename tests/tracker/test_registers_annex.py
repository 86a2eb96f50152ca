"""Registers as annexes of BC-15 on a real database: exactly the ten columns, and a cover that says what the lines say."""

from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest
from measured_world import World

from exchange import texts
from exchange.rules import periodic_report, register_books
from exchange.tracker import tally
from exchange.tracker.reports import book
from exchange.tracker.reports.written import heading
from exchange.tracker.signature_usage import Asked

AT = datetime(2026, 11, 21, 5, tzinfo=UTC)


@pytest.fixture
async def world(pool):
    async with pool.acquire() as connection:
        made = await World(connection, Random(3)).fill(letters=60)
        await connection.execute(
            """UPDATE register_row SET load = id, line = 1, position = 1, entry = CASE direction WHEN 'in' THEN number ELSE '' END,
                      book = direction, issued_year = 2026, series = '', number_key = ltrim(number, '0'), notation_key = 'CV',
                      party_key = id::text"""
        )
        yield made


async def annex(world, code, agencies, language="vi", period="2026-02"):
    asked = Asked(period=tally.period(period), agencies=agencies, as_of=AT)
    async with world.connection.transaction():
        return await book.report(world.connection, code, asked, [], language)


@pytest.mark.parametrize("name", ["out", "in"])
def test_the_ten_columns_are_those_of_the_decree(name):
    given = book.book_columns(name)
    table = book.Table(name=f"book-{name}", columns=given, rows=[])
    assert [heading(table, one, "vi") for one in given] == [
        one.heading for one in register_books.books()[name].printed_columns
    ]
    assert len(given) == 10
    assert all(heading(table, one, language) for one in given for language in texts.LANGUAGES)


def test_both_registers_are_annexes_of_the_report():
    assert set(book.CODES) <= {code for codes in periodic_report.ANNEXES.values() for code in codes}


@pytest.mark.parametrize("name", ["out", "in"])
async def test_the_cover_tells_what_the_lines_tell(world, name):
    code = f"register-{name}"
    everybody = await annex(world, code, None)
    assert everybody.annex is None
    summary = {row[0]: row for row in everybody.table.rows}
    assert len(summary) >= 3
    shown = 0
    for one in world.agencies:
        made = await annex(world, code, [one["id"]])
        lines = [
            dict(zip([each.name for each in made.annex.columns], row, strict=True)) for row in made.annex.rows
        ]
        told = {
            each.name: value
            for each, value in zip(made.table.columns, (made.table.rows or [[]])[0], strict=False)
        }
        assert list(made.table.rows) == ([summary[one["code"]]] if one["code"] in summary else [])
        assert told.get("documents", 0) == len(lines)
        if not lines:
            continue
        shown += len(lines)
        assert told["electronic"] + told["both"] + told["paper"] == len(lines)
        assert told["paper"] == sum(
            line["note"].startswith(texts.say("register.note_paper", "vi")) for line in lines
        )
        days = [line["moved_on"] for line in lines]
        assert told["first_day"] == min(days)
        if name == "out":
            numbers = [int(line["document"].partition("/")[0]) for line in lines]
            assert (told["first_number"], told["last_number"]) == (min(numbers), max(numbers))
    assert shown > 20


@pytest.mark.parametrize("name", ["out", "in"])
async def test_the_lines_of_the_months_are_those_of_the_year(world, name):
    shown = 0
    for one in world.agencies:
        months = [
            await annex(world, f"register-{name}", [one["id"]], period=f"2026-{month:02}")
            for month in range(1, 13)
        ]
        year = await annex(world, f"register-{name}", [one["id"]], period="2026")
        lines = Counter(repr(row) for month in months for row in month.annex.rows)
        assert lines == Counter(repr(row) for row in year.annex.rows)
        assert sum(row[2] for made in months for row in made.table.rows) == lines.total()
        assert sum(row[2] for row in year.table.rows) == lines.total()
        shown += lines.total()
    assert shown > 40
