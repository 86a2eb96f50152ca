"""All measures M1 to M20 in one table; and indicator sets (chỉ tiêu tự đánh giá) made from their figures."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

from exchange.rules import indicators, measures
from exchange.rules.indicators import Indicator
from exchange.rules.ratios import Measure, Unproven
from exchange.tracker import measures as tracker
from exchange.tracker import tally
from exchange.tracker.measures import Took
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Hundredths, Report, Table, Value, Word

COLUMNS = making.columns(
    "measure", "name", "n", "d", "share", "median", "p95", "target", "met", "unit",
    keeps=("measure",), numeric=("n", "d", "share", "median", "p95", "target"),
)  # fmt: skip
INDICATORS = making.columns(
    "id", "name", "formula", "period", "n", "d", "share", "target", "met", "points", "most",
    keeps=("id",), numeric=("n", "d", "share", "target", "points", "most"),
)  # fmt: skip
SIGNED = frozenset({"M8", "M9", "M10", "M10_leaders", "M11"})


async def report(given: Given) -> Report:
    """One row a measure, in their order; M14 has three."""
    names = [
        name for name in tracker.told(given.asked) if given.means.trust is not None or name not in SIGNED
    ]
    together = measures.together((await given.figures(*names)).values())
    found = measures.believed(measures.of(together, names), sufficient=given.sufficient)
    lasting = await tracker.took(given.connection, given.asked)
    rows: dict[str, list[Value]] = {name: _row(given, name, one) for name, one in found.items()}
    rows |= {name: _span(name, lasting.get((None, name))) for name in measures.SPANS}
    ordered = sorted(rows, key=lambda name: (int(name.partition("_")[0][1:]), list(rows).index(name)))
    return given.report(
        "measures", Table(name="measures", columns=COLUMNS, rows=[rows[name] for name in ordered])
    )


def _row(given: Given, name: str, one: Measure) -> list[Value]:
    target, unit = given.target(name), measures.DEFINITIONS[name].unit
    return [
        name.partition("_")[0], Word(f"measure.{name}"), one.n, one.d, one, None, None,
        making.percent(target), making.met(one, target), Word(f"report_unit.{unit}"),
    ]  # fmt: skip


def _span(name: str, one: Took | None) -> list[Value]:
    return [
        name.partition("_")[0], Word(f"measure.{name}"), one.n if one else 0, None, None,
        making.lasted(one, "median"), making.lasted(one, "p95"), None, None, Word("report_unit.transfers"),
    ]  # fmt: skip


async def of_set(given: Given) -> Report:
    """One row an indicator, each of its own period if it names one."""
    rows = [await _indicator(given, one) for one in given.indicators]
    return given.report("indicators", Table(name="indicators", columns=INDICATORS, rows=rows))


async def _indicator(given: Given, one: Indicator) -> list[Value]:
    about = await given.about(tally.period(one.period)) if one.period else given
    found = indicators.found(one, await _figures(about, one))
    if found.share and not about.sufficient and _contradicted(one):
        return [
            *_head(about, one),
            found.n,
            found.d,
            Unproven(*found.share),
            making.percent(one.target),
            None,
            None,
            _points(one.points),
        ]
    return [
        *_head(about, one), found.n, found.d, found.share, making.percent(one.target),
        None if found.met is None else making.word(holds=found.met), _points(found.points), _points(one.points),
    ]  # fmt: skip


def _head(about: Given, one: Indicator) -> list[Value]:
    return [one.id, one.name, one.formula, about.period.text]


def _contradicted(one: Indicator) -> bool:
    """Whether registers could show another ratio."""
    named = {name for _, name in (*one.above, *one.below)} | {one.formula}
    return bool(named & {*measures.CONTRADICTED, *measures.CONTRADICTED_FIGURES})


async def _figures(given: Given, one: Indicator) -> Mapping[str, int]:
    """The figures that a formula names, of all agencies asked for."""
    named = {name for _, name in (*one.above, *one.below)}
    names = [one.formula] if one.formula in measures.DEFINITIONS else _measures_with(named)
    found: Counter[str] = measures.together((await given.figures(*names)).values())
    return found


def _measures_with(figures: set[str]) -> list[str]:
    """Measures that between them need these figures."""
    return [one.id for one in measures.TABLE if figures & {*one.above, *one.below}]


def _points(points: Fraction | None) -> Hundredths | None:
    return None if points is None else Hundredths(making.half_up(points * 100))
