"""Transfers one by one (lượt gửi trong số liệu): the rows behind the tally, in the order of their days.

Of a closed month they are its members as the newest version holds them, of any other what is counted now; so the rows of a
period are as many as its tally says, class by class. A row is a delivery, or the row of a register (round 0): then `letter`
is that row's id, and the recipient is the agency whose book it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from exchange.rules import paper_class
from exchange.store.measures import Cut
from exchange.store.pool import Connection

SIDES = {"out": ("sender", "accepted_at"), "in": ("recipient", "arrived_at")}
NIL = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which transfers: direction, days, what is left of them, classes."""

    view: str
    first: date
    last: date
    cut: Cut
    classes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place among transfers: everything up to here was told."""

    day: date
    letter: UUID
    recipient: UUID
    round: int


_LIVE = """
    SELECT letter, recipient, round, {side} AS agency, ({moment} AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day, scope,
           document_type, urgency, counted_class AS class,
           CASE WHEN counted_class = 'X' THEN coalesce(excluded, '') ELSE '' END AS excluded,
           CASE WHEN counted_class = 'E' THEN grade ELSE '' END AS grade,
           CASE WHEN counted_class = 'S' THEN justified ELSE '' END AS justified
      FROM delivery
     WHERE {moment} >= $9 AND {moment} < $10 AND ($4::uuid[] IS NULL OR {side} = ANY($4))
       AND arrived_at IS NOT NULL AND counted_class IS NOT NULL AND operation IN ('new', 'replace')
     UNION ALL
    SELECT id, agency, 0, agency, moved_on, scope, document_type, 0::smallint,
           CASE scope WHEN 'internal' THEN 'X' ELSE 'P' END, CASE scope WHEN 'internal' THEN 'internal' ELSE '' END, '', ''
      FROM register_row
     WHERE direction = $1 AND counted AND moved_on BETWEEN $2 AND $3 AND ($4::uuid[] IS NULL OR agency = ANY($4))"""
_KEPT = """
    SELECT DISTINCT ON (letter, recipient, round) letter, recipient, round, agency, day, scope, document_type, urgency, class,
           excluded, grade, justified
      FROM period_member
     WHERE month BETWEEN date_trunc('month', $2::date) AND $3 AND view = $1
       AND ($4::uuid[] IS NULL OR agency = ANY($4))
     ORDER BY letter, recipient, round, month DESC, version DESC"""


async def page(connection: Connection, wanted: Wanted, after: Place | None, limit: int) -> list[Any]:
    """The next transfers after a place, at most so many."""
    if after and after.day > wanted.last:
        return []
    side, moment = SIDES[wanted.view]
    first = max(wanted.first, after.day) if after else wanted.first
    place = after or Place(day=date.min, letter=NIL, recipient=NIL, round=0)
    cut = wanted.cut
    return await connection.fetch(
        f"""WITH closed AS (SELECT DISTINCT month FROM period_version),
                 shown AS (
                     SELECT * FROM ({_LIVE.format(side=side, moment=moment)}) AS live
                      WHERE date_trunc('month', day)::date NOT IN (SELECT month FROM closed)
                      UNION ALL
                     SELECT * FROM ({_KEPT}) AS kept WHERE class <> '' AND day BETWEEN $2 AND $3),
                 chosen AS (
                     SELECT * FROM shown
                      WHERE ($5::text IS NULL OR scope = $5) AND ($6::text[] IS NULL OR document_type = ANY($6))
                        AND ($7::smallint[] IS NULL OR urgency = ANY($7)) AND class = ANY($8)
                        AND (day, letter, recipient, round) > ($11, $12, $13, $14)
                      ORDER BY day, letter, recipient, round LIMIT $15)
            SELECT chosen.*, delivery.id AS delivery,
                   CASE WHEN chosen.round <> 0 THEN delivery.sender WHEN $1 = 'out' THEN chosen.agency ELSE book.other_agency END
                       AS sender,
                   CASE WHEN chosen.round <> 0 THEN chosen.recipient WHEN $1 = 'in' THEN chosen.agency ELSE book.other_agency END
                       AS receiver,
                   CASE WHEN chosen.round = 0 THEN chosen.letter END AS register_row, book.other_party,
                   coalesce(delivery.number, book.number, '') AS number,
                   coalesce(delivery.notation, book.notation, '') AS notation,
                   coalesce(delivery.issued_on, book.issued_on) AS issued_on,
                   letter.document_id, letter.paper, letter.paper_reason, letter.reason, delivery.state
              FROM chosen
              LEFT JOIN delivery ON delivery.recipient = chosen.recipient AND delivery.letter = chosen.letter
                                AND delivery.round = chosen.round
              LEFT JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
              LEFT JOIN register_row AS book ON chosen.round = 0 AND book.agency = chosen.recipient AND book.id = chosen.letter
             ORDER BY chosen.day, chosen.letter, chosen.recipient, chosen.round""",  # noqa: S608 - the statement is ours
        wanted.view, first, wanted.last, cut.agencies, cut.scope, cut.types, cut.urgency, list(wanted.classes),
        paper_class.start_of(first), paper_class.start_of(wanted.last + timedelta(days=1)),
        place.day, place.letter, place.recipient, place.round, limit,
    )  # fmt: skip
