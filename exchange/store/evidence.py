"""Evidence of one letter, to be handed to an auditor: its row, verdicts, documents, deliveries and journal."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from exchange.store.pool import Connection


async def letter(connection: Connection, letter_id: UUID) -> Any | None:  # noqa: ANN401 - a record
    """The letter's row, whoever sent it; the caller decides who may see it."""
    return await connection.fetchrow(
        """SELECT letter.* FROM letter
            WHERE sender IN (SELECT agency FROM journal WHERE letter = $1) AND id = $1""",
        letter_id,
    )


async def deliveries(connection: Connection, letter_id: UUID, recipient: UUID | None) -> list[Any]:
    """The deliveries of a letter, to one recipient or to all."""
    return await connection.fetch(
        """SELECT * FROM delivery WHERE letter = $1 AND ($2::uuid IS NULL OR recipient = $2)
            ORDER BY recipient, round""",
        letter_id, recipient,
    )  # fmt: skip


async def verdicts(connection: Connection, sender: UUID, letter_id: UUID) -> list[Any]:
    """Every verdict of a letter, of every judgement, the newest last."""
    return await connection.fetch(
        "SELECT * FROM verdict WHERE sender = $1 AND letter = $2 ORDER BY revision, position",
        sender,
        letter_id,
    )


async def documents(connection: Connection, digests: Sequence[bytes]) -> list[Any]:
    """Digest, kind and size of certificates, revocation lists and OCSP responses, in the order given."""
    return await connection.fetch(
        """SELECT evidence.sha256, kind, octet_length(body) AS size
             FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (sha256, place)
             JOIN evidence ON evidence.sha256 = wanted.sha256
            ORDER BY place""",
        list(digests),
    )


async def document(connection: Connection, sha256: bytes) -> bytes:
    """One of them."""
    body: bytes = await connection.fetchval("SELECT body FROM evidence WHERE sha256 = $1", sha256)
    return body
