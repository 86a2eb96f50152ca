"""Closed grammars for elements that a stranger wrote: what may stand where is a table, anything else is a fault.

Nobody can hide content in a place that a table closes. Faults are told by the stable code of their kind.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from signing.xml_document import Element

REMEMBERED = 256
"""Nodes of an element whose shape is remembered: a hostile one is as large as it likes."""

XML_SPACE = " \t\r\n"

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, eq=False)
class Grammar:
    """`rules`: an element's name -> its children in order, each followed by one space; others are not looked into.

    `known`: tags of elements -> the names that rules use; `with_text`: elements that may have text of their own.
    `attributes`: those that an element may have; none that is not named.
    """

    rules: Mapping[str, re.Pattern[str]]
    known: Mapping[object, str]
    attributes: Mapping[str, frozenset[str]]
    with_text: Collection[str]


def grammar(
    rules: Mapping[str, str],
    attributes: Mapping[str, str],
    namespace: str,
    *,
    with_text: Collection[str],
    others: Mapping[str, str],
) -> Grammar:
    """A grammar of one namespace; `others` are tags of other namespaces that it names, `attributes` names by element."""
    compiled = {parent: re.compile(children) for parent, children in rules.items()}
    named = {word for children in rules.values() for word in re.findall(r"\w+", children)} | rules.keys()
    known: dict[object, str] = {f"{{{namespace}}}{name}": name for name in named - set(others.values())}
    known.update(others)
    return Grammar(
        rules=compiled,
        known=known,
        attributes={name: frozenset(allowed.split()) for name, allowed in attributes.items()},
        with_text=frozenset(with_text),
    )


def fault(grammar_: Grammar, element: Element, name: str) -> str | None:
    """`malformed_signature`, `foreign_content` or `comment_in_signed_content` when the grammar does not hold, or None."""
    shape = _shape(tuple(element.iter()))
    return (
        _remembered(grammar_, shape, name)
        if len(shape.tags) <= REMEMBERED
        else _judged(grammar_, shape, name)
    )


class _Shape(NamedTuple):
    """All that a grammar asks of an element and what is in it, node by node in document order.

    `counts` are numbers of children, `attributes` names; `texts` and `tails` whether there is more than white space,
    inside a node before its first child and behind it; `nameless`: whether some Id says nothing.
    """

    tags: tuple[object, ...]
    counts: tuple[int, ...]
    attributes: tuple[tuple[object, ...], ...]
    nameless: tuple[bool, ...]
    texts: tuple[bool, ...]
    tails: tuple[bool, ...]


def _shape(nodes: Sequence[Element]) -> _Shape:
    # One fact of all nodes at a time: much quicker than all facts of one node at a time.
    attributes = [node.keys() for node in nodes]
    return _Shape(
        tuple([node.tag for node in nodes]),
        tuple(map(len, nodes)),
        tuple(map(tuple, attributes)),
        tuple(["Id" in names and not nodes[at].get("Id") for at, names in enumerate(attributes)]),
        tuple([_says(node.text) for node in nodes]),
        tuple([_says(node.tail) for node in nodes]),
    )


def _says(text: str | None) -> bool:
    return bool(text and text.strip(XML_SPACE))


def _judged(grammar_: Grammar, shape: _Shape, name: str) -> str | None:
    below, waiting = _children(shape.counts), [(0, name)]
    while waiting:
        node, name = waiting.pop()
        if not grammar_.attributes.get(name, _NONE).issuperset(shape.attributes[node]):
            return "foreign_content"
        if shape.nameless[node]:
            return "malformed_signature"
        if name not in grammar_.rules:
            continue
        children = [(child, grammar_.known.get(shape.tags[child], "?")) for child in below[node]]
        if not grammar_.rules[name].fullmatch("".join([f"{child} " for _, child in children])):
            return _child_fault([(shape.tags[child], known) for child, known in children])
        own = shape.texts[node] and name not in grammar_.with_text
        if own or any(shape.tails[child] for child, _ in children):
            return "foreign_content"
        waiting += children
    return None


_remembered = lru_cache(maxsize=1024)(_judged)
"""Signatures of one software are alike but for their texts: what was judged of one shape holds for all that have it."""


def _children(counts: Iterable[int]) -> list[list[int]]:
    """The places of each node's children, in document order."""
    below: list[list[int]] = []
    waiting: list[
        list[int]
    ] = []  # for each child that is still to come, the list it belongs in; the innermost last
    for place, count in enumerate(counts):
        if waiting:
            waiting.pop().append(place)
        below.append([])
        waiting += [below[-1]] * count
    return below


def _child_fault(children: Sequence[tuple[object, str]]) -> str:
    """Which kind of children broke the grammar."""
    if any(not isinstance(tag, str) for tag, _ in children):
        return "comment_in_signed_content"
    return "foreign_content" if any(name == "?" for _, name in children) else "malformed_signature"
