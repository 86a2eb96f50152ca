"""Damaged, exchanged and re-encoded signatures, and messages beyond every budget: no answer is wrong, slow, or remembered."""

import base64
import contextlib
import random
import time
from collections import Counter

import pytest
import xml_cases as cases
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from xml_changes import worded

from signing import canonical, xml_document, xml_structure
from signing.algorithms import DS, EXCLUSIVE
from signing.verdict import TooComplexError

GOOD = cases.signed(xades=True)
RSA = cases.signed(kind="rsa2048")
OTHER = cases.signed(cases.LETTER.replace(b"UBND-VX", b"UBND-XX"), xades=True)
PROFILES = {
    "xmldsig": cases.signed(references=["#header", "#file1"], canonical="inclusive"),
    "xmldsig-enveloped": cases.signed(),
    "xades-b": GOOD,
    "rsa": RSA,
}
TRIED = Counter()
SLOWER = 30
"""How many times as long as parsing a hostile message its refusal may take."""


def ended(raw):
    """How a message ends, in one word: passes, or another."""
    try:
        report = cases.judged(raw)
    except (xml_document.UnreadableXmlError, TooComplexError) as problem:
        return type(problem).__name__
    return "passed" if any(verdict.passed for verdict in report.verdicts) else "not passed"


@pytest.fixture(autouse=True)
def next_is_unaffected():
    """The good message ends after a hostile one as it did before."""
    before = cases.judged(GOOD)
    yield
    assert cases.judged(GOOD) == before


@pytest.mark.parametrize("name", PROFILES)
def test_a_truncated_message_never_passes(name):
    raw, chance = PROFILES[name], random.Random(name)
    for stop in chance.sample(range(1, len(raw.rstrip())), 120):
        TRIED["truncated"] += 1
        assert ended(raw[:stop]) == "UnreadableXmlError"


@pytest.mark.parametrize("name", PROFILES)
def test_a_truncated_part_never_passes(name):
    """Cut inside: the text of one of the signature's parts is shortened, or its end taken for its beginning."""
    root = cases.parsed(PROFILES[name])
    signature = cases.signature_of(root)
    for place, node in enumerate(signature.iter()):
        if node.text and node.text.strip() and node.tag != f"{{{DS}}}X509Certificate":
            for change in (
                lambda text: text[:-4],
                lambda text: text[4:],
                lambda text: text[len(text) // 2 :],
                lambda _text: "",
            ):
                changed = cases.parsed(PROFILES[name])
                target = list(cases.signature_of(changed).iter())[place]
                target.text = change(target.text)
                TRIED["part truncated"] += 1
                assert ended(cases.written(changed)) == "not passed", node.tag


SWAPPED = (
    "SignatureValue",
    "SignedInfo",
    "DigestValue",
    "Reference",
    "Signature",
    "SignedProperties",
    "QualifyingProperties",
    "Object",
)


@pytest.mark.parametrize("part", SWAPPED)
def test_a_part_of_another_signature_never_passes(part):
    def change(root):
        theirs = cases.part(cases.parsed(OTHER), part)
        ours = cases.part(root, part)
        theirs.tail = ours.tail
        ours.getparent().replace(ours, theirs)

    TRIED["swapped"] += 1
    changed = cases.changed(GOOD, change)
    assert ended(changed) == (
        "passed" if part in {"SignedProperties", "QualifyingProperties", "Object"} else "not passed"
    )


def test_the_key_info_of_another_signer_never_passes():
    for kind in ("p384", "rsa2048"):
        theirs = cases.part(cases.parsed(cases.signed(kind=kind)), "KeyInfo")
        changed = cases.changed(GOOD, lambda root, theirs=theirs: cases.part(root, "KeyInfo").getparent().replace(cases.part(root, "KeyInfo"), theirs))  # fmt: skip
        TRIED["swapped"] += 1
        assert ended(changed) == "not passed"


def value_of(raw):
    return base64.b64decode(cases.part(cases.parsed(raw), "SignatureValue").text)


def halves(raw):
    value = value_of(raw)
    return int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")


ENCODED = {
    "DER of r and s": base64.b64encode(encode_dss_signature(*halves(GOOD))),
    "r and s exchanged": base64.b64encode(value_of(GOOD)[32:] + value_of(GOOD)[:32]),
    "a zero before r": base64.b64encode(b"\0" + value_of(GOOD)),
    "zeros before both": base64.b64encode(b"\0" + value_of(GOOD)[:32] + b"\0" + value_of(GOOD)[32:]),
    "a byte behind": base64.b64encode(value_of(GOOD) + b"\0"),
    "hexadecimal": value_of(GOOD).hex().encode(),
    "base64 of base64": base64.b64encode(base64.b64encode(value_of(GOOD))),
    "base64 for URLs": base64.urlsafe_b64encode(b"\xff" * 3 + value_of(GOOD)),
    "no padding": base64.b64encode(value_of(GOOD)).rstrip(b"="),
    "other bits behind the last": base64.b64encode(value_of(GOOD)).rstrip(b"=")[:-1] + b"B==",
    "a no-break space inside": base64.b64encode(value_of(GOOD))[:20]
    + "\u00a0".encode()
    + base64.b64encode(value_of(GOOD))[20:],
    "reversed": base64.b64encode(value_of(GOOD)[::-1]),
}


@pytest.mark.parametrize("name", ENCODED)
def test_a_value_in_another_writing_never_passes(name):
    TRIED["re-encoded"] += 1
    assert ended(cases.changed(GOOD, worded("SignatureValue", ENCODED[name].decode()))) == "not passed"


RSA_ENCODED = {
    "a zero before": b"\0" + value_of(RSA),
    "a zero behind": value_of(RSA) + b"\0",
    "one byte less": value_of(RSA)[1:],
    "plus the modulus": (
        int.from_bytes(value_of(RSA), "big") + cases.KEYS["rsa2048"].public_key().public_numbers().n
    ).to_bytes(257, "big"),
    "zero": bytes(256),
    "one": (1).to_bytes(256, "big"),
}


@pytest.mark.parametrize("name", RSA_ENCODED)
def test_an_rsa_value_in_another_writing_never_passes(name):
    TRIED["re-encoded"] += 1
    value = base64.b64encode(RSA_ENCODED[name]).decode()
    assert ended(cases.changed(RSA, worded("SignatureValue", value))) == "not passed"


def many(element, count):
    return b"<edXML>" + element * count + b"</edXML>"


def repeated(name, times, *, inside=None):
    """The good message with one of its parts many times."""

    def change(root):
        node = cases.part(root, name)
        for _ in range(times):
            (node.getparent() if inside is None else cases.part(root, inside)).append(
                etree.fromstring(etree.tostring(node, with_tail=False))
            )

    return cases.changed(GOOD, change)


def prefixed(count):
    names = " ".join(f'xmlns:p{number}="urn:x"' for number in range(count))
    return GOOD.replace(b"<edXML ", f"<edXML {names} ".encode(), 1)


OVER = {
    "elements": lambda: many(b"<b/>", xml_document.ELEMENTS),
    "elements, tens of times": lambda: many(b"<b/>", 10 * xml_document.ELEMENTS),
    "markup, no elements": lambda: many(b"<!---->", 4 * xml_document.ELEMENTS),
    "depth": lambda: b"<a>" * (xml_document.DEPTH + 1) + b"</a>" * (xml_document.DEPTH + 1),
    "depth of thousands": lambda: b"<a>" * 200_000 + b"</a>" * 200_000,
    "attributes": lambda: (
        b"<a " + b" ".join(b'a%d=""' % n for n in range(xml_document.ATTRIBUTES + 1)) + b"/>"
    ),
    "attributes of thousands": lambda: b"<a " + b" ".join(b'a%d=""' % n for n in range(20_000)) + b"/>",
    "prefixes": lambda: prefixed(canonical.PREFIXES + 1),
    "prefixes of thousands": lambda: prefixed(5_000),
    "signatures": lambda: repeated("Signature", xml_document.SIGNATURES),
    "signatures of hundreds": lambda: repeated("Signature", 500),
    "references": lambda: repeated("Reference", xml_structure.REFERENCES),
    "references of thousands": lambda: repeated("Reference", 3_000),
    "transforms": lambda: repeated("Transform", xml_structure.TRANSFORMS),
    "transforms of thousands": lambda: repeated("Transform", 5_000),
    "certificates": lambda: repeated("X509Certificate", xml_structure.CERTIFICATES),
    "certificates of thousands": lambda: repeated("X509Certificate", 2_000),
}


def processor_time(work):
    started = time.process_time()
    work()
    return time.process_time() - started


def parse_alone(raw):
    with contextlib.suppress(etree.XMLSyntaxError):
        etree.fromstring(raw, xml_document.parser())


@pytest.mark.parametrize("name", OVER)
def test_a_message_over_a_budget_is_refused_before_any_digest_and_soon(name):
    """Every digest of these messages is wrong by now, and nobody says so; the time is little more than parsing takes."""
    raw = OVER[name]()
    TRIED["over a budget"] += 1

    def judge():
        with pytest.raises((TooComplexError, xml_document.UnreadableXmlError)):
            cases.judged(raw)

    least, taken = (min(processor_time(work) for _ in range(3)) for work in (lambda: parse_alone(raw), judge))
    assert taken <= SLOWER * least + 0.02


def in_xades(inner):
    """The good message with something added to its unsigned properties; none of it needs a new value."""
    markup = (
        '<x:UnsignedProperties xmlns:x="http://uri.etsi.org/01903/v1.3.2#"><x:UnsignedSignatureProperties>'
        f"{inner}</x:UnsignedSignatureProperties></x:UnsignedProperties>"
    )
    return cases.changed(
        GOOD, lambda root: cases.part(root, "QualifyingProperties").append(etree.fromstring(markup))
    )


def values(name, holder, count, data):
    each = f"<x:{name}>{base64.b64encode(data).decode()}</x:{name}>"
    return in_xades(holder.format(each * count))


CERTIFICATE = cases.CERTIFICATES["p384"].public_bytes(cases.Encoding.DER)
MUCH = {
    "tokens": lambda: values("EncapsulatedTimeStamp", "<x:SignatureTimeStamp>{}</x:SignatureTimeStamp>", 3_000, b"x" * 300),
    "a large token": lambda: values("EncapsulatedTimeStamp", "<x:SignatureTimeStamp>{}</x:SignatureTimeStamp>", 1, b"x" * 5_000_000),
    "certificates": lambda: values("EncapsulatedX509Certificate", "<x:CertificateValues>{}</x:CertificateValues>", 2_000, CERTIFICATE),
    "lists": lambda: values("EncapsulatedCRLValue", "<x:RevocationValues><x:CRLValues>{}</x:CRLValues></x:RevocationValues>", 2_000, cases.lists()[0]),
    "a large list": lambda: values("EncapsulatedCRLValue", "<x:RevocationValues><x:CRLValues>{}</x:CRLValues></x:RevocationValues>", 1, b"0" * 5_000_000),
    "responses": lambda: values("EncapsulatedOCSPValue", "<x:RevocationValues><x:OCSPValues>{}</x:OCSPValues></x:RevocationValues>", 2_000, b"x" * 300),
    "prefix list": lambda: cases.resigned(cases.signed(), lambda root: cases.part(root, "Transform", 1).append(
        etree.fromstring(f'<InclusiveNamespaces xmlns="{EXCLUSIVE}" PrefixList="{" ".join(f"p{n}" for n in range(20_000))}"/>'))),
}  # fmt: skip


@pytest.mark.parametrize("name", MUCH)
def test_much_that_proves_nothing_costs_little(name):
    raw = MUCH[name]()
    TRIED["much of something"] += 1
    least, taken = (
        min(processor_time(work) for _ in range(3)) for work in (lambda: parse_alone(raw), lambda: ended(raw))
    )
    print(f"{name}: {len(raw)} bytes, {taken / least:.0f} times parsing")
    assert taken <= SLOWER * least + 0.02


def test_there_was_enough_to_try():
    print(dict(TRIED))
    assert sum(TRIED.values()) >= 600
