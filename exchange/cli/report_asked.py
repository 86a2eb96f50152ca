"""What `congvan report` is asked: its options, as the question that reports are made from; and files of the deployment."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn, get_args

import click

from exchange import config
from exchange.cli import answers, named, report_paper
from exchange.rules import indicators, league, paper_class, routing
from exchange.store import directory, directory_changes
from exchange.store import measures as store
from exchange.store.pool import Connection
from exchange.tracker import chosen, deployment
from exchange.tracker import tally as counting
from exchange.tracker.chosen import Wanted
from exchange.tracker.reports import cuts
from exchange.tracker.reports.make import Settings
from exchange.tracker.signature_usage import Asked, Filters

SCOPES = (counting.WHOLE, *get_args(routing.Scope))
WITH_FILE: Mapping[str, Callable[[Settings, Path], Settings]] = {
    "indicators": lambda found, file: replace(found, indicators=deployment.read(file, indicators.read)),
    "scores": lambda found, file: replace(
        found, scores=deployment.read(file, lambda text: league.scores(text, found.league))
    ),
}
"""Reports that need a file beside the question."""
FORMS = ("table", "json", "csv", "xlsx", *report_paper.FORMATS)


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
    predecessors: bool = False
    periods: int | None = None


def options(command: Callable[..., None]) -> Callable[..., None]:
    """A command with all options that cut a report, which it gets as one `asked_for`."""

    @click.option("--agency", "codes", multiple=True, help="agency code; repeat for several; without it: all")
    @click.option("--subtree", "subtrees", multiple=True, help="this agency and all below it")
    @click.option("--predecessors", is_flag=True, help="also the agencies merged into those asked for")
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
        cut = {name: given.pop(name) for name in Options.__dataclass_fields__ if name in given}
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


def check(name: str, given: Options) -> None:
    """End (2) where a report is asked for by what it does not go by."""
    wrong = cuts.refused(name, _filters(given))
    if given.periods and name not in cuts.WITH_LENGTH:
        wrong.append("periods")
    if wrong:
        answers.fail(
            answers.USAGE, "cli.report_filters", report=name, filters=", ".join(f"--{one}" for one in wrong)
        )


def unknown(given: Options) -> NoReturn:
    """End (2): nobody has one of the codes."""
    answers.fail(answers.USAGE, "cli.unknown_agency", codes=", ".join((*given.codes, *given.subtrees)))


async def asked(
    connection: Connection, span: counting.Period, given: Options, at: datetime
) -> tuple[Asked, list[str]] | None:
    """The question, with the codes of the agencies named; None if nobody has one of the codes."""
    codes = (*given.codes, *given.subtrees)
    found = await named.of_period(connection, codes, span.last, at)
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
    question = Asked(period=span, agencies=None, as_of=at, filters=_filters(given))
    if wanted.everybody:
        return question, []
    rows = await store.agencies(connection, paper_class.local_day(at), at)
    parents = await directory_changes.parents(connection, question.end) if wanted.subtrees else {}
    found_agencies = chosen.among(rows, wanted, parents)
    if given.predecessors:
        until = min(span.last, paper_class.local_day(at))
        mergers = await directory.successions(connection)
        found_agencies = chosen.with_predecessors(found_agencies, mergers, until)
    return replace(question, agencies=found_agencies), [one.code for one in single]


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
        ("predecessors", ("1",) if given.predecessors else ()),
        ("kind", given.kinds),
        ("level", given.levels),
        ("view", () if given.view == "out" else (given.view,)),
        ("scope", () if given.scope == counting.WHOLE else (given.scope,)),
        ("type", given.types),
        ("urgency", given.urgency),
    )
    return [(name, str(one)) for name, held in named for one in held]


def settings(given: config.Config, name: str, set_file: Path | None) -> Settings:
    """Calendar, league tables and what the report needs, each from its file; one that cannot be used ends the command (2)."""
    try:
        found = deployment.settings(given.calendar_file, given.league_file)
        found = replace(found, percent=given.coverage_percent)
        return WITH_FILE[name](found, set_file) if set_file else found
    except deployment.UnusableFileError as error:
        answers.fail(answers.USAGE, "cli.report_file", file=error.file, why=error.why)
