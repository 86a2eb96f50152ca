"""Letters judged again, over real HTTP and PostgreSQL: the tally moves, every judgement stays on record."""

import asyncio
import dataclasses
import types
from datetime import timedelta

from api import test_admission as admission
from faults.moments import until
from province import fetch, serving
from rejudging import (
    about,
    authorities,
    bench,
    classes,
    faults,
    history,
    lists,
    newer,
    now,
    other,
    sent,
    serial,
)

from exchange.broker import examined, recheck
from exchange.edxml import spooled
from exchange.store import directory, rejudgements
from signing import trust

WORKERS = 1
PASSED, REVOKED, LATER, NO_PATH = "TOTAL_PASSED", "REVOKED_NO_POE", "TRY_LATER", "NO_CERTIFICATE_CHAIN_FOUND"
HOUR = timedelta(hours=1)


async def asked(at, code):
    """All letters of an agency judged again because somebody asks."""
    async with at.pool.acquire() as connection, connection.transaction():
        sender = await connection.fetchval("SELECT id FROM agency WHERE code = $1", code)
        await recheck.ask(at, connection, [sender])
    return await recheck.turn(at)


async def test_revoked_an_hour_before_receipt_and_only_in_the_next_list(shared_server, province):
    server, code = shared_server, "H13.02"
    letter, receipt = await sent(server, sender=code)
    assert await classes(server.dsn, code) == {"E": 2}
    incoming = await classes(server.dsn, "H13.31", "in")
    async with bench(server.dsn, newer(province, {serial(province, code): now() - HOUR})) as at:
        effect = await recheck.turn(at)
        assert dict(effect.counted) == {("E", "N"): 2}
        assert (await recheck.turn(at)).letters == 0
    assert await classes(server.dsn, code) == {"N": 2}
    assert (await classes(server.dsn, "H13.31", "in")).get("E", 0) == incoming["E"] - 1
    assert await history(server.dsn, letter) == [[PASSED] * 2, [PASSED, REVOKED]]
    shown = (await about(server, letter, "verdicts", code)).body
    assert (shown["requirement"], shown["missing"]) == ("not_met", ["main.organisation"])
    assert [one["sub_indication"] for one in shown["signatures"]] == [None, REVOKED]
    (first, _) = (await about(server, letter, "trace", code)).body["deliveries"]
    assert first["class"] == "N"
    assert [one["detail"] for one in first["events"] if one["event"] == "rejudged"] == ["revocation"]
    assert (await about(server, letter, "receipt", code)).raw == receipt
    (line,) = await fetch(
        server.dsn, "SELECT detail FROM journal WHERE event = 'rejudged' AND letter = $1::text::uuid", letter
    )
    assert line["detail"]["from"] == {"requirement": "met", "reason": "", "class_if_electronic": "E"}
    assert line["detail"]["to"] == {"requirement": "not_met", "reason": "revoked", "class_if_electronic": "N"}
    (kept,) = await fetch(
        server.dsn,
        """SELECT bool_and(EXISTS (SELECT FROM evidence WHERE encode(sha256, 'hex') = digest)) AS whole
             FROM verdict, unnest(evidence) AS digest WHERE letter = $1::text::uuid AND revision = 2""",
        letter,
    )
    assert kept["whole"]
    assert await faults(server) == set()


async def test_data_that_come_after_a_restart_move_n_to_e_by_themselves(
    province, province_database, tmp_path
):
    folder = tmp_path / "crl"
    folder.mkdir()
    with serving(province, province_database, tmp_path, workers=1, CONGVAN_CRL_DIR=str(folder)) as server:
        letter, _ = await sent(server)
        assert await classes(server.dsn, "H13.01") == {"N": 2}
        server.process.terminate()
        server.process.wait(45)
        await fetch(server.dsn, "DELETE FROM lease")  # the old worker's: half a minute more
        for number, raw in enumerate(lists(province)):
            (folder / f"{number}.crl").write_bytes(raw)
        server.start(1)
        assert await until(lambda: moved(server.dsn, {"E": 2}))
        assert await history(server.dsn, letter) == [[LATER] * 2, [PASSED] * 2]
        facts = await fetch(
            server.dsn,
            "SELECT class, sum(n)::int AS n FROM tally_delta GROUP BY 1 UNION ALL SELECT class, n::int FROM tally_day",
        )
        assert {one["class"] for one in facts} <= {"N", "E"}
        assert await faults(server) == set()


async def moved(dsn, wanted):
    return await classes(dsn, "H13.01") == wanted


async def test_on_hold_and_released(shared_server, province):
    server, code = shared_server, "H13.03"
    letter, _ = await sent(server, sender=code)
    held = (serial(province, code),)
    async with bench(server.dsn, newer(province, held=held)) as at:
        await recheck.turn(at)
    assert await classes(server.dsn, code) == {"N": 2}
    tomorrow = lambda: now() + timedelta(days=1)  # noqa: E731 - a clock
    async with bench(server.dsn, newer(province, at=now() + 2 * HOUR), clock=tomorrow) as at:
        await recheck.turn(at)
    assert await classes(server.dsn, code) == {"E": 2}
    assert await history(server.dsn, letter) == [[PASSED] * 2, [PASSED, LATER], [PASSED] * 2]


async def test_an_authority_no_longer_trusted_and_trusted_again(server, province):
    letter, _ = await sent(server)
    server.process.terminate()  # it trusts what the province does, and would judge so again
    server.process.wait(45)
    async with bench(server.dsn, newer(province)) as at:
        assert (await recheck.turn(at)).counted == {}
    async with bench(server.dsn, other()) as at:
        assert dict((await recheck.turn(at)).counted) == {("E", "N"): 2}
    async with bench(server.dsn, trust.load([], [])) as at:
        assert (await recheck.turn(at)).letters == 0
    async with bench(server.dsn, newer(province)) as at:
        assert dict((await recheck.turn(at)).counted) == {("N", "E"): 2}
    assert (await history(server.dsn, letter))[-2:] == [[NO_PATH] * 2, [PASSED] * 2]
    causes = await fetch(server.dsn, "SELECT cause FROM judgement ORDER BY revision")
    assert [one["cause"] for one in causes] == ["revocation", "trust", "trust"]
    assert await faults(server) == set()


async def test_what_was_proven_stays_proven_when_the_lists_are_gone(shared_server, province):
    server, code = shared_server, "H13.04"
    letter, _ = await sent(server, sender=code)
    async with bench(server.dsn, trust.load(authorities(province), [])) as at:
        assert (await asked(at, code)).changed == 0
    assert await classes(server.dsn, code) == {"E": 2}
    assert await history(server.dsn, letter) == [[PASSED] * 2]


async def test_what_would_be_refused_today_becomes_n_with_its_reason(shared_server, province):
    server, code = shared_server, "H13.05"
    letter, _ = await sent(server, sender=code)
    await fetch(
        server.dsn,
        """UPDATE signer_certificate SET agency = (SELECT id FROM agency WHERE code = 'H13.06')
            WHERE kind = 'organisation' AND agency = (SELECT id FROM agency WHERE code = $1)""",
        code,
    )
    async with bench(server.dsn, newer(province)) as at:
        assert dict((await asked(at, code)).counted) == {("E", "N"): 2}
    (row,) = await fetch(
        server.dsn, "SELECT requirement, reason FROM letter WHERE id = $1::text::uuid", letter
    )
    assert tuple(row) == ("not_met", "signer_of_another")


async def test_a_letter_judged_on_the_directory_of_before_is_found_later(shared_server, province):
    """A worker knows a new version some seconds late: what it accepts meanwhile is judged again a minute later."""
    server, code = shared_server, "H13.07"
    letter, _ = await sent(server, sender=code)
    seal = await fetch(
        server.dsn,
        """SELECT sha256 FROM signer_certificate AS row JOIN agency ON agency.id = row.agency
            WHERE code = $1 AND row.kind = 'organisation'""",
        code,
    )
    async with bench(server.dsn, newer(province)) as at:
        await recheck.turn(at)
        async with at.pool.acquire() as connection:
            version = await directory.version(connection)
            reason = rejudgements.Reason(
                id=at.ids.new(), cause="directory", at=now(), directory_version=version + 1,
                certificates=[seal[0]["sha256"]],
            )  # fmt: skip
            await rejudgements.order(connection, reason)
            await connection.execute("DELETE FROM rejudgement_due")  # as if the letter was not there yet
        assert (await recheck.turn(at)).letters == 0
        late = dataclasses.replace(at, clock=lambda: now() + timedelta(seconds=70))
        assert (await recheck.turn(late)).letters == 1
        assert (await recheck.turn(late)).letters == 0
    assert await history(server.dsn, letter) == [[PASSED] * 2, [PASSED] * 2]


async def test_a_letter_whose_deliveries_are_not_made_yet_waits_for_them(shared_server, province):
    server, code = shared_server, "H13.08"
    letter, _ = await sent(server, sender=code)
    await fetch(
        server.dsn,
        "UPDATE letter SET expanded_at = NULL, accepted_at = accepted_at + interval '1 hour' WHERE id = $1::text::uuid",
        letter,
    )
    revoked = newer(province, {serial(province, code): now() - HOUR}, at=now() + 2 * HOUR)
    async with bench(server.dsn, revoked) as at:
        assert (await asked(at, code)).letters == 0
        await fetch(server.dsn, "UPDATE letter SET expanded_at = now() WHERE id = $1::text::uuid", letter)
        soon = dataclasses.replace(at, clock=lambda: now() + timedelta(seconds=3))
        assert dict((await recheck.turn(soon)).counted) == {("E", "N"): 2}
    await fetch(
        server.dsn,
        "UPDATE letter SET accepted_at = accepted_at - interval '1 hour' WHERE id = $1::text::uuid",
        letter,
    )


async def test_a_letter_that_cannot_be_examined_keeps_what_stands_and_stays_due(shared_server, province):
    server, code = shared_server, "H13.09"
    letter, _ = await sent(server, sender=code)
    gone = "UPDATE payload SET body = $2 WHERE id = $1::text::uuid RETURNING body"
    (held,) = await fetch(server.dsn, "SELECT body FROM payload WHERE id = $1::text::uuid", letter)
    await fetch(server.dsn, gone, letter, b"<not")
    async with bench(server.dsn, newer(province)) as at:
        assert (await asked(at, code)).letters == 0
        (due,) = await fetch(
            server.dsn, "SELECT tries, due_at FROM rejudgement_due WHERE letter = $1::text::uuid", letter
        )
        assert (due["tries"], due["due_at"] > now()) == (1, True)
        await fetch(server.dsn, gone, letter, held["body"])
        later = dataclasses.replace(at, clock=lambda: now() + timedelta(minutes=3))
        assert (await recheck.turn(later)).letters == 1
    assert await classes(server.dsn, code) == {"E": 2}


async def test_a_planted_difference_is_found(shared_server, province):
    server, code = shared_server, "H13.11"
    letter, _ = await sent(server, sender=code, recipients=("H13.31",))
    async with bench(server.dsn, newer(province)) as at:
        await recheck.turn(at)
    for table, column, value in (
        ("letter", "reason", "revoked"),
        ("letter", "requirement", "not_met"),
        ("judgement", "requirement", "not_met"),
        ("judgement", "class_if_electronic", "U"),
        ("delivery", "requirement", "not_met"),
    ):
        name = "id" if table == "letter" else "letter"
        (was,) = await fetch(
            server.dsn, f"SELECT {column} AS was FROM {table} WHERE {name} = $1::text::uuid", letter
        )
        change = f"UPDATE {table} SET {column} = $2 WHERE {name} = $1::text::uuid"
        await fetch(server.dsn, change, letter, value)
        assert "judgement_differs" in await faults(server), (table, column)
        await fetch(server.dsn, change, letter, was["was"])
    await fetch(server.dsn, "DELETE FROM judgement WHERE letter = $1::text::uuid", letter)
    assert "verdicts_without_judgement" in await faults(server)


async def test_a_file_that_was_sent_twice_stays_undetermined_and_the_first_letter_stays_met(
    shared_server, province
):
    server, code = shared_server, "H13.20"
    file = ("a.pdf", admission.document(province, f"person:{code}", f"seal:{code}"))
    async with server.client(code) as client:
        for number in (1, 2):
            assert (await client.send(admission.letter(number, file, sender=code))).status == 201
    before = await standing(server.dsn, code)
    assert before == [("1", "met", ""), ("2", "undetermined", "file_reused")]
    async with bench(server.dsn, newer(province)) as at:
        assert (await asked(at, code)).letters == 2
    assert await standing(server.dsn, code) == before


async def test_a_folder_for_a_large_letter_is_made_and_taken_away_beside_the_loop(tmp_path):
    at, turns = types.SimpleNamespace(spool_folder=tmp_path / "spool"), []

    async def others():
        while True:
            turns.append(True)
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    large = spooled.Spooled(path=tmp_path, size=spooled.SPOOLED_BYTES + 1, sha256=b"")
    folder = examined._folder(at, large)
    begun = await folder.__aenter__()
    made = len(turns)
    assert made
    (begun / "attached-0").write_bytes(b"x")
    await folder.__aexit__(None, None, None)
    assert len(turns) > made
    assert list((tmp_path / "spool").iterdir()) == []
    async with examined._folder(at, b"small") as none:
        assert none is None
    task.cancel()


async def standing(dsn, code):
    """Requirement and reason of an agency's letters, by number."""
    rows = await fetch(
        dsn,
        """SELECT number, requirement, reason FROM letter JOIN agency ON agency.id = letter.sender
            WHERE agency.code = $1 ORDER BY number""",
        code,
    )
    return [tuple(row) for row in rows]
