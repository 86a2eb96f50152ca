"""BC-14, connections and who sends to whom (kết nối và ma trận luồng); and the matrix of adoption."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, datetime, timedelta
from typing import Any

from exchange.rules import paper_class
from exchange.rules.ratios import Measure
from exchange.store import listed
from exchange.tracker import measures as tracker
from exchange.tracker.measures import Figures
from exchange.tracker.reports import given as making
from exchange.tracker.reports.given import Given, Known
from exchange.tracker.reports.report import Line, Report, Table, Value

BUSIEST = 20
"""So many senders and recipients stand in the matrix."""
COLUMNS = making.columns(
    "agency", "system", "version", "seen_at", "waiting", "errors", "days_left", "signs", "sent", "received",
    keeps=("agency",), numeric=("waiting", "errors", "days_left", "sent", "received"),
)  # fmt: skip
PAIRS = making.columns(
    "sender",
    "recipient",
    "n",
    "e",
    "share",
    keeps=("sender", "recipient"),
    numeric=("n", "e", "share"),
    ratios=("share",),
)
CAPABILITIES: Mapping[str, str] = {
    "connected": "agencies_connected",
    "sent": "sent",
    "received": "arrived",
    "signed": "signed_organisation",
}
"""What an agency may have taken up, and the figure that tells so."""
ADOPTION = making.columns("agency", "name", *CAPABILITIES, keeps=("agency",))
MOST_NAMED = 30


async def report(given: Given) -> Report:
    """One row an agency and system, with the agency's own figures on its first row; the busiest pairs in the annex."""
    asked, cut = given.asked, tracker.cut(given.asked)
    at = asked.end - timedelta(microseconds=1)
    found = await listed.connections(given.connection, cut, at)
    figures = await given.figures("M8", "M13", "M16")
    by_agency = defaultdict(list)
    for row in found:
        by_agency[row["agency"]].append(row)
    rows = [
        _row(one, row, None if place else making.of(figures, one), at)
        for one in given.agencies
        if one.active
        for place, row in enumerate(by_agency[one.id])
    ]
    electronic = tracker.wanted(asked, "E", "S", "N", "U", view="out")
    pairs = await listed.flows(given.connection, electronic, BUSIEST)
    return given.report(
        "BC-14",
        Table(name="BC-14", columns=COLUMNS, rows=rows),
        annex=Table(name="flows", columns=PAIRS, rows=[_pair(given, row) for row in pairs]),
    )


def _row(one: Known, row: Mapping[str, Any], figures: Mapping[str, int] | None, at: datetime) -> list[Value]:
    """The row of a system; `figures` of the agency, None where a row above has them."""
    return [
        one.code,
        row["system"],
        None,
        row["seen_at"],
        None if figures is None else row["waiting"],
        row["refused"] if row["system"] else None,
        _days_left(row["until"], at),
        None if figures is None else making.word(holds=figures.get("signed_organisation", 0) > 0),
        None if figures is None else figures.get("sent", 0),
        None if figures is None else figures.get("arrived", 0),
    ]


def _days_left(until: Any, at: datetime) -> int | None:  # noqa: ANN401 - a moment, or an end of time that has no year here
    if not isinstance(until, datetime) or until.year >= MAXYEAR:
        return None
    return max((paper_class.local_day(until) - paper_class.local_day(at)).days, 0)


def _pair(given: Given, row: Mapping[str, Any]) -> list[Value]:
    share = Measure(n=row["e"], d=row["n"])
    return [given.code(row["sender"]), given.code(row["recipient"]), row["n"], row["e"], share]


async def adoption(given: Given) -> Report:
    """Agency by capability, and for each capability how many have it and who does not."""
    figures = await given.figures("M8", "M13", "M16", "M20")
    agencies = [one for one in given.agencies if one.active and one.counted]
    rows: list[list[Value]] = [
        [one.code, one.name, *(making.word(holds=_has(figures, one, name)) for name in CAPABILITIES)]
        for one in agencies
    ]
    return given.report(
        "adoption",
        Table(name="adoption", columns=ADOPTION, rows=rows),
        lines=tuple(_missing(figures, agencies, name) for name in CAPABILITIES),
    )


def _has(figures: Figures, one: Known, name: str) -> bool:
    return making.of(figures, one).get(CAPABILITIES[name], 0) > 0


def _missing(figures: Figures, agencies: Sequence[Known], name: str) -> Line:
    lacking = [one.name for one in agencies if not _has(figures, one, name)]
    more = f"; … (+{len(lacking) - MOST_NAMED})" if len(lacking) > MOST_NAMED else ""
    have = Measure(n=len(agencies) - len(lacking), d=len(agencies))
    return Line(
        key=f"adoption_{name}",
        facts={
            "n": have.n, "d": have.d, "share": have.text, "missing": ("; ".join(lacking[:MOST_NAMED]) + more) or "—",
        },
    )  # fmt: skip
