# mypy: allow-untyped-calls
# asn1crypto ships no complete types.

"""XAdES (EN 319 132-1): what an XML signature tells of itself in its QualifyingProperties, and whether it holds.

Theory of operation. The signed properties bind the signer's certificate: a key has one owner, but a certificate says
who, and an unsigned KeyInfo could be exchanged for another certificate of the same key. So every reference to a
certificate must be complete: digest, issuer and number. They count only when a Reference of the right Type covers
exactly this element. Unsigned properties - timestamp tokens, certificates, revocation data - prove themselves or help
nobody. What is not in the tables below refuses the signature: a property that we do not understand may change what
the signature means.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from asn1crypto import tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509

from signing import algorithms, canonical, keys, path, xml_grammar, xml_key_info, xml_text
from signing.algorithms import DS
from signing.canonical import INCLUSIVE, Form
from signing.xml_document import Element

XADES = "http://uri.etsi.org/01903/v1.3.2#"
XADES_141 = "http://uri.etsi.org/01903/v1.4.1#"
SIGNED_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"
QUALIFYING = f"{{{XADES}}}QualifyingProperties"
_OBJECT = f"{{{DS}}}Object"
TOKENS, CERTIFICATES, LONGEST = 4, 32, 1 << 24

_PLACE = "(City )?(StreetAddress )?(StateOrProvince )?(PostalCode )?(CountryName )?"
_OF_141 = (
    *("TimeStampValidationData", "SigAndRefsTimeStampV2", "RefsOnlyTimeStampV2"),
    *("CompleteCertificateRefsV2", "AttributeCertificateRefsV2"),
)
_UNSIGNED = "|".join(
    (
        *(
            "SignatureTimeStamp",
            "CertificateValues",
            "RevocationValues",
            "ArchiveTimeStamp",
            "ArchiveTimeStampV2",
        ),
        *("CompleteCertificateRefs", "CompleteRevocationRefs", "AttributeCertificateRefs"),
        *("AttributeRevocationRefs", "SigAndRefsTimeStamp", "RefsOnlyTimeStamp", *_OF_141),
    )
)
_RULES = {
    "QualifyingProperties": "SignedProperties (UnsignedProperties )?",
    "SignedProperties": "SignedSignatureProperties (SignedDataObjectProperties )?",
    "SignedSignatureProperties": (
        "(SigningTime )?(SigningCertificate )?(SigningCertificateV2 )?(SignaturePolicyIdentifier )?"
        "(SignatureProductionPlace )?(SignatureProductionPlaceV2 )?(SignerRole )?(SignerRoleV2 )?"
    ),
    "SigningCertificate": "(Cert )+",
    "SigningCertificateV2": "(Cert )+",
    "Cert": "CertDigest ((IssuerSerial|IssuerSerialV2) )?",
    "CertDigest": "DigestMethod DigestValue ",
    "DigestMethod": "",
    "IssuerSerial": "X509IssuerName X509SerialNumber ",
    "SignaturePolicyIdentifier": "(SignaturePolicyId|SignaturePolicyImplied) ",
    "SignaturePolicyImplied": "",
    "SignatureProductionPlace": _PLACE,
    "SignatureProductionPlaceV2": _PLACE,
    "SignerRole": "(ClaimedRoles )?",
    "SignerRoleV2": "(ClaimedRoles )?",
    "ClaimedRoles": "(ClaimedRole )+",
    "SignedDataObjectProperties": "(DataObjectFormat )*(CommitmentTypeIndication )*",
    "DataObjectFormat": "(Description )?(ObjectIdentifier )?(MimeType )?(Encoding )?",
    "ObjectIdentifier": "Identifier (Description )?",
    "CommitmentTypeIndication": "CommitmentTypeId (ObjectReference )*(AllSignedDataObjects )?",
    "CommitmentTypeId": "Identifier (Description )?",
    "AllSignedDataObjects": "",
    "UnsignedProperties": "(UnsignedSignatureProperties )?",
    "UnsignedSignatureProperties": f"(({_UNSIGNED}) )*",
    "SignatureTimeStamp": "(CanonicalizationMethod )?(EncapsulatedTimeStamp )+",
    "CanonicalizationMethod": "(InclusiveNamespaces )?",
    "CertificateValues": "(EncapsulatedX509Certificate )*",
    "RevocationValues": "(CRLValues )?(OCSPValues )?",
    "CRLValues": "(EncapsulatedCRLValue )+",
    "OCSPValues": "(EncapsulatedOCSPValue )+",
    "TimeStampValidationData": "(CertificateValues )?(RevocationValues )?",
}
_LEAVES = (
    *("SigningTime", "DigestValue", "X509IssuerName", "X509SerialNumber", "IssuerSerialV2", "ClaimedRole"),
    *("City", "StreetAddress", "StateOrProvince", "PostalCode", "CountryName", "Description", "MimeType"),
    *("Encoding", "Identifier", "ObjectReference", "EncapsulatedTimeStamp", "EncapsulatedX509Certificate"),
    *("EncapsulatedCRLValue", "EncapsulatedOCSPValue"),
)
_OF_DS = ("DigestMethod", "DigestValue", "X509IssuerName", "X509SerialNumber", "CanonicalizationMethod")
_ATTRIBUTES = {
    **{
        name: "Id"
        for name in (*_RULES, *_UNSIGNED.split("|"))
        if name.endswith(("Properties", "Values", "Refs", "RefsV2"))
    },
    **{name: "Id" for name in _UNSIGNED.split("|") if "TimeStamp" in name},
    **{name: "Id Encoding" for name in _LEAVES if name.startswith("Encapsulated")},
    **dict.fromkeys(("DigestMethod", "CanonicalizationMethod"), "Algorithm"),
    "QualifyingProperties": "Id Target",
    "InclusiveNamespaces": "PrefixList",
    "DataObjectFormat": "ObjectReference",
    "Identifier": "Qualifier",
    "Cert": "URI",
    "TimeStampValidationData": "Id URI",
}
_GRAMMAR = xml_grammar.grammar(
    {**_RULES, **dict.fromkeys(_LEAVES, "")},
    _ATTRIBUTES,
    XADES,
    with_text=_LEAVES,
    others={
        **{f"{{{DS}}}{name}": name for name in _OF_DS},
        f"{{{algorithms.EXCLUSIVE}}}InclusiveNamespaces": "InclusiveNamespaces",
        f"{{{XADES_141}}}ArchiveTimeStamp": "ArchiveTimeStampV2",
        **{f"{{{XADES_141}}}{name}": name for name in _OF_141},
    },
)


@dataclass(frozen=True, kw_only=True)
class CertificateReference:
    """One Cert of SigningCertificate(V2): digest algorithm and digest, and the issuer with the number in either writing."""

    digest_algorithm: str | None
    digest: bytes | None
    number: tuple[str, str] | None
    encoded_number: bytes | None


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A signature timestamp: RFC 3161 token (DER) over the signature value in a canonical form."""

    token: bytes
    form: Form


@dataclass(frozen=True, kw_only=True, eq=False)
class Properties:
    """The qualifying properties of one signature (thuộc tính XAdES); `element` is SignedProperties.

    `certificate_lists`: the lists of references to certificates, one for each version that is there.
    """

    element: Element
    target: str
    certificate_lists: tuple[tuple[CertificateReference, ...], ...]
    names_policy: bool
    described: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    certificates: tuple[x509.Certificate, ...]
    lists: tuple[bytes, ...]
    responses: tuple[bytes, ...]


def read(signature: Element) -> Properties | str | None:
    """The properties of a signature, None when it has none, or the code of what is wrong."""
    found = [one for held in signature.iterchildren(_OBJECT) for one in held.iterchildren(QUALIFYING)]
    if not found:
        return None
    fault = (
        "malformed_signature"
        if len(found) > 1
        else xml_grammar.fault(_GRAMMAR, found[0], "QualifyingProperties")
    )
    stamps = fault or _stamps(found[0])
    if isinstance(stamps, str):
        return stamps
    signed = found[0][0]
    return Properties(
        element=signed,
        target=found[0].get("Target", ""),
        certificate_lists=tuple(
            tuple(map(_reference, one)) for one in signed[0] if one.tag in _CERTIFICATE_LISTS
        ),
        names_policy=next(signed.iter(f"{{{XADES}}}SignaturePolicyId"), None) is not None,
        described=tuple(
            node.get("ObjectReference", "") for node in signed.iter(f"{{{XADES}}}DataObjectFormat")
        ),
        stamps=stamps,
        certificates=tuple(_certificates(found[0])),
        lists=tuple(_values(found[0], "EncapsulatedCRLValue")),
        responses=tuple(_values(found[0], "EncapsulatedOCSPValue")),
    )


def fault(properties: Properties, signer: x509.Certificate) -> str | None:
    """Whether the signed properties name another certificate than the signer's, none, or a policy that nobody knows here.

    The verdicts follow EN 319 102-1 5.2.3 (identification of the signing certificate) and 5.2.4 (policy).
    """
    if not properties.certificate_lists:
        return "xades_no_certificate"
    references = [one for listed in properties.certificate_lists for one in listed]
    if any(one.digest_algorithm is None for one in references):
        return "algorithm_not_allowed"
    if not all(any(_is_of(one, signer) for one in listed) for listed in properties.certificate_lists):
        return "xades_other_certificate"
    return "signature_policy" if properties.names_policy else None


_CERTIFICATE_LISTS = {f"{{{XADES}}}SigningCertificate", f"{{{XADES}}}SigningCertificateV2"}


def _reference(node: Element) -> CertificateReference:
    method, value = node[0]
    number = node[1] if len(node) > 1 else None
    encoded = number is not None and len(number) == 0
    return CertificateReference(
        digest_algorithm=algorithms.DIGESTS.get(method.get("Algorithm", "")),
        digest=xml_text.decode(xml_text.squeezed(value)),
        number=None if number is None or encoded else xml_key_info.issuer_serial(number),
        encoded_number=(xml_text.decode(xml_text.squeezed(number)) or b"") if encoded else None,
    )


def _is_of(reference: CertificateReference, certificate: x509.Certificate) -> bool:
    """Whether digest, issuer and number are the certificate's; a number that is left out (V2 allows it) says nothing."""
    der = keys.der(certificate)
    digest = hashlib.new(reference.digest_algorithm or "", der).digest()
    if reference.digest != digest:
        return False
    if reference.number is not None:
        return xml_key_info.is_numbered(certificate, reference.number)
    return reference.encoded_number is None or _is_encoded_number(reference.encoded_number, der)


def _is_encoded_number(encoded: bytes, der: bytes) -> bool:
    """IssuerSerialV2 is an IssuerSerial of RFC 5035 in DER: one name, a directory's, and the number."""
    certificate = asn1_x509.Certificate.load(der)
    try:
        given = tsp.IssuerSerial.load(encoded, strict=True)
        (name,) = given["issuer"]
        same = name.name == "directory_name" and given["serial_number"].native == certificate.serial_number
        alike = name.chosen.dump() == certificate.issuer.dump() or name.chosen == certificate.issuer
        return bool(same and alike)
    except (ValueError, TypeError, KeyError):
        return False


def _stamps(qualifying: Element) -> tuple[Stamp, ...] | str:
    """The signature timestamps, or what is wrong with the canonical form of one; too long tokens are left out."""
    stamps: list[Stamp] = []
    for node in qualifying.iter(f"{{{XADES}}}SignatureTimeStamp"):
        form = (
            INCLUSIVE if node[0].tag != f"{{{DS}}}CanonicalizationMethod" else canonical.named_form(node[0])
        )
        if isinstance(form, str):
            return form
        stamps += [Stamp(token=token, form=form) for token in _values(node, "EncapsulatedTimeStamp")]
    return tuple(stamps[:TOKENS])


def _certificates(qualifying: Element) -> Iterator[x509.Certificate]:
    """The first certificates among the unsigned properties; one that cannot be read helps nobody."""
    values = islice(_values(qualifying, "EncapsulatedX509Certificate"), CERTIFICATES)
    found: Iterable[x509.Certificate | None] = (
        path.readable(value) for value in values if len(value) <= xml_key_info.LONGEST_CERTIFICATE
    )
    return (one for one in found if one)


def _values(element: Element, name: str) -> Iterator[bytes]:
    """What is encapsulated under a name; every encoding is DER's base64 (the default of EN 319 132-1 5.1.3)."""
    for node in element.iter(f"{{{XADES}}}{name}"):
        value = xml_text.decode(xml_text.squeezed(node))
        if value and len(value) <= LONGEST:
            yield value
