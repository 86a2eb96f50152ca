"""What a letter's signatures must be, as data (chính sách chữ ký): frozen, hashable, recorded with each decision."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from exchange.rules import document_types

Capacity = Literal["organisation", "individual"]
CopyForm = Literal["original", "true_copy", "extract", "duplicate"]

ANY = "*"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One row: whose signatures the main document needs, for a copy form and a document type (or `ANY`)."""

    copy_form: str
    document_type: str
    demands: tuple[Capacity, ...]
    basis: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The signature policy (yêu cầu chữ ký).

    `rules`: first match wins. `annex_kinds`: which separate annexes must be signed, and `annex_demands` by
    whom. `later_changes`: what may have been changed after a person's signature in a PDF, once an
    organisation's signature covers the whole final file (the clerk stamps number and date in between).
    `after_organisation`: what may follow that one, being no content (PAdES-LT and -LTA).
    `package_by_declaration`: an XML signature counts for the attachments it covers only where the sender
    has declared `signs_package`; otherwise always.
    """

    rules: tuple[Rule, ...]
    annex_kinds: tuple[str, ...] = ("pdf",)
    annex_demands: tuple[Capacity, ...] = ("organisation",)
    later_changes: tuple[str, ...] = ("signature", "form", "annotation", "validation", "page_stamp")
    after_organisation: tuple[str, ...] = ("validation",)
    package_by_declaration: bool = False

    @cached_property
    def sha256(self) -> bytes:
        """Digest of the policy's canonical JSON: names sorted, no white space, UTF-8."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()


_COPY: tuple[Capacity, ...] = ("organisation",)
_ORIGINAL: tuple[Capacity, ...] = ("organisation", "individual")

DEFAULT = Policy(
    rules=(
        Rule(copy_form="true_copy", document_type=ANY, demands=_COPY, basis="NĐ 30/2020/NĐ-CP Điều 25(1)(c)"),
        Rule(copy_form="extract", document_type=ANY, demands=_COPY, basis="NĐ 30/2020/NĐ-CP Điều 25(1)(c)"),
        Rule(copy_form="duplicate", document_type=ANY, demands=_COPY, basis="NĐ 30/2020/NĐ-CP Điều 25(1)(c)"),
        Rule(copy_form=ANY, document_type=ANY, demands=_ORIGINAL, basis="NĐ 30/2020/NĐ-CP Điều 5(1)"),
    )
)
"""Decree 30/2020/NĐ-CP: an original needs the competent person's and the agency's signature, a copy the agency's."""


def demands(policy: Policy, copy_form: str, document_type: str) -> tuple[Capacity, ...]:
    """Whose signatures the main document needs. A policy without a matching row demands both."""
    kind = document_types.fold(document_type)
    for rule in policy.rules:
        if rule.copy_form in (ANY, copy_form) and document_types.fold(rule.document_type) in (ANY, kind):
            return rule.demands
    return _ORIGINAL
