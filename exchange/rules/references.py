"""Number and notation in one text (số, ký hiệu: `7816/VPCP-TTĐT`), as people and ResponseFor/Code write them.

Where number ends and notation begins is not told by the text alone (`15/2026/NĐ-CP`), and writers differ in leading
zeros, spaces and case. So references are compared by `key`, and a text is looked up by `numbers`.
Source: reference page edxml, section 3 (ResponseFor).
"""

import unicodedata

MOST_LETTERS = 400
"""A number and a notation are kept up to 200 letters each (`broker.written`): a longer text names no document."""
MOST_PARTS = 4


def key(text: str) -> str:
    """The form in which references are compared: NFC, upper case, without spaces and leading zeros; empty for none."""
    folded = "".join(unicodedata.normalize("NFC", text).upper().split()).lstrip("0")
    return folded if len(folded) <= MOST_LETTERS and folded.strip("/") else ""


def joined(number: str, notation: str) -> str:
    """Number and notation as one text; empty if one of them is."""
    return f"{number}/{notation}" if number and notation else ""


def numbers(compared: str) -> tuple[str, ...]:
    """The numbers that a document of this `key` may have in its own header: how far it goes, zeros and case are open."""
    parts = compared.split("/")
    heads = ("/".join(parts[:cut]) for cut in range(1, min(len(parts), MOST_PARTS)))
    typed = (one for head in heads if head for one in _typed(head))
    return tuple(dict.fromkeys(written for one in typed for written in (one, one.lower())))


def _typed(number: str) -> tuple[str, ...]:
    """A number without leading zeros, and with one or two."""
    return number, f"0{number}", f"00{number}"
