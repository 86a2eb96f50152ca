"""`congvan ack`, `congvan status` and `congvan trace`: deliveries in our hands, what became of them, what happened to a letter."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import click
from rich.table import Table
from rich.text import Text

from exchange import texts
from exchange.cli import answers, client, operations, why
from exchange.edxml import codes
from exchange.links import sdk
from exchange.rules import paper_class

ACK_BATCH = 500
MAX_INPUT_BYTES = 1 << 24
OUTCOMES = ("acknowledged", "already", "unknown")
STAFF = ("department", "name", "phone", "email")


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--for", "agency", metavar="CODE")
@client.talking
def ack(*, access: client.Access, ids: tuple[str, ...], agency: str | None) -> None:
    """Say that deliveries are in our hands; - reads ids from standard input. Exit 1: some are unknown."""
    if ids.count("-") + access.took_input > 1:
        client.fail(access.language, "client.one_standard_input")
    given = list(dict.fromkeys(_ids(access, ids)))
    if not given:
        client.fail(access.language, "client.no_ids")
    client.run(access, lambda exchange: _ack(exchange, access, given, agency))


def _ids(access: client.Access, given: Iterable[str]) -> Iterator[str]:
    for one in given:
        if one != "-":
            yield one
            continue
        try:
            yield from sys.stdin.buffer.read(MAX_INPUT_BYTES).decode().split()
        except ValueError as error:
            client.fail(access.language, "client.unreadable", file="-", why=error)


async def _ack(exchange: sdk.Client, access: client.Access, ids: Sequence[str], agency: str | None) -> int:
    said: dict[str, list[str]] = {name: [] for name in OUTCOMES}
    for start in range(0, len(ids), ACK_BATCH):
        body = client.final(await exchange.ack(ids[start : start + ACK_BATCH], agency)).facts()
        for name in OUTCOMES:
            said[name] += map(str, body.get(name, ()))
    if access.as_json:
        answers.show_json(said)
    else:
        _tell_acknowledged(access, said)
    return answers.NO if said["unknown"] else answers.YES


def _tell_acknowledged(access: client.Access, said: Mapping[str, Sequence[str]]) -> None:
    if not access.quiet:
        click.echo(access.say("client.acked", done=len(said["acknowledged"]), already=len(said["already"])))
    for one in said["unknown"]:
        click.echo(access.say("client.ack_unknown", id=one), err=True)


def _moment(access: client.Access, text: str | None) -> datetime:
    """A moment; one without a zone is Vietnam's, none is now."""
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=paper_class.VIETNAM)).astimezone(UTC)
    except (ValueError, OverflowError):
        client.fail(access.language, "client.bad_moment", text=text)


def _code(access: client.Access, text: str) -> str:
    """A status in two digits; also from what some libraries write for it."""
    code = codes.STATUS_ALIASES.get(text, text)
    if code not in codes.STATUSES:
        client.fail(access.language, "client.status_code", text=text, codes=", ".join(codes.STATUSES))
    return code


@click.command()
@click.argument("delivery", metavar="ID", type=click.UUID)
@click.argument("code", metavar="CODE")
@click.option("--reason", default="")
@click.option("--department", default="")
@click.option("--name", default="")
@click.option("--phone", default="")
@click.option("--email", default="")
@click.option("--at", "moment", metavar="TIME")
@click.option("--remark", default="")
@click.option("--share-remark", is_flag=True)
@client.talking
def status(  # noqa: PLR0913 - one argument an option
    *,
    access: client.Access,
    delivery: UUID,
    code: str,
    moment: str | None,
    reason: str,
    remark: str,
    share_remark: bool,
    **staff: str,
) -> None:
    """Tell the sender what became of a delivery."""
    known = _code(access, code)
    at = _moment(access, moment)  # one for all attempts: by it the exchange knows the notice again
    said = {name: staff[name] for name in STAFF if staff[name]}

    async def work(exchange: sdk.Client) -> int:
        answer = client.final(
            await exchange.status(
                str(delivery),
                known,
                reason=reason,
                staff=said or None,
                at=at,
                remark=remark,
                share_remark=share_remark,
            )
        )
        body = answer.facts()
        if access.as_json:
            answers.show_json(body)
        elif not access.quiet:
            name = codes.STATUSES[known][f"name_{access.language}"]
            receipt = body.get("receipt")
            letter = receipt.get("letter") if isinstance(receipt, dict) else "-"
            click.echo(access.say("client.status_sent", code=known, name=name, letter=letter))
            for line in operations.of_status(access, known):
                click.echo(line)
        return answers.YES

    client.run(access, work)


@click.command()
@click.argument("letter", metavar="ID", type=click.UUID)
@click.option("--why", "reasons", is_flag=True)
@client.talking
def trace(*, access: client.Access, letter: UUID, reasons: bool) -> None:
    """What happened to a letter, delivery by delivery: when, what, by whom. A recipient sees its own."""
    asked = {"why": "1"} if reasons else {}

    async def work(exchange: sdk.Client) -> int:
        body = client.final(await exchange.about(str(letter), "trace", **asked)).facts()
        if access.as_json:
            answers.show_json(body)
        else:
            _print_trace(access, body)
        return answers.YES

    client.run(access, work)


def _print_trace(access: client.Access, body: Mapping[str, Any]) -> None:
    """The form of the copy; each delivery with its state, and below it line by line: when, what, by whom; then the letters linked."""
    console = client.console()
    if body.get("copy") not in {None, "original"}:
        copy = access.say("client.trace_copy", copy=_known(access, "copy_form", body.get("copy")))
        console.print(Text(copy), soft_wrap=True)
    for delivery in _records(body.get("deliveries")):
        console.print(Text(_head(access, delivery), style="bold"), soft_wrap=True)
        for line in (*operations.of_delivery(access, delivery), *why.of_delivery(access, delivery)):
            console.print(Text(f"  {line}"), soft_wrap=True)
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
        for when, what, who in _timeline(access, delivery):
            table.add_row("", Text(when), Text(what), Text(who))
        console.print(table)
    links = _records(body.get("links"))
    if links:
        console.print(Text(access.say("client_operation.links"), style="bold"), soft_wrap=True)
    for link in links:
        console.print(Text(f"  {operations.of_link(access, link)}"), soft_wrap=True)


def _head(access: client.Access, delivery: Mapping[str, Any]) -> str:
    """To whom, what for, and how far it is."""
    told = [part for part in ("purpose", "state", "class") if part in delivery]
    return " · ".join(
        [
            texts.clean(str(delivery.get("recipient") or "-")),
            *(_known(access, part, delivery[part]) for part in told),
        ]
    )


def _timeline(access: client.Access, delivery: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The events in the order of the journal; to each notice what it said, which stands in a list of its own."""
    said = iter(_records(delivery.get("statuses")))
    for event in _records(delivery.get("events")):
        what = _known(access, "client_event", event.get("event"))
        detail = str(event.get("detail") or "")
        if event.get("event") == "status":
            words = (client.status_name(detail, access.language), next(said, {}).get("text"))
            what = ": ".join([what, *(str(one) for one in words if one)])
        elif event.get("event") == "remark":
            what = f"{what}: {detail}"
        elif detail:
            what = f"{what} ({detail})"
        yield client.moment(event.get("at")), texts.clean(what), texts.clean(str(event.get("by") or ""))


def _known(access: client.Access, part: str, code: object) -> str:
    """The name of a code; a code that this version does not know stands for itself."""
    return texts.catalogue(access.language).get(f"{part}.{code}") or texts.clean(str(code or "-"))


def _records(listed: object) -> list[Mapping[str, Any]]:
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
