"""The directory (danh mục): its version, and the snapshot that decisions are taken on.

Who calls is in `callers`, what sheets of the directory change is in `directory_sheets`, systems and their keys are in
`systems`.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from exchange.rules import directory
from exchange.store.pool import Connection


async def version(connection: Connection) -> int:
    """The directory's version: one more with every change."""
    return int(await connection.fetchval("SELECT version FROM directory_version"))


async def lock(connection: Connection) -> int:
    """The version, which nobody else moves before this transaction ends: changes come one after the other."""
    return int(await connection.fetchval("SELECT version FROM directory_version FOR UPDATE"))


async def bump(connection: Connection) -> int:
    """One version more; that one."""
    return int(
        await connection.fetchval("UPDATE directory_version SET version = version + 1 RETURNING version")
    )


async def load(connection: Connection, on: date) -> directory.Directory:
    """The snapshot of one moment, outside any transaction: all agencies; of dated rows those not over before `on`."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await read(connection, on)


async def read(connection: Connection, on: date) -> directory.Directory:
    """The same within a transaction, with what it wrote itself: what the directory would be."""
    return directory.build(
        await version(connection),
        await _agencies(connection),
        codes=await _codes(connection, on),
        certificates=await _certificates(connection, on),
        declarations=await _declarations(connection, on),
        successions=await successions(connection),
    )


async def find(connection: Connection, codes: Sequence[str], on: date) -> dict[str, UUID]:
    """The agencies that hold these codes (canonical form, upper case) on a day, by code as given."""
    records = await connection.fetch(
        """SELECT held.code, held.agency FROM agency_code AS held JOIN agency ON agency.id = held.agency
            WHERE held.code = ANY($1) AND held.valid_from <= $2 AND (held.valid_to IS NULL OR $2 <= held.valid_to)
              AND agency.valid_from <= $2 AND (agency.valid_to IS NULL OR $2 <= agency.valid_to)""",
        list(codes), on,
    )  # fmt: skip
    return {record["code"]: record["agency"] for record in records}


async def of_period(connection: Connection, codes: Sequence[str], last: date, today: date) -> dict[str, UUID]:
    """The agencies that figures of a period name by these codes, by code in canonical form.

    Who holds a code at the period's end, or today while it lasts; else who held it last before, also if that has ended;
    else, of agencies that came later, who holds it today.
    """
    wanted, on = [directory.canonical(code) for code in codes], min(last, today)
    records = await connection.fetch(
        """WITH held AS (
               SELECT code, agency, valid_from, valid_to FROM agency_code WHERE code = ANY($1)
               UNION ALL
               SELECT code, id, valid_from, valid_to FROM agency
                WHERE code = ANY($1) AND NOT EXISTS (SELECT FROM agency_code WHERE agency_code.code = agency.code))
           SELECT DISTINCT ON (held.code) held.code, held.agency
             FROM held JOIN agency ON agency.id = held.agency
            WHERE greatest(held.valid_from, agency.valid_from) <= greatest($2::date, $3::date)
            ORDER BY held.code, greatest(held.valid_from, agency.valid_from) > $2::date,
                     least(held.valid_to, agency.valid_to, $2::date) DESC, held.valid_from DESC, agency.code""",
        wanted, on, today,
    )  # fmt: skip
    return {record["code"]: record["agency"] for record in records}


async def merged(
    connection: Connection, first: date, last: date, agencies: Sequence[UUID] | None
) -> list[Any]:
    """Which of these agencies (None: all) were merged into others from a day of a span on: codes, name, first day, by code."""
    return await connection.fetch(
        """SELECT one.code, one.name, other.code AS successor, row.takes_effect AS since
             FROM agency_succession AS row
             JOIN agency AS one ON one.id = row.predecessor JOIN agency AS other ON other.id = row.successor
            WHERE row.takes_effect BETWEEN $1 AND $2 AND ($3::uuid[] IS NULL OR row.predecessor = ANY($3))
            ORDER BY one.code""",
        first, last, agencies,
    )  # fmt: skip


async def successions(connection: Connection) -> list[directory.Succession]:
    """Every agency that was merged into another."""
    records: list[Any] = await connection.fetch(
        "SELECT predecessor, successor, takes_effect, basis FROM agency_succession ORDER BY predecessor"
    )
    return [directory.Succession(**record) for record in records]


async def _agencies(connection: Connection) -> list[directory.Agency]:
    records = await connection.fetch(
        """WITH RECURSIVE below AS (
               SELECT id, id AS root FROM agency WHERE parent IS NULL OR level = 1
               UNION ALL
               SELECT agency.id, below.root FROM agency JOIN below ON agency.parent = below.id WHERE agency.level > 1
           )
           SELECT agency.id, code, name, kind, level, parent, coalesce(below.root, agency.id) AS root,
                  valid_from, valid_to, sector, own_clerk, counted, disabled_at IS NOT NULL AS disabled
             FROM agency LEFT JOIN below ON below.id = agency.id
            ORDER BY code"""
    )
    return [directory.Agency(**record) for record in records]


async def _codes(connection: Connection, on: date) -> list[directory.Code]:
    records = await connection.fetch(
        """SELECT code, form, agency, valid_from, valid_to FROM agency_code
            WHERE valid_to IS NULL OR valid_to >= $1 ORDER BY code, valid_from""",
        on,
    )
    return [directory.Code(**record) for record in records]


async def _certificates(connection: Connection, on: date) -> list[directory.Certificate]:
    """A person's certificate counts for an agency no longer than the person is its officer."""
    records = await connection.fetch(
        """SELECT row.sha256, row.agency, row.kind, row.officer, row.basis, row.confirmed_at IS NOT NULL AS confirmed,
                  greatest(row.valid_from, officer.valid_from) AS valid_from,
                  least(row.valid_to, officer.valid_to) AS valid_to,
                  officer.agency AS officer_agency, coalesce(officer.name, '') AS officer_name
             FROM signer_certificate AS row LEFT JOIN officer ON officer.id = row.officer
            WHERE least(row.valid_to, officer.valid_to) IS NULL OR least(row.valid_to, officer.valid_to) >= $1
            ORDER BY row.sha256, row.agency, row.valid_from""",
        on,
    )
    return [directory.Certificate(**record) for record in records]


async def _declarations(connection: Connection, on: date) -> list[directory.Declaration]:
    records: list[Any] = await connection.fetch(
        """SELECT agency, kind, valid_from, valid_to FROM agency_declaration
            WHERE valid_to IS NULL OR valid_to >= $1 ORDER BY agency, kind, valid_from""",
        on,
    )
    return [directory.Declaration(**record) for record in records]
