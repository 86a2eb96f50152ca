"""What the verbs of operators share: their options, one case on the configured database, tables, refusals."""

import functools
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from rich import box
from rich.table import Table
from rich.text import Text

from exchange import ids, texts
from exchange.broker.imports import Asked
from exchange.cli import answers, screen
from exchange.store import pool as pools
from exchange.store.pool import Pool

MAX_CERTIFICATE_BYTES = 1 << 20

Result = TypeVar("Result")

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
LANGUAGE = click.option(
    "--language",
    type=click.Choice(texts.LANGUAGES),
    envvar="CONGVAN_LANGUAGE",
    default="vi",
    show_default=True,
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
_BY = click.option("--by", default="", metavar="NAME", help="Who does it, for the record.")
SYSTEM = click.argument("system_id", metavar="ID", type=click.UUID)


def asked(command: Callable[..., None]) -> Callable[..., None]:
    """A command with --dry-run and --by, which it gets as one `asked`."""

    @_DRY_RUN
    @_BY
    @functools.wraps(command)
    def called(*, dry_run: bool, by: str, **others: object) -> None:
        command(asked=Asked(by=texts.clean(by), dry_run=dry_run), **others)

    return called


def on_pool(case: Callable[[Pool], Awaitable[Result]]) -> Result:
    """Run one use case on the configured database; if it cannot be had, the command ends (3)."""

    async def run(dsn: str) -> Result:
        opened = await pools.open(dsn, size=1)
        try:
            return await case(opened)
        finally:
            await opened.close()

    with answers.database(answers.settings()) as dsn:
        return answers.reached(run(dsn))


def now() -> datetime:
    """The moment of a command."""
    return datetime.now(UTC)


def new_ids() -> ids.Ids:
    """Ids for what a command makes."""
    return ids.Ids(now)


def refuse(key: str, language: str, **facts: object) -> NoReturn:
    """Say on standard error what is wrong with what was asked, and end (2)."""
    click.echo(texts.say(key, language, **facts), err=True)
    sys.exit(answers.USAGE)


def start_of(path: Path, limit: int = MAX_CERTIFICATE_BYTES) -> bytes:
    """A file's bytes, at most one more than `limit`: whoever reads them sees that there are too many."""
    with path.open("rb") as opened:
        return opened.read(limit + 1)


def beside(file: Path, names: Iterable[str]) -> dict[str, bytes]:
    """The files of these names in the folder of `file`; a name with a path is not followed."""
    paths = {name: file.parent / name for name in names if Path(name).name == name}
    return {name: start_of(path) for name, path in paths.items() if path.is_file()}


def table(
    names: Iterable[str], lines: Iterable[tuple[str, ...]], language: str, topic: str = "directory"
) -> None:
    """Lines for people, under the headings `<topic>.column_<name>`; the first cell of each is never cut."""
    shown, rows = Table(box=box.SIMPLE, pad_edge=False), list(lines)
    whole = max((len(cells[0]) for cells in rows), default=0)  # what one copies from here
    for position, name in enumerate(names):
        least = 0 if position else whole
        shown.add_column(texts.say(f"{topic}.column_{name}", language), min_width=least, overflow="fold")
    for cells in rows:
        shown.add_row(*(Text(texts.clean(cell)) for cell in cells))
    screen.console().print(shown)


@contextmanager
def progress(key: str, language: str, **facts: object) -> Iterator[None]:
    """Long work, told on standard error while it lasts if a person looks on."""
    console = screen.console(stderr=True)
    if not console.is_interactive:
        yield
        return
    with console.status(Text(texts.say(key, language, **facts))):
        yield
