"""Days as people write them into books: 05/01/2026, 5-1-26, 05/01, ngày 5 tháng 1 năm 2026, 2026-01-05."""

import re
from datetime import date

_WRITTEN = re.compile(
    r"(?:ngay )?(\d{1,2})(?: ?[/.\-] ?| thang )(\d{1,2})(?:(?: ?[/.\-] ?| nam )(\d{4}|\d{2}))?", re.ASCII
)
_ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?", re.ASCII)
HANDED_OVER = 31
"""Days after its issue within which a document may still be handed over (bàn giao) in the new year."""
SHORT = 2
"""Digits of a year without its century: it is the book's."""


def day(text: str, year: int) -> date | None:
    """The day that a cell names, its day before its month; without a year in the year of the book. None: there is no such day."""
    plain = " ".join(text.casefold().replace("à", "a").replace("á", "a").replace("ă", "a").split())
    found, turned = _ISO.fullmatch(plain), _WRITTEN.fullmatch(plain)
    if found is None and turned is None:
        return None
    if found:
        parts = (found[1], found[2], found[3])
    else:
        assert turned is not None
        parts = (turned[3] or str(year), turned[2], turned[1])
    century = str(year)[:2] if len(parts[0]) == SHORT else ""
    try:
        return date(int(century + parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None
