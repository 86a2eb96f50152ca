"""What each version of the directory changed (các phiên bản danh mục), and putting back what stood before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from exchange.rules import directory_images
from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_images import Difference, Images
from exchange.rules.directory_laid import Key
from exchange.rules.directory_systems import ActsEntry, SystemEntry
from exchange.store import directory_sheets, systems
from exchange.store.directory_sheets import Stored
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of the directory: what made it, who, and when; `undoes` is the version it took back."""

    version: int
    at: datetime
    event: str
    by: str = ""
    undoes: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A version as people list it, with how many entries it added, changed and removed."""

    version: int
    at: datetime
    event: str
    by: str
    undoes: int | None
    detail: Mapping[str, Any]
    added: int
    changed: int
    removed: int


_OF_AGENCIES = {"agency_code": "agency", "agency_declaration": "agency", "agency_succession": "predecessor"}
"""Dated rows of an agency, and by what they name it."""


async def record(connection: Connection, made: Version, differences: Iterable[Difference]) -> None:
    """Keep what a version changed."""
    await connection.execute(
        """INSERT INTO directory_change (version, at, event, by_name, undoes, detail)
           VALUES ($1, $2, $3, $4, $5, $6)""",
        made.version, made.at, made.event, made.by, made.undoes, made.detail,
    )  # fmt: skip
    await connection.executemany(
        "INSERT INTO directory_change_entry (version, kind, key, before, after) VALUES ($1, $2, $3, $4, $5)",
        [(made.version, each.kind, list(each.key), each.before, each.after) for each in differences],
    )


async def listed(connection: Connection, limit: int | None = None) -> list[Listed]:
    """The newest versions first; all without a limit."""
    records = await connection.fetch(
        """SELECT version, at, event, by_name AS by, undoes, detail, counted.added, counted.changed, counted.removed
             FROM (SELECT * FROM directory_change ORDER BY version DESC LIMIT $1) AS change
            CROSS JOIN LATERAL (
                  SELECT count(*) FILTER (WHERE before IS NULL) AS added,
                         count(*) FILTER (WHERE before IS NOT NULL AND after IS NOT NULL) AS changed,
                         count(*) FILTER (WHERE after IS NULL) AS removed
                    FROM directory_change_entry WHERE version = change.version) AS counted
            ORDER BY version DESC""",
        limit,
    )
    return [Listed(**one) for one in records]


async def differences(connection: Connection, version: int) -> list[Difference]:
    """What a version changed."""
    records = await connection.fetch(
        "SELECT kind, key, before, after FROM directory_change_entry WHERE version = $1 ORDER BY kind, key",
        version,
    )
    return [Difference(**{**one, "key": tuple(one["key"])}) for one in records]


async def later(connection: Connection, kind: str, key: Key, version: int) -> int | None:
    """The newest version after that one that changed an entry."""
    return await connection.fetchval(  # type: ignore[no-any-return]
        "SELECT max(version) FROM directory_change_entry WHERE kind = $1 AND key = $2 AND version > $3",
        kind, list(key), version,
    )  # fmt: skip


async def with_letters(connection: Connection, agencies: Sequence[UUID]) -> set[UUID]:
    """Which of these agencies sent or received something or have a register: they cannot have not been."""
    records = await connection.fetch(
        """SELECT asked.whose AS id FROM unnest($1::uuid[]) AS asked (whose)
            WHERE EXISTS (SELECT FROM letter WHERE sender = asked.whose)
               OR EXISTS (SELECT FROM delivery WHERE recipient = asked.whose)
               OR EXISTS (SELECT FROM letter WHERE expanded_at IS NULL AND asked.whose = ANY(recipients))
               OR EXISTS (SELECT FROM register_row WHERE agency = asked.whose)""",
        list(agencies),
    )
    return {record["id"] for record in records}


async def parents(connection: Connection, at: datetime) -> dict[UUID, UUID | None]:
    """Below whom each agency stood at a moment, as far as versions tell; of one that came later, where it was put first."""
    records = await connection.fetch(
        """SELECT agency.id, CASE WHEN past.image IS NULL THEN agency.parent ELSE above.id END AS parent
             FROM agency
             LEFT JOIN LATERAL (SELECT coalesce(before, after) AS image
                                  FROM directory_change_entry AS entry JOIN directory_change USING (version)
                                 WHERE entry.kind = 'agency' AND entry.key = ARRAY[agency.code] AND directory_change.at >= $1
                                 ORDER BY version LIMIT 1) AS past ON true
             LEFT JOIN agency AS above ON above.code = past.image->>'parent'""",
        at,
    )
    return {one["id"]: one["parent"] for one in records}


async def put_back(
    connection: Connection, changes: Sequence[Difference], known: Stored, at: datetime
) -> None:
    """Make every entry as the `after` of its change says; first go what others may not need, last what they might."""
    then = {each.name: each.after for each in changes if each.after is not None}
    ids = _ids(known, changes)
    await _remove_leaves(connection, changes, ids)
    await _put_agencies(connection, then, ids)
    await systems.write(connection, directory_images.entries(SystemEntry, then), ids.agencies, at)
    await directory_sheets.write_officers(connection, directory_images.entries(OfficerEntry, then), ids)
    moments = {
        key: moment
        for (kind, key), held in then.items()
        if kind == "certificate" and (moment := directory_images.confirmed(held))
    }
    held = directory_images.entries(CertificateEntry, then)
    await directory_sheets.write_certificates(connection, held, ids, moments)
    await systems.write_acts(connection, directory_images.entries(ActsEntry, then), ids.agencies)
    await _remove_roots(connection, changes, ids)


def _ids(known: Stored, changes: Sequence[Difference]) -> Stored:
    """Every id that changes need: those known, and those that entries had when they were there."""
    agencies, officers = dict(known.agencies), dict(known.officers)
    for each in changes:
        held = each.after or each.before or {}
        if each.kind == "agency":
            agencies[held["code"]] = UUID(held["row"])
        elif each.kind == "officer":
            officers[each.key] = UUID(held["row"])
    return Stored(state=known.state, agencies=agencies, officers=officers, confirmed=known.confirmed)


async def _remove_leaves(connection: Connection, changes: Sequence[Difference], ids: Stored) -> None:
    """Periods and certificates that go or change (they are written anew), then officers, codes and statements."""
    before = {each.name: each.before for each in changes if each.before is not None}
    await systems.remove_acts(connection, directory_images.entries(ActsEntry, before), ids.agencies)
    await connection.executemany(
        "DELETE FROM signer_certificate WHERE agency = $1 AND sha256 = $2 AND valid_from = $3",
        [
            (ids.agencies[entry.agency], bytes.fromhex(entry.certificate), entry.valid_from)
            for entry in directory_images.entries(CertificateEntry, before)
        ],
    )
    gone = [ids.officers[each.key] for each in changes if each.kind == "officer" and each.after is None]
    await connection.execute("DELETE FROM officer WHERE id = ANY($1)", gone)
    for table, whose in _OF_AGENCIES.items():
        await connection.execute(f"DELETE FROM {table} WHERE {whose} = ANY($1)", _agencies_gone(changes, ids))  # noqa: S608 - names are ours


async def _put_agencies(connection: Connection, then: Images, ids: Stored) -> None:
    """Codes of all agencies concerned go first: two of them may have exchanged one."""
    images = {key[0]: held for (kind, key), held in then.items() if kind == "agency"}
    entries = directory_images.entries(AgencyEntry, then)
    await directory_sheets.write_agencies(connection, entries, ids.agencies)
    await directory_sheets.write_successions(connection, entries, ids.agencies)
    codes = {code: directory_images.codes(held) for code, held in images.items()}
    await directory_sheets.write_codes(connection, codes, ids.agencies)
    stated = {code: directory_images.statements(held) for code, held in images.items()}
    await directory_sheets.write_statements(connection, stated, ids.agencies)


async def _remove_roots(connection: Connection, changes: Sequence[Difference], ids: Stored) -> None:
    """Systems and agencies that go."""
    gone = [UUID(each.key[0]) for each in changes if each.kind == "system" and each.after is None]
    await systems.remove(connection, gone)
    await connection.execute("DELETE FROM agency WHERE id = ANY($1)", _agencies_gone(changes, ids))


def _agencies_gone(changes: Sequence[Difference], ids: Stored) -> list[UUID]:
    return [ids.agencies[each.key[0]] for each in changes if each.kind == "agency" and each.after is None]
