"""Frozen records of one edXML message: what was read, or is to be written.

    Letter   gói tin văn bản, a document in one of four operations
    Notice   bản tin trạng thái, the answer to a letter
    Reading  a message with everything noticed while reading it

Every text is trimmed; an element that is empty or absent is an empty text or None. Fields named `*_text`
keep what stood in the message where a date or a name could not be taken as it was; they, `path` and
`header_path` tell where a record comes from and are left out of comparisons.
Source: reference page edxml, sections 2 to 6 and 10.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from exchange import errors

OPERATIONS = ("new", "revoke", "update", "replace")
"""Loại nghiệp vụ in the order of their codes 0 to 3 (BussinessDocType)."""


@dataclass(frozen=True, kw_only=True)
class Party:
    """An agency as a message names it (đơn vị gửi, đơn vị nhận): `code` is its OrganId, opaque here."""

    code: str
    name: str = ""
    in_charge: str = ""
    address: str = ""
    email: str = ""
    telephone: str = ""
    fax: str = ""
    website: str = ""


@dataclass(frozen=True, kw_only=True)
class Staff:
    """The person handling it (người xử lý)."""

    department: str = ""
    name: str = ""
    mobile: str = ""
    email: str = ""


@dataclass(frozen=True, kw_only=True)
class Signer:
    """Who signed the document, as typed by its sender (người ký): no proof of anything."""

    competence: str = ""
    position: str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class ResponseFor:
    """The document answered (văn bản được phản hồi): agency code, `7816/VPCP-TTĐT`, day, DocumentId."""

    code: str = ""
    reference: str = ""
    issued_on: date | None = None
    document_id: str = ""
    issued_on_text: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One hop of the message (vết): a system's code, often missing or nonsense, and its time as text."""

    code: str = ""
    at_text: str = ""


@dataclass(frozen=True, kw_only=True)
class Replacement:
    """One replaced document (văn bản được thay thế) and the agencies for which it is replaced."""

    document_id: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Receiver:
    """One change of the list of recipients by an update: added, else removed."""

    code: str
    added: bool


@dataclass(frozen=True, kw_only=True)
class Update:
    """What an update changes (thông tin cập nhật): the document's facts, the recipients, and which."""

    document: bool = False
    recipients: bool = False
    receivers: tuple[Receiver, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One attached file (tệp đính kèm), its bytes still as base64 text: `attachments.decode` on demand.

    Those of a large letter stand decoded in the file `spooled`, `size` bytes; `encoded` is empty then.
    `name` is safe to show and to save; `raw_name` is what was sent, where that differs.
    `content_type` is the manifest's (the original's), `transfer_type` that beside the bytes: both may lie.
    `content_id` carries neither `cid:` nor angle brackets. `path` is lxml's `getpath`, `position` counts from 0, `line` from 1.
    """

    name: str
    content_type: str = ""
    transfer_type: str = ""
    description: str = ""
    content_id: str = ""
    encoded: str = field(default="", repr=False)
    spooled: Path | None = field(default=None, compare=False)
    size: int = field(default=0, compare=False)
    position: int = field(default=0, compare=False)
    raw_name: str = field(default="", compare=False)
    path: str = field(default="", compare=False)
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Extension:
    """One value that no field of the standard holds: a vendor's element, or one that nobody knows.

    `path` is its way in the standard's names from the block on (`MessageHeader/OtherInfo/Direction`, with `[2]`
    where an element may repeat), `name` the last of them. Longer texts are cut to MOST_EXTENSION letters.
    """

    path: str
    name: str
    text: str


MOST_EXTENSION = 2_000
MOST_EXTENSIONS = 100
"""Letters of one extension; extensions of one message: the rest is in the bytes alone."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A document's message (gói tin văn bản).

    `operation` is one of `OPERATIONS`. `target_document_id` is the document revoked or updated: the one
    named, else `document_id`; empty otherwise. `replaced` names the documents of a replacement.
    `priority` 0 to 4 (độ khẩn), `steering` 0 none, 1 directive, 2 report on one.
    `paper` is 1 (a paper copy follows), 0 (none) or None: not declared, never to be counted as 0.
    `type_code` and `type_detail` are kept as sent; two numberings are in use.
    """

    sender: Party
    recipients: tuple[Party, ...]
    document_id: str
    number: str
    notation: str
    issued_on: date | None
    subject: str
    place: str = ""
    type_code: str = ""
    type_detail: str = ""
    type_name: str = ""
    content: str = ""
    signer: Signer = Signer()
    due_on: date | None = None
    priority: int = 0
    sphere: str = ""
    typist: str = ""
    copies: int | None = None
    pages: int | None = None
    appendixes: tuple[str, ...] = ()
    response_for: tuple[ResponseFor, ...] = ()
    steering: int = 0
    to_places: tuple[str, ...] = ()
    traces: tuple[Trace, ...] = ()
    operation: str = "new"
    operation_reason: str = ""
    target_document_id: str = ""
    update: Update | None = None
    replaced: tuple[Replacement, ...] = ()
    staff: Staff | None = None
    paper: int | None = None
    attachments: tuple[Attachment, ...] = ()
    extensions: tuple[Extension, ...] = ()
    issued_on_text: str = field(default="", compare=False)
    due_on_text: str = field(default="", compare=False)
    header_path: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A status message (bản tin trạng thái): `status` is two digits, `at` is zoned, to the second.

    Its addressee is `response_for.code`.
    """

    sender: Party
    response_for: ResponseFor
    status: str
    description: str = ""
    staff: Staff | None = None
    at: datetime | None = None
    extensions: tuple[Extension, ...] = ()
    at_text: str = field(default="", compare=False)


Message = Letter | Notice


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A message and what was noticed; an error among `findings` means: do not act on it.

    `repaired`: it had an undeclared prefix and was read by recovery, so no signature in it can count.
    `header_path` is lxml's `getpath` of MessageHeader, empty if there is not exactly one.
    `skeleton` is a large message without what was cut out of it (`spool`); None of one that was read whole.
    """

    message: Message
    findings: tuple[errors.Finding, ...] = ()
    repaired: bool = False
    header_path: str = ""
    skeleton: bytes | None = field(default=None, repr=False, compare=False)

    @property
    def sound(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Budgets checked before any other work: bytes, elements (with comments), levels, files, letters of one fact."""

    bytes: int = 100 * 1024 * 1024
    elements: int = 200_000
    depth: int = 64
    attachments: int = 200
    text: int = 100_000


LIMITS = Limits()
"""The budgets of the exchange (design, section 5)."""


class Unreadable(errors.Problem):
    """No message could be read: `not_xml`, `forbidden_xml`, `not_edxml` or `too_complex`; one finding says why."""

    def __init__(self, code: str, detail: str, line: int | None = None) -> None:
        finding = errors.Finding(severity="error", code=code, line=line, facts={"detail": detail})
        super().__init__(code, detail, (finding,))
