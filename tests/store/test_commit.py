"""The group committer on real servers: identity, neighbours, lost connections - nothing acknowledged is lost or doubled."""

import asyncio
import contextlib
import hashlib
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest

from exchange.errors import Problem
from exchange.store import commit, deliveries, insert, letters, pool, rows

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SENDER, RECIPIENT = UUID(int=1), UUID(int=2)


def letter_row(
    document_id="H13.02,2026/11/21,1/UBND", body=b"<a/>", sender=SENDER, recipients=(RECIPIENT,), **other
):
    facts = {
        "sender": sender, "id": uuid4(), "document_id": document_id, "operation": "new", "round": 1,
        "sha256": hashlib.sha256(body).digest(), "size": len(body), "number": "1", "notation": "UBND",
        "issued_on": AT.date(), "document_type": "Công văn", "subject": 'V/v "thử" \\ {a,b}', "urgency": 0,
        "target_document_id": None, "response_for": ("a,b", 'c"d\\'), "main_attachment": None, "copy_form": "original",
        "paper": 0, "paper_reason": None, "no_paper_standing": False, "test": False, "recipients": tuple(recipients),
        "purposes": ("act",) * len(recipients), "unroutable": ("NULL", ""), "requirement": "met", "reason": "",
        "missing": (), "directory_version": 1, "policy_sha256": b"p" * 32, "system": UUID(int=9), "accepted_at": AT,
        "receipt": b"receipt of " + body, "expanded_at": AT,
    }  # fmt: skip
    return rows.LetterRow(**{**facts, **other})


def delivery_row(letter, recipient, **other):
    copied = (
        "round", "sender", "operation", "document_id", "number", "notation", "issued_on", "document_type", "subject",
        "urgency", "sha256", "size", "accepted_at", "requirement",
    )  # fmt: skip
    facts = {name: getattr(letter, name) for name in copied}
    facts |= {
        "recipient": recipient, "letter": letter.id, "id": uuid4(), "kind": "letter", "purpose": "act", "klass": "E",
        "excluded": None, "scope": "same_root", "grade": "B", "justified": "", "state": "waiting",
    }  # fmt: skip
    return rows.DeliveryRow(**{**facts, **other})


def submission(letter, body=b"<a/>", **other):
    line = {"at": AT, "letter": letter.id, "sha256": letter.sha256, "size": letter.size}
    facts = {
        "letter": letter,
        "deliveries": tuple(delivery_row(letter, one) for one in letter.recipients),
        "payload": rows.PayloadRow(id=letter.id, sha256=letter.sha256, size=len(body), body=body, file=None),
        "accepted": rows.JournalRow(
            agency=letter.sender, id=uuid4(), event="accepted", detail={"a": 'x"y'}, **line
        ),
        "refused": rows.JournalRow(
            agency=letter.sender, id=uuid4(), event="refused", code="conflict", **line
        ),
    }
    return commit.Submission(**{**facts, **other})


@contextlib.asynccontextmanager
async def committing(dsn, connect=None):
    committer = commit.Committer(connect or (lambda: pool.connect(dsn)))
    task = asyncio.create_task(committer.run())
    try:
        yield committer
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def counts(opened):
    tables = ("letter", "delivery", "payload", "journal", "verdict", "tally_delta")
    return {name: await opened.fetchval(f"SELECT count(*) FROM {name}") for name in tables}


async def test_a_letter_is_stored_whole_and_read_back_as_it_was(either_database, either_pool):
    letter = letter_row()
    async with committing(either_database) as committer:
        outcome = await committer.submit(submission(letter))
    assert outcome == commit.Outcome(kind="stored", letter=letter.id, receipt=letter.receipt)
    row = await letters.of_sender(either_pool, [SENDER], letter.id)
    assert tuple(row["response_for"]) == letter.response_for
    assert tuple(row["unroutable"]) == letter.unroutable
    assert row["subject"] == letter.subject
    assert await letters.of_sender(either_pool, [UUID(int=2)], letter.id) is None
    assert (await letters.of_recipient(either_pool, [UUID(int=2)], letter.id))["id"] == letter.id
    page = await deliveries.inbox(either_pool, [UUID(int=2)], None, 10)
    assert [one["letter"] for one in page] == [letter.id]
    line = await either_pool.fetchrow("SELECT * FROM journal")
    assert line["detail"] == {"a": 'x"y'}


async def test_the_same_bytes_are_replayed_and_others_conflict_also_within_one_batch(
    either_database, either_pool
):
    first, same, other = letter_row(), letter_row(), letter_row(body=b"<b/>")
    async with committing(either_database) as committer:
        outcomes = await asyncio.gather(*(committer.submit(submission(one)) for one in (first, same, other)))
        again = await committer.submit(submission(letter_row()))
    assert sorted(one.kind for one in outcomes) == ["conflict", "replayed", "stored"]
    assert again.kind == "replayed"
    assert {one.receipt for one in (*outcomes, again)} == {outcomes[0].receipt}
    assert await counts(either_pool) == {
        "letter": 1,
        "delivery": 1,
        "payload": 1,
        "journal": 2,
        "verdict": 0,
        "tally_delta": 0,
    }


async def test_two_processes_racing_in_opposite_order(either_database, either_pool):
    ids = [f"doc {number}" for number in range(40)]
    async with committing(either_database) as one, committing(either_database) as two:
        sent = [one.submit(submission(letter_row(name))) for name in ids]
        sent += [two.submit(submission(letter_row(name))) for name in reversed(ids)]
        outcomes = await asyncio.gather(*sent)
    assert sorted(one.kind for one in outcomes) == ["replayed"] * 40 + ["stored"] * 40
    assert (await counts(either_pool))["letter"] == 40


async def test_a_bad_neighbour_harms_nobody(either_database, either_pool):
    good = [submission(letter_row(f"doc {number}")) for number in range(9)]
    bad = [
        submission(letter_row("bad 1", subject="nul \x00 inside")),
        submission(letter_row("bad 2", urgency=99_999)),
    ]
    async with committing(either_database) as committer:
        sent = [committer.submit(one) for one in (*good[:5], *bad, *good[5:])]
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
    kinds = ["stored" if isinstance(one, commit.Outcome) else one.code for one in outcomes]
    assert kinds == ["stored"] * 5 + ["internal"] * 2 + ["stored"] * 4
    assert (await counts(either_pool))["letter"] == 9


async def test_a_refusal_is_one_journal_row(either_database, either_pool):
    line = rows.JournalRow(agency=SENDER, id=uuid4(), at=AT, event="refused", code="not_xml", size=3)
    async with committing(either_database) as committer:
        outcome = await committer.submit(commit.Submission(letter=None, refused=line))
    assert outcome.kind == "recorded"
    assert await counts(either_pool) == {
        "letter": 0,
        "delivery": 0,
        "payload": 0,
        "journal": 1,
        "verdict": 0,
        "tally_delta": 0,
    }


async def test_a_connection_killed_after_the_commit_does_not_double_the_letter(either_database, either_pool):
    """The server commits, the answer is lost: the next attempt must find its own row and report success."""

    class Deaf:
        """A connection whose first COMMIT reaches the server, and whose answer never comes back."""

        def __init__(self, real):
            self.real, self.deaf = real, True

        def __getattr__(self, name):
            return getattr(self.real, name)

        def transaction(self):
            return self

        async def __aenter__(self):
            self.inner = self.real.transaction()
            await self.inner.start()

        async def __aexit__(self, kind, *_rest):
            if kind is not None:
                await self.inner.rollback()
                return
            await self.inner.commit()
            self.real.terminate()
            raise asyncpg.ConnectionDoesNotExistError("the answer was lost")

    made = []

    async def connect():
        real = await pool.connect(either_database)
        made.append(real)
        return Deaf(real) if len(made) == 1 else real

    letter = letter_row()
    async with committing(either_database, connect) as committer:
        outcome = await committer.submit(submission(letter))
    assert (outcome.kind, len(made)) == ("stored", 2)
    assert await counts(either_pool) == {
        "letter": 1,
        "delivery": 1,
        "payload": 1,
        "journal": 1,
        "verdict": 0,
        "tally_delta": 0,
    }


async def test_an_unreachable_database_is_an_unknown_outcome_after_the_budget(monkeypatch):
    monkeypatch.setattr(commit, "BUDGET_SECONDS", 0.3)

    async def connect():
        raise OSError("no such server")

    async with committing("", connect) as committer:
        with pytest.raises(Problem, match="outcome_unknown"):
            await committer.submit(submission(letter_row()))


async def test_a_client_that_hangs_up_does_not_cancel_its_letter(either_database, either_pool):
    letter = letter_row()
    async with committing(either_database) as committer:
        waiting = asyncio.create_task(committer.submit(submission(letter)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await committer.submit(submission(letter_row("another")))
    assert await letters.of_sender(either_pool, [SENDER], letter.id)


async def test_a_full_queue_says_busy(monkeypatch):
    monkeypatch.setattr(commit, "MAX_WAITING", 2)

    async def connect():
        await asyncio.sleep(60)

    committer = commit.Committer(connect)
    waiting = [
        asyncio.create_task(committer.submit(submission(letter_row(f"doc {number}")))) for number in range(2)
    ]
    await asyncio.sleep(0)
    with pytest.raises(Problem, match="busy"):
        await committer.submit(submission(letter_row("one too many")))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_delivery_committed_late_under_an_earlier_id_is_not_missed(either_database, either_pool):
    """The cursor: hold A's commit, commit a later id B, pull, release A - a client that starts each pass anew gets both."""
    early, late = sorted(uuid4() for _ in range(2))
    recipient = UUID(int=2)
    first, second = letter_row("A"), letter_row("B")
    holding = await pool.connect(either_database)
    held = holding.transaction()
    await held.start()
    await insert.rows(holding, [delivery_row(first, recipient, id=early)])
    await insert.rows(either_pool, [delivery_row(second, recipient, id=late)])
    seen = [one["id"] for one in await deliveries.inbox(either_pool, [recipient], None, 10)]
    assert seen == [late]
    await held.commit()
    await holding.close()
    assert await deliveries.inbox(either_pool, [recipient], late, 10) == []
    assert [one["id"] for one in await deliveries.inbox(either_pool, [recipient], None, 10)] == [early, late]
