"""The parts of a workbook file (XLSX, ISO/IEC 29500): a ZIP archive of XML, opened as if an enemy had packed it.

Theory of operation. The archive is judged by its directory before anything is unpacked: what is encrypted, has
macros, names a part twice or packs in an unusual way is refused. Parts are then unpacked in small pieces into an XML
parser that refuses document types, so there are no entities; one budget of bytes and elements serves all parts of a
file, so that neither a bomb nor a million formatted empty rows can take more time or memory than it allows.

Nothing is ever fetched, run or evaluated: links to other files are not followed, and a formula is told as such.
"""

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from xml.parsers import expat

MAX_FILE_BYTES = 32 << 20
MAX_ENTRIES = 500
MAX_BYTES = 192 << 20
"""Of all parts that are read, unpacked."""
MAX_ELEMENTS = 3_000_000
"""Enough for a million formatted empty rows, which some programs leave behind."""
MAX_CHARACTERS = 32 << 20
"""Of all cells and shared strings."""
MAX_CELLS = 1_000_000
MAX_STRINGS = 500_000
MAX_DEPTH = 64
MAX_TOKEN_BYTES = 1 << 20
"""Of one tag; a longer one is scanned again and again by older parsers."""

_PIECE = 1 << 16
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = 1
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MACROS = ("vbaproject.bin", "xl/macrosheets/", "macroenabled")

_ENTRY = b"PK\x01\x02"
"""Opens each entry of an archive's directory."""
_DAMAGE = (
    expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, LookupError, RuntimeError,
)  # fmt: skip
"""What reading and parsing a part may raise, for no fault of ours; RuntimeError asks for a password."""

Begin = Callable[[str, Mapping[str, str]], None]
End = Callable[[str], None]


class UnreadableError(Exception):
    """A file that is no workbook we read; `code` is its finding's, `facts` are its sentence's."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(kw_only=True)
class Budget:
    """What may still be unpacked and parsed of one file."""

    bytes: int = MAX_BYTES
    elements: int = MAX_ELEMENTS
    characters: int = MAX_CHARACTERS
    cells: int = MAX_CELLS
    strings: int = MAX_STRINGS

    def spend(self, *, unpacked: int = 0, characters: int = 0, cells: int = 0) -> None:
        """Take from the budget; UnreadableError when it is used up. Elements are many and counted on the spot."""
        self.bytes -= unpacked
        self.characters -= characters
        self.cells -= cells
        if min(self.bytes, self.characters, self.cells) < 0:
            raise UnreadableError("sheet_workbook_too_large")


@dataclass(frozen=True, kw_only=True)
class Package:
    """An archive whose directory was judged: parts by name, and what is left of the budget."""

    archive: zipfile.ZipFile
    parts: Mapping[str, zipfile.ZipInfo]
    budget: Budget


def opened(raw: bytes, budget: Budget) -> Package:
    """The archive of a workbook; UnreadableError if it is none, or one that is not to be opened."""
    if len(raw) > MAX_FILE_BYTES:
        raise UnreadableError("sheet_too_large", megabytes=MAX_FILE_BYTES >> 20)
    if raw.startswith(_OLE):
        raise UnreadableError("sheet_workbook_locked")
    if raw.count(_ENTRY) > MAX_ENTRIES:
        raise UnreadableError("sheet_workbook_damaged", part="[ZIP]")
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError) as error:
        raise UnreadableError("sheet_not_workbook") from error
    entries = archive.infolist()
    parts = {_name(entry.filename): entry for entry in entries}
    if len(parts) < len(entries):
        raise UnreadableError("sheet_workbook_damaged", part="[ZIP]")
    for name, entry in parts.items():
        _judge(name, entry)
    return Package(archive=archive, parts=parts, budget=budget)


def walk(package: Package, part: str, begin: Begin, end: End, text: End) -> None:
    """Parse one part in pieces. Names are `namespace name`, those of attributes too."""
    for _ in steps(package, part, begin, end, text):
        pass


def steps(package: Package, part: str, begin: Begin, end: End, text: End) -> Iterator[None]:
    """The same, with a pause after every piece: what it held can be taken away before the next."""
    entry = package.parts.get(_name(part))
    if entry is None:
        raise UnreadableError("sheet_workbook_damaged", part=part)
    parser = _parser(package.budget, begin, end, text)
    try:
        yield from _feed(package, entry, parser)
    except _DAMAGE as error:
        raise UnreadableError("sheet_workbook_damaged", part=part) from error


def target(folder: str, named: str) -> str:
    """The part that a relation names, seen from the folder of the part that has the relation."""
    return _name(named if named.startswith("/") else posixpath.join(folder, named))


def _name(name: str) -> str:
    """Names of parts are compared without case (ISO/IEC 29500-2, 6.2.2.3) and never leave the archive."""
    return posixpath.normpath("/" + name.replace("\\", "/")).lstrip("/").lower()


def _judge(name: str, entry: zipfile.ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise UnreadableError("sheet_workbook_locked")
    if any(mark in name for mark in _MACROS):
        raise UnreadableError("sheet_workbook_macros")
    if entry.compress_type not in _PACKINGS:
        raise UnreadableError("sheet_workbook_damaged", part=entry.filename)


def _parser(budget: Budget, begin: Begin, end: End, text: End) -> "expat.XMLParserType":
    depth = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        budget.elements -= 1
        if depth > MAX_DEPTH or budget.elements < 0:
            raise UnreadableError("sheet_workbook_too_large")
        begin(name, attributes)

    def ended(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _no_doctype
    return parser


def _no_doctype(*_declared: object) -> None:
    raise UnreadableError("sheet_workbook_doctype")


def _feed(package: Package, entry: zipfile.ZipInfo, parser: "expat.XMLParserType") -> Iterator[None]:
    fed = 0
    with package.archive.open(entry) as unpacking:
        while piece := unpacking.read(_PIECE):
            package.budget.spend(unpacked=len(piece))
            fed += len(piece)
            parser.Parse(piece)
            if fed - parser.CurrentByteIndex > MAX_TOKEN_BYTES:
                raise UnreadableError("sheet_workbook_too_large")
            yield
    parser.Parse(b"", True)
    yield
