"""`congvan directory history|undo`: the versions of the directory, and taking one back."""

import sys
from collections.abc import Iterator, Mapping, Sequence

import click

from exchange import texts
from exchange.broker import undo as cases
from exchange.broker.imports import Asked
from exchange.broker.undo import Nothing, Undone
from exchange.cli import answers, import_outcome, operators, rejudging
from exchange.cli.import_outcome import CHANGES_SHOWN
from exchange.rules import connection as moments
from exchange.rules import directory_undo
from exchange.rules.directory_images import Difference
from exchange.store import directory_changes
from exchange.store.directory_changes import Listed
from exchange.store.pool import Pool

OBSTACLES_SHOWN = 50
ENDS = {"none": answers.NO, "taken_back": answers.NO, "empty": answers.NO, "unknown": answers.USAGE}


@click.command("history")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="How many versions.")
@operators.JSON
@operators.LANGUAGE
def history(*, limit: int, as_json: bool, language: str) -> None:
    """The versions of the directory, the newest first: when, who, what, how many entries."""
    versions = operators.on_pool(_listed)
    undone_by = _undone_by(versions)
    if as_json:
        facts = [{**vars(one), "undone_by": undone_by.get(one.version)} for one in versions[:limit]]
        answers.show_json({"versions": facts})
        return
    lines = [_line(one, undone_by, language) for one in versions[:limit]]
    operators.table(("version", "at", "by", "event", "added", "changed", "removed"), lines, language)


@click.command("undo")
@click.option("--version", type=click.IntRange(1), help="Which; without it the last import in effect.")
@operators.asked
@operators.JSON
@operators.LANGUAGE
def undo(*, version: int | None, asked: Asked, as_json: bool, language: str) -> None:
    """Take back a version of the directory, as a new version; all of it or nothing."""
    at, new_ids = operators.now(), operators.new_ids()
    done, judged = operators.on_pool(
        rejudging.followed(
            lambda pool: cases.undo(pool, version, new_ids=new_ids, at=at, asked=asked), language
        )
    )
    if isinstance(done, Nothing):
        click.echo(texts.say(f"directory.undo_{done.why}", language, version=version), err=True)
        sys.exit(ENDS[done.why])
    if as_json:
        answers.show_json(_facts(done, language))
    else:
        _tell(done, language)
    rejudging.show(judged, language)
    sys.exit(answers.NO if done.obstacles else answers.YES)


async def _listed(pool: Pool) -> list[Listed]:
    async with pool.acquire() as connection:
        return await directory_changes.listed(connection)


def _undone_by(versions: Sequence[Listed]) -> Mapping[int, int]:
    """Of each version that is taken back, the undo in effect that did it."""
    plain = [
        directory_undo.Version(version=one.version, event=one.event, undoes=one.undoes) for one in versions
    ]
    standing = directory_undo.in_effect(plain)
    return {one.undoes: one.version for one in plain if one.undoes and one.version in standing}


def _line(one: Listed, undone_by: Mapping[int, int], language: str) -> tuple[str, ...]:
    what = texts.say(f"directory.event_{one.event}", language, version=one.undoes)
    if one.version in undone_by:
        what += texts.say("directory.undone_by", language, version=undone_by[one.version])
    counts = (str(one.added), str(one.changed), str(one.removed))
    return (str(one.version), moments.moment(one.at), one.by or "–", what, *counts)


def _facts(done: Undone, language: str) -> dict[str, object]:
    return {
        "undoes": done.undoes,
        "version": done.version,
        "dry_run": done.dry_run,
        "obstacles": [
            {**vars(each), "text": _obstacle(each, language)} for each in done.obstacles
        ],
        "changes": [
            {
                "kind": each.kind,
                "key": each.key,
                "new": each.before is None,
                "gone": each.after is None,
                "fields": each.fields,
            }
            for each in done.changes
        ],
    }  # fmt: skip


def _tell(done: Undone, language: str) -> None:
    for each in done.obstacles[:OBSTACLES_SHOWN]:
        click.echo(_obstacle(each, language), err=True)
    if done.obstacles:
        said = {"version": done.undoes, "count": len(done.obstacles)}
        click.echo(texts.say("directory.undo_refused", language, **said), err=True)
        return
    for line in _changes(done.changes[:CHANGES_SHOWN], language):
        click.echo(line)
    if len(done.changes) > CHANGES_SHOWN:
        click.echo(texts.say("directory.more", language, count=len(done.changes) - CHANGES_SHOWN))
    ended = "undo_would" if done.dry_run else "undone"
    count = len(done.changes)
    click.echo(
        texts.say(f"directory.{ended}", language, undoes=done.undoes, version=done.version, count=count)
    )


def _obstacle(each: directory_undo.Obstacle, language: str) -> str:
    words = import_outcome.named(each.kind, each.key, "", language)
    return texts.say(f"directory.obstacle_{each.why}", language, **words, about=each.about)


def _label(each: Difference) -> str:
    return str((each.after or each.before or {}).get("name", "")) if each.kind == "system" else ""


def _changes(changes: Sequence[Difference], language: str) -> Iterator[str]:
    for each in changes:
        words = import_outcome.named(each.kind, each.key, _label(each), language)
        if each.before is None:
            yield texts.say("directory.new", language, **words)
        elif each.after is None:
            yield texts.say("directory.gone", language, **words)
        for field, (before, after) in each.fields.items():
            yield texts.say("directory.differs", language, **words, field=field, before=before, after=after)
