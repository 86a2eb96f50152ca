"""Self-check of what is said of paper: the columns of a delivery are what the journal's acts lead to, one by one.

Each act has its number, so their order does not depend on ids that several processes made; a number that is missing or
there twice is a fault.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules import transfer
from exchange.rules.transfer import Said
from exchange.tracker.check_requests import Fault


@dataclass(frozen=True, kw_only=True)
class Told:
    """What the journal's acts come to: what stands, every register row that proves paper, how many acts there were."""

    said: Said
    rows: tuple[UUID, ...] = ()
    acts: int = 0


Line = Mapping[str, Any]

_REPLAYED: Mapping[str, Callable[[Told, Line], Told]] = {
    "paper_received": lambda told, line: _with(told, paper_seen_on=date.fromisoformat(line["on"])),
    "paper_received_undone": lambda told, _: _with(told, paper_seen_on=None),
    "attested": lambda told, line: _with(told, attested_at=datetime.fromisoformat(line["at"])),
    "attested_undone": lambda told, _: _with(told, attested_at=None),
    "paper_declared": lambda told, line: _with(told, said_paper=line["paper"], said_reason=line["reason"]),
    "paper_declared_undone": lambda told, _: _with(told, said_paper=None, said_reason=None),
    "register_matched": lambda told, line: _proven(told, (*told.rows, UUID(line["row"]))),
    "register_matched_undone": lambda told, line: _proven(
        told, tuple(row for row in told.rows if row != UUID(line["row"]))
    ),
}
EVENTS = tuple(_REPLAYED)


def told(lines: Sequence[Line]) -> Told:
    """What a delivery's acts in the journal come to; each line is its detail with its event."""
    found = Told(said=transfer.NOTHING_SAID, acts=len(lines))
    for line in sorted(lines, key=lambda one: int(one["n"])):
        found = _REPLAYED[line["event"]](found, line)
    return found


def faults(delivery: Mapping[str, Any]) -> Iterator[Fault]:
    """What differs between a delivery's row and what its acts come to."""
    where, lines = str(delivery["id"]), delivery["papers"]
    if sorted(int(line["n"]) for line in lines) != list(range(1, delivery["paper_acts"] + 1)):
        yield Fault(code="paper_acts_differ", where=where)
        return
    found = told(lines)
    if (found.said, found.rows) != (transfer.said(delivery), tuple(delivery["register_rows"])):
        yield Fault(code="paper_differs", where=where)


def _with(told: Told, **changed: Any) -> Told:  # noqa: ANN401 - columns of their types
    return replace(told, said=replace(told.said, **changed))


def _proven(told: Told, rows: tuple[UUID, ...]) -> Told:
    return replace(_with(told, on_register=rows[0] if rows else None), rows=rows)
