"""Books taken apart: every encoding and spelling of a heading, and everything that is wrong with a line by its number."""

import contextlib
import io
from datetime import date

import pytest
import register_files as files
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import register_books, register_days, register_lines, registers

TODAY = date(2026, 11, 21)
LINES = [
    files.out("01/QĐ-UBND", "Sở Y tế", summary="Quyết định về việc thử"),
    files.out("02/UBND-VX", "Sở Nội vụ; Sở Y tế"),
]


def asked(book="out", year=2026):
    return registers.Asked(book=register_books.books()[book], year=year, today=TODAY)


def read(raw, book="out", year=2026):
    return list(registers.read(io.BytesIO(raw), asked(book, year)))


def rows(raw, book="out", year=2026):
    return [row for taken in read(raw, book, year) for row in taken.rows]


def faults(raw, book="out", year=2026):
    return [(found.code, found.line) for taken in read(raw, book, year) for found in taken.findings]


def refused(raw, book="out", year=2026):
    with pytest.raises(registers.RefusedError) as caught:
        read(raw, book, year)
    for found in caught.value.findings:
        assert texts.say(f"finding.{found.code}", "vi", **found.facts)
    return [found.code for found in caught.value.findings]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_encoding_and_separator(encoding, separator):
    raw = files.as_csv(LINES, separator=separator, encoding=encoding, above=[["SỔ ĐĂNG KÝ VĂN BẢN ĐI"], []])
    found = rows(raw)
    assert [(row.number_key, row.notation_key, row.party) for row in found] == [
        ("1", "QĐ-UBND", "Sở Y tế"), ("2", "UBND-VX", "Sở Nội vụ"), ("2", "UBND-VX", "Sở Y tế"),
    ]  # fmt: skip
    assert [row.document_type for row in found] == ["Quyết định", "Công văn", "Công văn"]
    assert faults(raw) == []


def test_a_workbook_says_the_same_as_csv():
    typed = [[*line[:1], date(2026, 1, 5), *line[2:6], 3, date(2026, 1, 6), *line[8:]] for line in LINES]
    found = rows(files.as_xlsx(typed, above=[["SỔ ĐĂNG KÝ VĂN BẢN ĐI"], ["Năm", 2026]]))
    assert [(row.issued_on, row.moved_on, row.copies) for row in found] == [
        (date(2026, 1, 5), date(2026, 1, 6), 3)
    ] * 3


def test_every_month_may_have_its_sheet_and_others_are_told():
    raw = files.as_xlsx(
        LINES[:1],
        title="Tháng 1",
        more=[("Tháng 2", [files.OUT, LINES[1]]), ("Ghi chú", [["không phải sổ"]])],
    )
    assert len(rows(raw)) == 3
    assert faults(raw) == [("register_page_skipped", None)]


@pytest.mark.parametrize("book", register_books.books())
def test_every_heading_of_every_column_is_known_and_none_means_two(book):
    columns = register_books.books()[book].columns
    said = {
        register_books.folded(name): column.name
        for column in columns
        for name in (column.heading, *column.aliases)
    }
    for column in columns:
        for name in (column.heading, column.heading.upper(), f"{column.heading} (7)", *column.aliases):
            assert register_books.headed(register_books.books()[book], [name]).fields == (column.name,), name
            assert said[register_books.folded(name)] == column.name


def test_the_books_have_the_columns_of_annex_four():
    counted = {name: len(book.printed_columns) for name, book in register_books.books().items()}
    assert counted == {"out": 10, "in": 10, "dispatch": 6}
    assert register_books.books()["out"].printed_columns[7].heading == "Ngày chuyển"
    assert register_books.books()["in"].printed_columns[1].heading == "Số đến"


def test_incoming_books_and_dispatch_books():
    (row,) = rows(
        files.as_csv([files.came("15/STC-NS", "Sở Tài chính", "0007", issued="30/12/2025")], files.IN), "in"
    )
    assert (row.year, row.number_key, row.entry, row.party) == (2025, "15", "0007", "Sở Tài chính")
    assert (row.moved_on, row.handed_to) == (date(2026, 1, 6), "Phòng Thử")
    (row,) = rows(
        files.as_csv([files.sent("15/UBND", "Bộ Nội vụ", envelopes="2 bì")], files.DISPATCH), "dispatch"
    )
    assert (row.year, row.number_key, row.issued_on, row.copies) == (2026, "15", None, 2)


def test_number_and_notation_in_two_columns():
    heading = ("Số", "Ký hiệu", "Ngày ký", "Nơi nhận", "Ngày gửi")
    (row,) = rows(files.as_csv([["007", "QĐ-UBND", "5/1/26", "Sở Y tế", "6/1"]], heading))
    assert (row.number_key, row.notation_key, row.issued_on, row.moved_on) == (
        "7", "QĐ-UBND", date(2026, 1, 5), date(2026, 1, 6),
    )  # fmt: skip


def test_parties_one_a_line_without_the_offices_own_copy():
    party = "- Như trên;\n- UBND các quận (để b/c)\n- Sở Y tế;\n- Sở Y tế;\n- Lưu: VT, VX."
    assert [row.party for row in rows(files.as_csv([files.out("1/CV", party)]))] == [
        "UBND các quận (để b/c)",
        "Sở Y tế",
    ]


@pytest.mark.parametrize("raw", [files.as_csv, files.as_xlsx], ids=["csv", "xlsx"])
def test_no_party_of_a_long_cell_is_lost_or_cut(raw):
    named = [f"Ủy ban nhân dân xã thứ {n} của huyện thử nghiệm rất dài" for n in range(400)]
    found = rows(raw([files.out("1/UBND", "; ".join(named)), files.out("2/UBND", ", ".join(named))]))
    assert [row.party for row in found] == [*named, ", ".join(named)]


@pytest.mark.parametrize(
    "parting", ["\n", "\r", "\r\n", "\v", "\f", "\x85", "\u2028", "\u2029", " \v\x01\v "]
)
def test_whatever_ends_a_line_parts_parties(parting):
    found = rows(files.as_csv([files.out("1/UBND", f"Sở A{parting}Sở\tB")]))
    assert [row.party for row in found] == ["Sở A", "Sở B"]


def test_what_is_only_shown_is_cut():
    (row,) = rows(files.as_csv([files.out("1/UBND", "Sở A", note="x" * 5_000)]))
    assert len(row.note) == register_lines.MOST_TEXT


def test_a_line_without_a_party_keeps_its_number():
    raw = files.as_csv([files.out("1/QĐ", "Lưu: VT"), files.out("2/QĐ", "")])
    assert [(row.number_key, row.party) for row in rows(raw)] == [("1", ""), ("2", "")]
    assert faults(raw) == [("register_no_party", 2), ("register_no_party", 3)]


BAD = {
    "no such day": (files.out("1/CV", "A", issued="31/02/2026"), "register_bad_day"),
    "month thirteen": (files.out("1/CV", "A", moved="05/13/2026"), "register_bad_day"),
    "words for a day": (files.out("1/CV", "A", moved="hôm qua"), "register_bad_day"),
    "serial number": (files.out("1/CV", "A", moved="46027"), "register_bad_day"),
    "day zero": (files.out("1/CV", "A", moved="00/01/2026"), "register_bad_day"),
    "29 February of no leap year": (files.out("1/CV", "A", moved="29/02/2026"), "register_bad_day"),
    "no day moved": (files.out("1/CV", "A", moved=""), "register_no_day"),
    "no day of issue": (files.out("1/CV", "A", issued=""), "register_no_day"),
    "no number": (files.out("", "A"), "register_no_number"),
    "a stroke only": (files.out("/", "A"), "register_no_number"),
    "a sum below": (files.out("Tổng cộng", "A"), "register_no_number"),
    "endless number": (files.out("1" * 300, "A"), "register_no_number"),
    "tomorrow": (files.out("1/CV", "A", moved="22/11/2026"), "register_future_day"),
    "moved before issued": (files.out("1/CV", "A", issued="06/01/2026"), "register_moved_before_issued"),
    "last year's": (files.out("1/CV", "A", issued="31/12/2025"), "register_other_year"),
    "year 0026": (files.out("1/CV", "A", issued="05/01/0026"), "register_other_year"),
    "old font": (files.out("1/CV", files.tcvn3("Công văn phòng")), "register_line_tcvn3"),
    "other old font": (files.out("1/CV", files.vni("Công văn phòng")), "register_line_vni"),
    "mixed up": (
        files.out("1/CV", "Sở".encode().decode("cp1252", errors="replace")),
        "register_line_mixed_up",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_told_by_its_number_and_gives_no_row(name):
    line, code = BAD[name]
    good = [files.out(f"{number}/CV", "Ủy ban nhân dân xã Thử") for number in range(2, 14)]
    for raw in (files.as_csv([line, *good]), files.as_xlsx([line, *good])):
        assert faults(raw) == [(code, 2)]
        assert len(rows(raw)) == len(good)
    for language in texts.LANGUAGES:
        found = read(raw)[1].findings[0]
        assert "{" not in texts.say(f"finding.{code}", language, **found.facts)


def test_formulas_and_error_cells_are_told():
    lines = [files.out("=A1", "A"), files.out("1/CV", "=1+1"), files.out("2/CV", "Sở Y tế")]
    assert faults(files.as_xlsx(lines)) == [("register_formula", 2), ("register_formula", 3)]
    assert len(rows(files.as_xlsx(lines))) == 1


REFUSED = {
    "empty": (b"", "register_empty"),
    "blank lines": (b"\n \r\n\t\n", "register_empty"),
    "mark only": (b"\xef\xbb\xbf", "register_columns_missing"),
    "no heading": (files.as_csv([["1/CV", "2"]], ("a", "b")), "register_columns_missing"),
    "another book": (files.as_csv([], files.IN), "register_columns_missing"),
    "no days": (files.as_csv([["1/CV", "A"]], ("Số ký hiệu", "Nơi nhận")), "register_columns_missing"),
    "heading too far down": (files.as_csv(LINES, above=[["x"]] * 40), "register_columns_missing"),
    "a column twice": (files.as_csv([["1"] * 11], (*files.OUT, "Nơi nhận")), "register_column_twice"),
    "TCVN3": (files.as_csv([map(files.tcvn3, line) for line in LINES], map(files.tcvn3, files.OUT)), "register_tcvn3"),
    "VNI": (files.as_csv([map(files.vni, line) for line in LINES], map(files.vni, files.OUT)), "register_vni"),
    "TCVN3 under headings in Unicode": (files.as_csv([map(files.tcvn3, line) for line in LINES]), "register_tcvn3"),
    "TCVN3 bytes": (files.tcvn3("Công văn, Sở Nội vụ\n" * 3).encode("cp1252"), "register_tcvn3"),
    "VNI bytes": (files.vni("Công văn, Sở Nội vụ\n" * 3).encode("cp1252"), "register_vni"),
    "code page 1258": ("Sổ,đăng,ký\n".encode("cp1258", errors="replace"), "register_not_unicode"),
    "torn UTF-8": (files.as_csv(LINES)[:-20] + b"\xff\xfe\n", "register_not_unicode"),
    "mixed up": (files.as_csv(LINES).decode("latin-1").encode(), "register_mixed_up"),
    "a quote left open": (files.as_csv(LINES) + b'"x', "register_not_csv"),
    "a cell without end": (files.as_csv(LINES) + b'"' + b"x" * 200_000 + b'"', "register_not_csv"),
    "a line too wide": (files.as_csv([["x"] * 101]), "sheet_workbook_wide"),
    "an old workbook": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "sheet_workbook_locked"),
    "a torn workbook": (files.as_xlsx(LINES)[:500], "sheet_not_workbook"),
    "merged": (files.as_xlsx(LINES, merged=["A2:A3"]), "register_merged"),
    "merged to the right": (files.as_xlsx(LINES, merged=["E3:F3"]), "register_merged"),
    "merged heading and line": (files.as_xlsx(LINES, merged=["A1:A2"]), "register_merged"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "register_not_unicode"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_files_refused_whole(name):
    raw, code = REFUSED[name]
    assert refused(raw) == [code]


def test_the_refusal_names_the_missing_columns():
    with pytest.raises(registers.RefusedError) as caught:
        read(files.as_csv([["1/CV", "A"]], ("Số ký hiệu", "Nơi nhận")))
    assert caught.value.findings[0].facts["columns"] == "Ngày tháng văn bản, Ngày chuyển"


def test_joined_cells_above_the_heading_and_below_the_lines_are_the_cover():
    raw = files.as_xlsx(LINES, above=[["SỔ ĐĂNG KÝ VĂN BẢN ĐI"]], merged=["A1:J1", "A9:C9"])
    assert len(rows(raw)) == 3


def test_unknown_columns_and_the_line_of_numbers():
    raw = files.as_csv(
        [[*(f"({place})" for place in range(1, 11)), "(11)"], [*LINES[0], "x"]], (*files.OUT, "Mã hồ sơ")
    )
    assert (len(rows(raw)), faults(raw)) == (1, [("register_columns_unknown", 1)])


@pytest.mark.parametrize(
    "text, day",
    [
        ("05/01/2026", (2026, 1, 5)), ("5-1-2026", (2026, 1, 5)), ("5.1.26", (2026, 1, 5)), ("05/01", (2026, 1, 5)),
        ("2026-01-05", (2026, 1, 5)), ("2026-01-05 00:00:00", (2026, 1, 5)), ("ngày 5 tháng 1 năm 2026", (2026, 1, 5)),
        ("Ngày 05 tháng 01", (2026, 1, 5)), ("29/02/2024", (2024, 2, 29)), (" 5 / 1 / 2026 ", (2026, 1, 5)),
        ("29/02/2026", None), ("13/13/2026", None), ("2026", None), ("", None), ("5/1/202", None), ("٥/١/2026", None),
        ("1/2/3/4", None), ("05/01/20266", None),
    ],
)  # fmt: skip
def test_days_as_people_write_them(text, day):
    assert register_days.day(text, 2026) == (date(*day) if day else None)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)))
def test_every_day_is_read_in_every_form(day):
    forms = (f"{day:%d/%m/%Y}", f"{day.day}-{day.month}-{day.year}", day.isoformat(), f"{day} 00:00:00")
    assert {register_days.day(form, 2026) for form in forms} == {day}


@given(st.binary(max_size=400))
def test_no_bytes_break_it(raw):
    with contextlib.suppress(registers.RefusedError):
        read(raw)


@given(st.lists(st.lists(st.text(max_size=20), min_size=10, max_size=10), max_size=6))
def test_no_cells_break_it_and_no_line_is_lost(lines):
    raw = files.as_csv(lines, encoding="utf-16", separator=";")
    try:
        taken = read(raw)
    except registers.RefusedError:
        return
    told = [one for one in taken[1:] if one.rows or one.findings]
    assert len(told) == len(taken) - 1


def test_what_a_key_compares_by_is_that_of_documents():
    row = rows(files.as_csv([files.out("Số: 012/ubnd – vx", "Sở Y tế")]))[0]
    assert (row.number_key, row.notation_key, row.number) == ("12", "UBND-VX", "Số: 012")
    assert register_lines.MOST_TEXT == 2_000
