"""Housekeeping: what an operator watches. Counts stop at a bound, so that asking costs the same however much waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from exchange.store.pool import Connection

MOST = 100_000
FAILING = 3
"""After so many questions in vain a source counts as failing; one or two are weather."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How things stand: counts (at most 100,000 is counted), moments of the oldest that waits, None if nothing does."""

    open_deliveries: int
    oldest_open: datetime | None
    letters_to_expand: int
    oldest_to_expand: datetime | None
    facts_to_fold: int
    payloads_without_partition: bool
    directory_version: int
    sources: int
    sources_failing: int
    sources_never_had: int


async def standing(connection: Connection, at: datetime) -> Standing:
    """How things stand at this moment; sources of revocation data are those that were due within the last day."""
    record = await connection.fetchrow(
        """SELECT (SELECT count(*) FROM (SELECT FROM delivery WHERE open LIMIT $1) AS counted) AS open_deliveries,
                  (SELECT min(accepted_at) FROM delivery WHERE state = 'waiting') AS oldest_open,
                  (SELECT count(*) FROM letter WHERE expanded_at IS NULL) AS letters_to_expand,
                  (SELECT min(accepted_at) FROM letter WHERE expanded_at IS NULL) AS oldest_to_expand,
                  (SELECT count(*) FROM (SELECT FROM tally_delta LIMIT $1) AS counted) AS facts_to_fold,
                  EXISTS (SELECT FROM payload_default) AS payloads_without_partition,
                  (SELECT version FROM directory_version) AS directory_version,
                  source.*
             FROM (SELECT count(*) AS sources, count(*) FILTER (WHERE failures >= $2) AS sources_failing,
                          count(*) FILTER (WHERE failures >= $2 AND held IS NULL AND kind = 'crl') AS sources_never_had
                     FROM revocation_source WHERE due_at > $3) AS source""",
        MOST,
        FAILING,
        at - timedelta(days=1),
    )
    assert record is not None
    return Standing(**record)
