"""A book's file as lines of cells, one at a time: CSV in the encodings of the field, or a workbook (XLSX).

Of a CSV file encoding and separator are found out: UTF-8 with or without byte order mark, UTF-16, commas, semicolons or tabs;
what is in no Unicode encoding is refused, with how it was typed where its bytes show it (`register_text`). Few lines are held
at a time, whatever the file's length; of a workbook its shared strings are held as well, as its format has it.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from exchange.rules import register_text, xlsx_cells, xlsx_read
from exchange.rules.xlsx_cells import Cell, Line
from exchange.rules.xlsx_parts import MAX_FILE_BYTES, Budget, UnreadableError

MAX_BYTES = 256 << 20
"""Of a CSV file."""
MAX_LINES = 500_000
MAX_CELLS_OF_LINE = xlsx_cells.MAX_FILLED_COLUMN
SEPARATORS = ",;\t"
_LOOKED_AT = 1 << 16
_WORKBOOK = (b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1"))
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

Score = Callable[[Sequence[str]], int]
"""How much a line of cells looks like the heading of a book."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One sheet (trang tính), or the whole of a CSV file: its lines as they are read, joined ranges once they have ended."""

    title: str
    lines: Iterator[Line]
    merged: Sequence[str] = field(default=())


def pages(file: BinaryIO, score: Score) -> Iterator[Page]:
    """The pages of a file, each to be read before the next. UnreadableError, also from their lines, if it is none that we read."""
    start = file.read(_LOOKED_AT)
    if not start.strip():
        raise UnreadableError("register_empty")
    if start.startswith(_WORKBOOK):
        yield from _workbook(start + file.read(MAX_FILE_BYTES + 1 - len(start)))
    else:
        yield Page(title="", lines=_csv(file, start, score))


def _workbook(raw: bytes) -> Iterator[Page]:
    book = xlsx_read.opened(
        raw,
        Budget(bytes=1 << 30, elements=30_000_000, characters=256 << 20, cells=10_000_000, strings=2_000_000),
    )
    for title, part in book.parts:
        flow = xlsx_cells.Flow(most=MAX_LINES)
        yield Page(title=title, lines=xlsx_read.flow(book, part, flow), merged=flow.merged)


def _csv(file: BinaryIO, start: bytes, score: Score) -> Iterator[Line]:
    encoding = _encoding(start)
    head = codecs.getincrementaldecoder(encoding)(errors="replace").decode(start)
    separator = max(SEPARATORS, key=lambda one: _best(head, one, score))
    text = io.TextIOWrapper(io.BufferedReader(_Capped(start, file)), encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    before = 0
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield before + 1, _line(cells)
            before = reader.line_num
            if before > MAX_LINES:
                raise UnreadableError("sheet_workbook_long", lines=MAX_LINES)
    except UnicodeDecodeError as error:
        raise _undecoded(error, before) from error
    except csv.Error as error:
        raise UnreadableError("register_not_csv", at=before + 1) from error


def _line(cells: Sequence[str]) -> tuple[Cell | None, ...]:
    if len(cells) > MAX_CELLS_OF_LINE:
        raise UnreadableError("sheet_workbook_wide", columns=MAX_CELLS_OF_LINE)
    return tuple(Cell(text=text) if (text := one.strip()) else None for one in cells)


def _encoding(start: bytes) -> str:
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if start[1::2].count(0) > len(start) // 4:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > len(start) // 4 else "utf-8"


def _undecoded(error: UnicodeDecodeError, before: int) -> UnreadableError:
    """What bytes in no Unicode encoding are, as far as they show it."""
    raw = bytes(error.object)
    kind = register_text.of_bytes(raw) if error.encoding == "utf-8" and 0 not in raw else ""
    if kind in {"tcvn3", "vni"}:
        return UnreadableError(f"register_{kind}")
    return UnreadableError("register_not_unicode", at=before + 1)


def _best(head: str, separator: str, score: Score) -> int:
    lines = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
    return max(map(score, _while_readable(lines)), default=0)


def _while_readable(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    try:
        yield from lines
    except csv.Error:
        return


class _Capped(io.RawIOBase):
    """What was looked at already and the rest of a file, as one; too much of it is told."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start = io.BytesIO(start)
        self._rest = rest
        self._left = MAX_BYTES

    def readable(self) -> bool:
        """As readers ask."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # what BufferedReader hands in
        """Fill the buffer."""
        piece = self._start.read(len(buffer)) or self._rest.read(len(buffer))
        self._left -= len(piece)
        if self._left < 0:
            raise UnreadableError("sheet_too_large", megabytes=MAX_BYTES >> 20)
        buffer[: len(piece)] = piece
        return len(piece)
