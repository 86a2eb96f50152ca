"""The known elements of a document's message, made a `Letter` (gói tin văn bản).

Source: reference page edxml, sections 3, 4 and 6.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from exchange.edxml import codes, dates, extensions, joins, model, parties, values
from exchange.edxml.notes import Notes
from exchange.edxml.walk import Node

Facts: TypeAlias = dict[str, Any]
"""Some fields of a letter, found together; the record is made once, from all of them."""

INTEGER = re.compile(r"-?[0-9]{1,9}")
PAPER = {"0": 0, "1": 1}
_RECEIVER_TYPES = {"0": False, "1": True}


def build(notes: Notes, parts: Mapping[str, Node], limits: model.Limits) -> model.Letter:
    """The letter in `parts` (`walk.blocks`), one of which is a MessageHeader. Raises Unreadable `too_complex`."""
    header = parts["MessageHeader"]
    trace = parts.get("TraceHeaderList")
    named = _document(notes, header)
    return model.Letter(
        **named,
        **_particulars(notes, header),
        **(_way(notes, trace, named["document_id"]) if trace else {}),
        attachments=joins.attachments(notes, parts, limits),
        extensions=extensions.of(parts),
        header_path=header.xpath,
    )


def _document(notes: Notes, header: Node) -> Facts:
    """What names the document and its way: nearly all of it mandatory."""
    return Facts(
        sender=parties.sender(notes, header),
        recipients=parties.recipients(notes, header),
        document_id=values.identity(notes, header, "DocumentId"),
        number=values.required(notes, header, "Code", "CodeNumber"),
        notation=values.required(notes, header, "Code", "CodeNotation"),
        issued_on=values.required_day(notes, header, "PromulgationInfo", "PromulgationDate"),
        issued_on_text=values.text(header, "PromulgationInfo", "PromulgationDate"),
        subject=values.required(notes, header, "Subject"),
        place=values.text(header, "PromulgationInfo", "Place"),
        type_code=_integer(notes, header, "DocumentType", "Type"),
        type_detail=_integer(notes, header, "DocumentType", "TypeDetail"),
        type_name=values.text(header, "DocumentType", "TypeName") or values.text(header, "DocumentType"),
        content=values.text(header, "Content"),
        signer=_signer(header.one("SignerInfo")),
    )


def _integer(notes: Notes, header: Node, *names: str) -> str:
    node = values.leaf(header, *names)
    if node and node.text and not INTEGER.fullmatch(node.text):
        notes.warning("not_a_number", node.path, node.line, element=node.name, text=node.text)
    return node.text if node else ""


def _signer(info: Node | None) -> model.Signer:
    return model.Signer(
        competence=values.text(info, "Competence"),
        position=values.text(info, "Position"),
        name=values.text(info, "FullName"),
    )


def _particulars(notes: Notes, header: Node) -> Facts:
    """What is optional in the header."""
    other = header.one("OtherInfo")
    priority = values.code(notes, values.leaf(other, "Priority"), codes.PRIORITIES, codes.PRIORITY_ALIASES)
    steering = values.code(notes, header.one("SteeringType"), codes.STEERING, codes.STEERING_ALIASES)
    appendixes, places = values.leaf(other, "Appendixes"), header.one("ToPlaces")
    return Facts(
        due_on=values.day(notes, header, "DueDate"),
        due_on_text=values.text(header, "DueDate"),
        priority=int(priority or 0),
        steering=int(steering or 0),
        sphere=values.text(other, "SphereOfPromulgation"),
        typist=values.text(other, "TyperNotation"),
        copies=values.number(notes, other, "PromulgationAmount"),
        pages=values.number(notes, other, "PageAmount"),
        appendixes=values.texts(appendixes.many("Appendix")) if appendixes else (),
        to_places=values.texts(places.many("Place")) if places else (),
        response_for=parties.answered(notes, header),
    )


def _way(notes: Notes, trace: Node, document_id: str) -> Facts:
    """The way the message went, and what it is to do to an earlier one."""
    business = trace.one("Bussiness")
    paper = values.leaf(business, "Paper") or trace.one("Paper")
    facts = Facts(traces=_traces(notes, trace), paper=_paper(notes, paper))
    return facts | _business(notes, business, document_id) if business else facts


def _business(notes: Notes, business: Node, document_id: str) -> Facts:
    operation = _operation(notes, business)
    named = values.text(business, "DocumentId") or document_id
    return Facts(
        operation=operation,
        operation_reason=values.text(business, "BussinessDocReason"),
        target_document_id=named if operation in ("revoke", "update") else "",
        update=_update(notes, business.one("BussinessDocumentInfo")),
        replaced=_replaced(notes, business, operation),
        staff=parties.first_staff(notes, business.many("StaffInfo")),
    )


def _operation(notes: Notes, business: Node) -> str:
    """The operation; one nobody knows is an error, for a revocation must never pass for a new letter."""
    node = business.one("BussinessDocType")
    if node is None or not node.text:
        return "new"
    if node.text not in codes.OPERATION_OF:
        notes.error("unknown_code", node.path, node.line, element=node.name, text=node.text)
    return codes.OPERATION_OF.get(node.text, "new")


def _paper(notes: Notes, node: Node | None) -> int | None:
    if node is None or not node.text:
        return None
    if node.text not in PAPER:
        notes.warning("unclear_paper", node.path, node.line, element=node.name, text=node.text)
    return PAPER.get(node.text)


def _traces(notes: Notes, trace: Node) -> tuple[model.Trace, ...]:
    found = []
    for hop in trace.many("TraceHeader"):
        at = hop.one("Timestamp")
        if at and at.text and not dates.moment(at.text):
            notes.warning("bad_date", at.path, at.line, element=at.name, text=at.text)
        found.append(model.Trace(code=values.text(hop, "OrganId"), at_text=values.text(hop, "Timestamp")))
    return tuple(hop for hop in found if hop != model.Trace())


def _update(notes: Notes, info: Node | None) -> model.Update | None:
    if info is None:
        return None
    listed = info.one("ReceiverList")
    receivers = [_receiver(notes, node) for node in (listed.many("Receiver") if listed else ())]
    update = model.Update(
        document=values.text(info, "DocumentInfo") == "1",
        recipients=values.text(info, "DocumentReceiver") == "1",
        receivers=tuple(receiver for receiver in receivers if receiver),
    )
    return None if update == model.Update() else update


def _receiver(notes: Notes, node: Node) -> model.Receiver | None:
    kind, code = node.one("ReceiverType"), values.agency(node)
    if kind is None or not code or kind.text not in _RECEIVER_TYPES:
        notes.warning("unclear_receiver", node.path, node.line)
        return None
    return model.Receiver(code=code, added=_RECEIVER_TYPES[kind.text])


def _replaced(notes: Notes, business: Node, operation: str) -> tuple[model.Replacement, ...]:
    listed = business.one("ReplacementInfoList")
    found = [_replacement(node) for node in (listed.many("ReplacementInfo") if listed else ())]
    named = tuple(replacement for replacement in found if replacement.document_id)
    if operation == "replace" and not named:
        notes.warning("nothing_replaced", business.path, business.line)
    return named


def _replacement(node: Node) -> model.Replacement:
    agencies = node.one("OrganIdList")
    return model.Replacement(
        document_id=values.text(node, "DocumentId"),
        codes=tuple(filter(values.is_agency, values.texts(agencies.many("OrganId")))) if agencies else (),
    )
