"""The published shape of a message, `schemas/edxml/edxml.xsd`, and where a message that we read leaves it.

The schema is the table of `grammar` as XSD 1.0, in the one layered form that we emit: each element where its writers
put it, in any order, with text for every value. How often, in which code, on which day: that is for the findings of
reading. `document()` makes the file; a test holds the two together (`python -m exchange.edxml.shape > …/edxml.xsd`).
Source: reference page edxml, sections 2 to 5 and 11 (XSD advice).
"""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from lxml import etree

from exchange import errors
from exchange.edxml import grammar, model, tree, write
from exchange.edxml.notes import Notes

LAYERS = {
    "edXML": ("edXMLEnvelope", "AttachmentEncoded"),
    "edXMLEnvelope": ("edXMLHeader", "edXMLBody"),
    "edXMLHeader": ("MessageHeader", "TraceHeaderList", "Signature", "DigitalSignature"),
    "edXMLBody": ("edXMLManifest",),
    "TraceHeaderList": ("TraceHeader", "Bussiness"),
    "PromulgationInfo": ("Place", "PromulgationDate"),
    "edXMLManifest": ("Reference",),
}
"""What stands there as it is emitted; the table of `grammar` is more tolerant, and has words of the flat form too."""

_TAG = re.compile(r"Element '(?:\{(?P<namespace>[^}]*)\})?(?P<name>[^']*)'")
_XSD = "http://www.w3.org/2001/XMLSchema"


def document() -> str:
    """The schema as text."""
    return "".join(_document())


def _document() -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield "<!-- The shape of an edXML message, letter or notice (QCVN 102:2016/BTTTT, layered form). Elements of one\n"
    yield "     parent stand in any order; how often, which codes and which days is told by findings. -->\n"
    yield f'<xs:schema xmlns:xs="{_XSD}" xmlns="{write.NAMESPACE}" targetNamespace="{write.NAMESPACE}"\n'
    yield '           elementFormDefault="qualified" attributeFormDefault="unqualified">\n'
    yield '  <xs:element name="edXML" type="edXML"/>\n'
    for name in ("edXML", *sorted(_branches() - {"edXML"})):
        yield from _type(name)
    yield "</xs:schema>\n"


def _branches() -> set[str]:
    """Elements with elements in them that a message can hold, from the root on."""
    found: set[str] = set()
    waiting = ["edXML"]
    while waiting:
        name = waiting.pop()
        found.add(name)
        inside = (one for one in children(name) if grammar.CHILDREN[name][one].inside)
        waiting += [one for one in inside if one not in found]
    return found


def children(name: str) -> tuple[str, ...]:
    """What may stand in an element."""
    return LAYERS.get(name) or tuple(
        child for child, entry in grammar.CHILDREN[name].items() if entry.name == child
    )


def _type(name: str) -> Iterator[str]:
    yield f'\n  <xs:complexType name="{name}">\n'
    yield '    <xs:choice minOccurs="0" maxOccurs="unbounded">\n'
    for child in children(name):
        yield f'      <xs:element name="{child}" type="{_kind(name, child)}"/>\n'
    if name == "edXMLHeader":
        yield '      <xs:any namespace="##other" processContents="lax"/>\n'
    yield "    </xs:choice>\n"
    yield '    <xs:anyAttribute processContents="lax"/>\n  </xs:complexType>\n'


def _kind(parent: str, child: str) -> str:
    """The type of a child; `Code` is a value in ResponseFor and holds two in MessageHeader."""
    entry = grammar.CHILDREN[parent][child]
    return "xs:anyType" if entry.opaque else child if entry.inside else "xs:string"


@cache
def schema() -> etree.XMLSchema:
    """The published schema, ready to validate."""
    return etree.XMLSchema(etree.fromstring((files("schemas") / "edxml" / "edxml.xsd").read_bytes()))


def findings(
    raw: bytes, known: Iterable[errors.Finding] = (), limits: model.Limits = model.LIMITS
) -> tuple[errors.Finding, ...]:
    """Where the message in `raw` leaves the shape: a warning each, but where `known` findings tell it already.

    A repaired message has no shape to speak of. Raises Unreadable as `read.read` does.
    """
    root, repaired = tree.parse(raw, limits)
    notes = Notes()
    if not repaired:
        _validate(root, notes, {(one.line, one.facts.get("element")) for one in known})
    return notes.findings()


def _validate(root: etree._Element, notes: Notes, told: set[tuple[int | None, str | None]]) -> None:
    for element in root.iter(f"{{*}}{grammar.BYTES}"):
        element.text = None  # whatever it says, it is text: not to be copied again
    checker = schema()
    checker.validate(root)
    places = _places(root)
    entries: Iterable[Any] = checker.error_log  # type: ignore[assignment]  # the stubs do not know that it iterates
    for entry in entries:
        found = _TAG.match(entry.message)
        tag = (found["namespace"] or "", found["name"]) if found else ("", "")
        element = places.get((entry.line, *tag), root)
        line, name = grammar.line_of(element), grammar.standard_name(element)
        if not {(line, name), (line, grammar.local_name(element))} & told:
            notes.warning(
                "shape",
                _path(element),
                line,
                element=grammar.local_name(element)[:100],
                cause=_cause(element),
            )


def _places(root: etree._Element) -> dict[tuple[int | None, str, str], etree._Element]:
    """Elements by line, namespace and name; the first of several."""
    places: dict[tuple[int | None, str, str], etree._Element] = {}
    for element in root.iter(etree.Element):
        namespace, _, name = str(element.tag).rpartition("}")
        places.setdefault((grammar.line_of(element), namespace[1:], name), element)
    return places


def _cause(element: etree._Element) -> str:
    """Why an element is not of the shape: a key of `shape_cause`."""
    parent = element.getparent()
    name, home = grammar.local_name(element), "" if parent is None else grammar.standard_name(parent)
    allowed = ("edXML",) if parent is None else children(home) if home in grammar.CHILDREN else ()
    if grammar.standard_name(element) not in allowed:
        return "place"
    if name not in allowed:
        return "spelling"
    if etree.QName(element).namespace != write.NAMESPACE:
        return "namespace"
    return "text" if _has_text(element) else "other"


def _has_text(element: etree._Element) -> bool:
    return any(text and not text.isspace() for text in (element.text, *(one.tail for one in element)))


def _path(element: etree._Element) -> str:
    names = [grammar.local_name(element), *map(grammar.local_name, element.iterancestors())]
    return "/".join(reversed(names))


if __name__ == "__main__":
    sys.stdout.write(document())
