"""The graphics state of a PDF page (ISO 32000-2 8.4, 9.3), as far as measuring needs it, and what changes it.

`CHANGES` has a function for every operator that changes the state and draws nothing: state and operands in, state out,
ValueError or TypeError for operands of another number or kind. `q` and `Q` are the caller's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from signing.pdf_operators import Operand

Matrix = tuple[float, float, float, float, float, float]
Point = tuple[float, float]
UNIT: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

_DARK = 0.7  # luminance of the lightest colour that does not pass for paper
_COMPONENTS: Mapping[bytes, int] = {b"DeviceGray": 1, b"DeviceRGB": 3, b"DeviceCMYK": 4}


class Box(NamedTuple):
    """A rectangle along the axes, in points of the page."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def area(self) -> float:
        """Square points; nothing when it is turned inside out."""
        return max(0.0, self.right - self.left) * max(0.0, self.top - self.bottom)

    def within(self, other: "Box") -> "Box":
        """The part that both share."""
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


class Paint(NamedTuple):
    """One of the two current colours: whether it is dark, and how many components its space has (0: unknown)."""

    dark: bool = True
    components: int = 1


BLACK = Paint()


@dataclass(frozen=True, kw_only=True)
class State:
    """Where, in which colours and how text is drawn; `place` and `line_start` are the matrices of an open text."""

    matrix: Matrix = UNIT
    fill: Paint = BLACK
    stroke: Paint = BLACK
    width: float = 1.0
    in_text: bool = False
    place: Matrix = UNIT
    line_start: Matrix = UNIT
    font: bytes = b""
    size: float = 0.0
    leading: float = 0.0
    spacing: float = 0.0
    word: float = 0.0
    scale: float = 100.0
    rise: float = 0.0
    mode: float = 0.0


Change = Callable[..., State]


def number(operand: Operand) -> float:
    """A number. Raises TypeError for anything else."""
    if not isinstance(operand, float):
        raise TypeError(operand)
    return operand


def times(first: Matrix, then: Matrix) -> Matrix:
    """The transformation that does one and then the other."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


def point(matrix: Matrix, x: float, y: float) -> Point:
    """Where a point comes to lie."""
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def transformed(state: State, *operands: Operand) -> State:
    """`cm`, and a form's own matrix."""
    return replace(state, matrix=times(_matrix(operands), state.matrix))


def moved(state: State, right: Operand, up: Operand) -> State:
    """`Td`: to the beginning of another line of text."""
    place = times((1.0, 0.0, 0.0, 1.0, number(right), number(up)), state.line_start)
    return replace(state, place=place, line_start=place)


def next_line(state: State) -> State:
    """`T*`."""
    return moved(state, 0.0, -state.leading)


def advanced(state: State, width: float) -> State:
    """Behind a text that was shown."""
    return replace(state, place=times((1.0, 0.0, 0.0, 1.0, width, 0.0), state.place))


def _matrix(operands: tuple[Operand, ...]) -> Matrix:
    a, b, c, d, e, f = map(number, operands)
    return a, b, c, d, e, f


def _set(name: str, state: State, operand: Operand) -> State:
    changed: dict[str, float] = {name: number(operand)}
    return replace(state, **changed)  # type: ignore[arg-type]  # only names of numbers are in the table


def _set_font(state: State, name: Operand, size: Operand) -> State:
    if not isinstance(name, bytes):
        raise TypeError(name)
    return replace(state, font=name, size=number(size))


def _move_and_set(state: State, right: Operand, up: Operand) -> State:
    return moved(replace(state, leading=-number(up)), right, up)


def _set_place(state: State, *operands: Operand) -> State:
    return replace(state, place=_matrix(operands), line_start=_matrix(operands))


def _text(state: State, *, opened: bool) -> State:
    return replace(state, in_text=opened, place=UNIT, line_start=UNIT)


def _painted(state: State, which: str, paint: Paint) -> State:
    return replace(state, fill=paint) if which == "fill" else replace(state, stroke=paint)


def _space(which: str, state: State, space: Operand) -> State:
    """Black at first in the colour spaces of devices, anything in others."""
    components = _COMPONENTS.get(space, 0) if isinstance(space, bytes) else 0
    return _painted(state, which, Paint(dark=components > 0, components=components))


def _colour(which: str, state: State, *operands: Operand) -> State:
    components = (state.fill if which == "fill" else state.stroke).components
    known = components > 0 and len(operands) == components
    dark = known and _luminance(*(min(1.0, max(0.0, number(one))) for one in operands)) <= _DARK
    return _painted(state, which, Paint(dark, components))


def _device_colour(which: str, space: bytes, state: State, *operands: Operand) -> State:
    if len(operands) != _COMPONENTS[space]:
        raise ValueError(operands)
    return _colour(which, _space(which, state, space), *operands)


def _luminance(*components: float) -> float:
    if len(components) == 1:
        return components[0]
    if len(components) == 4:  # noqa: PLR2004 - cyan, magenta, yellow, black
        *inks, black = components
        return _luminance(*((1 - ink) * (1 - black) for ink in inks))
    red, green, blue = components
    return 0.30 * red + 0.59 * green + 0.11 * blue


CHANGES: Mapping[bytes, Change] = {
    b"cm": transformed,
    b"w": partial(_set, "width"),
    b"BT": partial(_text, opened=True),
    b"ET": partial(_text, opened=False),
    b"Tc": partial(_set, "spacing"),
    b"Tw": partial(_set, "word"),
    b"Tz": partial(_set, "scale"),
    b"TL": partial(_set, "leading"),
    b"Ts": partial(_set, "rise"),
    b"Tr": partial(_set, "mode"),
    b"Tf": _set_font,
    b"Td": moved,
    b"TD": _move_and_set,
    b"Tm": _set_place,
    b"T*": next_line,
    b"g": partial(_device_colour, "fill", b"DeviceGray"),
    b"rg": partial(_device_colour, "fill", b"DeviceRGB"),
    b"k": partial(_device_colour, "fill", b"DeviceCMYK"),
    b"cs": partial(_space, "fill"),
    b"sc": partial(_colour, "fill"),
    b"scn": partial(_colour, "fill"),
    b"G": partial(_device_colour, "stroke", b"DeviceGray"),
    b"RG": partial(_device_colour, "stroke", b"DeviceRGB"),
    b"K": partial(_device_colour, "stroke", b"DeviceCMYK"),
    b"CS": partial(_space, "stroke"),
    b"SC": partial(_colour, "stroke"),
    b"SCN": partial(_colour, "stroke"),
}
