"""Ids: UUIDv7 (RFC 9562 section 5.7), growing strictly within a process even when the clock stands or falls back.

Layout: 48 bits of milliseconds, version, 12 bits of the fraction of that millisecond, variant, 62 random bits
(method 3 of section 6.2). Milliseconds and fraction together are one tick of about 244 ns; every id takes
`max(clock, last + 1)` of it. Id order is not commit order: nothing may page across time by id.
"""

import hashlib
import os
import struct
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FRACTION_BITS = 12
_RANDOM_BITS = 62
_SUPPLY = struct.Struct(">128Q")
_VERSION = 7
_VARIANT = 0b10


class Ids:
    """The maker of ids of one process; any thread may ask it.

    `clock` gives aware moments from 1970 on, `randomness` so many random bytes.
    """

    def __init__(
        self, clock: Callable[[], datetime], randomness: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._clock = clock
        self._randomness = randomness
        self._last = 0
        self._spare: list[int] = []
        self._lock = threading.Lock()

    def new(self) -> UUID:
        """The next id, greater than every one before it."""
        with self._lock:
            milliseconds, fraction = divmod(self._tick(), 1 << _FRACTION_BITS)
            noise = self._noise() >> 2
        high = milliseconds << 16 | _VERSION << _FRACTION_BITS | fraction
        return UUID(int=high << 64 | _VARIANT << _RANDOM_BITS | noise)

    def _tick(self) -> int:
        microseconds = (self._clock() - _EPOCH) // _MICROSECOND
        now = (microseconds << _FRACTION_BITS) // 1000
        self._last = max(now, self._last + 1)
        return self._last

    def _noise(self) -> int:
        """64 random bits, each given away once; the system is asked for many at a time."""
        if not self._spare:
            self._spare = list(_SUPPLY.unpack(self._randomness(_SUPPLY.size)))
        return self._spare.pop()


def beside(made: UUID, text: str) -> UUID:
    """The id of what belongs to `made` and is told by its text alone: the same each time, and of the same moment."""
    noise = int.from_bytes(hashlib.sha256(made.bytes + text.encode()).digest()[:8], "big") >> 2
    return UUID(int=made.int >> 64 << 64 | _VARIANT << _RANDOM_BITS | noise)


def time_of(made: UUID) -> datetime:
    """When an id was made, to the millisecond (later than the clock if it stood still). ValueError: not UUIDv7."""
    if made.version != _VERSION:
        raise ValueError(f"{made} is no UUIDv7")
    return _EPOCH + timedelta(milliseconds=made.int >> 80)
