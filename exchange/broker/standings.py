"""From where a delivery stood to where it stands: its class again, and what that takes from the tally and adds to it.

The class is always that of `rules.transfer` for what stands in the locked row; facts are dated as everywhere
(`broker.counted`). What is withdrawn before it arrived was never counted, and shows as not counted (design §6, settled 5).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.broker import counted, expand
from exchange.rules import paper_class, transfer
from exchange.rules.documents import DOCUMENTS
from exchange.store import rows
from exchange.store.transitions import Moved, Standing


@dataclass(frozen=True, kw_only=True)
class Matter:
    """A delivery (lượt gửi) that is moved: its letter, whose it is, its id and how far it goes."""

    letter: rows.LetterRow
    recipient: UUID
    delivery: UUID
    scope: str


def settled(
    matter: Matter, was: Standing, now: Standing, lines: Sequence[rows.JournalRow], new_ids: ids.Ids
) -> Moved:
    """The delivery with its class, the lines, and what is counted differently; letters of no transfer are never counted."""
    if matter.letter.operation not in DOCUMENTS:
        return Moved(standing=now, lines=tuple(lines))
    before, after = _class(matter, was), _class(matter, now)
    counts: Counter[counted.Fact] = Counter()
    counts.subtract(counted.facts(_told(matter, was), before, was.arrived_at))
    counts.update(counted.facts(_told(matter, now), after, now.arrived_at))
    return Moved(
        standing=_shown(matter, now, after),
        lines=tuple(lines),
        facts=tuple(counted.deltas(counts, new_ids)),
    )


def _class(matter: Matter, standing: Standing) -> paper_class.Classification:
    accepted = _accepted(matter, standing)
    return transfer.classification(
        accepted,
        standing.state,
        standing.arrived_at,
        recalled=standing.recalled,
        said=transfer.said(vars(standing)),
    )


def _accepted(matter: Matter, standing: Standing) -> paper_class.Event:
    """What is known of its signatures, and whether it is a transfer of its own, is what the row says.

    The letter may have been judged again, or the recipient been added to it, since it was read.
    """
    return replace(
        expand.accepted(matter.letter, matter.scope, matter.recipient),
        requirement=standing.requirement,
        document_type=standing.document_type,
        duplicate=standing.excluded == "duplicate",
    )


def _shown(matter: Matter, now: Standing, found: paper_class.Classification) -> Standing:
    """The row with what it counts as, and what it would count as once arrived."""
    if now.arrived_at is not None:
        now = replace(now, counted_class=found.klass, excluded=found.excluded or None)
    elif now.state == "withdrawn":
        now = replace(now, counted_class="X", excluded=now.excluded or "recalled")
    once = _once_arrived(matter, now)
    return replace(now, klass=once.klass or "X", grade=once.grade, justified=once.justified)


def _once_arrived(matter: Matter, standing: Standing) -> paper_class.Classification:
    return transfer.on_arrival(_accepted(matter, standing), transfer.said(vars(standing)))


def shown(matter: Matter, standing: Standing) -> paper_class.Classification:
    """What a transfer that stands so counts as; before it arrived, what it will."""
    return _once_arrived(matter, standing) if standing.arrived_at is None else _class(matter, standing)


def _told(matter: Matter, standing: Standing) -> dict[str, Any]:
    return {
        "sender": matter.letter.sender,
        "recipient": matter.recipient,
        "accepted_at": matter.letter.accepted_at,
        "scope": matter.scope,
        "document_type": standing.document_type,
        "urgency": standing.urgency,
    }
