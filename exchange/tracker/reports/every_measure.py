"""All measures M1 to M20 in one table; and indicator sets (chỉ tiêu tự đánh giá) made from their figures."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from exchange.rules import indicators, measures, ratios, signature_measures
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
WHOLE_FIGURES = frozenset(
    figure
    for name in tracker.WHOLE_ONLY
    for figure in (*measures.DEFINITIONS[name].above, *measures.DEFINITIONS[name].below)
)
"""Figures that have no scope, type or urgency to be cut by."""


async def report(given: Given) -> Report:
    """One row a measure, in their order; M14 has three."""
    names = [
        name
        for name in tracker.told(given.asked)
        if given.means.trust is not None or name not in signature_measures.MEASURES
    ]
    together = measures.together((await given.figures(*names)).values())
    view, enough = given.asked.filters.view, await given.enough()
    found = measures.believed(measures.of(together, names), view, enough)
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
        making.percent(target), making.met(name, one, target), Word(f"report_unit.{unit}"),
    ]  # fmt: skip


def _span(name: str, one: Took | None) -> list[Value]:
    return [
        name.partition("_")[0], Word(f"measure.{name}"), one.n if one else 0, None, None,
        making.lasted(one, "median"), making.lasted(one, "p95"), None, None, Word("report_unit.transfers"),
    ]  # fmt: skip


async def of_set(given: Given) -> Report:
    """One row an indicator, each of its own period if it names one. What one set asks of a period is counted once."""
    asked: defaultdict[str, set[str]] = defaultdict(set)
    for one in given.indicators:
        asked[one.period].update(_needed(one) if _told(given, one) else ())
    about = {period: await given.about(tally.period(period)) if period else given for period in asked}
    figures = {period: await _figures(about[period], names) for period, names in asked.items()}
    enough = {period: await one.enough() for period, one in about.items()}
    rows = [
        _indicator(about[one.period], one, figures[one.period], enough[one.period])
        for one in given.indicators
    ]
    return given.report("indicators", Table(name="indicators", columns=INDICATORS, rows=rows))


def _indicator(
    about: Given, one: Indicator, figures: Mapping[str, int], enough: frozenset[str]
) -> list[Value]:
    head: list[Value] = [one.id, one.name, one.formula, about.period.text]
    target, most = making.percent(one.target), _points(one.points)
    if not _told(about, one):
        return [*head, None, None, None, target, None, None, most]
    found = indicators.found(one, figures)
    if not measures.books(_named(one), about.asked.filters.view) <= enough:
        share = Unproven(*found.share) if found.share else None
        return [*head, found.n, found.d, share, target, None, None, most]
    met = None if found.met is None else making.word(holds=found.met)
    return [*head, found.n, found.d, found.share, target, met, _points(found.points), most]


def _told(given: Given, one: Indicator) -> bool:
    """Whether it can be told of transfers that are cut."""
    return given.asked.filters.whole or not _named(one) & WHOLE_FIGURES


def _named(one: Indicator) -> set[str]:
    """The figures that a formula names."""
    if one.formula in measures.DEFINITIONS:
        return {*measures.DEFINITIONS[one.formula].above, *measures.DEFINITIONS[one.formula].below}
    return {name for _, name in (*one.above, *one.below)}


def _needed(one: Indicator) -> Sequence[str]:
    return [one.formula] if one.formula in measures.DEFINITIONS else _measures_with(_named(one))


async def _figures(given: Given, names: Iterable[str]) -> Mapping[str, int]:
    """The figures behind these measures, of all agencies asked for."""
    found: Counter[str] = measures.together((await given.figures(*names)).values())
    return found


def _measures_with(figures: set[str]) -> list[str]:
    """Measures that between them need these figures."""
    return [one.id for one in measures.TABLE if figures & {*one.above, *one.below}]


def _points(points: Fraction | None) -> Hundredths | None:
    return None if points is None else Hundredths(ratios.half_up(points * 100))
