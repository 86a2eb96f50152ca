"""Rows as frozen records: a record's fields are the table's columns, in order. `store.insert` writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from exchange.rules.documents import DOCUMENTS

MOST_NUMBER = 200
"""Letters of number and notation that rows show and are found by: both stand in one index."""


@dataclass(frozen=True, kw_only=True)
class LetterRow:
    """One letter (gói tin văn bản) as table `letter` keeps it; the schema file tells the columns."""

    sender: UUID
    id: UUID
    document_id: str
    operation: str
    round: int
    sha256: bytes
    size: int
    number: str
    notation: str
    issued_on: date | None
    document_type: str
    subject: str
    urgency: int
    target_document_id: str | None
    response_for: tuple[str, ...]
    main_attachment: str | None
    copy_form: str
    paper: int | None
    paper_reason: str | None
    no_paper_standing: bool
    test: bool
    recipients: tuple[UUID, ...]
    purposes: tuple[str, ...]
    unroutable: tuple[str, ...]
    requirement: str
    reason: str
    missing: tuple[str, ...]
    directory_version: int
    policy_sha256: bytes
    system: UUID
    accepted_at: datetime
    receipt: bytes
    expanded_at: datetime | None
    main_sha256: bytes | None = None
    recheck_at: datetime | None = None
    issued_year: int | None = None
    series: str = ""
    number_key: str | None = None
    notation_key: str | None = None
    first_of_key: bool | None = None
    duplicates: tuple[UUID, ...] = ()
    added: tuple[UUID, ...] = ()
    removed: tuple[UUID, ...] = ()
    restated: bool = False
    effected_at: datetime | None = None

    @property
    def replay(self) -> bytes:
        """What tells letters of one document and round apart; documents have one identity, of them the first wins."""
        return b"" if self.operation in DOCUMENTS else self.sha256


@dataclass(frozen=True, kw_only=True)
class LinkRow:
    """What an operation acts on as table `letter_link` keeps it: whose deliveries of the target are concerned."""

    sender: UUID
    letter: UUID
    kind: str
    target: UUID
    recipients: tuple[UUID, ...]


@dataclass(frozen=True, kw_only=True)
class VerdictRow:
    """One verdict (kết quả kiểm tra chữ ký số) as table `verdict` keeps it."""

    sender: UUID
    letter: UUID
    revision: int
    position: int
    place: str
    carrier: str
    main: bool
    format: str
    indication: str
    sub_indication: str | None
    why: str
    signer_kind: str
    signer_name: str
    signer_agency: UUID | None
    officer: UUID | None
    certificate_sha256: bytes | None
    signed_at_claimed: datetime | None
    best_signature_time: datetime
    time_source: str
    covers_whole: bool
    coverage: str
    changes_after: tuple[str, ...]
    provisional: bool
    wrapping: bool
    evidence: tuple[str, ...]
    trust_sha256: bytes
    policy_sha256: bytes
    verifier: str
    judged_at: datetime


@dataclass(frozen=True, kw_only=True)
class JudgementRow:
    """A letter judged again (xét lại): what its verdicts of the same revision are worth, and by which rules."""

    sender: UUID
    letter: UUID
    revision: int
    at: datetime
    cause: str
    requirement: str
    reason: str
    missing: tuple[str, ...]
    class_if_electronic: str
    directory_version: int
    policy_sha256: bytes
    trust_sha256: bytes


@dataclass(frozen=True, kw_only=True)
class DueRow:
    """A letter that is to be judged again as table `rejudgement_due` keeps it: why, for which reason, and when."""

    sender: UUID
    letter: UUID
    cause: str
    rejudgement: UUID
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """One delivery (lượt gửi) as it starts; what happens to it later are updates of the other columns.

    `status` is what a notice says, two digits; None for letters.
    """

    recipient: UUID
    letter: UUID
    round: int
    id: UUID
    sender: UUID
    kind: str
    operation: str
    document_id: str
    number: str
    notation: str
    issued_on: date | None
    document_type: str
    subject: str
    urgency: int
    purpose: str
    sha256: bytes
    size: int
    accepted_at: datetime
    requirement: str
    klass: str
    excluded: str | None
    scope: str
    grade: str
    justified: str
    state: str
    status: str | None = None
    restated_by: UUID | None = None
    added_at: datetime | None = None
    copy_form: str = "original"


@dataclass(frozen=True, kw_only=True)
class AnswerRow:
    """One document that a letter answers (văn bản được phản hồi), as it says; the schema file tells the columns."""

    sender: UUID
    letter: UUID
    position: int
    agency: UUID | None
    document_id: str
    reference: str
    issued_on: date | None


@dataclass(frozen=True, kw_only=True)
class PayloadRow:
    """Bytes of one letter, inline (`body`) or in a file of that name; exactly one of the two."""

    id: UUID
    sha256: bytes
    size: int
    body: bytes | None
    file: str | None


@dataclass(frozen=True, kw_only=True)
class JournalRow:
    """One line of the journal (nhật ký): who, what, when, about which letter or delivery."""

    agency: UUID
    id: UUID
    at: datetime
    event: str
    letter: UUID | None = None
    delivery: UUID | None = None
    system: UUID | None = None
    sha256: bytes | None = None
    size: int | None = None
    code: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EvidenceRow:
    """A certificate, revocation list or OCSP response that a verdict names (bằng chứng), kept once by its digest."""

    sha256: bytes
    kind: str
    body: bytes
    first_seen: datetime


@dataclass(frozen=True, kw_only=True)
class DeltaRow:
    """One fact of the tally: `n` transfers of these properties more (or less, when negative)."""

    agency: UUID
    id: UUID
    view: str
    day: date
    scope: str
    document_type: str
    urgency: int
    klass: str
    excluded: str
    grade: str
    justified: str
    n: int


Row = (
    LetterRow
    | LinkRow
    | AnswerRow
    | VerdictRow
    | JudgementRow
    | DueRow
    | DeliveryRow
    | PayloadRow
    | JournalRow
    | EvidenceRow
    | DeltaRow
)

Alike = TypeVar("Alike", bound=Row)


def like(row: Alike, **changed: object) -> Alike:
    """A row that differs from `row` in these columns. Where thousands are made, quicker by half than to make each anew."""
    made = object.__new__(type(row))
    vars(made).update(vars(row), **changed)
    return made
