"""Transfers that are not counted (không tính), each kind listed: none of them stands in a ratio.

By the sender, and the moment of acceptance. What never arrived stands in no figure of the tally either, and is listed
all the same. Of state secrets nothing is held: what is listed are the refusals, under the agency that owns the system.
Reports list what the tally counts as X from what is shown (`store.listed`), and from here what never came so far.
"""

from collections.abc import AsyncIterator
from typing import Any

from exchange.store.measures import CHUNK, DELIVERY_LEFT, Cut, Span, given, planned
from exchange.store.pool import Connection
from exchange.store.shown import SIDES

UNTOLD = frozenset({"secret", "undelivered"})
"""Kinds that the tally does not have: nothing of them ever arrived."""


async def untold(connection: Connection, kind: str, view: str, span: Span, cut: Cut) -> AsyncIterator[Any]:
    """What was sent in the span and is not counted as `kind` says, a few hundred rows at a time, within a transaction.

    Rows: at, sender, recipient, letter, delivery, number, notation, issued_on, document_type, subject, state, arrived_at.
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
                    'refused' AS state, NULL::timestamptz AS arrived_at
               FROM journal
              WHERE ($1::uuid[] IS NULL OR agency = ANY($1)) AND at >= $2 AND at < $3
                AND event = 'refused' AND code = 'state_secret'
              ORDER BY at, id"""
