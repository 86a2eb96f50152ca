"""`congvan register export`: a register as a file with exactly the ten columns of Decree 30/2020/NĐ-CP Annex IV."""

import csv
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

import click

from exchange import texts
from exchange.cli import answers, named, operators
from exchange.rules import register_books, xlsx_write
from exchange.rules.register_books import Column
from exchange.store.pool import Pool
from exchange.tracker import register_print
from exchange.tracker import tally as counting
from exchange.tracker.reports import written

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
Cell = str | int | date | None
Add = Callable[[Sequence[Cell]], None]


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
    order = _Order(code=agency, book=book, period=span, form=form, output=output)
    try:
        known = operators.on_pool(lambda pool: _written(pool, order, language))
    except _FileError as error:
        operators.refuse("directory.not_written", language, file=output, why=error)
    if not known:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=agency)


@dataclass(frozen=True, kw_only=True)
class _Order:
    code: str
    book: str
    period: counting.Period
    form: str
    output: Path


class _FileError(Exception):
    """The file cannot be written; not the database's fault."""


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _FileError(error.strerror) from error


@contextmanager
def _sheet(order: _Order) -> Iterator[Add]:
    """Something that rows can be added to; the file is whole when the block ends."""
    columns = register_books.books()[order.book].printed_columns
    with _writing():
        opened = click.open_file(str(order.output), "wb")
    with opened as file:
        if order.form == "csv":
            yield from _csv(file, columns)
        else:
            yield from _xlsx(file, texts.say(f"register.book_{order.book}", "vi"), columns)


def _csv(file: IO[bytes], columns: Sequence[Column]) -> Iterator[Add]:
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(column.heading for column in columns)

    def add(values: Sequence[Cell]) -> None:
        with _writing():
            writer.writerow([written.harmless(_plain(value)) for value in values])

    yield add
    text.detach()


def _xlsx(file: IO[bytes], title: str, columns: Sequence[Column]) -> Iterator[Add]:
    headed = [xlsx_write.Column(heading=one.heading, width=WIDTHS.get(one.name, WIDTH)) for one in columns]
    roll = xlsx_write.Roll(title, headed)
    yield roll.add
    with tempfile.TemporaryFile() as held:
        roll.save(held)
        held.seek(0)
        with _writing():
            shutil.copyfileobj(held, file)


def _plain(value: Cell) -> str | int:
    """A cell of a CSV file: days as people write them."""
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    return "" if value is None else value


async def _written(pool: Pool, order: _Order, language: str) -> bool:
    async with pool.acquire() as connection:
        (agency,) = await named.agencies(connection, [order.code], operators.now())
        if agency is None:
            return False
        with _sheet(order) as add:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                async for line in register_print.lines(connection, order.book, agency.id, order.period):
                    add([register_print.said(value, language) for value in line])
    return True
