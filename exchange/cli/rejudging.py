"""Judging letters again from the command line: a bench of its own, progress, and what it did to transfers.

A command judges by the trust set of its own environment, as `congvan serve` does by that of its. Without a root there it
would find no signature valid: then it judges nothing, and leaves what is due to the exchange.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

from exchange import texts
from exchange.broker import rejudge, verify
from exchange.broker.examined import Bench
from exchange.broker.rejudged import Effect
from exchange.cli import answers, given_files, operators, screen
from exchange.rules import requirements
from exchange.rules.directory import Directory
from exchange.store import rejudgements
from exchange.store.pool import Pool
from exchange.store.rejudgements import Due
from signing import trust

Change = TypeVar("Change")

PAUSE, PATIENCE = 0.2, 15.0
"""Seconds between two looks at what others judge, and after how long we leave it to them."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What a command judged, and how many letters it leaves to the exchange."""

    effect: Effect
    remaining: int


@contextlib.asynccontextmanager
async def bench(pool: Pool) -> AsyncIterator[Bench | None]:
    """A bench by the trust set of this environment, while the block lasts; None if no root is trusted here."""
    given, trusting = answers.settings(), trusted()
    if not trusting.anchors:
        yield None
        return
    async with verify.VerifyPool(trusting) as verifier:
        yield Bench(
            pool=pool, verifier=verifier, policy=requirements.DEFAULT, ids=operators.new_ids(),
            clock=operators.now, payload_folder=Path(given.data) / "payloads", keep=True,
        )  # fmt: skip


def trusted() -> trust.Trust:
    """The trust set of this environment."""
    return given_files.trust_set(answers.settings())


async def previewed(at: Bench, dues: tuple[Due, ...], book: Directory, language: str) -> Effect:
    """What judging these letters by that directory would do."""
    effect = Effect()
    with _progress(len(dues), language) as tell:
        for start in range(0, len(dues), rejudge.CHUNK):
            effect += await rejudge.preview(at, dues[start : start + rejudge.CHUNK], book)
            tell(effect.letters)
    return effect


async def settled(at: Bench, reason: UUID | None, language: str) -> Settled:
    """Judge what is due for a reason (None: all that is due); what somebody else has taken is waited for a little."""
    left, effect, waited = await _left(at, reason), Effect(), 0.0
    with _progress(left, language) as tell:
        while left and waited < PATIENCE:
            judged = await rejudge.some(at, reason, first=True)
            if judged is None:
                await asyncio.sleep(PAUSE)
                waited += PAUSE
            else:
                effect, waited = effect + judged, 0.0
                tell(effect.letters)
            left = await _left(at, reason)
    return Settled(effect=effect, remaining=left)


def followed(
    change: Callable[[Pool], Awaitable[Change]], language: str
) -> Callable[[Pool], Awaitable[tuple[Change, Settled | None]]]:
    """A change of the directory, and judging what it made due."""

    async def run(pool: Pool) -> tuple[Change, Settled | None]:
        done = await change(pool)
        version = getattr(done, "version", None)
        return done, await after(pool, version, language) if version else None

    return run


async def after(pool: Pool, version: int, language: str) -> Settled | None:
    """Judge what a new version of the directory made due; None if it concerned no letter."""
    async with pool.acquire() as connection:
        reason = await rejudgements.reason_of(connection, version)
        left = await rejudgements.waiting(connection, reason) if reason else 0
    if not left:
        return None
    async with bench(pool) as at:
        if at is None:
            return Settled(effect=Effect(), remaining=left)
        return await settled(at, reason, language)


async def _left(at: Bench, reason: UUID | None) -> int:
    async with at.pool.acquire() as connection:
        return await rejudgements.waiting(connection, reason)


@contextlib.contextmanager
def _progress(letters: int, language: str) -> Iterator[Any]:
    """How many letters are judged, on standard error while it lasts, if a person looks on."""
    console = screen.console(stderr=True)
    if not console.is_interactive or not letters:
        yield lambda _done: None
        return
    with console.status("") as status:
        yield lambda done: status.update(texts.say("rejudge.progress", language, done=done, letters=letters))


def facts(effect: Effect) -> dict[str, Any]:
    """For `--json`; `counted` have arrived and stand in the tally, `waiting` have not arrived yet."""
    return {
        "letters": effect.letters,
        "changed": effect.changed,
        **{
            name: [{"from": before, "to": now, "transfers": n} for (before, now), n in sorted(moves.items())]
            for name, moves in (("counted", effect.counted), ("waiting", effect.waiting))
        },
    }


def told(effect: Effect, language: str) -> Iterator[str]:
    """For people: each change of class with its transfers, those not arrived yet apart."""
    if not effect.counted and not effect.waiting:
        yield texts.say("rejudge.nothing", language, letters=number(effect.letters, language))
    for name, moves in (("moves", effect.counted), ("will_move", effect.waiting)):
        for (before, now), n in sorted(moves.items()):
            words = {"from_words": texts.say(f"class.{before}", language)}
            words["to_words"] = texts.say(f"class.{now}", language)
            yield texts.say(
                f"rejudge.{name}", language, before=before, now=now, n=number(n, language), **words
            )


def ended(done: Settled | None, language: str) -> Iterator[str]:
    """For people: what was judged, and what is left to the exchange."""
    if done is None:
        return
    if done.effect.letters:
        yield texts.say(
            "rejudge.done", language, letters=number(done.effect.letters, language),
            changed=number(done.effect.changed, language),
        )  # fmt: skip
        yield from told(done.effect, language)
    if done.remaining:
        yield texts.say("rejudge.left", language, letters=number(done.remaining, language))


def show(done: Settled | None, language: str) -> None:
    """Say so on standard error: what a verb prints of its own stays as it is."""
    for each in ended(done, language):
        click.echo(each, err=True)


def number(count: int, language: str) -> str:
    """A count as readers of the language write it: 12.345, 12,345."""
    grouped = f"{count:,}"
    return grouped.replace(",", ".") if language == "vi" else grouped
