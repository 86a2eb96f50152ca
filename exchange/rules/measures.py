"""Measures M1 to M20 (chỉ tiêu) as one table: what each divides by what. Reference page rules_and_measures, C.10.

A figure is a whole number that can be added over agencies, days and types; a measure is a sum of figures over a sum of
figures. So the measure of a group is that of the sum of its figures, never a mean, and every measure leads back to what was
counted. M14 alone is no ratio: median and 95th percentile of three spans.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from exchange.rules.ratios import Measure, Unproven

COUNTED = ("E", "S", "N", "U", "P")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """One measure: the figures above and below the line, what it counts, and whether more is better.

    `contradicted`: offices' registers could show another ratio, so their coverage stands beside it.
    """

    id: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    unit: str
    more: bool = True
    contradicted: bool = False


TABLE = (
    Definition(id="M1", above=("E",), below=COUNTED, unit="transfers", contradicted=True),
    Definition(id="M2", above=("S",), below=COUNTED, unit="transfers", more=False, contradicted=True),
    Definition(id="M3", above=("E", "S", "N", "U"), below=COUNTED, unit="transfers", contradicted=True),
    Definition(id="M4", above=("P",), below=COUNTED, unit="transfers", more=False, contradicted=True),
    Definition(id="M5", above=("documents_E",), below=("documents",), unit="documents", contradicted=True),
    Definition(
        id="M6", above=("documents_E", "in_E"), below=("documents", "in_all"), unit="mixed", contradicted=True
    ),
    Definition(
        id="M7", above=("S_unjustified",), below=("E", "S"), unit="transfers", more=False, contradicted=True
    ),
    Definition(id="M8", above=("signed_organisation",), below=("signed_all",), unit="documents"),
    Definition(id="M9", above=("signed_both",), below=("signed_all",), unit="documents"),
    Definition(id="M10", above=("signers_used",), below=("signers",), unit="signers"),
    Definition(id="M10_leaders", above=("leaders_used",), below=("leaders",), unit="signers"),
    Definition(id="M11", above=("agencies_sealed",), below=("agencies",), unit="agencies"),
    Definition(
        id="M12",
        above=("sent_same_day", "sent_next_morning"),
        below=("sent_same_day", "sent_next_morning", "sent_late"),
        unit="documents",
    ),
    Definition(id="M13", above=("answered_same_day",), below=("arrived",), unit="transfers"),
    Definition(id="M13_lenient", above=("answered_in_time",), below=("arrived",), unit="transfers"),
    Definition(id="M15", above=("refused",), below=("arrived",), unit="transfers", more=False),
    Definition(id="M16", above=("recalled",), below=("sent",), unit="transfers", more=False),
    Definition(id="M17", above=("urgent_at_once",), below=("urgent",), unit="transfers"),
    Definition(id="M18", above=("numbers_known",), below=("numbers_highest",), unit="numbers"),
    Definition(id="M19", above=("E_A",), below=("E",), unit="transfers", contradicted=True),
    Definition(id="M20", above=("agencies_connected",), below=("agencies",), unit="agencies"),
)
DEFINITIONS: Mapping[str, Definition] = {one.id: one for one in TABLE}

FIGURES = tuple(dict.fromkeys(name for one in TABLE for name in (*one.above, *one.below)))
"""Every figure that a measure is made of."""

SPANS = ("M14_arrival", "M14_registered", "M14_done")
"""M14: sent to arrived (01), arrived to registered (03), registered to done (06)."""

CONTRADICTED = frozenset(one.id for one in TABLE if one.contradicted)
"""Measures that are said in percent only where enough offices' registers are loaded."""
CONTRADICTED_FIGURES = frozenset(
    name for one in TABLE if one.contradicted for name in (*one.above, *one.below)
)

BOOKS: Mapping[str, str] = {"documents": "out", "documents_E": "out", "in_all": "in", "in_E": "in"}
"""Figures of one direction whatever the view is: the registers (out, in) that could contradict them. Others go by the view."""

BY_CLASS = ("M1", "M2", "M3", "M4", "M7", "M19")
"""Measures that the tally's facts give, of one view: of a closed period they stay as it was closed."""


def books(figures: Iterable[str], view: str) -> frozenset[str]:
    """The registers, out and in, of which enough must be loaded before a ratio of these figures is said in percent."""
    return frozenset(BOOKS.get(name, view) for name in figures if name in CONTRADICTED_FIGURES)


def believed(found: Mapping[str, Measure], view: str, enough: Collection[str]) -> dict[str, Measure]:
    """The same measures of a view; those that registers could contradict are not proven unless enough of these are loaded.

    `enough`: the registers, out and in, of which enough are.
    """
    return {
        name: one if books(_named(name), view) <= set(enough) else Unproven(*one)
        for name, one in found.items()
    }


def _named(name: str) -> tuple[str, ...]:
    """The figures of a measure; a name that is none has none."""
    one = DEFINITIONS.get(name)
    return (*one.above, *one.below) if one else ()


def of(figures: Mapping[str, int], names: Iterable[str] = DEFINITIONS) -> dict[str, Measure]:
    """These measures of these figures; a figure that is not there is zero."""
    return {name: _measure(DEFINITIONS[name], figures) for name in names}


def of_classes(counts: Mapping[str, int], grade_a: int = 0) -> dict[str, Measure]:
    """M1 to M4 and M19 of the counts of classes; X and anything else is in none of them.

    `grade_a`: how many of class E the recipient has confirmed (mức kiểm chứng A).
    """
    return of({**counts, "E_A": grade_a}, ("M1", "M2", "M3", "M4", "M19"))


def together(parts: Iterable[Mapping[str, int]]) -> Counter[str]:
    """The figures of a group."""
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return total


def _measure(one: Definition, figures: Mapping[str, int]) -> Measure:
    return Measure(
        n=sum(figures.get(name, 0) for name in one.above), d=sum(figures.get(name, 0) for name in one.below)
    )
