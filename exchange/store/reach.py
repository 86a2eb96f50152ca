"""Who can be reached (kết nối): agencies for which a system that is not switched off acts."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from exchange.store.pool import Connection


async def connected(connection: Connection, agencies: Sequence[UUID], on: date) -> frozenset[UUID]:
    """Those of these agencies for which a system acts on that day."""
    records = await connection.fetch(
        """SELECT DISTINCT acts_for.agency FROM acts_for JOIN system ON system.id = acts_for.system
            WHERE acts_for.agency = ANY($1) AND acts_for.valid_from <= $2
              AND (acts_for.valid_to IS NULL OR $2 <= acts_for.valid_to) AND system.disabled_at IS NULL""",
        agencies, on,
    )  # fmt: skip
    return frozenset(record["agency"] for record in records)
