"""Facts about paper: the deliveries that acts speak of, and the attestations of recipients (xác nhận hằng tháng)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection
from exchange.store.transitions import Key


async def deliveries(connection: Connection, keys: Sequence[Key]) -> list[Any]:
    """The deliveries of letters with these keys; notices have none."""
    return await connection.fetch(
        """SELECT delivery.recipient, delivery.letter, delivery.round, delivery.id, delivery.sender, delivery.scope
             FROM delivery JOIN unnest($1::uuid[], $2::uuid[], $3::int[]) AS given (recipient, letter, round)
                  USING (recipient, letter, round)
            WHERE delivery.operation IN ('new', 'replace')""",
        *zip(*keys, strict=True),
    )


async def letters(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> list[Any]:
    """The letters of these keys (sender, letter)."""
    return await connection.fetch(
        """SELECT letter.* FROM letter JOIN unnest($1::uuid[], $2::uuid[]) AS given (sender, id) USING (sender, id)""",
        *zip(*keys, strict=True),
    )


async def arrived(
    connection: Connection, agency: UUID, span: tuple[datetime, datetime], after: Key, limit: int
) -> list[Key]:
    """An agency's deliveries that arrived in a span of time, in the order of their keys, after one of them."""
    records = await connection.fetch(
        """SELECT recipient, letter, round FROM delivery
            WHERE recipient = $1 AND (letter, round) > ($4, $5) AND arrived_at >= $2 AND arrived_at < $3
              AND operation IN ('new', 'replace')
            ORDER BY letter, round LIMIT $6""",
        agency, *span, after[1], after[2], limit,
    )  # fmt: skip
    return [(record["recipient"], record["letter"], record["round"]) for record in records]


async def everybody(connection: Connection) -> list[UUID]:
    """All agencies: an operator's command speaks for each of them."""
    return [record["id"] for record in await connection.fetch("SELECT id FROM agency ORDER BY id")]


async def begin(
    connection: Connection, agency: UUID, month: date, *, made: tuple[UUID, str, UUID | None, datetime]
) -> None:
    """An attestation (id, author, system, moment), unless one of that month stands."""
    await connection.execute(
        """INSERT INTO attestation (agency, month, id, author, system, at) VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (agency, month) WHERE undone_at IS NULL DO NOTHING""",
        agency, month, *made,
    )  # fmt: skip


async def attestations(connection: Connection, agency: UUID, month: date) -> list[Any]:
    """Those of a month that stand or still leave traces, the standing one last."""
    return await connection.fetch(
        """SELECT * FROM attestation WHERE agency = $1 AND month = $2 AND cleared_at IS NULL
            ORDER BY undone_at NULLS LAST""",
        agency, month,
    )  # fmt: skip


async def held(connection: Connection, one: tuple[UUID, date, UUID], *, undone: bool) -> bool:
    """Whether an attestation (agency, month, id) still stands, or is still being undone; locked until the commit."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """SELECT (undone_at IS NOT NULL) = $4 AND cleared_at IS NULL FROM attestation
            WHERE agency = $1 AND month = $2 AND id = $3 FOR UPDATE""",
        *one, undone,
    )  # fmt: skip


async def done(connection: Connection, one: tuple[UUID, date, UUID], at: datetime) -> None:
    """Every delivery of the month holds the attestation."""
    await connection.execute(
        """UPDATE attestation SET done_at = $4
            WHERE agency = $1 AND month = $2 AND id = $3 AND done_at IS NULL AND undone_at IS NULL""",
        *one, at,
    )  # fmt: skip


async def undo(
    connection: Connection, agency: UUID, month: date, by: tuple[datetime, str, str]
) -> UUID | None:
    """Take the standing attestation of a month back (moment, author, why); its id, None if there is none."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """UPDATE attestation SET undone_at = $3, undone_by = $4, undone_why = $5
            WHERE agency = $1 AND month = $2 AND undone_at IS NULL RETURNING id""",
        agency, month, *by,
    )  # fmt: skip


async def cleared(connection: Connection, one: tuple[UUID, date, UUID], at: datetime) -> None:
    """No delivery holds the attestation any more."""
    await connection.execute(
        """UPDATE attestation SET cleared_at = $4, done_at = coalesce(done_at, $4)
            WHERE agency = $1 AND month = $2 AND id = $3 AND undone_at IS NOT NULL AND cleared_at IS NULL""",
        *one, at,
    )  # fmt: skip


async def unfinished(connection: Connection, before: datetime, limit: int) -> list[Any]:
    """Housekeeping: attestations made or taken back before that moment whose deliveries do not all tell yet."""
    return await connection.fetch(
        """SELECT * FROM attestation
            WHERE (done_at IS NULL OR (undone_at IS NOT NULL AND cleared_at IS NULL))
              AND coalesce(undone_at, at) < $1
            ORDER BY at LIMIT $2""",
        before, limit,
    )  # fmt: skip
