"""One byte, or one piece, of a small signed letter changed: it never passes unless what is covered stays the same."""

import random

import pytest
import xml_cases as cases
from lxml import etree

from signing.algorithms import DS
from signing.xml_document import UnreadableXmlError

LETTER = '<edXML xmlns:a="urn:a"><a:So Id="x" n=" 1 ">12/VP &amp; ừ</a:So><b/>\n</edXML>'.encode()
WHOLE = cases.signed(LETTER)
PART = cases.signed(LETTER, references=["#x"], canonical="inclusive")
PIECES = [b"", b"<", b"</a>", b"&amp;", b"<!--x-->", b"<?x y?>", b"<![CDATA[x]]>", b" ", b"\r\n", b"&#13;", b"\xc2\xa0", b'"', b" Id='x'", b'xmlns="urn:b"', b"AAAA", b"="]  # fmt: skip


def covered(raw, whole):
    """The canonical forms of what is covered and of SignedInfo, by lxml on a tree from which the signature is cut."""
    root = etree.fromstring(raw)
    signature = cases.signature_of(root)
    info = etree.tostring(signature[0], method="c14n")
    behind = signature.tail or ""
    before = signature.getprevious()
    if before is None:
        root.text = (root.text or "") + behind
    else:
        before.tail = (before.tail or "") + behind
    signature.getparent().remove(signature)
    return etree.tostring(root if whole else root.find("./*[@Id='x']"), method="c14n"), info


def passes(raw):
    try:
        return any(verdict.passed for verdict in cases.judged(raw).verdicts)
    except UnreadableXmlError:
        return False


@pytest.mark.parametrize(("raw", "whole"), [(WHOLE, True), (PART, False)], ids=["whole", "part"])
def test_flipping_any_byte_never_passes_with_other_content(raw, whole):
    original, unchanged, flipped = covered(raw, whole), 0, bytearray(raw)
    for position, byte in enumerate(raw):
        for mask in (0x01, 0x20, 0x80):
            flipped[position] = byte ^ mask
            if passes(bytes(flipped)):
                assert covered(bytes(flipped), whole) == original, (position, mask)
                unchanged += 1
        flipped[position] = byte
    assert passes(raw)
    # Only what nothing covers may change: names in the key info, the certificate's base64 line, uncovered content.
    assert unchanged < len(raw) / 2


@pytest.mark.parametrize(("raw", "whole"), [(WHOLE, True), (PART, False)], ids=["whole", "part"])
def test_putting_a_piece_anywhere_never_passes_with_other_content(raw, whole):
    original, chance = covered(raw, whole), random.Random(7)
    for _ in range(2500):
        start = chance.randrange(len(raw))
        stop = start + chance.choice((0, 0, 1, 2, 8))
        mutated = raw[:start] + chance.choice(PIECES) + raw[stop:]
        if passes(mutated):
            assert covered(mutated, whole) == original, (start, stop)


def test_swapping_any_two_elements_never_passes_with_other_content():
    original, chance = covered(WHOLE, whole=True), random.Random(8)
    for _ in range(500):
        root = etree.fromstring(WHOLE)
        first, second = chance.sample([node for node in root.iter() if node is not root], 2)
        if first in second.iterancestors() or second in first.iterancestors():
            continue
        swap(first, second)
        mutated = etree.tostring(root)
        if root.find(f".//{{{DS}}}Signature") is not None and passes(mutated):
            assert covered(mutated, whole=True) == original


def swap(first, second):
    marker = etree.Element("marker")
    first.getparent().replace(first, marker)
    second.getparent().replace(second, first)
    marker.getparent().replace(marker, second)
