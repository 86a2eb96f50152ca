"""`congvan directory import|export|history|undo` on a real database, as a person and as a script see them."""

import io
import json

import openpyxl
import pytest
import xlsx_cases as cases
from click.testing import CliRunner

from exchange.cli import main, operators
from exchange.demo import agencies as demo

TWO = (
    ("H13", "Ủy ban nhân dân", "province", "1", "2019-01-01"),
    ("H13.01", "Sở Nội vụ", "department", "2", "2019-01-01"),
)


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner(env={"CONGVAN_DATABASE_URL": database, "CONGVAN_LANGUAGE": "vi", "COLUMNS": "200"})
    return lambda *arguments: runner.invoke(main.main, ["directory", *map(str, arguments)])


@pytest.fixture
def book(tmp_path):
    def write(*rows, name="book.xlsx", raw=None):
        path = tmp_path / name
        path.write_bytes(cases.agencies(*rows) if raw is None else raw)
        return path

    return write


def test_first_a_dry_run_then_the_import_then_nothing_left_to_do(run, book):
    file = book(*TWO)
    tried = run("import", file, "--dry-run", "--by", "Lê An")
    assert (tried.exit_code, tried.stderr) == (0, "")
    assert tried.stdout.splitlines() == [
        "+ cơ quan H13",
        "+ cơ quan H13.01",
        "Chạy thử, chưa ghi gì: sẽ thêm 2, đổi 0, giữ nguyên 0.",
    ]
    assert json.loads(run("history", "--json").stdout) == {"versions": []}
    done = run("import", file, "--by", "Lê An")
    assert done.stdout.splitlines()[-1] == "Đã ghi danh mục phiên bản 1: thêm 2, đổi 0, giữ nguyên 0."
    assert run("import", file).stdout == "Danh mục đã đúng như tệp: 2 mục giữ nguyên, không ghi gì.\n"
    assert "Lê An" in run("history").stdout


def test_errors_are_told_at_once_with_sheet_and_cell(run, book):
    told = run("import", book(TWO[0], ("H13 01", "", "department", "9", "soon")))
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.splitlines() == [
        "book.xlsx:Agencies!A3: lỗi: code: “H13 01” không phải mã định danh. Ví dụ: H13.01, 000.00.01.H13.",
        "book.xlsx:Agencies!B3: lỗi: name: Ô này không được để trống. Hãy điền giá trị.",
        "book.xlsx:Agencies!D3: lỗi: level: “9” không nằm trong các giá trị được dùng: 1, 2, 3, 4.",
        "book.xlsx:Agencies!E3: lỗi: valid_from: “soon” không phải ngày có thật. Ví dụ: 2019-01-31, 31/01/2019.",
        "Có 4 lỗi: không ghi gì vào danh mục.",
    ]
    facts = json.loads(run("import", book(TWO[0], ("H13.01", "x", "x", "2", "")), "--json").stdout)
    (error,) = facts["errors"]
    assert (error["code"], error["path"], error["line"], error["sheet"], error["cell"]) == (
        "sheet_cell_empty", "agency.valid_from", 3, "Agencies", "E3"
    )  # fmt: skip
    assert run("history", "--json").exit_code == 0


def test_an_error_between_sheets_is_told_at_its_cell(run, book):
    raw = cases.book(
        **{"Cơ quan": cases.sheet(cases.lines(cases.AGENCY_HEADINGS, TWO[0]))}
        | {"Cán bộ – chứng thư": cases.sheet(cases.lines(("Mã cơ quan", "Mã cán bộ", "Họ và tên", "Cán bộ từ ngày"), ("H99", "01", "Lê An", "2019-01-01")))}
    )  # fmt: skip
    told = run("import", book(raw=raw))
    assert told.stderr.startswith(
        "book.xlsx:Cán bộ – chứng thư!A2: lỗi: agency: Không có cơ quan mang mã “H99”"
    )


@pytest.mark.parametrize(
    "raw, said",
    [
        (b"code,name\n", "không phải sổ tính Excel"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(99), "có mật khẩu"),
        (cases.packed({**cases.parts(Agencies=cases.sheet([])), "xl/vbaProject.bin": "x"}), "có macro"),
        (cases.agencies(*TWO)[:500], "không phải sổ tính Excel"),
    ],
    ids=["csv", "locked", "macros", "cut"],
)
def test_what_is_no_workbook_ends_with_2_and_one_sentence(run, book, raw, said):
    told = run("import", book(raw=raw))
    assert (told.exit_code, told.stdout) == (2, "")
    assert said in told.stderr
    assert told.stderr.endswith("Có 1 lỗi: không ghi gì vào danh mục.\n")


def test_what_a_workbook_says_cannot_steer_the_terminal(run, book):
    raw = cases.book(
        **{
            "Agencies": cases.sheet(cases.lines(("code", "\u202ered", "name"))),
            "_x001B_[31m": cases.sheet(cases.lines(("x",))),
        }
    )
    told = run("import", book(raw=raw))
    assert "\u202e" not in told.stderr
    assert "\\u202ered" in told.stderr
    assert "\x1b" not in told.stderr + run("import", book(raw=raw), "--json").stdout


def test_the_province_out_and_in_again(run, tmp_path):
    (tmp_path / "agencies.csv").write_bytes(demo.agency_sheet())
    (tmp_path / "officers.csv").write_bytes(demo.officer_sheet())
    assert run("agency", "import", "agencies.csv", "--by", "A").exit_code == 0
    assert run("officer", "import", "officers.csv").exit_code == 0
    assert run("export", "all.xlsx").stdout == "Đã ghi all.xlsx: danh mục phiên bản 2.\n"
    facts = json.loads(run("import", "all.xlsx", "--json").stdout)
    assert (facts["added"], facts["changed"], facts["unchanged"], facts["version"], facts["errors"]) == (
        0, 0, 453 + 906, None, []
    )  # fmt: skip
    opened = openpyxl.load_workbook(io.BytesIO((tmp_path / "all.xlsx").read_bytes()))
    assert opened["Cơ quan"].max_row == 454
    assert "Xuất ngày" in opened["Hướng dẫn"]["A2"].value
    opened["Cơ quan"]["C3"] = "Văn phòng mới"
    opened["Cơ quan"]["N3"] = "02/01/2005"
    opened.save(tmp_path / "all.xlsx")
    changed = run("import", "all.xlsx", "--language", "en")
    assert changed.stdout.splitlines() == [
        "~ agency H13.01: name “Văn phòng Ủy ban nhân dân thành phố Cần Thơ” → “Văn phòng mới”",
        "~ agency H13.01: valid_from “2004-01-01” → “2005-01-02”",
        "Directory version 3 written: 0 added, 1 changed, 1358 unchanged.",
    ]
    assert run("export", "en.xlsx", "--headings", "en", "--json").exit_code == 0
    assert openpyxl.load_workbook(tmp_path / "en.xlsx")["Agencies"]["A1"].value == "code *"


def test_what_was_imported_is_taken_back_and_that_again(run, book):
    run("import", book(*TWO), "--by", "Lê An")
    run("import", book(("H13", "Tên mới", "province", "1", "2019-01-01")))
    tried = run("undo", "--dry-run")
    assert tried.stdout.splitlines() == [
        "~ cơ quan H13: name “Tên mới” → “Ủy ban nhân dân”",
        "Chạy thử, chưa ghi gì: sẽ lấy lại phiên bản 2, 1 mục trở về như trước.",
    ]
    done = json.loads(run("undo", "--json", "--by", "Bình").stdout)
    assert (done["undoes"], done["version"], done["obstacles"]) == (2, 3, [])
    assert done["changes"] == [
        {
            "kind": "agency",
            "key": ["H13"],
            "new": False,
            "gone": False,
            "fields": {"name": ["Tên mới", "Ủy ban nhân dân"]},
        }
    ]
    assert run("undo").stdout.splitlines()[0] == "- cơ quan H13"
    again = run("undo")
    assert (again.exit_code, again.stderr) == (1, "Không có lần nạp nào để lấy lại.\n")
    assert run("undo", "--version", "1").exit_code == 1
    assert run("undo", "--version", "77").exit_code == 2
    versions = json.loads(run("history", "--json").stdout)["versions"]
    assert [(one["version"], one["event"], one["by"], one["undoes"], one["undone_by"]) for one in versions] == [
        (4, "undo", "", 1, None), (3, "undo", "Bình", 2, None), (2, "workbook", "", None, 3), (1, "workbook", "Lê An", None, 4)
    ]  # fmt: skip
    assert len(json.loads(run("history", "--json", "--limit", "2").stdout)["versions"]) == 2
    told = run("history").stdout
    assert "nạp sổ tính (đã lấy lại ở phiên bản 3)" in told
    assert run("undo", "--version", "4").exit_code == 0
    assert len(json.loads(run("agency", "list", "--json").stdout)["agencies"]) == 2


def test_what_stands_in_the_way_is_told_and_ends_with_1(run, book):
    run("import", book(*TWO))
    run("import", book(("H13", "A", "province", "1", "2019-01-01")))
    run("import", book(("H13", "B", "province", "1", "2019-01-01")))
    refused = run("undo", "--version", "2")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        "cơ quan H13: đã đổi sau đó (phiên bản 3). Hãy lấy lại phiên bản ấy trước, hoặc sửa bằng lần nạp mới.",
        "Không lấy lại phiên bản 2: 1 mục cản trở, không ghi gì.",
    ]
    facts = json.loads(run("undo", "--version", "2", "--json").stdout)
    assert [(one["kind"], one["key"], one["why"], one["about"]) for one in facts["obstacles"]] == [
        ("agency", ["H13"], "changed", "3")
    ]


def test_a_folder_that_cannot_be_written_ends_with_2(run):
    told = run("export", "no-such-folder/all.xlsx")
    assert (told.exit_code, told.stderr.startswith("Không ghi được")) == (2, True)


def test_without_a_database_it_ends_with_3(book):
    runner = CliRunner(env={"CONGVAN_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    for arguments in (["import", str(book(*TWO))], ["export", "x.xlsx"], ["history"], ["undo"]):
        assert runner.invoke(main.main, ["directory", *arguments]).exit_code == 3


def test_progress_is_for_people_who_look_on(capsys):
    with operators.progress("directory.reading", "vi", file="x"):
        pass
    assert capsys.readouterr() == ("", "")
