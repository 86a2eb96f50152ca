"""How timely letters are sent and answered, by agency: M12 to M17, from letters, deliveries and the journal's statuses.

Working days come as rows: `Day` tells what SQL needs to know of a local day, so that the calendar stays in `rules`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from exchange.store.measures import COUNTABLE, DELIVERY_LEFT, OF_TRANSFERS, Cut, Span, given, planned
from exchange.store.pool import Connection

LOCAL = "AT TIME ZONE 'Asia/Ho_Chi_Minh'"


@dataclass(frozen=True, kw_only=True)
class Day:
    """One local day: the oldest days of issue that may still be sent in its morning and afternoon; until when what arrives
    is answered; whether it is worked.
    """

    day: date
    morning: date
    afternoon: date
    following: date
    works: bool


async def sent(
    connection: Connection, span: Span, cut: Cut, days: Sequence[Day], morning_ends: time
) -> list[Any]:
    """Documents by sender and how timely they were first sent; `undated` have no day of issue. Training is left out."""
    return await connection.fetch(
        planned(cut.agencies, f"""WITH calendar AS (SELECT * FROM unnest($7::date[], $8::date[], $9::date[]) AS calendar (day, morning, afternoon)),
                 sent AS (SELECT sender AS agency, issued_on, (accepted_at {LOCAL})::date AS day,
                                 (accepted_at {LOCAL})::time AS moment
                            FROM letter
                           WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND accepted_at >= $2 AND accepted_at < $3
                             AND operation IN ('new', 'replace') AND round = 1 AND NOT test
                             AND (number_key IS NULL OR first_of_key)
                             AND ($5::text[] IS NULL OR document_type = ANY($5))
                             AND ($6::smallint[] IS NULL OR urgency = ANY($6))
                             AND ($4::text IS NULL OR EXISTS (
                                  SELECT FROM delivery WHERE delivery.letter = letter.id AND delivery.scope = $4)))
            SELECT agency, count(*) AS sent_documents,
                   count(*) FILTER (WHERE issued_on >= day) AS sent_same_day,
                   count(*) FILTER (WHERE issued_on < day AND issued_on >= limit_on) AS sent_next_morning,
                   count(*) FILTER (WHERE issued_on < day AND issued_on < limit_on) AS sent_late,
                   count(*) FILTER (WHERE issued_on IS NULL) AS undated
              FROM (SELECT sent.*, CASE WHEN moment <= $10 THEN morning ELSE afternoon END AS limit_on
                      FROM sent JOIN calendar USING (day)) AS sent
             GROUP BY agency"""),  # noqa: S608 - the statement is ours
        *given(span, cut), *_of_days(days)[:3], morning_ends,
    )  # fmt: skip


_ARRIVED = f"""
    SELECT delivery.recipient AS agency, delivery.urgency, delivery.accepted_at, delivery.arrived_at, delivery.state,
           told.answered_at, told.registered_at, told.done_at,
           (delivery.arrived_at {LOCAL})::date AS day, (delivery.arrived_at {LOCAL})::time AS moment
      FROM delivery
      LEFT JOIN LATERAL
           (SELECT min(at) FILTER (WHERE code BETWEEN '02' AND '06') AS answered_at,
                   min(at) FILTER (WHERE code BETWEEN '03' AND '06') AS registered_at,
                   min(at) FILTER (WHERE code = '06') AS done_at
              FROM journal
             WHERE journal.letter = delivery.letter AND journal.agency = delivery.recipient
               AND journal.delivery = delivery.id AND event = 'status') AS told ON true
     WHERE ($1::uuid[] IS NULL OR delivery.recipient = ANY($1))
       AND delivery.arrived_at >= $2 AND delivery.arrived_at < $3 AND {DELIVERY_LEFT} AND {COUNTABLE}"""  # noqa: S608 - the statement is ours


async def arrived(
    connection: Connection, span: Span, cut: Cut, days: Sequence[Day], closes: time, urgent: timedelta
) -> list[Any]:
    """Letters that arrived, by recipient: confirmed on the day and in time, refused, urgent ones and those taken up at once."""
    return await connection.fetch(
        planned(cut.agencies, f"""WITH calendar AS (SELECT * FROM unnest($7::date[], $8::date[], $9::bool[]) AS calendar (day, following, works)),
                 arrived AS ({_ARRIVED})
            SELECT agency, count(*) AS arrived,
                   count(*) FILTER (WHERE state = 'refused') AS refused,
                   count(*) FILTER (WHERE (answered_at {LOCAL})::date = day) AS answered_same_day,
                   count(*) FILTER (WHERE (answered_at {LOCAL})::date <=
                       CASE WHEN works AND moment < $10 THEN day ELSE following END) AS answered_in_time,
                   count(*) FILTER (WHERE urgency > 0) AS urgent,
                   count(*) FILTER (WHERE urgency > 0 AND registered_at - arrived_at <= $11) AS urgent_at_once
              FROM arrived JOIN calendar USING (day) GROUP BY agency"""),  # noqa: S608 - the statement is ours
        *given(span, cut), *_arrival_days(days), closes, urgent,
    )  # fmt: skip


async def spans(connection: Connection, span: Span, cut: Cut) -> list[Any]:
    """M14 by recipient, and of all together (agency NULL): how many, median and 95th percentile, in seconds."""
    return await connection.fetch(
        planned(cut.agencies, f"""WITH arrived AS ({_ARRIVED}),
                 spans AS (SELECT agency, unnest(ARRAY['M14_arrival', 'M14_registered', 'M14_done']) AS name,
                                  unnest(ARRAY[arrived_at - accepted_at, registered_at - arrived_at, done_at - registered_at])
                                      AS took
                             FROM arrived)
            SELECT agency, name, count(*) AS n,
                   extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY took))::float8 AS median,
                   extract(epoch FROM percentile_disc(0.95) WITHIN GROUP (ORDER BY took))::float8 AS p95
              FROM spans WHERE took IS NOT NULL GROUP BY GROUPING SETS ((agency, name), (name))"""),  # noqa: S608 - the statement is ours
        *given(span, cut),
    )  # fmt: skip


async def recalled(connection: Connection, span: Span, cut: Cut) -> list[Any]:
    """Transfers sent, and those of them taken back, by sender (M16).

    What a replacement stands in for, or an update leaves out, ends in the same state and was not taken back.
    """
    return await connection.fetch(
        planned(cut.agencies, f"""SELECT sender AS agency, count(*) AS sent,
                   count(*) FILTER (WHERE (recalled OR excluded = 'recalled') AND NOT EXISTS (
                       SELECT FROM journal WHERE journal.letter = delivery.letter AND journal.agency = delivery.recipient
                          AND journal.delivery = delivery.id AND event = 'withdrawn'
                          AND detail ->> 'operation' IN ('replace', 'update'))) AS recalled
              FROM delivery
             WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND accepted_at >= $2 AND accepted_at < $3
               AND {DELIVERY_LEFT} AND {COUNTABLE}
             GROUP BY sender"""),  # noqa: S608 - the statement is ours
        *given(span, cut),
    )  # fmt: skip


async def hours(connection: Connection, span: Span, cut: Cut) -> list[Any]:
    """Transfers sent by ISO weekday and local hour: the heat map."""
    return await connection.fetch(
        planned(cut.agencies, f"""SELECT extract(isodow FROM accepted_at {LOCAL})::int AS weekday, extract(hour FROM accepted_at {LOCAL})::int AS hour,
                   count(*) AS n
              FROM delivery
             WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND accepted_at >= $2 AND accepted_at < $3
               AND {DELIVERY_LEFT} AND {OF_TRANSFERS}
             GROUP BY weekday, hour"""),  # noqa: S608 - the statement is ours
        *given(span, cut),
    )  # fmt: skip


def _of_days(days: Sequence[Day]) -> tuple[list[Any], ...]:
    return [one.day for one in days], [one.morning for one in days], [one.afternoon for one in days]


def _arrival_days(days: Sequence[Day]) -> tuple[list[Any], ...]:
    return [one.day for one in days], [one.following for one in days], [one.works for one in days]
