"""The ZIP of evidence: which files may stand in it, how large they are, and how they are written and read. Blocks.

What is written is within these bounds, so that what we hand out is never refused where it is checked. The letter's size is
the exchange's own matter: it is read into a file, as long as there is room on the disk.
"""

import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from exchange.edxml import spooled
from exchange.edxml.spooled import SPOOLED_BYTES, Content
from signing import crl

LETTER = "letter.xml"
MANIFEST, SIGNATURE, MANIFEST_KEY = "manifest.json", "manifest-signature.json", "manifest-key.pem"
RECEIPT, RECEIPT_KEY = "receipt.json", "receipt-key.pem"
VERDICTS, TRANSFER, JOURNAL = "verdicts.json", "transfer.json", "journal.json"
FOLDERS = {
    "certificate": ("certificates", "der"),
    "crl": ("revocation", "crl"),
    "ocsp": ("revocation", "ocsp"),
}
MOST_ENTRIES = 4_000
MOST_BYTES = 512 << 20
"""Of all files but the letter together."""
MOST_FILE_BYTES = max(crl.MOST_BYTES, 128 << 20)
MOST_DOCUMENTS, MOST_DOCUMENT_BYTES = 2_000, 256 << 20
"""So many certificates, lists and responses are put in, those of the newest judgement first."""
PIECE = 1 << 20
NEEDED = frozenset({MANIFEST, SIGNATURE, MANIFEST_KEY, RECEIPT, VERDICTS})
_NAME = re.compile(
    r"README\.txt|(manifest|manifest-signature|receipt|verdicts|transfer|journal)\.json|letter\.xml"
    r"|(manifest|receipt)-key\.pem|certificates/[0-9a-f]{64}\.der|revocation/[0-9a-f]{64}\.(crl|ocsp)"
)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

Told = Mapping[str, Any]


class UnfitError(Exception):
    """A file that is no evidence of ours: `code` is one of the catalogue's `evidence.unfit_…`, `name` the entry."""

    def __init__(self, code: str, name: str = "") -> None:
        super().__init__(code, name)
        self.code = code
        self.name = name


class Packing:
    """A ZIP in the making; `told` is what stands in it, by name."""

    def __init__(self, file: IO[bytes]) -> None:
        self.told: dict[str, Told] = {}
        self._packed = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)

    def put(self, name: str, pieces: Iterable[bytes]) -> None:
        """One file more, piece by piece."""
        hashed, size = hashlib.sha256(), 0
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        with self._packed.open(info, "w", force_zip64=True) as entry:
            for piece in pieces:
                hashed.update(piece)
                size += len(piece)
                entry.write(piece)
        self.told[name] = {"sha256": hashed.hexdigest(), "size": size}

    def close(self) -> None:
        """No more come."""
        self._packed.close()


def of_document(kind: str, sha256: bytes) -> str:
    """The name of a certificate, list or response."""
    folder, suffix = FOLDERS[kind]
    return f"{folder}/{sha256.hex()}.{suffix}"


def letter_pieces(raw: Content) -> Iterator[bytes]:
    """A letter's bytes, of a large one from its file."""
    if isinstance(raw, bytes):
        yield raw
        return
    with raw.path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


@dataclass(frozen=True, kw_only=True)
class Held:
    """What stands in a ZIP: the files but for the letter, SHA-256 and size of all of them, and the letter."""

    files: Mapping[str, bytes]
    told: Mapping[str, Told]
    letter: Content | None = None


@dataclass
class _Room:
    """How much may still be read."""

    left: int = field(default=MOST_BYTES)


def read(path: Path, folder: Path) -> Held:
    """Every file of the ZIP, within bounds; the letter goes into `folder`. Raises UnfitError."""
    try:
        with zipfile.ZipFile(path) as packed:
            return _entries(packed, folder)
    except UnfitError:
        raise
    except Exception as error:
        raise UnfitError("no_zip") from error


def _entries(packed: zipfile.ZipFile, folder: Path) -> Held:
    entries = packed.infolist()
    if len(entries) > MOST_ENTRIES:
        raise UnfitError("too_large")
    files: dict[str, bytes] = {}
    told: dict[str, Told] = {}
    letter, room = None, _Room()
    for one in entries:
        name = one.filename
        if not _NAME.fullmatch(name) or one.flag_bits & 1 or one.compress_type not in _METHODS:
            raise UnfitError("strange_file", name[:100])
        if name in told:
            raise UnfitError("file_twice", name)
        if name == LETTER:
            letter = _letter(packed, one, folder)
            told[name] = {"sha256": spooled.digest(letter).hex(), "size": len(letter)}
        else:
            files[name] = _small(packed, one, room)
            told[name] = {"sha256": hashlib.sha256(files[name]).hexdigest(), "size": len(files[name])}
    missing = sorted(NEEDED - files.keys())
    if missing:
        raise UnfitError("file_missing", missing[0])
    return Held(files=files, told=told, letter=letter)


def _small(packed: zipfile.ZipFile, one: zipfile.ZipInfo, room: _Room) -> bytes:
    most = min(MOST_FILE_BYTES, room.left)
    with packed.open(one) as entry:
        raw = entry.read(most + 1)
    if len(raw) > most:
        raise UnfitError("too_large", one.filename)
    room.left -= len(raw)
    return raw


def _letter(packed: zipfile.ZipFile, one: zipfile.ZipInfo, folder: Path) -> Content:
    """The letter as the exchange holds it: in memory, above 16 MiB in a file."""
    if one.file_size > shutil.disk_usage(folder).free // 2:
        raise UnfitError("too_large", one.filename)
    path = folder / LETTER
    with packed.open(one) as entry, path.open("wb") as file:
        shutil.copyfileobj(entry, file, PIECE)
    found = spooled.of(path)
    return found if found.size > SPOOLED_BYTES else spooled.whole(found)
