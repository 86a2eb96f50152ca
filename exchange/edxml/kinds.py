"""What a file is, by its first bytes: names and declared types lie (reference page edxml, section 10)."""

import re

from exchange.edxml import names, spooled
from exchange.edxml.spooled import Content

_STARTS = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"{\\rtf", "rtf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"MZ", "executable"),
    (b"\x7fELF", "executable"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
)
_INSIDE_ZIP = (
    (b"word/document.xml", "docx"),
    (b"xl/workbook.xml", "xlsx"),
    (b"ppt/presentation.xml", "pptx"),
    (b"mimetypeapplication/vnd.oasis.opendocument", "odf"),
)
_MARKUP = re.compile(rb"\s*<")
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

_PROMISES = (
    "pdf:pdf doc:ole,rtf docx:docx xls:ole xlsx:xlsx ppt:ole pptx:pptx rtf:rtf odt:odf ods:odf zip:zip "
    "png:png gif:gif jpg:jpeg jpeg:jpeg tif:tiff tiff:tiff txt:text csv:text xml:markup html:markup edxml:markup"
)
EXPECTED = {
    ending: frozenset(kinds.split(",")) for ending, kinds in (word.split(":") for word in _PROMISES.split())
}
"""Ending of a name -> the kinds it promises; other endings promise nothing."""
BINARY = {"pdf", "docx", "xlsx", "pptx", "odf", "zip", "ole", "png", "jpeg", "gif", "tiff", "rar", "7z"}
_PDF_WITHIN = 1024
_TAIL = 1 << 16
_LOST = "\ufffd".encode()
"""What a text codec puts where bytes are no text: EF BF BD."""


def kind(data: Content) -> str:
    """`pdf`, `docx`, `zip`, `ole` (old Word and Excel), `text`, `markup`, `data` …"""
    start = data[:_TAIL]
    if b"%PDF-" in start[:_PDF_WITHIN]:
        return "pdf"
    if start.startswith(b"PK\x03\x04"):
        ends = start + data[-_TAIL:]
        return next((name for mark, name in _INSIDE_ZIP if mark in ends), "zip")
    return next((name for mark, name in _STARTS if start.startswith(mark)), "") or _text(start)


def recoded(data: Content, name: str = "") -> bool:
    """Whether a binary file went through a text codec on its way: replacement characters stand in runs.

    It may have lost its magic number, too; then what its `name` promises counts. A single one stands in honest files.
    """
    promised = EXPECTED.get(names.ending(name), frozenset())
    return bool(BINARY & {kind(data), *promised}) and spooled.holds(data, _LOST + _LOST)


def _text(start: bytes) -> str:
    if _NO_TEXT.search(start) and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "data"
    return "markup" if _MARKUP.match(start) else "text"
