"""`congvan report … --format docx|pdf`: files with the figures of the other forms; what cannot be made is told, and is 2."""

import json
import subprocess
import sys

import clerk
import paper_cases as paper
import pytest
from docx import Document

from exchange import texts
from exchange.cli import report_paper
from exchange.demo import agencies
from exchange.tracker.forms import fonts, printed

PERIOD = ("--period", "2026", "--agency", "H13.01", "--agency", "H13.02")
"""A few agencies: the whole province's certificates take seconds to read."""


NAME = next(one.name for one in agencies.agencies() if one.code == "H13.01")


@pytest.fixture
def report(province, province_database, tmp_path):
    """`congvan report` on the province's database, without a server."""
    settings = {
        "CONGVAN_DATABASE_URL": province_database,
        "CONGVAN_DATA": tmp_path,
        "CONGVAN_TRUST_DIR": province.folder / "trust",
        "CONGVAN_CRL_DIR": province.folder / "crl",
        "CONGVAN_LANGUAGE": "vi",
    }
    return lambda *arguments: clerk.congvan(None, "report", *arguments, **settings)


def told(report, *arguments):
    done = report(*arguments)
    assert done.code == 0, done.err
    return done.out


@pytest.mark.parametrize("kind", ["docx", "pdf"])
def test_a_report_is_written_with_who_issues_it(report, tmp_path, kind):
    if kind == "pdf":
        paper.font()
    file = tmp_path / f"bc10.{kind}"
    said = told(
        report, "BC-10", *PERIOD, "--format", kind, "--output", str(file), "--issuer", "H13.01",
        "--place", "Cần Thơ", "--number", "12/BC-SA", "--position", "Giám đốc", "--signer", "Trần Văn Mẫu",
    )  # fmt: skip
    raw = file.read_bytes()
    assert f"{file} ({len(raw)} byte)" in said
    text = paper.flat("".join(paper.pages(raw) if kind == "pdf" else paper.paragraphs(raw)))
    rows = json.loads(told(report, "BC-10", *PERIOD, "--json"))
    for one in (
        NAME.upper(),
        "Số: 12/BC-SA",
        "Cần Thơ, ngày",
        "GIÁM ĐỐC",
        "Trần Văn Mẫu",
        "Sử dụng chữ ký số",
    ):
        assert paper.flat(one) in text, one
    assert all(paper.flat(row["agency"]) in text for row in rows["rows"])
    assert paper.flat(rows["measures"]["M8"]["text"]) in text


@pytest.mark.parametrize("kind", ["docx", "pdf"])
def test_the_periodic_report_says_on_paper_what_it_says_to_programs(report, tmp_path, kind):
    if kind == "pdf":
        paper.font()
    file = tmp_path / f"bc15.{kind}"
    told(report, "bc-15", *PERIOD, "--format", kind, "--output", str(file), "--target", "92")
    raw = file.read_bytes()
    text = paper.flat("".join(paper.pages(raw) if kind == "pdf" else paper.paragraphs(raw)))
    body = json.loads(told(report, "BC-15", *PERIOD, "--json", "--target", "92"))
    assert {one["target"] for one in body["annexes"]["BC-02"]["rows"]} == {92}
    for section in body["sections"]:
        assert paper.flat(section["heading"]) in text
        assert all(paper.flat(one) in text for one in section["sentences"]), section
    assert {"report", "period", "as_of", "sent", "measures", "months", "coverage"} <= body.keys()
    assert "BC-10" in body["annexes"]
    assert "Biểu02" in text
    if kind == "docx":
        assert len(Document(file).sections) == 1 + len(body["annexes"])


def test_of_a_closed_period_the_periodic_report_says_what_is_not_as_closed(report, tmp_path):
    """Its registers too, which are annexes of the same document; and of which years nobody told the days off."""
    period = ("--period", "2021-02", "--agency", "H13.01")
    assert "as_of_now" not in json.loads(told(report, "BC-15", *period, "--json"))
    told(report, "close", *period[:2], "--by", "Nguyễn Thử")
    body = json.loads(told(report, "BC-15", *period, "--json"))
    for one in (body, body["annexes"]["register-out"], body["annexes"]["register-in"]):
        assert (one["version"], one["sha256"]) == ("1", body["sha256"])
        assert one["as_of_now"] == {"closed": "M1, M2, M3, M4, M7, M19"}
    assert body["unlisted_years"] == {"years": "2021"}
    file = tmp_path / "bc15.docx"
    told(report, "BC-15", *period, "--format", "docx", "--output", str(file))
    printed = paper.flat("".join(paper.paragraphs(file.read_bytes())))
    as_of_now = texts.say("report.as_of_now", "vi", **body["as_of_now"])
    unlisted = texts.say("report.unlisted_years", "vi", years="2021")
    assert printed.index(paper.flat(unlisted)) < printed.index(paper.flat("I. KẾT QUẢ"))
    assert printed.index(paper.flat(as_of_now)) < printed.index(paper.flat("I. KẾT QUẢ"))
    shown = paper.flat(told(report, "BC-15", *period))
    assert paper.flat(as_of_now) in shown
    assert paper.flat(unlisted) in shown


def test_the_periodic_report_on_the_terminal_in_both_languages(report):
    assert "II. TỒN TẠI, HẠN CHẾ" in told(report, "BC-15", *PERIOD)
    english = told(report, "BC-15", "--period", "2026-Q4", "--language", "en", "--agency", "H13.01")
    assert "II. SHORTCOMINGS" in english
    assert "Scope: " in english


@pytest.mark.parametrize(
    "wrong, said",
    [
        (("BC-10", *PERIOD, "--format", "pdf"), "--output"),
        (("BC-10", *PERIOD, "--signer", "A"), "--format docx"),
        (("BC-15", *PERIOD, "--format", "csv"), "CSV"),
        (("BC-15", "--period", "2026", "--agency", "NOBODY"), "NOBODY"),
        (("BC-10", *PERIOD, "--format", "docx", "--output", "x", "--issuer", "NOBODY"), "NOBODY"),
        (("BC-10", *PERIOD, "--format", "docx", "--output", "/nowhere/x.docx"), "/nowhere/x.docx"),
        (("BC-10", *PERIOD, "--format", "pdf", "--output", "x", "--target", "101"), "101"),
    ],
    ids=["no-output", "stray-signer", "csv", "agency", "issuer", "folder", "target"],
)  # fmt: skip
def test_what_does_not_go_together_is_2(report, wrong, said):
    done = report(*wrong)
    assert done.code == 2
    assert said in done.err


def test_without_a_font_the_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path / "none"),))
    monkeypatch.setattr(report_paper, "printing", lambda: printed)
    on_paper = report_paper.Print(output=tmp_path / "x.pdf", issuer=None, target=None, letterhead={})
    given = type("Given", (), {"data": tmp_path, "language": "vi"})()
    with pytest.raises(SystemExit) as ended:
        report_paper.write(paper.usage_report(1), "pdf", on_paper, {}, given)
    assert ended.value.code == 2
    assert not (tmp_path / "x.pdf").exists()
    report_paper.write(paper.usage_report(1), "docx", on_paper, {}, given)  # names its font, and carries none
    assert on_paper.output.exists()


def test_the_libraries_of_paper_are_loaded_only_when_asked_for():
    code = "import sys; from exchange.cli import main; print([one for one in ('docx', 'reportlab') if one in sys.modules])"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
