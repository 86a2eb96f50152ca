"""Public keys of receipts (khóa công khai của biên nhận) by their ids: a receipt outlives the key that signed it.

Housekeeping: no agency owns them.
"""

from datetime import datetime

from exchange.store.pool import Connection


async def keep(connection: Connection, key_id: str, pem: str, at: datetime) -> None:
    """Keep a public key, once."""
    await connection.execute(
        "INSERT INTO receipt_key (id, pem, first_seen) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        key_id, pem, at,
    )  # fmt: skip


async def everything(connection: Connection) -> list[str]:
    """All of them, as PEM."""
    return [one["pem"] for one in await connection.fetch("SELECT pem FROM receipt_key ORDER BY id")]


async def found(connection: Connection, key_id: str) -> str | None:
    """The public key of that id as PEM; None for one that never signed here."""
    pem: str | None = await connection.fetchval("SELECT pem FROM receipt_key WHERE id = $1", key_id)
    return pem
