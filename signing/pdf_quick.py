# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Hexadecimal strings of a PDF read at once: pyHanko reads them a character at a time, half of its work on a signature.

While `strings()` lasts, one function of pyHanko stands replaced by a quick one with the same results: the digits are
sought and converted in bulk, and whatever is not plain digits is left to pyHanko's own function, errors included. The
other way to this speed, handing pyHanko a copy with the signatures blanked, was not taken: what is judged would then
no longer be, byte for byte, what was received. Several threads may be inside; the last words stay pyHanko's own.
"""

import binascii
import contextlib
from collections.abc import Iterator
from typing import BinaryIO

from pyhanko.pdf_utils import generic, misc

_FIRST_READ = 1 << 15  # bytes; the usual signature fits
_SLOWLY = generic.read_hex_string_from_stream


@contextlib.contextmanager
def strings() -> Iterator[None]:
    """Within the block pyHanko reads hexadecimal strings quickly."""
    generic.read_hex_string_from_stream = read
    try:
        yield
    finally:
        generic.read_hex_string_from_stream = _SLOWLY


def read(stream: BinaryIO) -> generic.ByteStringObject | generic.TextStringObject:
    """The string at the stream's position, which is at its `<`; the stream then stands behind its `>`.

    Raises pyHanko's errors when it does not end or holds anything else.
    """
    start = stream.tell()
    digits = _until_bracket(stream)
    try:
        value = binascii.unhexlify(digits.translate(None, misc.PDF_WHITESPACE))
    except binascii.Error:
        stream.seek(start)
        return _SLOWLY(stream)
    stream.seek(start + len(digits) + 2)
    return generic.pdf_string(value)


def _until_bracket(stream: BinaryIO) -> bytes:
    """What stands between the brackets; something that is no hexadecimal string when there is no second one."""
    stream.read(1)
    read, size = bytearray(), _FIRST_READ
    while True:
        piece = stream.read(size)
        end = piece.find(b">")
        if end >= 0 or not piece:
            return bytes(read + piece[:end]) if piece else b"?"
        read += piece
        size *= 2
