"""A document whose number an update corrects: under the new number it is the same document, and the old one is free."""

import pytest
from acting import acting, filed
from correspondence import replacing, updating
from province import fetch

from exchange.store import documents

X, Y = "H13.31", "H13.32"


@pytest.fixture
async def at(province, province_database, tmp_path):
    """One process; at the end the self-check is content."""
    async with acting(province, province_database, tmp_path) as one:
        yield one
        assert await one.faults() == []


def corrected(said, number, **changed):
    """An update that gives a document another number."""
    return updating(said, document=True, number=number, notation=said.notation, **changed)


async def numbers(at, about):
    """The numbers that were used, as the analysis of gaps sees them."""
    async with at.exchange.pool.acquire() as connection:
        (one,) = await fetch(
            at.dsn, "SELECT sender, issued_year FROM letter WHERE id = $1::text::uuid", about["letter"]
        )
        found = await documents.numbers(connection, one["sender"], one["issued_year"])
    return {number for each in found.values() for number in each}


@pytest.mark.parametrize("late", [False, True])
async def test_sent_again_under_its_new_number_it_counts_once(at, late, monkeypatch):
    first = filed(X, number="12")
    a = await at.sent(first)
    await at.ack(a, X)
    if late:
        monkeypatch.setattr("exchange.broker.expand.INLINE_RECIPIENTS", 0)
    await at.sent(corrected(first, "921"))
    monkeypatch.undo()
    await at.relay()
    b = await at.sent(filed(X, Y, number="921", name="b"))
    await at.ack(b, X, Y)
    assert (await at.told(a, "number"))[X] == "921"
    assert await at.told(b, "excluded") == {X: "duplicate", Y: None}
    assert await at.tally() == {"N": 2, "duplicate": 1}
    assert await numbers(at, a) == {"921"}


async def test_the_old_number_is_free_for_another_document(at):
    first = filed(X, number="12")
    a = await at.sent(first)
    await at.sent(corrected(first, "921"))
    b, c = [await at.sent(filed(X, number="12", name=name)) for name in "bc"]
    assert b["document_id"] != a["document_id"]
    assert (await at.told(b, "excluded"), await at.told(c, "excluded")) == ({X: None}, {X: "duplicate"})
    assert await numbers(at, a) == {"12", "921"}


async def test_the_letter_in_its_place_is_renumbered_with_it(at):
    first = filed(X, Y, number="12")
    await at.sent(first)
    same = {"number": "12", "notation": first.notation, "document_id": first.document_id}
    b = await at.sent(replacing([(first, [X])], X, attachments=first.attachments, **same))
    await at.sent(corrected(first, "921"))
    assert await numbers(at, b) == {"921"}
    c = await at.sent(filed(X, Y, number="921", name="c"))
    assert await at.told(c, "excluded") == {X: "duplicate", Y: "duplicate"}


@pytest.mark.parametrize("shared", ["12", "921"])
async def test_a_number_that_others_carry_is_left_as_it_is(at, shared):
    """Who shares the old number is not left behind, and who has the new one is not met by what was counted already."""
    first = filed(X, number="12")
    a = await at.sent(first)
    b = await at.sent(filed(X, number=shared, name="b"))
    await at.sent(corrected(first, "921"))
    await at.ack(a, X)
    await at.ack(b, X)
    assert await numbers(at, a) == {"12", shared}
