"""What else measures of signature use and their reports show: agencies, directory rows of certificates, failed verdicts.

Training and notices are left out, as in `signatures`; what was refused at the gate was never stored. `None` for agencies
means the whole exchange. Documents and uses of certificates are counted in `signed_documents`. Long lists come a few
hundred rows at a time, within a transaction.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules.certificate_use import Row
from exchange.store.measures import CHUNK
from exchange.store.pool import Connection
from exchange.store.signed_documents import NEWEST

_LETTERS = """SELECT letter.sender, letter.id, accepted_at, number, notation, issued_on, document_type, document_id, operation,
                     copy_form, main_attachment, reason, missing
                FROM letter
               WHERE ($1::uuid[] IS NULL OR letter.sender = ANY($1)) AND accepted_at >= $2 AND accepted_at < $3
                 AND operation NOT IN ('status', 'revoke') AND NOT test"""


_HELD = """SELECT sha256 FROM signer_certificate WHERE agency = ANY($1)
            UNION ALL
           SELECT sha256 FROM officer JOIN signer_certificate ON officer.id = officer WHERE officer.agency = ANY($1)"""
"""SQL: what agencies or their officers hold."""


async def certificates(
    connection: Connection, agencies: Sequence[UUID] | None
) -> tuple[list[Row], dict[bytes, bytes]]:
    """Every row of each certificate that these agencies or their officers hold, and the certificates (DER) at hand."""
    # Two statements, as in `signed_documents`.
    which = "$1::uuid[] IS NULL" if agencies is None else f"row.sha256 = ANY(ARRAY({_HELD}))"
    records = await connection.fetch(
        f"""SELECT row.sha256, row.agency, coalesce(officer.agency, row.agency) AS home, home.level, row.kind, row.officer,
                  coalesce(officer.name, '') AS officer_name, coalesce(officer.position, '') AS position,
                  coalesce(officer.is_leader, false) AS leader, row.subject, row.issuer, row.purpose,
                  greatest(row.valid_from, officer.valid_from) AS valid_from,
                  least(row.valid_to, officer.valid_to, home.valid_to) AS valid_to,
                  row.confirmed_at IS NOT NULL AS confirmed
             FROM signer_certificate AS row
             LEFT JOIN officer ON officer.id = row.officer
             JOIN agency AS home ON home.id = coalesce(officer.agency, row.agency)
            WHERE {which}
            ORDER BY home.code, row.kind DESC, officer.code, row.valid_from, row.sha256""",  # noqa: S608 - the statement is ours
        agencies,
    )
    bodies = await connection.fetch(
        "SELECT sha256, body FROM evidence WHERE kind = 'certificate' AND sha256 = ANY($1)",
        list({record["sha256"] for record in records}),
    )
    return [Row(**record) for record in records], {record["sha256"]: record["body"] for record in bodies}


async def agencies(
    connection: Connection, on: date, at: datetime, only: Sequence[UUID] | None = None
) -> list[Any]:
    """Every agency, or only these, with whether it is active at a moment of a day: what is switched off later was."""
    return await connection.fetch(
        """SELECT id, code, name, counted,
                  (disabled_at IS NULL OR disabled_at > $2) AND valid_from <= $1 AND (valid_to IS NULL OR $1 <= valid_to) AS active
             FROM agency WHERE $3::uuid[] IS NULL OR id = ANY($3) ORDER BY code""",
        on, at, only,
    )  # fmt: skip


async def failures(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> AsyncIterator[Any]:
    """Signatures whose verdict did not pass, by its last revision that did not, beside the newest one."""
    async for row in connection.cursor(
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
        agencies, first, end, prefetch=CHUNK,
    ):  # fmt: skip
        yield row


async def lacking(
    connection: Connection, agencies: Sequence[UUID] | None, first: datetime, end: datetime
) -> AsyncIterator[Any]:
    """Letters that lack a signature they must have, with the places where one is that did not pass."""
    async for row in connection.cursor(
        f"""WITH mine AS MATERIALIZED ({_LETTERS})
            SELECT letter.id AS letter, letter.accepted_at, letter.sender, letter.number, letter.notation,
                   letter.document_id, letter.reason, letter.missing, letter.main_attachment,
                   ARRAY(SELECT place || chr(31) || signer_kind FROM verdict
                          WHERE verdict.sender = letter.sender AND verdict.letter = letter.id AND {NEWEST}
                            AND indication <> 'TOTAL_PASSED') AS failing
              FROM mine AS letter WHERE missing <> '{{}}' ORDER BY letter.accepted_at, letter.id""",  # noqa: S608 - the statement is ours
        agencies, first, end, prefetch=CHUNK,
    ):  # fmt: skip
        yield row


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
