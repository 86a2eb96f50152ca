"""`congvan report close` and `report versions`: months as they were published, and what changed since."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table

from exchange import config, texts
from exchange.cli import answers, screen
from exchange.rules import paper_class
from exchange.rules.ratios import grouped
from exchange.rules.reporting_period import Period
from exchange.store.periods import Version
from exchange.tracker import periods

VIEW = "out"
"""What is published is counted at the sender, once a transfer."""

CLASSES = (*paper_class.CLASSES, "X")


_AUTHOR = "congvan.closing.author"


def _remember(context: click.Context, _option: click.Parameter, author: str) -> None:
    context.meta[_AUTHOR] = author


BY = click.option(
    "--by", default="", metavar="NAME", expose_value=False, callback=_remember, help="who closes a period"
)
"""Who closes a period: of interest to `close` alone."""


def close(given: config.Config, span: Period, *, as_json: bool) -> None:
    """Close the months of a period; exit 1 if they cannot be closed."""
    author = str(click.get_current_context().meta[_AUTHOR])

    async def run(dsn: str) -> list[periods.Closed]:
        async with answers.connected(dsn, patient=True) as connection:
            return await periods.close(
                connection, span, at=datetime.now(UTC), author=author, close_day=given.close_day
            )

    if not author:
        answers.fail(answers.USAGE, "period.by")
    try:
        with answers.database(given) as dsn:
            closed = answers.reached(run(dsn))
    except periods.PeriodError as error:
        answers.fail(answers.NO, error.key, **error.facts)
    if as_json:
        answers.show_json(
            {
                "period": span.text,
                "months": [{**_facts(one.version), "written": one.written} for one in closed],
            }
        )
        return
    for one in closed:
        key = "period.closed" if one.written else "period.unchanged"
        screen.line(texts.say(key, given.language, **_told(one.version)))


def versions(given: config.Config, span: Period, *, as_json: bool) -> None:
    """What was published of each month, by the senders' days: version by version, with what each changed."""

    async def run(dsn: str) -> list[dict[str, Any]]:
        async with answers.connected(dsn) as connection:
            return await periods.history(connection, span, VIEW)

    with answers.database(given) as dsn:
        found = answers.reached(run(dsn))
    if as_json:
        told = [
            {**_facts(one["version"]), "classes": one["classes"], "change": one["change"]} for one in found
        ]
        answers.show_json({"period": span.text, "view": VIEW, "versions": told})
    elif found:
        _print(found, span, given.language)
    else:
        click.echo(texts.say("period.none", given.language, period=span.text))


def _facts(one: Version) -> dict[str, Any]:
    return {
        "month": f"{one.month:%Y-%m}",
        "version": one.version,
        "closed_at": one.closed_at.isoformat(timespec="seconds"),
        "by": one.author,
        "members": one.members,
        "sha256": one.sha256.hex(),
        "snapshot": one.snapshot,
    }


def _told(one: Version) -> Mapping[str, object]:
    return {**_facts(one), "month": f"{one.month:%m/%Y}", "members": grouped(one.members)}


def _print(found: list[dict[str, Any]], span: Period, language: str) -> None:
    def say(key: str, **facts: object) -> str:
        return texts.say(key, language, **facts)

    shown = say("period.versions", period=span.text, view=say(f"cli.view_{VIEW}"))
    table = Table(title=shown, title_justify="left")
    for name in ("month", "version", "closed_at", "by"):
        table.add_column(say(f"period.column_{name}"))
    for klass in CLASSES:
        table.add_column(say(f"period.class_{klass}"), justify="right")
    table.add_column(say("period.column_sha256"))
    for one in found:
        version = one["version"]
        table.add_row(
            f"{version.month:%m/%Y}", str(version.version), _moment(version.closed_at), texts.clean(version.author),
            *(_counted(one, klass) for klass in CLASSES), version.sha256.hex()[:16],
        )  # fmt: skip
    screen.console().print(table)


def _moment(at: datetime) -> str:
    return at.astimezone(paper_class.VIETNAM).strftime("%d/%m/%Y %H:%M")


def _counted(one: Mapping[str, Any], klass: str) -> str:
    """What a version publishes of a class; in brackets what it changed against the version before."""
    change = one["change"].get(klass, 0)
    said = grouped(one["classes"].get(klass, 0))
    return f"{said} ({change:+d})" if change and one["version"].version > 1 else said


Act = Callable[..., None]
ACTS: Mapping[str, Act] = {"close": close, "versions": versions}
"""What `congvan report` does beside making reports, by its name."""
