"""What an XML signature (XMLDSig, RFC 3275) may hold, as tables: its grammar, the algorithms that it may name, and how much of it."""

from collections.abc import Collection, Mapping

from signing import algorithms, xml_grammar, xml_key_info
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE

REFERENCES = 16
TRANSFORMS = 2
CERTIFICATES = 16

_RULES = {
    "Signature": "SignedInfo SignatureValue (KeyInfo )?(Object )*",
    "SignedInfo": "CanonicalizationMethod SignatureMethod (Reference )+",
    "CanonicalizationMethod": "(InclusiveNamespaces )?",
    "SignatureMethod": "",
    "Reference": "(Transforms )?DigestMethod DigestValue ",
    "Transforms": "(Transform )+",
    "Transform": "(InclusiveNamespaces )?",
    "InclusiveNamespaces": "",
    "DigestMethod": "",
    "DigestValue": "",
    "SignatureValue": "",
    "KeyInfo": "((KeyName|KeyValue|X509Data) )*",
    "KeyName": "",
    "X509Data": "((X509IssuerSerial|X509SKI|X509SubjectName|X509Certificate|X509CRL|X509Digest) )*",
    "X509Certificate": "",
    "X509SubjectName": "",
    "X509IssuerSerial": "X509IssuerName X509SerialNumber ",
    "X509IssuerName": "",
    "X509SerialNumber": "",
    "X509SKI": "",
    "X509CRL": "",
    "X509Digest": "",
}
"""Element -> its children in order, each followed by one space; what an Object may hold is the profile's matter."""

_ATTRIBUTES = {
    **dict.fromkeys(("Signature", "SignedInfo", "SignatureValue", "KeyInfo"), "Id"),
    **dict.fromkeys(
        ("CanonicalizationMethod", "SignatureMethod", "Transform", "DigestMethod", "X509Digest"), "Algorithm"
    ),
    "Reference": "Id URI Type",
    "InclusiveNamespaces": "PrefixList",
    "Object": "Id MimeType Encoding",
}
GRAMMAR = xml_grammar.grammar(
    _RULES,
    _ATTRIBUTES,
    DS,
    with_text={
        *("DigestValue", "SignatureValue", "KeyName"),
        *(
            name
            for name in _RULES
            if name.startswith("X509") and name not in {"X509Data", "X509IssuerSerial"}
        ),
    },
    others={
        f"{{{EXCLUSIVE}}}InclusiveNamespaces": "InclusiveNamespaces",
        xml_key_info.X509_DIGEST: "X509Digest",
    },
)
NAMING: Mapping[object, tuple[Collection[str], str]] = {
    f"{{{DS}}}SignatureMethod": (algorithms.METHODS, "algorithm_not_allowed"),
    f"{{{DS}}}DigestMethod": (algorithms.DIGESTS, "algorithm_not_allowed"),
    f"{{{DS}}}CanonicalizationMethod": (algorithms.CANONICAL_FORMS, "canonical_form_not_allowed"),
    f"{{{DS}}}Transform": ({ENVELOPED, *algorithms.CANONICAL_FORMS}, "transform_not_allowed"),
}
"""Elements that name an algorithm: what they may name, and what is said when they do not."""
