"""A document as DOCX: styles, sections, tables and charts that Word and LibreOffice edit; Times New Roman by name.

Source: Decree 30/2020/NĐ-CP, Annex I; Office Open XML (ISO/IEC 29500). The page number is a field in the header of every
page but the first; charts are charts, with their figures in them, not pictures.
"""

import io
from collections.abc import Sequence
from datetime import UTC

from docx import Document
from docx.document import Document as Opened
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.section import Section
from docx.shared import Mm, Pt
from docx.styles.style import ParagraphStyle
from docx.table import _Cell
from docx.text.paragraph import Paragraph

from exchange import texts
from exchange.tracker.forms import columns, fonts, page, word_charts, word_parts
from exchange.tracker.forms.page import Annex, Block, Foot, Form, Grid, Head, Style, Text

FONT = "Times New Roman"
_LOCALES = {"vi": "vi-VN", "en": "en-GB"}
_ALIGN = {
    "left": WD_ALIGN_PARAGRAPH.LEFT,
    "center": WD_ALIGN_PARAGRAPH.CENTER,
    "right": WD_ALIGN_PARAGRAPH.RIGHT,
    "justify": WD_ALIGN_PARAGRAPH.JUSTIFY,
}
_BOUND = ("part", "clause", "chart", "table_title", "annex", "annex_title")
"""Paragraphs that stay on the page of what follows them."""


def write(form: Form) -> bytes:
    """The DOCX's bytes."""
    document = Document()
    word_parts.current(document.settings.element)
    _properties(document, form)
    _styles(document, form.language)
    section = document.sections[0]
    _laid(section, lying=False)
    section.different_first_page_header_footer = True
    word_parts.page_number(section.header.paragraphs[0], page.PAGE_NUMBER_SIZE)
    _first_page(document, form)
    for block in form.blocks:
        _block(document, block)
    _foot(document, form.foot)
    for annex in form.annexes:
        _annex(document, annex)
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def _properties(document: Opened, form: Form) -> None:
    core = document.core_properties
    core.title = texts.clean(" ".join([form.kind, *form.subject]))[:255]
    core.author = core.last_modified_by = texts.clean(form.head.agency)[:255]
    core.language, core.comments = form.language, ""
    core.created = core.modified = form.made.astimezone(UTC).replace(tzinfo=None)


def _styles(document: Opened, language: str) -> None:
    """Every style of the form under its own name, so that an author can go on writing in it."""
    normal = document.styles["Normal"]
    assert isinstance(normal, ParagraphStyle)
    normal.font.name, normal.font.size = FONT, Pt(page.STYLES["body"].size)
    word_parts.every_script(normal.element, FONT, _LOCALES[language])
    normal.paragraph_format.space_after, normal.paragraph_format.line_spacing = Pt(0), 1.0
    for name, given in page.STYLES.items():
        style = document.styles.add_style(_name(name), WD_STYLE_TYPE.PARAGRAPH)
        assert isinstance(style, ParagraphStyle)
        style.base_style = normal
        _set(style, given, bound=name in _BOUND)


def _set(style: ParagraphStyle, given: Style, *, bound: bool) -> None:
    style.font.size, style.font.bold, style.font.italic = Pt(given.size), given.bold, given.italic
    shape = style.paragraph_format
    shape.alignment = _ALIGN[given.align]
    shape.first_line_indent = Mm(given.first)
    shape.space_before, shape.space_after = Pt(given.before), Pt(given.after)
    shape.keep_with_next = bound
    if given.level is not None:
        word_parts.outline(style.element, given.level)


def _name(style: str) -> str:
    return f"congvan {style}"


def _laid(section: Section, *, lying: bool) -> None:
    """A4, upright or lying, with the form's margins."""
    width, height = page.A4[::-1] if lying else page.A4
    section.orientation = WD_ORIENT.LANDSCAPE if lying else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(width), Mm(height)
    section.top_margin, section.bottom_margin = Mm(page.TOP), Mm(page.BOTTOM)
    section.left_margin, section.right_margin = Mm(page.LEFT), Mm(page.RIGHT)
    section.header_distance, section.footer_distance = Mm(page.PAGE_NUMBER_TOP), Mm(page.PAGE_NUMBER_TOP)


def _said(place: Opened | _Cell, style: str, text: str) -> Paragraph:
    paragraph = place.add_paragraph(texts.clean(text))
    word_parts.styled(paragraph, _name(style))
    return paragraph


def _first_page(document: Opened, form: Form) -> None:
    _head(document, form.head)
    _said(document, "kind", form.kind)
    for line in form.subject:
        _said(document, "subject", line)
    _rule(document, 0.4 * _width("subject", form.subject[-1]), page.UPRIGHT)
    _said(document, "about", "")


def _head(document: Opened, head: Head) -> None:
    most, rest = page.LEFT_OF_HEAD, page.UPRIGHT - page.LEFT_OF_HEAD
    (left, right), (number, place) = _side_by_side(document, (most, rest), rows=2)
    if head.parent:
        _said(left, "parent", head.parent)
    _said(left, "agency", head.agency)
    _rule(left, 0.4 * min(_width("agency", head.agency), most), most)
    _said(number, "number", head.number)
    _said(right, "nation", head.nation)
    _said(right, "motto", head.motto)
    _rule(right, _width("motto", head.motto), rest)
    _said(place, "place", head.place)


def _foot(document: Opened, foot: Foot) -> None:
    _said(document, "about", "")
    ((left, right),) = _side_by_side(document, (page.UPRIGHT / 2, page.UPRIGHT / 2))
    _said(left, "recipients", foot.heading)
    for one in foot.recipients:
        _said(left, "recipient", one)
    _said(right, "position", foot.position).paragraph_format.space_after = Mm(page.SIGNING_SPACE)
    _said(right, "signer", foot.signer)


def _side_by_side(document: Opened, widths: Sequence[float], rows: int = 1) -> list[list[_Cell]]:
    """Rows of cells beside each other without a frame, none split between pages."""
    table = document.add_table(rows=rows, cols=len(widths))
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row in table.rows:
        word_parts.whole_row(row)
        for cell in row.cells:
            word_parts.no_padding(cell)
    return [list(row.cells) for row in table.rows]


def _annex(document: Opened, annex: Annex) -> None:
    lying = any(isinstance(one, Grid) and columns.fit(one).lying for one in annex.blocks)
    section = document.add_section(WD_SECTION.NEW_PAGE)
    _laid(section, lying=lying)
    section.different_first_page_header_footer = False
    for style, text in (("annex", annex.name), ("annex_title", annex.title), ("annex_of", annex.part_of)):
        _said(document, style, text)
    for block in annex.blocks:
        _block(document, block, lying=lying)


def _block(document: Opened, block: Block, *, lying: bool = False) -> None:
    match block:
        case Text():
            _said(document, block.style, block.text)
        case Grid():
            document.element.body.insert_element_before(
                word_parts.grid(block, columns.fit(block, lying=lying)), "w:sectPr"
            )
            _said(document, "note", "")
        case _:
            _said(document, "chart", block.title)
            word_charts.add(document, _said(document, "legend", ""), block)
            _said(document, "legend", block.legend)


def _rule(place: Opened | _Cell, width: float, room: float) -> None:
    """A line of so many millimetres in the middle of so much room."""
    paragraph = _said(place, "motto", "")
    shape = paragraph.paragraph_format
    shape.left_indent = shape.right_indent = Mm(max(room - width, 0) / 2)
    shape.space_after = Pt(4)
    word_parts.ruled(paragraph)


def _width(style: str, text: str) -> float:
    """Millimetres that a text takes in a style."""
    given = page.STYLES[style]
    return fonts.width(text, bold=given.bold) * given.size * columns.POINT
