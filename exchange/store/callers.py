"""Callers: the system behind a key or a TLS client certificate, asked anew for every request.

A key or system switched off is out at once; the agencies are those of the day asked about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class CallerRow:
    """A system (hệ thống) and the agencies it acts for. `secret_sha256` is of its key, None for a certificate.

    `switched_off` are those it acts for that take no part at the moment; they do not stand in `agencies`. `watched`,
    `watched_below` (with all below them), `watches_all`: what it may see the figures of as a monitor.
    """

    system: UUID
    name: str
    owner: UUID
    disabled: bool
    agencies: tuple[UUID, ...]
    switched_off: tuple[UUID, ...]
    secret_sha256: bytes | None
    watched: tuple[UUID, ...] = ()
    watched_below: tuple[UUID, ...] = ()
    watches_all: bool = False


_LISTS = ("agencies", "switched_off", "watched", "watched_below")


async def shown(
    connection: Connection, key_id: str | None, certificate: bytes | None, at: datetime, on: date
) -> tuple[CallerRow | None, CallerRow | None]:
    """The system whose key has that public part, and the one that registered the certificate with that SHA-256.

    Both in date; the caller compares the digest of the key's secret.
    """
    records: list[Any] = await connection.fetch(
        """SELECT system.id AS system, system.name, system.owner_agency AS owner,
                  system.disabled_at IS NOT NULL AS disabled, shown.secret_sha256,
                  coalesce(mine.agencies, '{}') AS agencies, coalesce(mine.switched_off, '{}') AS switched_off,
                  coalesce(seen.watched, '{}') AS watched, coalesce(seen.watched_below, '{}') AS watched_below,
                  coalesce(seen.watches_all, false) AS watches_all
             FROM (SELECT system, secret_sha256 FROM system_key
                    WHERE id = $1 AND valid_from <= $3 AND (valid_to IS NULL OR $3 < valid_to)
                   UNION ALL
                   SELECT system, NULL FROM system_certificate
                    WHERE sha256 = $2 AND valid_from <= $3 AND (valid_to IS NULL OR $3 < valid_to)) AS shown
             JOIN system ON system.id = shown.system
            CROSS JOIN LATERAL (
                  SELECT array_agg(agency.id) FILTER (WHERE agency.disabled_at IS NULL) AS agencies,
                         array_agg(agency.id) FILTER (WHERE agency.disabled_at IS NOT NULL) AS switched_off
                    FROM acts_for JOIN agency ON agency.id = acts_for.agency
                   WHERE acts_for.system = system.id AND acts_for.valid_from <= $4
                     AND (acts_for.valid_to IS NULL OR $4 <= acts_for.valid_to)) AS mine
            CROSS JOIN LATERAL (
                  SELECT array_agg(monitors.agency) FILTER (WHERE NOT subtree AND agency IS NOT NULL) AS watched,
                         array_agg(monitors.agency) FILTER (WHERE subtree) AS watched_below,
                         bool_or(agency IS NULL) AS watches_all
                    FROM monitors
                   WHERE monitors.system = system.id AND monitors.valid_from <= $4
                     AND (monitors.valid_to IS NULL OR $4 <= monitors.valid_to)) AS seen""",
        key_id, certificate, at, on,
    )  # fmt: skip
    rows = [
        CallerRow(
            **{**record, **{name: tuple(record[name]) for name in _LISTS}},
        )
        for record in records
    ]
    by_key = next((row for row in rows if row.secret_sha256 is not None), None)
    return by_key, next((row for row in rows if row.secret_sha256 is None), None)


async def seen(connection: Connection, moments: Mapping[UUID, datetime]) -> None:
    """Note when these systems last called; an earlier moment than the one noted changes nothing."""
    await connection.execute(
        """UPDATE system SET seen_at = given.at FROM unnest($1::uuid[], $2::timestamptz[]) AS given (system, at)
            WHERE system.id = given.system AND (system.seen_at IS NULL OR system.seen_at < given.at)""",
        list(moments), list(moments.values()),
    )  # fmt: skip
