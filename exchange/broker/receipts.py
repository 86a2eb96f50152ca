r"""Receipts (biên nhận điện tử): our signed statement that we hold a letter, durable with it and the same for ever.

The signature is ECDSA P-256 over `congvan-receipt-v1\n` and the exact bytes of the `receipt` member, which is compact
JSON in the order of the fields below: who has the statement can take its member's bytes, or write them again.
Source: contract.md, "Receipt statement".
"""

import base64
import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from exchange.store import receipt_keys, rows
from exchange.store.pool import Connection
from signing import keys, seal

CONTEXT = b"congvan-receipt-v1\n"
ALGORITHM = "ES256"
LEFT_OUT = "receipt_sha256"
"""Stands in a statement whose member and signature are left out for its reader: the digest of the member."""


@dataclass(frozen=True)
class ReceiptKey:
    """The exchange's own key; `key_id` is the first 16 hex digits of its public key's SHA-256."""

    key: keys.StatementKey
    key_id: str
    exchange: str


Ours: TypeAlias = Mapping[str, keys.StatementPublicKey]
"""Public keys by their ids."""


def load(path: Path, exchange: str) -> ReceiptKey:
    """The receipt key in that file. The file is made by `ensure`."""
    key = keys.load_statement_key(path.read_bytes())
    return ReceiptKey(key, keys.key_id(key), exchange)


def ensure(path: Path) -> None:
    """Make a receipt key if there is none: PEM, readable by its owner only. Safe against a second maker."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(keys.private_pem(keys.new_statement_key()))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def public_pem(key: ReceiptKey) -> str:
    """The public half, by which anybody checks a receipt."""
    return keys.public_pem(key.key.public_key()).decode()


def member(
    letter: rows.LetterRow, code: Callable[[UUID], str], receipt: UUID, exchange: str
) -> dict[str, Any]:
    """The `receipt` member: what we hold, of whom, for whom. `code` tells an agency's canonical code."""
    return {
        "id": str(receipt),
        "letter": str(letter.id),
        "document_id": letter.document_id,
        "operation": letter.operation,
        "round": letter.round,
        "sender": code(letter.sender),
        "recipients": [code(one) for one in letter.recipients],
        "unroutable": list(letter.unroutable),
        "sha256": letter.sha256.hex(),
        "size": letter.size,
        "accepted_at": letter.accepted_at.isoformat(timespec="microseconds"),
        "exchange": exchange,
    }


def statement(
    receipt: Mapping[str, Any],
    key: ReceiptKey,
    *,
    requirement: str,
    class_if_electronic: str,
    warnings: Sequence[Mapping[str, Any]],
) -> bytes:
    """The whole statement as it is stored and answered, UTF-8 JSON."""
    member = _compact(receipt)
    value = base64.b64encode(seal.sign_statement(member, key.key, context=CONTEXT)).decode()
    rest = {
        "requirement": requirement,
        "class_if_electronic": class_if_electronic,
        "warnings": list(warnings),
        "signature": {"algorithm": ALGORITHM, "key_id": key.key_id, "value": value},
    }
    return b'{"receipt":' + member + b"," + _compact(rest)[1:]


def read(stored: bytes) -> Mapping[str, Any] | None:
    """A stored statement as facts, unverified; None for what is no statement."""
    try:
        whole = json.loads(stored)
    except ValueError:
        return None
    members = (whole.get("receipt"), whole.get("signature")) if isinstance(whole, dict) else (None,)
    return whole if all(isinstance(member, dict) for member in members) else None


def signed(stored: bytes, key: keys.StatementPublicKey) -> bool:
    """Whether a statement carries the signature of this key over its receipt member, written as we write it."""
    whole = read(stored)
    if whole is None:
        return False
    try:
        member = _compact(whole["receipt"])
        signature = base64.b64decode(str(whole["signature"].get("value")), validate=True)
    except ValueError:
        return False
    sound = seal.check_statement(member, signature, key, context=CONTEXT)
    return sound and stored.startswith(b'{"receipt":' + member + b",")


def left_out(whole: Mapping[str, Any]) -> bool:
    """Whether a statement is one from which what was signed is left out."""
    return LEFT_OUT in whole and "value" not in whole["signature"]


def key_id(stored: bytes) -> str:
    """The id of the key that a stored statement names, unverified."""
    whole = read(stored)
    return str(whole["signature"].get("key_id")) if whole else ""


async def ours(connection: Connection, key: ReceiptKey) -> Ours:
    """The public halves of all keys that ever signed here, by what their ids must be; what is no key signed nothing."""
    known = [key.key.public_key()]
    for pem in await receipt_keys.everything(connection):
        with contextlib.suppress(ValueError):
            known.append(keys.load_statement_public_key(pem.encode()))
    return {keys.public_key_id(one): one for one in known}


def member_sha256(whole: Mapping[str, Any]) -> str:
    """The digest of a statement's member as it was signed: whoever has the member finds the same."""
    return hashlib.sha256(_compact(whole["receipt"])).hexdigest()


async def keep(connection: Connection, key: ReceiptKey, at: datetime) -> None:
    """Keep the public half of the key in use."""
    await receipt_keys.keep(connection, key.key_id, public_pem(key), at)


def _compact(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode()
