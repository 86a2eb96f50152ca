"""In which capacity a document is signed (quyền hạn ký: KT., TL., TM., TUQ., Q.), read from SignerInfo.

A certificate says nothing of it, and nothing is proven by it: it is shown, never judged. The table is
`codes/capacities.csv`; the abbreviations are those of Decree 30/2020/NĐ-CP, Article 13 and annex I.
"""

import re
import unicodedata

from exchange.edxml import codes, model


def of(signer: model.Signer) -> tuple[str, ...]:
    """The codes of the capacities that Competence and Position tell, in the order in which they stand there."""
    found = (code for text in (signer.competence, signer.position) for code in _found(text))
    return tuple(dict.fromkeys(found))


def named(signer: model.Signer, language: str = "vi") -> list[dict[str, str]]:
    """The same with their names."""
    return [{"code": code, "name": codes.CAPACITIES[code][f"name_{language}"]} for code in of(signer)]


def _found(text: str) -> list[str]:
    return [_OF_MARK[_spaced(match.group())] for match in _MARK.finditer(_plain(text))]


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _spaced(text: str) -> str:
    return " ".join(text.strip(" .\n\t").split())


_OF_MARK = {mark: code for code, row in codes.CAPACITIES.items() for mark in row["marks"].split("|")}
_WORDS = "|".join(re.escape(mark).replace(r"\ ", r"\s+") for mark in sorted(_OF_MARK, key=len, reverse=True))
_MARK = re.compile(rf"(?:(?<=^)|(?<=[\n;,\-–/(]))\s*(?:{_WORDS})(?=[.\s:]|$)", re.MULTILINE)
"""A mark where a line or a part of it begins: `KT. CHỦ TỊCH`, `TM. UBND; KT. CHỦ TỊCH`."""
