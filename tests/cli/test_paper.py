"""`congvan paper` on a real exchange's database, and `congvan trace --why` of exchanges of any kind."""

import asyncio
import json
from importlib.resources import files

import pytest
from cli.test_operations import HOSTILE, LETTER, delivery, ran
from click.testing import CliRunner
from province import fetch
from rejudging import faults, now, sent

import schemas
from exchange import texts
from exchange.cli.main import main
from exchange.rules import paper_class

WORKERS = 1
SCHEMA = files(schemas) / "api" / "trace_why.json"
AGENCY = "H13.31"
NOBODY = "01900000-0000-7000-8000-000000000000"


def today():
    return paper_class.local_day(now())


async def name_of(server, letter):
    (row,) = await fetch(
        server.dsn,
        """SELECT delivery.id FROM delivery JOIN agency ON agency.id = recipient
            WHERE letter = $1::text::uuid AND agency.code = $2""",
        letter, AGENCY,
    )  # fmt: skip
    return str(row["id"])


async def called(server, *arguments):
    """A command in this process, beside the loop of the test."""
    invoke = CliRunner().invoke
    given = {"env": server.environment, "prog_name": "congvan"}
    return await asyncio.to_thread(invoke, main, ["paper", *arguments], **given)


async def facts(server, *arguments):
    done = await called(server, *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


async def test_an_operator_records_what_an_office_without_a_system_tells(shared_server):
    server = shared_server
    letter, _ = await sent(server, 801)
    name = await name_of(server, letter)
    told = await called(server, "received", name, "--on", f"{today():%d/%m/%Y}", "--by", "Thử")
    assert told.exit_code == 0
    assert f"{today():%d/%m/%Y}" in told.stdout
    assert "Mâu thuẫn" in told.stdout
    again = await facts(server, "received", name, "--on", f"{today()}", "--by", "Thử")
    assert (again["changed"], again["class"], again["conflict"]) == (False, "S", True)
    bare = await called(server, "received", name, "--undo", "--by", "Thử")
    assert (bare.exit_code, "--why" in bare.stderr) == (2, True)
    undone = await facts(server, "received", name, "--undo", "--by", "Thử", "--why", "nhầm")
    assert (undone["on"], undone["class"]) == (None, "E")
    said = ("--paper", "1", "--reason", "government", "--by", "Thử", "--why", "quên khai", "--to", AGENCY)
    declared = await facts(server, "declare", letter, *said)
    assert [(one["class"], one["justified"]) for one in declared["deliveries"]] == [("S", "yes")]
    undo = ("--undo", "--by", "Thử", "--why", "nhầm", "--language", "en")
    assert "deliveries changed: 1." in (await called(server, "declare", letter, *undo)).stdout
    attested = await facts(server, "attest", "--agency", AGENCY, "--month", "2026-01", "--by", "Thử")
    assert (attested["changed"], attested["undone"]) == (0, False)
    assert await faults(server) == set()


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("received", NOBODY, "--on", "2026-01-01", "--by", "x"), 1),
        (("received", NOBODY, "--by", "x"), 2),
        (("received", NOBODY, "--on", "2026-01-01"), 2),
        (("received", "x", "--on", "2026-01-01", "--by", "x"), 2),
        (("received", NOBODY, "--on", "hôm qua", "--by", "x"), 2),
        (("declare", NOBODY, "--paper", "1", "--by", "x", "--why", "y"), 1),
        (("declare", NOBODY, "--paper", "0", "--reason", "listed", "--by", "x", "--why", "y"), 2),
        (("declare", NOBODY, "--by", "x", "--why", "y"), 2),
        (("declare", NOBODY, "--paper", "1", "--to", "H99.99", "--by", "x", "--why", "y"), 2),
        (("attest", "--agency", "H99.99", "--month", "2026-01", "--by", "x"), 2),
        (("attest", "--agency", AGENCY, "--month", "2026-1", "--by", "x"), 2),
        (("attest", "--agency", AGENCY, "--month", "2199-12", "--by", "x"), 2),
        (("attest", "--agency", AGENCY, "--month", "2026-03", "--undo", "--by", "x", "--why", "y"), 1),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_what_cannot_be_said_ends_with_its_code_and_one_sentence(shared_server, arguments, code):
    done = asyncio.run(called(shared_server, *arguments))
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


def evidence(**more):
    return {"kind": "paper_received", "at": "2026-11-21T01:00:00+00:00", "by": AGENCY, "detail": "2026-11-20",
            "author": "", "note": "", **more}  # fmt: skip


def why(**more):
    plain = {"step": "observed", "class": "S", "excluded": "", "grade": "", "justified": "no", "reason": "listed",
             "conflict": True, "recalled": False, "evidence": [evidence()]}  # fmt: skip
    return {**plain, **more}


def body(*deliveries):
    return {"letter": LETTER, "deliveries": list(deliveries), "links": []}


def test_why_is_told_in_words_with_its_evidence():
    told = body(
        delivery("H13.31", "arrived", why=why(evidence=[evidence(author="Trần Thử", note="túi thư")])),
        delivery(
            "H13.32",
            "arrived",
            why=why(step="no_paper", **{"class": "E"}, grade="A", justified="", conflict=False),
        ),
        delivery("H13.33", "arrived", why=None),
    )
    shown = ran(("trace", LETTER, "--why"), told).out
    for words in (
        "step 5 – paper is in evidence", "not justified", "on the list", "Conflict", "2026-11-20", "Trần Thử · túi thư",
        "step 7 – signatures sufficient, no paper", "Grade A", "it has no class",
    ):  # fmt: skip
        assert words in shown, words


def test_whys_of_another_time_or_with_bad_intent_stand_for_themselves():
    odd = why(
        step=HOSTILE,
        grade=HOSTILE,
        reason=HOSTILE,
        evidence=[evidence(kind=HOSTILE, by=HOSTILE, note=HOSTILE), 7],
    )
    shown = ran(
        ("trace", LETTER, "--why"), body(delivery("x", "arrived", why=odd), delivery("y", "done", why=[]))
    ).out
    assert "[bold]đỏ[/bold]" in shown
    assert not any(one in shown for one in "\u202e\x1b\u009b")


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_step_grade_and_kind_of_evidence_has_words(language):
    held = texts.catalogue(language)
    schema = json.loads(SCHEMA.read_bytes())["properties"]
    kinds = schema["evidence"]["items"]["properties"]["kind"]["enum"]
    wanted = [f"why.step_{one}" for one in schema["step"]["enum"]] + [f"why.evidence_{one}" for one in kinds]
    assert [key for key in wanted if key not in held] == []
