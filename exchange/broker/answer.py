"""Answer: a notice in (bản tin trạng thái), one durable decision out; what it says moves the delivery it speaks of.

    check    error findings, a refusal without its reason                                422 findings
    who      From is the caller's, and the letter went between From and the one answered  404 otherwise
    known    store.letters           the same bytes again get their first receipt
    find     store.deliveries        the newest round of the letter in which From has a delivery
             store.operations        of 15 and 16 first what is asked, by the letter's id or by that of what asks
    decide   rules.lifecycle         what the table does not know is `wrong_state`
    store    store.commit            notice, receipt, bytes, journal, its delivery to the one answered, and the move

A recipient answers (01 to 06, 15, 16) to the letter's sender; the sender takes back (13) from one recipient. Whoever is
neither, or may not act for it, gets the 404 of a letter that does not exist. Repeated, skipped and late notices are
kept and harmless. An agency that has ended still answers for what it was sent, and is still answered. `status` says the same in JSON: it writes the notice's edXML and takes the same way.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from exchange.broker import expand, intake, noticed, remarks
from exchange.broker.caller import Caller
from exchange.broker.decisions import Accepted, Given, Refused, recorded, refuse
from exchange.broker.declared import Declared
from exchange.broker.exchange import Exchange
from exchange.edxml import model, read, write
from exchange.errors import Finding, Problem
from exchange.rules import directory_succession, lifecycle, paper_class
from exchange.rules.directory import Agency, Directory
from exchange.rules.documents import DOCUMENTS
from exchange.store import deliveries, letters, operations, transitions
from exchange.store.pool import Connection

REFUSAL = "02"


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the JSON shortcut says (contract.md, "Status"); `at` is aware, None: now.

    `remark` (bút phê) stays with the recipient, unless `share_remark` puts it into the notice as well.
    """

    code: str
    reason: str = ""
    staff: model.Staff | None = None
    at: datetime | None = None
    remark: str = ""
    share_remark: bool = False


async def answer(
    exchange: Exchange, given: Given, reading: model.Reading, about: Mapping[str, Any] | None = None
) -> Accepted | Refused:
    """Decide on one notice; refusals are put on record by the caller. `about`: its delivery, else the newest round's."""
    notice = reading.message
    assert isinstance(notice, model.Notice)
    findings = (*_missing(reading, notice), *reading.findings)
    if any(one.severity == "error" for one in findings):
        return Refused(code="findings", findings=findings)
    snapshot, on = await exchange.snapshot.current(), intake.day(given.at)
    sender = directory_succession.last_with(snapshot, notice.sender.code, on)
    addressee = directory_succession.last_with(snapshot, notice.response_for.code, on)
    if sender is None or addressee is None or sender.id not in given.caller.acts_for:
        return Refused(code="not_found")
    if sender.disabled:
        return Refused(code="disabled")
    found = await _found(exchange, given, reading, (sender, addressee), about)
    return await _stored(exchange, given, found) if isinstance(found, noticed.Noticed) else found


def _missing(reading: model.Reading, notice: model.Notice) -> Iterator[Finding]:
    if notice.status == REFUSAL and not notice.description:
        yield Finding(severity="error", code="reason_missing", path=reading.header_path)


async def _found(
    exchange: Exchange,
    given: Given,
    reading: model.Reading,
    parties: tuple[Agency, Agency],
    about: Mapping[str, Any] | None,
) -> noticed.Noticed | Accepted | Refused:
    """The notice with the delivery it speaks of, if it counts and is new."""
    notice, (sender, addressee) = reading.message, parties
    assert isinstance(notice, model.Notice)
    from_sender = lifecycle.EVENTS.get(notice.status) == "sender"
    recipient, writer = (addressee, sender) if from_sender else (sender, addressee)
    identity = intake.identity(notice)
    round_, of = (about["round"], about["letter"]) if about else (None, None)
    mine = letters.Identity(sender.id, identity, "status", given.sha256, round_)
    held = await exchange.known.answer(mine)
    if held is not None:
        return Accepted(letter=held.id, receipt=held.receipt, replayed=True)
    meant = deliveries.Meant(
        recipient=recipient.id, sender=writer.id, document_id=identity, round=round_, letter=of, at=_said_at(notice)
    )  # fmt: skip
    async with exchange.pool.acquire() as connection:
        delivery = await _delivery(connection, notice, meant)
        if delivery is None:
            return Refused(code="not_found")
        letter = await letters.of_sender(connection, [writer.id], delivery["letter"])
    assert letter is not None
    if lifecycle.advance(delivery["state"], notice.status) is None:
        return Refused(code="wrong_state", detail=f"{delivery['state']}: {notice.status}")
    return noticed.Noticed(
        notice=notice, sender=sender, addressee=addressee, delivery=delivery, letter=expand.letter(letter),
        warnings=reading.findings, asking=(about or delivery).get("asking"),
    )  # fmt: skip


async def _delivery(connection: Connection, notice: model.Notice, meant: deliveries.Meant) -> Any | None:  # noqa: ANN401 - a record
    """The delivery that a notice is about; of an answer that names no letter itself, the one that is asked for."""
    if notice.status in lifecycle.REQUEST_ANSWERS and meant.letter is None:
        return await operations.requested(connection, meant.recipient, meant.sender, meant.document_id)
    return await deliveries.answered(connection, meant)


def _said_at(notice: model.Notice) -> datetime | None:
    """When a notice was said, by itself; a day without its hour does not tell before or after what."""
    if notice.at is None or notice.at.astimezone(paper_class.VIETNAM).time() == time():
        return None
    return notice.at


async def _stored(exchange: Exchange, given: Given, found: noticed.Noticed) -> Accepted:
    snapshot = await exchange.snapshot.current()
    outcome = await exchange.committer.submit(noticed.submission(exchange, found, given, snapshot))
    assert outcome.letter is not None
    if outcome.kind == "stored":
        exchange.bell.ring((found.addressee.id,))
    return Accepted(letter=outcome.letter, receipt=outcome.receipt, replayed=outcome.kind == "replayed")


async def status(
    exchange: Exchange, caller: Caller, delivery: UUID, said: Status, body: bytes
) -> Accepted | Refused:
    """The JSON shortcut: say a status of one delivery, in the name of its recipient (13: of its sender).

    A refusal before the notice exists is recorded with the digest of `body`, the request's own bytes.
    """
    at = exchange.clock()
    snapshot = await exchange.snapshot.current()
    about = await _about(exchange, caller, delivery, said.code, snapshot)
    digest = hashlib.sha256(body).digest()
    if about is None:
        return await refuse(exchange, caller, Refused(code="not_found"), sha256=digest, size=len(body))
    if not {about["recipient"], about["sender"]} <= snapshot.agencies.keys():
        raise Problem("busy")  # the other process knows a newer directory than we do, for some seconds
    raw, fault = _written(about, said, at, snapshot)
    if fault:
        unwritable = Refused(code="bad_request", detail=fault)
        return await refuse(exchange, caller, unwritable, sha256=digest, size=len(body))
    sha256 = hashlib.sha256(raw).digest()
    given = Given(raw=raw, sha256=sha256, caller=caller, declared=Declared(), at=at)
    answered = await recorded(exchange, given, await answer(exchange, given, read.read(raw), about))
    if isinstance(answered, Accepted) and said.remark:
        remark = remarks.Instruction(text=said.remark, status=said.code, system=caller.system, at=at)
        await remarks.keep(exchange, answered.letter, about, remark)
    return answered


def _written(about: Any, said: Status, at: datetime, snapshot: Directory) -> tuple[bytes, str]:  # noqa: ANN401 - a record
    """The notice's bytes, or what cannot be said as it is."""
    fault = remarks.fault(said.remark, said.code)
    try:
        return (b"", fault) if fault else (write.write(_notice(about, said, at, snapshot)), "")
    except ValueError:
        return b"", "reason, staff: XML 1.0 Char"


async def _about(
    exchange: Exchange, caller: Caller, delivery: UUID, code: str, snapshot: Directory
) -> Any | None:  # noqa: ANN401 - a record
    agencies = list(caller.agencies)
    async with exchange.pool.acquire() as connection:
        if lifecycle.EVENTS.get(code) == "sender":
            return await deliveries.sent(connection, agencies, delivery, list(snapshot.agencies))
        found = await deliveries.received(connection, agencies, delivery)
        if found is None or found["operation"] == "new":
            return found
        own = found if found["operation"] in DOCUMENTS else None
        if code not in lifecycle.REQUEST_ANSWERS or transitions.standing(found).asked:
            return own
        named = (found["recipient"], found["sender"], found["letter"])
        return (
            await operations.asked_by(connection, *named) or own
        )  # said on the line of the operation itself


def _notice(about: Any, said: Status, at: datetime, snapshot: Directory) -> model.Notice:  # noqa: ANN401 - a record
    recipient, writer = snapshot.agencies[about["recipient"]], snapshot.agencies[about["sender"]]
    from_sender = lifecycle.EVENTS.get(said.code) == "sender"
    sender, addressee = (writer, recipient) if from_sender else (recipient, writer)
    return model.Notice(
        sender=model.Party(code=sender.code, name=sender.name),
        response_for=model.ResponseFor(
            code=addressee.code,
            reference="/".join(filter(None, (about["number"], about["notation"]))),
            issued_on=about["issued_on"],
            document_id=about["document_id"],
        ),
        staff=said.staff,
        status=said.code,
        description=_description(said),
        at=said.at or at,
    )


def _description(said: Status) -> str:
    """What goes out in words. A remark that is shared is no reason: a refusal without one stays without."""
    shared = said.share_remark and (said.reason or said.code != REFUSAL)
    return remarks.described(said.reason, said.remark) if shared else said.reason
