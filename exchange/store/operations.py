"""Operations (thu hồi, cập nhật, thay thế): what they act on, and which of them still wait for their effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.store import rows
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Named:
    """How an operation names its target: ids in the order in which they are tried, then number, notation and day."""

    ids: tuple[str, ...]
    number: str = ""
    notation: str = ""
    issued_on: date | None = None


async def target(connection: Connection, sender: UUID, named: Named) -> Any | None:  # noqa: ANN401 - a record
    """The newest letter of the sender that is named so."""
    return await connection.fetchrow(
        """SELECT letter.* FROM letter
             LEFT JOIN unnest($2::text[]) WITH ORDINALITY AS given (document_id, position) USING (document_id)
            WHERE letter.sender = $1 AND operation IN ('new', 'replace')
              AND (given.position IS NOT NULL
                   OR $3 <> '' AND issued_on = $5 AND number = $3 AND notation = $4)
            ORDER BY given.position NULLS LAST, accepted_at DESC, id DESC LIMIT 1""",
        sender, list(named.ids), named.number, named.notation, named.issued_on,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Who has a delivery of a letter, or gets one; whether an earlier operation on it still waits for its effects.

    `restated_by`: the newest update of its header facts.
    """

    recipients: frozenset[UUID]
    pending: bool
    restated_by: Any | None


async def reach(connection: Connection, sender: UUID, letter: UUID) -> Reach:
    """How far a letter of that sender reaches."""
    records = await connection.fetch(
        """SELECT operation.*, operation.effected_at IS NULL AS pending
             FROM letter_link JOIN letter AS operation
               ON operation.sender = letter_link.sender AND operation.id = letter_link.letter
            WHERE letter_link.sender = $1 AND letter_link.target = $2
            ORDER BY operation.id""",
        sender, letter,
    )  # fmt: skip
    first = await connection.fetchval(
        "SELECT recipients FROM letter WHERE sender = $1 AND id = $2", sender, letter
    )
    restating = [one for one in records if one["restated"]]
    return Reach(
        recipients=frozenset(first).union(*(one["added"] for one in records)),
        pending=any(one["pending"] for one in records),
        restated_by=restating[-1] if restating else None,
    )


async def add(connection: Connection, deliveries: Sequence[rows.DeliveryRow]) -> set[UUID]:
    """Give recipients that have none a delivery; the ids of those that were given."""
    records = await rows.insert(
        connection, deliveries, conflict="ON CONFLICT DO NOTHING", returning="RETURNING id"
    )
    return {record["id"] for record in records}


async def links(connection: Connection, sender: UUID, letter: UUID) -> list[Any]:
    """What an operation acts on, each with its target's row, in a fixed order."""
    return await connection.fetch(
        """SELECT letter_link.kind, letter_link.recipients AS concerned, target.*
             FROM letter_link JOIN letter AS target
               ON target.sender = letter_link.sender AND target.id = letter_link.target
            WHERE letter_link.sender = $1 AND letter_link.letter = $2 ORDER BY kind, target.id""",
        sender, letter,
    )  # fmt: skip


async def waiting(connection: Connection, accepted_before: datetime, limit: int) -> list[Any]:
    """Housekeeping: operations whose effects can be done now, oldest first.

    Their targets have all their deliveries, and no older operation on one of them waits still.
    """
    return await connection.fetch(
        """SELECT letter.* FROM letter
            WHERE effected_at IS NULL AND operation IN ('revoke', 'update', 'replace') AND accepted_at <= $1
              AND NOT EXISTS (
                  SELECT FROM letter_link AS mine
                    JOIN letter AS target ON target.sender = mine.sender AND target.id = mine.target
                   WHERE mine.sender = letter.sender AND mine.letter = letter.id AND target.expanded_at IS NULL)
              AND NOT EXISTS (
                  SELECT FROM letter_link AS mine
                    JOIN letter_link AS other ON other.sender = mine.sender AND other.target = mine.target
                    JOIN letter AS older ON older.sender = other.sender AND older.id = other.letter
                   WHERE mine.sender = letter.sender AND mine.letter = letter.id AND older.effected_at IS NULL
                     AND (older.accepted_at, older.id) < (letter.accepted_at, letter.id))
            ORDER BY accepted_at, id LIMIT $2""",
        accepted_before, limit,
    )  # fmt: skip


async def progress(connection: Connection, sender: UUID, letter: UUID) -> int | None:
    """How far an operation's effects are, under a lock on its row; None when they are done."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """SELECT effects_done FROM letter WHERE sender = $1 AND id = $2 AND effected_at IS NULL FOR UPDATE""",
        sender, letter,
    )  # fmt: skip


async def advance(connection: Connection, sender: UUID, letter: UUID, done: int, at: datetime | None) -> None:
    """So many effects are done; with `at` all of them. Within the transaction of those effects."""
    await connection.execute(
        "UPDATE letter SET effects_done = $3, effected_at = $4 WHERE sender = $1 AND id = $2",
        sender, letter, done, at,
    )  # fmt: skip


async def gone(connection: Connection, agencies: Sequence[UUID], letter: UUID) -> bool:
    """Whether every delivery of the letter that these agencies have was withdrawn."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """SELECT coalesce(bool_and(state = 'withdrawn'), false) FROM delivery
            WHERE recipient = ANY($1) AND letter = $2""",
        agencies, letter,
    )  # fmt: skip


async def asked_by(connection: Connection, recipient: UUID, sender: UUID, document_id: str) -> Any | None:  # noqa: ANN401 - a record
    """The recipient's delivery that the newest revocation, update or replacement of that document id asks about."""
    return await connection.fetchrow(
        """SELECT delivery.* FROM letter AS operation
             JOIN letter_link ON letter_link.sender = operation.sender AND letter_link.letter = operation.id
             JOIN delivery ON delivery.recipient = $1 AND delivery.letter = letter_link.target
            WHERE operation.sender = $2 AND operation.document_id = $3
              AND operation.operation IN ('revoke', 'update', 'replace')
            ORDER BY (delivery.request_letter = operation.id) DESC NULLS LAST, operation.accepted_at DESC LIMIT 1""",
        recipient, sender, document_id,
    )  # fmt: skip
