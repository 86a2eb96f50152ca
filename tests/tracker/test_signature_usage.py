"""Measures M8 to M11 and their reports on a real database: cases by hand, and random worlds against brute force."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import plain_counts
import pytest
from signed_world import ISSUERS, Brute, World, exported

from exchange import texts
from exchange.rules import working_days
from exchange.store import signed_documents
from exchange.tracker import signature_usage, tally
from exchange.tracker.reports import failures, make
from exchange.tracker.reports.written import heading
from exchange.tracker.signature_usage import Asked
from signing import keys
from signing.verdict import SubIndication

PASSED, FAILED, OPEN = "TOTAL_PASSED", "TOTAL_FAILED", "INDETERMINATE"
MARCH = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
async def world(pool):
    async with pool.acquire() as connection:
        yield World(connection)


def asked(world, period="2026", agencies=None):
    return Asked(period=tally.period(period), agencies=agencies, as_of=world.at)


async def measured(world, period="2026", agencies=None):
    found = await signature_usage.measures(world.connection, asked(world, period, agencies), world.trust())
    return {name: tuple(one) for name, one in found.items()}


async def report(world, name, period="2026", agencies=None):
    """Rows as dictionaries of plain values, and the report itself."""
    made = await make.make(world.connection, name, asked(world, period, agencies), world.trust(), [])
    names = [column.name for column in made.table.columns]
    return [dict(zip(names, row, strict=True)) for row in made.table.rows], made


async def office(world, code="A", **changed):
    """An agency with a leader, its seal and the leader's pen: what it signs with."""
    agency = await world.agency(code, **changed)
    leader = await world.officer(agency, leader=True)
    seal, pen = await world.seal(agency), await world.pen(agency, leader)
    return agency, ("organisation", seal, PASSED), ("individual", pen, PASSED, {"officer": leader})


# --- cases by hand -----------------------------------------------------------------------------------------------------


async def test_nothing_is_no_ratio(world):
    assert set((await measured(world)).values()) == {(0, 0)}
    rows, made = await report(world, "BC-10")
    assert (rows, made.measures["M8"].text) == ([], "—")


async def test_documents_by_what_signs_them(world):
    agency, seal, pen = await office(world)
    await world.letter(agency, 1, MARCH, seal, pen)
    await world.letter(agency, 2, MARCH, seal, missing=["main.individual"])
    await world.letter(agency, 3, MARCH, pen, missing=["main.organisation"])
    await world.letter(agency, 4, MARCH, missing=["main.organisation", "main.individual"])
    await world.letter(agency, 5, MARCH, (*seal[:2], FAILED), pen, missing=["main.organisation"])
    await world.letter(agency, 6, MARCH, (*seal[:2], OPEN), pen, missing=["main.organisation"])
    found = await measured(world)
    assert (found["M8"], found["M9"]) == ((2, 6), (1, 6))
    (row,), made = await report(world, "BC-10")
    names = ("documents", "organisation", "individual", "both", "failed", "undetermined")
    assert [row[name] for name in names] == [6, 2, 4, 1, 1, 1]
    assert made.table.total[1:] == made.table.rows[0][1:]


async def test_a_signature_on_an_annex_or_of_somebody_else_does_not_sign_the_document(world):
    agency, seal, pen = await office(world)
    other, other_seal, _ = await office(world, "B")
    annex = (*seal[:3], {"main": False, "place": "phu_luc.pdf"})
    foreign = (*other_seal[:3], {"signer_agency": other})
    package = (*seal[:3], {"main": False, "place": "package", "format": "xmldsig"})
    named_package = (*seal[:3], {"main": False, "place": "package", "format": "pades"})
    await world.letter(agency, 1, MARCH, annex, pen, missing=["main.organisation"])
    await world.letter(agency, 2, MARCH, foreign, pen)
    await world.letter(agency, 3, MARCH, package, pen)
    await world.letter(agency, 4, MARCH, named_package, pen)
    assert (await measured(world))["M8"] == (1, 4)


async def test_a_superiors_seal_counts_for_the_child_and_is_the_superiors_own(world):
    parent, seal, pen = await office(world, "A")
    child = await world.agency("A.1", parent=parent, level=3)
    await world.held(seal[1], child, since=date(2024, 2, 1))
    await world.letter(child, 1, MARCH, seal, pen)
    found = await measured(world)
    assert (found["M8"], found["M11"]) == ((1, 1), (1, 2))
    assert (await measured(world, agencies=[child]))["M11"] == (0, 1)
    rows, _ = await report(world, "BC-11", agencies=[child])
    assert [(row["agency"], row["uses"]) for row in rows] == [("A; A.1", 1)]
    rows, _ = await report(world, "BC-10", agencies=[parent])
    assert [(row["seals"], row["used"].first, row["documents"]) for row in rows] == [(1, 1, 0)]


async def test_a_renewed_certificate_is_two_certificates_and_one_signer(world):
    agency = await world.agency("A")
    officer = await world.officer(agency)
    for since, days in ((date(2021, 1, 1), 1825), (date(2025, 12, 1), 1825)):
        sha256 = await world.certificate(since=since, days=days)
        last = since + timedelta(days=days)
        await world.held(sha256, agency, kind="individual", officer=officer, since=since, until=last)
    await world.letter(agency, 1, MARCH, ("individual", sha256, PASSED, {"officer": officer}))
    assert (await measured(world))["M10"] == (1, 1)
    rows, made = await report(world, "BC-11")
    assert Counter(row["state"].code for row in rows) == {"expired": 1, "valid": 1}
    assert made.lines[0].facts == {"issued": 2, "valid": 1, "revoked": 0, "expired": 1}


async def test_an_officer_who_left_counts_until_then(world):
    agency = await world.agency("A")
    officer = await world.officer(agency, until=date(2026, 3, 31))
    pen = await world.pen(agency, officer)
    await world.letter(agency, 1, MARCH, ("individual", pen, PASSED, {"officer": officer}))
    assert [(await measured(world, period))["M10"] for period in ("2026-Q1", "2026", "2026-Q2")] == [
        (1, 1), (1, 1), (0, 0),
    ]  # fmt: skip
    rows, made = await report(world, "BC-11")
    assert [row["state"].code for row in rows] == ["ended"]
    assert made.lines[0].facts == {"issued": 1, "valid": 0, "revoked": 0, "expired": 0, "ended": 1}


async def test_agencies_that_ended_are_switched_off_or_not_counted(world):
    await office(world, "A")
    await office(world, "B", until=date(2026, 6, 30))
    await office(world, "C", disabled=world.at - timedelta(days=1))
    await office(world, "D", counted=False)
    assert (await measured(world, "2026-Q2"))["M11"] == (3, 3)  # C was switched off later
    assert (await measured(world))["M11"] == (1, 1)
    rows, _ = await report(world, "M11")
    assert [row["agency"] for row in rows] == ["A"]


async def test_a_verdict_that_passes_later_moves_the_measure_and_stays_in_the_log(world):
    agency, seal, pen = await office(world)
    letter = await world.letter(agency, 1, MARCH, (*seal[:2], OPEN), pen, missing=["main.organisation"])
    assert (await measured(world))["M8"] == (0, 1)
    (row,), _ = await report(world, "BC-12")
    assert (row["result"].code, row["reason"].code, row["again"]) == (OPEN, "not_known", None)
    again = datetime(2026, 3, 9, tzinfo=UTC)
    await world.judge(agency, letter, again, seal, pen)
    await world.connection.execute("UPDATE letter SET missing = '{}', requirement = 'met', reason = ''")
    assert (await measured(world))["M8"] == (1, 1)
    (row,), _ = await report(world, "BC-12")
    assert (row["result"].code, row["again"].word.code, row["again"].at) == (OPEN, PASSED, again)
    assert row["handling"] is None


async def test_rounds_copies_and_updates_of_a_document_count_once_as_the_newest_stands(world):
    agency, seal, pen = await office(world)
    lacking = {"missing": ["main.organisation", "main.individual"]}
    await world.letter(agency, 7, MARCH, document_id="A,7", **lacking)
    later = MARCH + timedelta(days=60)
    await world.letter(agency, 7, later, seal, pen, document_id="A,7", round=2)
    await world.letter(agency, "07", later, seal, pen, document_id="a,7", notation=" cv ")
    await world.letter(agency, 7, later, seal, pen, operation="update")
    found, early = await measured(world), await measured(world, "2026-03")
    assert (found["M8"], early["M8"]) == ((1, 1), (0, 1))
    assert (await measured(world, "2026-05"))["M8"] == (0, 0)  # first taken in March
    await world.letter(agency, 7, later, seal, issued_on=date(2025, 3, 1))
    await world.letter(agency, 7, later, seal, notation="QĐ")
    await world.letter(agency, "", later, seal, document_id="x")
    await world.letter(agency, "", later, seal, document_id="x", round=2)
    assert (await measured(world))["M8"] == (4, 4)
    rows, _ = await report(world, "M8")
    assert sorted(row["letters"] for row in rows) == [1, 1, 2, 4]


async def test_operations_on_a_document_make_no_second_one(world):
    agency, seal, pen = await office(world)
    await world.letter(agency, 1, MARCH, seal, pen, document_id="A")
    moved = {"operation": "update", "target_document_id": "A", "missing": ["main.organisation"]}
    later = MARCH + timedelta(days=1)
    await world.letter(agency, 2, later, document_id="A, sửa", **moved)  # another number, and no signature
    assert (await measured(world))["M8"] == (1, 1)
    await world.letter(agency, 1, later, seal, pen, operation="replace", document_id="B")
    assert (await measured(world))["M8"] == (1, 1)
    await world.letter(agency, 3, later, pen, operation="replace", document_id="C")
    assert (await measured(world))["M8"] == (1, 2)
    rows, _ = await report(world, "BC-11")
    assert sorted(row["uses"] for row in rows) == [1, 2]


async def test_a_number_is_one_however_it_is_written(world):
    agency, seal, pen = await office(world)
    for number, notation in (
        (12, "QĐ-UBND"),
        ("012", "qđ – ubnd"),
        ("12/QĐ-UBND", ""),
        ("Số: 12", "12/QĐ-UBND"),
    ):
        await world.letter(agency, number, MARCH, seal, pen, notation=notation)
    assert (await measured(world))["M8"] == (1, 1)
    await world.letter(agency, "12/2026", MARCH, seal, pen, notation="QĐ-UBND")
    await world.letter(agency, 12, MARCH, seal, pen, notation="QD-UBND")
    assert (await measured(world))["M8"] == (3, 3)


async def test_training_notices_and_revocations_are_left_out(world):
    agency, seal, pen = await office(world)
    await world.letter(agency, 1, MARCH, seal, pen, test=True)
    await world.letter(agency, 2, MARCH, seal, pen, operation="status")
    await world.letter(agency, 3, MARCH, seal, pen, operation="revoke")
    found = await measured(world)
    assert (found["M8"], found["M10"]) == ((0, 0), (0, 1))


async def test_refused_at_the_gate_is_told_beside_the_log(world):
    agency, *_ = await office(world)
    for code in ("signature_broken", "signature_of_another", "findings"):
        await world.connection.execute(
            "INSERT INTO journal (agency, id, at, event, code) VALUES ($1, gen_random_uuid(), $2, 'refused', $3)",
            agency, MARCH, code,
        )  # fmt: skip
    rows, made = await report(world, "BC-12")
    assert (rows, made.lines[0].facts) == ([], {"n": 2})
    assert (await report(world, "BC-12", "2026-04"))[1].lines[0].facts == {"n": 0}
    assert (await measured(world))["M8"] == (0, 0)


async def test_half_past_eleven_on_the_last_day_of_the_year_is_that_year(world):
    agency, seal, pen = await office(world)
    await world.letter(agency, 1, datetime(2025, 12, 31, 16, 30, tzinfo=UTC), seal, pen)
    await world.letter(agency, 2, datetime(2025, 12, 31, 17, 0, tzinfo=UTC), seal, pen)
    assert [(await measured(world, period))["M8"] for period in ("2025", "2026", "2025-12-31")] == [
        (1, 1), (1, 1), (1, 1),
    ]  # fmt: skip
    rows, _ = await report(world, "M8", "2025")
    assert [row["accepted_on"] for row in rows] == [date(2025, 12, 31)]
    rows, _ = await report(world, "BC-11", "2025")
    assert {row["last_use"] for row in rows} == {date(2025, 12, 31)}


async def test_of_a_copy_only_a_confirmed_person_counts(world):
    agency, seal, pen = await office(world)
    unconfirmed = await world.pen(agency, await world.officer(agency), confirmed=False)
    await world.letter(agency, 1, MARCH, seal, pen, copy_form="true_copy")
    await world.letter(agency, 2, MARCH, seal, ("individual", unconfirmed, PASSED), copy_form="true_copy")
    assert (await measured(world))["M9"] == (1, 2)


async def test_revoked_is_what_the_lists_say_at_the_end_of_the_period(world):
    agency = await world.agency("A")
    sha256 = await world.certificate(revoked=datetime(2026, 6, 30, 17, tzinfo=UTC))
    await world.held(sha256, agency)
    assert [(await measured(world, period))["M11"] for period in ("2026-Q2", "2026-07", "2026")] == [
        (1, 1), (0, 1), (0, 1),
    ]  # fmt: skip
    (row,), _ = await report(world, "BC-11")
    assert (row["state"].code, row["revoked"], row["days_left"]) == ("revoked", date(2026, 7, 1), None)


async def test_a_certificate_not_at_hand_goes_by_the_directory(world):
    agency = await world.agency("A")
    sha256 = await world.certificate(kept=False)
    await world.held(sha256, agency, until=date(2026, 6, 30))
    assert [(await measured(world, period))["M11"] for period in ("2026-Q2", "2026")] == [(1, 1), (0, 1)]
    (row,), _ = await report(world, "BC-11")
    assert (row["serial"], row["state"].code, row["to"]) == (None, "expired", date(2026, 6, 30))


async def test_bytes_that_are_no_certificate_are_as_good_as_none(world):
    agency = await world.agency("A")
    sha256 = await world.certificate()
    await world.held(sha256, agency)
    await world.connection.execute("UPDATE evidence SET body = '\\x00'")
    (row,), _ = await report(world, "BC-11")
    assert (row["serial"], row["state"].code) == (None, "valid")


async def test_what_the_lists_say_goes_with_the_trust_set(world):
    agency = await world.agency("A")
    sha256 = await world.certificate()
    await world.held(sha256, agency)
    assert (await measured(world))["M11"] == (1, 1)
    world.revoked[0][world.count] = MARCH  # in the next list
    assert (await measured(world))["M11"] == (0, 1)


async def test_issued_in_the_period_by_issuer(world):
    agency = await world.agency("A")
    officer = await world.officer(agency)
    for since, issuer, kind in (
        (date(2026, 1, 1), 0, "organisation"),
        (date(2026, 6, 30), 0, "individual"),
        (date(2026, 7, 1), 1, "individual"),
        (date(2025, 12, 31), 1, "individual"),
    ):
        sha256 = await world.certificate(since=since, issuer=issuer)
        await world.held(
            sha256, agency, kind=kind, officer=officer if kind == "individual" else None, since=since
        )
    _, made = await report(world, "BC-11")
    assert [list(row) for row in made.annex.rows] == [["Nơi cấp A", 1, 1, 2], ["Nơi cấp B", 0, 1, 1]]
    assert list(made.annex.total) == ["", 1, 2, 3]
    _, made = await report(world, "BC-11", "2026-Q2")
    assert [list(row) for row in made.annex.rows] == [["Nơi cấp A", 0, 1, 1]]
    assert len(made.table.rows) == 3  # not yet issued then


async def test_idle_is_told_by_agency_and_not_for_the_treasury(world):
    agency, seal, pen = await office(world)
    await world.seal(agency, purpose="treasury")
    fresh = await world.certificate(since=date(2026, 10, 1))
    await world.held(fresh, agency, since=date(2026, 10, 1))
    await world.letter(agency, 1, MARCH, seal)
    await world.letter(agency, 2, world.at - timedelta(days=10), pen, missing=["main.organisation"])
    (row,), _ = await report(world, "BC-10")
    assert row["idle"] == 1  # the seal: its last use was in March


@pytest.mark.parametrize("idle, ending, told", [(5, 9, (2, 0)), (90, 30, (1, 1)), (366, 100, (0, 1))])
async def test_a_deployment_says_what_is_idle_and_what_ends_soon(world, idle, ending, told):
    """By default 90 and 30 days, the reference's; no law gives them."""
    agency, seal, pen = await office(world)
    await world.letter(agency, 1, MARCH, seal)
    await world.letter(agency, 2, world.at - timedelta(days=10), pen, missing=["main.organisation"])
    age = (world.at.date() - date(2024, 1, 1)).days
    await world.held(await world.certificate(days=age + 20), agency, purpose="treasury")
    days = working_days.Days(idle=idle, ending=ending)
    settings = make.Settings(calendar=replace(working_days.default(), days=days))
    usage, overview = [
        await make.make(world.connection, name, asked(world), world.trust(), [], settings)
        for name in ("BC-10", "BC-01")
    ]
    place = [column.name for column in usage.table.columns].index("idle")
    (soon,) = [row[1] for row in overview.table.rows if row[0].code == "expiring"]
    assert (usage.table.total[place], soon) == told
    assert heading(usage.table, usage.table.columns[place], "vi") == f"Không dùng >{idle} ngày"
    assert any(line.key == "own_spans" for line in usage.lines) is (idle != 90)


async def test_what_is_missing_has_a_row_unless_a_failed_signature_stands_there(world):
    agency, seal, pen = await office(world)
    await world.letter(agency, 1, MARCH, pen, missing=["main.organisation"], reason="organisation_missing")
    await world.letter(agency, 2, MARCH, (*seal[:2], FAILED), pen, missing=["main.organisation"])
    await world.letter(
        agency, 3, MARCH, seal, pen, missing=["annex.organisation:phu_luc.pdf"], reason="annex_unsigned"
    )
    await world.letter(agency, 4, MARCH, missing=["document"], reason="no_document", main_attachment=None)
    rows, _ = await report(world, "BC-12")
    assert [(row["number"], row["reason"].code, row["handling"].code) for row in rows] == [
        ("1/CV", "missing_organisation", "sign"),
        ("2/CV", "changed", "digest_differs"),
        ("3/CV", "missing_organisation", "sign"),
        ("4/CV", "missing_document", "sign"),
    ]
    assert rows[2]["place"] == "phu_luc.pdf"


@pytest.mark.parametrize("sub_indication", SubIndication)
def test_every_sub_indication_has_the_reason_that_its_name_tells(sub_indication):
    reason = failures.REASONS.get(sub_indication, failures.UNTRUSTED)
    assert texts.say(f"report.failure.{reason}")
    for beginning, expected in (
        ("REVOKED", "revoked"),
        ("OUT_OF_BOUNDS", "expired"),
        ("TRY_LATER", "not_known"),
    ):
        assert (reason == expected) == sub_indication.startswith(
            beginning
        ) or sub_indication == "NOT_YET_VALID"


async def test_a_certificate_on_hold_is_told_with_the_revoked(world):
    agency, seal, pen = await office(world)
    held = (*seal[:2], OPEN, {"why": "certificate_on_hold"})
    await world.letter(agency, 1, MARCH, held, pen, missing=["main.organisation"])
    (row,), _ = await report(world, "BC-12")
    assert row["reason"].code == "revoked"


async def test_evidence_of_revocation_is_told_by_when_it_was_made(world):
    agency, seal, pen = await office(world)
    lists = [keys.revocation_list(ISSUERS[0], {}, at=MARCH - timedelta(days=n)) for n in (1, 3)]
    for raw in lists:
        digest = hashlib.sha256(raw).digest()
        await world.connection.execute(
            "INSERT INTO evidence VALUES ($1, 'crl', $2, $3)", digest, raw, world.at
        )
    named = tuple(hashlib.sha256(raw).hexdigest() for raw in lists)
    await world.letter(agency, 1, MARCH, (*seal[:2], OPEN, {"evidence": named}), pen)
    await world.letter(agency, 2, MARCH, (*seal[:2], OPEN, {"evidence": named[1:]}), pen)
    rows, _ = await report(world, "BC-12")
    assert [row["evidence"] for row in rows] == [MARCH - timedelta(days=1), MARCH - timedelta(days=3)]


# --- random worlds against brute force -----------------------------------------------------------------------------------


async def random_world(world, random):
    """Agencies of every sort, certificates shared, renewed, revoked, and letters around two turns of the year."""
    agencies, days = [], [date(2025, 1, 1) + timedelta(days=n) for n in range(0, 690, 7)]
    for n in range(6):
        parent = random.choice(agencies) if agencies and random.random() < 0.5 else None
        agencies.append(
            await world.agency(
                f"A{n}", parent=parent, level=random.choice([2, 3]), counted=random.random() < 0.8,
                disabled=world.at - timedelta(days=random.randrange(1, 400)) if random.random() < 0.2 else None,
                until=random.choice(days) if random.random() < 0.2 else None,
            )
        )  # fmt: skip
    signers = [await random_seal(world, random, agencies, days) for _ in range(10)]
    signers += [await random_pen(world, random, agencies, days) for _ in range(12)]
    for _ in range(60):
        await random_letter(world, random, agencies, signers)
    return agencies


async def random_certificate(world, random, days):
    moment = datetime.combine(random.choice(days), datetime.min.time(), UTC) + timedelta(
        hours=random.randrange(24)
    )
    return await world.certificate(
        since=random.choice(days) - timedelta(days=random.choice([0, 400, 600])), days=random.choice([300, 1825, 1825]),
        revoked=moment if random.random() < 0.15 else None, issuer=random.randrange(2), kept=random.random() < 0.8,
    )  # fmt: skip


async def random_seal(world, random, agencies, days):
    sha256 = await random_certificate(world, random, days)
    for agency in random.sample(agencies, random.choice([1, 1, 1, 2])):
        await random_row(world, random, sha256, agency, days)
    return "organisation", sha256, None


async def random_pen(world, random, agencies, days):
    agency = random.choice(agencies)
    officer = await world.officer(
        agency, leader=random.random() < 0.5, until=random.choice(days) if random.random() < 0.3 else None
    )
    sha256 = await random_certificate(world, random, days)
    await random_row(world, random, sha256, agency, days, kind="individual", officer=officer)
    return "individual", sha256, officer


async def random_row(world, random, sha256, agency, days, **changed):
    since = random.choice([date(2024, 1, 1), random.choice(days)])
    until = random.choice([None, since + timedelta(days=random.choice([100, 400, 1800]))])
    purpose = random.choice(["exchange"] * 5 + ["treasury"])
    await world.held(
        sha256, agency, since=since, until=until, confirmed=random.random() < 0.8, purpose=purpose, **changed
    )


async def random_letter(world, random, agencies, signers):
    at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(690 * 24 * 60))
    at = random.choice(
        [at, datetime(2025, 12, 31, random.choice([16, 17]), random.randrange(60), tzinfo=UTC)]
    )
    sender, missing = random.choice(agencies), ["document", "main.organisation", "main.individual"]
    made = await world.letter(
        sender, random.choice(["", "01", *range(1, 12)]), at, *random_signatures(random, [sender] * 8 + agencies, signers),
        missing=random.sample(missing, random.choice([0, 0, 0, 1])), issued_on=date(random.choice([2025, 2026]), 1, 1),
        test=random.random() < 0.1, copy_form=random.choice(["original", "original", "true_copy"]),
        operation=random.choice(["new", "new", "new", "update", "status", "revoke"]),
    )  # fmt: skip
    if random.random() < 0.3:
        await world.judge(
            sender, made, at + timedelta(days=3), *random_signatures(random, [sender] * 8 + agencies, signers)
        )


def random_signatures(random, agencies, signers):
    for kind, sha256, officer in random.sample(signers, random.choice([0, 1, 2, 2, 3])):
        beside = {
            "officer": officer, "main": random.random() < 0.8, "place": random.choice(["van_ban.pdf", "package"]),
            "format": random.choice(["pades", "xmldsig"]), "signer_agency": random.choice(agencies),
        }  # fmt: skip
        yield kind, sha256, random.choice([PASSED, PASSED, PASSED, FAILED, OPEN]), beside


async def random_operation(world, random):
    """An update of some letter, a copy of it under another number or in a new round, at any time."""
    target = random.choice(await world.connection.fetch("SELECT * FROM letter WHERE operation <> 'status'"))
    at = datetime(2025, 12, 25, tzinfo=UTC) + timedelta(hours=random.randrange(24 * 14))
    number, beside = random.choice([target["number"], "77"]), {"issued_on": target["issued_on"]}
    match random.choice(["update", "update", "replace", "round", "lost"]):
        case "update":
            beside |= {"operation": "update", "target_document_id": target["document_id"]}
        case "lost":
            beside |= {"operation": "update", "target_document_id": "nobody's"}
        case "replace":
            beside |= {
                "operation": "replace",
                "target_document_id": target["document_id"],
                "first_of_key": random.choice([False, None]),
            }
        case "round" if target["operation"] == "new":
            latest = (
                "SELECT max(round) FROM letter WHERE sender = $1 AND document_id = $2 AND operation = 'new'"
            )
            known = await world.connection.fetchval(latest, target["sender"], target["document_id"])
            beside |= {"document_id": target["document_id"], "round": known + 1}
    await world.letter(target["sender"], number, at, **beside)


async def first_ones_marked(world):
    """Of the letters of each key the first has the mark, as the exchange sets it."""
    await world.connection.execute(
        """UPDATE letter SET first_of_key = (SELECT letter.id = one.id FROM letter AS one
             WHERE (one.sender, one.issued_year, one.series, one.number_key, one.notation_key)
                 = (letter.sender, letter.issued_year, letter.series, letter.number_key, letter.notation_key)
               AND one.operation IN ('new', 'replace') AND NOT one.test ORDER BY one.accepted_at, one.id LIMIT 1)
            WHERE number_key IS NOT NULL AND operation IN ('new', 'replace') AND NOT test"""
    )


SHOWN = (
    "sender",
    "organisation",
    "individual",
    "failed",
    "undetermined",
    "n",
    "id",
    "letters",
    "first_accepted",
    "document_id",
)


def plainly(rows):
    """Rows as they compare, whatever their order."""
    return sorted(tuple(row[name] for name in SHOWN if name in row.keys()) for row in rows)  # noqa: SIM118 - a record's `in` asks for values


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 60))]
)
async def test_what_is_read_of_a_period_is_what_the_whole_history_says(world, seed):
    random = Random(f"history {seed}")
    agencies = await random_world(world, random)
    for _ in range(40):
        await random_operation(world, random)
    if seed % 4:
        await first_ones_marked(world)
    left_out = 0
    for period in PERIODS:
        for scope in (None, agencies[:1], agencies[2:5]):
            here = asked(world, period, scope)
            span = (world.connection, scope, here.first, here.end)
            rows = await plain_counts.document_rows(*span)
            async with world.connection.transaction():
                listed = [row async for row in signed_documents.documents(*span)]
            assert plainly(listed) == plainly(rows), (period, scope)
            counted = await plain_counts.documents(*span)
            assert plainly((await signed_documents.counted(*span)).documents) == plainly(counted), (
                period,
                scope,
            )
            await uses_agree(span, scope and await plain_counts.sharing(world.connection, scope))
            ids = {row["id"] for row in rows}
            left_out += sum(
                row["accepted_at"] >= here.first and row["id"] not in ids
                for row in await world.connection.fetch("SELECT id, accepted_at FROM letter")
            )
    assert left_out  # some documents of a period began before it


async def uses_agree(span, senders):
    """Uses in the span, and the last ones of everybody, and of whoever had none there."""
    connection, scope, first, end = span
    known = {
        (row["sha256"], row["officer"]): (row["last"], row["n"])
        for row in await plain_counts.uses(connection, senders, first, end)
    }
    counted = (await signed_documents.counted(*span)).uses
    assert {(row["sha256"], row["officer"]): (row["last"], row["n"]) for row in counted} == {
        key: (last, n) for key, (last, n) in known.items() if n
    }
    everybody, used = {sha256 for sha256, _ in known}, {row["sha256"] for row in counted}
    last = {sha256: max(at for (one, _), (at, _) in known.items() if one == sha256) for sha256 in everybody}
    assert await signed_documents.last_uses(connection, scope, [*everybody, b"never"], end) == last
    idle = everybody - used
    assert await signed_documents.last_uses(connection, scope, sorted(idle), first) == {
        sha256: last[sha256] for sha256 in idle
    }


PERIODS = ("2025", "2026", "2025-12", "2026-Q1", "2025-12-31", "2026-H2")


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 60))]
)
async def test_every_measure_is_what_brute_force_finds(postgres, world, seed):
    random = Random(seed)
    agencies = await random_world(world, random)
    tables, moved = await exported(world.connection), Counter()
    for period in PERIODS:
        for scope in (None, agencies[:1], agencies[2:5]):
            span = tally.period(period)
            brute = Brute(tables, world.facts, span.first, span.last, set(scope) if scope else None, world.at)
            expected = brute.measures()
            assert await measured(world, period, scope) == expected, (period, scope)
            moved.update(name for name, (n, d) in expected.items() if 0 < n < d)
            await reports_agree(world, brute, period, scope)
    assert len(moved) > 1  # the world does tell right from wrong


async def reports_agree(world, brute, period, scope):
    """Totals and rows of the reports are sums and rows of the brute force."""
    rows, made = await report(world, "BC-10", period, scope)
    documents = brute.documents()
    total = dict(zip([column.name for column in made.table.columns], made.table.total, strict=True))
    assert total["documents"] == len(documents)
    assert total["both"] == sum(row[1] and row[2] for row in documents)
    assert (total["failed"], total["undetermined"]) == (
        sum(r[3] for r in documents),
        sum(r[4] for r in documents),
    )
    for name in ("seals", "persons", "idle", "documents", "organisation", "individual", "both", "failed"):
        assert total[name] == sum(row[name] for row in rows), name
    states = Counter(brute.state(*one) for one in brute.certificates())
    assert (total["seals"], total["persons"]) == tuple(
        sum(brute.state(*one) == "valid" and one[1][-1]["kind"] == kind for one in brute.certificates())
        for kind in ("organisation", "individual")
    )
    if scope is None:
        rows, made = await report(world, "BC-11", period)
        assert Counter(row["state"].code for row in rows) == states
        assert made.lines[0].facts["issued"] == len(rows) == sum(states.values())
        uses = {(sha256, document) for sha256, _, at, document in brute.use() if at >= brute.start}
        registered = {row["sha256"] for row in brute.tables["signer_certificate"]}
        issued = {sha256 for sha256, _ in brute.certificates()}
        assert sum(row["uses"] for row in rows) == sum(sha256 in registered & issued for sha256, _ in uses)
