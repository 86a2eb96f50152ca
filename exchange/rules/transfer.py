"""What a transfer (lượt gửi trong số liệu) counts as in each state of its delivery: from the lifecycle to the classes.

A state stands for what must have happened on the way to it: whatever left *waiting* by the recipient's doing has
arrived, a registered letter was registered, a refused one was refused last. So the class follows from the state, the
acceptance and the moment of arrival alone, in whatever order the notices came.
"""

from datetime import datetime

from exchange.rules import paper_class

REGISTERED = frozenset({"registered", "assigned", "in_process", "done"})
"""The states in which the letter stands in the recipient's register (đã vào sổ)."""

COUNTED = frozenset({"new", "replace"})
"""Operations whose letters are transfers of their own; revocations, updates and notices never are."""

PENDING = paper_class.Classification(klass=None, step="pending")


def classification(
    accepted: paper_class.Event, state: str, arrived_at: datetime | None, *, recalled: bool = False
) -> paper_class.Classification:
    """The class of a transfer in that state; none before it arrived (design §6, settled 5).

    `recalled`: it was registered before it was withdrawn, so it stays counted (C.2).
    """
    if arrived_at is None:
        return PENDING
    return paper_class.classify((accepted, *_implied(state, arrived_at, recalled=recalled)))


def _implied(state: str, arrived_at: datetime, *, recalled: bool) -> tuple[paper_class.Event, ...]:
    kinds = ["arrived"]
    if state in REGISTERED or recalled:
        kinds.append("registered")
    if state in {"refused", "withdrawn"}:
        kinds.append(state)
    return tuple(paper_class.Event(kind=kind, at=arrived_at) for kind in kinds)
