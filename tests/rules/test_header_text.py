"""What a header says against what the first page says: a table of pages as they come out of PDF files."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import folding, header_text

AGENCY = "Sở Y tế thành phố Cần Thơ"
OTHERS = (
    "Sở Tài chính thành phố Cần Thơ",
    "Sở Tài chính",
    "Ủy ban nhân dân quận Ninh Kiều",
    "Sở Y tế",
    "Văn phòng HĐND",
)
HEADER = header_text.Header(number="12", notation="UBND-VX", issued_on=date(2026, 11, 5), agencies=(AGENCY,))
PAGE = """ỦY BAN NHÂN DÂN
THÀNH PHỐ CẦN THƠ
SỞ Y TẾ THÀNH PHỐ CẦN THƠ
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Số: 12/UBND-VX          Cần Thơ, ngày 05 tháng 11 năm 2026
Căn cứ Nghị định số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020 của Chính phủ;
Kính gửi: Sở Tài chính thành phố Cần Thơ
"""


def facts(page, header=HEADER):
    others = [(folding.written_out(name), name) for name in OTHERS]
    return [one.fact for one in header_text.differences(header, page, others)]


def changed(**facts_):
    return header_text.Header(**{**vars(HEADER), **facts_})


HEADERS = {
    "the same": ({}, []),
    "number with a zero before it": ({"number": "012"}, []),
    "notation with the number before it": ({"notation": "12/UBND-VX"}, []),
    "notation with a stroke before it": ({"notation": "/UBND-VX"}, []),
    "notation in small letters": ({"notation": "ubnd-vx"}, []),
    "number and notation in one": ({"number": "12/UBND-VX"}, []),
    "notation with spaces": ({"notation": "UBND - VX"}, []),
    "no number in the header": ({"number": ""}, []),
    "no notation in the header": ({"notation": ""}, []),
    "no day in the header": ({"issued_on": None}, []),
    "no agency known": ({"agencies": ()}, []),
    "another number": ({"number": "13"}, ["number"]),
    "a longer number": ({"number": "120"}, ["number"]),
    "a cited act's number": ({"number": "30", "notation": "NĐ-CP"}, ["number", "notation"]),
    "another notation": ({"notation": "UBND-KT"}, ["notation"]),
    "a shorter notation": ({"notation": "UBND"}, ["notation"]),
    "a longer notation": ({"notation": "UBND-VXNV"}, ["notation"]),
    "another day": ({"issued_on": date(2026, 11, 6)}, ["date"]),
    "another month": ({"issued_on": date(2026, 10, 5)}, ["date"]),
    "another year": ({"issued_on": date(2025, 11, 5)}, ["date"]),
    "a cited act's day": ({"issued_on": date(2020, 3, 5)}, ["date"]),
    "everything else": (
        {"number": "1", "notation": "CV", "issued_on": date(2026, 1, 1)},
        ["number", "notation", "date"],
    ),
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_against_one_page(case):
    further, expected = HEADERS[case]
    assert facts(PAGE, changed(**further)) == expected


PAGES = {
    "nothing at all": ("", []),
    "a scan's noise": ("~~ .. 12", []),
    "no marks": (folding.plain(PAGE), []),
    "decomposed": (unicodedata.normalize("NFD", PAGE), []),
    "capitals": (PAGE.upper(), []),
    "two number lines, one of them stamped later": ("Số: 99/UBND-VX\n" + PAGE, []),
    "number left open": (PAGE.replace("12/", "    /"), []),
    "number left open with points": (PAGE.replace("12/", ".....…/"), []),
    "number left open, another notation": (PAGE.replace("12/UBND-VX", "    /UBND-KT"), ["notation"]),
    "a stamped number": (PAGE.replace("12/", "0012 /"), []),
    "the day left open": (PAGE.replace("ngày 05", "ngày     "), []),
    "the day left open, another month": (
        PAGE.replace("ngày 05 tháng 11 năm 2026", "ngày   tháng 12 năm 2026"),
        ["date"],
    ),
    "spaces lost": (PAGE.replace("ngày 05 tháng 11 năm 2026", "ngày05tháng11năm2026"), []),
    "spaces too many": (PAGE.replace("05 tháng 11", "0 5  tháng  1 1"), []),
    "glued to the place": (PAGE.replace("VX          Cần", "VXCần"), []),
    "glued to a date": (PAGE.replace("VX          ", "VX-"), ["notation"]),
    "with a full stop": (PAGE.replace("UBND-VX", "UBND-VX."), []),
    "another number": (PAGE.replace("12/", "21/"), ["number"]),
    "a number with a letter": (PAGE.replace("12/", "12a/"), ["number"]),
    "D with stroke": (PAGE.replace("UBND-VX", "QĐ-UBND"), ["notation"]),
    "no colon, start of a line": (PAGE.replace("Số: 12", "Số 21"), ["number"]),
    "no colon, within a line": (PAGE.replace("Số: 12", "Văn bản số 21"), []),
    "only a cited act": ("Căn cứ Nghị định số 30/2020/NĐ-CP của Chính phủ", []),
    "only cited days": ("Căn cứ Luật ngày 01 tháng 7 năm 2024; ngày 02 tháng 8 năm 2024", []),
    "a cited day after a number and a comma": ("Nghị quyết số 12, ngày 01 tháng 7 năm 2024", []),
    "cited days, the own one among them": ("ngày 01 tháng 7 năm 2024; ngày 05 tháng 11 năm 2026", []),
    "the own day after the acts cited": (
        "Theo Luật ngày 01 tháng 7 năm 2024\nCần Thơ, ngày 05 tháng 11 năm 2026",
        [],
    ),
    "a day that is none": (PAGE.replace("ngày 05 tháng 11", "ngày 45 tháng 19"), ["date"]),
    "another agency": (PAGE.replace("SỞ Y TẾ THÀNH", "SỞ TÀI CHÍNH THÀNH"), ["agency"]),
    "another agency in short": (
        PAGE.replace("ỦY BAN NHÂN DÂN\nTHÀNH PHỐ CẦN THƠ\nSỞ Y TẾ THÀNH PHỐ CẦN THƠ", "UBND QUẬN NINH KIỀU"),
        ["agency"],
    ),
    "the own agency in short": (PAGE.replace("SỞ Y TẾ THÀNH PHỐ CẦN THƠ", "SỞ Y TẾ TP. CẦN THƠ"), []),
    "only the superior": (PAGE.replace("SỞ Y TẾ THÀNH PHỐ CẦN THƠ\n", ""), []),
    "an agency nobody knows": (PAGE.replace("SỞ Y TẾ THÀNH PHỐ CẦN THƠ", "SỞ LẠ"), []),
    "part of the own name": (PAGE.replace("SỞ Y TẾ THÀNH PHỐ CẦN THƠ", "SỞ Y TẾ"), []),
    "the heading comes last": (PAGE.split("Số:", 1)[1] + "Số:" + PAGE.split("Số:", maxsplit=1)[0], []),
}


@pytest.mark.parametrize("case", PAGES)
def test_pages_against_one_header(case):
    page, expected = PAGES[case]
    assert facts(page) == expected


@pytest.mark.parametrize(
    "number, notation, written, expected",
    [
        ("15", "2026/QĐ-UBND", "15/2026/QĐ-UBND", []),
        ("15", "QĐ-UBND", "15/2026/QĐ-UBND", []),
        ("15", "2026/QĐ-UBND", "15/QĐ-UBND", []),
        ("15", "QĐ-UBND", "15/QĐ-UBND", []),
        ("15", "QD-UBND", "15/QĐ-UBND", []),
        ("15", "QĐ-UBND", "15/QĐ-HĐND", ["notation"]),
        ("7816", "VPCP-TTĐT", "7816/VPCP-TTĐT", []),
        ("07", "BC-STC&NV", "7/BC-STC&NV", []),
        ("07", "BC-STC", "7/BC-STC&NV", ["notation"]),
    ],
)
def test_numbers_and_notations(number, notation, written, expected):
    header = header_text.Header(number=number, notation=notation, issued_on=None)
    assert facts(f"Số: {written}", header) == expected


def test_what_differs_is_told_as_both_say_it():
    others = [(folding.written_out(name), name) for name in OTHERS]
    page = (
        PAGE.replace("12/UBND-VX", "13/CV-Đ").replace("Y TẾ", "TÀI CHÍNH").replace("05 tháng 11", "6 tháng 1")
    )
    assert [(one.fact, one.said, one.written) for one in header_text.differences(HEADER, page, others)] == [
        ("number", "12", "13"),
        ("notation", "UBND-VX", "CV-D"),
        ("agency", AGENCY, "Sở Tài chính thành phố Cần Thơ"),
        ("date", "05/11/2026", "6/1/2026"),
    ]


texts = st.text(st.characters(codec="utf-8"), max_size=200)


@given(page=texts, number=texts, notation=texts)
def test_no_text_is_too_strange(page, number, notation):
    header = header_text.Header(
        number=number, notation=notation, issued_on=date(2026, 11, 5), agencies=(number,)
    )
    facts(page, header)
    assert facts("", header) == []


@given(
    number=st.integers(1, 99_999),
    notation=st.from_regex(r"[A-ZĐ]{1,6}(-[A-ZĐ]{1,6}){0,2}", fullmatch=True),
    day=st.dates(date(1950, 1, 1), date(2199, 12, 31)),
)
def test_a_document_set_as_the_decree_tells_agrees_with_its_own_header(number, notation, day):
    header = header_text.Header(number=str(number), notation=notation, issued_on=day, agencies=(AGENCY,))
    page = (
        f"{AGENCY.upper()}\nSố: {number:02}/{notation}\nCần Thơ, ngày {day:%d} tháng {day:%m} năm {day:%Y}\n"
    )
    assert facts(page, header) == []
