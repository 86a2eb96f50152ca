"""A document as PDF: A4, letters embedded, pages numbered from the second on, wide tables on lying pages.

Source: Decree 30/2020/NĐ-CP, Annex I. Every letter comes from a font file of this machine and travels within the PDF.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from html import escape
from typing import Any, Literal

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY, TA_LEFT, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    HRFlowable,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from exchange.tracker.forms import columns, fonts, page, pdf_charts
from exchange.tracker.forms.page import Annex, Block, Foot, Form, Grid, Head, Shares, Style, Text, Trend

_ALIGN: Mapping[str, Literal[0, 1, 2, 4]] = {
    "left": TA_LEFT,
    "center": TA_CENTER,
    "right": TA_RIGHT,
    "justify": TA_JUSTIFY,
}
_LEADING = 1.2
_LINE = 0.7
_GROUND = colors.Color(0.93, 0.93, 0.93)
_PADDING = columns.PADDING * mm
_REGULAR = fonts.FACES[False, False]
_TEMPLATES = {False: "upright", True: "lying"}


def write(form: Form, folders: Sequence[str] = fonts.FOLDERS) -> bytes:
    """The PDF's bytes. Raises fonts.MissingFontError."""
    setter = _Setter(fonts.registered(tuple(folders)))
    held = io.BytesIO()
    document = BaseDocTemplate(
        held,
        pageTemplates=[_template(lying=False), _template(lying=True)],
        title=setter.shown(" ".join([form.kind, *form.subject])),
        author=setter.shown(form.head.agency),
        creator="congvan",
        lang=form.language,
        initialFontName=_REGULAR,
    )
    document.build(list(setter.story(form)))
    return held.getvalue()


def _template(*, lying: bool) -> PageTemplate:
    width, height = page.A4[::-1] if lying else page.A4
    frame = Frame(
        page.LEFT * mm, page.BOTTOM * mm,
        (width - page.LEFT - page.RIGHT) * mm, (height - page.TOP - page.BOTTOM) * mm,
        leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0,
    )  # fmt: skip
    size = (width * mm, height * mm)
    return PageTemplate(id=_TEMPLATES[lying], frames=[frame], pagesize=size, onPage=partial(_number, size))


def _number(size: tuple[float, float], canvas: Canvas, document: BaseDocTemplate) -> None:
    """The page's number, centred in the upper margin; the first page shows none."""
    if document.page == 1:
        return
    width, height = size
    canvas.setFont(_REGULAR, page.PAGE_NUMBER_SIZE)
    middle = (page.LEFT * mm + width - page.RIGHT * mm) / 2
    canvas.drawCentredString(
        middle, height - page.PAGE_NUMBER_TOP * mm - page.PAGE_NUMBER_SIZE, str(document.page)
    )


class _Setter:
    """Sets the parts of one document in the letters that there are."""

    def __init__(self, letters: frozenset[int]) -> None:
        self._letters = letters

    def shown(self, text: str) -> str:
        """Text in letters that the font has."""
        return fonts.drawable(text, self._letters)

    def story(self, form: Form) -> Iterator[Flowable]:
        """The whole document in order."""
        yield self._head(form.head)
        yield self._said("kind", form.kind)
        yield from (self._said("subject", line) for line in form.subject)
        yield _rule(0.4 * min(_width("subject", form.subject[-1]), page.UPRIGHT * mm))
        yield Spacer(0, 4 * mm)
        for block in form.blocks:
            yield from self._block(block)
        yield Spacer(0, 6 * mm)
        yield KeepTogether([self._foot(form.foot)])
        for annex in form.annexes:
            yield from self._annex(annex)

    def _said(self, style: str, text: str) -> Paragraph:
        return Paragraph(escape(self.shown(text)), _paragraph_style(page.STYLES[style], name=style))

    def _head(self, head: Head) -> Table:
        agency = [self._said("parent", head.parent)] if head.parent else []
        agency += [self._said("agency", head.agency)]
        most = page.LEFT_OF_HEAD * mm
        left = [*agency, _rule(0.4 * min(_width("agency", head.agency), most)), Spacer(0, 5)]
        right: list[Flowable] = [self._said("nation", head.nation), self._said("motto", head.motto)]
        right += [_rule(_width("motto", head.motto)), Spacer(0, 5)]
        return _side_by_side(
            [[left, right], [self._said("number", head.number), self._said("place", head.place)]],
            (page.LEFT_OF_HEAD, page.UPRIGHT - page.LEFT_OF_HEAD),
        )

    def _foot(self, foot: Foot) -> Table:
        left = [self._said("recipients", foot.heading)]
        left += [self._said("recipient", one) for one in foot.recipients]
        right = [self._said("position", foot.position), Spacer(0, page.SIGNING_SPACE * mm)]
        right += [self._said("signer", foot.signer)]
        return _side_by_side([[left, right]], (page.UPRIGHT / 2, page.UPRIGHT / 2))

    def _annex(self, annex: Annex) -> Iterator[Flowable]:
        lying = any(isinstance(one, Grid) and columns.fit(one).lying for one in annex.blocks)
        yield NextPageTemplate(_TEMPLATES[lying])
        yield PageBreak()
        yield self._said("annex", annex.name)
        yield self._said("annex_title", annex.title)
        yield self._said("annex_of", annex.part_of)
        for block in annex.blocks:
            yield from self._block(block, lying=lying)

    def _block(self, block: Block, *, lying: bool = False) -> Iterator[Flowable]:
        match block:
            case Text():
                yield self._said(block.style, block.text)
            case Grid():
                yield self._grid(block, lying=lying)
                yield Spacer(0, 3 * mm)
            case Shares() | Trend():
                yield KeepTogether(
                    [self._said("chart", block.title), self._chart(block), self._said("legend", block.legend)]
                )

    def _chart(self, block: Shares | Trend) -> Flowable:
        if isinstance(block, Shares):
            return pdf_charts.shares(block, self.shown)
        return pdf_charts.trend(block, self.shown)

    def _grid(self, grid: Grid, *, lying: bool) -> Table:
        measured = columns.fit(grid, lying=lying)
        rows = [self._row(grid.headings, ["center"] * len(grid.headings), measured.size, bold=True)]
        aligned = ["right" if numeric else "left" for numeric in grid.numeric]
        rows += [self._row(row, aligned, measured.size) for row in grid.rows]
        rules: list[Any] = [
            ("FONTNAME", (0, 0), (-1, -1), _REGULAR),
            ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("BACKGROUND", (0, 0), (-1, 0), _GROUND),
            ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
            ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ]
        if grid.total:
            rows.append(self._row(grid.total, aligned, measured.size, bold=True))
            rules.append(("BACKGROUND", (0, -1), (-1, -1), _GROUND))
        return Table(
            rows, colWidths=[one * mm for one in measured.widths], repeatRows=1, splitInRow=1,
            style=TableStyle(rules), hAlign="LEFT",
        )  # fmt: skip

    def _row(
        self, cells: Sequence[str], aligned: Sequence[str], size: int, *, bold: bool = False
    ) -> list[Paragraph]:
        return [
            Paragraph(escape(self.shown(cell)), _cell_style(side, size, bold=bold))
            for cell, side in zip(cells, aligned, strict=True)
        ]


def _side_by_side(rows: Sequence[Sequence[object]], widths: Sequence[float]) -> Table:
    """Two blocks beside each other, without a frame."""
    style = [
        ("FONTNAME", (0, 0), (-1, -1), _REGULAR),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("ALIGN", (0, 0), (-1, -1), "CENTER"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ]
    cells = [list(row) for row in rows]
    return Table(cells, colWidths=[one * mm for one in widths], style=TableStyle(style), hAlign="LEFT")


def _rule(width: float) -> HRFlowable:
    return HRFlowable(width=width, thickness=_LINE, color=colors.black, spaceBefore=2, spaceAfter=2)


def _width(style: str, text: str) -> float:
    given = page.STYLES[style]
    return fonts.width(text, bold=given.bold) * given.size


def _paragraph_style(style: Style, *, name: str) -> ParagraphStyle:
    return ParagraphStyle(
        name,
        fontName=fonts.FACES[style.bold, style.italic],
        fontSize=style.size,
        leading=style.size * _LEADING,
        alignment=_ALIGN[style.align],
        firstLineIndent=style.first * mm,
        spaceBefore=style.before,
        spaceAfter=style.after,
        splitLongWords=1,
        allowWidows=0,
        allowOrphans=0,
        keepWithNext=style.level is not None or name == "table_title",
    )


def _cell_style(side: str, size: int, *, bold: bool) -> ParagraphStyle:
    return ParagraphStyle(
        f"cell-{side}-{size}-{bold}",
        fontName=fonts.FACES[bold, False],
        fontSize=size,
        leading=size * 1.15,
        alignment=_ALIGN[side],
        splitLongWords=1,
    )
