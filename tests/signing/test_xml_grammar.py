"""Closed grammars: what is judged by shapes, remembered or not, is what a plain reading of the element tells."""

import random

import pytest
from lxml import etree

from signing import xml_grammar

NS = "urn:x"
RULES = {"a": "b (c )*(d )?", "b": "", "c": "(b )?", "d": "(e )?"}
ATTRIBUTES = {"a": "Id", "b": "Id Kind", "e": "Id"}
GRAMMAR = xml_grammar.grammar(RULES, ATTRIBUTES, NS, with_text={"b"}, others={"{urn:y}f": "e"})
COUNT = 6_000


def told(element, name="a"):
    """The grammar's fault of one element by a plain recursion, without telling which fault."""
    if not {*element.attrib} <= {*ATTRIBUTES.get(name, "").split()} or element.get("Id") == "":
        return True
    if name not in RULES:
        return False
    known = {f"{{{NS}}}{one}": one for one in "abcd"} | {"{urn:y}f": "e"}
    children = [known.get(child.tag, "?") for child in element]
    order = GRAMMAR.rules[name].fullmatch("".join(f"{child} " for child in children))
    texts = ([] if name == "b" else [element.text]) + [child.tail for child in element]
    says = any((text or "").strip(" \t\r\n") for text in texts)
    return order is None or says or any(map(told, element, children))


def made(chance, name="a", depth=0):
    """An element that mostly keeps the grammar: each fault seldom."""
    tag = "{urn:y}f" if name == "e" else f"{{{NS}}}{name}"
    element = etree.Element(tag if chance.random() > 0.01 else "other")
    if chance.random() < 0.1:
        element.set(chance.choice(["Id", "Id", "Kind"]), chance.choice(["1", "2", ""]))
    element.text = chance.choice([None, None, "\n", "x" if name == "b" or chance.random() < 0.05 else None])
    below = {
        "a": ["b", *"c" * chance.randrange(3), *"d" * chance.randrange(2)],
        "c": ["b"][chance.randrange(2) :],
    }
    for one in below.get(name, ["e"] if name == "d" else []):
        child = made(chance, one, depth + 1)
        child.tail = chance.choice([" ", None, "\n", "\u00a0" if chance.random() < 0.03 else None])
        element.append(child)
    if chance.random() < 0.01:
        element.append(etree.Comment("c"))
    return element


@pytest.mark.parametrize("remembered", [xml_grammar.REMEMBERED, 0])
def test_shapes_tell_what_a_plain_reading_tells(remembered, monkeypatch):
    monkeypatch.setattr(xml_grammar, "REMEMBERED", remembered)
    chance = random.Random(4)
    elements = [made(chance) for _ in range(COUNT)]
    found = [(xml_grammar.fault(GRAMMAR, one, "a") is not None, told(one)) for one in elements]
    assert all(ours is plain for ours, plain in found)
    assert 0.2 < sum(ours for ours, _ in found) / COUNT < 0.8


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ("<b/>", None),
        ("<b>text</b>", None),
        ("<b Id='1'/>", None),
        ("<b Id=''/>", "malformed_signature"),
        ("<b/>text", "foreign_content"),
        ("<b/>\u00a0", "foreign_content"),
        ("text<b/>", "foreign_content"),
        ("<b/><c>text</c>", "foreign_content"),
        ("<b/><c><b/>text</c>", "foreign_content"),
        ("<b Other='1'/>", "foreign_content"),
        ("<b/><c Id='1'/>", "foreign_content"),
        ("<b/><!-- -->", "comment_in_signed_content"),
        ("<b/><?x?>", "comment_in_signed_content"),
        ("<b/><other/>", "foreign_content"),
        ("<c/><b/>", "malformed_signature"),
        ("<b/><d><f xmlns='urn:y'><other/>text</f></d>", None),
        ("<b/><d><f xmlns='urn:y' Kind=''/></d>", "foreign_content"),
    ],
)
def test_each_fault_has_its_code_twice(inside, fault):
    element = etree.fromstring(f"<a xmlns='{NS}'>{inside}</a>")
    again = etree.fromstring(f"<a xmlns='{NS}'>{inside.replace('text', 'word')}</a>")
    assert [xml_grammar.fault(GRAMMAR, one, "a") for one in (element, again)] == [fault, fault]


@pytest.mark.parametrize(
    ("inside", "fault"),
    [
        ("<b/>" + "<c/>" * xml_grammar.REMEMBERED, None),
        (f"<b/><{'x' * xml_grammar.LONGEST_REMEMBERED}/>", "foreign_content"),
        (f"<b {'x' * xml_grammar.LONGEST_REMEMBERED}=''/>", "foreign_content"),
    ],
    ids=["many nodes", "a long name", "a long attribute's name"],
)
def test_a_large_shape_is_not_remembered(inside, fault):
    before = dict(xml_grammar._faults.known)
    large = etree.fromstring(f"<a xmlns='{NS}'>{inside}</a>")
    assert xml_grammar.fault(GRAMMAR, large, "a") == fault
    assert xml_grammar._faults.known == before
