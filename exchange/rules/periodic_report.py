"""BC-15, the periodic report (báo cáo định kỳ): which sentences its figures make, under which headings.

Every sentence is computed; what is a person's to say (kiến nghị) is left blank. Headings and annexes: reference page
rules_and_measures, A.1 row 31 and D.2. A figure that was not measured makes no sentence.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from exchange.rules import ratios
from exchange.rules.measures import CONTRADICTED
from exchange.rules.paper_class import CLASSES
from exchange.rules.ratios import Measure

ANNEXES: Mapping[int, tuple[str, ...]] = {
    1: ("BC-02",),
    2: ("BC-10",),
    3: ("BC-05", "BC-06"),
    4: ("BC-13",),
    5: ("register-out",),
    6: ("register-in",),
}
"""Number of the annex (biểu) -> the reports that it holds, and at the end the registers of Decree 30/2020, Annex IV."""

SIGNATURES = ("M8", "M9", "M10", "M10_leaders", "M11", "M19")
DEADLINES = ("M12", "M13", "M13_lenient", "M15", "M16", "M17")


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was counted: classes as sender and as recipient sees them, measures of this period and of the one before.

    `registers`: agencies whose outgoing register is loaded, and all that are counted; `received_registers`: the same of
    incoming ones, None: as many. `percent`: of so many agencies registers are wanted, else no ratio that they could contradict
    is said in percent. `certificates`: state -> how many,
    and `issued`. `failed`: signatures that were not verified. None or absent: not measured. `target`: of M1, in percent.
    """

    sent: Mapping[str, int]
    received: Mapping[str, int]
    excluded: int = 0
    registers: tuple[int, int] = (0, 0)
    received_registers: tuple[int, int] | None = None
    percent: int = 90
    measures: Mapping[str, Measure] = field(default_factory=dict)
    before: Measure | None = None
    certificates: Mapping[str, int] = field(default_factory=dict)
    failed: int | None = None
    target: int | None = None


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of the catalogue, `periodic.said.<key>`; `measure`: the measure that its name is taken from."""

    key: str
    facts: Mapping[str, str] = field(default_factory=dict)
    measure: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading, `part.<name>` or `clause.<name>`, and what stands below it; `blank`: room for the author."""

    heading: str
    sentences: Sequence[Sentence] = ()
    blank: bool = False


def sections(figures: Figures) -> list[Section]:
    """The whole report, in the order of its form."""
    return [
        Section(heading="part.results"),
        Section(heading="clause.exchange", sentences=list(_exchange(figures))),
        Section(heading="clause.signatures", sentences=_measured(_signatures(figures))),
        Section(heading="clause.deadlines", sentences=_measured(_said(figures, DEADLINES))),
        Section(heading="part.shortcomings", sentences=list(_shortcomings(figures)) or [_NOTHING]),
        Section(heading="part.proposals", blank=True),
    ]


_NOTHING, _NOT_MEASURED = Sentence(key="nothing"), Sentence(key="not_measured")


def _measured(sentences: Iterator[Sentence]) -> list[Sentence]:
    return list(sentences) or [_NOT_MEASURED]


def first(figures: Figures) -> Measure:
    """M1 of the period: fully electronic of all that are counted."""
    return Measure(n=figures.sent.get("E", 0), d=total(figures.sent))


def total(counts: Mapping[str, int]) -> int:
    """All that are counted; X is not."""
    return sum(counts.get(klass, 0) for klass in CLASSES)


def _exchange(figures: Figures) -> Iterator[Sentence]:
    if not total(figures.sent):
        yield Sentence(key="sent_none")
    else:
        key = "sent" if sufficient(figures) else "sent_counts"
        yield Sentence(key=key, facts=_counts(figures.sent))
        yield from _headline(figures)
    if total(figures.received):
        key = "received" if _enough(figures, figures.received_registers) else "received_counts"
        yield Sentence(key=key, facts=_counts(figures.received))
    if figures.excluded:
        yield Sentence(key="excluded", facts={"n": ratios.grouped(figures.excluded)})
    if figures.registers[1]:
        yield Sentence(key="registers", facts=_pair(*figures.registers))


def _headline(figures: Figures) -> Iterator[Sentence]:
    """M1 and M3, or that there is not enough evidence; the target and the period before only where there is."""
    one = first(figures)
    three = Measure(n=one.d - figures.sent.get("P", 0), d=one.d)
    if not sufficient(figures):
        loaded, counted = _pair(*figures.registers).values()
        yield Sentence(
            key="headline_insufficient", facts={"loaded": loaded, "counted": counted, **_pair(*one)}
        )
        yield Sentence(key="with_electronic_counts", facts=_pair(*three))
        return
    yield Sentence(key="headline", facts={"share": ratios.share(*one), **_pair(*one)})
    yield from _against(figures, one)
    yield Sentence(key="with_electronic", facts={"measure": three.text})


def sufficient(figures: Figures) -> bool:
    """Whether enough paper registers are loaded for a percentage in the headline."""
    return _enough(figures, figures.registers)


def enough(figures: Figures) -> frozenset[str]:
    """The registers, out and in, of which enough are loaded."""
    loaded = {"out": figures.registers, "in": figures.received_registers}
    return frozenset(book for book, one in loaded.items() if _enough(figures, one))


def _enough(figures: Figures, registers: tuple[int, int] | None) -> bool:
    return bool(ratios.met(*(registers or figures.registers), figures.percent))


def _against(figures: Figures, one: Measure) -> Iterator[Sentence]:
    if figures.target is not None:
        key = "target_met" if ratios.met(*one, figures.target) else "target_missed"
        yield Sentence(key=key, facts={"target": str(figures.target)})
    if figures.before is not None and figures.before.d:
        points = ratios.change(one, figures.before)
        key = "up" if points > 0 else "down" if points < 0 else "same"
        said = f"{abs(points) // 100},{abs(points) % 100:02}"
        yield Sentence(key=key, facts={"points": said, "before": figures.before.text})


def _signatures(figures: Figures) -> Iterator[Sentence]:
    if figures.certificates:
        names = ("issued", "valid", "revoked", "expired")
        yield Sentence(
            key="certificates", facts={one: ratios.grouped(figures.certificates.get(one, 0)) for one in names}
        )
    yield from _said(figures, SIGNATURES)


def _said(figures: Figures, names: Sequence[str]) -> Iterator[Sentence]:
    for name in names:
        if name in figures.measures and figures.measures[name].d:
            yield _measure(figures, name)


def _measure(figures: Figures, name: str) -> Sentence:
    one = figures.measures[name]
    if name in CONTRADICTED and not sufficient(figures):
        return Sentence(key="measure_insufficient", measure=name, facts=_pair(*one))
    return Sentence(key="measure", measure=name, facts={"measure": one.text})


def _shortcomings(figures: Figures) -> Iterator[Sentence]:
    """What the figures show to be amiss (tồn tại); each only where there is any."""
    yield from _of_transfers(figures)
    yield from _without(figures, "M11", "without_seal")
    yield from _without(figures, "M10_leaders", "idle_leaders")
    if figures.failed:
        yield Sentence(key="failed", facts={"n": ratios.grouped(figures.failed)})
    yield from _without(figures, "M12", "late")
    yield from _without(figures, "M13", "unconfirmed")
    loaded, counted = figures.registers
    if loaded < counted:
        yield Sentence(key="without_register", facts=_pair(counted - loaded, counted))


_AMISS = (("P", "paper_only"), ("S", "parallel"), ("N", "unsigned"), ("U", "undeclared"))

_SHARED = frozenset({"paper_only", "parallel"})
"""Of these the share is said too, where it can be."""


def _of_transfers(figures: Figures) -> Iterator[Sentence]:
    for klass, key in _AMISS:
        n = figures.sent.get(klass, 0)
        if n:
            share = ratios.shares(_classes(figures.sent))[klass]
            told = f"{key}_counts" if key in _SHARED and not sufficient(figures) else key
            yield Sentence(key=told, facts={"n": ratios.grouped(n), "share": share})
    seven = figures.measures.get("M7")
    if seven is not None and seven.n:
        enough = sufficient(figures)
        facts = {"measure": seven.text} if enough else _pair(*seven)
        yield Sentence(key="unjustified" if enough else "unjustified_counts", facts=facts)


def _without(figures: Figures, name: str, key: str) -> Iterator[Sentence]:
    """How many are missing from a measure that should be whole."""
    one = figures.measures.get(name)
    if one is not None and one.n < one.d:
        yield Sentence(key=key, facts=_pair(one.d - one.n, one.d))


def _classes(counts: Mapping[str, int]) -> dict[str, int]:
    return {klass: counts.get(klass, 0) for klass in CLASSES}


def _counts(counts: Mapping[str, int]) -> dict[str, str]:
    """Every class as count and share; shares add up to 100,00."""
    shown = _classes(counts)
    return {
        "total": ratios.grouped(total(counts)),
        **{klass: ratios.grouped(n) for klass, n in shown.items()},
        **{f"{klass}_share": share for klass, share in ratios.shares(shown).items()},
    }


def _pair(n: int, d: int) -> dict[str, str]:
    return {"n": ratios.grouped(n), "d": ratios.grouped(d)}
