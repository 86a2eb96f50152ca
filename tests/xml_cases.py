"""A small authority, signers of several kinds of key, letters, and two other verifiers, for the tests of XML signatures."""

import asyncio
from datetime import UTC, datetime, timedelta

import signxml
import xmlsec
from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from signing import keys, seal, trust, xmldsig
from signing.algorithms import DS

ISSUED = datetime(2025, 1, 1, tzinfo=UTC)
SIGNED_AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
AT = SIGNED_AT + timedelta(minutes=10)
LISTED_AT = AT + timedelta(minutes=5)
NS = "http://www.mic.gov.vn/TBT/QCVN_102_2016"

ROOT = keys.root("Gốc thử nghiệm", key=keys.new_key("rsa2048"), at=ISSUED)
AUTHORITY = keys.subordinate(ROOT, "Cơ quan chứng thực", key=keys.new_key(), at=ISSUED)
KEYS = {kind: keys.new_key(kind) for kind in ("p256", "p384", "p521", "rsa2048")}
CERTIFICATES = {
    kind: keys.certificate(AUTHORITY, f"Cơ quan {kind}", key.public_key(), at=ISSUED, serial=100 + number)
    for number, (kind, key) in enumerate(KEYS.items())
}
TRUSTED = [issuer.certificate.public_bytes(Encoding.PEM) for issuer in (ROOT, AUTHORITY)]


def lists(revoked=None, at=LISTED_AT):
    return [keys.revocation_list(ROOT, {}, at=at), keys.revocation_list(AUTHORITY, revoked or {}, at=at)]


TRUST = trust.load(TRUSTED, lists())

LETTER = f"""<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="{NS}">
  <edXML:edXMLEnvelope xmlns:edXML="{NS}">
    <edXML:edXMLHeader>
      <edXML:MessageHeader Id="header">
        <edXML:From><edXML:OrganId>H13.01</edXML:OrganId></edXML:From>
        <edXML:Code><edXML:CodeNumber>123</edXML:CodeNumber><edXML:CodeNotation>UBND-VX</edXML:CodeNotation></edXML:Code>
        <edXML:Subject>V/v gửi, nhận văn bản &amp; báo cáo</edXML:Subject>
      </edXML:MessageHeader>
    </edXML:edXMLHeader>
  </edXML:edXMLEnvelope>
  <AttachmentEncoded>
    <Attachment Id="file1"><AttachmentName>vb.pdf</AttachmentName><edXML:Data xmlns:edXML="{NS}">JVBERi0x</edXML:Data></Attachment>
    <Attachment Id="file2"><AttachmentName>pl.pdf</AttachmentName><edXML:Data xmlns:edXML="{NS}">JVBERi0y</edXML:Data></Attachment>
  </AttachmentEncoded>
</edXML>""".encode()


def signed(raw=LETTER, kind="p256", **terms):
    return seal.sign_xml(raw, KEYS[kind], CERTIFICATES[kind], **{"at": SIGNED_AT, **terms})


def judged(raw, trusted=TRUST, at=AT, **how):
    return xmldsig.verify(raw, trusted, at, **how)


def only(raw, trusted=TRUST, at=AT):
    (verdict,) = judged(raw, trusted, at).verdicts
    return verdict


def ended(verdict):
    """How a verdict ended, in one line that a table can hold."""
    return f"{verdict.indication}/{verdict.sub_indication}/{verdict.why}"


def parsed(raw):
    return etree.fromstring(raw, etree.XMLParser(huge_tree=True, resolve_entities=False))


def written(root):
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")


def changed(raw, change):
    """The message after `change` was done to its tree, or with the root that `change` gives back."""
    root = parsed(raw)
    replaced = change(root)
    return written(root if replaced is None else replaced)


def part(root, name, number=0):
    return root.findall(f".//{{*}}{name}")[number]


def signature_of(root, number=0):
    return root.findall(f".//{{{DS}}}Signature")[number]


def resigned(raw, change=None, kind="p256"):
    """The message with its signature changed and then made anew by xmlsec: what a signer with bad intent can do."""
    root = parsed(raw)
    if change:
        change(root)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(keys.private_pem(KEYS[kind]), xmlsec.constants.KeyDataFormatPem)
    context.sign(signature_of(root))
    return written(root)


def xmlsec_accepts(raw, certificate):
    root = parsed(raw)
    xmlsec.tree.add_ids(root, ["Id"])
    context = xmlsec.SignatureContext()
    pem = certificate.public_bytes(Encoding.PEM)
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem)
    try:
        context.verify(signature_of(root))
    except xmlsec.Error:
        return False
    return True


def signxml_accepts(raw, certificate):
    """Whether signxml accepts; None when it cannot read a signed part again (it keeps the text behind the part)."""
    root = parsed(raw)
    config = signxml.SignatureConfiguration(
        expect_references=len(root.findall(f".//{{{DS}}}Reference")),
        default_reference_c14n_method=signxml.CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    parser = etree.XMLParser(huge_tree=True, resolve_entities=False)
    try:
        signxml.XMLVerifier().verify(
            raw, x509_cert=certificate, id_attribute="Id", expect_config=config, parser=parser
        )
    except (signxml.InvalidInput, signxml.InvalidSignature, signxml.InvalidDigest, ValueError):
        return False
    except etree.XMLSyntaxError:
        return None
    return True


def issued(issuer=AUTHORITY, name="Ai đó", key=None, **how):
    """A certificate of any shape: `subject`, `valid`, `extensions` (with criticality), `hash`, `public_key` may be given."""
    start, end = how.get("valid", (ISSUED, ISSUED + timedelta(days=1825)))
    subject = how.get("subject", x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
    draft = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(how.get("issuer_name", issuer.certificate.subject))
    )
    draft = draft.public_key(how.get("public_key", (key or KEYS["p256"]).public_key())).serial_number(
        how.get("serial", 4711)
    )
    draft = draft.not_valid_before(start).not_valid_after(end)
    for extension, critical in how.get("extensions", ()):
        draft = draft.add_extension(extension, critical=critical)
    return draft.sign(issuer.key, how.get("hash", hashes.SHA256()))


CA = (x509.BasicConstraints(ca=True, path_length=None), True)
NOT_CA = (x509.BasicConstraints(ca=False, path_length=None), True)


def usage(*allowed):
    """A critical key usage extension with only the named usages."""
    names = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: name in allowed for name in names}), True


def canonical_info(raw):
    """The octets that a signature's value is made over, by lxml; for a SignedInfo in the exclusive form."""
    return etree.tostring(part(parsed(raw), "SignedInfo"), method="c14n", exclusive=True)


def weakly_signed():
    """A letter signed with a key that nobody should use any more."""
    key = keys.new_key("rsa1024")
    certificate = keys.certificate(AUTHORITY, "Khóa yếu", key.public_key(), at=ISSUED, serial=9)
    return seal.sign_xml(LETTER, key, certificate, at=None)


def certvalidator_accepts(leaf, extra, lists_at_hand):
    """Whether pyhanko-certvalidator, without network and with revocation required, finds a good path at AT."""
    others = [asn1_x509.Certificate.load(keys.der(one)) for one in extra]
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(keys.der(ROOT.certificate))],
        other_certs=others,
        crls=[asn1_crl.CertificateList.load(one) for one in lists_at_hand],
        moment=AT,
        allow_fetching=False,
        revocation_mode="require",
        retroactive_revinfo=True,
    )
    certificate = asn1_x509.Certificate.load(keys.der(leaf))
    validator = CertificateValidator(certificate, intermediate_certs=others, validation_context=context)
    try:
        asyncio.run(validator.async_validate_path())
    except (PathError, ValidationError):
        return False
    return True
