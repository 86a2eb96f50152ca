"""Deliveries (lượt gửi, lượt nhận): by recipient; a pure expansion of a letter's frozen recipients.

The inbox of an agency is the set of its open deliveries. `after` pages within one pass; a pass starts without it, so
a delivery committed late under an earlier id is found by the next pass: nobody pages across time by id.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from exchange.store import insert, rows
from exchange.store.pool import Connection

BEFORE_ALL = UUID(int=0)
"""An id before every other."""
CLOCKS_DIFFER = timedelta(minutes=10)
"""A recipient's clock may be this slow, and what it says of a new round still is about that one; also longer than a second, of
which a notice tells no parts."""


async def expand(connection: Connection, deliveries: Sequence[rows.DeliveryRow]) -> None:
    """Add deliveries; those that are there already stay as they are."""
    await insert.rows(connection, deliveries, conflict="ON CONFLICT DO NOTHING")


async def inbox(
    connection: Connection, agencies: Sequence[UUID], after: UUID | None, limit: int
) -> list[Any]:
    """Open deliveries of these agencies by id; asks for one more than `limit` so that the caller sees whether more wait.

    The first of each agency are read from the index of open ones, so that a page costs the same however many wait.
    """
    return await connection.fetch(
        """WITH page AS (
               SELECT first.recipient, first.id FROM unnest($1::uuid[]) AS mine (agency)
                CROSS JOIN LATERAL (SELECT recipient, id FROM delivery
                                     WHERE recipient = mine.agency AND open AND id > $2
                                     ORDER BY id LIMIT $3) AS first
                ORDER BY first.id LIMIT $3)
           SELECT delivery.* FROM page JOIN delivery USING (recipient, id) ORDER BY id""",
        agencies, after or BEFORE_ALL, limit + 1,
    )  # fmt: skip


async def waiting(connection: Connection, agencies: Sequence[UUID]) -> set[UUID]:
    """Which of these agencies have something open."""
    records = await connection.fetch(
        """SELECT agency FROM unnest($1::uuid[]) AS agency
            WHERE EXISTS (SELECT FROM delivery WHERE recipient = agency AND open)""",
        agencies,
    )
    return {record["agency"] for record in records}


async def acknowledge(
    connection: Connection, agencies: Sequence[UUID], ids: Sequence[UUID], system: UUID, at: datetime
) -> list[Any]:
    """Mark deliveries of these agencies as arrived and count them; returns the rows this call changed.

    A delivery that expired arrives all the same. What is no transfer of its own, such as a notice, has no counted class. Rows are locked in key order, so that two callers never wait for
    each other in a circle.
    """
    return await connection.fetch(
        """WITH mine AS (SELECT recipient, letter, round FROM delivery
                          WHERE recipient = ANY($1) AND id = ANY($2) AND state IN ('waiting', 'expired')
                          ORDER BY recipient, letter, round FOR UPDATE)
           UPDATE delivery SET state = 'arrived', open = false, arrived_at = $4, system = $3,
                               counted_class = CASE WHEN operation NOT IN ('new', 'replace') THEN NULL
                                                    WHEN excluded IS NULL THEN class ELSE 'X' END
             FROM mine
            WHERE delivery.recipient = mine.recipient AND delivery.letter = mine.letter AND delivery.round = mine.round
           RETURNING delivery.*""",
        agencies, ids, system, at,
    )  # fmt: skip


async def arrived(connection: Connection, agencies: Sequence[UUID], ids: Sequence[UUID]) -> set[UUID]:
    """Which of these deliveries are the agencies' own and have arrived already, or were withdrawn before."""
    records = await connection.fetch(
        "SELECT id FROM delivery WHERE recipient = ANY($1) AND id = ANY($2) AND (arrived_at IS NOT NULL OR state = 'withdrawn')",
        agencies,
        ids,
    )
    return {record["id"] for record in records}


async def unfetched(connection: Connection, agencies: Sequence[UUID], letter: UUID) -> bool:
    """Whether one of these agencies has a delivery of the letter whose bytes nobody took yet."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """SELECT EXISTS (SELECT FROM delivery WHERE recipient = ANY($1) AND letter = $2 AND fetched_at IS NULL
                                              AND state <> 'withdrawn')""",
        agencies, letter,
    )  # fmt: skip


async def fetched(connection: Connection, agencies: Sequence[UUID], letter: UUID, at: datetime) -> list[Any]:
    """Note the first time a recipient took the bytes; returns the rows this call changed, locked in key order."""
    return await connection.fetch(
        """WITH mine AS (SELECT recipient, letter, round FROM delivery
                          WHERE recipient = ANY($1) AND letter = $2 AND fetched_at IS NULL AND state <> 'withdrawn'
                          ORDER BY recipient, letter, round FOR UPDATE)
           UPDATE delivery SET fetched_at = $3 FROM mine
            WHERE delivery.recipient = mine.recipient AND delivery.letter = mine.letter AND delivery.round = mine.round
           RETURNING delivery.recipient, delivery.id""",
        agencies, letter, at,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What a notice is about: the document `sender` sent to `recipient`; that round, or that letter, if it says so.

    `at`: when it was said, by itself; None: it does not tell.
    """

    recipient: UUID
    sender: UUID
    document_id: str
    round: int | None = None
    letter: UUID | None = None
    at: datetime | None = None


async def answered(connection: Connection, meant: Meant) -> Any | None:  # noqa: ANN401 - a record
    """The delivery that a notice is about: in the newest round of the document that has one for the recipient.

    What was said well before that round was accepted is about an earlier one, if there is one of before: by more than clocks
    differ (`CLOCKS_DIFFER`), for the time is the recipient's own word.
    """
    return await connection.fetchrow(
        """SELECT delivery.* FROM letter
             JOIN delivery ON delivery.recipient = $1 AND delivery.letter = letter.id AND delivery.round = letter.round
            WHERE letter.sender = $2 AND letter.document_id = $3 AND letter.operation IN ('new', 'replace')
              AND ($4::int IS NULL OR letter.round = $4) AND ($5::uuid IS NULL OR letter.id = $5)
            ORDER BY letter.accepted_at - $7::interval <= $6 DESC NULLS FIRST, letter.accepted_at DESC, letter.round DESC LIMIT 1""",
        *astuple(meant), CLOCKS_DIFFER,
    )  # fmt: skip


async def received(connection: Connection, agencies: Sequence[UUID], delivery: UUID) -> Any | None:  # noqa: ANN401 - a record
    """The delivery of a letter with that id, if it is one of `agencies`' own."""
    return await connection.fetchrow(
        "SELECT * FROM delivery WHERE recipient = ANY($1) AND id = $2 AND operation <> 'status'",
        agencies, delivery,
    )  # fmt: skip


async def sent(
    connection: Connection, agencies: Sequence[UUID], delivery: UUID, recipients: Sequence[UUID]
) -> Any | None:  # noqa: ANN401 - a record
    """The delivery of a letter with that id, if one of `agencies` sent it; `recipients` are all it may have gone to.

    Deliveries lie by recipient, so the index is asked once for each of them.
    """
    return await connection.fetchrow(
        "SELECT * FROM delivery WHERE sender = ANY($1) AND recipient = ANY($3) AND id = $2 AND operation IN ('new', 'replace')",
        agencies, delivery, recipients,
    )  # fmt: skip


async def of_letter(connection: Connection, letter: UUID, recipients: Sequence[UUID] | None) -> list[Any]:
    """A letter's deliveries in the order of their ids: all for its sender (None), else only those of `recipients`."""
    return await connection.fetch(
        "SELECT * FROM delivery WHERE letter = $1 AND ($2::uuid[] IS NULL OR recipient = ANY($2)) ORDER BY id",
        letter, recipients,
    )  # fmt: skip


async def expire(connection: Connection, accepted_before: datetime, limit: int) -> list[Any]:
    """Housekeeping: what nobody took in in time; returns the rows changed."""
    return await connection.fetch(
        """WITH late AS (SELECT recipient, letter, round FROM delivery
                          WHERE state = 'waiting' AND accepted_at < $1 AND (added_at IS NULL OR added_at < $1)
                          ORDER BY recipient, letter, round LIMIT $2 FOR UPDATE SKIP LOCKED)
           UPDATE delivery SET state = 'expired' FROM late
            WHERE delivery.recipient = late.recipient AND delivery.letter = late.letter AND delivery.round = late.round
           RETURNING delivery.*""",
        accepted_before, limit,
    )  # fmt: skip
