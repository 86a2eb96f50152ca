"""Two letters of one document id, a new one and one that replaces it: what acts on the id acts on both."""

import contextlib

import pytest
from acting import acting, filed
from correspondence import replacing, revoking, updating

from exchange.broker import decisions

X, Y, Z = "H13.31", "H13.32", "H13.33"


@pytest.fixture
async def at(province, province_database, tmp_path):
    """One process; at the end the self-check is content."""
    async with acting(province, province_database, tmp_path) as one:
        yield one
        while await one.relay():
            pass
        assert await one.faults() == []


@contextlib.contextmanager
def relayed(late):
    """What is planned in here is done by the relay, if it is `late`."""
    with pytest.MonkeyPatch.context() as patch:
        if late:
            patch.setattr("exchange.broker.expand.INLINE_RECIPIENTS", 0)
        yield


def same(said):
    """What a letter under the same number, notation and id shares."""
    return {"number": said.number, "notation": said.notation, "document_id": said.document_id}


async def two(at, *recipients, replaced=(X,)):
    """A letter to all, and one under its id that replaces it for some."""
    first = filed(*recipients)
    a = await at.sent(first)
    b = await at.sent(replacing([(first, replaced)], *replaced, **same(first)))
    return first, a, b


@pytest.mark.parametrize("late", [False, True])
async def test_a_revocation_reaches_both(at, late):
    first, a, b = await two(at, X, Y)
    with relayed(late):
        found = await at.send(revoking(first, X, Y))
    await at.relay()
    assert b"recipient_without_target" not in found.receipt
    assert await at.told(a, "state") == {X: "withdrawn", Y: "withdrawn"}
    assert await at.told(b, "state") == {X: "withdrawn"}


async def test_a_revocation_by_number_and_day_reaches_both(at):
    first, a, b = await two(at, X, Y)
    await at.sent(
        revoking(
            first, X, Y, number=first.number, notation=first.notation, target_document_id="", document_id="another"
        )
    )  # fmt: skip
    assert await at.told(a, "state") == {X: "withdrawn", Y: "withdrawn"}
    assert await at.told(b, "state") == {X: "withdrawn"}


@pytest.mark.parametrize("late", [False, True])
async def test_an_update_restates_both_and_adds_to_the_newer_one(at, late):
    first, a, b = await two(at, X, Y)
    with relayed(late):
        await at.sent(updating(first, document=True, subject="V/v sửa", added=[Z]))
    await at.relay()
    assert await at.told(a, "state", "subject") == {
        X: ("withdrawn", first.subject), Y: ("waiting", "V/v sửa"),
    }  # fmt: skip
    assert await at.told(b, "state", "subject") == {X: ("waiting", "V/v sửa"), Z: ("waiting", "V/v sửa")}
    again = await at.send(updating(first, added=[X, Y, Z]))
    assert again.receipt.count(b"recipient_unchanged") == 3
    await at.sent(updating(first, removed=[Y, Z]))
    assert (await at.told(a, "state"))[Y] == (await at.told(b, "state"))[Z] == "withdrawn"


@pytest.mark.parametrize("late", [False, True])
async def test_a_second_replacement_replaces_both(at, late):
    """Each recipient counts once, whichever of them it had."""
    first, a, b = await two(at, X, Y)
    await at.ack(a, Y)
    await at.ack(b, X)
    with relayed(late):
        c = await at.sent(replacing([(first, ())], X, Y, number=first.number, notation=first.notation))
    await at.relay()
    await at.ack(c, X, Y)
    assert await at.told(a, "state") == {X: "withdrawn", Y: "withdrawn"}
    assert await at.told(b, "state") == {X: "withdrawn"}
    assert await at.tally() == {"N": 2, "recalled": 2}


# --- training letters -------------------------------------------------------------------------------------------------


async def test_a_training_letter_acts_on_no_real_one(at):
    first = filed(X)
    a = await at.sent(first)
    await at.ack(a, X)
    acts = [
        replacing([(first, ())], X, number=first.number, notation=first.notation),
        revoking(first, X),
        updating(first, document=True, subject="V/v sửa"),
    ]
    found = [await at.send(one, test=True) for one in acts]
    assert [isinstance(one, decisions.Refused) and one.code for one in found] == ["not_found"] * 3
    assert await at.told(a, "state", "subject") == {X: ("arrived", first.subject)}
    assert await at.tally() == {"N": 1}


async def test_a_real_one_acts_on_no_training_letter(at):
    first = filed(X)
    a = await at.sent(first)
    b = await at.sent(filed(X, number=first.number, name="training"), test=True)
    gone = {
        "number": first.number,
        "notation": first.notation,
        "target_document_id": "",
        "document_id": "none",
    }
    await at.sent(revoking(first, X, **gone))
    assert await at.told(a, "state") == {X: "withdrawn"}
    assert await at.told(b, "state") == {X: "waiting"}
    await at.sent(revoking(first, X, **gone, subject="V/v tập huấn"), test=True)
    assert await at.told(b, "state") == {X: "withdrawn"}


# --- removed, and added again -----------------------------------------------------------------------------------------


async def test_whom_a_letter_was_withdrawn_from_no_update_gives_it_again(at):
    """The sender is told so, and how it goes; an update that does something else does that."""
    first = filed(X, Y)
    a = await at.sent(first)
    await at.sent(updating(first, X, removed=[Y]))
    found = await at.send(updating(first, X, added=[Y]))
    assert [(one.severity, one.code) for one in found.findings] == [("error", "recipient_withdrawn")]
    done = await at.send(updating(first, X, added=[Y, Z]))
    assert done.receipt.count(b"recipient_withdrawn") == 1
    assert b"recipient_unchanged" not in done.receipt
    assert await at.told(a, "state") == {X: "waiting", Y: "withdrawn", Z: "waiting"}
    again = await at.sent(filed(Y, number=first.number, name="again"))
    assert await at.ack(again, Y) == 1
    assert await at.tally() == {"N": 1}


async def test_who_refused_it_or_had_it_replaced_is_told_what_is_so(at):
    first, _, b = await two(at, X, Y)
    await at.say(b, "02", X)
    found = await at.send(updating(first, Y, added=[X]))
    assert b"recipient_unchanged" in found.receipt
