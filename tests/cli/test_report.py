"""`congvan report`: tables that people can read at any width, files that programs can read, and nothing a spreadsheet runs."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from exchange import texts
from exchange.cli import report_table
from exchange.rules.ratios import Measure
from exchange.tracker import tally
from exchange.tracker.reports import behind, failures, inventory, usage, worded
from exchange.tracker.reports import written as reports
from exchange.tracker.reports.report import (
    NAMES,
    NO,
    YES,
    Column,
    Dated,
    Line,
    Pair,
    Report,
    Table,
    Word,
)
from exchange.tracker.signature_usage import Asked

AT = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
ASKED = Asked(period=tally.period("2026"), agencies=None, as_of=AT)
TABLES = {
    "BC-10": usage.COLUMNS,
    "BC-11": inventory.COLUMNS,
    "BC-12": failures.COLUMNS,
    "issued": inventory.ISSUED,
    "documents": behind.DOCUMENTS,
    "signers": behind.SIGNERS,
    "agencies": behind.AGENCIES,
}
EXACT = {
    "BC-10": "Cơ quan | CTS tổ chức đang hiệu lực | CTS cá nhân đang hiệu lực | CTS có dùng trong kỳ (TC / CN) | "
    "Không dùng >90 ngày | VB đi | Có ký TC hợp lệ | Có ký CN hợp lệ | Đủ cả hai | Không hợp lệ | Chưa xác định | "
    "M8 (%) | M9 (%) | Người ký lãnh đạo có dùng / tổng (M10)",
    "BC-11": "Số seri | Chủ thể | Loại | Cơ quan | Chức vụ | Cơ quan cấp | Từ ngày | Đến ngày | Còn lại (ngày) | "
    "Trạng thái | Ngày thu hồi | Mục đích | Lần dùng cuối | Số lần dùng trong kỳ",
    "BC-12": "Thời điểm | Số, ký hiệu | Bên gửi | Vị trí chữ ký | Chủ thể | Seri | Kết luận | Mã lý do | "
    "Bằng chứng thu hồi | Đã xác minh lại | Xử lý",
}
"""The columns as reference page rules_and_measures, D.2, has them."""

USAGE_ROW = ("H13.31.05.001", 1, 1234, Pair(1, 1200), 0, 4321, 4000, 4100, 3900, 0, 12, Measure(4000, 4321),
             Measure(0, 0), Pair(0, 3))  # fmt: skip
FAILED_ROW = (AT, "115/CV-H1311", "H13.11", "=HYPERLINK(1)", "Sở Thông tin và Truyền thông", "54010a000000100a",
              Word("indication.INDETERMINATE"), Word("report.failure.revoked"), None,
              Dated(Word("indication.TOTAL_PASSED"), AT), Word("advice.certificate_revoked"))  # fmt: skip


def made(name, *rows, total=None, **changed):
    table = Table(name=name, columns=TABLES[name], rows=rows, total=total)
    return Report(code=name, asked=ASKED, scope=["H13"], table=table, **changed)


@pytest.fixture
def shown(monkeypatch):
    def show(report, width, language="vi"):
        console = Console(file=io.StringIO(), width=width, markup=False, emoji=False, highlight=False)
        monkeypatch.setattr(report_table.screen, "console", lambda: console)
        report_table.show(report, language)
        return console.file.getvalue()

    return show


@pytest.mark.parametrize("name", EXACT)
def test_columns_are_those_of_the_rules(name):
    table = Table(name=name, columns=TABLES[name], rows=[])
    assert " | ".join(reports.heading(table, column, "vi") for column in table.columns) == EXACT[name]


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_heading_title_unit_and_footnote_is_there(language):
    for name, columns in TABLES.items():
        table = Table(name=name, columns=columns, rows=[])
        for column in columns:
            assert reports.heading(table, column, language)
            assert all(reports.heading(table, column, language, part) for part in column.parts or ())
    assert all(
        texts.say(f"report.{name}.{part}", language) for name in NAMES for part in ("title", "unit", "note")
    )


@pytest.mark.parametrize("width", [80, 100, 120, 200])
@pytest.mark.parametrize("row", [("BC-10", USAGE_ROW), ("BC-12", FAILED_ROW)], ids=["BC-10", "BC-12"])
def test_no_line_is_wider_than_the_terminal_and_no_cell_is_lost(shown, width, row):
    name, cells = row
    printed = shown(made(name, cells, cells), width)
    lines = [line for line in printed.splitlines() if line.startswith(("│", "┃", "┏", "└"))]
    assert all(len(line) <= width for line in lines)
    flat = re.sub(r"[\s│┃]+", "", printed)
    for column, cell in zip(TABLES[name], cells, strict=True):
        text = report_table._short(column, worded.text(cell, "vi"))
        words = text.split() if lines else worded.text(cell, "vi").split()
        assert (not lines and cell is None) or all(word in flat for word in words), (column.name, text)


def test_one_part_where_there_is_room_two_where_there_is_less_a_list_where_there_is_none(shown):
    usage_report, failed = made("BC-10", USAGE_ROW), made("BC-12", FAILED_ROW)
    assert "Phần" not in shown(usage_report, 140)
    assert shown(usage_report, 80).count("Phần") == 2
    assert shown(usage_report, 80).count("H13.31.05.001") == 2
    assert "┃" not in shown(failed, 80)
    assert "Bằng chứng thu hồi" not in shown(failed, 80)  # nothing there: not told
    assert "Xử lý" in shown(failed, 80)


def test_a_table_says_what_it_is_of(shown):
    report = made("BC-10", USAGE_ROW, total=("", *USAGE_ROW[1:]), measures={"M8": Measure(4000, 4321)})
    printed = shown(report, 200)
    for said in (
        "BC-10. Sử dụng chữ ký số", "Kỳ báo cáo: 2026 (01/01/2026 – 31/12/2026)", "Phạm vi: H13",
        "Đơn vị tính: chứng thư, văn bản, người ký", "Phiên bản: tạm tính", "Mốc dữ liệu: 21/11/2026 09:30",
        "92,57 % (4.000/4.321)", "Cộng", "1 / 1.200", "Văn bản: một số, ký hiệu",
    ):  # fmt: skip
        assert said in printed, said
    assert "all agencies" in shown(Report(code="M11", asked=ASKED, scope=[], table=report.table), 120, "en")


def test_the_check_line_names_the_states_there_are(shown):
    line = Line(key="balance", facts={"issued": 3228, "valid": 2485, "revoked": 743, "expired": 0})
    assert "Đã cấp 3.228 = 2.485 hiệu lực + 743 thu hồi + 0 hết hạn" in shown(
        made("BC-11", lines=(line,)), 120
    )


def test_json_is_for_programs():
    body = reports.as_json(made("BC-10", USAGE_ROW, total=USAGE_ROW, measures={"M8": Measure(1, 2)}), "vi")
    assert json.loads(json.dumps(body)) == body
    assert (body["report"], body["period"], body["first"], body["last"]) == (
        "BC-10",
        "2026",
        "2026-01-01",
        "2026-12-31",
    )
    assert (body["agencies"], body["version"], body["as_of"]) == (
        ["H13"],
        "provisional",
        "2026-11-21T02:30:00+00:00",
    )
    (row,) = body["rows"]
    assert list(row) == list(body["columns"])
    assert (row["used_seals"], row["used_persons"], row["documents"]) == (1, 1200, 4321)
    assert row["m8"] == {"n": 4000, "d": 4321, "text": "92,57 % (4.000/4.321)"}
    assert body["measures"] == {"M8": {"n": 1, "d": 2, "text": "50,00 % (1/2)"}}
    (row,) = reports.as_json(made("BC-12", FAILED_ROW, lines=[Line(key="refused", facts={"n": 2})]), "vi")[
        "rows"
    ]
    assert row["at"] == "2026-11-21T09:30:00+07:00"
    assert (row["reason"], row["evidence"]) == ("revoked", None)
    assert row["again"] == {"result": "TOTAL_PASSED", "at": "2026-11-21T09:30:00+07:00"}


def rows_of(report, language="vi"):
    return list(csv.reader(io.StringIO(reports.as_csv(report.table, language))))


def test_csv_has_one_row_of_headings_no_total_and_plain_numbers():
    head, row = rows_of(made("BC-10", USAGE_ROW, total=USAGE_ROW))
    assert head[3:5] == ["CTS có dùng trong kỳ (TC)", "CTS có dùng trong kỳ (CN)"]
    assert head[12:18] == [
        "M8 (%)", "M8 (%): tử số", "M8 (%): mẫu số", "M9 (%)", "M9 (%): tử số", "M9 (%): mẫu số",
    ]  # fmt: skip
    assert len(head) == len(row) == 20
    assert row == [
        "H13.31.05.001", "1", "1234", "1", "1200", "0", "4321", "4000", "4100", "3900", "0", "12", "92.57", "4000", "4321",
        "", "0", "0", "0", "3",
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(start):
    column = Column(name="number")
    table = Table(name="BC-12", columns=(column,), rows=[[f"{start}cmd|' /C calc'!A0"], ["2-1"]])
    _, first, second = list(csv.reader(io.StringIO(reports.as_csv(table, "vi"), newline="")))
    assert first == [f"'{start}cmd|' /C calc'!A0"]
    assert second == ["2-1"]
    assert reports.harmless(-1) == -1


def test_a_day_a_word_and_nothing_in_csv():
    columns = tuple(Column(name=name) for name in ("at", "number", "sender", "place"))
    table = Table(name="BC-12", columns=columns, rows=[[date(2026, 1, 2), YES, NO, None]])
    assert list(csv.reader(io.StringIO(reports.as_csv(table, "vi"))))[1] == ["2026-01-02", "yes", "no", ""]


def test_foreign_words_do_not_steer_the_terminal(shown):
    row = list(FAILED_ROW)
    row[1] = "1/CV\x1b[31m\u202e"
    assert "\x1b" not in shown(made("BC-12", row), 80)


def test_the_command(shared_server):
    printed = shared_server.congvan(
        "report", "bc-11", "--period", "2026-Q4", "--format", "csv", "--agency", "000.00.01.H13"
    )
    assert printed.stdout.startswith("\ufeffSố seri,Chủ thể,")
    assert (
        len(printed.stdout.splitlines()) == 1 + 6
    )  # its own, two persons', their earlier ones, one for the treasury
    english = shared_server.congvan(
        "report", "M11", "--period", "2026", "--language", "en", "--agency", "H13.01"
    )
    assert (
        "M11  Agencies with a valid organisation certificate of their own: 100,00 % (1/1)" in english.stdout
    )


@pytest.mark.parametrize(
    "wrong",
    [
        ("BC-99", "--period", "2026"),
        ("BC-10", "--period", "2026-13"),
        ("BC-10", "--period", "2026", "--agency", "X"),
    ],
    ids=["report", "period", "agency"],
)
def test_what_is_asked_wrongly_is_2(shared_server, wrong):
    assert shared_server.congvan("report", *wrong).returncode == 2
