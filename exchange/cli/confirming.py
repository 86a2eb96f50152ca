"""`congvan directory certificate confirm SHA256… --by NAME`: its effect first, then the change, then letters anew.

Exit 1: not confirmed because nobody said yes. Exit 2: something stands against it; nothing was written.
"""

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from exchange import texts
from exchange.broker import signers as cases
from exchange.broker.examined import Bench
from exchange.broker.rejudged import Effect
from exchange.broker.signers import Confirmed, Tried
from exchange.cli import answers, operators, rejudging
from exchange.cli.certificates import KINDS, SHORT
from exchange.cli.rejudging import Settled
from exchange.rules import confirmation
from exchange.rules import directory as rules
from exchange.rules.confirmation import Asked, Obstacle
from exchange.store.pool import Pool


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """A command with what is to be confirmed and by whom, which it gets as one `asked`."""

    @click.argument("certificates", nargs=-1, required=True, metavar="SHA256...")
    @click.option(
        "--by",
        "names",
        multiple=True,
        required=True,
        metavar="NAME",
        help="Who confirms; twice for two persons.",
    )
    @click.option("--agency", default="", metavar="CODE", help="Whose row, if several have the certificate.")
    @click.option("--kind", type=click.Choice(KINDS), default=None, help="The kind that the row must have.")
    @functools.wraps(command)
    def called(
        *,
        certificates: tuple[str, ...],
        names: tuple[str, ...],
        agency: str,
        kind: str | None,
        **others: object,
    ) -> None:
        by, code = tuple(map(texts.clean, names)), rules.canonical(agency)
        command(asked=Asked(certificates=certificates, by=by, agency=code, kind=kind or ""), **others)

    return called


@click.command()
@_asked
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change.")
@operators.JSON
@operators.LANGUAGE
def confirm(*, asked: Asked, yes: bool, dry_run: bool, as_json: bool, language: str) -> None:
    """Confirm whose certificates are: an agency's and a device's by two persons, a person's by one."""
    if as_json and not (yes or dry_run):
        operators.refuse("certificate.json_asks", language)
    way = _Way(asked=asked, yes=yes, dry_run=dry_run, as_json=as_json, language=language)
    sys.exit(operators.on_pool(way.go))


@dataclass(frozen=True, kw_only=True)
class _Way:
    """One run of the verb, from the try to the end."""

    asked: Asked
    yes: bool
    dry_run: bool
    as_json: bool
    language: str

    async def go(self, pool: Pool) -> int:
        """The exit code."""
        at, new_ids = operators.now(), operators.new_ids()
        tried = await cases.try_confirm(pool, self.asked, new_ids=new_ids, at=at)
        if tried.confirmed.obstacles:
            return self._refused(tried.confirmed)
        async with rejudging.bench(pool) as bench:
            if bench is None and tried.dues:
                operators.refuse("rejudge.no_trust", self.language, letters=len(tried.dues))
            effect = await self._effect(bench, tried)
            if not self._agreed(tried.confirmed, effect):
                return answers.YES if self.dry_run else answers.NO
            done = await cases.confirm(pool, self.asked, new_ids=new_ids, at=operators.now())
            if done.obstacles:
                return self._refused(done)
            judged = None
            if bench is not None and done.rejudgement is not None:
                judged = await rejudging.settled(bench, done.rejudgement, self.language)
        self._written(done, judged)
        return answers.YES

    async def _effect(self, bench: Bench | None, tried: Tried) -> Effect:
        if bench is None or tried.book is None:
            return Effect()
        return await rejudging.previewed(bench, tried.dues, tried.book, self.language)

    def _refused(self, found: Confirmed) -> int:
        if self.as_json:
            answers.show_json(_facts(found, None, 0, self.language, dry_run=self.dry_run))
            return answers.USAGE
        for each in found.obstacles:
            click.echo(_obstacle(each, self.language), err=True)
        count = len(found.obstacles)
        click.echo(texts.say("certificate.refused", self.language, count=count), err=True)
        return answers.USAGE

    def _agreed(self, would: Confirmed, effect: Effect) -> bool:
        """Show what it would do, and ask unless that was answered; whether to go on."""
        if self.as_json:
            if self.dry_run:
                answers.show_json(_facts(would, effect, 0, self.language, dry_run=True, version=None))
            return not self.dry_run
        for line in _rows(would, self.language):
            click.echo(line)
        for line in rejudging.told(effect, self.language):
            click.echo(line)
        if self.dry_run:
            click.echo(texts.say("certificate.dry_run", self.language))
            return False
        if self.yes or _said_yes(self.language):
            return True
        click.echo(texts.say("certificate.not_confirmed", self.language), err=True)
        return False

    def _written(self, done: Confirmed, judged: Settled | None) -> None:
        effect, remaining = (judged.effect, judged.remaining) if judged else (Effect(), 0)
        if self.as_json:
            answers.show_json(_facts(done, effect, remaining, self.language, dry_run=False))
            return
        said = {"count": len(done.entries), "version": done.version}
        click.echo(texts.say("certificate.confirmed", self.language, **said))
        for line in rejudging.ended(judged, self.language):
            click.echo(line)


def _said_yes(language: str) -> bool:
    """Whether a person agrees; an end of input is a no."""
    try:
        answer = click.prompt(
            texts.say("certificate.ask", language), default="", show_default=False, err=True
        )
    except click.Abort:
        return False
    return answer.strip().casefold() in texts.say("certificate.ask_yes", language).split()


def _rows(found: Confirmed, language: str) -> Sequence[str]:
    return [
        texts.say(
            "certificate.row" if not confirmation.wanting(one) else "certificate.row_wanting", language,
            certificate=one.certificate[:SHORT], agency=one.agency, names=", ".join(one.confirmed_by),
            kind=texts.say(f"certificate.kind_{one.kind}", language), wanting=confirmation.wanting(one),
        )
        for one in found.entries
    ]  # fmt: skip


def _obstacle(each: Obstacle, language: str) -> str:
    said = texts.say(f"certificate.obstacle_{each.code}", language, **each.facts)
    return f"{texts.clean(each.certificate[:SHORT])}: {said}" if each.certificate else said


def _facts(
    found: Confirmed, effect: Effect | None, remaining: int, language: str, *, dry_run: bool, **more: object
) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "version": found.version,
        "certificates": [
            {**asdict(one), "confirmed": one.confirmed, "wanting": confirmation.wanting(one)}
            for one in found.entries
        ],
        "effect": rejudging.facts(effect) if effect else None,
        "remaining": remaining,
        "obstacles": [
            {"code": each.code, "certificate": each.certificate, "text": _obstacle(each, language)}
            for each in found.obstacles
        ],
        **more,
    }
