"""The parts of one XML signature (XMLDSig, RFC 3275), read into records.

What may stand where is a table (`signing.xml_rules`); anything else inside a signature - another element, text, a
comment - refuses it, so that nobody can hide content there. Where everything stands tells the layout of the signature's
shape (`signing.xml_layout`); values and texts are taken from there. The stages of judging ask in order: is it within its
budgets, is it a placeholder, are the algorithms acceptable, are the transforms, does the grammar hold; only then is it
read. What is wrong is told by its stable code.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cryptography import x509

from signing import algorithms, xades, xml_grammar, xml_key_info, xml_layout, xml_text
from signing.canonical import Form
from signing.verdict import TooComplexError
from signing.xml_document import Document, Element
from signing.xml_key_info import KeyInfo
from signing.xml_layout import Layout, Part, Step
from signing.xml_rules import CERTIFICATES, REFERENCES, TRANSFORMS

__all__ = ["CERTIFICATES", "REFERENCES", "TRANSFORMS"]


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


class Signature(NamedTuple):
    """One signature as it stands in the message; its KeyInfo came with it and is only claimed.

    `properties` are what XAdES adds.
    """

    element: Element
    signed_info: Element
    layout: Layout
    form: Form
    method: algorithms.Method
    references: tuple[Reference, ...]
    value: bytes
    key_info: KeyInfo
    properties: xades.Properties | None


class Draft(NamedTuple):
    """A signature that is within its budgets, laid out; `nodes` are all in it, in document order."""

    nodes: Sequence[Element]
    layout: Layout
    values: Sequence[str]
    texts: Sequence[str | None]


class Claim(NamedTuple):
    """What a signature claims to be made by; `placeholder`: whether nobody signed there.

    `value` is None when it cannot be decoded, so are certificates.
    """

    placeholder: bool
    value: bytes | None
    certificates: tuple[x509.Certificate | None, ...]


def drafts(document: Document) -> Iterator[Draft]:
    """All signatures of a message, in document order.

    Raises TooComplexError for one with too many references, transforms or certificates.
    """
    for element in document.signatures:
        nodes = list(element.iter())
        seen = xml_grammar.see(nodes)
        layout = xml_layout.of(seen.shape)
        if layout.limit:
            raise TooComplexError(*layout.limit)
        yield Draft(nodes, layout, seen.values, seen.texts)


def claim(draft: Draft) -> Claim:
    """Who claims to have signed; nobody if value or certificate cannot be decoded, or is one that libraries write always."""
    layout, texts = draft.layout, draft.texts
    if layout.value is None:
        return Claim(False, None, ())
    text = xml_text.bare(texts[layout.value])
    value = xml_text.decode(text)
    if value is None or hashlib.sha256(text.encode()).hexdigest() in algorithms.PLACEHOLDER_VALUES:
        return Claim(True, value, ())
    written = [xml_text.bare(texts[at]) for at in layout.certificates]
    certificates = tuple([xml_key_info.readable(one) for one in written])
    stubs = not algorithms.PLACEHOLDER_CERTIFICATES.isdisjoint(written)
    return Claim(stubs or (bool(written) and not any(certificates)), value, certificates)


def read(draft: Draft, claim: Claim) -> Signature | str:
    """The signature as records, or what is wrong with it."""
    nodes, layout = draft.nodes, draft.layout
    terms = layout.terms(draft.values)
    if terms.fault:
        return terms.fault
    references = []
    for part, step in zip(layout.parts, terms.steps, strict=True):
        reference = _reference(draft, part, step)
        if isinstance(reference, str):
            return reference
        references.append(reference)
    properties = xades.read(nodes[0]) if xades.QUALIFYING in layout.objects else None
    if isinstance(properties, str) or claim.value is None or None in claim.certificates:
        return properties if isinstance(properties, str) else "malformed_signature"
    return Signature(
        nodes[0],
        nodes[1],
        layout,
        terms.form,
        terms.method,
        tuple(references),
        claim.value,
        _key_info(draft, claim),
        properties,
    )


def _reference(draft: Draft, part: Part, step: Step) -> Reference | str:
    if step.fault:
        return step.fault
    digest = xml_text.encoded(draft.texts[part.digest])
    if digest is None:
        return "malformed_signature"
    values = draft.values
    return Reference(
        None if part.uri is None else values[part.uri],
        "" if part.kind is None else values[part.kind],
        "" if part.identifier is None else values[part.identifier],
        step.enveloped,
        step.form,
        step.digest_algorithm,
        digest,
    )


def _key_info(draft: Draft, claim: Claim) -> KeyInfo:
    several = len(claim.certificates) > 1
    certificates = tuple(dict.fromkeys(claim.certificates)) if several else claim.certificates
    place = draft.layout.key_info
    return KeyInfo(certificates) if place is None else xml_key_info.read(draft.nodes[place], certificates)
