"""Closed grammars for elements that a stranger wrote: what may stand where is a table, anything else is a fault.

Nobody can hide content in a place that a table closes. Faults are told by the stable code of their kind.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from signing.xml_document import Element

XML_SPACE = " \t\r\n"

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """`rules`: an element's name -> its children in order, each followed by one space; others are not looked into.

    `known`: tags of elements -> the names that rules use; `with_text`: elements that may have text of their own.
    `attributes`: those that an element may have; none that is not named.
    """

    rules: Mapping[str, re.Pattern[str]]
    known: Mapping[object, str]
    attributes: Mapping[str, frozenset[str]]
    with_text: Collection[str]
    may_be_empty: frozenset[str]


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
        may_be_empty=frozenset(name for name, children in compiled.items() if children.fullmatch("")),
    )


def fault(grammar_: Grammar, element: Element, name: str) -> str | None:
    """`malformed_signature`, `foreign_content` or `comment_in_signed_content` when the grammar does not hold, or None."""
    waiting = [(element, name)]
    while waiting:
        node, name = waiting.pop()
        if (names := node.keys()) and (wrong := _attribute_fault(grammar_, node, name, names)):
            return wrong
        if name not in grammar_.rules:
            continue
        if len(node) == 0 and name in grammar_.may_be_empty and (name in grammar_.with_text or not node.text):
            continue
        children = [(child, grammar_.known.get(child.tag, "?")) for child in node]
        if not grammar_.rules[name].fullmatch("".join([f"{child} " for _, child in children])):
            return _child_fault(children)
        texts = [child.tail for child, _ in children]
        if name not in grammar_.with_text:
            texts.append(node.text)
        if "".join(filter(None, texts)).strip(XML_SPACE):
            return "foreign_content"
        waiting += children
    return None


def _attribute_fault(grammar_: Grammar, node: Element, name: str, names: Iterable[object]) -> str | None:
    """An attribute that the element does not have, or an Id that says nothing."""
    if not grammar_.attributes.get(name, _NONE).issuperset(names):
        return "foreign_content"
    return "malformed_signature" if node.get("Id") == "" else None


def _child_fault(children: Sequence[tuple[Element, str]]) -> str:
    """Which kind of children broke the grammar."""
    if any(not isinstance(child.tag, str) for child, _ in children):
        return "comment_in_signed_content"
    return "foreign_content" if any(name == "?" for _, name in children) else "malformed_signature"
