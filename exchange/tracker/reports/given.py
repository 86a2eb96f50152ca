"""What reports are made from: the question, the agencies as they stand, calendar, league; and what rows have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

from exchange.rules import document_types, measures, paper_class, ratios
from exchange.rules.indicators import Indicator
from exchange.rules.league import League, Scores
from exchange.rules.ratios import Measure, Unproven
from exchange.store import measures as store
from exchange.store.pool import Connection
from exchange.tracker import headed, periods, tally
from exchange.tracker import measures as tracker
from exchange.tracker.measures import Figures, Means
from exchange.tracker.reports.report import NO, YES, Column, Hundredths, Report, Table, Took, Value, Word
from exchange.tracker.reports.spooled import Rows
from exchange.tracker.signature_usage import Asked
from exchange.tracker.tally import Period

KINDS = (
    "province", "department", "unit", "organisation", "district", "district_unit", "commune", "clerk_unit",
)  # fmt: skip
"""Kinds of agencies that have a name in the catalogue; the directory may hold others, which are shown as they are."""

LONGEST_SUBJECT = 80


@dataclass(frozen=True, kw_only=True)
class Known:
    """An agency as reports name and group it, on the last day of the period that has begun."""

    id: UUID
    code: str
    name: str
    kind: str
    level: int
    parent: UUID | None
    counted: bool
    active: bool
    connected: bool


@dataclass(frozen=True, kw_only=True)
class Given:
    """Everything a report is made from, of one moment."""

    connection: Connection
    asked: Asked
    scope: Sequence[str]
    means: Means
    league: League
    known: Mapping[UUID, Known]
    coverage: tuple[int, int]
    version: str = "provisional"
    indicators: Sequence[Indicator] = ()
    periods: int | None = None
    scores: Scores | None = None
    folder: Path | None = None
    percent: int = tally.COVERAGE_PERCENT

    @property
    def sufficient(self) -> bool:
        """Whether enough registers are loaded that ratios of the period are said in percent."""
        return tally.sufficient(self.coverage, self.percent)

    @property
    def agencies(self) -> list[Known]:
        """The agencies asked for, by code."""
        chosen = None if self.asked.agencies is None else set(self.asked.agencies)
        return [one for one in self.known.values() if chosen is None or one.id in chosen]

    @property
    def period(self) -> Period:
        """The period asked for."""
        return self.asked.period

    def target(self, name: str) -> Fraction | None:
        """The target of a measure in percent, if there is one."""
        return self.league.targets.get(name)

    def report(self, code: str, table: Table, **more: Any) -> Report:  # noqa: ANN401 - members of a report
        """A report on what was asked; its measures are said in percent only where enough registers are loaded."""
        if "measures" in more:
            view = self.asked.filters.view
            enough = {view} if self.sufficient else ()
            more["measures"] = measures.believed(more["measures"], view, enough)
        return Report(
            code=code,
            asked=self.asked,
            scope=self.scope,
            table=table,
            coverage=self.coverage,
            percent=self.percent,
            version=self.version,
            **more,
        )

    async def about(self, period: Period) -> "Given":
        """The same question about another period, which other registers may cover."""
        asked = replace(self.asked, period=period)
        coverage = await headed.covered(self.connection, asked, asked.filters.view)
        return replace(self, asked=asked, coverage=coverage)

    async def enough(self) -> frozenset[str]:
        """The registers, out and in, of which enough are loaded."""
        return await headed.enough(self.connection, self.asked, self.coverage, self.percent)

    def believed(self, one: Measure) -> Measure:
        """A ratio of all that is asked for, which registers could contradict: proven only where enough of them are loaded."""
        return one if self.sufficient else Unproven(*one)

    async def figures(self, *names: str) -> Figures:
        """The figures behind these measures, by agency."""
        return await tracker.figures(self.connection, self.asked, self.means, names)

    def rows(self) -> Rows:
        """Room for rows, however many."""
        return Rows(self.folder)

    def code(self, agency: UUID | None) -> str | None:
        """The code of an agency."""
        one = self.known.get(agency) if agency else None
        return one.code if one else None


async def gathered(
    connection: Connection,
    asked: Asked,
    scope: Sequence[str],
    means: Means,
    league: League,
    indicators: Sequence[Indicator] = (),
) -> Given:
    """What is needed whatever the report, within the caller's transaction."""
    at = asked.end - timedelta(microseconds=1)
    on = max(paper_class.local_day(at), asked.period.first)
    rows = await store.agencies(connection, on, at, means.calendar.days.contact)
    return Given(
        connection=connection,
        asked=asked,
        scope=scope,
        means=means,
        league=league,
        known={row["id"]: Known(**row) for row in rows},
        coverage=await headed.covered(connection, asked, asked.filters.view),
        version=(await periods.standing(connection, asked.period)).text,
        indicators=indicators,
    )


NONE: Mapping[str, int] = {}


def of(figures: Figures, one: Known) -> Mapping[str, int]:
    """The figures of one agency, none if it has none."""
    return figures.get(one.id, NONE)


def columns(
    *names: str, keeps: Sequence[str] = (), numeric: Sequence[str] = (), ratios: Sequence[str] = ()
) -> tuple[Column, ...]:
    """Columns by name."""
    return tuple(
        Column(name=name, keeps=name in keeps, numeric=name in numeric, ratio=name in ratios)
        for name in names
    )


def total(figures: Mapping[str, int]) -> int:
    """Everything counted."""
    return sum(figures.get(klass, 0) for klass in paper_class.CLASSES)


def counts(figures: Mapping[str, int]) -> list[Value]:
    """Total and classes, in their order."""
    return [total(figures), *(figures.get(klass, 0) for klass in paper_class.CLASSES)]


def measure(figures: Mapping[str, int], name: str) -> Measure:
    """One measure of these figures."""
    return measures.of(figures, [name])[name]


def change(now: Measure, before: Measure) -> Hundredths | None:
    """By how many points of a percent a ratio changed, from the exact values; None where one of them is over nothing, or not proven."""
    if not now.d or not before.d or isinstance(now, Unproven) or isinstance(before, Unproven):
        return None
    return Hundredths(ratios.change(now, before), signed=True)


def percent(target: Fraction | None) -> Hundredths | None:
    """A target as a number of two decimals."""
    return None if target is None else Hundredths(ratios.half_up(target * 100))


def met(name: str, one: Measure, target: Fraction | None) -> Word | None:
    """Whether the target of a measure is reached, by the counts; None without a target, over nothing, or without proof."""
    if target is None or isinstance(one, Unproven):
        return None
    reached = ratios.met(*one, target, more=measures.DEFINITIONS[name].more)
    return None if reached is None else word(holds=reached)


def word(*, holds: bool) -> Word:
    """Yes or no."""
    return YES if holds else NO


def numbered(row: Mapping[str, Any]) -> str:
    """Number and notation, or the document's id where it has none."""
    return "/".join(filter(None, (row["number"], row["notation"]))) or row["document_id"]


def shortened(text: str) -> str | None:
    """The beginning of a subject."""
    return (f"{text[:LONGEST_SUBJECT]}…" if len(text) > LONGEST_SUBJECT else text) or None


def kind(name: str) -> Value:
    """A kind of agency as people call it."""
    return Word(f"agency_kind.{name}") if name in KINDS else name


def urgency(level: int) -> Word:
    """How urgent a letter is."""
    return Word(f"urgency.{min(max(level, 0), 4)}")


def listed(row: Mapping[str, Any]) -> Word:
    """Whether a type of document is one of the 26 that go without paper."""
    return word(holds=document_types.without_paper(row["document_type"]))


def pareto(counted: Counter[Any]) -> list[tuple[Any, int, Measure, Measure]]:
    """Most frequent first: what, how many, its share, and the share of all so far."""
    whole, so_far = counted.total(), 0
    found = []
    for name, n in sorted(counted.items(), key=lambda one: (-one[1], str(one[0]))):
        so_far += n
        found.append((name, n, Measure(n=n, d=whole), Measure(n=so_far, d=whole)))
    return found


def lasted(one: tracker.Took | None, name: str) -> Took | None:
    """Median or 95th percentile, in whole seconds."""
    return None if one is None else Took(round(getattr(one, name)))


def rows(made: Iterable[Sequence[Value]]) -> list[Sequence[Value]]:
    """Rows with their number in front."""
    return [[place, *row] for place, row in enumerate(made, 1)]
