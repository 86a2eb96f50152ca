"""Use of signatures (sử dụng chữ ký số): the newest verdicts of letters that agencies sent, or received.

Letters of training and notices are left out. Pages go by (moment of acceptance, letter, position), which never change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection

_LETTERS = {
    "out": """SELECT * FROM letter
               WHERE sender = ANY($1) AND accepted_at >= $2 AND accepted_at < $3
                 AND operation <> 'status' AND NOT test""",
    "in": """SELECT letter.* FROM letter
               JOIN (SELECT DISTINCT sender, letter FROM delivery
                      WHERE recipient = ANY($1) AND accepted_at >= $2 AND accepted_at < $3 AND kind = 'letter') AS mine
                 ON letter.sender = mine.sender AND letter.id = mine.letter
              WHERE NOT letter.test""",
}
_NEWEST = """NOT EXISTS (SELECT FROM verdict AS later
                         WHERE later.sender = verdict.sender AND later.letter = verdict.letter
                           AND later.revision > verdict.revision)
             AND NOT EXISTS (SELECT FROM judgement AS later
                              WHERE later.sender = verdict.sender AND later.letter = verdict.letter
                                AND later.revision > verdict.revision)"""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Whose letters: sent (`out`) or received (`in`) by these agencies, accepted from `first` to before `end`."""

    agencies: Sequence[UUID]
    view: str
    first: datetime
    end: datetime


@dataclass(frozen=True)
class Place:
    """One signature's place in the order: when its letter was accepted, the letter, its position there."""

    accepted_at: datetime
    letter: UUID
    position: int


async def page(connection: Connection, span: Span, after: Place | None, limit: int) -> list[Any]:
    """Signatures after a place, and one more than `limit` so that the caller sees whether more follow.

    So many signatures stand in as many letters at the most, and in the one that the last page ended in: only those are
    looked into.
    """
    place = after or Place(span.first, UUID(int=0), -1)
    return await connection.fetch(
        f"""WITH chosen AS MATERIALIZED (
                   SELECT * FROM ({_LETTERS[span.view]}) AS letter
                    WHERE (accepted_at, id) >= ($4, $5)
                      AND EXISTS (SELECT FROM verdict WHERE verdict.sender = letter.sender AND verdict.letter = letter.id)
                    ORDER BY accepted_at, id LIMIT $7 + 1)
            SELECT verdict.*, officer.position AS officer_position, letter.document_id, letter.number,
                   letter.notation, letter.issued_on, letter.document_type, letter.requirement, letter.accepted_at
              FROM chosen AS letter
              JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id AND {_NEWEST}
              LEFT JOIN officer ON officer.id = verdict.officer
             WHERE (letter.accepted_at, letter.id, verdict.position) > ($4, $5, $6::int)
             ORDER BY letter.accepted_at, letter.id, verdict.position LIMIT $7""",  # noqa: S608 - the statement is ours
        span.agencies, span.first, span.end, place.accepted_at, place.letter, place.position, limit + 1,
    )  # fmt: skip


async def totals(connection: Connection, span: Span) -> Any:  # noqa: ANN401 - a record
    """What all of the span adds up to; distinct signers are counted by certificate."""
    record = await connection.fetchrow(
        f"""WITH mine AS MATERIALIZED ({_LETTERS[span.view]}),
                 signed AS MATERIALIZED (
                     SELECT verdict.* FROM mine AS letter
                       JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id
                                   AND {_NEWEST})
            SELECT (SELECT count(*) FROM mine) AS letters,
                   (SELECT count(*) FROM mine WHERE requirement = 'met') AS letters_met,
                   count(DISTINCT letter) AS letters_signed,
                   count(*) AS signatures,
                   count(*) FILTER (WHERE indication = 'TOTAL_PASSED') AS total_passed,
                   count(*) FILTER (WHERE indication = 'TOTAL_FAILED') AS total_failed,
                   count(*) FILTER (WHERE indication = 'INDETERMINATE') AS indeterminate,
                   count(*) FILTER (WHERE signer_kind = 'organisation') AS organisation,
                   count(*) FILTER (WHERE signer_kind = 'individual') AS individual,
                   count(*) FILTER (WHERE signer_kind = 'device') AS device,
                   count(*) FILTER (WHERE signer_kind = 'unknown') AS unknown,
                   count(DISTINCT certificate_sha256) FILTER (WHERE signer_kind = 'organisation') AS organisations,
                   count(DISTINCT certificate_sha256) FILTER (WHERE signer_kind = 'individual') AS individuals
              FROM signed""",  # noqa: S608 - the statement is ours
        span.agencies, span.first, span.end,
    )  # fmt: skip
    assert record is not None
    return record
