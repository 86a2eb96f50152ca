"""Everything the database knows of one connection, for the operator who tests it."""

from datetime import date
from uuid import UUID

from exchange.rules import connection as rules
from exchange.store.pool import Connection


async def facts(
    connection: Connection, system: UUID, credentials: tuple[rules.Credential, ...], on: date
) -> rules.Facts | None:
    """One system with the agencies it acts for, what waits for it and what of it was refused; None without it."""
    record = await connection.fetchrow(
        """SELECT system.id, system.name, owner.code AS owner, system.disabled_at, system.seen_at
             FROM system JOIN agency AS owner ON owner.id = system.owner_agency WHERE system.id = $1""",
        system,
    )
    if record is None:
        return None
    agencies = await _agencies(connection, system, on)
    waiting = await connection.fetchrow(
        """SELECT count(*) AS open, min(accepted_at) AS oldest FROM delivery
            WHERE open AND recipient IN (SELECT agency FROM acts_for
                                          WHERE system = $1 AND valid_from <= $2 AND (valid_to IS NULL OR $2 <= valid_to))""",
        system, on,
    )  # fmt: skip
    assert waiting is not None  # an aggregate has one row
    return rules.Facts(
        **record,
        **waiting,
        credentials=credentials,
        agencies=agencies,
        refusals=await _refusals(connection, system),
    )


async def _agencies(connection: Connection, system: UUID, on: date) -> tuple[rules.Acted, ...]:
    records = await connection.fetch(
        """SELECT agency.code, acts_for.valid_from, acts_for.valid_to, agency.disabled_at IS NOT NULL AS disabled,
                  NOT (agency.valid_from <= $2 AND (agency.valid_to IS NULL OR $2 <= agency.valid_to)) AS over
             FROM acts_for JOIN agency ON agency.id = acts_for.agency
            WHERE acts_for.system = $1 ORDER BY agency.code, acts_for.valid_from""",
        system, on,
    )  # fmt: skip
    return tuple(rules.Acted(**one) for one in records)


async def _refusals(connection: Connection, system: UUID) -> tuple[rules.Refusal, ...]:
    records = await connection.fetch(
        """SELECT at, coalesce(code, '') AS code FROM journal WHERE system = $1 AND event = 'refused'
            ORDER BY id DESC LIMIT $2""",
        system, rules.SHOWN,
    )  # fmt: skip
    return tuple(rules.Refusal(**one) for one in records)
