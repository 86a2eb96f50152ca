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

OUT = f"""
SELECT * FROM (
    SELECT issued_year, series, number_key, notation_key, number, notation, issued_on, document_type, subject,
           {_SIGNED} AS signer, {_PARTIES} AS parties, '' AS kept_by, NULL::int AS copies, accepted_at AS moved_at,
           NULL::date AS moved_on, {_ARRIVED} AS arrived, cardinality(recipients) AS sent, '' AS signed_for, '' AS note,
           letter.id AS source, 0 AS line, 0 AS position, false AS paper
      FROM letter
     WHERE sender = $1 AND operation IN ('new', 'replace') AND NOT test AND accepted_at >= $4 AND accepted_at < $5
    UNION ALL
    SELECT coalesce(of_year, issued_year), series, number_key, notation_key, number, notation, issued_on, document_type,
           subject, signer, {_PARTY}, kept_by, copies, NULL, moved_on, NULL, NULL, signed_for, note, load, line, position,
           {_PAPER}
      FROM register_row AS row WHERE {_LINES.format("out")} AND moved_on BETWEEN $2 AND $3) AS held
 ORDER BY issued_year, series, {_NUMBER.format("number_key")} NULLS LAST, number_key, notation_key, line = 0 DESC,
          moved_on, source, position"""  # noqa: S608 - the statement is ours
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
_BOOKED_OUT = f"""
    SELECT sender AS agency, CASE WHEN number_key IS NULL THEN id::text
                                  ELSE concat_ws(chr(31), issued_year, series, number_key, notation_key) END AS line,
           (accepted_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day, coalesce(number_key, number) AS number,
           true AS electronic, false AS paper
      FROM letter
     WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND operation IN ('new', 'replace') AND NOT test
       AND accepted_at >= $4 AND accepted_at < $5
    UNION ALL
    SELECT agency, CASE WHEN number_key IS NULL THEN concat_ws(chr(31), load, line)
                        ELSE concat_ws(chr(31), coalesce(of_year, issued_year), series, number_key, notation_key) END,
           moved_on, number_key, false, coalesce({_PAPER}, false)
      FROM register_row AS row WHERE {_WHOSE.format("out")} AND moved_on BETWEEN $2 AND $3"""  # noqa: S608 - the statement is ours
_BOOKED_IN = f"""
    SELECT recipient AS agency, delivery.id::text AS line, {_ARRIVAL} AS day, NULL AS number, true AS electronic,
           false AS paper
      FROM delivery JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
     WHERE ($1::uuid[] IS NULL OR recipient = ANY($1)) AND delivery.operation IN ('new', 'replace') AND NOT letter.test
       AND arrived_at >= $4 AND arrived_at < $5
       AND NOT EXISTS (SELECT FROM register_row AS row
                        WHERE row.agency = delivery.recipient AND row.direction = 'in' AND row.load IS NOT NULL AND row.latest
                          AND row.letter = delivery.letter AND row.delivery = delivery.id)
    UNION ALL
    SELECT row.agency, concat_ws(chr(31), load, line, position), moved_on, entry,
           EXISTS (SELECT FROM delivery WHERE delivery.recipient = row.agency AND delivery.letter = row.letter
                      AND delivery.round = row.round), coalesce({_PAPER}, false)
      FROM register_row AS row WHERE {_WHOSE.format("in")} AND moved_on BETWEEN $2 AND $3"""  # noqa: S608 - the statement is ours
_SUMMARY = f"""
SELECT agency.id AS agency, agency.code, agency.name, count(*) AS documents, min(first) AS first_day, max(last) AS last_day,
       min(lowest) AS first_number, max(highest) AS last_number, count(*) FILTER (WHERE NOT paper) AS electronic,
       count(*) FILTER (WHERE electronic AND paper) AS both, count(*) FILTER (WHERE paper AND NOT electronic) AS paper
  FROM (SELECT agency, line, min(day) AS first, max(day) AS last, min({_NUMBER.format("number")}) AS lowest,
               max({_NUMBER.format("number")}) AS highest, bool_or(electronic) AS electronic, bool_or(paper) AS paper
          FROM (HELD) AS held GROUP BY agency, line) AS booked
       JOIN agency ON agency.id = booked.agency
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
    statement = _SUMMARY.replace("HELD", _BOOKED_OUT if book == "out" else _BOOKED_IN)
    return await connection.fetch(planned(agencies, statement), agencies, *days, *moments)
