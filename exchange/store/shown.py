"""Transfers as they are shown (lượt gửi như số liệu đã nêu): of closed months their members, of all others what is counted now.

Every list of transfers is made from here, so that it has as many rows as the tally says (view `tally_shown`), class by class,
whatever became of a transfer after its month was closed. A transfer is a delivery, or the row of a register (round 0):
then `letter` is that row's id, and `recipient` the agency whose book it is.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from exchange.rules import paper_class
from exchange.store.measures import CHUNK, Cut, planned
from exchange.store.pool import Connection

PAPER = "coalesce(delivery.said_paper, letter.paper) AS paper"
"""What the sender says of paper now: its correction of the transfer, else what the letter declares."""
PAPER_REASON = (
    "coalesce(delivery.said_reason, CASE WHEN delivery.said_paper IS NULL THEN letter.paper_reason END)"
)
"""And why: a correction without a reason takes back that of the letter."""

SIDES = {"out": ("sender", "accepted_at"), "in": ("recipient", "arrived_at")}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which transfers: direction, days, what is left of them, classes."""

    view: str
    first: date
    last: date
    cut: Cut
    classes: Sequence[str]


_FACTS = (
    "letter, recipient, round, agency, day, scope, document_type, urgency, class, excluded, grade, justified"
)
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
_CLOSED = f"""
    SELECT {_FACTS}
      FROM period_member AS member
     WHERE month BETWEEN date_trunc('month', $2::date)::date AND $3 AND view = $1 AND day BETWEEN $2 AND $3
       AND ($4::uuid[] IS NULL OR agency = ANY($4))
       AND NOT EXISTS (SELECT FROM period_member AS later
                        WHERE later.month = member.month AND later.view = member.view AND later.letter = member.letter
                          AND later.recipient = member.recipient AND later.round = member.round
                          AND later.version > member.version)"""  # noqa: S608 - the statement is ours


def shown(wanted: Wanted) -> str:
    """SQL: common table expressions, the last of them `shown`; its parameters are `parameters`, $1 to $10."""
    side, moment = SIDES[wanted.view]
    return f"""closed AS MATERIALIZED (SELECT DISTINCT month FROM period_version),
        shown AS (
            SELECT * FROM (
                SELECT * FROM ({_LIVE.format(side=side, moment=moment)}) AS live
                 WHERE date_trunc('month', day)::date NOT IN (SELECT month FROM closed)
                 UNION ALL
                SELECT * FROM ({_CLOSED}) AS kept) AS every
             WHERE ($5::text IS NULL OR scope = $5) AND ($6::text[] IS NULL OR document_type = ANY($6))
               AND ($7::smallint[] IS NULL OR urgency = ANY($7)) AND class = ANY($8))"""  # noqa: S608 - the statement is ours


def parameters(wanted: Wanted) -> tuple[Any, ...]:
    """The first ten parameters of a statement about what is shown."""
    cut = wanted.cut
    return (
        wanted.view, wanted.first, wanted.last, cut.agencies, cut.scope, cut.types, cut.urgency, list(wanted.classes),
        paper_class.start_of(wanted.first), paper_class.start_of(wanted.last + timedelta(days=1)),
    )  # fmt: skip


async def rows(connection: Connection, wanted: Wanted, statement: str, *more: object) -> AsyncIterator[Any]:
    """The rows of a statement that begins after `shown`, a few hundred at a time; within a transaction."""
    whole = planned(wanted.cut.agencies, f"WITH {shown(wanted)} {statement}")
    async for row in connection.cursor(whole, *parameters(wanted), *more, prefetch=CHUNK):
        yield row
