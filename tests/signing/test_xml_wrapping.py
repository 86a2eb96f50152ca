"""Wrapping: the signed bytes stay as they are, and something else is put where a reader looks.

Each document here keeps every digest and every signature value right for some verifier; none may pass with a coverage
that a reader could mistake for the content.
"""

import copy

import pytest
import xml_cases as cases
import xml_wrappings as wrappings
from xml_changes import respelt, worded

from signing import xmldsig
from signing.verdict import Coverage

ENVELOPED = cases.signed(at=None)
HEADER = cases.signed(references=["#header"], at=None)
BOTH = cases.signed(cases.signed(references=["#header"]), kind="rsa2048", references=["#file1"])


@pytest.mark.parametrize("name", wrappings.CONSTRUCTIONS)
def test_wrapping_is_found_and_never_passes(name):
    parent, change, why = wrappings.CONSTRUCTIONS[name]
    raw = wrappings.parent(parent, cases.LETTER, cases.signed)
    assert cases.only(raw).passed
    report = cases.judged(cases.changed(raw, change))
    assert report.verdicts
    assert not any(verdict.passed for verdict in report.verdicts)
    assert why in {verdict.why for verdict in report.verdicts}
    assert all(verdict.wrapping == (verdict.why in xmldsig.WRAPPING) for verdict in report.verdicts)
    assert all(
        verdict.coverage == Coverage(whole=False, detail="not_evaluated") for verdict in report.verdicts
    )


def test_there_are_constructions_enough():
    reasons = {why for _, _, why in wrappings.CONSTRUCTIONS.values()}
    assert len(wrappings.CONSTRUCTIONS) >= 40
    assert reasons >= xmldsig.WRAPPING


def test_the_same_attacks_on_a_signature_of_the_whole_break_its_digest():
    to = wrappings.an("Attachment")
    for change in (
        wrappings.aside(to),
        wrappings.aside(to, f"{{{cases.NS}}}MESSAGEHEADER"),
        wrappings.aside(to, "{urn:x}MessageHeader"),
    ):
        assert cases.only(cases.changed(ENVELOPED, change)).why == "digest_differs"
    assert (
        cases.only(cases.changed(ENVELOPED, lambda root: wrappings.under_new_root(_identified(root)))).why
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
