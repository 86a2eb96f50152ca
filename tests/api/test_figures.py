"""Figures over HTTP, for agencies and monitors: equal to what commands print, of what one may see, and nothing else."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from province import fetch, quick_letter

from exchange.api import contents
from exchange.api.described_figures import REPORTS
from exchange.demo import agencies
from exchange.tracker.reports.report import Column, Report, Table, Word

YEAR = str((datetime.now(UTC) + timedelta(hours=7)).year)
SETTINGS = {"CONGVAN_OPEN_DATA": "on"}
NIL = "00000000-0000-7000-8000-000000000000"


async def got(server, path, key=None, **headers):
    shown = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.get(path, headers={**shown, **headers}) as answer,
    ):
        return answer.status, await answer.read(), answer.headers


async def body(server, path, key=None):
    status, raw, _ = await got(server, path, key)
    assert status == 200, raw
    return json.loads(raw)


async def code(server, path, key=None):
    status, raw, _ = await got(server, path, key)
    return status, json.loads(raw)["code"]


def told(server, *arguments):
    return json.loads(server.congvan(*arguments, "--json", check=True).stdout)


class Monitor:
    """A system of an agency that sends nothing here, and what it is let watch."""

    def __init__(self, server, name):
        made = told(server, "system", "add", "--acts-for", "H13.48", "--name", name)
        self.server, self.id, self.key = server, made["system"], made["secret"]

    def __call__(self, *arguments, check=True):
        return self.server.congvan("system", "monitor", self.id, *arguments, check=check)


@pytest.fixture(scope="module")
def filled(shared_server):
    """Letters of three agencies, one of them of a commune (H13.31.1) under a district (H13.31); some acknowledged."""
    asyncio.run(_fill(shared_server))
    yield shared_server
    log = shared_server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log
    assert '"event": "internal"' not in log


async def _fill(server):
    server.letters = {}
    for number, (sender, recipients) in enumerate(
        [("H13.01", ["H13.02", "H13.31"]), ("H13.02", ["H13.01"]), ("H13.31", ["H13.01", "H13.02"]), ("H13.01", ["H13.02"])], 1
    ):  # fmt: skip
        async with server.client(sender) as client:
            signed = number == 1
            raw = (
                server.province.letter(
                    number, sender=sender, recipients=recipients, subject="V/v bí mật riêng"
                )
                if signed
                else quick_letter(number, sender=sender, recipients=recipients, subject="V/v bí mật riêng")
            )
            sent = await client.send(raw)
            server.letters[number] = sent.body["receipt"]["letter"]
    async with server.client("H13.01") as client:
        answer = await client.send(quick_letter(5, recipients=["H13.31"], subject="V/v bí mật riêng"))
        server.letters[5] = answer.body["receipt"]["letter"]
    async with server.client("H13.31") as client:
        (one,) = [row for row in (await client.inbox()).body["items"] if row["letter"] == server.letters[5]]
        said = {"code": "02", "reason": "vì bí mật riêng"}
        assert (await client.ask("POST", f"/v1/deliveries/{one['id']}/status", json=said)).status == 201
    for agency in ("H13.01", "H13.02", "H13.31"):
        async with server.client(agency) as client:
            ids = [one["id"] for one in (await client.inbox()).body["items"]]
            await client.ack(ids)


async def test_equal_to_the_commands(filled):
    monitor = Monitor(filled, "bằng lệnh")
    monitor("--all")
    asked = [
        ("", []), ("&agency=H13&subtree=1", ["--subtree", "H13"]),
        ("&view=in&level=2", ["--view", "in", "--level", "2"]), ("&scope=same_root&urgency=0", ["--scope", "same_root", "--urgency", "0"]),
    ]  # fmt: skip
    for query, options in asked:
        await asyncio.sleep(2.2)  # the age that another worker's snapshot of the directory may have
        here = await body(filled, f"/v1/tally?period={YEAR}{query}", monitor.key)
        there = told(filled, "tally", "--period", YEAR, *options)
        loose = {"as_of", "agencies"}
        assert {k: v for k, v in here.items() if k not in loose} == {
            k: v for k, v in there.items() if k not in loose
        }
        figures = await body(filled, f"/v1/measures?period={YEAR}{query}", monitor.key)
        if not query:
            rows = {one["name"]: one for one in told(filled, "report", "measures", "--period", YEAR)["rows"]}
            for name, one in figures["measures"].items():
                assert (name, one["n"]) == (name, rows[name]["n"])
        assert figures["measures"]["M1"] == here["measures"]["M1"]
    assert (await body(filled, f"/v1/tally?period={YEAR}", monitor.key))["classes"]["N"] >= 4
    for name in ("BC-02",):
        here = await body(filled, f"/v1/reports/{name}?period={YEAR}", monitor.key)
        there = told(filled, "report", name, "--period", YEAR)
        assert {k: v for k, v in here.items() if k != "as_of"} == {
            k: v for k, v in there.items() if k != "as_of"
        }
    _, raw, headers = await got(filled, f"/v1/reports/BC-02?period={YEAR}&format=csv", monitor.key)
    assert raw.startswith(b"\xef\xbb\xbf")
    assert "csv" in headers["Content-Type"]
    assert (
        raw.decode("utf-8").replace("\r\n", "\n")
        == filled.congvan("report", "BC-02", "--period", YEAR, "--format", "csv", check=True).stdout
    )


async def every(server, query, key):
    found, after = [], ""
    while True:
        page = await body(server, f"/v1/transfers?period={YEAR}{query}&after={after}", key)
        found += page["items"]
        assert page["more"] == (page["next"] is not None)
        if not page["more"]:
            return found
        after = page["next"]


async def test_transfers_are_what_the_tally_counts(filled):
    monitor = Monitor(filled, "từng lượt")
    monitor("--all")
    for query in ("", "&view=in", "&agency=H13.01", "&agency=H13.02&view=in&level=2"):
        counted = (await body(filled, f"/v1/tally?period={YEAR}{query}", monitor.key))["classes"]
        rows = await every(filled, f"{query}&limit=2", monitor.key)
        assert {klass: sum(one["class"] == klass for one in rows) for klass in counted} == counted
        assert rows == await every(filled, query, monitor.key)
        places = [(one["day"], one["letter"], one["recipient"]) for one in rows]
        assert len(set(places)) == len(places)
        only = await every(filled, f"{query}&class=N", monitor.key)
        assert only == [one for one in rows if one["class"] == "N"]
        assert not any("subject" in one for one in rows)
    assert {one["sender"] for one in await every(filled, "&agency=H13.01", monitor.key)} == {"H13.01"}


async def test_paper_of_registers_is_among_the_transfers_and_closed_months_stay(filled):
    monitor = Monitor(filled, "giấy")
    monitor("--all")
    await fetch(
        filled.dsn,
        """WITH book AS (INSERT INTO register_row (agency, id, direction, number, notation, other_party, moved_on, loaded_at, counted, note)
                         SELECT id, gen_random_uuid(), 'out', '77', 'CV', 'Công ty B', date '2020-03-02', now(), true, 'bí mật riêng'
                           FROM agency WHERE code = 'H13.05' RETURNING agency)
           INSERT INTO tally_delta (agency, id, view, day, scope, document_type, urgency, class, excluded, grade, justified, n)
           SELECT agency, gen_random_uuid(), 'out', date '2020-03-02', '', '', 0, 'P', '', '', '', 1 FROM book""",
    )
    page = await body(filled, "/v1/transfers?period=2020-03", monitor.key)
    (row,) = page["items"]
    assert (row["class"], row["sender"], row["recipient"], row["other_party"], row["letter"]) == (
        "P", "H13.05", None, None, None,
    )  # fmt: skip
    assert "Công ty B" not in str(page)  # what a clerk wrote is for the office
    assert row["register_row"]
    _, raw, _ = await got(filled, "/v1/reports/BC-06?period=2020-03", monitor.key)
    assert "77/CV" in raw.decode()
    assert "bí mật riêng" not in raw.decode()
    filled.congvan("report", "close", "--period", "2020-03", "--by", "Nguyễn Thử", check=True)
    closed = await body(filled, "/v1/transfers?period=2020-03", monitor.key)
    assert (closed["version"], closed["items"]) == ("1", page["items"])
    heads = {
        name: await body(filled, f"/v1/{name}?period=2020-03", monitor.key) for name in ("tally", "measures")
    }
    await fetch(filled.dsn, "DELETE FROM register_row WHERE number = '77' AND moved_on = date '2020-03-02'")
    (kept,) = (await body(filled, "/v1/transfers?period=2020-03", monitor.key))["items"]
    same = ("letter", "register_row", "sender", "recipient", "day", "class", "round")
    assert {name: kept[name] for name in same} == {name: row[name] for name in same}
    for name, was in heads.items():
        told = await body(filled, f"/v1/{name}?period=2020-03", monitor.key)
        assert told["version"] == "1"
        assert {"M1", "M3", "M4"}.isdisjoint(told["as_of_now"])
        assert {"M9", "coverage"} <= {*told["as_of_now"]}
        assert kept_of(told) == kept_of(was)
    assert (await body(filled, "/v1/tally?period=2020-04", monitor.key))["as_of_now"] == []
    feed = await body(filled, "/open/tally.json")
    (month,) = [one for one in feed["months"] if one["month"] == "2020-03"]
    (agency,) = month["agencies"]
    assert (month["version"], agency["code"], agency["P"], agency["total"]) == ("1", "H13.05", 1, 1)


def kept_of(told):
    """What an answer on a closed period does not call as of now."""
    kept = {name: told[name] for name in told.keys() - {*told["as_of_now"], "as_of"}}
    return {
        **kept,
        "measures": {name: one for name, one in told["measures"].items() if name not in told["as_of_now"]},
    }


async def test_a_stranger_sees_nothing_of_others(filled):
    stranger = Monitor(filled, "người ngoài")
    for path in (
        f"/v1/tally?period={YEAR}&agency=H13.01", f"/v1/tally?period={YEAR}&agency=H13&subtree=1", f"/v1/measures?period={YEAR}&agency=H13.01",
        f"/v1/reports/BC-02?period={YEAR}&agency=H13.01", f"/v1/transfers?period={YEAR}&agency=H13.01",
        f"/v1/signatures?period={YEAR}&agency=H13.01", f"/v1/transfers/{filled.letters[1]}/H13.02/evidence",
        f"/v1/tally?period={YEAR}&agency=H99.99", f"/v1/transfers/{NIL}/H13.02/evidence", "/v1/transfers/x/y/evidence",
        f"/v1/reports/BC-99?period={YEAR}", f"/v1/reports/indicators?period={YEAR}",
    ):  # fmt: skip
        assert await code(filled, path, stranger.key) == (404, "not_found"), path
        assert (await code(filled, path))[0] == 401
    assert sum((await body(filled, f"/v1/tally?period={YEAR}", stranger.key))["classes"].values()) == 0
    assert await every(filled, "", stranger.key) == []


async def test_a_monitor_sees_figures_and_never_contents(filled):
    monitor = Monitor(filled, "giám sát")
    assert monitor("--agency", "H13.01").returncode == 0
    sent = await every(filled, "", monitor.key)
    assert {one["sender"] for one in sent} == {"H13.01"}
    letter = filled.letters[1]
    for what in ("", "/header", "/verdicts", "/trace", "/receipt"):
        assert await code(filled, f"/v1/messages/{letter}{what}", monitor.key) == (404, "not_found")
    assert (await body(filled, "/v1/inbox", monitor.key))["items"] == []
    own = filled.province.key_of("H13.01")
    for name in REPORTS:
        _, raw, _ = await got(filled, f"/v1/reports/{name}?period={YEAR}", monitor.key)
        assert "bí mật riêng" not in raw.decode(), name
    page = await body(filled, f"/v1/signatures?period={YEAR}", monitor.key)
    assert page["items"]
    assert "bí mật riêng" not in json.dumps(page, ensure_ascii=False)
    assert {one["where"] for one in page["items"]} <= {"package", "attachment"}
    assert {one["carrier"] for one in page["items"]} <= {None, "attachment"}
    named = {one["where"] for one in (await body(filled, f"/v1/signatures?period={YEAR}", own))["items"]}
    assert not named <= {"package", "attachment"}
    assert (await body(filled, f"/v1/tally?period={YEAR}&agency=H13.01", own))["classes"] == (
        await body(filled, f"/v1/tally?period={YEAR}", monitor.key)
    )["classes"]
    assert await code(filled, f"/v1/tally?period={YEAR}&agency=H13.02", monitor.key) == (404, "not_found")
    assert monitor("--agency", "H13.01", "--end").returncode == 0
    assert await code(filled, f"/v1/tally?period={YEAR}&agency=H13.01", monitor.key) == (404, "not_found")


async def settled(server, path, key, times=12):
    """The answer, once it was 200 so often in a row that every worker must have heard of the change."""
    in_a_row = 0
    for _ in range(160):
        status, raw, _ = await got(server, path, key)
        in_a_row = in_a_row + 1 if status == 200 else 0
        if in_a_row == times:
            break
        await asyncio.sleep(0.05)
    return status, raw


def test_what_people_wrote_and_names_of_files_are_hidden_from_monitors():
    hidden = {"BC-05": ("subject",), "BC-06": ("reason",), "BC-09": ("reason",), "BC-12": ("place",)}
    for code_, names in hidden.items():
        columns = [Column(name=one) for one in ("number", *names)]
        table = Table(
            name=code_,
            columns=columns,
            rows=[["1", *("bí mật" for _ in names)], ["2", *(Word("a.b") for _ in names)]],
        )
        made = contents.without(
            Report(code=code_, asked=None, scope=(), table=table, annex=table, annexes=(table,))
        )
        for each in (made.table, made.annex, *made.annexes):
            told = list(each.rows)
            assert told == [["1", *(None for _ in names)], ["2", *(Word("a.b") for _ in names)]], code_
    kept = Table(name="BC-12", columns=[Column(name="subject")], rows=[["một chứng thư"]])
    bare = contents.without(Report(code="BC-12", asked=None, scope=(), table=kept)).table
    assert list(bare.rows) == list(kept.rows)


async def test_a_period_that_is_over_keeps_the_tree_it_ended_with(filled, tmp_path):
    """An agency that moves under another parent takes the year that lasts with it, and no month that is over."""
    monitor, moves = Monitor(filled, "nhánh của tháng trước"), "H13.31.01"
    monitor("--agency", "H13.31", "--subtree")
    month = (datetime.now(UTC) + timedelta(hours=7)).replace(day=1) - timedelta(days=2)
    heading, *lines = agencies.agency_sheet().decode("utf-8-sig").splitlines()
    (line,) = (one for one in lines if one.startswith(f"{moves},"))

    async def below(period, expected=None):
        """Told so often in a row as expected that every worker must have heard of the change, else what was told last."""
        path, in_a_row = f"/v1/tally?period={period}&agency=H13.31&subtree=1", 0
        for _ in range(200):
            found = set((await body(filled, path, monitor.key))["agencies"])
            in_a_row = in_a_row + 1 if expected in (None, found) else 0
            if in_a_row == 12:
                break
            await asyncio.sleep(0.05)
        return found

    async def stands_under(parent):
        sheet = tmp_path / f"{parent}.csv"
        moved = line.replace(",district_unit,3,H13.31,", f",district_unit,3,{parent},")
        sheet.write_text(f"{heading}\n{moved}\n", encoding="utf-8")
        filled.congvan("directory", "agency", "import", str(sheet), check=True)

    over, lasting = await below(f"{month:%Y-%m}"), await below(YEAR)
    assert over == lasting
    assert moves in over
    await stands_under("H13.32")
    try:
        assert await below(YEAR, lasting - {moves}) == lasting - {moves}
        assert await below(f"{month:%Y-%m}") == over
        rows = told(filled, "report", "BC-02", "--period", f"{month:%Y-%m}", "--subtree", "H13.31")["rows"]
        assert {one["code"] for one in rows} == over
        one = f"/v1/tally?period={{}}&agency={moves}"
        assert (await got(filled, one.format(f"{month:%Y-%m}"), monitor.key))[0] == 200
        assert await code(filled, one.format(YEAR), monitor.key) == (404, "not_found")
    finally:
        await stands_under("H13.31")
    assert await below(YEAR, lasting) == lasting


async def test_a_subtree_to_its_edges_and_an_agency_that_moves(filled):
    monitor = Monitor(filled, "nhánh")
    monitor("--agency", "H13.31", "--subtree")
    agencies = (await body(filled, f"/v1/tally?period={YEAR}", monitor.key))["agencies"]
    below = {one for one in agencies if one.startswith("H13.31.")}
    assert "H13.31" in agencies
    assert set(agencies) == {"H13.31", "H13.48", *below}
    child = min(below) if below else "H13.02"
    moved = "H13.02"
    path = f"/v1/tally?period={YEAR}&agency={moved}"
    assert await code(filled, path, monitor.key) == (404, "not_found")
    assert await code(filled, f"/v1/tally?period={YEAR}&agency=H13", monitor.key) == (404, "not_found")
    if below:
        assert (await got(filled, f"/v1/tally?period={YEAR}&agency={child}", monitor.key))[0] == 200
    whole = await code(filled, f"/v1/tally?period={YEAR}&agency=H13&subtree=1", monitor.key)
    assert whole == (404, "not_found")
    await fetch(
        filled.dsn,
        "UPDATE agency SET parent = (SELECT id FROM agency WHERE code = 'H13.31') WHERE code = 'H13.02'",
    )
    await fetch(filled.dsn, "UPDATE directory_version SET version = version + 1")
    try:
        status, raw = await settled(filled, path, monitor.key)
        assert status == 200
        assert sum(json.loads(raw)["classes"].values()) == 1  # with what it sent before
        assert {one["sender"] for one in await every(filled, "", monitor.key)} == {"H13.31", "H13.02"}
        here = await body(filled, f"/v1/tally?period={YEAR}&agency=H13.31&subtree=1", monitor.key)
        assert here["classes"] == told(filled, "tally", "--period", YEAR, "--subtree", "H13.31")["classes"]
    finally:
        await fetch(
            filled.dsn,
            "UPDATE agency SET parent = (SELECT id FROM agency WHERE code = 'H13') WHERE code = 'H13.02'",
        )
        await fetch(filled.dsn, "UPDATE directory_version SET version = version + 1")


BAD = [
    "/v1/tally?period=2026&subtree=1", "/v1/tally?period=2026&agency=H13.48&subtree=2", "/v1/tally?period=2026-13", "/v1/tally",
    "/v1/measures?period=2026&level=0", "/v1/measures?period=2026&level=x", "/v1/measures?period=2026&urgency=5",
    "/v1/measures?period=2026&kind=", "/v1/measures?period=2026&type=", "/v1/reports/BC-02?period=2026&format=ods",
    "/v1/reports/BC-02?period=2026&limit=1", "/v1/transfers?period=2026&class=Q", "/v1/transfers?period=2026&limit=501",
    "/v1/transfers?period=2026&after=x", f"/v1/transfers?period=2026&after=2026-13-99.{'0' * 32}.{'0' * 32}.1", "/v1/transfers?period=2026&scope=x",
    "/v1/transfers?period=2026&view=out&view=in", "/v1/tally?period=2026&type=a%00b", "/v1/tally?period=2026&agency=a%00b",
    "/v1/reports/BC-10?period=2026&type=x", "/v1/reports/BC-06?period=2026&view=in", "/v1/reports/BC-13?period=2026&scope=same_root",
    "/v1/reports/BC-02?period=2026&periods=3", "/v1/reports/BC-04?period=2026&periods=0", "/v1/reports/BC-04?period=2026&periods=61",
]  # fmt: skip


@pytest.mark.parametrize("path", BAD, ids=[str(place) for place in range(len(BAD))])
async def test_bad_parameters_are_told_and_nothing_is_guessed(filled, path):
    assert await code(filled, path, filled.province.key_of("H13.48")) == (400, "bad_request")


async def unchanged(server, path):
    """The headers of a 200 and of the 304 after it, on one connection: each worker has its own bytes, made at its own moment."""
    async with aiohttp.ClientSession(server.url, connector=aiohttp.TCPConnector(limit=1)) as session:
        async with session.get(path) as answer:
            await answer.read()
            whole = answer.headers
        async with session.get(path, headers={"If-None-Match": whole["ETag"]}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            return whole, answer.headers


async def test_open_data_is_for_everybody_and_about_nobody(filled):
    status, raw, headers = await got(filled, "/open/tally.json")
    assert status == 200
    assert headers["Cache-Control"].startswith("public")
    feed = json.loads(raw)
    assert feed["months"][-1]["month"] == f"{datetime.now(UTC) + timedelta(hours=7):%Y-%m}"
    assert feed["months"][-1]["version"] == "provisional"
    assert set(feed["definitions"]) == {"E", "S", "N", "U", "P"}
    for letter in filled.letters.values():
        assert letter not in raw.decode()
    assert "bí mật riêng" not in raw.decode()
    for form in ("json", "csv"):
        whole, again = await unchanged(filled, f"/open/tally.{form}")
        for name in ("ETag", "Cache-Control"):
            assert again[name] == whole[name], name
    _, raw, _ = await got(filled, "/open/tally.csv")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    counted = [(m["month"], a["view"], a["code"], a["total"]) for m in feed["months"] for a in m["agencies"]]
    assert {(r["month"], r["view"], r["code"], int(r["total"])) for r in rows} >= set(counted)
    assert await code(filled, "/open/tally.json?x=1") == (400, "bad_request")
    answers = [(await got(filled, "/open/tally.csv"))[0] for _ in range(200)]
    assert 429 in answers


async def test_open_data_is_off_unless_it_is_switched_on(server):
    for form in ("json", "csv"):
        assert await code(server, f"/open/tally.{form}") == (404, "not_found")


def test_the_command_says_what_is_wrong_and_lists_who_watches(filled):
    monitor = Monitor(filled, "lệnh")
    for bad in (
        [],
        ["--subtree"],
        ["--all", "--agency", "H13.01"],
        ["--agency", "H99"],
        ["--agency", "H13", "--from", "2026-02-01", "--to", "2026-01-01"],
    ):
        assert monitor(*bad, check=False).returncode == 2, bad
    assert filled.congvan("system", "monitor", NIL, "--all").returncode == 2
    monitor("--agency", "H13", "--subtree", "--by", "Nguyễn Thử")
    (row,) = [one for one in told(filled, "system", "list")["systems"] if one["id"] == monitor.id]
    assert row["watches"] == [["H13", True]]
    monitor("--agency", "H13", "--subtree")
    monitor("--agency", "H13", "--end")
    (row,) = [one for one in told(filled, "system", "list")["systems"] if one["id"] == monitor.id]
    assert row["watches"] == []
