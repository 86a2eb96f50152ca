"""Facts taken from the known elements: texts, days, numbers, codes; what cannot be taken is noted.

An element that is empty is as one that is absent. One that is `broken` was noted already and gives nothing.
"""

import re
import unicodedata
from collections.abc import Container, Mapping
from datetime import date

from exchange.edxml import dates
from exchange.edxml.notes import Notes
from exchange.edxml.walk import Node

MOST_IDENTITY = 2_000
"""Bytes of an identity in NFC: an index of the database holds no more than 2,704 of all its columns."""

NOTHING = "null"
NUMBER = re.compile(r"[0-9]{1,9}")


def leaf(parent: Node | None, *names: str) -> Node | None:
    """The element at the end of a way of once-only elements."""
    for name in names:
        parent = parent.one(name) if parent else None
    return parent


def text(parent: Node | None, *names: str) -> str:
    """The text there, or an empty one."""
    node = leaf(parent, *names)
    return node.text if node else ""


def texts(nodes: list[Node]) -> tuple[str, ...]:
    """Those that are not empty."""
    return tuple(node.text for node in nodes if node.text)


def required(notes: Notes, parent: Node, *names: str) -> str:
    """A mandatory text; without one the error `missing` names the place where it should stand."""
    place = parent
    for step, name in enumerate(names):
        found = place.one(name)
        if found is None:
            if not place.broken:
                path = "/".join([place.path, *names[step:]])
                notes.error("missing", path, place.line, element=names[-1])
            return ""
        place = found
    if not place.text and not place.broken:
        notes.error("missing", place.path, place.line, element=names[-1])
    return place.text


def agency(parent: Node | None) -> str:
    """The code in OrganId; the word `null` that one library writes for nothing is none."""
    code = text(parent, "OrganId")
    return code if is_agency(code) else ""


def is_agency(code: str) -> bool:
    """Whether a code is none of the words for nothing."""
    return code.lower() not in ("", NOTHING)


def required_code(notes: Notes, parent: Node, *names: str) -> str:
    """A mandatory agency code; the word `null` is the error `missing`."""
    code = required(notes, parent, *names)
    node = leaf(parent, *names)
    if node and code and not is_agency(code):
        notes.error("missing", node.path, node.line, element=node.name)
        return ""
    return code


def identity(notes: Notes, parent: Node, *names: str) -> str:
    """A mandatory text that something is known by; one over MOST_IDENTITY bytes is the error `too_long`."""
    written = required(notes, parent, *names)
    node = leaf(parent, *names)
    if node and len(unicodedata.normalize("NFC", written).encode(errors="replace")) > MOST_IDENTITY:
        notes.error("too_long", node.path, node.line, element=node.name, most=str(MOST_IDENTITY))
    return written


def day(notes: Notes, parent: Node | None, *names: str) -> date | None:
    """An optional day; a text that is none is the warning `bad_date`."""
    node = leaf(parent, *names)
    found = dates.day(node.text) if node else None
    if node and node.text and not found:
        notes.warning("bad_date", node.path, node.line, element=node.name, text=node.text)
    return found


def required_day(notes: Notes, parent: Node, *names: str) -> date | None:
    """A mandatory day; a text that is none is the error `bad_date`."""
    written = required(notes, parent, *names)
    found = dates.day(written)
    node = leaf(parent, *names)
    if node and written and not found:
        notes.error("bad_date", node.path, node.line, element=node.name, text=written)
    return found


def number(notes: Notes, parent: Node | None, *names: str) -> int | None:
    """An optional count; a text that is none is the warning `not_a_number`."""
    node = leaf(parent, *names)
    if node is None or not node.text:
        return None
    if NUMBER.fullmatch(node.text):
        return int(node.text)
    notes.warning("not_a_number", node.path, node.line, element=node.name, text=node.text)
    return None


def code(notes: Notes, node: Node | None, known: Container[str], aliases: Mapping[str, str]) -> str:
    """A code of a list, or an empty text; another spelling is `unusual_code`, what the list lacks `unknown_code`."""
    if node is None or not node.text or node.text in known:
        return node.text if node else ""
    meant = aliases.get(node.text, "")
    if meant:
        notes.warning("unusual_code", node.path, node.line, element=node.name, text=node.text, meant=meant)
    else:
        notes.warning("unknown_code", node.path, node.line, element=node.name, text=node.text)
    return meant
