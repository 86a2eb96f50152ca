import pytest

from exchange.rules import document_types

NOT_LISTED = (
    "Biên bản",
    "Hợp đồng",
    "Bản ghi nhớ",
    "Bản thỏa thuận",
    "Giấy giới thiệu",
    "Giấy nghỉ phép",
    "Thư công",
)


def test_the_decree_has_29_kinds_in_its_order():
    positions = [kind.position for kind in document_types.table() if kind.position is not None]
    assert positions == list(range(1, 30))


def test_the_letter_of_2020_lists_26_kinds_4_of_them_normative():
    listed = [kind for kind in document_types.table() if kind.without_paper]
    assert len(listed) == 26
    assert sum(kind.position is None for kind in listed) == 4
    assert all("775/VPCP-KSTT" in kind.source for kind in listed)


@pytest.mark.parametrize("name", NOT_LISTED)
def test_seven_kinds_of_the_decree_may_need_paper(name):
    assert not document_types.without_paper(name)
    assert document_types.named(name, "") == name


def test_the_seven_are_all_that_the_decree_has_beyond_the_list():
    assert tuple(kind.name for kind in document_types.table() if not kind.without_paper) == NOT_LISTED


@pytest.mark.parametrize(
    "name",
    ["Công văn", "CÔNG VĂN", " công\u00a0 văn ", "cong van", "Co\u0302ng va\u0306n", "Công văn (khẩn)"],
)
def test_names_are_known_however_they_are_written(name):
    assert document_types.without_paper(name)
    assert document_types.named(name, "") == "Công văn"


@pytest.mark.parametrize(
    "name, other", [("Bản thoả thuận", "Bản thỏa thuận"), ("Giấy uỷ quyền", "Giấy ủy quyền")]
)
def test_both_ways_to_set_the_tone_mark_are_one_name(name, other):
    assert document_types.named(name, "") == other


def test_folded_names_are_distinct_but_for_the_two_that_are_one():
    folded = [document_types.fold(kind.name) for kind in document_types.table()]
    assert sorted({name for name in folded if folded.count(name) > 1}) == ["nghi quyet", "quyet dinh"]


@pytest.mark.parametrize(
    "type_name, notation, named",
    [
        ("Quyết định", "BC-UBND", "Quyết định"),
        ("", "QĐ-UBND", "Quyết định"),
        ("", "QyĐ-SNV", "Quy định"),
        ("", "HD-SNV", "Hướng dẫn"),
        ("", "HĐ-SNV", "Hợp đồng"),
        ("", "DA-SNV", "Dự án"),
        ("", "ĐA-SNV", "Đề án"),
        ("", "STC-BCTC", ""),
        ("", "", ""),
        ("Lời chúc", "", ""),
        ("Lời chúc", "TB-UBND", "Thông báo"),
    ],
)
def test_the_kind_is_told_by_name_then_by_notation(type_name, notation, named):
    assert document_types.named(type_name, notation) == named
