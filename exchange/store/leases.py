"""Leases: which process does a piece of housekeeping now. The token fences off a holder that woke up late."""

from datetime import datetime
from uuid import UUID

from exchange.store.pool import Connection


async def take(connection: Connection, name: str, holder: UUID, at: datetime, until: datetime) -> int | None:
    """Take or keep the lease; its token, or None while somebody else holds it."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        """INSERT INTO lease (name, holder, token, until) VALUES ($1, $2, 1, $4)
           ON CONFLICT (name) DO UPDATE SET holder = $2, until = $4,
                  token = lease.token + CASE WHEN lease.holder = $2 THEN 0 ELSE 1 END
            WHERE lease.holder = $2 OR lease.until < $3
           RETURNING token""",
        name, holder, at, until,
    )  # fmt: skip
