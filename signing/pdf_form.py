# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""The fields of a PDF's form (biểu mẫu), read without trusting its shape (ISO 32000-2 12.7).

Unlike pyHanko's own walk this one also sees fields without a name, with an unknown SubFilter, or reached twice:
no signature hides from the count. Every node is visited once.
"""

from dataclasses import dataclass

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.rw_common import PdfHandler

from signing.verdict import TooComplexError

MOST_NODES = 20_000
Key = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One node of the form (trường): key of its object, full name, type (`/Sig`, `/Tx`, …) and dictionary.

    `owner` is the key of the named field that a bare widget draws; a field's own key otherwise.
    """

    key: Key
    owner: Key
    name: str
    kind: str
    node: generic.DictionaryObject

    @property
    def signed(self) -> bool:
        """Whether it is a signature field with a value."""
        return self.kind == "/Sig" and entry(self.node, "/V") is not None


def fields(handler: PdfHandler) -> list[Field]:
    """All nodes of the form, parents before children. Raises TooComplexError above 20,000."""
    found: dict[Key, Field] = {}
    waiting: list[tuple[generic.PdfObject, Field | None]]
    waiting = [(top, None) for top in reversed(elements(form(handler), "/Fields"))]
    while waiting:
        reference, parent = waiting.pop()
        if not isinstance(reference, generic.IndirectObject) or key_of(reference) in found:
            continue
        node = reference.get_object()
        if not isinstance(node, generic.DictionaryObject):
            continue
        field = _field(key_of(reference), node, parent)
        found[field.key] = field
        waiting.extend((child, field) for child in reversed(elements(node, "/Kids")))
        if len(found) > MOST_NODES:
            raise TooComplexError("form_fields", MOST_NODES)
    return list(found.values())


def form(handler: PdfHandler) -> generic.DictionaryObject:
    """The form's dictionary, empty when there is none."""
    found = entry(handler.root, "/AcroForm")
    return found if isinstance(found, generic.DictionaryObject) else generic.DictionaryObject()


def entry(node: generic.DictionaryObject, name: str) -> generic.PdfObject | None:
    """An entry with its reference followed; None when it is absent or null."""
    try:
        found: generic.PdfObject = node[name]
    except KeyError:
        return None
    return found


def named(node: generic.DictionaryObject, name: str) -> str:
    """An entry that is a name, its slash included; empty when it is absent or something else."""
    found = entry(node, name)
    return str(found) if isinstance(found, generic.NameObject) else ""


def key_of(reference: generic.IndirectObject) -> Key:
    """Object and generation number."""
    return reference.idnum, reference.generation


def elements(node: generic.DictionaryObject, name: str) -> list[generic.PdfObject]:
    """The elements of an array entry, references not followed; nothing when it is absent or something else."""
    found = entry(node, name)
    return list(found.iterate()) if isinstance(found, generic.ArrayObject) else []


def _field(key: Key, node: generic.DictionaryObject, parent: Field | None) -> Field:
    title, kind = entry(node, "/T"), entry(node, "/FT")
    names = (parent.name if parent else "", str(title or ""))
    return Field(
        key=key,
        owner=key if title is not None or parent is None else parent.owner,
        name=".".join(filter(None, names)),
        kind=str(kind or (parent.kind if parent else "")),
        node=node,
    )
