"""How every command ends: exit 0 yes, 1 the answer is "no", 2 usage or unreadable input, 3 the exchange is unavailable."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

import click

from exchange import config, texts
from exchange.cli.language import language
from exchange.store import embedded, pool

YES, NO, USAGE, UNAVAILABLE = 0, 1, 2, 3

Result = TypeVar("Result")


def settings() -> config.Config:
    """The settings of this process, in the language of the command; one that cannot be used ends it (2)."""
    try:
        return replace(config.read(), language=language())
    except config.SettingError as error:
        click.echo(error.sentence(language()), err=True)
        sys.exit(USAGE)


def fail(code: int, key: str, **facts: object) -> NoReturn:
    """Say one sentence on standard error, and end."""
    click.echo(texts.say(key, language(), **facts), err=True)
    sys.exit(code)


def show_json(body: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """One JSON object on standard output; what a terminal would act on is escaped, which is the same JSON."""
    click.echo(_escaped(json.dumps(body, ensure_ascii=False, indent=1, default=str)))


def show_json_pieces(pieces: Iterable[str]) -> None:
    """The same of an object that comes in pieces."""
    for one in pieces:
        click.echo(_escaped(one), nl=False)
    click.echo()


def _escaped(text: str) -> str:
    harmful = [one for one in set(text) if one != "\n" and not texts.harmless(one)]
    return text.translate({ord(one): json.dumps(one)[1:-1] for one in harmful})


def reached(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run what needs the database; if it cannot be had, the command ends (3)."""
    try:
        return asyncio.run(coroutine)
    except pool.UNAVAILABLE as error:
        fail(UNAVAILABLE, "cli.no_database", why=f"{type(error).__name__}: {error}")


@contextmanager
def database(given: config.Config) -> Iterator[str]:
    """The DSN of the configured database, or of the embedded one: the one `serve` runs, or started for this command."""
    if given.database_url:
        yield given.database_url
        return
    try:
        with embedded.running(given.data / "postgres", user=given.database_user, joining=True) as server:
            yield server.dsn
    except embedded.EmbeddedError as error:
        click.echo(error.sentence(given.language), err=True)
        sys.exit(UNAVAILABLE)


@asynccontextmanager
async def connected(dsn: str, *, patient: bool = False) -> AsyncIterator[pool.Connection]:
    """One connection, closed at the end; `patient`: for statements that take long."""
    connection = await pool.connect(dsn, patient=patient)
    try:
        yield connection
    finally:
        await connection.close()
