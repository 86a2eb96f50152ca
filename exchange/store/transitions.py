"""Transitions of deliveries that ride on a commit: read under a row lock, decided by the use case, written.

The decision is a pure function of what stands in the row at that moment, so of two notices, or a notice and an
acknowledgement, the later one always sees what the earlier one did. Rows are locked in key order, as everywhere.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules import operations
from exchange.store import insert, rows
from exchange.store.pool import Connection

Key = tuple[UUID, UUID, int]
"""Recipient, letter, round."""

_WRITTEN = {
    "state": "text", "open": "bool", "system": "uuid", "arrived_at": "timestamptz", "counted_class": "text",
    "excluded": "text", "justified": "text", "request": "text", "request_letter": "uuid", "request_facts": "jsonb",
    "requested_at": "timestamptz", "request_answer": "text", "answered_at": "timestamptz", "replaced_by": "uuid",
    "recalled": "bool", "restated_by": "uuid", "number": "text", "notation": "text", "issued_on": "date",
    "document_type": "text", "subject": "text", "urgency": "smallint", "klass": "text", "grade": "text",
    "paper_seen_on": "date", "attested_at": "timestamptz", "said_paper": "smallint", "said_reason": "text",
    "on_register": "uuid", "register_rows": "uuid[]", "paper_acts": "int", "put_off": "uuid", "put_off_facts": "jsonb",
}  # fmt: skip
"""The columns that transitions write, with their types."""
_COLUMN = {"klass": "class"}
_AS_TEXT = {"jsonb", "uuid[]"}
"""Types that travel as text: `unnest` would flatten arrays."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What may change about a delivery; the columns of those names (`klass`: "class").

    `requirement`, `id` and `scope` are read only: of a letter judged again, `judgements` changes the first, under the
    same lock. `request_facts`: the header facts that agreeing to the request restates; None: agreeing withdraws.
    `put_off`: the newest update that came while such a request was open, with its facts.
    """

    requirement: str
    state: str
    open: bool
    system: UUID | None
    arrived_at: datetime | None
    counted_class: str | None
    excluded: str | None
    id: UUID | None = None
    scope: str = ""
    justified: str = ""
    request: str | None = None
    request_letter: UUID | None = None
    request_facts: Mapping[str, Any] | None = None
    requested_at: datetime | None = None
    request_answer: str | None = None
    answered_at: datetime | None = None
    replaced_by: UUID | None = None
    recalled: bool = False
    restated_by: UUID | None = None
    number: str = ""
    notation: str = ""
    issued_on: date | None = None
    document_type: str = ""
    subject: str = ""
    urgency: int = 0
    klass: str = "X"
    grade: str = ""
    paper_seen_on: date | None = None
    attested_at: datetime | None = None
    said_paper: int | None = None
    said_reason: str | None = None
    on_register: UUID | None = None
    register_rows: tuple[UUID, ...] = ()
    paper_acts: int = 0
    put_off: UUID | None = None
    put_off_facts: Mapping[str, Any] | None = None

    @property
    def asked(self) -> bool:
        """Whether a request waits for the recipient's answer."""
        return self.request is not None and self.request_answer is None and self.state not in operations.OVER


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Where a delivery stands afterwards, and the journal lines and tally facts that say so."""

    standing: Standing
    lines: tuple[rows.JournalRow, ...] = ()
    facts: tuple[rows.DeltaRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One event for one delivery; `move` is pure, total, and called with the row locked.

    `ends`: what follows where it ends the transfer (`store.heirs`); None: it never does.
    """

    key: Key
    move: Callable[[Standing], Moved]
    ends: "Ends | None" = None


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Whose letter it is that may end, and how a duplicate of it comes to count: by its letter's record and the recipient.

    `coming`: the line that says so of one that is not delivered yet.
    """

    sender: UUID
    heir: Callable[[Any, UUID], Transition]
    coming: Callable[[Any, UUID], rows.JournalRow]


async def apply(connection: Connection, transitions: Sequence[Transition]) -> list[Moved]:
    """Lock, decide in the given order, and write the deliveries; the caller writes lines and facts."""
    return (await applied(connection, transitions)).moved


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What transitions came to: lines and facts in order, and where each delivery stood before and stands now."""

    moved: list[Moved]
    before: Mapping[Key, Standing]
    now: Mapping[Key, Standing]


async def applied(connection: Connection, transitions: Sequence[Transition]) -> Applied:
    """The same, and what it came to."""
    if not transitions:
        return Applied(moved=[], before={}, now={})
    before = await locked(connection, [one.key for one in transitions])
    now, moved = dict(before), list[Moved]()
    for one in (each for each in transitions if each.key in before):
        moved.append(one.move(now[one.key]))
        now[one.key] = moved[-1].standing
    await _write(connection, {key: one for key, one in now.items() if one != before[key]})
    return Applied(moved=moved, before=before, now=now)


async def locked(connection: Connection, keys: Collection[Key]) -> dict[Key, Standing]:
    """Part of a transaction: these deliveries as they stand, locked in the order of their keys until it ends."""
    if not keys:
        return {}
    records = await connection.fetch(
        """SELECT delivery.* FROM delivery
             JOIN unnest($1::uuid[], $2::uuid[], $3::int[]) AS given (recipient, letter, round)
                  USING (recipient, letter, round)
            ORDER BY recipient, letter, round FOR UPDATE OF delivery""",
        *zip(*sorted(set(keys)), strict=True),
    )
    return {(record["recipient"], record["letter"], record["round"]): standing(record) for record in records}


def standing(record: Any) -> Standing:  # noqa: ANN401 - a record
    """Where the delivery of that row stands."""
    told = {field.name: record[_COLUMN.get(field.name, field.name)] for field in fields(Standing)}
    return Standing(**{**told, "register_rows": tuple(told["register_rows"])})


def _statement() -> str:
    wire = ["text" if kind in _AS_TEXT else kind for kind in _WRITTEN.values()]
    arrays = ", ".join(
        f"${number}::{kind}[]" for number, kind in enumerate(("uuid", "uuid", "int", *wire), 1)
    )
    columns = ", ".join(
        f"{_COLUMN.get(name, name)} = given.{name}::{kind}" for name, kind in _WRITTEN.items()
    )
    return f"""UPDATE delivery SET {columns}
                 FROM unnest({arrays}) AS given (recipient, letter, round, {", ".join(_WRITTEN)})
                WHERE delivery.recipient = given.recipient AND delivery.letter = given.letter
                  AND delivery.round = given.round"""  # noqa: S608 - names are ours


_UPDATE = _statement()


async def _write(connection: Connection, changed: Mapping[Key, Standing]) -> None:
    if not changed:
        return
    lines = [(*key, *_columns(standing)) for key, standing in changed.items()]
    await connection.execute(_UPDATE, *zip(*lines, strict=True))


def _columns(standing: Standing) -> list[Any]:
    return [_wire(getattr(standing, name), kind) for name, kind in _WRITTEN.items()]


def _wire(entry: Any, kind: str) -> Any:  # noqa: ANN401 - what a column holds
    if kind == "jsonb":
        return None if entry is None else json.dumps(entry, ensure_ascii=False)
    return insert.array(entry) if kind.endswith("[]") else entry
