"""Indicator sets: formulas that can say only what was counted."""

from fractions import Fraction

import pytest

from exchange.rules import indicators

FIGURES = {"E": 90, "S": 5, "P": 5, "documents": 8, "documents_E": 6}


def made(formula="M1", **changed):
    lines = [f"{name} = {value}" for name, value in changed.items()]
    return "\n".join(['[[indicator]]\nid = "1"\nname = "Một"', f'formula = "{formula}"', *lines])


@pytest.mark.parametrize(
    "formula, n, d",
    [
        ("M1", 90, 100),
        ("E / E + S + N + U + P", 90, 100),
        ("documents_E/documents", 6, 8),
        ("E - 10 / 100", 80, 100),
        ("-E + S / E", -85, 90),
    ],
)
def test_formulas(formula, n, d):
    (one,) = indicators.read(made(formula))
    found = indicators.found(one, FIGURES)
    assert (found.n, found.d) == (n, d)
    assert (found.share is None) == (n < 0)


def test_target_and_points_go_by_the_counts():
    (one,) = indicators.read(made("E / 441042 + 0", target=92, points=10))
    below, reached = indicators.found(one, {"E": 405_758}), indicators.found(one, {"E": 405_759})
    assert (below.met, reached.met) == (False, True)
    assert reached.points == Fraction(405_759 * 10, 441_042)
    (free,) = indicators.read(made())
    assert (indicators.found(free, FIGURES).met, indicators.found(free, {}).points) == (None, None)


@pytest.mark.parametrize(
    "given, met",
    [
        (made("M4", target=5), True), (made("M4", target=4), False), (made("P / E + S + N + U + P", target=5), True),
        (made("P / E + S + N + U + P", target=4), True), (made("P / E + S + N + U + P", target=4, more="false"), False),
        (made("P / E + S + N + U + P", target=6), False), (made("P / E + S + N + U + P", target=6, more="false"), True),
        (made("M1", target=91), False),
    ],
    ids=["M4_met", "M4_missed", "own", "own_more", "own_fewer", "own_more_missed", "own_fewer_met", "M1"],
)  # fmt: skip
def test_where_fewer_is_better_a_target_is_reached_from_above(given, met):
    (one,) = indicators.read(given)
    assert indicators.found(one, FIGURES).met is met


@pytest.mark.parametrize(
    "wrong",
    [
        "", "indicator = 3", made("M99"), made("E"), made("E / "), made("/ E"), made("E / S / P"), made("E * 2 / S"),
        made("E S / P"), made("E / __import__"), made("E / Z"), made(target=-1), made(target="'x'"), made(target="'1/0'"), made(points="'1/0'"),
        made(period="'2019-13'"), made(period="'last'"), made(period="2019"), made(more="1"), made("M15", points=10), made("P / E", points=10, more="false"), made("M15", more="true"), made() + "\n" + made(),
        '[[indicator]]\nname = "x"\nformula = "M1"', '[[indicator]]\nid = "1"\nformula = "M1"',
    ],
    ids=[
        "empty", "none", "measure", "no_stroke", "nothing_below", "nothing_above", "two_strokes", "times", "no_sign",
        "code", "figure", "negative", "text", "over_nothing", "points_over_nothing", "month_13", "no_period", "period_number", "direction",
        "points_for_refusals", "points_for_fewer", "other_direction", "twice", "no_id", "no_name",
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused(wrong):
    with pytest.raises(ValueError, match=r"."):
        indicators.read(wrong)
