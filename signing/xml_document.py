"""An XML message read for verifying: strictly, within budgets, without DTD, entities or network.

Theory of operation. Whatever could make a parser work hard or differ from another parser is refused on the bytes,
before parsing: another encoding than UTF-8 (a DOCTYPE could hide in it), a DOCTYPE, too much markup. What remains
is parsed once; sizes that need the tree (elements, depth, attributes) are counted by XPath, in C.
libxml2's canonicaliser sorts attributes by insertion and searches namespaces linearly, hence limits on both.

A message that another reader had to repair is parsed leniently here too, only to count its signatures: none of
them is evaluated.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TypeAlias, cast

from lxml import etree

from signing import xml_namespaces
from signing.algorithms import DS
from signing.verdict import Remark, TooComplexError

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml gives its element type no public name

ELEMENTS = 200_000
DEPTH = 64
ATTRIBUTES = 256
REMEMBERED = 256
SIGNATURES = 8

_SIGNATURE = f"{{{DS}}}Signature"
_SHORTEST = len(b"<a/>")
"""Bytes that any element takes; shorter messages need not be counted."""

_DECLARATION = re.compile(rb"\A(?:\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']")
_DOCTYPE = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s++|<\?(?>.*?\?>)|<!--(?>.*?-->))*+<!DOCTYPE", re.DOTALL)
_COUNT = etree.XPath("count(//*)")
_TOO_LARGE = etree.XPath("boolean(" + "/*" * (DEPTH + 1) + f") or boolean(//@*[{ATTRIBUTES + 1}])")
_IDENTIFIERS = ("Id", "ID", "id", "{http://www.w3.org/XML/1998/namespace}id")
_HAS_NOTES = etree.XPath("boolean(//comment()) or boolean(//processing-instruction())")


class UnreadableXmlError(ValueError):
    """Not XML as we accept it; `code` is `not_xml` or `forbidden_xml` (a DTD, another encoding)."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Identifiers:
    """Elements by their `Id`; all values under any spelling of the attribute, and whether one stands twice."""

    elements: Mapping[str, Element]
    values: frozenset[str]
    doubled: bool


@dataclass(frozen=True)
class Document:
    """A parsed message; its tree belongs to the verifier alone."""

    raw: bytes
    root: Element
    _places: dict[str, frozenset[tuple[str, ...]]] = field(default_factory=dict)
    _elsewhere: dict[Element, bool] = field(default_factory=dict)
    _paths: dict[Element, str] = field(default_factory=dict)
    _inside: dict[Element, bool] = field(default_factory=dict)

    @cached_property
    def nodes(self) -> tuple[Element, ...]:
        """All elements, comments and processing instructions in document order.

        As long as they are held, lxml need not wrap a node anew each time that it is met.
        """
        return tuple(self.root.iter())

    def hold_nodes(self) -> None:
        """Wrap every node now, before much is read of them."""
        _ = self.nodes

    @cached_property
    def identifiers(self) -> Identifiers:
        """All identifiers; only an attribute named exactly `Id`, in no namespace, makes an element a target."""
        found = [
            (name, value, element)
            for element in self.nodes
            for name, value in element.items()
            if name in _IDENTIFIERS
        ]
        values = frozenset(str(value) for _, value, _ in found)
        return Identifiers(
            elements={str(value): element for name, value, element in found if name == "Id"},
            values=values,
            doubled=len(values) < len(found),
        )

    @cached_property
    def has_notes(self) -> bool:
        """Whether there is any comment or processing instruction, outside the root too."""
        return bool(_HAS_NOTES(self.root))

    @cached_property
    def named(self) -> Mapping[str, Sequence[Element]]:
        """All elements by local name, whatever namespace and case; made once, for a hostile message has many."""
        by_tag: dict[str, list[Element]] = {}
        for element in self.nodes:
            if isinstance(tag := element.tag, str):
                by_tag.setdefault(tag, []).append(element)
        found: dict[str, list[Element]] = {}
        for alike in by_tag.values():  # names are read once for all elements that are written alike
            found.setdefault(split(alike[0])[1], []).extend(alike)
        return found

    @cached_property
    def signatures(self) -> tuple[Element, ...]:
        """XML signatures in document order."""
        return tuple(self.root.iter(_SIGNATURE))

    def places(self, name: str) -> frozenset[tuple[str, ...]]:
        """Where elements of a name stand: their names and those of their ancestors, innermost first."""
        if name not in self._places:
            self._places[name] = frozenset(map(place, self.named.get(name, ())))
        return self._places[name]

    def path(self, element: Element) -> str:
        """The element's path, as in `Coverage.paths`."""
        if element not in self._paths:
            self._paths[element] = self.root.getroottree().getpath(element)
        return self._paths[element]

    def stands_elsewhere(self, element: Element) -> bool:
        """Whether an element of the same name stands at another place of the message's structure.

        A name is compared as a tolerant reader does, without namespace and case. Repeated siblings, such as attachments,
        are at the same place; leaves such as codes may repeat everywhere. All signatures ask of the same parts.
        """
        if element not in self._elsewhere:
            here = place(element)
            self._elsewhere[element] = len(element) > 0 and self.places(here[0]) != {here}
        return self._elsewhere[element]

    def is_inside_signature(self, element: Element) -> bool:
        """Whether the element is a signature, or stands in one."""
        if element not in self._inside:
            above = next(element.iterancestors(_SIGNATURE), None)
            self._inside[element] = element.tag == _SIGNATURE or above is not None
        return self._inside[element]

    @cached_property
    def root_name(self) -> tuple[str, str]:
        """The root's namespace, or an empty text, and its local name."""
        namespace, _, name = str(self.root.tag).rpartition("}")
        return namespace[1:], name


def parse(raw: bytes, *, repaired: bool = False) -> Document:
    """The message as a tree. Raises UnreadableXmlError, or TooComplexError when over a budget."""
    _forbid(raw)
    if xml_namespaces.too_long(raw):
        raise TooComplexError("namespace", xml_namespaces.LONGEST)
    if len(raw) > 3 * _SHORTEST * ELEMENTS and raw.count(b"<") > 3 * ELEMENTS:
        raise TooComplexError("elements", ELEMENTS)
    try:
        root = etree.fromstring(raw, parser(recover=repaired))
    except etree.XMLSyntaxError as problem:
        raise UnreadableXmlError("not_xml", str(problem)) from problem
    if root is None:
        raise UnreadableXmlError("not_xml", "no element")
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableXmlError("forbidden_xml", "DTD")
    document = Document(raw, root)
    _keep_budgets(document)
    return document


def split(element: Element) -> tuple[str, str]:
    """An element's namespace, or an empty text, and its local name in the one case that tolerant readers compare."""
    tag = str(element.tag)
    return _remembered(tag) if len(tag) <= REMEMBERED else _split(tag)


def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition("}")
    return namespace[1:], name.casefold()


_remembered = lru_cache(maxsize=1024)(_split)


def place(element: Element) -> tuple[str, ...]:
    """The element's name and its ancestors' names, innermost first."""
    return tuple(split(node)[1] for node in (element, *element.iterancestors()))


def unjudged(document: Document, where: str) -> Iterable[Remark]:
    """Remarks on elements that look like signatures and are none: another namespace, or empty (reference/edxml.md 7)."""
    for element in document.root.iter("{*}Signature", "{*}DigitalSignature"):
        if element.tag == _SIGNATURE:
            continue
        name = etree.QName(element)
        if name.localname == "Signature":
            yield Remark(code="foreign_namespace", where=where, path=document.path(element))
        elif len(element) == 0 and not (element.text or "").strip():
            yield Remark(code="empty_signature", where=where, path=document.path(element), severity="info")


def parser(*, recover: bool = False) -> etree.XMLParser:
    """A parser without DTD, entities and network. `huge_tree` lifts libxml2's 10 MB limit for one text; our budgets stand in its place."""
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, recover=recover
    )


def _forbid(raw: bytes) -> None:
    if b"\0" in raw[:4] or raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise UnreadableXmlError("forbidden_xml", "encoding ≠ UTF-8")
    declared = _DECLARATION.match(raw)
    if declared and declared.group(1).upper() != b"UTF-8":
        raise UnreadableXmlError("forbidden_xml", "encoding ≠ UTF-8")
    if _DOCTYPE.match(raw):
        raise UnreadableXmlError("forbidden_xml", "DOCTYPE")


def _keep_budgets(document: Document) -> None:
    """What the tree must not exceed; prefixes are counted when the skeleton is made, before any digest."""
    root = document.root
    if len(document.raw) > _SHORTEST * ELEMENTS and cast("float", _COUNT(root)) > ELEMENTS:
        raise TooComplexError("elements", ELEMENTS)
    if _TOO_LARGE(root):
        raise TooComplexError("depth", DEPTH)
    if len(document.signatures) > SIGNATURES:
        raise TooComplexError("signatures", SIGNATURES)
