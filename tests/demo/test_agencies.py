import re
from collections import Counter

from exchange.demo import agencies as demo
from exchange.rules import directory_csv, directory_entries, directory_plan

AGENCIES = demo.agencies()
OFFICERS = demo.officers()
BY_CODE = {agency.code: agency for agency in AGENCIES}


def test_the_seven_kinds_and_the_superior():
    counts = Counter(agency.kind for agency in AGENCIES if agency.counted)
    assert counts == {
        "department": 22,
        "unit": 23,
        "organisation": 6,
        "district": 9,
        "district_unit": 126,
        "commune": 85,
        "clerk_unit": 181,
    }
    assert counts == demo.KINDS
    assert sum(counts.values()) == 452
    assert [agency.code for agency in AGENCIES if not agency.counted] == [demo.SUPERIOR]


def test_every_agency_has_both_forms_and_shares_neither():
    assert all(re.fullmatch(r"\d{3}\.\d{2}\.\d{2}\.H13", agency.code102) for agency in AGENCIES)
    assert all(len(agency.code102) == 13 for agency in AGENCIES)
    assert {directory_entries.form(agency.code) for agency in AGENCIES} == {"qd20"}
    codes = [code for agency in AGENCIES for code in (agency.code, agency.code102)]
    assert len(set(codes)) == len(codes) == 906


def test_one_form_is_the_other_turned_round():
    assert (demo.code(), demo.code102()) == ("H13", "000.00.00.H13")
    assert (demo.code(1), demo.code102(1)) == ("H13.01", "000.00.01.H13")
    assert (demo.code(31, 5), demo.code102(31, 5)) == ("H13.31.05", "000.05.31.H13")
    assert (demo.code(31, 5, 12), demo.code102(31, 5, 12)) == ("H13.31.05.012", "012.05.31.H13")


def test_a_parent_stands_one_level_higher_and_its_code_is_the_beginning():
    for agency in AGENCIES[1:]:
        parent = BY_CODE[agency.parent]
        assert agency.level == parent.level + 1
        assert agency.code.startswith(f"{parent.code}.")


def test_every_district_has_its_fourteen_units():
    counts = Counter(agency.parent for agency in AGENCIES if agency.kind == "district_unit")
    assert set(counts.values()) == {14}
    assert {BY_CODE[code].kind for code in counts} == {"district"}


def test_only_organisations_stand_outside_the_state_and_all_have_their_own_clerk():
    assert {agency.kind for agency in AGENCIES if agency.sector != "state"} == {"organisation"}
    assert all(agency.own_clerk for agency in AGENCIES)


def test_names_differ_and_fit_into_a_certificate():
    assert len({agency.name for agency in AGENCIES}) == 453
    assert [agency.name for agency in AGENCIES if len(agency.name) > 64] == []


def test_a_leader_and_a_deputy_each_under_different_names():
    assert Counter(officer.agency for officer in OFFICERS) == dict.fromkeys(BY_CODE, 2)
    assert Counter((officer.code, officer.leader) for officer in OFFICERS) == {
        ("01", True): 453,
        ("02", False): 453,
    }
    assert len({officer.name for officer in OFFICERS}) == 906


def test_the_same_province_every_time():
    assert demo.agencies() == AGENCIES
    assert demo.agency_sheet() == demo.agency_sheet()


def test_an_empty_directory_takes_the_sheets_without_a_word():
    sheets = {
        "agency": directory_csv.read(directory_entries.AGENCIES, demo.agency_sheet()),
        "officer": directory_csv.read(directory_entries.OFFICERS, demo.officer_sheet()),
    }
    assert all(sheet.findings == () for sheet in sheets.values())
    rows = {kind: sheet.rows for kind, sheet in sheets.items()}
    plan = directory_plan.plan(directory_plan.State(), rows, demo.SINCE)
    assert plan.findings == ()
    assert tuple(change.after for change in plan.agencies) == AGENCIES
    assert tuple(change.after for change in plan.officers) == OFFICERS
