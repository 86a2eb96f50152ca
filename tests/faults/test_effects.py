"""Effects of operations on more than a hundred deliveries: killed half-way, done by two at once, on letters not expanded yet."""

import asyncio
import os
import signal

import pytest
from acting import acting, filed
from correspondence import desk, eventually, letter, replacing, revoking, updating
from faults.moments import until
from province import KINDS, fetch

from exchange.broker import decisions, expand, withdraw

COMMUNES = tuple(sorted(code for code, kind in KINDS.items() if kind in {"commune", "district_unit"}))
MANY = COMMUNES[:101]
SLOW = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
CREATE TRIGGER dawdling BEFORE INSERT ON journal FOR EACH ROW WHEN (NEW.event IN ('withdrawn', 'added', 'updated')) EXECUTE FUNCTION dawdle();
"""
"""Makes the transaction of effects last a second, so that it is met half-way."""
ACTS = {
    "revoke": revoking,
    "update": lambda said: updating(said, added=COMMUNES[101:202], document=True, subject="V/v mới"),
    "replace": lambda said: replacing([(said, ())], number=said.number, notation=said.notation),
}


async def asleep(dsn):
    query = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
    return (await fetch(dsn, query))[0]["n"] > 0


async def test_workers_killed_in_the_middle_of_an_update(server):
    await killed_during(server, ["update"])


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_workers_killed_in_the_middle_of_every_operation(server):
    await killed_during(server, ACTS)


async def killed_during(server, kinds):
    """All workers, once for each operation: nothing is half done, and whoever comes next does it once."""
    for statement in SLOW.strip().split("\n"):
        await fetch(server.dsn, statement)
    async with desk(server) as at:
        for kind in kinds:
            said = letter(*MANY)
            first = await at.sent(said)
            await eventually(lambda first=first: _states(at, first), {"waiting"})
            second = await at.sent(ACTS[kind](said))
            assert await until(lambda: asleep(server.dsn)), kind
            for process in server.workers():
                os.kill(process, signal.SIGKILL)
            assert await until(lambda second=second: _done(server.dsn, second), 60), kind
            assert await _states(at, first) == {"waiting" if kind == "update" else "withdrawn"}
            told = await at.journal(first)
            found = [told.get(event, 0) for event in ("withdrawn", "added", "updated")]
            assert found == ([0, 101, 101] if kind == "update" else [len(MANY), 0, 0])
    checked = server.congvan("check", "--json")
    assert checked.returncode == 0, checked.stdout


async def _states(at, about):
    return set((await at.states(about)).values())


async def _done(dsn, about):
    query = "SELECT effected_at IS NOT NULL AS done FROM letter WHERE id = $1::text::uuid"
    return (await fetch(dsn, query, about["letter"]))[0]["done"]


@pytest.fixture
async def two(province, province_database, tmp_path):
    """Two processes on one database; at the end the self-check is content, and nobody waited in a circle."""
    async with (
        acting(province, province_database, tmp_path) as one,
        acting(province, province_database, tmp_path) as other,
    ):
        yield one, other
        assert await one.faults() == []
        query = "SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()"
        assert (await fetch(one.dsn, query))[0]["n"] == 0


async def relayed(*processes):
    await asyncio.gather(*(one.relay() for one in processes))


async def test_two_relays_do_each_effect_once(two, monkeypatch):
    """Chunk by chunk, and both from the first one on."""
    monkeypatch.setattr(withdraw, "CHUNK", 7)
    monkeypatch.setattr(expand, "CHUNK", 9)
    one, other = two
    said = filed(*MANY)
    first = await one.sent(said)
    await one.sent(
        updating(said, added=COMMUNES[101:140], removed=MANY[:20], document=True, subject="V/v mới")
    )
    await relayed(one, other, one, other)
    await other.sent(revoking(said, *COMMUNES[:140]))
    await relayed(one, other, one, other)
    assert set((await one.told(first, "state")).values()) == {"withdrawn"}
    assert set((await one.told(first, "subject")).values()) == {said.subject, "V/v mới"}
    assert [await one.journal(first, event) for event in ("withdrawn", "added", "updated")] == [140, 39, 81]


async def test_a_relay_that_is_cut_off_anywhere_leaves_the_rest_to_the_next(two, monkeypatch):
    """Its connection is gone in the middle of a chunk, again and again."""
    monkeypatch.setattr(withdraw, "CHUNK", 10)
    one, other = two
    said = filed(*MANY)
    first = await one.sent(said)
    await expand.all_waiting(one.exchange)
    await one.sent(revoking(said))
    advance, cut = withdraw.stored.advance, []

    async def torn(connection, *given):
        if len(cut) < 4:
            cut.append(given[2])
            connection.terminate()
        return await advance(connection, *given)

    monkeypatch.setattr(withdraw.stored, "advance", torn)
    for _ in range(4):
        with pytest.raises(Exception, match=r"."):
            await withdraw.all_waiting(one.exchange)
    await withdraw.all_waiting(other.exchange)
    assert cut == [10] * 4
    assert set((await one.told(first, "state")).values()) == {"withdrawn"}
    assert await one.journal(first, "withdrawn") == len(MANY)


async def test_operations_on_a_letter_that_is_not_expanded_yet(two):
    """They wait for its deliveries, and are done in the order in which they came."""
    one, other = two
    said = filed(*MANY)
    first = await one.sent(said)
    await one.sent(updating(said, removed=MANY[:2], added=["H13.31"]))
    await other.sent(updating(said, document=True, subject="V/v mới", added=["H13.32"]))
    await one.sent(revoking(said, "H13.31", MANY[5]))
    assert await withdraw.all_waiting(one.exchange) == 0
    await relayed(one, other)
    states = await one.told(first, "state")
    gone = {code for code, state in states.items() if state == "withdrawn"}
    assert gone == {*MANY[:2], "H13.31", MANY[5]}
    shown = await one.told(first, "subject")
    assert {shown[code] for code in states if code not in gone} == {"V/v mới"}
    assert len(states) == len(MANY) + 2


async def test_a_new_round_while_a_revocation_waits(two, monkeypatch):
    """What all recipients refused may be sent again; the revocation was of the round that it met."""
    one, other = two
    said = filed("H13.31", "H13.32")
    first = await one.sent(said)
    monkeypatch.setattr(expand, "INLINE_RECIPIENTS", 0)
    gone = revoking(said)
    await one.sent(gone)
    monkeypatch.undo()
    for code in ("H13.31", "H13.32"):
        assert await other.say(first, "02", code) == ""
    second = await other.sent(
        filed("H13.31", "H13.32", number=said.number, document_id=said.document_id, file=b"2")
    )
    await relayed(one, other)
    assert set((await one.told(first, "state")).values()) == {"refused"}
    assert set((await one.told(second, "state")).values()) == {"waiting"}
    await one.sent(revoking(gone, target_document_id=said.document_id))
    assert set((await one.told(second, "state")).values()) == {"withdrawn"}


async def test_nobody_revokes_an_operation(two):
    one, _ = two
    said = filed("H13.31")
    first = await one.sent(said)
    for act in (revoking(said, "H13.31"), updating(said, document=True, subject="V/v mới")):
        await one.sent(act)
        found = await one.send(revoking(act, target_document_id=act.document_id))
        assert isinstance(found, decisions.Refused)
        assert found.code == "not_found"
    assert await one.told(first, "state") == {"H13.31": "withdrawn"}
