"""Self-check: recompute everything that was derived, and compare. One difference is a fault, named with its place.

bytes      every letter's bytes have the digest that was receipted
receipts   every receipt carries the signature of the key that it names, ours of then, and says what its letter's row says
strays     no row without the rows it belongs to
states     every delivery's state is where the lifecycle leads by what the journal tells (rules.lifecycle)
requests   what was asked, agreed and updated follows from the journal, header facts from the newest update
judgements every letter shows what its newest judgement says, and its receipt what the first one said
paper      what stands about paper is what the acts in the journal come to
classes    every delivery's class follows from its events (rules.paper_class)
documents  no document is counted twice for one recipient, and what was left out as duplicate is one (rules.documents)
registers  rows of registers are counted where nothing electronic is there, once, and match deliveries that are there
tally      days + facts not merged yet == recount from the deliveries and the registers, and months are what days handed over
periods    every version of a closed month has the members that its digest says, and counts them
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.broker import receipts
from exchange.edxml import spooled
from exchange.edxml.spooled import Content
from exchange.rules import admission, lifecycle, paper_class, transfer
from exchange.rules.documents import DOCUMENTS
from exchange.store import documents_check, payloads, periods, recount, register_settled, tally
from exchange.store.pool import Connection
from exchange.tracker import check_paper, check_requests, register_counted
from exchange.tracker.check_requests import Fault

_PROPERTIES = (
    "view",
    "agency",
    "day",
    "scope",
    "document_type",
    "urgency",
    "class",
    "excluded",
    "grade",
    "justified",
)


Tell = Callable[[str, int, int], None]
"""Is told how many of something are done: `letters` or `deliveries`, done, of how many."""


def _quiet(_stage: str, _done: int, _total: int) -> None:
    """Nobody listens."""


async def _telling(rows: AsyncIterator[Any], tell: Tell, stage: str, total: int) -> AsyncIterator[Any]:
    """The rows; after each chunk, and at the end, it is told how many there were."""
    done = 0
    async for row in rows:
        yield row
        done += 1
        if done % recount.CHUNK == 0:
            tell(stage, done, total)
    tell(stage, done, total)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """How much was looked at, and what was wrong."""

    letters: int
    deliveries: int
    facts: int
    faults: tuple[Fault, ...]


async def check(
    connection: Connection, payload_folder: Path, key: receipts.ReceiptKey, tell: Tell = _quiet
) -> Checked:
    """Look at everything, in one snapshot of the database; `tell` hears how many letters and deliveries of how many are done."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        total = await recount.total(connection)
        faults = [
            Fault(code=name, where=str(n)) for name, n in (await recount.strays(connection)).items() if n
        ]
        faults += [
            Fault(code=one["code"], where=str(one["letter"]))
            for one in await documents_check.faults(connection)
        ]
        faults += [
            Fault(code=one["code"], where=str(one["place"]))
            for one in await register_settled.faults(connection)
        ]
        seen, ours = 0, await receipts.ours(connection, key)
        async for letter in _telling(recount.letters(connection), tell, "letters", total["letters"]):
            seen += 1
            faults += [fault async for fault in _letter_faults(connection, letter, payload_folder, ours)]
        counted: Counter[tuple[Any, ...]] = Counter()
        deliveries = 0
        told = recount.deliveries(connection, check_paper.EVENTS)
        async for delivery in _telling(told, tell, "deliveries", total["deliveries"]):
            deliveries += 1
            faults += _delivery_faults(delivery)
            counted.update(_facts(delivery))
        for rows in await register_settled.recount(connection):
            agency, view, *rest = register_counted.fact(rows)
            counted[(view, agency, *rest)] += rows.n
        kept = {
            tuple(record[name] for name in _PROPERTIES): record["n"]
            for record in await tally.everything(connection)
        }
        months = await tally.months_differ(connection)
        faults += [Fault(code=code, where=where) for code, where in await periods.faults(connection)]
    faults += _tally_faults(counted, kept)
    if months:
        faults.append(Fault(code="months_differ", where=str(months)))
    return Checked(letters=seen, deliveries=deliveries, facts=sum(kept.values()), faults=tuple(faults))


async def _letter_faults(
    connection: Connection, letter: Mapping[str, Any], folder: Path, ours: receipts.Ours
) -> AsyncIterator[Fault]:
    where = str(letter["id"])
    raw = await payloads.get(connection, folder, letter["id"])
    if raw is None or _digest(raw) != letter["sha256"]:
        yield Fault(code="bytes_differ", where=where)
    whole = receipts.read(letter["receipt"])
    signer = ours.get(receipts.key_id(letter["receipt"]))
    if whole is None or signer is None or not receipts.signed(letter["receipt"], signer):
        yield Fault(code="receipt_signature", where=where)
        return
    said = whole["receipt"]
    same = (
        said["sha256"] == letter["sha256"].hex()
        and said["document_id"] == letter["document_id"]
        and said["letter"] == where
        and said["operation"] == letter["operation"]
        and len(said["recipients"]) == len(letter["recipients"])
        and whole["requirement"] == first(letter)[0]
    )
    if not same:
        yield Fault(code="receipt_differs", where=where)
    if letter["operation"] != "status":
        for fault in _judgement_faults(letter, where):
            yield fault


def _digest(raw: Content) -> bytes:
    """Of what stands there now, whatever was said of it."""
    return spooled.digest(raw if isinstance(raw, bytes) else spooled.of(raw.path))


def first(letter: Mapping[str, Any]) -> tuple[str, str]:
    """What a letter's signatures were worth at acceptance, by the journal; of notices nothing is judged."""
    told = letter["first"] or {}
    return told.get("requirement", letter["requirement"]), told.get("reason", letter["reason"])


def _judgement_faults(letter: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """The letter shows its newest judgement: the first by the journal, a later one by its own row."""
    shown = (letter["requirement"], letter["reason"])
    newest = (
        (letter["judged_requirement"], letter["judged_reason"])
        if letter["judged_requirement"]
        else first(letter)
    )
    if shown != newest:
        yield Fault(code="judgement_differs", where=f"{where} {shown} ≠ {newest}")
    if letter["verdict_revision"] > letter["judged_revision"]:
        yield Fault(code="verdicts_without_judgement", where=where)
    if letter["judged_requirement"] is None:
        return
    klass = admission.class_if_electronic(
        newest[0], letter["paper"], no_paper_standing=letter["no_paper_standing"]
    )
    if letter["missing"] != letter["judged_missing"] or letter["judged_class"] != klass:
        yield Fault(code="judgement_differs", where=where)


def _delivery_faults(delivery: Mapping[str, Any]) -> Iterator[Fault]:
    where = str(delivery["id"])
    if delivery["letter_accepted_at"] is None:
        yield Fault(code="delivery_without_letter", where=where)
        return
    if delivery["journal_arrived_at"] != delivery["arrived_at"]:
        yield Fault(code="arrival_differs_from_journal", where=where)
    state = _state(delivery)
    if state != delivery["state"]:
        yield Fault(code="state_differs", where=f"{where} {delivery['state']} ≠ {state}")
    yield from check_requests.faults(delivery)
    yield from check_paper.faults(delivery)
    yield from _class_faults(delivery, where)


def _class_faults(delivery: Mapping[str, Any], where: str) -> Iterator[Fault]:
    """The class shown, the class counted, and why a transfer is not counted."""
    if delivery["requirement"] != delivery["letter_requirement"]:
        yield Fault(code="judgement_differs", where=f"{where} {delivery['requirement']}")
    shown, kept = _shown(delivery), tuple(delivery[name] for name in ("class", "grade", "justified"))
    if kept != shown:
        yield Fault(code="class_differs", where=f"{where} {kept} ≠ {shown}")
    expected = _class(delivery)
    if expected.klass is None and delivery["state"] == "withdrawn":
        return
    if expected.klass is None and delivery["counted_class"] is not None:
        yield Fault(code="counted_before_arrival", where=where)
    elif delivery["counted_class"] != expected.klass:
        yield Fault(code="class_differs", where=f"{where} {delivery['counted_class']} ≠ {expected.klass}")
    elif expected.klass == "X" and delivery["excluded"] != expected.excluded:
        yield Fault(code="class_differs", where=f"{where} {delivery['excluded']} ≠ {expected.excluded}")


def _shown(delivery: Mapping[str, Any]) -> tuple[str, str, str]:
    """Class, grade and ground of paper that the delivery has once it arrived, by what the journal says of paper."""
    if delivery["operation"] not in DOCUMENTS:
        return "X", "", ""
    found = transfer.on_arrival(_accepted(delivery), _said(delivery))
    return found.klass or "X", found.grade, found.justified


def _said(delivery: Mapping[str, Any]) -> transfer.Said:
    return check_paper.told(delivery["papers"]).said


def _state(delivery: Mapping[str, Any]) -> str | None:
    """The state of a delivery by its journal alone; None if what stands there is no path of the lifecycle."""
    told = delivery["steps"]
    unarrived = "expired" if any(event == "expired" for event, _, _ in told) else "waiting"
    steps = {
        "expired": [("expire", "waiting") for event, _, _ in told if event == "expired"],
        # An arrival by a notice names its code: the notice itself is the step.
        "arrived": [("ack", unarrived) for event, code, _ in told if event == "arrived" and code is None],
        "status": [(code, was) for event, code, was in told if event == "status"],
        "withdrawn": [("withdraw", was) for event, _, was in told if event == "withdrawn"],
    }
    return lifecycle.replay(step for kind in steps.values() for step in kind)


def _accepted(delivery: Mapping[str, Any]) -> paper_class.Event:
    return paper_class.Event(
        kind="accepted", at=delivery["letter_accepted_at"], requirement=delivery["letter_requirement"],
        reason=delivery["reason"], paper=delivery["paper"], no_paper_standing=delivery["no_paper_standing"],
        paper_reason=delivery["paper_reason"], document_type=delivery["letter_type"], scope=delivery["scope"],
        test=delivery["test"], duplicate=delivery["duplicate"],
    )  # fmt: skip


def _class(delivery: Mapping[str, Any]) -> paper_class.Classification:
    """The class of a delivery from its events alone; what is no transfer of its own has none."""
    if delivery["operation"] not in DOCUMENTS:
        return transfer.PENDING
    state = _state(delivery) or delivery["state"]
    arrived, recalled = delivery["journal_arrived_at"], check_requests.recalled(delivery)
    return transfer.classification(
        _accepted(delivery), state, arrived, recalled=recalled, said=_said(delivery)
    )


def _facts(delivery: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The two facts that this delivery should have in the tally, once it arrived."""
    if delivery["letter_accepted_at"] is None:
        return
    found = _class(delivery)
    if found.klass is None:
        return
    rest = (
        delivery["scope"], delivery["letter_type"], delivery["urgency"], found.klass, found.excluded, found.grade,
        found.justified,
    )  # fmt: skip
    yield ("out", delivery["sender"], paper_class.local_day(delivery["letter_accepted_at"]), *rest)
    yield ("in", delivery["recipient"], paper_class.local_day(delivery["journal_arrived_at"]), *rest)


def _tally_faults(
    counted: Mapping[tuple[Any, ...], int], kept: Mapping[tuple[Any, ...], int]
) -> Iterator[Fault]:
    for properties in sorted({*counted, *kept}, key=repr):
        expected, found = counted.get(properties, 0), kept.get(properties, 0)
        if expected != found:
            named = " ".join(
                f"{name}={entry}" for name, entry in zip(_PROPERTIES, properties, strict=True) if entry != ""
            )
            yield Fault(code="tally_differs", where=f"{named}: {found} ≠ {expected}")
