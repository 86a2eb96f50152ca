"""`congvan tally`: the count, each ratio beside its evidence. `congvan check`: recompute it all, and compare."""

import asyncio
import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click
from rich.table import Table

from exchange import config, texts
from exchange.broker import receipts
from exchange.cli import answers, screen
from exchange.rules import directory as rules_directory
from exchange.rules import paper_class, routing, signature_measures
from exchange.store import directory, pool
from exchange.tracker import check as checking
from exchange.tracker import signature_usage
from exchange.tracker import tally as counting
from signing import trust

FAULTS_SHOWN = 50
BY_SIGNATURE = frozenset(signature_measures.MEASURES)
"""Measures that no register could contradict."""
SCOPES = (counting.WHOLE, *get_args(routing.Scope))


@click.command()
@click.option("--period", required=True, help="2019, 2019-07, 2019-07-31, 2019-Q3, 2019-H1, 2019-W05")
@click.option("--agency", "codes", multiple=True, help="agency code; repeat for several; without it: all")
@click.option("--view", type=click.Choice(["out", "in"]), default="out", show_default=True)
@click.option("--scope", type=click.Choice(SCOPES), default=counting.WHOLE, show_default=True)
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="same as --format json")
def tally(*, period: str, codes: tuple[str, ...], view: str, scope: str, form: str, as_json: bool) -> None:
    """How many transfers were electronic, with paper, without legal value, undeclared, or on paper only."""
    given = answers.settings()
    try:
        span = counting.period(period)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_period", period=period)
    trusted = answers.trusted(given)
    with answers.database(given) as dsn:
        counted = answers.reached(_count(dsn, span, view, scope, codes, trusted))
    if counted is None:
        answers.fail(answers.USAGE, "cli.unknown_agency", codes=", ".join(codes))
    _PRINT["json" if as_json else form]({**counted, "agencies": list(codes)}, given.language)


async def _count(
    dsn: str, span: counting.Period, view: str, scope: str, codes: tuple[str, ...], trusted: trust.Trust
) -> dict[str, Any] | None:
    at = datetime.now(UTC)
    async with answers.connected(dsn) as connection:
        found = await agencies(connection, codes, at)
        if None in found:
            return None
        chosen = [agency.id for agency in found if agency] if codes else None
        counted = await counting.count(connection, span, view=view, scope=scope, agencies=chosen, as_of=at)
        return await signature_usage.in_tally(connection, counted, chosen, trusted)


async def agencies(
    connection: pool.Connection, codes: Sequence[str], at: datetime
) -> list[rules_directory.Agency | None]:
    """The agencies with these codes today, None for a code that nobody has."""
    today = paper_class.local_day(at)
    snapshot = await directory.load(connection, today) if codes else None
    return [rules_directory.find(snapshot, code, today) for code in codes] if snapshot else []


def _print_table(body: dict[str, Any], language: str) -> None:
    console = screen.console()
    covered = body["coverage"]["registers"]
    title = texts.say(
        "cli.tally_title",
        language,
        period=body["period"],
        view=texts.say(f"cli.view_{body['view']}", language),
    )
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column(texts.say("cli.class", language))
    table.add_column(texts.say("cli.transfers", language), justify="right")
    for klass, n in body["classes"].items():
        table.add_row(texts.say(f"class.{klass}", language), grouped(n))
    for kind, n in body["excluded"].items():
        table.add_row(
            texts.say("cli.excluded", language, kind=texts.say(f"excluded.{kind}", language)), grouped(n)
        )
    console.print(table)
    evidence = texts.say("cli.registers", language, n=covered["n"], d=covered["d"])
    for name, measure in body["measures"].items():
        said = f"{name.partition('_')[0]}  {texts.say(f'measure.{name}', language)}: {measure['text']}"
        console.print(said if name in BY_SIGNATURE else f"{said}  · {evidence}", soft_wrap=True)


def grouped(number: int) -> str:
    """A count as Vietnamese readers write it: 441.042."""
    return f"{number:,}".replace(",", ".")


def _print_json(body: dict[str, Any], _language: str) -> None:
    answers.show_json(body)


def _print_csv(body: dict[str, Any], _language: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(
        ["period", "view", "scope", "agencies", "name", "n", "d", "text", "registers_n", "registers_d"]
    )
    covered = body["coverage"]["registers"]
    head = [body["period"], body["view"], body["scope"], " ".join(body["agencies"]) or counting.WHOLE]
    for klass, n in body["classes"].items():
        writer.writerow([*head, klass, n, "", "", covered["n"], covered["d"]])
    for name, measure in body["measures"].items():
        writer.writerow(
            [*head, name, measure["n"], measure["d"], measure["text"], covered["n"], covered["d"]]
        )
    click.echo("\ufeff" + file.getvalue(), nl=False)


_PRINT = {"table": _print_table, "json": _print_json, "csv": _print_csv}


@click.command()
@click.option("--json", "as_json", is_flag=True)
def check(*, as_json: bool) -> None:
    """Recompute bytes, receipts, classes and tally; exit 1 names every difference."""
    given = answers.settings()
    with answers.database(given) as dsn:
        result = answers.reached(_check(dsn, given))
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


async def _check(dsn: str, given: config.Config) -> checking.Checked:
    key = await asyncio.to_thread(receipts.load, Path(given.receipt_key_file), "")
    async with answers.connected(dsn) as connection:
        return await checking.check(connection, given.data / "payloads", key)
