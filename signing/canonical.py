"""Canonical forms (C14N 1.0, inclusive and exclusive, without comments) of parts of a message, and their digests.

Theory of operation. Canonicalising is by far the dearest step of verifying (reference/signing.md 5.1), and nearly
all of a letter is base64 text that the canonical form leaves as it is. So the tree is first turned into a
*skeleton*: every long text is taken out and a short mark is left in its place. The skeleton is canonicalised by
libxml2, and when the result is hashed the texts stand in again for their marks, with the three characters and the
carriage return written as the canonical form wants them (C14N 1.0 §2.3).

The enveloped-signature transform is done the same way: a mark stands before and after every signature, and the
bytes between the marks of the one to be removed are left out. Nothing is ever moved in the tree, because lxml
renames prefixes of moved nodes, and the text behind a signature stays where it is. In a canonical form no element
depends on its siblings, so leaving one out of the result equals canonicalising without it.

A mark is told from content with certainty, not by likelihood: it starts with a private-use character and a number
that no text of this message contains in this combination.

A part of a message inherits namespaces, and for the inclusive form the `xml:` attributes of its ancestors (C14N 1.0
§2.4): except in the plain exclusive form, it is canonicalised as a document of its own that has them all.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from signing import algorithms, xml_document
from signing.verdict import TooComplexError
from signing.xml_document import Document, Element

LONG_TEXT = 4096
PREFIXES = 64
REMEMBERED = 1024
TIMES, SPARE = 16, 1 << 20
_SIGN = "\ue000"
_FIRST = _SIGN.encode()[:1]
_MARKS = re.compile(rb"\xee\x80\x80([0-9]{10})")
_PREFIX = re.compile(rb"xmlns(?::([^\s=]{1,99}))?=")
_XML = "{http://www.w3.org/XML/1998/namespace}"


class Form(NamedTuple):
    """A canonical form; `prefixes` are treated inclusively in the exclusive form (PrefixList)."""

    exclusive: bool
    prefixes: tuple[str, ...] = ()


INCLUSIVE = Form(exclusive=False)


def named_form(node: Element) -> Form | str:
    """The form that a CanonicalizationMethod or Transform names, or the code of what is wrong with it."""
    prefixes = node[0].get("PrefixList", "") if len(node) else None
    return form_of(node.get("Algorithm", ""), prefixes)


def form_of(algorithm: str, prefixes: str | None) -> Form | str:
    """The same by the name of the algorithm, and a PrefixList if there is one."""
    known = _form if len(algorithm) + len(prefixes or "") <= REMEMBERED else _form.__wrapped__
    return known(algorithm, prefixes)


@lru_cache(maxsize=256)
def _form(algorithm: str, listed: str | None) -> Form | str:
    """The form of an algorithm with a PrefixList, or with none."""
    name, prefixes = algorithms.CANONICAL_FORMS.get(algorithm), tuple((listed or "").split())
    if listed is not None and name != "exclusive":
        return "malformed_signature"
    # libxml2 through lxml cannot treat the default namespace inclusively.
    if name is None or "#default" in prefixes or len(prefixes) > PREFIXES:
        return "canonical_form_not_allowed"
    return Form(exclusive=name == "exclusive", prefixes=prefixes)


@dataclass(kw_only=True)
class Skeleton:
    """A message whose long texts and signatures are marked; `texts` are the former, in canonical writing.

    `left`: how many bytes may still be digested, so that references to the whole in many ways cannot take for ever.
    """

    signatures: tuple[Element, ...]
    texts: tuple[bytes, ...]
    marks: re.Pattern[bytes]
    left: int
    digests: dict[tuple[Element, Form, Element | None, str], bytes] = field(default_factory=dict)


def has_few_prefixes(document: Document) -> bool:
    """Whether there are certainly no more than may be; a quick look at the bytes, where each is declared by `xmlns`."""
    return document.raw.count(b"xmlns") <= PREFIXES


def prepare(document: Document) -> Skeleton:
    """Turn the document's tree into a skeleton; whatever else is to be read from it has to be read before.

    Raises TooComplexError for too many namespace prefixes.
    """
    emptied, texts = _take_long_texts(document)
    remains = etree.tostring(document.root.getroottree(), encoding="utf-8")
    if remains.count(b"xmlns") > PREFIXES and len(set(_PREFIX.findall(remains))) > PREFIXES:
        raise TooComplexError("prefixes", PREFIXES)
    sign = _unused_sign(remains)
    for position, element in enumerate(emptied):
        element.text = f"{sign}t{position}{_SIGN}"
    for position, signature in enumerate(document.signatures):
        _mark_signature(signature, f"{sign}b{position}{_SIGN}", f"{sign}e{position}{_SIGN}")
    pattern = re.compile(re.escape(sign.encode()) + b"([tbe])([0-9]+)" + _SIGN.encode())
    left = TIMES * len(document.raw) + SPARE
    return Skeleton(signatures=document.signatures, texts=texts, marks=pattern, left=left)


def octets(skeleton: Skeleton, part: Element, form: Form, removed: Element | None = None) -> Iterator[bytes]:
    """The canonical bytes of `part`, in pieces, without the signature `removed`. Raises etree.C14NError."""
    left_out = skeleton.signatures.index(removed) if removed is not None else None
    canonical, position, skipping = _canonicalise(part, form), 0, False
    for mark in skeleton.marks.finditer(canonical):
        kind, number = mark.group(1), int(mark.group(2))
        if not skipping:
            yield canonical[position : mark.start()]
        if kind == b"t" and not skipping:
            yield skeleton.texts[number]
        elif kind != b"t" and number == left_out:
            skipping = kind == b"b"
        position = mark.end()
    yield canonical[position:]


def digest(skeleton: Skeleton, part: Element, form: Form, removed: Element | None, algorithm: str) -> bytes:
    """The digest of `octets`, computed once however many signatures ask for it.

    Raises etree.C14NError, and TooComplexError when all digests together take too much.
    """
    key = (part, form, removed, algorithm)
    if key not in skeleton.digests:
        computed = hashlib.new(algorithm)
        for piece in octets(skeleton, part, form, removed):
            skeleton.left -= len(piece)
            computed.update(piece)
        if skeleton.left < 0:
            raise TooComplexError("digests", TIMES)
        skeleton.digests[key] = computed.digest()
    return skeleton.digests[key]


def _canonicalise(part: Element, form: Form) -> bytes:
    """The canonical bytes: lxml does a part's plain exclusive form in its place, the others need it alone."""
    in_place = (form.exclusive and not form.prefixes) or part.getparent() is None
    return etree.tostring(
        part if in_place else _alone(part, inherit=not form.exclusive),
        method="c14n",
        exclusive=form.exclusive,
        with_comments=False,
        inclusive_ns_prefixes=list(form.prefixes) or None,
    )


def _alone(part: Element, *, inherit: bool) -> Element:
    """The part as the root of a document of its own, with every namespace that was in scope.

    Canonicalising inclusively in its place, lxml would put `xmlns=""` where it does not belong.
    """
    alone = etree.fromstring(etree.tostring(part, encoding="utf-8", with_tail=False), xml_document.parser())
    for ancestor in part.iterancestors() if inherit else ():
        for name, value in ancestor.items():
            if str(name).startswith(_XML) and name not in alone.attrib:
                alone.set(name, value)
    return alone


def _unused_sign(remains: bytes) -> str:
    """The start of all marks: the private-use character and the first ten-digit number that follows it nowhere else."""
    if _FIRST not in remains:
        return f"{_SIGN}{0:010d}"
    used = {int(number) for number in _MARKS.findall(remains)}
    return f"{_SIGN}{next(number for number in range(len(used) + 1) if number not in used):010d}"


def _take_long_texts(document: Document) -> tuple[list[Element], tuple[bytes, ...]]:
    """Empty the elements with long texts; the elements, and their texts in canonical writing."""
    emptied, texts = [], []
    for element in document.nodes:
        text = element.text
        if text and len(text) > LONG_TEXT:
            element.text = None
            emptied.append(element)
            texts.append(_written(text.encode()))
    return emptied, tuple(texts)


def _written(data: bytes) -> bytes:
    """Text as the canonical form writes it (C14N 1.0 §2.3, text nodes)."""
    for character, reference in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b"\r", b"&#xD;")):
        if character in data:
            data = data.replace(character, reference)
    return data


def _mark_signature(signature: Element, before: str, after: str) -> None:
    parent = signature.getparent()
    if parent is None:
        return
    previous = signature.getprevious()
    if previous is None:
        parent.text = (parent.text or "") + before
    else:
        previous.tail = (previous.tail or "") + before
    signature.tail = after + (signature.tail or "")
