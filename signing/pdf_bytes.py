"""The bytes of a PDF: in memory, or of a large file mapped into it, where only what is looked at takes room.

A mapped file can be searched, cut and digested as bytes can; here is what it cannot do by itself.
"""

import io
import mmap
import re
from typing import BinaryIO, TypeAlias, cast

PdfBytes: TypeAlias = bytes | mmap.mmap
_BUFFER = 1 << 16


def count(raw: PdfBytes, word: bytes) -> int:
    """How often the word stands there."""
    if isinstance(raw, bytes):
        return raw.count(word)
    return sum(1 for _ in re.finditer(re.escape(word), raw))


def stream(raw: PdfBytes) -> BinaryIO:
    """The bytes to be read from the first on."""
    return (
        io.BytesIO(raw)
        if isinstance(raw, bytes)
        else cast("BinaryIO", io.BufferedReader(_Mapped(raw), _BUFFER))
    )


class _Mapped(io.RawIOBase):
    """A mapped file read as a file, with a position of its own."""

    def __init__(self, raw: mmap.mmap) -> None:
        super().__init__()
        self._raw = raw
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._raw)}[whence]
        if start + offset < 0:
            raise ValueError("before the first byte")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stubs ask for any buffer
        found = self._raw[self._at : self._at + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)
