"""The directory, the tally and the use of signatures over real HTTP: what is told, to whom, page by page."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from province import KINDS, OLD, fetch, quick_letter

from exchange import ids
from exchange.broker import directory as cases
from exchange.store import pool as pools

YEAR = str((datetime.now(UTC) + timedelta(hours=7)).year)
ALL = sorted(OLD)


@pytest.fixture(scope="module")
def sound(shared_server):
    yield shared_server
    log = shared_server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log
    assert '"event": "internal"' not in log


async def ask(server, path, code="H13.01", **headers):
    async with server.client(code) as client:
        return await client.line.ask("GET", path, headers=headers)


async def body(server, path, code="H13.01"):
    answer = await ask(server, path, code)
    assert answer.status == 200, answer.raw
    return answer.body


async def every(server, path, code="H13.01"):
    """All items of all pages."""
    found, after = [], ""
    while True:
        page = await body(server, f"{path}{'&' if '?' in path else '?'}after={after}", code)
        found += page["items"]
        assert page["more"] == (page["next"] is not None)
        if not page["more"]:
            return found
        after = page["next"]


def shown(answer):
    return {name: fact for name, fact in answer.body.items() if name != "request_id"}


def beside(server, code):
    """The agencies for which the system of this one acts."""
    return [one for one in ALL if server.province.key_of(one) == server.province.key_of(code)]


# --- agencies ----------------------------------------------------------------------------------------------------------


async def test_every_agency_once_in_the_order_of_codes(sound):
    found = await every(sound, "/v1/agencies?limit=100")
    assert [one["code"] for one in found] == ALL
    assert await every(sound, "/v1/agencies?limit=1000", "H13.31") == found
    (office,) = [one for one in found if one["code"] == "H13.01"]
    assert office.pop("valid_from")
    assert office == {
        "code": "H13.01", "other_codes": [{"code": OLD["H13.01"], "form": "qcvn102"}], "name": "Văn phòng Ủy ban nhân dân thành phố Cần Thơ",
        "kind": office["kind"], "level": 2, "parent": "H13", "sector": "state", "reachable": True, "disabled": False,
        "valid_to": None, "successor": None,
    }  # fmt: skip
    assert office["kind"] == KINDS["H13.01"]


@pytest.mark.parametrize("words", ["cần thơ", "can tho", "CAN  THO", "tho can", "cần", "CẦN"])
async def test_search_folds_case_and_marks(sound, words):
    found = await every(sound, f"/v1/agencies?limit=1000&q={words}")
    names = {one["name"] for one in found}
    expected = {one["name"] for one in await every(sound, "/v1/agencies?limit=1000") if "Cần" in one["name"]}
    assert expected
    assert expected <= names
    assert len(found) < len(ALL)


async def test_search_finds_parts_of_codes_and_every_word_must_be_there(sound):
    found = await every(sound, "/v1/agencies?q=h13.01")
    assert found[0]["code"] == "H13.01"
    assert all("H13.01" in json.dumps(one) for one in found)
    assert await every(sound, "/v1/agencies?q=h13.01 zzz") == []
    assert (await body(sound, "/v1/agencies?q=%00%27%25_"))["items"] == []


@pytest.mark.parametrize("code", ["H13.02", "h13.02 ", OLD["H13.02"], OLD["H13.02"].lower()])
async def test_one_agency_by_either_code(sound, code):
    assert [one["code"] for one in (await body(sound, f"/v1/agencies?code={code}"))["items"]] == ["H13.02"]
    assert (await body(sound, f"/v1/agencies?code={code}&q=zzz"))["items"] == []


async def test_a_code_that_nobody_has_is_an_empty_list(sound):
    answer = await body(sound, "/v1/agencies?code=H99.99")
    assert (answer["items"], answer["next"], answer["more"]) == ([], None, False)


async def test_a_client_that_is_up_to_date_pays_nothing(sound):
    first = await ask(sound, "/v1/agencies?limit=1000")
    again = await ask(sound, "/v1/agencies?limit=1000", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.raw) == (304, b"")
    other = await ask(sound, "/v1/agencies?limit=1000", **{"If-None-Match": '"0-20200101", W/"x"'})
    assert (other.status, other.body) == (200, first.body)


async def listed(server, version, code):
    """The directory once it is of that version; workers hold the one before for some seconds at the most."""
    for _ in range(60):
        told = await body(server, "/v1/agencies?limit=1000", code)
        if told["version"] >= version:
            return {one["code"]: one for one in told["items"]}
        await asyncio.sleep(0.2)
    raise AssertionError(told["version"])


async def test_what_is_switched_off_cannot_be_reached_and_the_list_is_a_new_one(server):
    tag = (await ask(server, "/v1/agencies?limit=1000")).headers["ETag"]
    gone = beside(server, "H13.01")
    connection = await pools.open(server.dsn, size=1)
    try:
        system = await connection.fetchval(
            "SELECT system FROM acts_for JOIN agency ON agency.id = acts_for.agency WHERE code = 'H13.01'"
        )
        new_ids = ids.Ids(lambda: datetime.now(UTC))
        version = (await body(server, "/v1/agencies"))["version"]
        assert await cases.disable(connection, system, new_ids=new_ids, at=datetime.now(UTC))
        after = await listed(server, version + 1, "H13.31")
        assert {code for code, one in after.items() if not one["reachable"]} == set(gone)
        assert not any(one["disabled"] for one in after.values())
        assert (await ask(server, "/v1/agencies", **{"If-None-Match": tag})).problem == "disabled"
        await connection.execute("UPDATE agency SET disabled_at = now() WHERE code = 'H13.31'")
        await connection.execute("UPDATE agency SET valid_to = '2020-01-01' WHERE code = 'H13.32'")
        await connection.execute("UPDATE directory_version SET version = version + 1")
        after = await listed(server, version + 2, "H13.31")
        assert (after["H13.31"]["disabled"], after["H13.31"]["reachable"]) == (True, False)
        assert (after["H13.32"]["valid_to"], after["H13.32"]["reachable"]) == ("2020-01-01", False)
        again = await ask(server, "/v1/agencies?limit=1000", "H13.31", **{"If-None-Match": tag})
        assert (again.status, again.headers["ETag"] != tag) == (200, True)
    finally:
        await connection.close()


# --- what is asked badly -----------------------------------------------------------------------------------------------

BAD = (
    "/v1/agencies?limit=0", "/v1/agencies?limit=1001", "/v1/agencies?limit=x", "/v1/agencies?name=x", "/v1/agencies?q=a&q=b",
    "/v1/agencies?q=" + "x" * 201, "/v1/agencies?wait=1",
    "/v1/tally", "/v1/tally?period=", "/v1/tally?period=19", "/v1/tally?period=2019-13", "/v1/tally?period=0001",
    "/v1/tally?period=2019-00", "/v1/tally?period=2019-W00", "/v1/tally?period=2019-07-00", "/v1/tally?period=2019&view=",
    "/v1/tally?period=9999-W52", "/v1/tally?period=2019&period=2020", "/v1/tally?period=2019&view=x",
    "/v1/tally?period=2019&scope=H13", "/v1/tally?period=2019&agencies=H13.01", "/v1/tally?period=２０１９",
    "/v1/signatures", "/v1/signatures?period=x", "/v1/signatures?period=2026&limit=501", "/v1/signatures?period=2026&after=x",
    "/v1/signatures?period=2026&after=01900000-0000-7000-8000-000000000000", "/v1/signatures?period=2026&view=both",
    "/v1/signatures?period=2026&after=99999999999999999." + "0" * 32 + ".0", "/v1/signatures?period=2026&scope=internal",
)  # fmt: skip


@pytest.mark.parametrize("path", BAD, ids=range(len(BAD)))
async def test_what_is_asked_badly_is_told(sound, path):
    answer = await ask(sound, path)
    assert (answer.status, answer.problem) == (400, "bad_request"), answer.raw
    assert answer.body["detail"]


@pytest.mark.parametrize("path", ["/v1/agencies", "/v1/tally?period=2026", "/v1/signatures?period=2026"])
async def test_nobody_asks_without_a_key(sound, path):
    async with sound.client() as client:
        answer = await client.line.ask(
            "GET", path, headers={"Authorization": "Bearer cv_x_y", "If-None-Match": "*"}
        )
        assert (answer.status, answer.problem) == (401, "unauthenticated")
        assert "ETag" not in answer.headers


@pytest.mark.parametrize("path", ["/v1/tally?period=2026", "/v1/signatures?period=2026"])
async def test_of_somebody_else_is_the_404_of_nobody(sound, path):
    answers = [
        await ask(sound, f"{path}&agency={code}") for code in ("H99.99", "H13.31", "H13", OLD["H13.31"])
    ]
    assert {one.status for one in answers} == {404}
    assert all(shown(one) == shown(answers[0]) for one in answers)
    assert (await ask(sound, f"{path}&agency=h13.01")).status == 200


# --- the tally ---------------------------------------------------------------------------------------------------------


async def settled(server, province):
    """Letters of several classes, sent by two systems, and taken in by their recipients."""
    (revoked,) = province.script.odd.revoked
    sent = [
        ("H13.01", province.letter(1, sender="H13.01", recipients=["H13.31", "H13.02"])),
        ("H13.01", province.letter(2, sender="H13.01", recipients=["H13.31"], case="paper")),
        ("H13.01", province.letter(3, sender="H13.01", recipients=["H13.31"], case="annex_unsigned")),
        ("H13.02", province.letter(4, sender="H13.02", recipients=["H13.31"], case="undeclared")),
        ("H13.31", province.letter(5, sender="H13.31", recipients=["H13.01"])),
        ("H13.01", quick_letter(6, sender="H13.01", recipients=["H13.31"])),
        (revoked, province.letter(7, sender=revoked, recipients=["H13.31"], case="signer_revoked")),
    ]
    receipts = []
    for sender, raw in sent:
        async with server.client(sender) as client:
            answer = await client.send(raw)
            assert answer.status == 201, answer.raw
            receipts.append(answer.body)
    for code in ("H13.31", "H13.01", "H13.02"):
        async with server.client(code) as client:
            items = (await client.inbox(code)).body["items"]
            assert len((await client.ack([one["id"] for one in items])).body["acknowledged"]) == len(items)
    return receipts


@pytest.fixture(scope="module")
def story(sound, province):
    return asyncio.run(settled(sound, province))


NUMBERS = ("classes", "excluded", "measures", "coverage", "period", "view", "scope", "version")


@pytest.mark.parametrize(
    "code, view, scope",
    [
        ("H13.01", "out", "*"),
        ("H13.31", "in", "*"),
        ("H13.02", "out", "same_root"),
        ("H13.01", "in", "other_root"),
    ],
)
async def test_the_tally_is_that_of_the_command(sound, story, code, view, scope):
    told = await body(sound, f"/v1/tally?period={YEAR}&agency={code}&view={view}&scope={scope}", code)
    counted = sound.congvan(
        "tally", "--period", YEAR, "--agency", code, "--view", view, "--scope", scope, "--json", check=True
    )
    command = json.loads(counted.stdout)
    assert {name: told[name] for name in NUMBERS} == {name: command[name] for name in NUMBERS}
    assert told["agencies"] == command["agencies"] == [code]


async def test_the_tally_of_all_my_agencies_and_of_no_other(sound, story):
    mine = beside(sound, "H13.01")
    told = await body(sound, f"/v1/tally?period={YEAR}")
    assert told["agencies"] == mine
    assert told["classes"] == {"E": 2, "S": 1, "N": 3, "U": 1, "P": 0}
    assert (told["measures"]["M1"]["n"], told["measures"]["M1"]["d"]) == (2, 7)
    one = await body(sound, f"/v1/tally?period={YEAR}&agency=H13.01&view=out")
    assert one["classes"] == {"E": 2, "S": 1, "N": 2, "U": 0, "P": 0}
    assert one["coverage"] == {"registers": {"n": 0, "d": 1}, "percent": 90, "sufficient": False}


async def test_paper_of_registers_and_how_much_books_cover(sound):
    await fetch(
        sound.dsn,
        """INSERT INTO register_load (agency, id, book, year, lists, sha256, name, at, first, last)
           SELECT id, id, 'out', 2018, 'paper', 'x', '', now(), '2018-01-01', '2018-06-30' FROM agency WHERE code IN ('H13.03', 'H13.31')""",
    )
    await fetch(
        sound.dsn,
        """INSERT INTO tally_delta (agency, id, view, day, scope, document_type, urgency, class, excluded, grade, justified, n)
           SELECT id, id, 'out', '2018-03-01', '', '', 0, 'P', '', '', '', 1 FROM agency WHERE code IN ('H13.03', 'H13.31')""",
    )
    told = await body(sound, "/v1/tally?period=2018-Q1&agency=H13.03")
    assert (told["classes"]["P"], told["coverage"]) == (
        1, {"registers": {"n": 1, "d": 1}, "percent": 90, "sufficient": True},
    )  # fmt: skip
    assert (await body(sound, "/v1/tally?period=2018"))["classes"]["P"] == 1
    told = await body(sound, "/v1/tally?period=2018-Q1&agency=H13.03&scope=same_root")
    assert (told["classes"]["P"], told["coverage"]["registers"]) == (0, {"n": 0, "d": 1})
    told = await body(sound, "/v1/tally?period=2018-H2&agency=H13.03")
    assert (told["classes"]["P"], told["coverage"]["sufficient"]) == (0, False)


# --- signatures --------------------------------------------------------------------------------------------------------


async def test_one_row_a_signature_of_the_letters_i_sent(sound, story):
    path = f"/v1/signatures?period={YEAR}&agency=H13.01"
    first = await body(sound, path)
    letters = {one["receipt"]["letter"]: one for one in (story[0], story[1], story[2], story[5])}
    signed = [one["receipt"]["letter"] for one in (story[0], story[1], story[2])]
    assert [one["letter"] for one in first["items"]] == [letter for letter in signed for _ in range(2)]
    assert [one["index"] for one in first["items"]] == [0, 1] * 3
    for one in first["items"]:
        assert one["requirement"] == letters[one["letter"]]["requirement"]
        assert one["document_id"] == letters[one["letter"]]["receipt"]["document_id"]
        assert (one["sender"], one["where"], one["format"]) == ("H13.01", "van_ban.pdf", "pades")
        assert len(bytes.fromhex(one["certificate_sha256"])) == 32
    person, seal = (one["signer"] for one in first["items"][:2])
    assert (person["kind"], seal["kind"]) == ("individual", "organisation")
    assert (person["agency"], seal["agency"]) == ("H13.01", "H13.01")
    assert person["name"]
    assert person["officer"]
    (officer,) = await fetch(sound.dsn, "SELECT position, name FROM officer WHERE id = $1", person["officer"])
    assert (person["position"], person["name"]) == (officer["position"], officer["name"])
    assert (seal["officer"], seal["position"]) == (None, None)
    assert first["totals"] == {
        "letters": {"all": 4, "signed": 3, "met": 2},
        "signatures": 6,
        "indications": {"TOTAL_PASSED": 6, "TOTAL_FAILED": 0, "INDETERMINATE": 0},
        "signer_kinds": {"organisation": 3, "individual": 3, "device": 0, "unknown": 0},
        "signers": {"organisation": 1, "individual": 1},
    }
    totals = (await body(sound, f"/v1/signatures?period={YEAR}"))["totals"]
    assert totals["letters"] == {"all": 6, "signed": 5, "met": 3}
    assert totals["indications"] == {"TOTAL_PASSED": 9, "TOTAL_FAILED": 0, "INDETERMINATE": 1}
    assert totals["signers"] == {"organisation": 3, "individual": 3}


async def test_pages_of_any_size_are_the_same_rows(sound, story):
    path = f"/v1/signatures?period={YEAR}&agency=H13.01"
    whole = (await body(sound, path))["items"]
    for limit in (1, 2, 3, 5):
        assert await every(sound, f"{path}&limit={limit}") == whole
    second = await body(sound, f"{path}&limit=2&after={(await body(sound, f'{path}&limit=2'))['next']}")
    assert second["totals"] is None


async def test_signatures_of_the_letters_i_received(sound, story):
    path = f"/v1/signatures?period={YEAR}&agency=H13.31&view=in"
    found = await body(sound, path, "H13.31")
    assert [one["letter"] for one in found["items"][::2]] == [
        story[n]["receipt"]["letter"] for n in (0, 1, 2, 3, 6)
    ]
    assert found["totals"]["letters"]["all"] == 6
    assert await every(sound, f"{path}&limit=3", "H13.31") == found["items"]
    sent = await body(sound, f"/v1/signatures?period={YEAR}&agency=H13.31", "H13.31")
    assert {one["letter"] for one in sent["items"]} == {story[4]["receipt"]["letter"]}


async def test_a_letter_to_two_of_my_agencies_is_told_once(sound, province):
    recipients = beside(sound, "H13.31")[:2]
    path = f"/v1/signatures?period={YEAR}&view=in"
    before = (await body(sound, path, "H13.31"))["totals"]
    async with sound.client("H13.03") as client:
        answer = await client.send(province.letter(10, sender="H13.03", recipients=recipients))
    assert len(answer.body["receipt"]["recipients"]) == 2
    after = (await body(sound, path, "H13.31"))["totals"]
    assert (after["signatures"], after["letters"]["all"]) == (
        before["signatures"] + 2,
        before["letters"]["all"] + 1,
    )


async def test_periods_training_and_a_stranger(sound, province):
    async with sound.client("H13.04") as client:
        await client.send(province.letter(11, sender="H13.04"))
        await client.send(province.letter(12, sender="H13.04"), test="1")
    nothing = {"all": 0, "signed": 0, "met": 0}
    assert len((await body(sound, f"/v1/signatures?period={YEAR}&agency=H13.04"))["items"]) == 2
    empty = await body(sound, f"/v1/signatures?period={int(YEAR) - 1}")
    assert (empty["items"], empty["totals"]["letters"], empty["more"]) == ([], nothing, False)
    strange = await body(sound, f"/v1/signatures?period={YEAR}", "H13")
    assert (strange["items"], strange["totals"]["letters"]) == ([], nothing)
    both = await body(sound, f"/v1/signatures?period={YEAR}&view=in", "H13")
    assert (both["items"], both["totals"]["letters"]) == ([], nothing)


async def test_only_the_newest_judgement_of_a_letter_counts(sound, province):
    async with sound.client("H13.05") as client:
        letter = (await client.send(province.letter(13, sender="H13.05"))).body["receipt"]["letter"]
    columns = (
        "sender, letter, place, main, format, why, signer_kind, signer_name, signer_agency, officer, certificate_sha256,"
        " best_signature_time, time_source, covers_whole, coverage, provisional, trust_sha256, policy_sha256, verifier"
    )
    await fetch(
        sound.dsn,
        f"""INSERT INTO verdict (revision, position, indication, judged_at, {columns})
            SELECT 2, position, 'TOTAL_FAILED', judged_at + interval '1 day', {columns} FROM verdict WHERE letter = $1""",
        letter,
    )
    found = await body(sound, f"/v1/signatures?period={YEAR}&agency=H13.05")
    assert [one["indication"] for one in found["items"]] == ["TOTAL_FAILED"] * 2
    assert found["totals"]["indications"] == {"TOTAL_PASSED": 0, "TOTAL_FAILED": 2, "INDETERMINATE": 0}


async def test_the_day_of_a_period_is_vietnamese(sound, province):
    async with sound.client("H13.06") as client:
        letter = (await client.send(province.letter(14, sender="H13.06"))).body["receipt"]["letter"]
    for at, year in (("2019-12-31T16:59:59.999999Z", 2019), ("2019-12-31T17:00:00Z", 2020)):
        await fetch(
            sound.dsn, "UPDATE letter SET accepted_at = $2 WHERE id = $1", letter, datetime.fromisoformat(at)
        )
        counts = [
            len((await body(sound, f"/v1/signatures?period={one}&agency=H13.06"))["items"])
            for one in (2019, 2020)
        ]
        assert counts == [2 * (year == 2019), 2 * (year == 2020)]
