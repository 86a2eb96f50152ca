"""Certificates as letters showed them, and the directory's rows about them: for the lists that operators look at."""

from collections.abc import Collection
from typing import Any

from exchange.store.pool import Connection


async def seen(connection: Connection, agency: str = "") -> list[Any]:
    """Certificates that nobody confirmed and whose path and signature held in some letter: per sender, how many letters.

    `agency`, a canonical code, asks for one sender's only.
    """
    return await connection.fetch(
        """SELECT verdict.certificate_sha256 AS sha256, agency.code AS agency, count(DISTINCT verdict.letter) AS letters
             FROM verdict JOIN agency ON agency.id = verdict.sender
            WHERE ($1 = '' OR agency.code = $1)
              AND (verdict.indication = 'TOTAL_PASSED' OR verdict.sub_indication = 'TRY_LATER')
              AND NOT EXISTS (SELECT FROM signer_certificate AS row
                               WHERE row.sha256 = verdict.certificate_sha256 AND row.confirmed_at IS NOT NULL)
            GROUP BY verdict.certificate_sha256, agency.code ORDER BY verdict.certificate_sha256, agency.code""",
        agency,
    )


async def bodies(connection: Connection, certificates: Collection[bytes]) -> dict[bytes, bytes]:
    """Of these certificates the DER bytes of those that are at hand."""
    records = await connection.fetch(
        "SELECT sha256, body FROM evidence WHERE kind = 'certificate' AND sha256 = ANY($1)",
        list(certificates),
    )
    return {one["sha256"]: bytes(one["body"]) for one in records}


async def letters(connection: Connection, certificates: Collection[bytes]) -> dict[bytes, int]:
    """How many letters each of these certificates signed."""
    records = await connection.fetch(
        """SELECT certificate_sha256 AS sha256, count(DISTINCT letter) AS n FROM verdict
            WHERE certificate_sha256 = ANY($1) GROUP BY 1""",
        list(certificates),
    )
    return {one["sha256"]: one["n"] for one in records}


async def disabled(connection: Connection) -> set[str]:
    """The codes of agencies that are switched off."""
    records = await connection.fetch("SELECT code FROM agency WHERE disabled_at IS NOT NULL")
    return {one["code"] for one in records}
