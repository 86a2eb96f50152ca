"""Who calls: a document system (hệ thống) and the agencies it may act for today."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from exchange.errors import Problem
from exchange.rules import paper_class
from exchange.store import directory
from exchange.store.pool import Pool


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An authenticated system; `owner` is the agency under which its refusals are journalled."""

    system: UUID
    name: str
    owner: UUID
    agencies: frozenset[UUID]


async def authenticate(pool: Pool, key: str, at: datetime) -> Caller:
    """The system behind a bearer key `cv_<id>_<secret>`. Raises Problem unauthenticated or disabled.

    Asked anew for every request, so that a key or system switched off is out at once. The digest of the secret is
    compared in constant time, also when no such key exists.
    """
    prefix, _, rest = key.partition("_")
    key_id, _, secret = rest.partition("_")
    async with pool.acquire() as connection:
        row = await directory.authenticate(connection, key_id, at, paper_class.local_day(at))
    digest = hashlib.sha256(secret.encode()).digest()
    matches = hmac.compare_digest(digest, row.secret_sha256 if row else bytes(32))
    if prefix != "cv" or row is None or not matches:
        raise Problem("unauthenticated")
    if row.disabled:
        raise Problem("disabled")
    return Caller(system=row.system, name=row.name, owner=row.owner, agencies=frozenset(row.agencies))
