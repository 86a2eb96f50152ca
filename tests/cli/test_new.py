"""`congvan new`: a letter from options and files that our own strict reader finds nothing wrong with."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from exchange.cli import main
from exchange.edxml import attachments, read
from signing import pdf_write

GIVEN = [
    "--from",
    "H13.01",
    "--to",
    "H13.02",
    "--number",
    "15",
    "--notation",
    "CV-STC",
    "--subject",
    "V/v thử",
]
PDF = pdf_write.blank(["Công văn"])


def congvan(*arguments):
    environment = {"COLUMNS": "140", "CONGVAN_LANGUAGE": "en"}
    return CliRunner().invoke(main.main, [str(one) for one in arguments], env=environment)


@pytest.fixture
def made(tmp_path):
    (tmp_path / "van-ban.pdf").write_bytes(PDF)
    (tmp_path / "Phụ lục.xlsx").write_bytes(b"PK\x03\x04 xl/workbook.xml")
    (tmp_path / "van-ban.pdf.p7s").write_bytes(b"\x30\x03abc")

    def make(*arguments, code=0):
        out = tmp_path / "letter.edxml"
        done = congvan("new", *GIVEN, *arguments, "--out", out)
        assert done.exit_code == code, done.output
        return read.read(out.read_bytes()) if out.exists() else done

    make.folder = tmp_path
    return make


def test_the_least_that_a_letter_needs(made):
    reading = made()
    assert reading.findings == ()
    letter = reading.message
    assert (letter.sender.code, letter.number, letter.notation) == ("H13.01", "15", "CV-STC")
    assert (letter.type_name, letter.subject) == ("Công văn", "V/v thử")
    assert letter.document_id == f"H13.01,{letter.issued_on:%Y/%m/%d},15/CV-STC"
    assert letter.traces[0].code == "H13.01"


def test_everything_that_can_be_said(made):
    files = [made.folder / name for name in ("van-ban.pdf", "Phụ lục.xlsx", "van-ban.pdf.p7s")]
    reading = made(
        "--to", "H13.14", "--from-name", "Văn phòng", "--type", "QĐ", "--issued", "05/11/2026", "--place", "Cần Thơ",
        "--content", "Tóm tắt", "--competence", "KT. CHỦ TỊCH", "--position", "Phó Chủ tịch", "--signer", "Trần Thị Thử",
        "--due", "2026-11-30", "--priority", "2", "--no-paper", *(part for file in files for part in ("--attach", file)),
    )  # fmt: skip
    letter = reading.message
    assert [one.code for one in reading.findings] == []
    assert [one.code for one in attachments.examine(letter)] == []
    assert [one.code for one in letter.recipients] == ["H13.02", "H13.14"]
    assert (letter.sender.name, letter.type_name, letter.type_code) == ("Văn phòng", "Quyết định", "2")
    assert (letter.issued_on, letter.due_on) == (date(2026, 11, 5), date(2026, 11, 30))
    assert (letter.place, letter.content, letter.priority, letter.paper) == ("Cần Thơ", "Tóm tắt", 2, 0)
    assert letter.signer == type(letter.signer)(
        competence="KT. CHỦ TỊCH", position="Phó Chủ tịch", name="Trần Thị Thử"
    )
    assert [(one.name, attachments.content(one)) for one in letter.attachments] == [
        (file.name, file.read_bytes()) for file in files
    ]


def test_a_revocation(made):
    letter = made(
        "--operation", "revoke", "--target", "H13.01,2026/11/05,7/CV-STC", "--reason", "Sai số"
    ).message
    assert (letter.operation, letter.target_document_id, letter.operation_reason) == (
        "revoke",
        "H13.01,2026/11/05,7/CV-STC",
        "Sai số",
    )


def test_a_replacement(made):
    letter = made("--operation", "replace", "--target", "H13.01,2026/11/05,7/CV-STC").message
    assert [one.document_id for one in letter.replaced] == ["H13.01,2026/11/05,7/CV-STC"]


@pytest.mark.parametrize("operation", ["revoke", "update", "replace"])
def test_what_is_about_another_document_names_it(tmp_path, operation):
    done = congvan("new", *GIVEN, "--operation", operation, "--out", tmp_path / "x.edxml")
    assert (done.exit_code, (tmp_path / "x.edxml").exists()) == (2, False)
    assert "--target" in done.stderr


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--issued", "hôm qua"], "issued_on"),
        (["--to", "h13.02"], "recipients"),
        (["--attach", "{folder}/trong.pdf"], "files"),
        (["--due", "31/02/2026", "--issued", "x"], "due_on"),
    ],
    ids=["issued", "recipient_twice", "empty_file", "two_faults"],
)
def test_what_will_not_do_is_told_and_nothing_is_written(made, arguments, told):
    (made.folder / "trong.pdf").write_bytes(b"")
    done = made(*(one.format(folder=made.folder) for one in arguments), code=2)
    assert told in done.stderr
    assert "Nothing is written" in done.stderr


def test_show_and_lint_understand_it_and_json_names_it(tmp_path):
    (tmp_path / "van-ban.pdf").write_bytes(PDF)
    out = tmp_path / "letter.edxml"
    made = congvan("new", *GIVEN, "--attach", tmp_path / "van-ban.pdf", "--out", out, "--json")
    told = json.loads(made.output)
    assert (told["size"], told["findings"]) == (out.stat().st_size, [])
    assert congvan("show", out).exit_code == 0
    linted = congvan("lint", out, "--json")
    assert (linted.exit_code, json.loads(linted.output)["findings"]) == (0, [])
    assert congvan("verify", out).exit_code == 1  # readable, but nothing is signed
