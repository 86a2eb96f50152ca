"""The workbook taken apart and laid out: what a clerk may do with it, and that nothing is lost on the way."""

import io
import unicodedata
from datetime import date
from uuid import UUID

import openpyxl
import pytest
import xlsx_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import (
    directory_book,
    directory_csv,
    directory_pages,
    directory_plan,
    directory_systems,
    directory_tabs,
    xlsx_read,
    xlsx_write,
)
from exchange.rules.directory_entries import (
    CERTIFICATES,
    OFFICERS,
    AgencyEntry,
    CertificateEntry,
    OfficerEntry,
)
from exchange.rules.directory_history import Held, Statement
from exchange.rules.directory_plan import State
from exchange.rules.directory_systems import ActsEntry, SystemEntry

TODAY = date(2026, 3, 1)
SINCE = date(2019, 1, 1)
NOTES = xlsx_write.Notes(title="Hướng dẫn", lines=[["Xin chào"]])
PERSON = [
    "agency",
    "officer",
    "name",
    "position",
    "leader",
    "officer_from",
    "officer_to",
    "kind",
    "certificate",
    "purpose",
    "valid_from",
    "valid_to",
    "basis",
    "confirmed_by",
]
DIGEST = "ab" * 32


def taken(raw):
    return directory_book.taken(xlsx_read.read(raw))


def sheet_of(*rows, head=cases.AGENCY_HEADINGS):
    return cases.sheet(cases.lines(head, *rows))


def findings(of):
    """Where, code and severity of everything wrong with a workbook's cells; every sentence exists."""
    found = [*of.findings, *(each for sheet in of.sheets.values() for each in sheet.findings)]
    for each in found:
        assert all(texts.say(f"finding.{each.code}", language, **each.facts) for language in ("vi", "en"))
    return [(*directory_book.place(of, each), each.code, each.severity) for each in found]


def given_by(of, kind):
    assert findings(of) == []
    return [row.given for row in of.sheets[kind].rows]


def person_book(*rows):
    lines = [tuple(row.get(name, "") for name in PERSON) for row in rows]
    return cases.book(**{"Officers – certificates": cases.sheet(cases.lines(PERSON, *lines))})


OFFICER = {
    "agency": "H13.01", "officer": "01", "name": "Lê Thị Mai", "position": "Giám đốc", "leader": "yes",
    "officer_from": "2019-01-01",
}  # fmt: skip
CERTIFICATE = {
    "kind": "individual",
    "certificate": DIGEST,
    "valid_from": "2019-02-01",
    "basis": "QĐ 1",
    "confirmed_by": "A",
}
SEAL = {
    "agency": "H13.01",
    "kind": "organisation",
    "certificate": DIGEST,
    "valid_from": "2019-02-01",
    "basis": "QĐ 1",
}


@pytest.mark.parametrize(
    "title, heading",
    [
        ("Agencies", ("code", "name", "kind", "level", "valid_from")),
        ("Cơ quan", ("Mã định danh *", "Tên cơ quan", "Loại cơ quan", "Cấp", "Hiệu lực từ")),
        (" CO QUAN ", ("MA DINH DANH", "ten co quan", "Loai", "cấp", "Từ ngày")),
        ("agencies", ("valid_from", "level", "kind", "name", "code")),
    ],
    ids=["en", "vi", "loose", "reordered"],
)
def test_sheets_and_columns_are_known_in_both_languages_and_any_order(title, heading):
    order = {"code": 0, "name": 1, "kind": 2, "level": 3, "valid_from": 4}
    cells = (
        cases.AGENCY if heading[0] != "valid_from" else tuple(cases.AGENCY[order[name]] for name in heading)
    )
    row = given_by(taken(cases.book(**{title: sheet_of(cells, head=heading)})), "agency")[0]
    assert row == {
        "code": "H13.01",
        "name": "Sở Nội vụ",
        "kind": "department",
        "level": 2,
        "valid_from": SINCE,
    }


@pytest.mark.parametrize(
    "cells",
    [
        '<c r="A2" t="inlineStr"><is><t> h13.01 </t></is></c>',
        '<c r="A2" t="inlineStr"><is><t>H13.01\u00a0</t></is></c>',
    ],
    ids=["blanks", "hard blank"],
)
def test_loose_codes_are_canonical(cells):
    rest = [cases.text(f"{'ABCDE'[at]}2", words) for at, words in enumerate(cases.AGENCY) if at]
    raw = cases.book(
        Agencies=cases.sheet([*cases.lines(cases.AGENCY_HEADINGS), cases.row(2, [cells, *rest])])
    )
    assert given_by(taken(raw), "agency")[0]["code"] == "H13.01"


def test_text_in_pieces_of_letters_and_marks_is_composed():
    raw = cases.agencies(("H13.01", "Sơ\u0309 Nội vụ", "department", "2", "01/01/2019"))
    row = given_by(taken(raw), "agency")[0]
    assert (row["name"], row["valid_from"]) == ("Sở Nội vụ", SINCE)


def agency_with(column, cell):
    """A workbook of one agency in which one cell is written in XML."""
    at = cases.AGENCY_HEADINGS.index(column)
    cells = [cases.text(f"{'ABCDE'[n]}2", words) for n, words in enumerate(cases.AGENCY)]
    cells[at] = cell.replace('r="@"', f'r="{"ABCDE"[at]}2"')
    return cases.book(Agencies=cases.sheet([*cases.lines(cases.AGENCY_HEADINGS), cases.row(2, cells)]))


STYLED = "xl/styles.xml"


def dated(column, serial):
    held = cases.parts(Agencies="")
    at = "ABCDE"[cases.AGENCY_HEADINGS.index(column)]
    cells = [
        f'<c r="{at}2" s="1"><v>{serial}</v></c>' if "ABCDE"[n] == at else cases.text(f"{'ABCDE'[n]}2", words)
        for n, words in enumerate(cases.AGENCY)
    ]
    held["xl/worksheets/sheet1.xml"] = cases.sheet([*cases.lines(cases.AGENCY_HEADINGS), cases.row(2, cells)])
    held[STYLED] = (
        f'<styleSheet xmlns="{cases.MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    )
    return cases.packed(cases.related(held, ("rId9", "styles", "styles.xml")))


def test_a_real_date_is_a_date():
    assert given_by(taken(dated("valid_from", "43496")), "agency")[0]["valid_from"] == date(2019, 1, 31)


@pytest.mark.parametrize(
    "raw, expected",
    [
        (agency_with("name", '<c r="@"><f>cmd|x</f></c>'), [("Agencies", "B2", "sheet_formula_cell", "error")]),
        (agency_with("code", '<c r="@"><f>A1</f><v>1</v></c>'), [("Agencies", "A2", "sheet_formula_cell", "error")]),
        (agency_with("name", '<c r="@" t="inlineStr"><is><t>=1+1</t></is></c>'), [("Agencies", "B2", "sheet_formula", "error")]),
        (agency_with("name", '<c r="@" t="inlineStr"><is><t>@SUM(A1)</t></is></c>'), [("Agencies", "B2", "sheet_formula", "error")]),
        (agency_with("name", '<c r="@" t="e"><v>#REF!</v></c>'), [("Agencies", "B2", "sheet_error_cell", "error")]),
        (agency_with("level", '<c r="@"><v>9</v></c>'), [("Agencies", "D2", "sheet_bad_choice", "error")]),
        (agency_with("valid_from", '<c r="@"><v>43496</v></c>'), [("Agencies", "E2", "sheet_bad_date", "error")]),
        (agency_with("code", '<c r="@"><v>13.01</v></c>'), [("Agencies", "A2", "sheet_number_as_code", "warning")]),
        (dated("code", "43496"), [("Agencies", "A2", "sheet_date_as_text", "error")]),
        (dated("valid_from", "43496.5"), [("Agencies", "E2", "sheet_bad_date", "error")]),
        (cases.agencies(("H13.01", "", "department", "9")), [
            ("Agencies", "B2", "sheet_cell_empty", "error"), ("Agencies", "D2", "sheet_bad_choice", "error"),
            ("Agencies", "E2", "sheet_cell_empty", "error"),
        ]),
        (cases.book(Agencies=sheet_of((*cases.AGENCY, "x"), head=(*cases.AGENCY_HEADINGS, "colour"))), [
            ("Agencies", "1", "sheet_unknown_column", "error")
        ]),
        (cases.book(Agencies=sheet_of((*cases.AGENCY, "x"), head=(*cases.AGENCY_HEADINGS, "Mã"))), [
            ("Agencies", "F1", "sheet_column_twice", "error")
        ] * 2),
        (cases.book(Agencies=sheet_of((*cases.AGENCY, "x"))), [("Agencies", "2", "sheet_cell_without_column", "error")]),
        (cases.book(Sheet9=sheet_of(cases.AGENCY)), [
            ("", "", "sheet_unknown_sheet", "error"), ("", "", "sheet_no_known", "error")
        ]),
        (cases.book(**{"Agencies": sheet_of(cases.AGENCY), "Cơ quan": sheet_of(cases.AGENCY)}), [
            ("", "", "sheet_title_twice", "error")
        ]),
        (cases.book(Agencies=cases.sheet(cases.lines(cases.AGENCY_HEADINGS, cases.AGENCY),
                                         after='<mergeCells><mergeCell ref="A2:A5"/></mergeCells>')), [
            ("Agencies", "2", "sheet_merged", "error")
        ]),
        (cases.book(Accounts=cases.sheet(cases.lines(("login", "name"), ("an", "Lê An"), ("b", "B")))), [
            ("Accounts", "2", "sheet_accounts_later", "error"), ("Accounts", "3", "sheet_accounts_later", "error")
        ]),
        (cases.packed(cases.related(cases.parts(Agencies=sheet_of(cases.AGENCY)), ("rId8", "externalLink", "x.xml"))), [
            ("", "", "sheet_linked", "warning")
        ]),
    ],
    ids=[
        "formula", "formula in a code", "text like a formula", "text like a function", "error cell", "level", "serial number",
        "number as code", "date as code", "moment", "several at once", "unknown column", "column twice", "no heading",
        "unknown sheet", "title twice", "merged", "accounts", "links",
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_sheet_and_cell(raw, expected):
    assert findings(taken(raw)) == expected


def test_empty_unknown_sheets_and_the_notes_are_passed_over():
    raw = cases.book(
        **{
            "Agencies": sheet_of(cases.AGENCY),
            "Sheet2": cases.sheet([]),
            "Hướng dẫn": sheet_of(("=x", "y")),
            "Read me": sheet_of(),
        }
    )
    assert len(given_by(taken(raw), "agency")) == 1


def test_many_faults_are_told_up_to_a_limit_with_the_number_of_the_rest():
    bad = [("H13 01", "x", "department", "2", "2019-01-01")] * (directory_csv.MAX_FINDINGS + 5)
    found = taken(cases.agencies(*bad)).sheets["agency"].findings
    assert len(found) == directory_csv.MAX_FINDINGS + 1
    assert (found[-1].code, found[-1].facts["count"]) == ("sheet_more_faults", "5")


def test_one_row_is_an_officer_with_a_certificate():
    of = taken(person_book({**OFFICER, **CERTIFICATE}))
    (officer,) = given_by(of, "officer")
    assert officer == {
        "agency": "H13.01", "code": "01", "name": "Lê Thị Mai", "position": "Giám đốc", "leader": True,
        "valid_from": SINCE, "valid_to": None,
    }  # fmt: skip
    (certificate,) = given_by(of, "certificate")
    assert (certificate["officer"], certificate["kind"], certificate["purpose"]) == (
        "01",
        "individual",
        "exchange",
    )


def test_a_seal_has_no_officer_and_an_officer_may_have_no_certificate():
    of = taken(person_book(SEAL, OFFICER))
    assert [row.line for row in of.sheets["officer"].rows] == [3]
    assert [(row.line, row.given["officer"]) for row in of.sheets["certificate"].rows] == [(2, "")]
    assert findings(of) == []


def test_the_second_certificate_of_an_officer_needs_the_code_only():
    second = {"agency": "H13.01", "officer": "01", **CERTIFICATE, "certificate": "cd" * 32}
    of = taken(person_book({**OFFICER, **CERTIFICATE}, second))
    assert (len(given_by(of, "officer")), len(given_by(of, "certificate"))) == (1, 2)
    of = taken(person_book({**OFFICER, **CERTIFICATE}, {**OFFICER, **second, "position": "Phó Giám đốc"}))
    assert findings(of) == [("Officers – certificates", "D3", "sheet_differs", "error")]


@pytest.mark.parametrize(
    "row, expected",
    [
        ({"agency": "H13.01"}, [("2", "sheet_row_unfinished")]),
        ({"agency": "H13.01", "officer": "01"}, [("2", "sheet_row_unfinished")]),
        ({**OFFICER, "officer": ""}, [("B2", "sheet_cell_empty")]),
        ({**OFFICER, "name": ""}, [("C2", "sheet_cell_empty")]),
        ({**OFFICER, "officer_from": ""}, [("F2", "sheet_cell_empty")]),
        ({**OFFICER, "leader": "maybe"}, [("E2", "sheet_bad_choice")]),
        ({**SEAL, "kind": ""}, [("H2", "sheet_cell_empty")]),
        ({**SEAL, "basis": ""}, [("M2", "sheet_cell_empty")]),
        ({**SEAL, "agency": ""}, [("A2", "sheet_cell_empty")]),
        ({**SEAL, "valid_from": "soon"}, [("K2", "sheet_bad_date")]),
    ],
    ids=str,
)
def test_a_row_of_the_shared_sheet_that_lacks_something(row, expected):
    found = [(cell, code) for _, cell, code, _ in findings(taken(person_book(row)))]
    assert found == expected


# ---- everything out and in again --------------------------------------------------------------------------------

letters = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="ſ"), min_size=1, max_size=12
)
words = st.lists(letters, min_size=1, max_size=3).map(" ".join).filter(
    lambda text: text[0] not in "=+-@" and text.isprintable() and unicodedata.is_normalized("NFC", text)
)  # fmt: skip
lasting = st.none() | st.dates(date(2027, 1, 1), date(2090, 1, 1))
since = st.dates(date(1850, 1, 1), date(2025, 1, 1))
CODES = [f"H13.{number:02}" for number in range(1, 9)]


@st.composite
def states(draw):
    """What a directory may hold: agencies, officers, certificates, systems, each naming what is there."""
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=4, unique=True))
    agencies, held, stated = {}, {}, {}
    for position, code in enumerate(codes):
        begun = draw(since)
        no_paper = draw(st.none() | since)
        entry = AgencyEntry(
            code=code, name=draw(words), kind="department", level=draw(st.integers(1, 4)), valid_from=begun,
            valid_to=draw(lasting), parent=draw(st.sampled_from(["", *codes[:position]])),
            sector=draw(st.sampled_from(["state", "party", "organisation", "enterprise"])),
            own_clerk=draw(st.booleans()), counted=draw(st.booleans()), no_paper_from=no_paper,
            basis=draw(words) if no_paper else "",
        )  # fmt: skip
        agencies[entry.key] = entry
        held[code] = (Held(code=code, agency=code, valid_from=begun),)
        if no_paper:
            stated[code] = (Statement(agency=code, kind="no_paper", valid_from=no_paper, basis=entry.basis),)
    officers = {
        (code, number): OfficerEntry(
            agency=code, code=number, name=draw(words), position=draw(st.just("") | words),
            leader=draw(st.booleans()), valid_from=draw(since), valid_to=draw(lasting),
        )
        for code in codes
        for number in draw(st.lists(st.sampled_from(["01", "007", "1"]), max_size=2, unique=True))
    }  # fmt: skip
    certificates = {}
    for key in draw(st.lists(st.sampled_from([*officers, *((code, "") for code in codes)]), max_size=4)):
        entry = CertificateEntry(
            agency=key[0], officer=key[1], kind="individual" if key[1] else draw(st.sampled_from(["organisation", "device"])),
            certificate=draw(st.sampled_from(["ab" * 32, "cd" * 32])), valid_from=draw(since), basis=draw(words),
            purpose=draw(st.sampled_from(["exchange", "treasury", "other"])), valid_to=draw(lasting),
            confirmed_by=tuple(draw(st.sampled_from([(), ("Lê An",), ("Lê An", "Trần Bình")]))),
        )  # fmt: skip
        certificates[entry.key] = entry
    systems, acts = {}, {}
    for number in range(draw(st.integers(0, 2))):
        system = SystemEntry(
            id=str(UUID(int=number + 1)), name=draw(words), owner=draw(st.sampled_from(codes))
        )
        systems[system.key] = system
        for code in draw(st.lists(st.sampled_from(codes), max_size=3, unique=True)):
            period = ActsEntry(system=system.id, agency=code, valid_from=draw(since), valid_to=draw(lasting))
            acts[period.key] = period
    return State(
        agencies=agencies, officers=officers, certificates=certificates, systems=systems, acts=acts, codes=held,
        statements=stated,
    )  # fmt: skip


@settings(max_examples=40)
@given(states(), st.sampled_from(["vi", "en"]))
def test_what_is_laid_out_and_read_again_changes_nothing(state, language):
    of = taken(xlsx_write.write(NOTES, directory_pages.laid_out(state, language)))
    assert findings(of) == []
    rows = {kind: sheet.rows for kind, sheet in of.sheets.items()}
    assert directory_systems.unknown(rows["system"], state.systems) == ()
    made = directory_plan.plan(state, rows, TODAY)
    assert [found for found in made.findings if found.severity == "error"] == []
    assert (made.agencies, made.officers, made.certificates, made.systems, made.acts) == ((), (), (), (), ())
    whole = (state.agencies, state.officers, state.certificates, state.systems, state.acts)
    assert made.unchanged == sum(map(len, whole))


@settings(max_examples=40)
@given(states(), st.sampled_from(["vi", "en"]))
def test_a_workbook_fills_an_empty_directory(state, language):
    """All that was laid out comes in again, systems aside: their ids are the exchange's own."""
    of = taken(xlsx_write.write(NOTES, directory_pages.laid_out(state, language)))
    rows = {kind: sheet.rows for kind, sheet in of.sheets.items() if kind != "system"}
    made = directory_plan.plan(State(), rows, TODAY)
    assert {change.after.key: change.after for change in made.agencies} == state.agencies
    assert {change.after.key: change.after for change in made.officers} == state.officers
    assert {change.after.key: change.after for change in made.certificates} == state.certificates


def test_text_that_begins_like_a_formula_is_written_as_text():
    system = SystemEntry(id=str(UUID(int=1)), name="=cmd|' /C calc'!A0", owner="H13")
    raw = xlsx_write.write(NOTES, directory_pages.laid_out(State(systems={system.key: system}), "vi"))
    cell = openpyxl.load_workbook(io.BytesIO(raw))["Hệ thống"]["B2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (system.name, "s", True)
    assert given_by(taken(raw), "system")[0]["name"] == system.name


@pytest.mark.parametrize("name", ["_x0041_", "a_x000D_b", "_x005F_x0041_", "_xZZZZ_", "__x0041_"])
def test_text_like_an_escape_of_the_format_stays_as_it_is(name):
    agency = AgencyEntry(code="H13.01", name=name, kind="department", level=2, valid_from=SINCE)
    raw = xlsx_write.write(NOTES, directory_pages.laid_out(State(agencies={agency.key: agency}), "vi"))
    assert given_by(taken(raw), "agency")[0]["name"] == name


def test_a_clerk_finds_text_for_codes_days_for_days_and_lists_to_choose_from():
    agency = AgencyEntry(code="H13.01", name="Sở", kind="department", level=2, valid_from=SINCE)
    officer = OfficerEntry(agency="H13.01", code="01", name="Lê An", valid_from=SINCE)
    state = State(agencies={agency.key: agency}, officers={officer.key: officer})
    book = openpyxl.load_workbook(io.BytesIO(xlsx_write.write(NOTES, directory_pages.laid_out(state, "vi"))))
    assert book.sheetnames == ["Hướng dẫn", "Cơ quan", "Hệ thống", "Cán bộ – chứng thư", "Tài khoản"]
    sheet = book["Cơ quan"]
    assert (sheet["A1"].value, sheet["A1"].font.bold, sheet.freeze_panes) == ("Mã định danh *", True, "A2")
    assert (sheet["A2"].data_type, sheet["A2"].number_format) == ("s", "@")
    assert (sheet["N2"].value.date(), sheet["N2"].number_format) == (SINCE, "dd/mm/yyyy")
    assert sheet["H2"].value == "có"
    assert book["Cán bộ – chứng thư"]["B2"].value == "01"
    lists = {str(one.sqref).partition("2:")[0]: one.formula1 for one in sheet.data_validations.dataValidation}
    assert lists == {
        "E": '"1,2,3,4"', "G": '"nhà nước,đảng,đoàn thể,doanh nghiệp"', "H": '"có,không"', "I": '"có,không"'
    }  # fmt: skip
    assert sheet.column_dimensions["A"].number_format == "@"
    assert [cell.value for cell in book["Tài khoản"][1]][:2] == ["Tên đăng nhập", "Họ và tên"]
    assert book["Tài khoản"].max_row == 1


def test_every_word_of_a_closed_list_is_read_as_what_it_stands_for():
    for read, listed in directory_tabs.WORDS.items():
        for value, said in listed.items():
            assert {read(word) for word in said.values()} == {value}
            assert not any("," in word for word in said.values())


def test_every_column_of_the_workbook_is_told_of_in_both_languages():
    keys = {
        f"workbook.about_{tab.layout.name}_{column.name}"
        for tab in directory_tabs.TABS
        for column in tab.layout.columns
    }
    for language in ("vi", "en"):
        told = {key for key in texts.catalogue(language) if key.startswith("workbook.about_")}
        assert told == keys


def test_no_two_columns_of_a_sheet_share_a_heading():
    for tab in directory_tabs.TABS:
        headings = [
            directory_csv.folded(name)
            for column in tab.layout.columns
            for name in {directory_csv.folded(heading) for heading in (column.name, *column.headings)}
        ]
        assert len(headings) == len(set(headings)), tab.layout.name


def test_the_shared_sheet_has_all_columns_of_officers_and_certificates():
    assert set(directory_tabs.OFFICER_PART.values()) == {column.name for column in OFFICERS.columns}
    assert set(directory_tabs.CERTIFICATE_PART.values()) == {column.name for column in CERTIFICATES.columns}
    assert {column.name for column in directory_tabs.PERSONS.columns} == {
        *directory_tabs.OFFICER_PART, *directory_tabs.CERTIFICATE_PART
    }  # fmt: skip
