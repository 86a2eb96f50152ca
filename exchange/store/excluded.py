"""Transfers that are not counted (không tính), each kind listed: none of them stands in a ratio.

By the sender, and the moment of acceptance. What never arrived stands in no figure of the tally either, and is listed
all the same. Of state secrets nothing is held: what is listed are the refusals, under the agency that owns the system.
Reports list what the tally counts as X from what is shown (`store.listed`), and from here what never came so far.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.store.measures import CHUNK, DELIVERY_LEFT, Cut, Span, given, planned
from exchange.store.pool import Connection
from exchange.store.shown import SIDES

KINDS = ("secret", "test", "internal", "duplicate", "refused", "recalled", "undelivered")


async def excluded(
    connection: Connection, kind: str, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> list[Any]:
    """What these agencies (None: all) sent from `first` to before `end` and is not counted as `kind` says.

    Rows: at, sender, recipient, letter, delivery, number, notation, issued_on, document_type, subject, state,
    arrived_at, ended_at (when it was refused, withdrawn or expired). Raises ValueError for a kind that there is not.
    """
    if kind not in KINDS:
        raise ValueError(kind)
    if kind == "secret":
        return await connection.fetch(_KEPT_OUT, agencies, first, end)
    return await connection.fetch(_EXCLUDED, agencies, first, end, kind)


UNTOLD = frozenset({"secret", "undelivered"})
"""Kinds that the tally does not have: nothing of them ever arrived."""


async def untold(connection: Connection, kind: str, view: str, span: Span, cut: Cut) -> AsyncIterator[Any]:
    """The same rows of one of those kinds, a few hundred at a time, within a transaction.

    A refusal has no recipient, scope, type or urgency: it is in no list that is cut by one.
    """
    if kind == "undelivered":
        statement, facts = _EXPIRED.format(side=SIDES[view][0], left=DELIVERY_LEFT), given(span, cut)
    elif view == "out" and cut.whole:
        statement, facts = _KEPT_OUT, (cut.agencies, span.first, span.end)
    else:
        return
    async for row in connection.cursor(planned(cut.agencies, statement), *facts, prefetch=CHUNK):
        yield row


_EXPIRED = """SELECT delivery.accepted_at AS at, sender, recipient, letter, id AS delivery, document_id, number, notation, issued_on,
                     document_type, subject, state, arrived_at
                FROM delivery
               WHERE ($1::uuid[] IS NULL OR delivery.{side} = ANY($1)) AND delivery.accepted_at >= $2 AND delivery.accepted_at < $3
                 AND {left} AND kind = 'letter' AND operation IN ('new', 'replace') AND state = 'expired' AND excluded IS NULL
               ORDER BY delivery.accepted_at, delivery.id"""

_KEPT_OUT = """SELECT journal.at, agency AS sender, NULL::uuid AS recipient, NULL::uuid AS letter, NULL::uuid AS delivery,
                    '' AS document_id, '' AS number, '' AS notation, NULL::date AS issued_on, '' AS document_type, '' AS subject,
                    'refused' AS state, NULL::timestamptz AS arrived_at, journal.at AS ended_at
               FROM journal
              WHERE ($1::uuid[] IS NULL OR agency = ANY($1)) AND at >= $2 AND at < $3
                AND event = 'refused' AND code = 'state_secret'
              ORDER BY at, id"""

_EXCLUDED = """SELECT letter.accepted_at AS at, letter.sender, delivery.recipient, letter.id AS letter,
                      delivery.id AS delivery, delivery.document_id, delivery.number, delivery.notation, delivery.issued_on,
                      delivery.document_type, delivery.subject, delivery.state, delivery.arrived_at,
                      (SELECT max(at) FROM journal
                        WHERE agency = delivery.recipient AND journal.letter = letter.id
                          AND journal.delivery = delivery.id
                          AND ((event = 'status' AND code = '02') OR event IN ('withdrawn', 'expired'))) AS ended_at
                 FROM letter JOIN delivery ON delivery.letter = letter.id AND delivery.sender = letter.sender
                WHERE ($1::uuid[] IS NULL OR letter.sender = ANY($1))
                  AND letter.accepted_at >= $2 AND letter.accepted_at < $3 AND delivery.operation IN ('new', 'replace')
                  AND CASE WHEN $4 = 'undelivered' THEN delivery.state = 'expired' AND delivery.excluded IS NULL
                           ELSE delivery.excluded = $4 END
                ORDER BY letter.accepted_at, letter.id, delivery.recipient"""
