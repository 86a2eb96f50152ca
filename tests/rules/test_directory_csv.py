from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import directory_csv, directory_entries
from exchange.rules.directory_entries import AGENCIES, CERTIFICATES, OFFICERS, AgencyEntry, OfficerEntry

HEAD = "code,name,kind,level,valid_from"
LINE = "H13.01,Sở Nội vụ,department,2,2019-01-01"


def read(text, layout=AGENCIES):
    return directory_csv.read(layout, text.encode() if isinstance(text, str) else text)


def given_by(text, layout=AGENCIES):
    sheet = read(text, layout)
    assert sheet.findings == ()
    return [row.given for row in sheet.rows]


def wrong(text, layout=AGENCIES):
    """What is wrong with a sheet: line, code, column."""
    findings = read(text, layout).findings
    assert all(
        texts.say(f"finding.{found.code}", language, **found.facts)
        for found in findings
        for language in ("vi", "en")
    )
    return [(found.line, found.code, found.path.partition(".")[2]) for found in findings]


FACTS = {
    "code": "H13.01",
    "name": "Sở Nội vụ",
    "kind": "department",
    "level": 2,
    "valid_from": date(2019, 1, 1),
}


@pytest.mark.parametrize(
    "raw",
    [
        f"{HEAD}\n{LINE}\n",
        f"{HEAD}\r\n{LINE}",
        f"\ufeff{HEAD}\n{LINE}\n",
        f"{HEAD}\n{LINE}\n".replace(",", ";"),
        f"\n\n{HEAD}\n\n{LINE}\n\n,,,,\n",
        f'{HEAD}\n"H13.01","Sở Nội vụ","department","2","2019-01-01"\n',
        f"{HEAD}\n h13.01 , Sở  Nội\u00a0vụ ,department,2,01/01/2019\n",
        f"{HEAD}\n{LINE}\n".replace("Sở", "Sơ\u0309"),
        "Mã định danh,Tên cơ quan,Loại cơ quan,Cấp,Hiệu lực từ\n" + LINE,
        "MA DINH DANH;ten;loai;cap;tu ngay\n" + LINE.replace(",", ";"),
        "name,code,level,kind,valid from\nSở Nội vụ,H13.01,2,department,1/1/2019\n",
    ],
    ids=[
        "plain",
        "crlf",
        "mark",
        "semicolons",
        "blank lines",
        "quoted",
        "loose",
        "decomposed",
        "Vietnamese",
        "no accents",
        "any order",
    ],
)
def test_one_line_in_every_dress_says_the_same(raw):
    assert given_by(raw) == [FACTS]


def test_every_column_is_read_with_its_type():
    row = given_by(
        "code;code102;name;kind;level;parent;sector;own_clerk;counted;no_paper_from;no_paper_to;signs_package;valid_from;valid_to;basis\n"
        "H13.23;000.00.23.H13;Hội Nông dân;organisation;2;H13;đoàn thể;không;no;2019-03-01;31/12/2019;2020-01-01;2004-01-01;31-12-2030;QĐ 1\n"
    )[0]
    assert row == {
        "code": "H13.23",
        "code102": "000.00.23.H13",
        "name": "Hội Nông dân",
        "kind": "organisation",
        "level": 2,
        "parent": "H13",
        "sector": "organisation",
        "own_clerk": False,
        "counted": False,
        "no_paper_from": date(2019, 3, 1),
        "no_paper_to": date(2019, 12, 31),
        "signs_package_from": date(2020, 1, 1),
        "valid_from": date(2004, 1, 1),
        "valid_to": date(2030, 12, 31),
        "basis": "QĐ 1",
    }


def test_an_empty_cell_is_the_default_and_an_absent_column_says_nothing():
    row = given_by(f"{HEAD},own_clerk,parent,valid_to,no_paper_from\n{LINE},,,,\n")[0]
    assert row == {**FACTS, "own_clerk": True, "parent": "", "valid_to": None, "no_paper_from": None}


def test_a_certificate_line():
    row = given_by(
        "agency,kind,officer,certificate,purpose,valid_from,valid_to,basis,confirmed_by\n"
        'H13.01,cá nhân,01,nguoi-ky.pem,kho bạc,,,QĐ 5,"Lê Văn An; Trần Thị Bình;lê văn an"\n',
        CERTIFICATES,
    )[0]
    assert row["kind"] == "individual"
    assert row["purpose"] == "treasury"
    assert row["valid_from"] is None
    assert row["confirmed_by"] == ("Lê Văn An", "Trần Thị Bình")


@pytest.mark.parametrize(
    "cell, column, code",
    [
        ("=1+1", "name", "sheet_formula"),
        ("@SUM(A1)", "name", "sheet_formula"),
        ("Sở\u202eNội vụ", "name", "sheet_bad_characters"),
        ("Sở\x00", "name", "sheet_bad_characters"),
        ("S" * 501, "name", "sheet_too_long"),
        ("", "name", "sheet_cell_empty"),
        ("H13 01", "code", "sheet_bad_code"),
        ("H13..01", "code", "sheet_bad_code"),
        ("H" * 51, "code", "sheet_bad_code"),
        ("<H13>", "code", "sheet_bad_code"),
        ("0", "level", "sheet_bad_choice"),
        ("5", "level", "sheet_bad_choice"),
        ("²", "level", "sheet_bad_choice"),
        ("hai", "level", "sheet_bad_choice"),
        ("Sở", "kind", "sheet_bad_word"),
        ("2019-02-30", "valid_from", "sheet_bad_date"),
        ("2019-1-1", "valid_from", "sheet_bad_date"),
        ("30.2.2019", "valid_from", "sheet_bad_date"),
        ("01/2019", "valid_from", "sheet_bad_date"),
        ("0000-01-01", "valid_from", "sheet_bad_date"),
        ("maybe", "own_clerk", "sheet_bad_choice"),
        ("secret", "sector", "sheet_bad_choice"),
    ],
)
def test_a_bad_cell_is_told_by_line_and_column(cell, column, code):
    facts = {"code": "H13.01", "name": "Sở", "kind": "department", "level": "2", "valid_from": "2019-01-01"}
    facts[column] = cell
    text = ",".join(facts) + "\n" + ",".join(f'"{value}"' for value in facts.values()) + "\n"
    assert wrong(text) == [(2, code, column)]


def test_all_errors_come_at_once():
    text = f"{HEAD}\nH13 01,,department,9,2019-01-01\n{LINE}\nH13.02,Sở Tư pháp,department,2\nH13.03,Sở,department,2,x\n"
    assert wrong(text) == [
        (2, "sheet_bad_code", "code"),
        (2, "sheet_cell_empty", "name"),
        (2, "sheet_bad_choice", "level"),
        (4, "sheet_cells", ""),
        (5, "sheet_bad_date", "valid_from"),
    ]
    assert [row.line for row in read(text).rows] == [2, 3, 4, 5]


def test_lines_are_counted_as_an_editor_counts_them():
    text = f'{HEAD}\nH13.01,"Sở\nNội\nvụ",department,2,2019-01-01\n\nH13.02,"Sở\nx",department,7,2019-01-01\n'
    assert wrong(text) == [(6, "sheet_bad_choice", "level")]
    assert read(text).rows[0].given["name"] == "Sở Nội vụ"


@pytest.mark.parametrize(
    "raw, expected",
    [
        (b"", [(1, "sheet_empty", "")]),
        (b"\xef\xbb\xbf\r\n  \n", [(1, "sheet_empty", "")]),
        (f"{HEAD}\n{LINE}\nH13.02,".encode() + b"S\xd0", [(3, "sheet_not_utf8", "")]),
        (f"{HEAD}\n".encode("utf-16"), [(1, "sheet_not_utf8", "")]),
        (f'{HEAD}\n{LINE}\nH13.02,"Sở,department,2,2019-01-01\n\n'.encode(), [(3, "sheet_not_csv", "")]),
        (f'{HEAD}\nH13.02,"Sở"x,department,2,2019-01-01\n'.encode(), [(2, "sheet_not_csv", "")]),
        (f"{HEAD},colour\n{LINE},red\n".encode(), [(1, "sheet_unknown_column", "")]),
        (f"{HEAD},Mã\n{LINE},H13.01\n".encode(), [(1, "sheet_column_twice", "code")] * 2),
        (f"{HEAD},\n{LINE},x\n".encode(), [(2, "sheet_cell_without_column", "")]),
        (b"x" * (directory_csv.MAX_BYTES + 1), [(None, "sheet_too_large", "")]),
        (b'code\n"' + b"x" * 140_000 + b'"\n', [(2, "sheet_not_csv", "")]),
    ],
    ids=[
        "nothing",
        "blank",
        "other charset",
        "utf-16",
        "open quote",
        "stray quote",
        "column",
        "twice",
        "no heading",
        "huge",
        "huge cell",
    ],
)
def test_a_sheet_that_is_no_sheet(raw, expected):
    assert wrong(raw) == expected


def test_the_sentence_of_an_unknown_column_names_all_known_ones():
    facts = read(f"{HEAD},colour\n").findings[0].facts
    assert all(
        column.name in texts.say("finding.sheet_unknown_column", "en", **facts) for column in AGENCIES.columns
    )


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_raise(raw):
    for layout in directory_entries.LAYOUTS.values():
        sheet = directory_csv.read(layout, raw)
        assert sheet.rows == () or sheet.findings or all(row.given for row in sheet.rows)


@given(st.text(max_size=60).map(lambda tail: f"{HEAD}\nH13.01,Sở,department,2,2019-01-01\n{tail}"))
def test_no_text_after_a_heading_raises(text):
    assert read(text).rows[0].given["code"] == "H13.01"


name = st.text(st.characters(categories=["L", "N"], exclude_characters="ſ"), min_size=1, max_size=20)
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))
entry = st.builds(
    AgencyEntry,
    code=st.from_regex(r"[A-Z][0-9]{2}(\.[0-9]{2}){0,2}", fullmatch=True),
    name=st.lists(name, min_size=1, max_size=3).map(", ".join),
    kind=st.sampled_from(["department", "clerk_unit"]),
    level=st.integers(1, 4),
    valid_from=days,
    valid_to=st.none() | days,
    code102=st.just("") | st.from_regex(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}", fullmatch=True),
    sector=st.sampled_from(["state", "party", "organisation", "enterprise"]),
    own_clerk=st.booleans(),
    no_paper_from=st.none() | days,
    basis=st.just("") | name,
)


@given(st.lists(entry, max_size=5), st.sampled_from(["vi", "en"]))
def test_what_is_written_is_read_back(entries, language):
    import unicodedata

    sheet = read(directory_csv.write(AGENCIES, entries, language))
    assert sheet.findings == ()
    composed = [unicodedata.normalize("NFC", one.name) for one in entries]
    assert [row.given["name"] for row in sheet.rows] == composed
    plain = [
        {**row.given, "name": one.name, "basis": one.basis}
        for row, one in zip(sheet.rows, entries, strict=True)
    ]
    assert [AgencyEntry(**given) for given in plain] == entries


def test_a_written_sheet_opens_in_a_spreadsheet():
    officer = OfficerEntry(
        agency="H13", code="01", name="Lê Thị Mai", valid_from=date(2019, 1, 1), leader=True
    )
    assert directory_csv.write(OFFICERS, [officer], "vi").decode() == (
        "\ufeffMã cơ quan,Mã cán bộ,Họ và tên,Chức vụ,Lãnh đạo,Hiệu lực từ,Hiệu lực đến\r\n"
        "H13,01,Lê Thị Mai,,yes,2019-01-01,\r\n"
    )


def test_no_two_columns_of_a_sheet_share_a_heading():
    for layout in directory_entries.LAYOUTS.values():
        names = [
            directory_csv.folded(name)
            for column in layout.columns
            for name in {column.name, *column.headings}
        ]
        assert len(names) == len(set(names)), layout.name


@pytest.mark.parametrize(
    "code, form",
    [
        ("000.00.01.H13", "qcvn102"),
        ("H13", "qd20"),
        ("H13.31.05.001", "qd20"),
        ("H37.DN.001", "qd20"),
        ("000.1137.H53", "other"),
        ("28.22.H17", "other"),
        ("13.01", "other"),
    ],
)
def test_the_form_of_a_code(code, form):
    assert directory_entries.agency_code(code.lower()) == code
    assert directory_entries.form(code) == form
