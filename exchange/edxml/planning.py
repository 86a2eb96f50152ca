"""What stands where in a letter of one shape (`markup`), found once and remembered for all letters of that shape.

Theory of operation. Systems write letters by a programme: those with as many recipients, files and hops are alike but for
their texts. So the ordinary parser, walk and builder are given a document of the shape in which every value is its own
number. What they make of it is a letter of numbers, and that is the plan: a fact's number is the place of its value in
every letter of the shape. Only the few facts that are no texts (days, codes, counts) are looked up here by their ways.
There is no plan for a shape in which the walk notices anything, for a notice, or for what is rare in a letter.

Whoever writes the letters, plans are kept for `SHAPES` shapes of at most `LONGEST_REMEMBERED` characters, and no text of a
letter with them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import itemgetter
from typing import Any

from lxml import etree

from exchange.edxml import content_ids, grammar, letter, markup, model, notice, parties, tree, values, walk
from exchange.edxml.notes import Notes
from exchange.edxml.plan import ABSENT, UNBOUND, Codes, Fetch, File, Line, Plan, Record
from exchange.edxml.walk import Node

LONGEST_REMEMBERED = 16_384
"""Characters of a shape that is remembered."""
SHAPES = 256

_FIRST = 10_000_000
"""The number of the first value: no list has such a code, no letter as many values."""

_OF_FILES = ("ContentId", "AttachmentName", "ContentType", "Description")


def of(shape: str) -> Plan | None:
    """The plan of a shape; None if it has none, or is too large to be remembered."""
    return _remembered(shape) if len(shape) <= LONGEST_REMEMBERED else None


@lru_cache(maxsize=SHAPES)
def _remembered(shape: str) -> Plan | None:
    try:
        return _planned(shape)
    except (_NoPlan, model.Unreadable):
        return None


class _NoPlan(Exception):  # noqa: N818 - it says what is there
    """The shape is not one of those that are remembered."""


def _planned(shape: str) -> Plan:
    declaration, *pieces = shape.split("<")
    forms = _forms(declaration, pieces)
    root, repaired = tree.parse(f"<{'><'.join(pieces)}>".encode(), model.LIMITS)
    notes = Notes()
    document = walk.known(root, notes, model.LIMITS)
    inner = [*_inner(document)]
    parts = walk.blocks(notes, document)
    if repaired or notes.findings() or _is_rare(parts):
        raise _NoPlan
    places = _Places(forms)
    return _of_numbers(places, _numbered(places, root, inner), parts)


def _forms(declaration: str, pieces: Sequence[str]) -> list[re.Match[str]]:
    """What each piece of markup is; first the declaration, if there is one."""
    declared = [markup.DECLARED.fullmatch(declaration)] if declaration else []
    forms = [*declared, *map(markup.SHAPED.fullmatch, pieces)]
    found = [form for form in forms if form]
    if len(found) < len(forms):
        raise _NoPlan
    return found


def _inner(node: Node) -> Iterator[tuple[Node, grammar.Entry]]:
    """The values and the elements that are not looked into, with their entries in the table."""
    for name, children in node.children.items():
        entry = grammar.CHILDREN[node.name][name]
        for child in children:
            if entry.inside:
                yield from _inner(child)
            else:
                yield child, entry


def _is_rare(parts: Mapping[str, Node]) -> bool:
    header, business = parts.get("MessageHeader"), values.leaf(parts.get("TraceHeaderList"), "Bussiness")
    if header is None or header.one("StatusCode") or notice.announced(Notes(), header):
        return True
    rare = ("BussinessDocumentInfo", "ReplacementInfoList")
    return business is not None and (len(business.many("StaffInfo")) > 1 or any(map(business.one, rare)))


class _Places:
    """The spans of elements in document order, from the piece that opens one to the piece that closes it."""

    def __init__(self, forms: Sequence[re.Match[str]]) -> None:
        self.forms = forms
        self.pieces = len(forms)
        self.elements = self.depth = 0
        self.spans: list[list[int]] = []
        opened: list[list[int]] = []
        for piece, form in enumerate(forms):
            told = form.groupdict()
            if told.get("start"):
                self.spans.append([piece, piece])
                opened.append(self.spans[-1])
                self.depth = max(self.depth, len(opened))
            if told.get("end") or told.get("empty"):
                opened.pop()[1] = piece
            self.elements += bool(told.get("start") or told.get("comment") is not None)


@dataclass(frozen=True)
class _Numbered:
    """Places in a `markup.Cut`: of the pieces that open elements, of the values in their order, of what stands beside."""

    opening: Mapping[etree._Element, int]
    values: list[int]
    weights: list[int]
    beside: list[int]


def _numbered(
    places: _Places, root: etree._Element, inner: Sequence[tuple[Node, grammar.Entry]]
) -> _Numbered:
    """The values get their numbers as texts; attached bytes get the number of their text."""
    spans = dict(zip(root.iter(etree.Element), places.spans, strict=True))
    found = _Numbered({element: first for element, (first, _) in spans.items()}, [], [], [])
    within: set[int] = set()
    for node, entry in inner:
        first, last = spans[node.element]
        within.update(range(first + 1, last + 1))
        if entry.opaque or first == last:
            continue
        if node.name == grammar.BYTES:
            node.text = str(_FIRST + first + 1)
        else:
            node.text = str(_FIRST + len(found.values))
            found.values.append(first + 1)
            found.weights.append(entry.most or UNBOUND)
    found.beside.extend(place for place in range(places.pieces + 1) if place not in within)
    return found


def _of_numbers(places: _Places, numbered: _Numbered, parts: Mapping[str, Node]) -> Plan:
    header, trace = parts["MessageHeader"], parts.get("TraceHeaderList")
    found = letter.build(Notes(), parts, model.LIMITS)
    if not _is_whole(header, found) or len(found.extensions) == model.MOST_EXTENSIONS:
        raise _NoPlan
    return Plan(
        elements=places.elements,
        depth=places.depth,
        header_path=found.header_path,
        beside=_fetch(numbered.beside),
        values=_fetch(numbered.values),
        weights=numbered.weights,
        letter=_record(found),
        sender=_record(found.sender),
        recipients=[_record(one) for one in found.recipients],
        signer=_record(found.signer),
        answers=[_record(parties.response_for(Notes(), one)) for one in header.many("ResponseFor")],
        traces=[_record(one) for one in found.traces],
        staff=_record(found.staff) if found.staff else None,
        appendixes=_fetch(map(_told, found.appendixes)),
        to_places=_fetch(map(_told, found.to_places)),
        codes=_codes(header, trace),
        lines=_lines(places, numbered, parts),
        files=_files(numbered, parts),
        extensions=[(_told(one.text), one.path, one.name) for one in found.extensions],
    )


def _is_whole(header: Node, found: model.Letter) -> bool:
    """Whether all is there that must be there in a letter."""
    mandatory = (
        *(found.sender.code, found.document_id, found.number, found.notation),
        *(found.issued_on_text, found.subject),
    )
    return all(mandatory) and 0 < len(found.recipients) == len(header.many("To"))


def _record(made: Any) -> Record:  # noqa: ANN401 - any of the records of `model`
    """The record whose texts are the numbers in `made`."""
    texts = {field.name: getattr(made, field.name) for field in fields(made)}
    numbers = {
        name: _told(text) for name, text in texts.items() if isinstance(text, str) and text.isdecimal()
    }
    return Record(type(made), tuple(numbers), _fetch(numbers.values()))


def _fetch(places: Iterable[int]) -> Fetch:
    wanted = tuple(places)
    if len(wanted) > 1:
        return itemgetter(*wanted)
    return lambda found: tuple(found[place] for place in wanted)


def _codes(header: Node, trace: Node | None) -> Codes:
    other, business = header.one("OtherInfo"), values.leaf(trace, "Bussiness")
    return Codes(
        priority=_place(other, "Priority"),
        steering=_place(header, "SteeringType"),
        copies=_place(other, "PromulgationAmount"),
        pages=_place(other, "PageAmount"),
        paper=max(_place(business, "Paper"), _place(trace, "Paper")),
        operation=_place(business, "BussinessDocType"),
        target=_place(business, "DocumentId"),
    )


def _place(parent: Node | None, name: str) -> int:
    text = values.text(parent, name)
    return _told(text) if text else ABSENT


def _told(text: str) -> int:
    """The place that a number stands for."""
    return int(text) - _FIRST


def _lines(places: _Places, numbered: _Numbered, parts: Mapping[str, Node]) -> list[Line]:
    manifest = parts.get("edXMLManifest")
    lines = manifest.many("Reference") if manifest else []
    openings = [numbered.opening[node.element] for node in lines]
    return [
        _line(node)._replace(hrefs=_hrefs(places.forms[piece].string, piece))
        for node, piece in zip(lines, openings, strict=True)
    ]


def _line(node: Node) -> Line:
    content_id, name, content_type, description = (_place(node, name) for name in _OF_FILES)
    return Line(content_id, name, content_type, description)


def _hrefs(form: str, piece: int) -> tuple[tuple[int, int], ...]:
    """Where values of `href` stand in a piece of markup."""
    names = [before.split()[-1].rstrip("=") for before in form.split('"')[:-1:2]]
    return tuple((piece, place) for place, name in enumerate(names) if content_ids.is_href(name))


def _files(numbered: _Numbered, parts: Mapping[str, Node]) -> list[File]:
    encoded = parts.get("AttachmentEncoded")
    return [_file(numbered, node) for node in (encoded.many("Attachment") if encoded else ())]


def _file(numbered: _Numbered, node: Node) -> File:
    encoded = _place(node, grammar.BYTES)
    if encoded == ABSENT:
        raise _NoPlan
    return File(_line(node), encoded, node.xpath, numbered.opening[node.element])
