"""What the rules know of a letter beside its signatures: plain facts, taken from its header and from beside it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class AttachmentFacts:
    """One attachment (tệp đính kèm): `path` is the element's `getpath`, `sha256` of its decoded bytes.

    `name` is what verdicts name in `where`. `kind` is pdf or other.
    """

    name: str
    path: str
    kind: Literal["pdf", "other"]
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class LetterFacts:
    """What the requirement depends on in a letter (gói tin văn bản), and what its cautions are about.

    `main_named`: the attachment the sender calls the main document. `repaired`: the XML was readable only
    with recovery. `reused`: the same signed main document came earlier under another number, `reused_as`.
    `first_page`: the text of the signed main document's first page, empty where there is none to be had.
    `signer_name`: who signed as the header tells (SignerInfo/FullName).
    """

    sender: UUID
    document_type_name: str
    copy_form: str = "original"
    attachments: tuple[AttachmentFacts, ...] = ()
    header_path: str = ""
    main_named: str | None = None
    number: str = ""
    notation: str = ""
    issued_on: date | None = None
    signer_name: str = ""
    first_page: str = field(default="", repr=False)
    sender_from_axis: bool = False
    repaired: bool = False
    reused: bool = False
    reused_as: str = ""


def main_document(letter: LetterFacts) -> tuple[AttachmentFacts | None, bool]:
    """The only PDF, else the one the sender names, else the first (of the PDFs, if any), inferred."""
    pdfs = [attachment for attachment in letter.attachments if attachment.kind == "pdf"]
    if len(pdfs) == 1:
        return pdfs[0], False
    named = [attachment for attachment in letter.attachments if attachment.name == letter.main_named]
    if named:
        return named[0], False
    first = next(iter(pdfs or letter.attachments), None)
    return first, first is not None
