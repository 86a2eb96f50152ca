"""Small readings of text in XML signatures: base64, moments, names of certificates as people and software write them."""

import binascii
import re
import unicodedata
from datetime import datetime, timedelta, timezone

from cryptography import x509

from signing.xml_document import Element

_LOCAL = timezone(timedelta(hours=7))
"""Zone of the country; messages in the field state signing times without one."""

MOST_LETTERS = 2_000
"""Of a name as it is written, escapes taken off."""

_HEX_PAIRS = re.compile(r"(?:\\[0-9A-Fa-f]{2})+")
_HEX_VALUE = re.compile(r"#((?:[0-9A-Fa-f]{2})+)")


def decode(text: str | None) -> bytes | None:
    """Base64 in its one canonical writing; None for anything else, the empty text too."""
    try:
        data = binascii.a2b_base64(text or "")
    except ValueError:
        return None
    return data if data and binascii.b2a_base64(data, newline=False).decode() == text else None


def encoded(text: str | None) -> bytes | None:
    """What a node's text is the base64 of; None when it is not. Software writes most of it without white space."""
    return decode(text) or decode(bare(text))


def squeezed(node: Element | None) -> str | None:
    """A node's text without white space, as base64 needs it; None without a node."""
    return None if node is None else bare(node.text)


def bare(text: str | None) -> str:
    """The text of a node without white space."""
    if not text:
        return ""
    # Of what Python takes for white space, XML allows in ASCII only its own; other text is no base64 anyway.
    return "".join(text.split()) if text.isascii() else text


def moment(text: str) -> datetime | None:
    """A date and time (xsd:dateTime); without a zone it is the country's."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=_LOCAL)


def names(text: str, name: x509.Name) -> bool:
    """Whether `text` can be a writing of a certificate's name: every value of it stands there.

    The same name is written in either order, with other short names, quoted, escaped, or in hexadecimal (RFC 4514,
    RFC 2253, reference/signing.md 1.3), and no such text is ever believed: it may only contradict the certificate. An
    endless text is a writing of none: marks heaped on a letter take the square of time to be put in order.
    """
    plain = _HEX_VALUE.sub(_plain, _HEX_PAIRS.sub(_plain, text))
    values = [_text(one.value) for one in name]
    if not text.strip() or any(len(one) > MOST_LETTERS for one in (plain, *values)):
        return False
    written = _folded(plain)
    return all(_folded(value) in written for value in values)


def _plain(found: re.Match[str]) -> str:
    digits = found.group().replace("\\", "").removeprefix("#")
    return bytes.fromhex(digits).decode("utf-8", "replace")


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _folded(text: str) -> str:
    bare = text.replace("\\", "").replace('"', "")
    return " ".join(unicodedata.normalize("NFC", bare).casefold().split())
