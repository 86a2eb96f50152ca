# mypy: allow-untyped-calls
# pyHanko ships no complete types.

"""What a piece of page content draws, and how much of the page: the measure of what may count as a stamp.

Theory of operation. A `Canvas` follows the graphics state through what the page held before (`follow`), where anything
is allowed, then through what was added (`draw`), where only what a stamp needs is: dark text in fonts of outlines,
dark lines and areas, images that let the page show through, forms made of these. Light colours, opaque and inline
images, shadings, blending that lightens, invisible text and content that can be switched off would hide what was
there or tell machines something else than readers, and are refused. Of all else the boxes are added up.

Boxes are generous estimates: of a text its number of codes is known and not the width of its glyphs.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar

from pyhanko.pdf_utils import generic

from signing import pdf_form, pdf_graphics, pdf_operators
from signing.pdf_graphics import Box, Point, State
from signing.pdf_operators import Operand

MOST_OPERATORS = 20_000
_DEEPEST_FORM = 4
_DEEPEST_STATE = 64
_GLYPH_WIDTH, _ABOVE, _BELOW = 0.6, 1.0, 0.3  # of the font's size
_VISIBLE_MODES = {0.0: (True, False), 1.0: (False, True), 2.0: (True, True)}  # filled, stroked
_OUTLINE_FONTS = frozenset({"/Type0", "/Type1", "/MMType1", "/TrueType"})
_HARMLESS_STATE = frozenset(
    {"/Type", "/CA", "/ca", "/AIS", "/BM", "/LC", "/LJ", "/ML", "/SA", "/OP", "/op", "/OPM"}
)
_DARKENING = frozenset({"/Normal", "/Compatible", "/Multiply", "/Darken"})
_NEVER_IN_OBJECT = frozenset({"/OC", "/Ref", "/PS", "/OPI", "/Alternates", "/SMaskInData"})

Resources = Mapping[str, generic.DictionaryObject]


class RefusedError(Exception):
    """The content does what no stamp needs."""


def resources(holder: generic.DictionaryObject) -> Resources:
    """The resources of a page or form: what names stand for, by category."""
    found = pdf_form.entry(holder, "/Resources")
    named = found if isinstance(found, generic.DictionaryObject) else generic.DictionaryObject()
    categories = ((name, pdf_form.entry(named, name)) for name in named)
    return {name: one for name, one in categories if isinstance(one, generic.DictionaryObject)}


class Canvas:
    """One page being drawn; `area` is what was drawn by `draw`, `names` what content seen by `follow` named."""

    def __init__(self, page: Box) -> None:
        self.names: set[bytes] = set()
        self.area = 0.0
        self._page = page
        self._state = State()
        self._saved: list[State] = []
        self._path: list[Point] = []
        self._resources: Resources = {}
        self._operators = self._forms = 0

    def follow(self, content: bytes) -> None:
        """Goes through content of whatever kind. Raises UnreadableError, RefusedError when a text is left open."""
        for operator, operands in pdf_operators.read(content):
            self.names.update(one for one in operands if isinstance(one, bytes))
            try:
                self._change(operator, operands)
            except (TypeError, ValueError):  # as readers do: an operator without its operands does nothing
                continue
        if self._state.in_text:
            raise RefusedError(b"BT")

    def draw(self, content: bytes, resources: Resources) -> None:
        """Goes through what may be a stamp. Raises UnreadableError, RefusedError."""
        outer, self._resources = self._resources, resources
        for operator, operands in pdf_operators.read(content):
            self._operators += 1
            if self._operators > MOST_OPERATORS:
                raise RefusedError(b"too much")
            try:
                if not self._change(operator, operands):
                    self._DRAWING[operator](self, *operands)
            except (KeyError, TypeError, ValueError, OverflowError) as problem:
                raise RefusedError(operator) from problem
        if self._state.in_text or self._path:
            raise RefusedError(b"open")
        self._resources = outer

    def _change(self, operator: bytes, operands: list[Operand]) -> bool:
        """Whether the operator changes the state; it then has."""
        if operator == b"q":
            self._saved.append(self._state)
            if len(self._saved) > _DEEPEST_STATE:
                raise RefusedError(operator)
        elif operator == b"Q":
            if not self._saved:
                raise ValueError("nothing saved")
            self._state = self._saved.pop()
        elif operator in pdf_graphics.CHANGES:
            self._state = pdf_graphics.CHANGES[operator](self._state, *operands)
        else:
            return False
        return True

    def _use_state(self, name: Operand) -> None:
        entries = self._resource("/ExtGState", name)
        mode = pdf_form.entry(entries, "/BM")
        modes = list(mode) if isinstance(mode, generic.ArrayObject) else [mode or "/Normal"]
        if not (_HARMLESS_STATE.issuperset(entries) and _DARKENING.issuperset(modes)):
            raise RefusedError(b"gs")

    def _move(self, *operands: Operand) -> None:
        plain = list(map(pdf_graphics.number, operands))
        pairs = zip(plain[::2], plain[1::2], strict=True)
        self._path += [pdf_graphics.point(self._state.matrix, x, y) for x, y in pairs]

    def _rectangle(self, *operands: Operand) -> None:
        x, y, width, height = map(pdf_graphics.number, operands)
        self._move(x, y, x + width, y, x, y + height, x + width, y + height)

    def _paint(self, *, filled: bool, stroked: bool) -> None:
        self._only_dark(filled=filled, stroked=stroked)
        a, b, c, d, _, _ = self._state.matrix
        if filled or stroked:
            self._count(self._path, self._state.width * max(abs(a) + abs(b), abs(c) + abs(d)) * stroked)
        self._path = []

    def _show_spaced(self, word: Operand, spacing: Operand, text: Operand) -> None:
        self._change(b"Tw", [word])
        self._change(b"Tc", [spacing])
        self._show_next(text)

    def _show_next(self, text: Operand) -> None:
        self._state = pdf_graphics.next_line(self._state)
        self._show([text])

    def _show(self, pieces: Operand) -> None:
        state = self._state
        if not (isinstance(pieces, list) and state.in_text and state.mode in _VISIBLE_MODES):
            raise RefusedError(b"TJ")
        if pdf_form.named(self._resource("/Font", state.font), "/Subtype") not in _OUTLINE_FONTS:
            raise RefusedError(b"Tf")
        filled, stroked = _VISIBLE_MODES[state.mode]
        self._only_dark(filled=filled, stroked=stroked)
        codes = sum(piece for piece in pieces if isinstance(piece, int))
        closer = sum(piece for piece in pieces if isinstance(piece, float)) / 1000 * state.size
        each = _GLYPH_WIDTH * state.size + state.spacing + max(0.0, state.word)
        width = (codes * each - closer) * state.scale / 100
        placed = pdf_graphics.times(state.place, state.matrix)
        low, high = state.rise - _BELOW * state.size, state.rise + _ABOVE * state.size
        self._count([pdf_graphics.point(placed, x, y) for x in (0.0, width) for y in (low, high)])
        self._state = pdf_graphics.advanced(state, width)

    def _mark(self, tag: Operand, *_: Operand) -> None:
        if tag == b"OC":
            raise RefusedError(tag)

    def _nothing(self, *_: Operand) -> None:
        """Joins a path's ends, makes it a clip, ends a mark, chooses how lines end: draws nothing."""

    def _place(self, name: Operand) -> None:
        found = self._resource("/XObject", name)
        kind = pdf_form.named(found, "/Subtype")
        if not (isinstance(found, generic.StreamObject) and _NEVER_IN_OBJECT.isdisjoint(found)):
            raise RefusedError(b"Do")
        if kind == "/Form":
            self._form(found)
        elif kind == "/Image":
            self._image(found)
        else:
            raise RefusedError(b"Do")

    def _image(self, image: generic.StreamObject) -> None:
        if pdf_form.entry(image, "/ImageMask"):
            self._only_dark(filled=True, stroked=False)
        elif "/SMask" not in image and "/Mask" not in image:
            raise RefusedError(b"opaque")
        self._count([pdf_graphics.point(self._state.matrix, x, y) for x in (0.0, 1.0) for y in (0.0, 1.0)])

    def _form(self, form: generic.StreamObject) -> None:
        outer, saved, self._saved = self._state, self._saved, []
        self._forms += 1
        if outer.in_text or self._forms > _DEEPEST_FORM:
            raise RefusedError(b"Do")
        matrix = pdf_form.entry(form, "/Matrix")
        if isinstance(matrix, generic.ArrayObject):
            self._change(b"cm", [float(one) for one in matrix])
        self.draw(form.data, resources(form) or self._resources)
        self._forms -= 1
        self._state, self._saved = outer, saved

    def _resource(self, category: str, name: Operand) -> generic.DictionaryObject:
        named = self._resources.get(category, generic.DictionaryObject())
        found = pdf_form.entry(named, "/" + name.decode("latin-1")) if isinstance(name, bytes) else None
        if not isinstance(found, generic.DictionaryObject):
            raise RefusedError(category.encode())
        return found

    def _only_dark(self, *, filled: bool, stroked: bool) -> None:
        if (filled and not self._state.fill.dark) or (stroked and not self._state.stroke.dark):
            raise RefusedError(b"light")

    def _count(self, points: list[Point], around: float = 0.0) -> None:
        if not all(math.isfinite(one) for place in points for one in place):
            raise RefusedError(b"far")
        if points:
            across, up = [x for x, _ in points], [y for _, y in points]
            box = Box(min(across) - around, min(up) - around, max(across) + around, max(up) + around)
            self.area += box.within(self._page).area

    def _one(self, text: Operand) -> None:
        self._show([text])

    _DRAWING: ClassVar[Mapping[bytes, Callable[..., None]]] = {
        **dict.fromkeys((b"f", b"F", b"f*"), partial(_paint, filled=True, stroked=False)),
        **dict.fromkeys((b"S", b"s"), partial(_paint, filled=False, stroked=True)),
        **dict.fromkeys((b"B", b"B*", b"b", b"b*"), partial(_paint, filled=True, stroked=True)),
        **dict.fromkeys((b"n",), partial(_paint, filled=False, stroked=False)),
        **dict.fromkeys((b"m", b"l", b"c", b"v", b"y"), _move),
        **dict.fromkeys((b"BMC", b"BDC", b"MP", b"DP"), _mark),
        **dict.fromkeys((b"h", b"W", b"W*", b"EMC", b"J", b"j", b"M", b"d", b"ri", b"i"), _nothing),
        b"re": _rectangle,
        b"Tj": _one,
        b"TJ": _show,
        b"'": _show_next,
        b'"': _show_spaced,
        b"gs": _use_state,
        b"Do": _place,
    }
    """What `draw` allows beside changes of the state."""
