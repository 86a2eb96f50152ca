"""`congvan demo --year`: a whole year rebuilt from published figures, played on this machine and shown as what it is."""

import asyncio
from pathlib import Path
from typing import Any

from rich.table import Table

from exchange import config, texts
from exchange.cli import bars, screen
from exchange.cli.tally import ratio
from exchange.demo import year, year_place
from exchange.rules.ratios import grouped

WHOLE, SMALL = 1, 10
"""By what the published sums are divided."""


def play(folder: Path, dsn: str, given: config.Config, *, small: bool) -> dict[str, Any]:
    """Play the year, with bars for whoever watches; its summary. Raises DemoError."""
    order = year.Order(folder=folder, divisor=SMALL if small else WHOLE)
    asyncio.run(year_place.prepare(dsn))
    with bars.stages("year", given.language) as tell:
        return asyncio.run(year.play(order, dsn, tell))


def show(summary: dict[str, Any], language: str) -> None:
    """The summary for people; that it is rebuilt stands in the title and again below."""
    console = screen.console()
    facts = {"year": summary["year"], "label": summary["label"]}
    title = texts.say("year.title", language, **facts)
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name in ("agencies", "letters"):
        table.add_row(texts.say(f"year.{name}_line", language), grouped(summary[name]))
    table.add_row(texts.say("year.deliveries", language), grouped(summary["deliveries"]["acknowledged"]))
    table.add_row(texts.say("year.registered", language), grouped(summary["deliveries"]["registered"]))
    table.add_row(texts.say("year.rows", language), grouped(summary["registers"]["rows"]))
    for klass, n in summary["tally"]["classes"].items():
        table.add_row(texts.say(f"class.{klass}", language), grouped(n))
    table.add_row(texts.say("year.closed", language), grouped(summary["months_closed"]))
    console.print(table)
    _ratios(summary["tally"], language)
    console.print(
        texts.say("year.source", language, source=summary["source"], label=summary["label"]), soft_wrap=True
    )
    if summary["divisor"] > WHOLE:
        console.print(texts.say("year.scaled", language, divisor=summary["divisor"]))
    console.print(texts.say("demo.done", language, seconds=decimal(summary["seconds"], language)))


def _ratios(tally: dict[str, Any], language: str) -> None:
    console = screen.console()
    evidence = texts.say("cli.registers", language, **tally["coverage"]["registers"])
    for name, measure in tally["measures"].items():
        said = ratio(measure, language, sufficient=tally["coverage"]["sufficient"])
        console.print(
            f"{name}  {texts.say(f'measure.{name}', language)}: {said}  · {evidence}", soft_wrap=True
        )


def decimal(number: float, language: str) -> str:
    """As its readers write it: 7,5 in Vietnamese, 7.5 in English."""
    return str(number).replace(".", ",") if language == "vi" else str(number)
