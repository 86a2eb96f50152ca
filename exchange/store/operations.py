"""Operations (thu hồi, cập nhật, thay thế): what they act on, and which of them still wait for their effects."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules import operations
from exchange.rules.documents import Held
from exchange.store import documents, insert, rows
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Named:
    """How an operation names its target: ids in the order in which they are tried, then number, notation and day.

    `test`: a training letter acts on training letters, and on no others.
    """

    ids: tuple[str, ...]
    test: bool
    number: str = ""
    notation: str = ""
    issued_on: date | None = None


async def targets(connection: Connection, sender: UUID, named: Named) -> list[Any]:
    """The letters of the sender that are named so, the newest first.

    Those of one document id: of what was sent as new the newest round, and likewise of what was sent in its place.
    """
    return await connection.fetch(
        """WITH meant AS (
               SELECT document_id FROM letter
                 LEFT JOIN unnest($2::text[]) WITH ORDINALITY AS given (document_id, position) USING (document_id)
                WHERE letter.sender = $1 AND operation IN ('new', 'replace') AND test = $6
                  AND (given.position IS NOT NULL
                       OR $3 <> '' AND issued_on = $5 AND number = $3 AND notation = $4)
                ORDER BY given.position NULLS LAST, accepted_at DESC, id DESC LIMIT 1)
           SELECT * FROM (SELECT DISTINCT ON (operation) letter.* FROM letter JOIN meant USING (document_id)
                           WHERE letter.sender = $1 AND operation IN ('new', 'replace') AND test = $6
                           ORDER BY operation, round DESC) AS newest
            ORDER BY accepted_at DESC, id DESC""",
        sender, list(named.ids), named.number, named.notation, named.issued_on, named.test,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Who has a delivery of a letter, or gets one; whether an earlier operation on it still waits for its effects.

    `restated_by`: the newest update of its header facts. `changes`: how many operations act on it, and how many rounds
    its document has.
    """

    recipients: frozenset[UUID]
    pending: bool
    restated_by: Any | None
    changes: int


_ROUNDS = """(SELECT count(*) FROM letter AS each WHERE each.sender = target.sender
               AND each.document_id = target.document_id AND each.operation IN ('new', 'replace'))"""


async def reach(connection: Connection, sender: UUID, letter: UUID) -> Reach:
    """How far a letter of that sender reaches."""
    records = await connection.fetch(
        """SELECT operation.*, operation.effected_at IS NULL AS pending, letter_link.recipients AS concerned
             FROM letter_link JOIN letter AS operation
               ON operation.sender = letter_link.sender AND operation.id = letter_link.letter
            WHERE letter_link.sender = $1 AND letter_link.target = $2
            ORDER BY operation.id""",
        sender, letter,
    )  # fmt: skip
    first = await connection.fetchrow(
        f"SELECT recipients, {_ROUNDS} AS rounds FROM letter AS target WHERE sender = $1 AND id = $2",  # noqa: S608 - ours
        sender,
        letter,
    )
    assert first is not None
    restating = [one for one in records if one["restated"]]
    return Reach(
        recipients=frozenset(first["recipients"]).union(
            *({*one["added"]} & {*one["concerned"]} for one in records)
        ),
        pending=any(one["pending"] for one in records),
        restated_by=restating[-1] if restating else None,
        changes=len(records) + first["rounds"],
    )


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What an operation was planned on: a target, how often it was changed (`Reach`), what its signatures are worth."""

    target: UUID
    changes: int
    requirement: str


async def overtaken(connection: Connection, asked: Sequence[tuple[UUID, UUID, Sequence[Seen]]]) -> set[UUID]:
    """Part of a commit: of these operations (sender, letter, what was seen) those that another one came before.

    Their targets are locked (`documents.lock`). Of two that were planned on the same, the second is overtaken by the
    first. An operation that was written before, when nobody learnt of it, is not.
    """
    pairs = [(sender, letter, one.target) for sender, letter, seen in asked for one in seen]
    if not pairs:
        return set()
    records = await connection.fetch(
        f"""SELECT given.letter, given.target, target.requirement,
                  {_ROUNDS} + (SELECT count(*) FROM letter_link AS acting
                    WHERE acting.sender = given.sender AND acting.target = given.target) AS changes,
                  EXISTS (SELECT FROM letter WHERE sender = given.sender AND id = given.letter) AS written
             FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (sender, letter, target)
             JOIN letter AS target ON target.sender = given.sender AND target.id = given.target""",  # noqa: S608 - ours
        *zip(*pairs, strict=True),
    )
    stands = {one["target"]: (one["changes"], one["requirement"]) for one in records}
    written = {one["letter"] for one in records if one["written"]}
    late = set[UUID]()
    for _, letter, seen in asked:
        if letter not in written and any(
            stands.get(one.target) != (one.changes, one.requirement) for one in seen
        ):
            late.add(letter)
            continue
        for one in seen:
            changes, requirement = stands[one.target]
            stands[one.target] = (changes + 1, requirement)
    return late


@dataclass(frozen=True, kw_only=True)
class Added:
    """A delivery that an update gives, and the line that says so; `twice`: of one who holds the document already.

    `ended`: the line that says that what expired there is a duplicate of it.
    """

    delivery: rows.DeliveryRow
    line: rows.JournalRow
    twice: rows.JournalRow
    ended: Callable[[Held], rows.JournalRow]


def meant(given: Sequence[Added]) -> list[tuple[UUID, UUID, UUID]]:
    """Who gets these: sender, letter, recipient."""
    return [(one.delivery.sender, one.delivery.letter, one.delivery.recipient) for one in given]


async def add(connection: Connection, given: Sequence[Added]) -> list[rows.JournalRow]:
    """Give recipients deliveries of one earlier letter, unless they have one; the lines of those that were given.

    Who holds the document already has it counted once. The letters of the document are locked, and what expired of it.
    """
    held, late = await documents.joining(connection, [one.delivery for one in given])
    made = await insert.rows(
        connection,
        [_left_out(one.delivery) if one.delivery.recipient in held else one.delivery for one in given],
        conflict="ON CONFLICT DO NOTHING", returning="RETURNING id, recipient",
    )  # fmt: skip
    new, twice = {one["id"] for one in made}, {one["recipient"] for one in made} & held.keys()
    if twice:
        letter = given[0].delivery
        await documents.note(connection, letter.sender, letter.letter, sorted(twice))
    ended = [(by.ended(one), one) for one in late for by in given if _follows(by, one, new)]
    await documents.end(connection, given[0].delivery.sender, [one for _, one in ended])
    lines = [one.line for one in given if one.delivery.id in new] + [line for line, _ in ended]
    said = (one for one in given if one.delivery.id in new and one.delivery.recipient in twice)
    return lines + [rows.like(one.twice, detail={"of": str(held[one.delivery.recipient])}) for one in said]


def _follows(given: Added, late: Held, new: Collection[UUID]) -> bool:
    return given.delivery.id in new and given.delivery.recipient == late.recipient


def _left_out(one: rows.DeliveryRow) -> rows.DeliveryRow:
    return rows.like(one, klass="X", excluded="duplicate", grade="", justified="")


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

    Their targets, and replacements, have all their deliveries, and no older operation on one of them waits still. Which is older tells
    its id: an operation that was overtaken gets a new one when it is planned again.
    """
    return await connection.fetch(
        """SELECT letter.* FROM letter
            WHERE effected_at IS NULL AND operation IN ('revoke', 'update', 'replace') AND accepted_at <= $1
              AND (operation <> 'replace' OR expanded_at IS NOT NULL)
              AND NOT EXISTS (
                  SELECT FROM letter_link AS mine
                    JOIN letter AS target ON target.sender = mine.sender AND target.id = mine.target
                   WHERE mine.sender = letter.sender AND mine.letter = letter.id AND target.expanded_at IS NULL)
              AND NOT EXISTS (
                  SELECT FROM letter_link AS mine
                    JOIN letter_link AS other ON other.sender = mine.sender AND other.target = mine.target
                    JOIN letter AS older ON older.sender = other.sender AND older.id = other.letter
                   WHERE mine.sender = letter.sender AND mine.letter = letter.id AND older.effected_at IS NULL
                     AND older.id < letter.id)
            ORDER BY id LIMIT $2""",
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


async def withdrawn(connection: Connection, letters: Collection[UUID]) -> set[UUID]:
    """From whom all that they had of these letters was withdrawn."""
    records = await connection.fetch(
        """SELECT recipient FROM delivery WHERE letter = ANY($1)
            GROUP BY recipient HAVING bool_and(state = 'withdrawn')""",
        list(letters),
    )
    return {one["recipient"] for one in records}


async def gone(connection: Connection, agencies: Sequence[UUID], letter: UUID) -> bool:
    """Whether every delivery of the letter that these agencies have was withdrawn."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """SELECT coalesce(bool_and(state = 'withdrawn'), false) FROM delivery
            WHERE recipient = ANY($1) AND letter = $2""",
        agencies, letter,
    )  # fmt: skip


_OPEN = "(request IS NOT NULL AND request_answer IS NULL AND state <> ALL($3))"
"""A request waits for the recipient's answer; $3: the states in which nothing is asked any more."""
_ASKED = """SELECT letter_link.target AS id, operation.id AS asking, operation.accepted_at
              FROM letter AS operation
              JOIN letter_link ON letter_link.sender = operation.sender AND letter_link.letter = operation.id"""
_ANSWERED = f"""SELECT delivery.*, named.asking FROM named
                  JOIN delivery ON delivery.recipient = $1 AND delivery.letter = named.id
                 ORDER BY ({_OPEN} AND request_letter = coalesce(asking, request_letter)) DESC,
                          asking NULLS FIRST, named.accepted_at DESC, named.id DESC LIMIT 1"""  # noqa: S608 - ours


async def requested(connection: Connection, recipient: UUID, sender: UUID, document_id: str) -> Any | None:  # noqa: ANN401 - a record
    """The recipient's delivery that an answer naming this id is about, and `asking`: the operation, if it names that.

    What is open first: of the letters of that id, then what a revocation, update or replacement of that id asks about. A
    replacement is both. Where nothing is open, the same without it.
    """
    return await connection.fetchrow(
        f"""WITH named AS (
                SELECT id, NULL::uuid AS asking, accepted_at FROM letter
                 WHERE sender = $2 AND document_id = $4 AND operation IN ('new', 'replace')
                 UNION ALL {_ASKED}
                 WHERE operation.sender = $2 AND operation.document_id = $4
                   AND operation.operation IN ('revoke', 'update', 'replace')) {_ANSWERED}""",  # noqa: S608 - ours
        recipient, sender, list(operations.OVER), document_id,
    )  # fmt: skip


async def asked_by(connection: Connection, recipient: UUID, sender: UUID, operation: UUID) -> Any | None:  # noqa: ANN401 - a record
    """The recipient's delivery that this operation asks about, what is open first; `asking` is the operation."""
    return await connection.fetchrow(
        f"WITH named AS ({_ASKED} WHERE operation.sender = $2 AND operation.id = $4) {_ANSWERED}",
        recipient, sender, list(operations.OVER), operation,
    )  # fmt: skip
