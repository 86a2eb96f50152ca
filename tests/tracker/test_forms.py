"""Reports on paper: the figures of the report and no others, in the form of Decree 30/2020, whatever stands in a cell."""

import io
import re
from dataclasses import replace
from pathlib import Path

import paper_cases as paper
import pytest
import reportlab
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from paper_cases import ISSUED, TOLD, flat
from pypdf import PdfReader
from reportlab.graphics.shapes import String

from exchange import texts
from exchange.rules.ratios import Measure, Unproven
from exchange.tracker.forms import (
    columns,
    compose,
    drawn,
    fonts,
    page,
    pdf,
    pdf_charts,
    periodic,
    word,
    word_charts,
    word_parts,
)
from exchange.tracker.forms.page import Grid, Text
from exchange.tracker.reports import worded, written
from exchange.tracker.reports.report import Column, Line, Report, Table, Word

MILLIMETRE = 72 / 25.4
ROWS = 90
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


@pytest.fixture(scope="module")
def large():
    return compose.form(paper.usage_report(ROWS), TOLD, ISSUED)


@pytest.fixture(scope="module")
def large_pdf(large):
    paper.font()
    return pdf.write(large)


@pytest.fixture(scope="module")
def large_pages(large_pdf):
    return paper.pages(large_pdf)


@pytest.fixture(scope="module")
def large_docx(large):
    return word.write(large)


@pytest.fixture(scope="module")
def year():
    return periodic.form(paper.periodic(), TOLD, ISSUED)


@pytest.fixture(scope="module")
def year_pdf(year):
    paper.font()
    return pdf.write(year)


@pytest.fixture(scope="module")
def year_docx(year):
    return word.write(year)


def expected_rows(report):
    table = report.table
    heading = [written.heading(table, column, "vi") for column in table.columns]
    rows = [[worded.text(value, "vi") for value in row] for row in table.rows]
    total = ["Cộng", *(worded.text(value, "vi") for value in table.total[1:])]
    return [heading, *rows, total]


def test_the_pdf_has_every_row_as_the_report_has_it(large_pages):
    text = flat("".join(large_pages))
    for row in expected_rows(paper.usage_report(ROWS)):
        assert flat("".join(row)) in text, row


def test_the_docx_has_the_same_table(large_docx):
    assert paper.rows_of(large_docx, 2) == expected_rows(paper.usage_report(ROWS))


def test_measures_and_head_stand_in_both(large_pages, large_docx):
    shown = flat("".join(large_pages)), flat("".join(paper.paragraphs(large_docx)))
    for said in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "ỦY BAN NHÂN DÂN THÀNH PHỐ CẦN THƠ",
        "SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "Số: /BC-…", "Cần Thơ, ngày tháng năm 2026", "BÁO CÁO", "Sử dụng chữ ký số",
        "Kỳ báo cáo: 2019 (01/01/2019 – 31/12/2019)", "Phạm vi: mọi cơ quan", "Phiên bản: tạm tính",
        "Mốc dữ liệu: 21/11/2026 09:30", "92,57 % (4.000/4.321)", "Biểu 01", "Nơi nhận:",
        "- Ủy ban nhân dân thành phố Cần Thơ (để báo cáo);", "- Lưu: VT", "QUYỀN HẠN, CHỨC VỤ", "Họ và tên",
        "Quyết định số 28/2018/QĐ-TTg", "Chú thích: Văn bản: một số, ký hiệu",
    ):  # fmt: skip
        assert all(flat(said) in text for text in shown), said


def test_only_embedded_letters(year_pdf):
    found = set()
    for one in PdfReader(io.BytesIO(year_pdf)).pages:
        for font in one["/Resources"]["/Font"].values():
            described = font.get_object()
            found.add(described["/BaseFont"])
            assert "/FontFile2" in described["/FontDescriptor"], described["/BaseFont"]
    assert {name.partition("+")[2] for name in found} >= {"LiberationSerif", "LiberationSerif-Bold", "LiberationSerif-Italic"} or \
        {name.partition("+")[2] for name in found} >= {"Tinos", "Tinos-Bold", "Tinos-Italic"}  # fmt: skip


def test_pages_are_numbered_from_the_second_on_in_the_upper_margin(large_pdf, large_pages):
    shown = large_pages
    assert len(shown) > 4
    assert shown[0].split("\n")[0].strip() != "1"
    assert [text.split("\n")[0].strip() for text in shown[1:]] == [
        str(one) for one in range(2, len(shown) + 1)
    ]
    for number, one in enumerate(PdfReader(io.BytesIO(large_pdf)).pages[1:], 2):
        ((_, y),) = [(x, y) for text, x, y in placed(one) if text == str(number) and y > top(one)]
        assert y < float(one.mediabox.height)


def placed(one):
    """Every piece of text of a page, and where it begins."""
    found = []
    one.extract_text(
        visitor_text=lambda text, cm, tm, *_: found.append((text.strip(), tm[4] + cm[4], tm[5] + cm[5]))
    )
    return [piece for piece in found if piece[0]]


def top(one):
    return float(one.mediabox.height) - page.TOP * MILLIMETRE


def test_text_keeps_within_the_margins(large_pdf):
    for one in PdfReader(io.BytesIO(large_pdf)).pages:
        within = [(x, y) for text, x, y in placed(one) if y <= top(one)]
        assert min(x for x, _ in within) >= page.LEFT * MILLIMETRE - 0.1
        assert max(x for x, _ in within) <= float(one.mediabox.width) - page.RIGHT * MILLIMETRE
        assert min(y for _, y in within) >= page.BOTTOM * MILLIMETRE


def test_a_wide_table_lies_and_repeats_its_headings(large_pdf, large_pages, large_docx):
    sizes = [(round(float(one.mediabox.width)), round(float(one.mediabox.height))) for one in PdfReader(io.BytesIO(large_pdf)).pages]  # fmt: skip
    assert sizes[0] == (595, 842)
    assert set(sizes[-4:]) == {(842, 595)}
    heading = flat("Không dùng >90 ngày")
    lying = [text for text, size in zip(large_pages, sizes, strict=True) if size[0] > size[1]]
    assert all(heading in flat(text) for text in lying)
    sections = Document(io.BytesIO(large_docx)).sections
    assert [one.orientation for one in sections] == [WD_ORIENT.PORTRAIT, WD_ORIENT.LANDSCAPE]
    first = Document(io.BytesIO(large_docx)).tables[2]._tbl.tr_lst[0]
    assert first.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None


def test_the_docx_is_laid_as_the_decree_says(year_docx):
    document = Document(io.BytesIO(year_docx))
    for one in document.sections:
        assert {round(one.page_width.mm), round(one.page_height.mm)} == {210, 297}
        margins = (one.top_margin, one.bottom_margin, one.left_margin, one.right_margin)
        assert [round(margin.mm) for margin in margins] == [20, 20, 30, 15]
    assert [one.different_first_page_header_footer for one in document.sections] == [True, False]
    head = document.sections[0].header
    assert [one.text for one in head._element.iter(qn("w:instrText"))] == ["PAGE"]
    assert document.sections[0].first_page_header.paragraphs[0].text == ""
    assert document.sections[1].header.is_linked_to_previous
    normal = document.styles["Normal"]
    names = normal.element.rPr.find(qn("w:rFonts"))
    assert {names.get(qn(f"w:{one}")) for one in ("ascii", "hAnsi", "cs", "eastAsia")} == {"Times New Roman"}
    assert normal.element.rPr.find(qn("w:lang")).get(qn("w:val")) == "vi-VN"
    body = document.styles["congvan body"]
    assert (body.font.size.pt, round(body.paragraph_format.first_line_indent.mm)) == (14, 10)
    about = document.core_properties
    assert (about.author, about.comments) == ("SỞ THÔNG TIN VÀ TRUYỀN THÔNG", "")
    assert about.created.replace(tzinfo=None) == paper.AT.replace(tzinfo=None)


def test_the_year_has_its_headings_in_order_and_room_for_the_author(year_pdf, year_docx):
    order = [
        "BÁO CÁO", "Kết quả gửi, nhận văn bản điện tử và sử dụng chữ ký số", "Căn cứ Quyết định", "Căn cứ Nghị định",
        "I. KẾT QUẢ", "1. Gửi, nhận văn bản điện tử", "92,00 % (441.042/479.393)", "95,00 % (455.424/479.393)",
        "2. Sử dụng chữ ký số", "3. Thời hạn gửi, tiếp nhận", "II. TỒN TẠI, HẠN CHẾ", "III. KIẾN NGHỊ", "……………",
        "Biểu 02 kèm theo", "Nơi nhận:", "Biểu 02", "SỬ DỤNG CHỮ KÝ SỐ", "(Kèm theo Báo cáo số",
    ]  # fmt: skip
    for text in (flat("".join(paper.pages(year_pdf))), flat("".join(paper.paragraphs(year_docx)))):
        at = 0
        for said in order:
            at = text.find(flat(said), at)
            assert at >= 0, said


def charts_of(raw):
    """Names and values of the series of each chart of a DOCX."""
    package = Document(io.BytesIO(raw)).part.package
    parts = sorted(
        (one for one in package.iter_parts() if "/charts/" in one.partname), key=lambda one: one.partname
    )
    found = []
    for part in parts:
        tree = word_charts_tree(part.blob)
        found.append(
            [
                (
                    series.find(f"{CHART}tx/{CHART}v").text,
                    [
                        (int(one.get("idx")), float(one[0].text))
                        for one in series.iterfind(f"{CHART}val//{CHART}pt")
                    ],
                )
                for series in tree.iter(f"{CHART}ser")
            ]
        )
    return found


def word_charts_tree(blob):
    from docx.oxml import parse_xml

    return parse_xml(blob)


def test_charts_hold_the_figures(year_docx, year_pdf):
    bar, line = charts_of(year_docx)
    assert [values for _, values in bar] == [[(0, float(n))] for n in paper.SENT.values()]
    assert bar[0][0] == "Hoàn toàn điện tử: 441.042 (92,00 %)"
    (_, months), (_, target) = line
    assert dict(months) == {place: 88.5 + 0.5 * place for place in range(12) if place != 3}
    assert {value for _, value in target} == {92.0}
    text = flat("".join(paper.pages(year_pdf)))
    for name, share in zip(paper.SENT, ("92,00", "3,00", "0,00", "0,00", "5,00"), strict=True):
        n = f"{paper.SENT[name]:,}".replace(",", ".")
        assert flat(f"{texts.say(f'class.{name}')}: {n} ({share} %)") in text
    assert "88,50" in text
    assert flat("Mục tiêu 92 %") in text


def bars(year):
    return [one for one in year.blocks if isinstance(one, page.Shares)]


def test_parts_of_the_bar_add_up(year):
    (bar,) = bars(year)
    assert sum(n for _, n, _ in bar.parts) == 479_393
    assert sum(int(share.replace(",", "")) for _, _, share in bar.parts) == 10_000


NAMES = ("place", "code", "E", "S", "N", "U", "P")


def with_total(total):
    columns_of = [Column(name=name) for name in NAMES]
    return Report(code="BC-02", asked=paper.ASKED, scope=[], table=Table(name="BC-02", columns=columns_of, rows=[], total=total))  # fmt: skip


def test_charts_come_from_the_reports_own_rows():
    (bar,) = drawn.charts(with_total([None, None, 6, 1, 2, 0, 1]), TOLD, 50)
    assert [n for _, n, _ in bar.parts] == [6, 1, 2, 0, 1]
    cards = Table(
        name="BC-01",
        columns=[Column(name="card"), Column(name="n")],
        rows=[[Word("card.total"), 4], [Word("class.E"), 3], [Word("class.P"), 1]],
    )
    (bar,) = drawn.charts(replace(with_total(None), table=cards), TOLD)
    assert [(n, share) for _, n, share in bar.parts] == [(3, "75,00"), (0, "0,00"), (0, "0,00"), (0, "0,00"), (1, "25,00")]  # fmt: skip
    trend = Table(
        name="BC-04",
        columns=[Column(name="period"), Column(name="m1")],
        rows=[
            ["2019-01", Measure(1, 2)],
            ["2019-02", Measure(0, 0)],
            ["2019-03", Measure(999_999, 1_000_000)],
        ],
    )
    (line,) = drawn.charts(replace(with_total(None), table=trend), TOLD)
    assert line.points == [("2019-01", 50.0), ("2019-02", None), ("2019-03", 99.99)]
    assert drawn.charts(paper.usage_report(2), TOLD) == []
    assert drawn.charts(with_total([None, None, 0, 0, 0, 0, 0]), TOLD) == []


def test_a_chart_says_all_only_of_all():
    block = drawn.trend([("2019-01", Measure(999_999, 1_000_000)), ("2019-02", Measure(2, 2))], TOLD)
    said = [one.text for one in pdf_charts.trend(block, str).contents if isinstance(one, String)]
    assert ("99,99" in said, "100,00" in said, "100,0" in said) == (True, True, False)
    assert '<c:numFmt formatCode="0.00" sourceLinked="0"/><c:dLblPos' in "".join(word_charts._chart(block))


@pytest.mark.parametrize("target", [None, 92])
@pytest.mark.parametrize("language, doubt", [("vi", "chưa đủ căn cứ"), ("en", "not enough evidence")])
def test_a_month_without_a_point_may_be_one_without_proof(language, doubt, target):
    """Of February 41 transfers were counted: its gap must not read as none."""
    points = [("01", Measure(9, 10)), ("02", Unproven(40, 41)), ("03", Measure(8, 9))]
    line = drawn.trend(points, replace(TOLD, language=language), target)
    assert [share is None for _, share in line.points] == [False, True, False]
    assert doubt in line.legend


def test_too_little_evidence_gives_no_percentage_in_the_headline_and_no_line():
    made = periodic.form(paper.periodic(registers=(12, 452)), TOLD, ISSUED)
    said = [one.text for one in made.blocks if isinstance(one, Text)]
    assert any("chưa đủ căn cứ" in one and "12/452" in one for one in said)
    assert not any("So với mục tiêu" in one for one in said)
    assert not any(isinstance(one, page.Trend) for one in made.blocks)


def test_a_short_narrow_table_stands_in_the_text():
    columns_of = [Column(name=name) for name in ("issuer", "organisation", "all")]
    table = Table(name="issued", columns=columns_of, rows=[["Ban Cơ yếu", 1, 2]], total=["", 1, 2])
    made = compose.form(replace(paper.usage_report(1), table=table), TOLD, ISSUED)
    assert not made.annexes
    assert [one.rows for one in made.blocks if isinstance(one, Grid)] == [[["Ban Cơ yếu", "1", "2"]]]
    raw = word.write(made)
    assert paper.rows_of(raw, 1) == [
        ["Nơi cấp", "Tổ chức", "Cộng"],
        ["Ban Cơ yếu", "1", "2"],
        ["Cộng", "1", "2"],
    ]


def test_every_table_of_a_report_is_printed():
    annex = Table(name="issued", columns=[Column(name="issuer")], rows=[["Ban Cơ yếu"]])
    line = Line(key="refused", facts={"n": 2})
    made = compose.form(replace(paper.usage_report(3), annex=annex, lines=[line]), TOLD, ISSUED)
    blocks = made.annexes[0].blocks
    assert [len(one.rows) for one in blocks if isinstance(one, Grid)] == [3, 1]
    assert "Cấp trong kỳ, theo nơi cấp" in [one.text for one in blocks if isinstance(one, Text)]
    assert any("2 gói tin bị từ chối" in one.text for one in made.blocks if isinstance(one, Text))


def test_rows_beyond_the_limit_are_told_of(monkeypatch):
    monkeypatch.setattr(compose, "MOST_ROWS", 5)
    made = compose.form(paper.usage_report(12), TOLD, ISSUED)
    assert [len(one.rows) for one in made.annexes[0].blocks if isinstance(one, Grid)] == [5]
    assert any("Còn 7 dòng" in one.text for one in made.annexes[0].blocks if isinstance(one, Text))


def test_nothing_known_of_the_issuer_leaves_the_forms_own_words():
    made = compose.form(paper.usage_report(1), TOLD, compose.Letterhead())
    assert (made.head.parent, made.head.agency) == ("TÊN CƠ QUAN, TỔ CHỨC CHỦ QUẢN", "TÊN CƠ QUAN, TỔ CHỨC")
    known = compose.form(paper.usage_report(1), TOLD, compose.Letterhead(agency="Sở A", number="12/BC-SA"))
    assert (known.head.parent, known.head.agency, known.head.number) == ("", "SỞ A", "Số: 12/BC-SA")
    assert known.annexes[0].part_of.startswith("(Kèm theo Báo cáo số 12/BC-SA ngày")


def test_the_form_in_english():
    made = periodic.form(paper.periodic(), replace(TOLD, language="en"), ISSUED)
    assert made.kind == "REPORT"
    assert "92,00\u00a0% (441.042/479.393)" in "".join(
        one.text for one in made.blocks if isinstance(one, Text)
    )
    assert "vi-VN" not in Document(io.BytesIO(word.write(made))).styles["Normal"].element.xml


def hostile_form(rows, total=None):
    """A document around any table."""
    columns_of = [Column(name=str(place), numeric=place % 2 == 1) for place in range(len(rows[0]))]
    report = replace(
        paper.usage_report(1), table=Table(name="x", columns=columns_of, rows=rows, total=total), measures={}
    )
    return compose.form(
        report, replace(TOLD, heading=lambda _table, column, _language: f"Cột {column.name}"), ISSUED
    )


@pytest.mark.parametrize("wide", [1, 5, 18])
def test_whatever_stands_in_a_cell_both_files_open(wide):
    paper.font()
    rows = [[cell] * wide for cell in paper.HOSTILE]
    made = hostile_form(rows, total=rows[0])
    raw = pdf.write(made)
    assert "=HYPERLINK(1)" in flat("".join(paper.pages(raw)))
    assert "\x00" not in "".join(paper.pages(raw))
    tables = Document(io.BytesIO(word.write(made))).tables
    found = paper.rows_of(word.write(made), next(n for n, one in enumerate(tables) if len(one.rows) > 5))
    assert [row[0] for row in found[1:-1]] == [compose._cell(texts.clean(cell)) for cell in paper.HOSTILE]


cells = st.text(st.one_of(st.characters(), st.sampled_from("ếộữđĐ<>&\"'=\u202e\x00א%")), max_size=60)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 7).flatmap(lambda wide: st.lists(st.lists(cells, min_size=wide, max_size=wide), min_size=1, max_size=6)))  # fmt: skip
def test_both_files_hold_every_letter_of_the_table(rows):
    paper.font()
    made = hostile_form(rows)
    (table,) = [
        one for blocks in (made.blocks, *(annex.blocks for annex in made.annexes)) for one in blocks if isinstance(one, Grid)
    ]  # fmt: skip
    raw = word.write(made)
    assert [list(table.headings), *map(list, table.rows)] in (paper.rows_of(raw, 1), paper.rows_of(raw, -1))
    known = fonts.registered(fonts.FOLDERS)
    shown = paper.letters(*(fonts.drawable(cell, known) for row in table.rows for cell in row))
    assert not shown - paper.letters(*paper.pages(pdf.write(made)))


def test_a_column_is_never_wider_than_the_page_and_a_long_word_is_broken():
    grid = Grid(headings=["A"] * 18, numeric=[False] * 18, rows=[["x" * 500] * 18])
    measured = columns.fit(grid)
    assert measured.lying
    assert sum(measured.widths) <= page.LYING + 0.01
    narrow = columns.fit(Grid(headings=["A", "B"], numeric=[False, True], rows=[["a", "1"]]))
    assert not narrow.lying
    assert sum(narrow.widths) == pytest.approx(page.UPRIGHT)
    assert columns.fit(Grid(headings=["A"], numeric=[False], rows=[["a"]]), lying=True).lying


def test_widths_are_those_of_times():
    paper.font()
    known = fonts.FACES[True, False]
    from reportlab.pdfbase import pdfmetrics

    for text in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Kỳ trước",
        "ƯỚC … –",
        *fonts.VIETNAMESE,
    ):
        exact = pdfmetrics.stringWidth(text, known, 1)
        assert fonts.width(text, bold=True) == pytest.approx(exact, rel=0.01), text


def test_no_word_of_a_heading_is_broken_where_the_words_fit():
    headings = [
        "STT",
        "Kỳ trước (%)",
        "Tên cơ quan",
        "Tăng/giảm (điểm %)",
        "Mức kiểm chứng A (%)",
        *["Được"] * 11,
    ]
    rows = [
        ["1", "—", "Trung tâm Trợ giúp pháp lý nhà nước thành phố", "+100,00", "0,00", *["100,00"] * 11]
    ] * 3
    measured = columns.fit(Grid(headings=headings, numeric=[False] * 16, rows=rows))
    for heading, room in zip(headings, measured.widths, strict=True):
        widest = max(fonts.width(word, bold=True) for word in heading.split())
        assert widest * measured.size * columns.POINT + 2 * columns.PADDING <= room


def test_without_a_font_it_is_said_and_a_font_without_vietnamese_is_none(tmp_path):
    with pytest.raises(fonts.MissingFontError):
        fonts.registered((str(tmp_path),))
    for file in fonts.FILES[0]:
        (tmp_path / file).write_bytes(b"no font")
    with pytest.raises(fonts.MissingFontError):
        fonts.registered((str(tmp_path), "/nowhere"))
    plain = (Path(reportlab.__file__).parent / "fonts" / "Vera.ttf").read_bytes()
    other = tmp_path / "plain"
    other.mkdir()
    for file in fonts.FILES[0]:
        (other / file).write_bytes(plain)
    with pytest.raises(fonts.MissingFontError):
        fonts.registered((str(other),))
    assert len(fonts.VIETNAMESE) == 2 * (12 * 6 + 1)


def test_what_the_font_lacks_is_named():
    assert fonts.drawable("a中😀", frozenset({ord("a")})) == "a\\u4e2d\\U01f600"


def test_numbers_and_percent_signs_stay_together(year):
    for one in year.blocks:
        if isinstance(one, Text) and one.style == "body":
            assert not re.search(r"\d %", one.text), one.text


def test_a_table_cleans_what_nobody_cleaned_before():
    grid = Grid(headings=["\x00"], numeric=[False], rows=[["\ufffe\x0b"]])
    made = word_parts.grid(grid, columns.fit(grid))
    assert [one.text for one in made.iter(qn("w:t"))] == ["\\x00", "\\ufffe\\x0b"]
