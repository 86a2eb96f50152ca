"""XAdES properties: what they must be to count, as one table; every change is signed anew, so that only they are wrong."""

import base64
import copy

import pytest
import signxml.xades
import xml_cases as cases
from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier
from lxml import etree
from pyhanko.sign import general
from xml_changes import dropped, named, noted, put, with_certificate, worded

from signing import keys, seal_xades, xades
from signing.algorithms import DS
from signing.xades import XADES

SIGNED = cases.signed(xades=True)
PARTS = cases.signed(xades=True, references=["#header", "#file1"], canonical="inclusive")
TWIN = cases.issued(name="Người khác cùng khóa", key=cases.KEYS["p256"], serial=5)
FORMAT, LIMITS = "TOTAL_FAILED/FORMAT_FAILURE/", "INDETERMINATE/SIG_CONSTRAINTS_FAILURE/"
OTHER = "INDETERMINATE/NO_SIGNING_CERTIFICATE_FOUND/xades_other_certificate"
PASSED, NOT_SIGNED = "TOTAL_PASSED/None/passed", FORMAT + "xades_not_signed"
FOREIGN, MALFORMED = FORMAT + "foreign_content", FORMAT + "malformed_signature"
UNKNOWN = LIMITS + "profile_not_known"
TYPED = 1  # the position of the reference to the properties


def again(*changes, raw=SIGNED):
    """The message with its signature changed and signed anew."""

    def change(root):
        for one in changes:
            one(root)

    return cases.resigned(raw, change)


def xades_markup(inner):
    return f'<xades:{inner[0]} xmlns:xades="{XADES}" xmlns:ds="{DS}">{inner[1]}</xades:{inner[0]}>'


def old_list(issuer, serial, certificate=cases.CERTIFICATES["p256"]):
    """SigningCertificate of version 1 instead of 2."""
    digest = base64.b64encode(certificate.fingerprint(cases.hashes.SHA256())).decode()
    markup = xades_markup((
        "SigningCertificate",
        (f'<xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></xades:CertDigest><xades:IssuerSerial><ds:X509IssuerName/>"
        f"<ds:X509SerialNumber>{serial}</ds:X509SerialNumber></xades:IssuerSerial></xades:Cert>"),
    ))  # fmt: skip

    def change(root):
        node = etree.fromstring(markup)
        node.find(f".//{{{DS}}}X509IssuerName").text = issuer
        found = cases.part(root, "SigningCertificateV2")
        found.getparent().replace(found, node)

    return change


def digests(number, algorithm):
    return lambda root: cases.part(root, "CertDigest")[number].set("Algorithm", algorithm)


def in_properties(markup, at=0, parent="SignedSignatureProperties"):
    return put(parent, markup, at)


def text_of(name, value):
    """A part's text in the properties: names there repeat those of references."""
    return lambda root: setattr(cases.part(cases.part(root, "SignedProperties"), name), "text", value)


def both_lists(root):
    """The list of version 1 names the authority, that of version 2 the signer."""
    kept = copy.deepcopy(cases.part(root, "SigningCertificateV2"))
    old_list(
        ISSUERS["as RFC 4514 has it"], cases.AUTHORITY.certificate.serial_number, cases.AUTHORITY.certificate
    )(root)
    cases.part(root, "SigningCertificate").addnext(kept)


def authority_beside(root):
    """A second reference in the same list, to an authority: allowed."""
    listed = cases.part(root, "SigningCertificateV2")
    other = copy.deepcopy(listed[0])
    digest = base64.b64encode(cases.AUTHORITY.certificate.fingerprint(cases.hashes.SHA256())).decode()
    other[0][1].text = digest
    other.remove(other[1])
    listed.append(other)


def type_moved(root):
    first, second = cases.part(root, "Reference"), cases.part(root, "Reference", TYPED)
    first.set("Type", second.attrib.pop("Type"))


def second_properties(root):
    holder = cases.part(root, "QualifyingProperties").getparent()
    holder.append(copy.deepcopy(holder[0]))
    holder[1][0].set("Id", "other")


def own_part_signed(root):
    """One reference more, to the whole of the properties, unsigned ones included."""
    cases.part(root, "QualifyingProperties").set("Id", "all")
    info = cases.part(root, "SignedInfo")
    info.append(copy.deepcopy(info[2 + TYPED]))
    info[-1].set("URI", "#all")
    del info[-1].attrib["Type"], info[-1].attrib["Id"]


def key_info_signed(root):
    cases.part(root, "KeyInfo").set("Id", "key")
    info = cases.part(root, "SignedInfo")
    info.append(copy.deepcopy(info[2 + TYPED]))
    info[-1].set("URI", "#key")
    del info[-1].attrib["Type"], info[-1].attrib["Id"]


def old_namespace(root):
    for node in root.iter(f"{{{XADES}}}*"):
        node.tag = node.tag.replace("v1.3.2", "v1.1.1")


def unsigned(markup):
    inner = (
        "UnsignedProperties",
        f"<xades:UnsignedSignatureProperties>{markup}</xades:UnsignedSignatureProperties>",
    )
    return put("QualifyingProperties", xades_markup(inner), 1)


POLICY = "<xades:SignaturePolicyId><xades:SigPolicyId/></xades:SignaturePolicyId>"
ISSUERS = {
    "as RFC 4514 has it": "CN=Cơ quan chứng thực,O=Cơ quan thử nghiệm,C=VN",
    "in the other order": "C=VN, O=Cơ quan thử nghiệm, CN=Cơ quan chứng thực",
    "decomposed letters": "CN=Co\u031b quan chu\u031b\u0301ng thu\u031b\u0323c,O=Co\u031b quan thu\u031b\u0309 nghie\u0323\u0302m,C=VN",
    "escaped byte by byte": r"CN=C\C6\A1 quan ch\E1\BB\A9ng th\E1\BB\B1c,O=C\C6\A1 quan th\E1\BB\AD nghi\E1\BB\87m,C=VN",
    "in hexadecimal": "2.5.4.3=#0c17" + "Cơ quan chứng thực".encode().hex() + ',O="Cơ quan thử nghiệm",C=VN',
}
SERIAL = cases.CERTIFICATES["p256"].serial_number

# fmt: off
TABLE = {
    "the whole": (SIGNED, PASSED),
    "parts": (PARTS, PASSED),
    "signed anew": (again(), PASSED),
    **{f"version 1, issuer {how}": (again(old_list(text, SERIAL)), PASSED) for how, text in ISSUERS.items()},
    "an authority beside": (again(authority_beside), PASSED),
    "no number": (again(dropped("IssuerSerialV2")), PASSED),
    "policy implied": (again(in_properties(xades_markup(("SignaturePolicyIdentifier", "<xades:SignaturePolicyImplied/>")), 2)), PASSED),
    "a place and a role": (
        again(
            in_properties(xades_markup(("SignatureProductionPlace", "<xades:City>Cần Thơ</xades:City>")), 2),
            in_properties(xades_markup(("SignerRole", "<xades:ClaimedRoles><xades:ClaimedRole>Giám đốc</xades:ClaimedRole></xades:ClaimedRoles>")), 3),
        ),
        PASSED,
    ),
    # the signer's certificate
    "another certificate of the same key": (cases.changed(SIGNED, with_certificate(TWIN)), OTHER),
    "digest of another": (again(text_of("DigestValue", base64.b64encode(bytes(32)).decode())), OTHER),
    "number of another, version 2": (again(worded("IssuerSerialV2", base64.b64encode(seal_xades._issuer_serial(keys.der(TWIN))).decode())), OTHER),
    "number unreadable, version 2": (again(worded("IssuerSerialV2", "AAAA")), OTHER),
    "number empty, version 2": (again(worded("IssuerSerialV2", "")), OTHER),
    "number of another, version 1": (again(old_list(ISSUERS["as RFC 4514 has it"], SERIAL + 1)), OTHER),
    "issuer of another, version 1": (again(old_list("CN=Cơ quan khác,O=Cơ quan thử nghiệm,C=VN", SERIAL)), OTHER),
    "no issuer, version 1": (again(old_list("", SERIAL)), OTHER),
    "versions that disagree": (again(both_lists), OTHER),
    "digest by sha-1": (again(digests(0, DS + "sha1")), "INDETERMINATE/CRYPTO_CONSTRAINTS_FAILURE/algorithm_not_allowed"),
    "no certificate named": (again(dropped("SigningCertificateV2")), LIMITS + "xades_no_certificate"),
    # how they are signed
    "not referenced": (again(dropped("Reference", TYPED)), NOT_SIGNED),
    "referenced without type": (again(named("Reference", "Type", None, TYPED)), NOT_SIGNED),
    "referenced with another type": (again(named("Reference", "Type", xades.SIGNED_PROPERTIES_TYPE + "x", TYPED)), NOT_SIGNED),
    "type at another reference": (again(type_moved), NOT_SIGNED),
    "type at both": (again(named("Reference", "Type", xades.SIGNED_PROPERTIES_TYPE)), NOT_SIGNED),
    "of another signature": (again(named("QualifyingProperties", "Target", "#other")), NOT_SIGNED),
    "of no signature": (again(named("QualifyingProperties", "Target", None)), NOT_SIGNED),
    "describing what is not signed": (again(named("DataObjectFormat", "ObjectReference", "#header")), NOT_SIGNED),
    "changed": (cases.changed(SIGNED, worded("SigningTime", "2020-01-01T00:00:00Z")), "TOTAL_FAILED/HASH_FAILURE/digest_differs"),
    # grammar
    "twice": (again(second_properties), MALFORMED),
    "of an old version": (again(old_namespace), UNKNOWN),
    "signed properties missing": (again(dropped("Reference", TYPED), dropped("SignedProperties")), MALFORMED),
    "wrong order": (again(in_properties(xades_markup(("SignerRole", "")), 0)), MALFORMED),
    "foreign property": (again(in_properties('<Code xmlns="urn:x"/>', 2)), FOREIGN),
    "text between": (again(text_of("Cert", "x")), FOREIGN),
    "comment": (again(noted("SigningCertificateV2")), FORMAT + "comment_in_signed_content"),
    "a policy": (again(in_properties(xades_markup(("SignaturePolicyIdentifier", POLICY)), 2)), "INDETERMINATE/SIGNATURE_POLICY_NOT_AVAILABLE/signature_policy"),
    "more of itself signed": (again(own_part_signed), UNKNOWN),
    "its key info signed": (again(key_info_signed), PASSED),
    "a manifest": (again(put("Signature", f'<Object xmlns="{DS}"><Manifest/></Object>', 4)), UNKNOWN),
    "other content in an object": (again(put("Signature", f'<Object xmlns="{DS}"><x xmlns="urn:x"/></Object>', 4)), UNKNOWN),
    "text in an object": (again(put("Signature", f'<Object xmlns="{DS}">Kính gửi</Object>', 4)), UNKNOWN),
    "properties of many levels": (again(put("Signature", f'<Object xmlns="{DS}"><SignatureProperties><SignatureProperty><a xmlns=""><b/></a></SignatureProperty></SignatureProperties></Object>', 4)), UNKNOWN),
    # unsigned
    "unsigned and foreign": (cases.changed(SIGNED, unsigned('<Code xmlns="urn:x"/>')), FOREIGN),
    "unsigned and a signature": (cases.changed(SIGNED, unsigned(f'<xades:CounterSignature><Signature xmlns="{DS}"/></xades:CounterSignature>')), FOREIGN),
    "unsigned, known, not looked into": (cases.changed(SIGNED, unsigned("<xades:CompleteCertificateRefs/>")), PASSED),
    "form of a timestamp unknown": (cases.changed(SIGNED, unsigned(f'<xades:SignatureTimeStamp><CanonicalizationMethod xmlns="{DS}" Algorithm="urn:x"/><xades:EncapsulatedTimeStamp>AAAA</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>')), LIMITS + "canonical_form_not_allowed"),
}
# fmt: on


@pytest.mark.parametrize("name", TABLE)
def test_how_it_ends(name):
    raw, expected = TABLE[name]
    (verdict, *_) = cases.judged(raw).verdicts
    assert cases.ended(verdict) == expected
    assert verdict.format == ("xmldsig" if name == "of an old version" else "xades")


def test_the_properties_tell_time_and_profile():
    for raw, whole in ((SIGNED, True), (PARTS, False)):
        verdict = cases.only(raw)
        assert (verdict.profile, verdict.coverage.whole) == ("xades-b", whole)
        assert verdict.signed_at_claimed == cases.SIGNED_AT


def test_without_properties_nothing_binds_the_certificate():
    """Why the properties are worth having: a plain signature passes as either certificate of the same key."""
    plain = cases.changed(cases.signed(), with_certificate(TWIN))
    assert cases.only(plain).signer_name == "Người khác cùng khóa"
    assert cases.only(TABLE["another certificate of the same key"][0]).certificate is None


@pytest.mark.parametrize("at", [None, cases.SIGNED_AT])
@pytest.mark.parametrize("kind", ["rsa2048", "p384"])
def test_other_verifiers_accept_what_we_make(kind, at):
    raw = cases.signed(kind=kind, xades=True, at=at)
    assert cases.only(raw).passed
    assert cases.xmlsec_accepts(raw, cases.CERTIFICATES[kind])
    assert cases.signxml_accepts(raw, cases.CERTIFICATES[kind])
    verifier = signxml.xades.XAdESVerifier()
    found = verifier.verify(raw, x509_cert=cases.CERTIFICATES[kind], id_attribute="Id", expect_references=2)
    assert found[1].signed_properties is not None


@pytest.mark.parametrize("references", [["#header", "#signing-time-0"], ["#header", "#signed-properties-1"]])
def test_a_signature_does_not_sign_parts_of_another(references):
    both = cases.signed(
        cases.signed(at=cases.SIGNED_AT, references=["#header"]), xades=True, references=["#header"]
    )
    third = cases.signed(both, kind="rsa2048", references=references, at=None)
    assert [cases.ended(verdict) for verdict in cases.judged(third).verdicts] == [PASSED, PASSED, UNKNOWN]


def test_names_in_a_writing_with_other_short_names_are_known():
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.COMMON_NAME, 'Sở "A", B+C'),
            x509.NameAttribute(ObjectIdentifier("0.9.2342.19200300.100.1.1"), "MST:0100109106"),
        ]
    )
    for text in (
        subject.rfc4514_string(),
        'OID.0.9.2342.19200300.100.1.1=MST:0100109106, CN="Sở \\"A\\", B+C", C=VN',
        "0.9.2342.19200300.100.1.1=#0c0e" + b"MST:0100109106".hex() + r",CN=S\E1\BB\9F \22A\22\2C B\2BC,C=VN",
    ):
        assert xades.xml_text.names(text, subject)
        assert not xades.xml_text.names(text.replace("VN", "XX"), subject)


def issuers(case):
    """The names of an issuer and a number, as IssuerSerialV2 has them, right or odd; the number."""
    own = asn1_x509.Certificate.load(keys.der(TWIN))
    other = asn1_x509.Name.build({"common_name": "Người khác"})
    shouted = asn1_x509.Name.build({kind: text.upper() for kind, text in own.issuer.native.items()})
    named = {"right": own.issuer, "another issuer": other, "another writing": shouted}.get(case, own.issuer)
    names = [asn1_x509.GeneralName("directory_name", named)]
    mail = asn1_x509.GeneralName("rfc822_name", "a@b.vn")
    more = {"two": [*names, *names], "one more": [*names, mail], "no name": [], "mail": [mail]}
    return more.get(case, names), own.serial_number + (case == "another number")


@pytest.mark.parametrize(
    "case",
    ["right", "another issuer", "another writing", "another number", "two", "one more", "no name", "mail"],
)
def test_an_encoded_number_is_known_as_others_know_it(case):
    names, number = issuers(case)
    encoded = tsp.IssuerSerial({"issuer": names, "serial_number": number}).dump()
    der = keys.der(TWIN)
    found = general.match_issuer_serial(tsp.IssuerSerial.load(encoded), asn1_x509.Certificate.load(der))
    assert xades._is_encoded_number(encoded, der) is found is (case in {"right", "another writing"})
