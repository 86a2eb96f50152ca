"""The golden transfers of the reference page (rules_and_measures, end of C.9), each over HTTP and the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import register_files
import register_world
from click.testing import CliRunner
from province import actor, fetch, quick_letter
from rejudging import faults, now

from exchange import ids
from exchange.broker import counted
from exchange.cli.main import main
from exchange.demo import letters
from exchange.edxml import attachments, write
from exchange.rules import paper_class
from exchange.store import pool as pools
from exchange.store import tally
from exchange.tracker import tally as tallies
from exchange.tracker.register_proof import Hand
from exchange.tracker.reports import excluded
from exchange.tracker.signature_usage import Asked

WORKERS = 1
SENDER, RECIPIENT, OTHER = "H13.01", "H13.31", "H13.32"
DECLARING, DESKLESS, PARENT = "H13.05", "H13.02", "H13.03"


@pytest.fixture(scope="module")
def world(shared_server):
    """One agency declares from today that it sends no paper; one has no clerk of its own and sits at another's desk."""
    asyncio.run(_changed(shared_server))
    return shared_server


async def _changed(server):
    await fetch(
        server.dsn,
        """INSERT INTO agency_declaration (agency, kind, valid_from, basis)
           SELECT id, 'no_paper', $2, 'QĐ' FROM agency WHERE code = $1""",
        DECLARING, today(),
    )  # fmt: skip
    await fetch(
        server.dsn,
        """UPDATE agency SET own_clerk = false, parent = (SELECT id FROM agency WHERE code = $2) WHERE code = $1""",
        DESKLESS, PARENT,
    )  # fmt: skip
    (row,) = await fetch(server.dsn, "UPDATE directory_version SET version = version + 1 RETURNING version")
    async with server.client(SENDER) as client:
        for _ in range(100):
            answer = await client.ask("GET", "/v1/agencies", params={"limit": "1"})
            if answer.body["version"] == row["version"]:
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the directory did not get there")


def today():
    return paper_class.local_day(now())


def raw(server, number, case="signed_pdf", *, sender=SENDER, recipients=(RECIPIENT,)):
    return server.province.letter(number, case=case, sender=sender, recipients=recipients)


async def sent(server, content, *, sender=SENDER, arrives=(RECIPIENT,), **beside):
    """The id of a letter that was accepted and taken in by those recipients."""
    async with server.client(sender) as client:
        answer = await client.send(content, **beside)
    assert answer.status == 201, answer.raw
    letter = answer.body["receipt"]["letter"]
    for code in arrives:
        async with server.client(code) as client:
            await client.ack([await delivery(server, letter, code)])
    return letter


async def delivery(server, letter, code):
    (row,) = await fetch(
        server.dsn,
        """SELECT delivery.id FROM delivery JOIN agency ON agency.id = recipient
            WHERE letter = $1::text::uuid AND agency.code = $2""",
        letter, code,
    )  # fmt: skip
    return str(row["id"])


async def why(server, letter, *, sender=SENDER, recipient=RECIPIENT):
    """What the sender's trace tells of the class of one delivery."""
    async with server.client(sender) as client:
        body = (await client.about(letter, "trace", why="1")).body
    (found,) = [one for one in body["deliveries"] if one["recipient"] == recipient]
    told = found["why"]
    if told["step"] not in {
        "pending",
        "undelivered",
    }:  # there the trace shows what it will be once it arrives
        assert told["class"] == found["class"]
    return told


def said(told, *names):
    return tuple(told[name] for name in names)


async def status(server, letter, code, number, *, recipient=RECIPIENT, **words):
    async with server.client(code) as client:
        answer = await client.status(await delivery(server, letter, recipient), number, **words)
    assert answer.status == 201, answer.raw


async def test_1_signed_by_both_and_no_paper_is_electronic(world):
    told = await why(world, await sent(world, raw(world, 1)))
    assert said(told, "class", "grade", "step", "conflict") == ("E", "B", "no_paper", False)
    assert [one["kind"] for one in told["evidence"]] == ["flag", "requirement", "arrived"]


@pytest.mark.parametrize(
    "number, kind, justified", [(2, "Biên bản", "yes"), (3, "Công văn", "no")], ids=["2 minutes", "3 letter"]
)
async def test_2_and_3_paper_of_the_list_is_justified_by_the_kind_of_document(world, number, kind, justified):
    content = raw(world, number, "paper").replace("Công văn".encode(), kind.encode())
    told = await why(world, await sent(world, content, paper_reason="listed"))
    assert said(told, "class", "step", "reason", "justified") == ("S", "declared", "listed", justified)


async def test_4_what_the_recipient_sees_goes_before_what_the_sender_declares(world):
    letter = await sent(world, raw(world, 4))
    async with world.client(RECIPIENT) as client:
        name = await delivery(world, letter, RECIPIENT)
        answer = await client.paper(name, today(), note="kèm công văn", by="Nguyễn Thị Thử")
    assert answer.body == {
        "delivery": name, "on": today().isoformat(), "class": "S", "grade": "", "justified": "no", "conflict": True,
        "changed": True,
    }  # fmt: skip
    told = await why(world, letter)
    assert said(told, "class", "step", "conflict", "justified") == ("S", "observed", True, "no")
    seen = next(one for one in told["evidence"] if one["kind"] == "paper_received")
    assert said(seen, "by", "detail", "author", "note") == (RECIPIENT, today().isoformat(), "", "")
    shown = await called(world, "trace", letter, "--why", CONGVAN_SECRET=world.province.key_of(RECIPIENT))
    assert "Nguyễn Thị Thử" in shown.stdout
    assert "kèm công văn" in shown.stdout
    assert "bước 5" in shown.stdout
    undone = await called(
        world, "paper", "received", name, "--undo", "--by", "Thử", "--why", "nhầm", "--json"
    )
    assert said(json.loads(undone.stdout), "class", "grade", "conflict") == ("E", "B", False)


async def called(server, *arguments, **settings):
    """A command in this process, beside the loop of the test."""
    environment = {**server.environment, "CONGVAN_SERVER": server.url, **settings}
    return await asyncio.to_thread(
        CliRunner().invoke, main, [*arguments], env=environment, prog_name="congvan"
    )


async def test_5_the_person_alone_does_not_suffice(world):
    draft = letters.Draft(
        case="signed_pdf", sender=actor(SENDER), recipients=(RECIPIENT,), number=5, subject="V/v thử"
    )
    at = datetime.now(UTC)
    main = letters._main(draft, world.province.ours, at, letters.Parts(seal_on_pdf=False))
    file = attachments.encode("van_ban.pdf", main, letters.PDF)
    told = await why(world, await sent(world, write.write(letters._letter(draft, at, 0, (file,)))))
    assert said(told, "class", "step") == ("N", "requirement")


async def test_6_a_seal_revoked_before_it_signed_does_not_suffice(world):
    (code,) = world.province.script.odd.revoked
    letter = await sent(world, raw(world, 6, "signer_revoked", sender=code), sender=code)
    told = await why(world, letter, sender=code)
    assert said(told, "class", "step", "reason") == ("N", "requirement", "revoked")


async def test_7_unsigned_with_paper_is_paper_beside_it(world):
    content = quick_letter(7, recipients=(RECIPIENT,)).replace(b"Paper>0<", b"Paper>1<")
    assert said(await why(world, await sent(world, content)), "class", "step") == ("S", "declared")


async def in_register(server, document, party):
    """A line of the sender's register of today, loaded."""
    day = f"{today():%d/%m/%Y}"
    raw_ = register_files.as_csv([register_files.out(document, party, issued=day, moved=day)])
    pool = await pools.open(server.dsn, size=2)
    try:
        hand = Hand(by="Văn thư", at=now(), ids=ids.Ids(now))
        return await register_world.load(pool, raw_, SENDER, hand=hand, year=today().year)
    finally:
        await pool.close()


async def document_of(server, letter):
    """Number and notation of a letter, as registers write them."""
    (row,) = await fetch(server.dsn, "SELECT number, notation FROM letter WHERE id = $1::text::uuid", letter)
    return f"{row['number']}/{row['notation']}"


async def paper_only(server, code=SENDER):
    connection = await pools.connect(server.dsn)
    try:
        agency = await connection.fetchval("SELECT id FROM agency WHERE code = $1", code)
        span = tallies.period(f"{today().year}")
        asked = {"view": "out", "scope": tallies.WHOLE, "agencies": [agency], "as_of": now()}
        return (await tallies.count(connection, span, **asked)).classes["P"]
    finally:
        await connection.close()


async def test_8_a_row_of_a_register_alone_is_paper_only(world):
    before = await paper_only(world)
    await in_register(world, "8008/GD", RECIPIENT)
    assert await paper_only(world) == before + 1


async def test_9_a_row_that_matches_an_electronic_transfer_is_paper_beside_it(world):
    letter = await sent(world, raw(world, 9))
    loaded = await in_register(world, await document_of(world, letter), RECIPIENT)
    assert (loaded.matched, loaded.paper_only) == (1, 0)
    told = await why(world, letter)
    assert said(told, "class", "step", "conflict") == ("S", "observed", True)
    assert "register_matched" in [one["kind"] for one in told["evidence"]]


async def test_10_refused_then_sent_again_is_one_electronic_and_one_not_counted(world):
    content = raw(world, 10)
    first = await sent(world, content, arrives=())
    await status(world, first, RECIPIENT, "02", reason="sai thể thức")
    async with world.client(SENDER) as client:
        again = await client.send(content, resend="2")
    second = again.body["receipt"]["letter"]
    async with world.client(RECIPIENT) as client:
        await client.ack([await delivery(world, second, RECIPIENT)])
    assert said(await why(world, first), "class", "excluded") == ("X", "refused")
    assert (await letters_listed(world, "refused")) & {first, second} == {first}
    assert said(await why(world, second), "class", "grade") == ("E", "B")


async def test_11_recalled_before_it_was_registered_is_not_counted(world):
    letter = await sent(world, raw(world, 11))
    await status(world, letter, SENDER, "13", reason="gửi nhầm")
    await status(world, letter, RECIPIENT, "15")
    assert said(await why(world, letter), "class", "excluded", "step") == ("X", "recalled", "recalled")
    assert letter in await letters_listed(world, "recalled")


async def test_12_recalled_after_it_was_registered_stays_counted(world):
    letter = await sent(world, raw(world, 12))
    await status(world, letter, RECIPIENT, "03")
    await status(world, letter, SENDER, "13", reason="gửi nhầm")
    await status(world, letter, RECIPIENT, "15")
    assert said(await why(world, letter), "class", "grade", "recalled") == ("E", "B", True)


def test_13_half_an_hour_before_midnight_is_still_the_old_year():
    sent_at = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)
    row = {
        "sender": UUID(int=1), "recipient": UUID(int=2), "accepted_at": sent_at, "scope": "same_root",
        "document_type": "", "urgency": 0,
    }  # fmt: skip
    found = paper_class.Classification(klass="E", step="no_paper", grade="B")
    out, inside = counted.facts(row, found, sent_at + timedelta(hours=1))
    years = [tallies.period(str(year)) for year in (2025, 2026)]
    assert [span.text for span in years if span.first <= out.day <= span.last] == ["2025"]
    assert [span.text for span in years if span.first <= inside.day <= span.last] == ["2026"]


async def test_14_one_document_to_three_one_of_them_on_paper(world):
    both = (RECIPIENT, OTHER)
    before = await paper_only(world)
    letter = await sent(world, raw(world, 14, recipients=both), arrives=both)
    await in_register(world, await document_of(world, letter), "H13.33")
    classes = [(await why(world, letter, recipient=code))["class"] for code in both]
    classes += ["P"] * (await paper_only(world) - before)
    assert classes == ["E", "E", "P"]
    assert paper_class.document_class(classes) == "S"


async def test_15_the_same_again_is_not_counted_and_the_same_number_is_told(world):
    content = raw(world, 15)
    await sent(world, content)
    before = await counts(world)
    async with world.client(SENDER) as client:
        again = await client.send(content)
    assert (again.status, await counts(world)) == (200, before)
    assert await again_as(world, raw(world, 15), b"khac") == ("E", "")
    assert await again_as(world, content, b"lai") == ("X", "duplicate")


async def again_as(server, content, name):
    """The class and why not counted, of a letter with the number of case 15 under another document id."""
    content = content.replace(b",15/CV-H1301", b",15/" + name)
    async with server.client(SENDER) as client:
        answer = await client.send(content)
    assert {one["code"] for one in answer.body["warnings"]} & {"duplicate_number", "document_sent_before"}
    letter = answer.body["receipt"]["letter"]
    async with server.client(RECIPIENT) as client:
        await client.ack([await delivery(server, letter, RECIPIENT)])
    found = said(await why(server, letter), "class", "excluded")
    assert (letter in await letters_listed(server, "duplicate")) is (found[0] == "X")
    return found


async def counts(server):
    connection = await pools.connect(server.dsn)
    try:
        return {tuple(one.values()) for one in await tally.everything(connection)}
    finally:
        await connection.close()


async def listed(server, kind, code=SENDER):
    connection = await pools.connect(server.dsn)
    try:
        agency = await connection.fetchval("SELECT id FROM agency WHERE code = $1", code)
        today = tallies.period(paper_class.local_day(now()).isoformat())
        async with connection.transaction():
            mine, everybody = [
                [
                    one
                    async for one in excluded.found(
                        connection, Asked(period=today, agencies=agencies, as_of=now()), kind
                    )
                ]
                for agencies in ([agency], None)
            ]
        assert {one["letter"] for one in mine} <= {one["letter"] for one in everybody}
        return mine
    finally:
        await connection.close()


async def test_16_what_is_declared_secret_is_refused_before_it_is_taken(world):
    before = await listed(world, "secret")
    async with world.client(SENDER) as client:
        answer = await client.send(raw(world, 16), state_secret="1")
    assert (answer.status, answer.body["code"]) == (422, "state_secret")
    (line,) = (await listed(world, "secret"))[len(before) :]
    assert (line["letter"], line["state"]) == (None, "refused")
    (row,) = await fetch(world.dsn, "SELECT sha256, size FROM journal WHERE code = 'state_secret'")
    assert (row["sha256"], row["size"]) == (None, 0)


async def test_training_letters_are_listed_and_never_counted(world):
    before = await counts(world)
    letter = await sent(world, raw(world, 160), test="1")
    assert said(await why(world, letter), "class", "excluded") == ("X", "test")
    assert [str(one["letter"]) for one in await listed(world, "test")] == [letter]
    assert {row[6] for row in await counts(world) ^ before} == {"X"}


async def test_what_never_arrived_is_listed_and_counts_once_it_arrives(world):
    letter = await sent(world, raw(world, 161), arrives=())
    name = await delivery(world, letter, RECIPIENT)
    await fetch(world.dsn, "UPDATE delivery SET state = 'expired' WHERE id = $1::text::uuid", name)
    await fetch(
        world.dsn,
        """INSERT INTO journal (agency, id, at, event, letter, delivery)
           SELECT recipient, gen_random_uuid(), now(), 'expired', letter, id FROM delivery WHERE id = $1::text::uuid""",
        name,
    )
    assert said(await why(world, letter), "class", "step") == ("X", "undelivered")
    assert letter in await letters_listed(world, "undelivered")
    async with world.client(RECIPIENT) as client:
        await client.ack([name])
    assert said(await why(world, letter), "class", "step") == ("E", "no_paper")
    assert letter not in await letters_listed(world, "undelivered")


async def letters_listed(server, kind):
    found = await listed(server, kind)
    return {str(one["letter"]) for one in found}


async def test_17_within_one_desk_is_internal_and_between_desks_counts(world):
    letter = await sent(
        world, raw(world, 17, sender=PARENT, recipients=(DESKLESS,)), sender=PARENT, arrives=(DESKLESS,)
    )
    told = await why(world, letter, sender=PARENT, recipient=DESKLESS)
    assert said(told, "class", "excluded", "step") == ("X", "internal", "internal")
    assert [str(one["letter"]) for one in await listed(world, "internal", PARENT)] == [letter]
    letter = await sent(world, raw(world, 171, sender=PARENT), sender=PARENT)
    assert (await why(world, letter, sender=PARENT))["class"] == "E"


async def test_18_nothing_declared_is_undeclared_until_the_agency_declares_for_all(world):
    told = await why(world, await sent(world, raw(world, 18, "undeclared")))
    assert said(told, "class", "step") == ("U", "undeclared")
    letter = await sent(world, raw(world, 181, "undeclared", sender=DECLARING), sender=DECLARING)
    told = await why(world, letter, sender=DECLARING)
    assert said(told, "class", "grade", "step") == ("E", "B", "no_paper")
    assert "standing" in [one["kind"] for one in told["evidence"]]


async def test_afterwards_every_number_is_the_recount(world):
    assert await faults(world) == set()
