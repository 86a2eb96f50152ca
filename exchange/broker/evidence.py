"""A row's whole evidence (hồ sơ chứng cứ) as one ZIP: what an auditor needs to find our verdict again without us.

letter.xml        the bytes as they came; only for who sent or received them
receipt.json      our signed statement, and receipt-key.pem, by which it is checked: the key of its day; a monitor gets its digest
verdicts.json     every verdict of every judgement
certificates/, revocation/   what the verdicts name, by SHA-256
transfer.json, journal.json  the letter's and its deliveries' facts, and what happened
manifest.json     SHA-256 and size of every file; manifest-signature.json is our signature over it, with today's key
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate
from typing import IO, Any
from uuid import UUID

from exchange import texts
from exchange.broker import evidence_facts, receipts
from exchange.broker import evidence_zip as zips
from exchange.broker.receipts import ReceiptKey
from exchange.edxml.spooled import Content
from exchange.store import evidence, journal, receipt_keys
from exchange.store.pool import Connection
from signing import seal

FORMAT = "congvan-evidence-1"
CONTEXT = b"congvan-evidence-v1\n"

Facts = Mapping[str, Any]
Fetch = Callable[[bytes], Awaitable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Package:
    """What goes into one ZIP, already no more than the reader may have; `raw` None: without the letter's bytes.

    `receipt_key` is the public key that the receipt names, None where it is not on record. `left_out`: how many documents of
    older judgements found no room.
    """

    letter: Facts
    receipt: bytes
    receipt_key: str | None
    deliveries: tuple[Facts, ...]
    verdicts: tuple[Facts, ...]
    documents: tuple[Any, ...]
    left_out: int
    lines: tuple[Facts, ...]
    raw: Content | None = None


@dataclass(frozen=True, kw_only=True)
class Seal:
    """By what key and when evidence is handed out; `codes` name agencies."""

    key: ReceiptKey
    at: datetime
    codes: Mapping[UUID, str]


async def gathered(
    connection: Connection,
    letter: Any,  # noqa: ANN401 - a record
    deliveries: Iterable[Any],
    viewers: Collection[UUID] | None,
) -> Package:
    """Everything but bytes. `viewers` are the parties who ask (none: a monitor), None an operator who sees all lines."""
    chosen = tuple(deliveries)
    verdicts = await evidence.verdicts(connection, letter["sender"], letter["id"])
    found = await evidence.documents(connection, _named(verdicts))
    lines = await journal.of_letter(connection, letter["id"])
    to = evidence_facts.reader(viewers, letter, chosen, verdicts)
    receipt = bytes(letter["receipt"])
    documents = _fitting(found)
    return Package(
        letter=evidence_facts.letter(letter, to),
        receipt=evidence_facts.receipt(receipt, to),
        receipt_key=await receipt_keys.found(connection, receipts.key_id(receipt)),
        deliveries=tuple(evidence_facts.delivery(one, to) for one in chosen),
        verdicts=tuple(evidence_facts.verdict(one, to) for one in verdicts),
        documents=documents,
        left_out=len(found) - len(documents),
        lines=tuple(evidence_facts.lines(lines, chosen, to)),
    )


def _named(verdicts: Iterable[Facts]) -> list[bytes]:
    """The digests that verdicts name, those of the newest judgement first."""
    found: dict[bytes, None] = {}
    for row in sorted(verdicts, key=lambda row: -row["revision"]):
        own = [row["certificate_sha256"]] if row["certificate_sha256"] else []
        found |= dict.fromkeys([*own, *(bytes.fromhex(one) for one in row["evidence"])])
    return list(found)


def _fitting(found: Iterable[Any]) -> tuple[Any, ...]:
    """As many documents as there is room for."""
    first = list(found)[: zips.MOST_DOCUMENTS]
    sums = accumulate(one["size"] for one in first)
    return tuple(one for one, total in zip(first, sums, strict=True) if total <= zips.MOST_DOCUMENT_BYTES)


def with_bytes(package: Package, raw: Content | None) -> Package:
    """The same with the letter's bytes."""
    return replace(package, raw=raw)


async def write(package: Package, sealed: Seal, fetch: Fetch, file: IO[bytes]) -> None:
    """The ZIP, written to a file beside the event loop; documents are fetched by their digests, one at a time."""
    packing = zips.Packing(file)
    try:
        await asyncio.to_thread(_put_all, packing, _files(package, sealed))
        for one in package.documents:
            body = await fetch(one["sha256"])
            await asyncio.to_thread(packing.put, zips.of_document(one["kind"], one["sha256"]), [body])
        await asyncio.to_thread(_put_all, packing, _sealed(package, sealed, packing.told))
    except BaseException:
        with contextlib.suppress(OSError, ValueError):
            packing.close()
        raise
    await asyncio.to_thread(packing.close)


def _put_all(packing: zips.Packing, files: Iterable[tuple[str, Iterable[bytes]]]) -> None:
    for name, pieces in files:
        packing.put(name, pieces)


def _files(package: Package, sealed: Seal) -> Iterator[tuple[str, Iterable[bytes]]]:
    codes = sealed.codes
    readme = "\n\n".join(texts.say("evidence.readme", one) for one in texts.LANGUAGES)
    yield "README.txt", [readme.encode()]
    if package.raw is not None:
        yield zips.LETTER, zips.letter_pieces(package.raw)
    yield zips.RECEIPT, [package.receipt]
    yield zips.MANIFEST_KEY, [receipts.public_pem(sealed.key).encode()]
    receipt_key = _receipt_key(package, sealed.key)
    if receipt_key:
        yield zips.RECEIPT_KEY, [receipt_key.encode()]
    yield zips.VERDICTS, [_json([_facts(one, codes) for one in package.verdicts])]
    transfer = {
        "letter": _facts(package.letter, codes),
        "deliveries": [_facts(one, codes) for one in package.deliveries],
    }
    yield zips.TRANSFER, [_json(transfer)]
    yield zips.JOURNAL, [_json([_facts(one, codes) for one in package.lines])]


def _receipt_key(package: Package, key: ReceiptKey) -> str | None:
    """The public key that the receipt names."""
    if receipts.key_id(package.receipt) == key.key_id:
        return receipts.public_pem(key)
    return package.receipt_key


def _sealed(
    package: Package, sealed: Seal, told: Mapping[str, zips.Told]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The manifest, and our signature over its bytes."""
    statement = receipts.read(package.receipt)
    manifest = _json(
        {
            "format": FORMAT,
            "made_at": sealed.at.isoformat(timespec="seconds"),
            "exchange": statement["receipt"].get("exchange") if statement else sealed.key.exchange,
            "letter": str(package.letter["id"]),
            "contents": package.raw is not None,
            "left_out": package.left_out,
            "files": dict(told),
        }
    )
    value = seal.sign_statement(manifest, sealed.key.key, context=CONTEXT)
    signature = {
        "algorithm": receipts.ALGORITHM,
        "key_id": sealed.key.key_id,
        "value": base64.b64encode(value).decode(),
    }
    yield zips.MANIFEST, [manifest]
    yield zips.SIGNATURE, [_json(signature)]


def _facts(row: Mapping[str, Any], codes: Mapping[UUID, str]) -> dict[str, Any]:
    return {name: _plain(value, codes) for name, value in row.items()}


def _plain(value: Any, codes: Mapping[UUID, str]) -> Any:  # noqa: ANN401 - whatever a column holds
    match value:
        case UUID():
            return codes.get(value, str(value))
        case bytes() | memoryview():
            return bytes(value).hex()
        case datetime():
            return value.isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case list() | tuple():
            return [_plain(one, codes) for one in value]
        case _:
            return value


def _json(facts: object) -> bytes:
    return (json.dumps(facts, ensure_ascii=False, indent=1, default=str) + "\n").encode(
        errors="backslashreplace"
    )
