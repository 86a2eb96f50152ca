"""Who calls: a document system (hệ thống) and the agencies it may act for today."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.errors import Problem
from exchange.rules import paper_class
from exchange.store import callers
from exchange.store.pool import Pool


@dataclass(frozen=True, kw_only=True)
class Watches:
    """What a monitor (giám sát) sees the figures and facts of, never the contents: agencies alone, with all below, or everything."""

    agencies: frozenset[UUID] = frozenset()
    subtrees: frozenset[UUID] = frozenset()
    everything: bool = False


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated system; `owner` is the agency under which its refusals are journalled.

    `agencies`: whose letters it may see and move. `switched_off`: those it acts for too, but which take no part now.
    `watches`: what it may see as a monitor; which agencies those are, the directory tells (`broker.monitors.seen`).
    """

    system: UUID
    name: str
    owner: UUID
    agencies: frozenset[UUID]
    switched_off: frozenset[UUID] = frozenset()
    watches: Watches = Watches()

    @property
    def acts_for(self) -> frozenset[UUID]:
        """All it acts for: of its own it may be told that one is switched off."""
        return self.agencies | self.switched_off


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a request shows: a bearer key `cv_<id>_<secret>`, the SHA-256 of its TLS client certificate, or both."""

    key: str | None
    certificate: bytes | None


async def authenticate(pool: Pool, shown: Credentials, at: datetime) -> Caller:
    """The system behind a key, a registered certificate, or both if they are the same system's.

    Asked anew for every request, so that a key or system switched off is out at once. A certificate that nobody
    registered proves nothing and is passed over; a wrong key is never excused by a certificate. Raises Problem
    unauthenticated or disabled.
    """
    prefix, _, rest = (shown.key or "").partition("_")
    key_id, _, secret = rest.partition("_")
    async with pool.acquire() as connection:
        by_key, by_certificate = await callers.shown(
            connection, key_id, shown.certificate, at, paper_class.local_day(at)
        )
    if not _holds(secret, by_key) or prefix != "cv":
        by_key = None
    row = by_certificate if shown.key is None else by_key
    if row is None or (by_certificate is not None and by_certificate.system != row.system):
        raise Problem("unauthenticated")
    if row.disabled or (row.switched_off and not row.agencies):
        raise Problem("disabled")
    return Caller(
        system=row.system, name=row.name, owner=row.owner, agencies=frozenset(row.agencies),
        switched_off=frozenset(row.switched_off),
        watches=Watches(
            agencies=frozenset(row.watched), subtrees=frozenset(row.watched_below), everything=row.watches_all
        ),
    )  # fmt: skip


def _holds(secret: str, row: callers.CallerRow | None) -> bool:
    """Whether the secret is the key's; compared in constant time, also when no such key exists."""
    held = row.secret_sha256 if row and row.secret_sha256 else bytes(32)
    return hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), held)
