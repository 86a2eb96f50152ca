"""The bytes of attached files, made and opened on demand: base64, and the ZIP around most kinds of file.

Source: reference page edxml, section 10.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from exchange import errors
from exchange.edxml import kinds, model, names, spooled, wrapping
from exchange.edxml.spooled import Content

MOST = 100 * 1024 * 1024
"""Bytes that a wrapped file may unfold to; a larger one stays wrapped."""

LEAST_ROOM = 16 * 1024 * 1024
"""Bytes to which the wrapped files of a letter may unfold together, however small it is."""

_ZIP = "application/zip"
_SENT_BARE = ("pdf", "doc", "docx", "zip")


class Damaged(ValueError):  # noqa: N818 - it says what the attachment is
    """The base64 text of an attachment is none."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What an attachment holds: bytes, kind (`kinds.kind`), hex SHA-256, whether it was wrapped; and findings."""

    size: int = 0
    kind: str = ""
    sha256: str = ""
    wrapped: bool = False
    findings: tuple[errors.Finding, ...] = ()


def encode(name: str, data: bytes | memoryview, content_type: str, content_id: str = "") -> model.Attachment:
    """A file to be sent: bare if pdf, doc, docx or zip, else in a one-entry ZIP, as every known reader undoes.

    Without a `content_id` it is made from name and bytes. Raises ValueError for a bare file without bytes.
    """
    name = names.safe(name, 0)
    bare = names.ending(name) in _SENT_BARE
    sent = data if bare else wrapping.wrap(name, data)
    if not sent:
        raise ValueError(f"{name} has no bytes")
    return model.Attachment(
        name=name,
        content_type=content_type,
        transfer_type=content_type if bare else _ZIP,
        content_id=content_id or _content_id(name, data),
        encoded=base64.b64encode(sent).decode("ascii"),
    )


def _content_id(name: str, data: bytes | memoryview) -> str:
    digest = hashlib.sha256(name.encode() + b"\0")
    digest.update(data)
    return digest.hexdigest()[:32]


def decode(attachment: model.Attachment) -> bytes:
    """The bytes as they were sent, in memory; white space in the base64 text is allowed. Raises Damaged."""
    if attachment.spooled:
        return attachment.spooled.read_bytes()
    lines = attachment.encoded.split()
    try:
        return unbased(lines[0] if len(lines) == 1 else "".join(lines))
    except ValueError as error:
        raise Damaged(str(error)) from None


def unbased(text: str) -> bytes:
    """The bytes in base64 without white space. Raises ValueError; also for more padding than the last four letters need."""
    if len(text) % 4 or text.endswith("==="):
        raise ValueError("padding")
    return binascii.a2b_base64(text, strict_mode=True)


def content(attachment: model.Attachment, most: int = MOST) -> Content:
    """The file itself: as sent, or taken out of its wrapping; in memory, unless it is a large letter's. Raises Damaged."""
    return _opened(attachment, _sent(attachment), most)


def contents(letter: model.Letter) -> Iterator[Content]:
    """Every file of a letter. What is wrapped may unfold to twice what was sent, or 16 MiB, all files together;
    what would go beyond stays wrapped. Raises Damaged, at the file that is.
    """
    room = _room(letter)
    for attachment in letter.attachments:
        sent = _sent(attachment)
        opened = _opened(attachment, sent, min(room, MOST))
        room -= len(opened) if opened is not sent else 0
        yield opened


def _room(letter: model.Letter) -> int:
    return max(LEAST_ROOM, 2 * sum(one.size + len(one.encoded) for one in letter.attachments))


def _sent(attachment: model.Attachment) -> Content:
    return spooled.opened(attachment.spooled) if attachment.spooled else decode(attachment)


def _opened(attachment: model.Attachment, sent: Content, most: int) -> Content:
    ending = names.ending(attachment.name)
    wrapped = sent[:4] == b"PK\x03\x04" and ending != "zip"
    if not wrapped or not (ending or attachment.transfer_type == _ZIP):
        return sent
    opened = wrapping.unwrap(sent, ending, most)
    return sent if opened is None else opened


def inspect(attachment: model.Attachment, most: int = MOST) -> Inspection:
    """What the attachment holds, and what is wrong with it."""
    try:
        sent = _sent(attachment)
    except Damaged:
        return Inspection(findings=(_finding("error", "damaged_bytes", attachment),))
    opened = _opened(attachment, sent, most)
    kind = kinds.kind(opened)
    return Inspection(
        size=len(opened),
        kind=kind,
        sha256=spooled.digest(opened).hex(),
        wrapped=opened is not sent,
        findings=tuple(_doubts(attachment, opened, kind)) if sent else (),
    )


def _doubts(attachment: model.Attachment, opened: Content, kind: str) -> list[errors.Finding]:
    promised = kinds.EXPECTED.get(names.ending(attachment.name))
    doubts = []
    if promised and kind not in promised:
        doubts.append(_finding("warning", "kind_differs", attachment, kind=kind))
    if kind == "executable":
        doubts.append(_finding("warning", "executable", attachment))
    if kinds.recoded(opened, attachment.name):
        doubts.append(_finding("warning", "recoded_bytes", attachment))
    return doubts


def _finding(severity: str, code: str, attachment: model.Attachment, **facts: str) -> errors.Finding:
    path = f"AttachmentEncoded/Attachment[{attachment.position + 1}]"
    facts = {"name": attachment.name, **facts}
    return errors.Finding(severity=severity, code=code, path=path, line=attachment.line, facts=facts)


def inspections(letter: model.Letter) -> Iterator[Inspection]:
    """What each file of a letter holds; what is wrapped unfolds into the same room as by `contents`."""
    room = _room(letter)
    for attachment in letter.attachments:
        found = inspect(attachment, min(room, MOST))
        room -= found.size if found.wrapped else 0
        yield found


def examine(letter: model.Letter) -> tuple[errors.Finding, ...]:
    """What is wrong with the bytes of a letter's attachments; `read` does not look into them."""
    return tuple(finding for inspection in inspections(letter) for finding in inspection.findings)
