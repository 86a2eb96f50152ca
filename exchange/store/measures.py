"""Figures behind the measures, by agency: added up from the tally's days wherever a class is asked for, else from rows.

Everything is of one span of local days, of some agencies (None: all of them) and of what `Cut` leaves. Each query gives one
row an agency, so that the figures of any group are sums.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from exchange.rules.documents import Key
from exchange.store import tally
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What is left of the transfers: of these agencies, this scope (phạm vi), these types (loại), this urgency; None: any."""

    agencies: Sequence[UUID] | None = None
    scope: str | None = None
    types: Sequence[str] | None = None
    urgency: Sequence[int] | None = None

    @property
    def whole(self) -> bool:
        """Whether every transfer of the agencies is left."""
        return self.scope is None and self.types is None and self.urgency is None


CHUNK = 500
"""So many rows of a long list are fetched at a time."""

_LEFT = """($4::uuid[] IS NULL OR agency = ANY($4)) AND ($5::text IS NULL OR scope = $5)
           AND ($6::text[] IS NULL OR document_type = ANY($6)) AND ($7::smallint[] IS NULL OR urgency = ANY($7))"""


_NAMED = re.compile(r"\(\$(\d)::uuid\[\] IS NULL OR ([\w.]+) = ANY\(\$\1\)\)")


def planned(agencies: Sequence[UUID] | None, statement: str) -> str:
    """A statement for named agencies, or for all: two texts, since the plan that is kept for one of them ruins the other."""
    return _NAMED.sub(r"$\1::uuid[] IS NULL" if agencies is None else r"\2 = ANY($\1::uuid[])", statement)


async def classes(connection: Connection, view: str, first: date, last: date, cut: Cut) -> list[Any]:
    """Transfers of one view by agency, class, kind of exclusion, grade and ground."""
    shown = tally.facts([(first, last)], whole=cut.whole)
    return await connection.fetch(
        planned(cut.agencies, f"""SELECT agency, class, excluded, grade, justified, sum(n)::bigint AS n FROM {shown} AS facts
             WHERE view = $1 AND day BETWEEN $2 AND $3 AND {_LEFT}
             GROUP BY agency, class, excluded, grade, justified HAVING sum(n) <> 0"""),  # noqa: S608 - the statement is ours
        view, first, last, cut.agencies, cut.scope, cut.types, cut.urgency,
    )  # fmt: skip


async def classes_by_span(
    connection: Connection, view: str, spans: Sequence[tuple[date, date]], cut: Cut
) -> list[Any]:
    """Transfers of one view by span (its place among `spans`), class, grade and ground, of all agencies together."""
    shown = tally.facts(spans, whole=cut.whole, together=cut.agencies is None)
    return await connection.fetch(
        planned(cut.agencies, f"""SELECT span.place, class, excluded, grade, justified, sum(n)::bigint AS n
              FROM unnest($2::date[], $3::date[]) WITH ORDINALITY AS span (first, last, place)
              JOIN (SELECT day, class, excluded, grade, justified, sum(n) AS n FROM {shown} AS facts
                     WHERE view = $1 AND day BETWEEN (SELECT min(one) FROM unnest($2::date[]) AS one)
                                                 AND (SELECT max(one) FROM unnest($3::date[]) AS one) AND {_LEFT}
                     GROUP BY day, class, excluded, grade, justified) AS facts
                ON day BETWEEN span.first AND span.last
             GROUP BY span.place, class, excluded, grade, justified HAVING sum(n) <> 0"""),  # noqa: S608 - the statement is ours
        view, [first for first, _ in spans], [last for _, last in spans],
        cut.agencies, cut.scope, cut.types, cut.urgency,
    )  # fmt: skip


OF_TRANSFERS = "operation IN ('new', 'replace') AND kind = 'letter'"
"""Deliveries that are transfers of their own."""

COUNTABLE = f"{OF_TRANSFERS} AND coalesce(excluded, '') NOT IN ('secret', 'test', 'internal', 'duplicate')"
"""Those that may be counted at all, whatever becomes of them."""

DELIVERY_LEFT = """($4::text IS NULL OR delivery.scope = $4)
    AND ($5::text[] IS NULL OR delivery.document_type = ANY($5))
    AND ($6::smallint[] IS NULL OR delivery.urgency = ANY($6))"""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span of moments: the first one, and the first one after it."""

    first: datetime
    end: datetime


def given(span: Span, cut: Cut) -> tuple[Any, ...]:
    """The first six parameters of the statements on deliveries: agencies, span, and what is left."""
    return cut.agencies, span.first, span.end, cut.scope, cut.types, cut.urgency


async def documents(connection: Connection, span: Span, cut: Cut, paper: Sequence[Key]) -> list[Any]:
    """Documents with a counted transfer in the span, by sender: how many, and how many are fully electronic.

    `paper` are the documents that registers say went on paper only: one of them that went to others too is not E.
    """
    return await connection.fetch(
        planned(cut.agencies, f"""WITH transfers AS (
                SELECT delivery.sender AS agency, delivery.counted_class = 'E' AS e,
                       CASE WHEN letter.number_key IS NULL THEN concat_ws(chr(31), 'id', letter.document_id)
                            ELSE concat_ws(chr(31), letter.issued_year, letter.series, letter.number_key, letter.notation_key)
                       END AS document
                  FROM delivery JOIN letter ON letter.sender = delivery.sender AND letter.id = delivery.letter
                 WHERE ($1::uuid[] IS NULL OR delivery.sender = ANY($1))
                   AND delivery.accepted_at >= $2 AND delivery.accepted_at < $3 AND {DELIVERY_LEFT}
                   AND delivery.kind = 'letter' AND delivery.operation IN ('new', 'replace')
                   AND delivery.counted_class IN ('E', 'S', 'N', 'U')
                 UNION ALL
                SELECT agency, false, concat_ws(chr(31), year, series, number, notation)
                  FROM unnest($7::uuid[], $8::int[], $9::text[], $10::text[], $11::text[])
                       AS paper (agency, year, series, number, notation))
            SELECT agency, count(*) AS documents, count(*) FILTER (WHERE e) AS documents_e
              FROM (SELECT agency, document, bool_and(e) AS e FROM transfers GROUP BY agency, document) AS documents
             GROUP BY agency"""),  # noqa: S608 - the statement is ours
        *given(span, cut), *_keys(paper),
    )  # fmt: skip


_EXPLAINED = """number_explanation.book = 'out' AND number_explanation.year = $2 AND undone_at IS NULL
                AND ($1::uuid[] IS NULL OR number_explanation.agency = ANY($1))"""
"""What offices account for otherwise (rules_and_measures.md C.4)."""


async def numbers(
    connection: Connection, agencies: Sequence[UUID] | None, year: int, last: date, paper: Sequence[Key]
) -> list[Any]:
    """The number series of a year up to a day, by agency: numbers known or explained, and the highest seen (M18).

    Explanations fill gaps: what is said later of numbers that nobody had seen by that day changes nothing.
    """
    return await connection.fetch(
        planned(agencies, f"""WITH known AS (
               SELECT sender AS agency, series, number_key AS number FROM letter
                WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND issued_year = $2 AND issued_on <= $3
                  AND number_key IS NOT NULL AND operation IN ('new', 'replace') AND NOT test
                UNION SELECT agency, series, number FROM unnest($4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[])
                          AS paper (agency, year, series, number, notation)),
               seen AS (SELECT agency, series, number::bigint AS number FROM known WHERE number ~ '^[1-9][0-9]{{0,6}}$'),
               highest AS (SELECT agency, series, max(number) AS highest FROM seen GROUP BY agency, series),
               filled AS (SELECT agency, series, generate_series(first, least(last, highest)) AS number
                            FROM number_explanation JOIN highest USING (agency, series) WHERE {_EXPLAINED})
           SELECT agency, series, count(DISTINCT number) AS known, highest
             FROM (SELECT agency, series, number FROM seen UNION ALL SELECT agency, series, number FROM filled) AS every
                  JOIN highest USING (agency, series)
            GROUP BY agency, series, highest ORDER BY agency, series"""),  # noqa: S608 - ours
        agencies, year, last, *_keys(paper),
    )  # fmt: skip


async def number_rows(
    connection: Connection, agencies: Sequence[UUID] | None, year: int, last: date
) -> AsyncIterator[Any]:
    """The numbers themselves with agency and series, `seen` in letters or explained by offices; within a transaction."""
    async for row in connection.cursor(
        planned(agencies, f"""SELECT sender AS agency, series, number_key AS number, true AS seen FROM letter
                    WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND issued_year = $2 AND issued_on <= $3
                      AND number_key IS NOT NULL AND operation IN ('new', 'replace') AND NOT test
                    UNION ALL SELECT agency, series, generate_series(first, last)::text, false FROM number_explanation
                    WHERE {_EXPLAINED}"""),  # noqa: S608 - ours
        agencies, year, last, prefetch=CHUNK,
    ):  # fmt: skip
        yield row


def _keys(paper: Sequence[Key]) -> tuple[list[Any], ...]:
    return (
        [one.issuer for one in paper],
        [one.year for one in paper],
        [one.series for one in paper],
        [one.number for one in paper],
        [one.notation for one in paper],
    )


NUMBERED = """moved_on >= $2
              AND coalesce(of_year, issued_year, extract(year FROM coalesce(issued_on, moved_on))) = extract(year FROM $2::date)
              AND (coalesce(issued_on, moved_on) <= $3 OR $3 = make_date(extract(year FROM $2::date)::int, 12, 31))"""
"""Rows whose numbers are of the year that begins at $2, known up to $3; a document of December may go in January."""


_OF_DOCUMENT = "agency, number, notation, issued_on, moved_on, document_type, of_year, issued_year, series, number_key, notation_key"
"""What a row says of its document."""


_DOCUMENTS = f"""SELECT DISTINCT {_OF_DOCUMENT} FROM register_row
    WHERE direction = 'out' AND ($1::uuid[] IS NULL OR agency = ANY($1)) AND {NUMBERED}"""  # noqa: S608 - ours


async def registered_documents(
    connection: Connection, agencies: Sequence[UUID] | None, first: date, last: date
) -> AsyncIterator[Any]:
    """What rows of outgoing registers say of documents of a year, up to a day of it; within a transaction."""
    statement = planned(agencies, _DOCUMENTS)
    async for row in connection.cursor(statement, agencies, first, last, prefetch=CHUNK):
        yield row


async def registered(
    connection: Connection, agencies: Sequence[UUID] | None, first: date, last: date, *, matched: bool
) -> list[Any]:
    """Rows of outgoing registers of what went on paper only in a span; `matched`: all that tell of documents of its year.

    What stays within the agency is no transfer, on paper or not.
    """
    which = NUMBERED if matched else "moved_on BETWEEN $2 AND $3 AND counted AND scope <> 'internal'"
    return await connection.fetch(
        planned(agencies, f"""SELECT {_OF_DOCUMENT}, scope FROM register_row
            WHERE direction = 'out' AND ($1::uuid[] IS NULL OR agency = ANY($1)) AND {which}
            ORDER BY agency, moved_on, number, id"""),  # noqa: S608 - ours
        agencies, first, last,
    )  # fmt: skip


CONTACT = ("accepted", "arrived", "fetched", "status")
"""Lines of the journal that an agency's own system caused."""


async def agencies(connection: Connection, on: date, at: datetime, recent: int = 0) -> list[Any]:
    """Every agency as reports name it, whether it is active at a moment of a day, and whether it had contact in so many days before
    (`recent`; 0: nobody asks).

    A system tells only when it called last: what it did before that, its letters and acknowledgements tell.
    """
    return await connection.fetch(
        """SELECT id, code, name, kind, level, parent, counted,
                  (disabled_at IS NULL OR disabled_at > $2) AND valid_from <= $1 AND (valid_to IS NULL OR $1 <= valid_to) AS active,
                  EXISTS (SELECT FROM acts_for JOIN system ON system.id = acts_for.system
                           WHERE acts_for.agency = agency.id AND system.seen_at > $3 AND system.seen_at <= $2
                             AND acts_for.valid_from <= $1 AND (acts_for.valid_to IS NULL OR $1 <= acts_for.valid_to))
                  OR id IN (SELECT agency FROM journal WHERE at > $3 AND at <= $2 AND event = ANY($4)) AS connected
             FROM agency ORDER BY code""",
        on, at, at - timedelta(days=recent), CONTACT,
    )  # fmt: skip
