"""`congvan inbox`: what is open for our agencies; with --fetch into a folder, with --ack acknowledged once it is safe there."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from exchange import texts
from exchange.cli import answers, client, operations, screen, taking
from exchange.links import sdk

DAY_SECONDS = 86_400
COLUMNS = ("id", "reference", "issued", "sender", "subject", "purpose", "accepted")
_FINE = frozenset({"listed", "fetched", "already", "gone"})


@click.command()
@click.option("--for", "agency", metavar="CODE")
@click.option("--wait", type=click.IntRange(0, DAY_SECONDS), default=0, metavar="S", show_default=True)
@click.option("--limit", type=click.IntRange(1))
@click.option("--fetch", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR")
@click.option("--ack", is_flag=True)
@click.option("--follow", is_flag=True)
@client.talking
def inbox(  # noqa: PLR0913 - one argument an option
    *,
    access: client.Access,
    agency: str | None,
    wait: int,
    limit: int | None,
    folder: Path | None,
    ack: bool,
    follow: bool,
) -> None:
    """What is open for our agencies, oldest first. Exit 1: something could not be taken; 3: unavailable."""
    if ack and folder is None:
        client.fail(access.language, "client.ack_wants_fetch")
    if follow and not ack:
        client.fail(access.language, "client.follow_wants_ack")
    if follow and (limit or wait):
        client.fail(access.language, "client.follow_no_limit")
    if folder is None:
        client.run(access, lambda exchange: _list(exchange, access, agency, wait, limit))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        client.fail(access.language, "client.not_stored", folder=folder, why=client.reason(error))
    order = taking.Order(agency=agency, folder=folder, ack=ack)
    if follow:
        client.run(access, lambda exchange: taking.follow(exchange, access, order, _teller(access)))
    client.run(access, lambda exchange: _fetch(exchange, access, order, wait, limit))


async def _list(
    exchange: sdk.Client, access: client.Access, agency: str | None, wait: int, limit: int | None
) -> int:
    items: list[Mapping[str, Any]] = []
    more = False
    async for page in taking.pages(exchange, agency, wait=wait, limit=limit):
        items += page.items
        more = page.more
    if access.as_json:
        answers.show_json({"items": items, "more": more})
        return answers.YES
    if items:
        _print_table(items, access.language)
    if not access.quiet:
        click.echo(access.say("client.inbox_more" if more else "client.inbox", n=len(items)))
    return answers.YES


async def _fetch(
    exchange: sdk.Client, access: client.Access, order: taking.Order, wait: int, limit: int | None
) -> int:
    """Take one pass of what is open; what was taken is told also when the exchange goes away in between."""
    taken: list[taking.Taken] = []
    ending: dict[str, Any] = {"more": False}
    code = answers.YES
    try:
        async for page in taking.pages(exchange, order.agency, wait=wait, limit=limit):
            ending["more"] = page.more
            async for one in taking.take_page(exchange, access, order, page):
                taken.append(one)
                if not access.as_json:
                    _tell(access, one)
    except sdk.UnavailableError as error:
        code, sentence = answers.UNAVAILABLE, client.unavailable(access, error)
        ending |= {"outcome": "unknown", "text": sentence}
    if access.as_json:
        answers.show_json({"items": [one.facts() for one in taken], **ending})
    else:
        _end(access, taken, ending)
    return code or (answers.YES if all(one.outcome in _FINE for one in taken) else answers.NO)


def _end(access: client.Access, taken: Iterable[taking.Taken], ending: Mapping[str, Any]) -> None:
    if "text" in ending:
        click.echo(ending["text"], err=True)
    elif not access.quiet:
        held = [one for one in taken if one.file]
        done = sum(one.acknowledged for one in held)
        click.echo(access.say("client.fetched_all", n=len(held), acknowledged=done))


def _teller(access: client.Access) -> taking.Tell:
    """Tells each delivery as it is taken: a line, or with --json one object on one line."""

    def tell(one: taking.Taken) -> None:
        if access.as_json:
            click.echo(json.dumps(one.facts(), default=str))
        else:
            _tell(access, one)

    return tell


def _tell(access: client.Access, one: taking.Taken) -> None:
    fine = one.outcome in _FINE
    if access.quiet and fine:
        return
    item = one.item
    said = access.say(
        f"client.taken_{one.outcome}", id=item["id"], reference=_reference(item), sender=item.get("sender"),
        file=one.file.name if one.file else "-",
    )  # fmt: skip
    click.echo(said, err=not fine)
    for line in one.why.splitlines():
        screen.line(f"  {line}", err=True)


def _print_table(items: Iterable[Mapping[str, Any]], language: str) -> None:
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in COLUMNS:
        whole = name == "id"  # what one copies from here is never cut
        table.add_column(texts.say(f"client.column_{name}", language), no_wrap=whole, overflow="fold")
    for item in items:
        cells = (
            item["id"],
            _reference(item),
            _day(item.get("issued_on")),
            f"{item.get('sender_name') or ''} ({item.get('sender')})",
            _said(item, language),
            _wanted(item, language),
            client.moment(item.get("accepted_at")),
        )
        table.add_row(*(Text(texts.clean(str(cell))) for cell in cells))
    client.console().print(table)


def _reference(item: Mapping[str, Any]) -> str:
    """Number and notation as people write them, 12/UBND-VP; of a notice, that of its document's id."""
    said = "/".join(str(item[name]) for name in ("number", "notation") if item.get(name))
    return said or str(item.get("document_id") or "-")


def _said(item: Mapping[str, Any], language: str) -> str:
    """A letter's subject, after the name of an operation; before that of a notice, what it says of the document."""
    subject = str(item.get("subject") or "")
    if item.get("kind") != "notice":
        name = operations.name(item.get("operation"), language)
        return " ".join(filter(None, (name and f"[{name}]", subject or texts.say("client.letter", language))))
    status = client.status_name(str(item.get("status") or ""), language)
    return " ".join(filter(None, (texts.say("client.notice", language), status, subject)))


def _wanted(item: Mapping[str, Any], language: str) -> str:
    """What is wanted of us, and the form of the copy unless it is the original; nothing for a notice."""
    if item.get("kind") == "notice":
        return ""
    known = texts.catalogue(language)
    copy = "" if item.get("copy") == "original" else known.get(f"copy_form.{item.get('copy')}", "")
    return ", ".join(filter(None, (known.get(f"purpose.{item.get('purpose')}", ""), copy)))


def _day(text: object) -> str:
    try:
        return f"{date.fromisoformat(str(text)):%d/%m/%Y}"
    except ValueError:
        return ""
