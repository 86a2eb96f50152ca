"""What a report is (báo cáo): columns and rows of plain values, and what every table says about itself.

Values are text, whole numbers, days, moments, `Word` (a word of the catalogue), `Measure` (a ratio), `Pair` (two counts in
one column), `Dated`, `Hundredths` (two decimals), `Took` (a span of time) or None. Nothing is formatted here: tables write them for people, JSON and CSV for programs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from exchange.rules.ratios import Measure
from exchange.tracker import tally
from exchange.tracker.signature_usage import Asked

NAMES = (
    *(f"BC-{number:02}" for number in range(1, 15)),
    *("M8", "M9", "M10", "M11"),
    *(f"X-{kind}" for kind in ("secret", "test", "internal", "duplicate", "refused", "recalled", "undelivered")),
    *("measures", "ranks", "adoption", "indicators", "scores"),
)  # fmt: skip
"""The reports that there are; those named after a measure hold the rows behind it, those with X what is not counted."""


@dataclass(frozen=True)
class Word:
    """A word of the catalogue, told in the reader's language; programs get `code`."""

    key: str

    @property
    def code(self) -> str:
        """Its last part, the code itself."""
        return self.key.rpartition(".")[2]


@dataclass(frozen=True)
class Pair:
    """Two counts in one column, `411 / 1.244`; in files that are two columns."""

    first: int
    second: int


@dataclass(frozen=True)
class Dated:
    """A word that came about at a moment: `Hợp lệ, 05/12/2026`."""

    word: Word
    at: datetime


@dataclass(frozen=True)
class Hundredths:
    """A number of two decimals, in hundredths: points `46,90`; `signed`: a change, `+1,25`."""

    value: int
    signed: bool = False


@dataclass(frozen=True)
class Took:
    """A span of time, in seconds; people read hours and minutes."""

    seconds: int


YES, NO = Word("report.yes"), Word("report.no")

Value = str | int | date | datetime | Word | Measure | Pair | Dated | Hundredths | Took | None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: `name` finds its heading, `report.<table>.<name>`. `keeps`: repeated where a table is cut in two.

    `parts`: what the two numbers of a Pair are called in files. `ratio`: a Measure, whose counts stand beside it in files.
    `facts` stand in its heading.
    """

    name: str
    keeps: bool = False
    numeric: bool = False
    parts: tuple[str, str] | None = None
    ratio: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Columns and rows; `total` is the last row, if the report has one. `name` finds the headings."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    total: Sequence[Value] | None = None


@dataclass(frozen=True, kw_only=True)
class Line:
    """One sentence beside a table, `report.<key>`, with its numbers."""

    key: str
    facts: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Report:
    """One report: title, period, scope, unit and footnote follow from `code`.

    `version` is provisional while the period is open; of a closed one its number, and `sha256` over its members.

    `annex` is a second table of the same report, `annexes` are more of them; `measures` stand below the table, `lines` too.
    `coverage`: how many agencies' registers cover the period, of how many; `percent`: how many are enough.
    """

    code: str
    asked: Asked
    scope: Sequence[str]
    table: Table
    annex: Table | None = None
    measures: Mapping[str, Measure] = field(default_factory=dict)
    lines: Sequence[Line] = ()
    version: str = "provisional"
    sha256: str | None = None
    annexes: Sequence[Table] = ()
    coverage: tuple[int, int] | None = None
    percent: int = tally.COVERAGE_PERCENT

    @property
    def sufficient(self) -> bool:
        """Whether enough registers are loaded that ratios of transfers are said in percent."""
        return self.coverage is not None and tally.sufficient(self.coverage, self.percent)

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, the report's own first."""
        return (self.table, *([self.annex] if self.annex else []), *self.annexes)
