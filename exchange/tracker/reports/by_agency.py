"""BC-02, ratios by agency (tỷ lệ theo cơ quan): reference page rules_and_measures, D.2. The total is a sum over a sum."""

from collections.abc import Mapping

from exchange.rules import measures
from exchange.rules.ratios import Measure
from exchange.tracker import spans
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given, Known, measure
from exchange.tracker.reports.report import Report, Table, Value

NAMES = ("M1", "M2", "M3", "M4", "M19")
_NUMBERS = ("place", "total", "E", "S", "N", "U", "P", "m1", "m3", "before", "change", "target", "m19")
COLUMNS = making.columns(
    "place", "code", "name", "total", "E", "S", "N", "U", "P", "m1", "m3", "before", "change", "target", "met", "m19",
    keeps=("place", "code"), numeric=_NUMBERS, ratios=("m1", "m3", "before", "m19"),
)  # fmt: skip


async def report(given: Given) -> Report:
    """One row an agency that is active or has anything counted, and the sum of all."""
    now, past = await given.figures(*NAMES), await earlier(given)
    before = await past.figures("M1") if past else {}
    shown = [one for one in given.agencies if one.active or making.total(making.of(now, one))]
    whole, whole_before = measures.together(now.values()), measures.together(before.values())
    last = _row(given, None, whole, (past or given).believed(measure(whole_before, "M1")))
    table = Table(
        name="BC-02",
        columns=COLUMNS,
        rows=making.rows(
            _row(given, one, making.of(now, one), measure(making.of(before, one), "M1")) for one in shown
        ),
        total=[None, *last],
    )
    return given.report("BC-02", table, measures=measures.of(whole, NAMES))


async def earlier(given: Given) -> Given | None:
    """The same question about the period before, none if time had not begun."""
    period = spans.previous(given.period)
    return await given.about(period) if period else None


def _row(given: Given, one: Known | None, figures: Mapping[str, int], before: Measure) -> list[Value]:
    m1, m3, m19 = (measure(figures, name) for name in ("M1", "M3", "M19"))
    if one is None:  # all together: what the whole table comes to
        m1, m3, m19 = (given.believed(each) for each in (m1, m3, m19))
    target = given.target("M1")
    return [
        one.code if one else None,
        one.name if one else None,
        *making.counts(figures),
        m1,
        m3,
        before,
        making.change(m1, before),
        making.percent(target),
        making.met("M1", m1, target),
        m19,
    ]
