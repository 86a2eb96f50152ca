"""The demo, played once from an empty folder: every number of its summary against tables written by hand, against the
database it leaves, and against the exchange's own answers; then the self-check against every change by hand.

The table `PLAYED` was derived from what each case signs and declares, not from a run.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import province as provinces
import pytest
from province import KINDS, fetch

from exchange.broker import receipts
from exchange.demo import agencies, cast, letters
from exchange.links import sdk
from exchange.store import embedded, tally
from exchange.store import pool as pools
from exchange.tracker import check

PERSON, AGENCY = ("individual", "TOTAL_PASSED"), ("organisation", "TOTAL_PASSED")
REVOKED = ("organisation", "INDETERMINATE")

PLAYED = {
    101: ("signed_pdf", 2, "E", [PERSON, AGENCY]),
    102: ("signed_pdf", 9, "E", [PERSON, AGENCY]),
    103: ("signed_pdf", 1, "E", [PERSON, AGENCY]),
    104: ("signed_pdf", 3, "E", [PERSON, AGENCY]),
    105: ("signed_pdf", 1, "E", [PERSON, AGENCY]),
    106: ("signed_pdf", 1, "E", [PERSON, AGENCY]),
    107: ("signed_pdf", 3, "E", [PERSON, AGENCY]),
    108: ("package_signed", 2, "E", [AGENCY, PERSON]),  # the message is looked at before its files
    109: ("placeholder", 1, "E", [PERSON, AGENCY]),  # a placeholder is no signature
    110: ("paper", 2, "S", [PERSON, AGENCY]),
    111: ("undeclared", 1, "U", [PERSON, AGENCY]),
    112: ("annex_unsigned", 2, "N", [PERSON, AGENCY]),  # both on the main document
    113: ("parent_seal", 2, "E", [PERSON, AGENCY]),
    114: ("signer_unconfirmed", 1, "N", [PERSON, AGENCY]),  # a sound signature of an unconfirmed signer
    115: ("signer_revoked", 1, "N", [PERSON, REVOKED]),
    116: ("to_all", 452, "E", [PERSON, AGENCY]),
    117: ("forged", 0, "signature_broken", []),
    118: ("foreign_signature", 0, "signature_of_another", []),
    119: ("returned", 1, "X", [PERSON, AGENCY]),  # its recipient refuses it
}
"""Number of the letter -> case, deliveries, class or refusal, signatures in order (whose, verdict)."""

ACCEPTED = {number: row for number, row in PLAYED.items() if row[3]}
CLASSES = {"E": 477, "S": 2, "N": 4, "U": 1, "P": 0}
TRANSFERS = 485  # with the one refused, which no ratio counts
NOTICES = {101: ["01", "03", "03", "04", "05", "06"], 105: ["03", "06"], 119: ["02"]}
STATES = {(101, "done"): 1, (101, "registered"): 1, (105, "done"): 1, (119, "refused"): 1}
"""What recipients said, by number of the letter; where it left the deliveries. All others only arrived."""
RATIOS = {
    "M1": {"n": 477, "d": 484, "text": "98,55 % (477/484)"},  # 98,5537
    "M2": {"n": 2, "d": 484, "text": "0,41 % (2/484)"},  # 0,4132
    "M3": {"n": 484, "d": 484, "text": "100,00 % (484/484)"},
    "M4": {"n": 0, "d": 484, "text": "0,00 % (0/484)"},
    "M19": {"n": 0, "d": 477, "text": "0,00 % (0/477)"},
}
BY_SIGNATURE = {
    "M8": {
        "n": 15,
        "d": 17,
        "text": "88,24 % (15/17)",
    },  # 88,2353: all but 114, unconfirmed, and 115, revoked
    "M9": {"n": 15, "d": 17, "text": "88,24 % (15/17)"},  # persons signed all of them
    "M10": {"n": 17, "d": 897, "text": "1,90 % (17/897)"},  # 1,8952: 906 officers, 9 of them revoked long ago
    "M10_leaders": {"n": 17, "d": 453, "text": "3,75 % (17/453)"},  # 3,7528
    "M11": {
        "n": 392,
        "d": 452,
        "text": "86,73 % (392/452)",
    },  # 86,7257: 411, less 12 expired, 6 revoked, 1 unconfirmed
}
CERTIFICATES = {
    "organisation": 411, "individual": 1244,
    "valid": 1327,  # 1655 - 45 - 282 - 1
    "revoked": 45,  # 6 of agencies, 9 in use by persons, every tenth of 300 earlier ones
    "expired": 282,  # 12 of agencies, the other 270 earlier ones
    "proposed": 1,
    "agencies_without": 41,
}  # fmt: skip
"""The directory's certificates by kind and by state, from the rule that issues them."""
EVENTS = {
    "directory_import": 1,
    "system_added": 4,
    "accepted": 26,
    "refused": 2,
    "fetched": 494,
    "arrived": 494,
    "status": 9,
}


def bare_environment(**settings):
    kept = {name: text for name, text in os.environ.items() if not name.startswith("CONGVAN_")}
    return {**kept, **settings}


def congvan(*arguments, **settings):
    command = [sys.executable, "-m", "exchange", *arguments]
    environment = bare_environment(**settings)
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def trusting(played):
    """Settings of an exchange on what the demo left."""
    return {f"CONGVAN_{name}_DIR": str(played.folder / name.lower()) for name in ("TRUST", "CRL")} | {
        "CONGVAN_DATA": str(played.folder)
    }


@pytest.fixture(scope="module")
def played():
    """The demo as a newcomer runs it: its summary, and the folder it leaves."""
    place = Path(tempfile.mkdtemp(prefix="congvan-demo-test-"))
    place.chmod(0o711)
    try:
        ended = congvan("demo", "--exit", "--json", "--port", "0", "--data", str(place / "data"))
        assert ended.returncode == 0, ended.stderr
        yield SimpleNamespace(summary=json.loads(ended.stdout), folder=place / "data", told=ended.stderr)
    finally:
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="module")
def left(played):
    """The DSN of the database that the demo left, running again, its tally merged as housekeeping would."""
    with embedded.running(played.folder / "postgres", allow_nobody=True) as server:
        asyncio.run(merged(server.dsn))
        yield server.dsn


async def merged(dsn):
    connection = await pools.connect(dsn)
    try:
        await tally.fold(connection, 10_000)
        await tally.fold_days(connection, 10_000)
    finally:
        await connection.close()


# --- the summary against tables by hand ------------------------------------------------------------------------------


def test_the_table_by_hand_is_that_of_the_cases():
    drafts = {draft.number: draft for draft in cast.cast().drafts}
    assert set(drafts) == set(PLAYED)
    for number, (case, made, ends, _) in PLAYED.items():
        expected = letters.CASES[case]
        assert drafts[number].case == case
        assert (expected.klass or expected.code) == ends
        if expected.answer == "accepted":
            assert len(drafts[number].recipients) == made
    assert sum(made for _, made, _, _ in PLAYED.values()) == TRANSFERS == sum(CLASSES.values()) + 1
    for klass, n in CLASSES.items():
        assert sum(made for _, made, ends, _ in ACCEPTED.values() if ends == klass) == n


def test_the_summary_says_what_was_played(played):
    summary = played.summary
    assert summary["agencies"] == 452 == len(agencies.agencies()) - 1
    assert summary["letters"] == {"sent": 20, "accepted": 17, "refused": 2, "replayed": 1}
    assert summary["refused_by"] == {"signature_broken": 1, "signature_of_another": 1}
    assert summary["deliveries"] == {"made": 485, "acknowledged": 485, "lost": 0, "duplicated": 0}
    assert summary["notices"] == 9 == sum(map(len, NOTICES.values()))
    by_hand = Counter(verdict for *_, signatures in ACCEPTED.values() for _, verdict in signatures)
    assert by_hand == {"TOTAL_PASSED": 33, "INDETERMINATE": 1}
    assert summary["verdicts"] == by_hand
    assert summary["signers"] == {
        "organisation": 16,
        "individual": 17,
    }  # 101 and 116 are sealed with one certificate
    counted = summary["tally"]
    assert {klass: counted[klass] for klass in CLASSES} == CLASSES
    assert counted["X"] == 1
    assert counted["ratios"] == RATIOS | BY_SIGNATURE
    assert summary["certificates"] == CERTIFICATES


def test_it_takes_less_than_a_minute(played):
    assert 0 < played.summary["seconds"] <= 60


def test_it_tells_every_letter_as_it_goes(played):
    told = [line for line in played.told.splitlines() if "HTTP" in line]
    assert [line.count("HTTP 201") for line in told] == [1] * 16 + [0, 0, 1, 0]
    assert "HTTP 422" in told[16]
    assert "HTTP 422" in told[17]
    assert "HTTP 200" in told[19]


# --- the summary against the database that is left --------------------------------------------------------------------


def test_the_self_check_finds_nothing_on_its_own(played):
    """Nobody serves the folder: `check` starts the database itself."""
    checked = congvan("check", "--json", CONGVAN_DATA=str(played.folder))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert json.loads(checked.stdout) == {"letters": 26, "deliveries": 494, "facts": 970, "faults": []}


def test_the_tally_on_its_own_is_the_demos(played):
    year = str(datetime.now(UTC).year)
    for view in ("out", "in"):
        told = congvan("tally", "--period", year, "--view", view, "--json", **trusting(played))
        assert told.returncode == 0, told.stderr
        counted = json.loads(told.stdout)
        assert counted["classes"] == CLASSES
        assert counted["excluded"] == {"refused": 1}
        expected = RATIOS | BY_SIGNATURE if view == "out" else RATIOS
        measured = counted["measures"]
        assert {name: (one["n"], one["d"]) for name, one in measured.items()} == {
            name: (one["n"], one["d"]) for name, one in expected.items()
        }
        assert measured["M1"]["text"] == "chưa đủ căn cứ (477/484)"  # no register is loaded
        assert not any("%" in measured[name]["text"] for name in ("M1", "M2", "M3", "M4"))
        assert counted["coverage"] == {"registers": {"n": 0, "d": 452}, "percent": 90, "sufficient": False}
        assert counted["period"] == year
        assert counted["version"] == "provisional"


async def test_the_directory_holds_1655_certificates_and_41_agencies_have_none_of_their_own(left):
    """By SQL alone; that a certificate is somebody else's, the basis tells here."""
    rows = await fetch(
        left, "SELECT kind, count(DISTINCT sha256) AS n FROM signer_certificate GROUP BY kind ORDER BY kind"
    )
    assert [tuple(row) for row in rows] == [("individual", 1244), ("organisation", 411)]
    (row,) = await fetch(
        left,
        """SELECT count(*) AS n FROM agency
            WHERE counted AND NOT EXISTS (SELECT FROM signer_certificate AS held
                   WHERE held.agency = agency.id AND held.kind = 'organisation'
                     AND basis NOT LIKE '%con dấu%')""",
    )
    assert row["n"] == 41
    (row,) = await fetch(
        left, "SELECT count(*) AS n, count(DISTINCT issuer) AS issuers FROM signer_certificate"
    )
    assert tuple(row) == (1657, 3)
    (row,) = await fetch(
        left,
        """SELECT count(*) AS n FROM (SELECT DISTINCT sha256 FROM signer_certificate) AS held
             JOIN evidence ON evidence.sha256 = held.sha256 AND evidence.kind = 'certificate'""",
    )
    assert row["n"] == 1655


async def test_reports_agree_with_the_tables_by_hand(played):
    year = str(datetime.now(UTC).year)
    told = {}
    for name in ("BC-10", "BC-11", "BC-12", "M8", "M10", "M11"):
        ended = congvan("report", name, "--period", year, "--json", **trusting(played))
        assert ended.returncode == 0, ended.stderr
        told[name] = json.loads(ended.stdout)
    assert told["BC-10"]["measures"] == BY_SIGNATURE
    total = told["BC-10"]["total"]
    assert (total["documents"], total["organisation"], total["individual"], total["both"]) == (17, 15, 17, 15)
    assert (total["failed"], total["undetermined"]) == (0, 1)
    assert (total["seals"], total["used_seals"]) == (
        392,
        15,
    )  # those of 115 did not pass, 101 and 116 share one
    assert (total["leaders_used"], total["leaders_all"]) == (17, 453)
    assert len(told["BC-11"]["rows"]) == 1655
    assert told["BC-11"]["balance"] == {
        "issued": 1655, "valid": 1327, "revoked": 45, "expired": 282, "proposed": 1,
    }  # fmt: skip
    soon = [row for row in told["BC-11"]["rows"] if row["state"] == "valid" and row["days_left"] <= 30]
    assert Counter(row["kind"] for row in soon) == {"organisation": 8}
    found = [(row["number"].partition("/")[0], row["reason"]) for row in told["BC-12"]["rows"]]
    assert sorted(found) == [
        ("112", "missing_organisation"),
        ("114", "missing_organisation"),
        ("115", "revoked"),
    ]
    assert told["BC-12"]["refused"] == {"n": 2}
    signed = {
        int(row["number"].partition("/")[0]) for row in told["M8"]["rows"] if row["organisation"] == "yes"
    }
    assert signed == set(ACCEPTED) - {114, 115}
    assert sum(row["used"] == "yes" for row in told["M10"]["rows"]) == 17
    assert sum(row["has"] == "yes" for row in told["M11"]["rows"]) == 392


async def test_the_database_holds_those_letters(left):
    rows = await fetch(
        left,
        """SELECT letter.number::int AS number, requirement, cardinality(recipients) AS named, paper, copy_form, round,
                  (SELECT count(*) FROM delivery WHERE delivery.letter = letter.id) AS made,
                  (SELECT array_agg(DISTINCT coalesce(counted_class, '-')) FROM delivery WHERE letter = letter.id) AS classes
             FROM letter WHERE operation = 'new'""",
    )
    assert len(rows) == 17
    found = {row["number"]: row for row in rows}
    assert set(found) == set(ACCEPTED)
    for number, (case, made, klass, _) in ACCEPTED.items():
        row = found[number]
        assert (row["named"], row["made"], row["classes"]) == (made, made, [klass]), number
        assert (row["copy_form"], row["round"]) == ("original", 1)
        assert row["paper"] == {"paper": 1, "undeclared": None}.get(case, 0)
        wanted = {
            "annex_unsigned": "not_met",
            "signer_revoked": "not_met",
            "signer_unconfirmed": "undetermined",
        }
        assert row["requirement"] == wanted.get(case, "met")


async def test_the_database_holds_those_verdicts(left):
    rows = await fetch(
        left,
        """SELECT number::int AS number, signer_kind, indication, sub_indication, place, covers_whole, main
             FROM verdict JOIN letter ON letter.sender = verdict.sender AND letter.id = verdict.letter
            ORDER BY number, position""",
    )
    found = {number: [] for number in ACCEPTED}
    for row in rows:
        found[row["number"]].append((row["signer_kind"], row["indication"]))
    assert found == {number: signatures for number, (*_, signatures) in ACCEPTED.items()}
    assert {row["sub_indication"] for row in rows if row["indication"] != "TOTAL_PASSED"} == {
        "REVOKED_NO_POE"
    }
    assert {row["place"] for row in rows if row["number"] == 108} == {"package", "van_ban.pdf"}
    assert Counter(row["place"] for row in rows) == {"van_ban.pdf": 33, "package": 1}


async def test_the_database_holds_one_arrived_delivery_each(left):
    (row,) = await fetch(
        left,
        """SELECT count(*) AS n, count(DISTINCT (recipient, letter)) AS pairs, count(DISTINCT id) AS ids,
                  count(*) FILTER (WHERE state <> 'waiting' AND NOT open AND arrived_at IS NOT NULL
                                     AND fetched_at IS NOT NULL AND system IS NOT NULL) AS arrived,
                  count(DISTINCT recipient) AS recipients
             FROM delivery WHERE kind = 'letter'""",
    )
    assert tuple(row) == (TRANSFERS, TRANSFERS, TRANSFERS, TRANSFERS, 453)


async def test_the_journal_tells_all_of_it_once(left):
    rows = await fetch(left, "SELECT event, count(*) AS n FROM journal GROUP BY event")
    assert {row["event"]: row["n"] for row in rows} == EVENTS
    refused = await fetch(left, "SELECT code, letter FROM journal WHERE event = 'refused' ORDER BY at")
    assert [tuple(row) for row in refused] == [("signature_broken", None), ("signature_of_another", None)]
    (row,) = await fetch(
        left,
        "SELECT count(DISTINCT delivery) AS n FROM journal WHERE event = 'arrived' AND letter IS NOT NULL",
    )
    assert row["n"] == TRANSFERS + 9


async def test_the_database_holds_those_notices(left):
    rows = await fetch(
        left,
        """SELECT letter.number::int AS number, journal.code, count(*) AS n
             FROM journal JOIN letter ON letter.id = journal.letter AND letter.operation = 'new'
            WHERE event = 'status' GROUP BY 1, 2 ORDER BY 1, 2""",
    )
    found = {number: [] for number in NOTICES}
    for row in rows:
        found[row["number"]] += [row["code"]] * row["n"]
    assert found == NOTICES
    rows = await fetch(
        left,
        """SELECT count(*) AS n, count(*) FILTER (WHERE delivery.state = 'arrived' AND counted_class IS NULL) AS taken
             FROM letter JOIN delivery ON delivery.letter = letter.id WHERE letter.operation = 'status'""",
    )
    assert [tuple(row) for row in rows] == [(9, 9)]


async def test_the_tally_holds_each_transfer_in_both_views(left):
    rows = await fetch(
        left,
        """SELECT view, class, sum(n)::int AS n
             FROM (SELECT view, class, n FROM tally_day UNION ALL SELECT view, class, n FROM tally_delta) AS facts
            GROUP BY view, class""",
    )
    found = {(row["view"], row["class"]): row["n"] for row in rows}
    assert found == {
        (view, klass): n for view in ("in", "out") for klass, n in {**CLASSES, "X": 1}.items() if n
    }
    (row,) = await fetch(
        left, "SELECT (SELECT sum(n)::int FROM tally_day) AS days, (SELECT count(*) FROM tally_delta) AS rest"
    )
    assert tuple(row) == (2 * TRANSFERS, 0)


async def test_the_bytes_are_those_receipted(left):
    rows = await fetch(
        left,
        """SELECT letter.sha256 = sha256(payload.body) AS same, payload.size = length(payload.body) AS sized,
                  convert_from(receipt, 'UTF8')::jsonb -> 'receipt' ->> 'sha256' = encode(letter.sha256, 'hex') AS receipted
             FROM letter JOIN payload ON payload.id = letter.id""",
    )
    assert [tuple(row) for row in rows] == [(True, True, True)] * 26


async def test_the_exchange_answers_the_same_over_http(played, left, tmp_path):
    """Systems with new keys ask a server on what the demo left: inboxes are empty, every delivery arrived."""
    systems = await fetch(left, "SELECT id, name FROM system")
    keys = {}
    for row in systems:
        told = congvan("system", "rotate", str(row["id"]), "--json", CONGVAN_DATA=str(played.folder))
        keys.update(dict.fromkeys(cast.SYSTEMS[row["name"]], json.loads(told.stdout)["secret"]))
    sent = await fetch(
        left,
        "SELECT letter.id, agency.code, number::int FROM letter JOIN agency ON agency.id = letter.sender "
        "WHERE operation = 'new'",
    )
    settings = {"CONGVAN_RECEIPT_KEY_FILE": str(played.folder / "receipt.key")}
    arrived, verdicts, documents = Counter(), Counter(), Counter()
    year = str(datetime.now(UTC).year)
    with provinces.serving(
        SimpleNamespace(folder=played.folder), left, tmp_path, workers=1, **settings
    ) as server:
        async with contextlib.AsyncExitStack() as stack:
            clients = {
                key: await stack.enter_async_context(sdk.connected(server.url, key))
                for key in set(keys.values())
            }
            for client in clients.values():
                assert (await client.inbox()).body == {"items": [], "next": None, "more": False}
                measures = (await client.ask("GET", f"/v1/tally?period={year}")).body["measures"]
                documents.update({name: measures[name]["n"] for name in ("M8", "M9", "M10", "M11")})
            for row in sent:
                client = clients[keys[KINDS[row["code"]]]]
                trace = (await client.about(str(row["id"]), "trace")).body
                arrived.update((row["number"], one["class"], one["state"]) for one in trace["deliveries"])
                judged = (await client.about(str(row["id"]), "verdicts")).body
                verdicts.update(one["indication"] for one in judged["signatures"])
    moved = {(number, ACCEPTED[number][2], state): n for (number, state), n in STATES.items()}
    rest = {
        (number, klass, "arrived"): made - sum(n for (other, *_), n in moved.items() if other == number)
        for number, (_, made, klass, _) in ACCEPTED.items()
    }
    assert arrived == Counter({**rest, **moved}) - Counter()
    assert verdicts == played.summary["verdicts"]
    assert documents == {
        name: BY_SIGNATURE[name]["n"] for name in documents
    }  # four systems, each its own agencies


# --- every change by hand is found ---------------------------------------------------------------------------------------

LETTER = "(SELECT id FROM letter ORDER BY id LIMIT 1)"
ARRIVED = "(SELECT id FROM journal WHERE event = 'arrived' ORDER BY id LIMIT 1)"
DELIVERY = "(SELECT id FROM delivery WHERE counted_class = 'E' ORDER BY id LIMIT 1)"

CHANGED = {
    "an arrival a second later": (
        "journal",
        f"UPDATE journal SET at = at + interval '1 second' WHERE id = {ARRIVED}",
        {"arrival_differs_from_journal", "arrivals_without_delivery"},
        "SELECT delivery FROM journal WHERE event = 'arrived' ORDER BY id LIMIT 1",
    ),
    "an arrival gone": (
        "journal",
        f"DELETE FROM journal WHERE id = {ARRIVED}",
        {"arrival_differs_from_journal", "state_differs", "counted_before_arrival", "tally_differs"},
        f"SELECT delivery FROM journal WHERE id = {ARRIVED}",
    ),
    "an arrival of nothing": (
        "journal",
        f"UPDATE journal SET delivery = '01900000-0000-7000-8000-000000000000' WHERE id = {ARRIVED}",
        {
            "arrivals_without_delivery", "arrival_differs_from_journal", "state_differs", "counted_before_arrival",
            "tally_differs",
        },
        f"SELECT delivery FROM journal WHERE id = {ARRIVED}",
    ),
    "an acceptance gone": (
        "journal",
        f"DELETE FROM journal WHERE event = 'accepted' AND letter = {LETTER}",
        {"letters_without_journal"},
        "SELECT 1",
    ),
    "a day's count": (
        "tally_day",
        "UPDATE tally_day SET n = n + 1 WHERE view = 'out' AND class = 'S'",
        {"tally_differs"},
        "SELECT 'class=S'",
    ),
    "a day's class": (
        "tally_day",
        "UPDATE tally_day SET class = 'E' WHERE view = 'in' AND class = 'U'",
        {"tally_differs", "months_differ"},
        "SELECT 'class=U'",
    ),
    "a month's count": (
        "tally_month",
        "UPDATE tally_month SET n = n + 1 WHERE class = 'S' AND view = 'out' AND agency <> '00000000-0000-0000-0000-000000000000'",
        {"months_differ"},
        "SELECT '1'",
    ),
    "a byte of a letter": (
        "payload",
        f"UPDATE payload SET body = set_byte(body, 700, get_byte(body, 700) # 1) WHERE id = {LETTER}",
        {"bytes_differ"},
        f"SELECT {LETTER}",
    ),
    "the bytes gone": (
        "payload",
        f"DELETE FROM payload WHERE id = {LETTER}",
        {"bytes_differ", "letters_without_bytes"},
        f"SELECT {LETTER}",
    ),
    "a letter of a receipt": (
        "letter",
        f"UPDATE letter SET receipt = overlay(receipt PLACING '\\x7a' FROM 20 FOR 1) WHERE id = {LETTER}",
        {"receipt_signature"},
        f"SELECT {LETTER}",
    ),
    "the first byte of a receipt": (
        "letter",
        f"UPDATE letter SET receipt = set_byte(receipt, 0, 0) WHERE id = {LETTER}",
        {"receipt_signature"},
        f"SELECT {LETTER}",
    ),
    "a receipt of other shape": (
        "letter",
        f"UPDATE letter SET receipt = '[]' WHERE id = {LETTER}",
        {"receipt_signature"},
        f"SELECT {LETTER}",
    ),
    "a space in a receipt": (
        "letter",
        f"UPDATE letter SET receipt = overlay(receipt PLACING '{{ ' FROM 1 FOR 1) WHERE id = {LETTER}",
        {"receipt_signature"},
        f"SELECT {LETTER}",
    ),
    "another letter's receipt": (
        "letter",
        f"UPDATE letter SET receipt = (SELECT receipt FROM letter ORDER BY id DESC LIMIT 1) WHERE id = {LETTER}",
        {"receipt_differs"},
        f"SELECT {LETTER}",
    ),
    "what a letter required": (
        "letter",
        f"UPDATE letter SET requirement = 'not_met' WHERE id = {LETTER}",
        {"judgement_differs", "class_differs", "tally_differs"},
        f"SELECT {LETTER}",
    ),
    "a state": (
        "delivery",
        f"UPDATE delivery SET state = 'registered' WHERE id = {DELIVERY}",
        {"state_differs"},
        f"SELECT {DELIVERY}",
    ),
    "a class that was counted": (
        "delivery",
        f"UPDATE delivery SET counted_class = 'N' WHERE id = {DELIVERY}",
        {"class_differs"},
        "SELECT id FROM delivery WHERE counted_class = 'E' ORDER BY id LIMIT 1",
    ),
    "a class that is shown": (
        "delivery",
        f"UPDATE delivery SET class = 'N' WHERE id = {DELIVERY}",
        {"class_differs"},
        f"SELECT {DELIVERY}",
    ),
    "a delivery gone": (
        "delivery",
        f"DELETE FROM delivery WHERE id = {DELIVERY}",
        {"letters_half_delivered", "arrivals_without_delivery", "tally_differs"},
        "SELECT 1",
    ),
}  # fmt: skip
"""What somebody changes: table, statement, the faults that must be named, and whose name must be among them."""


BY_COMMAND = {
    "an arrival a second later",
    "a day's count",
    "a byte of a letter",
    "the first byte of a receipt",
    "a class that was counted",
}
"""Where the command itself is asked; for the rest the check that it prints, to spare half a second each."""


async def checked_by(name, played, connection):
    """Code and place of each fault, by the command or by what it calls."""
    if name in BY_COMMAND:
        told = await asyncio.to_thread(congvan, "check", "--json", CONGVAN_DATA=str(played.folder))
        faults = [(fault["code"], fault["where"]) for fault in json.loads(told.stdout)["faults"]]
        assert told.returncode == (1 if faults else 0), told.stderr
        return faults
    key = receipts.load(played.folder / "receipt.key", "")
    checked = await check.check(connection, played.folder / "payloads", key)
    return [(fault.code, fault.where) for fault in checked.faults]


async def test_the_self_check_tells_how_far_it_is(played, left):
    told = []
    connection = await pools.connect(left)
    try:
        key = receipts.load(played.folder / "receipt.key", "")
        checked = await check.check(
            connection, played.folder / "payloads", key, lambda *step: told.append(step)
        )
    finally:
        await connection.close()
    assert told == [
        ("letters", checked.letters, checked.letters),
        ("deliveries", checked.deliveries, checked.deliveries),
    ]


async def test_receipts_are_judged_by_the_key_of_their_day(played, left, tmp_path):
    """A key that took the place of another one; what it did not sign is no fault of it, and a stranger's key is none of ours."""
    receipts.ensure(tmp_path / "new.key")
    newer, connection = receipts.load(tmp_path / "new.key", ""), await pools.connect(left)
    try:
        checked = await check.check(connection, played.folder / "payloads", newer)
        assert checked.faults == ()
        kept = await connection.fetch("DELETE FROM receipt_key RETURNING *")
        assert kept
        await connection.execute("INSERT INTO receipt_key VALUES ('0', 'no key', now())")
        checked = await check.check(connection, played.folder / "payloads", newer)
        assert Counter(one.code for one in checked.faults) == {"receipt_signature": checked.letters}
        await connection.execute("DELETE FROM receipt_key")
        await connection.executemany(
            "INSERT INTO receipt_key VALUES ($1, $2, $3)", [tuple(one) for one in kept]
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("change", CHANGED)
async def test_a_change_by_hand_is_found_and_named(played, left, change):
    table, statement, codes, named = CHANGED[change]
    connection = await pools.connect(left)
    try:
        (name,) = await connection.fetchrow(named)
        await connection.execute(f"CREATE TABLE kept AS TABLE {table}")
        try:
            assert (await connection.execute(statement)).split()[-1] == "1"
            faults = await checked_by(change, played, connection)
        finally:
            async with connection.transaction():
                await connection.execute(f"DELETE FROM {table}")
                await connection.execute(f"INSERT INTO {table} SELECT * FROM kept")
                await connection.execute("DROP TABLE kept")
        assert {code for code, _ in faults} == codes
        assert str(name) in " ".join(where for _, where in faults)
        assert await checked_by("", played, connection) == []
    finally:
        await connection.close()


def test_after_all_of_that_the_self_check_is_content_again(played, left):
    checked = congvan("check", CONGVAN_DATA=str(played.folder), CONGVAN_LANGUAGE="en")
    assert checked.returncode == 0
    assert len(checked.stdout.splitlines()) == 1
