"""Ratios that can be believed (tỷ lệ): whole numbers in, Vietnamese text out, never more than was counted.

Everything is computed in integers, as hundredths of a percent, rounded half up. 100,00 is said only when all
were counted and 0,00 only when none were; a target is met by the counts, never by the rounded text; a ratio of
a group is the sum over the sum, never a mean of ratios.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

NOTHING = "—"
"""What a ratio over nothing says: neither 0 % nor 100 %, and outside every ranking."""

SMALLEST_RANKED = 20

_WHOLE = 10_000


class Measure(NamedTuple):
    """One ratio as what it was made of: numerator and denominator."""

    n: int
    d: int

    @property
    def text(self) -> str:
        """For people: `92,00 % (441.042/479.393)`."""
        return text(self.n, self.d)


class Unproven(Measure):
    """A ratio that offices' registers could contradict, of which too few are loaded (chưa đủ căn cứ): its counts, no percentage."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """Its counts alone, `441.042/479.393`; the words beside them are the catalogue's."""
        return f"{grouped(self.n)}/{grouped(self.d)}" if _checked(*self) else NOTHING


def hundredths(n: int, d: int) -> int:
    """Hundredths of a percent, half up, but 0 and 100 % only where they are exact; `d` is not 0."""
    if n in (0, d):
        return _WHOLE if n else 0
    return min(max((2 * _WHOLE * n + d) // (2 * d), 1), _WHOLE - 1)


def share(n: int, d: int) -> str:
    """`n` of `d` in percent with two decimals, `92,00`; `—` of nothing. Raises ValueError unless 0 <= n <= d."""
    return _percent(hundredths(n, d)) if _checked(n, d) else NOTHING


def text(n: int, d: int) -> str:
    """The share with its counts, `92,00 % (441.042/479.393)`; `—` of nothing."""
    return f"{share(n, d)} % ({grouped(n)}/{grouped(d)})" if _checked(n, d) else NOTHING


def headline(n: int, d: int) -> str:
    """The share for a headline: a whole number only where it is within 0.005 points of the exact value."""
    if not _checked(n, d):
        return NOTHING
    nearest = (200 * n + d) // (2 * d)
    close = abs(nearest * d - 100 * n) * 200 < d
    overstated = n not in (0, d) and nearest in (0, 100)
    return str(nearest) if close and not overstated else share(n, d)


def met(n: int, d: int, target: int | Fraction, *, more: bool = True) -> bool | None:
    """Whether a target in percent is reached, by the exact counts; None over nothing.

    `more`: whether more is better. Else the target is the most that may be.
    """
    if d <= 0:
        return None
    return n * 100 >= target * d if more else n * 100 <= target * d


def ranked(d: int, smallest: int = SMALLEST_RANKED) -> bool:
    """Whether a denominator is large enough for the ratio to stand in a ranking."""
    return d >= smallest


def change(now: Measure, before: Measure) -> int:
    """By how many hundredths of a point a ratio rose, from the exact values; both are over something."""
    return half_up(10_000 * (Fraction(now.n, now.d) - Fraction(before.n, before.d)))


def half_up(number: Fraction) -> int:
    """The nearest whole number; a half goes away from zero."""
    whole = int((abs(number) * 2 + 1) // 2)
    return whole if number >= 0 else -whole


def shares(counts: Mapping[str, int]) -> dict[str, str]:
    """Shares that add up to exactly 100,00, by largest remainder; `—` for all of nothing.

    What was counted at all shows at least 0,01; what that takes comes off the largest share.
    """
    total = sum(counts.values())
    if total == 0:
        return dict.fromkeys(counts, NOTHING)
    return {name: _percent(part) for name, part in _apportioned(counts, total).items()}


def grouped(number: int) -> str:
    """A count as Vietnamese write it, `441.042`."""
    return f"{number:,}".replace(",", ".")


def _checked(n: int, d: int) -> bool:
    """Whether there is anything to divide by. Raises ValueError where `n` is no part of `d`."""
    if not 0 <= n <= d:
        raise ValueError(f"{n} is no part of {d}")
    return d > 0


def _apportioned(counts: Mapping[str, int], total: int) -> dict[str, int]:
    parts = {name: max(n * _WHOLE // total, 1 if n else 0) for name, n in counts.items()}
    rest = _WHOLE - sum(parts.values())
    if rest < 0:
        parts[max(counts, key=lambda name: counts[name])] += rest
    by_remainder = sorted(_remainders(counts, total), key=lambda name: -(counts[name] * _WHOLE % total))
    for name in by_remainder[: max(rest, 0)]:
        parts[name] += 1
    return parts


def _remainders(counts: Mapping[str, int], total: int) -> list[str]:
    """Those that may still be rounded up: not the ones lifted to 0,01 already."""
    return [name for name, n in counts.items() if n * _WHOLE >= total and n * _WHOLE % total]


def _percent(hundredths: int) -> str:
    return f"{hundredths // 100},{hundredths % 100:02}"
