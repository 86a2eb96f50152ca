"""What a system shows who it is by: bearer keys and TLS client certificates, made known inside a transaction.

A key's secret is said once and only its digest is kept. A certificate is registered by the SHA-256 of its DER bytes,
for no longer than it is valid itself, and for one system only.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from exchange.store import systems
from exchange.store.pool import Connection
from signing import certificates
from signing.certificates import Description

ROTATION = timedelta(days=7)
"""How long old keys or certificates of a system still work beside a new one, unless told otherwise."""

_KEY_ID_BYTES = 5
_SECRET_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Key:
    """A system's new key (khóa truy cập), said once: `secret` is not kept anywhere, only its digest."""

    system: UUID
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A client certificate that a system may now show; `sha256` as hex."""

    system: UUID
    sha256: str
    subject: str
    valid_to: datetime


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """A file that was not registered: `why` is unreadable, over, early or taken (`directory.certificate_<why>`)."""

    why: str


async def new_key(connection: Connection, system: UUID, at: datetime) -> Key:
    """Written `cv_<id>_<secret>`: the id has no underscore, so the parts are told from each other."""
    key_id = base64.b32encode(secrets.token_bytes(_KEY_ID_BYTES)).decode().lower()
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    await systems.add_key(connection, key_id, system, hashlib.sha256(secret.encode()).digest(), at)
    return Key(system=system, secret=f"cv_{key_id}_{secret}")


async def fit(connection: Connection, raw: bytes, at: datetime) -> Description | Unfit:
    """What a client certificate (PEM or DER) says of itself, if it is in date and nobody registered it yet."""
    try:
        said = certificates.describe(raw)
    except ValueError:
        return Unfit(why="unreadable")
    if not said.valid_from <= at < said.valid_to:
        return Unfit(why="over" if at >= said.valid_to else "early")
    return Unfit(why="taken") if await systems.registered(connection, said.sha256) else said


async def register(connection: Connection, system: UUID, said: Description, at: datetime) -> Registered:
    """Make a fit certificate known; the caller holds the directory's lock since it was found fit."""
    await systems.add_certificate(connection, said.sha256, system, at, said.valid_to)
    return Registered(system=system, sha256=said.sha256.hex(), subject=said.subject, valid_to=said.valid_to)
