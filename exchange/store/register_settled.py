"""What is counted of an agency's rows, from what stands in the table: whatever the order of loading, matching and undoing.

Theory of operation. A row is a transfer that a book tells of, and several rows may tell of one:

    the same line in several loads of a book   the newest load that covers its day says how it is (`latest`)
    the same transfer in several books         the earliest of their days counts
    a row that matches a delivery              none of them is counted: the transfer is electronic

Rows of one document to one party are one transfer; a party that is no agency of the directory is told apart by its name. The
document's year (`of_year`) is that of its day of issue; where a book names none, that of the letter, else the book's own, else
that of the year before if another book of the office has the document at its end and none has it in the book's year yet.

`settle` sets all this anew and returns what the tally has to take in; the self-check computes it once more.
"""

from typing import Any
from uuid import UUID

from exchange.rules import register_days
from exchange.store.pool import Connection
from exchange.store.register_match import SENDER
from exchange.store.register_rows import ALIKE, LINE, Counted, counted
from exchange.store.tally import TOUCH

_SAME = """other.agency = row.agency AND other.direction = row.direction AND other.series = row.series
       AND other.number_key = row.number_key AND other.notation_key = row.notation_key
       AND other.load IS NOT NULL AND other.issued_on IS NOT NULL AND other.issued_on <= row.moved_on
       AND (row.direction = 'out' OR coalesce(other.other_agency::text, other.party_key)
                                   = coalesce(row.other_agency::text, row.party_key))"""
"""Another row tells of the document of a row, and on which day it was issued."""
_YEAR = f"""CASE WHEN row.issued_on IS NOT NULL THEN row.issued_year
                 WHEN row.letter IS NOT NULL
                 THEN coalesce((SELECT letter.issued_year FROM letter WHERE letter.sender = {SENDER} AND letter.id = row.letter),
                               row.issued_year)
                 WHEN EXISTS (SELECT FROM register_row AS other
                               WHERE {_SAME} AND other.issued_year = row.issued_year - 1
                                 AND row.moved_on - other.issued_on <= {register_days.HANDED_OVER})
                      AND NOT EXISTS (SELECT FROM register_row AS other WHERE {_SAME} AND other.issued_year = row.issued_year)
                 THEN row.issued_year - 1::smallint
                 ELSE row.issued_year END"""  # noqa: S608 - the statement is ours
_NEWER = f"""SELECT FROM register_row AS newer JOIN register_load AS later ON later.agency = newer.agency AND later.id = newer.load
              WHERE newer.load IS NOT NULL AND newer.load <> row.load
                AND {" AND ".join(f"newer.{name} = row.{name}" for name in LINE.split(", "))}
                AND later.book = load.book AND (later.at, later.id) > (load.at, load.id)
                AND row.moved_on BETWEEN later.first AND later.last"""
STANDING = f"""SELECT held.*, letter IS NULL AND party_key <> '' AND row_number() OVER (
                         PARTITION BY agency, direction, year, series, number_key, notation_key,
                                      coalesce(other_agency::text, party_key)
                             ORDER BY letter IS NULL, NOT newest, moved_on, id) = 1 AS counts
                 FROM (SELECT row.*, {_YEAR} AS year, NOT EXISTS ({_NEWER}) AS newest
                         FROM register_row AS row JOIN register_load AS load ON load.agency = row.agency AND load.id = row.load
                        WHERE row.load IS NOT NULL {{}}) AS held"""  # noqa: S608 - the statement is ours
"""Every row with its document's `year`, whether it is the `newest` and whether it `counts`, from what the table holds."""
_ALL = STANDING.format("")
_OF_AGENCY = STANDING.format("AND row.agency = $1 AND row.direction = $2")


async def settle(connection: Connection, agency: UUID, direction: str) -> list[Counted]:
    """Count what is to be counted of an agency's rows, and no more; how the tally changes.

    Months in which other rows count than before are written down, also where no more or fewer do (`store.periods.touched`).
    """
    records = await connection.fetch(
        f"""WITH standing AS ({_OF_AGENCY}),
                 changed AS (UPDATE register_row AS row
                                SET counted = standing.counts, latest = standing.newest, of_year = standing.year
                               FROM standing
                              WHERE row.agency = standing.agency AND row.id = standing.id
                                AND (row.counted, row.latest, row.of_year)
                                    IS DISTINCT FROM (standing.counts, standing.newest, standing.year)
                          RETURNING row.*, standing.counted AS was),
                 touched AS ({TOUCH.format("moved_on", "changed WHERE was <> counted")})
            SELECT {ALIKE}, sum(CASE WHEN counted THEN 1 ELSE -1 END)::int AS n
              FROM changed WHERE was <> counted GROUP BY {ALIKE}""",  # noqa: S608 - the statement is ours
        agency, direction,
    )  # fmt: skip
    return counted(records)


async def recount(connection: Connection) -> list[Counted]:
    """Housekeeping: what the tally must have of all rows, computed anew."""
    return counted(
        await connection.fetch(
            f"SELECT {ALIKE}, count(*)::int AS n FROM ({_ALL}) AS standing WHERE counts GROUP BY {ALIKE}"  # noqa: S608 - the statement is ours
        )
    )


async def faults(connection: Connection) -> list[Any]:
    """Housekeeping, for the self-check: `code`, and the row or load.

    register_counted_differs  what is counted is not what the rows give
    register_row_differs      a row's year, or whether a newer load replaces it, is not what the rows give
    register_match_differs    a row's delivery is not there, or its load is not
    """
    return await connection.fetch(
        f"""WITH standing AS ({_ALL})
            SELECT 'register_counted_differs' AS code, id AS place FROM standing WHERE counted <> counts
            UNION ALL
            SELECT 'register_row_differs', id FROM standing WHERE (latest, of_year) IS DISTINCT FROM (newest, year)
            UNION ALL
            SELECT 'register_match_differs', row.id FROM register_row AS row
             WHERE row.letter IS NOT NULL AND row.load IS NOT NULL AND NOT EXISTS
                   (SELECT FROM delivery
                     WHERE delivery.recipient = CASE row.direction WHEN 'out' THEN row.other_agency ELSE row.agency END
                       AND delivery.letter = row.letter AND delivery.round = row.round AND delivery.id = row.delivery)
            UNION ALL
            SELECT 'register_match_differs', row.id FROM register_row AS row
             WHERE row.load IS NOT NULL AND NOT EXISTS
                   (SELECT FROM register_load WHERE register_load.agency = row.agency AND register_load.id = row.load
                       AND undone_at IS NULL)"""  # noqa: S608 - the statement is ours
    )
