"""How each kind of broken, odd or hostile XML signature ends: one table; wrapping has its own file."""

import base64
import re

import pytest
import xml_cases as cases
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from xml_changes import (
    dropped,
    named,
    noted,
    prefix_list,
    put,
    respelt,
    steps,
    twice,
    with_certificate,
    with_key_value,
    with_rsa_key_value,
    worded,
)

from signing import keys, xmldsig
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE, INCLUSIVE

SIGNED = cases.signed()
PARTS = cases.signed(references=["#header", "#file1"])
RSA = cases.signed(kind="rsa2048")
CHANGED = SIGNED.replace(b"UBND-VX", b"UBND-VY")
PASSED = "TOTAL_PASSED/None/passed"
FORMAT, CRYPTO = "TOTAL_FAILED/FORMAT_FAILURE/", "INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE/"
LIMITS, NO_DATA = "INDETERMINATE/SIG_CONSTRAINTS_FAILURE/", "INDETERMINATE/SIGNED_DATA_NOT_FOUND/"
NO_SIGNER = "INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND/"
HASH, VALUE = (
    "TOTAL_FAILED/HASH_FAILURE/digest_differs",
    "TOTAL_FAILED/SIG_CRYPTO_FAILURE/signature_value_wrong",
)
COMMENT = FORMAT + "comment_in_signed_content"
NOT_ALLOWED = CRYPTO + "algorithm_not_allowed"
NO_FORM, NO_STEP = LIMITS + "canonical_form_not_allowed", LIMITS + "transform_not_allowed"
MALFORMED, FOREIGN = FORMAT + "malformed_signature", FORMAT + "foreign_content"
change, resigned = cases.changed, cases.resigned

DIFFERS = FORMAT + "key_info_differs"
NUMBER = "<X509IssuerName>CN=Cơ quan chứng thực,O=Cơ quan thử nghiệm,C=VN</X509IssuerName><X509SerialNumber>{}</X509SerialNumber>"

MORE = "http://www.w3.org/2001/04/xmldsig-more#"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
TWIN = cases.issued(name="Người khác cùng khóa", key=cases.KEYS["p256"], serial=5)
OTHER_KEY = keys.new_key()
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
EXC_COMMENTS, INC_COMMENTS = EXCLUSIVE + "WithComments", INCLUSIVE + "#WithComments"


STRANGER = keys.root("Gốc khác", key=OTHER_KEY, at=cases.ISSUED)


def told(name, inner):
    return put("X509Data", f'<{name} xmlns="{DS}">{inner}</{name}>')


def told_digest(kind):
    digest = base64.b64encode(cases.CERTIFICATES[kind].fingerprint(hashes.SHA256())).decode()
    markup = (
        f'<X509Digest xmlns="http://www.w3.org/2009/xmldsig11#" Algorithm="{SHA256}">{digest}</X509Digest>'
    )
    return put("X509Data", markup)


def identifier(kind):
    extension = cases.CERTIFICATES[kind].extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return base64.b64encode(extension.value.digest).decode()


def encoded(certificate):
    return (
        f'<X509Certificate xmlns="{DS}">{base64.b64encode(keys.der(certificate)).decode()}</X509Certificate>'
    )


def salted(salt):
    """PSS with another salt than the digest is long, which other verifiers may take."""
    raw = cases.signed(kind="rsa2048", algorithm="pss-sha256")
    document = cases.canonical_info(raw)
    how = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=salt)
    value = cases.KEYS["rsa2048"].sign(document, how, hashes.SHA256())
    return change(raw, worded("SignatureValue", base64.b64encode(value).decode()))


def prefixes(count):
    return " ".join(f"p{number}" for number in range(count))


def too_large():
    """A signature under a key beyond 8192 bits: there is none to sign with, the numbers suffice."""
    numbers = rsa.RSAPublicNumbers(65537, (1 << 8208) - (1 << 4000) - 1)
    certificate = cases.issued(public_key=numbers.public_key())
    return change(RSA, with_certificate(certificate))


def stretched(root):
    node = cases.part(root, "SignatureValue")
    value = base64.b64decode(node.text)
    node.text = base64.b64encode(value[:32] + b"\x00" + value[32:]).decode()


# fmt: off
TABLE = {
    # what is left unsigned or signed otherwise
    "as it was signed": (SIGNED, PASSED),
    "parts as they were signed": (PARTS, PASSED),
    "white space in base64": (
        re.sub(rb"(<ds:SignatureValue>.{20})", rb"\1\n \t\r\n", SIGNED),
        PASSED,
    ),
    "content changed": (CHANGED, HASH),
    "white space changed": (SIGNED.replace(b"<edXML:From>", b"<edXML:From> "), HASH),
    "covered part changed": (PARTS.replace(b"JVBERi0x", b"JVBERi0z"), HASH),
    "uncovered part changed": (PARTS.replace(b"JVBERi0y", b"JVBERi0z"), PASSED),
    "digest changed": (change(SIGNED, worded("DigestValue", "AAAA" * 10 + "AAA=")), HASH),
    "digest shortened": (change(SIGNED, worded("DigestValue", "AAAA")), HASH),
    "digest and content changed": (
        change(CHANGED, worded("DigestValue", cases.part(cases.parsed(resigned(CHANGED)), "DigestValue").text)),
        VALUE,
    ),
    "value of another": (change(SIGNED, worded("SignatureValue", base64.b64encode(bytes(range(1, 65))).decode())), VALUE),
    "value of another length": (change(SIGNED, worded("SignatureValue", "AAAA")), VALUE),
    "value with a zero put between r and s": (change(SIGNED, stretched), VALUE),
    "value zero": (change(SIGNED, worded("SignatureValue", base64.b64encode(bytes(64)).decode())), VALUE),
    "rsa method, elliptic key": (change(SIGNED, named("SignatureMethod", "Algorithm", MORE + "rsa-sha256")), VALUE),
    "other method of the same key": (change(RSA, named("SignatureMethod", "Algorithm", MORE + "rsa-sha512")), VALUE),
    "signed info signed in other form": (change(PARTS, named("CanonicalizationMethod", "Algorithm", INCLUSIVE)), VALUE),
    # algorithms
    "sha-1 signature": (resigned(RSA, named("SignatureMethod", "Algorithm", DS + "rsa-sha1"), "rsa2048"), NOT_ALLOWED),
    "sha-1 digest": (resigned(SIGNED, named("DigestMethod", "Algorithm", DS + "sha1")), NOT_ALLOWED),
    "sha-224": (resigned(SIGNED, named("SignatureMethod", "Algorithm", MORE + "ecdsa-sha224")), NOT_ALLOWED),
    "hmac": (change(SIGNED, named("SignatureMethod", "Algorithm", MORE + "hmac-sha256")), NOT_ALLOWED),
    "no algorithm": (change(SIGNED, named("SignatureMethod", "Algorithm", None)), NOT_ALLOWED),
    "c14n 1.1": (resigned(SIGNED, named("CanonicalizationMethod", "Algorithm", "http://www.w3.org/2006/12/xml-c14n11")), NO_FORM),
    "signed info with comments": (resigned(SIGNED, named("CanonicalizationMethod", "Algorithm", EXC_COMMENTS)), NO_FORM),
    "default prefix treated inclusively": (
        resigned(SIGNED, prefix_list("Transform", "#default", 1)),
        NO_FORM,
    ),
    "pss, salt as long as the digest": (salted(32), PASSED),
    "pss, no salt": (salted(0), VALUE),
    "pss, longer salt": (salted(64), VALUE),
    "pss with parameters": (change(RSA, named("SignatureMethod", "Algorithm", "http://www.w3.org/2007/05/xmldsig-more#rsa-pss")), NOT_ALLOWED),
    "pss as pkcs#1": (change(cases.signed(kind="rsa2048", algorithm="pss-sha256"), named("SignatureMethod", "Algorithm", MORE + "rsa-sha256")), VALUE),
    "dsa": (change(SIGNED, named("SignatureMethod", "Algorithm", "http://www.w3.org/2009/xmldsig11#dsa-sha256")), NOT_ALLOWED),
    "hmac of the certificate's key": (change(SIGNED, named("SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512")), NOT_ALLOWED),
    "key too large": (too_large(), CRYPTO + "weak_key"),
    "as many prefixes as there may be": (resigned(SIGNED, prefix_list("Transform", prefixes(64), 1)), PASSED),
    "too many prefixes": (resigned(SIGNED, prefix_list("Transform", prefixes(65), 1)), NO_FORM),
    "weak key": (cases.weakly_signed(), CRYPTO + "weak_key"),
    # transforms
    "exclusive with comments": (resigned(SIGNED, steps(ENVELOPED, EXC_COMMENTS)), NO_STEP),
    "inclusive with comments": (resigned(SIGNED, steps(ENVELOPED, INC_COMMENTS)), NO_STEP),
    "xpath": (change(SIGNED, steps(XPATH)), NO_STEP),
    "xslt": (change(SIGNED, steps("http://www.w3.org/TR/1999/REC-xslt-19991116")), NO_STEP),
    "base64": (change(SIGNED, steps(DS + "base64")), NO_STEP),
    "not even a real form": (change(SIGNED, steps(ENVELOPED, "http://www.w3.org/TR/xml-exc-c14n#")), NO_STEP),
    "canonicalised twice": (change(SIGNED, steps(INCLUSIVE, EXCLUSIVE)), NO_STEP),
    "enveloped twice": (change(SIGNED, steps(ENVELOPED, ENVELOPED)), FORMAT + "enveloped_misplaced"),
    "enveloped last": (change(SIGNED, steps(EXCLUSIVE, ENVELOPED)), FORMAT + "enveloped_misplaced"),
    "enveloped where it is not inside": (resigned(PARTS, steps(ENVELOPED, EXCLUSIVE)), FORMAT + "enveloped_misplaced"),
    "whole without enveloped": (change(SIGNED, steps(EXCLUSIVE)), HASH),
    "no transforms": (change(SIGNED, dropped("Transforms")), HASH),
    # grammar
    "no value": (change(SIGNED, dropped("SignatureValue")), MALFORMED),
    "no signed info": (change(SIGNED, dropped("SignedInfo")), MALFORMED),
    "no reference": (change(cases.signed(at=None), dropped("Reference")), MALFORMED),
    "no digest": (change(SIGNED, dropped("DigestValue")), MALFORMED),
    "undecodable digest": (change(SIGNED, worded("DigestValue", "?")), MALFORMED),
    "two key infos": (change(SIGNED, twice("KeyInfo", "Signature")), MALFORMED),
    "two signed infos": (change(SIGNED, twice("SignedInfo", "Signature")), MALFORMED),
    "retrieval method": (change(SIGNED, put("KeyInfo", f'<RetrievalMethod xmlns="{DS}" URI="#x"/>')), FOREIGN),
    "foreign child": (change(SIGNED, put("Signature", '<Code xmlns="urn:x"/>')), FOREIGN),
    "foreign child in key info": (change(SIGNED, put("KeyInfo", "<Code/>")), FOREIGN),
    "foreign child in signed info": (change(SIGNED, put("Reference", "<Code/>")), FOREIGN),
    "foreign attribute": (change(SIGNED, named("Signature", "{urn:x}Id", "x")), FOREIGN),
    "attribute in the key info": (change(SIGNED, named("X509Data", "moi", "1")), FOREIGN),
    "attribute of an object": (change(SIGNED, named("Object", "moi", "1")), FOREIGN),
    "Id that says nothing": (change(SIGNED, named("Signature", "Id", "")), MALFORMED),
    "Id where there is none": (change(SIGNED, named("X509Certificate", "Id", "x")), FOREIGN),
    "text in the signature": (change(SIGNED, worded("Signature", "Kính gửi")), FOREIGN),
    "text in key info": (change(SIGNED, lambda root: setattr(cases.part(root, "X509Data"), "tail", "x")), FOREIGN),
    "prefix list of an inclusive form": (
        change(cases.signed(canonical="inclusive"), prefix_list("CanonicalizationMethod", "a")),
        MALFORMED,
    ),
    "one certificate unreadable": (change(SIGNED, put("X509Data", f'<X509Certificate xmlns="{DS}">AAAA</X509Certificate>')), MALFORMED),
    # comments and processing instructions
    "comment splits a value": (change(SIGNED, noted("CodeNumber")), COMMENT),
    "comment between elements": (change(SIGNED, noted("MessageHeader")), COMMENT),
    "comment before the root": (SIGNED.replace(b"<edXML ", b"<!-- x --><edXML ", 1), COMMENT),
    "instruction behind the root": (SIGNED + b"<?x y?>", COMMENT),
    "comment in a covered part": (change(PARTS, noted("Attachment")), COMMENT),
    "comment outside the covered parts": (change(PARTS, noted("edXMLEnvelope")), PASSED),
    "comment in a digest": (change(SIGNED, noted("DigestValue")), COMMENT),
    "comment in the signing time": (change(SIGNED, noted("SigningTime")), COMMENT),
    "signed with its comment": (cases.signed(cases.LETTER.replace(b"<edXML:From>", b"<!-- x --><edXML:From>")), COMMENT),
    # targets
    "nothing there": (change(PARTS, named("Attachment", "Id", None)), NO_DATA + "target_missing"),
    "other spelling of Id": (change(PARTS, respelt("Attachment", "file1")), NO_DATA + "target_missing"),
    "pointer": (change(PARTS, named("Reference", "URI", "#xpointer(id('header'))")), NO_DATA + "target_missing"),
    "outside": (change(SIGNED, named("Reference", "URI", "http://x.example/a.xml")), NO_DATA + "external_reference"),
    "a file": (change(SIGNED, named("Reference", "URI", "file:///etc/passwd")), NO_DATA + "external_reference"),
    "no uri": (change(SIGNED, named("Reference", "URI", None)), NO_DATA + "external_reference"),
    "only its own object": (resigned(SIGNED, dropped("Reference")), LIMITS + "covers_nothing"),
    "relative namespace": (change(SIGNED, put("AttachmentName", '<x xmlns="r"/>')), FORMAT + "not_canonical"),
    # certificates
    "certificate of another": (change(SIGNED, with_certificate(cases.CERTIFICATES["p384"])), VALUE),
    "certificate of another with the same kind of key": (change(SIGNED, with_certificate(cases.issued(key=OTHER_KEY))), VALUE),
    "certificate of nobody beside": (change(SIGNED, with_certificate(cases.issued(key=OTHER_KEY), beside=True)), DIFFERS),
    "certificate of nobody before": (change(SIGNED, put("X509Data", encoded(cases.issued(key=OTHER_KEY)))), DIFFERS),
    "an authority of others beside": (change(SIGNED, with_certificate(STRANGER.certificate, beside=True)), DIFFERS),
    "the whole chain beside": (change(change(SIGNED, with_certificate(cases.ROOT.certificate, beside=True)), with_certificate(cases.AUTHORITY.certificate, beside=True)), PASSED),
    "the chain with a gap": (change(SIGNED, with_certificate(cases.ROOT.certificate, beside=True)), DIFFERS),
    "its name": (change(SIGNED, told("X509SubjectName", "CN=Cơ quan p256, O=Cơ quan thử nghiệm, C=VN")), PASSED),
    "another's name": (change(SIGNED, told("X509SubjectName", "CN=Chủ tịch, O=Cơ quan thử nghiệm, C=VN")), DIFFERS),
    "no name": (change(SIGNED, told("X509SubjectName", "")), DIFFERS),
    "its number": (change(SIGNED, told("X509IssuerSerial", NUMBER.format(100))), PASSED),
    "another's number": (change(SIGNED, told("X509IssuerSerial", NUMBER.format(101))), DIFFERS),
    "its key identifier": (change(SIGNED, told("X509SKI", identifier("p256"))), PASSED),
    "another's key identifier": (change(SIGNED, told("X509SKI", identifier("p384"))), DIFFERS),
    "its digest": (change(SIGNED, told_digest("p256")), PASSED),
    "another's digest": (change(SIGNED, told_digest("p384")), DIFFERS),
    "a name that is only a label": (change(SIGNED, put("KeyInfo", f'<KeyName xmlns="{DS}">Chủ tịch</KeyName>')), PASSED),
    "the authority's certificate beside": (change(SIGNED, with_certificate(cases.AUTHORITY.certificate, beside=True)), PASSED),
    "the same certificate twice": (change(SIGNED, with_certificate(cases.CERTIFICATES["p256"], beside=True)), PASSED),
    "two certificates of one key": (change(SIGNED, with_certificate(TWIN, beside=True)), NO_SIGNER + "several_certificates"),
    "no certificate": (change(SIGNED, dropped("X509Data")), NO_SIGNER + "no_certificate"),
    "no key info": (change(SIGNED, dropped("KeyInfo")), NO_SIGNER + "no_certificate"),
    "a bare key": (change(change(SIGNED, dropped("X509Data")), with_key_value(cases.KEYS["p256"])), NO_SIGNER + "no_certificate"),
    "its key beside": (change(SIGNED, with_key_value(cases.KEYS["p256"])), PASSED),
    "its rsa key beside": (change(RSA, with_rsa_key_value(cases.KEYS["rsa2048"])), PASSED),
    "another rsa key beside": (change(RSA, with_rsa_key_value(cases.KEYS["rsa2048"], 3)), FORMAT + "key_value_differs"),
    "key of another kind beside": (change(SIGNED, with_rsa_key_value(cases.KEYS["rsa2048"])), FORMAT + "key_value_differs"),
    "another key beside": (change(SIGNED, with_key_value(OTHER_KEY)), FORMAT + "key_value_differs"),
    # wrapping
    "an Id twice": (change(PARTS, named("Attachment", "Id", "file1", 1)), FORMAT + "doubled_identifier"),
    "an Id twice, spelt otherwise": (change(PARTS, named("Attachment", "id", "header", 1)), FORMAT + "doubled_identifier"),
    "an xml:id like an Id": (change(PARTS, named("From", "{http://www.w3.org/XML/1998/namespace}id", "header")), FORMAT + "doubled_identifier"),
}
# fmt: on


@pytest.mark.parametrize("name", TABLE)
def test_how_it_ends(name):
    raw, expected = TABLE[name]
    verdict = cases.only(raw)
    assert cases.ended(verdict) == expected
    assert verdict.wrapping == (verdict.why in xmldsig.WRAPPING)
    assert (verdict.certificate is None) == (verdict.coverage.detail == "not_evaluated")
