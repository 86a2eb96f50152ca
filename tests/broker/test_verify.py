import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from functools import cache
from pathlib import Path

import pdf_cases as cases
import pytest
from pyhanko.pdf_utils import generic

from exchange.broker import verify
from signing import pdf_write, seal, trust
from signing.verdict import Remark, TooComplexError

MESSAGE = b"<letter><subject>Th\xe1\xbb\xad</subject></letter>"


@cache
def message():
    return seal.sign_xml(MESSAGE, cases.ORGANISATION_KEY, cases.ORGANISATION, at=cases.SIGNED_AT)


@cache
def slow_file():
    """A file of 30,000 objects with two signatures: a second or more to examine."""

    def fill(writer):
        notes = [writer.add_object(generic.DictionaryObject()) for _ in range(30_000)]
        writer.root[generic.pdf_name("/Names")] = generic.ArrayObject(notes)
        writer.update_root()

    full = cases.updated(cases.page(), fill)
    signed = pdf_write.sign(full, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan")
    return cases.by_organisation(signed)


async def examined(pool, *attachments, raw=MESSAGE, repaired=False):
    files = [(f"{number}.pdf", content) for number, content in enumerate(attachments)]
    return told(await verify.letter(pool, raw, files, cases.AT, repaired=repaired))


def told(one):
    """Verdicts and remarks."""
    return one.report.verdicts, one.report.remarks


def children():
    return {child.pid for child in multiprocessing.active_children()}


def gone(process, seconds=10.0):
    """Whether a process ends in time; nobody may be there to reap it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


async def test_the_package_first_then_each_pdf_in_order():
    files = [
        ("van-ban.pdf", cases.by_both()),
        ("phu-luc.xlsx", b"PK\x03\x04"),
        ("chu-ky.P7S", b"\x30\x82"),
        ("hong.pdf", b"%PDF-1.7 broken"),
        ("phu-luc.pdf", b"\n" + cases.page()),
        ("ky-lai.pdf", cases.by_person()),
    ]
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1)) as pool:
        verdicts, remarks = told(await verify.letter(pool, message(), files, cases.AT, repaired=False))
    assert [verdict.where for verdict in verdicts] == [
        "package",
        "van-ban.pdf",
        "van-ban.pdf",
        "chu-ky.P7S",
        "ky-lai.pdf",
    ]
    assert [verdict.why for verdict in verdicts if not verdict.passed] == ["p7_damaged"]
    assert [verdict.changes_after for verdict in verdicts[1:3]] == [("signature",), ()]
    assert [(remark.code, remark.where) for remark in remarks] == [
        ("zip_not_examined", "phu-luc.xlsx"),
        ("unreadable_pdf", "hong.pdf"),
        ("unreadable_pdf", "phu-luc.pdf"),
    ]


async def test_workers_start_when_needed_and_end_with_the_pool():
    before = children()
    limits = verify.Limits(workers=2, quick_seconds=60)
    async with verify.VerifyPool(cases.TRUST, limits) as pool:
        await examined(pool, b"no pdf", raw=message())
        assert children() == before
        await examined(pool, cases.page(), cases.page())
        first = children() - before
        assert len(first) == 1
        await asyncio.gather(*(examined(pool, slow_file()) for _ in range(2)))
        assert len(children() - before) == 2
        assert first < children()
    assert children() == before


async def test_a_killed_worker_harms_neither_its_file_nor_later_ones():
    before = children()
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1)) as pool:
        await examined(pool, cases.page())
        (idle,) = children() - before
        os.kill(idle, signal.SIGKILL)
        assert (await examined(pool, cases.by_person()))[0][0].passed

        (busy,) = children() - before
        assert busy != idle
        work = asyncio.create_task(examined(pool, slow_file()))
        await asyncio.sleep(0.3)
        assert not work.done()
        os.kill(busy, signal.SIGKILL)
        verdicts, remarks = await work
        assert [verdict.passed for verdict in verdicts] == [True, True]
        assert remarks == ()
        assert busy not in children()


async def test_a_worker_that_died_while_idle_is_given_no_second_file():
    before = children()
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1, quick_seconds=60)) as pool:
        for _ in range(2):  # it has answered before
            await examined(pool, cases.page())
        (idle,) = children() - before
        os.kill(idle, signal.SIGKILL)
        for _ in range(200):
            if pool._quick.free._queue[0].executor._broken:
                break
            await asyncio.sleep(0.02)
        for _ in range(3):
            verdicts, remarks = await examined(pool, cases.by_person())
            assert (verdicts[0].passed, remarks) == (True, ())
        assert idle not in children()


async def test_letters_sent_at_once_pass_no_turn_of_a_slow_sender():
    """Who is blamed while his other files wait with everybody else's waits anew, in the lane behind, for his own."""
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1, quick_seconds=60)) as pool:
        order, taken, behind = [], await pool._quick.taken(), await pool._behind.taken()

        async def sent(name):
            await examined(pool.of(name), cases.page())
            order.append(name)

        letters = [asyncio.create_task(sent(name)) for name in ("bad", "bad", "bad", "good")]
        await asyncio.sleep(0.05)
        pool._turns.blame("bad")
        pool._quick.free.put_nowait(taken)
        await letters[-1]
        assert order == ["good"]
        pool._behind.free.put_nowait(behind)
        await asyncio.gather(*letters)
    assert order == ["good", "bad", "bad", "bad"]


async def test_waiting_for_a_worker_has_its_limit():
    limits = verify.Limits(workers=1, seconds=0.3)
    async with verify.VerifyPool(cases.TRUST, limits) as pool:
        taken = await pool._quick.taken()
        code = (await examined(pool, cases.by_person()))[1][0].code
        assert code == "verification_timeout"
        assert await pool.first_page(cases.page()) == ""
        pool._quick.free.put_nowait(taken)
        assert await passes(pool)
        pool._turns.blame("bad")
        async with pool._turns.quick("bad"):
            code = (await examined(pool.of("bad"), cases.by_person()))[1][0].code
        assert code == "verification_timeout"
        assert await passes(pool.of("bad"))


async def passes(pool):
    """Whether a file passes once there is a worker; on a busy machine one may not come in time at the first try."""
    while not (found := (await examined(pool, cases.by_person()))[0]):
        pass
    return found[0].passed


async def test_a_file_that_takes_too_long_costs_its_worker():
    before = children()
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1, seconds=0.25)) as pool:
        await examined(pool, cases.page())
        (hung,) = children() - before
        assert await examined(pool, slow_file(), cases.by_person()[:900]) == (
            (),
            (
                Remark(code="verification_timeout", where="0.pdf"),
                Remark(code="unreadable_pdf", where="1.pdf"),
            ),
        )
        assert hung not in children()
        assert len(children() - before) <= 2  # one in each lane


async def test_a_letter_has_its_own_limit():
    async with verify.VerifyPool(cases.TRUST, verify.Limits(letter_seconds=0.0)) as pool:
        before = children()
        verdicts, remarks = await examined(pool, cases.by_person(), raw=message())
        assert children() == before
    assert [verdict.where for verdict in verdicts] == ["package"]
    assert remarks == (Remark(code="verification_timeout", where="0.pdf"),)


async def test_a_worker_without_memory_is_replaced():
    how_it_ends = ("memory", "verification_failed")  # as it works, as it is handed over

    async def code(pool, content):
        try:
            return (await examined(pool, content))[1][0].code
        except TooComplexError as problem:
            return str(problem)

    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1, memory=400 << 20)) as pool:
        huge = cases.page().replace(b"startxref", b"%" * (160 << 20) + b"\nstartxref")
        assert await code(pool, huge) in how_it_ends
        assert (await examined(pool, cases.by_person()))[0][0].passed


async def test_a_budget_is_the_letters_fault_and_keeps_the_worker():
    before = children()
    stamped = cases.page()
    for _ in range(64):
        stamped = pdf_write.stamp(stamped, "x")
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1)) as pool:
        await examined(pool, cases.page())
        worker = children() - before
        with pytest.raises(TooComplexError, match="revisions ≤ 64"):
            await examined(pool, stamped)
        os.kill(*worker, signal.SIGINT)
        assert (await examined(pool, cases.by_person()))[0][0].passed
        assert children() - before == worker


async def test_a_new_trust_set_is_used_at_once():
    revoked = trust.load(cases.TRUSTED, cases.lists({1: cases.SIGNED_AT}))
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1)) as pool:
        assert (await examined(pool, cases.by_person()))[0][0].passed
        pool.trust = revoked
        assert (await examined(pool, cases.by_person()))[0][0].why == "certificate_revoked"


async def test_giving_up_on_a_letter_frees_the_worker():
    before = children()
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1)) as pool:
        for pause in (0.05, 0.0, 1.0):  # while it starts, before, and while it works
            work = asyncio.create_task(examined(pool, slow_file()))
            await asyncio.sleep(pause)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work
        assert (await examined(pool, cases.by_person()))[0][0].passed
    for _ in range(100):  # one that was killed is a child until it is reaped
        if children() == before:
            break
        await asyncio.sleep(0.05)
    assert children() == before


async def test_large_messages_and_what_is_no_xml():
    async with verify.VerifyPool(cases.TRUST) as pool:
        large = seal.sign_xml(
            b"<letter>" + b"a" * verify.INLINE_BYTES + b"</letter>",
            cases.ORGANISATION_KEY,
            cases.ORGANISATION,
            at=cases.SIGNED_AT,
        )
        (verdict,), _ = await examined(pool, raw=large)
        assert verdict.passed
        (verdict,), _ = await examined(pool, raw=message(), repaired=True)
        assert not verdict.passed
        with pytest.raises(ValueError):  # noqa: PT011 - signing.xmldsig's own error is one
            await examined(pool, raw=b"%PDF-1.7")


PARENT = """
    import asyncio, multiprocessing, sys, time
    from datetime import UTC, datetime
    from exchange.broker import verify
    from signing import pdf_write, trust

    async def main():
        pool = verify.VerifyPool(trust.Trust(), verify.Limits(workers=1))
        await verify.letter(pool, b"<a/>", [("a.pdf", pdf_write.blank(["a"]))], datetime.now(UTC), repaired=False)
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(60)

    if __name__ == "__main__":
        asyncio.run(main())
"""


def test_a_worker_ends_with_its_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent(PARENT), encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as parent:
        worker = int(parent.stdout.readline())
        assert not gone(worker, seconds=0.1)
        parent.kill()
        assert gone(worker)
