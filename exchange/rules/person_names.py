"""Are two ways of writing a person's name (họ và tên) the same name?

Certificates and headers write one person in capitals, without marks, with a title, with the tone on another letter
of the same syllable (`Hoà`, `Hòa`). Marks are compared only where both sides have any: Hùng and Hưng are two men,
HUNG may be either.
"""

import re
import unicodedata

from exchange.rules import folding

_TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")
"""Huyền, sắc, ngã, hỏi, nặng: they belong to the syllable, and are written on one or the other of its vowels."""
_TITLES = frozenset(
    (
        "ông",
        "bà",
        "ong",
        "ba",
        "ts",
        "ths",
        "gs",
        "pgs",
        "bs",
        "ks",
        "kts",
        "cn",
        "ds",
        "tskh",
        "bscki",
        "bsckii",
    )
)
"""What may stand before a name without being part of it, without points; Ông is a family name, too."""
_AFTER_NAME = re.compile(r"\(| [-–] |[,;|]")
_MOST_TITLES = 4


def same(one: str, other: str) -> bool:
    """Whether both may be the same name. An empty name is anybody's."""
    first, second = _readings(one), _readings(other)
    if not first or not second:
        return True
    return any(_alike(left, right) for left in first for right in second)


def _readings(name: str) -> list[list[str]]:
    """The words of a name in lower case, NFC: all of them, and those after each of its titles."""
    text = unicodedata.normalize("NFC", _AFTER_NAME.split(name, maxsplit=1)[0]).casefold()
    readings = [text.replace(".", " ").split()]
    while readings[-1] and readings[-1][0] in _TITLES and len(readings) <= _MOST_TITLES:
        readings.append(readings[-1][1:])
    return [one for one in readings if one]


def _alike(first: list[str], second: list[str]) -> bool:
    if _marked(first) and _marked(second):
        return list(map(_syllable, first)) == list(map(_syllable, second))
    return list(map(folding.plain, first)) == list(map(folding.plain, second))


def _marked(words: list[str]) -> bool:
    return any(folding.plain(word) != word for word in words)


def _syllable(word: str) -> tuple[str, str]:
    """A word without its tone, and the tone."""
    letters = unicodedata.normalize("NFD", word)
    rest = "".join(letter for letter in letters if letter not in _TONES)
    return unicodedata.normalize("NFC", rest), "".join(letter for letter in letters if letter in _TONES)
