"""Parts of a DOCX that its library has no words for: page number field, lines, tables as one piece of XML."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from docx.table import _Cell, _Row
from docx.text.paragraph import Paragraph

from exchange import texts
from exchange.tracker.forms import columns
from exchange.tracker.forms.columns import Fit
from exchange.tracker.forms.page import Grid

_TWIPS = 1440 / 25.4
_HEADING_GROUND = "EDEDED"
_MODE = "15"
"""Word 2013 and later."""
_EDGES = ("top", "left", "bottom", "right", "insideH", "insideV")


def current(settings: Any) -> None:  # noqa: ANN401 - an element
    """Laid out as today's programs do, not as those of 2007 did: tables begin at the margin."""
    for one in settings.iter(qn("w:compatSetting")):
        if one.get(qn("w:name")) == "compatibilityMode":
            one.set(qn("w:val"), _MODE)


def page_number(paragraph: Paragraph, size: float) -> None:
    """A field that shows the page's number, centred."""
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for kind, text in (("begin", ""), ("", "PAGE"), ("separate", ""), ("end", "")):
        run = paragraph.add_run()
        run.font.size = Pt(size)
        run._r.append(_field(kind, text))  # noqa: SLF001 - fields have no words in the library


def _field(kind: str, text: str) -> Any:  # noqa: ANN401 - an element
    if text:
        element = OxmlElement("w:instrText")
        element.set(qn("xml:space"), "preserve")
        element.text = text
        return element
    element = OxmlElement("w:fldChar")
    element.set(qn("w:fldCharType"), kind)
    return element


def every_script(style: Any, font: str, locale: str) -> None:  # noqa: ANN401 - an element
    """The font for letters of every script, and the language that spelling is checked in."""
    properties = style.get_or_add_rPr()
    names = properties.get_or_add_rFonts()
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        names.attrib.pop(qn(f"w:{theme}"), None)
    for script in ("ascii", "hAnsi", "cs", "eastAsia"):
        names.set(qn(f"w:{script}"), font)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), locale)
    properties.append(language)


def outline(style: Any, level: int) -> None:  # noqa: ANN401 - an element
    """A heading of this depth in the table of contents and for screen readers."""
    element = OxmlElement("w:outlineLvl")
    element.set(qn("w:val"), str(level - 1))
    style.get_or_add_pPr().append(element)


def styled(paragraph: Paragraph, style: str) -> None:
    """Set a style of ours by name: its identity is the name without spaces, nothing needs to be looked up."""
    paragraph._p.style = style.replace(" ", "")  # noqa: SLF001 - the library looks through all styles each time


def ruled(paragraph: Paragraph) -> None:
    """A paragraph without text that is a line."""
    borders = OxmlElement("w:pBdr")
    top = OxmlElement("w:top")
    for name, value in (("val", "single"), ("sz", "6"), ("space", "1"), ("color", "000000")):
        top.set(qn(f"w:{name}"), value)
    borders.append(top)
    properties: Any = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - borders have no words in the library
    properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc")
    paragraph.paragraph_format.line_spacing = Pt(4)


def whole_row(row: _Row) -> None:
    """A row that is not split between pages."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))  # noqa: SLF001 - as above


def no_padding(cell: _Cell) -> None:
    """A cell whose text begins at its edge; the paragraph that every new cell has is taken out."""
    margins = OxmlElement("w:tcMar")
    for side in ("left", "right"):
        one = OxmlElement(f"w:{side}")
        one.set(qn("w:w"), "0")
        one.set(qn("w:type"), "dxa")
        margins.append(one)
    cell._tc.get_or_add_tcPr().append(margins)  # noqa: SLF001 - as above
    cell._tc.remove(cell.paragraphs[0]._p)  # noqa: SLF001 - as above


def grid(given: Grid, fit: Fit) -> Any:  # noqa: ANN401 - an element
    """A table: headings repeated on every page, rows kept whole, numbers on the right."""
    return parse_xml("".join(_table(given, fit)))


def _table(given: Grid, fit: Fit) -> Iterator[str]:
    widths = [round(one * _TWIPS) for one in fit.widths]
    edges = "".join(f'<w:{one} w:val="single" w:sz="4" w:space="0" w:color="000000"/>' for one in _EDGES)
    side = f'w:w="{round(columns.PADDING * _TWIPS)}" w:type="dxa"'
    yield f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/>'
    yield f'<w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/>'
    yield f"<w:tblCellMar><w:left {side}/><w:right {side}/></w:tblCellMar></w:tblPr>"
    columns_of = "".join(f'<w:gridCol w:w="{one}"/>' for one in widths)
    yield f"<w:tblGrid>{columns_of}</w:tblGrid>"
    aligned = ["right" if numeric else "left" for numeric in given.numeric]
    centred = ["center"] * len(widths)
    yield _row(given.headings, widths, centred, fit.size, head=True)
    for row in given.rows:
        yield _row(row, widths, aligned, fit.size)
    if given.total:
        yield _row(given.total, widths, aligned, fit.size, bold=True)
    yield "</w:tbl>"


def _row(
    cells: Sequence[str], widths: Sequence[int], aligned: Sequence[str], size: int,
    *, head: bool = False, bold: bool = False,
) -> str:  # fmt: skip
    marked = head or bold
    inner = "".join(
        _cell(text, width, side, size, marked=marked)
        for text, width, side in zip(cells, widths, aligned, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{'<w:tblHeader/>' if head else ''}</w:trPr>{inner}</w:tr>"


def _cell(text: str, width: int, side: str, size: int, *, marked: bool) -> str:
    ground = f'<w:shd w:val="clear" w:color="auto" w:fill="{_HEADING_GROUND}"/>' if marked else ""
    bold = "<w:b/>" if marked else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{ground}<w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr><w:jc w:val="{side}"/></w:pPr><w:r><w:rPr>{bold}<w:sz w:val="{2 * size}"/>'
        f'<w:szCs w:val="{2 * size}"/></w:rPr><w:t xml:space="preserve">{escape(texts.clean(text))}</w:t></w:r></w:p></w:tc>'
    )


def millimetres(length: float) -> int:
    """A length in the units of drawings (EMU)."""
    return int(Mm(length))
