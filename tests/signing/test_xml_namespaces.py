"""Names of namespaces: long ones are refused on the bytes, wherever they hide; all others pass."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from exchange.edxml import read
from signing import xml_document, xml_namespaces
from signing.verdict import TooComplexError

LONG = "u" * (xml_namespaces.LONGEST + 1)


@pytest.mark.parametrize(
    "declared",
    [
        'xmlns="{}"',
        "xmlns='{}'",
        'xmlns:x="{}"',
        'xmlns:x\n = \t"{}"',
        "xmlns:x=" + " " * 9_000 + '"{}"',
        "xmlns:x" + " " * 9_000 + "=" + "\t" * 9_000 + "'{}'",
        "xmlns:" + "p" * 5_000 + '="{}"',
        'xmlns:a="b" xmlns:x="{}"',
        'b="xmlns=\'" xmlns:x="{}"',
    ],
    ids=[
        "default",
        "single quotes",
        "prefix",
        "spaces",
        "more spaces than are looked at",
        "on both sides",
        "a long prefix",
        "second",
        "behind a quotation mark",
    ],
)
def test_a_long_name_is_found(declared):
    for text in ("<a {}/>", "<r>xmlns=&quot; xmlns='</r><!-- ' --><a {}/>", '<r t="xmlns=\'"><a {}/></r>'):
        content = text.format(declared.format(LONG)).encode()
        assert xml_namespaces.too_long(content)


NAMES = st.integers(1, 2 * xml_namespaces.LONGEST).map(lambda n: "u" * n)


@given(st.lists(NAMES, min_size=1, max_size=5))
def test_of_what_a_library_writes_only_long_names_are_refused(names):
    root = etree.Element("root")
    for n, name in enumerate(names):
        etree.SubElement(root, f"{{{name}}}child", nsmap={f"p{n}": name})
    assert xml_namespaces.too_long(etree.tostring(root)) == any(
        len(name) > xml_namespaces.LONGEST for name in names
    )


def test_a_letter_that_uses_one_often_takes_no_memory():
    raw = f'<edXML xmlns:x="{"u" * 30_000}">{"<x:b/>" * 6_000}</edXML>'.encode()
    tracemalloc.start()
    with pytest.raises(read.Unreadable) as told:
        read.read(raw)
    with pytest.raises(TooComplexError):
        xml_document.parse(raw)
    assert (told.value.code, "namespace" in told.value.findings[0].facts.values()) == ("too_complex", True)
    assert tracemalloc.get_traced_memory()[1] < 20 * len(raw)
    tracemalloc.stop()


def test_hostile_markup_takes_no_longer_than_its_length():
    for hostile in (b"xmlns:" * 300_000, b'="' * 300_000, b"<xmlns ='\" " * 100_000, b'"' + b"x" * 2_001):
        xml_namespaces.too_long(hostile)
