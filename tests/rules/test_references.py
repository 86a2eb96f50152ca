"""Number and notation in one text: compared whatever zeros, spaces and case, and looked up by every number it may mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import references

NUMBERS = st.builds(
    "{}{}".format,
    st.sampled_from(("", "0", "00")),
    st.from_regex(r"[1-9][0-9]{0,3}(/20[0-9]{2})?[ABĐ]?", fullmatch=True),
)
NOTATIONS = st.from_regex(r"[A-ZĐƯa-zđ]{1,4}(-[A-Z]{1,4}|/NĐ-CP)?", fullmatch=True)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("7816/VPCP-TTĐT", " 07816 / vpcp-ttđt", True),
        ("15/2026/NĐ-CP", "015/2026/NĐ-CP", True),
        ("15/QĐ-UBND", "15/QĐ-UBND", True),
        ("15/QĐ-UBND", "15/QD-UBND", False),
        ("15/QĐ-UBND", "150/QĐ-UBND", False),
        ("15/QĐ-UBND", "15QĐ-UBND", False),
    ],
    ids=["zeros", "two-slashes", "nfc", "marks", "digits", "slash"],
)  # fmt: skip
def test_what_is_the_same(one, other, same):
    assert (references.key(one) == references.key(other)) is same


@pytest.mark.parametrize("text", ["", " ", "/", "//", "00", "x" * 401], ids=["none", "blank", "slash", "two", "zeros", "long"])  # fmt: skip
def test_what_names_nothing(text):
    assert references.key(text) == ""


@given(NUMBERS, NOTATIONS)
def test_a_document_is_found_by_its_own_reference(number, notation):
    key = references.key(references.joined(number, notation))
    assert number in references.numbers(key)
    assert key == references.key(references.joined(number.lstrip("0"), notation.upper()))


def test_lookups_are_few():
    assert 0 < len(references.numbers("A/" * 200)) <= 18
    assert references.numbers("15") == ()
