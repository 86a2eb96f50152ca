"""The parts of one XML signature (XMLDSig, RFC 3275), read by a closed grammar into frozen records.

What may stand where is a table; anything else inside a signature - another element, text, a comment - refuses it,
so that nobody can hide content there. The stages of judging ask in order: is it a placeholder, are the algorithms
acceptable, are the transforms, does the grammar hold; only then is it read.
Stages answer with the stable code of what is wrong, or None.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509

from signing import algorithms, path
from signing.algorithms import DS, ENVELOPED, EXCLUSIVE
from signing.canonical import INCLUSIVE, Form
from signing.verdict import TooComplexError
from signing.xml_document import Element

XML_SPACE = " \t\r\n"
REFERENCES = 16
TRANSFORMS = 2
CERTIFICATES = 16
LONGEST_CERTIFICATE = 16_384

_GRAMMAR: Mapping[str, re.Pattern[str]] = {
    parent: re.compile(children)
    for parent, children in {
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
    }.items()
}
"""Element -> its children in order, each followed by one space; elements not listed are not looked into."""

_CERTIFICATE = ("KeyInfo", "X509Data", "X509Certificate")
_NAMING: Mapping[str, tuple[Collection[str], str]] = {
    f"{{{DS}}}SignatureMethod": (algorithms.METHODS, "algorithm_not_allowed"),
    f"{{{DS}}}DigestMethod": (algorithms.DIGESTS, "algorithm_not_allowed"),
    f"{{{DS}}}CanonicalizationMethod": (algorithms.CANONICAL_FORMS, "canonical_form_not_allowed"),
    f"{{{DS}}}Transform": ({ENVELOPED, *algorithms.CANONICAL_FORMS}, "transform_not_allowed"),
}
"""Elements that name an algorithm: what they may name, and what is said when they do not."""

_WITH_TEXT = frozenset({"DigestValue", "SignatureValue", "KeyName", "X509Certificate", "X509SubjectName"})
_MAY_BE_EMPTY = frozenset(name for name, children in _GRAMMAR.items() if children.fullmatch(""))
_KNOWN: Mapping[object, str] = {
    **{f"{{{DS}}}{name}": name for names in _GRAMMAR.values() for name in re.findall(r"\w+", names.pattern)},
    f"{{{DS}}}Signature": "Signature",
    f"{{{EXCLUSIVE}}}InclusiveNamespaces": "InclusiveNamespaces",
    "{http://www.w3.org/2009/xmldsig11#}X509Digest": "X509Digest",
}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """One signed part: where (`uri`), how it is brought to bytes, and the digest it must have."""

    uri: str | None
    enveloped: bool
    form: Form
    digest_algorithm: str
    digest: bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Signature:
    """One signature as it stands in the message; `certificates` came with it and are only claimed."""

    element: Element
    signed_info: Element
    form: Form
    method: algorithms.Method
    references: tuple[Reference, ...]
    value: bytes
    certificates: tuple[x509.Certificate, ...]
    key_values: tuple[Element, ...]


def is_placeholder(element: Element) -> bool:
    """Whether nobody signed here: a value or certificate that cannot be decoded, or one that libraries write always."""
    value = squeezed(_first(element, "SignatureValue"))
    if value is None:
        return False
    if decode(value) is None or hashlib.sha256(value.encode()).hexdigest() in algorithms.PLACEHOLDER_VALUES:
        return True
    texts = [squeezed(node) for node in _at(element, *_CERTIFICATE)]
    stubs = not algorithms.PLACEHOLDER_CERTIFICATES.isdisjoint(texts)
    return stubs or (bool(texts) and not any(map(_certificate, texts)))


def algorithm_fault(element: Element) -> str | None:
    """`algorithm_not_allowed`, `canonical_form_not_allowed`, `transform_not_allowed`, or None."""
    info = _first(element, "SignedInfo")
    for node in () if info is None else info.iter(*_NAMING):
        table, why = _NAMING[str(node.tag)]
        if node.get("Algorithm") not in table:
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
    waiting = [(element, "Signature")]
    while waiting:
        node, name = waiting.pop()
        if len(node) == 0 and name in _MAY_BE_EMPTY and (name in _WITH_TEXT or not node.text):
            continue
        children = [(child, _KNOWN.get(child.tag, "?")) for child in node]
        if not _GRAMMAR[name].fullmatch("".join([f"{child} " for _, child in children])):
            return _child_fault(children)
        texts = [child.tail for child, _ in children]
        if name not in _WITH_TEXT:
            texts.append(node.text)
        if "".join(filter(None, texts)).strip(XML_SPACE):
            return "foreign_content"
        waiting += [child for child in children if child[1] in _GRAMMAR]
    return None


def read(element: Element) -> Signature | str:
    """The signature as records, or what is wrong with it; only after the faults above were not found."""
    info, value = element[0], decode(squeezed(element[1]))
    form = _form(info[0])
    if isinstance(form, str):
        return form
    references = [_reference(node) for node in info.iterchildren(f"{{{DS}}}Reference")]
    certificates = [_certificate(squeezed(node)) for node in _at(element, *_CERTIFICATE)]
    if value is None or None in certificates:
        return "malformed_signature"
    return next((one for one in references if isinstance(one, str)), None) or Signature(
        element=element,
        signed_info=info,
        form=form,
        method=algorithms.METHODS[info[1].get("Algorithm", "")],
        references=tuple(one for one in references if isinstance(one, Reference)),
        value=value,
        certificates=tuple(dict.fromkeys(one for one in certificates if one)),
        key_values=tuple(_at(element, "KeyInfo", "KeyValue")),
    )


def decode(text: str | None) -> bytes | None:
    """Base64 in its one canonical writing; None for anything else, the empty text too."""
    try:
        data = binascii.a2b_base64(text or "")
    except ValueError:
        return None
    return data if data and base64.b64encode(data).decode() == text else None


def squeezed(node: Element | None) -> str | None:
    """A node's text without white space, as base64 needs it; None without a node."""
    text = "" if node is None else node.text or ""
    if node is None:
        return None
    # Of what Python takes for white space, XML allows in ASCII only its own; other text is no base64 anyway.
    return "".join(text.split()) if text.isascii() else text


def _first(element: Element, name: str) -> Element | None:
    """The first child of that name."""
    return next(element.iterchildren(f"{{{DS}}}{name}"), None)


def _at(element: Element, *names: str) -> Iterator[Element]:
    """The descendants at the end of a way of children's names; faster than lxml's path language."""
    name, *rest = names
    for child in element.iterchildren(f"{{{DS}}}{name}"):
        if rest:
            yield from _at(child, *rest)
        else:
            yield child


def _certificate(text: str | None) -> x509.Certificate | None:
    """The certificate in base64; one that is too long is not even looked at, nor remembered."""
    return _decoded(text) if text and len(text) <= LONGEST_CERTIFICATE else None


@lru_cache(maxsize=1024)
def _decoded(text: str) -> x509.Certificate | None:
    data = decode(text)
    return path.readable(data) if data else None


def _child_fault(children: Sequence[tuple[Element, str]]) -> str:
    """Which kind of children broke the grammar."""
    if any(not isinstance(child.tag, str) for child, _ in children):
        return "comment_in_signed_content"
    return "foreign_content" if any(name == "?" for _, name in children) else "malformed_signature"


def _reference(node: Element) -> Reference | str:
    steps = list(node[0]) if len(node) > len(("DigestMethod", "DigestValue")) else []
    enveloped = bool(steps) and steps[0].get("Algorithm") == ENVELOPED
    rest = steps[1:] if enveloped else steps
    if any(step.get("Algorithm") == ENVELOPED for step in rest) or (enveloped and len(steps[0])):
        return "enveloped_misplaced"
    if len(rest) > 1:
        return "transform_not_allowed"
    form, digest = _form(rest[0]) if rest else INCLUSIVE, decode(squeezed(node[-1]))
    if isinstance(form, str) or digest is None:
        return form if isinstance(form, str) else "malformed_signature"
    return Reference(
        uri=node.get("URI"),
        enveloped=enveloped,
        form=form,
        digest_algorithm=algorithms.DIGESTS[node[-2].get("Algorithm", "")],
        digest=digest,
    )


def _form(node: Element) -> Form | str:
    """The canonical form that a CanonicalizationMethod or Transform names."""
    exclusive = node.get("Algorithm") == EXCLUSIVE
    prefixes = tuple(node[0].get("PrefixList", "").split()) if len(node) else ()
    if len(node) and not exclusive:
        return "malformed_signature"
    # libxml2 through lxml cannot treat the default namespace inclusively.
    return (
        "canonical_form_not_allowed"
        if "#default" in prefixes
        else Form(exclusive=exclusive, prefixes=prefixes)
    )
