"""League tables: Cao Bằng's tables and results of 2018, ranks that are shared, and nobody lifted by rounding."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import league
from exchange.rules.ratios import Measure

LEAGUE = league.default()
STANDARD = LEAGUE.tables["standard"]
DEPARTMENTS, DISTRICTS = LEAGUE.tables["cao_bang_departments"], LEAGUE.tables["cao_bang_districts"]


@pytest.mark.parametrize(
    "table, points, level",
    [
        (DEPARTMENTS, "54", "I"), (DEPARTMENTS, "53.99", "II"), (DEPARTMENTS, "48", "II"), (DEPARTMENTS, "46.9", "III"),
        (DEPARTMENTS, "42", "III"), (DEPARTMENTS, "41.9", "IV"), (DEPARTMENTS, "36", "IV"), (DEPARTMENTS, "22.5", ""),
        (DISTRICTS, "108", "I"), (DISTRICTS, "100.4", "II"), (DISTRICTS, "93.05", "III"), (DISTRICTS, "85.7", "IV"),
        (DISTRICTS, "64.61", ""), (STANDARD, "90", "I"), (STANDARD, "89.999", "II"), (STANDARD, "60", "IV"),
        (STANDARD, "59.99", ""),
    ],
)  # fmt: skip
def test_the_least_points_of_a_level_are_enough(table, points, level):
    assert league.level(table, Fraction(points)) == level


def test_cao_bang_2018():
    """Departments: none in I and II, 6 in III, 8 in IV, 6 in none; districts: none reaches IV."""
    departments = ["46.9", "46.6", "45.9", "44", "43", "42", *(["40"] * 7), "36", *(["30"] * 5), "22.5"]
    found = league.given(DEPARTMENTS, {n: Fraction(one) for n, one in enumerate(departments)})
    assert league.by_level(DEPARTMENTS, found.values()) == {"I": 0, "II": 0, "III": 6, "IV": 8, "": 6}
    assert [found[n].rank for n in (0, 1, 2, 19)] == [1, 2, 3, 20]
    assert found[0].lacking == Fraction("1.1")
    districts = league.given(DISTRICTS, dict(enumerate(map(Fraction, ["64.61", "64.36", "59.14", "40.50"]))))
    assert {one.level for one in districts.values()} == {""}
    assert league.shown_lacking(districts[0].lacking) == 2109


def test_points_from_elsewhere_name_their_table():
    found = league.scores('table = "cao_bang_districts"\n[points]\n"H13.31" = 64.61\nH = "85.7"', LEAGUE)
    assert (found.table, found.points) == (DISTRICTS, {"H13.31": Fraction("64.61"), "H": Fraction("85.7")})


@pytest.mark.parametrize(
    "wrong",
    ["", "x", 'table = "none"\n[points]\nH = 1', 'table = ["x"]\n[points]\nH = 1', 'table = "standard"\n[points]\nH = 101', 'table = "standard"\n[points]\nH = -1',
     'table = "standard"\n[points]\nH = "1/0"', 'table = "standard"\n[points]\nH = nan', 'table = "standard"\npoints = 3', 'table = "standard"'],
    ids=["empty", "syntax", "unknown", "list", "above", "below", "over_nothing", "nan", "number", "none"],
)  # fmt: skip
def test_points_that_cannot_be_placed(wrong):
    with pytest.raises(ValueError, match=r"."):
        league.scores(wrong, LEAGUE)


def test_equal_points_share_a_rank():
    points = {"a": 90, "b": 80, "c": 80, "d": 70, "e": None}
    totals = {who: None if one is None else Fraction(one) for who, one in points.items()}
    assert league.ranks(totals) == {"a": 1, "b": 2, "c": 2, "d": 4}


def measured(**changed):
    names = {name: Measure(1, 1) for name, _ in STANDARD.parts}
    return names | {name: Measure(*one) for name, one in changed.items()}


def test_points_are_weights_times_ratios():
    found = league.placed(STANDARD, {"a": measured(M1=(441_042, 479_393), M9=(0, 5))}, {"a": 20})["a"]
    assert found.total == Fraction(441_042 * 40, 479_393) + 35
    assert (league.shown(found.points["M1"]), found.level, found.rank) == (3680, "III", 1)


def test_who_has_nothing_to_divide_by_or_too_little_has_no_place():
    found = league.placed(
        STANDARD, {"a": measured(M12=(0, 0)), "b": measured(), "c": measured()}, {"a": 99, "b": 19, "c": 20}
    )
    assert [found[who].rank for who in "abc"] == [None, None, 1]
    assert (found["a"].total, found["a"].level, found["a"].lacking) == (None, "", None)


POINTS = st.fractions(0, 120, max_denominator=10_000)


@given(st.sampled_from(list(LEAGUE.tables.values())), POINTS)
def test_what_is_shown_is_never_the_points_of_a_higher_level(table, points):
    shown = Fraction(league.shown(points), 100)
    assert league.level(table, shown) == league.level(table, points)
    assert 0 <= points - shown < Fraction(1, 100)
    if (lacking := league.lacking(table, points)) is not None:
        reached = points + Fraction(league.shown_lacking(lacking), 100)
        assert league.level(table, reached) != league.level(table, points)


@given(st.lists(st.one_of(st.none(), st.integers(0, 5).map(Fraction)), max_size=12))
def test_a_rank_is_one_more_than_how_many_are_better(points):
    totals = dict(enumerate(points))
    found = league.ranks(totals)
    assert found == {
        who: 1 + sum(other is not None and other > one for other in points)
        for who, one in totals.items()
        if one is not None
    }
    assert sum(Counter(league.given(STANDARD, totals)[who].level for who in totals).values()) == len(points)


@pytest.mark.parametrize(
    "wrong",
    [
        '[[table]]\nname = "x"\nlevels = [{name = "I", least = 1}, {name = "II", least = 2}]',
        '[[table]]\nname = "x"\nlevels = []\nparts = [{measure = "M99", weight = 1}]',
        '[[table]]\nname = "x"\nlevels = []\nmaximum = 100\nparts = [{measure = "M1", weight = 1}]',
        "[[table]]\nlevels = []",
        "[targets]\nM99 = 1",
        "[targets]\nM1 = 'viel'",
        "table",
        '[[table]]\nname = "x"\nlevels = []\nparts = [{measure = "M15", weight = 1}]',
        "[targets]\nM1 = 900",
        "[targets]\nM1 = -1",
        "[targets]\nM1 = '1/0'",
        '[[table]]\nname = "x"\nlevels = []\nparts = [{measure = "M1", weight = "1/0"}]',
        "[targets]\nM1 = true",
        "[targets]\nM1 = inf",
    ],
    ids=[
        "order",
        "measure",
        "weights",
        "name",
        "target",
        "number",
        "syntax",
        "fewer_is_better",
        "above_all",
        "below_nothing",
        "over_nothing",
        "weight_over_nothing",
        "yes",
        "endless",
    ],
)
def test_tables_that_cannot_be_used(wrong):
    with pytest.raises(ValueError, match=r"."):
        league.read(wrong)


def test_a_table_is_for_kinds_of_agencies_or_for_any():
    parts = 'levels = []\nparts = [{measure = "M1", weight = 1}]\n'
    one, other = (
        f'[[table]]\nname = "x"\nkinds = ["commune", "district"]\n{parts}',
        f'[[table]]\nname = "y"\n{parts}',
    )
    both = league.read(one + other)
    assert [
        league.table_for(both, kinds).name for kinds in ({"commune"}, {"commune", "unit"}, {"unit"}, set())
    ] == [*"xyyx"]
    assert league.table_for(league.read(one), {"unit"}).name == "standard"
    assert league.table_for(LEAGUE, {"district"}).name == "standard"
