"""The skeleton gives the very bytes that canonicalising the whole gives, whatever the texts are made of."""

import hashlib

import pytest
import xml_cases as cases
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from signing import canonical, xml_document
from signing.canonical import INCLUSIVE, LONG_TEXT, Form

EXCLUSIVE = Form(exclusive=True)
LETTERS = "a\ue0000123456789.tbe&<>\"'\r\n\t ]ừ\U0001f4e8"
WORDS = st.text(LETTERS, max_size=12)


def element(texts):
    """A tree whose texts and tails are the given ones, each repeated to be long or not."""
    root = etree.Element("r")
    for text, times, tail in texts:
        child = etree.SubElement(root, "x", a=text)
        child.text, child.tail = text * times, tail
    return root


def skeleton_of(root):
    return canonical.prepare(xml_document.parse(etree.tostring(root, encoding="utf-8")))


def whole(skeleton_root, skeleton, form, removed=None):
    return b"".join(canonical.octets(skeleton, skeleton_root, form, removed))


@given(st.lists(st.tuples(WORDS, st.sampled_from([0, 1, 3000]), WORDS), max_size=4))
def test_the_skeleton_is_canonicalised_to_the_same_bytes(texts):
    raw = etree.tostring(element(texts), encoding="utf-8")
    document = xml_document.parse(raw)
    skeleton = canonical.prepare(document)
    for form in (INCLUSIVE, EXCLUSIVE):
        expected = etree.tostring(cases.parsed(raw), method="c14n", exclusive=form.exclusive)
        assert whole(document.root, skeleton, form) == expected


@pytest.mark.parametrize("length", [LONG_TEXT - 1, LONG_TEXT, LONG_TEXT + 1])
def test_where_a_text_begins_to_be_long(length):
    document = xml_document.parse(b"<r><x>" + b"A" * length + b"</x></r>")
    skeleton = canonical.prepare(document)
    assert len(skeleton.texts) == (length > LONG_TEXT)
    assert whole(document.root, skeleton, EXCLUSIVE) == b"<r><x>" + b"A" * length + b"</x></r>"


def test_a_text_that_imitates_a_mark_is_not_replaced():
    """The attack: a mark's text in a signed part, and the long text that it should bring in elsewhere."""
    long = "JVBERi0x" * 1000
    honest = f"<edXML><Phan Id='a'><x>{long}</x></Phan><y/></edXML>".encode()
    signed = cases.signed(honest, references=["#a"])
    assert cases.only(signed).passed
    for number in ("0000000000", "0000000001"):
        mark = f"\ue000{number}t0\ue000"
        for written in (mark, mark.replace("\ue000", "&#xE000;"), mark.replace("\ue000", "&#57344;")):
            forged = signed.replace(f"<x>{long}</x>".encode(), f"<x>{written}</x>".encode())
            forged = forged.replace(b"<y/>", f"<y>{long}</y>".encode())
            assert cases.only(forged).why == "digest_differs"


@pytest.mark.parametrize("piece", ["&amp;", "&lt;", "&gt;", "&#13;", "<![CDATA[<]]>", "\n", "ừ"])
def test_a_long_text_with_letters_to_escape_is_signed_and_any_change_is_seen(piece):
    raw = f"<edXML><x>{'JVBERi0x' * 800}{piece}{'JVBERi0x' * 800}</x></edXML>".encode()
    signed = cases.signed(raw)
    assert cases.only(signed).passed
    assert cases.xmlsec_accepts(signed, cases.CERTIFICATES["p256"])
    for place in (0, 6400, -1):

        def change(root, place=place):
            letters = list(root[0].text)
            letters[place] = "A"
            root[0].text = "".join(letters)

        assert cases.only(cases.changed(signed, change)).why == "digest_differs"


def test_the_text_behind_a_removed_signature_stays():
    raw = cases.changed(cases.signed(), lambda root: setattr(cases.signature_of(root), "tail", " đuôi "))
    assert cases.only(raw).why == "digest_differs"
    again = cases.resigned(raw)
    assert cases.only(again).passed
    assert (
        cases.only(cases.changed(again, lambda root: setattr(cases.signature_of(root), "tail", ""))).why
        == "digest_differs"
    )


def test_a_digest_is_computed_once_for_all_signatures():
    raw = cases.LETTER
    for kind in ("p256", "p384", "rsa2048"):
        raw = cases.signed(raw, kind, references=["#header"], algorithm="auto", at=None)
    document = xml_document.parse(raw)
    skeleton = canonical.prepare(document)
    header = document.identifiers.elements["header"]
    first = canonical.digest(skeleton, header, EXCLUSIVE, None, "sha256")
    assert canonical.digest(skeleton, header, Form(exclusive=True), None, "sha256") is first
    assert first == hashlib.sha256(whole(header, skeleton, EXCLUSIVE)).digest()
    assert canonical.digest(skeleton, header, INCLUSIVE, None, "sha256") != first
    assert len(skeleton.digests) == 2


PARTS = {
    "namespaces that it does not use": (
        b'<r xmlns="urn:d" xmlns:a="urn:a"><p Id="x"><q/></p></r>',
        b'<p xmlns="urn:d" xmlns:a="urn:a" Id="x"><q></q></p>',
    ),
    "a default namespace taken back": (
        b'<r xmlns="urn:d"><p xmlns="" Id="x"><q/></p></r>',
        b'<p Id="x"><q></q></p>',
    ),
    "a default namespace used again below another": (
        b'<r xmlns="urn:d"><a:p xmlns:a="urn:d" Id="x"><q><a:s/></q></a:p></r>',
        b'<a:p xmlns="urn:d" xmlns:a="urn:d" Id="x"><q><a:s></a:s></q></a:p>',
    ),
    "a prefix bound anew": (
        b'<r xmlns:a="urn:1"><b xmlns:a="urn:2"><a:p Id="x"/></b></r>',
        b'<a:p xmlns:a="urn:2" Id="x"></a:p>',
    ),
    "xml attributes, the nearest first": (
        b'<r xml:lang="vi" xml:space="preserve"><b xml:lang="en"><p Id="x" xml:space="default"/></b></r>',
        b'<p Id="x" xml:lang="en" xml:space="default"></p>',
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_a_part_inherits_in_the_inclusive_form(name):
    raw, expected = PARTS[name]
    document = xml_document.parse(raw)
    skeleton = canonical.prepare(document)
    part = document.identifiers.elements["x"]
    assert whole(part, skeleton, INCLUSIVE) == expected
    # The tree itself has not changed.
    assert etree.tostring(document.root, method="c14n") == etree.tostring(cases.parsed(raw), method="c14n")
