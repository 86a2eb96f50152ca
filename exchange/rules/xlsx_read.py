"""A workbook (XLSX) as sheets of cells: what a person sees in them, and how it was typed in.

The archive is opened by `xlsx_parts`, cells are read by `xlsx_cells`. Only what carries text is looked at: the list of
sheets, shared strings, and which number formats are dates.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from exchange.rules import xlsx_cells, xlsx_parts
from exchange.rules.xlsx_cells import MAIN, Line, Words
from exchange.rules.xlsx_parts import Budget, Package, UnreadableError

MAX_SHEETS = 50
MAX_FORMATS = 100_000

_RELATION = "http://schemas.openxmlformats.org/package/2006/relationships Relationship"
_RELATION_ID = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
_DATES = frozenset(map(str, (*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59))))
"""Built-in number formats of dates and times (ISO/IEC 29500-1, 18.8.30)."""
_SILENT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.')
"""What a number format shows as it stands, and its colours and conditions."""

Attributes = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet (trang tính): its lines with their numbers in order, and its first joined ranges as A1:B2."""

    title: str
    lines: tuple[Line, ...]
    merged: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Book:
    """A workbook read; `linked`: it names other files, which nobody looked at."""

    sheets: tuple[Sheet, ...]
    linked: bool = False


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A workbook opened, its cells not read yet: the parts of its sheets by title, in order."""

    package: Package
    parts: tuple[tuple[str, str], ...]
    words: Words
    linked: bool = False


def read(raw: bytes, budget: Budget | None = None) -> Book:
    """All sheets of a workbook; UnreadableError if it is none, not one that we open, or takes more than `budget`."""
    book = opened(raw, budget or Budget())
    sheets = []
    for title, part in book.parts:
        held = xlsx_cells.read(book.package, part, book.words)
        sheets.append(Sheet(title=title, lines=held.lines, merged=held.merged))
    return Book(sheets=tuple(sheets), linked=book.linked)


def opened(raw: bytes, budget: Budget) -> Opened:
    """The workbook without its cells; UnreadableError as `read`."""
    package = xlsx_parts.opened(raw, budget)
    main = _main(package)
    relations = _relations(package, main)
    by_type = dict(relations.values())
    named, since_1904 = _named(package, main)
    words = Words(
        strings=_strings(package, by_type["sharedStrings"]) if "sharedStrings" in by_type else (),
        dates=_dates(package, by_type["styles"]) if "styles" in by_type else (),
        since_1904=since_1904,
    )
    kinds = ((title, *relations.get(relation, ("", ""))) for title, relation in named)
    # charts and dialogs have no cells
    parts = tuple((title, part) for title, kind, part in kinds if kind == "worksheet")
    return Opened(package=package, parts=parts, words=words, linked="externalLink" in by_type)


def flow(book: Opened, part: str, flowing: xlsx_cells.Flow) -> Iterator[Line]:
    """The lines of one sheet as they are read: however long it is, few of them are held."""
    return flowing.lines(book.package, part, book.words)


def _main(package: Package) -> str:
    found = [part for kind, part in _relations(package, "").values() if kind == "officeDocument"]
    if len(found) != 1 or not found[0].endswith(".xml"):
        raise UnreadableError("sheet_not_workbook")
    return found[0]


def _relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Of each relation of a part its kind, the last word of its type, and the part it leads to."""
    folder, _, name = part.rpartition("/")
    listed = xlsx_parts.target(folder, f"_rels/{name}.rels")
    if listed not in package.parts:
        raise UnreadableError("sheet_not_workbook")
    found: dict[str, tuple[str, str]] = {}

    def begin(tag: str, attributes: Attributes) -> None:
        if tag == _RELATION:
            kind = attributes.get("Type", "").rpartition("/")[2]
            inside = attributes.get("TargetMode", "Internal") == "Internal"
            found[attributes.get("Id", "")] = (
                kind if inside else "outside",
                xlsx_parts.target(folder, attributes.get("Target", "")),
            )

    xlsx_parts.walk(package, listed, begin, _nothing, _nothing)
    if any(kind == "vbaProject" for kind, _ in found.values()):
        raise UnreadableError("sheet_workbook_macros")
    return found


def _named(package: Package, main: str) -> tuple[list[tuple[str, str]], bool]:
    """Titles of sheets with their relations, in order, and whether days count from 1904."""
    found: list[tuple[str, str]] = []
    since_1904: list[bool] = []

    def begin(tag: str, attributes: Attributes) -> None:
        if tag == f"{MAIN}sheet":
            found.append((attributes.get("name", ""), attributes.get(_RELATION_ID, "")))
        elif tag == f"{MAIN}workbookPr":
            since_1904.append(attributes.get("date1904") in {"1", "true"})

    xlsx_parts.walk(package, main, begin, _nothing, _nothing)
    if not found:
        raise UnreadableError("sheet_not_workbook")
    if len(found) > MAX_SHEETS or len({relation for _, relation in found}) < len(found):
        raise UnreadableError("sheet_workbook_damaged", part=main)
    return found, any(since_1904)


def _strings(package: Package, part: str) -> list[str]:
    """Shared strings (18.4); what is written above them for pronouncing is left out."""
    found: list[str] = []
    pieces: list[str] = []
    within: list[str] = []

    def begin(tag: str, _attributes: Attributes) -> None:
        within.append(tag)
        if tag == f"{MAIN}si":
            pieces.clear()

    def end(tag: str) -> None:
        within.pop()
        if tag == f"{MAIN}si":
            if len(found) >= package.budget.strings:
                raise UnreadableError("sheet_workbook_too_large")
            found.append(xlsx_cells.unescaped("".join(pieces)[: xlsx_cells.MAX_CELL_CHARACTERS]))

    def text(piece: str) -> None:
        if within and within[-1] == f"{MAIN}t" and f"{MAIN}rPh" not in within:
            package.budget.spend(characters=len(piece))
            pieces.append(piece)

    xlsx_parts.walk(package, part, begin, end, text)
    return found


def _dates(package: Package, part: str) -> list[bool]:
    """Of each cell style (18.8.10) whether its number format shows a date."""
    formats: dict[str, bool] = {}
    found: list[bool] = []
    within: list[str] = []

    def begin(tag: str, attributes: Attributes) -> None:
        within.append(tag)
        if tag == f"{MAIN}numFmt":
            formats[attributes.get("numFmtId", "")] = _shows_date(attributes.get("formatCode", ""))
        elif tag == f"{MAIN}xf" and f"{MAIN}cellXfs" in within and len(found) < MAX_FORMATS:
            number = attributes.get("numFmtId", "0")
            found.append(formats.get(number, number in _DATES))

    xlsx_parts.walk(package, part, begin, _popping(within), _nothing)
    return found


def _shows_date(shape: str) -> bool:
    return any(letter in "dmyh" for letter in _SILENT.sub("", shape.lower()))


def _popping(stack: list[str]) -> Callable[[str], None]:
    def end(_tag: str) -> None:
        stack.pop()

    return end


def _nothing(*_told: object) -> None:
    """What is of no interest."""
