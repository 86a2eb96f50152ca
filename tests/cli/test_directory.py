"""`congvan directory …` and `congvan system …` on a real database, as a person and as a script see them."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization

from exchange.cli import directory, systems
from exchange.demo import agencies as demo
from signing import keys

SHEET = (
    "Mã định danh;Mã QCVN 102;Tên cơ quan;Loại cơ quan;Cấp;Mã cơ quan cấp trên;Hiệu lực từ\n"
    "H13.01;000.00.01.H13;Sở Nội vụ;department;2;H13;01/01/2019\n"
    "H13;000.00.00.H13;Ủy ban nhân dân;province;1;;01/01/2019\n"
)


@pytest.fixture
def run(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner(env={"CONGVAN_DATABASE_URL": database, "CONGVAN_LANGUAGE": "vi", "COLUMNS": "200"})

    def call(*arguments):
        group = systems.system if arguments[0] == "system" else directory.directory
        return runner.invoke(group, [str(argument) for argument in arguments[1:]])

    return call


@pytest.fixture
def sheet(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_first_a_dry_run_then_the_import_then_nothing_left_to_do(run, sheet):
    file = sheet("agencies.csv", SHEET)
    tried = run("directory", "agency", "import", file, "--dry-run")
    assert tried.exit_code == 0
    assert tried.stdout.splitlines() == [
        "+ cơ quan H13.01",
        "+ cơ quan H13",
        "Chạy thử, chưa ghi gì: sẽ thêm 2, đổi 0, giữ nguyên 0.",
    ]
    assert json.loads(run("directory", "agency", "list", "--json").stdout) == {"version": 0, "agencies": []}
    done = run("directory", "agency", "import", file)
    assert done.stdout.splitlines()[-1] == "Đã ghi danh mục phiên bản 1: thêm 2, đổi 0, giữ nguyên 0."
    again = run("directory", "agency", "import", file)
    assert again.stdout == "Danh mục đã đúng như tệp: 2 mục giữ nguyên, không ghi gì.\n"
    listed = json.loads(run("directory", "agency", "list", "--json").stdout)
    assert [(one["code"], one["name"], one["parent"]) for one in listed["agencies"]] == [
        ("H13", "Ủy ban nhân dân", ""),
        ("H13.01", "Sở Nội vụ", "H13"),
    ]
    assert "000.00.01.H13" in run("directory", "agency", "list").stdout


def test_changes_are_shown_as_they_were_and_are(run, sheet):
    run("directory", "agency", "import", sheet("agencies.csv", SHEET))
    changed = sheet("changed.csv", SHEET.replace("Sở Nội vụ", "Sở Mới"))
    assert run("directory", "agency", "import", changed, "--language", "en").stdout.splitlines() == [
        "~ agency H13.01: name “Sở Nội vụ” → “Sở Mới”",
        "Directory version 2 written: 0 added, 1 changed, 1 unchanged.",
    ]


def test_errors_are_told_as_compilers_tell_them(run, sheet):
    bad = SHEET.replace("H13;01/01/2019", "H14;31/02/2019")
    told = run("directory", "agency", "import", sheet("bad.csv", bad))
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr.splitlines() == [
        "bad.csv:2: lỗi: valid_from: “31/02/2019” không phải ngày có thật. Ví dụ: 2019-01-31, 31/01/2019.",
        (
            "bad.csv:2: lỗi: parent: Không có cơ quan mang mã “H14” trong danh mục và trong bảng. "
            "Hãy sửa mã hoặc thêm cơ quan."
        ),
        "Có 2 lỗi: không ghi gì vào danh mục.",
    ]
    facts = json.loads(run("directory", "agency", "import", sheet("bad.csv", bad), "--json").stdout)
    assert [(one["line"], one["code"], one["path"], one["severity"]) for one in facts["errors"]] == [
        (2, "sheet_bad_date", "agency.valid_from", "error"),
        (2, "sheet_unknown_agency", "agency.parent", "error"),
    ]
    assert (facts["version"], facts["dry_run"]) == (None, False)


def test_what_a_sheet_says_cannot_steer_the_terminal(run, sheet):
    told = run("directory", "agency", "import", sheet("x.csv", "code,\x1b[31mred\nH13,x\n"))
    assert "\x1b" not in told.stderr
    assert "\\x1b[31mred" in told.stderr


def test_the_province_in_and_out_again(run, sheet, tmp_path):
    assert run("directory", "agency", "import", sheet("agencies.csv", demo.agency_sheet())).exit_code == 0
    assert run("directory", "officer", "import", sheet("officers.csv", demo.officer_sheet())).exit_code == 0
    exported = run("directory", "agency", "export", "--headings", "vi").stdout_bytes
    rows = list(csv.reader(io.StringIO(exported.decode("utf-8-sig"))))
    assert (len(rows), rows[0][0]) == (454, "Mã định danh")
    assert run("directory", "officer", "export", "--output", "out.csv").exit_code == 0
    assert (tmp_path / "out.csv").read_bytes().count(b"\r\n") == 907
    for kind, file in (("agency", sheet("out2.csv", exported)), ("officer", tmp_path / "out.csv")):
        facts = json.loads(run("directory", kind, "import", file, "--json").stdout)
        assert (facts["added"], facts["changed"], facts["version"]) == (0, 0, None)


def test_certificates_stand_beside_their_sheet(run, sheet):
    at = datetime.now(UTC) - timedelta(days=1)
    key = keys.new_key()
    seal = keys.certificate(keys.root("Gốc", key=key, at=at), "Sở Nội vụ", key.public_key(), at=at, serial=1)
    sheet("seal.pem", seal.public_bytes(serialization.Encoding.PEM))
    run("directory", "agency", "import", sheet("agencies.csv", SHEET))
    head = "agency,kind,certificate,basis,confirmed_by\n"
    good = sheet("seals.csv", head + "H13.01,organisation,seal.pem,QĐ 1,Lê An\n")
    told = run("directory", "certificate", "import", good)
    assert told.exit_code == 0
    assert told.stderr == (
        "seals.csv:2: cảnh báo: confirmed_by: Chứng thư mới ở mức đề nghị và chưa được tính: "
        "cần 2 người khác nhau xác nhận.\n"
    )
    exported = run("directory", "certificate", "export").stdout
    assert keys.fingerprint(seal).hex() in exported
    for name in ("missing.pem", "../seal.pem", "/etc/hostname"):
        told = run(
            "directory",
            "certificate",
            "import",
            sheet("x.csv", head + f"H13.01,organisation,{name},QĐ,A;B\n"),
        )
        assert (told.exit_code, "Không thấy tệp chứng thư" in told.stderr) == (2, True)


def test_a_system_from_its_key_to_its_end(run, sheet):
    run("directory", "agency", "import", sheet("agencies.csv", SHEET))
    added = run(
        "system", "add", "--acts-for", "H13.01", "000.00.00.h13", "--name", "i-Office Sở Nội vụ", "--json"
    )
    facts = json.loads(added.stdout)
    assert facts.keys() == {"system", "secret", "vxp_secret"}
    assert (str(UUID(facts["system"])), facts["secret"][:3], facts["vxp_secret"]) == (
        facts["system"],
        "cv_",
        None,
    )
    rotated = run("system", "rotate", facts["system"], "--both-for", "1")
    assert rotated.stdout.startswith(
        f"Khóa mới của hệ thống {facts['system']}. Khóa cũ còn dùng được 1 giờ.\n"
    )
    assert run("system", "disable", facts["system"]).exit_code == 0
    listed = run("system", "list", "--json")
    assert facts["secret"].split("_", 2)[2] not in listed.stdout
    (one,) = json.loads(listed.stdout)["systems"]
    assert (one["id"], one["owner"], one["acts_for"]) == (facts["system"], "H13.01", ["H13", "H13.01"])
    assert (len(one["keys"]), one["disabled_at"] is not None) == (2, True)
    assert "đã ngừng" in run("system", "list").stdout


def test_what_is_not_there_ends_with_2(run, sheet):
    run("directory", "agency", "import", sheet("agencies.csv", SHEET))
    unknown = run(
        "system", "add", "--acts-for", "H99", "--acts-for", "H13", "--name", "x", "--language", "en"
    )
    assert unknown.stderr == "No agency has these codes today: H99. Nothing was written.\n"
    ends = [
        unknown,
        run("system", "rotate", uuid4()),
        run("system", "disable", uuid4()),
        run("system", "disable", "not-an-id"),
        run("system", "add", "--name", "x"),
        run("directory", "agency", "import", "no-such-file.csv"),
    ]
    assert [end.exit_code for end in ends] == [2] * 6
    assert json.loads(run("system", "list", "--json").stdout) == {"systems": []}


def test_without_a_database_it_ends_with_3(sheet):
    runner = CliRunner(env={"CONGVAN_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    ended = runner.invoke(directory.directory, ["agency", "import", str(sheet("agencies.csv", SHEET))])
    assert ended.exit_code == 3
