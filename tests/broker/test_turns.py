"""Turns in the verify pool: who sent a slow file waits for himself, nobody else does."""

import asyncio

import pytest

from exchange.broker.turns import Turns


async def inside(turn, leaving, log, name):
    async with turn:
        log.append(name)
        await leaving.wait()


async def begun(*tasks):
    """Who got in, after everybody had time to try."""
    made = [asyncio.create_task(one) for one in tasks]
    for _ in range(5):
        await asyncio.sleep(0)
    return made


async def test_only_who_sent_a_slow_file_waits_and_only_for_himself():
    turns, leaving, log = Turns(2), asyncio.Event(), []
    made = await begun(*(inside(turns.quick("good"), leaving, log, f"good {n}") for n in range(2)))
    turns.blame("slow")
    assert turns.blamed("slow")
    assert not turns.blamed("good")
    made += await begun(*(inside(turns.quick("slow"), leaving, log, f"slow {n}") for n in range(2)))
    made += await begun(inside(turns.quick("good"), leaving, log, "good 2"))
    assert log == ["good 0", "good 1", "slow 0", "good 2"]
    leaving.set()
    await asyncio.gather(*made)
    assert log[-1] == "slow 1"


async def test_a_slow_sender_is_forgotten_after_a_while():
    turns = Turns(2, remembered=0.02)
    turns.blame("slow")
    await asyncio.sleep(0.03)
    assert not turns.blamed("slow")
    turns.blame("other")
    assert turns._slow_until.keys() == {"other"}


async def test_one_sender_holds_one_patient_place():
    turns, leaving, log = Turns(2), asyncio.Event(), []
    assert turns.patient_at_once("slow")
    made = await begun(*(inside(turns.patient("slow", 60), leaving, log, f"slow {n}") for n in range(3)))
    assert not turns.patient_at_once("slow")
    assert turns.patient_at_once("other")
    made += await begun(inside(turns.patient("other", 60), leaving, log, "other"))
    assert log == ["slow 0", "other"]
    assert not turns.patient_at_once("third")
    leaving.set()
    await asyncio.gather(*made)
    assert log[2:] == ["slow 1", "slow 2"]


async def test_whoever_gives_up_waiting_leaves_nothing_behind():
    turns, leaving, log = Turns(1), asyncio.Event(), []
    made = await begun(inside(turns.patient("slow", 60), leaving, log, "slow"))
    for who in ("slow", "other"):  # for himself, for a place
        with pytest.raises(TimeoutError):
            await inside(turns.patient(who, 0.01), leaving, log, "never")
    leaving.set()
    await asyncio.gather(*made)
    assert turns.patient_at_once("slow")
    assert turns.patient_at_once("other")
    await turns.emptied(1)
    assert not turns.patient_at_once("other")
