"""Documents (văn bản) by their key: letters of one document, who holds it already, and the numbers of a series.

A document's key is (sender, issued_year, series, number_key, notation_key), as `rules.documents` compares them. Of the
letters that carry one document the first has `first_of_key`, and one unique index sees to it that there is one: a
letter is always written as the first, and only who meets another there asks what came before. So new documents cost an
entry of an index, and no question.

Who comes second locks the first one's row, and so does an update that gives a letter further recipients: of two that
come after it at the same moment, the later to lock sees what the earlier one wrote. Training letters (`test`) carry no
document.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from exchange.rules import paper_class
from exchange.rules.documents import Earlier, Held, Sent, duplicates
from exchange.store import insert, rows
from exchange.store.pool import Connection

MOST_EARLIER = 20
"""Letters of one document that a sender may be told of."""

_KEY = ("issued_year", "series", "number_key", "notation_key")
_SAME_KEY = """earlier.sender = mine.sender AND earlier.issued_year = mine.issued_year AND earlier.series = mine.series
               AND earlier.number_key = mine.number_key AND earlier.notation_key = mine.notation_key
               AND earlier.operation IN ('new', 'replace') AND NOT earlier.test"""
_CONTENT = "coalesce({0}.main_sha256, {0}.sha256)"
_SAME = f"""({_CONTENT.format("earlier")} = {_CONTENT.format("mine")}
             OR EXISTS (SELECT FROM letter_link
                         WHERE letter_link.sender = mine.sender AND kind = 'replaces'
                           AND (letter, target) IN ((mine.id, earlier.id), (earlier.id, mine.id))))"""
"""Of letters under one key: whether they are one document, by content or because one replaces the other."""
_REACHES = """({recipient} = ANY({letter}.recipients)
               OR EXISTS (SELECT FROM letter_link
                            JOIN letter AS updater
                              ON updater.sender = letter_link.sender AND updater.id = letter_link.letter
                           WHERE letter_link.sender = {letter}.sender AND letter_link.target = {letter}.id
                             AND {recipient} = ANY(updater.added) AND {recipient} = ANY(letter_link.recipients)))"""
"""Whether a letter goes to a recipient: from the beginning, or by an update, be its effects done yet or not."""


@dataclass(frozen=True)
class Asked:
    """A document and its content: the main file's digest, or the letter's where there is no file."""

    sender: UUID
    year: int
    series: str
    number: str
    notation: str
    content: bytes


@dataclass(frozen=True, kw_only=True)
class Resent:
    """What a letter of a document known before writes instead of its deliveries, with who held it and the lines that say so."""

    duplicates: tuple[UUID, ...]
    deliveries: tuple[rows.DeliveryRow, ...]
    lines: tuple[rows.JournalRow, ...]


Decide = Callable[[Sequence[Held]], Resent]
"""Pure; called with the first letter of the document locked."""


async def earlier(connection: Connection, asked: Collection[Asked]) -> dict[Asked, tuple[Earlier, ...]]:
    """The letters that carry these documents, oldest first; documents that nobody sent are not told."""
    records = await connection.fetch(
        f"""SELECT mine.position, held.*
              FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::bytea[]) WITH ORDINALITY
                   AS mine (sender, issued_year, series, number_key, notation_key, content, position)
             CROSS JOIN LATERAL (
                   SELECT document_id, accepted_at, {_CONTENT.format("earlier")} = mine.content AS same, recipients
                     FROM letter AS earlier WHERE {_SAME_KEY}
                    ORDER BY accepted_at, id LIMIT $7) AS held
             ORDER BY mine.position, held.accepted_at""",  # noqa: S608 - the statement is ours
        *zip(*map(astuple, asked), strict=True), MOST_EARLIER,
    )  # fmt: skip
    order, found = list(asked), defaultdict[Asked, list[Earlier]](list)
    for one in records:
        told = Earlier(
            document_id=one["document_id"], day=paper_class.local_day(one["accepted_at"]),
            same=one["same"], recipients=tuple(one["recipients"]),
        )  # fmt: skip
        found[order[one["position"] - 1]].append(told)
    return {question: tuple(letters) for question, letters in found.items()}


async def settle(
    connection: Connection, letters: Sequence[tuple[rows.LetterRow, Decide]]
) -> dict[UUID, Resent]:
    """Part of the commit that wrote these letters: what each writes, seen against all that came before it.

    The first letters of their documents are locked (`lock`).
    """
    if not letters:
        return {}
    ordered = sorted(letters, key=lambda one: one[0].id)
    meant = [(one.sender, one.id, recipient) for one, _ in ordered for recipient in one.recipients]
    held, batch = await _held(connection, meant), {one.id for one, _ in ordered}
    decided: dict[UUID, Resent] = {}
    for letter, decide in ordered:
        before = [
            one
            for one in held[letter.id]
            if one.letter not in batch
            or (one.letter in decided and one.recipient not in decided[one.letter].duplicates)
        ]
        decided[letter.id] = decide(before)
    await _write(connection, [(one.sender, one.id, decided[one.id].duplicates) for one, _ in ordered])
    return decided


async def lock(
    connection: Connection, letters: Collection[tuple[UUID, UUID]], further: Iterable[rows.LetterRow] = ()
) -> None:
    """Part of a commit, before it writes: these letters (sender, id), and the first ones of their documents.

    `further` are letters not written yet, of whose documents the first ones are locked too. In the order of their keys,
    as everywhere, and all at once: whoever needs several waits for nobody who waits for him.
    """
    documents = [[getattr(one, name) for name in ("sender", *_KEY)] for one in further]
    if not letters and not documents:
        return
    await connection.execute(
        f"""WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS given (sender, id)),
                 wanted AS (SELECT sender, {", ".join(_KEY)} FROM given JOIN letter USING (sender, id)
                             UNION SELECT * FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[]))
            SELECT FROM letter
              JOIN (SELECT sender, id FROM given
                     UNION SELECT letter.sender, letter.id FROM wanted JOIN letter USING (sender, {", ".join(_KEY)})
                            WHERE letter.first_of_key) AS locked USING (sender, id)
             ORDER BY letter.sender, letter.id FOR NO KEY UPDATE OF letter""",  # noqa: S608 - the statement is ours
        [sender for sender, _ in letters], [letter for _, letter in letters],
        *([one[n] for one in documents] for n in range(1 + len(_KEY))),
    )  # fmt: skip


async def _held(
    connection: Connection, meant: Sequence[tuple[UUID, UUID, UUID]]
) -> defaultdict[UUID, list[Held]]:
    """What recipients (sender, letter, recipient) have of the same documents, or will have, by that letter.

    Those that an earlier letter has not been expanded for yet count too, and those that an update added to it.
    """
    records = await connection.fetch(
        f"""SELECT mine.id AS mine, given.recipient, earlier.id AS letter, earlier.document_id,
                   coalesce(delivery.state, 'waiting') AS state,
                   {_SAME} AS same,
                   given.recipient = ANY(earlier.duplicates) AS duplicate,
                   coalesce(delivery.recalled, false) AS recalled
              FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (sender, id, recipient)
              JOIN letter AS mine USING (sender, id)
              JOIN letter AS earlier ON {_SAME_KEY} AND earlier.id <> mine.id AND NOT mine.test
              LEFT JOIN delivery ON delivery.recipient = given.recipient AND delivery.letter = earlier.id
                                AND delivery.round = earlier.round
             WHERE {_REACHES.format(letter="earlier", recipient="given.recipient")}
             ORDER BY earlier.accepted_at, earlier.id""",  # noqa: S608 - the statement is ours
        *zip(*meant, strict=True),
    )  # fmt: skip
    found = defaultdict[UUID, list[Held]](list)
    for one in records:
        found[one["mine"]].append(Held(**{name: one[name] for name in _FACTS}))
    return found


_FACTS = ("recipient", "letter", "document_id", "state", "same", "duplicate", "recalled")


async def joining(connection: Connection, given: Sequence[rows.DeliveryRow]) -> dict[UUID, UUID]:
    """Part of a commit: of the recipients whom an update adds to a letter, who holds its document, and by which letter.

    `given` are deliveries of that one letter; the first letter of its document is locked (`lock`).
    """
    held = await _held(connection, [(one.sender, one.letter, one.recipient) for one in given])
    sent = Sent(document_id=given[0].document_id)
    return duplicates(sent, held[given[0].letter])


async def note(connection: Connection, sender: UUID, letter: UUID, recipients: Sequence[UUID]) -> None:
    """The letter is no transfer of its own for these recipients either."""
    await connection.execute(
        "UPDATE letter SET duplicates = duplicates || $3::uuid[] WHERE sender = $1 AND id = $2",
        sender, letter, recipients,
    )  # fmt: skip


async def leave_out(connection: Connection, letter: UUID, round_: int, recipients: Sequence[UUID]) -> None:
    """Deliveries of the letter that were moved as duplicates show the class of one."""
    await connection.execute(
        "UPDATE delivery SET class = 'X', grade = '' WHERE recipient = ANY($1) AND letter = $2 AND round = $3",
        recipients, letter, round_,
    )  # fmt: skip


async def _write(connection: Connection, found: Sequence[tuple[UUID, UUID, Sequence[UUID]]]) -> None:
    changed = [(sender, letter, insert.array(agencies)) for sender, letter, agencies in found if agencies]
    if changed:
        await connection.execute(
            """UPDATE letter SET duplicates = given.duplicates::uuid[]
                 FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS given (sender, id, duplicates)
                WHERE letter.sender = given.sender AND letter.id = given.id""",
            *zip(*changed, strict=True),
        )


async def numbers(connection: Connection, issuer: UUID, year: int) -> dict[str, list[str]]:
    """The numbers of an issuer's year by series, each once, as `rules.number_series` takes them."""
    records = await connection.fetch(
        """SELECT series, array_agg(DISTINCT number_key) AS numbers FROM letter
            WHERE sender = $1 AND issued_year = $2 AND number_key IS NOT NULL
              AND operation IN ('new', 'replace') AND NOT test
            GROUP BY series ORDER BY series""",
        issuer, year,
    )  # fmt: skip
    return {one["series"]: list(one["numbers"]) for one in records}


async def faults(connection: Connection) -> list[Any]:
    """Housekeeping, for the self-check: what contradicts the rule of documents sent twice; `code` and letter.

    counted_twice       two counted transfers of one document to one recipient, though the first of them never ended
    duplicate_unfounded a transfer left out as duplicate without an earlier letter of the document to its recipient
    duplicate_unsaid    recipients of a letter left out as duplicates and its journal do not agree
    """
    return await connection.fetch(
        f"""SELECT 'counted_twice' AS code, mine.id AS letter
              FROM letter AS mine JOIN letter AS earlier ON {_SAME_KEY} AND earlier.id <> mine.id AND {_SAME}
              JOIN delivery AS here ON here.sender = mine.sender AND here.letter = mine.id
              JOIN delivery AS there ON there.recipient = here.recipient AND there.letter = earlier.id
             WHERE mine.first_of_key = false AND earlier.accepted_at <= mine.accepted_at
               AND here.counted_class <> 'X' AND there.counted_class <> 'X'
               AND NOT EXISTS (SELECT FROM journal
                                WHERE agency = here.recipient AND journal.delivery =
                                      CASE WHEN coalesce(there.added_at, there.accepted_at)
                                                <= coalesce(here.added_at, here.accepted_at)
                                           THEN there.id ELSE here.id END
                                  AND (event = 'expired' OR (event = 'status' AND code = '02')))
            UNION ALL
            SELECT 'duplicate_unfounded', mine.id
              FROM letter AS mine CROSS JOIN LATERAL unnest(mine.duplicates) AS one (recipient)
             WHERE NOT EXISTS (SELECT FROM letter AS earlier
                                WHERE {_SAME_KEY} AND earlier.id <> mine.id
                                  AND {_REACHES.format(letter="earlier", recipient="one.recipient")})
                OR NOT {_REACHES.format(letter="mine", recipient="one.recipient")}
            UNION ALL
            SELECT 'duplicate_unsaid', mine.id
              FROM letter AS mine
             WHERE (mine.duplicates <> '{{}}' OR mine.first_of_key = false)
               AND cardinality(mine.duplicates) <>
                   (SELECT coalesce(sum(coalesce((detail->>'count')::int, 1)), 0) FROM journal
                     WHERE journal.letter = mine.id AND event = 'duplicate')""",  # noqa: S608 - the statement is ours
    )
