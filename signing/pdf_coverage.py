# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Which bytes of a PDF a signature covers (ISO 32000-2 12.8.1), read from the raw bytes and not from anybody's word.

A range that skips anything but the signature's own `/Contents` would let the skipped bytes say what they like.
pyHanko compares lengths only; here the hole itself is looked at.
"""

import binascii
import hashlib
import re
from collections.abc import Callable
from typing import NamedTuple

from pyhanko.pdf_utils import generic

_NUMBERS = 4  # start and length of two pieces


_TAIL = 2048
_END = re.compile(rb"[\r\n]startxref\s*\d+\s*%%EOF")


class Hole(NamedTuple):
    """What a signature leaves out, `start` to `stop`, of the bytes up to `end`; offsets from the file's first byte."""

    start: int
    stop: int
    end: int


def hole(raw: bytes, byte_range: generic.PdfObject, contents: bytes) -> Hole | None:
    """The hole of a `/ByteRange`, or None unless it is exactly the string that holds `contents`."""
    numbers = list(byte_range) if isinstance(byte_range, generic.ArrayObject) else []
    if len(numbers) != _NUMBERS or not all(isinstance(number, generic.NumberObject) for number in numbers):
        return None
    first, start, stop, length = map(int, numbers)
    if first != 0 or not 0 < start < stop <= stop + length <= len(raw):
        return None
    return Hole(start, stop, stop + length) if _holds(raw[start:stop], contents) else None


def _holds(skipped: bytes, contents: bytes) -> bool:
    """Whether the skipped bytes are `contents` in hexadecimal between angle brackets, with nothing in between."""
    if skipped[:1] != b"<" or skipped[-1:] != b">":
        return False
    try:
        return binascii.unhexlify(skipped[1:-1]) == contents
    except binascii.Error:
        return False


def complete(raw: bytes, end: int) -> bool:
    """Whether the bytes before `end` close like a PDF revision; where they do not, pyHanko searches very long."""
    return _END.search(raw, max(0, end - _TAIL), end) is not None


def digests(raw: bytes, left_out: Hole) -> Callable[[str], bytes]:
    """The digest of the covered bytes by the hash's name."""

    def digest(name: str) -> bytes:
        view, covered = memoryview(raw), hashlib.new(name)
        covered.update(view[: left_out.start])
        covered.update(view[left_out.stop : left_out.end])
        return covered.digest()

    return digest
