"""What sheets of the directory change: everything it holds as entries, and a plan written down.

All functions want one transaction around them that has taken `directory.lock` first.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.rules import directory_entries, directory_history, directory_images, directory_succession
from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_history import Held, Statement
from exchange.rules.directory_laid import Key
from exchange.rules.directory_plan import Plan, State
from exchange.store import insert, systems
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the directory holds, the ids behind the keys of agencies and officers, and when certificates were confirmed."""

    state: State
    agencies: Mapping[str, UUID]
    officers: Mapping[Key, UUID]
    confirmed: Mapping[Key, datetime]

    @property
    def images(self) -> directory_images.Images:
        """The same as plain values, entry by entry."""
        beside = directory_images.Beside(
            agencies={(code,): str(row) for code, row in self.agencies.items()},
            officers={key: str(row) for key, row in self.officers.items()},
            confirmed={key: moment.isoformat() for key, moment in self.confirmed.items()},
        )
        return directory_images.of(self.state, beside)


async def stored(connection: Connection) -> Stored:
    """The whole directory as entries."""
    held, stated = await _codes(connection), await _statements(connection)
    agencies, agency_ids = await _agencies(connection)
    officers, officer_ids = await _officers(connection)
    shown = [
        directory_history.shown(entry, held.get(entry.code, ()), stated.get(entry.code, ()))
        for entry in agencies
    ]
    certificates, confirmed = await _certificates(connection)
    acting, periods = await systems.entries(connection)
    state = State(
        agencies={entry.key: entry for entry in shown},
        officers={entry.key: entry for entry in officers},
        certificates={entry.key: entry for entry in certificates},
        systems={entry.key: entry for entry in acting},
        acts={entry.key: entry for entry in periods},
        codes=held,
        statements=stated,
    )
    return Stored(state=state, agencies=agency_ids, officers=officer_ids, confirmed=confirmed)


async def agency_ids(connection: Connection, codes: Iterable[str]) -> dict[str, UUID]:
    """The ids of these agencies, by canonical code."""
    records = await connection.fetch("SELECT code, id FROM agency WHERE code = ANY($1)", list(codes))
    return {record["code"]: record["id"] for record in records}


def numbered(plan: Plan, known: Stored, new_id: Callable[[], UUID]) -> Stored:
    """What is known, and ids for the new agencies and officers of a plan."""
    agencies = {change.after.code: new_id() for change in plan.agencies if change.before is None}
    officers = {change.after.key: new_id() for change in plan.officers if change.before is None}
    return replace(known, agencies={**known.agencies, **agencies}, officers={**known.officers, **officers})


async def write(connection: Connection, plan: Plan, ids: Stored, at: datetime) -> None:
    """Write a plan without errors. `ids` names every agency and officer in it, the new ones too."""
    agencies = [change.after for change in plan.agencies]
    await write_agencies(connection, agencies, ids.agencies)
    await write_successions(connection, agencies, ids.agencies)
    await write_codes(connection, plan.codes, ids.agencies)
    await write_statements(connection, plan.statements, ids.agencies)
    await write_officers(connection, [change.after for change in plan.officers], ids)
    held = [change.after for change in plan.certificates]
    await write_certificates(connection, held, ids, {entry.key: at for entry in held if entry.confirmed})
    await systems.write(connection, [change.after for change in plan.systems], ids.agencies, at)
    await systems.write_acts(connection, [change.after for change in plan.acts], ids.agencies)


async def _agencies(connection: Connection) -> tuple[list[AgencyEntry], dict[str, UUID]]:
    records = await connection.fetch(
        """SELECT agency.id, agency.code, agency.name, agency.kind, agency.level, coalesce(parent.code, '') AS parent,
                  agency.sector, agency.own_clerk, agency.counted, agency.valid_from, agency.valid_to,
                  coalesce(successor.code, '') AS successor, coalesce(succession.basis, '') AS basis
             FROM agency LEFT JOIN agency AS parent ON parent.id = agency.parent
             LEFT JOIN agency_succession AS succession ON succession.predecessor = agency.id
             LEFT JOIN agency AS successor ON successor.id = succession.successor
            ORDER BY agency.code"""
    )
    ids = {record["code"]: record["id"] for record in records}
    return [AgencyEntry(**_without_id(record)) for record in records], ids


async def _codes(connection: Connection) -> dict[str, tuple[Held, ...]]:
    records = await connection.fetch(
        """SELECT agency.code AS agency, held.code, held.valid_from, held.valid_to
             FROM agency_code AS held JOIN agency ON agency.id = held.agency
            ORDER BY held.code, held.valid_from"""
    )
    return _by_agency(Held(**record) for record in records)


async def _statements(connection: Connection) -> dict[str, tuple[Statement, ...]]:
    records = await connection.fetch(
        """SELECT agency.code AS agency, said.kind, said.valid_from, said.valid_to, said.basis
             FROM agency_declaration AS said JOIN agency ON agency.id = said.agency
            ORDER BY said.kind, said.valid_from"""
    )
    return _by_agency(Statement(**record) for record in records)


async def _officers(connection: Connection) -> tuple[list[OfficerEntry], dict[Key, UUID]]:
    records = await connection.fetch(
        """SELECT officer.id, agency.code AS agency, officer.code, officer.name, officer.position,
                  officer.is_leader AS leader, officer.valid_from, officer.valid_to
             FROM officer JOIN agency ON agency.id = officer.agency
            ORDER BY agency.code, officer.code"""
    )
    entries = [OfficerEntry(**_without_id(record)) for record in records]
    return entries, {entry.key: record["id"] for entry, record in zip(entries, records, strict=True)}


async def _certificates(connection: Connection) -> tuple[list[CertificateEntry], dict[Key, datetime]]:
    records = await connection.fetch(
        """SELECT agency.code AS agency, row.kind, encode(row.sha256, 'hex') AS certificate,
                  coalesce(officer.code, '') AS officer, row.purpose, row.valid_from, row.valid_to, row.basis,
                  row.confirmed_by, row.subject, row.issuer, row.confirmed_at
             FROM signer_certificate AS row JOIN agency ON agency.id = row.agency
             LEFT JOIN officer ON officer.id = row.officer
            ORDER BY agency.code, row.kind, row.sha256, row.valid_from"""
    )
    entries = [_certificate(record) for record in records]
    moments = zip(entries, (record["confirmed_at"] for record in records), strict=True)
    return entries, {entry.key: moment for entry, moment in moments if moment is not None}


def _certificate(record: Any) -> CertificateEntry:  # noqa: ANN401 - a record
    facts = {name: value for name, value in record.items() if name != "confirmed_at"}
    return CertificateEntry(**{**facts, "confirmed_by": tuple(record["confirmed_by"])})


def _without_id(record: Any) -> dict[str, Any]:  # noqa: ANN401 - a record
    return {name: value for name, value in record.items() if name != "id"}


def _by_agency(dated: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for row in dated:
        groups[row.agency].append(row)
    return {agency: tuple(group) for agency, group in groups.items()}


async def write_agencies(
    connection: Connection, entries: Sequence[AgencyEntry], ids: Mapping[str, UUID]
) -> None:
    """One statement, so that a parent may come after its children."""
    await _unnested(
        connection,
        """INSERT INTO agency (id, code, name, kind, level, parent, sector, own_clerk, counted, valid_from, valid_to)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::smallint[], $6::uuid[],
                                $7::text[], $8::boolean[], $9::boolean[], $10::date[], $11::date[])
           ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, level = excluded.level,
                  parent = excluded.parent, sector = excluded.sector, own_clerk = excluded.own_clerk,
                  counted = excluded.counted, valid_from = excluded.valid_from, valid_to = excluded.valid_to""",
        [
            (ids[entry.code], entry.code, entry.name, entry.kind, entry.level, ids.get(entry.parent),
             entry.sector, entry.own_clerk, entry.counted, entry.valid_from, entry.valid_to)
            for entry in entries
        ],
    )  # fmt: skip


async def write_successions(
    connection: Connection, entries: Sequence[AgencyEntry], ids: Mapping[str, UUID]
) -> None:
    """Into whom these agencies were merged, those that were; their successors stand already."""
    merged = [ids[entry.code] for entry in entries]
    await connection.execute("DELETE FROM agency_succession WHERE predecessor = ANY($1)", merged)
    await _unnested(
        connection,
        """INSERT INTO agency_succession (predecessor, successor, takes_effect, basis)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::text[])""",
        [
            (ids[entry.code], ids[entry.successor], first, entry.basis)
            for entry in entries
            if (first := directory_succession.takes_effect(entry))
        ],
    )


async def write_codes(
    connection: Connection, codes: Mapping[str, Sequence[Held]], ids: Mapping[str, UUID]
) -> None:
    """The whole new lists of codes of these agencies."""
    agencies = [ids[agency] for agency in codes]
    await connection.execute("DELETE FROM agency_code WHERE agency = ANY($1)", agencies)
    await _unnested(
        connection,
        """INSERT INTO agency_code (code, form, agency, valid_from, valid_to)
           SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::date[], $5::date[])""",
        [
            (held.code, directory_entries.form(held.code), ids[held.agency], held.valid_from, held.valid_to)
            for each in codes.values()
            for held in each
        ],
    )


async def write_statements(
    connection: Connection, statements: Mapping[str, Sequence[Statement]], ids: Mapping[str, UUID]
) -> None:
    """The whole new lists of dated statements of these agencies."""
    agencies = [ids[agency] for agency in statements]
    await connection.execute("DELETE FROM agency_declaration WHERE agency = ANY($1)", agencies)
    await _unnested(
        connection,
        """INSERT INTO agency_declaration (agency, kind, valid_from, valid_to, basis)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::date[], $5::text[])""",
        [
            (ids[said.agency], said.kind, said.valid_from, said.valid_to, said.basis)
            for each in statements.values()
            for said in each
        ],
    )


async def write_officers(connection: Connection, entries: Sequence[OfficerEntry], ids: Stored) -> None:
    """New officers, and new facts of known ones."""
    await _unnested(
        connection,
        """INSERT INTO officer (id, agency, code, name, position, is_leader, valid_from, valid_to)
           SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::boolean[],
                                $7::date[], $8::date[])
           ON CONFLICT (id) DO UPDATE SET name = excluded.name, position = excluded.position,
                  is_leader = excluded.is_leader, valid_from = excluded.valid_from, valid_to = excluded.valid_to""",
        [
            (ids.officers[entry.key], ids.agencies[entry.agency], entry.code, entry.name, entry.position,
             entry.leader, entry.valid_from, entry.valid_to)
            for entry in entries
        ],
    )  # fmt: skip


async def write_certificates(
    connection: Connection, entries: Sequence[CertificateEntry], ids: Stored, moments: Mapping[Key, datetime]
) -> None:
    """Certificates, confirmed at their `moments`.

    A confirmation keeps its first moment while it stands, and is gone when it no longer has enough names.
    """
    await _unnested(
        connection,
        """INSERT INTO signer_certificate (sha256, agency, kind, officer, subject, issuer, purpose, valid_from, valid_to,
                                           basis, confirmed_at, confirmed_by)
           SELECT sha256, agency, kind, officer, subject, issuer, purpose, valid_from, valid_to, basis, confirmed_at,
                  confirmed_by::text[]
             FROM unnest($1::bytea[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
                         $8::date[], $9::date[], $10::text[], $11::timestamptz[], $12::text[])
               AS given (sha256, agency, kind, officer, subject, issuer, purpose, valid_from, valid_to, basis,
                         confirmed_at, confirmed_by)
           ON CONFLICT (agency, sha256, valid_from) DO UPDATE SET kind = excluded.kind, officer = excluded.officer,
                  subject = excluded.subject, issuer = excluded.issuer, purpose = excluded.purpose,
                  valid_to = excluded.valid_to, basis = excluded.basis, confirmed_by = excluded.confirmed_by,
                  confirmed_at = CASE WHEN excluded.confirmed_at IS NOT NULL
                                      THEN coalesce(signer_certificate.confirmed_at, excluded.confirmed_at) END""",
        [
            (bytes.fromhex(entry.certificate), ids.agencies[entry.agency], entry.kind,
             ids.officers.get((entry.agency, entry.officer)), entry.subject, entry.issuer, entry.purpose,
             entry.valid_from, entry.valid_to, entry.basis, moments.get(entry.key),
             insert.array(entry.confirmed_by))
            for entry in entries
        ],
    )  # fmt: skip


async def _unnested(connection: Connection, statement: str, written: Sequence[tuple[Any, ...]]) -> None:
    if written:
        await connection.execute(statement, *[list(column) for column in zip(*written, strict=True)])
