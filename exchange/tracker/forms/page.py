"""What an administrative document consists of (thể thức văn bản): ready texts, tables and charts, and how each is set.

Source: Decree 30/2020/NĐ-CP, Annex I: A4, margins, sizes and styles of letters, places of the parts. Both writers, PDF
and DOCX, follow these tables; lengths are millimetres, sizes points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Align = Literal["left", "center", "right", "justify"]

A4 = (210.0, 297.0)
TOP, BOTTOM, LEFT, RIGHT = 20.0, 20.0, 30.0, 15.0
"""Margins (lề trang): 20-25, 20-25, 30-35, 15-20 mm."""
PAGE_NUMBER_TOP = 10.0
"""How far below the upper edge the page number stands: within the margin, from page 2 on."""
PAGE_NUMBER_SIZE = 13
UPRIGHT, LYING = A4[0] - LEFT - RIGHT, A4[1] - LEFT - RIGHT
"""Width between the margins, on an upright page and on a lying one (for wide tables)."""
LEFT_OF_HEAD = 70.0
"""Width of the block of the agency's name; the motto has what is left."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a paragraph is set. `level`: it is a heading of that depth; `first`: its first line starts so far in."""

    size: float
    bold: bool = False
    italic: bool = False
    align: Align = "left"
    first: float = 0
    before: float = 0
    after: float = 0
    level: int | None = None


STYLES: Mapping[str, Style] = {
    "parent": Style(size=12, align="center"),
    "agency": Style(size=12, bold=True, align="center"),
    "nation": Style(size=12, bold=True, align="center"),
    "motto": Style(size=13, bold=True, align="center"),
    "number": Style(size=13, align="center"),
    "place": Style(size=13, italic=True, align="center"),
    "kind": Style(size=14, bold=True, align="center", before=14),
    "subject": Style(size=14, bold=True, align="center"),
    "basis": Style(size=14, italic=True, align="justify", first=10, after=6),
    "body": Style(size=14, align="justify", first=10, before=6, after=6),
    "about": Style(size=13, align="left", first=10, after=2),
    "part": Style(size=14, bold=True, align="left", first=10, before=6, after=6, level=1),
    "clause": Style(size=14, bold=True, align="left", first=10, before=2, after=6, level=2),
    "blank": Style(size=14, align="left", after=6),
    "note": Style(size=11, align="justify", before=4, after=4),
    "chart": Style(size=12, bold=True, align="center", before=8, after=2),
    "legend": Style(size=11, align="center", after=8),
    "annex": Style(size=14, bold=True, align="center", level=1),
    "annex_title": Style(size=13, bold=True, align="center"),
    "annex_of": Style(size=13, italic=True, align="center", after=6),
    "annex_about": Style(size=11, align="left", after=1),
    "table_title": Style(size=13, bold=True, align="center", before=8, after=4),
    "recipients": Style(size=12, bold=True, italic=True, align="left"),
    "recipient": Style(size=11, align="left"),
    "position": Style(size=13, bold=True, align="center"),
    "signer": Style(size=13, bold=True, align="center"),
}
CELL_SIZES = (12, 11, 10, 9, 8)
"""Sizes of letters in tables, the first that fits."""
SIGNING_SPACE = 28.0
"""Room for the signature and the mark of the organisation's digital signature."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """One paragraph, set as STYLES says."""

    style: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Grid:
    """A table of ready texts: headings, which columns are numbers, rows; `total` is the last row, if there is one."""

    headings: Sequence[str]
    numeric: Sequence[bool]
    rows: Sequence[Sequence[str]]
    total: Sequence[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Shares:
    """A stacked bar of 100 %: name, count and share of every part (shares add up to 100,00), a target in percent, named."""

    title: str
    parts: Sequence[tuple[str, int, str]]
    target: float | None = None
    target_name: str = ""
    legend: str = ""


@dataclass(frozen=True, kw_only=True)
class Trend:
    """A line over periods: name of each and its percent, None where nothing was counted; a target in percent."""

    title: str
    name: str
    target_name: str
    points: Sequence[tuple[str, float | None]]
    target: float | None = None
    legend: str = ""


Block = Text | Grid | Shares | Trend


@dataclass(frozen=True, kw_only=True)
class Head:
    """The upper part of the first page: whose document it is, the motto, number, place and day."""

    parent: str
    agency: str
    nation: str
    motto: str
    number: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Foot:
    """The lower part: to whom it goes (nơi nhận), and who signs."""

    heading: str
    recipients: Sequence[str]
    position: str
    signer: str


@dataclass(frozen=True, kw_only=True)
class Annex:
    """A part behind the signature, on pages of its own: what it is called, of what it is part, its tables."""

    name: str
    title: str
    part_of: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Form:
    """One document, ready to be written."""

    language: str
    head: Head
    kind: str
    subject: Sequence[str]
    blocks: Sequence[Block]
    foot: Foot
    made: datetime
    annexes: Sequence[Annex] = field(default_factory=tuple)
