"""The one-entry ZIP in which the national Java library wraps most files, put on and taken off.

A ZIP can be built so that two programs find two different files in it. What is verified here must be what a
recipient opens, so only the plain form is taken off: one local header, one file, one directory record that
agrees with it, the end record, and not a byte more. Anything else stays a ZIP.
A file is unfolded piece by piece, to what the directory says and not a byte further; what says that a little unfolds to
very much stays a ZIP, too.
Source: reference page edxml, section 10; PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16.
"""

import io
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from exchange.edxml import names, spooled
from exchange.edxml.spooled import Content

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_RECORD = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIBED = 0x1, 0x8

RATIO = 200
FREE_BYTES = 1 << 20
"""Above 1 MiB a file may unfold to 200 times its packed size: honest files stay below 50 (as in `api.unfolding`)."""


@dataclass(frozen=True)
class _Entry:
    """What header or record say of the file: CRC-32, size packed, size unpacked."""

    crc: int
    packed: int
    size: int


@dataclass(frozen=True)
class _Packed:
    """Where the packed file stands, by which method, and what it must unfold to."""

    start: int
    method: int
    entry: _Entry


def wrap(name: str, data: bytes | memoryview) -> bytes:
    """A ZIP with `data` as its one entry `attachment.<ending of name>`; the same bytes every time."""
    ending = names.ending(name)
    entry = zipfile.ZipInfo(f"attachment.{ending}" if ending else "attachment")
    wrapped = io.BytesIO()
    with zipfile.ZipFile(wrapped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return wrapped.getvalue()


def unwrap(data: Content, ending: str, most: int) -> Content | None:
    """The one file in `data`, whose entry has this ending, up to `most` bytes; None if it is no plain wrapping.

    Out of a file comes a file beside it, unless it is small.
    """
    try:
        packed = _packed(data, ending)
        if packed is None or packed.entry.size > min(most, max(FREE_BYTES, RATIO * packed.entry.packed)):
            return None
        return _in_memory(data, packed) if isinstance(data, bytes) else _in_file(data, packed)
    except (struct.error, zlib.error):
        return None


def _packed(data: Content, ending: str) -> _Packed | None:
    """Where the one file stands, if header, directory and end agree on it and nothing else is there."""
    signature, _, flags, method, _, _, *numbers, name_size, extra_size = _LOCAL.unpack(data[: _LOCAL.size])
    start = _LOCAL.size + name_size + extra_size
    name = data[_LOCAL.size : _LOCAL.size + name_size]
    if signature != b"PK\x03\x04" or flags & _ENCRYPTED or _ending(name) != ending:
        return None
    record, at = _record(data, name)
    if record is None or method not in (_STORED, _DEFLATED):
        return None
    said, end = _Entry(*numbers), start + record.packed
    if flags & _DESCRIBED:
        said, end = _descriptor(data, end)
    return _Packed(start, method, record) if end == at and said == record else None


def _ending(name: bytes) -> str:
    return names.ending(name.decode("utf-8", "replace"))


def _record(data: Content, name: bytes) -> tuple[_Entry | None, int]:
    """The directory's record of the one file, and where it starts; it and the end record end the archive."""
    end = max(len(data) - _END.size, 0)
    signature, disk, start_disk, here, total, size, at, comment = _END.unpack(data[end:])
    plain = (signature, disk, start_disk, here, total, comment) == (b"PK\x05\x06", 0, 0, 1, 1, 0)
    if not plain or at + size != end:
        return None, 0
    told = data[at : at + _RECORD.size]
    signature, *_, crc, packed, unpacked, name_size, extra, note, _, _, _, local = _RECORD.unpack(told)
    same = data[at + _RECORD.size : at + _RECORD.size + name_size] == name and local == 0
    if signature != b"PK\x01\x02" or not same or size != _RECORD.size + name_size + extra + note:
        return None, 0
    return _Entry(crc, packed, unpacked), at


def _descriptor(data: Content, at: int) -> tuple[_Entry, int]:
    """The data descriptor, with or without its optional signature, and where it ends."""
    marked = data[at : at + 4] == b"PK\x07\x08"
    start = at + 4 * marked
    crc, packed, size = struct.unpack("<LLL", data[start : start + 12])
    return _Entry(crc, packed, size), start + 12


def _in_memory(data: bytes, packed: _Packed) -> bytes | None:
    entry = packed.entry
    held = memoryview(data)[packed.start : packed.start + entry.packed]
    if packed.method == _STORED:
        content, whole = bytes(held), True
    else:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflater.decompress(held, entry.size + 1)
        whole = inflater.eof and not inflater.unused_data
    fits = whole and len(content) == entry.size and zlib.crc32(content) == entry.crc
    return content if fits else None


def _in_file(data: spooled.Spooled, packed: _Packed) -> Content | None:
    """The same, piece by piece into a file beside it, whole at once: somebody may be reading what was opened before."""
    path, entry = data.path.with_suffix(".opened"), packed.entry
    descriptor, new = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if _written(file, _pieces(data, packed), entry.size) != (entry.crc, entry.size):
                return None
        Path(new).replace(path)
    finally:
        Path(new).unlink(missing_ok=True)
    return spooled.opened(path)


def _written(file: IO[bytes], pieces: Iterable[bytes], most: int) -> tuple[int, int]:
    """CRC-32 and size of what these pieces are together; over `most` bytes the rest is left out."""
    crc = size = 0
    for piece in pieces:
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        if size > most:
            break
        file.write(piece)
    return crc, size


def _pieces(data: spooled.Spooled, packed: _Packed) -> Iterator[bytes]:
    """The unfolded file in pieces; another piece than all of it when the packed form is not whole. Raises zlib.error."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    end = packed.start + packed.entry.packed
    for start in range(packed.start, end, spooled.PIECE_BYTES):
        piece = data[start : min(end, start + spooled.PIECE_BYTES)]
        if packed.method == _STORED:
            yield piece
            continue
        while piece:
            yield inflater.decompress(piece, spooled.PIECE_BYTES)
            piece = inflater.unconsumed_tail
    while packed.method == _DEFLATED and (piece := inflater.decompress(b"", spooled.PIECE_BYTES)):
        yield piece
    if packed.method == _DEFLATED and (not inflater.eof or inflater.unused_data):
        raise zlib.error
