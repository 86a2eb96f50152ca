"""Whether an Office file holds a signature (chữ ký số trong tệp Office): seen, never judged, and nothing is unpacked.

    Office Open XML   a ZIP part under `_xmlsignatures/` (ECMA-376 part 2, 12.2.4)
    OpenDocument      the ZIP part `META-INF/documentsignatures.xml` (ODF 1.3 part 2, 4.3)
    old Office        a compound file with the storage `_xmlsignatures` or the stream `_signatures` ([MS-OFFCRYPTO] 2.5)

A ZIP is known by the names in its directory, a compound file by its directory's entries: both stand in the file
uncompressed, so the work is one pass over at most 4 MiB or one search over the bytes.
"""

import struct
from collections.abc import Iterator
from typing import Protocol

_END = struct.Struct("<4sHHHHLLH")
_RECORD = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END_WITHIN = _END.size + 0xFFFF  # the comment behind the end record is at most this long (APPNOTE 4.3.16)
_MOST_DIRECTORY = 4 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_ENTRY = 128
_OLE_NAMES = ("_xmlsignatures", "_signatures")
_OLE_KINDS = (1, 2)  # storage, stream ([MS-CFB] 2.6.1)
_OLE_PIECE = 8192 * _OLE_ENTRY  # entries stand side by side: none is in two pieces


class Sliced(Protocol):
    """Bytes, or what gives them by slices."""

    def __len__(self) -> int:
        """How many."""

    def __getitem__(self, part: slice, /) -> bytes:
        """Some of them."""


def signed(raw: Sliced) -> bool:
    """Whether the file is an Office file with a signature in it."""
    if raw[:4] == b"PK\x03\x04":
        return any(_is_signature(name) for name in _names(raw))
    if raw[: len(_OLE)] != _OLE:
        return False
    pieces = (raw[at : at + _OLE_PIECE] for at in range(0, len(raw), _OLE_PIECE))
    return any(_in_directory(piece, name) for piece in pieces for name in _OLE_NAMES)


def _is_signature(name: bytes) -> bool:
    return name.startswith(b"_xmlsignatures/") or name == b"META-INF/documentsignatures.xml"


def _names(raw: Sliced) -> Iterator[bytes]:
    """The names in a ZIP's directory, as far as it can be read."""
    tail = raw[max(0, len(raw) - _END_WITHIN) :]
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + _END.size > len(tail):
        return
    *_, size, at, _ = _END.unpack_from(tail, end)
    directory = raw[at : at + min(size, _MOST_DIRECTORY)]
    at = 0
    while directory[at : at + 4] == b"PK\x01\x02" and at + _RECORD.size <= len(directory):
        name, extra, note = _RECORD.unpack_from(directory, at)[10:13]
        yield directory[at + _RECORD.size : at + _RECORD.size + name]
        at += _RECORD.size + name + extra + note


def _in_directory(raw: bytes, name: str) -> bool:
    """Whether a compound file's directory has this entry: name, its length in bytes with the final zero, kind."""
    wanted = (name + "\0").encode("utf-16-le")
    at = raw.find(wanted)
    while at >= 0:
        if at % _OLE_ENTRY == 0 and len(raw) >= at + _OLE_ENTRY:
            length, kind = struct.unpack_from("<HB", raw, at + 64)
            if length == len(wanted) and kind in _OLE_KINDS:
                return True
        at = raw.find(wanted, at + 1)
    return False
