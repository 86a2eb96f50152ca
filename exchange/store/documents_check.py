"""What the self-check asks about documents (văn bản): is one counted twice, is what was left out a duplicate, is it said."""

from typing import Any

from exchange.store.documents import REACHES, ROUND_OF, SAME, SAME_KEY
from exchange.store.pool import Connection

CODES = ("counted_twice", "duplicate_unfounded", "duplicate_unsaid")


async def faults(connection: Connection) -> list[Any]:
    """Housekeeping, for the self-check: what contradicts the rule of documents sent twice; `code` and letter.

    counted_twice       two counted transfers of one document to one recipient
    duplicate_unfounded a transfer left out as duplicate without another letter of the document to its recipient
    duplicate_unsaid    recipients of a letter left out as duplicates and its journal do not agree
    """
    return await connection.fetch(
        f"""SELECT DISTINCT 'counted_twice' AS code, pair.mine AS letter
              FROM (SELECT mine.id AS mine, mine.sender, earlier.id AS earlier
                      FROM letter AS mine JOIN letter AS earlier ON {SAME_KEY} AND earlier.id <> mine.id AND {SAME}
                     WHERE mine.first_of_key = false AND earlier.accepted_at <= mine.accepted_at
                     UNION
                    SELECT mine.id, mine.sender, earlier.id
                      FROM letter AS mine JOIN letter AS earlier ON {ROUND_OF} AND earlier.round < mine.round) AS pair
              JOIN delivery AS here ON here.sender = pair.sender AND here.letter = pair.mine
              JOIN delivery AS there ON there.recipient = here.recipient AND there.letter = pair.earlier
             WHERE here.counted_class <> 'X' AND there.counted_class <> 'X'
            UNION ALL
            SELECT 'duplicate_unfounded', mine.id
              FROM letter AS mine CROSS JOIN LATERAL unnest(mine.duplicates) AS one (recipient)
             WHERE NOT EXISTS (SELECT FROM letter AS earlier
                                WHERE ({SAME_KEY} OR {ROUND_OF}) AND earlier.id <> mine.id
                                  AND {REACHES.format(letter="earlier", recipient="one.recipient")})
                OR NOT {REACHES.format(letter="mine", recipient="one.recipient")}
            UNION ALL
            SELECT 'duplicate_unsaid', mine.id
              FROM letter AS mine
             WHERE (mine.duplicates <> '{{}}' OR mine.first_of_key = false)
               AND cardinality(mine.duplicates) <>
                   (SELECT coalesce(sum(CASE event WHEN 'duplicate' THEN coalesce((detail->>'count')::int, 1) ELSE -1 END), 0)
                      FROM journal
                     WHERE journal.letter = mine.id AND event IN ('duplicate', 'duplicate_undone'))""",  # noqa: S608 - the statement is ours
    )
