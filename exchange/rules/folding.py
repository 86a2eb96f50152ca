"""Vietnamese made plain for comparison and search: people and systems write it with and without marks."""

import unicodedata


def plain(text: str) -> str:
    """No marks, lower case, single spaces: `Sở Y tế` and `SO Y TE` are one."""
    letters = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


def found(wanted: str, text: str) -> bool:
    """Whether every word of `wanted` stands somewhere in `text`; both are plain."""
    return all(word in text for word in wanted.split())
