"""Rows behind reports BC-05 to BC-07, BC-09, BC-14 and the lists of what is not counted: one a transfer, event, system or pair.

Transfers of some class are listed as they are shown (`store.shown`): of a closed month as it was closed. What waits and
what happened is told as it is. Long lists come a few hundred rows at a time, within a transaction.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from exchange.store import shown
from exchange.store.measures import CHUNK, DELIVERY_LEFT, Cut, Span, given, planned
from exchange.store.pool import Connection
from exchange.store.shown import PAPER, PAPER_REASON, Wanted

_SENT = f"""delivery.kind = 'letter' AND delivery.operation IN ('new', 'replace')
            AND ($1::uuid[] IS NULL OR delivery.{{side}} = ANY($1))
            AND delivery.accepted_at >= $2 AND delivery.accepted_at < $3 AND {DELIVERY_LEFT}"""
_TOLD = """delivery.id, delivery.letter, delivery.sender, delivery.recipient, delivery.document_id, delivery.number,
           delivery.notation, delivery.issued_on, delivery.document_type, delivery.subject, delivery.urgency,
           delivery.accepted_at, delivery.arrived_at, delivery.state"""
SIDES = {"out": "sender", "in": "recipient"}


_DELIVERED = (
    "(delivery.recipient, delivery.letter, delivery.round) = (shown.recipient, shown.letter, shown.round)"
)


def parallel(connection: Connection, wanted: Wanted) -> AsyncIterator[Any]:
    """Transfers with paper beside them (S): the ground that the sender gives, and who saw the paper."""
    return shown.rows(
        connection, wanted, f"""
            SELECT {_TOLD}, shown.justified, {PAPER}, {PAPER_REASON} AS reason,
                   delivery.on_register IS NOT NULL AS on_register, delivery.paper_seen_on IS NOT NULL AS seen
              FROM shown JOIN delivery ON {_DELIVERED}
                   JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
             ORDER BY delivery.accepted_at, delivery.id""",  # noqa: S608 - the statement is ours
    )  # fmt: skip


def paper_only(connection: Connection, wanted: Wanted) -> AsyncIterator[Any]:
    """Rows of registers without an electronic letter (P), also those that were taken back after their month was closed."""
    return shown.rows(
        connection, wanted, """
            SELECT shown.agency, shown.day, shown.document_type, book.number, book.notation, book.issued_on, book.other_party,
                   book.copies, book.note
              FROM shown LEFT JOIN register_row AS book ON book.agency = shown.recipient AND book.id = shown.letter
             WHERE shown.round = 0 ORDER BY shown.agency, shown.day, book.number, shown.letter""",
    )  # fmt: skip


def excluded(connection: Connection, wanted: Wanted, kind: str) -> AsyncIterator[Any]:
    """Transfers of the span that are not counted for one reason (X), internal ones on paper too."""
    return shown.rows(
        connection, wanted, """
            SELECT coalesce(delivery.document_id, '') AS document_id, coalesce(delivery.number, book.number, '') AS number,
                   coalesce(delivery.notation, book.notation, '') AS notation,
                   coalesce(delivery.issued_on, book.issued_on) AS issued_on, shown.document_type,
                   coalesce(delivery.subject, book.subject, '') AS subject, shown.letter,
                   CASE WHEN shown.round <> 0 THEN delivery.sender WHEN $1 = 'out' THEN shown.agency ELSE book.other_agency END
                       AS sender,
                   CASE WHEN shown.round <> 0 THEN shown.recipient WHEN $1 = 'in' THEN shown.agency ELSE book.other_agency END
                       AS recipient,
                   delivery.accepted_at AS at, delivery.arrived_at, delivery.state, shown.day
              FROM shown
              LEFT JOIN delivery ON (delivery.recipient, delivery.letter, delivery.round) = (shown.recipient, shown.letter, shown.round)
              LEFT JOIN register_row AS book ON shown.round = 0 AND book.agency = shown.recipient AND book.id = shown.letter
             WHERE shown.excluded = $11 ORDER BY delivery.accepted_at, shown.day, delivery.id, shown.letter""",
        kind,
    )  # fmt: skip


def waiting(connection: Connection, view: str, span: Span, cut: Cut) -> AsyncIterator[Any]:
    """Letters sent in the span that have not arrived, or are not confirmed yet, as things stand now; oldest first."""
    return _rows(
        connection, cut, f"""SELECT {_TOLD}, delivery.lease_token AS tries FROM delivery
             WHERE {_SENT.format(side=SIDES[view])} AND delivery.state IN ('waiting', 'arrived', 'expired')
               AND coalesce(excluded, '') NOT IN ('secret', 'test', 'internal', 'duplicate')
             ORDER BY delivery.accepted_at, delivery.id""",  # noqa: S608 - the statement is ours
        *given(span, cut),
    )  # fmt: skip


async def _rows(connection: Connection, cut: Cut, statement: str, *facts: object) -> AsyncIterator[Any]:
    async for row in connection.cursor(planned(cut.agencies, statement), *facts, prefetch=CHUNK):
        yield row


def events(connection: Connection, view: str, span: Span, cut: Cut) -> AsyncIterator[Any]:
    """Refusals, requests to take back, update or replace with their answers, withdrawals and replacements of the span.

    An answer stands on the row of its request: the first that follows it. A withdrawal that a request led to is no row
    of its own.
    """
    return _rows(
        connection, cut, f"""WITH told AS (
                SELECT journal.id AS line, journal.at, journal.event, journal.code, journal.detail, {_TOLD}, delivery.replaced_by
                  FROM journal JOIN delivery ON delivery.recipient = journal.agency AND delivery.id = journal.delivery
                 WHERE journal.at >= $2 AND journal.at < $3
                   AND (journal.event IN ('asked', 'withdrawn') OR (journal.event = 'status' AND journal.code = '02'))
                   AND delivery.kind = 'letter' AND delivery.operation IN ('new', 'replace')
                   AND ($1::uuid[] IS NULL OR delivery.{SIDES[view]} = ANY($1)) AND {DELIVERY_LEFT})
            SELECT told.*, answer.event AS answer, answer.at AS answered_at,
                   coalesce(instead.number || CASE WHEN instead.notation <> '' THEN '/' || instead.notation ELSE '' END,
                            instead.document_id) AS instead
              FROM told
              LEFT JOIN LATERAL (
                   SELECT event, at FROM journal
                    WHERE told.event = 'asked' AND journal.letter = told.letter AND journal.agency = told.recipient
                      AND journal.delivery = told.id AND event IN ('agreed', 'refused_request')
                      AND detail ->> 'letter' = told.detail ->> 'letter' ORDER BY at LIMIT 1) AS answer ON true
              LEFT JOIN letter AS instead ON instead.sender = told.sender AND instead.id = told.replaced_by
             WHERE NOT (told.event = 'withdrawn' AND EXISTS (
                   SELECT FROM journal WHERE journal.letter = told.letter AND journal.agency = told.recipient
                      AND journal.delivery = told.id AND event = 'agreed'
                      AND detail ->> 'letter' = told.detail ->> 'letter'))
             ORDER BY told.at, told.line""",  # noqa: S608 - the statement is ours
        *given(span, cut),
    )  # fmt: skip


async def connections(connection: Connection, cut: Cut, at: datetime) -> list[Any]:
    """Agencies with the systems that act for them: last call, letters that wait, refusals of a day, when access ends."""
    return await connection.fetch(
        planned(cut.agencies, """SELECT agency.id AS agency, system.name AS system, system.seen_at, system.disabled_at IS NOT NULL AS disabled,
                  (SELECT count(*) FROM delivery WHERE delivery.recipient = agency.id AND delivery.open) AS waiting,
                  (SELECT count(*) FROM journal WHERE journal.system = system.id AND journal.event = 'refused'
                      AND journal.at > $2 AND journal.at <= $3) AS refused,
                  coalesce((SELECT max(coalesce(valid_to, 'infinity')) FROM system_certificate
                             WHERE system_certificate.system = system.id),
                           (SELECT max(coalesce(valid_to, 'infinity')) FROM system_key
                             WHERE system_key.system = system.id)) AS until
             FROM agency
             LEFT JOIN acts_for ON acts_for.agency = agency.id AND acts_for.valid_from <= ($3 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
                   AND (acts_for.valid_to IS NULL OR acts_for.valid_to >= ($3 AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)
             LEFT JOIN system ON system.id = acts_for.system
            WHERE ($1::uuid[] IS NULL OR agency.id = ANY($1))
            ORDER BY agency.code, system.name"""),
        cut.agencies, at - timedelta(days=1), at,
    )  # fmt: skip


async def flows(connection: Connection, wanted: Wanted, most: int) -> list[Any]:
    """The matrix of the busiest senders and recipients: electronic transfers of each pair, and how many are fully so."""
    return await connection.fetch(
        planned(wanted.cut.agencies, f"""WITH {shown.shown(wanted)},
                 pairs AS (
                SELECT agency AS sender, recipient, count(*) AS n, count(*) FILTER (WHERE class = 'E') AS e
                  FROM shown GROUP BY agency, recipient),
                 senders AS (SELECT sender FROM pairs GROUP BY sender ORDER BY sum(n) DESC, sender LIMIT $11),
                 recipients AS (SELECT recipient FROM pairs GROUP BY recipient ORDER BY sum(n) DESC, recipient LIMIT $11)
            SELECT * FROM pairs JOIN senders USING (sender) JOIN recipients USING (recipient)
             ORDER BY n DESC, sender, recipient"""),  # noqa: S608 - the statement is ours
        *shown.parameters(wanted), most,
    )  # fmt: skip
