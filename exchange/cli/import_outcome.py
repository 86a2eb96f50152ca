"""What an import of sheets did or would do, as JSON facts and for people."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import click

from exchange import texts
from exchange.broker.imports import Changed, Outcome
from exchange.edxml import view
from exchange.errors import Finding

CHANGES_SHOWN = 20


def facts(outcome: Outcome, language: str) -> dict[str, object]:
    """For `--json`."""
    return {
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "dry_run": outcome.dry_run,
        "version": outcome.version,
        "errors": [view.finding(found, language) for found in outcome.errors],
        "warnings": [view.finding(found, language) for found in outcome.warnings],
        "changes": [asdict(change) for change in outcome.changes],
    }


def tell(outcome: Outcome, file: str, language: str) -> None:
    """For people: findings on standard error, then what changes, then one sentence."""
    for found in (*outcome.errors, *outcome.warnings):
        click.echo(_finding(found, file, language), err=True)
    if outcome.errors:
        click.echo(texts.say("directory.nothing_written", language, count=len(outcome.errors)), err=True)
        return
    for line in _changes(outcome.changes[:CHANGES_SHOWN], language):
        click.echo(line)
    if len(outcome.changes) > CHANGES_SHOWN:
        click.echo(texts.say("directory.more", language, count=len(outcome.changes) - CHANGES_SHOWN))
    ended = "would" if outcome.dry_run else "imported" if outcome.version else "same"
    numbers = {name: getattr(outcome, name) for name in ("added", "changed", "unchanged", "version")}
    click.echo(texts.say(f"directory.{ended}", language, **numbers))


def _finding(found: Finding, file: str, language: str) -> str:
    """As compilers write it: file:line: severity: column: sentence."""
    column = found.path.partition(".")[2]
    where = ":".join([texts.clean(file), *([str(found.line)] if found.line else [])])
    said = texts.say(f"finding.{found.code}", language, **found.facts)
    severity = texts.say(f"directory.{found.severity}", language)
    return ": ".join(part for part in (where, severity, texts.clean(column), said) if part)


def _changes(changes: Iterable[Changed], language: str) -> Iterator[str]:
    for change in changes:
        named = {"kind": texts.say(f"directory.{change.kind}", language), "key": " ".join(change.key)}
        if change.new:
            yield texts.say("directory.new", language, **named)
        for field, (before, after) in change.fields.items():
            yield texts.say("directory.differs", language, **named, field=field, before=before, after=after)
