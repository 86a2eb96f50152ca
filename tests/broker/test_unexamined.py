"""Letters whose files could not be examined in time: accepted, and judged again by themselves; a busy moment loses nothing."""

import asyncio
import contextlib
import dataclasses
import functools
import hashlib
import types
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pdf_cases as cases
import pytest
from acting import acting
from province import fetch
from rejudging import classes, history, newer, now, serial

from exchange import config, texts
from exchange.broker import (
    evidence,
    evidence_check,
    examined,
    recheck,
    rejudge,
    rejudged,
    verify,
    verify_worker,
    written,
)
from exchange.cli import evidence as cli
from exchange.edxml import attachments, read
from exchange.rules import requirements
from exchange.store import evidence as evidence_rows
from exchange.store import insert, payloads, rejudgements, rows
from signing.verdict import Coverage, Indication, Remark, Report, SubIndication, Verdict

CODE = "H13.01"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def at(province, province_database, tmp_path):
    async with acting(province, province_database, tmp_path) as one:
        yield one
        assert await one.faults() == []


@contextlib.asynccontextmanager
async def busy(at):
    """No worker is free as long as this lasts, and nobody waits long."""
    pool, limits = at.exchange.verifier, at.exchange.verifier.limits
    pool.limits = dataclasses.replace(limits, seconds=0.2)
    taken = [await pool._quick.taken() for _ in range(limits.workers)]
    try:
        yield
    finally:
        for one in taken:
            pool._quick.free.put_nowait(one)
        pool.limits = limits


async def turn(at, after):
    """What is due that long after now is judged again."""
    bench = dataclasses.replace(rejudge.bench(at.exchange), clock=lambda: now() + after)
    return await recheck.turn(bench)


async def due(at):
    return [tuple(one) for one in await fetch(at.dsn, "SELECT cause, tries FROM rejudgement_due")]


async def given_up(at):
    """What is due is tried until nobody tries it any more, over half a day or so; how often that was."""
    after, tried = timedelta(), 0
    while await due(at):
        after, tried = 5 * after + 2 * MINUTE, tried + 1
        assert (await turn(at, after)).letters == 0
    assert timedelta(hours=1) < after < timedelta(days=10)
    return tried


async def standing(at, letter):
    (row,) = await fetch(at.dsn, "SELECT requirement FROM letter WHERE id = $1::text::uuid", letter)
    return row["requirement"]


async def test_a_letter_sent_in_a_busy_moment_is_judged_again_by_itself(at):
    async with busy(at):
        receipt = await at.sent(at.province.letter(1, sender=CODE))
    letter = receipt["letter"]
    assert (await standing(at, letter), await history(at.dsn, letter)) == ("not_met", [])
    assert await at.ack(receipt, "H13.02") == 1
    assert await classes(at.dsn, CODE) == {"N": 1}
    assert (await turn(at, timedelta())).letters == 0
    assert await due(at) == [("unexamined", 0)]
    async with busy(at):
        assert (await turn(at, 2 * MINUTE)).letters == 0
    assert await due(at) == [("unexamined", 1)]
    assert dict((await turn(at, 6 * MINUTE)).counted) == {("N", "E"): 1}
    assert await due(at) == []
    assert await standing(at, letter) == "met"
    assert await classes(at.dsn, CODE) == {"E": 1}
    assert len((await history(at.dsn, letter))[0]) == 2
    (line,) = await fetch(at.dsn, "SELECT cause FROM judgement")
    assert line["cause"] == "unexamined"
    assert (await at.send(at.province.letter(2, sender=CODE))).letter
    assert await due(at) == []


async def checked(at, letter, folder):
    """Its evidence as an auditor finds it, who knows the exchange's key and trusts whom it trusts."""
    async with at.exchange.pool.acquire() as connection:
        row = await evidence_rows.letter(connection, UUID(letter))
        package = await evidence.gathered(
            connection, row, await evidence_rows.deliveries(connection, row["id"], None), None
        )
        raw = await payloads.get(connection, at.exchange.payload_folder, row["id"])
        sealed = evidence.Seal(key=at.exchange.receipt_key, at=now(), codes={})
        fetched = functools.partial(evidence_rows.document, connection)
        with (folder / "evidence.zip").open("wb") as file:
            await evidence.write(evidence.with_bytes(package, raw), sealed, fetched, file)
    auditor = evidence_check.Auditor(
        trust_files=config.files(at.province.folder / "trust"),
        expected=[evidence_check.Expected(sha256=at.exchange.receipt_key.key_id)],
    )
    return evidence_check.check(folder / "evidence.zip", auditor)


async def test_the_evidence_of_what_was_not_examined_is_sound_and_says_so(at, tmp_path):
    async with busy(at):
        letter = (await at.sent(at.province.letter(1, sender=CODE)))["letter"]
    found = await checked(at, letter, tmp_path)
    assert (found.standing, found.faults) == ("sound", ())
    assert {(one.examined, one.recorded) for one in found.signatures} == {(False, None)}
    said = [texts.say(f"evidence.{key}", "vi", **facts) for key, facts in cli._sentences(found)]
    assert sum("chưa kiểm tra được" in one for one in said) == len(found.signatures) == 2
    assert (await turn(at, 2 * MINUTE)).letters == 1
    found = await checked(at, letter, tmp_path)
    assert found.standing == "sound"
    assert {(one.examined, one.recorded) for one in found.signatures} == {(True, "TOTAL_PASSED")}


async def test_what_cannot_be_examined_for_half_a_day_is_left_as_it_stands(at):
    async with busy(at):
        receipt = await at.sent(at.province.letter(1, sender=CODE))
        assert await given_up(at) == rejudge.MOST_TRIES
    assert await standing(at, receipt["letter"]) == "not_met"


async def test_what_is_judged_again_takes_no_turns_with_what_its_sender_sends_now(at):
    await at.sent(at.province.letter(1, sender=CODE))
    pool, system = at.exchange.verifier, (await at.caller(CODE)).system
    pool.limits = dataclasses.replace(pool.limits, seconds=2.0)
    pool._turns.blame(system)
    async with pool._turns.quick(system), pool._turns.patient(system, 1):
        assert (await at.judged()).letters == 1


async def test_who_waits_for_nothing_but_time_goes_behind_the_others(at):
    async with at.exchange.pool.acquire() as connection:
        causes = ["unexamined"] * 3 + ["trust", "asked"]
        await insert.rows(
            connection,
            [
                rows.DueRow(sender=uuid4(), letter=uuid4(), cause=cause, rejudgement=uuid4(), due_at=now())
                for cause in causes
            ],
        )
        later = now() + MINUTE
        took = [await rejudgements.take(connection, later, 16) for _ in range(4)]
        await connection.execute("DELETE FROM rejudgement_due")
    assert [sorted(one.cause for one in each) for each in took] == [
        ["asked", "trust"],
        ["unexamined"] * rejudgements.FEW,
        ["unexamined"],
        [],
    ]


POSTPONED = {
    "verification_timeout": True,
    "verification_failed": True,
    "verification_too_slow": False,
    "unreadable_pdf": False,
}


@pytest.mark.parametrize("code", POSTPONED)
def test_only_what_tells_of_the_moment_makes_a_letter_due(code):
    moment = types.SimpleNamespace(ids=types.SimpleNamespace(new=uuid4))
    letter = types.SimpleNamespace(sender=uuid4(), id=uuid4())
    said = (Remark(code="other", where="a.pdf"), Remark(code=code, where="b.pdf"))
    decided = types.SimpleNamespace(report=Report(remarks=said), at=now())
    found = list(written._due(moment, decided, letter))
    assert [one.due_at - decided.at for one in found] == [MINUTE] * POSTPONED[code]


@pytest.mark.parametrize("cause", ["unexamined", "asked"])
@pytest.mark.parametrize("code", POSTPONED)
@pytest.mark.parametrize(
    "before", [{"place": "b.pdf", "carrier": ""}, {"place": "a.pdf", "carrier": "b.p7s"}]
)
def test_a_file_that_is_too_slow_now_keeps_what_was_found_in_it_before(code, before, cause):
    where, before = (
        before["carrier"] or before["place"],
        {**before, "certificate_sha256": hashlib.sha256(b"x").digest()},
    )
    told = verdict(before["place"], carrier=before["carrier"])
    for name, known in ((where, True), ("c.pdf", False)):
        for again in ((), (verdict("other"), verdict(before["place"], certificate=b"y")), (told,)):
            said = Report(verdicts=again, remarks=(Remark(code=code, where=name),))
            lost = known and told not in again
            waits = POSTPONED[code] and cause == "unexamined"
            uncertain = waits or (lost and code != "unreadable_pdf")
            assert examined._uncertain(types.SimpleNamespace(report=said), [before], cause) == uncertain


@pytest.mark.parametrize("certificate", [b"", None])
def test_a_signature_without_a_certificate_is_found_again_too(certificate):
    before = {"place": "b.pdf", "carrier": "", "certificate_sha256": certificate}
    said = Report(
        verdicts=(verdict("b.pdf", certificate=b""),),
        remarks=(Remark(code="verification_timeout", where="b.pdf"),),
    )
    assert not examined._uncertain(types.SimpleNamespace(report=said), [before], "asked")


def heavy(raw):
    """The letter with a signature file that signs nothing, which no worker ever examines (`exhausting`)."""
    said = read.read(raw).message
    more = attachments.encode("nang.p7s", b"0" * 60_000, "application/pkcs7-signature")
    return dataclasses.replace(said, attachments=(*said.attachments, more))


@pytest.fixture
def exhausting(monkeypatch):
    """One file costs every worker its life."""
    examine = verify.VerifyPool.examine

    async def dies(self, trusted, file, *more):
        if file.where == "nang.p7s":
            return Report(remarks=(Remark(code="verification_failed", where=file.where),))
        return await examine(self, trusted, file, *more)

    monkeypatch.setattr(verify.VerifyPool, "examine", dies)


async def test_a_file_that_never_can_be_examined_keeps_no_revocation_from_its_letter(at, exhausting):
    said = heavy(at.province.letter(1, sender=CODE))
    receipt = await at.sent(said, main=said.attachments[0].name)
    letter, pool = receipt["letter"], at.exchange.verifier
    assert await at.ack(receipt, "H13.02") == 1
    assert await standing(at, letter) == "met"
    assert await given_up(at) == rejudge.MOST_TRIES
    pool.trust = newer(at.province, {serial(at.province, CODE): now() - timedelta(hours=1)})
    assert dict((await at.judged(requirements.DEFAULT)).counted) == {("E", "N"): 1}
    assert await classes(at.dsn, CODE) == {"N": 1}
    assert len(await history(at.dsn, letter)) == 2
    assert await due(at) == [("unexamined", 1)]
    assert await given_up(at) == rejudge.MOST_TRIES - 1


async def test_what_is_judged_for_another_reason_in_a_busy_moment_too_is_examined_later(at):
    async with busy(at):
        receipt = await at.sent(at.province.letter(1, sender=CODE))
        assert (await at.judged(requirements.DEFAULT)).letters == 1
        assert await due(at) == [("unexamined", 1)]
    assert await standing(at, receipt["letter"]) == "not_met"
    assert (await turn(at, 2 * MINUTE)).letters == 1
    assert (await due(at), await standing(at, receipt["letter"])) == ([], "met")


def verdict(where, *, carrier="", certificate=b"x"):
    """One that lacks revocation data."""
    return Verdict(
        where=where, carrier=carrier, certificate=certificate, indication=Indication.INDETERMINATE,
        sub_indication=SubIndication.TRY_LATER, why="revocation_missing", format="pades", position=0,
        best_signature_time=now(), coverage=Coverage(whole=True),
    )  # fmt: skip


def test_what_was_proven_stays_proven_when_another_file_is_examined_at_last():
    report = Report(verdicts=(verdict("a.pdf"), verdict("b.pdf")))
    before = {
        "place": "b.pdf", "carrier": "", "certificate_sha256": hashlib.sha256(b"x").digest(), "why": "passed", "position": 0,
        "indication": "TOTAL_PASSED", "provisional": False, "best_signature_time": now(), "time_source": "", "evidence": [],
    }  # fmt: skip
    for kept, passed in ((before, True), ({**before, "certificate_sha256": None}, False)):
        assert [one.passed for one in rejudged.proven(report, [kept]).verdicts] == [False, passed]


@pytest.mark.parametrize(
    "used, code",
    [
        (1_000, "verification_too_slow"),
        (19.5, "verification_too_slow"),
        (18, "verification_timeout"),
        (11, "verification_timeout"),
        (-1_000, "verification_timeout"),
    ],
)
async def test_who_had_a_processor_was_too_slow_and_who_had_none_was_not(used, code):
    """Of 20 seconds all but one."""
    task = types.SimpleNamespace(carrier="", where="a.pdf")
    file = verify_worker.File(task=task, at=now())
    process = await asyncio.create_subprocess_exec("/bin/sleep", "30")
    async with verify.VerifyPool(cases.TRUST) as pool:
        with ProcessPoolExecutor(1) as executor:
            worker = verify_worker.Worker(
                executor=executor, process=process.pid, trust=cases.TRUST, leaves=True, before=-used,
                work=asyncio.get_running_loop().create_future(),
            )  # fmt: skip
            asked = pool._patiently(cases.TRUST, file, 0.01, worker)
            (ended,) = await asyncio.gather(asked, return_exceptions=True)
    process.kill()
    await process.wait()
    if code == "verification_timeout":
        assert isinstance(ended, TimeoutError)
    else:
        assert ended.outcome.remarks == (Remark(code=code, where="a.pdf"),)
