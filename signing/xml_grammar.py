"""Closed grammars for elements that a stranger wrote: what may stand where is a table, anything else is a fault.

Nobody can hide content in a place that a table closes. Faults are told by the stable code of their kind.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import Generic, NamedTuple, TypeVar, cast

from signing.xml_document import Element

REMEMBERED = 256
"""Nodes of an element whose shape is remembered, and attributes of all of them: a hostile one has as many as it likes."""

LONGEST_REMEMBERED = 16_384
"""Letters of all the names in an element whose shape is remembered."""

FAULTS = 256
"""Shapes whose faults are remembered."""

XML_SPACE = " \t\r\n"

_NONE: frozenset[str] = frozenset()

_Answer = TypeVar("_Answer")


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
    return _faults.of(see(list(element.iter())).shape, grammar_, name)


class Shape(NamedTuple):
    """All that a grammar asks of an element and what is in it, node by node in document order.

    `counts` are numbers of children, `widths` of attributes, `names` those of the attributes of all nodes in a row. The
    others are the places of nodes: with an Id that says nothing, with more than white space before the first child,
    and with more than that behind them.
    """

    tags: tuple[object, ...]
    counts: tuple[int, ...]
    widths: tuple[int, ...]
    names: tuple[object, ...]
    nameless: tuple[int, ...]
    texts: tuple[int, ...]
    tails: tuple[int, ...]


class Seen(NamedTuple):
    """An element's shape, and what differs between elements of one shape: `values` of `Shape.names`, `texts` of nodes."""

    shape: Shape
    values: list[str]
    texts: list[str | None]


def see(nodes: Sequence[Element]) -> Seen:
    """What stands in an element: its `nodes` in document order."""
    # One fact of all nodes at a time: much quicker than all facts of one node at a time.
    names = [node.keys() for node in nodes]
    values = cast("list[str]", [value for node in nodes for value in node.values()])
    texts, tails = [node.text for node in nodes], [node.tail for node in nodes]
    shape = Shape(
        tuple([node.tag for node in nodes]),
        tuple(map(len, nodes)),
        tuple(map(len, names)),
        tuple(chain.from_iterable(names)),
        tuple(_nameless(nodes, names)) if "" in values else (),
        _speaking(texts),
        _speaking(tails) if "".join(filter(None, tails)).strip(XML_SPACE) else (),
    )
    return Seen(shape, values, texts)


def _nameless(nodes: Sequence[Element], names: Sequence[Collection[object]]) -> Iterator[int]:
    return (at for at, each in enumerate(names) if "Id" in each and not nodes[at].get("Id"))


def _speaking(texts: Iterable[str | None]) -> tuple[int, ...]:
    """The places of texts that are more than white space."""
    return tuple([at for at, text in enumerate(texts) if text and text.strip(XML_SPACE)])


class Memory(Generic[_Answer]):
    """What was worked out of shapes, remembered: signatures of one software are alike but for their texts and values.

    `work` must ask of nothing but the shape and what is given beside it, for what it tells of one element is told of
    all others of this shape. Large shapes are not remembered.
    """

    def __init__(self, work: Callable[..., _Answer], most: int) -> None:
        self.work, self.most = work, most
        self.known: dict[tuple[object, ...], tuple[_Answer]] = {}

    def of(self, shape: Shape, *beside: object) -> _Answer:
        """The answer of `work`; whether a shape is small is asked only of a new one."""
        key = (shape, *beside)
        known = self.known.get(key)
        if known:
            return known[0]
        answer = self.work(*key)
        if _is_small(shape):
            if len(self.known) >= self.most:
                self.known.clear()
            self.known[key] = (answer,)
        return answer


def _is_small(shape: Shape) -> bool:
    """Whether little memory is held by remembering a shape; XML lets a single name have millions of letters."""
    if max(len(shape.tags), len(shape.names)) > REMEMBERED:
        return False
    return sum(len(str(name)) for name in (*shape.tags, *shape.names)) <= LONGEST_REMEMBERED


def judged(shape: Shape, grammar_: Grammar, name: str) -> str | None:
    """The fault of an element that has this shape and should be what the grammar calls `name`."""
    below, attributes, waiting = children(shape), attribute_names(shape), [(0, name)]
    nameless, texts, tails = map(frozenset, (shape.nameless, shape.texts, shape.tails))
    while waiting:
        node, name = waiting.pop()
        if not grammar_.attributes.get(name, _NONE).issuperset(attributes[node]):
            return "foreign_content"
        if node in nameless:
            return "malformed_signature"
        if name not in grammar_.rules:
            continue
        inside = [(child, grammar_.known.get(shape.tags[child], "?")) for child in below[node]]
        if not grammar_.rules[name].fullmatch("".join([f"{child} " for _, child in inside])):
            return _child_fault([(shape.tags[child], known) for child, known in inside])
        own = node in texts and name not in grammar_.with_text
        if own or any(child in tails for child, _ in inside):
            return "foreign_content"
        waiting += inside
    return None


_faults: Memory[str | None] = Memory(judged, FAULTS)


def children(shape: Shape) -> list[list[int]]:
    """The places of each node's children, in document order."""
    below: list[list[int]] = []
    # For each child that is still to come, the list it belongs in; the innermost last.
    waiting: list[list[int]] = []
    for place, count in enumerate(shape.counts):
        if waiting:
            waiting.pop().append(place)
        below.append([])
        waiting += [below[-1]] * count
    return below


def attribute_names(shape: Shape) -> list[tuple[object, ...]]:
    """The names of each node's attributes."""
    ends = list(accumulate(shape.widths))
    return [shape.names[end - width : end] for end, width in zip(ends, shape.widths, strict=True)]


def _child_fault(children: Sequence[tuple[object, str]]) -> str:
    """Which kind of children broke the grammar."""
    if any(not isinstance(tag, str) for tag, _ in children):
        return "comment_in_signed_content"
    return "foreign_content" if any(name == "?" for _, name in children) else "malformed_signature"
