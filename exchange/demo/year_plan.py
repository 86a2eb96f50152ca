"""A year to look at (một năm để xem): which documents went to whom in 2019 at Cần Thơ's size, by rule, nothing by lot.

What the city published are three sums of transfers (reference page rules_and_measures, section 0, finding 1, and A.2:
"92 %" and "95 %" of 479,393). The documents behind them were never published: they are rebuilt here so that they give
these sums, and everything that is shown of them says so ("dựng lại theo số đã công bố").

    E   441.042   electronic, no paper
    S    14.382   electronic, and paper beside it
    P    23.969   on paper only: lines of outgoing registers
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import cycle

from exchange.demo import agencies
from exchange.rules import paper_class
from exchange.rules.directory_entries import AgencyEntry

YEAR = 2019
PUBLISHED: Mapping[str, int] = {"E": 441_042, "S": 14_382, "P": 23_969}
SIZES: Mapping[str, tuple[int, ...]] = {"E": (4, 12, 7, 9, 6, 10, 8), "S": (3, 13, 8), "P": (1, 4, 2, 3)}
"""To how many a document goes, in turn: eight on the average with a letter, two or three on paper."""
REASONS = ("government", "listed", "recipient_unable", "other_law", "other", "")
"""Why paper went too, in turn; "" is nothing said."""
WEIGHTS: Mapping[str, int] = {
    "department": 12,
    "district": 12,
    "organisation": 4,
    "unit": 3,
    "district_unit": 4,
    "commune": 3,
    "clerk_unit": 1,
}
"""How often agencies of each kind write, compared with each other."""
STRIDE = 45
"""From one recipient to the next in the list; it shares no divisor with 452 (4 · 113), so none comes twice."""
CLOSED = frozenset(
    date(YEAR, month, day)
    for month, days in ((1, (1,)), (2, (4, 5, 6, 7, 8)), (4, (15, 29, 30)), (5, (1,)), (9, (2,)))
    for day in days
)
"""Holidays on which offices were closed."""
OPENS, OPEN_MINUTES = time(7, 30), 9 * 60


@dataclass(frozen=True, kw_only=True)
class Document:
    """One document: when, whose number, to whom, and how it went (`klass` E, S or P). Agencies by their place in the list."""

    klass: str
    at: datetime
    sender: int
    number: int
    recipients: tuple[int, ...]
    template: int
    reason: str = ""

    @property
    def issued_on(self) -> date:
        """Its day."""
        return paper_class.local_day(self.at)


def counts(divisor: int = 1) -> dict[str, int]:
    """The published sums, or so many times fewer, each rounded by itself."""
    return {klass: (2 * n + divisor) // (2 * divisor) for klass, n in PUBLISHED.items()}


def senders() -> tuple[AgencyEntry, ...]:
    """The 452 agencies, without the one above them."""
    return tuple(entry for entry in agencies.agencies() if entry.counted)


def documents(wanted: Mapping[str, int]) -> list[Document]:
    """The year's documents in the order of time; the transfers of each class add up to what is wanted."""
    everybody = senders()
    turns = {klass: cycle(_turns(everybody)) for klass in wanted}
    placed = sorted(_placed(wanted))
    numbers = [0] * len(everybody)
    made = []
    for position, (share, klass, size) in enumerate(placed):
        sender = next(turns[klass])
        numbers[sender] += 1
        made.append(
            Document(
                klass=klass,
                at=moment(share),
                sender=sender,
                number=numbers[sender],
                recipients=_recipients(sender, position, size, len(everybody)),
                template=position,
                reason=REASONS[position % len(REASONS)] if klass == "S" else "",
            )
        )
    return made


def _placed(wanted: Mapping[str, int]) -> Iterator[tuple[float, str, int]]:
    """For every document its place in the year from 0 to 1, class, and how many it goes to."""
    for klass, total in wanted.items():
        sizes = list(_sizes(total, SIZES[klass]))
        yield from (((place + 0.5) / len(sizes), klass, size) for place, size in enumerate(sizes))


def _sizes(total: int, pattern: Sequence[int]) -> Iterator[int]:
    """Sizes in turn that add up to the total; the last takes what is left."""
    for size in cycle(pattern):
        if total <= size:
            break
        yield size
        total -= size
    if total:
        yield total


def _turns(everybody: Sequence[AgencyEntry]) -> list[int]:
    """Agencies as often as they write, each one's turns spread evenly."""
    weighed = [(place, WEIGHTS[entry.kind]) for place, entry in enumerate(everybody)]
    return [
        place
        for _, place in sorted(
            ((turn + (place % 97) / 97) / weight, place)
            for place, weight in weighed
            for turn in range(weight)
        )
    ]


def _recipients(sender: int, position: int, size: int, among: int) -> tuple[int, ...]:
    """So many others, far apart in the list."""
    start = position * 7 + sender
    found = ((start + turn * STRIDE) % among for turn in range(size + 1))
    return tuple(one for one in found if one != sender)[:size]


_DAYS = tuple(
    day
    for day in (date(YEAR, 1, 1) + timedelta(days=n) for n in range(365))
    if day.weekday() < 5 and day not in CLOSED  # noqa: PLR2004 - Saturday
)


def moment(share: float) -> datetime:
    """The moment of office hours at that part of the year."""
    day, part = divmod(share * len(_DAYS), 1)
    opened = datetime.combine(_DAYS[min(int(day), len(_DAYS) - 1)], OPENS, paper_class.VIETNAM)
    return opened + timedelta(milliseconds=int(part * OPEN_MINUTES * 60_000))
