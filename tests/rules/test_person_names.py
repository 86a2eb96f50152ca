import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import folding, person_names

SAME = [
    ("Nguyễn Văn An", "Nguyễn Văn An"),
    ("Nguyễn Văn An", "NGUYỄN VĂN AN"),
    ("Nguyễn Văn An", "NGUYEN VAN AN"),
    ("nguyen van an", "Nguyễn  Văn\u00a0An "),
    ("Nguyễn Văn An", unicodedata.normalize("NFD", "Nguyễn Văn An")),
    ("Trần Thị Hoà", "Trần Thị Hòa"),
    ("Lê Thuý", "Lê Thúy"),
    ("Đỗ Đức", "DO DUC"),
    ("ThS. Nguyễn Văn An", "Nguyễn Văn An"),
    ("PGS.TS. Nguyễn Văn An", "NGUYEN VAN AN"),
    ("Bà Trần Thị Hoa", "Trần Thị Hoa"),
    ("Ông Ích Khiêm", "ONG ICH KHIEM"),
    ("Ông Ích Khiêm", "Ông Ích Khiêm"),
    ("Bá Văn An", "BA VAN AN"),
    ("Nguyễn Văn An (Sở Y tế)", "Nguyễn Văn An"),
    ("Nguyễn Văn An - Giám đốc", "Nguyễn Văn An"),
    ("Y-Nguyên Niê", "Y-NGUYÊN NIÊ"),
    ("", "Nguyễn Văn An"),
    ("Nguyễn Văn An", " "),
]
DIFFERENT = [
    ("Nguyễn Văn Hùng", "Nguyễn Văn Hưng"),
    ("Nguyễn Văn An", "Nguyễn Văn Ân"),
    ("Nguyễn Văn An", "Trần Văn An"),
    ("Nguyễn Văn An", "Nguyễn An"),
    ("Nguyễn Văn An", "Nguyễn Văn Anh"),
    ("NGUYEN VAN AN", "NGUYEN VAN ANH"),
    ("Lê Hòa", "Lê Hóa"),
    ("Nguyễn Văn An", "Văn An Nguyễn"),
    ("Sở Y tế", "Nguyễn Văn An"),
]


@pytest.mark.parametrize("one, other", SAME, ids=" = ".join)
def test_the_same_name(one, other):
    assert person_names.same(one, other)
    assert person_names.same(other, one)


@pytest.mark.parametrize("one, other", DIFFERENT, ids=" - ".join)
def test_another_name(one, other):
    assert not person_names.same(one, other)
    assert not person_names.same(other, one)


names = st.lists(
    st.sampled_from(["Nguyễn", "Đặng", "Thị", "Hòa", "Hùng", "Hưng", "Ích", "Ông"]), min_size=1, max_size=4
).map(" ".join)


@given(names)
def test_a_name_is_the_same_in_capitals_without_marks_decomposed_and_with_a_title(name):
    for written in (name.upper(), folding.plain(name), unicodedata.normalize("NFD", name), f"ThS. {name}"):
        assert person_names.same(name, written)


@given(names, names)
def test_comparing_does_not_depend_on_the_side(one, other):
    assert person_names.same(one, other) is person_names.same(other, one)
