"""Acts about paper on a real exchange: each moves the class, is counted in the same commit, and can be undone."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from province import fetch
from rejudging import about, classes, faults, now, sent

from exchange import ids
from exchange.broker import attestations, paper
from exchange.broker.decisions import Refused
from exchange.broker.paper import Declaration, Desk
from exchange.broker.paper_acts import Act, Author
from exchange.rules import paper_class
from exchange.store import paper as stored
from exchange.store import pool as pools
from exchange.store.register_match import Matched

WORKERS = 1
SENDER, RECIPIENT, OTHER = "H13.01", "H13.31", "H13.32"


def by(name="Văn thư thử", *, why="", at=None):
    return Author(name=name, at=at or now(), why=why)


@pytest.fixture
async def desk(shared_server):
    opened = await pools.open(shared_server.dsn, size=3)
    yield Desk(pool=opened, ids=ids.Ids(now))
    await opened.close()


async def keys(server, letter):
    """The deliveries of a letter by the recipient's code."""
    found = await fetch(
        server.dsn,
        """SELECT delivery.*, agency.code FROM delivery JOIN agency ON agency.id = recipient
            WHERE letter = $1::text::uuid""",
        letter,
    )
    return {one["code"]: one for one in found}


def key(row):
    return row["recipient"], row["letter"], row["round"]


async def delta(server, before, view="out", code=SENDER):
    after = await classes(server.dsn, code, view)
    names = {*before, *after}
    return {name: n for name in names if (n := after.get(name, 0) - before.get(name, 0))}


def today():
    return paper_class.local_day(now())


async def test_paper_received_moves_the_class_with_a_conflict_and_back(shared_server, desk):
    server = shared_server
    letter, _ = await sent(server, 501)
    row = (await keys(server, letter))[RECIPIENT]
    out, inside = await classes(server.dsn, SENDER), await classes(server.dsn, RECIPIENT, "in")
    seen = await paper.received(desk, [row["recipient"]], row["id"], today(), by())
    assert (seen.changed, seen.found.klass, seen.found.conflict, seen.found.justified) == (
        True,
        "S",
        True,
        "no",
    )
    assert await delta(server, out) == {"E": -1, "S": 1}
    assert await delta(server, inside, "in", RECIPIENT) == {"E": -1, "S": 1}
    again = await paper.received(desk, [row["recipient"]], row["id"], today(), by())
    assert (again.changed, again.standing.paper_acts) == (False, 1)
    assert await faults(server) == set()
    without = await paper.received(desk, [row["recipient"]], row["id"], None, by())
    assert without == Refused(code="bad_request", detail="why")
    undone = await paper.received(desk, [row["recipient"]], row["id"], None, by(why="nhầm văn bản"))
    assert (undone.found.klass, undone.found.grade, undone.standing.paper_acts) == ("E", "B", 2)
    assert await delta(server, out) == {}
    assert await faults(server) == set()
    lines = await fetch(
        server.dsn, "SELECT event, detail FROM journal WHERE delivery = $1 ORDER BY id", row["id"]
    )
    told = [
        (one["event"], one["detail"]["by"], one["detail"]["why"]) for one in lines if "n" in one["detail"]
    ]
    assert told == [
        ("paper_received", "Văn thư thử", ""),
        ("paper_received_undone", "Văn thư thử", "nhầm văn bản"),
    ]


@pytest.mark.parametrize("number, days", [(502, 1), (5020, -400)], ids=["tomorrow", "before it was issued"])
async def test_a_day_on_which_no_paper_can_have_come_is_refused(shared_server, desk, number, days):
    letter, _ = await sent(shared_server, number)
    row = (await keys(shared_server, letter))[RECIPIENT]
    said = await paper.received(desk, [row["recipient"]], row["id"], today() + timedelta(days=days), by())
    assert isinstance(said, Refused)
    assert said.code == "bad_request"


async def test_only_the_recipient_speaks_of_its_delivery(shared_server, desk):
    letter, _ = await sent(shared_server, 503)
    found = await keys(shared_server, letter)
    row = found[RECIPIENT]
    for others in ([found[OTHER]["recipient"]], [row["sender"]], []):
        assert await paper.received(desk, others, row["id"], today(), by()) == Refused(code="not_found")
    assert (await paper.received(desk, None, row["id"], today(), by("Vận hành"))).changed
    assert await paper.received(desk, None, uuid4(), today(), by()) == Refused(code="not_found")


async def test_the_sender_corrects_what_its_letter_declares_to_all_or_to_some(shared_server, desk):
    server = shared_server
    letter, _ = await sent(server, 504)
    found = await keys(server, letter)
    own = [found[RECIPIENT]["sender"]]
    some = Declaration(paper=1, reason="government", to=frozenset({found[OTHER]["recipient"]}))
    (one,) = await paper.declare(desk, own, UUID(letter), some, by(why="đã gửi bản giấy"))
    assert (one.found.klass, one.found.justified, one.found.conflict) == ("S", "yes", False)
    every = await paper.declare(desk, own, UUID(letter), Declaration(paper=1, reason="listed"), by(why="sót"))
    assert {each.found.klass for each in every} == {"S"}
    assert await faults(server) == set()
    back = await paper.declare(desk, own, UUID(letter), Declaration(paper=None), by(why="nhầm"))
    assert {(each.found.klass, each.found.grade) for each in back} == {("E", "B")}
    assert {one["class"] for one in (await about(server, letter, "trace")).body["deliveries"]} == {"E"}
    assert await faults(server) == set()
    stranger = [found[RECIPIENT]["recipient"]]
    for agencies in (stranger, []):
        assert await paper.declare(desk, agencies, UUID(letter), some, by(why="?")) == Refused(
            code="not_found"
        )
    unsaid = await paper.declare(desk, own, UUID(letter), some, by())
    assert unsaid == Refused(code="bad_request", detail="why")


async def test_what_is_said_before_it_arrives_counts_when_it_arrives(shared_server, desk):
    server = shared_server
    async with server.client(SENDER) as client, server.client(RECIPIENT) as recipient:
        answer = await client.send(server.province.letter(505, recipients=(RECIPIENT,)))
        letter = answer.body["receipt"]["letter"]
        row = (await keys(server, letter))[RECIPIENT]
        before = await classes(server.dsn, SENDER)
        said = await paper.declare(
            desk, None, UUID(letter), Declaration(paper=1, reason="recipient_unable"), by(why="máy hỏng")
        )
        assert [(one.found.klass, one.standing.klass, one.standing.justified) for one in said] == [
            ("S", "S", "no")
        ]
        assert await delta(server, before) == {}
        await recipient.ack([str(row["id"])])
    assert await delta(server, before) == {"S": 1}
    assert await faults(server) == set()


def this_month():
    return today().replace(day=1)


def after_month():
    """A moment after this month has ended: attestations of it are made then."""
    return paper_class.start_of(attestations.after(this_month())) + timedelta(hours=8)


async def agency(server, code):
    return (await fetch(server.dsn, "SELECT id FROM agency WHERE code = $1", code))[0]["id"]


async def grades(server, letter):
    return {code: (row["counted_class"], row["grade"]) for code, row in (await keys(server, letter)).items()}


async def test_a_month_is_attested_taken_back_and_attested_again(shared_server, desk):
    server, month = shared_server, this_month()
    letter, _ = await sent(server, 506, sender="H13.02")
    marked, _ = await sent(server, 507, sender="H13.02")
    row, me = (await keys(server, marked))[RECIPIENT], await agency(server, RECIPIENT)
    await paper.received(desk, None, row["id"], today(), by())
    early = await attestations.attest(desk, me, month, by())
    assert isinstance(early, Refused)
    done = await attestations.attest(desk, me, month, by(at=after_month()))
    assert (await grades(server, letter))[RECIPIENT] == ("E", "A")
    assert (await grades(server, letter))[OTHER] != ("E", "A"), "another recipient attests nothing"
    assert (await grades(server, marked))[RECIPIENT] == ("S", "")
    assert done.classes["E"] >= 1
    assert "S" not in done.classes or done.changed > done.classes["S"]
    again = await attestations.attest(desk, me, month, by(at=after_month()))
    assert (again.id, again.changed) == (done.id, 0)
    assert await faults(server) == set()
    await paper.received(desk, None, row["id"], None, by(why="nhầm"))
    assert (await grades(server, marked))[RECIPIENT] == ("E", "B")
    more = await attestations.attest(desk, me, month, by(at=after_month()))
    assert (more.id, more.changed, (await grades(server, marked))[RECIPIENT]) == (done.id, 1, ("E", "A"))
    assert await attestations.undo(desk, me, month, by(at=after_month())) == Refused(
        code="bad_request", detail="why"
    )
    undone = await attestations.undo(desk, me, month, by(why="còn sót", at=after_month()))
    assert (undone.id, undone.changed) == (done.id, done.changed + 1)
    assert (await grades(server, letter))[RECIPIENT] == ("E", "B")
    assert await faults(server) == set()
    assert await attestations.undo(desk, me, month, by(why="lần nữa")) == Refused(code="not_found")
    anew = await attestations.attest(desk, me, month, by(at=after_month()))
    assert anew.id != done.id
    assert anew.changed == undone.changed
    assert await faults(server) == set()


async def test_what_an_interruption_left_half_done_is_finished(shared_server, desk):
    """A chunk was written, or none, when the process died; later, housekeeping goes on, and so does undoing."""
    server, month, code = shared_server, this_month(), "H13.33"
    letter, _ = await sent(server, 508, recipients=(RECIPIENT, code))
    async with server.client(code) as client:
        items = (await client.inbox(limit=500)).body["items"]
        await client.ack([one["id"] for one in items])
    me, exchange = await agency(server, code), Housekeeper(desk)
    async with desk.pool.acquire() as connection:
        await attestations._begun(connection, me, month, (desk.ids.new(), by(at=now() - timedelta(hours=1))))
    assert (await grades(server, letter))[code] == ("E", "B")
    assert await attestations.finish(exchange) == 1
    assert (await grades(server, letter))[code] == ("E", "A")
    assert await attestations.finish(exchange) == 0
    async with desk.pool.acquire() as connection:
        taken = (now() - timedelta(hours=1), "Văn thư thử", "nhầm")
        assert await stored.undo(connection, me, month, taken) is not None
    assert await attestations.finish(exchange) == 1
    assert (await grades(server, letter))[code] == ("E", "B")
    assert await faults(server) == set()


class Housekeeper:
    """As much of an exchange as the housekeeping of attestations uses."""

    def __init__(self, at):
        self.pool, self.ids, self.clock = at.pool, at.ids, now


def proof(row, register_row):
    return Matched(key=key(row), row=register_row, moved_on=today(), agency=row["recipient"])


async def register_row(server, code, row_id, number="1"):
    await fetch(
        server.dsn,
        """INSERT INTO register_row (agency, id, direction, number, notation, moved_on, loaded_at)
           SELECT id, $2, 'out', $3, 'CV', $4, now() FROM agency WHERE code = $1""",
        code, row_id, number, today(),
    )  # fmt: skip


async def test_rows_of_registers_prove_paper_each_until_it_is_taken_back(shared_server, desk):
    server = shared_server
    letter, _ = await sent(server, 509)
    row = (await keys(server, letter))[RECIPIENT]
    first, second = uuid4(), uuid4()
    for code, one in ((SENDER, first), (RECIPIENT, second)):
        await register_row(server, code, one)
    async with desk.pool.acquire() as connection:
        for one in (first, first, second):
            await paper.matched(connection, [proof(row, one)], by("Sổ"), desk.ids)
            assert one in (await keys(server, letter))[RECIPIENT]["register_rows"]
    assert (await keys(server, letter))[RECIPIENT]["register_rows"] == [first, second]
    assert (await grades(server, letter))[RECIPIENT][0] == "S"
    assert await faults(server) == set()
    async with desk.pool.acquire() as connection:
        await paper.unmatched(connection, [proof(row, first)], by("Sổ"), desk.ids)
        assert (await keys(server, letter))[RECIPIENT]["on_register"] == second
        assert (await grades(server, letter))[RECIPIENT][0] == "S"
        await paper.unmatched(connection, [proof(row, second)], by("Sổ"), desk.ids)
    assert (await grades(server, letter))[RECIPIENT] == ("E", "B")
    assert await faults(server) == set()


async def test_a_row_whose_letter_has_not_arrived_stays_paper_only(shared_server, desk):
    server = shared_server
    async with server.client(SENDER) as client:
        answer = await client.send(server.province.letter(510, recipients=("H13.34",)))
    letter = answer.body["receipt"]["letter"]
    row = (await keys(server, letter))["H13.34"]
    nobody = {**row, "letter": uuid4()}
    async with desk.pool.acquire() as connection:
        await paper.matched(connection, [proof(one, uuid4()) for one in (row, nobody)], by("Sổ"), desk.ids)
    assert (await keys(server, letter))["H13.34"]["register_rows"] == []
    assert await faults(server) == set()


async def test_an_act_that_fails_midway_leaves_nothing(shared_server, desk):
    """Class, tally and journal go in one commit."""
    server = shared_server
    letter, _ = await sent(server, 511)
    row, before = (await keys(server, letter))[RECIPIENT], await classes(server.dsn, SENDER)
    act = Act(event="paper_received", author=by(), facts={"on": today().isoformat()})
    async with desk.pool.acquire() as connection, pools.tried(connection):
        (done,) = await paper.observe(connection, [(key(row), act)], desk.ids)
        assert (done.changed, done.standing.counted_class) == (True, "S")
    assert await delta(server, before) == {}
    assert (await grades(server, letter))[RECIPIENT] == ("E", "B")
    assert await faults(server) == set()


DAMAGE = {
    "paper_seen_on = current_date": "paper_differs",
    "said_paper = 1": "paper_differs",
    "register_rows = ARRAY[gen_random_uuid()]": "paper_differs",
    "on_register = gen_random_uuid(), register_rows = ARRAY[gen_random_uuid()]": "matches_without_register",
    "paper_acts = 1": "paper_acts_differ",
    "attested_at = now()": "attested_without_attestation",
    "grade = 'A'": "class_differs",
    "justified = 'yes'": "class_differs",
}
WHOLE = """paper_seen_on = NULL, said_paper = NULL, register_rows = '{}', on_register = NULL, paper_acts = 0,
           attested_at = NULL, grade = 'B', justified = ''"""


async def test_the_self_check_sees_what_the_journal_does_not_tell(shared_server, desk):
    server = shared_server
    letter, _ = await sent(server, 512)
    row = (await keys(server, letter))[OTHER]  # who attests nothing in this file
    for damage, code in DAMAGE.items():
        await fetch(server.dsn, f"UPDATE delivery SET {damage} WHERE id = $1", row["id"])
        assert code in await faults(server), damage
        await fetch(server.dsn, f"UPDATE delivery SET {WHOLE} WHERE id = $1", row["id"])
    assert await faults(server) == set()
