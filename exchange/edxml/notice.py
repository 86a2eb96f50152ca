"""The known elements of a status message, made a `Notice` (bản tin trạng thái).

Source: reference page edxml, section 5.
"""

from dataclasses import replace

from exchange.edxml import codes, dates, extensions, model, parties, values
from exchange.edxml.notes import Notes
from exchange.edxml.walk import Node

_OF_NOTICES = ("StatusCode", "Timestamp", "Description", "StaffInfo")
_OF_LETTERS = ("To", "Code", "PromulgationInfo", "Subject")
_TAKE_BACK = "13"


def announced(notes: Notes, header: Node) -> bool:
    """Whether the header is a notice's; one that is both a letter's and a notice's is the error `two_in_one`."""
    to, status = header.many("To"), header.one("StatusCode")
    if to and status and (status.text or status.broken):
        notes.error("two_in_one", header.path, header.line)
    if status and status.text:
        return True
    return not any(map(header.many, _OF_LETTERS)) and any(map(header.many, _OF_NOTICES))


def build(notes: Notes, header: Node) -> model.Notice:
    """The notice in a MessageHeader."""
    at = header.one("Timestamp")
    if at and at.text and not dates.moment(at.text):
        notes.warning("bad_date", at.path, at.line, element=at.name, text=at.text)
    status = _status(notes, header)
    return model.Notice(
        sender=parties.sender(notes, header),
        response_for=_response_for(notes, header, status),
        status=status,
        description=values.text(header, "Description"),
        staff=parties.staff(header.one("StaffInfo")),
        at=dates.moment(at.text) if at else None,
        at_text=at.text if at else "",
        extensions=extensions.of({"MessageHeader": header}),
    )


def _status(notes: Notes, header: Node) -> str:
    """The status; one that nobody knows is an error, for it is all that a notice says."""
    written = values.required(notes, header, "StatusCode")
    node = header.one("StatusCode")
    if written in codes.STATUSES or written in codes.STATUS_ALIASES:
        return values.code(notes, node, codes.STATUSES, codes.STATUS_ALIASES)
    if node and written:
        notes.error("unknown_code", node.path, node.line, element="StatusCode", text=written)
    return ""


def _response_for(notes: Notes, header: Node, status: str) -> model.ResponseFor:
    """The one document answered: its addressee and id are mandatory."""
    nodes = header.many("ResponseFor")
    if len(nodes) > 1:
        notes.error("twice", nodes[1].path, nodes[1].line, element="ResponseFor", first=str(nodes[0].line))
        return model.ResponseFor()
    values.required_code(notes, header, "ResponseFor", "OrganId")
    values.required(notes, header, "ResponseFor", "DocumentId")
    if not nodes:
        return model.ResponseFor()
    return _unswapped(notes, nodes[0], parties.response_for(notes, nodes[0]), status)


def _unswapped(notes: Notes, node: Node, answer: model.ResponseFor, status: str) -> model.ResponseFor:
    """The .NET library exchanges code and reference in a take-back: only a reference has a slash in it."""
    if status != _TAKE_BACK or "/" not in answer.code or "/" in answer.reference or not answer.reference:
        return answer
    notes.warning("swapped_code", node.path, node.line, code=answer.reference)
    return replace(answer, code=answer.reference, reference=answer.code)
