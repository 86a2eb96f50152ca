"""Number series (dãy số văn bản): which numbers of a series are there, and which are missing.

An agency's numbers run from 01 on 1 January (Decree 30/2020/NĐ-CP Art. 15(1)), the same series for paper and electronic
documents: a number that nobody has seen is a document that went on paper, was never issued, or was not registered.
A gap is therefore a question to the office and not a class of a document (rules_and_measures C.4).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exchange.rules.ratios import Measure

MOST_DIGITS = 7
"""Nobody issues ten million documents a year: a longer number is a mistake of typing, and would be one great gap."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Missing numbers (khoảng thiếu), both ends included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        """How many numbers are missing."""
        return self.last - self.first + 1


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What is known of one series: its first and last number, how many are there, what is missing.

    `explained`: how many of those that are there nobody has seen, but the office accounts for. `others` are numbers that take no place in the row, like 34E31 or 12A, in order. `complete` is M18 (độ đầy đủ của sổ).
    """

    first: int | None
    last: int | None
    present: int
    gaps: tuple[Gap, ...]
    others: tuple[str, ...]
    explained: int = 0

    @property
    def complete(self) -> Measure:
        """M18: numbers explained, of the highest number."""
        return Measure(n=self.present, d=self.last or 0)


def of(numbers: Iterable[str], explained: Iterable[str] = ()) -> Numbers:
    """The series that these plain numbers make (`documents.Key.number`), in any order, told any number of times.

    `explained` are numbers that an office has accounted for otherwise: no gaps. They fill gaps only: what is said of numbers
    above the highest that was seen makes no series longer, nor an earlier period's books less complete.
    """
    seen = Seen()
    for number in numbers:
        seen.add(number)
    for number in explained:
        seen.explain(number)
    return seen.numbers()


class Seen:
    """The numbers of one series as they are told, one bit each: a book of a million numbers takes no more than a short one."""

    def __init__(self) -> None:
        self._seen, self._explained = bytearray(), bytearray()
        self._others: set[str] = set()

    def add(self, number: str) -> None:
        """One plain number, told any number of times."""
        if _in_row(number):
            _mark(self._seen, int(number))
        else:
            self._others.add(number)

    def explain(self, number: str) -> None:
        """One number that the office accounts for."""
        if _in_row(number):
            _mark(self._explained, int(number))

    def numbers(self) -> Numbers:
        """The series that they make; explained are those below the highest seen, and not seen."""
        seen = int.from_bytes(self._seen, "little")
        below = (1 << seen.bit_length()) - 1
        filled = int.from_bytes(self._explained, "little") & below & ~seen
        row = (seen | filled).to_bytes(len(self._seen), "little")
        return Numbers(
            first=next(_row(row), None),
            last=seen.bit_length() - 1 if seen else None,
            present=(seen | filled).bit_count(),
            gaps=tuple(_gaps(_row(row))),
            others=tuple(sorted(self._others)),
            explained=filled.bit_count(),
        )


def _mark(bits: bytearray, number: int) -> None:
    place, bit = divmod(number, 8)
    if place >= len(bits):
        bits.extend(bytes(place + 1 - len(bits)))
    bits[place] |= 1 << bit


def _row(bits: bytes) -> Iterator[int]:
    return (8 * place + bit for place, byte in enumerate(bits) if byte for bit in range(8) if byte >> bit & 1)


def _in_row(number: str) -> bool:
    return number.isascii() and number.isdecimal() and len(number) <= MOST_DIGITS and number[0] != "0"


def _gaps(row: Iterable[int]) -> Iterator[Gap]:
    expected = 1
    for number in row:
        if number > expected:
            yield Gap(first=expected, last=number - 1)
        expected = number + 1
