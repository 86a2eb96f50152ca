"""Systems (hệ thống quản lý văn bản): whom they act for, their keys and certificates, and how people see them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules.directory_systems import ActsEntry, SystemEntry
from exchange.store import monitors
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What a system shows who it is by: a key (`id` is its public part) or a certificate (hex SHA-256 of its DER)."""

    kind: str
    id: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, kw_only=True)
class SystemRow:
    """A document system (hệ thống quản lý văn bản) as people list it; agencies by canonical code.

    `keys` are the public parts of keys in date; `credentials` all that have not ended yet. `seen_at`: last request.
    `watches`: codes of the agencies it watches (None: everything), each with whether all below it too.
    """

    id: UUID
    name: str
    owner: str
    acts_for: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None
    seen_at: datetime | None
    keys: tuple[str, ...]
    credentials: tuple[Credential, ...]
    watches: tuple[tuple[str | None, bool], ...] = ()


async def add_system(
    connection: Connection, system: UUID, name: str, agencies: Sequence[UUID], at: datetime, on: date
) -> None:
    """A new system that acts for these agencies from a day on; the first of them owns it."""
    await add_watching(connection, system, name, agencies[0], at)
    await connection.execute(
        "INSERT INTO acts_for (system, agency, valid_from) SELECT $1, agency, $3 FROM unnest($2::uuid[]) AS agency",
        system, list(agencies), on,
    )  # fmt: skip


async def add_watching(connection: Connection, system: UUID, name: str, owner: UUID, at: datetime) -> None:
    """A new system that acts for nobody, for which an agency answers."""
    await connection.execute(
        "INSERT INTO system (id, name, owner_agency, created_at) VALUES ($1, $2, $3, $4)",
        system, name, owner, at,
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


async def registered(connection: Connection, sha256: bytes) -> bool:
    """Whether some system has, or had, that client certificate."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT EXISTS (SELECT FROM system_certificate WHERE sha256 = $1)", sha256
    )


async def add_certificate(
    connection: Connection, sha256: bytes, system: UUID, valid_from: datetime, valid_to: datetime
) -> None:
    """One client certificate more for a system."""
    await connection.execute(
        "INSERT INTO system_certificate (sha256, system, valid_from, valid_to) VALUES ($1, $2, $3, $4)",
        sha256, system, valid_from, valid_to,
    )  # fmt: skip


async def end_certificates(connection: Connection, system: UUID, at: datetime) -> None:
    """Every client certificate of a system ends then, unless it ends sooner."""
    await connection.execute(
        "UPDATE system_certificate SET valid_to = $2 WHERE system = $1 AND (valid_to IS NULL OR valid_to > $2)",
        system,
        at,
    )


async def systems(connection: Connection, at: datetime, on: date) -> list[SystemRow]:
    """All systems by name, with the agencies they act for on a day, and their keys and certificates."""
    records = await connection.fetch(
        """SELECT system.id, system.name, owner.code AS owner, system.created_at, system.disabled_at, system.seen_at,
                  ARRAY(SELECT agency.code FROM acts_for JOIN agency ON agency.id = acts_for.agency
                         WHERE acts_for.system = system.id AND acts_for.valid_from <= $1
                           AND (acts_for.valid_to IS NULL OR $1 <= acts_for.valid_to)
                         ORDER BY agency.code) AS acts_for
             FROM system JOIN agency AS owner ON owner.id = system.owner_agency
            ORDER BY system.name, system.id""",
        on,
    )
    held = await credentials(connection, [record["id"] for record in records])
    watched = await monitors.listed(connection, on)
    return [
        _listed(record, held.get(record["id"], ()), watched.get(record["id"], ()), at) for record in records
    ]


async def credentials(connection: Connection, asked: Sequence[UUID]) -> dict[UUID, list[Credential]]:
    """Every key and client certificate of these systems, by system, the oldest first."""
    records = await connection.fetch(
        """SELECT system, 'key' AS kind, id, valid_from, valid_to FROM system_key WHERE system = ANY($1)
            UNION ALL
           SELECT system, 'certificate', encode(sha256, 'hex'), valid_from, valid_to
             FROM system_certificate WHERE system = ANY($1)
            ORDER BY valid_from, id""",
        list(asked),
    )
    found: dict[UUID, list[Credential]] = {}
    for record in records:
        facts = {name: value for name, value in record.items() if name != "system"}
        found.setdefault(record["system"], []).append(Credential(**facts))
    return found


async def entries(
    connection: Connection, only: UUID | None = None
) -> tuple[list[SystemEntry], list[ActsEntry]]:
    """Systems that are not switched off, and all periods in which they act for agencies, as sheets say them."""
    systems_found = await connection.fetch(
        """SELECT system.id::text, system.name, owner.code AS owner
             FROM system JOIN agency AS owner ON owner.id = system.owner_agency
            WHERE system.disabled_at IS NULL AND ($1::uuid IS NULL OR system.id = $1)
            ORDER BY system.name, system.id""",
        only,
    )
    periods = await connection.fetch(
        """SELECT system.id::text AS system, agency.code AS agency, acts_for.valid_from, acts_for.valid_to
             FROM acts_for JOIN system ON system.id = acts_for.system JOIN agency ON agency.id = acts_for.agency
            WHERE system.disabled_at IS NULL AND ($1::uuid IS NULL OR system.id = $1)
            ORDER BY system.name, system.id, agency.code, acts_for.valid_from""",
        only,
    )
    return [SystemEntry(**one) for one in systems_found], [ActsEntry(**one) for one in periods]


async def write(
    connection: Connection, written: Iterable[SystemEntry], agencies: Mapping[str, UUID], at: datetime
) -> None:
    """New systems, and new names and owners of known ones."""
    rows = [(UUID(entry.id), entry.name, agencies[entry.owner], at) for entry in written]
    await connection.executemany(
        """INSERT INTO system (id, name, owner_agency, created_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (id) DO UPDATE SET name = excluded.name, owner_agency = excluded.owner_agency""",
        rows,
    )


async def write_acts(
    connection: Connection, written: Iterable[ActsEntry], agencies: Mapping[str, UUID]
) -> None:
    """Periods in which systems act for agencies; a known one gets its new last day."""
    rows = [
        (UUID(entry.system), agencies[entry.agency], entry.valid_from, entry.valid_to) for entry in written
    ]
    await connection.executemany(
        """INSERT INTO acts_for (system, agency, valid_from, valid_to) VALUES ($1, $2, $3, $4)
           ON CONFLICT (system, agency, valid_from) DO UPDATE SET valid_to = excluded.valid_to""",
        rows,
    )


async def remove_acts(
    connection: Connection, removed: Iterable[ActsEntry], agencies: Mapping[str, UUID]
) -> None:
    """Periods that are not to have been."""
    rows = [(UUID(entry.system), agencies[entry.agency], entry.valid_from) for entry in removed]
    await connection.executemany(
        "DELETE FROM acts_for WHERE system = $1 AND agency = $2 AND valid_from = $3", rows
    )


async def used(connection: Connection, asked: Sequence[UUID]) -> set[UUID]:
    """Which of these systems have, or had, a key or a client certificate: only those can ever have called."""
    records = await connection.fetch(
        """SELECT system FROM system_key WHERE system = ANY($1)
            UNION SELECT system FROM system_certificate WHERE system = ANY($1)""",
        list(asked),
    )
    return {record["system"] for record in records}


async def remove(connection: Connection, removed: Sequence[UUID]) -> None:
    """Systems that nobody ever used."""
    await connection.execute("DELETE FROM system WHERE id = ANY($1)", list(removed))


def _listed(
    record: Any,  # noqa: ANN401 - a record
    held: Sequence[Credential],
    watched: Sequence[tuple[str | None, bool]],
    at: datetime,
) -> SystemRow:
    standing = tuple(one for one in held if one.valid_to is None or at < one.valid_to)
    return SystemRow(
        **{**record, "acts_for": tuple(record["acts_for"])},
        keys=tuple(one.id for one in standing if one.kind == "key" and one.valid_from <= at),
        credentials=standing,
        watches=tuple(watched),
    )
