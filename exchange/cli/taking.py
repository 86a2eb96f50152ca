"""Taking what is open: bodies into a folder, checked and on disk, and only then acknowledged.

A crash at any moment leaves whole files and open deliveries: the next run finds what is there, fetches the rest and
acknowledges. What cannot be taken (the letter was revoked meanwhile, the disk is full) is told, and stays open.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from exchange.cli import answers, bars, client
from exchange.links import keep, sdk
from exchange.links.upload import Progress

PAGE = 100
ACK_BATCH = 50
LONGEST_WAIT = 60
_TEXTS = ("id", "letter", "sha256")
GONE = 410
SHORT_PAUSE_SECONDS = 1.0
LONG_PAUSE_SECONDS = 30.0
"""How long a follower rests when nothing came, and at most when something cannot be taken."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """Whose deliveries to take, where to, and whether to acknowledge them."""

    agency: str | None
    folder: Path
    ack: bool


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One delivery of the inbox, where its bytes are now, and what went wrong.

    outcome: `listed` (not asked for) · `fetched` · `already` (was here) · `gone` · `busy` · `failed`
    """

    item: Mapping[str, Any]
    outcome: str = "listed"
    file: Path | None = None
    why: str = ""
    acknowledged: bool = False

    def facts(self) -> dict[str, Any]:
        """As JSON: the inbox item, and what became of it."""
        if self.outcome == "listed":
            return dict(self.item)
        told = {"outcome": self.outcome, "file": str(self.file) if self.file else None}
        why = {"text": self.why} if self.why else {}
        return {**self.item, **told, "acknowledged": self.acknowledged, **why}


Tell = Callable[[Taken], None]


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of what is open, and whether there is more."""

    items: Sequence[Mapping[str, Any]]
    more: bool


async def pages(
    exchange: sdk.Client, agency: str | None, *, wait: int, limit: int | None = None
) -> AsyncIterator[Page]:
    """What is open, in one pass of at most `limit`; the first page waits while nothing is. Raises UnavailableError."""
    after, left = None, limit
    while True:
        body = await _page(exchange, agency, after, PAGE if left is None else min(PAGE, left), wait)
        after, wait = body.get("next"), 0
        left = None if left is None else left - len(body["items"])
        yield Page(items=body["items"], more=isinstance(after, str))
        if not isinstance(after, str) or not body["items"] or left == 0:
            return


async def _page(
    exchange: sdk.Client, agency: str | None, after: str | None, limit: int, wait: int
) -> Mapping[str, Any]:
    """One page; a long wait is many requests."""
    while True:
        once = min(wait, LONGEST_WAIT)
        answer = client.final(await exchange.inbox(agency, after=after, limit=limit, wait=once))
        body = answer.facts()
        if not isinstance(body.get("items"), list) or not all(map(_sound, body["items"])):
            raise sdk.StrangeAnswerError("inbox")
        wait -= once
        if body["items"] or wait <= 0:
            return body


def _sound(item: object) -> bool:
    """Whether an item names what we need to fetch it: ids, digest, size."""
    if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in _TEXTS):
        return False
    try:
        UUID(item["id"]), UUID(item["letter"])
    except ValueError:
        return False
    return type(item.get("size")) is int and item["size"] >= 0


async def take_page(
    exchange: sdk.Client, access: client.Access, order: Order, page: Page
) -> AsyncIterator[Taken]:
    """Bring each delivery's bytes into the folder, and acknowledge those that are there.

    Raises UnavailableError, after it told what is in the folder without being acknowledged.
    """
    held: list[Taken] = []
    try:
        with bars.shown(watched=access.watched) as progress:
            for item in page.items:
                taken = await _take(exchange, access, order.folder, item, bars.bar(progress, keep.name(item)))
                if order.ack and taken.file:
                    held.append(taken)
                else:
                    yield taken
                if len(held) >= ACK_BATCH:
                    held, told = [], await _acknowledged(exchange, access, order.agency, held)
                    for one in told:
                        yield one
        held, told = [], await _acknowledged(exchange, access, order.agency, held)
    except sdk.UnavailableError:
        for one in held:
            yield one
        raise
    for one in told:
        yield one


async def _take(
    exchange: sdk.Client, access: client.Access, folder: Path, item: Mapping[str, Any], progress: Progress
) -> Taken:
    try:
        there = keep.kept(folder, item)
        if there is not None:
            return Taken(item=item, outcome="already", file=there)
        with keep.part(folder, item) as file:
            refused = await exchange.fetch(item, file, progress=progress)
            if refused is None:
                return Taken(item=item, outcome="fetched", file=keep.finish(folder, item, file))
    except keep.BusyError:
        return Taken(item=item, outcome="busy", why=access.say("client.busy"))
    except sdk.DamagedError as error:
        return Taken(item=item, outcome="failed", why=client.unavailable(access, error))
    except OSError as error:
        why = access.say("client.not_stored", folder=folder, why=client.reason(error))
        return Taken(item=item, outcome="failed", why=why)
    keep.discard(folder, item)
    outcome = "gone" if client.final(refused).status == GONE else "failed"
    return Taken(item=item, outcome=outcome, why="\n".join(client.refusal(access, refused)))


async def _acknowledged(
    exchange: sdk.Client, access: client.Access, agency: str | None, held: Sequence[Taken]
) -> list[Taken]:
    """The same, acknowledged, or with the exchange's word that it knows no such delivery of ours."""
    if not held:
        return []
    answer = client.final(await exchange.ack([one.item["id"] for one in held], agency))
    said = answer.facts()
    done = {str(one) for name in ("acknowledged", "already") for one in said.get(name, ())}
    return [
        replace(one, acknowledged=True)
        if one.item["id"] in done
        else replace(one, outcome="failed", why=access.say("client.ack_unknown", id=one.item["id"]))
        for one in held
    ]


async def follow(exchange: sdk.Client, access: client.Access, order: Order, tell: Tell) -> int:
    """Take whatever comes, until SIGTERM or Ctrl-C; the exit code. An exchange that is away is waited for."""
    following = asyncio.ensure_future(_follow(exchange, access, order, tell))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, following.cancel)
    try:
        await following
    except asyncio.CancelledError:
        return answers.YES
    return answers.YES


async def _follow(exchange: sdk.Client, access: client.Access, order: Order, tell: Tell) -> None:
    pause = SHORT_PAUSE_SECONDS
    while True:
        try:
            some, all_taken = await _pass(exchange, access, order, tell)
        except sdk.UntrustedError:
            raise
        except sdk.UnavailableError as error:
            click.echo(client.unavailable(access, error), err=True)
            some, all_taken = False, False
        pause = SHORT_PAUSE_SECONDS if all_taken else min(2 * pause, LONG_PAUSE_SECONDS)
        if not (some and all_taken):
            await asyncio.sleep(pause)


async def _pass(exchange: sdk.Client, access: client.Access, order: Order, tell: Tell) -> tuple[bool, bool]:
    """Everything that is open now, or comes within a minute: whether there was something, and all of it was taken."""
    taken: list[Taken] = []
    async for page in pages(exchange, order.agency, wait=LONGEST_WAIT):
        async for one in take_page(exchange, access, order, page):
            tell(one)
            taken.append(one)
    return bool(taken), all(one.acknowledged for one in taken)
