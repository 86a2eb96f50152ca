"""Bytes to a message: the way in.

    prolog   encoding; a DOCTYPE is refused before a parser sees it
    tree     strict parse within budgets; the one repair (an undeclared prefix)
    walk     the known elements, each once where it must be once
    letter, notice, parties, joins   the records

A letter whose shape was met before, and in which nothing is odd, needs neither parser nor walk:

    markup    the bytes cut into markup and texts
    planning  what stands where in all letters of a shape, remembered (`plan`)
    planned   the letter by its plan, or nothing

What makes a document unreadable is raised; everything else is a finding, and an error among the findings
means that the message must not be acted on (the caller answers 422 `findings`).
"""

from exchange.edxml import letter, model, notice, planned, tree, walk
from exchange.edxml.model import LIMITS, Limits, Unreadable
from exchange.edxml.notes import Notes

__all__ = ["LIMITS", "Limits", "Unreadable", "read"]


def read(raw: bytes, limits: Limits = LIMITS) -> model.Reading:
    """The letter or notice in `raw` with everything noticed.

    Raises Unreadable: `not_xml`, `forbidden_xml` (DOCTYPE), `not_edxml` (another root), `too_complex`.
    """
    return planned.read(raw, limits) or ordinary(raw, limits)


def ordinary(raw: bytes, limits: Limits) -> model.Reading:
    """The same of a message of any shape: parsed, walked, and every fact looked up in the tree."""
    root, repaired = tree.parse(raw, limits)
    notes = Notes()
    if repaired:
        notes.warning("repaired", "", None)
    document = walk.known(root, notes, limits)
    parts = walk.blocks(notes, document)
    header = parts.get("MessageHeader")
    if header is None:
        notes.error("missing", f"{document.path}/MessageHeader", document.line, element="MessageHeader")
        header = walk.Node("MessageHeader", root, broken=True)
    message = _message(notes, {**parts, "MessageHeader": header}, limits)
    return model.Reading(
        message=message,
        findings=notes.findings(),
        repaired=repaired,
        header_path=header.xpath,
    )


def _message(notes: Notes, parts: dict[str, walk.Node], limits: Limits) -> model.Message:
    header = parts["MessageHeader"]
    if notice.announced(notes, header):
        return notice.build(notes, header)
    return letter.build(notes, parts, limits)
