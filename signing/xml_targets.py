"""What a signature's references point at, and whether that is what a reader will take for the content.

Wrapping (giả mạo bằng cách bọc lại): the signed part is moved to where nobody reads it, and something else put in its
place; every digest still holds. So a reference must name exactly one place, that place must be where an element of
this name belongs, and nothing of the message may stand inside a signature. What exactly is covered is told by paths:
whoever reads the message must compare them with what was read.
"""

from typing import NamedTuple

from lxml import etree

from signing.algorithms import DS
from signing.xml_document import Document, Element
from signing.xml_structure import Reference, Signature

_SIGNATURE = f"{{{DS}}}Signature"
_FAULTS = ("same_name_elsewhere", "comment_in_signed_content")
"""Faults of places; the first is told before the second, whichever reference meets it."""

_HAS_NOTES = etree.XPath("boolean(.//comment()) or boolean(.//processing-instruction())")


class Target(NamedTuple):
    """What one reference points at; `content`: a part of the message, not of a signature."""

    reference: Reference
    element: Element
    content: bool


class Spot(NamedTuple):
    """An element that may be pointed at; `fault`: why nobody may rely on what is signed there."""

    element: Element
    content: bool
    fault: str | None


class Spots:
    """What stands at the places that references of one message name; all its signatures ask of the same parts."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._known: dict[str, Spot | str] = {}

    def at(self, uri: str | None) -> Spot | str:
        """The one place, or why there is none in this message."""
        if uri is None or (uri and not uri.startswith("#")):
            return "external_reference"
        known = self._known.get(uri)
        if known is None:
            known = self._known[uri] = self._found(uri)
        return known

    def _found(self, uri: str) -> Spot | str:
        document = self.document
        element = document.identifiers.elements.get(uri[1:]) if uri else document.root
        if element is None:
            return "target_missing"
        content, fault = not document.is_inside_signature(element), None
        if content and uri and document.stands_elsewhere(element):
            fault = "same_name_elsewhere"
        elif _holds_note(element, document):
            fault = "comment_in_signed_content"
        return Spot(element, content, fault)


def resolve(signature: Signature, spots: Spots) -> tuple[Target, ...] | str:
    """The target of each reference, or the first thing that forbids to trust where they point."""
    wrapping = _wrapping_fault(signature, spots.document)
    if wrapping:
        return wrapping
    targets, faults = [], []
    for reference in signature.references:
        spot = spots.at(reference.uri)
        if isinstance(spot, str):
            return spot
        if reference.enveloped and spot.element not in signature.element.iterancestors():
            return "enveloped_misplaced"
        if spot.fault:
            faults.append(spot.fault)
        targets.append(Target(reference, spot.element, spot.content))
    return min(faults, key=_FAULTS.index) if faults else tuple(targets)


def _wrapping_fault(signature: Signature, document: Document) -> str | None:
    if document.identifiers.doubled and any(reference.uri for reference in signature.references):
        return "doubled_identifier"
    if len(document.signatures) > 1 and _is_nested(signature):
        return "nested_signature"
    return "content_in_signature" if _holds_content(signature, document) else None


def _is_nested(signature: Signature) -> bool:
    above = next(signature.element.iterancestors(_SIGNATURE), None)
    return signature.layout.nested or above is not None


def _holds_content(signature: Signature, document: Document) -> bool:
    """Whether anything of the message's own vocabulary, or another root, stands inside the signature."""
    own, root = document.root_name
    vocabulary = own not in {"", DS}
    for namespace, name in signature.layout.foreign:
        if name == root or (vocabulary and namespace == own):
            return True
    return False


def _holds_note(element: Element, document: Document) -> bool:
    """Whether a comment or processing instruction stands in the element; around the root counts as in it."""
    return document.has_notes and (element is document.root or bool(_HAS_NOTES(element)))
