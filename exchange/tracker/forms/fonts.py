"""Letters: which files hold a serif of Times' widths with all of Vietnamese, how wide a text is, what it cannot show.

Decree 30/2020/NĐ-CP asks for Times New Roman. A PDF must carry its letters with it, and that font may not be passed on:
Liberation Serif has the same widths and a free licence (SIL OFL). A DOCX names Times New Roman and carries none.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

FACES: Mapping[tuple[bool, bool], str] = {
    (False, False): "CongVanSerif",
    (True, False): "CongVanSerif-Bold",
    (False, True): "CongVanSerif-Italic",
    (True, True): "CongVanSerif-BoldItalic",
}
"""Bold and italic -> the name of the face within our PDFs."""
FILES: tuple[tuple[str, str, str, str], ...] = (
    (
        "LiberationSerif-Regular.ttf",
        "LiberationSerif-Bold.ttf",
        "LiberationSerif-Italic.ttf",
        "LiberationSerif-BoldItalic.ttf",
    ),
    ("Tinos-Regular.ttf", "Tinos-Bold.ttf", "Tinos-Italic.ttf", "Tinos-BoldItalic.ttf"),
)
"""Files of the four faces, in the order of FACES: two families of Times' widths under a free licence."""
FOLDERS = (
    "/usr/share/fonts/truetype/liberation2",
    "/usr/share/fonts/truetype/liberation",
    "/usr/share/fonts/truetype/croscore",
    "/usr/share/fonts/liberation-serif-fonts",
    "/usr/share/fonts/liberation-serif",
    "/usr/share/fonts/liberation",
    "/usr/local/share/fonts",
)
"""Where distributions put them: Debian (fonts-liberation2; from 13 on fonts-liberation), Fedora, Arch, by hand."""

_MARKS = "\u0300\u0301\u0303\u0309\u0323"
_VOWELS = "aăâeêioôơuưy"
VIETNAMESE = frozenset(
    letter
    for base in (*_VOWELS, "đ")
    for mark in ("", *_MARKS)
    for small in [unicodedata.normalize("NFC", base + mark)]
    for letter in (small, small.upper())
    if len(letter) == 1
)
"""Every letter of Vietnamese that a plain Latin font may lack: 12 vowels with five tones, and đ."""
_STANDARD = {False: "Times-Roman", True: "Times-Bold"}


class MissingFontError(Exception):
    """No serif with all of Vietnamese is on this machine."""


@cache
def registered(folders: tuple[str, ...]) -> frozenset[int]:
    """Make the four faces known to the PDF writer; what letters all of them have. Raises MissingFontError."""
    for folder in folders:
        for files in FILES:
            faces = _faces([Path(folder) / file for file in files])
            if faces:
                for face in faces:
                    pdfmetrics.registerFont(face)
                _family()
                return frozenset.intersection(*map(_covered, faces))
    raise MissingFontError


def _faces(files: Iterable[Path]) -> list[TTFont]:
    """The four faces, or nothing unless each file is there and has every Vietnamese letter."""
    try:
        faces = [TTFont(name, str(file)) for name, file in zip(FACES.values(), files, strict=True)]
    except (OSError, TTFError):
        return []
    return faces if all({ord(one) for one in VIETNAMESE} <= _covered(face) for face in faces) else []


def _covered(face: TTFont) -> frozenset[int]:
    return frozenset(face.face.charToGlyph)


def _family() -> None:
    """Bold and italic within a paragraph find their faces."""
    regular, *others = FACES.values()
    bold, italic, both = others
    pdfmetrics.registerFontFamily(regular, normal=regular, bold=bold, italic=italic, boldItalic=both)


def drawable(text: str, letters: frozenset[int]) -> str:
    r"""The text with letters that the font lacks made visible as `\uNNNN`; nothing vanishes into an empty box."""
    return "".join(one if ord(one) in letters else _named(one) for one in text)


def _named(letter: str) -> str:
    number = ord(letter)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:06x}"  # noqa: PLR2004 - the basic plane


def width(text: str, *, bold: bool = False) -> float:
    """How wide a text is at size 1, in points, by the widths of Times: marks take no room, the horn of ơ and ư does."""
    if text.isascii():
        return pdfmetrics.stringWidth(text, _STANDARD[bold], 1)
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(one for one in apart if not unicodedata.combining(one))
    known = _NOT_PLAIN.sub("", bare)
    others = sum(_WIDE.get(one, _ANY) for one in _NOT_PLAIN.findall(bare))
    horns = sum(_HORNS[one] * apart.count(f"{one}\u031b") for one in _HORNS)
    return pdfmetrics.stringWidth(known, _STANDARD[bold], 1) + others + horns


_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")
_HORNS = {"o": 0.054, "u": 0.044, "U": 0.074}
"""What the horn adds to a letter; Ơ is as wide as O."""
_WIDE = {"–": 0.5, "—": 1.0, "…": 1.0, "\u00a0": 0.25}
_ANY = 0.8
"""Any other sign."""
