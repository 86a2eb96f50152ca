"""Effects: what an operation, or a sender's take-back, does to one delivery; and what the recipient's answer does. Pure.

Each is a function of the locked row (`store.transitions`), so of a revocation and a registration at the same moment the
later one sees the earlier one: either the letter is gone and cannot be registered, or it is registered and is asked for.
Which effect, tells the table (`rules.operations`); the journal tells the rest: *withdrawn*, *asked*, *agreed*,
*refused_request*, *updated*, *put_off*, *replaced*.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from exchange import ids
from exchange.broker import expand
from exchange.broker.standings import Matter, settled
from exchange.rules import lifecycle, operations, transfer
from exchange.store import rows
from exchange.store.transitions import Ends, Key, Moved, Standing, Transition

SHOWN = ("number", "notation", "issued_on", "document_type", "subject", "urgency")
"""The header facts that deliveries show and an update restates."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What acts: one of `rules.operations`' causes, by which letter (or notice), when and by whose system.

    `facts`: the header facts that an update gives, as JSON has them.
    """

    name: str
    letter: UUID
    operation: str
    at: datetime
    system: UUID
    facts: Mapping[str, Any] | None = None


def facts(letter: rows.LetterRow) -> dict[str, Any]:
    """A letter's header facts as JSON has them."""
    told = {name: getattr(letter, name) for name in SHOWN}
    return {**told, "issued_on": letter.issued_on.isoformat() if letter.issued_on else None}


def transition(cause: Cause, target: rows.LetterRow, recipient: UUID, new_ids: ids.Ids) -> Transition:
    """The effect of a cause on the target's delivery to one recipient."""
    key: Key = (recipient, target.id, target.round)
    move = functools.partial(_move, cause, target, recipient, new_ids)
    return Transition(
        key=key, move=move, ends=ends(cause, target, new_ids) if cause.name != "restate" else None
    )


def ends(cause: Cause, target: rows.LetterRow, new_ids: ids.Ids) -> Ends:
    """What follows where the cause ends a transfer of the target: a duplicate of its document counts."""
    return Ends(
        sender=target.sender,
        heir=functools.partial(_heir, cause, target.id, new_ids),
        coming=functools.partial(_coming, cause, target.id, new_ids),
    )


def _coming(cause: Cause, ended: UUID, new_ids: ids.Ids, record: Any, recipient: UUID) -> rows.JournalRow:  # noqa: ANN401 - a record
    return rows.JournalRow(
        agency=recipient, id=new_ids.new(), at=cause.at, event="duplicate_undone", letter=record["id"],
        system=cause.system, detail={"of": str(ended)},
    )  # fmt: skip


def _heir(cause: Cause, ended: UUID, new_ids: ids.Ids, record: Any, recipient: UUID) -> Transition:  # noqa: ANN401 - a record
    letter = expand.letter(record)

    def move(now: Standing) -> Moved:
        if now.excluded != "duplicate":
            return Moved(standing=now)
        assert now.id is not None
        matter = Matter(letter=letter, recipient=recipient, delivery=now.id, scope=now.scope)
        said = line(cause, matter, "duplicate_undone", new_ids, of=str(ended))
        return settled(matter, now, replace(now, excluded=None), [said], new_ids)

    return Transition(key=(recipient, letter.id, letter.round), move=move)


def _move(cause: Cause, target: rows.LetterRow, recipient: UUID, new_ids: ids.Ids, now: Standing) -> Moved:
    assert now.id is not None
    matter = Matter(letter=target, recipient=recipient, delivery=now.id, scope=now.scope)
    after, lines = struck(cause, matter, now, new_ids)
    return settled(matter, now, after, lines, new_ids) if lines else Moved(standing=now)


Step = tuple[Standing, list[rows.JournalRow]]


def struck(cause: Cause, matter: Matter, now: Standing, new_ids: ids.Ids) -> Step:
    """Where the delivery stands after the cause, its class not yet looked at, and the lines that say so."""
    waits = now.asked and now.request_facts is None
    effect = operations.effect(now.state, cause.name, withdrawal_open=waits)
    if effect is None:
        return now, []
    if effect in _RESTATING:
        return _RESTATING[effect](cause, matter, now, new_ids)
    after, lines = (_withdrawn if effect == "withdraw" else _asked)(cause, matter, now, new_ids)
    if cause.name == "replace":
        after = replace(after, replaced_by=cause.letter)
        lines.append(line(cause, matter, "replaced", new_ids, letter=str(cause.letter)))
    return after, lines


def line(cause: Cause, matter: Matter, event: str, new_ids: ids.Ids, **detail: object) -> rows.JournalRow:
    """A journal line of the recipient's about its delivery."""
    return rows.JournalRow(
        agency=matter.recipient, id=new_ids.new(), at=cause.at, event=event, letter=matter.letter.id,
        delivery=matter.delivery, system=cause.system, detail=detail,
    )  # fmt: skip


def _withdrawn(cause: Cause, matter: Matter, now: Standing, new_ids: ids.Ids) -> Step:
    reached = lifecycle.advance(now.state, "withdraw")
    assert reached is not None
    after = replace(
        now, state=reached, open=False, recalled=now.recalled or now.state in transfer.REGISTERED, put_off=None,
        put_off_facts=None,
    )  # fmt: skip
    told = {"letter": str(cause.letter), "operation": cause.operation, "was": now.state}
    return after, [line(cause, matter, "withdrawn", new_ids, **told)]


def _asked(cause: Cause, matter: Matter, now: Standing, new_ids: ids.Ids) -> Step:
    kind = operations.REQUESTS[cause.name]
    after = replace(
        now,
        request=kind,
        request_letter=cause.letter,
        request_facts=dict(cause.facts) if cause.name == "restate" and cause.facts else None,
        requested_at=cause.at,
        request_answer=None,
        answered_at=None,
    )
    over = str(now.request_letter) if now.request_letter else None
    lines = [line(cause, matter, "asked", new_ids, kind=kind, letter=str(cause.letter), over=over)]
    if now.asked and now.request_facts is not None and after.request_facts is None:
        after = replace(after, put_off=now.request_letter, put_off_facts=now.request_facts)
        lines.append(line(cause, matter, "put_off", new_ids, letter=over, asked=True))
    return after, lines


def _restated(cause: Cause, matter: Matter, now: Standing, new_ids: ids.Ids) -> Step:
    """The facts of the newest update stand, in whichever order updates get here (ids are made in the order of time)."""
    if cause.facts is None or (now.restated_by is not None and now.restated_by >= cause.letter):
        return now, []
    told = dict(cause.facts)
    told["issued_on"] = date.fromisoformat(told["issued_on"]) if told["issued_on"] else None
    after = replace(now, restated_by=cause.letter, **told)
    return after, [line(cause, matter, "updated", new_ids, letter=str(cause.letter))]


def _put_off(cause: Cause, matter: Matter, now: Standing, new_ids: ids.Ids) -> Step:
    """An update that came while the letter is asked for waits until it is known to stay; of several the newest."""
    if cause.facts is None or (now.put_off is not None and now.put_off >= cause.letter):
        return now, []
    after = replace(now, put_off=cause.letter, put_off_facts=dict(cause.facts))
    return after, [line(cause, matter, "put_off", new_ids, letter=str(cause.letter))]


_RESTATING = {"restate": _restated, "put_off": _put_off}


def _asked_now(cause: Cause, matter: Matter, now: Standing, new_ids: ids.Ids) -> Step:
    """The letter stays: what was put off is asked for."""
    if now.put_off is None:
        return now, []
    update = replace(cause, name="restate", letter=now.put_off, operation="update", facts=now.put_off_facts)
    after, lines = _asked(update, matter, now, new_ids)
    return replace(after, put_off=None, put_off_facts=None), lines


def answered(cause: Cause, matter: Matter, now: Standing, code: str, new_ids: ids.Ids) -> Step:
    """What the recipient's 15 or 16 does: the first answer to an open request stands, others move nothing.

    `cause` is the recipient's notice; what it agrees to is the request's.
    """
    said = lifecycle.answer(code, open_=now.asked)
    if said is None:
        return now, []
    assert now.request_letter is not None
    assert now.request is not None
    event = "agreed" if said == "agreed" else "refused_request"
    lines = [line(cause, matter, event, new_ids, kind=now.request, letter=str(now.request_letter))]
    after = replace(now, request_answer=said, answered_at=cause.at)
    if said == "refused":
        after, more = _asked_now(cause, matter, after, new_ids)
        return after, [*lines, *more]
    agreed = replace(cause, letter=now.request_letter, operation=now.request, facts=now.request_facts)
    follow = _withdrawn if now.request_facts is None else _restated
    after, more = follow(agreed, matter, after, new_ids)
    return after, [*lines, *more]
