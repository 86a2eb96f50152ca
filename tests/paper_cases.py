"""Reports to put on paper, as large as a province's and as hostile as a cell can be, and how a file is read back."""

import io
import os
from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest
from docx import Document
from docx.oxml.ns import qn
from pypdf import PdfReader

from exchange.rules.periodic_report import Figures
from exchange.rules.ratios import Measure
from exchange.tracker import tally
from exchange.tracker.forms import compose, fonts, printed
from exchange.tracker.forms.wanted import Periodic
from exchange.tracker.reports import usage
from exchange.tracker.reports.report import Pair, Report, Table
from exchange.tracker.signature_usage import Asked

AT = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
ASKED = Asked(period=tally.period("2019"), agencies=None, as_of=AT)
TOLD = printed.told("vi")
SENT = {"E": 441_042, "S": 14_382, "N": 0, "U": 0, "P": 23_969}
"""Cần Thơ in 2019 as published (reference page rules_and_measures, A.2)."""
ISSUED = compose.Letterhead(
    parent="Ủy ban nhân dân thành phố Cần Thơ", agency="Sở Thông tin và Truyền thông", place="Cần Thơ"
)
HOSTILE = (
    "=HYPERLINK(1)", "<b>&amp;</b>]]>", "\x00\x07\x1b[31m", "\u202eabc\u2066", "אבגד שלום", "مرحبا", "中文 😀",
    "x" * 5_000, "từ " * 400, "\ufffe\ud800", "\t\r\n\x0b", "{n} %s \\u0041", "e\u0302\u0323", "\u00a0\u3000", "",
)  # fmt: skip


def font():
    """Skip a test without fonts unless CONGVAN_REQUIRE_FONTS is set."""
    try:
        fonts.registered(fonts.FOLDERS)
    except fonts.MissingFontError:
        assert not os.environ.get("CONGVAN_REQUIRE_FONTS"), "no font (apt-get install fonts-liberation2)"
        pytest.skip("no serif with all of Vietnamese")


def usage_row(random, code):
    sent = random.randrange(5_000)
    signed = random.randrange(sent + 1)
    return [
        code, 1, random.randrange(9), Pair(1, random.randrange(7)), random.randrange(3), sent, signed, signed, signed,
        random.randrange(5), random.randrange(5), Measure(signed, sent), Measure(signed // 2, sent), Pair(1, 3),
    ]  # fmt: skip


def usage_report(rows=452):
    """BC-10 of so many agencies."""
    random = Random(3)
    table = Table(
        name="BC-10",
        columns=usage.COLUMNS,
        rows=[usage_row(random, f"H13.{one // 40}.{one % 40:03}.001") for one in range(rows)],
        total=usage_row(random, ""),
    )
    measures = {"M8": Measure(4_000, 4_321), "M9": Measure(3_900, 4_321), "M11": Measure(411, 452)}
    return Report(code="BC-10", asked=ASKED, scope=[], table=table, measures=measures)


def figures(**changed):
    """Everything measured, as in Cần Thơ's year."""
    given = {
        "sent": SENT,
        "received": SENT,
        "excluded": 1_200,
        "registers": (452, 452),
        "measures": {"M8": Measure(4_000, 4_321), "M10_leaders": Measure(300, 411), "M11": Measure(411, 452)},
        "before": Measure(300_000, 400_000),
        "certificates": {"issued": 1_655, "valid": 1_600, "revoked": 40, "expired": 15},
        "failed": 321,
        "target": 92,
    }
    return Figures(**{**given, **changed})


def periodic(**changed):
    """BC-15 of a year, April without a transfer, with BC-10 as its annex."""
    months = [(f"{month:02}/2019", Measure(880 + 5 * month, 1_000)) for month in range(1, 13)]
    months[3] = ("04/2019", Measure(0, 0))
    empty = Table(name="BC-15", columns=(), rows=())
    return Periodic(
        asked=Report(code="BC-15", asked=ASKED, scope=[], table=empty),
        figures=figures(**changed),
        months=months,
        reports={"BC-10": usage_report(30)},
    )


def pages(raw):
    """The text of each page of a PDF."""
    return [page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages]


def flat(text):
    """Text without white space, which paper lays anew."""
    return "".join(text.split())


def letters(*texts):
    """How often each letter stands in texts, in whatever order."""
    return Counter("".join(flat(text) for text in texts))


def rows_of(raw, place=-1):
    """The rows of a table of a DOCX, as texts."""
    table = Document(io.BytesIO(raw)).tables[place]._tbl
    return [
        ["".join(text.text or "" for text in cell.iter(qn("w:t"))) for cell in row.iter(qn("w:tc"))]
        for row in table.iter(qn("w:tr"))
    ]


def paragraphs(raw):
    """The text of each paragraph of a DOCX, those in tables too."""
    body = Document(io.BytesIO(raw)).element.body
    return ["".join(text.text or "" for text in one.iter(qn("w:t"))) for one in body.iter(qn("w:p"))]
