"""Self-check of what operations did to a delivery: its request, its answer, its recall and the facts it shows.

The journal tells each request by the letter that made it, and which one it put aside (`over`); so the newest is the one
that was put aside less often than it was asked, in whichever order lines were written. Every request has one answer at most.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.rules import operations, transfer


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One difference: stable code, and where it is."""

    code: str
    where: str


_SAID = {"agreed": "agreed", "refused_request": "refused"}


def recalled(delivery: Mapping[str, Any]) -> bool:
    """Whether a delivery was withdrawn after it was registered, by its journal."""
    return any(event == "withdrawn" and was in transfer.REGISTERED for event, _, was in delivery["steps"])


def faults(delivery: Mapping[str, Any]) -> Iterator[Fault]:
    """What differs."""
    where = str(delivery["id"])
    if not delivery["same_facts"]:
        yield Fault(code="facts_differ", where=where)
    if delivery["recalled"] != recalled(delivery):
        yield Fault(code="recall_differs", where=where)
    if delivery["request"] != _request(delivery["requests"], delivery):
        yield Fault(code="request_differs", where=where)
    if str(delivery["put_off"] or "") != _put_off(delivery["requests"], delivery):
        yield Fault(code="put_off_differs", where=where)
    if sum(event == "withdrawn" for event, _, _ in delivery["steps"]) != (delivery["state"] == "withdrawn"):
        yield Fault(code="withdrawn_without_cause", where=where)
    named = {delivery["restated_by"], delivery["replaced_by"]} - {None}
    if not {str(one) for one in named} <= set(delivery["updates"]):
        yield Fault(code="update_without_journal", where=where)


def _put_off(lines: Sequence[Mapping[str, Any]], delivery: Mapping[str, Any]) -> str:
    """The newest update that waits behind a withdrawal by the journal; empty: none.

    It came while one was asked for, or was put aside by one (`asked`): each time it is asked anew once the letter stays.
    """
    lines_off = [line for line in lines if line["event"] == "put_off"]
    newest = max((line["letter"] for line in lines_off), default="")
    asked = sum(line["event"] == "asked" and line["letter"] == newest for line in lines)
    again = sum(bool(line.get("asked")) for line in lines_off if line["letter"] == newest)
    waits = asked == again and delivery["state"] not in operations.OVER
    return str(newest) if waits else ""


def _request(lines: Sequence[Mapping[str, Any]], delivery: Mapping[str, Any]) -> str | None:
    """The kind of the request that stands by the journal; a text that is no kind where the row says something else."""
    asked = {line["letter"]: line for line in lines if line["event"] == "asked"}
    put_aside = Counter(line["over"] for line in lines if line["event"] == "asked")
    standing = Counter(line["letter"] for line in lines if line["event"] == "asked") - put_aside
    said = Counter(line["letter"] for line in lines if line["event"] in _SAID)
    if not asked:
        return "unasked" if said else None
    if len(standing) != 1 or max(said.values(), default=0) > 1 or not said.keys() <= asked.keys():
        return "several"
    (letter,) = standing
    answers = {_SAID[line["event"]] for line in lines if line["letter"] == letter and line["event"] in _SAID}
    same = letter == str(delivery["request_letter"]) and answers == {delivery["request_answer"]} - {None}
    return str(asked[letter]["kind"]) if same else "another"
