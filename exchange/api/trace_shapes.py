"""From records to the JSON of a trace and of what was declared beside a letter: pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.api import shapes
from exchange.broker import why
from exchange.broker.linked import Link
from exchange.broker.trace import Beside, Trace
from exchange.rules import operations
from exchange.rules.directory import Directory

Whys = Mapping[UUID, why.Why | None]
OF_SENDER = frozenset({"asked", "withdrawn", "updated", "added", "replaced", "put_off"}) | why.OF_SENDER
"""Lines in a recipient's journal of what the sender did."""


def trace(seen: Trace, directory: Directory, whys: Whys | None = None) -> dict[str, Any]:
    """Body of GET /v1/messages/{id}/trace; `whys` tell by delivery why it counts as it does."""
    told = [_delivery(seen, delivery, directory) for delivery in seen.deliveries]
    if whys is not None:
        for one, delivery in zip(told, seen.deliveries, strict=True):
            one["why"] = _why(whys[delivery["id"]], directory)
    return {
        "letter": str(seen.letter["id"]),
        "copy": seen.letter["copy_form"],
        "deliveries": told,
        "links": [_link(link, directory) for link in seen.links],
    }


def _delivery(seen: Trace, delivery: Any, directory: Directory) -> dict[str, Any]:  # noqa: ANN401 - a record
    lines = seen.of(delivery["id"])
    return {
        "id": str(delivery["id"]),
        "recipient": shapes.code(directory, delivery["recipient"]),
        "purpose": delivery["purpose"],
        "state": delivery["state"],
        "arrived_at": shapes.moment(delivery["arrived_at"]),
        "statuses": [_status(line) for line in lines if line["event"] == "status"],
        "class": delivery["counted_class"] or delivery["class"],
        "request": _request(seen, delivery),
        "replaced_by": _letter(seen, delivery["replaced_by"]),
        "recalled": delivery["recalled"],
        "events": [_event(line, seen.letter["sender"], directory) for line in lines],
    }


def _why(one: why.Why | None, directory: Directory) -> dict[str, Any] | None:
    """The step that decided, with the evidence that stands."""
    if one is None:
        return None
    found = one.found
    return {
        "step": found.step,
        "class": found.klass,
        "excluded": found.excluded,
        "grade": found.grade,
        "justified": found.justified,
        "reason": found.reason,
        "conflict": found.conflict,
        "recalled": found.recalled,
        "evidence": [
            {
                "kind": each.kind,
                "at": shapes.moment(each.at),
                "by": shapes.code(directory, each.by),
                "detail": each.detail,
                "author": each.author,
                "note": each.note,
            }
            for each in one.evidence
        ],
    }


def _request(seen: Trace, delivery: Any) -> dict[str, Any] | None:  # noqa: ANN401 - a record
    """What the sender asks of the recipient, and its answer; None if nothing was asked."""
    if not delivery["request"]:
        return None
    return {
        "kind": delivery["request"],
        "letter": _letter(seen, delivery["request_letter"]),
        "at": shapes.moment(delivery["requested_at"]),
        "answer": operations.answered(delivery["state"], delivery["request_answer"]),
        "answered_at": shapes.moment(delivery["answered_at"]),
    }


def _letter(seen: Trace, letter: UUID | None) -> str | None:
    """The id of a letter that the caller may see, else None."""
    return str(letter) if letter in seen.visible else None


def _link(link: Link, directory: Directory) -> dict[str, Any]:
    other = link.letter
    return {
        "kind": link.kind,
        "letter": str(other["id"]),
        "document_id": other["document_id"],
        "number": other["number"],
        "notation": other["notation"],
        "operation": other["operation"],
        "sender": shapes.code(directory, other["sender"]),
        "at": shapes.moment(other["accepted_at"]),
    }


def _status(line: Mapping[str, Any]) -> dict[str, Any]:
    """One notice as it was said; `at` is its own time, or ours where it told none."""
    said = line["detail"]
    at = datetime.fromisoformat(said["at"]) if said["at"] else line["at"]
    return {"code": line["code"], "at": shapes.moment(at), "text": said["text"], "from": said["from"]}


def _event(line: Mapping[str, Any], sender: UUID, directory: Directory) -> dict[str, Any]:
    """One line; `detail` is a remark's text, else the code."""
    agency = sender if line["event"] in OF_SENDER else line["agency"]
    by = line["detail"].get("from") or shapes.code(directory, agency)
    detail = line["detail"]["text"] if line["event"] == "remark" else line["code"] or ""
    return {"at": shapes.moment(line["at"]), "event": line["event"], "by": by, "detail": detail}


def declared(beside: Beside, directory: Directory) -> dict[str, Any] | None:
    """What the sender declared beside the bytes; of a notice nothing is."""
    letter = beside.letter
    if letter["operation"] == "status":
        return None
    return {
        "copy": letter["copy_form"],
        "main": letter["main_attachment"],
        "paper_reason": letter["paper_reason"],
        "test": letter["test"],
        "purposes": [
            {"recipient": shapes.code(directory, recipient), "purpose": purpose}
            for recipient, purpose in beside.purposes
        ],
    }
