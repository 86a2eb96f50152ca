"""A row's whole evidence (hồ sơ chứng cứ) as one ZIP: what an auditor needs to find our verdict again without us.

letter.xml        the bytes as they came; only for who sent or received them
receipt.json      our signed statement, and receipt-key.pem, by which it is checked
verdicts.json     every verdict of every judgement
certificates/, revocation/   what the verdicts name, by SHA-256
transfer.json, journal.json  the letter's and its deliveries' facts, and what happened
manifest.json     SHA-256 and size of every file
"""

import hashlib
import json
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import IO, Any
from uuid import UUID

from exchange import texts
from exchange.broker import evidence_facts, receipts
from exchange.broker.receipts import ReceiptKey
from exchange.edxml.spooled import Content, Spooled
from exchange.store import evidence, journal
from exchange.store.pool import Connection

FORMAT = "congvan-evidence-1"
FOLDERS = {
    "certificate": ("certificates", "der"),
    "crl": ("revocation", "crl"),
    "ocsp": ("revocation", "ocsp"),
}
PIECE = 1 << 20

Facts = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Package:
    """What goes into one ZIP, already no more than the reader may have; `raw` None: without the letter's bytes."""

    letter: Facts
    receipt: bytes
    deliveries: tuple[Facts, ...]
    verdicts: tuple[Facts, ...]
    documents: tuple[Any, ...]
    lines: tuple[Facts, ...]
    raw: Content | None = None


async def gathered(
    connection: Connection,
    letter: Any,  # noqa: ANN401 - a record
    deliveries: Iterable[Any],
    viewers: Collection[UUID] | None,
) -> Package:
    """Everything but the bytes. `viewers` are the parties who ask (none: a monitor), None an operator who sees all lines."""
    chosen = tuple(deliveries)
    verdicts = await evidence.verdicts(connection, letter["sender"], letter["id"])
    named = {bytes.fromhex(one) for row in verdicts for one in row["evidence"]}
    named |= {row["certificate_sha256"] for row in verdicts if row["certificate_sha256"]}
    lines = await journal.of_letter(connection, letter["id"])
    to = evidence_facts.reader(viewers, letter, chosen, verdicts)
    return Package(
        letter=evidence_facts.letter(letter, to),
        receipt=evidence_facts.receipt(bytes(letter["receipt"]), to),
        deliveries=tuple(evidence_facts.delivery(one, to) for one in chosen),
        verdicts=tuple(evidence_facts.verdict(one, to) for one in verdicts),
        documents=tuple(await evidence.documents(connection, named)),
        lines=tuple(evidence_facts.lines(lines, chosen, to)),
    )


def with_bytes(package: Package, raw: Content | None) -> Package:
    """The same with the letter's bytes."""
    return replace(package, raw=raw)


def write(
    package: Package, key: ReceiptKey, at: datetime, codes: Mapping[UUID, str], file: IO[bytes]
) -> None:
    """The ZIP, written to a file; `codes` name agencies. Blocks."""
    told: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, pieces in _files(package, key, codes):
            told[name] = _put(packed, name, pieces)
        manifest = {
            "format": FORMAT, "made_at": at.isoformat(timespec="seconds"), "exchange": key.exchange,
            "letter": str(package.letter["id"]), "contents": package.raw is not None, "files": told,
        }  # fmt: skip
        _put(packed, "manifest.json", [_json(manifest)])


def _put(packed: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> dict[str, Any]:
    """One file of the ZIP, piece by piece; its digest and size."""
    hashed, size = hashlib.sha256(), 0
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    with packed.open(info, "w", force_zip64=True) as entry:
        for piece in pieces:
            hashed.update(piece)
            size += len(piece)
            entry.write(piece)
    return {"sha256": hashed.hexdigest(), "size": size}


def _files(
    package: Package, key: ReceiptKey, codes: Mapping[UUID, str]
) -> Iterator[tuple[str, Iterable[bytes]]]:
    readme = "\n\n".join(texts.say("evidence.readme", one) for one in texts.LANGUAGES)
    yield "README.txt", [readme.encode()]
    if package.raw is not None:
        yield "letter.xml", _pieces(package.raw)
    yield "receipt.json", [package.receipt]
    yield "receipt-key.pem", [receipts.public_pem(key).encode()]
    yield "verdicts.json", [_json([_facts(one, codes) for one in package.verdicts])]
    transfer = {
        "letter": _facts(package.letter, codes),
        "deliveries": [_facts(one, codes) for one in package.deliveries],
    }
    yield "transfer.json", [_json(transfer)]
    yield "journal.json", [_json([_facts(one, codes) for one in package.lines])]
    for one in package.documents:
        folder, suffix = FOLDERS[one["kind"]]
        yield f"{folder}/{one['sha256'].hex()}.{suffix}", [one["body"]]


def _pieces(raw: Content) -> Iterator[bytes]:
    if not isinstance(raw, Spooled):
        yield raw
        return
    with raw.path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


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
