"""Bytes to an element tree, once, within budgets.

A document whose bytes have too few `<` for the budget of elements is parsed at once, for every element, comment
and instruction takes one; then its levels are looked at. All others, and all that this parse does not take, are
fed to libxml2 in pieces and the events counted between pieces, so that one with too many elements or levels is
dropped after a piece of work, not after all of it. One with far too many `<` is not parsed at all. No DTD, no entities,
no network.

A few senders leave a prefix undeclared, which a namespace-aware parser must reject. If that is all the strict
parser has to say, and expat, which knows no namespaces, finds the whole document well-formed, it is parsed
again with recovery and said to be *repaired*. (The strict parser alone cannot tell: it stops with the piece
in which it stumbled, and recovery passes over anything.)
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.parsers import expat

from lxml import etree

from exchange.edxml import model, prolog
from signing import xml_namespaces

_PIECE = 1 << 16
_FEW = 20_000
"""Elements of a document that is parsed at once, as nearly all are."""
_SAFE: Mapping[str, Any] = {
    "resolve_entities": False,
    "load_dtd": False,
    "no_network": True,
    "huge_tree": True,
}
_PLACE = re.compile(r"[,:] line [0-9]+, column [0-9]+")


def parse(raw: bytes, limits: model.Limits) -> tuple[etree._Element, bool]:
    """The root element and whether it was repaired. Raises Unreadable."""
    if len(raw) > limits.bytes:
        raise model.Unreadable("too_complex", "bytes")
    content, encoding = prolog.prepare(raw)
    few = _few(content, min(_FEW, limits.elements))
    if not few and _crowded(content, limits.elements):
        raise model.Unreadable("too_complex", "elements")
    root = _at_once(content, encoding, limits) if few else None
    found = (root, False) if root is not None else _in_pieces(content, encoding, limits)
    if xml_namespaces.too_long(content):
        raise model.Unreadable("too_complex", "namespace")
    return found


def _crowded(content: bytes, most: int) -> bool:
    """Whether more begins in these bytes than a document may have, whatever it is: so a bomb costs two searches."""
    return content.count(b"<") - content.count(b"</") > most + 1  # the declaration is none


def _at_once(content: bytes, encoding: str, limits: model.Limits) -> etree._Element | None:
    """The root of a small document without fault; None if it must be looked at more closely."""
    try:
        root = etree.fromstring(content, etree.XMLParser(encoding=encoding, **_SAFE))
    except etree.XMLSyntaxError:
        return None
    return None if _levels(limits.depth)(root) else root


def _few(content: bytes, most: int) -> bool:
    """Whether `<` stands there `most` times at most; from one to the next is quicker than counting large files."""
    position = -1
    for _ in range(most + 1):
        position = content.find(b"<", position + 1)
        if position < 0:
            return True
    return False


@lru_cache(maxsize=8)
def _levels(depth: int) -> etree.XPath:
    """Whether there are more levels than `depth`."""
    return etree.XPath("boolean(" + "/*" * (depth + 1) + ")")


def _in_pieces(content: bytes, encoding: str, limits: model.Limits) -> tuple[etree._Element, bool]:
    parser = _parser(encoding, recover=False)
    try:
        return _fed(parser, content, limits), False
    except etree.XMLSyntaxError as error:
        if not _only_prefixes(parser):
            raise _unreadable(error) from None
    return _recovered(content, encoding, limits), True


def _parser(encoding: str, *, recover: bool) -> etree.XMLPullParser:
    return etree.XMLPullParser(
        events=("start", "end", "comment", "pi"),
        encoding=encoding,
        recover=recover,
        **_SAFE,
    )


def _fed(parser: etree.XMLPullParser, content: bytes, limits: model.Limits) -> etree._Element:
    """The root of `content`; the budgets stand in place of libxml2's own limits, which `huge_tree` lifts."""
    budget = _Budget(limits)
    try:
        for start in range(0, len(content), _PIECE):
            parser.feed(content[start : start + _PIECE])
            budget.spend(parser)
    except etree.XMLSyntaxError:
        budget.spend(parser)
        raise
    return parser.close()


class _Budget:
    """Elements, comments and levels seen so far."""

    def __init__(self, limits: model.Limits) -> None:
        self._limits = limits
        self._elements = 0
        self._depth = 0

    def spend(self, parser: etree.XMLPullParser) -> None:
        """Count what the parser has met since the last call. Raises Unreadable `too_complex`."""
        for event, _ in parser.read_events():
            self._elements += event != "end"
            self._depth += {"start": 1, "end": -1}.get(event, 0)
            if self._depth > self._limits.depth:
                raise model.Unreadable("too_complex", "depth")
            if self._elements > self._limits.elements:
                raise model.Unreadable("too_complex", "elements")


def _only_prefixes(parser: etree.XMLPullParser) -> bool:
    errors = [entry.type for entry in parser.feed_error_log if entry.level != etree.ErrorLevels.WARNING]
    return set(errors) == {etree.ErrorTypes.NS_ERR_UNDEFINED_NAMESPACE}


def _recovered(content: bytes, encoding: str, limits: model.Limits) -> etree._Element:
    try:
        expat.ParserCreate(encoding).Parse(content, True)
        return _fed(_parser(encoding, recover=True), content, limits)
    except (etree.XMLSyntaxError, expat.ExpatError) as error:
        raise _unreadable(error) from None


def _unreadable(error: etree.XMLSyntaxError | expat.ExpatError) -> model.Unreadable:
    said = error.msg if isinstance(error, etree.XMLSyntaxError) else str(error)
    return model.Unreadable("not_xml", _PLACE.split(said or "")[0][:200].strip(), error.lineno or None)
