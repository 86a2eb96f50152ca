"""What letters answer (trả lời văn bản), looked up from both ends: what one letter answers, and what answers it.

Nothing is linked but letters of which one of the caller's agencies is the sender or a recipient. Every statement goes by
an index from one document to a few rows, however many letters there are.
"""

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection

MOST_LINKS = 1_000
"""So many answers to one letter are told, the oldest: a letter to a thousand agencies may have as many."""

SAME_NUMBER = 50
"""So many letters of one sender, day and number are looked at; of one notation there is mostly one."""

_VISIBLE = """(letter.sender = ANY($1) OR EXISTS (SELECT FROM delivery
                 WHERE delivery.recipient = ANY($1) AND delivery.letter = letter.id))"""
_DOCUMENT = "letter.operation IN ('new', 'replace')"
_TOLD = "letter.sender, letter.id, letter.document_id, letter.number, letter.notation, letter.operation, letter.accepted_at"


@dataclass(frozen=True)
class ById:
    """A document that is asked for by its id; `of` is whatever the caller tells its questions apart by."""

    of: int
    sender: UUID
    document_id: str


@dataclass(frozen=True)
class ByNumber:
    """A document that is asked for by day and number; the caller looks at the notation."""

    of: int
    sender: UUID
    issued_on: date
    number: str


async def said(connection: Connection, sender: UUID, letter: UUID) -> list[Any]:
    """What a letter says that it answers, in its order; each row with the letter's own recipients."""
    return await connection.fetch(
        """SELECT letter_answer.*, letter.recipients FROM letter_answer
             JOIN letter ON letter.sender = letter_answer.sender AND letter.id = letter_answer.letter
            WHERE letter_answer.sender = $1 AND letter_answer.letter = $2 ORDER BY position""",
        sender, letter,
    )  # fmt: skip


_SAID_OF = f"""SELECT {{}}, {_TOLD}, letter.recipients
                 FROM letter_answer
                 JOIN letter ON letter.sender = letter_answer.sender AND letter.id = letter_answer.letter
                WHERE (letter_answer.agency = $2 OR (letter_answer.agency IS NULL AND $2 = ANY(letter.recipients)))
                  AND {{}} AND {_DOCUMENT} AND {_VISIBLE}
                ORDER BY letter.accepted_at LIMIT $3"""  # noqa: S608 - the statement is ours
_ROW = "letter_answer.agency, letter_answer.document_id AS said_id, letter_answer.reference, letter_answer.issued_on"
SAID_ID = _SAID_OF.format(_ROW, "letter_answer.document_id = $4 AND letter_answer.document_id <> ''")
SAID_NUMBER = _SAID_OF.format(
    _ROW, "letter_answer.issued_on = $4 AND letter_answer.reference = $5 AND letter_answer.reference <> ''"
)


async def said_of(
    connection: Connection, agencies: Sequence[UUID], sender: UUID, document_id: str
) -> list[Any]:
    """Letters that `agencies` may see and that say they answer this sender's document of that id."""
    return await connection.fetch(SAID_ID, agencies, sender, MOST_LINKS, document_id)


async def said_of_number(
    connection: Connection, agencies: Sequence[UUID], sender: UUID, issued_on: date, reference: str
) -> list[Any]:
    """The same by the day, number and notation of the document."""
    return await connection.fetch(SAID_NUMBER, agencies, sender, MOST_LINKS, issued_on, reference)


BY_ID = f"""SELECT given.of, held.*
              FROM unnest($2::int[], $3::uuid[], $4::text[]) AS given (of, sender, document_id)
             CROSS JOIN LATERAL (
                   SELECT {_TOLD} FROM letter
                    WHERE letter.sender = given.sender AND letter.document_id = given.document_id
                      AND {_DOCUMENT} AND {_VISIBLE}
                    ORDER BY round DESC, accepted_at DESC LIMIT 1) AS held"""  # noqa: S608 - the statement is ours
BY_NUMBER = f"""SELECT given.of, held.*
                  FROM unnest($2::int[], $3::uuid[], $4::date[], $5::text[])
                       AS given (of, sender, issued_on, number)
                 CROSS JOIN LATERAL (
                       SELECT {_TOLD} FROM letter
                        WHERE letter.sender = given.sender AND letter.issued_on = given.issued_on
                          AND letter.number = given.number AND {_DOCUMENT} AND {_VISIBLE}
                        ORDER BY round DESC LIMIT {SAME_NUMBER}) AS held"""  # noqa: S608 - the statement is ours


async def by_id(connection: Connection, agencies: Sequence[UUID], asked: Collection[ById]) -> list[Any]:
    """The newest round that `agencies` may see of each of these documents, with `of`."""
    if not asked:
        return []
    return await connection.fetch(BY_ID, agencies, *zip(*map(astuple, asked), strict=True))


async def by_number(
    connection: Connection, agencies: Sequence[UUID], asked: Collection[ByNumber]
) -> list[Any]:
    """The letters that `agencies` may see of these days and numbers, newest round first, with `of`."""
    if not asked:
        return []
    return await connection.fetch(BY_NUMBER, agencies, *zip(*map(astuple, asked), strict=True))


async def acting(connection: Connection, agencies: Sequence[UUID], sender: UUID, letter: UUID) -> list[Any]:
    """Operations and what they act on, from either end: `kind`, `acted_on` (this letter is the target), and the other letter.

    The sender sees all of its own; a recipient what concerns its deliveries, if it has the other letter too.
    """
    return await connection.fetch(ACTING, agencies, sender, letter)


_CONCERNED = "(letter_link.sender = ANY($1) OR letter_link.recipients && $1::uuid[])"
ACTING = f"""SELECT letter_link.kind, false AS acted_on, {_TOLD} FROM letter_link
               JOIN letter ON letter.sender = letter_link.sender AND letter.id = letter_link.target
              WHERE letter_link.sender = $2 AND letter_link.letter = $3 AND {_CONCERNED} AND {_VISIBLE}
             UNION ALL
             SELECT letter_link.kind, true, {_TOLD} FROM letter_link
               JOIN letter ON letter.sender = letter_link.sender AND letter.id = letter_link.letter
              WHERE letter_link.sender = $2 AND letter_link.target = $3 AND {_CONCERNED} AND {_VISIBLE}"""  # noqa: S608 - the statement is ours


async def visible(connection: Connection, agencies: Sequence[UUID], letters: Collection[UUID]) -> set[UUID]:
    """Which of these messages one of `agencies` sent or has a delivery of; letters and notices alike."""
    if not letters:
        return set()
    records = await connection.fetch(
        """SELECT given.id FROM unnest($2::uuid[]) AS given (id)
            WHERE EXISTS (SELECT FROM letter WHERE letter.sender = ANY($1) AND letter.id = given.id)
               OR EXISTS (SELECT FROM delivery WHERE delivery.recipient = ANY($1) AND delivery.letter = given.id)""",
        agencies, list(letters),
    )  # fmt: skip
    return {record["id"] for record in records}
