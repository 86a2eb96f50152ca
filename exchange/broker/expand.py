"""Expand: from a letter's frozen recipients to one delivery each.

Up to 100 recipients are expanded in the letter's own commit. More are expanded by this relay, in chunks, each with
ON CONFLICT DO NOTHING: it may stop anywhere, run twice or in two processes, and the result is the same.

A letter that cannot be expanded holds nobody back: it is logged, passed over, and tried again a minute later.
"""

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from exchange import ids, metrics
from exchange.broker.exchange import Exchange
from exchange.rules import paper_class, routing
from exchange.rules.directory import Directory
from exchange.rules.documents import DOCUMENTS
from exchange.store import deliveries, letters, rows
from exchange.store.pool import TOO_SLOW, UNAVAILABLE, Connection

INLINE_RECIPIENTS = 100
CHUNK = 500
LETTERS_AT_ONCE = 16
AGAIN = timedelta(seconds=60)

_COPIED = (
    "round", "sender", "operation", "document_id", "number", "notation", "issued_on", "document_type", "subject",
    "urgency", "sha256", "size", "accepted_at", "requirement", "copy_form",
)  # fmt: skip


async def all_waiting(exchange: Exchange) -> int:
    """Expand every letter that waits for it, oldest first; how many were expanded."""
    at, done, last = exchange.clock(), 0, letters.BEFORE_ALL
    for name in [name for name, again in exchange.postponed.items() if again <= at]:
        del exchange.postponed[name]
    directory = await exchange.snapshot.current()
    async with exchange.pool.acquire() as connection:
        while True:
            waiting = await letters.to_expand(connection, at, last, LETTERS_AT_ONCE)
            for record in waiting:
                last = (record["accepted_at"], record["id"])
                if record["id"] not in exchange.postponed:
                    one = letter(record)
                    doing = _expand(exchange, connection, one, directory)
                    done += await tried(exchange, one, doing, "letter_not_expanded")
            if len(waiting) < LETTERS_AT_ONCE:
                return done


async def tried(exchange: Exchange, one: rows.LetterRow, doing: Awaitable[None], failed: str) -> bool:
    """What the relay does for a letter; whether it went. Else it is logged as `failed`, and tried again later.

    Raises only what tells of the database, and not of this letter.
    """
    try:
        await doing
    except Exception as error:
        if isinstance(error, UNAVAILABLE) and not isinstance(error, TOO_SLOW):
            raise
        structlog.get_logger().exception(failed, letter=str(one.id))
        exchange.postponed[one.id] = exchange.clock() + AGAIN
        return False
    return True


async def _expand(
    exchange: Exchange, connection: Connection, one: rows.LetterRow, directory: Directory
) -> None:
    for start in range(0, len(one.recipients), CHUNK):
        chunk = range(start, min(start + CHUNK, len(one.recipients)))
        async with connection.transaction():  # whose duplicate it is may have changed
            now = letter(await letters.locked(connection, one.sender, one.id))
            await deliveries.expand(connection, of_letter(now, directory, exchange.ids, chunk))
        exchange.bell.ring(one.recipients[start : start + CHUNK])
    metrics.EXPANDED.inc(len(one.recipients))
    await letters.expanded(connection, one.sender, one.id, exchange.clock())


def letter(record: Mapping[str, Any]) -> rows.LetterRow:
    """A letter's row as the record that was written."""
    plain: dict[str, Any] = {field.name: record[field.name] for field in fields(rows.LetterRow)}
    lists = {name: tuple(entry) for name, entry in plain.items() if isinstance(entry, list)}
    return rows.LetterRow(**{**plain, **lists})


def of_letter(
    one: rows.LetterRow, directory: Directory, new_ids: ids.Ids, chosen: Iterable[int] | None = None
) -> list[rows.DeliveryRow]:
    """The deliveries of a letter's recipients, of all or of those at the positions chosen."""
    by_scope: dict[tuple[str, bool], rows.DeliveryRow] = {}
    made = []
    for position in chosen if chosen is not None else range(len(one.recipients)):
        recipient = one.recipients[position]
        scope = routing.scope(directory, one.sender, recipient)
        new_id, purpose = new_ids.new(), one.purposes[position] if one.purposes else "act"
        alike = (scope, recipient in one.duplicates)
        if alike not in by_scope:  # those that go equally far are alike
            by_scope[alike] = _delivery(one, recipient, new_id, scope)
        made.append(rows.like(by_scope[alike], recipient=recipient, id=new_id, purpose=purpose))
    return made


def _delivery(one: rows.LetterRow, recipient: UUID, new_id: UUID, scope: str) -> rows.DeliveryRow:
    found = _NONE
    if one.operation in DOCUMENTS:
        found = paper_class.on_arrival(accepted(one, scope, recipient))
    return rows.DeliveryRow(
        recipient=recipient,
        letter=one.id,
        id=new_id,
        kind="letter",
        purpose="act",
        scope=scope,
        klass=found.klass or "X",
        excluded=found.excluded or None,
        grade=found.grade,
        justified=found.justified,
        state="waiting",
        **{name: getattr(one, name) for name in _COPIED},
    )


_NONE = paper_class.Classification(klass="X", step="none")
"""Revocations, updates and notices are no transfers of their own."""


def accepted(one: rows.LetterRow, scope: str, recipient: UUID) -> paper_class.Event:
    """The event that starts the transfer of a letter to `recipient`."""
    return paper_class.Event(
        kind="accepted", at=one.accepted_at, requirement=one.requirement, reason=one.reason, paper=one.paper,
        no_paper_standing=one.no_paper_standing, paper_reason=one.paper_reason, document_type=one.document_type,
        scope=scope, test=one.test, duplicate=recipient in one.duplicates,
    )  # fmt: skip
