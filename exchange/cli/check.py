"""`congvan check`: recompute it all, and compare."""

import asyncio
from pathlib import Path

import click

from exchange import config, texts
from exchange.broker import receipts
from exchange.cli import answers, bars, screen
from exchange.tracker import check as checking

FAULTS_SHOWN = 50


@click.command()
@click.option("--json", "as_json", is_flag=True)
def check(*, as_json: bool) -> None:
    """Recompute bytes, receipts, classes and tally; exit 1 names every difference."""
    given = answers.settings()
    with answers.database(given) as dsn, bars.stages("check", given.language) as tell:
        result = answers.reached(_check(dsn, given, tell))
    faults = [{"code": fault.code, "where": fault.where} for fault in result.faults]
    numbers = {"letters": result.letters, "deliveries": result.deliveries, "facts": result.facts}
    if as_json:
        answers.show_json({**numbers, "faults": faults})
    else:
        click.echo(texts.say("cli.checked", given.language, **numbers, faults=len(faults)))
        for fault in faults[:FAULTS_SHOWN]:
            named = texts.say(f"fault.{fault['code']}", given.language)
            screen.line(f"  {named} ({fault['code']}): {fault['where']}")
    raise SystemExit(answers.NO if faults else answers.YES)


async def _check(dsn: str, given: config.Config, tell: checking.Tell) -> checking.Checked:
    key = await asyncio.to_thread(receipts.load, Path(given.receipt_key_file), "")
    async with answers.connected(dsn) as connection:
        return await checking.check(connection, given.data / "payloads", key, tell)
