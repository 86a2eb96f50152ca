"""The charts that a report's own rows make: a bar of the classes, a line of the fully electronic share by period.

No chart counts anything: its figures are those of the table beside it, found by the names of columns and words.
"""

from collections.abc import Iterator, Mapping, Sequence

from exchange.rules import ratios
from exchange.rules.paper_class import CLASSES
from exchange.rules.ratios import Measure, Unproven
from exchange.tracker.forms.compose import Told
from exchange.tracker.forms.page import Block, Shares, Trend
from exchange.tracker.reports.report import Report, Table, Value, Word

_WORDS = {f"class.{klass}": klass for klass in CLASSES}


def charts(report: Report, told: Told, target: int | None = None) -> list[Block]:
    """A bar where the table has counts of all classes, in its total or row by row; a line where it has M1 by period.

    Where too few registers are loaded there is no bar: it would show what nobody can say in percent.
    """
    counts = _in_total(report.table) or _in_rows(report.table)
    drawn = sum(counts.values()) and (report.sufficient or report.coverage is None)
    found: list[Block] = [shares(counts, told, target)] if drawn else []
    points = list(_by_period(report.table, told))
    if several(points):
        found.append(trend(points, told, target))
    return found


def _places(table: Table) -> dict[str, int]:
    return {column.name: place for place, column in enumerate(table.columns)}


def _in_total(table: Table) -> dict[str, int]:
    places = _places(table)
    if table.total is None or not places.keys() >= set(CLASSES):
        return {}
    return {klass: _count(table.total[places[klass]]) for klass in CLASSES}


def _in_rows(table: Table) -> dict[str, int]:
    place = _places(table).get("n")
    if place is None:
        return {}
    return {
        _WORDS[row[0].key]: _count(row[place])
        for row in table.rows
        if isinstance(row[0], Word) and row[0].key in _WORDS
    }


def _by_period(table: Table, told: Told) -> Iterator[tuple[str, Measure]]:
    places = _places(table)
    if {"period", "m1"} <= places.keys():
        for row in table.rows:
            share = row[places["m1"]]
            if isinstance(share, Measure):
                yield told.text(row[places["period"]], told.language), share


def _count(value: Value) -> int:
    return value if isinstance(value, int) else 0


def shares(counts: Mapping[str, int], told: Told, target: int | None = None) -> Shares:
    """The 100 % bar of the classes (tỷ lệ theo hình thức gửi), shares adding up to 100,00."""
    shown = {klass: counts.get(klass, 0) for klass in CLASSES}
    percent = ratios.shares(shown)
    key = "form.chart.shares_plain" if target is None else "form.chart.shares_target"
    return Shares(
        title=told.say("form.chart.shares"),
        parts=[(told.say(f"class.{klass}"), n, percent[klass]) for klass, n in shown.items()],
        target=target,
        target_name="" if target is None else told.say("form.chart.mark", target=target),
        legend=told.say(key, total=ratios.grouped(sum(shown.values())), target=target),
    )


def trend(points: Sequence[tuple[str, Measure]], told: Told, target: int | None = None) -> Trend:
    """The line of M1 (tỷ lệ hoàn toàn điện tử) over periods; no point where nothing was counted or too little is proven."""
    key = "form.chart.trend_plain" if target is None else "form.chart.trend_target"
    return Trend(
        title=told.say("form.chart.trend"),
        name=told.say("form.chart.trend_name"),
        target_name=told.say("form.chart.trend_target_name"),
        points=[(name, _percent(one)) for name, one in points],
        target=target,
        legend=told.say(key, target=target),
    )


def several(points: Sequence[tuple[str, Measure]]) -> bool:
    """Whether there is more than one point to draw a line through."""
    return sum(_percent(one) is not None for _, one in points) > 1


def _percent(one: Measure) -> float | None:
    """As in every table: two decimals, 100 and 0 only where they are exact; nothing where too little is known."""
    return None if not one.d or isinstance(one, Unproven) else float(ratios.share(*one).replace(",", "."))
