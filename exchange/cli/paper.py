"""`congvan paper received|declare|attest`: facts about paper, recorded by the operator for an office without a system.

Exit 1: there is no such delivery, letter or attestation. Exit 2: what is said cannot be. Exit 3: not now.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any, NoReturn, TypeVar
from uuid import UUID

import click

from exchange import texts
from exchange.broker import attestations
from exchange.broker import paper as cases
from exchange.broker.attestations import Attested
from exchange.broker.decisions import Refused
from exchange.broker.declared import PAPER_REASONS
from exchange.broker.paper import Declaration, Desk, Observed
from exchange.broker.paper_acts import Author
from exchange.cli import answers, operators, screen
from exchange.cli.certificates import agencies
from exchange.cli.rejudging import number
from exchange.store.pool import Pool

Done = TypeVar("Done")

_BY = click.option("--by", required=True, metavar="NAME", help="Who says so, for the record.")
_WHY = click.option("--why", default="", metavar="TEXT", help="Why, for the record.")
_UNDO = click.option("--undo", is_flag=True, help="Take it back; needs --why.")
_EXITS = {"not_found": answers.NO, "busy": answers.UNAVAILABLE}


@click.group()
def paper() -> None:
    """Facts about paper beside electronic letters."""


@paper.command()
@click.argument("delivery", metavar="ID", type=click.UUID)
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d", "%d/%m/%Y"]), metavar="DATE")
@_BY
@_WHY
@_UNDO
@operators.JSON
@operators.LANGUAGE
def received(  # noqa: PLR0913 - one argument an option
    *, delivery: UUID, on: datetime | None, by: str, why: str, undo: bool, as_json: bool, language: str
) -> None:
    """Say that the recipient got paper of a delivery on a day, or with --undo that it did not."""
    if (on is None) != undo:
        operators.refuse("paper.day_or_undo", language)
    day = on.date() if on else None
    done = _done(lambda at: cases.received(at, None, delivery, day, _author(by, why)), language)
    if as_json:
        answers.show_json(_observed(done))
        return
    key = "paper.received" if day else "paper.not_received"
    click.echo(texts.say(key, language, day=_day(day), klass=_class(done, language)))
    if done.found.conflict:
        click.echo(texts.say("paper.conflict", language))
    _unchanged(language, changed=done.changed)


@paper.command()
@click.argument("letter", metavar="ID", type=click.UUID)
@click.option("--paper", "said", type=click.Choice(["0", "1"]))
@click.option("--reason", type=click.Choice(PAPER_REASONS))
@click.option("--to", "codes", multiple=True, metavar="CODE")
@_BY
@_WHY
@_UNDO
@operators.JSON
@operators.LANGUAGE
def declare(  # noqa: PLR0913 - one argument an option
    *, letter: UUID, said: str | None, reason: str | None, codes: tuple[str, ...], by: str, why: str, undo: bool,
    as_json: bool, language: str,
) -> None:  # fmt: skip
    """Correct what a letter declares about paper, or with --undo let its own flag stand again."""
    if (said is None) != undo or (reason and said != "1"):
        operators.refuse("paper.paper_or_undo", language)

    async def run(pool: Pool) -> list[Observed] | Refused:
        to = frozenset(row for _, row in await agencies(pool, codes, operators.now())) if codes else None
        wanted = Declaration(paper=int(said) if said else None, reason=reason, to=to)
        return await cases.declare(_desk(pool), None, letter, wanted, _author(by, why))

    done = _ended(operators.on_pool(run), language)
    classes = cases.classes(done)
    if as_json:
        answers.show_json(
            {"letter": str(letter), "deliveries": [_observed(one) for one in done], "classes": classes}
        )
        return
    _tell("paper.declared", classes, language)


@paper.command()
@click.option("--agency", "code", required=True, metavar="CODE")
@click.option("--month", "text", required=True, metavar="YYYY-MM")
@_BY
@_WHY
@_UNDO
@operators.JSON
@operators.LANGUAGE
def attest(  # noqa: PLR0913 - one argument an option
    *, code: str, text: str, by: str, why: str, undo: bool, as_json: bool, language: str
) -> None:
    """Say for a recipient that in a month that has ended no other paper came."""
    first = attestations.month(text)
    if first is None:
        operators.refuse("paper.bad_month", language)

    async def run(pool: Pool) -> Attested | Refused:
        ((_, agency),) = await agencies(pool, [code], operators.now())
        case = attestations.undo if undo else attestations.attest
        return await case(_desk(pool), agency, first, _author(by, why))

    done = _ended(operators.on_pool(run), language)
    if as_json:
        told = {"attestation": str(done.id), "month": text, "changed": done.changed, "classes": done.classes}
        answers.show_json({**told, "undone": undo})
        return
    _tell("paper.attestation_undone" if undo else "paper.attested", done.classes, language, month=text)


def _done(case: Callable[[Desk], Awaitable[Done | Refused]], language: str) -> Done:
    return _ended(operators.on_pool(lambda pool: case(_desk(pool))), language)


def _desk(pool: Pool) -> Desk:
    return Desk(pool=pool, ids=operators.new_ids())


def _ended(done: Done | Refused, language: str) -> Done:
    return _refused(done, language) if isinstance(done, Refused) else done


def _refused(why: Refused, language: str) -> NoReturn:
    key = f"paper.refused_{why.code}" if why.code in {"not_found", "busy", "wrong_state"} else ""
    if why.detail == "why":
        key = "paper.refused_why"
    click.echo(texts.say(key or "paper.refused", language, detail=why.detail), err=True)
    sys.exit(_EXITS.get(why.code, answers.USAGE))


def _author(by: str, why: str) -> Author:
    name, words = texts.clean(by).strip()[: cases.MOST_NAME], texts.clean(why).strip()[: cases.MOST_WORDS]
    return Author(name=name, at=operators.now(), why=words)


def _observed(one: Observed) -> dict[str, Any]:
    found, seen = one.found, one.standing.paper_seen_on
    return {
        "delivery": str(one.delivery), "on": seen.isoformat() if seen else None, "class": found.klass,
        "grade": found.grade, "justified": found.justified, "conflict": found.conflict, "changed": one.changed,
    }  # fmt: skip


def _tell(key: str, classes: Mapping[str, int], language: str, **facts: object) -> None:
    changed = sum(classes.values())
    click.echo(texts.say(key, language, count=number(changed, language), **facts))
    for klass, n in sorted(classes.items()):
        screen.line(f"  {texts.say(f'class.{klass}', language)}: {number(n, language)}")
    _unchanged(language, changed=changed > 0)


def _unchanged(language: str, *, changed: bool) -> None:
    if not changed:
        click.echo(texts.say("paper.unchanged", language))


def _class(one: Observed, language: str) -> str:
    return texts.say(f"class.{one.found.klass or 'X'}", language)


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""
