"""What was found out about one signature (kết quả kiểm tra chữ ký số): frozen records, names of ETSI EN 319 102-1.

A verdict says what was signed, by which certificate, when at the latest, and how the checks ended.
It does not say whether the signer is an agency or a person, nor whether the letter may pass:
the first comes from the directory, the second from `exchange.rules`.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Indication(StrEnum):
    """Main answer of EN 319 102-1 §5.1.3: Hợp lệ / Không hợp lệ / Chưa đủ căn cứ kết luận."""

    TOTAL_PASSED = "TOTAL_PASSED"
    TOTAL_FAILED = "TOTAL_FAILED"
    INDETERMINATE = "INDETERMINATE"


class SubIndication(StrEnum):
    """Why an answer is not TOTAL_PASSED (EN 319 102-1 §5.1.3, tables 5 and 6); only those we can give."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    OUT_OF_BOUNDS_NOT_REVOKED = "OUT_OF_BOUNDS_NOT_REVOKED"
    NOT_YET_VALID = "NOT_YET_VALID"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    TRY_LATER = "TRY_LATER"


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What exactly a signature covers.

    `whole`: the whole file as received (for XML: all but the signature itself; for PDF: every byte
    but its own `/Contents`, up to the last one). `paths`: for XML, the document paths
    (`lxml` `getpath`, e.g. `/*/*[2]/*[1]`) of the elements covered. `detail` is for people.
    """

    whole: bool
    detail: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One signature, judged at one moment (kết quả kiểm tra chữ ký số).

    `where` is `package` or the name of the file that is signed, `position` counts signatures there from 0; `carrier`
    is the file that holds the signature when it is another one (`report.pdf.p7s` beside `report.pdf`).
    `why` is a stable code; the sentence for people stands in the catalogues under `verdict.<why>`.
    `best_signature_time` is the earliest moment proven (receipt, or a validated timestamp).
    `provisional`: passed on revocation data older than that moment, to be checked again.
    `wrapping`: the signature covers something else than what a reader would take for the content.
    """

    where: str
    position: int
    format: str
    indication: Indication
    why: str
    best_signature_time: datetime
    coverage: Coverage
    carrier: str = ""
    sub_indication: SubIndication | None = None
    certificate: bytes | None = None
    signer_name: str = ""
    signed_at_claimed: datetime | None = None
    time_source: str = "receipt"
    provisional: bool = False
    wrapping: bool = False
    changes_after: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the signature is TOTAL_PASSED (provisionally or not)."""
        return self.indication is Indication.TOTAL_PASSED

    @property
    def certificate_sha256(self) -> str:
        """Hex SHA-256 of the signing certificate's DER bytes, or an empty text without one."""
        return hashlib.sha256(self.certificate).hexdigest() if self.certificate else ""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something seen that is no signature to judge: a placeholder, a foreign namespace, an unexamined format."""

    code: str
    where: str
    path: str = ""
    severity: str = "warning"


@dataclass(frozen=True, kw_only=True)
class Report:
    """All signatures of one file, in document order, and what else was seen."""

    verdicts: tuple[Verdict, ...] = ()
    remarks: tuple[Remark, ...] = field(default=())


class TooComplexError(Exception):
    """A budget was exceeded before any digest was computed: of what (`signatures`, `depth`), and how much is allowed."""

    def __init__(self, limit: str, most: int | None = None) -> None:
        super().__init__(limit, most)
        self.limit = limit
        self.most = most

    def __str__(self) -> str:
        return self.limit if self.most is None else f"{self.limit} ≤ {self.most}"
