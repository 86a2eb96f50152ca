"""A document whose number an update corrects: under the new number it is the same document, and the old one is free."""

import asyncio
import json
import shutil

import pytest
from acting import acting, filed
from correspondence import replacing, updating
from province import fetch

from exchange.store import documents, renumbered

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


CASES = [
    # who has the old number besides, who has the new one, which of those under the old number is corrected:
    # what carries the old number then, and the new one (which holds the key: the first of them)
    ("nobody", "nobody", 1, "", "a"),
    ("nobody", "other", 1, "", "ca"),
    ("nobody", "same", 1, "a", "c"),
    ("same", "nobody", 1, "", "ab"),
    ("same", "nobody", 2, "", "ab"),
    ("same", "other", 1, "", "cab"),
    ("same", "other", 2, "", "cab"),
    ("same", "same", 1, "ab", "c"),
    ("same", "same", 2, "ab", "c"),
    ("other", "nobody", 1, "b", "a"),
    ("other", "nobody", 2, "a", "b"),
    ("other", "other", 1, "b", "ca"),
    ("other", "other", 2, "a", "cb"),
    ("other", "same", 1, "ab", "c"),
    ("other", "same", 2, "a", "cb"),  # c is the same as a, and b is what is corrected
]


async def carriers(at, letters, number):
    """Which of these letters carry a number, the one that holds the key first."""
    found = await fetch(
        at.dsn, "SELECT id, first_of_key FROM letter WHERE number_key = $1 AND operation = 'new' ORDER BY NOT first_of_key, id", number
    )  # fmt: skip
    assert sum(one["first_of_key"] for one in found) == bool(found)
    names = {about["letter"]: name for name, about in letters.items()}
    return "".join(names[str(one["id"])] for one in found)


@pytest.mark.parametrize("arrived", [False, True])
async def test_what_shares_the_old_number_and_the_new_one(at, arrived):
    """The document moves as a whole, others stay; and nothing begins or ceases to count by it.

    Where the new number is the same document's already, both count already, and it is left as it was.
    """
    for place, (beside, taken, which, old, new) in enumerate(CASES):
        before, after = str(1000 + place), str(3000 + place)
        files = {"a": b"file a", "b": b"file a" if beside == "same" else b"file b"}
        files["c"] = b"file a" if taken == "same" else b"file c"
        said = {
            name: filed(X, Y, number=after if name == "c" else before, name=name, file=file)
            for name, file in files.items()
        }
        names = ["c"] * (taken != "nobody") + ["a"] + ["b"] * (beside != "nobody")
        letters = {name: await at.sent(said[name]) for name in names}
        for one in letters.values() if arrived else ():
            await at.ack(one, X, Y)
        shown = {name: await at.told(one, "excluded") for name, one in letters.items()}
        receipt = await at.send(corrected(said["ab"[which - 1]], after))
        case = (beside, taken, which)
        assert (await carriers(at, letters, before), await carriers(at, letters, after)) == (old, new), case
        assert {name: await at.told(one, "excluded") for name, one in letters.items()} == shown, case
        warned = {one["code"] for one in json.loads(receipt.receipt)["warnings"]}
        assert ("duplicate_number" in warned) == ("c" in new and len(new) > 1), case


async def test_the_older_document_holds_the_number_that_both_carry(at):
    """Measures of a span take the letter that holds the key for the first of its document."""
    first = filed(X, number="12", file=b"a")
    a, c = await at.sent(first), await at.sent(filed(X, number="921", file=b"c"))
    await at.sent(corrected(first, "921"))
    assert await carriers(at, {"a": a, "c": c}, "921") == "ac"
    d = await at.sent(filed(X, Y, number="921", name="d", file=b"a"))
    assert await at.told(d, "excluded") == {X: "duplicate", Y: None}


async def test_rounds_of_a_document_move_whatever_their_numbers(at):
    """What was sent before under the new number, in an earlier round, is no other document."""
    first = filed(X, number="921")
    a = await at.sent(first)
    assert await at.answer(a, "02", X) == ""
    second = filed(X, number="12", document_id=first.document_id, file=b"mended")
    b = await at.sent(second)
    await at.sent(corrected(second, "921"))
    assert await carriers(at, {"a": a, "b": b}, "921") == "ab"
    assert await numbers(at, a) == {"921"}
    await at.ack(b, X)
    assert await at.tally() == {"N": 1, "refused": 1}


async def test_two_who_mend_at_once_and_one_who_sends(at):
    """Both documents under one number are given the same new one, while that is sent for the first time."""
    for number in range(20, 32):
        said = [filed(X, number=str(number), name=name, file=name.encode()) for name in "ab"]
        letters = {name: await at.sent(one) for name, one in zip("ab", said, strict=True)}
        new = filed(X, number=str(900 + number), name="c", file=b"a")
        await asyncio.gather(
            *(at.sent(corrected(one, str(900 + number))) for one in said),
            at.sent(new),
            at.ack(letters["a"], X),
        )
        assert await at.faults() == []


async def test_who_sends_the_new_number_between_two_statements_is_met(
    province, province_database, tmp_path, monkeypatch
):
    """Its letter is committed after the first question whether the number is taken: it must be asked again."""
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    async with acting(province, province_database, folders[0]) as one:
        shutil.copy(folders[0] / "receipt.key", folders[1])
        async with acting(province, province_database, folders[1]) as other:
            first, sent, hold = filed(X, number="12"), [], renumbered._hold

            async def late(connection, sender, keys):
                if not sent:
                    sent.append(await other.sent(filed(X, number="921", name="c")))
                await hold(connection, sender, keys)

            about = await one.sent(first)
            monkeypatch.setattr(renumbered, "_hold", late)
            await one.sent(updating(first, document=True, number="921", notation=first.notation))
            await one.ack(about, X)
            await one.ack(sent[0], X)
            rows = await fetch(
                one.dsn, "SELECT number_key FROM letter WHERE operation = 'new' ORDER BY number_key"
            )
            assert [row["number_key"] for row in rows] == ["12", "921"]
            assert not await one.faults()
