"""From transfers to the JSON of their list: pure, one function a body."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from exchange.api import shapes
from exchange.errors import Problem
from exchange.rules.directory import Directory
from exchange.store.transfers import Place
from exchange.tracker.signature_usage import Asked

_PLACE = re.compile(r"([0-9]{1,7})[.]([0-9a-f]{32})[.]([0-9a-f]{32})[.]([0-9]{1,6})")
WHYS = {"S": "paper_reason", "N": "reason", "X": "excluded"}
"""Where the reason of a class stands: of paper beside it, of a requirement that is not met, of not being counted."""


def filters(asked: Asked) -> dict[str, list[str]]:
    """What was asked, filter by filter."""
    found: dict[str, list[str]] = {}
    for name, held in asked.filters.told:
        found.setdefault(name, []).append(held)
    return found


def transfers(
    rows: Sequence[Any],
    limit: int,
    directory: Directory,
    asked: Asked,
    standing: tuple[str, Sequence[str]],
) -> dict[str, Any]:
    """Body of GET /v1/transfers; one row more than asked for says that there are more. `standing`: version, and agencies."""
    shown, more = rows[:limit], len(rows) > limit
    return {
        "period": asked.period.text,
        "view": asked.filters.view,
        "version": standing[0],
        "as_of": asked.as_of.isoformat(timespec="seconds"),
        "agencies": list(standing[1]),
        "filters": filters(asked),
        "items": [_transfer(row, directory) for row in shown],
        "next": cursor(shown[-1]) if more else None,
        "more": more,
    }


def _transfer(row: Mapping[str, Any], directory: Directory) -> dict[str, Any]:
    on_paper = row["register_row"] is not None
    why = row[WHYS[row["class"]]] if row["class"] in WHYS else None
    return {
        "letter": None if on_paper else str(row["letter"]),
        "delivery": str(row["delivery"]) if row["delivery"] else None,
        "register_row": str(row["register_row"]) if on_paper else None,
        "round": row["round"],
        "sender": _code(directory, row["sender"]),
        "recipient": _code(directory, row["receiver"]),
        "other_party": row["other_party"] or None,
        "document_id": row["document_id"],
        "number": row["number"],
        "notation": row["notation"],
        "issued_on": shapes.moment(row["issued_on"]),
        "type": row["document_type"],
        "urgency": row["urgency"],
        "scope": row["scope"] or None,
        "day": shapes.moment(row["day"]),
        "class": row["class"],
        "grade": row["grade"] or None,
        "justified": row["justified"] or None,
        "reason": why or None,
        "paper": row["paper"],
        "state": row["state"],
    }


def _code(directory: Directory, agency: UUID | None) -> str | None:
    return shapes.code(directory, agency) if agency else None


def cursor(row: Mapping[str, Any]) -> str:
    """A place as clients hand it back in `after`."""
    return f"{row['day'].toordinal()}.{row['letter'].hex}.{row['recipient'].hex}.{row['round']}"


def place(given: str) -> Place | None:
    """The place that a cursor names, None for none. Raises Problem bad_request for what is no cursor."""
    if not given:
        return None
    found = _PLACE.fullmatch(given)
    if found is None:
        raise Problem("bad_request", "after: next")
    day = date.fromordinal(min(max(int(found[1]), 1), date.max.toordinal()))
    return Place(day=day, letter=UUID(found[2]), recipient=UUID(found[3]), round=int(found[4]))
