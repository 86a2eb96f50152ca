"""The records of a signature policy (chính sách chữ ký số): frozen, hashable, recorded with each decision."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import Literal

Capacity = Literal["organisation", "individual"]
CopyForm = Literal["original", "true_copy", "extract", "duplicate"]

ANY = "*"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row: whose signatures the main document needs, for a copy form and a document type (or `ANY`).

    It holds from `valid_from` to `valid_to`, both included; None: since ever, for ever. What stands as None below
    is as the whole policy says.
    """

    copy_form: str
    document_type: str
    demands: tuple[Capacity, ...]
    basis: str
    valid_from: date | None = None
    valid_to: date | None = None
    annex_kinds: tuple[str, ...] | None = None
    annex_demands: tuple[Capacity, ...] | None = None
    later_changes: tuple[str, ...] | None = None
    after_organisation: tuple[str, ...] | None = None

    def holds(self, on: date) -> bool:
        """Whether the rule holds on a day."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The signature policy (yêu cầu chữ ký).

    `rules`: first match wins. `annex_kinds`: which separate annexes must be signed, and `annex_demands` by
    whom. `later_changes`: what may have been changed after a person's signature in a PDF, once an
    organisation's signature covers the whole final file (the clerk stamps number and date in between).
    `after_organisation`: what may follow that one, being no content (PAdES-LT and -LTA).
    `package_by_declaration`: an XML signature counts for the attachments it covers only where the sender
    has declared `signs_package`; otherwise always. `accept_broken`: row 2 of the admission table warns
    instead of refusing. `source`: the act it follows.
    """

    rules: tuple[Rule, ...]
    annex_kinds: tuple[str, ...] = ("pdf",)
    annex_demands: tuple[Capacity, ...] = ("organisation",)
    later_changes: tuple[str, ...] = ("signature", "form", "annotation", "validation", "page_stamp")
    after_organisation: tuple[str, ...] = ("validation",)
    package_by_declaration: bool = False
    accept_broken: bool = False
    source: str = ""

    @cached_property
    def text(self) -> str:
        """The policy as canonical JSON: names sorted, no white space, days in ISO 8601."""
        return json.dumps(
            asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=date.isoformat
        )

    @cached_property
    def sha256(self) -> bytes:
        """Digest of `text` in UTF-8."""
        return hashlib.sha256(self.text.encode()).digest()


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a policy wants of one letter: signatures on the main document and on which annexes, and what may change."""

    demands: tuple[Capacity, ...]
    annex_kinds: tuple[str, ...]
    annex_demands: tuple[Capacity, ...]
    later_changes: tuple[str, ...]
    after_organisation: tuple[str, ...]
    basis: str = ""
