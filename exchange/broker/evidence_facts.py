"""What of a letter's records goes into its evidence, column by column, for whom. Pure.

    operator        everything but the contents, which stand in letter.xml
    party           persons and notes of its own agency only; a recipient its own transfer only
    monitor         no contents in any word: no subject, no file's name, nothing that people wrote (role R4); of the receipt,
                    which names every recipient, the digest and the key's id

A column that is not listed here goes to nobody. Source: rules_and_measures.md, part E; issue 6, part 7.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from exchange.broker import receipts, trace, why

Record = Mapping[str, Any]

LETTER = (
    "sender", "id", "document_id", "operation", "round", "sha256", "size", "number", "notation", "issued_on", "series",
    "document_type", "urgency", "target_document_id", "response_for", "main_attachment", "copy_form", "paper",
    "paper_reason", "no_paper_standing", "test", "recipients", "purposes", "unroutable", "requirement", "reason", "missing",
    "directory_version", "policy_sha256", "system", "accepted_at", "expanded_at", "recheck_at", "main_sha256", "issued_year",
    "number_key", "notation_key", "first_of_key", "duplicates", "added", "removed", "restated", "effected_at",
)  # fmt: skip
DELIVERY = (
    "recipient", "letter", "round", "id", "sender", "kind", "operation", "document_id", "number", "notation", "issued_on",
    "document_type", "urgency", "purpose", "sha256", "size", "accepted_at", "requirement", "class", "excluded",
    "counted_class", "scope", "grade", "justified", "state", "open", "system", "fetched_at", "arrived_at", "status",
    "copy_form", "request", "request_letter", "request_facts", "requested_at", "request_answer", "answered_at", "replaced_by",
    "recalled", "restated_by", "added_at", "paper_seen_on", "attested_at", "said_paper", "said_reason", "on_register",
    "register_rows", "paper_acts", "put_off", "put_off_facts",
)  # fmt: skip
VERDICT = (
    "sender", "letter", "revision", "position", "place", "carrier", "main", "format", "indication", "sub_indication", "why",
    "signer_kind", "signer_name", "signer_agency", "officer", "certificate_sha256", "signed_at_claimed",
    "best_signature_time", "time_source", "covers_whole", "coverage", "changes_after", "provisional", "wrapping", "evidence",
    "trust_sha256", "policy_sha256", "verifier", "judged_at",
)  # fmt: skip
LINE = (
    "agency", "id", "at", "event", "letter", "delivery", "system", "sha256", "size", "code", "detail",
)  # fmt: skip
RECEIPT = ("letter", "accepted_at", "exchange")
"""What of a receipt's member a monitor is told."""
OF_OTHERS = frozenset({"recipients", "purposes", "duplicates", "added", "removed", "unroutable"})
"""Columns of a letter about its recipients: all of them are the sender's to know."""
PERSONAL = frozenset({"by", "why"})
"""Who did an act and the note beside it: for the agency that did it."""
WORDLESS = frozenset(
    {
        "n", "on", "month", "paper", "reason", "moved_on", "revision", "cause", "from", "to", "round", "kind", "letter",
        "over", "operation", "was", "notice", "at", "count", "requirement", "class_if_electronic",
        "of", "asked",
    }
)  # fmt: skip
"""Facts of a line in which nobody's words stand."""
PACKAGE = "package"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who reads: the parties for which it acts, none of them for a monitor; None: an operator.

    `own` are the recipients of the deliveries it gets; `files` what files are called for who may not know their names.
    """

    agencies: frozenset[UUID] | None
    sender: UUID
    own: frozenset[UUID]
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def party(self) -> bool:
        """Whether it may know what the letter says."""
        return self.agencies is None or bool(self.agencies)

    @property
    def sent(self) -> bool:
        """Whether it may know all that the sender does."""
        return self.agencies is None or self.sender in self.agencies

    def said(self, agency: UUID | None) -> bool:
        """Whether what that agency noted for itself is the reader's own."""
        return self.agencies is None or agency in self.agencies


def reader(
    agencies: Collection[UUID] | None,
    letter: Record,
    deliveries: Iterable[Record],
    verdicts: Iterable[Record],
) -> Reader:
    """Who reads this letter's evidence, for the reduced records below."""
    return Reader(
        agencies=None if agencies is None else frozenset(agencies),
        sender=letter["sender"],
        own=frozenset(one["recipient"] for one in deliveries),
        files=_files(letter, verdicts),
    )


def _files(letter: Record, verdicts: Iterable[Record]) -> dict[str, str]:
    names = [letter["main_attachment"] or PACKAGE]
    names += [name for row in verdicts for name in (row["place"], row["carrier"] or PACKAGE)]
    names += [one.partition(":")[2] or PACKAGE for one in letter["missing"]]
    known = [name for name in dict.fromkeys(names) if name != PACKAGE]
    return {PACKAGE: PACKAGE, **{name: f"attachment {n}" for n, name in enumerate(known, 1)}}


def letter(row: Record, to: Reader) -> dict[str, Any]:
    """The letter's own facts."""
    told = _told(row, LETTER)
    if not to.sent:
        pairs = list(zip(row["recipients"], row["purposes"], strict=False))
        told |= {name: [one for one in row[name] if one in to.own] for name in OF_OTHERS - {"purposes"}}
        told["purposes"] = [purpose for recipient, purpose in pairs if recipient in to.own]
    if not to.party:
        told["main_attachment"] = to.files.get(row["main_attachment"] or "")
        told["missing"] = [_unnamed(one, to) for one in row["missing"]]
    return told


def _unnamed(code: str, to: Reader) -> str:
    key, _, name = code.partition(":")
    return f"{key}:{to.files[name]}" if name else key


def delivery(row: Record, to: Reader) -> dict[str, Any]:
    """One delivery; what an update would restate is the parties'."""
    told = _told(row, DELIVERY)
    return told if to.party else told | {"request_facts": None, "put_off_facts": None}


def verdict(row: Record, to: Reader) -> dict[str, Any]:
    """One verdict."""
    told = _told(row, VERDICT)
    if to.party:
        return told
    return told | {"place": to.files[row["place"]], "carrier": to.files.get(row["carrier"], "")}


def lines(rows: Iterable[Record], deliveries: Iterable[Record], to: Reader) -> list[dict[str, Any]]:
    """The journal's lines that the reader may see, with what it may know of each."""
    seen = rows if to.agencies is None else trace.told(rows, tuple(deliveries), to.agencies)
    return [_told(one, LINE) | {"detail": _detail(one, to)} for one in seen]


def _detail(line: Record, to: Reader) -> dict[str, Any]:
    detail = line["detail"]
    if not to.party:
        return {name: value for name, value in detail.items() if name in WORDLESS}
    if to.said(why.said_by(line, to.sender)):
        return dict(detail)
    return {name: value for name, value in detail.items() if name not in PERSONAL}


def receipt(stored: bytes, to: Reader) -> bytes:
    """The statement; for a monitor without what was signed, which names every recipient and what people wrote as such.

    In its place stands the digest: the member's own id, which no one else is told, keeps it from being guessed. Its warnings,
    which are not signed, speak of contents: a monitor gets their codes.
    """
    if to.party:
        return stored
    whole = receipts.read(stored) or {"receipt": {}, "signature": {}}
    told = {
        "receipt": _known(whole["receipt"], RECEIPT),
        receipts.LEFT_OUT: receipts.member_sha256(whole),
        **_known(whole, ("requirement", "class_if_electronic")),
        "warnings": [_known(one, ("severity", "code")) for one in whole.get("warnings", ())],
        "signature": _known(whole["signature"], ("algorithm", "key_id")),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _known(facts: Record, names: Iterable[str]) -> dict[str, Any]:
    return {name: facts[name] for name in names if name in facts}


def _told(row: Record, columns: Iterable[str]) -> dict[str, Any]:
    return {name: row[name] for name in columns}
