"""Gaps in a series of numbers: cases by hand, and what must hold of every series."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import number_series
from exchange.rules.number_series import Gap

CASES = {
    # numbers: first, last, present, gaps, others
    (): (None, None, 0, [], ()),
    ("1", "2", "3"): (1, 3, 3, [], ()),
    ("3", "1", "3"): (1, 3, 2, [(2, 2)], ()),
    ("5",): (5, 5, 1, [(1, 4)], ()),
    ("1", "10", "11", "13"): (1, 13, 4, [(2, 9), (12, 12)], ()),
    ("1", "1A", "34E31", "", "0", "02/2025", "²", "12345678"): (
        1, 1, 1, [], ("", "0", "02/2025", "12345678", "1A", "34E31", "²")),
}  # fmt: skip


@pytest.mark.parametrize("numbers", CASES, ids=ascii)
def test_by_hand(numbers):
    found = number_series.of(numbers)
    gaps = [(gap.first, gap.last) for gap in found.gaps]
    assert (found.first, found.last, found.present, gaps, found.others) == CASES[numbers]


def test_what_is_explained_is_no_gap():
    found = number_series.of(["1", "4"], explained=["2", "4"])
    assert (found.gaps, tuple(found.complete), found.explained) == ((Gap(first=3, last=3),), (3, 4), 1)


def test_an_explanation_makes_no_series_longer():
    found = number_series.of(["1", "2", "x"], explained=map(str, range(501, 506)))
    assert (found.gaps, found.complete, found.explained, found.others) == ((), (2, 2), 0, ("x",))
    assert number_series.of([], explained=["1"]).complete == (0, 0)


def test_completeness_of_nothing_is_none():
    assert number_series.of(["1A"]).complete.text == "—"
    assert number_series.of(["1", "4"]).complete.text == "50,00 % (2/4)"


rows = st.lists(st.integers(1, 60), max_size=40)


@given(rows, st.lists(st.sampled_from(["1A", "x", "7/2025", ""]), max_size=4), st.randoms())
def test_gaps_and_numbers_make_the_whole_row(numbers, others, random):
    given_ = [*map(str, numbers), *others]
    random.shuffle(given_)
    found = number_series.of(given_)
    missing = {number for gap in found.gaps for number in range(gap.first, gap.last + 1)}
    last = max(numbers, default=0)
    assert missing == set(range(1, last + 1)) - set(numbers)
    assert sum(gap.size for gap in found.gaps) == len(missing) == last - found.present
    assert all(a.last + 1 < b.first for a, b in zip(found.gaps, found.gaps[1:], strict=False))
    assert found.complete == (len(set(numbers)), last)
    assert found.others == tuple(sorted(set(others)))
    assert number_series.of(reversed(given_)) == found


@given(rows, rows)
def test_one_more_number_never_makes_a_series_less_whole_below_it(numbers, more):
    less, found = number_series.of(map(str, numbers)), number_series.of(map(str, [*numbers, *more]))
    if less.last == found.last:
        assert found.complete.n >= less.complete.n
