"""A year to look at: 2019 at Cần Thơ's size as real letters, rebuilt from published figures (`year_plan`).

furnish    directory, one seal an agency, systems, as of 1 January 2019 (`year_place`)
send       every letter through `broker.send`: read, verified, judged, receipted, stored by the group committer (`year_post`)
receive    each system takes its open deliveries and acknowledges them, some hundred a time
books      the outgoing registers of all agencies; what went on paper only stands there and nowhere else (`year_books`)
check      everything that was derived is recomputed
close      the twelve months
count      the tally

Nothing is written into the tally here: it follows from letters, arrivals and registers, as it does every day.
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from exchange.broker import receipts
from exchange.demo import run, year_books, year_place, year_plan, year_post
from exchange.demo.year_letters import LABEL
from exchange.demo.year_place import Place
from exchange.demo.year_plan import Document
from exchange.store import directory, pool
from exchange.tracker import check, periods, register_load, tally
from exchange.tracker.register_proof import Hand

LOADED = year_place.OVER + timedelta(hours=9)
CLOSED = year_place.OVER + timedelta(days=7)
AUTHOR = f"Trình diễn ({LABEL})"
SOURCE = "Cần Thơ 2019: 441.042 + 14.382 + 23.969 = 479.393"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is played: where its files lie, the published sums divided by `divisor`, by how many processes sealed."""

    folder: Path
    divisor: int = 1
    makers: int = 1


@dataclass(kw_only=True)
class Loaded:
    """What the registers gave."""

    registers: int = 0
    rows: int = 0
    paper_only: int = 0


@dataclass(kw_only=True)
class _Stages:
    """How long each stage took, in seconds."""

    began: float = field(default_factory=monotonic)
    last: float = field(default_factory=monotonic)
    took: dict[str, float] = field(default_factory=dict)

    def over(self, name: str) -> None:
        """A stage is over."""
        now = monotonic()
        self.took[name], self.last = round(now - self.last, 1), now


async def play(order: Order, dsn: str, tell: run.Tell) -> dict[str, Any]:
    """Play the year on a prepared, empty database; its summary."""
    stages = _Stages()
    documents = await asyncio.to_thread(year_plan.documents, year_plan.counts(order.divisor))
    async with year_place.opened(dsn, order.folder) as place:
        stages.over("furnish")
        posted = await year_post.post(place, documents, tell, order.makers)
        stages.over("post")
        loaded = await _load(place, documents, tell)
        stages.over("registers")
    connection = await pool.connect(dsn, patient=True)
    try:
        checked = await _checked(connection, order)
        stages.over("check")
        closed = await _closed(connection, tell)
        stages.over("close")
        counted = await _counted(connection)
    finally:
        await connection.close()
    return {
        "label": LABEL,
        "source": SOURCE,
        "year": year_plan.YEAR,
        "divisor": order.divisor,
        "agencies": len(year_plan.senders()),
        "letters": posted.letters,
        "deliveries": {
            "made": posted.transfers,
            "acknowledged": posted.acknowledged,
            "registered": posted.registered,
        },
        "registers": {"loaded": loaded.registers, "rows": loaded.rows, "paper_only": loaded.paper_only},
        "checked": {
            "letters": checked.letters,
            "deliveries": checked.deliveries,
            "facts": checked.facts,
            "faults": len(checked.faults),
        },
        "months_closed": closed,
        "tally": counted,
        "stages": stages.took,
        "seconds": round(monotonic() - stages.began, 1),
    }


async def _load(place: Place, documents: Sequence[Document], tell: run.Tell) -> Loaded:
    """Every agency's register through the tracker, as an operator loads it."""
    loaded, year = Loaded(), year_plan.YEAR
    year_place.NOW.set(LOADED)
    hand = Hand(by=AUTHOR, at=year_place.clock(), ids=place.exchange.ids)
    async with place.exchange.pool.acquire() as connection:
        codes = [entry.code for entry in year_plan.senders()]
        agencies = await directory.find(connection, codes, date(year, 12, 31))
        snapshot = await directory.load(connection, date(year, 1, 1))
        for entry, raw in year_books.books(documents):
            order = register_load.Order(
                agency=agencies[entry.code], book="out", year=year, lists="paper",
                name=f"so-van-ban-di-{year}-{entry.code}.csv", first=year_books.FIRST, last=year_books.LAST,
                snapshot=snapshot,
            )  # fmt: skip
            outcome = await register_load.load(connection, io.BytesIO(raw), order, hand, _nobody)
            wrong = [one for one in outcome.findings if one.severity == "error"]
            if wrong or outcome.earlier:
                raise run.DemoError("demo_failure.register", agency=entry.code, errors=wrong[:3])
            loaded.registers += 1
            loaded.rows += outcome.rows
            loaded.paper_only += outcome.paper_only
            tell("registers", loaded.registers, len(codes))
    return loaded


def _nobody(_rows: int) -> None:
    """A register of some dozen lines needs no bar of its own."""


async def _checked(connection: pool.Connection, order: Order) -> check.Checked:
    key = await asyncio.to_thread(receipts.load, order.folder / "receipt.key", "")
    checked = await check.check(connection, order.folder / "payloads", key)
    if checked.faults:
        raise run.DemoError("demo_failure.differs", faults=checked.faults[:3], bodies=0)
    return checked


async def _closed(connection: pool.Connection, tell: run.Tell) -> int:
    """The months closed one after the other; how many."""
    done = 0
    for month in range(1, 13):
        span = tally.period(f"{year_plan.YEAR}-{month:02}")
        done += sum(one.written for one in await periods.close(connection, span, at=CLOSED, author=AUTHOR))
        tell("months", month, 12)
    return done


async def _counted(connection: pool.Connection) -> dict[str, Any]:
    span = tally.period(str(year_plan.YEAR))
    counted = await tally.count(connection, span, view="out", scope="*", agencies=None, as_of=CLOSED)
    return tally.as_json(counted)
