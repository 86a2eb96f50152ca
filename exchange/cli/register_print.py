"""`congvan register export`: a register as a file with exactly the ten columns of Decree 30/2020/NĐ-CP Annex IV."""

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import BinaryIO

import click

from exchange import texts
from exchange.cli import answers, operators, report, tally
from exchange.rules import register_books, xlsx_write
from exchange.store.pool import Pool
from exchange.tracker import register_print
from exchange.tracker import tally as counting
from exchange.tracker.register_print import Said, Several, Value

WIDTHS = {
    "document": 20,
    "summary": 60,
    "party": 40,
    "signer": 24,
    "signed_for": 24,
    "note": 30,
    "handed_to": 24,
    "kept_by": 20,
}
WIDTH = 13
Add = Callable[[list[str | int | date | None]], None]


@click.command("export")
@click.option("--agency", required=True)
@click.option("--book", type=click.Choice(["out", "in"]), required=True)
@click.option("--period", required=True)
@click.option("--format", "form", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
@click.option("--output", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
@operators.LANGUAGE
def export(*, agency: str, book: str, period: str, form: str, output: Path, language: str) -> None:
    """A register from letters and loaded rows: one line for each document, all columns of the book."""
    try:
        span = counting.period(period)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_period", period=period)
    try:
        with click.open_file(str(output), "wb") as file, _sheet(form, book, file) as add:
            known = operators.on_pool(lambda pool: _written(pool, (agency, book, span), add, language))
    except OSError as error:
        operators.refuse("directory.not_written", language, file=output, why=error.strerror)
    if not known:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=agency)


@contextmanager
def _sheet(form: str, book: str, file: BinaryIO) -> Iterator[Add]:
    """Something that rows can be added to; the file is whole when the block ends."""
    columns = register_books.books()[book].printed_columns
    if form == "csv":
        text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        text.write("\ufeff")
        writer.writerow(column.heading for column in columns)
        yield lambda values: writer.writerow([report.harmless(_plain(value)) for value in values]) and None
        text.detach()
        return
    roll = xlsx_write.Roll(
        texts.say(f"register.book_{book}", "vi"),
        [xlsx_write.Column(heading=one.heading, width=WIDTHS.get(one.name, WIDTH)) for one in columns],
    )
    yield roll.add
    held = io.BytesIO()
    roll.save(held)
    file.write(held.getvalue())


def _plain(value: str | int | date | None) -> str | int:
    """A cell of a CSV file: days as people write them."""
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    return "" if value is None else value


async def _written(pool: Pool, asked: tuple[str, str, counting.Period], add: Add, language: str) -> bool:
    code, book, span = asked
    async with pool.acquire() as connection:
        (agency,) = await tally.agencies(connection, [code], operators.now())
        if agency is None:
            return False
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            async for line in register_print.lines(connection, book, agency.id, span):
                add([_said(value, language) for value in line])
    return True


def _said(value: Value, language: str) -> str | int | date | None:
    if not isinstance(value, Several):
        return texts.clean(value) if isinstance(value, str) else value
    parts = (
        texts.say(part.key, language, **dict(part.facts)) if isinstance(part, Said) else texts.clean(part)
        for part in value.parts
    )
    return "; ".join(filter(None, parts))
