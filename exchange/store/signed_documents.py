"""Documents of a span and what signs them, and the certificates used: what measures M8 to M10 are counted from.

A document is its key (`store.documents`: issuer, year, series, number, notation); where a letter has none, it is (sender,
document id). An update is of the document that it updates. A document is counted in the span in which the exchange first took
it; the newest letter of it up to the span's end that is no update, and that letter's newest verdicts, say how it is signed.

Theory of operation. Only the span's letters are read, and the verdicts of each once, by their key: so the cost goes by the
span, whatever the planner guesses of how many there are. Whether a document began earlier is looked up
by its key, and not even that for letters that are the first of their key (`first_of_key`). Updates are few: all earlier
ones are read. Training, notices and revocations are left out. `None` for agencies means the whole exchange.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from exchange.store.measures import CHUNK
from exchange.store.pool import Connection

NEWEST = """NOT EXISTS (SELECT FROM verdict AS later
                         WHERE later.sender = verdict.sender AND later.letter = verdict.letter
                           AND later.revision > verdict.revision AND later.revision > 1)"""
"""SQL: no later verdicts of the same letter. The first revision is 1, and few letters are judged again: they have an index."""

_LATE = "interval '1 hour'"
"""SQL: by so much, and far less, the first letter of a document may be accepted later than one that came second."""

_SHARING = """$1::uuid[] || ARRAY(SELECT other.agency FROM signer_certificate AS mine
                                    JOIN signer_certificate AS other ON other.sha256 = mine.sha256
                                   WHERE mine.agency = ANY($1))"""
"""SQL: the agencies asked for and all that hold a certificate of theirs too."""


def _of(column: str) -> str:
    """SQL: a column of the letter, or of the one that it updates."""
    return f"CASE WHEN target.id IS NULL THEN letter.{column} ELSE target.{column} END"


def _carried(when: str) -> str:
    """SQL: some letters, each with its document: the key's parts, and all of them in one text."""
    return f"""
        SELECT *, (CASE WHEN number IS NULL THEN concat_ws(chr(31), 'id', document_id)
                        ELSE concat_ws(chr(31), year, series, number, notation) END) COLLATE "C" AS document
          FROM (SELECT letter.sender, letter.id, letter.accepted_at, letter.operation, letter.copy_form, letter.missing,
                       letter.first_of_key, {_of("issued_year")} AS year, {_of("series")} AS series,
                       {_of("number_key")} AS number, {_of("notation_key")} AS notation,
                       {_of("document_id")} AS document_id
                  FROM letter
                  LEFT JOIN LATERAL (SELECT * FROM letter AS target
                                      WHERE letter.operation = 'update' AND target.sender = letter.sender
                                        AND target.document_id = letter.target_document_id
                                        AND target.operation IN ('new', 'replace')
                                      ORDER BY round DESC LIMIT 1) AS target ON true
                 WHERE {when} AND letter.operation NOT IN ('status', 'revoke') AND NOT letter.test) AS letter"""  # noqa: S608 - the statement is ours


_EARLIER = """SELECT FROM letter AS earlier
               WHERE earlier.sender = document.sender AND earlier.operation IN ('new', 'replace') AND NOT earlier.test
                 AND earlier.accepted_at < $2"""


def _of_senders(column: str, agencies: str, *, whole: bool) -> str:
    """SQL: which senders. Two statements, for one that fits both would be planned to read everybody's letters for one."""
    return "$1::uuid[] IS NULL" if whole else f"{column} = ANY({agencies})"


def _signed(*, whole: bool) -> str:
    """SQL: common table expressions `judged` (letters), `signed` (documents) of the whole exchange, or of the senders in $1."""
    asked = _of_senders("letter.sender", "$1::uuid[]", whole=whole)
    sharing = _of_senders("letter.sender", _SHARING, whole=whole)
    return f"""
    WITH moved AS MATERIALIZED (
             SELECT DISTINCT sender, document
               FROM ({_carried(f"{asked} AND letter.accepted_at < $2 AND letter.operation = 'update'")}) AS letter),
         judged AS MATERIALIZED (
             SELECT letter.*, found.*
               FROM ({_carried(f"{sharing} AND letter.accepted_at >= $2 AND letter.accepted_at < $3")}) AS letter
              CROSS JOIN LATERAL (
                    SELECT bool_or(indication = 'TOTAL_FAILED') AS failed,
                           bool_or(indication = 'INDETERMINATE') AS undetermined,
                           bool_or(good AND signer_kind = 'organisation' AND signer_agency = letter.sender) AS organisation,
                           bool_or(good AND signer_kind = 'individual' AND (copy_form = 'original' OR EXISTS (
                               SELECT FROM signer_certificate AS row
                                WHERE row.sha256 = certificate_sha256 AND row.confirmed_at IS NOT NULL))) AS individual,
                           array_agg(certificate_sha256) FILTER (WHERE indication = 'TOTAL_PASSED') AS certificates,
                           array_agg(officer) FILTER (WHERE indication = 'TOTAL_PASSED') AS officers
                      FROM (SELECT *, indication = 'TOTAL_PASSED'
                                      AND (main OR (place = 'package' AND format IN ('xmldsig', 'xades'))) AS good
                              FROM verdict
                             WHERE verdict.sender = letter.sender AND verdict.letter = letter.id
                               AND revision = coalesce((SELECT max(revision) FROM verdict AS again
                                                         WHERE again.sender = letter.sender
                                                           AND again.letter = letter.id AND again.revision > 1), 1))
                           AS verdict) AS found),
         document AS (
             SELECT DISTINCT ON (sender, document) *,
                    min(accepted_at) OVER same AS first_accepted, count(*) OVER same AS letters,
                    bool_or(first_of_key AND accepted_at >= $2 + {_LATE}) OVER same AS fresh
               FROM judged AS letter WHERE {asked} WINDOW same AS (PARTITION BY sender, document)
              ORDER BY sender, document, operation = 'update', accepted_at DESC, id DESC),
         signed AS (
             SELECT sender, id, first_accepted, letters,
                    coalesce(failed, false) AS failed, coalesce(undetermined AND NOT failed, false) AS undetermined,
                    coalesce(organisation, false) AND NOT missing && ARRAY['document', 'main.organisation']
                        AS organisation,
                    coalesce(individual, false) AND NOT missing && ARRAY['document', 'main.individual'] AS individual
               FROM document
              WHERE (fresh
                     OR number IS NOT NULL AND NOT EXISTS ({_EARLIER}
                        AND earlier.issued_year = document.year AND earlier.series = document.series
                        AND earlier.number_key = document.number
                        AND earlier.notation_key IS NOT DISTINCT FROM document.notation)
                     OR number IS NULL AND NOT EXISTS ({_EARLIER}
                        AND earlier.document_id = document.document_id AND earlier.number_key IS NULL))
                AND (sender, document) NOT IN (SELECT sender, document FROM moved))"""  # noqa: S608 - the statement is ours


class Counted(NamedTuple):
    """Documents by sender and by how they are signed; valid signatures by certificate and officer, in distinct documents."""

    documents: list[Any]
    uses: list[Any]


async def counted(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> Counted:
    """Documents first accepted in a span, and uses of certificates in it with the last moment of each.

    Uses are looked for in the letters of these agencies and of those that share a certificate with them.
    """
    records = await connection.fetch(
        f"""{_signed(whole=agencies is None)}
            SELECT sender, organisation, individual, failed, undetermined, count(*) AS n,
                   NULL::bytea AS sha256, NULL::uuid AS officer, NULL::timestamptz AS last FROM signed
             GROUP BY sender, organisation, individual, failed, undetermined
             UNION ALL
            SELECT NULL, NULL, NULL, NULL, NULL, count(*), sha256, officer, max(last)
              FROM (SELECT sha256, officer, max(accepted_at) AS last
                      FROM judged CROSS JOIN LATERAL unnest(certificates, officers) AS signature (sha256, officer)
                     WHERE sha256 IS NOT NULL
                     GROUP BY sender, document, sha256, officer) AS document
             GROUP BY sha256, officer""",  # noqa: S608 - the statement is ours
        agencies, first, end,
    )  # fmt: skip
    return Counted(
        documents=[{name: one[name] for name in _SHOWN} for one in records if one["sender"]],
        uses=[one for one in records if not one["sender"]],
    )


_SHOWN = ("sender", "organisation", "individual", "failed", "undetermined", "n")


async def documents(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> AsyncIterator[Any]:
    """The same documents, one row each, in the order in which they came; within a transaction."""
    async for row in connection.cursor(
        f"""{_signed(whole=agencies is None)}
            SELECT signed.*, number, notation, issued_on, document_type, document_id
              FROM signed JOIN letter USING (sender, id) ORDER BY first_accepted, id""",  # noqa: S608 - the statement is ours
        agencies, first, end, prefetch=CHUNK,
    ):  # fmt: skip
        yield row


async def last_uses(
    connection: Connection, agencies: Sequence[UUID] | None, certificates: Sequence[bytes], before: datetime
) -> dict[bytes, datetime]:
    """When each of these certificates was last used validly before a moment, in the letters that `counted` reads."""
    records = await connection.fetch(
        f"""SELECT sha256, last
              FROM unnest($2::bytea[]) AS given (sha256)
             CROSS JOIN LATERAL (
                   SELECT max(accepted_at) AS last
                     FROM verdict JOIN letter ON letter.sender = verdict.sender AND letter.id = verdict.letter
                    WHERE certificate_sha256 = given.sha256 AND indication = 'TOTAL_PASSED' AND {NEWEST}
                      AND {_of_senders("letter.sender", _SHARING, whole=agencies is None)} AND accepted_at < $3
                      AND operation NOT IN ('status', 'revoke') AND NOT test) AS found
             WHERE last IS NOT NULL""",  # noqa: S608 - the statement is ours
        agencies, certificates, before,
    )  # fmt: skip
    return {one["sha256"]: one["last"] for one in records}
