"""Charts of a document as vectors in a PDF: a stacked bar of 100 %, and a line over periods. Black, grey and one colour."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from reportlab.graphics.shapes import STATE_DEFAULTS, Drawing, Line, PolyLine, Rect, Shape, String
from reportlab.lib import colors
from reportlab.lib.units import mm

from exchange.rules import ratios
from exchange.tracker.forms import fonts, page
from exchange.tracker.forms.page import Shares, Trend

Shown = Callable[[str], str]
Anchor = Literal["start", "middle", "end"]

FILLS = ("1F4E79", "7FA7CC", "F2C14E", "D9D9D9", "7F7F7F", "404040")
"""Colours of the parts, in order; they differ in grey too."""
_WIDE = page.UPRIGHT * mm
_SMALL, _NAME_SIZE = 10, 9
_BAR_HEIGHT, _BAR_BOTTOM = 10 * mm, 9 * mm
_ROW, _BELOW = 6 * mm, 2.5 * mm
_FACE = fonts.FACES[False, False]
STATE_DEFAULTS["fontName"] = _FACE  # else every chart names a font that does not travel with the file
_TREND_HEIGHT = 58 * mm
_TREND_LEFT, _TREND_BOTTOM, _TREND_TOP = 13 * mm, 9 * mm, 5 * mm
_STEPS = range(0, 101, 20)
_WHOLE = 100
_ENDS: Mapping[int, Anchor] = {0: "start", _WHOLE: "end"}
_MOST_NAMES = 12
_LABEL = 10
"""Percent of the scale that the figure above a point takes."""


def shares(block: Shares, shown: Shown) -> Drawing:
    """The bar, its scale, a mark at the target, and below it every part with its count and share."""
    rows = (len(block.parts) + 1) // 2
    drawing = Drawing(_WIDE, _BAR_HEIGHT + _BAR_BOTTOM + rows * _ROW + _BELOW + 8 * mm, hAlign="LEFT")
    lifted = rows * _ROW + _BELOW
    for shape in (
        *_bar(block, lifted),
        *_scale(lifted),
        *_target(block, lifted, shown),
        *_names(block, rows, shown),
    ):
        drawing.add(shape)
    return drawing


def _bar(block: Shares, lifted: float) -> Iterator[Shape]:
    total = sum(n for _, n, _ in block.parts)
    left = 0.0
    for (_, n, share), fill in zip(block.parts, FILLS, strict=False):
        if not n:
            continue
        width = _WIDE * n / total
        yield _box(
            left, lifted + _BAR_BOTTOM, width, _BAR_HEIGHT,
            fillColor=colors.HexColor(f"#{fill}"), strokeColor=colors.white, strokeWidth=0.3,
        )  # fmt: skip
        said = f"{share} %"
        if fonts.width(said) * _SMALL < width - 2 * mm:
            dark = fill in FILLS[::5] or fill == FILLS[4]
            ink = colors.white if dark else colors.black
            yield _text(left + width / 2, lifted + _BAR_BOTTOM + 3.6 * mm, said, "middle", ink)
        left += width
    yield _box(0, lifted + _BAR_BOTTOM, _WIDE, _BAR_HEIGHT, fillColor=None, strokeWidth=0.5)


def _scale(lifted: float) -> Iterator[Shape]:
    for step in _STEPS:
        x = _WIDE * step / _WHOLE
        anchor = _ENDS.get(step, "middle")
        yield Line(x, lifted + _BAR_BOTTOM - 1.5 * mm, x, lifted + _BAR_BOTTOM, strokeWidth=0.5)
        yield _text(x, lifted + _BAR_BOTTOM - 5.5 * mm, f"{step} %", anchor)


def _target(block: Shares, lifted: float, shown: Shown) -> Iterator[Shape]:
    if block.target is None:
        return
    x, bottom = _WIDE * block.target / _WHOLE, lifted + _BAR_BOTTOM
    yield Line(x, bottom - mm, x, bottom + _BAR_HEIGHT + 2.5 * mm, strokeWidth=1.4, strokeColor=colors.red)
    anchor: Anchor = "end" if block.target > _WHOLE / 2 else "start"
    yield _text(x, bottom + _BAR_HEIGHT + 3.5 * mm, shown(block.target_name), anchor)


def _names(block: Shares, rows: int, shown: Shown) -> Iterator[Shape]:
    for place, ((name, n, share), fill) in enumerate(zip(block.parts, FILLS, strict=False)):
        x, y = _WIDE / 2 * (place % 2), (rows - 1 - place // 2) * _ROW + _BELOW
        yield _box(x, y, 3 * mm, 3 * mm, fillColor=colors.HexColor(f"#{fill}"), strokeWidth=0.3)
        yield _text(x + 4.5 * mm, y, f"{shown(name)}: {ratios.grouped(n)} ({share} %)")


def trend(block: Trend, shown: Shown) -> Drawing:
    """The line with its values, over a scale from 0 to 100 %, and the target as a line across."""
    drawing = Drawing(_WIDE, _TREND_HEIGHT, hAlign="LEFT")
    for shape in (*_levels(), *_across(block), *_line(block), *_periods(block, shown)):
        drawing.add(shape)
    return drawing


def _x(block: Trend, place: int) -> float:
    step = (_WIDE - _TREND_LEFT) / max(len(block.points), 1)
    return _TREND_LEFT + step * (place + 0.5)


def _y(percent: float) -> float:
    return _TREND_BOTTOM + (_TREND_HEIGHT - _TREND_BOTTOM - _TREND_TOP) * percent / _WHOLE


def _levels() -> Iterator[Shape]:
    for step in _STEPS:
        yield Line(_TREND_LEFT, _y(step), _WIDE, _y(step), strokeWidth=0.3, strokeColor=colors.lightgrey)
        yield _text(_TREND_LEFT - 1.5 * mm, _y(step) - 1.2 * mm, f"{step} %", "end")
    yield Line(_TREND_LEFT, _y(0), _WIDE, _y(0), strokeWidth=0.6)
    yield Line(_TREND_LEFT, _y(0), _TREND_LEFT, _y(_WHOLE), strokeWidth=0.6)


def _across(block: Trend) -> Iterator[Shape]:
    if block.target is not None:
        y = _y(block.target)
        yield Line(_TREND_LEFT, y, _WIDE, y, strokeWidth=1, strokeColor=colors.red, strokeDashArray=(4, 2))


def _line(block: Trend) -> Iterator[Shape]:
    """The line, broken where nothing was counted."""
    ink = colors.HexColor(f"#{FILLS[0]}")
    run: list[float] = []
    for place, (_, percent) in enumerate([*block.points, ("", None)]):
        if percent is not None:
            run += [_x(block, place), _y(percent)]
            yield _box(_x(block, place) - 1.5, _y(percent) - 1.5, 3, 3, fillColor=ink, strokeColor=ink)
            continue
        if len(run) > 2:  # noqa: PLR2004 - one point is no line
            yield PolyLine(run, strokeColor=ink, strokeWidth=1.5)
        run = []


def _periods(block: Trend, shown: Shown) -> Iterator[Shape]:
    every = -(-len(block.points) // _MOST_NAMES)
    for place, (name, percent) in enumerate(block.points):
        if place % every:
            continue
        yield _text(_x(block, place), _TREND_BOTTOM - 5.5 * mm, shown(name), "middle", size=_NAME_SIZE)
        if percent is not None:
            y = _y(percent) + (-4.8 * mm if _below(block, percent) else 1.5 * mm)
            yield _text(_x(block, place), y, f"{percent:.2f}".replace(".", ","), "middle")


def _below(block: Trend, percent: float) -> bool:
    """Whether a value is written below its point: above it there is no room, or the line of the target."""
    crossed = block.target is not None and 0 <= block.target - percent < _LABEL
    return crossed or percent > _WHOLE - _LABEL


def _box(x: float, y: float, width: float, height: float, **style: Any) -> Rect:  # noqa: ANN401 - colours and numbers
    return Rect(x, y, width, height, **style)


def _text(
    x: float,
    y: float,
    text: str,
    anchor: Anchor = "start",
    ink: colors.Color = colors.black,
    size: float = _SMALL,
) -> String:
    return String(x, y, text, fontName=_FACE, fontSize=size, textAnchor=anchor, fillColor=ink)
