"""Merged agencies: what a sheet may say of it, who follows whom, who went before; pure."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from directory_planned import after, imported, plan, stated, wrong
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import (
    directory,
    directory_alone,
    directory_csv,
    directory_entries,
    directory_images,
    directory_succession,
    routing,
)
from exchange.rules.directory import Succession
from exchange.rules.directory_entries import AgencyEntry

TODAY = date(2019, 7, 1)
DAY = timedelta(days=1)
HEAD = "code,name,kind,level,parent,valid_from,valid_to,successor,basis\n"
CITY = "H13,Ủy ban,province,1,,2019-01-01,,,\n"
HOME = "H13.01,Sở Nội vụ,department,2,H13,2019-01-01,,,\n"
LAW = "H13.02,Sở Tư pháp,department,2,H13,2019-01-01,2019-06-30,H13.01,NQ 9\n"
FARM = "H13.03,Sở Nông nghiệp,department,2,H13,2019-01-01,2019-03-31,H13.02,NQ 8\n"
BOTH = HEAD + CITY + HOME + LAW + FARM


def alone(raw, on=TODAY):
    rows = directory_csv.read(directory_entries.AGENCIES, raw.encode()).rows
    return directory_alone.of({"agency": rows}, on)


def test_mergers_of_a_sheet_are_understood_in_any_order():
    state = imported(HEAD + FARM + LAW + HOME + CITY)
    assert plan(state, agency=BOTH).agencies == ()
    merged = state.agencies["H13.02",]
    assert (merged.successor, merged.valid_to, merged.basis) == ("H13.01", date(2019, 6, 30), "NQ 9")
    assert directory_succession.takes_effect(merged) == TODAY


@pytest.mark.parametrize(
    "sheet, findings",
    [
        (LAW.replace("2019-06-30", ""), [("no_end", "valid_to")]),
        (LAW.replace("NQ 9", ""), [("no_basis", "basis")]),
        (LAW.replace("2019-06-30", "").replace("NQ 9", ""), [("no_end", "valid_to"), ("no_basis", "basis")]),
        (LAW.replace("H13.01,", "H13.02,"), [("itself", "successor")]),
        (LAW.replace("H13.01,", "H13.03,") + FARM, [("circle", "successor")] * 2),
        (LAW.replace("2019-06-30", "2018-06-30"), [("sheet_period", "valid_to"), ("not_active", "successor")]),
        (FARM.replace("H13.02", "H13.01"), []),
        (LAW.replace("H13.01,", "H13.09,"), [("sheet_unknown_agency", "successor")]),
        (LAW + FARM.replace("2019-03-31", "2019-06-30"), [("not_active", "successor")]),
    ],
    ids=["no end", "no basis", "neither", "itself", "circle", "before it began", "right", "unknown", "ended"],
)  # fmt: skip
def test_what_cannot_be_is_told_at_its_line(sheet, findings):
    made = plan(agency=HEAD + CITY + HOME + sheet)
    told = [(code if code.startswith("sheet_") else f"sheet_successor_{code}", f"agency.{column}")
            for code, column in findings]  # fmt: skip
    assert sorted((code, path) for _, code, path in wrong(made)) == sorted(told)
    assert {line for line, _, _ in wrong(made)} <= {4, 5}


def test_who_ends_a_successor_too_early_hears_it_at_its_own_line():
    state = imported(BOTH)
    made = plan(state, agency="code,valid_to\nH13.01,2019-05-01\n")
    assert wrong(made) == [(2, "sheet_successor_not_active", "agency.successor")]
    assert wrong(plan(state, agency="code,name\nH13,Ủy ban mới\n")) == []


def test_a_sheet_without_the_column_keeps_the_merger_and_an_empty_cell_takes_it_away():
    state = imported(BOTH)
    kept = after(state, plan(state, agency="code,name\nH13.02,Sở cũ\n"))
    assert (kept.agencies["H13.02",].successor, kept.agencies["H13.02",].basis) == ("H13.01", "NQ 9")
    gone = after(state, plan(state, agency="code,successor,valid_to\nH13.02,,\n"))
    assert (gone.agencies["H13.02",].successor, gone.agencies["H13.02",].basis) == ("", "")


def test_a_statement_keeps_its_own_ground_beside_that_of_the_merger():
    state = imported(HEAD + CITY + HOME + LAW.replace("2019-06-30,H13.01,NQ 9", ",,"))
    state = imported("code,no_paper_from,basis\nH13.02,2019-02-01,QĐ 7\n", state=state)
    state = imported("code,valid_to,successor,basis\nH13.02,2019-06-30,H13.01,NQ 9\n", state=state)
    assert stated(state, "H13.02") == {("no_paper", date(2019, 2, 1), None, "QĐ 7")}
    assert state.agencies["H13.02",].basis == "NQ 9"
    written = directory_csv.write(directory_entries.AGENCIES, state.agencies.values())
    assert plan(state, agency=written.decode("utf-8-sig")).agencies == ()


def test_images_of_before_say_the_same_as_new_ones_without_a_merger():
    entry = imported(BOTH).agencies["H13",]
    held = directory_images.image(entry)
    assert "successor" not in held
    assert directory_images.entry(AgencyEntry, held) == entry
    merged = imported(BOTH).agencies["H13.02",]
    assert directory_images.entry(AgencyEntry, directory_images.image(merged)) == merged
    undone = {**directory_images.image(merged)}
    del undone["successor"]
    told = directory_images.Difference(
        kind="agency", key=("H13.02",), before=directory_images.image(merged), after=undone
    )
    assert told.fields == {"successor": ("H13.01", "")}


@pytest.mark.parametrize(
    "code, on, heir",
    [
        ("H13.02", date(2019, 6, 30), None),
        ("H13.02", TODAY, ("H13.01", TODAY)),
        ("h13.02", TODAY, ("H13.01", TODAY)),
        ("H13.03", date(2019, 3, 31), None),
        ("H13.03", date(2019, 4, 1), ("H13.02", date(2019, 4, 1))),
        ("H13.03", TODAY, ("H13.01", TODAY)),
        ("H13.01", TODAY, None),
        ("H99", TODAY, None),
        ("H13.04", TODAY, None),
    ],
)  # fmt: skip
def test_who_follows_on_a_day(code, on, heir):
    found = alone(BOTH + "H13.04,Sở Xây dựng,department,2,H13,2019-01-01,2019-02-01,,\n")
    assert found.findings == ()
    said = directory_succession.heir(found.directory, code, on)
    assert (said and (said.agency.code, said.since)) == heir
    routed = routing.route(found.directory, directory_alone.agency_id("H13"), [code], on)
    assert dict(routed.heirs) == ({directory.canonical(code): said} if said else {})


def test_a_code_belongs_to_who_has_it_else_to_who_had_it_last():
    found = alone(BOTH).directory
    named = {on: directory_succession.last_with(found, "H13.02", on) for on in (TODAY, date(2018, 12, 31))}
    assert (named[TODAY].code, named[date(2018, 12, 31)]) == ("H13.02", None)
    again = directory.Code(
        code="H13.02", form="qd20", agency=directory_alone.agency_id("H13.01"), valid_from=TODAY
    )
    codes = [row for rows in found.codes.values() for row in rows]
    taken = directory.build(1, found.agencies.values(), codes=[*codes, again])
    assert directory_succession.last_with(taken, "H13.02", TODAY).code == "H13.01"
    assert directory_succession.last_with(taken, "H13.02", TODAY - DAY).code == "H13.02"


AGENCIES = [UUID(int=number) for number in range(7)]
MERGERS = st.dictionaries(
    st.sampled_from(AGENCIES),
    st.tuples(st.sampled_from(AGENCIES), st.dates(date(2019, 1, 1), date(2019, 1, 9))),
)  # fmt: skip


@given(MERGERS, st.sets(st.sampled_from(AGENCIES)), st.dates(date(2019, 1, 1), date(2019, 1, 9)))
def test_predecessors_are_those_whose_way_leads_to_one_asked_for(mergers, asked, until):
    rows = [
        Succession(predecessor=one, successor=other, takes_effect=day)
        for one, (other, day) in mergers.items()
    ]
    found = directory_succession.with_predecessors(rows, asked, until)

    def leads(one):
        way = [one]
        while way[-1] in mergers and mergers[way[-1]][1] <= until and mergers[way[-1]][0] not in way:
            way.append(mergers[way[-1]][0])
        return not asked.isdisjoint(way)

    assert found == {one for one in AGENCIES if leads(one)}
    assert directory_succession.with_predecessors(rows, found, until) == found
