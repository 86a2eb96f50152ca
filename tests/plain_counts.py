"""What measures of signature use are counted from, read the plain way: the whole history for every question. The statements
say what a document is and which verdicts are the newest without any index in mind; the store's must answer the same.
"""

_DOCUMENT = """CASE WHEN number_key IS NOT NULL
                    THEN concat_ws(chr(31), issued_year, series, number_key, notation_key)
                    ELSE concat_ws(chr(31), 'id', document_id) END"""

_LETTERS = f"""SELECT sender, id, accepted_at, number, notation, issued_on, document_type, document_id, operation,
                      copy_form, main_attachment, reason, missing, coalesce(about.document, {_DOCUMENT}) AS document
                 FROM letter
                 LEFT JOIN LATERAL (SELECT {_DOCUMENT} AS document FROM letter AS target
                                     WHERE letter.operation = 'update' AND target.sender = letter.sender
                                       AND target.document_id = letter.target_document_id
                                       AND target.operation IN ('new', 'replace')
                                     ORDER BY round DESC LIMIT 1) AS about ON true
                WHERE ($1::uuid[] IS NULL OR sender = ANY($1)) AND accepted_at < $3
                  AND operation NOT IN ('status', 'revoke') AND NOT test"""

_NEWEST = """NOT EXISTS (SELECT FROM verdict AS later
                         WHERE later.sender = verdict.sender AND later.letter = verdict.letter
                           AND later.revision > verdict.revision)"""

_SIGNED = f"""
    WITH mine AS MATERIALIZED ({_LETTERS}),
         documents AS (
             SELECT DISTINCT ON (sender, document) sender, document, id, accepted_at, number, notation, issued_on,
                    document_type, document_id, copy_form, missing,
                    min(accepted_at) OVER (PARTITION BY sender, document) AS first_accepted,
                    count(*) OVER (PARTITION BY sender, document) AS letters
               FROM mine
              ORDER BY sender, document, operation = 'update', accepted_at DESC, id DESC),
         signed AS (
             SELECT documents.*, coalesce(failed, false) AS failed,
                    coalesce(undetermined AND NOT failed, false) AS undetermined,
                    coalesce(organisation, false) AND NOT missing && ARRAY['document', 'main.organisation']
                        AS organisation,
                    coalesce(CASE copy_form WHEN 'original' THEN individual ELSE confirmed END, false)
                        AND NOT missing && ARRAY['document', 'main.individual'] AS individual
               FROM documents LEFT JOIN LATERAL (
                    SELECT bool_or(indication = 'TOTAL_FAILED') AS failed,
                           bool_or(indication = 'INDETERMINATE') AS undetermined,
                           bool_or(good AND signer_kind = 'organisation' AND signer_agency = sender) AS organisation,
                           bool_or(good AND signer_kind = 'individual') AS individual,
                           bool_or(good AND signer_kind = 'individual' AND EXISTS (
                               SELECT FROM signer_certificate AS row
                                WHERE row.sha256 = certificate_sha256 AND row.confirmed_at IS NOT NULL)) AS confirmed
                      FROM (SELECT *, indication = 'TOTAL_PASSED'
                                      AND (main OR (place = 'package' AND format IN ('xmldsig', 'xades'))) AS good
                              FROM verdict
                             WHERE verdict.sender = documents.sender AND verdict.letter = documents.id AND {_NEWEST})
                           AS verdict) AS found ON true
              WHERE first_accepted >= $2)"""


async def documents(connection, agencies, first, end):
    """Documents first accepted in a span, counted by sender and by how they are signed."""
    return await connection.fetch(
        f"""{_SIGNED}
            SELECT sender, organisation, individual, failed, undetermined, count(*) AS n FROM signed
             GROUP BY sender, organisation, individual, failed, undetermined ORDER BY sender""",
        agencies, first, end,
    )  # fmt: skip


async def document_rows(connection, agencies, first, end):
    """The same documents, one row each, in the order in which they came."""
    return await connection.fetch(
        f"{_SIGNED} SELECT * FROM signed ORDER BY first_accepted, id",
        agencies, first, end,
    )  # fmt: skip


async def uses(connection, agencies, first, end):
    """Valid signatures by certificate: distinct documents in a span, the last moment before its end, and the officer.

    Looked for in the letters of these agencies and of those that share a certificate with them.
    """
    return await connection.fetch(
        f"""WITH mine AS MATERIALIZED ({_LETTERS})
            SELECT certificate_sha256 AS sha256, officer, max(accepted_at) AS last,
                   count(DISTINCT (letter.sender, letter.document)) FILTER (WHERE accepted_at >= $2) AS n
              FROM mine AS letter
              JOIN verdict ON verdict.sender = letter.sender AND verdict.letter = letter.id AND {_NEWEST}
             WHERE indication = 'TOTAL_PASSED' AND certificate_sha256 IS NOT NULL
             GROUP BY certificate_sha256, officer""",
        agencies, first, end,
    )  # fmt: skip


async def sharing(connection, agencies):
    """These agencies and all that hold a certificate of theirs too."""
    found = await connection.fetchval(
        """SELECT array_agg(DISTINCT other.agency)
             FROM signer_certificate AS mine JOIN signer_certificate AS other ON other.sha256 = mine.sha256
            WHERE mine.agency = ANY($1)""",
        agencies,
    )
    return sorted({*agencies, *(found or [])})
