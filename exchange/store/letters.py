"""Letters (gói tin văn bản): by sender; every statement has the caller's agencies first - that is the access check."""

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection

BEFORE_ALL = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
"""Where a walk through letters by moment and id begins."""


@dataclass(frozen=True)
class Identity:
    """What two messages must not share unless they are the same: of a letter the first three, and the round.

    `round` None asks for the newest.
    """

    sender: UUID
    document_id: str
    operation: str
    sha256: bytes
    round: int | None = None


@dataclass(frozen=True, kw_only=True)
class Known:
    """The newest round of a document already held: whether its deliveries all ended without being taken in."""

    id: UUID
    round: int
    sha256: bytes
    receipt: bytes
    over: bool


async def known(connection: Connection, asked: Collection[Identity]) -> dict[Identity, Known]:
    """Of these identities those that are held, each with its newest round, or with the round asked for.

    For operations that carry no document of their own it is the one with these bytes.
    """
    records = await connection.fetch(
        """SELECT given.position, held.*
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::int[]) WITH ORDINALITY
                  AS given (sender, document_id, operation, sha256, round, position)
            CROSS JOIN LATERAL (
                  SELECT id, round, sha256, receipt, expanded_at IS NOT NULL
                         AND NOT EXISTS (SELECT FROM delivery
                                          WHERE delivery.letter = letter.id
                                            AND delivery.state NOT IN ('refused', 'withdrawn', 'expired')) AS over
                    FROM letter
                   WHERE letter.sender = given.sender AND letter.document_id = given.document_id
                     AND letter.operation = given.operation
                     AND (given.operation IN ('new', 'replace') OR letter.sha256 = given.sha256)
                     AND (given.round IS NULL OR letter.round = given.round)
                   ORDER BY round DESC LIMIT 1) AS held""",
        *zip(*map(astuple, asked), strict=True),
    )
    order = list(asked)
    facts = [field.name for field in fields(Known)]
    return {
        order[record["position"] - 1]: Known(**{name: record[name] for name in facts}) for record in records
    }


@dataclass(frozen=True)
class MainFile:
    """A document and its main file; `before` None asks for all that is held, a moment for what was held by then."""

    sender: UUID
    document_id: str
    main_sha256: bytes
    before: datetime | None = None


async def reused(connection: Connection, asked: Collection[MainFile]) -> dict[MainFile, str]:
    """Of these files those that came before as another document of the same sender, each with that one's number.

    The first such letter is told, `12/UBND-VX`. Training letters (`test`) are none.
    """
    records = await connection.fetch(
        """SELECT given.position, held.number, held.notation, held.document_id
             FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::timestamptz[]) WITH ORDINALITY
                  AS given (sender, document_id, main_sha256, before, position)
            CROSS JOIN LATERAL (
                  SELECT number, notation, document_id
                    FROM letter
                   WHERE letter.sender = given.sender AND letter.main_sha256 = given.main_sha256
                     AND letter.document_id <> given.document_id AND letter.operation <> 'status' AND NOT letter.test
                     AND (given.before IS NULL OR letter.accepted_at < given.before)
                   ORDER BY accepted_at, id LIMIT 1) AS held""",
        *zip(*map(astuple, asked), strict=True),
    )
    order = list(asked)
    return {order[one["position"] - 1]: _reference(one) for one in records}


def _reference(record: Any) -> str:  # noqa: ANN401 - a record
    """Number and notation as people write them, else the document's id."""
    return "/".join(filter(None, (record["number"], record["notation"]))) or str(record["document_id"])


async def of_sender(connection: Connection, agencies: Sequence[UUID], letter: UUID) -> Any | None:  # noqa: ANN401 - a record
    """The letter's row if one of `agencies` sent it."""
    return await connection.fetchrow(
        "SELECT * FROM letter WHERE sender = ANY($1) AND id = $2", agencies, letter
    )


async def of_recipient(connection: Connection, agencies: Sequence[UUID], letter: UUID) -> Any | None:  # noqa: ANN401 - a record
    """The letter's row if one of `agencies` is a recipient with a delivery of it."""
    return await connection.fetchrow(
        """SELECT letter.* FROM delivery JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
            WHERE delivery.recipient = ANY($1) AND delivery.letter = $2 LIMIT 1""",
        agencies, letter,
    )  # fmt: skip


async def verdicts(connection: Connection, sender: UUID, letter: UUID) -> list[Any]:
    """The verdicts of the newest revision, in order."""
    return await connection.fetch(
        """SELECT * FROM verdict
            WHERE sender = $1 AND letter = $2
              AND revision = greatest((SELECT max(revision) FROM verdict WHERE sender = $1 AND letter = $2),
                                      (SELECT max(revision) FROM judgement WHERE sender = $1 AND letter = $2))
            ORDER BY position""",
        sender, letter,
    )  # fmt: skip


async def to_expand(
    connection: Connection, accepted_before: datetime, after: tuple[datetime, UUID], limit: int
) -> list[Any]:
    """Housekeeping: letters whose recipients do not all have a delivery yet, oldest first, after that moment and id."""
    return await connection.fetch(
        """SELECT * FROM letter WHERE expanded_at IS NULL AND accepted_at <= $1 AND (accepted_at, id) > ($2, $3)
            ORDER BY accepted_at, id LIMIT $4""",
        accepted_before, *after, limit,
    )  # fmt: skip


async def locked(connection: Connection, sender: UUID, letter: UUID) -> Any:  # noqa: ANN401 - a record
    """Part of a transaction: a letter as it is now, and nobody changes it before its end."""
    return await connection.fetchrow(
        "SELECT * FROM letter WHERE sender = $1 AND id = $2 FOR NO KEY UPDATE", sender, letter
    )


async def expanded(connection: Connection, sender: UUID, letter: UUID, at: datetime) -> None:
    """Housekeeping: every recipient has its delivery."""
    await connection.execute(
        "UPDATE letter SET expanded_at = $3 WHERE sender = $1 AND id = $2 AND expanded_at IS NULL",
        sender,
        letter,
        at,
    )
