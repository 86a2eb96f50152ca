"""`congvan directory import|export FILE.xlsx`: the whole directory as one workbook for people to fill in.

The workbook opens with a sheet that tells how to fill in the others, in the language of the headings.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from exchange import texts
from exchange.broker import workbook as cases
from exchange.broker.imports import Asked
from exchange.cli import answers, import_outcome, operators, rejudging
from exchange.rules import (
    directory_book,
    directory_pages,
    directory_tabs,
    paper_class,
    xlsx_parts,
    xlsx_write,
)
from exchange.store import directory
from exchange.store.pool import Pool

HOW = 8
"""So many lines `workbook.how_<n>` tell how to fill in a workbook."""


@click.command("import")
@operators.FILE
@operators.asked
@operators.JSON
@operators.LANGUAGE
def import_workbook(*, file: Path, asked: Asked, as_json: bool, language: str) -> None:
    """Import a workbook (XLSX): every error at once with its sheet and cell, all or nothing."""
    at, new_ids = operators.now(), operators.new_ids()
    with operators.progress("directory.reading", language, file=file.name):
        book = cases.read(operators.start_of(file, xlsx_parts.MAX_FILE_BYTES))
        files = operators.beside(file, book.file_names)
        outcome, judged = operators.on_pool(
            rejudging.followed(
                lambda pool: cases.load(pool, book, files, new_ids=new_ids, at=at, asked=asked), language
            )
        )
    whence = import_outcome.Whence(file=file.name, place=partial(directory_book.place, book.taken))
    import_outcome.show(outcome, whence, language, as_json=as_json)
    rejudging.show(judged, language)
    sys.exit(answers.USAGE if outcome.errors else answers.YES)


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--headings", type=click.Choice(texts.LANGUAGES), default=None, help="Their language; that of --language."
)
@operators.JSON
@operators.LANGUAGE
def export_workbook(*, file: Path, headings: str | None, as_json: bool, language: str) -> None:
    """Write the whole directory as a workbook (XLSX) that `import` takes back without a change."""
    at, headed = operators.now(), headings or language
    with operators.progress("directory.writing", language, file=file.name):
        raw, version = operators.on_pool(lambda pool: _exported(pool, headed, at))
        try:
            file.write_bytes(raw)
        except OSError as error:
            operators.refuse("directory.not_written", language, file=file, why=error.strerror)
    if as_json:
        answers.show_json({"file": str(file), "bytes": len(raw), "version": version})
    else:
        click.echo(texts.say("directory.exported", language, file=file, version=version))


async def _exported(pool: Pool, language: str, at: datetime) -> tuple[bytes, int]:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        version = await directory.version(connection)
        return await cases.export(connection, notes(language, version, at), language), version


def notes(language: str, version: int, at: datetime) -> xlsx_write.Notes:
    """The first sheet: what this is, how it is filled in, and every column with what belongs there."""
    day = paper_class.local_day(at).strftime("%d/%m/%Y")
    lines: list[Sequence[str]] = [
        [texts.say("workbook.title", language)],
        [texts.say("workbook.made", language, version=version, day=day)],
        *([texts.say(f"workbook.how_{number}", language)] for number in range(1, HOW + 1)),
        [],
        [texts.say(f"workbook.head_{name}", language) for name in ("sheet", "column", "about")],
        *_columns(language),
    ]
    return xlsx_write.Notes(title=directory_tabs.NOTES[language], lines=lines, widths={1: 26, 2: 26, 3: 100})


def _columns(language: str) -> Iterator[Sequence[str]]:
    for tab in directory_tabs.TABS:
        for column in tab.layout.columns:
            about = texts.say(f"workbook.about_{tab.layout.name}_{column.name}", language)
            yield [tab.titles[language], directory_pages.heading(column, language), about]
