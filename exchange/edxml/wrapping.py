"""The one-entry ZIP in which the national Java library wraps most files, put on and taken off.

A ZIP can be built so that two programs find two different files in it. What is verified here must be what a
recipient opens, so only the plain form is taken off: one local header, one file, one directory record that
agrees with it, the end record, and not a byte more. Anything else stays a ZIP.
Source: reference page edxml, section 10; PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16.
"""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from exchange.edxml import names

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_DESCRIPTOR = struct.Struct("<4sLLL")
_RECORD = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIBED = 0x1, 0x8


@dataclass(frozen=True)
class _Entry:
    """What header or record say of the file: CRC-32, size packed, size unpacked."""

    crc: int
    packed: int
    size: int


def wrap(name: str, data: bytes | memoryview) -> bytes:
    """A ZIP with `data` as its one entry `attachment.<ending of name>`; the same bytes every time."""
    ending = names.ending(name)
    entry = zipfile.ZipInfo(f"attachment.{ending}" if ending else "attachment")
    wrapped = io.BytesIO()
    with zipfile.ZipFile(wrapped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return wrapped.getvalue()


def unwrap(data: bytes, ending: str, most: int) -> bytes | None:
    """The one file in `data`, whose entry has this ending, up to `most` bytes; None if it is no plain wrapping."""
    try:
        return _unwrap(data, ending, most)
    except (struct.error, zlib.error):
        return None


def _unwrap(data: bytes, ending: str, most: int) -> bytes | None:
    signature, _, flags, method, _, _, *numbers, name_size, extra_size = _LOCAL.unpack_from(data)
    start = _LOCAL.size + name_size + extra_size
    name = data[_LOCAL.size : _LOCAL.size + name_size]
    if signature != b"PK\x03\x04" or flags & _ENCRYPTED or _ending(name) != ending:
        return None
    record, at = _record(data, name)
    if record is None or record.size > most:
        return None
    content, end = _content(data, start, method, record)
    said = _Entry(*numbers)
    if flags & _DESCRIBED:
        said, end = _descriptor(data, end)
    if content is None or end != at or said != record or zlib.crc32(content) != record.crc:
        return None
    return content


def _ending(name: bytes) -> str:
    return names.ending(name.decode("utf-8", "replace"))


def _record(data: bytes, name: bytes) -> tuple[_Entry | None, int]:
    """The directory's record of the one file, and where it starts; it and the end record end the archive."""
    end = len(data) - _END.size
    signature, disk, start_disk, here, total, size, at, comment = _END.unpack_from(data, max(end, 0))
    plain = (signature, disk, start_disk, here, total, comment) == (b"PK\x05\x06", 0, 0, 1, 1, 0)
    if not plain or at + size != end:
        return None, 0
    signature, *_, crc, packed, unpacked, name_size, extra, note, _, _, _, local = _RECORD.unpack_from(
        data, at
    )
    same = data[at + _RECORD.size :][:name_size] == name and local == 0
    if signature != b"PK\x01\x02" or not same or size != _RECORD.size + name_size + extra + note:
        return None, 0
    return _Entry(crc, packed, unpacked), at


def _content(data: bytes, start: int, method: int, record: _Entry) -> tuple[bytes | None, int]:
    """The file and where its packed form ends."""
    packed = memoryview(data)[start : start + record.packed]
    if method == _STORED:
        return bytes(packed), start + record.packed
    if method != _DEFLATED:
        return None, 0
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(packed, record.size + 1)
    whole = inflater.eof and not inflater.unused_data and len(content) == record.size
    return (content if whole else None), start + record.packed


def _descriptor(data: bytes, at: int) -> tuple[_Entry, int]:
    """The data descriptor, with or without its optional signature, and where it ends."""
    marked = data[at : at + 4] == b"PK\x07\x08"
    crc, packed, size = struct.unpack_from("<LLL", data, at + 4 * marked)
    return _Entry(crc, packed, size), at + 4 * marked + 12
