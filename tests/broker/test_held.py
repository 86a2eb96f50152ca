"""One document, one count at each recipient: also where letters reach recipients by updates, or replace each other."""

import asyncio
import contextlib
from uuid import UUID

import pytest
from acting import LENIENT, acting, filed
from correspondence import replacing, revoking, updating

from exchange.broker import expand
from exchange.edxml import attachments
from exchange.rules import requirements
from exchange.store import documents

SAME = "7"
X, Y, Z = "H13.31", "H13.32", "H13.33"


@pytest.fixture
async def at(province, province_database, tmp_path):
    """One process; at the end the self-check is content."""
    async with acting(province, province_database, tmp_path) as one:
        yield one
        assert await one.faults() == []


async def test_whom_an_update_added_holds_the_document(at):
    first = filed(X, number=SAME, name="A")
    a = await at.sent(first)
    await at.sent(updating(first, added=[Y]))
    b = await at.sent(filed(Y, Z, number=SAME, name="B"))
    assert await at.told(b, "class", "excluded") == {Y: ("X", "duplicate"), Z: ("N", None)}
    assert (await at.ack(a, X, Y), await at.ack(b, Y, Z)) == (2, 2)
    assert await at.tally() == {"N": 3, "duplicate": 1}


async def test_whom_an_update_adds_later_holds_it_too(at):
    """The update waits for its effects; the document comes in between, and is counted once."""
    first = filed(X, number=SAME, name="A")
    a = await at.sent(first)
    with waiting(at):
        await at.sent(updating(first, added=[Y]))
    b = await at.sent(filed(Y, number=SAME, name="B"))
    await at.relay()
    assert await at.told(b, "excluded") == {Y: "duplicate"}
    assert await at.told(a, "excluded") == {X: None, Y: None}
    assert (await at.ack(a, X, Y), await at.ack(b, Y)) == (2, 1)
    assert await at.tally() == {"N": 2, "duplicate": 1}


@contextlib.contextmanager
def waiting(_at):
    """What is planned in here is done by the relay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exchange.broker.expand.INLINE_RECIPIENTS", 0)
        yield


@pytest.mark.parametrize("relayed", [False, True])
async def test_an_update_adds_nobody_who_holds_the_document_by_another_letter(at, relayed):
    """It is delivered, and is no transfer of its own; whatever becomes of it, it is not counted."""
    first, other = filed(X, number=SAME, name="A"), filed(Y, number=SAME, name="B")
    a, b = await at.sent(first), await at.sent(other)
    with waiting(at) if relayed else contextlib.nullcontext():
        await at.sent(updating(first, added=[Y, Z]))
    await at.relay()
    assert await at.told(a, "class", "excluded", "grade") == {
        X: ("N", None, ""), Y: ("X", "duplicate", ""), Z: ("N", None, ""),
    }  # fmt: skip
    assert await at.journal(a, "duplicate") == 1
    assert (await at.ack(a, X, Y, Z), await at.ack(b, Y)) == (3, 1)
    assert await at.tally() == {"N": 3, "duplicate": 1}
    await at.judged(LENIENT)
    assert await at.tally() == {"E": 3, "duplicate": 1}
    assert await at.answer(a, "03", Y) == ""
    assert await at.answer(a, "02", Y) == ""
    assert await at.tally() == {"E": 3, "duplicate": 1}


async def test_by_two_updates_to_the_same_recipient_it_is_counted_once(at):
    """Of two letters of one document, at the same moment."""
    letters = [filed(X, number=SAME, name="A"), filed(Z, number=SAME, name="B")]
    for one in letters:
        await at.sent(one)
    await asyncio.gather(*(at.sent(updating(one, added=[Y])) for one in letters))
    sent = [await at.sent(one) for one in letters]  # the first receipts again
    found = [(await at.told(one, "excluded"))[Y] for one in sent]
    assert sorted(map(str, found)) == ["None", "duplicate"]


@pytest.mark.parametrize("ended", ["refused", "withdrawn", "expired"])
async def test_what_ended_there_is_counted_by_the_letter_that_follows(at, ended):
    first, other = filed(X, number=SAME, name="A"), filed(Y, number=SAME, name="B")
    a, b = await at.sent(first), await at.sent(other)
    if ended == "expired":
        await at.expire()
    elif ended == "refused":
        await at.say(b, "02", Y)
    else:
        await at.sent(revoking(other))
    await at.sent(updating(first, added=[Y]))
    assert (await at.told(a, "excluded"))[Y] is None
    assert await at.ack(a, Y) == 1
    assert (await at.tally()).get("N") == 1


async def test_training_letters_hold_nothing_and_are_held_by_nobody(at):
    first, other = filed(X, number=SAME, name="A"), filed(Y, number=SAME, name="B")
    a = await at.sent(first, test=True)
    await at.sent(other)
    await at.sent(updating(first, added=[Y]), test=True)
    assert await at.told(a, "excluded") == {X: "test", Y: "test"}


# --- revoked, and sent again -----------------------------------------------------------------------------------------


async def test_revoked_before_it_was_registered_and_sent_again_it_counts_once(at):
    first = filed(X, Y, number=SAME, name="A")
    a = await at.sent(first)
    await at.ack(a, X)
    await at.sent(revoking(first))
    b = await at.sent(filed(X, Y, number=SAME, name="B"))
    assert await at.told(b, "excluded") == {X: None, Y: None}
    await at.ack(b, X, Y)
    assert await at.tally() == {"N": 2, "recalled": 1}


async def test_taken_back_after_it_was_registered_it_stays_counted_and_the_next_one_is_no_other(at):
    """C.2: recalled after registration it stays counted, so the same document does not count again."""
    first = filed(X, number=SAME, name="A")
    a = await at.sent(first)
    for code in ("03", "13", "15"):
        assert await at.say(a, code, X) == ""
    assert await at.told(a, "state", "recalled") == {X: ("withdrawn", True)}
    b = await at.sent(filed(X, number=SAME, name="B"))
    assert await at.told(b, "excluded") == {X: "duplicate"}
    await at.ack(b, X)
    assert await at.tally() == {"N": 1, "duplicate": 1}


# --- replaced under its own number ------------------------------------------------------------------------------------


def replacement(old, *recipients, codes=(), **changed):
    return replacing([(old, codes)], *recipients, number=old.number, notation=old.notation, **changed)


@pytest.mark.parametrize("file", [b"the same", b"another"])
@pytest.mark.parametrize("said", ["", "01", "03", "02"])
async def test_a_replacement_under_the_same_number_counts_once(at, said, file):
    first = filed(X, number=SAME, name="A")
    a = await at.sent(first)
    if said:
        assert await at.say(a, said, X) == ""
    changed = attachments.encode("van_ban.docx", file, "application/msword")
    b = await at.sent(replacement(first, attachments=(changed,)))
    await at.ack(b, X)
    assert await at.told(b, "excluded") == {X: "duplicate" if said == "03" else None}
    assert (await at.tally()).get("N") == 1
    if said == "03":
        assert await at.say(a, "15", X) == ""
        assert await at.told(a, "state", "recalled") == {X: ("withdrawn", True)}
        assert (await at.tally()).get("N") == 1


async def test_a_replacement_for_codes_that_nobody_has_takes_nothing_away(at):
    first = filed(X, number=SAME, name="A")
    a = await at.sent(first)
    b = await at.sent(replacement(first, codes=["H99.99"], attachments=first.attachments))
    await at.ack(a, X)
    await at.ack(b, X)
    assert await at.told(a, "state") == {X: "arrived"}
    assert await at.tally() == {"N": 1, "duplicate": 1}


async def test_a_document_replaced_in_two_entries_is_replaced_for_both(at):
    first = filed(X, Y, number=SAME, name="A")
    a = await at.sent(first)
    b = await at.sent(
        replacing([(first, [X]), (first, [Y])], number=SAME, notation="CV", attachments=first.attachments)
    )
    assert await at.told(a, "state") == {X: "withdrawn", Y: "withdrawn"}
    assert await at.told(b, "excluded") == {X: None, Y: None}


async def test_a_replacement_that_an_update_gives_to_who_holds_the_old_letter_counts_once(at):
    """It replaces the old one for the recipients it had; whom an update adds keeps the old one, counted."""
    first = filed(X, Y, number=SAME, name="A")
    await at.sent(first)
    changed = attachments.encode("van_ban.docx", b"another", "application/msword")
    new = replacement(first, X, attachments=(changed,))
    b = await at.sent(new)
    await at.sent(updating(new, added=[Y], attachments=()))
    assert await at.told(b, "excluded") == {X: None, Y: "duplicate"}


async def test_registered_in_the_moment_in_which_it_is_replaced_it_counts_once(
    at, province, province_database, tmp_path, monkeypatch
):
    """What the new letter is, and what becomes of the old one, is decided by one look at the old one."""
    settle, saying = documents.settle, []

    async def slow(*given):
        decided = await settle(*given)
        if decided:
            saying.append(asyncio.create_task(other.say(a, "03", X)))
            await asyncio.sleep(0.2)
        return decided

    monkeypatch.setattr(documents, "settle", slow)
    async with acting(province, province_database, tmp_path) as other:
        first = filed(X, number=SAME, name="A")
        a = await at.sent(first)
        await at.ack(a, X)
        await other.caller(X)
        b = await at.sent(replacement(first, attachments=first.attachments))
        await asyncio.gather(*saying)
    await at.ack(b, X)
    assert len(saying) == 1
    assert await at.told(a, "state") == {X: "withdrawn"}
    assert await at.tally() == {"N": 1, "recalled": 1}


@pytest.mark.parametrize("before", [False, True])
async def test_registered_before_the_relay_gets_to_its_replacement_it_counts_once(at, before):
    """`before`: the new letter is in the recipient's hands already, and was counted."""
    first = filed(X, Y, number=SAME, name="A")
    a = await at.sent(first)
    await at.ack(a, X, Y)
    with waiting(at):
        b = await at.sent(replacement(first, attachments=first.attachments))
    assert await at.say(a, "03", X) == ""
    await expand.all_waiting(at.exchange)
    if before:
        assert await at.ack(b, X, Y) == 2
    await at.relay()
    if not before:
        assert await at.ack(b, X, Y) == 2
    assert await at.told(a, "state") == {X: "registered", Y: "withdrawn"}
    assert await at.told(b, "class", "excluded", "counted_class") == {
        X: ("X", "duplicate", "X"), Y: ("N", None, "N"),
    }  # fmt: skip
    assert await at.tally() == {"N": 2, "duplicate": 1, "recalled": 1}
    await at.judged(LENIENT)
    assert await at.tally() == {"E": 2, "duplicate": 1, "recalled": 1}


async def test_a_notice_on_its_way_while_the_letter_is_left_out_counts_nothing_again(
    at, province, province_database, tmp_path, monkeypatch
):
    """What the notice knew of the letter is old when it is written; what stands in the delivery's row decides."""
    first = filed(X, number=SAME, name="A")
    a = await at.sent(first)
    with waiting(at):
        b = await at.sent(replacement(first, attachments=first.attachments))
    assert await at.say(a, "03", X) == ""
    await expand.all_waiting(at.exchange)
    assert await at.ack(b, X) == 1
    async with acting(province, province_database, tmp_path) as other:
        submit = other.exchange.committer.submit

        async def late(submission):
            await at.relay()
            return await submit(submission)

        monkeypatch.setattr(other.exchange.committer, "submit", late)
        assert await other.answer(b, "03", X) == ""
    assert await at.told(b, "state", "excluded") == {X: ("registered", "duplicate")}
    assert await at.tally() == {"N": 1, "duplicate": 1}


def test_the_policies_of_these_tests_differ():
    assert LENIENT.sha256 != requirements.DEFAULT.sha256


# --- what it duplicates ends ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("ended", ["refused", "revoked", "revoked late", "taken back", "removed"])
async def test_where_the_first_ends_its_duplicate_counts(at, ended, registered):
    """Recalled after registration the first stays counted, and its duplicate one; the oldest of two goes first."""
    letters = [filed(X, Z, number=SAME, name=name) for name in "ABC"]
    a, b, c = [await at.sent(one) for one in letters]
    await at.ack(c, X)
    await at.ack(b, X)
    await at.say(a, "03" if registered else "01", X)
    with waiting(at) if ended.endswith("late") else contextlib.nullcontext():
        if ended.startswith("revoked"):
            await at.sent(revoking(letters[0], X))
        elif ended == "removed":
            await at.sent(updating(letters[0], removed=[X]))
        elif ended == "taken back":
            await at.say(a, "13", X)
        else:
            await at.say(a, "02", X)
    await at.relay()
    if ended != "refused":
        await at.say(a, "15", X)
    await at.ack(b, Z)
    kept = registered and ended != "refused"
    kind = "refused" if ended == "refused" else "recalled"
    assert await at.tally() == ({"N": 1, "duplicate": 3} if kept else {"N": 1, kind: 1, "duplicate": 2})
    assert await at.told(b, "excluded", "class") == {
        X: ("duplicate", "X") if kept else (None, "N"), Z: ("duplicate", "X"),
    }  # fmt: skip
    assert await at.journal(b, "duplicate_undone") == (0 if kept else 1)
    await at.judged(LENIENT)
    assert (await at.tally())["E"] == 1
    assert await at.answer(b, "02", X) == ""
    assert (await at.told(c, "excluded"))[X] == ("duplicate" if kept else None)


@pytest.mark.parametrize("before", [False, True])
async def test_where_the_first_ends_a_duplicate_that_is_on_its_way_counts(at, before, monkeypatch):
    """`before`: the relay has read the second letter when the first is refused, and not written its delivery."""
    a = await at.sent(filed(X, Z, number=SAME, name="A"))
    with waiting(at):
        b = await at.sent(filed(X, Z, number=SAME, name="B"))
    reads = expand.letters.to_expand

    async def late(*arguments):
        found = await reads(*arguments)
        assert await at.say(a, "02", X) == ""
        return found

    if before:
        with monkeypatch.context() as patch:
            patch.setattr(expand.letters, "to_expand", late)
            await expand.all_waiting(at.exchange)
    else:
        assert await at.say(a, "02", X) == ""
        await expand.all_waiting(at.exchange)
    assert await at.told(b, "excluded", "class") == {X: (None, "N"), Z: ("duplicate", "X")}
    assert await at.journal(b, "duplicate_undone") == 1
    await at.ack(b, X, Z)
    assert await at.tally() == {"N": 1, "refused": 1, "duplicate": 1}


async def test_where_the_first_is_replaced_its_duplicate_does_not_count(at):
    first = filed(X, number=SAME, name="A")
    a, b = await at.sent(first), await at.sent(filed(X, number=SAME, name="B"))
    c = await at.sent(replacement(first, attachments=first.attachments))
    assert await at.ack(b, X) + await at.ack(c, X) == 2
    assert await at.told(a, "state") == {X: "withdrawn"}
    assert await at.tally() == {"N": 1, "duplicate": 1}


async def test_where_the_first_is_refused_after_it_was_replaced_the_replacement_counts(at):
    """And no other duplicate of it, though that came before."""
    first = filed(X, Z, number=SAME, name="A")
    a = await at.sent(first)
    assert await at.say(a, "03", X) == ""
    b = await at.sent(filed(X, number=SAME, name="B"))
    c = await at.sent(replacement(first, X, codes=[X], attachments=first.attachments))
    assert await at.told(c, "excluded") == {X: "duplicate"}
    assert await at.say(a, "02", X) == ""
    assert await at.told(a, "state") == {X: "refused", Z: "waiting"}
    assert await at.told(b, "excluded") == {X: "duplicate"}
    assert await at.told(c, "excluded", "class") == {X: (None, "N")}
    assert await at.ack(b, X) + await at.ack(c, X) == 2
    assert await at.tally() == {"N": 1, "refused": 1, "duplicate": 1}


@pytest.mark.parametrize("number", [SAME, "8"])
async def test_where_the_replacement_is_gone_or_another_document_no_other_duplicate_counts(at, number):
    first = filed(X, number=SAME, name="A")
    a = await at.sent(first)
    assert await at.say(a, "03", X) == ""
    b = await at.sent(filed(X, number=SAME, name="B"))
    c = await at.sent(replacing([(first, ())], X, number=number, notation=first.notation))
    assert await at.told(a, "replaced_by") == {X: UUID(c["letter"])}
    assert await at.answer(c, "02", X) == ""
    assert await at.say(a, "02", X) == ""
    assert await at.ack(b, X) == 1
    assert await at.told(b, "excluded") == {X: "duplicate"}
    assert "N" not in await at.tally()


async def test_a_duplicate_that_comes_while_the_first_is_refused_counts(
    at, province, province_database, tmp_path
):
    """At the same moment, by two processes: whichever is first, one of them counts."""
    async with acting(province, province_database, tmp_path) as other:
        for n in range(6):
            number = f"7{n}"
            first = await at.sent(filed(X, number=number, name="A"))
            await at.say(first, "03", X)
            second, _ = await asyncio.gather(
                other.sent(filed(X, number=number, name="B")), at.say(first, "02", X)
            )
            assert await at.told(second, "excluded") == {X: None}
