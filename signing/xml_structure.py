"""The parts of one XML signature (XMLDSig, RFC 3275), read by a closed grammar into frozen records.

What may stand where is a table (`signing.xml_grammar`); anything else inside a signature - another element, text, a
comment - refuses it, so that nobody can hide content there. The stages of judging ask in order: is it a placeholder,
are the algorithms acceptable, are the transforms, does the grammar hold; only then is it read.
Stages answer with the stable code of what is wrong, or None.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from signing import algorithms, canonical, xades, xml_grammar, xml_key_info, xml_text
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE
from signing.canonical import INCLUSIVE, Form
from signing.verdict import TooComplexError
from signing.xml_document import Element
from signing.xml_key_info import KeyInfo

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
_GRAMMAR = xml_grammar.grammar(
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
_NAMING: Mapping[object, tuple[Collection[str] | None, str]] = {
    f"{{{DS}}}SignatureMethod": (algorithms.METHODS, "algorithm_not_allowed"),
    f"{{{DS}}}DigestMethod": (algorithms.DIGESTS, "algorithm_not_allowed"),
    f"{{{DS}}}CanonicalizationMethod": (algorithms.CANONICAL_FORMS, "canonical_form_not_allowed"),
    f"{{{DS}}}Transform": ({ENVELOPED, *algorithms.CANONICAL_FORMS}, "transform_not_allowed"),
}
"""Elements that name an algorithm: what they may name, and what is said when they do not."""

_ANY = (None, "")
"""What the others name: nothing."""


class Reference(NamedTuple):
    """One signed part: where (`uri`), how it is brought to bytes, and the digest it must have.

    `kind` is what the signer says that it points at (Type); `identifier` is the reference's own Id.
    """

    uri: str | None
    kind: str
    identifier: str
    enveloped: bool
    form: Form
    digest_algorithm: str
    digest: bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Signature:
    """One signature as it stands in the message; its KeyInfo came with it and is only claimed.

    `objects` are the tags of what its Objects hold, `properties` what XAdES adds.
    """

    element: Element
    signed_info: Element
    form: Form
    method: algorithms.Method
    references: tuple[Reference, ...]
    value: bytes
    key_info: KeyInfo
    objects: tuple[object, ...]
    properties: xades.Properties | None


def is_placeholder(element: Element) -> bool:
    """Whether nobody signed here: a value or certificate that cannot be decoded, or one that libraries write always."""
    value = xml_text.squeezed(_first(element, "SignatureValue"))
    if value is None:
        return False
    digest = hashlib.sha256(value.encode()).hexdigest()
    if xml_text.decode(value) is None or digest in algorithms.PLACEHOLDER_VALUES:
        return True
    texts = xml_key_info.certificate_texts(element)
    stubs = not algorithms.PLACEHOLDER_CERTIFICATES.isdisjoint(texts)
    return stubs or (bool(texts) and not any(map(xml_key_info.readable, texts)))


def algorithm_fault(element: Element) -> str | None:
    """`algorithm_not_allowed`, `canonical_form_not_allowed`, `transform_not_allowed`, or None."""
    info = _first(element, "SignedInfo")
    for node in () if info is None else info.iter():
        table, why = _NAMING.get(node.tag, _ANY)
        if table is not None and node.get("Algorithm") not in table:
            return why
    return None


def keep_budgets(element: Element) -> None:
    """Raises TooComplexError for a signature with too many references, transforms or certificates."""
    budgets = (("Reference", REFERENCES, "references"), ("X509Certificate", CERTIFICATES, "certificates"))
    for name, most, limit in budgets:
        if sum(1 for _ in element.iter(f"{{{DS}}}{name}")) > most:
            raise TooComplexError(limit, most)
    for transforms in element.iter(f"{{{DS}}}Transforms"):
        if len(transforms) > TRANSFORMS:
            raise TooComplexError("transforms", TRANSFORMS)


def grammar_fault(element: Element) -> str | None:
    """`malformed_signature`, `foreign_content` or `comment_in_signed_content` when the grammar does not hold, or None."""
    return xml_grammar.fault(_GRAMMAR, element, "Signature")


def read(element: Element) -> Signature | str:
    """The signature as records, or what is wrong with it; only after the faults above were not found."""
    info, value, key_info = (
        element[0],
        xml_text.decode(xml_text.squeezed(element[1])),
        xml_key_info.read(element),
    )
    form, properties = canonical.named_form(info[0]), xades.read(element)
    references = [_reference(node) for node in info.iterchildren(f"{{{DS}}}Reference")]
    faults = [one for one in (form, *references, properties) if isinstance(one, str)]
    if faults or value is None or None in key_info.certificates:
        return faults[0] if faults else "malformed_signature"
    assert isinstance(form, Form)
    assert not isinstance(properties, str)
    return Signature(
        element=element,
        signed_info=info,
        form=form,
        method=algorithms.METHODS[info[1].get("Algorithm", "")],
        references=tuple(one for one in references if isinstance(one, Reference)),
        value=value,
        key_info=key_info,
        objects=tuple(_objects(element)),
        properties=properties,
    )


def _objects(element: Element) -> Iterator[object]:
    """The tags of what stands in the signature's Objects; text and properties of more than one level are `#other`."""
    for holder in element.iterchildren(f"{{{DS}}}Object"):
        texts = (holder.text, *(child.tail for child in holder))
        if "".join(filter(None, texts)).strip(xml_grammar.XML_SPACE):
            yield "#other"
        yield from (child.tag if _is_flat(child) else "#other" for child in holder)


def _is_flat(child: Element) -> bool:
    """Whether SignatureProperties hold nothing but values, as a signing time; of anything else it is not asked."""
    values = (value for named in child for value in named)
    return child.tag != f"{{{DS}}}SignatureProperties" or not any(len(value) for value in values)


def _first(element: Element, name: str) -> Element | None:
    """The first child of that name."""
    return next(element.iterchildren(f"{{{DS}}}{name}"), None)


def _reference(node: Element) -> Reference | str:
    steps = list(node[0]) if len(node) > len(("DigestMethod", "DigestValue")) else []
    enveloped = bool(steps) and steps[0].get("Algorithm") == ENVELOPED
    rest = steps[1:] if enveloped else steps
    if any(step.get("Algorithm") == ENVELOPED for step in rest) or (enveloped and len(steps[0])):
        return "enveloped_misplaced"
    if len(rest) > 1:
        return "transform_not_allowed"
    form = canonical.named_form(rest[0]) if rest else INCLUSIVE
    digest = xml_text.decode(xml_text.squeezed(node[-1]))
    if isinstance(form, str) or digest is None:
        return form if isinstance(form, str) else "malformed_signature"
    return Reference(
        uri=node.get("URI"),
        kind=node.get("Type", ""),
        identifier=node.get("Id", ""),
        enveloped=enveloped,
        form=form,
        digest_algorithm=algorithms.DIGESTS[node[-2].get("Algorithm", "")],
        digest=digest,
    )
