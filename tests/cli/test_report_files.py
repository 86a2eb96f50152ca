"""Reports as files: workbooks with numbers that are numbers and nothing that is a formula; options that cut; files that are given."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from click.testing import CliRunner

from exchange.cli.report import report
from exchange.rules import directory
from exchange.rules.ratios import Measure
from exchange.tracker import chosen, tally
from exchange.tracker.reports import by_agency, waiting, worded, workbook
from exchange.tracker.reports import written as reports
from exchange.tracker.reports.report import NO, Hundredths, Report, Table, Took, Word
from exchange.tracker.signature_usage import Asked, Filters

AT = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
ROW = (1, "H13.01", "=HYPERLINK(1)", 479_393, 441_042, 14_382, 0, 0, 23_969, Measure(441_042, 479_393), Measure(455_424, 479_393),
       Measure(0, 0), Hundredths(-125, signed=True), Hundredths(9000), NO, Measure(1, 3))  # fmt: skip
LATE = (
    1,
    "12/CV",
    Word("urgency.1"),
    "H13.01",
    "H13.02",
    AT,
    None,
    Word("delivery_state.waiting"),
    AT,
    Took(93_900),
    None,
    None,
    None,
)


def made(name="BC-02", columns=by_agency.COLUMNS, rows=(ROW,), total=None, **changed):
    asked = Asked(
        period=tally.period("2019"), agencies=[], as_of=AT, filters=Filters(told=(("kind", "commune"), ("subtree", "H13.31")))
    )  # fmt: skip
    table = Table(name=name, columns=columns, rows=rows, total=total)
    return Report(code=name, asked=asked, scope=[], table=table, coverage=(12, 452), **changed)


def opened(report, path, language="vi"):
    workbook.write(report, path / "x.xlsx", language)
    return openpyxl.load_workbook(path / "x.xlsx")


def test_numbers_are_numbers_and_days_are_days(tmp_path):
    book = opened(made(total=(None, None, *ROW[2:])), tmp_path)
    sheet = book["BC-02"]
    head, row, last = sheet.iter_rows()
    assert [cell.value for cell in head][:4] == ["STT", "Mã cơ quan", "Tên cơ quan", "Tổng lượt gửi"]
    assert (row[3].value, row[3].number_format, row[3].data_type) == (479_393, "#,##0", "n")
    assert (row[9].value, row[9].number_format) == (pytest.approx(0.92), "0.00%")
    assert [cell.value for cell in head][9:12] == [
        f"Tỷ lệ HTĐT (%){more}" for more in ("", ": tử số", ": mẫu số")
    ]
    assert [(cell.value, cell.number_format) for cell in row[10:12]] == [
        (441_042, "#,##0"),
        (479_393, "#,##0"),
    ]
    assert (row[18].value, row[18].number_format) == (-1.25, "+0.00;-0.00;0.00")
    assert ([cell.value for cell in row[15:18]], row[20].value) == ([None, 0, 0], "Không")
    assert (sheet.freeze_panes, head[0].font.bold, last[0].value, last[3].value) == (
        "A2",
        True,
        "Cộng",
        479_393,
    )
    assert sheet.column_dimensions["C"].width > sheet.column_dimensions["A"].width
    sheet = opened(made("BC-07", waiting.COLUMNS, (LATE,)), tmp_path)["BC-07"]
    _, row = sheet.iter_rows()
    assert (row[5].value, row[5].number_format) == (datetime(2026, 11, 21, 9, 30), "dd/mm/yyyy hh:mm")  # noqa: DTZ001 - a spreadsheet knows no zones
    assert (row[9].value, row[9].number_format) == (timedelta(seconds=93_900), "[h]:mm")


@pytest.mark.parametrize(
    "n, d, shown", [(479_392, 479_393, 0.9999), (1, 479_393, 0.0001), (7, 7, 1), (0, 7, 0), (1, 800, 0.0013)]
)
def test_a_workbook_says_all_and_nothing_only_where_they_are_exact(tmp_path, n, d, shown):
    cells = list(opened(made(rows=((*ROW[:9], Measure(n, d), *ROW[10:]),)), tmp_path)["BC-02"].iter_rows())[1]
    assert cells[9].value == pytest.approx(shown, abs=1e-12)
    head, row = csv.reader(
        io.StringIO(reports.as_csv(made(rows=((*ROW[:9], Measure(n, d), *ROW[10:]),)).table, "en"))
    )
    assert row[9:12] == [f"{100 * shown:.2f}", str(n), str(d)]
    assert head[9:12] == [head[9], f"{head[9]}: numerator", f"{head[9]}: denominator"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "_x003D_1", "9" * 40])
def test_no_cell_of_a_workbook_is_a_formula(tmp_path, text):
    row = (1, text, text, *ROW[3:])
    cells = list(opened(made(rows=(row,)), tmp_path)["BC-02"].iter_rows())[1]
    assert [cell.data_type for cell in cells[1:3]] == ["s", "s"]
    assert cells[1].value.endswith(text.strip().removeprefix("\t"))


def test_the_first_words_of_a_workbook_are_about_it(tmp_path):
    sheet = opened(made(measures={"M1": Measure(1, 2)}), tmp_path)["Thông tin chung"]
    said = [cell.value for (cell,) in sheet.iter_rows(max_col=1)]
    for sentence in (
        "BC-02. Tỷ lệ theo cơ quan", "Sổ giấy đã nạp: 12/452 cơ quan", "Lọc: loại cơ quan commune; nhánh H13.31",
        "Phiên bản: tạm tính", "M1  Tỷ lệ hoàn toàn điện tử: 50,00 % (1/2)",
    ):  # fmt: skip
        assert sentence in said
    assert ("coverage", "12/452") in worded.about(made(), "vi")


def test_ten_thousand_rows_are_written_as_they_come(tmp_path):
    rows = [(place, *ROW[1:]) for place in range(10_000)]
    workbook.write(made(rows=rows), tmp_path / "x.xlsx", "en")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx", read_only=True)
    assert sum(1 for _ in book["BC-02"].iter_rows()) == 10_001
    book.close()


@pytest.mark.parametrize(
    "value, shown, cell",
    [
        (Hundredths(4690), "46,90", "46.90"), (Hundredths(125, signed=True), "+1,25", "1.25"), (Hundredths(-5, signed=True), "-0,05", "-0.05"),
        (Hundredths(0, signed=True), "0,00", "0.00"), (Hundredths(123_456), "1.234,56", "1234.56"), (Took(93_900), "26:05", "26.08"),
        (Took(0), "0:00", "0.00"), (Took(-5400), "-1:30", "-1.50"), (date(2019, 1, 2), "02/01/2019", "2019-01-02"),
    ],
    ids=str,
)  # fmt: skip
def test_values_for_people_and_for_programs(value, shown, cell):
    assert worded.text(value, "vi") == shown
    table = Table(name="BC-02", columns=by_agency.COLUMNS[:1], rows=[[value]])
    assert list(csv.reader(io.StringIO(reports.as_csv(table, "vi"))))[1] == [cell]


PARENTS = {1: None, 2: 1, 3: 1, 4: 3, 5: None}
"""A tree by numbers: 1 above 2 and 3, 3 above 4; 5 stands alone."""


def agencies():
    levels = {1: 1, 2: 2, 3: 2, 4: 3, 5: 2}
    return [
        {"id": one, "kind": "commune" if one % 2 else "department", "level": level}
        for one, level in levels.items()
    ]


@pytest.mark.parametrize(
    "wanted, found",
    [
        ({}, None), ({"agencies": [3]}, [3]), ({"subtrees": [3]}, [3, 4]), ({"subtrees": [1]}, [1, 2, 3, 4]),
        ({"subtrees": [3], "agencies": [5]}, [3, 4, 5]), ({"kinds": ["commune"]}, [1, 3, 5]), ({"levels": [2]}, [2, 3, 5]),
        ({"subtrees": [1], "kinds": ["department"]}, [2, 4]), ({"subtrees": [1], "levels": [2, 3], "kinds": ["commune"]}, [3]),
        ({"kinds": ["lạ"]}, []),
    ],
)  # fmt: skip
def test_agencies_by_tree_kind_and_level(wanted, found):
    assert chosen.among(agencies(), chosen.Wanted(**wanted), PARENTS) == found


def test_a_ring_of_parents_ends():
    assert directory.below({1: 2, 2: 1, 3: None}, [1]) == {1, 2}


def told(server, *words):
    return server.congvan("report", *words)


def test_the_commands_options(shared_server, tmp_path):
    body = json.loads(
        told(
            shared_server, "BC-02", "--period", "2026", "--subtree", "H13.31", "--kind", "commune", "--json"
        ).stdout
    )
    assert len(body["rows"]) == 13  # the wards of quận Ninh Kiều
    assert body["filters"] == {"subtree": ["H13.31"], "kind": ["commune"]}
    assert body["coverage"]["registers"]["d"] == 13
    file = tmp_path / "measures.xlsx"
    assert (
        told(shared_server, "measures", "--period", "2026", "--format", "xlsx", "--output", file).returncode
        == 0
    )
    assert openpyxl.load_workbook(file)["measures"]["A2"].value == "M1"
    file = tmp_path / "kinds.csv"
    told(shared_server, "BC-03", "--period", "2026", "--level", "2", "--format", "csv", "--output", file)
    assert file.read_bytes().startswith(b"\xef\xbb\xbfLo")
    own = tmp_path / "set.toml"
    own.write_text('[[indicator]]\nid = "1"\nname = "Một"\nformula = "M20"\n', encoding="utf-8")
    (row,) = json.loads(told(shared_server, "indicators", own, "--period", "2026", "--json").stdout)["rows"]
    assert (row["id"], row["d"]) == ("1", 452)
    own.write_text('table = "cao_bang_districts"\n[points]\n"H13.31" = 101\n', encoding="utf-8")
    (row,) = json.loads(told(shared_server, "scores", own, "--period", "2018", "--json").stdout)["rows"]
    assert (row["agency"], row["rank"], row["level"], row["lacking"]) == ("H13.31", 1, "II", 7.0)


@pytest.mark.parametrize(
    "words",
    [
        ("BC-02", "--format", "xlsx"), ("indicators",), ("BC-02", "--level", "9"), ("BC-02", "--urgency", "7"), ("BC-04", "--periods", "0"),
        ("BC-04", "--periods", "61"), ("BC-02", "--periods", "24"), ("BC-10", "--type", "x"), ("BC-06", "--view", "in"), ("BC-13", "--scope", "same_root"),
        ("indicators", "WRONG"), ("BC-02", "WRONG"), ("BC-99",),
    ],
    ids=["no_output", "no_set", "level", "urgency", "no_periods", "periods", "periods_of_none", "type", "view", "scope", "wrong_set", "set_for_nothing", "report"],
)  # fmt: skip
def test_what_is_asked_wrongly_is_2(tmp_path, words):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('[[indicator]]\nid = "1"\nname = "x"\nformula = "E / __import__"\n', encoding="utf-8")
    given = [str(wrong) if word == "WRONG" else word for word in words]
    found = CliRunner().invoke(report, [*given, "--period", "2026"])
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr


def test_nobody_has_that_code(shared_server):
    found = told(shared_server, "BC-02", "--period", "2026", "--subtree", "X")
    assert (found.returncode, found.stdout) == (2, "")
    assert "X" in found.stderr
    assert "Traceback" not in found.stderr
