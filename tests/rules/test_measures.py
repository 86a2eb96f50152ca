"""Measures as a table: the published figures as they must come out, and groups as sums over sums."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import texts
from exchange.rules import measures

CAN_THO = {"E": 441_042, "S": 14_382, "P": 23_969}


@pytest.mark.parametrize(
    "figures, name, text",
    [
        (CAN_THO, "M1", "92,00 % (441.042/479.393)"),
        (CAN_THO, "M2", "3,00 % (14.382/479.393)"),
        (CAN_THO, "M3", "95,00 % (455.424/479.393)"),
        (CAN_THO, "M4", "5,00 % (23.969/479.393)"),
        ({"numbers_known": 5_351, "numbers_highest": 5_470}, "M18", "97,82 % (5.351/5.470)"),  # An Giang 2021
        ({"agencies_sealed": 411, "agencies": 452}, "M11", "90,93 % (411/452)"),
        (
            {"agencies_connected": 19, "agencies": 20},
            "M20",
            "95,00 % (19/20)",
        ),  # Cao Bằng: 19 of 20 departments
        ({"E": 2, "S": 3, "S_unjustified": 1}, "M7", "20,00 % (1/5)"),
        ({"documents": 4, "documents_E": 3, "in_all": 6, "in_E": 3}, "M6", "60,00 % (6/10)"),
        ({"sent_same_day": 1, "sent_next_morning": 1, "sent_late": 2}, "M12", "50,00 % (2/4)"),
        ({}, "M1", "—"),
    ],
)
def test_published_figures_and_formulas(figures, name, text):
    assert measures.of(figures)[name].text == text


def test_measures_of_a_tally():
    found = measures.of_classes({"E": 6, "S": 1, "N": 2, "U": 3, "P": 8, "X": 50}, grade_a=4)
    assert found == {"M1": (6, 20), "M2": (1, 20), "M3": (12, 20), "M4": (8, 20), "M19": (4, 6)}


def test_measures_of_the_seed():
    found = measures.of_classes({"E": 441042, "S": 14382, "P": 23969})
    assert [found[name].text for name in ("M1", "M2", "M3", "M4")] == [
        "92,00 % (441.042/479.393)",
        "3,00 % (14.382/479.393)",
        "95,00 % (455.424/479.393)",
        "5,00 % (23.969/479.393)",
    ]


def test_measures_of_nothing():
    assert {measure.text for measure in measures.of_classes({}).values()} == {"—"}


def test_every_measure_of_the_rules_has_its_names():
    ids = {one.id.partition("_")[0] for one in measures.TABLE} | {"M14"}
    assert ids == {f"M{number}" for number in range(1, 21)}
    for language in texts.LANGUAGES:
        for name in (*measures.DEFINITIONS, *measures.SPANS):
            assert texts.say(f"measure.{name}", language)
            assert texts.say(f"measure_note.{name.partition('_')[0]}", language)
        for name in measures.FIGURES:
            assert texts.say(f"figure.{name}", language)


FIGURES = st.fixed_dictionaries({name: st.integers(0, 1000) for name in measures.FIGURES})


@given(st.lists(FIGURES, min_size=1, max_size=5))
def test_a_group_is_the_sum_over_the_sum(parts):
    whole = measures.of(measures.together(parts))
    each = [measures.of(part) for part in parts]
    for name, one in whole.items():
        assert one == (sum(part[name].n for part in each), sum(part[name].d for part in each))


def test_names_are_words_that_a_formula_can_hold():
    letters = set(string.ascii_letters + string.digits + "_")
    assert all(set(name) <= letters for name in (*measures.FIGURES, *measures.DEFINITIONS))
    assert not set(measures.FIGURES) & set(measures.DEFINITIONS)
