# mypy: allow-untyped-calls
# asn1crypto and pyHanko ship no complete types.

"""The XAdES part of a signature that `signing.seal` makes: signed properties, and a timestamp over the value (EN 319 132-1)."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from lxml import etree

from signing import canonical, keys
from signing.algorithms import DS, EXCLUSIVE, INCLUSIVE
from signing.canonical import Form
from signing.xades import SIGNED_PROPERTIES_TYPE, XADES
from signing.xml_document import Document, Element

Stamper = Callable[[bytes], bytes]
"""Makes an RFC 3161 token (DER) over a SHA-256 digest."""

_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_OBJECT = (
    '<ds:Object><xades:QualifyingProperties xmlns:xades="{xades}" Target="#signature-{number}">'
    '<xades:SignedProperties Id="{identifier}"><xades:SignedSignatureProperties>{time}'
    "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
    '<ds:DigestMethod Algorithm="{sha256}"/><ds:DigestValue>{digest}</ds:DigestValue></xades:CertDigest>'
    "<xades:IssuerSerialV2>{issuer}</xades:IssuerSerialV2></xades:Cert></xades:SigningCertificateV2>"
    "</xades:SignedSignatureProperties><xades:SignedDataObjectProperties>{formats}</xades:SignedDataObjectProperties>"
    "</xades:SignedProperties></xades:QualifyingProperties></ds:Object>\n"
)
_FORMAT = '<xades:DataObjectFormat ObjectReference="#{reference}"><xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat>'
_STAMP = (
    '<xades:UnsignedProperties xmlns:xades="{xades}" xmlns:ds="{ds}"><xades:UnsignedSignatureProperties>'
    '<xades:SignatureTimeStamp><ds:CanonicalizationMethod Algorithm="{form}"/>'
    "<xades:EncapsulatedTimeStamp>{token}</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"
    "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
)


def properties(
    certificate: x509.Certificate, number: int, at: datetime | None, references: Sequence[str]
) -> str:
    """The Object with the properties of signature `number`; `references` are the Ids of the references to content."""
    der, moment = keys.der(certificate), "" if at is None else at.isoformat(timespec="seconds")
    return _OBJECT.format(
        xades=XADES,
        number=number,
        identifier=identifier(number),
        time=f"<xades:SigningTime>{moment}</xades:SigningTime>" if moment else "",
        sha256=_SHA256,
        digest=_text(hashlib.sha256(der).digest()),
        issuer=_text(_issuer_serial(der)),
        formats="".join(_FORMAT.format(reference=reference) for reference in references),
    )


def identifier(number: int) -> str:
    """The Id of the signed properties of signature `number`."""
    return f"signed-properties-{number}"


def reference_type(uri: str, number: int) -> str:
    """The Type attribute that a reference must have, as markup."""
    return f' Type="{SIGNED_PROPERTIES_TYPE}"' if uri == f"#{identifier(number)}" else ""


def stamp(signature: Element, mirror: Element, reread: Document, form: Form, stamper: Stamper) -> None:
    """Put a timestamp into `signature`, over the value of `mirror`, the same signature in the message as it will be read."""
    octets = b"".join(canonical.octets(canonical.prepare(reread), mirror[1], form))
    markup = _STAMP.format(
        xades=XADES,
        ds=DS,
        form=EXCLUSIVE if form.exclusive else INCLUSIVE,
        token=_text(stamper(hashlib.sha256(octets).digest())),
    )
    signature[-1][0].append(etree.fromstring(markup))


def _issuer_serial(der: bytes) -> bytes:
    """IssuerSerial of RFC 5035, in DER."""
    certificate = asn1_x509.Certificate.load(der)
    name = asn1_x509.GeneralName(name="directory_name", value=certificate.issuer)
    number = tsp.IssuerSerial({"issuer": [name], "serial_number": certificate.serial_number})
    return bytes(number.dump())


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
