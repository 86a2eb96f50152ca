"""Charts of a DOCX as charts (DrawingML): figures and names stand in them and can be read out, nothing is a picture."""

from collections.abc import Iterator, Sequence
from html import escape

from docx.document import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.text.paragraph import Paragraph

from exchange import texts
from exchange.rules import ratios
from exchange.tracker.forms import page, word_parts
from exchange.tracker.forms.page import Shares, Trend
from exchange.tracker.forms.pdf_charts import FILLS

_TYPE = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
_SPACES = (
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_LETTERS = (
    '<c:txPr><a:bodyPr/><a:p><a:pPr><a:defRPr sz="1000"><a:latin typeface="Times New Roman"/>'
    '<a:cs typeface="Times New Roman"/></a:defRPr></a:pPr><a:endParaRPr lang="vi-VN"/></a:p></c:txPr>'
)
_NO_FRAME = "<c:spPr><a:noFill/><a:ln><a:noFill/></a:ln></c:spPr>"
_TICKS = '<c:majorTickMark val="out"/><c:minorTickMark val="none"/><c:tickLblPos val="nextTo"/>'
_AXES = '<c:axId val="1"/><c:axId val="2"/>'
_HEIGHTS = {Shares: 62.0, Trend: 62.0}
_RED = "C00000"


def add(document: Document, paragraph: Paragraph, block: Shares | Trend) -> None:
    """Put a chart into a paragraph."""
    number = sum(one.partname.startswith("/word/charts/") for one in document.part.package.iter_parts()) + 1
    part = Part(
        PackURI(f"/word/charts/chart{number}.xml"),
        _TYPE,
        "".join(_chart(block)).encode(),
        document.part.package,
    )
    name = document.part.relate_to(part, RELATIONSHIP_TYPE.CHART)
    paragraph.add_run()._r.append(parse_xml(_frame(block, name, number)))  # noqa: SLF001 - charts have no words in the library


def _frame(block: Shares | Trend, name: str, number: int) -> str:
    width, height = word_parts.millimetres(page.UPRIGHT), word_parts.millimetres(_HEIGHTS[type(block)])
    return (
        f'<w:drawing {nsdecls("w", "wp", "a", "r")}><wp:inline distT="0" distB="0" distL="0" distR="0">'
        f'<wp:extent cx="{width}" cy="{height}"/>'
        f'<wp:docPr id="{100 + number}" name="chart {number}" descr="{_safe(block.title)}"/><wp:cNvGraphicFramePr/>'
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/chart">'
        '<c:chart xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
        f'r:id="{name}"/></a:graphicData></a:graphic></wp:inline></w:drawing>'
    )


def _chart(block: Shares | Trend) -> Iterator[str]:
    yield f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><c:chartSpace {_SPACES}>'
    yield '<c:roundedCorners val="0"/><c:chart><c:autoTitleDeleted val="1"/><c:plotArea><c:layout/>'
    yield from _shares(block) if isinstance(block, Shares) else _trend(block)
    yield '</c:plotArea><c:legend><c:legendPos val="b"/><c:overlay val="0"/></c:legend>'
    yield '<c:plotVisOnly val="1"/><c:dispBlanksAs val="gap"/></c:chart>'
    yield f"{_NO_FRAME}{_LETTERS}</c:chartSpace>"


def _shares(block: Shares) -> Iterator[str]:
    yield '<c:barChart><c:barDir val="bar"/><c:grouping val="percentStacked"/><c:varyColors val="0"/>'
    for place, ((name, n, share), fill) in enumerate(zip(block.parts, FILLS, strict=False)):
        yield f"{_named(place, f'{name}: {ratios.grouped(n)} ({share} %)')}{_filled(fill)}"
        yield '<c:invertIfNegative val="0"/>'
        yield f"{_names([block.title])}{_values([n])}</c:ser>"
    yield f'<c:gapWidth val="60"/><c:overlap val="100"/>{_AXES}</c:barChart>'
    yield _category_axis("l", shown=False)
    yield _value_axis("b", "0%", "0.2")


def _trend(block: Trend) -> Iterator[str]:
    names = [name for name, _ in block.points]
    yield '<c:lineChart><c:grouping val="standard"/><c:varyColors val="0"/>'
    yield f"{_named(0, block.name)}{_lined(FILLS[0])}"
    yield '<c:marker><c:symbol val="square"/><c:size val="5"/></c:marker>'
    yield '<c:dLbls><c:numFmt formatCode="0.00" sourceLinked="0"/><c:dLblPos val="b"/>'
    yield '<c:showLegendKey val="0"/><c:showVal val="1"/><c:showCatName val="0"/><c:showSerName val="0"/>'
    yield '<c:showPercent val="0"/><c:showBubbleSize val="0"/></c:dLbls>'
    yield f'{_names(names)}{_values([one for _, one in block.points])}<c:smooth val="0"/></c:ser>'
    if block.target is not None:
        yield f'{_named(1, block.target_name)}{_lined(_RED, "dash")}<c:marker><c:symbol val="none"/></c:marker>'
        yield f'{_names(names)}{_values([block.target] * len(names))}<c:smooth val="0"/></c:ser>'
    yield f'<c:marker val="1"/>{_AXES}</c:lineChart>'
    yield _category_axis("b", shown=True)
    yield _value_axis("l", "0", "20", most=100)


def _named(place: int, name: str) -> str:
    return f'<c:ser><c:idx val="{place}"/><c:order val="{place}"/><c:tx><c:v>{_safe(name)}</c:v></c:tx>'


def _filled(colour: str) -> str:
    return f'<c:spPr><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill></c:spPr>'


def _lined(colour: str, dash: str = "solid") -> str:
    return (
        f'<c:spPr><a:ln w="19050"><a:solidFill><a:srgbClr val="{colour}"/></a:solidFill>'
        f'<a:prstDash val="{dash}"/></a:ln></c:spPr>'
    )


def _names(names: Sequence[str]) -> str:
    points = "".join(f'<c:pt idx="{place}"><c:v>{_safe(one)}</c:v></c:pt>' for place, one in enumerate(names))
    return f'<c:cat><c:strLit><c:ptCount val="{len(names)}"/>{points}</c:strLit></c:cat>'


def _values(values: Sequence[float | None]) -> str:
    points = "".join(
        f'<c:pt idx="{place}"><c:v>{one:g}</c:v></c:pt>' if isinstance(one, float) else
        f'<c:pt idx="{place}"><c:v>{one}</c:v></c:pt>'
        for place, one in enumerate(values) if one is not None
    )  # fmt: skip
    return (
        f'<c:val><c:numLit><c:formatCode>General</c:formatCode><c:ptCount val="{len(values)}"/>'
        f"{points}</c:numLit></c:val>"
    )


def _category_axis(side: str, *, shown: bool) -> str:
    return (
        '<c:catAx><c:axId val="1"/><c:scaling><c:orientation val="minMax"/></c:scaling>'
        f'<c:delete val="{int(not shown)}"/><c:axPos val="{side}"/>{_TICKS}<c:crossAx val="2"/><c:crosses val="autoZero"/></c:catAx>'
    )


def _value_axis(side: str, form: str, step: str, most: int | None = None) -> str:
    most_said = "" if most is None else f'<c:max val="{most}"/><c:min val="0"/>'
    return (
        f'<c:valAx><c:axId val="2"/><c:scaling><c:orientation val="minMax"/>{most_said}</c:scaling><c:delete val="0"/>'
        f'<c:axPos val="{side}"/><c:majorGridlines><c:spPr><a:ln w="3175"><a:solidFill><a:srgbClr val="D9D9D9"/>'
        f'</a:solidFill></a:ln></c:spPr></c:majorGridlines><c:numFmt formatCode="{form}" sourceLinked="0"/>{_TICKS}'
        f'<c:crossAx val="1"/><c:crosses val="autoZero"/><c:crossBetween val="between"/><c:majorUnit val="{step}"/></c:valAx>'
    )


def _safe(text: str) -> str:
    return escape(texts.clean(text))
