"""The year of `congvan demo --year`, played once at a hundredth: every number exact, and all of it from the ordinary path.

What is expected is worked out here from the published sums and from the tables, not from a run.
"""

import asyncio
import io
from collections import Counter, defaultdict
from datetime import date
from types import SimpleNamespace
from uuid import uuid4

import pytest
from click.testing import CliRunner
from province import fetch

from exchange.broker import offline, receipts, send
from exchange.broker.declared import Declared
from exchange.cli import demo_year
from exchange.cli.main import congvan
from exchange.demo import run, year, year_books, year_letters, year_place, year_plan, year_post
from exchange.rules import paper_class, policy, register_books, registers
from exchange.rules.ratios import text
from exchange.store import directory as directories
from exchange.store import pool as pools
from exchange.tracker import check, periods, tally
from signing import trust

LABEL = "dựng lại theo số đã công bố"
DIVISOR = 100
E, S, P = 4_410, 144, 240  # 441.042, 14.382, 23.969 by a hundred, each rounded
LETTERS = 570
NOTICES = len(
    [
        one
        for place, one in enumerate(year_plan.documents(year_plan.counts(DIVISOR)))
        if one.klass != "P" and place % 20 == 0
    ]
)


@pytest.fixture(scope="module")
def played(module_database, tmp_path_factory):
    """Summary, database, folder and what the bars were told."""
    folder, told = tmp_path_factory.mktemp("year"), []
    asyncio.run(year_place.prepare(module_database))
    order = year.Order(folder=folder, divisor=DIVISOR)
    summary = asyncio.run(year.play(order, module_database, lambda *given: told.append(given)))
    return summary, module_database, folder, told


def rows(dsn, statement, *arguments):
    return asyncio.run(fetch(dsn, statement, *arguments))


async def connected(dsn, work):
    connection = await pools.connect(dsn)
    try:
        return await work(connection)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "divisor, sums, electronic, in_any_way",
    [
        (1, (441_042, 14_382, 23_969), "92,00 % (441.042/479.393)", "95,00 % (455.424/479.393)"),
        (10, (44_104, 1_438, 2_397), "92,00 % (44.104/47.939)", "95,00 % (45.542/47.939)"),
        (100, (4_410, 144, 240), "91,99 % (4.410/4.794)", "94,99 % (4.554/4.794)"),
        (3_000, (147, 5, 8), "91,88 % (147/160)", "95,00 % (152/160)"),
    ],
)
def test_the_sums_are_those_published_at_every_scale(divisor, sums, electronic, in_any_way):
    wanted = year_plan.counts(divisor)
    assert tuple(wanted[klass] for klass in "ESP") == sums
    total, made = sum(sums), Counter()
    for one in year_plan.documents(wanted):
        made[one.klass] += len(one.recipients)
    assert made == wanted
    assert text(made["E"], total) == electronic
    assert text(made["E"] + made["S"], total) == in_any_way


def test_the_plan_is_one_that_offices_could_have_followed():
    documents = year_plan.documents(year_plan.counts(10))
    assert documents == sorted(documents, key=lambda one: one.at)
    assert {one.issued_on.year for one in documents} == {2019}
    assert {one.issued_on.month for one in documents} == set(range(1, 13))
    assert all(one.issued_on.weekday() < 5 for one in documents)
    assert not {one.issued_on for one in documents} & {date(2019, 1, 1), date(2019, 2, 5), date(2019, 4, 30)}
    assert {one.sender for one in documents} == set(range(452))
    numbers = defaultdict(list)
    for one in documents:
        assert one.sender not in one.recipients
        assert len(set(one.recipients)) == len(one.recipients)
        numbers[one.sender].append(one.number)
    assert all(given == list(range(1, len(given) + 1)) for given in numbers.values())
    sizes = [len(one.recipients) for one in documents if one.klass != "P"]
    assert 7.9 < sum(sizes) / len(sizes) < 8.1
    reasons = Counter(one.reason for one in documents if one.klass == "S")
    assert set(reasons) == {"government", "listed", "recipient_unable", "other_law", "other", ""}


def test_every_register_is_read_without_a_fault_and_only_paper_stands_in_it():
    documents = year_plan.documents(year_plan.counts(DIVISOR))
    wanted = Counter(one.sender for one in documents if one.klass == "P" for _ in one.recipients)
    asked = registers.Asked(book=register_books.books()["out"], year=2019, today=date(2020, 1, 2))
    seen = 0
    for place, (entry, raw) in enumerate(year_books.books(documents)):
        taken = list(registers.read(io.BytesIO(raw), asked))
        findings = [found for one in taken for found in one.findings]
        parties = [row.party for one in taken for row in one.rows]
        seen += 1
        assert entry == year_plan.senders()[place]
        if wanted[place]:
            assert (len(parties), findings) == (wanted[place], [])
        else:
            assert (parties, [one.code for one in findings]) == ([""], ["register_no_party"])
        assert LABEL in raw.decode()
    assert seen == 452


def test_the_tally_is_the_published_one_and_says_what_it_is(played):
    summary, dsn, _, _ = played
    counted = summary["tally"]
    assert counted["classes"] == {"E": E, "S": S, "N": 0, "U": 0, "P": P}
    assert counted["excluded"] == {}
    assert counted["measures"]["M1"]["text"] == "91,99 % (4.410/4.794)"
    assert counted["measures"]["M3"]["text"] == "94,99 % (4.554/4.794)"
    assert counted["coverage"] == {"registers": {"n": 452, "d": 452}, "percent": 90, "sufficient": True}
    assert (summary["label"], summary["agencies"], summary["months_closed"]) == (LABEL, 452, 12)
    assert summary["deliveries"] == {"made": E + S, "acknowledged": E + S, "registered": NOTICES}
    assert (summary["registers"]["loaded"], summary["registers"]["paper_only"]) == (452, P)
    held = rows(
        dsn, "SELECT counted_class, count(*) AS n FROM delivery WHERE kind = 'letter' GROUP BY 1 ORDER BY 1"
    )
    assert [(one["counted_class"], one["n"]) for one in held] == [("E", E), ("S", S)]
    (registered,) = rows(dsn, "SELECT count(*) AS n FROM delivery WHERE state = 'registered'")
    assert registered["n"] == NOTICES > 20
    reasons = rows(dsn, "SELECT DISTINCT paper_reason FROM letter WHERE paper = 1")
    assert {one["paper_reason"] for one in reasons} == {
        "government", "listed", "recipient_unable", "other_law", "other", None,
    }  # fmt: skip
    justified = rows(
        dsn, "SELECT justified, count(*) AS n FROM delivery WHERE counted_class = 'S' GROUP BY 1"
    )
    assert {one["justified"] for one in justified} == {"yes", "no"}


def test_the_self_check_finds_nothing_and_would_find_a_change(played):
    _, dsn, folder, _ = played
    key = receipts.load(folder / "receipt.key", "")

    async def checked(connection):
        return await check.check(connection, folder / "payloads", key)

    sound = asyncio.run(connected(dsn, checked))
    assert (sound.faults, sound.letters, sound.deliveries) == ((), LETTERS + NOTICES, E + S + NOTICES)

    async def altered(connection):
        place = await connection.fetchval("SELECT id FROM tally_delta ORDER BY id LIMIT 1")
        change = "UPDATE tally_delta SET n = n + $2 WHERE id = $1"
        await connection.execute(change, place, 1)
        try:
            return await checked(connection)
        finally:
            await connection.execute(change, place, -1)

    assert {one.code for one in asyncio.run(connected(dsn, altered)).faults} == {"tally_differs"}


def test_every_letters_bytes_are_read_and_verified_again_as_by_congvan_verify(played):
    summary, dsn, folder, _ = played
    trusted = trust.load(
        *([file.read_bytes() for file in (folder / name).iterdir()] for name in ("trust", "crl"))
    )

    async def known(connection):
        return await directories.load(connection, date(2019, 1, 1))

    directory = asyncio.run(connected(dsn, known))
    letters = rows(
        dsn,
        "SELECT letter.*, payload.body FROM letter JOIN payload ON payload.id = letter.id WHERE operation = 'new' ORDER BY accepted_at",
    )
    assert len(letters) == summary["letters"] == 570
    signers, digests = set(), set()
    for one in letters:
        at = one["accepted_at"]
        looked = offline.look(offline.Named(name="v.edxml", raw=one["body"]), trusted, at)
        (verdict,) = looked.report.verdicts
        assert verdict.indication.value == "TOTAL_PASSED"
        assert not verdict.provisional
        assert b"xmldsig-more#ecdsa-sha256" in one["body"]
        judgement = offline.judged(looked, directory, Declared(), policy.DEFAULT, at)
        assert (judgement.requirement, judgement.missing) == ("met", ())
        assert judgement.signers[0].agency == one["sender"]
        message = looked.reading.message
        assert LABEL in message.subject
        assert (message.number, message.issued_on) == (one["number"], paper_class.local_day(at))
        assert len(message.recipients) == len(one["recipients"])
        signers.add(verdict.certificate_sha256)
        digests.add(one["sha256"])
    assert len(digests) == 570
    assert len(signers) == len({one["sender"] for one in letters}) > 300


def test_one_real_verdict_a_letter_and_times_of_2019(played):
    _, dsn, _, _ = played
    (verdicts,) = rows(
        dsn,
        "SELECT count(*) AS n, count(DISTINCT letter) AS letters, bool_and(indication = 'TOTAL_PASSED') AS passed,"
        " bool_and(signer_kind = 'organisation') AS seals FROM verdict",
    )
    assert tuple(verdicts.values()) == (570, 570, True, True)
    start, end = (paper_class.start_of(date(day, 1, 1)) for day in (2019, 2020))
    for table, column in (("letter", "accepted_at"), ("delivery", "arrived_at"), ("verdict", "judged_at")):
        (span,) = rows(dsn, f"SELECT min({column}) AS first, max({column}) AS last FROM {table}")
        assert start < span["first"] < span["last"] < end
    (late,) = rows(dsn, "SELECT count(*) AS n FROM delivery WHERE arrived_at <= accepted_at OR open")
    assert late["n"] == 0
    (moments,) = rows(dsn, "SELECT count(DISTINCT accepted_at) AS n FROM letter WHERE operation = 'new'")
    assert moments["n"] == 570
    (strange,) = rows(dsn, "SELECT count(*) AS n FROM payload_default")
    assert strange["n"] == 0


def test_the_twelve_months_are_closed_and_agree_with_the_year(played):
    _, dsn, _, _ = played

    async def closed(connection):
        span = tally.period("2019")
        return await periods.standing(connection, span), await periods.history(connection, span, "out")

    standing, versions = asyncio.run(connected(dsn, closed))
    assert standing.text == "1"
    assert len(versions) == 12
    sums = Counter()
    for one in versions:
        sums.update(one["classes"])
    assert sums == {"E": E, "S": S, "P": P}
    assert {one["version"].author for one in versions} == {f"Trình diễn ({LABEL})"}


def test_the_bars_are_told_of_every_stage_up_to_its_end(played):
    told = played[3]
    last = {stage: (done, total) for stage, done, total in told}
    assert last == {"letters": (570, 570), "registers": (452, 452), "months": (12, 12)}


@pytest.mark.parametrize("language, title", [("vi", "Năm 2019"), ("en", "rebuilt from published figures")])
def test_people_are_told_that_it_is_rebuilt(played, capsys, language, title):
    demo_year.show(played[0], language)
    shown = " ".join(capsys.readouterr().out.split())
    assert title in shown
    assert shown.count(LABEL) >= 2
    for said in ("4.410", "91,99 % (4.410/4.794)", "94,99 % (4.554/4.794)", "452/452", "479.393", "1/100"):
        assert said in shown


def test_a_database_that_holds_figures_is_left_alone(played):
    with pytest.raises(run.DemoError) as refused:
        asyncio.run(year_place.prepare(played[1]))
    assert refused.value.key == "demo_failure.not_empty"


def test_small_alone_is_a_wrong_use():
    told = CliRunner().invoke(congvan, ["demo", "--small", "--exit"])
    assert told.exit_code == 2
    assert "--year" in told.output


@pytest.mark.parametrize(
    "answer, code",
    [
        (send.Refused(code="signature_broken"), "signature_broken"),
        (send.Accepted(letter=uuid4(), receipt=b"", replayed=True), "replayed"),
    ],
)
def test_a_letter_that_is_not_accepted_ends_the_year(monkeypatch, answer, code):
    async def answered(*_given):
        return answer

    monkeypatch.setattr(send, "send", answered)
    document = year_plan.documents(year_plan.counts(3_000))[0]
    kind = year_plan.senders()[document.sender].kind
    place = SimpleNamespace(exchange=None, callers={kind: None})
    with pytest.raises(run.DemoError) as refused:
        asyncio.run(year_post._send(place, year_letters.Written(document=document, raw=b"")))
    assert refused.value.facts == {"number": document.number, "code": code}
