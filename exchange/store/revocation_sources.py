"""Housekeeping: where revocation lists, OCSP responses and authorities' certificates come from, and what is held."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from exchange.store import insert, rows
from exchange.store.pool import Connection


@dataclass(frozen=True, kw_only=True)
class Source:
    """One address asked for one thing, as table `revocation_source` keeps it."""

    kind: str
    url: str
    about: bytes
    issuer: bytes
    held: bytes | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    tag: str = ""
    modified: str = ""
    asked_at: datetime
    answered_at: datetime | None = None
    due_at: datetime
    failures: int = 0
    outcome: str

    @property
    def key(self) -> tuple[str, str, bytes]:
        """What tells it from others: kind, address, certificate asked about."""
        return self.kind, self.url, self.about


@dataclass(frozen=True, kw_only=True)
class Held:
    """One document that is held of some source: its digest, kind and size."""

    sha256: bytes
    kind: str
    size: int


async def known(connection: Connection) -> list[Source]:
    """Every source that was ever asked and is not forgotten."""
    records = await connection.fetch("SELECT * FROM revocation_source ORDER BY kind, url, about")
    return [Source(**record) for record in records]


async def asked(connection: Connection, source: Source) -> None:
    """Write down how a question ended. What is held is not touched by an answer that is older than it."""
    await connection.execute(
        """INSERT INTO revocation_source AS known (kind, url, about, issuer, held, this_update, next_update, tag,
                  modified, asked_at, answered_at, due_at, failures, outcome)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
           ON CONFLICT (kind, url, about) DO UPDATE SET issuer = $4, held = $5, this_update = $6, next_update = $7,
                  tag = $8, modified = $9, asked_at = $10, answered_at = $11, due_at = $12, failures = $13, outcome = $14
            WHERE known.this_update IS NULL OR known.this_update <= $6""",
        source.kind, source.url, source.about, source.issuer, source.held, source.this_update, source.next_update,
        source.tag, source.modified, source.asked_at, source.answered_at, source.due_at, source.failures, source.outcome,
    )  # fmt: skip


async def kept(connection: Connection, source: Source, document: rows.EvidenceRow) -> None:
    """Write down a question that brought something worth keeping, and keep it."""
    async with connection.transaction():
        await insert.rows(connection, [document], conflict="ON CONFLICT DO NOTHING")
        await asked(connection, source)


async def held(connection: Connection) -> list[Held]:
    """Everything that is held of some source, once."""
    records = await connection.fetch(
        """SELECT sha256, evidence.kind, length(body) AS size FROM evidence
            WHERE sha256 IN (SELECT held FROM revocation_source) ORDER BY sha256"""
    )
    return [Held(**record) for record in records]


async def bodies(connection: Connection, digests: Collection[bytes]) -> dict[bytes, bytes]:
    """Evidence by its digest."""
    records = await connection.fetch(
        "SELECT sha256, body FROM evidence WHERE sha256 = ANY($1)", list(digests)
    )
    return {record["sha256"]: record["body"] for record in records}


async def certificates(connection: Connection, known: Sequence[bytes], most: int) -> dict[bytes, bytes]:
    """Certificates in evidence that are not known yet, at most so many: digest -> DER, the newest."""
    records = await connection.fetch(
        """SELECT sha256, body FROM evidence WHERE kind = 'certificate' AND sha256 <> ALL($1)
            ORDER BY first_seen DESC LIMIT $2""",
        known, most,
    )  # fmt: skip
    return {record["sha256"]: record["body"] for record in records}


async def forget(connection: Connection, before: datetime) -> None:
    """Let go of sources that nothing asks for any more; what they gave stays in evidence."""
    await connection.execute("DELETE FROM revocation_source WHERE due_at < $1", before)
