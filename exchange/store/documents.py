"""Documents (văn bản) by their key: letters of one document, who holds it already, and the numbers of a series.

A document's key is (sender, issued_year, series, number_key, notation_key), as `rules.documents` compares them. Of the
letters that carry one document the first has `first_of_key`, and one unique index sees to it that there is one: a
letter is always written as the first, and only who meets another there asks what came before. So new documents cost an
entry of an index, and no question.

Who comes second locks the rows of those before it, and so does an update that gives a letter further recipients: of two
that come at the same moment, the later to lock sees what the earlier one wrote. Training letters (`test`) carry no
document. Rounds of one document id are one document too, whatever their numbers.

What expired may still be taken in. So where the document goes to that recipient again, the expired delivery ends as a
duplicate of the new one, in the commit of that one.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from uuid import UUID

from exchange.rules import paper_class
from exchange.rules.documents import Earlier, Held, Sent, duplicates, ended
from exchange.store import insert, rows
from exchange.store.pool import Connection

MOST_EARLIER = 20
"""Letters of one document that a sender may be told of."""

KEY = ("issued_year", "series", "number_key", "notation_key")
SAME_KEY = """earlier.sender = mine.sender AND earlier.issued_year = mine.issued_year AND earlier.series = mine.series
               AND earlier.number_key = mine.number_key AND earlier.notation_key = mine.notation_key
               AND earlier.operation IN ('new', 'replace') AND NOT earlier.test"""
ROUND_OF = """earlier.sender = mine.sender AND earlier.document_id = mine.document_id AND earlier.operation = mine.operation
               AND earlier.operation IN ('new', 'replace') AND NOT earlier.test"""
_CONTENT = "coalesce({0}.main_sha256, {0}.sha256)"
SAME = f"""({_CONTENT.format("earlier")} = {_CONTENT.format("mine")}
             OR earlier.document_id = mine.document_id AND earlier.operation = mine.operation
             OR EXISTS (SELECT FROM letter_link
                         WHERE letter_link.sender = mine.sender AND kind = 'replaces'
                           AND (letter, target) IN ((mine.id, earlier.id), (earlier.id, mine.id))))"""
"""Of letters under one key: whether they are one document: by content, as rounds, or because one replaces the other."""
REACHES = """({recipient} = ANY({letter}.recipients)
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
    """What a letter of a document known before writes instead of its deliveries, with who held it and the lines that say so.

    `ended`: what expired at its recipients, and is a duplicate of it from now on.
    """

    duplicates: tuple[UUID, ...]
    deliveries: tuple[rows.DeliveryRow, ...]
    lines: tuple[rows.JournalRow, ...]
    ended: tuple[Held, ...] = ()


Decide = Callable[[Sequence[Held]], Resent]
"""Pure; called with the letters of the document locked."""


async def earlier(connection: Connection, asked: Collection[Asked]) -> dict[Asked, tuple[Earlier, ...]]:
    """The letters that carry these documents, oldest first; documents that nobody sent are not told."""
    records = await connection.fetch(
        f"""SELECT mine.position, held.*
              FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::bytea[]) WITH ORDINALITY
                   AS mine (sender, issued_year, series, number_key, notation_key, content, position)
             CROSS JOIN LATERAL (
                   SELECT document_id, accepted_at, {_CONTENT.format("earlier")} = mine.content AS same, recipients
                     FROM letter AS earlier WHERE {SAME_KEY}
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

    The letters of their documents are locked (`lock`), and what expired of them (`expired`).
    """
    if not letters:
        return {}
    ordered = sorted(letters, key=lambda one: one[0].id)
    known, batch = await held(connection, meant([one for one, _ in ordered])), {one.id for one, _ in ordered}
    decided: dict[UUID, Resent] = {}
    for letter, decide in ordered:
        before = [
            one
            for one in known[letter.id]
            if one.letter not in batch
            or (one.letter in decided and one.recipient not in decided[one.letter].duplicates)
        ]
        decided[letter.id] = decide(before)
    await _write(connection, [(one.sender, one.id, decided[one.id].duplicates) for one, _ in ordered])
    await _leave_no_document_without_its_first(connection, [one for one, _ in ordered])
    for letter, _ in ordered:
        await end(connection, letter.sender, decided[letter.id].ended)
    return decided


async def _leave_no_document_without_its_first(
    connection: Connection, letters: Sequence[rows.LetterRow]
) -> None:
    """The letter that was the first of their number may have been given another meanwhile (`store.renumbered`)."""
    await connection.execute(
        f"""UPDATE letter SET first_of_key = true
              FROM (SELECT DISTINCT ON (sender, {", ".join(KEY)}) sender, id
                      FROM unnest($1::uuid[], $2::uuid[]) AS given (sender, id) JOIN letter AS mine USING (sender, id)
                     WHERE first_of_key = false
                       AND NOT EXISTS (SELECT FROM letter AS earlier WHERE {SAME_KEY} AND earlier.first_of_key)
                     ORDER BY sender, {", ".join(KEY)}, id) AS alone
             WHERE letter.sender = alone.sender AND letter.id = alone.id""",  # noqa: S608 - the statement is ours
        [one.sender for one in letters], [one.id for one in letters],
    )  # fmt: skip


def meant(letters: Iterable[rows.LetterRow]) -> list[tuple[UUID, UUID, UUID]]:
    """Who gets these letters: sender, letter, recipient."""
    return [(one.sender, one.id, recipient) for one in letters for recipient in one.recipients]


async def expired(
    connection: Connection, given: Sequence[tuple[UUID, UUID, UUID]]
) -> list[tuple[UUID, UUID, int]]:
    """Part of a commit: keys of what expired of the same documents at these recipients (sender, letter, recipient)."""
    found = await held(connection, given) if given else {}
    return [one.key for each in found.values() for one in each if one.state == "expired"]


async def end(connection: Connection, sender: UUID, given: Sequence[Held]) -> None:
    """Part of a commit: these expired deliveries, which are locked, are no transfers any more."""
    if not given:
        return
    await connection.execute(
        """UPDATE delivery SET class = 'X', excluded = 'duplicate', grade = '', justified = ''
             FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS given (recipient, letter, round)
            WHERE delivery.recipient = given.recipient AND delivery.letter = given.letter
              AND delivery.round = given.round""",
        *zip(*(one.key for one in given), strict=True),
    )
    for letter in sorted({one.letter for one in given}):
        await note(connection, sender, letter, [one.recipient for one in given if one.letter == letter])


async def lock(
    connection: Connection, letters: Collection[tuple[UUID, UUID]], further: Iterable[rows.LetterRow] = ()
) -> None:
    """Part of a commit, before it writes: these letters (sender, id), and all that carry their documents.

    `further` are letters not written yet, whose documents are locked too. In the order of their keys, as everywhere, and
    all at once: whoever needs several waits for nobody who waits for him. Who brings a number looks twice: while he waited,
    an update may have given it to letters that had another (`store.renumbered`).
    """
    names = ("sender", *KEY, "document_id")
    documents = [[getattr(one, name) for name in names] for one in further]
    if not letters and not documents:
        return
    statement = f"""WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS given (sender, id)),
                 wanted AS (SELECT {", ".join(names)} FROM given JOIN letter USING (sender, id)
                             UNION SELECT * FROM unnest($3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[]))
            SELECT FROM letter
              JOIN (SELECT sender, id FROM given
                     UNION SELECT letter.sender, letter.id FROM wanted JOIN letter USING (sender, {", ".join(KEY)})
                            WHERE letter.number_key IS NOT NULL AND letter.operation IN ('new', 'replace')
                     UNION SELECT letter.sender, letter.id FROM wanted JOIN letter USING (sender, document_id)
                            WHERE letter.operation IN ('new', 'replace')) AS locked USING (sender, id)
             ORDER BY letter.sender, letter.id FOR NO KEY UPDATE OF letter"""  # noqa: S608 - the statement is ours
    told = [[sender for sender, _ in letters], [letter for _, letter in letters]]
    told += [[one[n] for one in documents] for n in range(len(names))]
    for _ in range(2 if documents else 1):
        await connection.execute(statement, *told)


async def held(
    connection: Connection, meant: Sequence[tuple[UUID, UUID, UUID]]
) -> defaultdict[UUID, list[Held]]:
    """What recipients (sender, letter, recipient) have of the same documents, or will have, by that letter.

    Those that an earlier letter has not been expanded for yet count too, and those that an update added to it.
    """
    records = await connection.fetch(
        f"""SELECT mine.id AS mine, given.recipient, earlier.id AS letter, earlier.document_id, earlier.round,
                   delivery.id AS delivery, delivery.excluded IS NULL AS counts,
                   coalesce(delivery.state, 'waiting') AS state,
                   {SAME} AS same,
                   given.recipient = ANY(earlier.duplicates) AS duplicate,
                   coalesce(delivery.recalled, false) AS recalled
              FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS given (sender, id, recipient)
              JOIN letter AS mine USING (sender, id)
              JOIN LATERAL (SELECT * FROM letter AS earlier WHERE {SAME_KEY}
                             UNION ALL
                            SELECT * FROM letter AS earlier WHERE {ROUND_OF} AND ({SAME_KEY}) IS NOT TRUE) AS earlier
                ON earlier.id <> mine.id AND NOT mine.test
              LEFT JOIN delivery ON delivery.recipient = given.recipient AND delivery.letter = earlier.id
                                AND delivery.round = earlier.round
             WHERE {REACHES.format(letter="earlier", recipient="given.recipient")}
             ORDER BY earlier.accepted_at, earlier.id""",  # noqa: S608 - the statement is ours
        *zip(*meant, strict=True),
    )  # fmt: skip
    found = defaultdict[UUID, list[Held]](list)
    for one in records:
        found[one["mine"]].append(Held(**{name: one[name] for name in _FACTS}))
    return found


_FACTS = tuple(field.name for field in fields(Held))


async def joining(
    connection: Connection, given: Sequence[rows.DeliveryRow]
) -> tuple[dict[UUID, UUID], list[Held]]:
    """Part of a commit: of the recipients whom an update adds to a letter, who holds its document, and by which letter.

    And what of it expired there. `given` are deliveries of that one letter; the letters of its document are locked.
    """
    known = await held(connection, [(one.sender, one.letter, one.recipient) for one in given])
    sent, before = Sent(document_id=given[0].document_id), known[given[0].letter]
    return duplicates(sent, before), ended(sent, before)


async def note(connection: Connection, sender: UUID, letter: UUID, recipients: Sequence[UUID]) -> None:
    """The letter is no transfer of its own for these recipients either."""
    await connection.execute(
        "UPDATE letter SET duplicates = duplicates || $3::uuid[] WHERE sender = $1 AND id = $2",
        sender, letter, recipients,
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
