"""Reading for verification: what is refused before any digest, budgets, remarks and placeholders."""

import base64
import copy
import time
from pathlib import Path

import pytest
import xml_cases as cases
from lxml import etree
from xml_changes import named, put, worded

from signing import canonical, keys, xml_document, xml_structure
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE
from signing.verdict import Remark, TooComplexError

SIGNED = cases.signed()
REFUSED = {
    "nothing": (b"", "not_xml"),
    "text": (b"Kinh gui", "not_xml"),
    "two roots": (b"<a/><b/>", "not_xml"),
    "cut off": (SIGNED[:-10], "not_xml"),
    "undeclared prefix": (b"<a:b/>", "not_xml"),
    "bytes before the declaration": (b"1212" + SIGNED, "not_xml"),
    "not UTF-8 inside": (b"<a>\xff</a>", "not_xml"),
    "control character": (b"<a>\x01</a>", "not_xml"),
    "unknown entity": (b"<a>&nbsp;</a>", "not_xml"),
    "utf-16": ("<a/>".encode("utf-16"), "forbidden_xml"),
    "utf-16 without mark": ("<a/>".encode("utf-16-be"), "forbidden_xml"),
    "declared latin": (b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>', "forbidden_xml"),
    "declared utf-7": (b"<?xml version='1.0' encoding='UTF-7'?>+ADw-!DOCTYPE a+AD4-<a/>", "forbidden_xml"),
    "doctype": (b"<!DOCTYPE a><a/>", "forbidden_xml"),
    "doctype behind notes": (b"\xef\xbb\xbf<!-- <a> --> <?x?>\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "forbidden_xml"),
    "entity bomb": (
        b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 999 + b'"><!ENTITY c "' + b"&b;" * 99 + b'">]><a>' + b"&c;" * 99 + b"</a>",
        "forbidden_xml",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_at_all(name):
    raw, code = REFUSED[name]
    with pytest.raises(xml_document.UnreadableXmlError) as caught:
        cases.judged(raw)
    assert caught.value.code == code
    with pytest.raises(ValueError, match=code):
        xml_document.parse(raw)


@pytest.mark.parametrize(
    "raw", [b"<a><![CDATA[<!DOCTYPE x>]]></a>", b"<a><!--<!DOCTYPE x>--></a>", b"\xef\xbb\xbf<a/>"]
)
def test_a_doctype_in_content_is_text(raw):
    assert cases.judged(raw).verdicts == ()


def many(element, count):
    return b"<a>" + element * count + b"</a>"


def signed_with(change):
    return cases.changed(SIGNED, change)


def more_references(root):
    info = cases.part(root, "SignedInfo")
    for _ in range(xml_structure.REFERENCES):
        info.append(etree.fromstring(etree.tostring(info[-1])))


def three_steps(root):
    holder = cases.part(root, "Transforms")
    etree.SubElement(holder, f"{{{DS}}}Transform", Algorithm=ENVELOPED)


def more_certificates(root):
    node = cases.part(root, "X509Certificate")
    for _ in range(xml_structure.CERTIFICATES):
        etree.SubElement(node.getparent(), node.tag).text = node.text


TOO_COMPLEX = {
    "elements": many(b"<b/>", xml_document.ELEMENTS),
    "markup": many(b"<b/>", 4 * xml_document.ELEMENTS),
    "depth": b"<a>" * (xml_document.DEPTH + 1) + b"</a>" * (xml_document.DEPTH + 1),
    "attributes": b"<a " + b" ".join(b'a%d=""' % n for n in range(xml_document.ATTRIBUTES + 1)) + b"/>",
    "prefixes": b"<a " + b" ".join(b'xmlns:a%d="urn:x"' % n for n in range(canonical.PREFIXES + 1)) + b"/>",
    "signatures": many(b'<Signature xmlns="' + DS.encode() + b'"/>', xml_document.SIGNATURES + 1),
    "references": signed_with(more_references),
    "transforms": signed_with(three_steps),
    "certificates": signed_with(more_certificates),
}


@pytest.mark.parametrize("name", TOO_COMPLEX)
def test_a_budget_is_kept(name):
    with pytest.raises(TooComplexError):
        cases.judged(TOO_COMPLEX[name])


@pytest.mark.parametrize(
    "raw",
    [
        many(b"<b/>", xml_document.ELEMENTS - 1),
        b"<a>" * xml_document.DEPTH + b"</a>" * xml_document.DEPTH,
        b"<a " + b" ".join(b'a%d=""' % n for n in range(xml_document.ATTRIBUTES)) + b"/>",
        b"<a " + b" ".join(b'xmlns:a%d="urn:x"' % n for n in range(canonical.PREFIXES)) + b"/>",
    ],
    ids=["elements", "depth", "attributes", "prefixes"],
)
def test_what_just_fits_is_read(raw):
    assert cases.judged(raw).verdicts == ()


def test_the_most_that_fits_is_judged_in_time():
    body = b"".join(b'<b xmlns:p%d="urn:x" i="1"/>' % (n % 60) for n in range(xml_document.ELEMENTS - 100))
    started = time.process_time()
    assert cases.only(cases.signed(b"<edXML>" + body + b"</edXML>")).passed
    assert time.process_time() - started < 20


def in_many_ways(root):
    """Sixteen references to one part, each in a form of its own, and seven more signatures like this, all digests right."""
    signature = cases.signature_of(root)
    info = cases.part(signature, "SignedInfo")
    info.extend([copy.deepcopy(info[2]) for _ in range(xml_structure.REFERENCES - 1)])
    for number in range(1, xml_document.SIGNATURES):
        root.append(copy.deepcopy(signature))
        root[-1].set("Id", f"signature-{number}")
    document = xml_document.parse(cases.written(root))
    skeleton, target = canonical.prepare(document), document.identifiers.elements["file1"]
    for number, reference in enumerate(root.iter(f"{{{DS}}}Reference")):
        form = canonical.Form(exclusive=True, prefixes=(f"p{number}",))
        step = cases.part(reference, "Transform")
        step.append(etree.fromstring(f'<InclusiveNamespaces xmlns="{EXCLUSIVE}" PrefixList="p{number}"/>'))
        right = canonical.hashlib.sha256(b"".join(canonical.octets(skeleton, target, form))).digest()
        cases.part(reference, "DigestValue").text = base64.b64encode(right).decode()


def test_digests_of_one_part_in_many_ways_are_too_much():
    long = cases.LETTER.replace(b"JVBERi0x", b"JVBERi0x" * 50_000)
    hostile = cases.changed(cases.signed(long, references=["#file1"], at=None), in_many_ways)
    with pytest.raises(TooComplexError, match="digests ≤"):
        cases.judged(hostile)


def test_many_comments_and_many_elements_of_one_name_are_judged_in_time():
    body = b"<Phan><x/></Phan><!-- x -->" * 20_000
    raw = b'<edXML><So Id="a"><x/></So>' + body + b"</edXML>"
    parts = [f"#{name}" for name in "abcdefghijklmno"]
    for name in "bcdefghijklmno":
        raw = raw.replace(b"<Phan><x/>", f'<Phan Id="{name}"><x/>'.encode(), 1)
    signed = cases.signed(raw, references=parts)
    for kind in ("p384", "p521", "rsa2048"):
        signed = cases.signed(signed, kind, references=parts, algorithm="auto")
    started = time.process_time()
    assert [verdict.passed for verdict in cases.judged(signed).verdicts] == [True] * 4
    assert time.process_time() - started < 5


def test_a_certificate_of_megabytes_is_not_looked_at():
    huge = base64.b64encode(keys.der(cases.CERTIFICATES["p256"]) + bytes(5_000_000)).decode()
    report = cases.judged(cases.changed(SIGNED, worded("X509Certificate", huge)))
    assert [one.code for one in report.remarks] == ["placeholder_signature"]


REMARKS = {
    "foreign_namespace": put(
        "edXMLHeader", f'<Signature xmlns="{cases.NS}"><SignatureValue/></Signature>', 1
    ),
    "empty_signature": put("edXMLHeader", f'<DigitalSignature xmlns="{cases.NS}"/>', 1),
}


@pytest.mark.parametrize("code", REMARKS)
def test_what_only_looks_like_a_signature_is_remarked(code):
    report = cases.judged(cases.changed(cases.LETTER, REMARKS[code]))
    assert report.verdicts == ()
    (found,) = report.remarks
    assert (found.code, found.where) == (code, "package")
    assert found.path.startswith("/*/edXML:edXMLEnvelope/edXML:edXMLHeader/")


def test_a_signature_of_no_namespace_is_foreign_too():
    report = cases.judged(b"<edXML><Signature>x</Signature><DigitalSignature><a/></DigitalSignature></edXML>")
    assert report.remarks == (Remark(code="foreign_namespace", where="package", path="/edXML/Signature"),)


# What a vendor's library writes into every message (published with its samples).
VENDOR_VALUE = (
    "GbVb8n9+qFxz466Ag0sbpVdLPs2R0+9JBekp12UyarAZjoG0W/kPZZJ1auRZDcNcrSwzgkQMpqrjwxcy3ejzbY/ON5USUPgoYNYM8p4wsgQpEAeQaZ+E"
    "WLkkEBxYjb+iWEiAjYuJI7gtJoOyENcOK4fO050SXp2ctOc32LJMA5eEI6Hw7sxhc2LAgcPiynJHdDW2Z+eut6QZiUsbIF9+S3T6u/tfLImw39dgSlCx"
    "upwLPHepxuiLOqyd08HeJGCZufg9WqRBVyLFM76uCIaPRP5wwAdx72GVjPcG2kh+2jjrt7fqtJOufJzCObtQgPgBqIvDiZCGoOM41OQMiqtF3w=="
)
PLACEHOLDERS = {
    "stub certificate": worded("X509Certificate", "MIIFqTCCBJG"),
    "stub certificate in lines": worded("X509Certificate", "\n  MIIFqT\n  CCBJG\n"),
    "certificate undecodable": worded("X509Certificate", "không có"),
    "certificate empty": worded("X509Certificate", ""),
    "no certificate in the bytes": worded("X509Certificate", base64.b64encode(b"x" * 400).decode()),
    "value of a vendor's library": worded("SignatureValue", VENDOR_VALUE),
    "value of a vendor's library in lines": worded(
        "SignatureValue", f"{VENDOR_VALUE[:99]}\r\n\t{VENDOR_VALUE[99:]}"
    ),
    "value empty": worded("SignatureValue", ""),
    "value undecodable": worded("SignatureValue", "${value}"),
    "value in another writing": worded("SignatureValue", "AB=="),
}


@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_placeholder_is_remarked_and_never_judged(name):
    report = cases.judged(cases.changed(SIGNED, PLACEHOLDERS[name]))
    assert report.verdicts == ()
    assert [(one.code, one.severity) for one in report.remarks] == [("placeholder_signature", "warning")]
    assert report.remarks[0].path.endswith("/ds:Signature")


def test_a_placeholder_with_an_old_algorithm_is_a_placeholder_first():
    both = cases.changed(
        cases.changed(SIGNED, PLACEHOLDERS["stub certificate"]),
        named("SignatureMethod", "Algorithm", DS + "rsa-sha1"),
    )
    assert cases.judged(both).verdicts == ()


def test_a_placeholder_beside_a_good_signature_does_not_disturb_it():
    good = cases.signed(references=["#header"])
    both = cases.changed(cases.signed(good, at=None), worded("X509Certificate", "MIIFqTCCBJG", 1))
    report = cases.judged(both)
    assert [verdict.passed for verdict in report.verdicts] == [True]
    assert [one.code for one in report.remarks] == ["placeholder_signature"]


def test_a_repaired_message_is_not_judged():
    broken = SIGNED.replace(b"<AttachmentEncoded>", b'<AttachmentEncoded xlink:href="">')
    with pytest.raises(xml_document.UnreadableXmlError):
        cases.judged(broken)
    (verdict,) = cases.judged(broken, repaired=True).verdicts
    assert cases.ended(verdict) == "TOTAL_FAILED/FORMAT_FAILURE/message_repaired"
    assert not verdict.wrapping
    assert not verdict.coverage.whole
    assert cases.judged(cases.LETTER, repaired=True).verdicts == ()


@pytest.mark.parametrize("raw", [b"<!DOCTYPE a><a/>", b"", b"x"])
def test_repairing_does_not_forgive_everything(raw):
    with pytest.raises(xml_document.UnreadableXmlError):
        cases.judged(raw, repaired=True)


@pytest.mark.parametrize("optimised", [0, 1, 2])
def test_nodes_are_held_however_python_runs(optimised):
    """An `assert` is left out by `python -O`, with all that is done in it."""
    source = Path(xml_document.__file__)
    names = {"__name__": xml_document.__name__}
    exec(compile(source.read_text("utf-8"), source, "exec", optimize=optimised), names)
    document = names["parse"](SIGNED)
    assert "nodes" not in vars(document)
    document.hold_nodes()
    assert vars(document)["nodes"][0] is document.root
