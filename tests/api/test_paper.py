"""Paper over HTTP: who may say what of which delivery, what cannot be said, and what the other side reads of it."""

from datetime import timedelta

import pytest
from province import KINDS, fetch
from rejudging import faults, now

from exchange.rules import paper_class

WORKERS = 1
SENDER, RECIPIENT = "H13.01", "H13.31"
OTHER = next(code for code, kind in KINDS.items() if kind not in {KINDS[SENDER], KINDS[RECIPIENT]})
"""Another system's."""
NOBODY = "01900000-0000-7000-8000-000000000000"


def today():
    return paper_class.local_day(now())


async def sent(server, number, *, arrives=True):
    """A letter and the id of its delivery to the first recipient."""
    async with server.client(SENDER) as client:
        answer = await client.send(server.province.letter(number, recipients=(RECIPIENT, OTHER)))
        letter = answer.body["receipt"]["letter"]
    rows = await fetch(
        server.dsn,
        """SELECT delivery.id FROM delivery JOIN agency ON agency.id = recipient
            WHERE letter = $1::text::uuid AND agency.code = $2""",
        letter, RECIPIENT,
    )  # fmt: skip
    name = str(rows[0]["id"])
    if arrives:
        async with server.client(RECIPIENT) as client:
            await client.ack([name])
    return letter, name


async def post(server, path, body, code=RECIPIENT):
    async with server.client(code) as client:
        return await client.ask("POST", path, json=body)


async def deliveries(server, letter, code, **asked):
    async with server.client(code) as client:
        return (await client.about(letter, "trace", **asked)).body["deliveries"]


BAD = {
    "no day": {},
    "number": {"on": 1},
    "no date": {"on": "21/11/2026"},
    "short date": {"on": "20261121"},
    "tomorrow": {"on": f"{today() + timedelta(days=1)}"},
    "long ago": {"on": "1999-01-01"},
    "undone without why": {"on": None},
    "undone with blanks": {"on": None, "note": "  "},
    "control in note": {"on": f"{today()}", "note": "a\x00b"},
    "half a character": {"on": f"{today()}", "by": "\ud800"},
    "long name": {"on": f"{today()}", "by": "x" * 201},
    "list": [],
}


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_is_refused_and_changes_nothing(shared_server, name):
    _, delivery = await known(shared_server)
    answer = await post(shared_server, f"/v1/deliveries/{delivery}/paper", BAD[name])
    assert (answer.status, answer.body["code"]) == (400, "bad_request")
    (row,) = await fetch(
        shared_server.dsn, "SELECT paper_acts FROM delivery WHERE id = $1::text::uuid", delivery
    )
    assert row["paper_acts"] == 0


KNOWN = {}


async def known(server):
    """One letter for all tests that change nothing."""
    if server.dsn not in KNOWN:
        KNOWN[server.dsn] = await sent(server, 700)
    return KNOWN[server.dsn]


async def test_strangers_get_what_they_get_for_what_is_not_there(shared_server):
    letter, delivery = await known(shared_server)
    said = {"on": f"{today()}"}
    for code, name in (
        (OTHER, delivery),
        (SENDER, delivery),
        (RECIPIENT, NOBODY),
        (RECIPIENT, "x"),
        (RECIPIENT, letter),
    ):
        answer = await post(shared_server, f"/v1/deliveries/{name}/paper", said, code)
        assert (answer.status, answer.body["code"]) == (404, "not_found"), (code, name)
    declared = {"paper": 1, "note": "vì"}
    for code, name in ((RECIPIENT, letter), (SENDER, NOBODY), (SENDER, delivery)):
        answer = await post(shared_server, f"/v1/messages/{name}/paper", declared, code)
        assert (answer.status, answer.body["code"]) == (404, "not_found"), (code, name)
    answer = await post(shared_server, "/v1/attestations", {"for": OTHER, "month": "2026-01"}, SENDER)
    assert answer.status == 403


async def test_persons_and_notes_stay_with_their_agency(shared_server):
    server = shared_server
    letter, delivery = await sent(server, 701)
    said = {"on": f"{today()}", "note": "thấy trong túi thư", "by": "Trần Thị Thử"}
    assert (await post(server, f"/v1/deliveries/{delivery}/paper", said)).body["changed"] is True
    own = {"paper": 0, "note": "sổ ghi nhầm", "by": "Lê Văn Thử", "to": [RECIPIENT, "H99.99"]}
    answer = await post(server, f"/v1/messages/{letter}/paper", own, SENDER)
    assert answer.body == {"changed": 1, "classes": {"S": 1}, "unknown": ["H99.99"]}
    words = {
        RECIPIENT: ["thấy trong túi thư", "Trần Thị Thử"],
        SENDER: ["sổ ghi nhầm", "Lê Văn Thử"],
    }
    for code, other in ((RECIPIENT, SENDER), (SENDER, RECIPIENT)):
        told = str(await deliveries(server, letter, code, why="1"))
        assert all(word in told for word in words[code])
        assert not any(word in told for word in words[other])
        plain = str(await deliveries(server, letter, code))
        assert not any(word in plain for word in words[other])


async def test_the_trace_tells_acts_by_whom_and_why_only_when_asked(shared_server):
    server = shared_server
    letter, delivery = await sent(server, 702)
    await post(server, f"/v1/deliveries/{delivery}/paper", {"on": f"{today()}"})
    await post(
        server, f"/v1/messages/{letter}/paper", {"paper": 1, "reason": "government", "note": "vì"}, SENDER
    )
    (plain,) = await deliveries(server, letter, RECIPIENT)
    assert "why" not in plain
    acts = [(one["event"], one["by"], one["detail"]) for one in plain["events"] if "paper" in one["event"]]
    assert acts == [("paper_received", RECIPIENT, f"{today()}"), ("paper_declared", SENDER, "1 government")]
    (told,) = await deliveries(server, letter, RECIPIENT, why="1")
    assert (told["why"]["step"], told["why"]["justified"], told["why"]["conflict"]) == (
        "observed",
        "yes",
        False,
    )
    async with server.client(SENDER) as client:
        assert (await client.about(letter, "trace", why="2")).status == 400


async def test_an_attestation_over_http(shared_server):
    server, month = shared_server, f"{today():%Y-%m}"
    ended = {"for": RECIPIENT, "month": "2026-02", "by": "Thử"}
    early = await post(server, "/v1/attestations", {"for": RECIPIENT, "month": month})
    assert (early.status, early.body["code"]) == (400, "bad_request")
    first = await post(server, "/v1/attestations", ended)
    assert (first.status, first.body["for"], first.body["changed"]) == (200, RECIPIENT, 0)
    assert (await post(server, "/v1/attestations", ended)).body == first.body
    assert (await post(server, "/v1/attestations", {**ended, "undo": True})).status == 400
    undone = await post(server, "/v1/attestations", {**ended, "undo": True, "note": "vì"})
    assert undone.body["attestation"] == first.body["attestation"]
    assert (await post(server, "/v1/attestations", {**ended, "undo": True, "note": "vì"})).status == 404
    assert (await post(server, "/v1/attestations", ended)).body["attestation"] != first.body["attestation"]


@pytest.mark.parametrize(
    "month", ["2026-13", "26-01", "2026-1", "9999-12", "", None, 202601, ["2026-01"]], ids=str
)
async def test_a_month_that_is_none_is_refused(shared_server, month):
    answer = await post(shared_server, "/v1/attestations", {"for": RECIPIENT, "month": month})
    assert (answer.status, answer.body["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "said",
    [
        {"paper": 2, "note": "vì"},
        {"paper": True, "note": "vì"},
        {"paper": 1},
        {"paper": 0, "reason": "listed", "note": "vì"},
        {"paper": 1, "reason": "because", "note": "vì"},
        {"paper": 1, "note": "vì", "to": "H13.31"},
        {"note": "vì"},
    ],
    ids=str,
)
async def test_a_correction_that_says_nothing_is_refused(shared_server, said):
    letter, _ = await known(shared_server)
    answer = await post(shared_server, f"/v1/messages/{letter}/paper", said, SENDER)
    assert (answer.status, answer.body["code"]) == (400, "bad_request")


async def test_afterwards_every_number_is_the_recount(shared_server):
    letter, delivery = await sent(shared_server, 703, arrives=False)
    await post(shared_server, f"/v1/deliveries/{delivery}/paper", {"on": f"{today()}"})
    assert [one["class"] for one in await deliveries(shared_server, letter, RECIPIENT)] == ["S"]
    assert await faults(shared_server) == set()
