"""Names of attached files, made safe to show, to save and to speak of.

A name is foreign text: it may be a path, turn the reading direction, or be endless. What is kept is the last
part of a path without controls, directions and characters that file systems give a meaning.
"""

import unicodedata

LONGEST = 255
_ENDING = 16
_MEANING = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def safe(raw: str, position: int) -> str:
    """`raw` if it is harmless, else what can be kept of it, else `attachment-N` counted from 1. Idempotent."""
    last = raw.replace("\\", "/").rpartition("/")[2]
    visible = "".join(letter for letter in last if unicodedata.category(letter)[0] != "C" or letter == " ")
    name = visible.translate(_MEANING).strip(" .\u00a0\u3000")
    name = _short(name)
    return name or f"attachment-{position + 1}"


def ending(name: str) -> str:
    """The part after the last dot in lower case, without the dot; empty if there is none worth the word."""
    stem, dot, end = name.rpartition(".")
    return end.lower() if dot and stem and len(end) < _ENDING else ""


def _short(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    kept = ending(name)
    cut = LONGEST - len(kept) - 1
    return f"{name[:cut].rstrip(' .')}.{name[-len(kept) :]}" if kept else name[:LONGEST].rstrip(" .")
