"""Transitions of deliveries that ride on a letter's commit: read under a row lock, decided by the use case, written.

The decision is a pure function of what stands in the row at that moment, so of two notices, or a notice and an
acknowledgement, the later one always sees what the earlier one did. Rows are locked in key order, as everywhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from uuid import UUID

from exchange.store import rows
from exchange.store.pool import Connection

Key = tuple[UUID, UUID, int]
"""Recipient, letter, round."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What may change about a delivery; the columns of those names.

    `requirement` is read only: a letter judged again (`judgements`) changes it, under the same lock.
    """

    requirement: str
    state: str
    open: bool
    system: UUID | None
    arrived_at: datetime | None
    counted_class: str | None
    excluded: str | None


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Where a delivery stands afterwards, and the journal lines and tally facts that say so."""

    standing: Standing
    lines: tuple[rows.JournalRow, ...] = ()
    facts: tuple[rows.DeltaRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One event for one delivery; `move` is pure, total, and called with the row locked."""

    key: Key
    move: Callable[[Standing], Moved]


async def apply(connection: Connection, transitions: Sequence[Transition]) -> list[Moved]:
    """Lock, decide in the given order, and write the deliveries; the caller writes lines and facts."""
    if not transitions:
        return []
    before = await _locked(connection, [one.key for one in transitions])
    now, moved = dict(before), list[Moved]()
    for one in (each for each in transitions if each.key in before):
        moved.append(one.move(now[one.key]))
        now[one.key] = moved[-1].standing
    await _write(connection, {key: one for key, one in now.items() if one != before[key]})
    return moved


async def _locked(connection: Connection, keys: Sequence[Key]) -> dict[Key, Standing]:
    records = await connection.fetch(
        """SELECT delivery.* FROM delivery
             JOIN unnest($1::uuid[], $2::uuid[], $3::int[]) AS given (recipient, letter, round)
                  USING (recipient, letter, round)
            ORDER BY recipient, letter, round FOR UPDATE OF delivery""",
        *zip(*sorted(set(keys)), strict=True),
    )
    names = [field.name for field in fields(Standing)]
    return {
        (record["recipient"], record["letter"], record["round"]): Standing(
            **{name: record[name] for name in names}
        )
        for record in records
    }


async def _write(connection: Connection, changed: Mapping[Key, Standing]) -> None:
    if not changed:
        return
    columns = zip(*((*key, *astuple(standing)[1:]) for key, standing in changed.items()), strict=True)
    await connection.execute(
        """UPDATE delivery
              SET state = given.state, open = given.open, system = given.system, arrived_at = given.arrived_at,
                  counted_class = given.counted_class, excluded = given.excluded
             FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::bool[], $6::uuid[], $7::timestamptz[],
                         $8::text[], $9::text[])
                  AS given (recipient, letter, round, state, open, system, arrived_at, counted_class, excluded)
            WHERE delivery.recipient = given.recipient AND delivery.letter = given.letter
              AND delivery.round = given.round""",
        *columns,
    )
