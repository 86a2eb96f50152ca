# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""One revision of a PDF laid out in parts that can be compared: page content, annotations, form, signature fields, rest.

A part is made of *pieces*, the dictionary entries that define it. Its *own* text is those entries with references
as numbers; *below* it are the objects that they lead to, up to the border where another part begins: a page, or a
form field. So a link to a page does not make that page's content part of the annotation. What is drawn on a page
is followed across fields, lest an empty signature field serve as a font and change it when signed.

Not laid out, hence free to change: document information and metadata, version.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver

from signing import pdf_form
from signing.pdf_form import Key
from signing.verdict import TooComplexError

Piece = Mapping[str, generic.PdfObject]
PARTS = ("form", "annotation", "validation", "page_content", "other")

_MOST_OBJECTS = 200_000
_NOT_IN_CATALOGUE = frozenset(
    {"/Type", "/Pages", "/AcroForm", "/Metadata", "/DSS", "/Extensions", "/Version", "/Perms"}
)
NOT_IN_PAGE = frozenset({"/Annots", "/LastModified", "/Tabs"})
_NOT_IN_FORM = frozenset({"/Fields", "/SigFlags"})


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a revision: its own text and the keys of the objects below it."""

    own: bytes
    below: frozenset[Key]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A revision in parts: one for each name in PARTS, one for each signature field (`seals`); `signed` have a value.

    `unseen` are those signed whose value is a document timestamp and which draw nothing.
    """

    parts: Mapping[str, Part]
    seals: Mapping[Key, Part]
    signed: frozenset[Key]
    unseen: frozenset[Key]


def lay_out(handler: HistoricalResolver) -> Layout:
    """The revision in parts. Raises TooComplexError over 200,000 objects, pyHanko's errors on a damaged one."""
    tops, fields = pages(handler), pdf_form.fields(handler)
    seals: dict[Key, list[Piece]] = {
        field.key: [] for field in fields if field.kind == "/Sig" and field.key == field.owner
    }
    plain: list[Piece] = []
    for field in fields:
        seals.get(field.owner, plain).append(field.node)
    if plain:
        plain.append(_without(pdf_form.form(handler), _NOT_IN_FORM))
    tree = frozenset(tops)
    border = tree | {field.key for field in fields}
    return Layout(
        parts={
            "form": _part(handler, plain, border),
            "annotation": _part(handler, _annotations(tops, border), tree),
            "validation": _part(handler, [_only(handler.root, "/DSS")], border),
            "page_content": _part(handler, [_without(page, NOT_IN_PAGE) for page in tops.values()], tree),
            "other": _part(handler, [_without(handler.root, _NOT_IN_CATALOGUE)], border),
        },
        seals={key: _part(handler, nodes, border) for key, nodes in seals.items()},
        signed=frozenset(field.owner for field in fields if field.signed),
        unseen=frozenset(field.owner for field in fields if field.signed and _unseen(field)),
    )


def _unseen(field: pdf_form.Field) -> bool:
    """Whether a field is a document timestamp without a picture: not split into widgets, on an area of nothing."""
    value, area = pdf_form.entry(field.node, "/V"), pdf_form.entry(field.node, "/Rect")
    stamp = isinstance(value, generic.DictionaryObject) and value.get("/Type") == "/DocTimeStamp"
    sides = [float(side) for side in area] if isinstance(area, generic.ArrayObject) else []
    flat = not sides or sides[:2] == sides[2:]
    return stamp and flat and "/Kids" not in field.node and "/AA" not in field.node


def content(handler: HistoricalResolver, key: Key) -> bytes:
    """An object's text and, for a stream, its bytes; that of null when the revision has no such object."""
    found = _load(handler, key)
    return text(found) + (found.encoded_data if isinstance(found, generic.StreamObject) else b"")


def text(value: generic.PdfObject | Piece) -> bytes:
    """A value written the same way whatever the order of its entries; references are not followed."""
    if isinstance(value, generic.IndirectObject):
        return b"%d %d R" % pdf_form.key_of(value)
    if isinstance(value, Mapping):
        # .items(), unlike [], does not follow references.
        entries = (name.encode() + b" " + text(held) for name, held in sorted(value.items(), key=_name_of))
        return b"<<" + b" ".join(entries) + b">>"
    if isinstance(value, list):
        return b"[" + b" ".join(map(text, value)) + b"]"
    output = BytesIO()
    value.write_to_stream(output)
    return output.getvalue()


def _name_of(named: tuple[str, object]) -> str:
    return named[0]


def pages(handler: HistoricalResolver) -> dict[Key, generic.DictionaryObject]:
    """Pages and the nodes of their tree by key, in page order."""
    found: dict[Key, generic.DictionaryObject] = {}
    waiting = [handler.root.raw_get("/Pages")]
    while waiting:
        reference = waiting.pop()
        if not isinstance(reference, generic.IndirectObject) or pdf_form.key_of(reference) in found:
            continue
        node = reference.get_object()
        if isinstance(node, generic.DictionaryObject):
            found[pdf_form.key_of(reference)] = node
            waiting.extend(reversed(pdf_form.elements(node, "/Kids")))
    return found


def _annotations(pages: Mapping[Key, generic.DictionaryObject], border: frozenset[Key]) -> list[Piece]:
    """Annotations that are not the form's, each with the number of its page."""
    return [
        {"/Page": generic.NumberObject(key[0]), "/Annot": annotation}
        for key, page in pages.items()
        for annotation in pdf_form.elements(page, "/Annots")
        if not (isinstance(annotation, generic.IndirectObject) and pdf_form.key_of(annotation) in border)
    ]


def _without(node: generic.DictionaryObject, left_out: frozenset[str]) -> Piece:
    return {name: node.raw_get(name) for name in node if name not in left_out}


def _only(node: generic.DictionaryObject, name: str) -> Piece:
    return {name: node.raw_get(name)} if name in node else {}


def _part(handler: HistoricalResolver, pieces: Sequence[Piece], border: frozenset[Key]) -> Part:
    values = (value for piece in pieces for value in _values(piece))
    return Part(own=b"\n".join(map(text, pieces)), below=below(handler, values, border))


def below(
    handler: HistoricalResolver, values: Iterable[generic.PdfObject], border: frozenset[Key]
) -> frozenset[Key]:
    """Keys of the objects reached from these values without crossing the border."""
    seen: set[Key] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, generic.IndirectObject):
            key = pdf_form.key_of(value)
            if key in seen or key in border:
                continue
            seen.add(key)
            value = _load(handler, key)
        waiting.extend(_values(value))
        if len(seen) > _MOST_OBJECTS:
            raise TooComplexError("objects", _MOST_OBJECTS)
    return frozenset(seen)


def _values(value: object) -> Iterable[generic.PdfObject]:
    """What a dictionary or array holds, references not followed."""
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _load(handler: HistoricalResolver, key: Key) -> generic.PdfObject:
    """An object; null when the revision has none of that number, as ISO 32000-2 7.3.10 says."""
    reference = generic.Reference(*key, handler)
    if handler.reader.xrefs.get_historical_ref(reference, handler.revision) is None:
        return generic.NullObject()
    found: generic.PdfObject = handler.get_object(reference)
    return found
