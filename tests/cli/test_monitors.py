"""`congvan system monitor`: what is said last about an agency holds from its first day on, and the sentence tells it."""

import asyncio
import json
import urllib.error
import urllib.request
from datetime import timedelta

import pytest
from click.testing import CliRunner
from province import fetch, quick_letter
from rejudging import now

from exchange.cli.main import main
from exchange.rules import paper_class

WORKERS = 1
TODAY = paper_class.local_day(now())
DAY = timedelta(days=1)
SOON, LATER = TODAY + 9 * DAY, TODAY + 30 * DAY


def run(server, *arguments):
    given = {"env": {**server.environment, "CONGVAN_LANGUAGE": "en"}, "prog_name": "congvan"}
    return CliRunner().invoke(main, ["system", *arguments], **given)


@pytest.fixture
def system(shared_server):
    made = run(shared_server, "add", "--acts-for", "H13.48", "--name", "giám sát", "--json")
    return json.loads(made.stdout)["system"]


def stands(server, system):
    """What a system watches from today on: agency, whether all below it, from when, to when."""
    rows = asyncio.run(
        fetch(
            server.dsn,
            """SELECT agency.code, subtree, monitors.valid_from, monitors.valid_to
                 FROM monitors LEFT JOIN agency ON agency.id = monitors.agency
                WHERE system = $1::text::uuid AND coalesce(monitors.valid_to, 'infinity') >= greatest(monitors.valid_from, $2)
                ORDER BY 1, 3""",
            system, TODAY,
        )
    )  # fmt: skip
    return [tuple(row.values()) for row in rows]


ALONE, BELOW = ("--agency", "H13"), ("--agency", "H13", "--subtree")
STEPS = {
    "shortened": ([ALONE, (*ALONE, "--to", str(SOON))], [("H13", False, TODAY, SOON)]),
    "lengthened": ([(*ALONE, "--to", str(SOON)), ALONE], [("H13", False, TODAY, None)]),
    "lengthened to a day": (
        [(*ALONE, "--to", str(SOON)), (*ALONE, "--to", str(LATER))],
        [("H13", False, TODAY, LATER)],
    ),
    "narrowed": ([BELOW, ALONE], [("H13", False, TODAY, None)]),
    "widened": ([ALONE, BELOW], [("H13", True, TODAY, None)]),
    "narrowed from a day on": (
        [BELOW, (*ALONE, "--from", str(SOON))],
        [("H13", True, TODAY, SOON - DAY), ("H13", False, SOON, None)],
    ),
    "later, and then at once": ([(*ALONE, "--from", str(SOON)), BELOW], [("H13", True, TODAY, None)]),
    "everything stays beside": (
        [("--all",), BELOW, ("--all", "--to", str(SOON))],
        [("H13", True, TODAY, None), (None, False, TODAY, SOON)],
    ),
    "another agency stays": (
        [("--agency", "H13.01"), ALONE, (*ALONE, "--end")],
        [("H13.01", False, TODAY, None)],
    ),
    "one that has not begun ends": ([(*ALONE, "--from", str(SOON)), (*ALONE, "--end")], []),
    "ended and given again": ([ALONE, (*ALONE, "--end"), BELOW], [("H13", True, TODAY, None)]),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_is_said_last_holds(shared_server, system, name):
    steps, expected = STEPS[name]
    for step in steps:
        done = run(shared_server, "monitor", system, *step)
        assert done.exit_code == 0, done.stderr
        assert "already" not in done.stdout
        assert "does not watch" not in done.stdout
    assert stands(shared_server, system) == expected
    again = run(shared_server, "monitor", system, *steps[-1])
    assert again.exit_code == 0
    assert ("does not watch" if "--end" in steps[-1] else "already") in again.stdout
    assert stands(shared_server, system) == expected


def test_the_sentence_names_scope_and_days(shared_server, system):
    said = run(shared_server, "monitor", system, *BELOW).stdout
    assert "H13 and all below" in said
    assert f"{TODAY:%d/%m/%Y}" in said
    said = run(shared_server, "monitor", system, *ALONE, "--to", str(SOON)).stdout
    assert "all below" not in said
    assert f"{TODAY:%d/%m/%Y}" in said
    assert f"{SOON:%d/%m/%Y}" in said
    said = run(shared_server, "monitor", system, "--all", "--from", str(SOON)).stdout
    assert "everything" in said
    assert f"{SOON:%d/%m/%Y}" in said


BAD = {
    "over before it begins": ("--to", "2020-01-01"),
    "over before its first day": ("--from", str(LATER), "--to", str(SOON)),
    "over already": ("--from", "2020-01-01", "--to", "2020-02-01"),
    "ended with days": ("--end", "--to", str(SOON)),
    "ended in part": ("--end", "--subtree"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_is_refused(shared_server, system, name):
    done = run(shared_server, "monitor", system, *ALONE, *BAD[name])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert stands(shared_server, system) == []


def test_the_database_keeps_no_period_that_ends_before_it_begins(shared_server, system):
    statement = """INSERT INTO monitors (system, id, valid_from, valid_to)
                   VALUES ($1::text::uuid, gen_random_uuid(), date '2026-01-03', date '2026-01-01')"""
    with pytest.raises(Exception, match="monitors"):
        asyncio.run(fetch(shared_server.dsn, statement, system))


def asked(server, key, method, path, body=None):
    request = urllib.request.Request(
        server.url + path, data=body, method=method, headers={"Authorization": f"Bearer {key}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_system_that_only_watches_acts_for_nobody(shared_server):
    given = (
        "--owner",
        "H13.48",
        "--watches",
        "H13.01",
        "H13.02",
        "--name",
        "kiểm toán",
        "--json",
    )
    made = json.loads(run(shared_server, "add", *given).stdout)
    assert stands(shared_server, made["system"]) == [
        (code, False, TODAY, None) for code in ("H13.01", "H13.02")
    ]
    status, body = asked(shared_server, made["secret"], "GET", f"/v1/tally?period={TODAY.year}")
    assert (status, body["agencies"]) == (200, ["H13.01", "H13.02"])
    status, body = asked(
        shared_server, made["secret"], "POST", "/v1/messages", quick_letter(9, sender="H13.48")
    )
    assert (status, body["code"]) == (403, "not_allowed_to_act")
    status, body = asked(shared_server, made["secret"], "GET", "/v1/inbox")
    assert (status, body.get("items")) in ((200, []), (403, None))
    (row,) = [
        one
        for one in json.loads(run(shared_server, "list", "--json").stdout)["systems"]
        if one["id"] == made["system"]
    ]
    assert (row["acts_for"], row["watches"]) == ([], [["H13.01", False], ["H13.02", False]])
    made = json.loads(
        run(shared_server, "add", "--owner", "H13.48", "--watches-all", "--name", "Bộ", "--json").stdout
    )
    assert stands(shared_server, made["system"]) == [(None, False, TODAY, None)]


UNFIT = {
    "neither": (),
    "both": ("--acts-for", "H13.48", "--watches", "H13.01"),
    "nobody answers": ("--watches", "H13.01"),
    "nothing to watch": ("--owner", "H13.48"),
    "all below nothing": ("--acts-for", "H13.48", "--subtree"),
    "all below everything": ("--owner", "H13.48", "--watches-all", "--subtree"),
    "watched and acted for": ("--acts-for", "H13.48", "H13.02", "--watches", "H13.01"),
    "nobody's code": ("--owner", "H13.48", "--watches", "H99.99"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_system_acts_or_watches(shared_server, name):
    done = run(shared_server, "add", *UNFIT[name], "--name", "x")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
