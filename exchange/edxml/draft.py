"""A message said as plain facts, made a record: the way back of `view.facts`, under the same names.

    read      a letter, with its files in place of what was told of its attachments
    notice    a notice
    sealed    the letter with its files as every known reader opens them

Every fact is a row of a table: its name, how it is read, whether it must be there. Nothing is asked of a clock or of
the directory, so the same facts are the same letter, byte for byte.
Source: reference page edxml, sections 3, 4, 8.1 and 10.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from exchange import texts
from exchange.edxml import attachments, codes, dates, model, names
from exchange.edxml.model import LIMITS
from exchange.edxml.notes import Notes
from exchange.edxml.plain import (
    Row,
    apart,
    choice,
    day,
    fault,
    flag,
    integer,
    many,
    moment,
    record,
    text,
    whole,
)

MOST_COUNTED = 999_999_999
PURPOSES = ("act", "cooperate", "inform")
"""Xử lý chính, phối hợp, để biết."""

TOLD = frozenset(
    {
        *("readable", "repaired", "findings", "operation_name", "priority_name", "steering_name", "type"),
        *("capacity", "attachments", "declared"),
    }
)
"""What `view.facts` tells of a letter beside its own facts: passed over here, but see `read`."""

TOLD_OF_NOTICES = frozenset({"readable", "repaired", "findings", "status_name", "declared"})
"""The same of a notice."""

UNNAMED_TYPE = "application/octet-stream"

Recipient = tuple[model.Party, str]
"""One recipient, and what is wanted of it: one of `PURPOSES`, or empty."""


@dataclass(frozen=True, kw_only=True)
class File:
    """One file to be attached (tệp đính kèm), with its bytes."""

    name: str
    data: bytes | memoryview = field(repr=False)
    content_type: str = UNNAMED_TYPE
    description: str = ""
    content_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A letter without its attachments yet, the files, and what is wanted of recipients, by code."""

    letter: model.Letter
    files: tuple[File, ...]
    purposes: Mapping[str, str]


def read(notes: Notes, given: object) -> Draft | None:
    """The letter that these facts say; None after a fault, which is noted with its place.

    Attachments that were told of want their files beside them: without any, the letter would lose them unseen.
    """
    draft = LETTER(notes, "", _without(TOLD, given))
    if isinstance(given, dict) and given.get("attachments") and given.get("files") is None:
        fault(notes, "files_missing", "/files")
        return None
    return draft if isinstance(draft, Draft) else None


def notice(notes: Notes, given: object) -> model.Notice | None:
    """The notice that these facts say; None after a fault, which is noted with its place."""
    found = NOTICE(notes, "", _without(TOLD_OF_NOTICES, given))
    return found if isinstance(found, model.Notice) else None


def sealed(draft: Draft) -> model.Letter:
    """The letter with its files in it."""
    return replace(draft.letter, attachments=tuple(map(attached, draft.files)))


def attached(file: File) -> model.Attachment:
    """A file as letters carry it."""
    kind = file.content_type or UNNAMED_TYPE
    made = attachments.encode(file.name, file.data, kind, file.content_id)
    return replace(made, description=file.description)


def _without(names: frozenset[str], given: object) -> object:
    if not isinstance(given, dict):
        return given
    return {name: fact for name, fact in given.items() if name not in names}


def document_id(letter: model.Letter) -> str:
    """As most writers make it: `H13.01,2026/11/21,15/CV-STC` (reference page edxml, 8.1)."""
    issued_on = dates.write_day(letter.issued_on) if letter.issued_on else ""
    return f"{letter.sender.code},{issued_on},{letter.number}/{letter.notation}"


def content(notes: Notes, at: str, given: object) -> bytes | memoryview | None:
    """The bytes of a file; a text in their place is base64 that nobody could decode."""
    if not isinstance(given, bytes | memoryview):
        fault(notes, "file_not_base64", at)
    elif not len(given):
        fault(notes, "file_empty", at)
    else:
        return given
    return None


def file_name(notes: Notes, at: str, given: object) -> str | None:
    """A name that is safe as it stands; of another one it is told which would be."""
    name = text(notes, at, given)
    if not name or names.safe(name, 0) == name:
        return name
    fault(notes, "file_unsafe_name", at, name=name, safe=names.safe(name, 0))
    return None


def _sender(notes: Notes, at: str, given: object) -> Any | None:  # noqa: ANN401 - as of every reader
    return _PARTY(notes, at, _named(given))


def _recipient(notes: Notes, at: str, given: object) -> Any | None:  # noqa: ANN401 - as of every reader
    return _RECIPIENT(notes, at, _named(given))


def _named(given: object) -> object:
    """An agency may be said by its code alone."""
    return {"code": given} if isinstance(given, str) else given


def _with_purpose(purpose: str = "", **facts: str) -> Recipient:
    return model.Party(**facts), purpose


def _notice(**facts: Any) -> model.Notice:  # noqa: ANN401 - facts of many kinds
    facts.pop("kind", None)
    return model.Notice(**facts)


def _code_of(recipient: object) -> str:
    return _folded(_named(recipient), "code").upper()


def _name_of(file: object) -> str:
    return _folded(file, "name").casefold()


def _folded(entry: object, name: str) -> str:
    given = entry.get(name) if isinstance(entry, dict) else ""
    if not isinstance(given, str) or texts.heaped(given):
        return ""
    return unicodedata.normalize("NFC", given).strip()


def _draft(recipients: tuple[Recipient, ...], files: tuple[File, ...] = (), **facts: Any) -> Draft:  # noqa: ANN401 - facts of many kinds
    facts.pop("kind", None)
    parties = tuple(party for party, _ in recipients)
    letter = model.Letter(recipients=parties, **{"document_id": "", **facts})
    return Draft(
        letter=replace(
            letter,
            document_id=letter.document_id or document_id(letter),
            traces=facts.get("traces", (model.Trace(code=letter.sender.code),)),
        ),
        files=files,
        purposes={party.code: purpose for party, purpose in recipients if purpose},
    )


TEXT = Row(text)
NEEDED = Row(text, required=True)
DAY = Row(day)
FLAG = Row(flag)
COUNT = Row(whole(0, MOST_COUNTED))
NUMBER = Row(integer)

PARTY = {
    "code": NEEDED,
    "name": TEXT,
    "in_charge": TEXT,
    "address": TEXT,
    "email": TEXT,
    "telephone": TEXT,
    "fax": TEXT,
    "website": TEXT,
}
STAFF = {"department": TEXT, "name": TEXT, "mobile": TEXT, "email": TEXT}
SIGNER = {"competence": TEXT, "position": TEXT, "name": TEXT}
ANSWERED = {"code": TEXT, "reference": TEXT, "issued_on": DAY, "issued_on_text": TEXT, "document_id": TEXT}
HOP = {"code": TEXT, "at_text": TEXT}
REPLACED = {"document_id": NEEDED, "codes": Row(many(text))}
EXTENSION = {"path": NEEDED, "name": NEEDED, "text": NEEDED}
EXTENSIONS = Row(many(record(model.Extension, EXTENSION), model.MOST_EXTENSIONS))
RECEIVER = {"code": NEEDED, "added": Row(flag, required=True)}
UPDATE = {
    "document": FLAG,
    "recipients": FLAG,
    "receivers": Row(many(record(model.Receiver, RECEIVER))),
}
FILE = {
    "name": Row(file_name, required=True),
    "content_type": TEXT,
    "description": TEXT,
    "content_id": TEXT,
    "data": Row(content, required=True),
}

_PARTY = record(model.Party, PARTY)
_RECIPIENT = record(_with_purpose, {**PARTY, "purpose": Row(choice(*PURPOSES))})

FACTS = {
    "kind": Row(choice("letter")),
    "sender": Row(_sender, required=True),
    "recipients": Row(apart(many(_recipient), "recipient_twice", _code_of), required=True),
    "document_id": TEXT,
    "number": NEEDED,
    "notation": NEEDED,
    "issued_on": Row(day, required=True),
    "issued_on_text": TEXT,
    "place": TEXT,
    "type_code": NUMBER,
    "type_detail": NUMBER,
    "type_name": TEXT,
    "subject": NEEDED,
    "content": TEXT,
    "signer": Row(record(model.Signer, SIGNER)),
    "due_on": DAY,
    "due_on_text": TEXT,
    "priority": Row(whole(0, 4)),
    "steering": Row(whole(0, 2)),
    "sphere": TEXT,
    "typist": TEXT,
    "copies": COUNT,
    "pages": COUNT,
    "appendixes": Row(many(text)),
    "response_for": Row(many(record(model.ResponseFor, ANSWERED))),
    "to_places": Row(many(text)),
    "traces": Row(many(record(model.Trace, HOP))),
    "operation": Row(choice(*model.OPERATIONS)),
    "operation_reason": TEXT,
    "target_document_id": TEXT,
    "update": Row(record(model.Update, UPDATE)),
    "replaced": Row(many(record(model.Replacement, REPLACED))),
    "paper": Row(whole(0, 1)),
    "staff": Row(record(model.Staff, STAFF)),
    "extensions": EXTENSIONS,
    "files": Row(apart(many(record(File, FILE), LIMITS.attachments), "file_same_name", _name_of)),
}
"""Every fact of a letter, with the names of `model.Letter`; `files` stand in place of its attachments."""

LETTER = record(_draft, FACTS)

NOTICE_FACTS = {
    "kind": Row(choice("notice"), required=True),
    "sender": Row(_sender, required=True),
    "response_for": Row(
        record(model.ResponseFor, {**ANSWERED, "code": NEEDED, "document_id": NEEDED}), required=True
    ),
    "status": Row(choice(*codes.STATUSES), required=True),
    "description": TEXT,
    "staff": Row(record(model.Staff, STAFF)),
    "at": Row(moment),
    "extensions": EXTENSIONS,
    "at_text": TEXT,
}
"""Every fact of a notice, with the names of `model.Notice`."""

NOTICE = record(_notice, NOTICE_FACTS)
