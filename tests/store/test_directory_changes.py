"""Versions of the directory on a real PostgreSQL: workbooks in and out, what changed, and all of it taken back."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import xlsx_cases as xlsx
from cryptography.hazmat.primitives import serialization

from exchange import ids
from exchange.broker import directory as cases
from exchange.broker import systems as acting
from exchange.broker import undo as undoing
from exchange.broker import workbook
from exchange.broker.credentials import Key, Registered, Unfit
from exchange.broker.imports import Asked
from exchange.demo import agencies as demo
from exchange.rules import directory_undo, xlsx_write
from exchange.store import directory_changes
from signing import keys

AT = datetime(2019, 7, 1, 2, tzinfo=UTC)
TODAY = date(2019, 7, 1)
DAY = timedelta(days=1)
NOTES = xlsx_write.Notes(title="Hướng dẫn", lines=[["Xin chào"]])
HEAD = "code,code102,name,kind,level,parent,valid_from,no_paper_from,basis\n"
CITY = "H13,000.00.00.H13,Ủy ban,province,1,,2019-01-01,,\n"
HOME = "H13.01,000.00.01.H13,Sở Nội vụ,department,2,H13,2019-01-01,2019-02-01,QĐ 7\n"
OFFICER = "agency,code,name,valid_from\nH13.01,01,Lê Thị Mai,2019-01-01\n"
CERTIFICATES = "agency,kind,officer,certificate,valid_from,basis,confirmed_by\n"
SEAL = f"H13.01,organisation,,{'ab' * 32},2019-01-01,QĐ 1,A;B\nH13.01,individual,01,{'cd' * 32},2019-01-01,QĐ 2,A\n"
TABLES = (
    "agency", "agency_code", "agency_declaration", "agency_succession", "officer", "signer_certificate", "system", "system_key",
    "system_certificate", "acts_for",
)  # fmt: skip
KEY = keys.new_key()
ISSUER = keys.root("Gốc thử nghiệm", key=KEY, at=AT - 100 * DAY)


def client_certificate(serial=1, *, at=AT - DAY, days=365, form=serialization.Encoding.DER):
    made = keys.certificate(ISSUER, "i-Office", KEY.public_key(), at=at, days=days, serial=serial)
    return made.public_bytes(form)


MAKER = ids.Ids(lambda: AT)


def new_ids(_at=AT):
    """One maker for all, so that later lines of the journal have later ids."""
    return MAKER


async def load(pool, *sheets, at=AT, by=""):
    given = [cases.Sheet(kind=kind, raw=raw.encode()) for kind, raw in sheets]
    outcome = await cases.import_csv(pool, given, new_ids=new_ids(at), at=at, by=by)
    assert outcome.errors == ()
    return outcome


async def load_book(pool, raw, at=AT, **asked):
    return await workbook.load(pool, workbook.read(raw), {}, new_ids=new_ids(at), at=at, asked=Asked(**asked))


async def undo(pool, version=None, at=AT + DAY, **asked):
    return await undoing.undo(pool, version, new_ids=new_ids(at), at=at, asked=Asked(**asked))


async def contents(pool):
    """Every row of every table that an import may touch, but not the version."""
    return {table: await pool.fetch(f"SELECT * FROM {table} ORDER BY {table}::text") for table in TABLES}


async def history(pool):
    async with pool.acquire() as connection:
        return await directory_changes.listed(connection)


async def base(pool):
    await load(
        pool, ("agency", HEAD + CITY + HOME), ("officer", OFFICER), ("certificate", CERTIFICATES + SEAL)
    )


async def system(pool, *acts_for, **more):
    return await cases.add_system(pool, name="i-Office", acts_for=acts_for, new_ids=new_ids(), at=AT, **more)


async def export(pool, language="vi"):
    async with pool.acquire() as connection:
        return await workbook.export(connection, NOTES, language)


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_province_as_a_workbook_comes_back_without_a_change(either_pool, language):
    sheets = [("agency", demo.agency_sheet().decode()), ("officer", demo.officer_sheet().decode())]
    seals = [
        f"{entry.code},organisation,,{number:064x},2019-01-01,QĐ,A;B\n"
        for number, entry in enumerate(demo.agencies(), 1)
    ]
    persons = [
        f"{one.agency},individual,{one.code},{number:064x},2019-01-01,QĐ,A\n"
        for number, one in enumerate(demo.officers(), 1000)
    ]
    await load(either_pool, *sheets, ("certificate", CERTIFICATES + "".join([*seals, *persons])))
    await system(either_pool, *(entry.code for entry in demo.agencies()[:100]))
    before, versions = await contents(either_pool), await history(either_pool)
    outcome = await load_book(either_pool, await export(either_pool, language), at=AT + DAY)
    assert (outcome.errors, outcome.warnings, outcome.changes, outcome.version) == ((), (), (), None)
    assert outcome.unchanged == 453 + 906 + 453 + 906 + 1 + 100
    assert (await contents(either_pool), await history(either_pool)) == (before, versions)


async def test_a_workbook_of_one_system_moves_the_version_and_is_recorded(either_pool):
    await base(either_pool)
    heading = ("system", "name", "owner", "agency", "valid_from", "valid_to")
    rows = [("", "Bàn văn thư", "H13", code, "2019-07-01", "") for code in ("H13", "000.00.01.H13")]
    raw = xlsx.book(Systems=xlsx.sheet(xlsx.lines(heading, *rows)))
    tried = await load_book(either_pool, raw, dry_run=True)
    assert (tried.added, tried.version) == (3, None)
    done = await load_book(either_pool, raw, by="Lê An")
    assert (done.added, done.changed, done.version) == (3, 0, 2)
    assert (await load_book(either_pool, raw)).unchanged == 3
    newest = (await history(either_pool))[0]
    assert (newest.version, newest.event, newest.by, newest.added, newest.changed, newest.removed) == (
        2, "workbook", "Lê An", 3, 0, 0
    )  # fmt: skip
    line = await either_pool.fetchrow("SELECT * FROM journal ORDER BY id DESC LIMIT 1")
    assert (line["event"], line["detail"]["version"], line["detail"]["by"]) == (
        "directory_import",
        2,
        "Lê An",
    )
    record = await either_pool.fetchrow("SELECT name, owner_agency FROM system")
    owner = await either_pool.fetchval("SELECT id FROM agency WHERE code = 'H13'")
    assert (record["name"], record["owner_agency"]) == ("Bàn văn thư", owner)
    assert await either_pool.fetchval("SELECT count(*) FROM system_key") == 0


async def test_one_error_in_a_workbook_and_nothing_is_written(pool):
    await base(pool)
    before = await contents(pool)
    raw = xlsx.book(
        Agencies=xlsx.sheet(
            xlsx.lines(xlsx.AGENCY_HEADINGS, ("H13.02", "Sở", "department", "2", "2019-01-01"))
        ),
        Systems=xlsx.sheet(xlsx.lines(("name", "owner"), ("x", "H99"))),
    )
    outcome = await load_book(pool, raw)
    assert [(found.code, found.path) for found in outcome.errors] == [
        ("sheet_unknown_agency", "system.owner")
    ]
    assert await contents(pool) == before
    assert (await load_book(pool, b"no workbook")).errors[0].code == "sheet_not_workbook"


async def test_an_import_taken_back_leaves_every_row_as_it_was(either_pool):
    await base(either_pool)
    before = await contents(either_pool)
    await load(
        either_pool,
        (
            "agency",
            HEAD
            + HOME.replace("Sở Nội vụ", "Sở Mới").replace("000.00.01", "000.00.77").replace("QĐ 7", "QĐ 8")
            + HOME.replace("01", "02"),
        ),
        ("officer", OFFICER.replace("Lê Thị Mai", "Lê Thị Hoa") + "H13.02,01,A,2019-01-01\n"),
        ("certificate", CERTIFICATES + SEAL.replace("A;B", "A").replace("ab" * 32, "ef" * 32)),
        at=AT + DAY,
    )
    assert await contents(either_pool) != before
    tried = await undo(either_pool, dry_run=True)
    assert (tried.undoes, tried.obstacles, tried.version) == (2, (), None)
    done = await undo(either_pool, by="Trần Bình")
    assert (done.undoes, done.version, done.changes) == (2, 3, tried.changes)
    assert await contents(either_pool) == before
    newest = (await history(either_pool))[0]
    assert (newest.version, newest.event, newest.undoes, newest.by) == (3, "undo", 2, "Trần Bình")
    assert (newest.added, newest.changed, newest.removed) == (0, 2, 3)
    line = await either_pool.fetchrow("SELECT * FROM journal ORDER BY id DESC LIMIT 1")
    assert (line["event"], line["detail"]["version"], line["detail"]["undoes"]) == ("directory_undo", 3, 2)


async def test_an_undo_taken_back_brings_the_same_rows_with_the_same_ids(either_pool):
    await base(either_pool)
    whole = await contents(either_pool)
    assert (await undo(either_pool)).version == 2
    assert {table: len(rows) for table, rows in (await contents(either_pool)).items()} == dict.fromkeys(
        TABLES, 0
    )
    assert (await undo(either_pool, 2)).version == 3
    assert await contents(either_pool) == whole
    assert isinstance(await undo(either_pool, 2), undoing.Nothing)


async def test_imports_are_taken_back_one_after_the_other(pool):
    await base(pool)
    first = await contents(pool)
    await load(pool, ("agency", "code,name\nH13.01,A\n"))
    second = await contents(pool)
    await load(pool, ("agency", "code,name\nH13.01,B\n"))
    assert ((await undo(pool)).undoes, await contents(pool)) == (3, second)
    assert ((await undo(pool)).undoes, await contents(pool)) == (2, first)
    assert (await undo(pool)).undoes == 1
    assert await undo(pool) == undoing.Nothing("none")
    assert await undo(pool, 99) == undoing.Nothing("unknown")
    assert await undo(pool, 2) == undoing.Nothing("taken_back")


async def test_two_agencies_that_exchanged_a_code_get_theirs_back(either_pool):
    await base(either_pool)
    await load(either_pool, ("agency", HEAD + HOME.replace("01", "02").replace("000.00.02.H13", "")))
    before = await contents(either_pool)
    moved = "code,code102\nH13.01,\nH13.02,000.00.01.H13\n"
    await load(either_pool, ("agency", moved), at=AT + DAY)
    assert (await undo(either_pool)).obstacles == ()
    assert await contents(either_pool) == before


async def test_what_changed_since_stands_in_the_way_with_the_version_that_did_it(either_pool):
    await base(either_pool)
    await load(either_pool, ("agency", "code,name\nH13.01,A\nH13,C\n"))
    await load(either_pool, ("agency", "code,name\nH13.01,B\n"))
    before = await contents(either_pool)
    refused = await undo(either_pool, 2)
    assert refused.obstacles == (directory_undo.Obstacle("agency", ("H13.01",), "changed", "3"),)
    assert (refused.version, await contents(either_pool)) == (None, before)
    assert len(await history(either_pool)) == 3
    await undo(either_pool, 3)
    assert (await undo(either_pool, 2)).obstacles == ()


LETTER = """INSERT INTO letter (sender, id, document_id, operation, round, sha256, size, recipients, requirement,
                directory_version, policy_sha256, system, accepted_at, receipt, expanded_at)
            VALUES (%s, gen_random_uuid(), 'x', 'new', 1, '', 0, ARRAY[%s], 'met', 1, '', gen_random_uuid(), now(), '', %s)"""
DELIVERY = """INSERT INTO delivery (recipient, letter, round, id, sender, kind, operation, document_id, number, notation,
                document_type, subject, urgency, purpose, sha256, size, accepted_at, requirement, class, scope, state, open)
              VALUES ($1, gen_random_uuid(), 1, gen_random_uuid(), $1, 'letter', 'new', '', '', '', '', '', 0, 'act', '', 0,
                now(), 'met', 'E', 'internal', 'arrived', false)"""


@pytest.mark.parametrize(
    "statement",
    [
        LETTER % ("$1", "gen_random_uuid()", "now()"),
        LETTER % ("gen_random_uuid()", "$1::uuid", "NULL"),
        DELIVERY,
        """INSERT INTO register_row (agency, id, direction, number, notation, moved_on, loaded_at)
           VALUES ($1, gen_random_uuid(), 'out', '1', 'CV', now(), now())""",
    ],
    ids=["sent", "to be delivered", "delivered", "register"],
)
async def test_an_agency_that_did_something_cannot_be_taken_back(pool, statement):
    await load(pool, ("agency", HEAD + CITY))
    await load(pool, ("agency", HEAD + HOME + HOME.replace("01", "02")))
    home = await pool.fetchval("SELECT id FROM agency WHERE code = 'H13.01'")
    before = await contents(pool)
    await pool.execute(statement, home)
    refused = await undo(pool)
    assert [(each.key, each.why) for each in refused.obstacles] == [(("H13.01",), "letters")]
    assert await contents(pool) == before


async def test_a_system_with_a_key_cannot_be_taken_back_and_one_without_can(pool):
    await base(pool)
    before = await contents(pool)
    raw = xlsx.book(Systems=xlsx.sheet(xlsx.lines(("name", "owner"), ("Bàn văn thư", "H13"))))
    await load_book(pool, raw)
    assert (await undo(pool)).undoes == 2
    assert await contents(pool) == before
    await load_book(pool, raw)
    made = await pool.fetchval("SELECT id FROM system")
    await cases.rotate(pool, made, new_ids=new_ids(), at=AT)
    refused = await undo(pool)
    assert [(each.kind, each.why) for each in refused.obstacles] == [("system", "keys")]


async def test_switching_a_system_off_is_a_version_that_nobody_takes_back(pool):
    await base(pool)
    key = await system(pool, "H13")
    assert await cases.disable(pool, key.system, new_ids=new_ids(), at=AT)
    newest = (await history(pool))[0]
    assert (newest.version, newest.event, newest.detail) == (
        3,
        "system_disabled",
        {"system": str(key.system)},
    )
    assert await undo(pool, 3) == undoing.Nothing("empty")
    assert [each.why for each in (await undo(pool, 2)).obstacles] == ["changed", "changed"]


async def test_two_undos_at_once_take_back_two_imports_or_one(pool):
    await base(pool)
    await load(pool, ("agency", "code,name\nH13.01,A\n"))
    both = await asyncio.gather(*(undo(pool, 2) for _ in range(2)))
    assert sorted(type(one).__name__ for one in both) == ["Nothing", "Undone"]


async def test_a_system_acts_for_more_and_for_less_and_that_is_taken_back(either_pool):
    await base(either_pool)
    key = await system(either_pool, "H13")
    before = await contents(either_pool)

    async def change(at=AT, **wanted):
        asked = acting.Acting(**{"system": key.system, "first": TODAY, "ends_on": TODAY, **wanted})
        return await acting.act_for(either_pool, asked, new_ids=new_ids(), at=at, asked=Asked(by="A"))

    outcome = await change(adding=["000.00.01.h13"], ending=["000.00.00.H13"], ends_on=TODAY + DAY)
    assert (outcome.errors, outcome.added, outcome.changed, outcome.version) == ((), 1, 1, 3)
    rows = await either_pool.fetch(
        "SELECT code, acts_for.valid_from, acts_for.valid_to FROM acts_for JOIN agency ON agency.id = agency ORDER BY code"
    )
    assert [tuple(row) for row in rows] == [("H13", TODAY, TODAY + DAY), ("H13.01", TODAY, None)]
    line = await either_pool.fetchrow("SELECT * FROM journal ORDER BY id DESC LIMIT 1")
    assert (line["event"], line["detail"]["by"]) == ("system_acts_for", "A")
    assert await change(ending=["H13"], ends_on=TODAY + 5 * DAY) == ("H13",)
    assert [found.code for found in (await change(adding=["H99"])).errors] == ["sheet_unknown_agency"]
    later = await change(adding=["H13"], first=TODAY + DAY)
    assert [found.code for found in later.errors] == ["sheet_overlap"]
    assert await change(system=UUID(int=1)) is None
    assert (await undo(either_pool, 3)).obstacles == ()
    assert await contents(either_pool) == before


async def test_a_client_certificate_is_registered_for_one_system_and_ends_with_itself(either_pool):
    await base(either_pool)
    raw = client_certificate()
    one = await system(either_pool, "H13", certificate=raw)
    assert isinstance(one, Key)
    row = await either_pool.fetchrow("SELECT * FROM system_certificate")
    assert (row["system"], row["valid_from"], row["valid_to"]) == (one.system, AT, AT - DAY + 365 * DAY)
    before = await contents(either_pool)
    for bad, why in (
        (raw, "taken"),
        (b"no certificate", "unreadable"),
        (client_certificate(2, at=AT - 90 * DAY, days=30), "over"),
        (client_certificate(3, at=AT + DAY), "early"),
    ):
        assert await system(either_pool, "H13", certificate=bad) == Unfit(why=why)
        made = await cases.rotate_certificate(either_pool, one.system, bad, new_ids=new_ids(), at=AT)
        assert made == Unfit(why=why)
    assert await contents(either_pool) == before


async def test_a_new_client_certificate_works_beside_the_old_one_for_a_while(either_pool):
    await base(either_pool)
    one = await system(either_pool, "H13", certificate=client_certificate())
    pem = client_certificate(2, form=serialization.Encoding.PEM)
    made = await cases.rotate_certificate(
        either_pool, one.system, pem, new_ids=new_ids(), at=AT + DAY, both_for=DAY
    )
    assert isinstance(made, Registered)
    rows = await either_pool.fetch("SELECT valid_from, valid_to FROM system_certificate ORDER BY valid_from")
    assert [tuple(row) for row in rows] == [(AT, AT + 2 * DAY), (AT + DAY, AT - DAY + 365 * DAY)]
    assert await either_pool.fetchval("SELECT count(*) FROM system_key WHERE valid_to IS NULL") == 1
    line = await either_pool.fetchrow("SELECT * FROM journal ORDER BY id DESC LIMIT 1")
    assert (line["event"], line["detail"]["sha256"]) == ("system_certificate_rotated", made.sha256)
    nobody = await cases.rotate_certificate(either_pool, UUID(int=1), pem, new_ids=new_ids(), at=AT)
    assert nobody is None


async def test_the_facts_of_a_connection(either_pool):
    await base(either_pool)
    key = await system(either_pool, "H13.01", "H13")
    home = await either_pool.fetchval("SELECT id FROM agency WHERE code = 'H13.01'")
    maker = new_ids()
    for number in range(7):
        await either_pool.execute(
            "INSERT INTO journal (agency, id, at, event, system, code) VALUES ($1, $2, $3, 'refused', $4, $5)",
            home, maker.new(), AT + number * DAY, key.system, f"c{number}",
        )  # fmt: skip
    for open_, days in ((True, 3), (True, 5), (False, 9)):
        await either_pool.execute(
            """INSERT INTO delivery (recipient, letter, round, id, sender, kind, operation, document_id, number, notation,
                   document_type, subject, urgency, purpose, sha256, size, accepted_at, requirement, class, scope, state, open)
               VALUES ($1, $2, 1, $2, $1, 'letter', 'new', '', '', '', '', '', 0, 'act', '', 0, $3, 'met', 'E',
                       'internal', 'waiting', $4)""",
            home, maker.new(), AT - days * DAY, open_,
        )  # fmt: skip
    await either_pool.execute("UPDATE agency SET disabled_at = $1 WHERE code = 'H13'", AT)
    facts = await acting.facts(either_pool, key.system, AT)
    assert (facts.name, facts.owner, facts.disabled_at, facts.seen_at) == ("i-Office", "H13.01", None, None)
    assert (facts.open, facts.oldest) == (2, AT - 5 * DAY)
    assert [(one.code, one.over, one.disabled) for one in facts.agencies] == [
        ("H13", False, True),
        ("H13.01", False, False),
    ]
    assert [one.code for one in facts.refusals] == ["c6", "c5", "c4", "c3", "c2"]
    assert [one.kind for one in facts.credentials] == ["key"]
    assert await acting.facts(either_pool, UUID(int=1), AT) is None


async def test_what_stands_in_the_record_is_what_the_tables_say(pool):
    """Whatever the writer does, the record is the difference between the directory before and after."""
    await base(pool)
    async with pool.acquire() as connection:
        (home,) = [
            each
            for each in await directory_changes.differences(connection, 1)
            if each.name == ("agency", ("H13.01",))
        ]
    assert home.before is None
    assert home.after["codes"] == [["000.00.01.H13", "2019-01-01", None], ["H13.01", "2019-01-01", None]]
    assert home.after["statements"] == [["no_paper", "2019-02-01", None, "QĐ 7"]]
    assert UUID(home.after["row"]) == await pool.fetchval("SELECT id FROM agency WHERE code = 'H13.01'")


UNIT = "H13.48,000.48.00.H13,Chi cục,unit,3,{},2019-01-01,,\n"


async def test_below_whom_an_agency_stood_at_a_moment(pool):
    """Moved, moved back and moved by an undo; what came later stands where it was put first; at the moment itself as before."""
    await load(pool, ("agency", HEAD + CITY + HOME + UNIT.format("H13.01")))
    await load(pool, ("agency", HEAD + CITY + HOME + UNIT.format("H13")), at=AT + 30 * DAY)
    await load(pool, ("agency", HEAD + CITY + HOME + UNIT.format("")), at=AT + 60 * DAY)
    await undo(pool, at=AT + 90 * DAY)
    codes = dict(await pool.fetch("SELECT id, code FROM agency"))
    stood = {}
    async with pool.acquire() as connection:
        for days in (-400, 0, 1, 30, 31, 60, 61, 90, 91):
            found = await directory_changes.parents(connection, AT + days * DAY)
            named = {codes[one]: codes.get(parent) for one, parent in found.items()}
            stood[days] = named.pop("H13.48")
            assert named == {"H13": None, "H13.01": "H13"}
    assert stood == {
        -400: "H13.01", 0: "H13.01", 1: "H13.01", 30: "H13.01", 31: "H13", 60: "H13", 61: None, 90: None, 91: "H13",
    }  # fmt: skip


MERGED = "code,valid_to,successor,basis\nH13.01,2019-06-30,H13.02,NQ 9\n"
LAW = "H13.02,000.00.02.H13,Sở Tư pháp,department,2,H13,2019-01-01,,\n"


async def successions(pool):
    return [
        tuple(row)
        for row in await pool.fetch(
            """SELECT one.code, other.code, takes_effect, basis FROM agency_succession
                 JOIN agency AS one ON one.id = predecessor JOIN agency AS other ON other.id = successor"""
        )
    ]


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_a_merger_goes_in_out_and_back_and_forth(either_pool, language):
    await load(either_pool, ("agency", HEAD + CITY + HOME + LAW))
    before = await contents(either_pool)
    await load(either_pool, ("agency", MERGED))
    assert await successions(either_pool) == [("H13.01", "H13.02", TODAY, "NQ 9")]
    merged = await contents(either_pool)
    assert [one["basis"] for one in merged["agency_declaration"]] == ["QĐ 7"]
    assert (await load_book(either_pool, await export(either_pool, language))).changes == ()
    async with either_pool.acquire() as connection:
        sheet = await cases.export_csv(connection, "agency", language)
        (change,) = await directory_changes.differences(connection, 2)
    assert change.fields["successor"] == ("", "H13.02")
    assert (await load(either_pool, ("agency", sheet.decode("utf-8-sig")))).changes == ()
    assert (await undo(either_pool)).obstacles == ()
    assert await contents(either_pool) == before
    assert (await undo(either_pool, 3)).obstacles == ()
    assert await contents(either_pool) == merged


async def test_a_merger_stands_in_the_way_of_who_would_take_its_successor_away(pool):
    await load(pool, ("agency", HEAD + CITY + HOME))
    await load(pool, ("agency", HEAD + LAW))
    await load(pool, ("agency", MERGED))
    refused = await undo(pool, 2)
    assert [(each.key, each.why, each.about) for each in refused.obstacles] == [
        (("H13.01",), "needs", "H13.02")
    ]
    await load(pool, ("agency", "code,valid_to\nH13.02,2019-12-31\n"))
    assert (await undo(pool, 4)).obstacles == ()


async def test_a_merger_of_one_sheet_is_taken_back_with_its_agencies(pool):
    await load(pool, ("agency", HEAD + CITY))
    before = await contents(pool)
    whole = HEAD.strip() + ",valid_to,successor\n"
    rows = f"{HOME.strip()},2019-06-30,H13.02\n{LAW.strip()},,\n"
    await load(pool, ("agency", whole + rows))
    assert await successions(pool) == [("H13.01", "H13.02", TODAY, "QĐ 7")]
    assert (await undo(pool)).obstacles == ()
    assert await contents(pool) == before


async def test_an_undo_that_would_let_a_successor_end_first_is_refused(pool):
    await load(pool, ("agency", HEAD + CITY + HOME + LAW))
    await load(pool, ("agency", "code,valid_to\nH13.02,2019-06-30\n"))
    await load(pool, ("agency", "code,valid_to\nH13.02,\n"))
    await load(pool, ("agency", MERGED))
    refused = await undo(pool, 3)
    assert [(each.key, each.why, each.about) for each in refused.obstacles] == [
        (("H13.01",), "successor", "H13.02")
    ]


async def test_versions_of_before_are_taken_back_all_the_same(pool):
    """Images of older versions say nothing of successors."""
    await load(pool, ("agency", HEAD + CITY + HOME + LAW))
    await load(pool, ("agency", "code,name\nH13.02,Sở Tư pháp mới\n"))
    images = await pool.fetch("SELECT before, after FROM directory_change_entry")
    assert all("successor" not in (image or {}) for row in images for image in row)
    await load(pool, ("agency", MERGED))
    assert (await undo(pool, 2)).obstacles == ()
    assert await successions(pool) == [("H13.01", "H13.02", TODAY, "NQ 9")]
