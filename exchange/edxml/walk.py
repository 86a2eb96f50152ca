"""A document held against the table of `grammar`: the known elements, and what is wrong with their order.

Tolerant in what does not matter, strict in what could make two readers see two letters. First all names of
`grammar.UNIQUE` are looked for in the whole document, also inside signatures and elements nobody knows:
one met twice, under whatever spelling, case, prefix or layer, is the error `twice`, and no occurrence is
taken; one that stands where it does not belong is the error `misplaced`. Then the tree is walked along the
table; a value with a comment, processing instruction or element inside it is an error and not taken.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from exchange.edxml import grammar, model
from exchange.edxml.notes import Notes

_HIDDEN = re.compile(
    "[\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Characters without an image that XML allows: controls, directions, joiners, tags."""


@dataclass(frozen=True, slots=True)
class Node:
    """A known element: the standard's name, a readable path, its trimmed text or its children by name.

    `broken`: nothing may be taken from it (met twice, or markup inside its text); that was noted.
    """

    name: str
    path: str
    element: etree._Element
    text: str = ""
    broken: bool = False
    children: dict[str, list["Node"]] = field(default_factory=dict)

    @property
    def line(self) -> int | None:
        """Line in the file, counted from 1."""
        return grammar.line_of(self.element)

    @property
    def xpath(self) -> str:
        """The `getpath` of lxml, by which signatures' coverage is told; empty for a broken element."""
        return "" if self.broken else str(self.element.getroottree().getpath(self.element))

    def one(self, name: str) -> "Node | None":
        """The child of that name, if there is one."""
        return next(iter(self.children.get(name, ())), None)

    def many(self, name: str) -> list["Node"]:
        """The children of that name in document order."""
        return self.children.get(name, [])


@dataclass(frozen=True)
class _Walk:
    """What one walk needs everywhere: where to note, the budgets, the names met twice."""

    notes: Notes
    limits: model.Limits
    doubled: frozenset[str]


def known(root: etree._Element, notes: Notes, limits: model.Limits) -> Node:
    """The known part of a document. Raises Unreadable: `not_edxml` (another root), `too_complex` (a huge value)."""
    name = grammar.standard_name(root)
    if name not in grammar.ROOTS:
        raise model.Unreadable("not_edxml", grammar.local_name(root)[:100], grammar.line_of(root))
    walk = _Walk(notes, limits, _doubled(root, notes))
    return _branch(walk, root, name, grammar.local_name(root))


def blocks(root: Node) -> dict[str, Node]:
    """What stands inside the layers, by name: MessageHeader, TraceHeaderList, edXMLManifest, AttachmentEncoded."""
    found: dict[str, Node] = {}
    for name, nodes in root.children.items():
        for node in nodes:
            found.update(blocks(node) if name in grammar.LAYERS else {name: node})
    return found


def _doubled(root: etree._Element, notes: Notes) -> frozenset[str]:
    """Names of `UNIQUE` met twice; notes these and the misplaced ones."""
    met: defaultdict[str, list[etree._Element]] = defaultdict(list)
    for element in root.iter(etree.Element):
        name = grammar.standard_name(element)
        if name in grammar.UNIQUE:
            met[name].append(element)
        elif name in grammar.SETTLED:
            _note_misplaced(name, element, notes)
    for name, elements in met.items():
        _note_twice(name, elements, notes)
        if len(elements) == 1 and elements[0] is not root:
            _note_misplaced(name, elements[0], notes, anywhere=True)
    return frozenset(name for name, elements in met.items() if len(elements) > 1)


def _note_twice(name: str, elements: list[etree._Element], notes: Notes) -> None:
    for element in elements[1:]:
        first = str(grammar.line_of(elements[0]))
        notes.error("twice", _path(element), grammar.line_of(element), element=name, first=first)


def _note_misplaced(name: str, element: etree._Element, notes: Notes, *, anywhere: bool = False) -> None:
    parent = element.getparent()
    home = "" if parent is None else grammar.standard_name(parent)
    if (anywhere or home in grammar.CHILDREN) and not grammar.belongs(name, home):
        notes.error("misplaced", _path(element), grammar.line_of(element), element=name)


def _path(element: etree._Element) -> str:
    names = [grammar.local_name(element), *map(grammar.local_name, element.iterancestors())]
    return "/".join(reversed(names))


def _branch(walk: _Walk, element: etree._Element, name: str, path: str) -> Node:
    node = Node(name, path, element)
    for child in element.iterchildren(etree.Element):
        entry = grammar.CHILDREN[name].get(grammar.standard_name(child))
        if entry is None:
            _note_outsider(walk, child, f"{path}/{grammar.local_name(child)}")
        else:
            _take(walk, node, entry, child)
    _note_stray_text(walk, node)
    return node


def _take(walk: _Walk, parent: Node, entry: grammar.Entry, element: etree._Element) -> None:
    siblings = parent.children.setdefault(entry.name, [])
    path = f"{parent.path}/{grammar.local_name(element)}"
    if entry.many:
        siblings.append(_child(walk, entry, element, f"{path}[{len(siblings) + 1}]"))
    elif not siblings or entry.name in grammar.LAYERS or entry.opaque:
        siblings.append(_child(walk, entry, element, path))
    else:
        if entry.name not in walk.doubled:
            first = str(siblings[0].line)
            walk.notes.error("twice", path, grammar.line_of(element), element=entry.name, first=first)
        siblings[0] = Node(entry.name, siblings[0].path, siblings[0].element, broken=True)


def _child(walk: _Walk, entry: grammar.Entry, element: etree._Element, path: str) -> Node:
    if entry.name in walk.doubled and entry.name not in grammar.LAYERS:
        return Node(entry.name, path, element, broken=True)
    if entry.inside:
        return _branch(walk, element, entry.name, path)
    return Node(entry.name, path, element) if entry.opaque else _leaf(walk, entry.name, element, path)


def _leaf(walk: _Walk, name: str, element: etree._Element, path: str) -> Node:
    if len(element):
        inside = next(element.iterchildren(etree.Element), None)
        code = "comment_in_value" if inside is None else "element_in_value"
        walk.notes.error(code, path, grammar.line_of(element), element=name)
        return Node(name, path, element, broken=True)
    text = (element.text or "").strip()
    if name == grammar.BYTES:
        element.text = None  # the tree gives its copy back: a large file stands in memory once less
        return Node(name, path, element, text)
    if len(text) > walk.limits.text:
        raise model.Unreadable("too_complex", "text", grammar.line_of(element))
    if not (text.isascii() and text.isprintable()) and _HIDDEN.search(text):
        walk.notes.warning("hidden_characters", path, grammar.line_of(element), element=name)
    return Node(name, path, element, text)


def _note_outsider(walk: _Walk, element: etree._Element, path: str) -> None:
    name = grammar.standard_name(element)
    if name not in grammar.SETTLED:
        walk.notes.info("unknown_element", path, grammar.line_of(element), element=name[:100])


def _note_stray_text(walk: _Walk, node: Node) -> None:
    if any(text and not text.isspace() for text in _texts(node.element)):
        walk.notes.warning("text_ignored", node.path, node.line, element=node.name)


def _texts(element: etree._Element) -> Iterator[str | None]:
    yield element.text
    for child in element.iterchildren():
        yield child.tail
