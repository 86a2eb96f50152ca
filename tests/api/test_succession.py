"""Two agencies merged into a third while the year lasts, over HTTP and by commands: letters, what waits, figures, rights."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from province import fetch, quick_letter

NOW = datetime.now(UTC) + timedelta(hours=7)
YEAR, TODAY, YESTERDAY = str(NOW.year), NOW.date(), NOW.date() - timedelta(days=1)
OLD, OTHER, NEW, FAR = "H13.03", "H13.04", "H13.31", "H13.01"
SENT = ((OLD, FAR), (OLD, FAR), (OTHER, FAR), (NEW, FAR), (FAR, OLD), (FAR, OLD))
MERGER = f"code,valid_to,successor,basis\n{OLD},{YESTERDAY},{NEW},NQ 9\n{OTHER},{YESTERDAY},{NEW},NQ 9\n"


async def got(server, path, key, *, method="GET", language="vi", **more):
    headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
    async with (
        aiohttp.ClientSession(server.url) as session,
        session.request(method, path, headers=headers, **more) as answer,
    ):
        raw = await answer.read()
        return answer.status, json.loads(raw) if raw.startswith(b"{") else raw


async def body(server, path, key, **more):
    status, said = await got(server, path, key, **more)
    assert status == 200, said
    return said


async def settled(server, path, key, wanted):
    """Once it was answered so often in a row that every worker must have heard of the change."""
    in_a_row = 0
    for _ in range(200):
        in_a_row = in_a_row + 1 if wanted(await got(server, path, key)) else 0
        if in_a_row == 12:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(path)


def told(server, *arguments):
    return json.loads(server.congvan(*arguments, "--json", check=True).stdout)


def monitor(server, *what):
    """The key of a system that acts for nobody and watches this."""
    made = told(server, "system", "add", "--owner", "H13.48", "--name", "giám sát", *what)
    return made["secret"]


@pytest.fixture(scope="module")
def merged(shared_server, tmp_path_factory):
    """All that is sent before; then two departments are merged into a district."""
    sheet = tmp_path_factory.mktemp("sheets") / "merger.csv"
    sheet.write_text(MERGER, encoding="utf-8")
    asyncio.run(_sent(shared_server))
    shared_server.before = told(shared_server, "tally", "--period", YEAR)
    shared_server.congvan("directory", "agency", "import", str(sheet), check=True)
    shared_server.watching = monitor(shared_server, "--watches-all")
    key = shared_server.province.key_of(FAR)
    asyncio.run(
        settled(shared_server, f"/v1/agencies?code={OLD}", key, lambda told: told[1]["items"][0]["successor"])
    )
    yield shared_server
    log = shared_server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log


async def _sent(server):
    server.letters = []
    for number, (sender, recipient) in enumerate(SENT, 1):
        async with server.client(sender) as client:
            answer = await client.send(quick_letter(number, sender=sender, recipients=[recipient]))
            server.letters.append(answer.body["receipt"]["letter"])
    async with server.client(FAR) as client:
        items = (await client.ask("GET", f"/v1/inbox?for={FAR}")).body["items"]
        await client.ack([one["id"] for one in items])


# letters


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_a_letter_to_or_as_an_agency_that_was_merged_is_told_where_to_go(merged, language):
    key = merged.province.key_of(FAR)
    for number, parties, code, finding in (
        (101, {"recipients": [OLD]}, "no_routable_recipient", "recipient_merged"),
        (102, {"sender": OLD, "recipients": [FAR]}, "unknown_sender", "sender_merged"),
    ):
        status, said = await got(
            merged,
            "/v1/messages",
            key,
            method="POST",
            language=language,
            data=quick_letter(number, **parties),
        )
        (one,) = said["findings"]
        assert (status, said["code"], one["code"]) == (422, code, finding)
        assert {word for word in (OLD, NEW, f"{TODAY:%d/%m/%Y}") if word in one["text"]} == {
            OLD, NEW, f"{TODAY:%d/%m/%Y}",
        }  # fmt: skip


async def test_the_others_get_it_and_the_directory_tells(merged):
    key = merged.province.key_of(FAR)
    raw = quick_letter(103, recipients=["H13.02", OTHER])
    status, said = await got(merged, "/v1/messages", key, method="POST", data=raw)
    assert (status, said["receipt"]["recipients"], said["receipt"]["unroutable"]) == (
        201,
        ["H13.02"],
        [OTHER],
    )
    assert "recipient_merged" in [one["code"] for one in said["warnings"]]
    named = {one["code"]: one for one in (await body(merged, "/v1/agencies?limit=1000", key))["items"]}
    assert named[OLD]["successor"] == {"code": NEW, "since": TODAY.isoformat()}
    assert (named[OLD]["reachable"], named[NEW]["successor"], named[FAR]["successor"]) == (False, None, None)


async def test_what_lies_waiting_is_read_and_answered_by_who_acts_for_it(merged):
    key, district = merged.province.key_of(OLD), merged.province.key_of(NEW)
    one, other = (await body(merged, f"/v1/inbox?for={OLD}", key))["items"]
    assert one["recipient"] == OLD
    assert isinstance((await got(merged, f"/v1/messages/{one['letter']}", key))[1], bytes)
    status, said = await got(
        merged, f"/v1/deliveries/{one['id']}/status", key, method="POST", json={"code": "01"}
    )
    assert status == 201, said
    status, said = await got(
        merged, "/v1/inbox/ack", key, method="POST", json={"ids": [one["id"]], "for": OLD}
    )
    assert (status, said["acknowledged"] + said["already"]) == (200, [one["id"]])
    assert (await got(merged, f"/v1/inbox?for={OLD}", district))[0] == 403
    assert (await got(merged, f"/v1/messages/{other['letter']}", district))[0] == 404
    (row,) = await fetch(
        merged.dsn, "SELECT system FROM acts_for JOIN agency ON agency.id = agency WHERE code = $1", NEW
    )
    system = str(row["system"])
    last = TODAY + timedelta(days=30)
    merged.congvan("system", "acts-for", system, "--add", OLD, "--to", f"{last}", check=True)
    try:
        (left,) = (await body(merged, f"/v1/inbox?for={OLD}", district))["items"]
        assert left["id"] == other["id"]
        status, said = await got(
            merged, f"/v1/deliveries/{left['id']}/status", district, method="POST",
            json={"code": "02", "reason": "đã nhập"},
        )  # fmt: skip
        assert status == 201, said
        await fetch(merged.dsn, "UPDATE acts_for SET valid_to = valid_from - 1 WHERE valid_to = $1", last)
        assert (await got(merged, f"/v1/inbox?for={OLD}", district))[0] == 403
    finally:
        await fetch(merged.dsn, "DELETE FROM acts_for WHERE valid_to IS NOT NULL")


# figures


def counts(said):
    return sum(said["classes"].values())


async def test_figures_of_who_ended_are_found_and_predecessors_are_added(merged):
    key = merged.watching
    own = {
        code: await body(merged, f"/v1/tally?period={YEAR}&agency={code}", key) for code in (OLD, OTHER, NEW)
    }
    assert [counts(own[code]) for code in (OLD, OTHER, NEW)] == [2, 1, 1]
    whole = await body(merged, f"/v1/tally?period={YEAR}&agency={NEW}&predecessors=1", key)
    assert counts(whole) == 4
    assert (whole["agencies"], whole["filters"]) == ([OLD, OTHER, NEW], {"predecessors": ["1"]})
    assert whole["classes"] == {
        name: sum(one["classes"][name] for one in own.values()) for name in whole["classes"]
    }
    assert [(one["code"], one["successor"], one["since"]) for one in whole["merged"]] == [
        (code, NEW, TODAY.isoformat()) for code in (OLD, OTHER)
    ]
    assert own[NEW]["merged"] == []
    alone = await body(merged, f"/v1/tally?period={YEAR}&agency={NEW}&predecessors=0", key)
    assert (counts(alone), alone["filters"]) == (1, {})
    month = YESTERDAY.replace(day=1) - timedelta(days=1)
    before = await body(merged, f"/v1/tally?period={month:%Y-%m}&agency={NEW}&predecessors=1", key)
    assert (before["agencies"], before["merged"]) == ([NEW], [])
    sent = await body(merged, f"/v1/transfers?period={YEAR}&agency={NEW}&predecessors=1", key)
    assert sorted(one["sender"] for one in sent["items"]) == [OLD, OLD, OTHER, NEW]
    assert sent["filters"] == {"predecessors": ["1"]}
    measures = await body(merged, f"/v1/measures?period={YEAR}&agency={NEW}&predecessors=1", key)
    assert (measures["agencies"], measures["merged"]) == (whole["agencies"], whole["merged"])
    assert measures["measures"]["M1"] == whole["measures"]["M1"]


async def test_commands_say_the_same(merged):
    key = merged.watching
    for options, query in (
        (["--agency", OLD], f"agency={OLD}"),
        (
            ["--subtree", NEW, "--kind", "district", "--predecessors"],
            f"agency={NEW}&subtree=1&kind=district&predecessors=1",
        ),
    ):
        here = await body(merged, f"/v1/tally?period={YEAR}&{query}", key)
        there = told(merged, "tally", "--period", YEAR, *options)
        loose = {"as_of", "agencies"}
        assert {k: v for k, v in here.items() if k not in loose} == {
            k: v for k, v in there.items() if k not in loose
        }
        assert here["classes"] == there["classes"]
    said = merged.congvan("tally", "--period", YEAR, "--agency", NEW, "--predecessors", check=True).stdout
    assert " ".join(said.split()).count(f"→ {NEW} ({TODAY:%d/%m/%Y})") == 2
    rows = await fetch(merged.dsn, "SELECT id FROM system WHERE name = 'giám sát' LIMIT 1")
    system = str(rows[0]["id"])
    for end in ([], ["--end"]):
        merged.congvan("system", "monitor", system, "--agency", OLD, *end, check=True)
    assert told(merged, "register", "list", "--agency", OLD)  # its books come when it is gone
    status, said = await got(merged, f"/v1/tally?period={YEAR}&predecessors=junk", key)
    assert (status, said["code"]) == (400, "bad_request")


async def test_a_report_says_who_was_merged_and_with_whom_it_was_counted(merged):
    key = merged.watching
    report = await body(merged, f"/v1/reports/BC-02?period={YEAR}&agency={NEW}&predecessors=1", key)
    assert {one["code"] for one in report["rows"]} == {OLD, OTHER, NEW}
    assert report["filters"] == {"predecessors": ["1"]}
    assert report["merged"]["agencies"].count(f"→ {NEW} ({TODAY:%d/%m/%Y})") == 2
    assert "merged" not in await body(merged, f"/v1/reports/BC-02?period={YEAR}&agency={NEW}", key)
    for name in ("BC-15",):
        shown = merged.congvan(
            "report", name, "--period", YEAR, "--agency", NEW, "--predecessors", check=True
        )
        assert f"{OLD} " in shown.stdout
        assert f"→ {NEW} ({TODAY:%d/%m/%Y})" in " ".join(shown.stdout.split()), name
        assert "gồm các cơ quan đã nhập vào" in shown.stdout


async def test_counting_itself_does_not_change(merged):
    after = await body(merged, f"/v1/tally?period={YEAR}", merged.watching)
    # what other tests here sent since may have come; nothing that was is counted otherwise
    assert all(after["classes"][name] >= n for name, n in merged.before["classes"].items())
    assert sum(merged.before["classes"].values()) == 4


async def test_who_may_see_what_was_before(merged):
    """Where it stood last, or who watches its successor; nobody else, and never by acting for the successor alone."""
    old = f"/v1/tally?period={YEAR}&agency={OLD}"
    both = f"/v1/tally?period={YEAR}&agency={NEW}&predecessors=1"
    watching = {
        "where it stood": monitor(merged, "--watches", "H13", "--subtree"),
        "successor": monitor(merged, "--watches", NEW),
    }
    for who, key in watching.items():
        assert (await got(merged, old, key))[0] == 200, who
        assert counts(await body(merged, both, key)) == 4, who
    plain = await body(merged, f"/v1/tally?period={YEAR}", watching["successor"])
    assert OLD not in plain["agencies"]
    added = await body(merged, f"/v1/tally?period={YEAR}&predecessors=1", watching["successor"])
    assert {OLD, OTHER} == set(added["agencies"]) - set(plain["agencies"])
    strangers = {
        "another": monitor(merged, "--watches", "H13.32", "--subtree"),
        "a sibling": monitor(merged, "--watches", "H13.02"),
        "its successor's own system": merged.province.key_of(NEW),
    }
    for who, key in strangers.items():
        status, said = await got(merged, old, key)
        assert (status, said["code"]) == (404, "not_found"), who
        assert (await got(merged, both, key))[0] == 404, who
    assert (await got(merged, f"/v1/tally?period={YEAR}&agency={NEW}", merged.province.key_of(NEW)))[0] == 200
    assert counts(await body(merged, old, merged.province.key_of(OLD))) == 2
    assert (await got(merged, f"/v1/tally?period={YEAR}&agency=H99.99", watching["successor"]))[0] == 404
    assert (await got(merged, f"{both}x", watching["successor"]))[0] == 400
