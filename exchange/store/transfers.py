"""Transfers one by one (lượt gửi trong số liệu): the rows behind the tally, in the order of their days.

Of a closed month they are its members as the newest version holds them, of any other what is counted now; so the rows of a
period are as many as its tally says, class by class. A row is a delivery, or the row of a register (round 0): then `letter`
is that row's id, and the recipient is the agency whose book it is.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from exchange.store import shown
from exchange.store.measures import planned
from exchange.store.pool import Connection
from exchange.store.shown import Wanted

NIL = UUID(int=0)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place among transfers: everything up to here was told."""

    day: date
    letter: UUID
    recipient: UUID
    round: int


async def page(connection: Connection, wanted: Wanted, after: Place | None, limit: int) -> list[Any]:
    """The next transfers after a place, at most so many."""
    if after and after.day > wanted.last:
        return []
    given = replace(wanted, first=max(wanted.first, after.day)) if after else wanted
    place = after or Place(day=date.min, letter=NIL, recipient=NIL, round=0)
    return await connection.fetch(
        planned(given.cut.agencies, f"""WITH {shown.shown(given)},
                 chosen AS (
                     SELECT * FROM shown WHERE (day, letter, recipient, round) > ($11, $12, $13, $14)
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
                   letter.document_id, {shown.PAPER}, {shown.PAPER_REASON} AS paper_reason, letter.reason, delivery.state
              FROM chosen
              LEFT JOIN delivery ON delivery.recipient = chosen.recipient AND delivery.letter = chosen.letter
                                AND delivery.round = chosen.round
              LEFT JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
              LEFT JOIN register_row AS book ON chosen.round = 0 AND book.agency = chosen.recipient AND book.id = chosen.letter
             ORDER BY chosen.day, chosen.letter, chosen.recipient, chosen.round"""),  # noqa: S608 - the statement is ours
        *shown.parameters(given), place.day, place.letter, place.recipient, place.round, limit,
    )  # fmt: skip
