"""BC-01, the leader's page (tổng quan tỷ lệ văn bản điện tử): every card as a row, with the period before and the target."""

from collections.abc import Mapping
from datetime import timedelta

from exchange.rules import measures, paper_class, signature_measures
from exchange.rules.ratios import Measure
from exchange.tracker import measures as tracker
from exchange.tracker import signature_usage, spans
from exchange.tracker.reports import given as making
from exchange.tracker.reports import waiting
from exchange.tracker.reports.given import Given
from exchange.tracker.reports.report import Report, Table, Value, Word

COLUMNS = making.columns(
    "card", "n", "share", "before", "change", "target", "met",
    keeps=("card",), numeric=("n", "share", "before", "change", "target"),
    ratios=("share", "before"),
)  # fmt: skip
CARDS: Mapping[str, str] = {"E": "M1", "S": "M2", "P": "M4"}
"""Classes whose share is a measure of its own."""
NAMES = ("M1", "M2", "M3", "M4", "M20")


async def report(given: Given) -> Report:
    """Total, classes, connected agencies, what is overdue, certificates that end soon.

    Where transfers are cut, nothing is said of agencies and certificates, which cannot be cut so.
    """
    names = [name for name in NAMES if given.asked.filters.whole or name not in tracker.WHOLE_ONLY]
    now = measures.together((await given.figures(*names)).values())
    period = spans.previous(given.period)
    earlier = await given.about(period) if period else None
    before = measures.together((await earlier.figures(*names)).values() if earlier else ())
    rows: list[list[Value]] = [[Word("report_card.total"), making.total(now), *[None] * 5]]
    for klass in paper_class.CLASSES:
        share = given.believed(Measure(now[klass], making.total(now)))
        past = (earlier or given).believed(Measure(before[klass], making.total(before)))
        rows.append(_row(given, f"class.{klass}", share, past, CARDS.get(klass, "")))
    three = (
        given.believed(making.measure(now, "M3")),
        (earlier or given).believed(making.measure(before, "M3")),
    )
    rows.append(_row(given, "measure.M3", *three, "M3"))
    if "M20" in names:
        rows.append(
            _row(given, "measure.M20", making.measure(now, "M20"), making.measure(before, "M20"), "M20")
        )
    rows.append([Word("report_card.overdue"), await waiting.overdue(given), *[None] * 5])
    if given.means.trust is not None and given.asked.filters.whole:
        rows.append([Word("report_card.expiring"), await _expiring(given), *[None] * 5])
    return given.report(
        "BC-01",
        Table(name="BC-01", columns=COLUMNS, rows=rows),
        measures=measures.of(now, names),
    )


def _row(given: Given, key: str, now: Measure, before: Measure, name: str) -> list[Value]:
    target = given.target(name)
    return [
        Word(key), now.n, now, before, making.change(now, before), making.percent(target), making.met(name, now, target) if name else None,
    ]  # fmt: skip


async def _expiring(given: Given) -> int:
    assert given.means.trust is not None
    usage = await signature_usage.gathered(given.connection, given.asked, given.means.trust)
    soon = usage.on + timedelta(days=given.means.calendar.days.ending)
    return sum(
        signature_measures.in_force(usage, one) and one.last is not None and one.last <= soon
        for one in usage.own
    )
