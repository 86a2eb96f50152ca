"""What measures of signature use are counted from: documents, uses of certificates, directory rows, failed verdicts.

Training and notices are left out, as in `signatures`; what was refused at the gate was never stored. A document is its key
(`store.documents`: issuer, year, series, number, notation); where a letter has none, it is (sender, document id). An update
is of the document that it updates, and says nothing about how that one is signed. All verdicts are those of the newest revision
unless a query says otherwise. `None` for agencies means the whole exchange.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules.certificate_use import Row
from exchange.store.pool import Connection

_NEWEST = """NOT EXISTS (SELECT FROM verdict AS later
                         WHERE later.sender = verdict.sender AND later.letter = verdict.letter
                           AND later.revision > verdict.revision AND later.revision > 1)"""
"""SQL: no later verdicts of the same letter. The first revision is 1, and few letters are judged again: they have an index."""

_KEY = """{0}.issued_year, {0}.series, {0}.number_key, {0}.notation_key, {0}.document_id"""

_LETTERS = """SELECT letter.sender, letter.id, accepted_at, number, notation, issued_on, document_type, document_id, operation,
                     copy_form, main_attachment, reason, missing
                FROM letter
               WHERE ($1::uuid[] IS NULL OR letter.sender = ANY($1)) AND accepted_at >= $2 AND accepted_at < $3
                 AND operation NOT IN ('status', 'revoke') AND NOT test"""


def _carried(when: str) -> str:
    """SQL: letters of some time, each with its document: the key's parts, and all of them in one text."""
    own, about = (_KEY.format(name).split(", ") for name in ("letter", "about"))
    parts = ", ".join(
        f"CASE WHEN about.document_id IS NULL THEN {mine} ELSE {its} END AS {mine.partition('.')[2].replace('document_id', 'key_id')}"
        for mine, its in zip(own, about, strict=True)
    )
    return f"""SELECT *, (CASE WHEN number_key IS NULL THEN concat_ws(chr(31), 'id', key_id)
                               ELSE concat_ws(chr(31), issued_year, series, number_key, notation_key) END)
                         COLLATE "C" AS document
                 FROM (SELECT letter.sender, letter.id, accepted_at, number, notation, issued_on, document_type,
                              letter.document_id, letter.operation, copy_form, missing, first_of_key, {parts}
                         FROM letter
                         LEFT JOIN LATERAL (SELECT {_KEY.format("target")} FROM letter AS target
                                             WHERE letter.operation = 'update' AND target.sender = letter.sender
                                               AND target.document_id = letter.target_document_id
                                               AND target.operation IN ('new', 'replace')
                                             ORDER BY round DESC LIMIT 1) AS about ON true
                        WHERE ($1::uuid[] IS NULL OR letter.sender = ANY($1)) AND {when}
                          AND letter.operation NOT IN ('status', 'revoke') AND NOT letter.test) AS letter"""  # noqa: S608 - the statement is ours


_LATE = "interval '1 hour'"
"""SQL: by so much, and far less, the first letter of a document may be accepted later than one that came second."""

_SPAN = _carried("accepted_at >= $2 AND accepted_at < $3")

_EARLIER = """SELECT FROM letter AS earlier
               WHERE earlier.sender = document.sender AND earlier.operation IN ('new', 'replace') AND NOT earlier.test
                 AND earlier.accepted_at < $2"""

_SIGNED = f"""
    WITH carried AS ({_SPAN}),
         moved AS MATERIALIZED (SELECT DISTINCT sender, document FROM ({_carried("accepted_at < $2 AND letter.operation = 'update'")}) AS letter),
         document AS (
             SELECT DISTINCT ON (sender, document) *,
                    min(accepted_at) OVER same AS first_accepted, count(*) OVER same AS letters,
                    bool_or(first_of_key AND operation <> 'update' AND accepted_at >= $2 + {_LATE}) OVER same AS fresh
               FROM carried WINDOW same AS (PARTITION BY sender, document)
              ORDER BY sender, document, operation = 'update', accepted_at DESC, id DESC),
         begun AS MATERIALIZED (
             SELECT * FROM document
              WHERE (fresh
                     OR number_key IS NOT NULL AND NOT EXISTS ({_EARLIER}
                        AND earlier.issued_year = document.issued_year AND earlier.series = document.series
                        AND earlier.number_key = document.number_key
                        AND earlier.notation_key IS NOT DISTINCT FROM document.notation_key)
                     OR number_key IS NULL AND NOT EXISTS ({_EARLIER}
                        AND earlier.document_id = document.key_id AND earlier.number_key IS NULL))
                AND NOT EXISTS (SELECT FROM moved
                                 WHERE moved.sender = document.sender AND moved.document = document.document)),
         found AS (
             SELECT letter.sender, letter.id, bool_or(indication = 'TOTAL_FAILED') AS failed,
                    bool_or(indication = 'INDETERMINATE') AS undetermined,
                    bool_or(good AND signer_kind = 'organisation' AND signer_agency = letter.sender) AS organisation,
                    bool_or(good AND signer_kind = 'individual' AND (copy_form = 'original' OR EXISTS (
                        SELECT FROM signer_certificate AS row
                         WHERE row.sha256 = certificate_sha256 AND row.confirmed_at IS NOT NULL))) AS individual
               FROM begun AS letter
               JOIN (SELECT *, indication = 'TOTAL_PASSED'
                               AND (main OR (place = 'package' AND format IN ('xmldsig', 'xades'))) AS good
                       FROM verdict WHERE {_NEWEST}) AS verdict
                 ON verdict.sender = letter.sender AND verdict.letter = letter.id
              GROUP BY letter.sender, letter.id),
         signed AS (
             SELECT begun.sender, id, document_id, number, notation, issued_on, document_type, first_accepted, letters,
                    coalesce(failed, false) AS failed, coalesce(undetermined AND NOT failed, false) AS undetermined,
                    coalesce(organisation, false) AND NOT missing && ARRAY['document', 'main.organisation']
                        AS organisation,
                    coalesce(individual, false) AND NOT missing && ARRAY['document', 'main.individual'] AS individual
               FROM begun LEFT JOIN found USING (sender, id))"""  # noqa: S608 - the statement is ours


async def documents(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> list[Any]:
    """Documents first accepted in a span, counted by sender and by how they are signed."""
    return await connection.fetch(
        f"""{_SIGNED}
            SELECT sender, organisation, individual, failed, undetermined, count(*) AS n FROM signed
             GROUP BY sender, organisation, individual, failed, undetermined ORDER BY sender""",  # noqa: S608 - the statement is ours
        agencies, first, end,
    )  # fmt: skip


async def document_rows(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> list[Any]:
    """The same documents, one row each, in the order in which they came."""
    return await connection.fetch(
        f"{_SIGNED} SELECT * FROM signed ORDER BY first_accepted, id",  # noqa: S608 - the statement is ours
        agencies, first, end,
    )  # fmt: skip


async def certificates(
    connection: Connection, agencies: Sequence[UUID] | None
) -> tuple[list[Row], dict[bytes, bytes]]:
    """Every row of each certificate that these agencies or their officers hold, and the certificates (DER) at hand."""
    records = await connection.fetch(
        """WITH mine AS (SELECT sha256 FROM signer_certificate WHERE $1::uuid[] IS NULL OR agency = ANY($1)
                          UNION
                          SELECT sha256 FROM officer JOIN signer_certificate ON signer_certificate.officer = officer.id
                           WHERE officer.agency = ANY($1))
           SELECT row.sha256, row.agency, coalesce(officer.agency, row.agency) AS home, home.level, row.kind, row.officer,
                  coalesce(officer.name, '') AS officer_name, coalesce(officer.position, '') AS position,
                  coalesce(officer.is_leader, false) AS leader, row.subject, row.issuer, row.purpose,
                  greatest(row.valid_from, officer.valid_from) AS valid_from,
                  least(row.valid_to, officer.valid_to, home.valid_to) AS valid_to,
                  row.confirmed_at IS NOT NULL AS confirmed
             FROM mine JOIN signer_certificate AS row ON row.sha256 = mine.sha256
             LEFT JOIN officer ON officer.id = row.officer
             JOIN agency AS home ON home.id = coalesce(officer.agency, row.agency)
            ORDER BY home.code, row.kind DESC, officer.code, row.valid_from, row.sha256""",
        agencies,
    )
    bodies = await connection.fetch(
        "SELECT sha256, body FROM evidence WHERE kind = 'certificate' AND sha256 = ANY($1)",
        list({record["sha256"] for record in records}),
    )
    return [Row(**record) for record in records], {record["sha256"]: record["body"] for record in bodies}


async def uses(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> list[Any]:
    """Valid signatures of a span by certificate and officer: distinct documents, and the last moment.

    Looked for in the letters of these agencies and of those that share a certificate with them.
    """
    return await connection.fetch(
        f"""WITH carried AS ({_SPAN})
            SELECT sha256, officer, max(last) AS last, count(*) AS n
              FROM (SELECT certificate_sha256 AS sha256, officer, max(accepted_at) AS last
                      FROM carried AS letter
                      JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id AND {_NEWEST}
                     WHERE indication = 'TOTAL_PASSED' AND certificate_sha256 IS NOT NULL
                     GROUP BY letter.sender, letter.document, certificate_sha256, officer) AS document
             GROUP BY sha256, officer""",  # noqa: S608 - the statement is ours
        agencies, first, end,
    )  # fmt: skip


async def last_uses(
    connection: Connection, agencies: Sequence[UUID] | None, certificates: Sequence[bytes], before: datetime
) -> dict[bytes, datetime]:
    """When each of these certificates was last used validly before a moment, in the letters of these agencies."""
    records = await connection.fetch(
        f"""SELECT sha256, last
              FROM unnest($2::bytea[]) AS given (sha256)
             CROSS JOIN LATERAL (
                   SELECT max(accepted_at) AS last
                     FROM verdict JOIN letter ON letter.sender = verdict.sender AND letter.id = verdict.letter
                    WHERE certificate_sha256 = given.sha256 AND indication = 'TOTAL_PASSED' AND {_NEWEST}
                      AND ($1::uuid[] IS NULL OR letter.sender = ANY($1)) AND accepted_at < $3
                      AND operation NOT IN ('status', 'revoke') AND NOT test) AS found
             WHERE last IS NOT NULL""",  # noqa: S608 - the statement is ours
        agencies, certificates, before,
    )  # fmt: skip
    return {one["sha256"]: one["last"] for one in records}


async def sharing(connection: Connection, agencies: Sequence[UUID]) -> list[UUID]:
    """These agencies and all that hold a certificate of theirs too."""
    found = await connection.fetchval(
        """SELECT array_agg(DISTINCT other.agency)
             FROM signer_certificate AS mine JOIN signer_certificate AS other ON other.sha256 = mine.sha256
            WHERE mine.agency = ANY($1)""",
        agencies,
    )
    return sorted({*agencies, *(found or [])})


async def agencies(connection: Connection, on: date) -> list[Any]:
    """Every agency, with whether it is active on a day."""
    return await connection.fetch(
        """SELECT id, code, name, counted,
                  disabled_at IS NULL AND valid_from <= $1 AND (valid_to IS NULL OR $1 <= valid_to) AS active
             FROM agency ORDER BY code""",
        on,
    )


async def failures(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> list[Any]:
    """Signatures whose verdict did not pass, by its last revision that did not, beside the newest one."""
    return await connection.fetch(
        f"""WITH mine AS MATERIALIZED ({_LETTERS})
            SELECT letter.id AS letter, letter.accepted_at, letter.sender, letter.number, letter.notation,
                   letter.document_id, letter.reason, verdict.position, verdict.place, verdict.main, verdict.revision,
                   verdict.indication, verdict.sub_indication, verdict.why, verdict.signer_kind, verdict.signer_name,
                   verdict.certificate_sha256 AS sha256, verdict.evidence,
                   newest.revision AS newest_revision, newest.indication AS newest_indication,
                   newest.why AS newest_why, newest.judged_at AS newest_judged_at
              FROM mine AS letter
              JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id
                          AND verdict.indication <> 'TOTAL_PASSED'
              JOIN LATERAL (SELECT * FROM verdict AS one
                             WHERE one.sender = verdict.sender AND one.letter = verdict.letter
                               AND one.position = verdict.position
                             ORDER BY revision DESC LIMIT 1) AS newest ON true
             WHERE NOT EXISTS (SELECT FROM verdict AS later
                                WHERE later.sender = verdict.sender AND later.letter = verdict.letter
                                  AND later.position = verdict.position AND later.revision > verdict.revision
                                  AND later.indication <> 'TOTAL_PASSED')
             ORDER BY letter.accepted_at, letter.id, verdict.position""",  # noqa: S608 - the statement is ours
        agencies, first, end,
    )  # fmt: skip


async def lacking(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> list[Any]:
    """Letters that lack a signature they must have, with the places where one is that did not pass."""
    return await connection.fetch(
        f"""WITH mine AS MATERIALIZED ({_LETTERS})
            SELECT letter.id AS letter, letter.accepted_at, letter.sender, letter.number, letter.notation,
                   letter.document_id, letter.reason, letter.missing, letter.main_attachment,
                   ARRAY(SELECT place || chr(31) || signer_kind FROM verdict
                          WHERE verdict.sender = letter.sender AND verdict.letter = letter.id AND {_NEWEST}
                            AND indication <> 'TOTAL_PASSED') AS failing
              FROM mine AS letter WHERE missing <> '{{}}' ORDER BY letter.accepted_at, letter.id""",  # noqa: S608 - the statement is ours
        agencies, first, end,
    )  # fmt: skip


async def evidence(connection: Connection, sha256: Sequence[bytes]) -> list[Any]:
    """Kind and bytes of evidence by digest."""
    return await connection.fetch("SELECT sha256, kind, body FROM evidence WHERE sha256 = ANY($1)", sha256)


async def refused(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> int:
    """Letters refused at the gate because of a signature, by the agency that owns the sending system."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """SELECT count(*) FROM journal
            WHERE ($1::uuid[] IS NULL OR agency = ANY($1)) AND at >= $2 AND at < $3 AND event = 'refused'
              AND code IN ('signature_broken', 'signature_of_another', 'signature_wrapping')""",
        agencies, first, end,
    )  # fmt: skip
