"""Why a transfer counts as it does: the step of the procedure that decided (C.5), and the evidence that stands.

Pure: from the records of a trace. Who it was in person, and what was noted beside it, is told to that agency alone; the
other side reads the agency and the day.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.broker import expand, paper_acts
from exchange.rules import paper_class, transfer
from exchange.rules.documents import DOCUMENTS

Record = Mapping[str, Any]
OF_SENDER = frozenset({"paper_declared", "paper_declared_undone"})
"""Acts in a recipient's journal that the sender did."""
_STANDS: Mapping[str, str] = {
    "paper_declared": "said_paper",
    "paper_received": "paper_seen_on",
    "attested": "attested_at",
}
"""Acts of which the newest stands as long as their column holds something."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One fact that the class rests on: what, when, by which agency; the person and the note for that agency only."""

    kind: str
    at: datetime
    by: UUID
    detail: str = ""
    author: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Why:
    """The class of a transfer with the step that decided; `klass` None: it is not counted yet."""

    found: paper_class.Classification
    evidence: tuple[Evidence, ...]


def why(letter: Record, delivery: Record, lines: Iterable[Record], own: frozenset[UUID]) -> Why | None:
    """Why the delivery counts as it does, as `own` agencies may know it; None for what is no transfer."""
    if delivery["operation"] not in DOCUMENTS:
        return None
    told = [line for line in lines if line["delivery"] in {None, delivery["id"]}]
    evidence = [
        *_declared(letter),
        *_judged(letter, told),
        *_happened(letter, delivery, told),
        *_acts(letter, delivery, told),
    ]
    shown = [one if one.by in own else replace(one, author="", note="") for one in evidence]
    return Why(found=_found(letter, delivery), evidence=tuple(sorted(shown, key=lambda one: one.at)))


def _found(letter: Record, delivery: Record) -> paper_class.Classification:
    row = expand.letter(letter)
    accepted = replace(
        expand.accepted(row, delivery["scope"], delivery["recipient"]),
        requirement=delivery["requirement"], document_type=delivery["document_type"],
    )  # fmt: skip
    if delivery["arrived_at"] is None and delivery["state"] in {"withdrawn", "expired"}:
        return paper_class.classify((accepted, paper_class.Event(kind=delivery["state"], at=accepted.at)))
    return transfer.classification(
        accepted, delivery["state"], delivery["arrived_at"], recalled=delivery["recalled"],
        said=transfer.said(delivery),
    )  # fmt: skip


def _declared(letter: Record) -> Iterator[Evidence]:
    """What came with the letter."""
    at, sender = letter["accepted_at"], letter["sender"]
    if letter["test"]:
        yield Evidence(kind="test", at=at, by=sender)
    if letter["paper"] is not None:
        detail = " ".join(filter(None, (str(letter["paper"]), letter["paper_reason"])))
        yield Evidence(kind="flag", at=at, by=sender, detail=detail)
    if letter["no_paper_standing"]:
        yield Evidence(kind="standing", at=at, by=sender)


def _judged(letter: Record, lines: Iterable[Record]) -> Iterator[Evidence]:
    """What its signatures are worth, and since when."""
    at = max((line["at"] for line in lines if line["event"] == "rejudged"), default=letter["accepted_at"])
    detail = " ".join(filter(None, (letter["requirement"], letter["reason"])))
    yield Evidence(kind="requirement", at=at, by=letter["sender"], detail=detail)


def _happened(letter: Record, delivery: Record, lines: Iterable[Record]) -> Iterator[Evidence]:
    """How it went: arrival, registration, refusal, withdrawal; and who held the document already."""
    recipient = delivery["recipient"]
    if recipient in letter["duplicates"]:
        yield Evidence(kind="duplicate", at=letter["accepted_at"], by=letter["sender"])
    if delivery["scope"] == "internal":
        yield Evidence(kind="internal", at=letter["accepted_at"], by=letter["sender"])
    for line in lines:
        kind = _STATUSES.get(line["code"] or "") if line["event"] == "status" else line["event"]
        if kind in _STEPS:
            yield Evidence(
                kind=kind, at=line["at"], by=letter["sender"] if kind == "withdrawn" else recipient
            )


_STATUSES = {"02": "refused", "03": "registered"}
_STEPS = frozenset({"arrived", "registered", "refused", "withdrawn", "expired"})


def _acts(letter: Record, delivery: Record, lines: Iterable[Record]) -> Iterator[Evidence]:
    """What stands about paper."""
    acts = sorted(
        (line for line in lines if line["event"] in paper_acts.EVENTS),
        key=lambda line: int(line["detail"]["n"]),
    )
    for event, column in _STANDS.items():
        told = [line for line in acts if line["event"] == event]
        if delivery[column] is not None and told:
            yield _act(letter, told[-1])
    rows = {str(row) for row in delivery["register_rows"]}
    for line in acts:
        if line["event"] == "register_matched" and line["detail"]["row"] in rows:
            rows.discard(line["detail"]["row"])
            yield _act(letter, line)


def said_by(line: Record, sender: UUID) -> UUID | None:
    """The agency whose act a line of a recipient's journal is; None where an older line does not tell whose register it was."""
    if line["event"] in OF_SENDER:
        return sender
    if line["event"].removesuffix(paper_acts.UNDONE) != "register_matched":
        agency: UUID = line["agency"]
        return agency
    return UUID(line["detail"]["of"]) if "of" in line["detail"] else None


def _act(letter: Record, line: Record) -> Evidence:
    said, by = line["detail"], said_by(line, letter["sender"])
    return Evidence(
        kind=line["event"],
        at=line["at"],
        by=by or line["agency"],
        detail=line["code"] or "",
        author=said["by"] if by else "",
        note=said["why"] if by else "",
    )
