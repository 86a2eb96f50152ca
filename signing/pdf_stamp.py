# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""Was a page changed, or was a stamp put on it (số, ngày, dấu đến)? Told from structure, page by page.

Theory of operation. A clerk's tool draws number and date into a page by appending content streams, now and then with
the old ones wrapped in `q` and `Q`, and by naming a font or picture more. A page is stamped, and not changed, when

    its old content streams are all there, untouched, one after the other in their order
    what stands before them does nothing but save the graphics state
    what stands behind them draws what `signing.pdf_drawing` allows, over no more than an eighth of the page
    its resources are the old ones, and new names that the old content does not use
    everything else about it is as it was, and all pages are there in their order

What remains is a risk that no structure can tell, and why a stamp is acceptable only below a signature of the agency
over the whole final file: dark glyphs or lines upon old ones, a font whose glyphs are not what its codes say, a
picture that is transparent in name only. The signed revision itself is in the file, byte for byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver

from signing import pdf_drawing, pdf_form, pdf_layout, pdf_operators
from signing.pdf_form import Key
from signing.pdf_graphics import Box

LARGEST_SHARE = 1 / 8
_MOST_CONTENT = 4 << 20  # decoded bytes of all pages with stamps
_DEEPEST_TREE = 32
_ADDABLE = frozenset({"/Font", "/XObject", "/ExtGState", "/Properties"})
_INHERITED = ("/Resources", "/MediaBox", "/CropBox")
_PAPER = Box(0, 0, 612, 792)


@dataclass(frozen=True, kw_only=True)
class _Page:
    """A page in one revision: its content streams, its resources, all else that makes it, and the paper it is on."""

    streams: tuple[generic.IndirectObject, ...]
    resources: pdf_drawing.Resources
    rest: pdf_layout.Piece
    paper: Box


class _ChangedError(Exception):
    """A page is not what it was."""


def only(old: HistoricalResolver, new: HistoricalResolver, rewritten: frozenset[Key]) -> bool:
    """Whether the pages of `new` are those of `old`, stamped; `rewritten` are the objects that differ between them.

    Raises pyHanko's errors on damage.
    """
    before, after = pdf_layout.pages(old), pdf_layout.pages(new)
    if list(before) != list(after):
        return False
    try:
        pairs = [(_page(node), _page(after[key])) for key, node in before.items()]
        kept = [value for was, now in pairs for value in _kept(was, now)]
        _look(pairs)
    except (_ChangedError, pdf_drawing.RefusedError, pdf_operators.UnreadableError):
        return False
    return rewritten.isdisjoint(pdf_layout.below(old, kept, frozenset(before)))


def _page(node: generic.DictionaryObject) -> _Page:
    effective = generic.DictionaryObject(_effective(node))
    apart = {"/Contents", *pdf_layout.NOT_IN_PAGE}
    if "/Kids" not in node:  # what a node of the tree hands down must stay as it was
        apart.add("/Resources")
    return _Page(
        streams=tuple(_streams(node)),
        resources=pdf_drawing.resources(effective),
        rest={name: node.raw_get(name) for name in node if name not in apart},
        paper=_paper(effective),
    )


def _effective(node: generic.DictionaryObject) -> dict[generic.NameObject, generic.PdfObject]:
    """What a page has or inherits (ISO 32000-2 7.7.3.4)."""
    found: dict[generic.NameObject, generic.PdfObject] = {}
    holder: generic.PdfObject | None = node
    for _ in range(_DEEPEST_TREE):
        if not isinstance(holder, generic.DictionaryObject):
            break
        for name in _INHERITED:
            if name in holder:
                found.setdefault(generic.pdf_name(name), holder.raw_get(name))
        holder = pdf_form.entry(holder, "/Parent")
    return found


def _paper(effective: generic.DictionaryObject) -> Box:
    """What of the page is seen."""
    boxes = (pdf_form.entry(effective, name) for name in ("/MediaBox", "/CropBox"))
    sides = [tuple(map(float, box)) for box in boxes if isinstance(box, generic.ArrayObject)]
    seen = _PAPER if not sides else Box(*sides[0])
    return seen.within(Box(*sides[-1])) if sides else seen


def _streams(node: generic.DictionaryObject) -> Iterator[generic.IndirectObject]:
    """References to the content streams in their order."""
    held = node.raw_get("/Contents") if "/Contents" in node else generic.NullObject()
    found = held.get_object() if isinstance(held, generic.IndirectObject) else held
    elements = list(found.iterate()) if isinstance(found, generic.ArrayObject) else [held]
    for one in elements:
        if isinstance(one, generic.IndirectObject):
            yield one
        elif not isinstance(one, generic.NullObject):
            raise _ChangedError


def _kept(was: _Page, now: _Page) -> Iterator[generic.PdfObject]:
    """What must not have changed below, once it is seen that nothing is missing itself. Raises _ChangedError."""
    if pdf_layout.text(was.rest) != pdf_layout.text(now.rest):
        raise _ChangedError
    yield from was.rest.values()
    yield from was.streams
    for category, named in was.resources.items():
        still = now.resources.get(category, generic.DictionaryObject())
        for name in named:
            value = named.raw_get(name)
            if name not in still or pdf_layout.text(still.raw_get(name)) != pdf_layout.text(value):
                raise _ChangedError
            yield value


def _look(pairs: list[tuple[_Page, _Page]]) -> None:
    """Draws every page that has got something. Raises _ChangedError, RefusedError, UnreadableError."""
    room = _MOST_CONTENT
    for was, now in pairs:
        added = set(_added_names(was, now))
        if added or len(was.streams) != len(now.streams):
            room -= _draw(was, now, added)
        if room < 0:
            raise _ChangedError


def _added_names(was: _Page, now: _Page) -> Iterator[bytes]:
    for category, named in now.resources.items():
        fresh = named.keys() - was.resources.get(category, generic.DictionaryObject()).keys()
        if fresh and category not in _ADDABLE:
            raise _ChangedError
        yield from (name[1:].encode("latin-1") for name in fresh)


def _draw(was: _Page, now: _Page, added: set[bytes]) -> int:
    """How much content was looked at."""
    place = _place(was.streams, now.streams)
    first, last = _content(now.streams[:place]), _content(now.streams[place + len(was.streams) :])
    between = _content(was.streams)
    if first.split() != [b"q"] * len(first.split()):
        raise _ChangedError
    canvas = pdf_drawing.Canvas(was.paper)
    canvas.follow(first)
    canvas.follow(between)
    if added & canvas.names:
        raise _ChangedError
    canvas.draw(last, now.resources)
    if canvas.area > LARGEST_SHARE * was.paper.area:
        raise _ChangedError
    return len(between) + len(last)


def _place(was: tuple[generic.IndirectObject, ...], now: tuple[generic.IndirectObject, ...]) -> int:
    """Where among the new streams the old ones begin. Raises _ChangedError."""
    keys, wanted = [list(map(pdf_form.key_of, streams)) for streams in (now, was)]
    for place in range(len(keys) - len(wanted) + 1):
        if keys[place : place + len(wanted)] == wanted:
            return place
    raise _ChangedError


def _content(streams: tuple[generic.IndirectObject, ...]) -> bytes:
    """The decoded content of streams that follow each other: an operator may stand in one, its operands before."""
    found = [reference.get_object() for reference in streams]
    if not all(isinstance(stream, generic.StreamObject) for stream in found):
        raise _ChangedError
    return b"\n".join(stream.data for stream in found)
