# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Which bytes of a PDF a signature covers (ISO 32000-2 12.8.1), read from the raw bytes and not from anybody's word.

A range that skips anything but the signature's own `/Contents` would let the skipped bytes say what they like.
pyHanko compares lengths only; here the hole itself is looked at.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from pyhanko.pdf_utils import generic

_DIGITS = b"0123456789abcdefABCDEF"
_NUMBERS = 4  # start and length of two pieces


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
    skipped = raw[start:stop]
    digits = skipped[1:-1]
    if skipped[:1] != b"<" or skipped[-1:] != b">" or digits.translate(None, _DIGITS):
        return None
    if len(digits) != 2 * len(contents) or bytes.fromhex(digits.decode("ascii")) != contents:
        return None
    return Hole(start, stop, stop + length)


def digests(raw: bytes, left_out: Hole) -> Callable[[str], bytes]:
    """The digest of the covered bytes by the hash's name."""

    def digest(name: str) -> bytes:
        view, covered = memoryview(raw), hashlib.new(name)
        covered.update(view[: left_out.start])
        covered.update(view[left_out.stop : left_out.end])
        return covered.digest()

    return digest
