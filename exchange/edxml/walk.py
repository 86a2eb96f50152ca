"""A document held against the table of `grammar`: the known elements, and what is wrong with their order.

Tolerant in what does not matter, strict in what could make two readers see two letters. First all names of
`grammar.UNIQUE` are counted in the whole document, also inside signatures and elements nobody knows:
one met twice, under whatever spelling, case, prefix or layer, is the error `twice`, and no occurrence is
taken; one that stands where it does not belong is the error `misplaced`. Then the tree is walked along the
table; a value with a comment, processing instruction or element inside it is an error and not taken.

Most documents have nothing odd. So paths are made when they are asked for, and elements out of place are
looked for only if the walk met fewer of the settled names than the document has.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from exchange import texts
from exchange.edxml import grammar, model
from exchange.edxml.notes import Notes

HIDDEN = re.compile(
    "[\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Characters without an image that XML allows: controls, directions, joiners, tags."""


class Node:
    """A known element: the standard's name, its trimmed text or its children by name, what nobody knows in it.

    `broken`: nothing may be taken from it (met twice, or markup inside its text); that was noted.
    """

    __slots__ = ("broken", "children", "element", "name", "others", "parent", "place", "text")

    def __init__(
        self,
        name: str,
        element: etree._Element,
        parent: "Node | None" = None,
        *,
        place: int = 0,
        broken: bool = False,
    ) -> None:
        self.name = name
        self.element = element
        self.parent = parent
        self.place = place
        self.text = ""
        self.broken = broken
        self.children: dict[str, list[Node]] = _NONE
        self.others: list[Node] = _NOBODY

    @property
    def path(self) -> str:
        """The way to it in the names of the document, counted where an element may repeat."""
        step = grammar.local_name(self.element) + (f"[{self.place}]" if self.place else "")
        return f"{self.parent.path}/{step}" if self.parent else step

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
        found = self.children.get(name)
        return found[0] if found else None

    def many(self, name: str) -> list["Node"]:
        """The children of that name in document order."""
        return self.children.get(name, [])


_NONE: dict[str, list[Node]] = {}
_NOBODY: list[Node] = []
"""Of a value: it has no children. An element with some inside gets its own."""


@dataclass
class _Walk:
    """What one walk needs everywhere: where to note, the budgets, the names met twice; how many settled ones it met."""

    notes: Notes
    limits: model.Limits
    doubled: frozenset[str]
    settled: int = field(default=0)


def known(root: etree._Element, notes: Notes, limits: model.Limits) -> Node:
    """The known part of a document. Raises Unreadable: `not_edxml` (another root), `too_complex` (a huge value)."""
    name = grammar.standard_name(root)
    if name not in grammar.ROOTS or _other_soap(root):
        raise model.Unreadable("not_edxml", grammar.local_name(root)[:100], grammar.line_of(root))
    names = _names(root)
    doubled = frozenset(name for name in grammar.UNIQUE if names[name] > 1)
    if doubled:
        _note_doubled(root, doubled, notes)
    walk = _Walk(notes, limits, doubled, settled=name in grammar.SETTLED)
    document = Node(name, root)
    _fill(walk, document)
    if doubled or walk.settled != sum(names[name] for name in grammar.SETTLED):
        _note_all_misplaced(root, doubled, notes)
    return document


def _names(root: etree._Element) -> Counter[str]:
    """How often each name stands in the document; the same tag is named once."""
    names: Counter[str] = Counter()
    for tag, number in Counter([element.tag for element in root.iter(etree.Element)]).items():
        names[grammar.standard(tag)] += number
    return names


def _other_soap(root: etree._Element) -> bool:
    """SOAP around anything else than a message."""
    headers = (child for layer in root for child in layer)
    return grammar.in_soap(root) and not any(
        grammar.standard_name(child) == "MessageHeader" for child in headers
    )


def blocks(notes: Notes, root: Node) -> dict[str, Node]:
    """What stands inside the layers, by name: MessageHeader, TraceHeaderList, edXMLManifest, AttachmentEncoded.

    The flat form has its files in the envelope or in the manifest; files in two places are the error `twice`.
    """
    found: dict[str, Node] = {}
    homes = [node for node in _blocks(root, found) if node.many("Attachment")]
    for home in homes[1:]:
        notes.error("twice", home.path, home.line, element="AttachmentEncoded", first=str(homes[0].line))
    if len(homes) == 1 and homes[0].name != "AttachmentEncoded":
        found["AttachmentEncoded"] = _moved(homes[0])
    return found


def _moved(home: Node) -> Node:
    """The files of a layer or manifest as the standard has them, apart from what else stands there."""
    files = Node("AttachmentEncoded", home.element, home.parent)
    files.children = {"Attachment": home.children.pop("Attachment")}
    return files


def _blocks(root: Node, found: dict[str, Node]) -> Iterator[Node]:
    yield root
    for name, nodes in root.children.items():
        for node in nodes:
            if name in grammar.LAYERS:
                yield from _blocks(node, found)
            elif name != "Attachment":
                found[name] = node
                yield node


def _note_doubled(root: etree._Element, doubled: frozenset[str], notes: Notes) -> None:
    met: dict[str, etree._Element] = {}
    for element in root.iter(etree.Element):
        name = grammar.standard_name(element)
        if name not in doubled:
            continue
        first = met.setdefault(name, element)
        if first is not element:
            line = str(grammar.line_of(first))
            notes.error("twice", _path(element), grammar.line_of(element), element=name, first=line)


def _note_all_misplaced(root: etree._Element, doubled: frozenset[str], notes: Notes) -> None:
    for element in root.iterdescendants(etree.Element):
        name = grammar.standard_name(element)
        if name in grammar.SETTLED and name not in doubled:
            _note_misplaced(name, element, notes)


def _note_misplaced(name: str, element: etree._Element, notes: Notes) -> None:
    parent = element.getparent()
    home = "" if parent is None else grammar.standard_name(parent)
    if (name in grammar.UNIQUE or home in grammar.CHILDREN) and not grammar.belongs(name, home):
        notes.error("misplaced", _path(element), grammar.line_of(element), element=name)


def _path(element: etree._Element) -> str:
    names = [grammar.local_name(element), *map(grammar.local_name, element.iterancestors())]
    return "/".join(reversed(names))


def _fill(walk: _Walk, node: Node) -> None:
    """Children and text of an element that has elements inside."""
    row = grammar.CHILDREN[node.name]
    node.children, node.others = {}, []
    stray = node.element.text
    for child in node.element:
        stray = stray if stray and not stray.isspace() else child.tail
        tag: object = child.tag
        if not isinstance(tag, str):
            continue  # a comment or an instruction
        entry = row.get(grammar.standard(tag))
        if entry is None:
            _note_outsider(walk, child, node)
        else:
            _take(walk, node, entry, child)
    if stray and not stray.isspace():
        _take_stray(walk, node, stray)


def _take(walk: _Walk, parent: Node, entry: grammar.Entry, element: etree._Element) -> None:
    siblings = parent.children.setdefault(entry.name, [])
    walk.settled += entry.name in grammar.SETTLED
    if entry.many:
        siblings.append(_child(walk, entry, element, parent, len(siblings) + 1))
    elif not siblings or entry.name in grammar.LAYERS or entry.opaque:
        siblings.append(_child(walk, entry, element, parent, 0))
    else:
        if entry.name not in walk.doubled:
            path = Node(entry.name, element, parent).path
            first = str(siblings[0].line)
            walk.notes.error("twice", path, grammar.line_of(element), element=entry.name, first=first)
        siblings[0] = Node(entry.name, siblings[0].element, parent, broken=True)


def _child(walk: _Walk, entry: grammar.Entry, element: etree._Element, parent: Node, place: int) -> Node:
    node = Node(entry.name, element, parent, place=place)
    if entry.name in walk.doubled and entry.name not in grammar.LAYERS:
        node.broken = True
    elif entry.inside:
        _fill(walk, node)
    elif not entry.opaque:
        _read(walk, entry, node)
    return node


def _read(walk: _Walk, entry: grammar.Entry, node: Node) -> None:
    """The text of a value."""
    element = node.element
    if len(element):
        inside = next(element.iterchildren(etree.Element), None)
        code = "comment_in_value" if inside is None else "element_in_value"
        walk.notes.error(code, node.path, node.line, element=node.name)
        node.broken = True
        return
    node.text = text = (element.text or "").strip()
    if node.name == grammar.BYTES:
        element.text = None  # the tree gives its copy back: a large file stands in memory once less
    else:
        _weigh(walk, entry.most, node, text)


def _weigh(walk: _Walk, most: int, node: Node, text: str) -> None:
    if len(text) > walk.limits.text:
        raise model.Unreadable("too_complex", "text", node.line)
    if texts.heaped(text):
        raise model.Unreadable("too_complex", "marks", node.line)
    if most and len(text) > most:
        walk.notes.warning(
            "over_long", node.path, node.line, element=node.name, most=str(most), length=str(len(text))
        )
    if not (text.isascii() and text.isprintable()) and HIDDEN.search(text):
        walk.notes.warning("hidden_characters", node.path, node.line, element=node.name)


def _note_outsider(walk: _Walk, element: etree._Element, parent: Node) -> None:
    name = grammar.standard_name(element)
    node = Node(name[:100], element, parent)
    if name in grammar.SETTLED:
        return
    walk.notes.info("unknown_element", node.path, node.line, element=node.name)
    if not len(element) and len(parent.others) < model.MOST_EXTENSIONS:
        node.text = (element.text or "").strip()
        parent.others.append(node)


def _take_stray(walk: _Walk, node: Node, stray: str) -> None:
    """Text beside elements; the flat form writes a type's name so."""
    if node.name == grammar.TYPED and not len(node.element):
        node.text = stray.strip()
        _weigh(walk, 0, node, node.text)
    else:
        walk.notes.warning("text_ignored", node.path, node.line, element=node.name)
