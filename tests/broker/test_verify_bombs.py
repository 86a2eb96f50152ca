"""Files that hang or bloat the parser: each gets its answer within its limits, and the next file is unaffected."""

import asyncio
import multiprocessing
import os

import pdf_bombs
import pdf_cases as cases
import pytest
from pyhanko.pdf_utils import generic

from exchange.broker import verify, verify_worker
from signing import pdf_write
from signing.verdict import TooComplexError

MESSAGE = b"<letter/>"
TOO_SLOW = "verification_too_slow"
TIGHT = verify.Limits(workers=1, quick_seconds=0.3, cpu_seconds=1, memory=700 << 20)


async def said(pool, raw):
    """What is remarked about a file, or which budget it exceeds; nothing about a good one."""
    try:
        examined = await verify.letter(pool, MESSAGE, [("a.pdf", raw)], cases.AT, repaired=False)
    except TooComplexError as problem:
        return [problem.limit]
    return cases.codes(examined.report)


async def passes(pool):
    examined = await verify.letter(pool, MESSAGE, [("b.pdf", cases.by_both())], cases.AT, repaired=False)
    return [verdict.passed for verdict in examined.report.verdicts] == [True, True]


def children():
    return {child.pid for child in multiprocessing.active_children()}


BUDGETS = {
    "object stream that unpacks to 160 MB": "unreadable_pdf",
    "table that unpacks to 160 MB": "unreadable_pdf",
    "table that names itself": "unreadable_pdf",
    "arrays in arrays": "unreadable_pdf",
    "twenty thousand revisions": "revisions",
    "sixty-five revisions": "revisions",
    "thirty thousand fields": "form_fields",
    "nine signatures": "signatures",
    "container of openings": None,
    "many ranges": "hidden_signature",
}
"""What is said at least about some of them."""


async def test_quick_bombs_are_answered_by_one_worker_and_harm_nobody():
    before = children()
    async with verify.VerifyPool(
        cases.TRUST, verify.Limits(workers=1, quick_seconds=60, memory=700 << 20)
    ) as pool:
        assert await passes(pool)
        worker = children() - before
        for name, make in pdf_bombs.QUICK.items():
            heard = await said(pool, make())
            assert TOO_SLOW not in heard, name
            assert BUDGETS.get(name) in {None, *heard}, (name, heard)
            assert await passes(pool), name
        assert BUDGETS.keys() <= pdf_bombs.QUICK.keys()
        assert worker <= children()


@pytest.mark.parametrize(
    "name", ["string of 20 MB", pytest.param("names of many objects", marks=pytest.mark.long)]
)
async def test_processor_time_ends_a_slow_bomb_and_not_its_worker(name):
    before = children()
    limits = verify.Limits(workers=1, quick_seconds=60, cpu_seconds=1)
    async with verify.VerifyPool(cases.TRUST, limits) as pool:
        assert await passes(pool)
        worker = children() - before
        assert await said(pool, pdf_bombs.SLOW[name]()) == [TOO_SLOW]
        assert await passes(pool)
        assert children() - before == worker


def priorities(processes):
    return {os.getpriority(os.PRIO_PROCESS, process) for process in processes}


async def test_a_slow_file_leaves_the_quick_lane_to_others():
    before = children()
    async with verify.VerifyPool(cases.TRUST, TIGHT) as pool:
        bombs = [asyncio.create_task(said(pool, pdf_bombs.SLOW["string of 20 MB"]())) for _ in range(2)]
        seen = set()
        while verify_worker.LOWEST_PRIORITY not in seen:
            assert await passes(pool)
            assert not all(bomb.done() for bomb in bombs)
            seen |= priorities(children() - before)
        assert min(seen) < verify_worker.LOWEST_PRIORITY
        assert await asyncio.gather(*bombs) == [[TOO_SLOW]] * 2
        assert await passes(pool)
        for _ in range(100):  # one that was killed is a child until it is reaped
            if len(children() - before) == 1:
                break
            await asyncio.sleep(0.05)
        assert verify_worker.LOWEST_PRIORITY not in priorities(children() - before)


@pytest.mark.parametrize("limits, workers", [({"files": 2}, 2), ({"resident": 1}, 3), ({}, 1)])
async def test_workers_are_renewed_after_many_files_and_when_grown(limits, workers):
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1, **limits)) as pool:
        seen = []
        for _ in range(3):
            assert await passes(pool)
            free = await pool._quick.taken()
            seen.append(free.process)
            pool._quick.free.put_nowait(free)
    assert len(set(seen)) == workers


async def test_a_file_that_is_slow_but_good_passes_all_the_same():
    def fill(writer):
        notes = [writer.add_object(generic.DictionaryObject()) for _ in range(2000)]
        writer.root[generic.pdf_name("/Names")] = generic.ArrayObject(notes)
        writer.update_root()

    signed = pdf_write.sign(
        cases.updated(cases.page(), fill), cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan"
    )
    limits = verify.Limits(workers=1, quick_seconds=0.05)
    async with verify.VerifyPool(cases.TRUST, limits) as pool:
        found = await asyncio.gather(
            *(
                verify.letter(
                    pool, MESSAGE, [("a.pdf", cases.by_organisation(signed))], cases.AT, repaired=False
                )
                for _ in range(2)
            )
        )
    assert [[verdict.passed for verdict in one.report.verdicts] for one in found] == [[True, True]] * 2


async def test_slow_files_of_one_sender_leave_workers_and_places_to_others():
    limits = verify.Limits(quick_seconds=0.2, cpu_seconds=1)
    async with verify.VerifyPool(cases.TRUST, limits) as pool:
        bad, good, raw = pool.of("bad"), pool.of("good"), pdf_bombs.SLOW["string of 20 MB"]()
        pool._turns.blame("bad")
        bombs = [asyncio.create_task(said(bad, raw)) for _ in range(3)]
        for _ in range(10):
            assert await passes(good)
            assert pool._quick.free.qsize() == 2  # they wait behind
        assert await said(good, raw) == [TOO_SLOW]
        assert not all(bomb.done() for bomb in bombs)  # it had a place of its own
        assert await asyncio.gather(*bombs) == [[TOO_SLOW]] * 3
