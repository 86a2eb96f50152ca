"""`congvan tally`: the count, each ratio beside its evidence."""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import click
from rich.table import Table

from exchange import texts
from exchange.cli import answers, given_files, report_asked, screen
from exchange.cli.report_asked import Options
from exchange.rules import ratios, signature_measures
from exchange.tracker import merged, signature_usage
from exchange.tracker import tally as counting
from exchange.tracker.reports import written
from signing import trust

BY_SIGNATURE = frozenset(signature_measures.MEASURES)
"""Measures that no register could contradict."""
COLUMNS = (
    "period", "view", "scope", "agencies", "name", "n", "d", "text", "registers_n", "registers_d", "sufficient",
)  # fmt: skip


@click.command()
@click.option("--period", required=True, help="2019, 2019-07, 2019-07-31, 2019-Q3, 2019-H1, 2019-W05")
@report_asked.options
@click.option(
    "--format", "form", type=click.Choice(["table", "json", "csv"]), default="table", show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="same as --format json")
def tally(*, period: str, asked_for: Options, form: str, as_json: bool) -> None:
    """How many transfers were electronic, with paper, without legal value, undeclared, or on paper only."""
    given = answers.settings()
    try:
        span = counting.period(period)
    except ValueError:
        answers.fail(answers.USAGE, "cli.bad_period", period=period)
    trusted = given_files.trust_set(given)
    with answers.database(given) as dsn:
        counted = answers.reached(_count(dsn, span, asked_for, trusted, given.coverage_percent))
    if counted is None:
        answers.fail(
            answers.USAGE, "cli.unknown_agency", codes=", ".join((*asked_for.codes, *asked_for.subtrees))
        )
    said = written.doubted(counted, given.language)
    _PRINT["json" if as_json else form]({**said, "agencies": list(asked_for.codes)}, given.language)


async def _count(
    dsn: str, span: counting.Period, asked_for: Options, trusted: trust.Trust, percent: int
) -> dict[str, Any] | None:
    async with answers.connected(dsn) as connection:
        question = await report_asked.asked(connection, span, asked_for, datetime.now(UTC))
        if question is None:
            return None
        return await signature_usage.told(connection, question[0], trusted, percent)


def _print_table(body: dict[str, Any], language: str) -> None:
    console = screen.console()
    covered = body["coverage"]["registers"]
    title = texts.say(
        "cli.tally_title",
        language,
        period=body["period"],
        view=texts.say(f"cli.view_{body['view']}", language),
        version=_version(body, language),
    )
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column(texts.say("cli.class", language))
    table.add_column(texts.say("cli.transfers", language), justify="right")
    for klass, n in body["classes"].items():
        table.add_row(texts.say(f"class.{klass}", language), ratios.grouped(n))
    for kind, n in body["excluded"].items():
        table.add_row(
            texts.say("cli.excluded", language, kind=texts.say(f"excluded.{kind}", language)),
            ratios.grouped(n),
        )
    console.print(table)
    evidence = texts.say("cli.registers", language, n=covered["n"], d=covered["d"])
    for name, measure in body["measures"].items():
        named = f"{name.partition('_')[0]}  {texts.say(f'measure.{name}', language)}"
        if name in BY_SIGNATURE:
            console.print(f"{named}: {measure['text']}", soft_wrap=True)
        else:
            said = ratio(measure, language, sufficient=body["coverage"]["sufficient"])
            console.print(f"{named}: {said}  · {evidence}", soft_wrap=True)
    if body["as_of_now"]:
        kept = ", ".join(name for name in body["measures"] if name not in body["as_of_now"])
        console.print(texts.say("cli.tally_as_of_now", language, closed=kept), soft_wrap=True)
    for said in _mergers(body, language):
        console.print(said, soft_wrap=True)


def _mergers(body: dict[str, Any], language: str) -> Iterator[str]:
    """What is said of agencies that were merged into others within the period."""
    named = [
        merged.shown(one["code"], one["name"], one["successor"], date.fromisoformat(one["since"]))
        for one in body["merged"]
    ]
    if named:
        yield texts.say("report.merged", language, agencies="; ".join(named))
    if body["merged_more"]:
        yield texts.say("report.merged_more", language, n=ratios.grouped(body["merged_more"]))


def ratio(measure: Mapping[str, Any], language: str, *, sufficient: bool) -> str:
    """A ratio that registers could contradict: in percent only where enough of them are loaded; its counts always."""
    if sufficient or not measure["d"]:
        return str(measure["text"])
    return texts.say(
        "cli.insufficient", language, n=ratios.grouped(measure["n"]), d=ratios.grouped(measure["d"])
    )


def _version(body: dict[str, Any], language: str) -> str:
    if not body["sha256"]:
        return texts.say("cli.tally_provisional", language)
    return texts.say("cli.tally_version", language, version=body["version"], sha256=body["sha256"][:12])


def _print_json(body: dict[str, Any], _language: str) -> None:
    answers.show_json(body)


def _print_csv(body: dict[str, Any], _language: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    covered = body["coverage"]["registers"]
    evidence = [covered["n"], covered["d"], "yes" if body["coverage"]["sufficient"] else "no"]
    head = [body["period"], body["view"], body["scope"], " ".join(body["agencies"]) or counting.WHOLE]
    for klass, n in body["classes"].items():
        writer.writerow([*head, klass, n, "", "", *evidence])
    for name, measure in body["measures"].items():
        writer.writerow([*head, name, measure["n"], measure["d"], measure["text"], *evidence])
    click.echo("\ufeff" + file.getvalue(), nl=False)


_PRINT = {"table": _print_table, "json": _print_json, "csv": _print_csv}
