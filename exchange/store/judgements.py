"""Letters judged again (xét lại): what stands of each, and writing what came out.

Letters and deliveries are locked in the order of their keys, letters first, as everywhere. All of this is housekeeping.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.store import insert, rows
from exchange.store.pool import Connection

LATEST = """greatest(1, (SELECT max(revision) FROM verdict
                          WHERE verdict.sender = letter.sender AND verdict.letter = letter.id),
                        (SELECT max(revision) FROM judgement
                          WHERE judgement.sender = letter.sender AND judgement.letter = letter.id))"""
"""SQL for the number of a letter's newest judgement; the first is 1."""


async def standing(
    connection: Connection, keys: Sequence[tuple[UUID, UUID]], *, locked: bool = False
) -> list[Any]:
    """The rows of these letters (sender, letter), each with the number of its newest judgement; under a lock or not."""
    if not keys:
        return []
    senders, letters = zip(*sorted(keys), strict=True)
    if locked:
        await connection.execute(
            """SELECT FROM letter JOIN unnest($1::uuid[], $2::uuid[]) AS given (sender, id) USING (sender, id)
                ORDER BY sender, id FOR UPDATE OF letter""",
            senders, letters,
        )  # fmt: skip
    return await connection.fetch(
        f"""SELECT letter.*, {LATEST} AS revision
              FROM letter JOIN unnest($1::uuid[], $2::uuid[]) AS given (sender, id) USING (sender, id)
             ORDER BY sender, id""",  # noqa: S608 - the statement is ours
        senders, letters,
    )  # fmt: skip


async def verdicts(connection: Connection, letters: Sequence[UUID]) -> list[Any]:
    """Every verdict of these letters, in order; the newest revisions last."""
    return await connection.fetch(
        """SELECT verdict.* FROM letter JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id
            WHERE letter.id = ANY($1) ORDER BY verdict.sender, verdict.letter, revision, position""",
        letters,
    )


async def deliveries(connection: Connection, letters: Sequence[UUID], *, locked: bool = False) -> list[Any]:
    """Every delivery of these letters in the order in which they are locked."""
    return await connection.fetch(
        f"""SELECT * FROM delivery WHERE letter = ANY($1)
             ORDER BY recipient, letter, round {"FOR UPDATE" if locked else ""}""",  # noqa: S608 - the statement is ours
        letters,
    )


async def write_letters(connection: Connection, judged: Sequence[rows.JudgementRow]) -> None:
    """Append judgements; the letters hold the newest."""
    await insert.rows(connection, judged)
    await connection.execute(
        """UPDATE letter SET requirement = given.requirement, reason = given.reason, missing = given.missing::text[]
             FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
                  AS given (sender, id, requirement, reason, missing)
            WHERE letter.sender = given.sender AND letter.id = given.id""",
        [one.sender for one in judged], [one.letter for one in judged], [one.requirement for one in judged],
        [one.reason for one in judged], [insert.array(one.missing) for one in judged],
    )  # fmt: skip


async def recheck(connection: Connection, moments: Sequence[tuple[UUID, UUID, datetime | None]]) -> None:
    """When these letters (sender, letter) are looked at again for newer revocation data; None: no more."""
    if moments:
        senders, letters, at = zip(*moments, strict=True)
        await connection.execute(
            """UPDATE letter SET recheck_at = given.at
                 FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS given (sender, id, at)
                WHERE letter.sender = given.sender AND letter.id = given.id""",
            senders, letters, at,
        )  # fmt: skip


async def unsettled(connection: Connection, at: datetime, accepted_before: datetime, limit: int) -> list[Any]:
    """Letters that newer revocation data may settle: looked at last long enough ago, accepted before those data."""
    return await connection.fetch(
        f"""SELECT letter.sender, letter.id, letter.accepted_at,
                   coalesce(bool_or(verdict.provisional OR verdict.sub_indication = 'TRY_LATER'), false) AS open,
                   coalesce(min(verdict.trust_sha256), '') AS trust_sha256
              FROM (SELECT * FROM letter
                     WHERE recheck_at <= $1 AND accepted_at <= $2 ORDER BY recheck_at LIMIT $3) AS letter
              LEFT JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id
                               AND verdict.revision = {LATEST}
             GROUP BY letter.sender, letter.id, letter.accepted_at ORDER BY letter.sender, letter.id""",  # noqa: S608 - the statement is ours
        at, accepted_before, limit,
    )  # fmt: skip


async def write_deliveries(connection: Connection, changed: Sequence[tuple[Any, ...]]) -> None:
    """Deliveries with their new requirement, class, grade, ground of paper and counted class, after their keys."""
    if changed:
        await connection.execute(
            """UPDATE delivery
                  SET requirement = given.requirement, class = given.class, grade = given.grade,
                      justified = given.justified, counted_class = given.counted_class
                 FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[])
                      AS given (recipient, letter, round, requirement, class, grade, justified, counted_class)
                WHERE delivery.recipient = given.recipient AND delivery.letter = given.letter
                  AND delivery.round = given.round""",
            *zip(*changed, strict=True),
        )
