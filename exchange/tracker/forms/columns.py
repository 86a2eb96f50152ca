"""How wide the columns of a printed table are, on an upright or a lying page, and in which size of letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from exchange.tracker.forms import fonts, page
from exchange.tracker.forms.page import Grid

POINT = 25.4 / 72
PADDING = 1.2
"""Millimetres left and right of what stands in a cell."""
LONGEST_WORD = 34.0
"""A word wider than this, in millimetres, is broken: it does not push the other columns off the page."""
WIDEST = 75.0
"""No column asks for more than this."""
HEADING_LINES = 4
SMALL, ROOMY = 9, 0.6
"""Letters of this size and smaller are taken wherever words fit; larger ones only with so much of the room that cells ask for."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A table's measure: lying page or not, size of letters, width of each column in millimetres."""

    lying: bool
    size: int
    widths: Sequence[float]


@dataclass(frozen=True)
class _Need:
    """What one column needs, at size 1 in millimetres: its widest word, and all of its widest cell."""

    least: float
    whole: float


def fit(grid: Grid, *, lying: bool = False) -> Fit:
    """An upright page in letters of 12 to 10 if that is wide enough, else a lying one in the largest size that fits.

    `lying`: the page lies already, for the sake of another table on it.
    """
    needs = [_need(grid, place) for place in range(len(grid.headings))]
    pages = ((False, page.CELL_SIZES[:3]), (True, page.CELL_SIZES))
    return _first_that_fits(needs, pages[1:] if lying else pages)


def _first_that_fits(needs: Sequence[_Need], pages: Sequence[tuple[bool, Sequence[int]]]) -> Fit:
    for lying, sizes in pages:
        room = page.LYING if lying else page.UPRIGHT
        for size in sizes:
            least = [_millimetres(need.least, size, LONGEST_WORD) for need in needs]
            if sum(least) <= room and (size <= SMALL or _roomy(needs, least, size, room)):
                return Fit(lying=lying, size=size, widths=_spread(needs, least, size, room))
    scale = page.LYING / sum(least)
    return Fit(lying=True, size=page.CELL_SIZES[-1], widths=[one * scale for one in least])


def _roomy(needs: Sequence[_Need], least: Sequence[float], size: int, room: float) -> bool:
    """Whether most cells can stand in one line: else smaller letters make fewer and shorter pages."""
    return room - sum(least) >= ROOMY * sum(_wishes(needs, least, size))


def _wishes(needs: Sequence[_Need], least: Sequence[float], size: int) -> list[float]:
    """What each column would take beyond its widest word."""
    return [
        max(_millimetres(need.whole, size, WIDEST) - one, 0) for need, one in zip(needs, least, strict=True)
    ]


def _need(grid: Grid, place: int) -> _Need:
    heading = grid.headings[place]
    rows = chain(grid.rows, [grid.total] if grid.total else [])
    texts = {row[place] for row in rows}
    words = {word for text in texts for word in text.split()}
    broken = max((fonts.width(word, bold=True) for word in heading.split()), default=0)
    return _Need(
        least=POINT * max(broken, max(map(fonts.width, words), default=0)),
        whole=POINT
        * max(fonts.width(heading, bold=True) / HEADING_LINES, max(map(fonts.width, texts), default=0)),
    )


def _millimetres(need: float, size: int, most: float) -> float:
    return min(need * size, most) + 2 * PADDING + 0.3


def _spread(needs: Sequence[_Need], least: Sequence[float], size: int, room: float) -> list[float]:
    """What is left over goes to the columns whose cells are wrapped, then to all alike."""
    wishes = _wishes(needs, least, size)
    over, wanted = room - sum(least), sum(wishes)
    share = min(over / wanted, 1) if wanted else 0
    rest = (over - share * wanted) / len(least)
    return [one + share * wish + rest for one, wish in zip(least, wishes, strict=True)]
