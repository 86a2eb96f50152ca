"""`congvan send FILE…`: hand letters and notices to the exchange, and check the receipt of each.

Sending the same file again is always safe: the letter's identity (sender, DocumentId, round) and its bytes make the
exchange answer with the first receipt. So whoever does not know the outcome sends again.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from exchange import texts
from exchange.broker.declared import COPY_FORMS, PAPER_REASONS, PURPOSES
from exchange.cli import answers, bars, client, operations, screen
from exchange.links import keep, sdk, statement
from exchange.links.upload import Progress
from signing import keys

MAX_FILE_BYTES = 1 << 30
CREATED = 201
CODES = {
    "accepted": answers.YES,
    "replayed": answers.YES,
    "refused": answers.NO,
    "doubtful": answers.NO,
    "unreadable": answers.USAGE,
    "not_kept": answers.USAGE,
    "unknown": answers.UNAVAILABLE,
    "not_tried": answers.UNAVAILABLE,
}
"""Each outcome of a file with the exit code it asks for; the command ends with the highest."""

UNCOUNTED = frozenset({"revoke", "update", "status"})
"""Operations that are no document of their own: no class is told of them."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one file: the receipt statement, the problem, or in one sentence why there is neither."""

    file: str
    outcome: str
    answer: sdk.Answer | None = None
    why: str = ""

    def facts(self) -> dict[str, Any]:
        """As JSON."""
        body = self.answer.body if self.answer else None
        told = {"problem": body} if self.outcome == "refused" else body
        why = {"text": self.why} if self.why else {}
        return {"file": self.file, "outcome": self.outcome, **why, **(told if isinstance(told, dict) else {})}


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to do with every file."""

    beside: dict[str, str | Sequence[str]]
    upload_above: int
    receipt: Path | None
    receipt_key: keys.StatementPublicKey | None


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True),
)  # fmt: skip
@click.option("--main", metavar="NAME")
@click.option("--copy", type=click.Choice(COPY_FORMS))
@click.option("--purpose", multiple=True, metavar="CODE:act|cooperate|inform")
@click.option("--paper-reason", type=click.Choice(PAPER_REASONS))
@click.option("--resend", type=click.IntRange(1, 99_999))
@click.option("--test", is_flag=True)
@click.option("--receipt", type=click.Path(path_type=Path))
@click.option("--receipt-key", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--upload-above", type=click.IntRange(0), default=sdk.UPLOAD_ABOVE_BYTES, show_default=True)
@client.talking
def send(
    *,
    access: client.Access,
    files: tuple[str, ...],
    receipt: Path | None,
    receipt_key: Path | None,
    upload_above: int,
    **beside: Any,  # noqa: ANN401 - the metadata of the contract, by its names there
) -> None:
    """Send each FILE (edXML; - is standard input). Exit 0: all accepted; 1: one refused; 2: unreadable; 3: unavailable."""
    for one in beside["purpose"]:
        code, _, purpose = one.rpartition(":")
        if not code or purpose not in PURPOSES:
            client.fail(access.language, "client.purpose", text=one)
    if receipt is not None and len(files) > 1 and not receipt.is_dir():
        client.fail(access.language, "client.receipt_folder")
    order = Order(
        beside={name: _written(said) for name, said in beside.items() if said},
        upload_above=upload_above, receipt=receipt, receipt_key=_public_key(access, receipt_key),
    )  # fmt: skip
    if files.count("-") + access.took_input > 1:
        client.fail(access.language, "client.one_standard_input")
    client.run(access, lambda exchange: _send_all(exchange, access, files, order))


def _written(said: object) -> str | list[str]:
    """An option as a query parameter: a switch is 1, what may be repeated a list."""
    if isinstance(said, tuple):
        return [str(one) for one in said]
    return "1" if said is True else str(said)


def _public_key(access: client.Access, file: Path | None) -> keys.StatementPublicKey | None:
    if file is None:
        return None
    try:
        return keys.load_statement_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        client.fail(access.language, "client.bad_receipt_key", file=file.name, why=client.reason(error))


async def _send_all(exchange: sdk.Client, access: client.Access, files: Sequence[str], order: Order) -> int:
    """Send file after file; when the exchange is unavailable for one, the rest is not tried."""
    exchange = sdk.Client(exchange.line, order.upload_above)
    outcomes: list[Outcome] = []
    with bars.shown(watched=access.watched) as progress:
        for file in files:
            if outcomes and outcomes[-1].outcome in {"unknown", "not_tried"}:
                outcomes.append(Outcome(file=file, outcome="not_tried", why=access.say("client.not_tried")))
            else:
                outcomes.append(await _send(exchange, access, file, order, bars.bar(progress, file)))
            if not access.as_json:
                _tell(access, outcomes[-1])
    if access.as_json:
        answers.show_json({"files": [one.facts() for one in outcomes]})
    return max(CODES[one.outcome] for one in outcomes)


async def _send(
    exchange: sdk.Client, access: client.Access, file: str, order: Order, progress: Progress
) -> Outcome:
    try:
        raw = _read(file)
    except OSError as error:
        return Outcome(file=file, outcome="unreadable", why=client.reason(error))
    try:
        answer = client.final(await exchange.send(raw, progress=progress, **order.beside))
    except sdk.UnavailableError as error:
        return Outcome(file=file, outcome="unknown", why=client.unavailable(access, error))
    if not answer.good:
        return Outcome(file=file, outcome="refused", answer=answer)
    fault = statement.fault(answer.raw, raw, order.receipt_key)
    if fault:
        return Outcome(
            file=file, outcome="doubtful", answer=answer, why=access.say(f"client.receipt_{fault}")
        )
    return _kept(access, file, answer, order.receipt)


def _read(file: str) -> bytes:
    """A file's bytes, or those of standard input. Raises OSError, also for a file that no exchange would take."""
    with click.open_file(file, "rb") as opened:
        raw: bytes = opened.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return raw


def _kept(access: client.Access, file: str, answer: sdk.Answer, place: Path | None) -> Outcome:
    """The outcome of an accepted letter, once its receipt is where it shall be; the letter is safe in any case."""
    outcome = "accepted" if answer.status == CREATED else "replayed"
    if place is None:
        return Outcome(file=file, outcome=outcome, answer=answer)
    path = place
    try:
        if place.is_dir():
            path = place / f"{UUID(answer.body['receipt']['letter'])}.receipt.json"
        keep.write(path, answer.raw)
    except (OSError, ValueError, KeyError) as error:
        why = access.say("client.receipt_not_kept", file=path, why=client.reason(error))
        return Outcome(file=file, outcome="not_kept", answer=answer, why=why)
    return Outcome(file=file, outcome=outcome, answer=answer)


def _tell(access: client.Access, outcome: Outcome) -> None:
    said = outcome.outcome in {"accepted", "replayed"}
    if said and access.quiet:
        return
    click.echo(access.say(f"client.sent_{outcome.outcome}", file=outcome.file), err=not said)
    if outcome.why:
        screen.line(f"  {outcome.why}", err=True)
    if outcome.answer is None:
        return
    if outcome.outcome == "refused":
        lines = client.refusal(access, outcome.answer)
    else:
        lines = _receipt(access, outcome.answer.body)
    for line in lines:
        click.echo(f"  {line.strip()}" if said else line, err=not said)


def _receipt(access: client.Access, body: object) -> Iterator[str]:
    """What a receipt says, in words."""
    if not isinstance(body, dict) or not isinstance(body.get("receipt"), dict):
        return
    receipt, language = body["receipt"], access.language
    yield access.say("client.receipt", receipt=receipt.get("id"), letter=receipt.get("letter"))
    for name in ("recipients", "unroutable"):
        codes = receipt.get(name)
        if isinstance(codes, list) and codes:
            yield texts.say(f"client.{name}", language, codes=", ".join(map(str, codes)))
    for part, fact in (("requirement", "requirement"), ("class", "class_if_electronic")):
        known = texts.catalogue(language).get(f"{part}.{body.get(fact)}")
        if known and not (part == "class" and receipt.get("operation") in UNCOUNTED):
            yield texts.say(f"client.{fact}", language, text=known)
    yield from operations.of_receipt(access, receipt)
    yield from client.findings(access, body.get("warnings"))
