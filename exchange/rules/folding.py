"""Vietnamese made plain for comparison and search: people and systems write it with and without marks."""

import unicodedata


def plain(text: str) -> str:
    """No marks, lower case, single spaces: `Sở Y tế` and `SO Y TE` are one."""
    letters = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def found(wanted: str, text: str) -> bool:
    """Whether every word of `wanted` stands somewhere in `text`; both are plain."""
    return all(word in text for word in wanted.split())


_SHORT = {
    "ubnd": "uy ban nhan dan",
    "hdnd": "hoi dong nhan dan",
    "ubmttq": "uy ban mat tran to quoc",
    "tp": "thanh pho",
    "tp.": "thanh pho",
    "tx": "thi xa",
    "tx.": "thi xa",
    "vp": "van phong",
}
"""How agencies' names are shortened on documents and in systems."""


def written_out(name: str) -> str:
    """An agency's name plain, its short forms written out: `UBND TP Cần Thơ` is `uy ban nhan dan thanh pho can tho`."""
    return " ".join(_SHORT.get(word, word) for word in plain(name).replace("-", " ").split())
