"""`congvan migrate`: bring the schema up to date, on CONGVAN_DATABASE_URL or the embedded server in CONGVAN_DATA."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import click

from exchange import texts
from exchange.cli import answers
from exchange.store import migrate as schema


@dataclass(frozen=True, kw_only=True)
class Migrated:
    """What one run did: files applied, partitions made, and the newest file the database now has."""

    applied: tuple[str, ...]
    partitions: tuple[str, ...]
    newest: str


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Facts as one JSON object.")
@click.option("--language", type=click.Choice(texts.LANGUAGES), default=None)
def migrate(*, as_json: bool, language: str | None) -> None:
    """Apply the schema files that the database lacks. Exit 2: this release does not fit it; 3: it cannot be had now."""
    given = answers.settings()
    try:
        with answers.database(given) as dsn:
            done = answers.reached(_migrate(dsn, datetime.now(UTC)))
    except schema.MigrationError as error:
        click.echo(error.sentence(language or given.language), err=True)
        raise SystemExit(answers.UNAVAILABLE if error.temporary else answers.USAGE) from error
    if as_json:
        answers.show_json(asdict(done))
    else:
        click.echo("\n".join(_lines(done, language or given.language)))


async def _migrate(dsn: str, at: datetime) -> Migrated:
    async with answers.connected(dsn) as connection:
        applied = await schema.migrate(connection, at)
        partitions = await schema.partitions(connection, at)
        newest = (await schema.state(connection)).applied[-1]
    return Migrated(applied=applied, partitions=partitions, newest=newest)


def _lines(done: Migrated, language: str) -> list[str]:
    lines = [texts.say("database.migrate_applied", language, name=name) for name in done.applied]
    lines += [texts.say("database.migrate_partition", language, name=name) for name in done.partitions]
    return lines or [texts.say("database.migrate_nothing", language, name=done.newest)]
