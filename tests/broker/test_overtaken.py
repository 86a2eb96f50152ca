"""Operations at the same moment on one letter, and judging again beside them: the newest stands everywhere, none is half done."""

import asyncio
import contextlib

import pytest
from acting import LENIENT, acting, filed
from correspondence import replacing, revoking, updating
from province import fetch

from exchange.broker import rejudge, send, withdraw
from exchange.rules import requirements

X, Y, Z = "H13.31", "H13.32", "H13.33"


@pytest.fixture
async def at(province, province_database, tmp_path):
    """One process; at the end the self-check is content, and nobody met in a circle."""
    async with acting(province, province_database, tmp_path) as one:
        yield one
        assert await one.faults() == []
        assert await deadlocks(one) == 0


@pytest.fixture
async def other(at, province, province_database, tmp_path):
    """Another process on the same database."""
    async with acting(province, province_database, tmp_path) as two:
        yield two


async def deadlocks(at):
    query = "SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()"
    return (await fetch(at.dsn, query))[0]["n"]


@pytest.fixture
def between(monkeypatch):
    """Something done after an operation is planned, and before it is written: `between(said, act)`."""
    acts, examined = {}, send._examined

    async def held(exchange, matter, *more):
        found = await examined(exchange, matter, *more)
        act = acts.pop(matter.reading.message.document_id, None)
        if act:
            await act()
        return found

    monkeypatch.setattr(send, "_examined", held)
    return lambda said, act: acts.update({said.document_id: act})


def does(at, said):
    return lambda: at.sent(said)


async def test_whom_an_update_adds_shows_the_facts_that_another_restated_meanwhile(at, other, between):
    first = filed(X)
    a = await at.sent(first)
    adding, restating = updating(first, added=[Y]), updating(first, document=True, subject="V/v mới")
    between(adding, does(other, restating))
    await at.sent(adding)
    assert await at.told(a, "subject") == {X: "V/v mới", Y: "V/v mới"}


async def test_what_an_update_restates_it_restates_for_whom_another_added_meanwhile(at, other, between):
    first = filed(X)
    a = await at.sent(first)
    adding, restating = updating(first, added=[Y]), updating(first, document=True, subject="V/v mới")
    between(restating, does(other, adding))
    await at.sent(restating)
    assert await at.told(a, "subject") == {X: "V/v mới", Y: "V/v mới"}


async def test_of_two_that_restate_the_one_written_last_stands_everywhere(at, other, between):
    first = filed(X, Y)
    a = await at.sent(first)
    one, two = (updating(first, document=True, subject=f"V/v {n}") for n in "12")
    between(one, does(other, two))
    await at.sent(one)
    assert await at.told(a, "subject") == {X: "V/v 1", Y: "V/v 1"}


async def test_a_revocation_reaches_whom_an_update_added_meanwhile(at, other, between):
    first = filed(X)
    a = await at.sent(first)
    gone = revoking(first, X, Y)
    between(gone, does(other, updating(first, added=[Y])))
    await at.sent(gone)
    assert await at.told(a, "state") == {X: "withdrawn", Y: "withdrawn"}


async def test_whom_an_update_removes_while_another_adds_him_is_removed(at, other, between):
    first = filed(X)
    a = await at.sent(first)
    removing = updating(first, removed=[Y])
    between(removing, does(other, updating(first, added=[Y])))
    await at.sent(removing)
    assert await at.told(a, "state") == {X: "waiting", Y: "withdrawn"}


async def test_a_replacement_of_two_letters_meets_both_as_they_are_now(at, other, between):
    old = [filed(X), filed(X)]
    sent = [await at.sent(one) for one in old]
    new = replacing([(one, ()) for one in old], X, Y)
    between(new, does(other, updating(old[1], added=[Y])))
    await at.sent(new)
    assert [await at.told(one, "state") for one in sent] == [
        {X: "withdrawn"}, {X: "withdrawn", Y: "withdrawn"},
    ]  # fmt: skip


async def test_what_the_sender_is_told_is_of_the_plan_that_was_carried_out(at, other, between):
    first = filed(X)
    await at.sent(first)
    adding = updating(first, added=[Y])
    between(adding, does(other, updating(first, added=[Y])))
    found = await at.send(adding)
    assert b"recipient_unchanged" in found.receipt


async def test_an_operation_sent_twice_at_the_same_moment_is_one(at, other, between):
    first = filed(X)
    a = await at.sent(first)
    adding = updating(first, added=[Y])
    between(adding, does(other, adding))
    found = await at.send(adding)
    assert found.replayed
    assert await at.journal(a, "added") == 1


async def test_many_at_once_by_two_processes(at, other):
    """Twelve updates and two judges: one order for all deliveries, whichever it is."""
    first = filed(X)
    a = await at.sent(first)
    codes = [f"H13.3{n}" for n in range(2, 8)]
    acts = [updating(first, document=True, subject=f"V/v {n}") for n in range(6)]
    acts += [updating(first, added=[code]) for code in codes]
    judging = asyncio.create_task(judged_until_cancelled(other))
    await asyncio.gather(*((at, other)[n % 2].sent(one) for n, one in enumerate(acts)))
    judging.cancel()
    await asyncio.gather(judging, return_exceptions=True)
    found = await at.told(a, "subject", "restated_by")
    assert found.keys() == {X, *codes}
    assert len(set(found.values())) == 1
    (newest,) = await fetch(
        at.dsn, "SELECT subject FROM letter WHERE restated AND sender = $1 ORDER BY id DESC LIMIT 1",
        (await at.rows(a))[X]["sender"],
    )  # fmt: skip
    assert {subject for subject, _ in found.values()} == {newest["subject"]}


async def judged_until_cancelled(at):
    while True:
        for policy in (LENIENT, requirements.DEFAULT):
            with contextlib.suppress(asyncio.TimeoutError):
                await at.judged(policy)


async def test_whom_an_update_adds_while_the_letter_is_judged_again(at, other, between):
    """Judged between plan and commit: the new delivery has the new class."""
    first = filed(X)
    a = await at.sent(first)
    adding = updating(first, added=[Y])
    between(adding, lambda: other.judged(LENIENT))
    await at.sent(adding)
    assert await at.told(a, "requirement", "class") == {X: ("met", "E"), Y: ("met", "E")}
    assert await at.ack(a, X, Y) == 2
    assert await at.tally() == {"E": 2}


async def test_the_relay_adds_by_the_newest_judgement(at, other, monkeypatch):
    """Judged after the relay took the operation up, and before it locked what it acts on."""
    first = filed(X)
    a = await at.sent(first)
    monkeypatch.setattr("exchange.broker.expand.INLINE_RECIPIENTS", 0)
    await at.sent(updating(first, added=[Y], document=True, subject="V/v mới"))
    monkeypatch.undo()
    lock = withdraw.documents.lock

    async def late(*given):
        await other.judged(LENIENT)
        await lock(*given)

    monkeypatch.setattr(withdraw.documents, "lock", late)
    assert await at.relay() == 2  # expanded, and done
    assert await at.told(a, "requirement", "class", "subject") == {
        X: ("met", "E", "V/v mới"), Y: ("met", "E", "V/v mới"),
    }  # fmt: skip


async def test_judged_again_while_an_update_adds(at, other, monkeypatch):
    """Examined before the update, written after it: the added delivery is judged like the others."""
    first = filed(X)
    a = await at.sent(first)
    write = rejudge._write

    async def late(*given):
        await other.sent(updating(first, added=[Y]))
        return await write(*given)

    monkeypatch.setattr(rejudge, "_write", late)
    await at.judged(LENIENT)
    assert await at.told(a, "class") == {X: "E", Y: "E"}


async def test_what_was_withdrawn_is_judged_again_and_stays_out(at):
    first = filed(X, Y, Z)
    a = await at.sent(first)
    await at.ack(a, Y)
    await at.say(a, "03", Z)
    await at.sent(revoking(first))
    await at.say(a, "15", Z)
    assert await at.tally() == {"N": 1, "recalled": 1}
    await at.judged(LENIENT)
    assert await at.told(a, "state", "counted_class") == {
        X: ("withdrawn", "X"), Y: ("withdrawn", "X"), Z: ("withdrawn", "E"),
    }  # fmt: skip
    assert await at.tally() == {"E": 1, "recalled": 1}


async def test_an_update_older_than_a_new_round_is_planned_on_the_new_round(at, other, between):
    first = filed(X)
    old = await at.sent(first)
    adding = updating(first, added=[Y])

    async def again():
        await other.say(old, "02", X)
        await other.sent(filed(X, number=first.number, document_id=first.document_id, subject="V/v lần 2"))

    between(adding, again)
    await at.sent(adding)
    assert await at.told(old, "state") == {X: "refused"}


async def test_one_who_names_a_document_that_is_not_there_means_no_other(at):
    """edXML, section 4.3: the id beside the operation goes first, and what it names is meant or nothing."""
    first = filed(X)
    a = await at.sent(first)
    wrong = {"target_document_id": "H13.01,2026/01/01,none", "document_id": first.document_id}
    acts = [
        revoking(first, **wrong, number=first.number, notation=first.notation),
        updating(first, added=[Y], **wrong),
    ]
    assert [(await at.send(one)).code for one in acts] == ["not_found"] * 2
    assert await at.told(a, "state") == {X: "waiting"}
