"""What a transfer (lượt gửi trong số liệu) counts as in each state of its delivery: from the lifecycle to the classes.

A state stands for what must have happened on the way to it: whatever left *waiting* by the recipient's doing has
arrived, a registered letter was registered, a refused one was refused last. So the class follows from the state, the
acceptance, the moment of arrival and what is said of paper (`Said`) alone, in whatever order all of that came.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange.rules import paper_class

REGISTERED = frozenset({"registered", "assigned", "in_process", "done"})
"""The states in which the letter stands in the recipient's register (đã vào sổ)."""

PENDING = paper_class.Classification(klass=None, step="pending")


@dataclass(frozen=True, kw_only=True)
class Said:
    """What stands about paper (bản giấy) of one transfer since its acceptance; columns of table `delivery`.

    `paper_seen_on`: when the recipient got paper. `attested_at`: when it attested that none came. `said_paper` and
    `said_reason`: the sender's correction of what the letter declares, 0 none, 1 paper. `on_register`: a register's row
    that proves that paper went.
    """

    paper_seen_on: date | None = None
    attested_at: datetime | None = None
    said_paper: int | None = None
    said_reason: str | None = None
    on_register: UUID | None = None


NOTHING_SAID = Said()
_SAID = tuple(field.name for field in fields(Said))


def said(row: Mapping[str, Any]) -> Said:
    """What stands in a delivery's row."""
    return Said(**{name: row[name] for name in _SAID})


def classification(
    accepted: paper_class.Event,
    state: str,
    arrived_at: datetime | None,
    *,
    recalled: bool = False,
    said: Said = NOTHING_SAID,
) -> paper_class.Classification:
    """The class of a transfer in that state; none before it arrived (design §6, settled 5).

    `recalled`: it was registered before it was withdrawn, so it stays counted (C.2).
    """
    if arrived_at is None:
        return PENDING
    implied = _implied(state, arrived_at, recalled=recalled)
    return paper_class.classify((accepted, *implied, *_said_events(said, arrived_at)))


def on_arrival(accepted: paper_class.Event, said: Said = NOTHING_SAID) -> paper_class.Classification:
    """The class of a transfer once it has arrived, if nothing else happens but what is said of paper already."""
    return classification(accepted, "arrived", accepted.at, said=said)


def _implied(state: str, arrived_at: datetime, *, recalled: bool) -> tuple[paper_class.Event, ...]:
    kinds = ["arrived"]
    if state in REGISTERED or recalled:
        kinds.append("registered")
    if state in {"refused", "withdrawn"}:
        kinds.append(state)
    return tuple(paper_class.Event(kind=kind, at=arrived_at) for kind in kinds)


def _said_events(said: Said, arrived_at: datetime) -> list[paper_class.Event]:
    """Which of them speaks before which others, `paper_class` tells; the moment makes no difference to it."""
    told = []
    if said.said_paper is not None:
        told.append(
            paper_class.Event(
                kind="declared", at=arrived_at, paper=said.said_paper, paper_reason=said.said_reason
            )
        )
    if said.paper_seen_on is not None:
        told.append(paper_class.Event(kind="paper_received", at=paper_class.start_of(said.paper_seen_on)))
    if said.attested_at is not None:
        told.append(paper_class.Event(kind="attested", at=said.attested_at))
    if said.on_register is not None:
        told.append(paper_class.Event(kind="register_row", at=arrived_at))
    return told
