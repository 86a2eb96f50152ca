"""`congvan serve`: run the exchange; and `worker`, the process that serve starts."""

import contextlib
import os
import shutil
import signal
import socket
import ssl
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import structlog
import uvloop

from exchange import config, log, metrics, texts
from exchange.api import app, connections, pipes, supervisor
from exchange.broker import receipts
from exchange.cli import answers, given_files
from exchange.errors import Problem
from exchange.store import embedded, migrate

SWITCH_SECONDS = 0.0005
"""How long a thread that reads a large letter keeps the interpreter, while the loop that answers everybody wants it."""


@click.command()
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@click.option("--allow-nobody", is_flag=True, hidden=True)
def serve(*, workers: int, allow_nobody: bool) -> None:
    """Run the exchange: workers behind one address, on the embedded PostgreSQL or CONGVAN_DATABASE_URL."""
    given = answers.settings()
    log.configure(given.log_level)
    _refused([*given_files.wrong_policy(given), *given_files.wrong(given)])
    with _listening(given) as listening, _database(given, allow_nobody=allow_nobody) as database:
        receipts.ensure(given.receipt_key_file)
        environment = {**os.environ, "CONGVAN_DATABASE_URL": database.dsn, "CONGVAN_DATA": str(given.data)}
        environment[metrics.FOLDER] = str(_figures(given))
        scheme = "https" if given.tls else "http"
        address = f"{scheme}://{given.host}:{listening.getsockname()[1]}"
        click.echo(texts.say("cli.serving", given.language, address=address, workers=workers), err=True)
        supervisor.Supervisor(listening, environment, workers, database.revive).run()


@click.command(hidden=True)
@click.argument("socket_number", type=int)
@click.argument("lifeline", type=int)
@click.argument("ear", type=int)
def worker(socket_number: int, lifeline: int, ear: int) -> None:
    """One worker of `serve`, on the socket and pipes it inherited; ends when its parent does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # meant for the parent, who has the workers leave one by one
    given = answers.settings()
    log.configure(given.log_level)
    _refused(given_files.wrong_policy(given))
    assert given.database_url is not None
    structlog.contextvars.bind_contextvars(pid=os.getpid())
    listening = socket.socket(fileno=socket_number)
    sys.setswitchinterval(SWITCH_SECONDS)
    uvloop.run(app.serve(given, given.database_url, listening, pipes.Parent(lifeline, ear)))


def _refused(wrong: Sequence[str]) -> None:
    """A signature policy, calendar or league that cannot be used ends the command before anything is judged by it."""
    if wrong:
        click.echo("\n".join(map(texts.clean, wrong)), err=True)
        sys.exit(answers.USAGE)


def _figures(given: config.Config) -> Path:
    """An empty folder where the workers keep their figures."""
    folder = given.data / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


@contextlib.contextmanager
def _listening(given: config.Config) -> Iterator[socket.socket]:
    try:
        connections.tls(given)
        listening = supervisor.listen(given)
    except ssl.SSLError as error:
        answers.fail(answers.USAGE, "cli.bad_tls", file=given.tls_certificate, why=error.reason or error)
    except Problem:
        answers.fail(answers.USAGE, "cli.public_address", host=given.host)
    except OSError as error:
        answers.fail(
            answers.USAGE, "cli.address_taken", address=f"{given.host}:{given.port}", why=error.strerror
        )
    with listening:
        yield listening


@dataclass
class _Database:
    """The database that the workers use, and how the supervisor keeps an embedded one alive."""

    dsn: str
    server: embedded.Server | None = None

    def revive(self) -> bool:
        """Start an embedded server again that died; whether that was needed."""
        if self.server is None or embedded.alive(self.server):
            return False
        try:
            self.server = embedded.restart(self.server)
        except (embedded.EmbeddedError, OSError) as error:
            structlog.get_logger().error("database_not_restarted", error=str(error))
            return False
        return True


@contextlib.contextmanager
def _database(given: config.Config, *, allow_nobody: bool) -> Iterator[_Database]:
    """The configured database, its schema as the code wants it; only an embedded one is migrated here."""
    if given.database_url:
        missing = answers.reached(_missing(given.database_url))
        if missing:
            answers.fail(answers.UNAVAILABLE, "cli.not_migrated", missing=", ".join(missing))
        yield _Database(given.database_url)
        return
    database = _started(given, allow_nobody=allow_nobody)
    try:
        answers.reached(_migrated(database.dsn))
        yield database
    finally:
        assert database.server is not None
        embedded.stop(database.server)


def _started(given: config.Config, *, allow_nobody: bool) -> _Database:
    try:
        folder = given.data / "postgres"
        server = embedded.start(
            folder, user=given.database_user, allow_nobody=allow_nobody, progress=_say(given)
        )
    except embedded.EmbeddedError as error:
        click.echo(error.sentence(given.language), err=True)
        sys.exit(answers.UNAVAILABLE)
    return _Database(server.dsn, server)


def _say(given: config.Config) -> embedded.Progress:
    return lambda key: click.echo(texts.say(key, given.language), err=True)


async def _missing(dsn: str) -> tuple[str, ...]:
    async with answers.connected(dsn) as connection:
        return (await migrate.state(connection)).missing


async def _migrated(dsn: str) -> None:
    at = datetime.now(UTC)
    async with answers.connected(dsn) as connection:
        await migrate.migrate(connection, at)
        await migrate.partitions(connection, at)
