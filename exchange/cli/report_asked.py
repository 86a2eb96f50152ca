"""What `congvan report` is asked: its options, as the question that reports are made from; and files of the deployment."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn, TypeVar, get_args

import click

from exchange import config
from exchange.cli import answers, named, report_paper
from exchange.rules import indicators, league, paper_class, routing, working_days
from exchange.store import measures as store
from exchange.store.pool import Connection
from exchange.tracker import chosen
from exchange.tracker import tally as counting
from exchange.tracker.chosen import Wanted
from exchange.tracker.reports.make import Settings
from exchange.tracker.signature_usage import Asked, Filters

SCOPES = (counting.WHOLE, *get_args(routing.Scope))
MOST_BYTES = 1 << 20
FORMS = ("table", "json", "csv", "xlsx", *report_paper.FORMATS)

Read = TypeVar("Read")


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options that cut a report, as they were given."""

    codes: tuple[str, ...]
    subtrees: tuple[str, ...]
    kinds: tuple[str, ...]
    levels: tuple[int, ...]
    view: str
    scope: str
    types: tuple[str, ...]
    urgency: tuple[int, ...]


def options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with all options that cut a report, which it gets as one `asked_for`."""

    @click.option("--agency", "codes", multiple=True, help="agency code; repeat for several; without it: all")
    @click.option("--subtree", "subtrees", multiple=True, help="this agency and all below it")
    @click.option("--kind", "kinds", multiple=True, help="only agencies of this kind")
    @click.option(
        "--level", "levels", multiple=True, type=click.IntRange(1, 4), help="only agencies of this level"
    )
    @click.option("--view", type=click.Choice(["out", "in"]), default="out", show_default=True)
    @click.option("--scope", type=click.Choice(SCOPES), default=counting.WHOLE, show_default=True)
    @click.option("--type", "types", multiple=True, help="only this type of document")
    @click.option("--urgency", multiple=True, type=click.IntRange(0, 4), help="only this urgency")
    @functools.wraps(command)
    def called(**given: object) -> None:
        names = Options.__dataclass_fields__
        cut = {name: given.pop(name) for name in names}
        command(asked_for=Options(**cut), **given)  # type: ignore[arg-type]  # click gives each its type

    return called


def in_form(command: Callable[..., None]) -> Callable[..., None]:
    """A command with --format and --json, which it gets as `form`."""

    @click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
    @click.option("--json", "as_json", is_flag=True, help="same as --format json")
    @functools.wraps(command)
    def called(*, form: str, as_json: bool, **given: object) -> None:
        command(form="json" if as_json else form, **given)

    return called


def unknown(given: Options) -> NoReturn:
    """End (2): nobody has one of the codes."""
    answers.fail(answers.USAGE, "cli.unknown_agency", codes=", ".join((*given.codes, *given.subtrees)))


async def asked(
    connection: Connection, span: counting.Period, given: Options, at: datetime
) -> tuple[Asked, list[str]] | None:
    """The question, with the codes of the agencies named; None if nobody has one of the codes."""
    codes = (*given.codes, *given.subtrees)
    found = await named.agencies(connection, codes, at)
    if None in found:
        return None
    known = [one for one in found if one]
    single, tops = known[: len(given.codes)], known[len(given.codes) :]
    wanted = Wanted(
        agencies=[one.id for one in single],
        subtrees=[one.id for one in tops],
        kinds=given.kinds,
        levels=given.levels,
    )
    rows = [] if wanted.everybody else await store.agencies(connection, paper_class.local_day(at), at)
    question = Asked(period=span, agencies=chosen.among(rows, wanted), as_of=at, filters=_filters(given))
    return question, [one.code for one in single]


def _filters(given: Options) -> Filters:
    return Filters(
        view=given.view,
        scope=None if given.scope == counting.WHOLE else given.scope,
        types=given.types or None,
        urgency=given.urgency or None,
        told=tuple(_told(given)),
    )


def _told(given: Options) -> list[tuple[str, str]]:
    named: Sequence[tuple[str, Sequence[object]]] = (
        ("subtree", given.subtrees),
        ("kind", given.kinds),
        ("level", given.levels),
        ("view", () if given.view == "out" else (given.view,)),
        ("scope", () if given.scope == counting.WHOLE else (given.scope,)),
        ("type", given.types),
        ("urgency", given.urgency),
    )
    return [(name, str(one)) for name, held in named for one in held]


def settings(given: config.Config, set_file: Path | None) -> Settings:
    """Calendar, league tables and indicators, each from its file if there is one; a file that cannot be used ends the command (2)."""
    calendar = _read(given.calendar_file, working_days.read) or working_days.default()
    tables = _read(given.league_file, league.read) or league.default()
    return Settings(
        calendar=calendar,
        league=tables,
        indicators=_read(set_file, indicators.read) or (),
        percent=given.coverage_percent,
    )


def _read(file: Path | None, read: Callable[[str], Read]) -> Read | None:
    if file is None:
        return None
    try:
        with file.open("rb") as opened:
            return read(opened.read(MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError) as error:
        answers.fail(answers.USAGE, "cli.report_file", file=file, why=error)
