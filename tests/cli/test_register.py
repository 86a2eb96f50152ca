"""`congvan register` on a real exchange: files in, numbers and findings out, both registers printed, gaps explained."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest
import register_files as files
from clerk import congvan
from province import fetch, quick_letter

from exchange.rules import register_books
from exchange.store import pool as pools

TODAY = (datetime.now(UTC) + timedelta(hours=7)).date()
YEAR, DAY = str(TODAY.year), f"{TODAY:%d/%m/%Y}"
SENDER, RECIPIENT = "H13.01", "H13.02"


@pytest.fixture
def run(shared_server, tmp_path):
    """A command on that exchange; files by what they hold."""

    def ran(*arguments, language="en", **named):
        given = []
        for one in arguments:
            if isinstance(one, bytes):
                path = tmp_path / f"{named.get('name', 'so.csv')}"
                path.write_bytes(one)
                one = path  # noqa: PLW2901 - its place instead
            given.append(one)
        settings = {
            name: text for name, text in shared_server.environment.items() if name.startswith("CONGVAN_")
        }
        return congvan(
            shared_server, *given, **settings | {"CONGVAN_LANGUAGE": language} | named.get("more", {})
        )  # fmt: skip

    return ran


def out(number, party, **how):
    return files.out(number, party, **{"issued": DAY, "moved": DAY} | how)


def load(run, raw, *more, agency=SENDER, book="out", **named):
    return run(
        "register",
        "import",
        raw,
        "--agency",
        agency,
        "--book",
        book,
        "--year",
        YEAR,
        "--by",
        "Lê Văn Thử",
        *more,
        **named,
    )


@pytest.fixture(scope="module")
def letters(shared_server):
    """Letters 1 and 2, sent and acknowledged; 3 is sent, and waits."""

    async def sent():
        async with shared_server.client(SENDER) as sender, shared_server.client(RECIPIENT) as recipient:
            for number in (1, 2):
                assert (
                    await sender.send(quick_letter(number, sender=SENDER, recipients=(RECIPIENT,)))
                ).status == 201
            items = (await recipient.inbox(RECIPIENT)).facts()["items"]
            assert (await recipient.ack([one["id"] for one in items], RECIPIENT)).status == 200
            assert (await sender.send(quick_letter(3, sender=SENDER, recipients=(RECIPIENT,)))).status == 201

    asyncio.run(sent())


def test_from_a_dry_run_to_undo_and_the_self_check_agrees(run, letters):
    raw = files.as_csv(
        [
            out("1/CV", RECIPIENT),
            out("02/CV", f"{RECIPIENT}; Công ty Thử"),
            out("9/CV", RECIPIENT),
            out("", "x"),
        ],
        separator=";",
        encoding="utf-8-sig",
    )
    tried = load(run, raw, "--dry-run")
    assert tried.code == 1, tried.err
    assert tried.out.startswith(
        "Dry run: 4 lines, 4 transfers; 2 match letters, 2 would count as paper only, 1 to or from nobody"
    )
    assert "so.csv:5: error: No document number" in tried.err
    assert json.loads(run("register", "list", "--json").out)["loads"] == []
    done = load(run, raw, "--json")
    assert (done.code, done.json["rows"], done.json["matched"], done.json["paper_only"]) == (1, 4, 2, 2)
    assert [(one["code"], one["line"], one["severity"]) for one in done.json["findings"]] == [
        ("register_no_number", 5, "error")
    ]
    counted = run("tally", "--period", YEAR, "--agency", SENDER, "--json").json
    assert (counted["classes"]["P"], counted["coverage"]["sufficient"]) == (2, True)
    assert run("check", "--json").json["faults"] == []
    again = load(run, raw)
    assert (again.code, again.out) == (
        1,
        f"This file was loaded before ({done.json['load']}); not loaded again.\n",
    )
    (listed,) = run("register", "list", "--json").json["loads"]
    assert (listed["agency"], listed["rows"], listed["by"], listed["undone_at"]) == (
        SENDER,
        4,
        "Lê Văn Thử",
        None,
    )
    assert "9/CV" not in run("register", "list").out
    assert run("register", "undo", done.json["load"], "--by", "x").code == 0
    assert run("register", "undo", done.json["load"]).code == 1
    assert run("tally", "--period", YEAR, "--agency", SENDER, "--json").json["classes"]["P"] == 0
    assert run("check", "--json").json["faults"] == []


def test_a_letter_that_arrives_later_takes_its_row_out_of_paper_only(run, letters, shared_server):
    done = load(run, files.as_csv([out("3/CV", RECIPIENT)]), "--json")
    assert (done.code, done.json["paper_only"]) == (0, 1)

    async def acknowledge():
        async with shared_server.client(RECIPIENT) as recipient:
            items = (await recipient.inbox(RECIPIENT)).facts()["items"]
            await recipient.ack([one["id"] for one in items if one["number"] == "3"], RECIPIENT)

    asyncio.run(acknowledge())
    told = run("register", "match", "--agency", SENDER, "--json").json
    assert told in (
        {"matched": 1, "told": 1},
        {"matched": 0, "told": 0},
    )  # housekeeping may have been here first
    (listed,) = [one for one in run("register", "list", "--json").json["loads"] if one["undone_at"] is None]
    assert (listed["matched"], listed["paper_only"]) == (1, 0)
    assert run("tally", "--period", YEAR, "--agency", SENDER, "--json").json["classes"]["P"] == 0
    assert run("check", "--json").json["faults"] == []
    run("register", "undo", done.json["load"])


def test_enough_books_and_the_ratio_is_said(run, letters):
    words = ("tally", "--period", YEAR, "--agency", SENDER)
    before = run(*words, language="vi").out
    assert "chưa đủ căn cứ (0/3)" in before or "chưa đủ căn cứ (0/2)" in before
    assert "Sổ giấy đã nạp: 0/1 cơ quan" in before
    done = load(
        run,
        files.as_csv([out("1/CV", RECIPIENT)]),
        "--from",
        f"{YEAR}-01-01",
        "--to",
        f"{YEAR}-12-31",
        "--json",
    )
    after = run(*words, language="vi").out
    assert "chưa đủ căn cứ" not in after
    assert "Sổ giấy đã nạp: 1/1 cơ quan" in after
    told = run(*words, "--format", "csv").out
    assert {line["sufficient"] for line in csv.DictReader(io.StringIO(told.removeprefix("\ufeff")))} == {
        "yes"
    }
    run("register", "undo", done.json["load"])


def test_how_many_percent_is_a_setting(run):
    told = run("tally", "--period", YEAR, "--json", more={"CONGVAN_COVERAGE_PERCENT": 75}).json
    assert told["coverage"] == {"registers": {"n": 0, "d": 452}, "percent": 75, "sufficient": False}


@pytest.mark.parametrize("percent", ["0", "101", "-1", "chín mươi"])
def test_no_other_percent_can_be_wanted(run, percent):
    told = run("tally", "--period", YEAR, more={"CONGVAN_COVERAGE_PERCENT": percent})
    assert (told.code, told.out) == (2, "")
    assert "CONGVAN_COVERAGE_PERCENT" in told.err


def test_the_register_of_documents_sent_has_exactly_ten_columns_in_every_form(run, letters, tmp_path):
    note, moved = "=HYPERLINK(1)", f"{TODAY - timedelta(days=1):%d/%m/%Y}"
    raw = files.as_csv(
        [
            out("2/CV", f"{RECIPIENT}; Công ty Thử", copies="3", note=note),
            out("9/CV", "Công ty Thử", issued=moved, moved=moved),
        ]
    )
    done = load(run, raw, "--json")
    order = ("register", "export", "--agency", SENDER, "--book", "out", "--period", YEAR)
    told = run(*order, language="vi").out
    lines = list(csv.reader(io.StringIO(told.removeprefix("\ufeff"))))
    assert lines[0] == [column.heading for column in register_books.books()["out"].printed_columns]
    assert {len(line) for line in lines} == {10}
    assert [line[0] for line in lines[1:]] == ["1/CV", "2/CV", "3/CV", "9/CV"]
    both = lines[2]
    assert both[4].split("; ")[1:] == ["Công ty Thử"]
    assert (both[6], both[7], both[9]) == ("3", DAY, "Văn bản điện tử và bản giấy; =HYPERLINK(1)")
    assert both[8] == "Đã đến 1/1"
    assert lines[4][7] == moved
    assert lines[1][9] == "Văn bản điện tử"
    written = run(*order, "--format", "xlsx", "--output", tmp_path / "so.xlsx")
    assert written.code == 0
    book = openpyxl.load_workbook(tmp_path / "so.xlsx").active
    found = [[cell.value for cell in row] for row in book.iter_rows()]
    assert (len(found), {len(row) for row in found}, found[2][6]) == (5, {10}, 3)
    assert found[4][7].date() == TODAY - timedelta(days=1)
    assert book.freeze_panes == "A2"
    run("register", "undo", done.json["load"])


def test_the_register_of_documents_received(run, letters):
    raw = files.as_csv(
        [files.came("1/CV", SENDER, "0012", issued=DAY, arrived=DAY), files.came("7/STC", "Công ty Thử", "13", issued=DAY, arrived=DAY)],
        files.IN,
    )  # fmt: skip
    done = load(run, raw, "--json", agency=RECIPIENT, book="in")
    assert (done.json["matched"], done.json["paper_only"]) == (1, 1)
    told = run(
        "register", "export", "--agency", RECIPIENT, "--book", "in", "--period", YEAR, language="vi"
    ).out
    lines = list(csv.reader(io.StringIO(told.removeprefix("\ufeff"))))
    assert lines[0] == [column.heading for column in register_books.books()["in"].printed_columns]
    told = {line[3]: line for line in lines[1:]}
    assert {len(line) for line in lines} == {10}
    assert (told["1/CV"][1], told["1/CV"][6], told["1/CV"][9]) == (
        "0012",
        "Phòng Thử",
        "Văn bản điện tử và bản giấy",
    )
    assert (told["7/STC"][2], told["7/STC"][9]) == ("Công ty Thử", "Bản giấy")
    assert told["2/CV"][1] == ""
    run("register", "undo", done.json["load"])


def test_what_is_exported_can_be_loaded_again(run, letters):
    told = run("register", "export", "--agency", SENDER, "--book", "out", "--period", YEAR).out
    tried = load(run, told.encode(), "--dry-run", "--lists", "all", "--json")
    assert (tried.code, tried.json["skipped"], tried.json["matched"]) == (0, 0, tried.json["rows"])
    assert tried.json["rows"] >= 2


def test_gaps_are_told_and_explained(run):
    agency = "H13.05"
    done = load(
        run,
        files.as_csv([out(f"{number}/CV", RECIPIENT) for number in (1, 2, 5, 9, "9A")]),
        "--json",
        agency=agency,
    )
    gaps = ("register", "gaps", "--agency", agency, "--year", YEAR)
    told = run(*gaps, "--json")
    (one,) = told.json["series"]
    assert told.code == 1
    assert one["gaps"] == [{"first": 3, "last": 4}, {"first": 6, "last": 8}]
    assert (one["missing"], one["others"], one["M18"]["text"]) == (5, ["9A"], "44,44 % (4/9)")
    explain = ("register", "explain", "--agency", agency, "--year", YEAR, "--by", "Lê Văn Thử")
    assert run(*explain, "--numbers", "2-4", "--why", "không phát hành").code == 0
    made = run(*explain, "--numbers", "6-8", "--why", "hủy", "--json").json["explanation"]
    told = run(*gaps, "--json")
    (one,) = told.json["series"]
    assert (told.code, one["seen"], one["explained"], one["M18"]["text"]) == (0, 4, 5, "100,00 % (9/9)")
    shown = run(*gaps, language="vi")
    assert "Số 2-4: không phát hành — Lê Văn Thử" in shown.out
    assert run("register", "unexplain", made, "--by", "x").code == 0
    assert run("register", "unexplain", made, "--by", "x").code == 1
    assert run(*gaps, "--json").json["series"][0]["missing"] == 3
    run("register", "undo", done.json["load"])


def test_gaps_count_letters_and_registers_together(run, letters):
    done = load(run, files.as_csv([out("5/CV", RECIPIENT)]), "--json")
    (one,) = run("register", "gaps", "--agency", SENDER, "--year", YEAR, "--json").json["series"]
    assert one["gaps"] == [{"first": 4, "last": 4}]
    run("register", "undo", done.json["load"])


def test_arrival_numbers_have_gaps_too(run):
    raw = files.as_csv(
        [files.came(f"{n}/A", "X", entry, issued=DAY, arrived=DAY) for n, entry in ((1, "01"), (2, "3"))],
        files.IN,
    )
    done = load(run, raw, "--json", agency="H13.06", book="in")
    (one,) = run("register", "gaps", "--agency", "H13.06", "--year", YEAR, "--book", "in", "--json").json[
        "series"
    ]
    assert one["gaps"] == [{"first": 2, "last": 2}]
    run("register", "undo", done.json["load"])


@pytest.mark.parametrize("numbers", ["", "0", "5-3", "a", "1-20000", "-4", "1-", "٣"])
def test_bad_numbers_are_refused(run, numbers):
    told = run(
        "register",
        "explain",
        "--agency",
        SENDER,
        "--year",
        YEAR,
        "--by",
        "x",
        "--why",
        "y",
        f"--numbers={numbers}",
    )
    assert (told.code, told.out) == (2, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("import", b"x", "--agency", "H99.99", "--book", "out", "--year", "2026"),
        ("import", b"x", "--agency", SENDER, "--book", "other", "--year", "2026"),
        ("import", b"x", "--agency", SENDER, "--book", "out", "--year", "26"),
        ("import", b"x", "--agency", SENDER, "--book", "out", "--year", "2026", "--from", "2026-02-30"),
        ("import", b"x", "--agency", SENDER, "--book", "out", "--year", "2026", "--from", "2026-02-02", "--to", "2026-02-01"),
        ("import", b"x", "--agency", SENDER, "--book", "out", "--year", "2026"),
        ("import", b"", "--agency", SENDER, "--book", "out", "--year", "2026"),
        ("export", "--agency", "H99.99", "--book", "out", "--period", "2026"),
        ("export", "--agency", SENDER, "--book", "dispatch", "--period", "2026"),
        ("export", "--agency", SENDER, "--book", "out", "--period", "2026-13"),
        ("export", "--agency", SENDER, "--book", "out", "--period", "2026", "--output", "/nowhere/at/all.csv"),
        ("gaps", "--agency", "H99.99", "--year", "2026"),
        ("list", "--agency", "H99.99"),
        ("match", "--agency", "H99.99"),
        ("undo", "not-an-id"),
        ("explain", "--agency", "H99.99", "--year", "2026", "--numbers", "1", "--why", "x", "--by", "y"),
        ("explain", "--agency", SENDER, "--year", "2026", "--numbers", "1", "--why", " ", "--by", "y"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_done_is_refused(run, arguments):
    told = run("register", *arguments)
    assert (told.code, told.out) == (2, ""), told.err
    assert told.err


def test_a_refused_file_says_why_and_loads_nothing(run, shared_server):
    before = asyncio.run(fetch(shared_server.dsn, "SELECT count(*) AS n FROM register_row"))
    raw = files.as_csv([list(map(files.tcvn3, out("1/CV", "Sở Y tế")))], map(files.tcvn3, files.OUT))
    told = load(run, raw, language="vi")
    assert told.code == 2
    assert "TCVN3" in told.err
    assert told.err.endswith("Không nạp gì.\n")
    assert load(run, raw, "--json").json["findings"][0]["code"] == "register_tcvn3"
    assert asyncio.run(fetch(shared_server.dsn, "SELECT count(*) AS n FROM register_row")) == before


@pytest.mark.parametrize(
    "statement, codes",
    [
        ("UPDATE register_row SET counted = false", {"register_counted_differs"}),
        ("UPDATE register_row SET letter = id, delivery = id, round = 1", {"register_counted_differs", "register_match_differs", "tally_differs"}),
        ("UPDATE register_row SET moved_on = moved_on - 1", {"tally_differs"}),
        ("UPDATE register_load SET undone_at = now() WHERE undone_at IS NULL", {"register_match_differs"}),
    ],
)  # fmt: skip
def test_the_self_check_sees_a_row_that_says_something_else(run, shared_server, statement, codes):
    done = load(run, files.as_csv([out("77/CV", RECIPIENT)]), "--json", agency="H13.07")

    async def planted(undoing):
        connection = await pools.connect(shared_server.dsn)
        await connection.execute(undoing)
        await connection.close()

    kept = asyncio.run(fetch(shared_server.dsn, "SELECT id, counted, moved_on FROM register_row"))
    asyncio.run(planted(statement))
    told = run("check", "--json")
    assert (told.code, {one["code"] for one in told.json["faults"]}) == (1, codes)
    moved = kept[0]["moved_on"]
    asyncio.run(
        planted(
            f"UPDATE register_row SET counted = true, moved_on = '{moved}', letter = NULL, delivery = NULL, round = NULL"
        )
    )
    asyncio.run(planted(f"UPDATE register_load SET undone_at = NULL WHERE id = '{done.json['load']}'"))
    run("register", "undo", done.json["load"])
    assert run("check", "--json").json["faults"] == []


def test_a_letter_refused_after_its_row_was_matched_is_paper_only_and_the_self_check_agrees(
    run, shared_server
):
    sender = "H13.08"

    async def exchanged(**beside):
        async with shared_server.client(sender) as own, shared_server.client(RECIPIENT) as recipient:
            raw = quick_letter(41, sender=sender, recipients=(RECIPIENT,))
            assert (await own.send(raw, **beside)).status == 201
            items = (await recipient.inbox(RECIPIENT)).facts()["items"]
            (mine,) = [one["id"] for one in items if one["sender"] == sender]
            await recipient.ack([mine], RECIPIENT)
            return mine

    async def refused(delivery):
        async with shared_server.client(RECIPIENT) as recipient:
            assert (await recipient.status(delivery, "02", reason="vì")).status == 201

    def counted():
        run("register", "match", "--agency", sender, "--json")
        assert run("check", "--json").json["faults"] == []
        found = run("tally", "--period", YEAR, "--agency", sender, "--json").json["classes"]
        return {name: n for name, n in found.items() if n}

    delivery = asyncio.run(exchanged())
    done = load(run, files.as_csv([out("41/CV", RECIPIENT)]), "--json", agency=sender)
    assert (done.json["matched"], done.json["told"], counted()) == (1, 1, {"S": 1})
    asyncio.run(refused(delivery))
    assert counted() == {"P": 1}
    asyncio.run(exchanged(resend="2"))
    assert counted() == {"S": 1}
    run("register", "undo", done.json["load"])
    assert set(counted()) <= {"E", "N", "U"}
