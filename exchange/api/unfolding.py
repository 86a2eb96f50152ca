"""Unfolding a compressed body piece by piece, so that nobody can send little that becomes much. Pure.

Bounds: the cap on what comes out, at any moment; and above 1 MB, 200 times what went in - honest letters, base64 of
compressed files, stay below 50.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

RATIO = 200
FREE_BYTES = 1 << 20
PIECE_BYTES = 1 << 18
_GZIP = 16 + zlib.MAX_WBITS


class TooMuchError(Exception):
    """More came out than may."""


class UnreadableError(Exception):
    """The compressed data are damaged or broken off."""


class Unfolding(Protocol):
    """What every content coding does."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The pieces that this chunk becomes. Raises TooMuchError or UnreadableError."""

    def end(self) -> None:
        """No more comes. Raises UnreadableError if something is missing."""


@dataclass
class Identity:
    """No coding: what goes in comes out."""

    cap: int
    out: int = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The chunk itself."""
        self.out += len(chunk)
        if self.out > self.cap:
            raise TooMuchError
        yield chunk

    def end(self) -> None:
        """Nothing can be missing."""


@dataclass
class Gzip:
    """Coding gzip (RFC 1952), one member and nothing after it."""

    cap: int
    taken: int = 0
    out: int = 0
    _inflating: "zlib._Decompress" = field(default_factory=lambda: zlib.decompressobj(_GZIP))

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk unfolds to, in pieces of at most 256 kB."""
        self.taken += len(chunk)
        rest, more = chunk, True
        while rest or more:
            if self._inflating.eof and rest:
                raise UnreadableError("gzip")
            piece = self._piece(rest)
            yield piece
            rest = self._inflating.unconsumed_tail or self._inflating.unused_data
            more = len(piece) == PIECE_BYTES  # more may be folded in what was taken already

    def _piece(self, rest: bytes) -> bytes:
        try:
            piece = self._inflating.decompress(rest, PIECE_BYTES)
        except zlib.error as error:
            raise UnreadableError("gzip") from error
        self.out += len(piece)
        if self.out > self.cap or self.out > max(FREE_BYTES, RATIO * self.taken):
            raise TooMuchError
        return piece

    def end(self) -> None:
        """The member must be whole, its checksum right."""
        if not self._inflating.eof:
            raise UnreadableError("gzip")


def unfolding(coding: str, cap: int) -> Unfolding | None:
    """The unfolding for a value of Content-Encoding; None for one that is not spoken here."""
    known = {"": Identity, "identity": Identity, "gzip": Gzip, "x-gzip": Gzip}
    return known[coding](cap) if coding in known else None
