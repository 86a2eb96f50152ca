"""The two forms of agency codes (mã định danh cơ quan), told apart and held against each other.

    qcvn102   000.01.07.H53   level 4, 3, 2, 1: the most specific group first, zeros mean "this level itself"
    qd20      H53.07.01       level 1 first, as deep as it has to be
    system    00.53.W00       a connected system, no agency
    other     whatever else stands in OrganId

On the wire a code is opaque and is routed by the directory alone; this is for hints, imports and displays.
Source: reference page edxml, sections 8.2 to 8.4; tables `codes/agency_forms.csv`, `codes/agency_levels.csv`.
"""

import re
import unicodedata
from itertools import pairwise

from exchange.edxml import codes

OTHER = "other"
MOST = 35
"""Characters of a code of Decision 20/2020."""

_LEVELS = 3
"""Levels that both forms write with two digits."""

_FORMS = {form: re.compile(row["pattern"], re.IGNORECASE) for form, row in codes.AGENCY_FORMS.items()}
_LEVEL_1 = re.compile(r"[A-Z][A-Z0-9]{2}")
_TWO_DIGITS = re.compile(r"[0-9]{2}")


def compared(code: str) -> str:
    """What is the same of codes in which the directory sees one: letter case, NFC and NFD (`rules.directory.canonical`)."""
    if code.isascii():
        return _plain(code)
    return unicodedata.normalize("NFC", _plain(unicodedata.normalize("NFC", code)))


def form(code: str) -> str:
    """`system`, `qcvn102`, `qd20` or `other`: the first form that the trimmed code fits, in any case."""
    plain = _plain(code)
    fitting = (name for name, pattern in _FORMS.items() if pattern.fullmatch(plain))
    return next(fitting, OTHER) if len(plain) <= MOST else OTHER


def level_1(code: str) -> str | None:
    """The code of the ministry or province that an agency belongs to (`codes.AGENCY_LEVELS` has the known names)."""
    groups = _plain(code).split(".")
    ends = {"qd20": groups[:1], "qcvn102": groups[-1:], "system": groups[-1:]}.get(form(code), groups[-1:])
    return next((group for group in ends if _LEVEL_1.fullmatch(group)), None)


def parent(code: str) -> str | None:
    """The code one level up, in the same form; None at level 1 and where the form has no levels."""
    groups = _plain(code).split(".")
    if form(code) == "qd20":
        return ".".join(groups[:-1]) or None
    if form(code) != "qcvn102":
        return None
    used = (position for position, group in enumerate(groups[:-1]) if int(group))
    place = next(used, None)
    if place is None:
        return None
    return ".".join("0" * len(group) if position == place else group for position, group in enumerate(groups))


def suggestions(code: str) -> tuple[str, ...]:
    """What the same agency may be called in the other form: a guess to be confirmed, never to route by.

    The two lists were not made by a rule; only the codes of levels 1 to 3 look alike often enough.
    """
    groups = _plain(code).split(".")
    if form(code) == "qcvn102" and not int(groups[0]):
        rest = list(reversed(groups[1:-1]))
        return (".".join([groups[-1], *_without_zeros(rest)]),) if _unbroken(rest) else ()
    if form(code) == "qd20" and len(groups) <= _LEVELS and all(map(_TWO_DIGITS.fullmatch, groups[1:])):
        second, third = [*groups[1:], "00", "00"][:2]
        return (f"000.{third}.{second}.{groups[0]}",)
    return ()


def _unbroken(groups: list[str]) -> bool:
    """Whether no level is used below one that is not."""
    return not any(not int(upper) and int(lower) for upper, lower in pairwise(groups))


def _without_zeros(groups: list[str]) -> list[str]:
    return [group for group in groups if int(group)]


def _plain(code: str) -> str:
    return code.strip().upper()
