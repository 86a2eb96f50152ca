"""Counted: the facts that one transfer adds to the tally, or takes from it.

The outgoing view is dated by the day of acceptance, the incoming one by the day of arrival (design §6, settled 5).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from exchange import ids
from exchange.rules import paper_class
from exchange.store import rows


class Fact(NamedTuple):
    """What makes two transfers the same in one view of the tally; the columns of those names."""

    agency: UUID
    view: str
    day: date
    scope: str
    document_type: str
    urgency: int
    klass: str
    excluded: str
    grade: str
    justified: str


def facts(
    delivery: Mapping[str, Any], found: paper_class.Classification, arrived_at: datetime | None
) -> tuple[Fact, ...]:
    """Both views of one transfer in that class; nothing while it has no class."""
    if found.klass is None or arrived_at is None:
        return ()
    properties = (
        delivery["scope"], delivery["document_type"], delivery["urgency"],
        found.klass, found.excluded, found.grade, found.justified,
    )  # fmt: skip
    return (
        Fact(delivery["sender"], "out", paper_class.local_day(delivery["accepted_at"]), *properties),
        Fact(delivery["recipient"], "in", paper_class.local_day(arrived_at), *properties),
    )


def deltas(counts: Mapping[Fact, int], new_ids: ids.Ids) -> list[rows.DeltaRow]:
    """The rows that add so many of each fact to the tally, or take them from it; what changes nothing has none."""
    return [rows.DeltaRow(id=new_ids.new(), n=n, **fact._asdict()) for fact, n in counts.items() if n]


def merged(given: Sequence[rows.DeltaRow]) -> list[rows.DeltaRow]:
    """The same facts in fewest rows: those that are alike become one.

    What comes to nothing has one too, of 0: in its month other transfers are counted than before, if no more or fewer.
    """
    counts: Counter[tuple[Any, ...]] = Counter()
    first: dict[tuple[Any, ...], rows.DeltaRow] = {}
    for row in given:
        alike = tuple(getattr(row, name) for name in Fact._fields)
        counts[alike] += row.n
        first.setdefault(alike, row)
    return [rows.like(first[alike], n=n) for alike, n in counts.items()]
