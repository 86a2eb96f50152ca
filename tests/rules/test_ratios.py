from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import ratios
from exchange.rules.ratios import Measure

PARTS = st.integers(1, 10**7).flatmap(lambda d: st.tuples(st.integers(0, d), st.just(d)))


@pytest.mark.parametrize(
    "n, d, share",
    [
        (441042, 479393, "92,00"),
        (455424, 479393, "95,00"),
        (5351, 5470, "97,82"),
        (19, 20, "95,00"),
        (1189, 1194, "99,58"),
        (479392, 479393, "99,99"),
        (1, 479393, "0,01"),
        (0, 0, "—"),
        (0, 7, "0,00"),
        (7, 7, "100,00"),
        (1, 800, "0,13"),
        (1, 3, "33,33"),
        (2, 3, "66,67"),
    ],
)
def test_shares_of_the_reference(n, d, share):
    assert ratios.share(n, d) == share


@pytest.mark.parametrize("n, d", [(1, 0), (8, 7), (-1, 7), (0, -1)])
def test_what_is_no_part_is_an_error(n, d):
    for function in (ratios.share, ratios.text, ratios.headline):
        with pytest.raises(ValueError, match="no part"):
            function(n, d)


def test_text_carries_its_counts():
    assert ratios.text(441042, 479393) == "92,00 % (441.042/479.393)"
    assert ratios.text(0, 0) == "—"
    assert Measure(5351, 5470).text == "97,82 % (5.351/5.470)"


@pytest.mark.parametrize(
    "n, d, headline",
    [
        (441042, 479393, "92"),
        (9196, 10000, "91,96"),
        (91_996, 100_000, "92"),
        (91_995, 100_000, "92,00"),
        (479392, 479393, "99,99"),
        (1, 479393, "0,01"),
        (1, 1, "100"),
        (0, 1, "0"),
        (0, 0, "—"),
    ],
)
def test_a_headline_is_whole_only_when_it_is_honest(n, d, headline):
    assert ratios.headline(n, d) == headline


def test_a_target_is_met_by_the_counts_not_by_the_text():
    assert ratios.share(441041, 479393) == "92,00"
    assert ratios.met(441041, 479393, 92) is False
    assert ratios.met(441042, 479393, 92) is True
    assert ratios.met(975, 1000, Fraction("97.5")) is True
    assert ratios.met(974, 1000, Fraction("97.5")) is False
    assert ratios.met(0, 0, 92) is None


@pytest.mark.parametrize(
    "n, d, target, more, fewer",
    [(1, 100, 5, False, True), (5, 100, 5, True, True), (50, 100, 5, True, False), (51, 1000, 5, True, False), (49, 1000, 5, False, True),
     (8, 7, 100, True, False), (0, 0, 5, None, None), (-1, 7, 0, False, True)],
)  # fmt: skip
def test_a_target_is_reached_from_below_or_from_above(n, d, target, more, fewer):
    assert (ratios.met(n, d, target), ratios.met(n, d, target, more=False)) == (more, fewer)


@given(PARTS)
def test_a_share_lies_between_nothing_and_all_and_says_them_only_when_exact(part):
    n, d = part
    shown = Fraction(ratios.share(n, d).replace(",", "."))
    assert (shown == 0) == (n == 0)
    assert (shown == 100) == (n == d)
    assert abs(shown - Fraction(100 * n, d)) < Fraction(1, 100)


def _sum(texts):
    return sum(Fraction(text.replace(",", ".")) for text in texts)


def test_shares_of_can_tho():
    counts = {"E": 441042, "S": 14382, "N": 0, "P": 23969}
    assert ratios.shares(counts) == {"E": "92,00", "S": "3,00", "N": "0,00", "P": "5,00"}


@pytest.mark.parametrize(
    "counts, shares",
    [
        ({"E": 1, "S": 1, "N": 1}, {"E": "33,34", "S": "33,33", "N": "33,33"}),
        ({"E": 0, "S": 0}, {"E": "—", "S": "—"}),
        ({"E": 5, "S": 0}, {"E": "100,00", "S": "0,00"}),
        ({"E": 10**6, "S": 1}, {"E": "99,99", "S": "0,01"}),
        ({"E": 10**6, "S": 1, "N": 1, "P": 1}, {"E": "99,97", "S": "0,01", "N": "0,01", "P": "0,01"}),
        ({"N": 9, "S": 30_005, "E": 69_986}, {"N": "0,01", "S": "30,00", "E": "69,99"}),
        ({"S": 1, "E": 10**6, "N": 250_000}, {"S": "0,01", "E": "79,99", "N": "20,00"}),
    ],
)
def test_shares_add_up(counts, shares):
    assert ratios.shares(counts) == shares


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5).filter(any))
def test_shares_always_add_up_to_all_and_hide_nothing(numbers):
    counts = dict(zip("ESNUP", numbers, strict=False))
    shares = ratios.shares(counts)
    assert _sum(shares.values()) == 100
    for name, n in counts.items():
        assert (shares[name] == "0,00") == (n == 0)
        assert (shares[name] == "100,00") == (n == sum(numbers))


def test_small_ones_are_not_ranked():
    assert [ratios.ranked(d) for d in (0, 19, 20)] == [False, False, True]
