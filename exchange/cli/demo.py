"""`congvan demo`: everything at once on this machine, from an empty folder to a checked tally."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, TypedDict, Unpack

import click
from rich.table import Table

from exchange import config, texts
from exchange.cli import answers, demo_year, screen
from exchange.cli.tally import BY_SIGNATURE, ratio
from exchange.demo import run
from exchange.rules.ratios import grouped
from exchange.store import embedded


class Given(TypedDict):
    """The options as click hands them over."""

    leave: bool
    as_json: bool
    port: int
    folder: Path | None
    workers: int
    whole_year: bool
    small: bool


@click.command()
@click.option("--exit", "leave", is_flag=True, help="End after the summary instead of staying up.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8470, show_default=True, help="0: any free port"
)
@click.option(
    "--data", "folder", type=click.Path(file_okay=False, path_type=Path), help="Keep everything there."
)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--year", "whole_year", is_flag=True, help="A whole year, rebuilt from published figures.")
@click.option("--small", is_flag=True, help="With --year: a tenth of it.")
def demo(**asked: Unpack[Given]) -> None:
    """Watch signed letters travel between 452 agencies of a province, and be verified, delivered and counted."""
    given = answers.settings()
    if asked["small"] and not asked["whole_year"]:
        answers.fail(answers.USAGE, "year.small_alone")
    say = _teller(given, quiet=asked["as_json"])
    with _folder(asked["folder"]) as place:
        port = asked["port"] or run.free_port()
        stage = run.Stage(folder=place, port=port, workers=asked["workers"], say=say)
        try:
            with run.database(place, given.database_user, say) as dsn:
                _play(stage, dsn, given, asked)
                if not asked["leave"]:
                    _stay(stage, dsn, say)
        except embedded.EmbeddedError as error:
            click.echo(error.sentence(given.language), err=True)
            sys.exit(answers.UNAVAILABLE)
        except run.DemoError as error:
            why = texts.say(error.key, given.language, **error.facts)
            answers.fail(answers.NO, "demo.failed", why=why)


def _play(stage: run.Stage, dsn: str, given: config.Config, asked: Given) -> None:
    """The year, or the demo of every way a letter can end; shown at its end."""
    if asked["whole_year"]:
        year = demo_year.play(stage.folder, dsn, given, small=asked["small"])
        return answers.show_json(year) if asked["as_json"] else demo_year.show(year, given.language)
    started = monotonic()
    asyncio.run(run.prepare(dsn))
    _show(asyncio.run(run.play(stage, dsn, started)), given, as_json=asked["as_json"])
    return None


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    """The folder named, kept; or one of our own that other users may pass through, gone at the end."""
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.absolute()
        return
    place = Path(tempfile.mkdtemp(prefix="congvan-demo-"))
    place.chmod(0o711)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _teller(given: config.Config, *, quiet: bool) -> run.Say:
    console = screen.console(stderr=quiet)

    def say(key: str, **facts: object) -> None:
        for name in facts.keys() & {"case", "answer"}:
            facts[name] = texts.say(str(facts[name]), given.language)
        console.print(texts.say(key, given.language, **facts), soft_wrap=True)

    return say


def _show(summary: dict[str, Any], given: config.Config, *, as_json: bool) -> None:
    if as_json:
        answers.show_json(summary)
        return
    console = screen.console()
    table = Table(title=texts.say("demo.summary", given.language), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, number in _lines(summary):
        table.add_row(texts.say(f"demo_line.{name}", given.language), grouped(number))
    for klass in ("E", "S", "N", "U", "P", "X"):
        table.add_row(texts.say(f"class.{klass}", given.language), grouped(summary["tally"][klass]))
    console.print(table)
    evidence = texts.say("cli.registers", given.language, **summary["tally"]["coverage"]["registers"])
    sufficient = summary["tally"]["coverage"]["sufficient"]
    for name, measure in summary["tally"]["ratios"].items():
        named = f"{name.partition('_')[0]}  {texts.say(f'measure.{name}', given.language)}"
        said = ratio(measure, given.language, sufficient=name in BY_SIGNATURE or sufficient)
        console.print(
            f"{named}: {said}" if name in BY_SIGNATURE else f"{named}: {said}  · {evidence}", soft_wrap=True
        )
    console.print(
        texts.say("demo.done", given.language, seconds=demo_year.decimal(summary["seconds"], given.language))
    )


def _lines(summary: dict[str, Any]) -> Iterator[tuple[str, int]]:
    yield "agencies", summary["agencies"]
    for group in ("letters", "deliveries"):
        yield from ((f"{group}_{name}", number) for name, number in summary[group].items())
    yield "notices", summary["notices"]
    for group in ("verdicts", "certificates"):
        yield from ((f"{group}_{name}", number) for name, number in summary[group].items())


def _stay(stage: run.Stage, dsn: str, say: run.Say) -> None:
    """Serve until Ctrl-C, so that one can look around with the command line and the API."""
    say("demo.staying", address=stage.server, folder=stage.folder)
    command = [sys.executable, "-m", "exchange", "serve", "--workers", str(stage.workers)]
    os.spawnve(os.P_WAIT, sys.executable, command, stage.environment(dsn))  # noqa: S606 - our own program
