"""The published shape: the file is the table's, what we write has it by two validators, what leaves it is told."""

import io
from importlib.resources import files
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given, settings
from letters_generated import any_letter, any_notice
from lxml import etree

from exchange.edxml import grammar, read, shape, view, write

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = (FIXTURES / "new_dotnet.edxml").read_bytes()
XSD = files("schemas") / "edxml" / "edxml.xsd"
HEADER = "edXML/edXMLEnvelope/edXMLHeader"
UNREADABLE = {"doctype.edxml", "flat_other_vocabulary.edxml", "garbage_before_declaration.edxml"}


@pytest.fixture(scope="module")
def independent():
    return xmlschema.XMLSchema(io.StringIO(XSD.read_text(encoding="utf-8")))


def test_the_file_is_the_tables():
    assert XSD.read_text(encoding="utf-8") == shape.document(), "run python -m exchange.edxml.shape"


def test_the_file_has_every_element_of_the_table():
    """Read out of the XSD itself, but for what tolerant readers take where nobody's writer puts it."""
    types = etree.fromstring(XSD.read_bytes()).iter("{*}complexType")
    named = {one.get("name"): {child.get("name") for child in one.iter("{*}element")} for one in types}
    assert {*named} == {*grammar.CHILDREN}
    for name, children in named.items():
        missing = {entry.name for entry in grammar.CHILDREN[name].values()} - children
        assert children <= {*grammar.CHILDREN[name]}
        assert not missing or name in shape.LAYERS
    assert {*grammar.CHILDREN["TraceHeaderList"]} - named["TraceHeaderList"] == {"Paper"}


@settings(deadline=None, max_examples=40)
@given(message=any_letter() | any_notice())
def test_what_we_write_has_the_shape(independent, message):
    raw = write.write(message)
    assert independent.is_valid(io.BytesIO(raw))
    assert shape.schema().validate(etree.fromstring(raw))
    assert shape.findings(raw) == ()
    assert read.read(raw).findings == ()


@pytest.mark.parametrize(
    "name", sorted({path.relative_to(FIXTURES).as_posix() for path in FIXTURES.rglob("*.edxml")} - UNREADABLE)
)
def test_shapes_of_the_field_are_the_published_one(independent, name):
    """Of either validator the same; of new fixtures, at least that both see alike."""
    raw = (FIXTURES / name).read_bytes()
    reading = read.read(raw)
    if reading.repaired:
        assert shape.findings(raw) == ()
        return
    assert independent.is_valid(io.BytesIO(raw)) == (shape.findings(raw) == ())


MUTANTS = {
    "spelling": (b"edXML:Subject>", b"edXML:subject>", f"{HEADER}/MessageHeader/subject", "spelling"),
    "business": (b"Bussiness>", b"Business>", f"{HEADER}/TraceHeaderList/Business", "spelling"),
    "namespace": (b'xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016"', b'xmlns:edXML="urn:x"', "edXML/edXMLEnvelope", "namespace"),
    "paper": (b"</edXML:TraceHeader>", b"</edXML:TraceHeader><edXML:Paper>1</edXML:Paper>", f"{HEADER}/TraceHeaderList/Paper", "place"),
    "layer": (b"<edXML:edXMLBody>", b"<edXML:edXMLBody><edXML:Signature/>", "edXML/edXMLEnvelope/edXMLBody/Signature", "place"),
    "text": (b"<edXML:OtherInfo>", b"<edXML:OtherInfo>x", f"{HEADER}/MessageHeader/OtherInfo", "text"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_what_leaves_the_shape_is_told_with_its_line(name, independent):
    old, new, path, cause = MUTANTS[name]
    raw = GOOD.replace(old, new)
    (found, *_) = shape.findings(raw)
    assert (found.severity, found.code, found.path, found.facts["cause"]) == ("warning", "shape", path, cause)
    assert found.line == raw[: raw.index(new)].count(b"\n") + 1
    assert not independent.is_valid(io.BytesIO(raw))
    for language in ("vi", "en"):
        assert "shape_cause" not in view.sentence(found, language)


def test_what_reading_told_is_not_told_twice():
    raw = GOOD.replace(b"<edXML:MessageHeader>", b"<edXML:MessageHeader><edXML:Frob>1</edXML:Frob>")
    assert shape.findings(raw)
    assert shape.findings(raw, read.read(raw).findings) == ()


def test_attributes_and_signatures_are_nobodys_fault():
    signature = (
        b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo Id="a"/></ds:Signature>'
    )
    raw = GOOD.replace(b"<edXML:MessageHeader>", b'<edXML:MessageHeader Id="m">')
    raw = raw.replace(b"<edXML:DigitalSignature />", signature)
    assert signature in raw
    assert shape.findings(raw) == ()


def test_findings_are_bounded():
    raw = GOOD.replace(b"<edXML:ToPlaces>", b"<edXML:toplaces/>" * 500 + b"<edXML:ToPlaces>")
    assert 0 < len(shape.findings(raw)) <= 101
