"""What a signature's references point at, and whether that is what a reader will take for the content.

Wrapping (giả mạo bằng cách bọc lại): the signed part is moved to where nobody reads it, and something else put in its
place; every digest still holds. So a reference must name exactly one place, that place must be where an element of
this name belongs, and nothing of the message may stand inside a signature. What exactly is covered is told by paths:
whoever reads the message must compare them with what was read.
"""

from collections.abc import Iterable
from typing import NamedTuple

from lxml import etree

from signing.algorithms import DS
from signing.xml_document import Document, Element
from signing.xml_structure import Reference, Signature

_SIGNATURE = f"{{{DS}}}Signature"
_HAS_NOTES = etree.XPath("boolean(.//comment()) or boolean(.//processing-instruction())")


class Target(NamedTuple):
    """What one reference points at; `content`: a part of the message, not of a signature."""

    reference: Reference
    element: Element
    content: bool


def resolve(signature: Signature, document: Document) -> tuple[Target, ...] | str:
    """The target of each reference, or the first thing that forbids to trust where they point."""
    wrapping = _wrapping_fault(signature, document)
    if wrapping:
        return wrapping
    targets = [_resolve(reference, signature.element, document) for reference in signature.references]
    faults = [one for one in targets if isinstance(one, str)]
    if faults:
        return faults[0]
    found = tuple(one for one in targets if isinstance(one, Target))
    return _fault(found, document) or found


def _resolve(reference: Reference, signature: Element, document: Document) -> Target | str:
    uri = reference.uri
    if uri is None or (uri and not uri.startswith("#")):
        return "external_reference"
    element = document.identifiers.elements.get(uri[1:]) if uri else document.root
    if element is None:
        return "target_missing"
    if reference.enveloped and element not in signature.iterancestors():
        return "enveloped_misplaced"
    return Target(reference, element, not document.is_inside_signature(element))


def _wrapping_fault(signature: Signature, document: Document) -> str | None:
    if any(reference.uri for reference in signature.references) and document.identifiers.doubled:
        return "doubled_identifier"
    if len(document.signatures) > 1 and _is_nested(signature):
        return "nested_signature"
    return "content_in_signature" if _holds_content(signature, document) else None


def _fault(targets: Iterable[Target], document: Document) -> str | None:
    content = [target for target in targets if target.content]
    if any(target.reference.uri and document.stands_elsewhere(target.element) for target in content):
        return "same_name_elsewhere"
    if any(_holds_note(target.element, document) for target in targets):
        return "comment_in_signed_content"
    return None


def _is_nested(signature: Signature) -> bool:
    above = next(signature.element.iterancestors(_SIGNATURE), None)
    return signature.layout.nested or above is not None


def _holds_content(signature: Signature, document: Document) -> bool:
    """Whether anything of the message's own vocabulary, or another root, stands inside the signature."""
    own, root = document.root_name
    vocabulary = own not in {"", DS}
    return any(
        name == root or (vocabulary and namespace == own) for namespace, name in signature.layout.foreign
    )


def _holds_note(element: Element, document: Document) -> bool:
    """Whether a comment or processing instruction stands in the element; around the root counts as in it."""
    return document.has_notes and (element is document.root or bool(_HAS_NOTES(element)))
