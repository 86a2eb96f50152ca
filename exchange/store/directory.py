"""The directory (danh mục): its version, the snapshot that decisions are taken on, systems (hệ thống) and their keys.

Who calls is in `callers`, what sheets of the directory change is in `directory_sheets`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules import directory
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class SystemRow:
    """A document system (hệ thống quản lý văn bản) as people list it; agencies by canonical code."""

    id: UUID
    name: str
    owner: str
    acts_for: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    keys: tuple[str, ...]


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
        return directory.build(
            await version(connection),
            await _agencies(connection),
            codes=await _codes(connection, on),
            certificates=await _certificates(connection, on),
            declarations=await _declarations(connection, on),
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


async def add_system(
    connection: Connection, system: UUID, name: str, agencies: Sequence[UUID], at: datetime, on: date
) -> None:
    """A new system that acts for these agencies from a day on; the first of them owns it."""
    await connection.execute(
        "INSERT INTO system (id, name, owner_agency, created_at) VALUES ($1, $2, $3, $4)",
        system, name, agencies[0], at,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO acts_for (system, agency, valid_from) SELECT $1, agency, $3 FROM unnest($2::uuid[]) AS agency",
        system, list(agencies), on,
    )  # fmt: skip


async def add_key(
    connection: Connection, key_id: str, system: UUID, secret_sha256: bytes, valid_from: datetime
) -> None:
    """One key more for a system, without end until it is rotated."""
    await connection.execute(
        "INSERT INTO system_key (id, system, secret_sha256, valid_from) VALUES ($1, $2, $3, $4)",
        key_id, system, secret_sha256, valid_from,
    )  # fmt: skip


async def end_keys(connection: Connection, system: UUID, at: datetime) -> None:
    """Every key of a system ends then, unless it ends sooner."""
    await connection.execute(
        "UPDATE system_key SET valid_to = $2 WHERE system = $1 AND (valid_to IS NULL OR valid_to > $2)",
        system,
        at,
    )


async def owner(connection: Connection, system: UUID) -> UUID | None:
    """The agency that answers for a system; None if there is no such system. The row is locked."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT owner_agency FROM system WHERE id = $1 FOR UPDATE", system
    )


async def disable_system(connection: Connection, system: UUID, at: datetime) -> bool:
    """Switch a system off; False if it was off already."""
    status = await connection.execute(
        "UPDATE system SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL", system, at
    )
    return status == "UPDATE 1"


async def systems(connection: Connection, at: datetime, on: date) -> list[SystemRow]:
    """All systems by name, with the agencies they act for on a day and the public parts of keys in date."""
    records = await connection.fetch(
        """SELECT system.id, system.name, owner.code AS owner, system.created_at, system.disabled_at,
                  ARRAY(SELECT agency.code FROM acts_for JOIN agency ON agency.id = acts_for.agency
                         WHERE acts_for.system = system.id AND acts_for.valid_from <= $2
                           AND (acts_for.valid_to IS NULL OR $2 <= acts_for.valid_to)
                         ORDER BY agency.code) AS acts_for,
                  ARRAY(SELECT key.id FROM system_key AS key
                         WHERE key.system = system.id AND key.valid_from <= $1
                           AND (key.valid_to IS NULL OR $1 < key.valid_to)
                         ORDER BY key.valid_from, key.id) AS keys
             FROM system JOIN agency AS owner ON owner.id = system.owner_agency
            ORDER BY system.name, system.id""",
        at, on,
    )  # fmt: skip
    return [
        SystemRow(**{**record, "acts_for": tuple(record["acts_for"]), "keys": tuple(record["keys"])})
        for record in records
    ]


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
