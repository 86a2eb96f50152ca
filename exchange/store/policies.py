"""Signature policies (chính sách chữ ký số) by their digest: what a verdict's `policy_sha256` stands for.

Housekeeping: no agency owns them.
"""

from datetime import datetime

from exchange.store.pool import Connection


async def keep(connection: Connection, sha256: bytes, body: str, at: datetime) -> None:
    """Keep a policy, canonical JSON, once."""
    await connection.execute(
        "INSERT INTO signature_policy (sha256, body, first_seen) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        sha256, body, at,
    )  # fmt: skip


async def found(connection: Connection, sha256: bytes) -> str | None:
    """The policy of that digest as JSON, None for one that never was in force here."""
    body: str | None = await connection.fetchval(
        "SELECT body FROM signature_policy WHERE sha256 = $1", sha256
    )
    return body
