"""Text that is not Unicode Vietnamese: typed with TCVN3 (.VnTime) or VNI fonts, or decoded with the wrong table.

Theory of operation. Both old ways put Vietnamese letters where other alphabets have theirs, so `Sở Y tế` is stored as
`Së Y tÕ` (TCVN3, TCVN 5712:1993) or `Sôû Y teá` (VNI). Unicode Vietnamese has neither the letters of the one nor the pairs of
the other, so a cell that has them was typed with such a font. UTF-8 read as Windows-1252 shows its lead bytes instead. Some
signs are found in names of foreigners as well (Noël, Müller): of a cell alone they prove nothing, of a tenth of a book they do.

Such text is never converted by guess: the sentence of the finding says how the office converts it.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

KINDS = ("tcvn3", "vni", "mixed_up")

_SIGNS = (
    ("mixed_up", re.compile("á[»º]|Æ°|Ä[\u0090\u0091‘]|Ã[\u0080-\u00bf]|Â[\u0080-\u009f]")),
    (
        "tcvn3",
        re.compile(
            "(?<=[A-Za-zÀ-ÿ])[µ¸¶·¹¨»¾¼½©®ª«¬](?![A-ZÀ-Þ])|(?<![^\\s(])[®¬«©¨ª¸µ][a-zÀ-ÿµ¸¶·¹¨»¾¼½]|(?<!\\S)§[a-zÀ-ÿ]"
        ),
    ),
    (
        "vni",
        re.compile(
            "[AEOaeo][âÂ]|[Aa][êÊúÚùÙûÛëËáàåãäÁÀÅÃÄéÉèÈüÜ]|[Ee][áàåãäÁÀÅÃÄùøûõïÙØÛÕÏ]|[Oo][åÅäÄ]"
            "|[öôÖÔ][ùøûõïÙØÛÕÏ]|(?<![A-Za-zÀ-ÿ])[ñÑ][A-Za-zÀ-ÿ]"
        ),
    ),
)
"""Each by itself shows how a cell was typed; the first that is there decides."""
_PERHAPS = (
    ("vni", re.compile("[UuYyAa][ùøûõïÙØÛÏ]|[OoÖö][oôOÔ]|(?<=[A-Za-z])ñ")),
    ("tcvn3", re.compile("(?<=[A-Za-z])[ÆËÎÏÑÖ×ØÜÞßäåæçëîïñö÷øûüþÐ]|(?<=[a-z])[ÒÓÔÕÊÈÉÝ]")),
)
_VIETNAMESE = re.compile("[ăĂđĐơƠưƯ\u1ea0-\u1ef9]")


def foreign(cell: str) -> str:
    """How a cell was typed if certainly not in Unicode: one of `KINDS`, else ""."""
    return _found(cell, _SIGNS)


def _found(cell: str, signs: Iterable[tuple[str, re.Pattern[str]]]) -> str:
    if cell.isascii():
        return ""
    plain = unicodedata.normalize("NFC", cell)
    if _VIETNAMESE.search(plain):
        return ""
    return next((kind for kind, sign in signs if sign.search(plain)), "")


@dataclass(kw_only=True)
class Seen:
    """What a whole book's lines show: how many have letters beyond ASCII, and how many of them are typed how."""

    marked: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def line(self, cells: Iterable[str]) -> str:
        """Take a line in; how one of its cells certainly was typed."""
        marked = [cell for cell in cells if not cell.isascii()]
        if not marked:
            return ""
        certain = next(filter(None, map(foreign, marked)), "")
        found = certain or next(filter(None, (_found(cell, _PERHAPS) for cell in marked)), "")
        self.marked += 1
        if found:
            self.kinds[found] += 1
        return certain

    @property
    def verdict(self) -> str:
        """How the book was typed, "" where fewer than one in ten of its lines show it."""
        found, _ = max(self.kinds.items(), key=lambda one: one[1], default=("", 0))
        return found if self.kinds.total() * 10 >= self.marked else ""


def of_bytes(raw: bytes) -> str:
    """How the text of bytes that are no UTF-8 was typed, "" if nothing shows it (another code page)."""
    seen = Seen()
    for line in raw.decode("cp1252", errors="replace").splitlines():
        seen.line(re.split(r"[,;\t]", line))
    return seen.verdict
