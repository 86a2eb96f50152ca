"""`congvan recheck`: judge again what newer revocation data, other authorities or the directory may have changed.

The exchange does the same by itself, a little at a time; this is for who does not want to wait, or wants to know first.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import click

from exchange import texts
from exchange.broker import recheck as cases
from exchange.broker.examined import Bench
from exchange.broker.rejudged import Effect
from exchange.cli import answers, operators, rejudging
from exchange.cli.certificates import agencies
from exchange.cli.rejudging import Settled
from exchange.store import directory, rejudgements
from exchange.store import pool as pools
from exchange.store.pool import Connection, Pool


@click.command()
@click.option(
    "--agency", "codes", multiple=True, metavar="CODE", help="All letters of these agencies as well."
)
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
@operators.JSON
@operators.LANGUAGE
def recheck(*, codes: tuple[str, ...], dry_run: bool, as_json: bool, language: str) -> None:
    """Judge letters again whose signatures may be worth something else by now. Exit 2: no trust set here."""

    async def run(pool: Pool) -> Settled:
        async with rejudging.bench(pool) as bench:
            if bench is None:
                operators.refuse("rejudge.no_trust_at_all", language)
            senders = [row for _, row in await agencies(pool, codes, operators.now())]
            if dry_run:
                return Settled(effect=await _tried(bench, senders, language), remaining=0)
            async with bench.pool.acquire() as connection, connection.transaction():
                await _find(bench, connection, senders)
            return await rejudging.settled(bench, None, language)

    done = operators.on_pool(run)
    if as_json:
        facts = {"dry_run": dry_run, "remaining": done.remaining, **rejudging.facts(done.effect)}
        answers.show_json(facts)
        return
    _tell(done, language, dry_run=dry_run)


async def _find(bench: Bench, connection: Connection, senders: Sequence[UUID]) -> None:
    await cases.found(bench, connection)
    if senders:
        await cases.ask(bench, connection, senders)


async def _tried(bench: Bench, senders: Sequence[UUID], language: str) -> Effect:
    """What would be due, judged and taken back."""
    async with bench.pool.acquire() as connection, connection.transaction(), pools.tried(connection):
        await _find(bench, connection, senders)
        dues = await rejudgements.of_reason(connection, None)
        book = await directory.read(connection, date.min)
    return await rejudging.previewed(bench, tuple(dues), book, language)


def _tell(done: Settled, language: str, *, dry_run: bool) -> None:
    if dry_run:
        letters = rejudging.number(done.effect.letters, language)
        click.echo(texts.say("rejudge.would", language, letters=letters))
        for line in rejudging.told(done.effect, language):
            click.echo(line)
        return
    lines = list(rejudging.ended(done, language))
    for line in lines or [texts.say("rejudge.nothing_due", language)]:
        click.echo(line)
