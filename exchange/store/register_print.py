"""What both registers are printed from: letters that went through the exchange, and rows that offices loaded."""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.store.measures import CHUNK, planned
from exchange.store.pool import Connection

_SIGNED = """(SELECT string_agg(DISTINCT nullif(signer_name, ''), ', ') FROM verdict
               WHERE verdict.sender = letter.sender AND verdict.letter = letter.id AND signer_kind = 'individual'
                 AND indication = 'TOTAL_PASSED'
                 AND revision = (SELECT max(revision) FROM verdict AS newer
                                  WHERE newer.sender = letter.sender AND newer.letter = letter.id))"""
_PARTIES = """(SELECT string_agg(agency.name, '; ' ORDER BY place)
                 FROM unnest(letter.recipients) WITH ORDINALITY AS given (id, place) JOIN agency USING (id))"""
_ARRIVED = "(SELECT count(*) FROM delivery WHERE delivery.letter = letter.id AND arrived_at IS NOT NULL)"
_PARTY = "coalesce((SELECT name FROM agency WHERE agency.id = other_agency), other_party)"
_NUMBER = "substring({} from '^[0-9]{{1,9}}')::int"
_PAPER = "(row.letter IS NULL OR (SELECT lists FROM register_load WHERE register_load.agency = row.agency AND id = row.load) = 'paper')"
"""Whether a row says that paper went: a whole register lists what went without, too."""
_LINES = "row.agency = $1 AND row.direction = '{}' AND row.load IS NOT NULL AND row.latest"
"""The lines of an agency's books, each as the newest load has it."""
_ARRIVAL = "(delivery.arrived_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"

_SENT = "letter.operation IN ('new', 'replace') AND NOT letter.test"
_SENT_NOW = f"{_SENT} AND letter.accepted_at >= $4 AND letter.accepted_at < $5"
_BOOKED_NOW = "row.moved_on BETWEEN $2 AND $3"
_YEAR = "coalesce(row.of_year, row.issued_year)"
_KEY = "issued_year, series, number_key, notation_key"
_ROW_KEY = f"{_YEAR} AS issued_year, row.series, row.number_key, row.notation_key"
_OF_LETTER = """letter.issued_year = known.issued_year AND letter.series = known.series
            AND letter.number_key = known.number_key AND letter.notation_key = known.notation_key"""
_OF_ROW = f"""{_YEAR} = known.issued_year AND row.series = known.series
            AND row.number_key = known.number_key AND row.notation_key = known.notation_key"""
_RESTATED = """letter LEFT JOIN LATERAL (
                SELECT restating.* FROM letter_link AS link JOIN letter AS restating
                       ON restating.sender = link.sender AND restating.id = link.letter
                 WHERE link.sender = letter.sender AND link.target = letter.id AND restating.restated
                 ORDER BY restating.id DESC LIMIT 1) AS newest ON true"""
"""A letter, and the newest update of its header, whose facts stand."""
_FACTS = ", ".join(
    f"CASE WHEN newest.id IS NULL THEN letter.{name} ELSE newest.{name} END AS {name}"
    for name in ("number", "notation", "issued_on", "document_type", "subject")
)
_LETTER = f"""letter.issued_year, letter.series, letter.number_key, letter.notation_key, {_FACTS}, {_SIGNED} AS signer, {_PARTIES} AS parties, '' AS kept_by, NULL::int AS copies,
           letter.accepted_at AS moved_at, NULL::date AS moved_on, {_ARRIVED} AS arrived, cardinality(letter.recipients) AS sent,
           '' AS signed_for, '' AS note, letter.id AS source, 0 AS line, 0 AS position, false AS paper,
           newest.id IS NOT NULL AS restated"""
_ROW = f"""{_ROW_KEY}, number, notation, issued_on, document_type, subject, signer, {_PARTY}, kept_by, copies,
           NULL::timestamptz, moved_on, NULL::bigint, NULL::int, signed_for, note, load, line, position, {_PAPER}, false"""

OUT = f"""
WITH known AS MATERIALIZED (
    SELECT {_KEY} FROM letter WHERE sender = $1 AND {_SENT_NOW} AND number_key IS NOT NULL
    UNION
    SELECT {_ROW_KEY} FROM register_row AS row WHERE {_LINES.format("out")} AND {_BOOKED_NOW} AND number_key IS NOT NULL),
first AS MATERIALIZED (
    SELECT {_KEY} FROM known
     WHERE NOT EXISTS (SELECT FROM letter WHERE sender = $1 AND {_OF_LETTER} AND {_SENT} AND accepted_at < $4 OFFSET 0)
       AND NOT EXISTS (SELECT FROM register_row AS row WHERE {_LINES.format("out")} AND {_OF_ROW} AND moved_on < $2 OFFSET 0))
SELECT * FROM (
    SELECT held.* FROM first AS known CROSS JOIN LATERAL
           (SELECT {_LETTER} FROM {_RESTATED} WHERE letter.sender = $1 AND {_OF_LETTER} AND {_SENT} OFFSET 0) AS held
    UNION ALL
    SELECT held.* FROM first AS known CROSS JOIN LATERAL
           (SELECT {_ROW} FROM register_row AS row WHERE {_LINES.format("out")} AND {_OF_ROW} OFFSET 0) AS held
    UNION ALL
    SELECT {_LETTER} FROM {_RESTATED} WHERE letter.sender = $1 AND {_SENT_NOW} AND letter.number_key IS NULL
    UNION ALL
    SELECT {_ROW} FROM register_row AS row WHERE {_LINES.format("out")} AND {_BOOKED_NOW} AND number_key IS NULL) AS held
 ORDER BY issued_year, series, {_NUMBER.format("number_key")} NULLS LAST, number_key, notation_key, line = 0 DESC,
          restated DESC, moved_on, source, position"""  # noqa: S608 - the statement is ours
"""A document is in the span in which it first moved, with all that is known of it; without a number key each entry is its own.

Of the past only what has the same key is looked at: `OFFSET 0` keeps these questions apart, each answered by an index.
"""
IN = f"""
SELECT * FROM (
    SELECT delivery.arrived_at AS moved_at, NULL::date AS moved_on, '' AS entry, agency.name AS parties, delivery.number,
           delivery.notation, delivery.issued_on, delivery.document_type, delivery.subject, '' AS handed_to,
           NULL::date AS handed_on, '' AS signed_for, '' AS note, false AS paper, true AS electronic, {_ARRIVAL} AS day
      FROM delivery JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
           JOIN agency ON agency.id = delivery.sender
     WHERE delivery.recipient = $1 AND delivery.operation IN ('new', 'replace') AND NOT letter.test
       AND delivery.arrived_at >= $4 AND delivery.arrived_at < $5
       AND NOT EXISTS (SELECT FROM register_row AS row
                        WHERE {_LINES.format("in")} AND row.letter = delivery.letter AND row.delivery = delivery.id)
    UNION ALL
    SELECT delivery.arrived_at, row.moved_on, row.entry, coalesce(agency.name, row.other_party),
           coalesce(delivery.number, row.number), coalesce(delivery.notation, row.notation),
           CASE WHEN delivery.id IS NULL THEN row.issued_on ELSE delivery.issued_on END,
           coalesce(delivery.document_type, row.document_type), coalesce(delivery.subject, row.subject), row.handed_to,
           row.handed_on, row.signed_for, row.note, {_PAPER}, delivery.id IS NOT NULL, row.moved_on
      FROM register_row AS row LEFT JOIN agency ON agency.id = row.other_agency
           LEFT JOIN delivery ON delivery.recipient = $1 AND delivery.letter = row.letter AND delivery.round = row.round
     WHERE {_LINES.format("in")} AND row.moved_on BETWEEN $2 AND $3) AS held
 ORDER BY day, {_NUMBER.format("entry")} NULLS LAST, moved_at, parties, number"""  # noqa: S608 - the statement is ours
"""A line is in the span of the day that it shows: the book's where a book has it, else that of the letter's arrival."""


async def entries(
    connection: Connection,
    book: str,
    agency: UUID,
    days: tuple[date, date],
    moments: tuple[datetime, datetime],
) -> AsyncIterator[Any]:
    """What an agency's register of a span holds, in its order, a few hundred records at a time; within a transaction.

    `days`: both included; `moments`: the first of the first day, and of the day after the last.
    """
    async for record in connection.cursor(
        OUT if book == "out" else IN, agency, *days, *moments, prefetch=CHUNK
    ):
        yield record


_WHOSE = "($1::uuid[] IS NULL OR row.agency = ANY($1)) AND row.direction = '{}' AND row.load IS NOT NULL AND row.latest"
_OUT_ROW = "row.direction = 'out' AND row.load IS NOT NULL AND row.latest"
_ACCEPTED = "(accepted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date"
_BOOKED_OUT = f"""
    SELECT known.agency, known.number_key AS number, held.*
      FROM (SELECT sender AS agency, {_KEY} FROM letter
             WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND {_SENT_NOW} AND number_key IS NOT NULL
             UNION
            SELECT agency, {_ROW_KEY} FROM register_row AS row
             WHERE {_WHOSE.format("out")} AND {_BOOKED_NOW} AND number_key IS NOT NULL) AS known
     CROSS JOIN LATERAL
           (SELECT min(day) AS day, bool_or(electronic) AS electronic, bool_or(paper) AS paper
              FROM (SELECT {_ACCEPTED} AS day, true AS electronic, false AS paper
                      FROM letter WHERE letter.sender = known.agency AND {_OF_LETTER} AND {_SENT}
                     UNION ALL
                    SELECT moved_on, false, coalesce({_PAPER}, false) FROM register_row AS row
                     WHERE row.agency = known.agency AND {_OUT_ROW} AND {_OF_ROW}) AS moved) AS held
     WHERE held.day >= $2
    UNION ALL
    SELECT sender, number, {_ACCEPTED}, true, false FROM letter
     WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND {_SENT_NOW} AND number_key IS NULL
    UNION ALL
    SELECT agency, NULL, min(moved_on), false, bool_or(coalesce({_PAPER}, false)) FROM register_row AS row
     WHERE {_WHOSE.format("out")} AND {_BOOKED_NOW} AND number_key IS NULL GROUP BY agency, load, line"""  # noqa: S608 - the statement is ours
_BOOKED_IN = f"""
    SELECT recipient AS agency, NULL AS number, {_ARRIVAL} AS day, true AS electronic, false AS paper
      FROM delivery JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
     WHERE ($1::uuid[] IS NULL OR recipient = ANY($1)) AND delivery.operation IN ('new', 'replace') AND NOT letter.test
       AND arrived_at >= $4 AND arrived_at < $5
       AND NOT EXISTS (SELECT FROM register_row AS row
                        WHERE row.agency = delivery.recipient AND row.direction = 'in' AND row.load IS NOT NULL AND row.latest
                          AND row.letter = delivery.letter AND row.delivery = delivery.id)
    UNION ALL
    SELECT row.agency, entry, moved_on,
           EXISTS (SELECT FROM delivery WHERE delivery.recipient = row.agency AND delivery.letter = row.letter
                      AND delivery.round = row.round), coalesce({_PAPER}, false)
      FROM register_row AS row WHERE {_WHOSE.format("in")} AND moved_on BETWEEN $2 AND $3"""  # noqa: S608 - the statement is ours
_SUMMARY = f"""
SELECT agency.id AS agency, agency.code, agency.name, count(*) AS documents, min(day) AS first_day, max(day) AS last_day,
       min({_NUMBER.format("number")}) AS first_number, max({_NUMBER.format("number")}) AS last_number,
       count(*) FILTER (WHERE NOT paper) AS electronic, count(*) FILTER (WHERE electronic AND paper) AS both,
       count(*) FILTER (WHERE paper AND NOT electronic) AS paper
  FROM (HELD) AS booked JOIN agency ON agency.id = booked.agency
 GROUP BY agency.id, agency.code, agency.name ORDER BY agency.code"""  # noqa: S608 - the statement is ours
"""The same lines as the registers', told apart in the same way, and counted."""


async def summary(
    connection: Connection,
    book: str,
    agencies: Sequence[UUID] | None,
    days: tuple[date, date],
    moments: tuple[datetime, datetime],
) -> list[Any]:
    """Each agency's register of a span on one line: how many documents, from and to which day and number, and how they went."""
    return await connection.fetch(summed(book, agencies), agencies, *days, *moments)


def summed(book: str, agencies: Sequence[UUID] | None) -> str:
    """The statement of a summary: for these agencies, or for all."""
    return planned(agencies, _SUMMARY.replace("HELD", _BOOKED_OUT if book == "out" else _BOOKED_IN))
