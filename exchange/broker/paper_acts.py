"""Acts about paper (bản giấy) of one delivery after its acceptance, and what each does to where it stands. Pure.

    paper_received     the recipient got paper beside it, on a day          undone with a reason
    attested           the recipient attests that no other paper came       undone with its month
    paper_declared     the sender corrects what the letter declares         undone: the letter's own flag stands again
    register_matched   a row of a register proves that paper went           undone with the row's load

Each act is a line in the recipient's journal with its number on that delivery, the author and why; an act that changes
nothing has no line, so whoever repeats one does no harm. The class follows from what stands (`rules.transfer`), and what
is counted differently goes into the same commit (`broker.standings`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.broker.standings import Matter, settled
from exchange.store import rows
from exchange.store.transitions import Moved, Standing

UNDONE = "_undone"


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who does an act (người ghi nhận), when, by which system (None: the operator's command line), and why."""

    name: str
    at: datetime
    system: UUID | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Act:
    """One act: the journal's event, its author, and its own facts as JSON has them."""

    event: str
    author: Author
    facts: Mapping[str, Any] = field(default_factory=dict)


def move(matter: Matter, act: Act, new_ids: ids.Ids, now: Standing) -> Moved:
    """What the act does to a delivery that stands so."""
    after = _DONE[act.event](now, act)
    if after == now:
        return Moved(standing=now)
    after = replace(after, paper_acts=now.paper_acts + 1)
    return settled(matter, now, after, [_line(matter, act, after.paper_acts, new_ids)], new_ids)


def _line(matter: Matter, act: Act, number: int, new_ids: ids.Ids) -> rows.JournalRow:
    who = act.author
    return rows.JournalRow(
        agency=matter.recipient, id=new_ids.new(), at=who.at, event=act.event, letter=matter.letter.id,
        delivery=matter.delivery, system=who.system, code=_code(act),
        detail={"n": number, "by": who.name, "why": who.why, **act.facts},
    )  # fmt: skip


def _code(act: Act) -> str | None:
    """What of the act is shown in a line: the day, the month, the paper declared with its reason."""
    told = [act.facts.get(name) for name in ("on", "month", "paper", "reason", "moved_on")]
    return " ".join(str(one) for one in told if one is not None) or None


def _received(now: Standing, act: Act) -> Standing:
    return replace(now, paper_seen_on=date.fromisoformat(act.facts["on"]))


def _not_received(now: Standing, _act: Act) -> Standing:
    return replace(now, paper_seen_on=None)


def _attested(now: Standing, act: Act) -> Standing:
    """Nobody attests that no paper came where paper is on record; the first attestation stands."""
    seen = now.paper_seen_on is not None or now.on_register is not None
    if seen or now.attested_at is not None or now.arrived_at is None:
        return now
    return replace(now, attested_at=datetime.fromisoformat(act.facts["at"]))


def _not_attested(now: Standing, _act: Act) -> Standing:
    return replace(now, attested_at=None)


def _declared(now: Standing, act: Act) -> Standing:
    return replace(now, said_paper=act.facts["paper"], said_reason=act.facts["reason"])


def _not_declared(now: Standing, _act: Act) -> Standing:
    return replace(now, said_paper=None, said_reason=None)


def _matched(now: Standing, act: Act) -> Standing:
    """Only of what has arrived: before that the register's row is all there is, and it counts as paper only."""
    row = UUID(act.facts["row"])
    return (
        now if now.arrived_at is None or row in now.register_rows else _proven(now, (*now.register_rows, row))
    )


def _not_matched(now: Standing, act: Act) -> Standing:
    return _proven(now, tuple(row for row in now.register_rows if row != UUID(act.facts["row"])))


def _proven(now: Standing, proof: tuple[UUID, ...]) -> Standing:
    return replace(now, register_rows=proof, on_register=proof[0] if proof else None)


_DONE: Mapping[str, Callable[[Standing, Act], Standing]] = {
    "paper_received": _received,
    "paper_received_undone": _not_received,
    "attested": _attested,
    "attested_undone": _not_attested,
    "paper_declared": _declared,
    "paper_declared_undone": _not_declared,
    "register_matched": _matched,
    "register_matched_undone": _not_matched,
}
EVENTS = frozenset(_DONE)
