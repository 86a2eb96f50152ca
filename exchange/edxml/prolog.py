"""What stands before the root element: the encoding, and whether there is a DOCTYPE.

A DOCTYPE must never reach the parser, because entities in it can grow without bound while it is read.
So the few constructs that may stand before the root are walked here, over bytes whose ASCII characters are
certain. That holds for the encodings admitted: UTF-8, UTF-16 with a byte order mark (turned into UTF-8
first) and a few single-byte ones; everything else, and a mark that contradicts the declaration, is not_xml.
The parser is then told the encoding, so that it cannot see other characters than this walk saw.
Source: XML 1.0 (fifth edition), sections 2.8, 4.3.3 and appendix F.
"""

import codecs
import re

from exchange.edxml import model

WIDE = ("utf-16-le", "utf-16-be")
"""Encodings of two bytes, known by their mark."""

_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_NARROW = {"utf-8", "us-ascii", "iso-8859-1", "windows-1252", "windows-1258"}
_DECLARATION = re.compile(
    rb"""<\?xml\s+version\s*=\s*(?:"[^"<>]*"|'[^'<>]*')(?:\s+encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["'])?"""
)
_MISCELLANEOUS = re.compile(rb"\s*(?:<!--.*?-->|<\?.*?\?>)", re.DOTALL)
_MARKUP = re.compile(rb"\s*<!")


def prepare(raw: bytes) -> tuple[bytes, str]:
    """The bytes to parse and the name of their encoding. Raises Unreadable `not_xml` or `forbidden_xml`."""
    content, encoding = _recoded(raw)
    refuse_doctype(content)
    return content, encoding


def encoding(start: bytes) -> str:
    """The encoding of a document that begins so, `utf-16-le` and `utf-16-be` among them. Raises Unreadable `not_xml`."""
    return _WIDE.get(start[:2]) or _narrow(start)[1]


def _recoded(raw: bytes) -> tuple[bytes, str]:
    wide = _WIDE.get(raw[:2])
    if wide:
        return _narrowed(raw[2:], wide), "utf-8"
    return _narrow(raw)


def _narrow(raw: bytes) -> tuple[bytes, str]:
    marked = raw.startswith(codecs.BOM_UTF8)
    content = raw.removeprefix(codecs.BOM_UTF8)
    encoding = _declared(content) or "utf-8"
    if encoding not in _NARROW or (marked and encoding != "utf-8"):
        raise model.Unreadable("not_xml", f"encoding {encoding}")
    return content, encoding


def _narrowed(raw: bytes, encoding: str) -> bytes:
    try:
        content = raw.decode(encoding).encode()
    except UnicodeError:
        raise model.Unreadable("not_xml", f"damaged {encoding}") from None
    if not (_declared(content) or "utf-16").startswith("utf-16"):
        raise model.Unreadable("not_xml", "BOM ≠ encoding")
    return content


def _declared(content: bytes) -> str:
    found = _DECLARATION.match(content)
    return (found[1] or b"").decode().lower() if found else ""


def refuse_doctype(content: bytes) -> None:
    """Raises Unreadable `forbidden_xml` when one stands before the root; in two bytes a character nothing is found."""
    position = 0
    while found := _MISCELLANEOUS.match(content, position):
        position = found.end()
    if _MARKUP.match(content, position):
        raise model.Unreadable("forbidden_xml", "DOCTYPE")
