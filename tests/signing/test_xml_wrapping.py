"""Wrapping: the signed bytes stay as they are, and something else is put where a reader looks.

Each document here keeps every digest and every signature value right for some verifier; none may pass with a coverage
that a reader could mistake for the content.
"""

import copy

import pytest
import xml_cases as cases
from lxml import etree
from xml_changes import named, put, respelt, worded

from signing.algorithms import DS

NS = cases.NS
WHOLE = cases.signed(cases.LETTER.replace(b"<edXML ", b'<edXML Id="doc" ', 1), references=["#doc"], at=None)
ENVELOPED = cases.signed(at=None)
HEADER = cases.signed(references=["#header"], at=None)
BOTH = cases.signed(cases.signed(references=["#header"]), kind="rsa2048", references=["#file1"])


def forged(root):
    """A copy of the message without its signature, that says something else."""
    evil = copy.deepcopy(root)
    signature = cases.signature_of(evil)
    signature.getparent().remove(signature)
    cases.part(evil, "CodeNotation").text = "GIA-MAO"
    for node in evil.iterdescendants():
        node.attrib.pop("Id", None)
    return evil


def in_object(identifier):
    """The original into an Object of its signature, which a forged root then carries."""

    def change(root):
        evil = forged(root)
        signature = cases.signature_of(root)
        signature.getparent().remove(signature)
        evil.set("Id", identifier)
        etree.SubElement(signature, f"{{{DS}}}Object").append(root)
        cases.part(evil, "edXMLHeader").append(signature)
        return evil

    return change


def under_new_root(root):
    """The whole signed document below a forged root."""
    evil = forged(root)
    del evil.attrib["Id"]
    evil.append(root)
    return evil


def header_aside(root):
    """The signed header moved into an element nobody reads, a forged one in its place."""
    header = cases.part(root, "MessageHeader")
    evil = copy.deepcopy(header)
    del evil.attrib["Id"]
    cases.part(evil, "CodeNotation").text = "GIA-MAO"
    header.addprevious(evil)
    cases.part(root, "Attachment").append(header)


def header_below_signature(root):
    header_aside(root)
    holder = etree.SubElement(cases.signature_of(root), f"{{{DS}}}Object")
    holder.append(cases.part(root, "MessageHeader", 1))


def other_case(root):
    header_aside(root)
    evil = cases.part(root, "MessageHeader")
    evil.tag = f"{{{NS}}}MESSAGEHEADER"


def other_namespace(root):
    header_aside(root)
    cases.part(root, "MessageHeader").tag = "{urn:x}MessageHeader"


def inner_signature(root):
    holder = etree.SubElement(cases.signature_of(root), f"{{{DS}}}Object")
    holder.append(copy.deepcopy(cases.signature_of(root)))


WRAPPED = {
    "original in an object, other Id": (WHOLE, in_object("doc2"), "content_in_signature"),
    "original in an object, same Id": (WHOLE, in_object("doc"), "doubled_identifier"),
    "signed document under a new root": (WHOLE, under_new_root, "same_name_elsewhere"),
    "signed header moved aside": (HEADER, header_aside, "same_name_elsewhere"),
    "signed header moved aside, forged one in capitals": (HEADER, other_case, "same_name_elsewhere"),
    "signed header moved aside, forged one in another namespace": (HEADER, other_namespace, "same_name_elsewhere"),
    "signed header moved into the signature": (HEADER, header_below_signature, "content_in_signature"),
    "same Id twice": (HEADER, named("Attachment", "Id", "header"), "doubled_identifier"),
    "Id of a signature's own part taken": (cases.signed(references=["#header"]), named("Attachment", "Id", "signing-time-0"), "doubled_identifier"),
    "content of the message in an object": (ENVELOPED, put("Signature", f'<Object xmlns="{DS}"><Code xmlns="{NS}"/></Object>', 3), "content_in_signature"),
    "another root in an object": (ENVELOPED, put("Signature", f'<Object xmlns="{DS}"><edXML xmlns="urn:x"/></Object>', 3), "content_in_signature"),
    "signature in a signature": (ENVELOPED, inner_signature, "nested_signature"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRAPPED)
def test_wrapping_is_found_and_never_passes(name):
    raw, change, why = WRAPPED[name]
    assert cases.only(raw).passed
    report = cases.judged(cases.changed(raw, change))
    assert report.verdicts
    assert not any(verdict.passed for verdict in report.verdicts)
    assert all(verdict.wrapping for verdict in report.verdicts)
    assert report.verdicts[0].why == why


def test_the_same_attacks_on_a_signature_of_the_whole_break_its_digest():
    for change in (header_aside, other_case, other_namespace):
        assert cases.only(cases.changed(ENVELOPED, change)).why == "digest_differs"
    assert (
        cases.only(cases.changed(ENVELOPED, lambda root: under_new_root(_identified(root)))).why
        == "digest_differs"
    )


def _identified(root):
    root.set("Id", "doc")
    return root


def test_an_identifier_in_another_spelling_is_no_target():
    verdict = cases.only(cases.changed(HEADER, respelt("MessageHeader", "header")))
    assert (verdict.why, verdict.passed) == ("target_missing", False)


def test_a_bogus_signature_before_the_good_one_helps_nobody():
    def change(root):
        bogus = copy.deepcopy(cases.signature_of(root))
        cases.part(bogus, "SignatureValue").text = "AAAA"
        del bogus.attrib["Id"]
        cases.signature_of(root).addprevious(bogus)

    verdicts = cases.judged(cases.changed(ENVELOPED, change)).verdicts
    assert [verdict.why for verdict in verdicts] == ["digest_differs", "digest_differs"]
    # On a part both hold their digests; only the true one has a value, and it covers no more than it did.
    verdicts = cases.judged(cases.changed(HEADER, change)).verdicts
    assert [verdict.why for verdict in verdicts] == ["signature_value_wrong", "passed"]


def test_what_was_changed_beside_a_covered_part_is_not_told_as_covered():
    moved = cases.only(cases.changed(HEADER, worded("AttachmentName", "khac.pdf")))
    assert moved.passed
    assert not moved.coverage.whole
    assert moved.coverage.paths == ("/*/edXML:edXMLEnvelope/edXML:edXMLHeader/edXML:MessageHeader",)


def test_two_signatures_of_parts_stand_beside_each_other():
    person, organisation = cases.judged(BOTH).verdicts
    assert person.passed
    assert organisation.passed
    assert organisation.coverage.paths == ("/*/*[2]/*[1]",)
    assert (person.position, organisation.position) == (0, 1)


def test_moving_a_signature_elsewhere_changes_nothing_it_covers():
    def change(root):
        cases.part(root, "AttachmentEncoded").append(cases.signature_of(root))

    assert cases.only(cases.changed(HEADER, change)).passed
    assert cases.only(cases.changed(ENVELOPED, change)).passed


@pytest.mark.parametrize("signed", [ENVELOPED, HEADER])
def test_a_doctype_is_never_read(signed):
    hostile = signed.replace(b"<edXML ", b'<!DOCTYPE edXML [<!ENTITY a "GIA-MAO">]><edXML ', 1)
    with pytest.raises(ValueError, match="forbidden_xml"):
        cases.judged(hostile.replace(b"UBND-VX", b"&a;"))
