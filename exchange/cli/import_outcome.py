"""What an import did or would do, as JSON facts and for people."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

import click

from exchange import texts
from exchange.broker.imports import Changed, Outcome
from exchange.cli import answers
from exchange.edxml import view
from exchange.errors import Finding

CHANGES_SHOWN = 20
FINDINGS_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Whence:
    """What was imported: the file's name and, for a workbook, in which sheet and cell a finding stands."""

    file: str
    place: Callable[[Finding], tuple[str, str]] | None = None


def show(outcome: Outcome, whence: Whence, language: str, *, as_json: bool) -> None:
    """As JSON, or for people: findings on standard error, then what changes, then one sentence."""
    if as_json:
        answers.show_json(facts(outcome, whence, language))
    else:
        _tell(outcome, whence, language)


def facts(outcome: Outcome, whence: Whence, language: str) -> dict[str, object]:
    """For `--json`."""
    return {
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "dry_run": outcome.dry_run,
        "version": outcome.version,
        "errors": [_fact(found, whence, language) for found in outcome.errors],
        "warnings": [_fact(found, whence, language) for found in outcome.warnings],
        "changes": [asdict(change) for change in outcome.changes],
    }


def named(kind: str, key: Iterable[str], label: str, language: str) -> dict[str, str]:
    """The words for an entry; a system's name stands before its id."""
    return {
        "kind": texts.say(f"directory.{kind}", language),
        "key": " ".join(part for part in (label, *key) if part),
    }


def _tell(outcome: Outcome, whence: Whence, language: str) -> None:
    findings = (*outcome.errors, *outcome.warnings)
    for found in findings[:FINDINGS_SHOWN]:
        click.echo(_finding(found, whence, language), err=True)
    if len(findings) > FINDINGS_SHOWN:
        more = len(findings) - FINDINGS_SHOWN
        click.echo(texts.say("directory.more_findings", language, count=more), err=True)
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


def _fact(found: Finding, whence: Whence, language: str) -> dict[str, object]:
    shown = view.finding(found, language)
    if whence.place is not None:
        sheet, cell = whence.place(found)
        shown |= {"sheet": sheet or None, "cell": cell or None}
    return shown


def _finding(found: Finding, whence: Whence, language: str) -> str:
    """As compilers write it: file:line: severity: column: sentence; in a workbook file:sheet!cell: …"""
    column = found.path.partition(".")[2]
    said = texts.say(f"finding.{found.code}", language, **found.facts)
    severity = texts.say(f"directory.{found.severity}", language)
    return ": ".join(part for part in (_where(found, whence), severity, texts.clean(column), said) if part)


def _where(found: Finding, whence: Whence) -> str:
    at = str(found.line) if found.line else ""
    if whence.place is not None:
        at = "!".join(part for part in whence.place(found) if part)
    return ":".join(texts.clean(part) for part in (whence.file, at) if part)


def _changes(changes: Iterable[Changed], language: str) -> Iterator[str]:
    for change in changes:
        words = named(change.kind, change.key, change.label, language)
        if change.new:
            yield texts.say("directory.new", language, **words)
        for field, (before, after) in change.fields.items():
            yield texts.say("directory.differs", language, **words, field=field, before=before, after=after)
