"""Quotas: how much one system may ask for, judged before a body is read. Pure: the moment is passed in.

A bucket holds a minute's worth and fills evenly. It may be drawn below empty once, so that one letter larger than what
is left is not refused for ever; then it takes until it is filled again.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key")

MINUTE = 60.0
MOST_KEYS = 10_000


@dataclass
class Buckets(Generic[Key]):
    """One bucket for each key that asked lately, of `minute` units a minute."""

    minute: float
    _held: OrderedDict[Key, tuple[float, float]] = field(default_factory=OrderedDict)

    def wait(self, key: Key, at: float) -> float:
        """Seconds until this key may draw again; 0 means now. `at` is a monotonic moment."""
        level = self._level(key, at)
        return 0.0 if level >= 1 else (1 - level) * MINUTE / self.minute

    def draw(self, key: Key, amount: float, at: float) -> None:
        """Take this much from the key's bucket."""
        self._held[key] = (self._level(key, at) - amount, at)
        self._held.move_to_end(key)
        while len(self._held) > MOST_KEYS:
            self._held.popitem(last=False)

    def _level(self, key: Key, at: float) -> float:
        level, then = self._held.get(key, (self.minute, at))
        return min(self.minute, level + (at - then) * self.minute / MINUTE)
