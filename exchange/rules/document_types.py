"""Kinds of administrative documents (tên loại văn bản) and which of them must travel without paper.

The table is that of `edxml.codes`: the 29 kinds of Decree 30/2020/NĐ-CP Art. 7 with their position there,
and the 4 normative kinds which, with 22 of the 29, make the list of 26 in letter 775/VPCP-KSTT of
4 February 2020. Names are compared folded (`fold`), since systems write them with and without marks.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from exchange.edxml import codes
from exchange.rules import folding


@dataclass(frozen=True, kw_only=True)
class DocumentType:
    """One kind (tên loại). `position` counts in Decree 30 Art. 7, None for a normative kind."""

    name: str
    abbreviation: str
    position: int | None
    without_paper: bool
    source: str


@cache
def table() -> tuple[DocumentType, ...]:
    """All kinds in the order of the file."""
    return tuple(map(_kind, codes.KINDS))


def without_paper(name: str) -> bool:
    """Whether a kind stands in the list of 775/VPCP-KSTT: sent electronically, no paper beside it."""
    return fold(name) in _listed()


def known(name: str) -> bool:
    """Whether the table has a kind of that name."""
    return fold(name) in _names()


def named(type_name: str, notation: str) -> str:
    """The kind a letter is counted under: by its type's name, else by its notation's abbreviation (`15/QĐ-UBND`).

    Numeric codes are not used: two numberings are on the wire (reference page edxml, 6.2). Abbreviations are
    compared with their marks, since HD and HĐ are two kinds. Empty if unknown, so that the tally stays small.
    """
    opening = unicodedata.normalize("NFC", notation).partition("-")[0].strip()
    return _names().get(fold(type_name)) or _abbreviations().get(opening, "")


def fold(name: str) -> str:
    """A kind's name for comparison: plain, and no remark in brackets."""
    return folding.plain(name.partition("(")[0])


@cache
def _names() -> Mapping[str, str]:
    return {fold(kind.name): _plain(kind.name) for kind in table()}


@cache
def _abbreviations() -> Mapping[str, str]:
    return {kind.abbreviation: _plain(kind.name) for kind in table() if kind.abbreviation}


def _plain(name: str) -> str:
    return name.partition("(")[0].strip()


@cache
def _listed() -> frozenset[str]:
    return frozenset(fold(kind.name) for kind in table() if kind.without_paper)


def _kind(row: Mapping[str, str]) -> DocumentType:
    return DocumentType(
        name=f"{row['name_vi']} ({row['remark']})" if row["remark"] else row["name_vi"],
        abbreviation=row["abbreviation"],
        position=int(row["code"]) if row["code"] else None,
        without_paper=row["without_paper"] == "yes",
        source=row["source"],
    )
