"""A reading as plain facts, for JSON and for tables: names of codes and sentences in the reader's language."""

import base64
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date

from exchange import errors, texts
from exchange.edxml import attachments, capacity, codes, model, spooled

_OURS = frozenset({"encoded", "spooled", "size", "path", "header_path", "line", "extensions"})
"""Fields of records that are no facts of the message."""

Facts = dict[str, object]


def facts(reading: model.Reading, language: str = "vi") -> Facts:
    """All facts of a message, its findings and what its attachments hold (each is opened for that)."""
    message = reading.message
    opened = list(attachments.inspections(message)) if isinstance(message, model.Letter) else []
    found = [*reading.findings, *(one for inspection in opened for one in inspection.findings)]
    shown = {"kind": kind(message), "repaired": reading.repaired, **_record(message)}
    shown["extensions"] = [
        {"path": one.path, "name": one.name, "text": one.text} for one in message.extensions
    ]
    if isinstance(message, model.Letter):
        shown |= _names(message, language)
        pairs = zip(message.attachments, opened, strict=True)
        shown["attachments"] = [_attachment(attachment, inspection) for attachment, inspection in pairs]
    else:
        shown["status_name"] = name(codes.STATUSES, message.status, language)
    return {**shown, "findings": [finding(one, language) for one in found]}


def files(letter: model.Letter) -> list[Facts]:
    """The attached files with their bytes in base64, as `draft.FILE` takes them; null for bytes that cannot be had."""
    return [
        {
            "name": one.name,
            "content_type": one.content_type,
            "description": one.description,
            "content_id": one.content_id,
            "data": _base64(one),
        }
        for one in letter.attachments
    ]


def _base64(attachment: model.Attachment) -> str | None:
    try:
        return base64.b64encode(spooled.whole(attachments.content(attachment))).decode("ascii")
    except attachments.Damaged:
        return None


def kind(message: model.Message) -> str:
    """`letter` or `notice`."""
    return "letter" if isinstance(message, model.Letter) else "notice"


def findings(reading: model.Reading) -> tuple[errors.Finding, ...]:
    """What was noticed reading a message and opening its attachments."""
    message = reading.message
    opened = attachments.examine(message) if isinstance(message, model.Letter) else ()
    return (*reading.findings, *opened)


def name(rows: Mapping[str, codes.Row], code: str, language: str) -> str:
    """The name of a code, or an empty text for one that the list lacks."""
    return rows[code][f"name_{language}"] if code in rows else ""


def finding(one: errors.Finding, language: str = "vi") -> Facts:
    """A finding with its sentence, as answers and `--json` carry it."""
    return {
        "severity": one.severity,
        "code": one.code,
        "path": texts.clean(one.path),
        "line": one.line,
        "text": sentence(one, language),
    }


def sentence(one: errors.Finding, language: str = "vi") -> str:
    """What a finding says; a budget or a fact in it is named in words."""
    facts = dict(one.facts)
    if one.code == "too_complex":
        limit, _, most = facts["detail"].partition(" ")
        facts["detail"] = " ".join(filter(None, (texts.say(f"limit.{limit}", language), most)))
    if one.code == "shape":
        facts["cause"] = texts.say(f"shape_cause.{facts['cause']}", language)
    if one.code == "header_differs":
        facts["fact"] = texts.say(f"header_fact.{facts['fact']}", language)
    return texts.say(f"finding.{one.code}", language, **facts)


def _names(letter: model.Letter, language: str) -> Facts:
    return {
        "operation_name": name(codes.OPERATIONS, codes.CODE_OF[letter.operation], language),
        "priority_name": name(codes.PRIORITIES, str(letter.priority), language),
        "steering_name": name(codes.STEERING, str(letter.steering), language),
        "type": codes.document_type(letter.type_name, letter.notation),
        "capacity": capacity.named(letter.signer, language),
    }


def _attachment(attachment: model.Attachment, opened: attachments.Inspection) -> Facts:
    held = {"size": opened.size, "kind": opened.kind, "sha256": opened.sha256, "wrapped": opened.wrapped}
    return {**_record(attachment), **held}


def _record(record: object) -> Facts:
    """The fields of a dataclass instance, and of those in it, as JSON has them."""
    assert is_dataclass(record)
    kept = [field.name for field in fields(record) if field.name not in _OURS]
    return {fact: _plain(getattr(record, fact)) for fact in kept}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return _record(value) if is_dataclass(value) else value
