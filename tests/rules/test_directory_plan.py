from dataclasses import replace
from datetime import date, timedelta

import pytest
from directory_planned import held, imported, plan, stated, wrong
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import directory_history
from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_history import Held, Statement
from exchange.rules.directory_plan import State

TODAY = date(2019, 7, 1)
SINCE = date(2019, 1, 1)
DAY = timedelta(days=1)
AGENCIES = "code,code102,name,kind,level,parent,valid_from\n"
CITY = "H13,000.00.00.H13,Ủy ban,province,1,,2019-01-01\n"
HOME = "H13.01,000.00.01.H13,Sở Nội vụ,department,2,H13,2019-01-01\n"
LAW = "H13.02,000.00.02.H13,Sở Tư pháp,department,2,H13,2019-01-01\n"
OFFICER = "agency,code,name,valid_from\nH13.01,01,Lê Thị Mai,2019-01-01\n"
CERTIFICATES = "agency,kind,officer,certificate,valid_from,basis,confirmed_by\n"
DIGEST = "ab" * 32


def test_new_agencies_whatever_their_order():
    made = plan(agency=AGENCIES + HOME + CITY)
    assert made.findings == ()
    assert [
        (change.line, change.before, change.after.code, change.after.parent) for change in made.agencies
    ] == [
        (2, None, "H13.01", "H13"),
        (3, None, "H13", ""),
    ]
    assert made.codes["H13.01"] == (
        Held(code="H13.01", agency="H13.01", valid_from=SINCE),
        Held(code="000.00.01.H13", agency="H13.01", valid_from=SINCE),
    )


def test_the_same_sheet_again_changes_nothing():
    state = imported(AGENCIES + HOME + CITY)
    made = plan(state, agency=AGENCIES + HOME + CITY)
    assert (made.agencies, made.unchanged, made.findings) == ((), 2, ())


def test_only_what_differs_is_touched_and_told():
    state = imported(AGENCIES + CITY + HOME + LAW)
    made = plan(state, agency=AGENCIES + CITY + HOME.replace("Sở Nội vụ", "Sở Nội vụ mới") + LAW)
    assert [(change.line, change.fields, change.after.name) for change in made.agencies] == [
        (3, ("name",), "Sở Nội vụ mới")
    ]
    assert made.unchanged == 2


def test_a_sheet_of_two_columns_changes_one_fact():
    state = imported(AGENCIES + CITY + HOME)
    made = plan(state, agency="code,own_clerk\nH13.01,no\n")
    assert made.agencies[0].after == replace(state.agencies["H13.01",], own_clerk=False)


def test_an_agency_is_known_by_its_other_code():
    state = imported(AGENCIES + CITY + HOME)
    made = plan(
        state,
        agency="code,name\n000.00.01.H13,Sở Nội vụ\n",
        officer=OFFICER.replace("H13.01", "000.00.01.H13"),
    )
    assert (made.agencies, made.unchanged) == ((), 1)
    assert made.officers[0].after.agency == "H13.01"


def test_a_parent_may_be_named_by_its_other_code_or_be_in_the_directory_only():
    state = imported(AGENCIES + CITY)
    made = plan(state, agency=AGENCIES + HOME.replace(",H13,", ",000.00.00.H13,"))
    assert (made.agencies[0].after.parent, made.findings) == ("H13", ())


@pytest.mark.parametrize(
    "sheet, expected",
    [
        (AGENCIES + HOME, [(2, "sheet_unknown_agency", "agency.parent")]),
        (AGENCIES + CITY + HOME + CITY, [(4, "sheet_twice", "agency.code")]),
        (AGENCIES + CITY + HOME + HOME.replace("H13.01,000", "H13.02,000"),
         [(3, "sheet_code_taken", "agency.code102"), (4, "sheet_code_taken", "agency.code102")]),
        (AGENCIES + CITY + HOME + LAW.replace("H13.02,000.00.02.H13", "000.00.01.H13,"),
         [(3, "sheet_code_taken", "agency.code102"), (4, "sheet_code_taken", "agency.code")]),
        (AGENCIES + CITY.replace(",1,,", ",1,H13,"), [(2, "sheet_parent_circle", "agency.parent")]),
        (AGENCIES + CITY.replace(",1,,", ",1,H13.02,") + HOME + LAW.replace(",H13,", ",H13.01,"),
         [(line, "sheet_parent_circle", "agency.parent") for line in (2, 3, 4)]),
        ("code,name\nH13,Ủy ban\n", [(2, "sheet_missing", "agency.kind")]),
        ("name\nỦy ban\n", [(2, "sheet_missing", "agency.code")]),
        (AGENCIES.strip() + ",valid_to\n" + CITY.strip() + ",2018-12-31\n", [(2, "sheet_period", "agency.valid_to")]),
        (AGENCIES.strip() + ",no_paper_to\n" + CITY.strip() + ",2019-12-31\n", [(2, "sheet_period", "agency.no_paper_to")]),
    ],
    ids=["unknown parent", "twice", "same 102", "102 is another's", "own parent", "circle", "lacks", "no code", "ends first", "no start"],
)  # fmt: skip
def test_lines_that_contradict(sheet, expected):
    assert wrong(plan(agency=sheet)) == expected


def test_contradictions_are_all_told_at_once():
    made = plan(
        agency=AGENCIES + CITY + HOME.replace(",H13,", ",H99,") + CITY,
        officer=OFFICER + OFFICER.partition("\n")[2].replace("H13.01", "H98"),
        certificate=CERTIFICATES + f"H97,organisation,,{DIGEST},2019-01-01,QĐ,A;B\n",
    )
    assert wrong(made) == [
        (3, "sheet_unknown_agency", "agency.parent"),
        (4, "sheet_twice", "agency.code"),
        (3, "sheet_unknown_agency", "officer.agency"),
        (2, "sheet_unknown_agency", "certificate.agency"),
    ]


def test_a_circle_through_the_directory_is_seen():
    state = imported(AGENCIES + CITY + HOME)
    made = plan(state, agency="code,parent\nH13,H13.01\n")
    assert wrong(made) == [(2, "sheet_parent_circle", "agency.parent")]
    assert made.findings[0].facts == {"circle": "H13 → H13.01 → H13"}


def test_a_code_of_another_agency_is_taken_only_while_that_one_holds_it():
    state = imported(AGENCIES + CITY + HOME, "code,valid_to\nH13.01,2019-06-30\n")
    new = "code,code102,name,kind,level,valid_from\nH13.05,000.00.01.H13,Sở mới,department,2,{}\n"
    assert wrong(plan(state, agency=new.format("2019-06-30"))) == [(2, "sheet_code_taken", "agency.code102")]
    assert plan(state, agency=new.format("2019-07-01")).findings == ()


def test_the_end_of_an_agency_needs_no_end_of_its_codes():
    state = imported(AGENCIES + CITY + HOME, "code,valid_to\nH13.01,2019-06-30\n")
    assert held(state) == {("H13.01", SINCE, None), ("000.00.01.H13", SINCE, None)}
    assert plan(state, agency="code,code102,valid_to\nH13.01,000.00.01.H13,2019-06-30\n").unchanged == 1


def test_the_code_of_an_agency_that_ended_leads_to_who_has_it_now():
    new = "code,code102,name,kind,level,valid_from\nH13.05,000.00.01.H13,Sở mới,department,2,2019-07-01\n"
    state = imported(AGENCIES + CITY + HOME, "code,valid_to\nH13.01,2019-06-30\n", new)
    made = plan(state, agency="code,own_clerk\n000.00.01.H13,no\n")
    assert [change.after.code for change in made.agencies] == ["H13.05"]


def test_an_earlier_first_day_holds_for_the_codes_too():
    state = imported(AGENCIES + CITY + HOME, "code,valid_from\nH13.01,2018-01-01\n")
    assert held(state) == {("H13.01", date(2018, 1, 1), None), ("000.00.01.H13", date(2018, 1, 1), None)}


def test_a_new_second_code_ends_the_old_one_the_day_before():
    state = imported(AGENCIES + CITY + HOME, "code,code102\nH13.01,000.00.77.H13\n")
    assert held(state) == {
        ("H13.01", SINCE, None),
        ("000.00.01.H13", SINCE, TODAY - DAY),
        ("000.00.77.H13", TODAY, None),
    }
    assert state.agencies["H13.01",].code102 == "000.00.77.H13"


def test_a_second_code_taken_away_ends_and_one_put_right_the_same_day_leaves_no_trace():
    state = imported(AGENCIES + CITY + HOME, "code,code102\nH13.01,\n")
    assert held(state) == {("H13.01", SINCE, None), ("000.00.01.H13", SINCE, TODAY - DAY)}
    state = imported(
        "code,code102\nH13.01,000.00.66.H13\n", "code,code102\nH13.01,000.00.77.H13\n", state=state
    )
    assert ("000.00.66.H13", TODAY, None) not in held(state)
    assert plan(state, agency="code,code102\nH13.01,000.00.77.H13\n").unchanged == 1


def test_a_second_code_given_back_goes_on():
    state = imported(
        AGENCIES + CITY + HOME, "code,code102\nH13.01,\n", "code,code102\nH13.01,000.00.01.H13\n"
    )
    assert held(state) == {("H13.01", SINCE, None), ("000.00.01.H13", SINCE, None)}


def test_statements_with_their_ground():
    sheet = "code,no_paper_from,signs_package_from,basis\nH13.01,2019-03-01,2019-04-01,QĐ 7\n"
    state = imported(AGENCIES + CITY + HOME, sheet)
    assert stated(state) == {
        ("no_paper", date(2019, 3, 1), None, "QĐ 7"),
        ("signs_package", date(2019, 4, 1), None, "QĐ 7"),
    }
    assert plan(state, agency=sheet).unchanged == 1


def test_a_statement_taken_away_has_ended_not_vanished():
    clear = "code,no_paper_from,no_paper_to\nH13.01,,\n"
    state = imported(AGENCIES + CITY + HOME, "code,no_paper_from\nH13.01,2019-03-01\n", clear)
    assert stated(state) == {("no_paper", date(2019, 3, 1), TODAY - DAY, "")}
    assert plan(state, agency=clear).unchanged == 1
    assert plan(state, TODAY + 9 * DAY, agency=clear).unchanged == 1


def test_a_first_day_in_a_sheet_without_last_days_has_no_end():
    sheets = (
        "code,no_paper_from,no_paper_to\nH13.01,2019-03-01,2019-04-01\n",
        "code,no_paper_from\nH13.01,2019-03-01\n",
    )
    assert stated(imported(AGENCIES + CITY + HOME, *sheets)) == {("no_paper", date(2019, 3, 1), None, "")}


def test_a_statement_that_had_not_begun_vanishes_when_taken_away():
    state = imported(
        AGENCIES + CITY + HOME, "code,no_paper_from\nH13.01,2019-09-01\n", "code,no_paper_from\nH13.01,\n"
    )
    assert stated(state) == set()


@pytest.mark.parametrize(
    "first, last, expected",
    [
        ("2019-02-01", "", {(date(2019, 2, 1), None)}),
        ("2019-04-01", "", {(date(2019, 4, 1), None)}),
        ("2019-03-01", "2019-12-31", {(date(2019, 3, 1), date(2019, 12, 31))}),
    ],
)
def test_a_statement_put_right_replaces_the_open_one(first, last, expected):
    sheet = f"code,no_paper_from,no_paper_to\nH13.01,{first},{last}\n"
    state = imported(AGENCIES + CITY + HOME, "code,no_paper_from\nH13.01,2019-03-01\n", sheet)
    assert {(start, end) for _, start, end, _ in stated(state)} == expected


def test_a_new_statement_leaves_what_ended_before_it():
    state = imported(
        AGENCIES + CITY + HOME,
        "code,no_paper_from,no_paper_to\nH13.01,2019-01-01,2019-03-31\n",
        "code,no_paper_from,no_paper_to\nH13.01,2019-06-01,\n",
    )
    assert {(start, end) for _, start, end, _ in stated(state)} == {
        (date(2019, 1, 1), date(2019, 3, 31)), (date(2019, 6, 1), None)
    }  # fmt: skip


def test_a_ground_without_a_statement_is_nothing():
    state = imported(AGENCIES + CITY + HOME)
    assert plan(state, agency="code,basis\nH13.01,QĐ 7\n").unchanged == 1


def test_officers_of_a_new_agency_and_of_one_with_a_fault_elsewhere():
    made = plan(agency=AGENCIES + CITY + HOME.replace(",H13,", ",H99,"), officer=OFFICER)
    assert wrong(made) == [(3, "sheet_unknown_agency", "agency.parent")]
    assert made.officers[0].after == OfficerEntry(
        agency="H13.01", code="01", name="Lê Thị Mai", valid_from=SINCE
    )


@pytest.mark.parametrize(
    "line, expected",
    [
        (f"H13.01,organisation,,{DIGEST},2019-01-01,QĐ,A;B\n", []),
        (f"H13.01,individual,01,{DIGEST},2019-01-01,QĐ,A\n", []),
        (
            f"H13.01,organisation,,{DIGEST},2019-01-01,QĐ,A\n",
            [(2, "sheet_proposed", "certificate.confirmed_by")],
        ),
        (
            f"H13.01,organisation,,{DIGEST},2019-01-01,QĐ,Lê An;LE AN\n",
            [(2, "sheet_proposed", "certificate.confirmed_by")],
        ),
        (
            f"H13.01,individual,01,{DIGEST},2019-01-01,QĐ,\n",
            [(2, "sheet_proposed", "certificate.confirmed_by")],
        ),
        (
            f"H13.01,individual,,{DIGEST},2019-01-01,QĐ,A\n",
            [(2, "sheet_officer_kind", "certificate.officer")],
        ),
        (
            f"H13.01,organisation,01,{DIGEST},2019-01-01,QĐ,A;B\n",
            [(2, "sheet_officer_kind", "certificate.officer")],
        ),
        (
            f"H13.01,individual,09,{DIGEST},2019-01-01,QĐ,A\n",
            [(2, "sheet_unknown_officer", "certificate.officer")],
        ),
        (
            f"H13,individual,01,{DIGEST},2019-01-01,QĐ,A\n",
            [(2, "sheet_unknown_officer", "certificate.officer")],
        ),
        (f"H13.01,organisation,,{DIGEST},,QĐ,A;B\n", [(2, "sheet_missing", "certificate.valid_from")]),
    ],
)
def test_certificates(line, expected):
    made = plan(agency=AGENCIES + CITY + HOME, officer=OFFICER, certificate=CERTIFICATES + line)
    assert wrong(made) == expected
    severities = {found.severity for found in made.findings}
    assert severities <= (
        {"warning"} if any(code == "sheet_proposed" for _, code, _ in expected) else {"error"}
    )


def test_one_seal_may_stand_for_two_agencies():
    lines = "".join(
        f"{code},organisation,,{DIGEST},2019-01-01,con dấu của cơ quan cấp trên,A;B\n"
        for code in ("H13", "H13.01")
    )
    made = plan(agency=AGENCIES + CITY + HOME, certificate=CERTIFICATES + lines)
    assert [change.after.agency for change in made.certificates] == ["H13", "H13.01"]
    assert made.findings == ()


def test_an_officer_of_the_directory_is_known():
    state = State(
        agencies={
            ("H13",): AgencyEntry(code="H13", name="Ủy ban", kind="province", level=1, valid_from=SINCE)
        },
        officers={("H13", "01"): OfficerEntry(agency="H13", code="01", name="Lê Thị Mai", valid_from=SINCE)},
    )
    made = plan(state, certificate=CERTIFICATES + f"H13,individual,01,{DIGEST},2019-01-01,QĐ,A\n")
    assert made.findings == ()
    assert made.certificates[0].after == CertificateEntry(
        agency="H13",
        kind="individual",
        certificate=DIGEST,
        valid_from=SINCE,
        basis="QĐ",
        officer="01",
        confirmed_by=("A",),
    )


cells = st.fixed_dictionaries(
    {
        "code102": st.sampled_from(["", "000.00.01.H13", "000.00.02.H13", "H13.01"]),
        "valid_to": st.sampled_from(["", "2019-05-01", "2019-07-01", "2020-01-01"]),
        "no_paper_from": st.sampled_from(["", "2019-02-01", "2019-08-01"]),
        "signs_package_from": st.sampled_from(["", "2019-02-01"]),
        "basis": st.sampled_from(["", "QĐ 1"]),
    }
)


@given(st.lists(st.tuples(cells, st.integers(0, 90)), min_size=1, max_size=6))
def test_whatever_was_imported_before_a_sheet_twice_is_a_sheet_once(history):
    state, on = imported(AGENCIES + CITY + HOME), TODAY
    for given_cells, days in history:
        on += days * DAY
        sheet = "code," + ",".join(given_cells) + "\nH13.01," + ",".join(given_cells.values()) + "\n"
        state = imported(sheet, state=state, on=on)
        assert plan(state, on, agency=sheet).agencies == ()
        rows = [(code.code, code.valid_from) for code in state.codes["H13.01"]]
        assert len(rows) == len(set(rows))
        starts = [(said.kind, said.valid_from) for said in state.statements["H13.01"]]
        assert len(starts) == len(set(starts))


def test_shown_takes_the_newest_of_each():
    entry = AgencyEntry(code="H13", name="Ủy ban", kind="province", level=1, valid_from=SINCE)
    codes = [Held(code=code, agency="H13", valid_from=SINCE) for code in ("H13", "000.00.00.H13", "13.00")]
    said = [
        Statement(agency="H13", kind="no_paper", valid_from=SINCE + DAY * n, basis=str(n)) for n in (3, 1)
    ]
    line = directory_history.shown(entry, codes, said)
    assert (line.code102, line.no_paper_from, line.basis) == ("000.00.00.H13", SINCE + 3 * DAY, "3")
