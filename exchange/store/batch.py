"""A batch: what one transaction of the committer writes, and how each submission of it ends.

Theory of operation. Operations and letters of documents sent before rest on what other letters did. So before anything
is written their targets and the first letters of their documents are locked, all at once and in the order of their
keys; an operation whose target was acted on since it was planned is *overtaken*: nothing of it is kept, the caller
plans it anew. The rest goes in with one statement per table, in fixed order, rows sorted by key.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from exchange.store import documents, heirs, insert, operations, renumbered, rows, transitions
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What one decision writes: a letter with all that belongs to it, or (letter None) one journal row: a refusal's, or a remark's.

    `transition` is what a notice does to the delivery it speaks of, `effects` what an operation does to those of its
    targets (`links`), as they were `seen` when it was planned; `added` are deliveries of a target. `due` says that the
    letter is to be judged again. `again`, of a letter
    whose document was sent before, decides about its deliveries instead of `deliveries`. `refused` is written instead
    of everything else
    when the letter turns out to be a conflict.
    """

    letter: rows.LetterRow | None
    verdicts: tuple[rows.VerdictRow, ...] = ()
    deliveries: tuple[rows.DeliveryRow, ...] = ()
    answers: tuple[rows.AnswerRow, ...] = ()
    due: tuple[rows.DueRow, ...] = ()
    payload: rows.PayloadRow | None = None
    evidence: tuple[rows.EvidenceRow, ...] = ()
    transition: transitions.Transition | None = None
    effects: tuple[transitions.Transition, ...] = ()
    links: tuple[rows.LinkRow, ...] = ()
    seen: tuple[operations.Seen, ...] = ()
    added: tuple[operations.Added, ...] = ()
    accepted: rows.JournalRow | None = None
    refused: rows.JournalRow | None = None
    again: documents.Decide | None = None

    @property
    def weight(self) -> tuple[int, int]:
        """Bytes and rows that this submission adds to a batch."""
        body = len(self.payload.body) if self.payload and self.payload.body else 0
        rest = (self.deliveries, self.verdicts, self.answers, self.effects, self.added)
        return body, 3 + sum(map(len, rest))


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a submission ended, and the letter that holds the identity.

    stored | replayed | conflict | recorded | known_document | overtaken
    """

    kind: str
    letter: UUID | None = None
    receipt: bytes = b""


async def write(connection: Connection, submissions: Sequence[Submission]) -> list[Outcome]:
    """Part of a transaction: all of these that can be written; how each ended."""
    late = await _overtaken(connection, submissions)
    going = [one for one in submissions if one.letter is None or one.letter.id not in late]
    written = await _write_letters(connection, going)
    outcomes = await _read_back(connection, going, written)
    await _write_rest(connection, going, outcomes, written)
    told = iter(outcomes)
    return [
        Outcome(kind="overtaken") if one.letter is not None and one.letter.id in late else next(told)
        for one in submissions
    ]


async def _overtaken(connection: Connection, submissions: Sequence[Submission]) -> set[UUID]:
    """Those that were planned on what stands no more; what the others rest on is locked."""
    acting = [(one.letter.sender, one.letter.id, one.seen) for one in submissions if one.letter and one.seen]
    targets = {(sender, one.target) for sender, _, seen in acting for one in seen}
    targets |= heirs.letters([one.transition for one in submissions if one.transition])
    bringing = [one.letter for one in submissions if one.letter and (one.again or _renumbers(one.letter))]
    await documents.lock(connection, targets, bringing)
    return await operations.overtaken(connection, acting)


def _renumbers(letter: rows.LetterRow) -> bool:
    return letter.restated and letter.number_key is not None


async def _write_letters(connection: Connection, submissions: Sequence[Submission]) -> set[UUID]:
    letters = [submission.letter for submission in submissions if submission.letter]
    records = await insert.rows(
        connection, letters, conflict="ON CONFLICT DO NOTHING", returning="RETURNING id"
    )
    return {record["id"] for record in records}


async def _read_back(
    connection: Connection, submissions: Sequence[Submission], written: set[UUID]
) -> list[Outcome]:
    """The outcome of each submission; one more statement only when some letter was not written just now."""
    others = [one.letter for one in submissions if one.letter and one.letter.id not in written]
    holders = await _holders(connection, others) if others else {}
    return [_outcome(submission.letter, written, holders) for submission in submissions]


def _outcome(letter: rows.LetterRow | None, written: set[UUID], holders: dict[UUID, Any]) -> Outcome:
    if letter is None:
        return Outcome(kind="recorded")
    if letter.id in written:
        return Outcome(kind="stored", letter=letter.id, receipt=letter.receipt)
    holder = holders.get(letter.id)
    if holder is None:
        return Outcome(kind="known_document")
    if holder["id"] == letter.id:
        return Outcome(kind="stored", letter=letter.id, receipt=letter.receipt)
    kind = "replayed" if holder["sha256"] == letter.sha256 else "conflict"
    return Outcome(kind=kind, letter=holder["id"], receipt=holder["receipt"])


async def _holders(connection: Connection, letters: Sequence[rows.LetterRow]) -> dict[UUID, Any]:
    """For each letter that was not written: the row that holds its identity."""
    records = await connection.fetch(
        """SELECT given.id AS mine, letter.id, letter.sha256, letter.receipt
             FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::bytea[])
                  AS given (sender, id, document_id, operation, round, sha256)
             JOIN letter ON letter.sender = given.sender AND letter.document_id = given.document_id
                        AND letter.operation = given.operation AND letter.round = given.round
                        AND (given.operation IN ('new', 'replace') OR letter.sha256 = given.sha256)""",
        *(
            [getattr(letter, name) for letter in letters]
            for name in ("sender", "id", "document_id", "operation", "round", "sha256")
        ),
    )
    return {record["mine"]: record for record in records}


async def _write_rest(
    connection: Connection, submissions: Sequence[Submission], outcomes: Sequence[Outcome], written: set[UUID]
) -> None:
    new = [one for one in submissions if one.letter and one.letter.id in written]
    moves = [each for one in new for each in (one.transition, *one.effects) if each]
    again = [(one.letter, one.again) for one in new if one.letter and one.again]
    await insert.rows(connection, [row for one in new for row in one.verdicts])
    added = [each for one in new for each in one.added]
    await _lock(connection, moves, [letter for letter, _ in again], added)
    settled = await documents.settle(connection, again)
    await insert.rows(connection, [row for one in new for row in _deliveries(one, settled)])
    await insert.rows(connection, [row for one in new for row in one.answers])
    await insert.rows(connection, [row for one in new for row in one.due])
    await insert.rows(connection, [one.payload for one in new if one.payload])
    kept = {row.sha256: row for one in new for row in one.evidence}
    await insert.rows(connection, list(kept.values()), conflict="ON CONFLICT DO NOTHING")
    await insert.rows(connection, [row for one in new for row in one.links])
    for letter in (one.letter for one in new if one.letter and _renumbers(one.letter)):
        await renumbered.renumber(
            connection, letter, [link.target for one in new for link in one.links if link.letter == letter.id]
        )
    lines = [one.accepted for one in new if one.accepted]
    lines += [line for one in settled.values() for line in one.lines]
    lines += await add(added, connection)
    moved = await heirs.apply(connection, moves)
    lines += [line for one in moved for line in one.lines]
    lines += _refusals(submissions, outcomes)
    await insert.rows(connection, lines, conflict="ON CONFLICT DO NOTHING")
    await insert.rows(connection, [fact for one in moved for fact in one.facts])


async def _lock(
    connection: Connection,
    moves: Sequence[transitions.Transition],
    again: Sequence[rows.LetterRow],
    added: Sequence[operations.Added],
) -> None:
    """All deliveries at once of which more is decided than where they go: what a letter sent again is, what comes to count."""
    late = await documents.expired(connection, [*documents.meant(again), *operations.meant(added)])
    following = await heirs.keys(connection, moves)
    if again or added or following:
        await transitions.locked(connection, [*(one.key for one in moves), *late, *following])


def _deliveries(one: Submission, settled: Mapping[UUID, documents.Resent]) -> tuple[rows.DeliveryRow, ...]:
    return settled[one.letter.id].deliveries if one.letter and one.again else one.deliveries


async def add(given: Sequence[operations.Added], connection: Connection) -> list[rows.JournalRow]:
    """Give recipients deliveries of earlier letters, letter by letter, unless they have one; the lines that say so."""
    by_letter = defaultdict[UUID, list[operations.Added]](list)
    for one in given:
        by_letter[one.delivery.letter].append(one)
    return [line for each in by_letter.values() for line in await operations.add(connection, each)]


def _refusals(submissions: Sequence[Submission], outcomes: Sequence[Outcome]) -> Iterable[rows.JournalRow]:
    for submission, outcome in zip(submissions, outcomes, strict=True):
        if outcome.kind in {"conflict", "recorded"} and submission.refused:
            yield submission.refused
