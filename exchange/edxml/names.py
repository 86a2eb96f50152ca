"""Names of attached files, made safe to show, to save and to speak of.

A name is foreign text: it may be a path, turn the reading direction, or be endless. What is kept is the last
part of a path without controls, directions and characters that file systems give a meaning.
"""

import unicodedata

LONGEST = 255
"""Bytes of a name in UTF-8: more than that file systems do not take."""

_ENDING = 16
_RESERVED = frozenset(
    [
        *("con", "prn", "aux", "nul", "conin$", "conout$"),
        *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"),
    ]
)
"""Names that Windows takes for devices, whatever ending they have."""

_HIDDEN = ("C", "Zl", "Zp")
_MEANING = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


def safe(raw: str, position: int) -> str:
    """`raw` if it is harmless, else what can be kept of it, else `attachment-N` counted from 1. Idempotent."""
    last = raw.replace("\\", "/").rpartition("/")[2]
    visible = "".join(letter for letter in last if not unicodedata.category(letter).startswith(_HIDDEN))
    name = _short(visible.translate(_MEANING).strip(" .\u00a0\u3000"))
    if name.partition(".")[0].rstrip().casefold() in _RESERVED:
        name = _short(f"_{name}")
    return name or f"attachment-{position + 1}"


def ending(name: str) -> str:
    """The part after the last dot in lower case, without the dot; empty if there is none worth the word."""
    stem, dot, end = name.rpartition(".")
    return end.lower() if dot and stem and len(end) < _ENDING else ""


def twin(name: str) -> str:
    """What is the same of two names that a person, or a file system, takes for one: letter case, NFC and NFD."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _short(name: str) -> str:
    if len(name.encode()) <= LONGEST:
        return name
    kept = ending(name)
    last = f".{name[-len(kept) :]}" if kept else ""
    return _cut(name, LONGEST - len(last.encode())) + last


def _cut(name: str, most: int) -> str:
    """The beginning of a name in at most so many bytes, no letter halved."""
    return name.encode()[:most].decode(errors="ignore").rstrip(" .")
