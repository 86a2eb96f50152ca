import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.edxml import capacity, codes, model, read, view, write

CASES = [
    # Competence, Position, codes
    ("KT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "KT"),
    ("KT.CHỦ TỊCH", "", "KT"),
    ("Kt. Giám đốc", "", "KT"),
    ("KT", "", "KT"),
    ("K/T CHỦ TỊCH", "", "KT"),
    ("Ký thay Giám đốc", "", "KT"),
    ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH", "TM"),
    ("Thay mặt Ủy ban nhân dân", "", "TM"),
    ("TM. ỦY BAN NHÂN DÂN\nKT. CHỦ TỊCH", "PHÓ CHỦ TỊCH", "TM KT"),
    ("TM. UBND; KT. CHỦ TỊCH", "", "TM KT"),
    ("TM. UBND - KT. CHỦ TỊCH", "", "TM KT"),
    ("TM. UBND", "KT. CHỦ TỊCH", "TM KT"),
    ("TL. GIÁM ĐỐC", "CHÁNH VĂN PHÒNG", "TL"),
    ("Thừa lệnh Giám đốc", "", "TL"),
    ("TUQ. GIÁM ĐỐC", "", "TUQ"),
    ("Thừa ủy quyền Giám đốc", "", "TUQ"),
    ("THỪA UỶ QUYỀN GIÁM ĐỐC", "", "TUQ"),
    ("Q. GIÁM ĐỐC", "", "Q"),
    ("", "Quyền Giám đốc", "Q"),
    ("", "Phụ trách Sở", "PT"),
    ("", "PHÓ CHỦ TỊCH", ""),
    ("", "Quản lý dự án", ""),
    ("", "Trưởng phòng KT", ""),
    ("", "Tlgđ", ""),
    ("", "Người được ủy quyền", ""),
    ("", "", ""),
]


@pytest.mark.parametrize("competence, position, expected", CASES)
def test_capacities(competence, position, expected):
    signer = model.Signer(competence=competence, position=position)
    assert capacity.of(signer) == tuple(expected.split())


def test_each_has_its_meaning_in_both_languages():
    signer = model.Signer(competence="TM. UBND\nKT. CHỦ TỊCH")
    assert capacity.named(signer) == [
        {"code": "TM", "name": "Thay mặt tập thể"},
        {"code": "KT", "name": "Ký thay người đứng đầu"},
    ]
    assert capacity.named(signer, "en")[1]["name"] == "For the head of the agency"
    assert all(row["name_vi"] and row["name_en"] and row["source"] for row in codes.CAPACITIES.values())


def test_a_letters_facts_tell_the_capacity():
    letter = model.Letter(
        sender=model.Party(code="H13.01"), recipients=(model.Party(code="H13.02"),), document_id="x", number="1",
        notation="CV", issued_on=None, subject="x", signer=model.Signer(competence="KT. GIÁM ĐỐC"),
    )  # fmt: skip
    shown = view.facts(read.read(write.write(letter)))
    assert shown["capacity"] == [{"code": "KT", "name": "Ký thay người đứng đầu"}]


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_is_too_strange(competence, position):
    assert set(capacity.of(model.Signer(competence=competence, position=position))) <= set(codes.CAPACITIES)
