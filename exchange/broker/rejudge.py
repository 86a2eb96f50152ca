"""Rejudge: letters that were accepted once, judged again because the directory, the roots or revocation data changed.

    take     store.rejudgements   letters that are due, for a while; several may work at once
    read     store.payloads       the bytes as they came
    judge    broker.judging       as of acceptance, by today's trust set and directory (rows of the letter's day)
    compare  broker.rejudged      with the judgement that stands; what was proven stays proven
    write    one commit           verdicts and judgement of the next revision, letter, deliveries, tally, journal

Whoever is killed leaves letters due, and the next one takes them. Two who judge the same letter find out under its lock:
the second has judged on a revision that no longer stands, and writes nothing. Letters are locked before deliveries, both
in the order of their keys; notices and acknowledgements lock deliveries only, and see the new class or the old one, never
half of each. A letter that cannot be examined now (a time limit, bytes that are away) keeps what stands and stays due;
only one that is due for nothing but that is given up after some tries over half a day. Where it is only a file in which
nothing was found before, the others are judged, and the letter is due once more for that file alone.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from exchange.broker import counted, examined, expand, judging, rejudged, written
from exchange.broker.examined import Bench
from exchange.broker.exchange import Exchange
from exchange.broker.rejudged import Effect, Moved, Rejudged, Stands
from exchange.rules import admission
from exchange.rules.directory import Directory
from exchange.store import (
    directory,
    insert,
    journal,
    judgements,
    pool,
    rejudgements,
    rows,
    tally,
)
from exchange.store.pool import Connection
from exchange.store.rejudgements import Due
from signing import trust

CHUNK = 16
"""Letters judged and written together."""
SOON = timedelta(seconds=1)
"""When a letter is taken again that meanwhile no longer stood as it was judged, or waits for its deliveries."""
MOST_TRIES = 6
"""How often a letter is tried that is due only because it was not examined in time: over half a day."""


def bench(exchange: Exchange) -> Bench:
    """The bench of a running exchange, where letters that come in go first."""
    return Bench(
        pool=exchange.pool, verifier=exchange.verifier, policy=exchange.policy, ids=exchange.ids,
        clock=exchange.clock, payload_folder=exchange.payload_folder, kept=exchange.kept, together=1,
    )  # fmt: skip


async def some(at: Bench, rejudgement: UUID | None = None, *, first: bool = False) -> Effect | None:
    """Judge a few of the letters that are due, for one reason or for any; None: there is none to take.

    `first`: those, too, whose time has not come, for a command that goes before the exchange.
    """
    async with at.pool.acquire() as connection:
        dues = await rejudgements.take(connection, at.clock(), CHUNK, rejudgement, first=first)
        if not dues:
            return None
        book = await directory.load(connection, date.min)
    judged = await judge(at, dues, book)
    async with at.pool.acquire() as connection:
        effect = await pool.again(lambda: _write(at, connection, judged))
        await _give_up(connection, dues, judged)
    return effect


async def _give_up(connection: Connection, dues: Sequence[Due], judged: Sequence[Rejudged]) -> None:
    """Letters that were not examined in time, and are not however often they are tried, are left as they stand."""
    ended = {one.letter.id for one in judged}
    hopeless = [
        one
        for one in dues
        if one.cause == rejudgements.UNEXAMINED and one.tries >= MOST_TRIES and one.letter not in ended
    ]
    for one in hopeless:
        structlog.get_logger().warning("letter_left_unexamined", letter=str(one.letter))
    await rejudgements.done(connection, hopeless)


async def preview(at: Bench, dues: Sequence[Due], book: Directory) -> Effect:
    """What judging these letters by that directory would do; nothing is written."""
    judged = await judge(at, dues, book)
    changed = [one for one in judged if one.stands != one.stood]
    async with at.pool.acquire() as connection:
        found = await judgements.deliveries(connection, [one.letter.id for one in changed])
    return rejudged.effect(len(judged), sum(one.differs for one in judged), _moves(changed, found))


async def judge(at: Bench, dues: Sequence[Due], book: Directory) -> list[Rejudged]:
    """These letters judged by a directory; those that cannot be judged now are left out."""
    by_key = {(due.sender, due.letter): due for due in dues}
    async with at.pool.acquire() as connection:
        records = await judgements.standing(connection, list(by_key))
        told: defaultdict[UUID, list[Any]] = defaultdict(list)
        for row in await judgements.verdicts(connection, [record["id"] for record in records]):
            told[row["letter"]].append(row)
    asked = [
        _Asked(
            due=by_key[record["sender"], record["id"]],
            letter=expand.letter(record),
            revision=record["revision"],
            before=[row for row in told[record["id"]] if row["revision"] == record["revision"]],
        )
        for record in records
    ]
    room = asyncio.Semaphore(at.together)
    judged = await asyncio.gather(*(_tried(at, one, book, room) for one in asked))
    return [one for one in judged if one is not None]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A letter that is to be judged again, as it stands: its row, its newest judgement and that one's verdicts."""

    due: Due
    letter: rows.LetterRow
    revision: int
    before: Sequence[Mapping[str, Any]]


async def _tried(at: Bench, asked: _Asked, book: Directory, room: asyncio.Semaphore) -> Rejudged | None:
    """The letter judged, or None. One that cannot be judged is told, keeps what stands, and holds nobody back."""
    try:
        async with room:
            found = at.found.get(asked.letter.id) or await examined.examined(
                at, asked.letter, asked.before, book, asked.due.cause
            )
        return _weighed(at, asked, found, book) if found else None
    except pool.UNAVAILABLE:
        raise
    except Exception:  # noqa: BLE001 - whatever it is about this letter, it is told, and the others are judged
        structlog.get_logger().exception("letter_not_rejudged", letter=str(asked.letter.id))
        return None


def _weighed(at: Bench, asked: _Asked, found: judging.Found, book: Directory) -> Rejudged:
    letter, moment = asked.letter, at.clock()
    report = rejudged.proven(found.report, asked.before)
    judgement = judging.weigh(replace(found, report=report), book, at.policy, letter.accepted_at)
    case = rejudged.case(letter, book.agencies[letter.sender])
    decision = admission.decide(case, report, judgement, accept_broken=True)
    assert isinstance(decision, admission.Admitted), decision
    stands = Stands(
        requirement=decision.requirement, reason=decision.reason, missing=judgement.missing,
        class_if_electronic=decision.class_if_electronic,
    )  # fmt: skip
    of = written.Judged(
        sender=letter.sender, letter=letter.id, revision=asked.revision + 1, trust_sha256=found.trust_sha256,
        policy_sha256=at.policy.sha256, at=moment,
    )  # fmt: skip
    verdicts = tuple(written.verdicts(of, report, judgement))
    stood = (letter.requirement, letter.reason, letter.missing)
    differs = stood != (stands.requirement, stands.reason, stands.missing)
    return Rejudged(
        due=asked.due,
        letter=letter,
        revision=asked.revision,
        stands=stands,
        verdicts=verdicts,
        evidence=(*written.certificates(report, at.kept, moment), *_used(at, verdicts, moment)),
        differs=differs or not rejudged.same(verdicts, asked.before),
        open=any(map(written.may_change, report.verdicts)),
        in_part=written.in_part(report),
        directory_version=book.version,
        policy_sha256=at.policy.sha256,
        trust_sha256=found.trust_sha256,
        at=moment,
    )


def _used(at: Bench, verdicts: Sequence[rows.VerdictRow], moment: datetime) -> list[rows.EvidenceRow]:
    """Of the trust set what these verdicts name as evidence and is not stored yet."""
    named = {digest for one in verdicts for digest in one.evidence if bytes.fromhex(digest) not in at.kept}
    held = trust.documents(at.verifier.trust) if named else {}
    return [
        rows.EvidenceRow(sha256=bytes.fromhex(digest), kind=kind, body=body, first_seen=moment)
        for digest, (kind, body) in held.items()
        if digest in named
    ]


async def _write(at: Bench, connection: Connection, judged: Sequence[Rejudged]) -> Effect:
    """One commit with all that these judgements change."""
    async with connection.transaction():
        keys = [(one.letter.sender, one.letter.id) for one in judged]
        records = await judgements.standing(connection, keys, locked=True)
        held = {record["id"]: record for record in records}
        fresh = [one for one in judged if _stands(one, held[one.letter.id])]
        new = [one for one in fresh if one.differs]
        changed = [one for one in new if one.stands != one.stood]
        found = await judgements.deliveries(connection, [one.letter.id for one in changed], locked=True)
        moves = _moves(changed, found)
        await _append(at, connection, new, moves)
        await judgements.recheck(connection, [_next_look(one) for one in fresh])
        await rejudgements.lock(connection, [one.due for one in judged])
        await rejudgements.again(
            connection, [one.due for one in judged if one not in fresh], at.clock() + SOON
        )
        await rejudgements.unexamined(
            connection,
            [one.due for one in fresh if one.in_part],
            at.ids.new(),
            at.clock() + written.LOOKED_AT_AGAIN,
        )
        await rejudgements.done(connection, [one.due for one in fresh if not one.in_part])
    at.kept.update(row.sha256 for one in new for row in one.evidence)
    return rejudged.effect(len(fresh), len(new), moves)


async def _append(at: Bench, connection: Connection, new: Sequence[Rejudged], moves: Sequence[Moved]) -> None:
    kept = {row.sha256: row for one in new for row in one.evidence}
    await insert.rows(connection, [row for one in new for row in one.verdicts])
    await judgements.write_letters(connection, [rejudged.judgement(one) for one in new])
    await judgements.write_deliveries(connection, [each.columns for each in moves])
    await insert.rows(connection, list(kept.values()), conflict="ON CONFLICT DO NOTHING")
    await journal.append(connection, [rejudged.line(one, at.ids) for one in new])
    facts = [row for each in moves for row in counted.deltas(each.facts, at.ids)]
    await tally.append(connection, counted.merged(facts))


def _stands(one: Rejudged, record: Mapping[str, Any]) -> bool:
    """Whether the letter still stands as it was judged on, and all of its deliveries are there to be told."""
    return record["revision"] == one.revision and record["expanded_at"] is not None


def _moves(changed: Sequence[Rejudged], deliveries: Sequence[Mapping[str, Any]]) -> list[Moved]:
    by_letter = {one.letter.id: one for one in changed}
    return [rejudged.moved(delivery, by_letter[delivery["letter"]]) for delivery in deliveries]


def _next_look(one: Rejudged) -> tuple[UUID, UUID, datetime | None]:
    """When newer revocation data may tell more: soon for a fresh letter, ever later for one that goes on without."""
    after = one.at + rejudged.pause(one.at, one.letter.accepted_at)
    return one.letter.sender, one.letter.id, after if one.open else None
