"""Documents (văn bản) by their key: letters of one document, who holds it already, and the numbers of a series.

A document's key is (sender, issued_year, series, number_key, notation_key), as `rules.documents` compares them. Of the
letters that carry one document the first has `first_of_key`, and one unique index sees to it that there is one: a
letter is always written as the first, and only who meets another there asks what came before. So new documents cost an
entry of an index, and no question.

Who comes second locks the first one's row: of two that come after it at the same moment, the later to lock sees what
the earlier one wrote. Training letters (`test`) carry no document.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from exchange.rules import paper_class
from exchange.rules.documents import Earlier, Held
from exchange.store import rows
from exchange.store.pool import Connection

MOST_EARLIER = 20
"""Letters of one document that a sender may be told of."""

_KEY = ("issued_year", "series", "number_key", "notation_key")
_SAME_KEY = """earlier.sender = mine.sender AND earlier.issued_year = mine.issued_year AND earlier.series = mine.series
               AND earlier.number_key = mine.number_key AND earlier.notation_key = mine.notation_key
               AND earlier.operation IN ('new', 'replace') AND NOT earlier.test"""
_CONTENT = "coalesce({0}.main_sha256, {0}.sha256)"


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
    """Part of the commit that wrote these letters: what each writes, seen against all that came before it."""
    if not letters:
        return {}
    ordered = sorted(letters, key=lambda one: one[0].id)
    keys = [(one.sender, one.id) for one, _ in ordered]
    await _lock(connection, keys)
    held, batch = await _held(connection, keys), {one.id for one, _ in ordered}
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


async def _lock(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> None:
    """The first letters of these letters' documents, in the order of their keys."""
    await connection.execute(
        f"""SELECT FROM letter AS earlier
             WHERE earlier.first_of_key AND (earlier.sender, {", ".join(f"earlier.{name}" for name in _KEY)}) IN
                   (SELECT mine.sender, {", ".join(f"mine.{name}" for name in _KEY)}
                      FROM unnest($1::uuid[], $2::uuid[]) AS given (sender, id) JOIN letter AS mine USING (sender, id))
             ORDER BY earlier.sender, earlier.id FOR NO KEY UPDATE OF earlier""",  # noqa: S608 - the statement is ours
        *zip(*keys, strict=True),
    )


async def _held(connection: Connection, keys: Sequence[tuple[UUID, UUID]]) -> defaultdict[UUID, list[Held]]:
    """What the recipients of these letters have of the same documents, or will have: those not expanded yet count too."""
    records = await connection.fetch(
        f"""SELECT mine.id AS mine, held.recipient, earlier.id AS letter, earlier.document_id,
                   coalesce(delivery.state, 'waiting') AS state,
                   {_CONTENT.format("earlier")} = {_CONTENT.format("mine")} AS same,
                   held.recipient = ANY(earlier.duplicates) AS duplicate
              FROM unnest($1::uuid[], $2::uuid[]) AS given (sender, id)
              JOIN letter AS mine USING (sender, id)
              JOIN letter AS earlier ON {_SAME_KEY} AND earlier.id <> mine.id
             CROSS JOIN LATERAL unnest(earlier.recipients) AS held (recipient)
              LEFT JOIN delivery ON delivery.recipient = held.recipient AND delivery.letter = earlier.id
                                AND delivery.round = earlier.round
             WHERE held.recipient = ANY(mine.recipients)
             ORDER BY earlier.accepted_at, earlier.id""",  # noqa: S608 - the statement is ours
        *zip(*keys, strict=True),
    )
    found = defaultdict[UUID, list[Held]](list)
    for one in records:
        found[one["mine"]].append(Held(**{name: one[name] for name in _FACTS}))
    return found


_FACTS = ("recipient", "letter", "document_id", "state", "same", "duplicate")


async def _write(connection: Connection, found: Sequence[tuple[UUID, UUID, Sequence[UUID]]]) -> None:
    changed = [(sender, letter, rows.array(agencies)) for sender, letter, agencies in found if agencies]
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

    counted_twice       two counted transfers of one document to one recipient, none of which ever ended
    duplicate_unfounded a transfer left out as duplicate without an earlier letter of the document to its recipient
    duplicate_unsaid    recipients of a letter left out as duplicates and its journal do not agree
    """
    return await connection.fetch(
        f"""SELECT 'counted_twice' AS code, mine.id AS letter
              FROM letter AS mine JOIN letter AS earlier ON {_SAME_KEY} AND earlier.id <> mine.id
               AND {_CONTENT.format("earlier")} = {_CONTENT.format("mine")}
              JOIN delivery AS here ON here.sender = mine.sender AND here.letter = mine.id
              JOIN delivery AS there ON there.recipient = here.recipient AND there.letter = earlier.id
             WHERE mine.first_of_key = false AND earlier.accepted_at <= mine.accepted_at
               AND here.counted_class <> 'X' AND there.counted_class <> 'X'
               AND NOT EXISTS (SELECT FROM journal
                                WHERE agency = there.recipient AND journal.delivery = there.id
                                  AND (event IN ('expired', 'withdrawn') OR (event = 'status' AND code = '02')))
            UNION ALL
            SELECT 'duplicate_unfounded', mine.id
              FROM letter AS mine CROSS JOIN LATERAL unnest(mine.duplicates) AS one (recipient)
             WHERE NOT EXISTS (SELECT FROM letter AS earlier
                                WHERE {_SAME_KEY} AND earlier.id <> mine.id AND one.recipient = ANY(earlier.recipients))
                OR NOT one.recipient = ANY(mine.recipients)
            UNION ALL
            SELECT 'duplicate_unsaid', mine.id
              FROM letter AS mine
             WHERE (mine.duplicates <> '{{}}' OR mine.first_of_key = false)
               AND cardinality(mine.duplicates) <>
                   (SELECT coalesce(sum(coalesce((detail->>'count')::int, 1)), 0) FROM journal
                     WHERE journal.letter = mine.id AND event = 'duplicate')""",  # noqa: S608 - the statement is ours
    )
