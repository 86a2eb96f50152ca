"""The figures behind BC-15 (báo cáo định kỳ), all of one moment: both views of the tally, signatures, M1 by month."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from exchange.rules import measures
from exchange.rules.periodic_report import Figures
from exchange.rules.ratios import Measure, Unproven
from exchange.rules.signature_measures import Usage
from exchange.store.pool import Connection
from exchange.tracker import measures as tracker
from exchange.tracker import signature_usage, spans, tally
from exchange.tracker.measures import Means
from exchange.tracker.reports import failures, inventory
from exchange.tracker.reports.spooled import Rows
from exchange.tracker.signature_usage import Asked
from exchange.tracker.tally import Period, Tally


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The figures, and M1 of every month of the period that has begun."""

    figures: Figures
    months: list[tuple[str, Measure]]


async def gather(
    connection: Connection,
    asked: Asked,
    means: Means,
    target: int | None = None,
    percent: int = tally.COVERAGE_PERCENT,
) -> Gathered:
    """Everything that the report's sentences and charts are made of; `percent`: of so many agencies registers are wanted.

    `means` has a trust set.
    """
    assert means.trust is not None
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        usage = await signature_usage.gathered(connection, asked, means.trust)
        sent = await _count(connection, asked, asked.period, "out")
        received = await _count(connection, asked, asked.period, "in")
        before = spans.previous(asked.period)
        earlier = await _count(connection, asked, before, "out") if before else None
        measured = measures.together((await tracker.figures(connection, asked, means)).values())
        failed = await failures.report(connection, usage, asked, (), Rows())
        months = [
            (f"{one.first:%m/%Y}", _believed(await _count(connection, asked, one, "out"), percent))
            for one in months_of(asked.period)
            if one.first <= usage.on
        ]
    figures = Figures(
        sent=sent.classes,
        received=received.classes,
        excluded=sum(sent.excluded.values()),
        registers=sent.registers,
        received_registers=received.registers,
        percent=percent,
        measures=measures.of(measured, measures.DEFINITIONS),
        before=_first(earlier) if earlier and tally.sufficient(earlier.registers, percent) else None,
        certificates=_certificates(usage),
        failed=len(failed.table.rows),
        target=target,
    )
    return Gathered(figures=figures, months=months)


async def _count(connection: Connection, asked: Asked, span: Period, view: str) -> Tally:
    return await tally.count(
        connection, span, view=view, scope=tally.WHOLE, agencies=asked.agencies, as_of=asked.as_of
    )


def _first(counted: Tally) -> Measure:
    return measures.of_classes(counted.classes)["M1"]


def _believed(counted: Tally, percent: int) -> Measure:
    """M1 of a month, as far as the registers of that month prove it."""
    one = _first(counted)
    return one if tally.sufficient(counted.registers, percent) else Unproven(*one)


def _certificates(usage: Usage) -> dict[str, int]:
    """How many certificates issued by the end of the period are in each state."""
    counts = inventory.states(usage, [one for one in usage.certificates if one.issued <= usage.on])
    return {"issued": sum(counts.values()), **counts}


def months_of(span: Period) -> Iterator[Period]:
    """The whole months of a period, in order; none of a week or a day."""
    month = span.first.replace(day=1)
    while month <= span.last:
        one = tally.period(f"{month:%Y-%m}")
        if span.first <= one.first and one.last <= span.last:
            yield one
        month = one.last + timedelta(days=1)
