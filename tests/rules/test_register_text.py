"""Old fonts' text is seen for what it is, and Unicode Vietnamese never."""

import pytest
import register_files
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import document_types, register_books, register_text

PHRASES = (
    "Sở Y tế", "Công văn về việc triển khai kế hoạch", "Ủy ban nhân dân thành phố Cần Thơ", "Đề nghị báo cáo tình hình",
    "Phòng Giáo dục và Đào tạo huyện Vĩnh Thạnh", "Giấy mời họp giao ban", "Nguyễn Thị Thu Hồng", "Trần Văn Được",
    "Quyết định bổ nhiệm cán bộ", "Tờ trình phê duyệt đề án", "Hướng dẫn thực hiện nghị định", "Chi cục Thủy sản",
)  # fmt: skip
UNICODE = (
    "Noël Müller", "Hoà Bình", "khoá học", "thuỷ lợi", "Sở Y tế «mới»", "© 2026", "10 m² · 5°", "São Tomé", "François",
    "Xã Hoà An", "NGÕ 5", "loã", "uý", "Công ty Nestlé", "AN TOÀN", "Số 5 § 3", "½ ngày", "Hà Tú", "Lê Á Âu", "Úy",
)  # fmt: skip


@pytest.mark.parametrize("font", ["tcvn3", "vni"])
def test_a_book_in_an_old_font_is_seen(font):
    seen = register_text.Seen()
    for phrase in PHRASES:
        seen.line([getattr(register_files, font)(phrase), "12/CV", "05/01/2026"])
    assert (seen.verdict, seen.marked) == (font, len(PHRASES))


@pytest.mark.parametrize("font", ["tcvn3", "vni"])
def test_most_cells_show_it_by_themselves(font):
    shown = [register_text.foreign(getattr(register_files, font)(phrase)) for phrase in PHRASES]
    assert set(shown) <= {font, ""}
    assert shown.count(font) >= 9


@pytest.mark.parametrize("text", [*PHRASES, *UNICODE])
def test_unicode_is_not(text):
    assert register_text.foreign(text) == ""


def test_nor_are_the_names_of_kinds_and_columns():
    said = [kind.name for kind in document_types.table()]
    said += [
        alias
        for book in register_books.books().values()
        for column in book.columns
        for alias in column.aliases
    ]
    seen = register_text.Seen()
    assert {seen.line([one]) for one in said} == {""}
    assert len(said) > 150
    assert seen.verdict == ""


@given(
    st.lists(
        st.sampled_from(
            [*"àảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ", *"bcdghklmnpqrstvx "]
        )
    )
)
def test_a_cell_with_a_letter_that_only_vietnamese_has_is_unicode(letters):
    assert register_text.foreign("".join(letters) + "ữ") == ""


def test_decoded_by_the_wrong_table():
    assert register_text.foreign("Sở Y tế".encode().decode("cp1252", errors="replace")) == "mixed_up"
    assert register_text.foreign("Công văn".encode().decode("latin-1")) == "mixed_up"


def test_one_foreigner_in_ten_lines_proves_nothing():
    seen = register_text.Seen()
    for phrase in (*PHRASES, "Noël"):
        assert seen.line([phrase]) == ""
    assert seen.verdict == ""


def test_bytes_of_old_fonts_and_of_other_tables():
    lines = "\n".join(PHRASES)
    assert register_text.of_bytes(register_files.tcvn3(lines).encode("cp1252", errors="replace")) == "tcvn3"
    assert register_text.of_bytes(register_files.vni(lines).encode("cp1252")) == "vni"
    assert register_text.of_bytes("Sổ đăng ký".encode("cp1258", errors="replace")) == ""
