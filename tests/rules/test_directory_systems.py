from datetime import date
from uuid import UUID

import pytest

from exchange import texts
from exchange.rules import directory_plan, directory_systems
from exchange.rules.directory_csv import Row
from exchange.rules.directory_entries import AgencyEntry
from exchange.rules.directory_history import Held
from exchange.rules.directory_plan import State
from exchange.rules.directory_systems import ActsEntry, SystemEntry

TODAY = date(2026, 3, 1)
SINCE = date(2019, 1, 1)
ONE, TWO, NEW = (str(UUID(int=number)) for number in (1, 2, 3))
OFFICE = SystemEntry(id=ONE, name="i-Office", owner="H13")
GATE = SystemEntry(id=TWO, name="i-Gate", owner="H13")
ACTS = ActsEntry(system=ONE, agency="H13", valid_from=SINCE)


def state(*systems, acts=()):
    agencies = [
        AgencyEntry(code=code, name=code, kind="x", level=2, valid_from=SINCE) for code in ("H13", "H13.01")
    ]
    codes = {
        entry.code: (
            Held(code=entry.code, agency=entry.code, valid_from=SINCE),
            Held(code=entry.code.replace("H13", "000"), agency=entry.code, valid_from=SINCE),
        )
        for entry in agencies
    }
    return State(
        agencies={entry.key: entry for entry in agencies},
        systems={entry.key: entry for entry in systems},
        acts={entry.key: entry for entry in acts},
        codes=codes,
    )


def plan(held, *given, new=()):
    rows = [Row(line=line, given=one) for line, one in enumerate(given, 2)]
    return directory_plan.plan(held, {"system": rows}, TODAY, dict.fromkeys(new, NEW))


def wrong(made):
    for found in made.findings:
        assert all(texts.say(f"finding.{found.code}", language, **found.facts) for language in ("vi", "en"))
    return [(found.line, found.code, found.path) for found in made.findings]


def test_a_row_that_says_what_is_known_changes_nothing():
    held = state(OFFICE, acts=[ACTS])
    row = {
        "system": ONE,
        "name": "i-Office",
        "owner": "H13",
        "agency": "H13",
        "valid_from": SINCE,
        "valid_to": None,
    }
    for given in (row, {**row, "name": "", "owner": ""}, {**row, "system": ""}, {**row, "owner": "000"}):
        made = plan(held, given)
        assert (made.systems, made.acts, made.findings, made.unchanged) == ((), (), (), 2)


def test_a_name_and_an_owner_change_by_the_id():
    made = plan(state(OFFICE), {"system": ONE, "name": "i-Office 2", "owner": "H13.01"})
    (change,) = made.systems
    assert (change.before, change.after) == (OFFICE, SystemEntry(id=ONE, name="i-Office 2", owner="H13.01"))


def test_a_new_name_is_a_new_system_with_the_id_it_is_given():
    rows = [
        {"name": "Bàn văn thư", "owner": "H13", "agency": code, "valid_from": SINCE}
        for code in ("H13", "000.01")
    ]
    assert directory_systems.unknown([Row(line=2, given=rows[0])], state(OFFICE).systems) == ("Bàn văn thư",)
    made = plan(state(OFFICE), *rows, new=["Bàn văn thư"])
    assert wrong(made) == []
    assert [change.after for change in made.systems] == [SystemEntry(id=NEW, name="Bàn văn thư", owner="H13")]
    assert [change.after.agency for change in made.acts] == ["H13", "H13.01"]


def test_a_period_gets_its_last_day_and_another_may_follow():
    held = state(OFFICE, acts=[ACTS])
    made = plan(
        held,
        {"system": ONE, "agency": "H13", "valid_from": SINCE, "valid_to": date(2020, 1, 1)},
        {"system": ONE, "agency": "H13", "valid_from": date(2020, 1, 2), "valid_to": None},
    )
    assert wrong(made) == []
    assert [(change.before is None, change.after.valid_to) for change in made.acts] == [
        (False, date(2020, 1, 1)),
        (True, None),
    ]


@pytest.mark.parametrize(
    "rows, expected",
    [
        ([{"system": NEW, "name": "x"}], [(2, "sheet_unknown_system", "system.system")]),
        ([{"system": "", "agency": "H13", "valid_from": SINCE}], [(2, "sheet_no_system", "system.system")]),
        ([{"name": "x"}], [(2, "sheet_missing", "system.owner")]),
        ([{"system": ONE, "owner": "H99"}], [(2, "sheet_unknown_agency", "system.owner")]),
        (
            [{"system": ONE, "name": "a"}, {"system": ONE, "name": "b"}],
            [(3, "sheet_differs", "system.name")],
        ),
        ([{"system": ONE, "agency": "H99", "valid_from": SINCE}], [(2, "sheet_unknown_agency", "acts_for.agency")]),
        ([{"system": TWO, "agency": "H13"}], [(2, "sheet_missing", "acts_for.valid_from")]),
        ([{"system": TWO, "valid_from": SINCE}], [(2, "sheet_missing", "acts_for.agency")]),
        (
            [{"system": TWO, "agency": "H13", "valid_from": SINCE, "valid_to": date(2018, 1, 1)}],
            [(2, "sheet_period", "acts_for.valid_to")],
        ),
        (
            [{"system": TWO, "agency": "H13", "valid_from": SINCE}] * 2,
            [(3, "sheet_twice", "acts_for.valid_from")],
        ),
        (
            [{"system": ONE, "agency": "H13", "valid_from": date(2021, 1, 1)}],
            [(2, "sheet_overlap", "acts_for.valid_from")],
        ),
        (
            [{"system": ONE, "agency": "000", "valid_from": date(2018, 1, 1), "valid_to": SINCE}],
            [(2, "sheet_overlap", "acts_for.valid_from")],
        ),
    ],
    ids=[
        "unknown id", "no system", "new without owner", "owner", "contradiction", "agency", "no first day", "no agency",
        "period", "twice", "overlap", "overlap of one day",
    ],
)  # fmt: skip
def test_what_contradicts_something_is_told(rows, expected):
    names = [row["name"] for row in rows if "system" not in row]
    assert wrong(plan(state(OFFICE, GATE, acts=[ACTS]), *rows, new=names)) == expected


def test_two_systems_of_one_name_want_an_id():
    twin = SystemEntry(id=TWO, name="i-Office", owner="H13")
    made = plan(state(OFFICE, twin), {"name": "i-Office", "agency": "H13", "valid_from": SINCE})
    assert wrong(made) == [(2, "sheet_several_systems", "system.system")]


def test_a_bad_cell_makes_no_second_finding():
    row = Row(line=2, given={"name": "x"}, bad=frozenset({"system"}))
    made = directory_plan.plan(state(), {"system": [row]}, TODAY, {"x": NEW})
    assert (made.systems, made.findings) == ((), ())


def test_the_period_standing_on_a_day():
    ended = ActsEntry(system=ONE, agency="H13", valid_from=SINCE, valid_to=date(2019, 12, 31))
    begun = ActsEntry(system=ONE, agency="H13", valid_from=date(2021, 1, 1))

    def standing(on):
        return directory_systems.standing([ended, begun], ONE, "H13", on)

    assert [standing(date(year, 6, 1)) for year in (2018, 2019, 2020, 2021)] == [None, ended, None, begun]
