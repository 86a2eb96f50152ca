"""Rows behind reports BC-05, BC-07, BC-09, BC-14 and the lists of what is not counted: one row a delivery, connection or pair."""

from datetime import datetime, timedelta
from typing import Any

from exchange.store.measures import DELIVERY_LEFT, Cut, Span, given
from exchange.store.pool import Connection

_SENT = f"""delivery.kind = 'letter' AND delivery.operation IN ('new', 'replace')
            AND ($1::uuid[] IS NULL OR delivery.{{side}} = ANY($1))
            AND delivery.accepted_at >= $2 AND delivery.accepted_at < $3 AND {DELIVERY_LEFT}"""
_TOLD = """delivery.id, delivery.letter, delivery.sender, delivery.recipient, delivery.document_id, delivery.number,
           delivery.notation, delivery.issued_on, delivery.document_type, delivery.subject, delivery.urgency,
           delivery.accepted_at, delivery.arrived_at, delivery.state"""
SIDES = {"out": "sender", "in": "recipient"}


async def parallel(connection: Connection, view: str, span: Span, cut: Cut) -> list[Any]:
    """Transfers with paper beside them (S): the ground that the sender gives, and who saw the paper.

    Observations are columns of a later schema file: where there are none, the sender's word is all there is.
    """
    return await connection.fetch(
        f"""SELECT {_TOLD}, delivery.justified, letter.paper,
                   coalesce(to_jsonb(delivery) ->> 'said_reason', letter.paper_reason) AS reason,
                   to_jsonb(delivery) ->> 'on_register' IS NOT NULL AS on_register,
                   to_jsonb(delivery) ->> 'paper_seen_on' IS NOT NULL AS seen
              FROM delivery JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
             WHERE {_SENT.format(side=SIDES[view])} AND delivery.counted_class = 'S'
             ORDER BY delivery.accepted_at, delivery.id""",  # noqa: S608 - the statement is ours
        *given(span, cut),
    )  # fmt: skip


async def excluded(connection: Connection, view: str, kind: str, span: Span, cut: Cut) -> list[Any]:
    """Transfers of the span that are not counted for one reason."""
    return await connection.fetch(
        f"""SELECT {_TOLD} FROM delivery
             WHERE {_SENT.format(side=SIDES[view])} AND delivery.counted_class = 'X' AND delivery.excluded = $7
             ORDER BY delivery.accepted_at, delivery.id""",  # noqa: S608 - the statement is ours
        *given(span, cut), kind,
    )  # fmt: skip


async def waiting(connection: Connection, view: str, span: Span, cut: Cut) -> list[Any]:
    """Letters sent in the span that have not arrived, or are not confirmed yet, as things stand now; oldest first."""
    return await connection.fetch(
        f"""SELECT {_TOLD}, delivery.lease_token AS tries FROM delivery
             WHERE {_SENT.format(side=SIDES[view])} AND delivery.state IN ('waiting', 'arrived', 'expired')
               AND coalesce(excluded, '') NOT IN ('secret', 'test', 'internal', 'duplicate')
             ORDER BY delivery.accepted_at, delivery.id""",  # noqa: S608 - the statement is ours
        *given(span, cut),
    )  # fmt: skip


async def events(connection: Connection, view: str, span: Span, cut: Cut) -> list[Any]:
    """Refusals, requests to take back, update or replace with their answers, withdrawals and replacements of the span.

    An answer stands on the row of its request: the first that follows it. A withdrawal that a request led to is no row
    of its own.
    """
    return await connection.fetch(
        f"""WITH told AS (
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
        """SELECT agency.id AS agency, system.name AS system, system.seen_at, system.disabled_at IS NOT NULL AS disabled,
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
            ORDER BY agency.code, system.name""",
        cut.agencies, at - timedelta(days=1), at,
    )  # fmt: skip


async def flows(connection: Connection, span: Span, cut: Cut, most: int) -> list[Any]:
    """The matrix of the busiest senders and recipients: counted transfers of each pair, and how many are fully electronic."""
    return await connection.fetch(
        f"""WITH pairs AS (
                SELECT sender, recipient, count(*) AS n, count(*) FILTER (WHERE counted_class = 'E') AS e FROM delivery
                 WHERE {_SENT.format(side="sender")} AND counted_class IN ('E', 'S', 'N', 'U')
                 GROUP BY sender, recipient),
                 senders AS (SELECT sender FROM pairs GROUP BY sender ORDER BY sum(n) DESC, sender LIMIT $7),
                 recipients AS (SELECT recipient FROM pairs GROUP BY recipient ORDER BY sum(n) DESC, recipient LIMIT $7)
            SELECT * FROM pairs JOIN senders USING (sender) JOIN recipients USING (recipient)
             ORDER BY n DESC, sender, recipient""",  # noqa: S608 - the statement is ours
        *given(span, cut), most,
    )  # fmt: skip
