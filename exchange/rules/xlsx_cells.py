"""Cells of one sheet of a workbook (ISO/IEC 29500-1, 18.3): as text, with the way in which each was typed in.

Rows and cells must come in order, each place once: a file that names a place twice shows one thing to one program and
another to the next, and is refused. Formatted cells without content are passed over.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from exchange.rules import xlsx_parts
from exchange.rules.xlsx_parts import Budget, Package, UnreadableError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
MAX_ROW = 1 << 20
MAX_COLUMN = 1 << 14
MAX_FILLED_COLUMN = 100
MAX_LINES = 50_000
MAX_CELL_CHARACTERS = 40_000
MAX_MERGED = 20
MAX_FLOW_MERGED = 10_000

Kind = Literal["text", "number", "date", "boolean", "formula", "error"]

_PLACE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LEAP_BUG = 60
"""Serial number of a 29 February 1900 that never was; below it the count is one behind."""
_EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_SURROGATES = range(0xD800, 0xE000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """What a cell says, and how it was typed in; of a formula its text, of a date its ISO form."""

    text: str
    kind: Kind = "text"


Line = tuple[int, tuple[Cell | None, ...]]


@dataclass(frozen=True, kw_only=True)
class Words:
    """What cells refer to: shared strings, whether each cell style shows a date, and whether days count from 1904."""

    strings: Sequence[str] = ()
    dates: Sequence[bool] = ()
    since_1904: bool = False


@dataclass(frozen=True, kw_only=True)
class Held:
    """The lines of a sheet that hold something, and its joined ranges (the first few)."""

    lines: tuple[Line, ...]
    merged: tuple[str, ...]


def read(package: Package, part: str, words: Words) -> Held:
    """The cells of one part; UnreadableError if they are out of order, too many or too far out."""
    reader = _Reader(part=part, words=words, budget=package.budget)
    xlsx_parts.walk(package, part, reader.begin, reader.end, reader.text)
    if reader.root != "worksheet":
        raise UnreadableError("sheet_workbook_damaged", part=part)
    return Held(lines=tuple(reader.lines), merged=tuple(reader.merged))


@dataclass(kw_only=True)
class Flow:
    """A sheet whose lines are taken away as they come: at most `most`; `merged` is whole once they have ended."""

    most: int
    merged: list[str] = field(default_factory=list)

    def lines(self, package: Package, part: str, words: Words) -> Iterator[Line]:
        """The lines of one part that hold something, in order; UnreadableError as `read`."""
        reader = _Reader(
            part=part, words=words, budget=package.budget, merged=self.merged, most=self.most,
            most_merged=MAX_FLOW_MERGED,
        )  # fmt: skip
        for _ in xlsx_parts.steps(package, part, reader.begin, reader.end, reader.text):
            yield from reader.lines
            reader.lines.clear()
        if reader.root != "worksheet":
            raise UnreadableError("sheet_workbook_damaged", part=part)


def letters(column: int) -> str:
    """The letters of a column counted from 1: 28 is AB."""
    named = ""
    while column:
        column, rest = divmod(column - 1, 26)
        named = chr(ord("A") + rest) + named
    return named


def place(named: str) -> tuple[int, int] | None:
    """Row and column, counted from 1, of a place such as AB12; None if it is none."""
    found = _PLACE.fullmatch(named)
    if found is None:
        return None
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    row = int(found[2])
    return (row, column) if row <= MAX_ROW and column <= MAX_COLUMN else None


def unescaped(text: str) -> str:
    """Text with the escapes of this format resolved (18.4.12: `_x000D_`); no half of a surrogate pair."""
    return _ESCAPED.sub(_letter, text) if "_x" in text else text


@dataclass(kw_only=True)
class _Reader:
    """Where the parser stands in a sheet; the three methods are its callbacks."""

    part: str
    words: Words
    budget: Budget
    lines: list[Line] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    row: int = 0
    column: int = 0
    cells: dict[int, Cell] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    collected: dict[str, list[str]] = field(default_factory=dict)
    room: int = 0
    within: str = ""
    root: str = ""
    spoken: bool = False
    held: int = 0
    most: int = MAX_LINES
    most_merged: int = MAX_MERGED

    def begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.removeprefix(MAIN)
        self.root = self.root or name
        if name == "row":
            self._row(attributes)
        elif name == "c":
            self._cell(attributes)
        elif name in {"v", "f", "t"} and self.attributes and not self.spoken:
            self.within = name
            self.collected.setdefault(name, [])
        elif name == "rPh":  # how a word is pronounced: no part of it
            self.spoken = True
        elif name == "mergeCell" and len(self.merged) < self.most_merged:
            self.merged.append(attributes.get("ref", ""))

    def end(self, tag: str) -> None:
        name = tag.removeprefix(MAIN)
        if name == "c":
            self._ended()
        elif name == "row":
            self._line()
        elif name == "rPh":
            self.spoken = False
        elif name == self.within:
            self.within = ""

    def text(self, piece: str) -> None:
        if self.within and self.room > 0:
            self.room -= len(piece)
            self.collected[self.within].append(piece)

    def _row(self, attributes: Mapping[str, str]) -> None:
        number = attributes.get("r", str(self.row + 1))
        if not (number.isascii() and number.isdecimal() and self.row < int(number) <= MAX_ROW):
            raise UnreadableError("sheet_workbook_damaged", part=self.part)
        self.row, self.column, self.cells = int(number), 0, {}

    def _cell(self, attributes: Mapping[str, str]) -> None:
        named = attributes.get("r")
        found = place(named) if named is not None else (self.row, self.column + 1)
        if found is None or found[0] != self.row or found[1] <= self.column:
            raise UnreadableError("sheet_workbook_damaged", part=self.part)
        self.column = found[1]
        self.attributes, self.collected, self.room = {"t": "n", **attributes}, {}, MAX_CELL_CHARACTERS

    def _ended(self) -> None:
        cell = _cell(
            self.attributes, {name: "".join(held) for name, held in self.collected.items()}, self.words
        )
        self.attributes, self.within = {}, ""
        if cell is None:
            return
        self.budget.spend(characters=len(cell.text), cells=1)
        if self.column > MAX_FILLED_COLUMN:
            raise UnreadableError("sheet_workbook_wide", columns=MAX_FILLED_COLUMN)
        self.cells[self.column] = cell

    def _line(self) -> None:
        if not self.cells:
            return
        self.held += 1
        if self.held > self.most:
            raise UnreadableError("sheet_workbook_long", lines=self.most)
        places = range(1, max(self.cells) + 1)
        self.lines.append((self.row, tuple(self.cells.get(each) for each in places)))
        self.cells = {}


def _cell(attributes: Mapping[str, str], held: Mapping[str, str], words: Words) -> Cell | None:
    """The cell of its parts; None for one that shows nothing."""
    kind, value = attributes.get("t", "n"), held.get("v", "").strip()
    if "f" in held:
        return Cell(text="=" + held["f"], kind="formula")
    if kind == "s":
        return _shown(_shared(value, words.strings))
    if kind in {"inlineStr", "str"}:
        return _shown(unescaped(held.get("t", held.get("v", ""))))
    if not value:
        return None
    if kind == "b":
        return Cell(text={"1": "true", "0": "false"}.get(value, value), kind="boolean")
    if kind == "d":
        return Cell(text=value.removesuffix("T00:00:00"), kind="date")
    if kind == "e":
        return Cell(text=value, kind="error")
    return _number(value, dated=_dated(attributes.get("s", "0"), words.dates), words=words)


def _shown(text: str) -> Cell | None:
    return Cell(text=text) if text.strip() else None


def _shared(value: str, strings: Sequence[str]) -> str:
    if not (value.isascii() and value.isdecimal() and int(value) < len(strings)):
        raise UnreadableError("sheet_workbook_damaged", part="sharedStrings")
    return strings[int(value)]


def _dated(style: str, dates: Sequence[bool]) -> bool:
    return style.isascii() and style.isdecimal() and int(style) < len(dates) and dates[int(style)]


def _number(value: str, *, dated: bool, words: Words) -> Cell:
    """A number as people write it: no .0, no exponent for whole ones; or the day it stands for."""
    try:
        number = float(value)
        if dated:
            return Cell(text=_day(number, words), kind="date")
    except (ValueError, OverflowError):
        return Cell(text=value[:100], kind="error")
    if not math.isfinite(number):
        return Cell(text=value[:100], kind="error")
    return Cell(text=str(int(number)) if number.is_integer() else repr(number), kind="number")


def _day(number: float, words: Words) -> str:
    days = int(number)
    if not words.since_1904 and days < _LEAP_BUG:
        days += 1
    if number < 0:
        raise ValueError(number)
    moment = datetime.combine(_EPOCHS[words.since_1904], datetime.min.time()) + timedelta(
        days=days, seconds=round((number - int(number)) * 86_400)
    )
    return str(moment.date()) if moment.time() == datetime.min.time() else str(moment)


def _letter(found: re.Match[str]) -> str:
    number = int(found[1], 16)
    return found[0] if number in _SURROGATES else chr(number)
