# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Which bytes of a PDF a signature covers (ISO 32000-2 12.8.1), read from the raw bytes and not from anybody's word.

A range that skips anything but the signature's own `/Contents` would let the skipped bytes say what they like.
pyHanko compares lengths only; here the hole itself is looked at.

Holes can also be found without reading the file's structure (`holes`), so that broken signatures are told before any
of it is. The bytes before the first hole are digested once for all signatures.
"""

import binascii
import hashlib
import itertools
import re
from typing import NamedTuple

from pyhanko.pdf_utils import generic

from signing.pdf_bytes import PdfBytes

_NUMBERS = 4  # start and length of two pieces
_MOST_RANGES = 64
_TAIL = 2048
_RANGE = re.compile(rb"/ByteRange\s*\[" + rb"\s*(\d{1,10})" * _NUMBERS + rb"\s*\]")
_END = re.compile(rb"[\r\n]startxref\s*\d+\s*%%EOF")


class Hole(NamedTuple):
    """What a signature leaves out, `start` to `stop`, of the bytes up to `end`; offsets from the file's first byte."""

    start: int
    stop: int
    end: int


def hole(raw: PdfBytes, byte_range: generic.PdfObject, contents: bytes) -> Hole | None:
    """The hole of a `/ByteRange`, or None unless it is exactly the string that holds `contents`."""
    numbers = list(byte_range) if isinstance(byte_range, generic.ArrayObject) else []
    if len(numbers) != _NUMBERS or not all(isinstance(number, generic.NumberObject) for number in numbers):
        return None
    first, start, stop, length = map(int, numbers)
    if first != 0 or not 0 < start < stop <= stop + length <= len(raw):
        return None
    found = Hole(start, stop, stop + length)
    return found if held(raw, found) == contents else None


def holes(raw: PdfBytes) -> dict[Hole, bytes]:
    """Holes that a `/ByteRange` in plain sight leaves exactly around a hexadecimal string, with what they hold.

    Only the first 64 ranges are looked at: this saves work where it finds something and decides nothing where not.
    """
    found: dict[Hole, bytes] = {}
    for match in itertools.islice(_RANGE.finditer(raw), _MOST_RANGES):
        first, start, stop, length = map(int, match.groups())
        if first == 0 and 0 < start < stop <= stop + length <= len(raw):
            one = Hole(start, stop, stop + length)
            contents = held(raw, one)
            if contents:
                found[one] = contents
    return found


def held(raw: PdfBytes, left_out: Hole) -> bytes | None:
    """What a hole holds: hexadecimal digits between angle brackets and nothing else, or None."""
    if raw[left_out.start] != ord("<") or raw[left_out.stop - 1] != ord(">"):
        return None
    try:
        return binascii.unhexlify(memoryview(raw)[left_out.start + 1 : left_out.stop - 1])
    except binascii.Error:
        return None


def complete(raw: PdfBytes, end: int) -> bool:
    """Whether the bytes before `end` close like a PDF revision; where they do not, pyHanko searches very long."""
    return _END.search(raw, max(0, end - _TAIL), end) is not None


class Digests:
    """Digests of what signatures of one file cover; the work up to the first hole is shared between them."""

    def __init__(self, raw: PdfBytes) -> None:
        self._raw = memoryview(raw)
        self._begun: dict[str, list[tuple[int, hashlib._Hash]]] = {}

    def of(self, name: str, left_out: Hole) -> bytes:
        """The digest, by a hash of this name, of the bytes before and behind the hole."""
        covered = self._up_to(name, left_out.start).copy()
        covered.update(self._raw[left_out.stop : left_out.end])
        return covered.digest()

    def _up_to(self, name: str, end: int) -> "hashlib._Hash":
        begun = self._begun.setdefault(name, [(0, hashlib.new(name))])
        offset, nearest = max((one for one in begun if one[0] <= end), key=_offset)
        grown = nearest.copy()
        grown.update(self._raw[offset:end])
        begun.append((end, grown))
        return grown


def _offset(begun: "tuple[int, hashlib._Hash]") -> int:
    return begun[0]
