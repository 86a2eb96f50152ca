"""Requests and their answers (15, 16): which one an answer is about, and what becomes of one that nobody answers."""

from uuid import UUID

import pytest
from acting import acting, filed
from correspondence import SENDER, notice, replacing, revoking, updating

from exchange.api import trace_shapes
from exchange.broker import decisions, trace

X, Y = "H13.31", "H13.32"
ASKED = ("state", "request", "request_answer")


@pytest.fixture
async def at(province, province_database, tmp_path):
    """One process; at the end the self-check is content."""
    async with acting(province, province_database, tmp_path) as one:
        yield one
        assert await one.faults() == []


async def says(at, said, code, agency=X):
    """A status by notice that names the id of this letter."""
    found = await at.send(notice(said.document_id, code, sender=agency, to=SENDER), agency)
    assert isinstance(found, decisions.Accepted), found.code


def same(said):
    """What a letter under the same number, notation and id shares."""
    return {"number": said.number, "notation": said.notation, "document_id": said.document_id}


async def test_an_answer_that_names_the_replacement_is_one_to_what_it_asks(at):
    first = filed(X, Y)
    a = await at.sent(first)
    for code in (X, Y):
        await at.say(a, "03", code)
    new = replacing([(first, ())], X, Y)
    b = await at.sent(new)
    await says(at, new, "15", X)
    assert await at.answer(b, "16", Y) == ""
    assert await at.told(a, *ASKED) == {
        X: ("withdrawn", "replace", "agreed"), Y: ("registered", "replace", "refused"),
    }  # fmt: skip
    assert await at.told(b, *ASKED) == {X: ("waiting", None, None), Y: ("waiting", None, None)}


async def test_an_answer_names_an_id_that_both_letters_have(at):
    first = filed(X)
    a = await at.sent(first)
    await at.say(a, "03", X)
    new = replacing([(first, ())], X, **same(first))
    b = await at.sent(new)
    await says(at, first, "15")
    assert await at.told(a, *ASKED) == {X: ("withdrawn", "replace", "agreed")}
    assert await at.told(b, "state") == {X: "waiting"}


async def test_what_is_asked_of_the_replacement_itself_is_answered_first(at):
    first = filed(X)
    a = await at.sent(first)
    await at.say(a, "03", X)
    new = replacing([(first, ())], X)
    b = await at.sent(new)
    await at.say(b, "03", X)
    await at.sent(revoking(new))
    for one in ("16", "15"):
        await says(at, new, one)
    assert await at.told(b, *ASKED) == {X: ("registered", "revoke", "refused")}
    assert await at.told(a, *ASKED) == {X: ("withdrawn", "replace", "agreed")}


@pytest.mark.parametrize("way", ["line", "id"])
async def test_who_agrees_to_an_update_does_not_agree_to_a_revocation(at, way):
    first = filed(X)
    a = await at.sent(first)
    await at.say(a, "03", X)
    update = updating(first, document=True, subject="V/v sửa")
    u = await at.sent(update)
    await at.sent(revoking(first))
    if way == "line":
        assert await at.answer(u, "15", X) == ""
    else:
        await says(at, update, "15")
    assert await at.told(a, *ASKED) == {X: ("registered", "revoke", None)}
    assert await at.journal(a, "status") == 2
    await says(at, first, "15")
    assert await at.told(a, *ASKED) == {X: ("withdrawn", "revoke", "agreed")}


@pytest.mark.parametrize("way", ["line", "id"])
async def test_a_replacement_of_two_letters_is_answered_for_each(at, way):
    old = [filed(X), filed(X)]
    sent = [await at.sent(one) for one in old]
    for one in sent:
        await at.say(one, "03", X)
    new = replacing([(one, ()) for one in old], X)
    c = await at.sent(new)
    for code in ("15", "16"):
        if way == "line":
            assert await at.answer(c, code, X) == ""
        else:
            await says(at, new, code)
    ends = {(await at.told(one, *ASKED))[X] for one in sent}
    assert ends == {("withdrawn", "replace", "agreed"), ("registered", "replace", "refused")}


@pytest.mark.parametrize("gone", ["withdrawn", "refused"])
async def test_a_request_on_a_letter_that_is_gone_waits_no_more(at, gone):
    """Also an answer that comes all the same agrees to nothing."""
    first = filed(X)
    a = await at.sent(first)
    await at.say(a, "13", X)
    assert await request(at, a) == ("take_back", None)
    if gone == "refused":
        await at.say(a, "02", X)
    else:
        await at.sent(revoking(first))
    assert await request(at, a) == ("take_back", "overtaken")
    for code in ("15", "16"):
        assert await at.say(a, code, X) == ""
    assert await at.told(a, "state", "request_answer") == {X: (gone, None)}
    assert await at.journal(a, "agreed") + await at.journal(a, "refused_request") == 0
    assert await at.journal(a, "status") == (4 if gone == "refused" else 3)


async def request(at, about):
    """What the trace tells the sender of the request to the first recipient: kind and answer."""
    seen = await trace.trace(at.exchange, await at.caller(SENDER), UUID(about["letter"]))
    told = trace_shapes.trace(seen, await at.exchange.snapshot.current())
    found = told["deliveries"][0]["request"]
    return found["kind"], found["answer"]


@pytest.mark.parametrize("answer", ["15", "16"])
async def test_an_update_that_comes_while_the_letter_is_asked_for_is_asked_for_after_it(at, answer):
    first = filed(X, Y)
    a = await at.sent(first)
    await at.say(a, "03", X)
    await at.sent(revoking(first, X))
    update = updating(first, document=True, subject="V/v sửa")
    u = await at.sent(update)
    assert await at.told(a, "subject", "request") == {X: (first.subject, "revoke"), Y: ("V/v sửa", None)}
    assert await at.journal(a, "put_off") == 1
    await says(at, first, "16")
    assert await at.told(a, *ASKED) == {X: ("registered", "update", None), Y: ("waiting", None, None)}
    assert await at.answer(u, answer, X) == ""
    agreed = answer == "15"
    assert (await at.told(a, "state", "subject"))[X] == ("registered", "V/v sửa" if agreed else first.subject)
