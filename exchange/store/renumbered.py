"""Renumbered: an update gives a document another number (cập nhật số, ký hiệu).

Theory of operation. The update names a letter; what it renumbers is the document: all letters that are one with it under the old
number (`documents.SAME`, from one to the next). They move together, so that nobody's transfer begins or ceases to count: who
held the document once holds it once.

    old number, other documents   stay, and the oldest of them holds the key: two documents under one number are what such an
                                  update mends
    new number, other documents   the document shares it, as one that is sent under a used number does; the sender is warned
                                  (`broker.operations`), and the oldest holds the key
    new number, the same document nothing moves: transfers that count already would be two of one document. They are told apart
                                  by their numbers, as they were. Rounds of one id are one whatever their numbers, and move

The oldest letter of a key holds it (`first_of_key`): measures of a span rely on that. Letters of the old number, of the new one
and of the document's id are locked (`documents.lock`); who sends the new number for the first time at this moment is met at the
unique index or, where it was committed between two statements, asked for once more, and locked then.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg

from exchange.store import documents, rows
from exchange.store.documents import KEY, SAME, SAME_KEY
from exchange.store.pool import Connection

_KEY = ", ".join(KEY)
_CARRIES = "operation IN ('new', 'replace') AND NOT test AND number_key IS NOT NULL"
_MOVING = f"""
WITH RECURSIVE moving AS (
    SELECT sender, id FROM letter
     WHERE sender = $1 AND id = ANY($2) AND {_CARRIES} AND ({_KEY}) IS DISTINCT FROM ($3, $4, $5, $6)
     UNION
    SELECT earlier.sender, earlier.id
      FROM moving JOIN letter AS mine ON mine.sender = moving.sender AND mine.id = moving.id
      JOIN letter AS earlier ON {SAME_KEY} AND earlier.id <> mine.id AND {SAME})
SELECT id, {_KEY} FROM letter WHERE (sender, id) IN (SELECT sender, id FROM moving)"""  # noqa: S608 - the statement is ours
_MET = f"""
SELECT EXISTS (SELECT FROM letter AS mine JOIN letter AS earlier
                           ON earlier.sender = mine.sender AND earlier.issued_year = $3 AND earlier.series = $4
                          AND earlier.number_key = $5 AND earlier.notation_key = $6
                          AND earlier.operation IN ('new', 'replace') AND NOT earlier.test AND {SAME} AND earlier.id <> ALL($2)
                          AND (earlier.document_id, earlier.operation) IS DISTINCT FROM (mine.document_id, mine.operation)
                WHERE mine.sender = $1 AND mine.id = ANY($2))"""  # noqa: S608 - the statement is ours
_MOVE = """
UPDATE letter SET issued_year = $3, series = $4, number_key = $5, notation_key = $6, first_of_key = false
 WHERE sender = $1 AND id = ANY($2)"""
_OLDEST = f"""
SELECT DISTINCT ON ({_KEY}) id FROM letter
  JOIN unnest($2::int[], $3::text[], $4::text[], $5::text[]) AS given ({_KEY}) USING ({_KEY})
 WHERE sender = $1 AND {_CARRIES} ORDER BY {_KEY}, accepted_at, id"""  # noqa: S608 - the statement is ours
_NO_MORE = f"""
UPDATE letter SET first_of_key = false
  FROM unnest($2::int[], $3::text[], $4::text[], $5::text[]) AS given ({_KEY})
 WHERE sender = $1 AND first_of_key AND id <> ALL($6) AND {" AND ".join(f"letter.{name} = given.{name}" for name in KEY)}"""  # noqa: S608 - the statement is ours
_HOLDS = (
    "UPDATE letter SET first_of_key = true WHERE sender = $1 AND id = ANY($2) AND first_of_key IS NOT TRUE"
)


class _TakenError(Exception):
    """Somebody else sent the same document under the new number at this moment."""


async def renumber(connection: Connection, update: rows.LetterRow, letters: Sequence[UUID]) -> None:
    """Part of a commit that locked these letters: their document carries the number that this update of it gives."""
    for _ in range(2):
        try:
            await _moved(connection, update, letters)
            break
        except (asyncpg.UniqueViolationError, _TakenError):  # somebody else has the number since a moment ago
            await documents.lock(connection, [], [update])


async def _moved(connection: Connection, update: rows.LetterRow, letters: Sequence[UUID]) -> None:
    new = tuple(getattr(update, name) for name in KEY)
    async with connection.transaction():
        moving = await connection.fetch(_MOVING, update.sender, list(letters), *new)
        ids = [one["id"] for one in moving]
        if not ids or await connection.fetchval(_MET, update.sender, ids, *new):
            return
        await connection.execute(_MOVE, update.sender, ids, *new)
        await _hold(connection, update.sender, {new, *(tuple(one[name] for name in KEY) for one in moving)})
        if await connection.fetchval(
            _MET, update.sender, ids, *new
        ):  # each statement sees what others committed before it
            raise _TakenError


async def _hold(connection: Connection, sender: UUID, keys: Collection[tuple[object, ...]]) -> None:
    """Of the letters that carry each of these documents the oldest holds the key, and no other."""
    given = [list(part) for part in zip(*keys, strict=True)]
    oldest = [one["id"] for one in await connection.fetch(_OLDEST, sender, *given)]
    await connection.execute(_NO_MORE, sender, *given, oldest)
    await connection.execute(_HOLDS, sender, oldest)
