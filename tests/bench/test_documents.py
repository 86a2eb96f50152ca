"""What it costs a letter to be the first of its document: commits with and without a key, in turns."""

import asyncio
import statistics
import time
from itertools import count
from uuid import uuid4

import pytest
from store.test_commit import committing, letter_row, submission

ROUNDS, LETTERS = 24, 256
MOST = 1.15
NUMBERS = count(1)


@pytest.mark.bench
async def test_a_key_costs_a_commit_next_to_nothing(database):
    async with committing(database) as committer:
        await _span(committer, keyed=True)
        ratios = []
        for turn in range(ROUNDS):
            order = (True, False) if turn % 2 else (False, True)
            spans = {keyed: await _span(committer, keyed=keyed) for keyed in order}
            ratios.append(spans[True] / spans[False])
    told = statistics.median(ratios)
    print(f"commit of {LETTERS} letters with keys takes {told:.3f} of the time without")
    assert told <= MOST


async def _span(committer, *, keyed):
    made = []
    for _ in range(LETTERS):
        number = next(NUMBERS)
        key = {"issued_year": 2026, "number_key": str(number), "notation_key": "UBND", "first_of_key": True}
        made.append(submission(letter_row(str(number), id=uuid4(), **(key if keyed else {}))))
    start = time.perf_counter()
    outcomes = await asyncio.gather(*map(committer.submit, made))
    span = time.perf_counter() - start
    assert {one.kind for one in outcomes} == {"stored"}
    return span
