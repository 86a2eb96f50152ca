"""Paper: what recipients see, senders correct and registers prove about paper (bản giấy) beside an electronic letter.

    received   the recipient got paper on a day; or that was a mistake
    declare    the sender corrects what its letter declares; or takes the correction back
    attest     of a month that has ended (broker.attestations)
    matched    rows of a register that prove paper, and their undoing; within the caller's own transaction

Every act goes through `observe`: the deliveries are locked in key order, moved, and journal and tally are written in the
same commit, at most CHUNK deliveries at a time. A long act that stops midway is simply done again: what it changed
already it does not change twice.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from exchange import ids
from exchange.broker import counted, expand, paper_acts, standings
from exchange.broker.decisions import Refused
from exchange.broker.exchange import Exchange
from exchange.broker.paper_acts import UNDONE, Act, Author
from exchange.broker.standings import Matter
from exchange.rules import paper_class
from exchange.rules.documents import DOCUMENTS
from exchange.store import deliveries, journal, letters, pool, tally, transitions
from exchange.store import paper as stored
from exchange.store.pool import Connection, Pool
from exchange.store.register_match import Matched
from exchange.store.transitions import Key, Standing

CHUNK = 500
MOST_NAME = 200
MOST_WORDS = 2_000


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What acts about paper are done with: a running exchange's, or a command's own."""

    pool: Pool
    ids: ids.Ids


def desk(exchange: Exchange) -> Desk:
    """The desk of a running exchange."""
    return Desk(pool=exchange.pool, ids=exchange.ids)


@dataclass(frozen=True, kw_only=True)
class Observed:
    """A delivery after an act: where it stands, what it counts as (once it arrives), whether the act changed anything."""

    key: Key
    delivery: UUID
    standing: Standing
    found: paper_class.Classification
    changed: bool


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What the sender says now: 0 no paper, 1 paper, with its reason; None: what the letter says stands again.

    `to`: to these recipients only; None: to all of them.
    """

    paper: int | None
    reason: str | None = None
    to: frozenset[UUID] | None = None


async def observe(
    connection: Connection, acts: Sequence[tuple[Key, Act]], new_ids: ids.Ids
) -> list[Observed]:
    """Do acts within the caller's transaction; keys of no delivery that is counted are passed over."""
    matters = await _matters(connection, list({key for key, _ in acts}))
    known = [(key, act) for key, act in acts if key in matters]
    moved = await transitions.apply(
        connection,
        [
            transitions.Transition(
                key=key, move=functools.partial(paper_acts.move, matters[key], act, new_ids)
            )
            for key, act in known
        ],
    )
    await journal.append(connection, [line for one in moved for line in one.lines])
    await tally.append(connection, counted.merged([fact for one in moved for fact in one.facts]))
    return [
        Observed(
            key=key, delivery=matters[key].delivery, standing=one.standing,
            found=standings.shown(matters[key], one.standing), changed=bool(one.lines),
        )
        for (key, _), one in zip(known, moved, strict=True)
    ]  # fmt: skip


async def _matters(connection: Connection, keys: Sequence[Key]) -> Mapping[Key, Matter]:
    if not keys:
        return {}
    found = await stored.deliveries(connection, keys)
    named = {(one["sender"], one["letter"]) for one in found}
    records = await stored.letters(connection, list(named)) if named else []
    by_id = {record["id"]: expand.letter(record) for record in records}
    return {
        (one["recipient"], one["letter"], one["round"]): Matter(
            letter=by_id[one["letter"]], recipient=one["recipient"], delivery=one["id"], scope=one["scope"]
        )
        for one in found
    }


async def received(
    at: Desk, agencies: Sequence[UUID] | None, delivery: UUID, on: date | None, author: Author
) -> Observed | Refused:
    """The recipient got paper of its delivery on that day; `on` None: it did not, which needs a reason.

    `agencies`: whose deliveries the caller may speak of; None: an operator's command, any.
    """
    async with at.pool.acquire() as connection:
        own = await stored.everybody(connection) if agencies is None else agencies
        found = await deliveries.received(connection, own, delivery)
        if found is None:
            return Refused(code="not_found")
        wrong = _not_of_paper(found["operation"]) or (
            _no_reason(author) if on is None else _impossible(found, on, author.at)
        )
        if wrong:
            return wrong
        event = "paper_received" + (UNDONE if on is None else "")
        act = Act(event=event, author=author, facts={"on": on.isoformat()} if on else {})
        key = (found["recipient"], found["letter"], found["round"])
        (done,) = await pool.again(lambda: _committed(connection, [(key, act)], at.ids))
    return done


async def _committed(
    connection: Connection, acts: Sequence[tuple[Key, Act]], new_ids: ids.Ids
) -> list[Observed]:
    async with connection.transaction():
        return await observe(connection, acts, new_ids)


def _not_of_paper(operation: str) -> Refused | None:
    """Revocations and updates are no transfers: nobody counts paper beside them."""
    return None if operation in DOCUMENTS else Refused(code="wrong_state", detail=operation)


def _no_reason(author: Author) -> Refused | None:
    return None if author.why.strip() else Refused(code="bad_request", detail="why")


def _impossible(delivery: Mapping[str, object], on: date, at: datetime) -> Refused | None:
    """Paper of a document comes on no day to come, and not before the document was issued."""
    accepted_at, issued_on = delivery["accepted_at"], delivery["issued_on"]
    assert isinstance(accepted_at, datetime)
    first = paper_class.local_day(accepted_at)
    first = min(first, issued_on) if isinstance(issued_on, date) else first
    last = paper_class.local_day(at)
    return None if first <= on <= last else Refused(code="bad_request", detail=f"on: {first}…{last}")


async def declare(
    at: Desk, agencies: Sequence[UUID] | None, letter: UUID, said: Declaration, author: Author
) -> list[Observed] | Refused:
    """The sender corrects what its letter declares about paper, of all its deliveries or of some; needs a reason why."""
    async with at.pool.acquire() as connection:
        own = await stored.everybody(connection) if agencies is None else agencies
        row = await letters.of_sender(connection, own, letter)
        if row is None or row["operation"] == "status":
            return Refused(code="not_found")
        wrong = _not_of_paper(row["operation"]) or _no_reason(author)
        if wrong:
            return wrong
        if row["expanded_at"] is None:
            return Refused(code="busy")
        found = await deliveries.of_letter(connection, letter, list(said.to) if said.to is not None else None)
        event = "paper_declared" + (UNDONE if said.paper is None else "")
        facts = {} if said.paper is None else {"paper": said.paper, "reason": said.reason}
        act = Act(event=event, author=author, facts=facts)
        return await chunked(
            connection, [((one["recipient"], one["letter"], one["round"]), act) for one in found], at.ids
        )


async def chunked(
    connection: Connection, acts: Sequence[tuple[Key, Act]], new_ids: ids.Ids
) -> list[Observed]:
    """These acts, some hundred a commit."""
    done: list[Observed] = []
    for start in range(0, len(acts), CHUNK):
        some = acts[start : start + CHUNK]
        done += await pool.again(functools.partial(_committed, connection, some, new_ids))
    return done


async def matched(connection: Connection, found: Sequence[Matched], author: Author, new_ids: ids.Ids) -> None:
    """Rows of a register prove paper beside deliveries, within the caller's transaction.

    A delivery that has not arrived takes no notice: the row itself is what is counted then, as paper only.
    """
    acts = [(one.key, Act(event="register_matched", author=author, facts=_row(one))) for one in sorted(found)]
    await observe(connection, acts, new_ids)


async def unmatched(
    connection: Connection, found: Sequence[Matched], author: Author, new_ids: ids.Ids
) -> None:
    """Those rows prove nothing any more, within the caller's transaction."""
    event = "register_matched" + UNDONE
    acts = [(one.key, Act(event=event, author=author, facts=_row(one))) for one in sorted(found)]
    await observe(connection, acts, new_ids)


def _row(one: Matched) -> dict[str, str]:
    return {"row": str(one.row), "moved_on": one.moved_on.isoformat(), "of": str(one.agency)}


def classes(done: Sequence[Observed]) -> Counter[str]:
    """What the deliveries that acts changed count as now, or will once they arrive."""
    return Counter(one.found.klass or "X" for one in done if one.changed)
