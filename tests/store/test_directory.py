"""The directory on a real PostgreSQL: imports through the use case, the snapshot, systems and keys."""

import asyncio
import base64
import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from exchange import ids
from exchange.broker import caller
from exchange.broker import directory as cases
from exchange.demo import agencies as demo
from exchange.errors import Problem
from exchange.rules import directory as rules
from exchange.rules import paper_class
from exchange.store import callers, directory, systems
from signing import keys

AT = datetime(2019, 7, 1, 2, tzinfo=UTC)
TODAY = date(2019, 7, 1)
DAY = timedelta(days=1)
HEAD = "code,code102,name,kind,level,parent,valid_from\n"
CITY = "H13,000.00.00.H13,Ủy ban,province,1,,2019-01-01\n"
HOME = "H13.01,000.00.01.H13,Sở Nội vụ,department,2,H13,2019-01-01\n"
OFFICER = "agency,code,name,leader,valid_from,valid_to\nH13.01,01,Lê Thị Mai,yes,2019-01-01,2019-12-31\n"
CERTIFICATES = "agency,kind,officer,certificate,valid_from,valid_to,basis,confirmed_by\n"
TABLES = (
    "directory_version", "agency", "agency_code", "agency_declaration", "officer", "signer_certificate", "journal",
    "system", "system_key", "acts_for",
)  # fmt: skip

KEY = keys.new_key()
ISSUER = keys.root("Gốc thử nghiệm", key=KEY, at=AT - 100 * DAY)
SEAL = keys.certificate(ISSUER, "Sở Nội vụ", KEY.public_key(), at=AT - 99 * DAY, days=365, serial=1)
PEM = SEAL.public_bytes(serialization.Encoding.PEM)
DER = SEAL.public_bytes(serialization.Encoding.DER)
DIGEST = keys.fingerprint(SEAL)


def sheet(kind, raw, **files):
    return cases.Sheet(kind=kind, raw=raw.encode() if isinstance(raw, str) else raw, files=files)


async def load(pool, *sheets, at=AT, dry_run=False):
    return await cases.import_csv(pool, sheets, new_ids=ids.Ids(lambda: at), at=at, dry_run=dry_run)


async def base(pool):
    outcome = await load(pool, sheet("agency", HEAD + CITY + HOME), sheet("officer", OFFICER))
    assert outcome.errors == ()


async def contents(pool):
    """Every row of every table that an import may touch."""
    return {table: await pool.fetch(f"SELECT * FROM {table} ORDER BY {table}::text") for table in TABLES}


async def snapshot(pool, on=TODAY):
    async with pool.acquire() as connection:
        return await directory.load(connection, on)


async def exported(pool, kind, language="en"):
    async with pool.acquire() as connection:
        return await cases.export_csv(connection, kind, language)


def codes(outcome):
    return [(found.line, found.code, found.path) for found in outcome.errors]


async def test_the_demo_province_goes_in_and_is_found_under_both_forms(either_pool):
    outcome = await load(
        either_pool, sheet("agency", demo.agency_sheet()), sheet("officer", demo.officer_sheet())
    )
    assert (outcome.added, outcome.changed, outcome.unchanged, outcome.version) == (453 + 906, 0, 0, 1)
    found = await snapshot(either_pool)
    assert (found.version, len(found.agencies)) == (1, 453)
    top = rules.find(found, demo.SUPERIOR, TODAY)
    for entry in demo.agencies():
        one = rules.find(found, entry.code, TODAY)
        assert rules.find(found, entry.code102, TODAY) == one
        assert (one.name, one.kind, one.level, one.counted, one.sector) == (
            entry.name, entry.kind, entry.level, entry.counted, entry.sector
        )  # fmt: skip
        assert one.root == top.id
        assert ((one.parent and found.agencies[one.parent].code) or "") == entry.parent
    office = rules.find(found, demo.code(demo.COMMUNICATIONS_DEPARTMENT), TODAY)
    assert rules.declared(found, office.id, "signs_package", TODAY)
    forms = await either_pool.fetch("SELECT form, count(*) AS n FROM agency_code GROUP BY form")
    assert {row["form"]: row["n"] for row in forms} == {"qd20": 453, "qcvn102": 453}


async def test_the_same_sheets_again_touch_no_row(pool):
    sheets = sheet("agency", demo.agency_sheet()), sheet("officer", demo.officer_sheet())
    await load(pool, *sheets)
    before = await contents(pool)
    outcome = await load(pool, *sheets, at=AT + DAY)
    assert (outcome.added, outcome.changed, outcome.unchanged, outcome.version) == (0, 0, 453 + 906, None)
    assert await contents(pool) == before


async def test_an_export_comes_back_without_a_change(pool):
    certificate = f'H13.01,organisation,,{DIGEST.hex()},2019-01-01,,QĐ 1,"A;B"\n'
    await base(pool)
    await load(pool, sheet("agency", "code,no_paper_from,basis\nH13.01,2019-03-01,QĐ 7\n"))
    await load(pool, sheet("certificate", CERTIFICATES + certificate))
    before = await contents(pool)
    for language in ("vi", "en"):
        sheets = [
            sheet(kind, await exported(pool, kind, language)) for kind in ("agency", "officer", "certificate")
        ]
        outcome = await load(pool, *sheets, at=AT + DAY)
        assert (outcome.errors, outcome.changes, outcome.unchanged) == ((), (), 4)
    assert await contents(pool) == before


async def test_a_dry_run_tells_the_same_and_writes_nothing(pool):
    await base(pool)
    before = await contents(pool)
    new = sheet("agency", HEAD + HOME.replace("Sở Nội vụ", "Sở Mới") + HOME.replace("01", "02"))
    tried = await load(pool, new, dry_run=True)
    assert await contents(pool) == before
    done = await load(pool, new)
    assert (
        (tried.added, tried.changed, tried.unchanged)
        == (done.added, done.changed, done.unchanged)
        == (1, 1, 0)
    )
    assert tried.changes == done.changes
    assert (tried.version, done.version) == (None, 2)


async def test_one_error_anywhere_and_nothing_is_written(pool):
    await base(pool)
    before = await contents(pool)
    outcome = await load(
        pool,
        sheet("agency", HEAD + HOME.replace("01", "02") + HOME.replace("01", "03").replace("2,H13", "9,H13")),
        sheet("officer", OFFICER + "H13.77,01,A,no,2019-01-01,\n"),
        sheet("certificate", CERTIFICATES + "H13.01,organisation,,seal.pem,,,QĐ,A;B\n"),
    )
    assert codes(outcome) == [
        (3, "sheet_bad_choice", "agency.level"),
        (2, "sheet_no_file", "certificate.certificate"),
        (3, "sheet_unknown_agency", "officer.agency"),
    ]
    assert await contents(pool) == before
    assert (await load(pool, sheet("agency", HEAD + HOME.replace("01", "02")))).added == 1


async def test_an_import_moves_the_version_by_one_and_leaves_one_line(pool):
    await base(pool)
    await load(pool, sheet("agency", "code,name\nH13.01,Sở Mới\nH13,Ủy ban mới\n"), at=AT + DAY)
    assert await pool.fetchval("SELECT version FROM directory_version") == 2
    lines = await pool.fetch("SELECT * FROM journal ORDER BY id")
    assert [line["event"] for line in lines] == ["directory_import"] * 2
    found = await snapshot(pool)
    assert lines[1]["agency"] == rules.find(found, "H13.01", TODAY).id
    assert lines[1]["at"] == AT + DAY
    assert (lines[0]["detail"]["added"], lines[1]["detail"]["changed"]) == (3, 2)
    assert lines[1]["detail"]["changes"][0] == {
        "kind": "agency", "key": ["H13.01"], "fields": {"name": ["Sở Nội vụ", "Sở Mới"]}
    }  # fmt: skip


async def test_what_did_not_change_keeps_its_row(pool):
    await base(pool)
    before = {row["id"]: row["xmin"] for row in await pool.fetch("SELECT id, xmin::text FROM agency")}
    await load(pool, sheet("agency", HEAD + CITY + HOME.replace("Sở Nội vụ", "Sở Mới")))
    now = await pool.fetch("SELECT id, code, xmin::text FROM agency")
    assert {row["code"] for row in now if before[row["id"]] != row["xmin"]} == {"H13.01"}


@pytest.mark.parametrize(
    "cell",
    ["seal.pem", base64.b64encode(DER).decode(), DIGEST.hex().upper()],
    ids=["file", "value", "digest"],
)
async def test_a_certificate_by_file_by_value_and_by_digest(pool, cell):
    await base(pool)
    line = f"H13.01,organisation,,{cell},2019-04-01,2019-12-31,QĐ 1,Lê An;Trần Bình\n"
    outcome = await load(pool, sheet("certificate", CERTIFICATES + line, **{"seal.pem": PEM}))
    assert (outcome.errors, outcome.warnings, outcome.added) == ((), (), 1)
    row = rules.signers(await snapshot(pool), DIGEST, TODAY)[0]
    assert (row.kind, row.confirmed, row.valid_from, row.valid_to) == (
        "organisation", True, date(2019, 4, 1), date(2019, 12, 31)
    )  # fmt: skip
    stored = await pool.fetchrow("SELECT * FROM signer_certificate")
    assert (stored["confirmed_at"], stored["confirmed_by"], stored["basis"]) == (
        AT,
        ["Lê An", "Trần Bình"],
        "QĐ 1",
    )
    assert ("CN=Sở Nội vụ" in stored["subject"]) == (len(cell) != 64)


async def test_empty_dates_are_the_certificates_own_local_days(pool):
    await base(pool)
    line = "H13.01,organisation,,seal.pem,,,QĐ 1,A;B\n"
    await load(pool, sheet("certificate", CERTIFICATES + line, **{"seal.pem": DER}))
    row = await pool.fetchrow("SELECT valid_from, valid_to FROM signer_certificate")
    assert row["valid_from"] == paper_class.local_day(SEAL.not_valid_before_utc)
    assert row["valid_to"] == paper_class.local_day(SEAL.not_valid_after_utc)


async def test_a_broken_certificate_file_is_told(pool):
    await base(pool)
    lines = "H13.01,organisation,,seal.pem,,,QĐ 1,A;B\nH13.01,organisation,," + "QUJD" * 100 + ",,,QĐ 1,A;B\n"
    outcome = await load(pool, sheet("certificate", CERTIFICATES + lines, **{"seal.pem": b"no certificate"}))
    assert codes(outcome) == [(line, "sheet_bad_certificate", "certificate.certificate") for line in (2, 3)]


async def test_a_proposal_counts_only_once_it_is_confirmed_and_keeps_that_moment(pool):
    await base(pool)
    line = f"H13.01,organisation,,{DIGEST.hex()},2019-04-01,,QĐ 1,%s\n"

    async def confirmed(names, at):
        outcome = await load(pool, sheet("certificate", CERTIFICATES + line % names), at=at)
        assert [found.code for found in outcome.warnings] == ([] if ";" in names else ["sheet_proposed"])
        row = rules.signers(await snapshot(pool), DIGEST, TODAY)[0]
        moment = await pool.fetchval("SELECT confirmed_at FROM signer_certificate")
        assert row.confirmed == (moment is not None)
        return moment

    assert await confirmed("Lê An", AT) is None
    assert await confirmed("Lê An;Trần Bình", AT + DAY) == AT + DAY
    assert await confirmed("Lê An;Trần Bình;Đỗ Chi", AT + 2 * DAY) == AT + DAY
    assert await confirmed("Lê An", AT + 3 * DAY) is None


async def test_a_person_signs_for_an_agency_no_longer_than_being_its_officer(pool):
    await base(pool)
    line = f"H13.01,individual,01,{DIGEST.hex()},2018-01-01,2030-01-01,QĐ 1,A\n"
    await load(pool, sheet("certificate", CERTIFICATES + line))
    row = rules.signers(await snapshot(pool), DIGEST, TODAY)[0]
    assert (row.valid_from, row.valid_to) == (date(2019, 1, 1), date(2019, 12, 31))
    assert (row.officer_name, row.officer_agency, row.confirmed) == ("Lê Thị Mai", row.agency, True)
    assert rules.signers(await snapshot(pool, date(2020, 1, 1)), DIGEST, date(2020, 1, 1)) == ()


async def test_a_snapshot_leaves_out_what_is_over_but_no_agency(pool):
    await base(pool)
    await load(
        pool,
        sheet(
            "agency", "code,code102,no_paper_from,no_paper_to\nH13.01,000.00.77.H13,2019-01-01,2019-02-01\n"
        ),
    )
    await load(pool, sheet("agency", "code,valid_to\nH13.01,2019-07-31\n"))
    early, late = await snapshot(pool, date(2019, 6, 30)), await snapshot(pool, date(2019, 8, 1))
    assert rules.find(early, "000.00.01.H13", date(2019, 6, 30)).code == "H13.01"
    assert rules.find(early, "000.00.77.H13", date(2019, 6, 30)) is None
    assert rules.find(early, "000.00.77.H13", TODAY).code == "H13.01"
    assert rules.find(late, "H13.01", date(2019, 8, 1)) is None
    assert (len(late.agencies), late.declarations) == (2, {})
    assert "000.00.01.H13" not in late.codes


async def test_the_root_is_the_nearest_agency_of_level_one(pool):
    lines = "G01,,Bộ,ministry,1,,2019-01-01\nG01.01,,Cục,unit,2,G01,2019-01-01\nG01.01.01,,Phòng,unit,3,G01.01,2019-01-01\nH99.01,,Lẻ,unit,2,,2019-01-01\n"
    await load(pool, sheet("agency", HEAD + lines))
    found = await snapshot(pool)
    roots = {agency.code: found.agencies[agency.root].code for agency in found.agencies.values()}
    assert roots == {"G01": "G01", "G01.01": "G01", "G01.01.01": "G01", "H99.01": "H99.01"}


async def test_two_imports_at_once_come_one_after_the_other(pool):
    await base(pool)
    sheets = [sheet("agency", HEAD + HOME.replace("01", f"{n:02}")) for n in range(2, 10)]
    outcomes = await asyncio.gather(*(load(pool, one, at=AT + n * DAY) for n, one in enumerate(sheets)))
    assert sorted(outcome.version for outcome in outcomes) == list(range(2, 10))
    both = [
        sheet("agency", HEAD + f"H13.{n},000.00.50.H13,Sở,department,2,H13,2019-01-01\n") for n in (50, 51)
    ]
    outcomes = await asyncio.gather(*(load(pool, one) for one in both))
    assert sorted(len(outcome.errors) for outcome in outcomes) == [0, 1]


async def system(pool, *acts_for, at=AT):
    return await cases.add_system(
        pool, name="i-Office", acts_for=acts_for, new_ids=ids.Ids(lambda: at), at=at
    )


async def row(pool, key_id, at=AT):
    async with pool.acquire() as connection:
        by_key, _ = await callers.shown(connection, key_id, None, at, paper_class.local_day(at))
        return by_key


async def test_a_system_and_its_key(pool):
    await base(pool)
    key = await system(pool, "000.00.01.h13", "H13", "H13.01")
    prefix, key_id, secret = key.secret.split("_", 2)
    assert (prefix, key_id.isalnum(), key_id) == ("cv", True, key_id.lower())
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    found = await snapshot(pool)
    home, city = rules.find(found, "H13.01", TODAY), rules.find(found, "H13", TODAY)
    assert await row(pool, key_id) == callers.CallerRow(
        system=key.system, name="i-Office", owner=home.id, disabled=False, agencies=(home.id, city.id), switched_off=(),
        secret_sha256=hashlib.sha256(secret.encode()).digest(),
    )  # fmt: skip
    assert found.version == 2
    line = await pool.fetchrow("SELECT * FROM journal WHERE event = 'system_added'")
    assert (line["agency"], line["system"], line["at"]) == (home.id, key.system, AT)


async def test_the_secret_is_nowhere_in_the_database_and_in_no_text_of_ours(pool):
    await base(pool)
    key = await system(pool, "H13")
    secret = key.secret.split("_", 2)[2]
    everything = str([list(one.items()) for rows in (await contents(pool)).values() for one in rows])
    assert secret not in everything
    assert secret.encode().hex() not in everything
    assert secret not in repr(key)


async def test_codes_nobody_holds_today_are_answered_and_nothing_is_written(pool):
    await base(pool)
    await load(pool, sheet("agency", "code,valid_to\nH13.01,2019-06-30\n"))
    before = await contents(pool)
    assert await system(pool, "H13", "H13.01", "H99", "H99") == ("H13.01", "H99")
    assert await contents(pool) == before


async def test_a_rotated_key_and_the_old_one_work_side_by_side_for_a_while(pool):
    await base(pool)
    first = await system(pool, "H13")
    second = await cases.rotate(pool, first.system, new_ids=ids.Ids(lambda: AT), at=AT + DAY, both_for=DAY)
    old, new = (key.secret.split("_", 2)[1] for key in (first, second))
    assert old != new
    assert await row(pool, new, AT) is None
    assert [bool(await row(pool, key_id, AT + DAY)) for key_id in (old, new)] == [True, True]
    assert [bool(await row(pool, key_id, AT + 2 * DAY)) for key_id in (old, new)] == [False, True]
    third = await cases.rotate(pool, first.system, new_ids=ids.Ids(lambda: AT), at=AT + DAY, both_for=5 * DAY)
    assert third is not None
    assert await row(pool, old, AT + 2 * DAY) is None


async def test_a_disabled_system_is_known_as_such(pool):
    await base(pool)
    key = await system(pool, "H13")
    for _ in range(2):
        assert await cases.disable(pool, key.system, new_ids=ids.Ids(lambda: AT), at=AT)
    assert (await row(pool, key.secret.split("_", 2)[1])).disabled
    assert await pool.fetchval("SELECT count(*) FROM journal WHERE event = 'system_disabled'") == 1
    with pytest.raises(Problem) as refused:
        await caller.authenticate(pool, caller.Credentials(key=key.secret, certificate=None), AT)
    assert refused.value.code == "disabled"


async def test_unknown_systems(pool):
    nobody = ids.Ids(lambda: AT).new()
    assert await cases.rotate(pool, nobody, new_ids=ids.Ids(lambda: AT), at=AT) is None
    assert not await cases.disable(pool, nobody, new_ids=ids.Ids(lambda: AT), at=AT)
    assert await row(pool, "nokey") is None


async def test_the_caller_is_who_holds_the_whole_key(pool):
    await base(pool)
    key = await system(pool, "H13")
    assert (
        await caller.authenticate(pool, caller.Credentials(key=key.secret, certificate=None), AT)
    ).system == key.system
    for wrong in (key.secret[:-1], key.secret + "x", key.secret.replace("cv_", "cw_"), "cv__", ""):
        with pytest.raises(Problem) as refused:
            await caller.authenticate(pool, caller.Credentials(key=wrong, certificate=None), AT)
        assert refused.value.code == "unauthenticated"


async def test_systems_are_listed_with_their_agencies_and_keys(pool):
    await base(pool)
    key = await system(pool, "H13.01", "H13")
    key_id = key.secret.split("_", 2)[1]
    async with pool.acquire() as connection:
        listed = await systems.systems(connection, AT, TODAY)
    one = systems.SystemRow(
        id=key.system, name="i-Office", owner="H13.01", acts_for=("H13", "H13.01"), created_at=AT, disabled_at=None,
        seen_at=None, keys=(key_id,),
        credentials=(systems.Credential(kind="key", id=key_id, valid_from=AT, valid_to=None),),
    )  # fmt: skip
    assert listed == [one]
    assert replace(one, keys=()) != one


# --- certificates that come whole are kept -----------------------------------------------------------------------------


async def kept(pool):
    return {
        row["sha256"]: row["body"]
        for row in await pool.fetch("SELECT * FROM evidence WHERE kind = 'certificate'")
    }


async def test_a_certificate_that_comes_whole_is_kept_for_inventories(pool):
    await base(pool)
    line = f"{CERTIFICATES}H13.01,organisation,,{base64.b64encode(DER).decode()},,,Quyết định,a;b\n"
    assert (await load(pool, sheet("certificate", line), dry_run=True)).errors == ()
    assert await kept(pool) == {}
    assert (await load(pool, sheet("certificate", line))).added == 1
    assert await kept(pool) == {DIGEST: DER}


async def test_one_that_was_known_by_its_digest_alone_is_kept_when_it_comes(pool):
    await base(pool)
    days = "2019-03-25,2020-03-23"
    told = f"{CERTIFICATES}H13.01,organisation,,{DIGEST.hex()},{days},Quyết định,a;b\n"
    assert (await load(pool, sheet("certificate", told))).added == 1
    assert await kept(pool) == {}
    in_file = f"{CERTIFICATES}H13.01,organisation,,seal.pem,{days},Quyết định,a;b\n"
    assert (await load(pool, sheet("certificate", in_file, **{"seal.pem": PEM}))).errors == ()
    assert await kept(pool) == {DIGEST: DER}


async def test_with_an_error_nothing_is_kept(pool):
    await base(pool)
    wrong = f"{CERTIFICATES}H13.99,organisation,,{base64.b64encode(DER).decode()},,,Quyết định,a;b\n"
    assert (await load(pool, sheet("certificate", wrong))).errors
    assert await kept(pool) == {}
