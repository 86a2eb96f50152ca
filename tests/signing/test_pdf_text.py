"""Text of a first page: what is there comes out, what is not is silence."""

import io
import unicodedata
import zlib

import corpora
import pypdf
import pytest

from signing import pdf_text, pdf_write

LINES = ["ỦY BAN NHÂN DÂN", "Số: 12/UBND-VX", "Cần Thơ, ngày 05 tháng 11 năm 2026"]


def with_objects(*objects):
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def stream(content, extra=b""):
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(content), extra, content)


def page(content, font=b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", *more):
    return with_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        content,
        font,
        *more,
    )


UNICODE = b"""/CIDInit /ProcSet findresource begin 12 dict begin begincmap
1 begincodespacerange <0000> <FFFF> endcodespacerange
3 beginbfchar <0001> <00530061030300FA> <0002> <1ED1> <0003> <00200031> endbfchar
endcmap end end"""


def test_the_first_page_comes_out_line_by_line():
    text = pdf_text.first_page(pdf_write.blank(LINES))
    assert text.splitlines() == ["UY BAN NHAN DAN", "So: 12/UBND-VX", "Can Tho, ngay 05 thang 11 nam 2026"]


def test_what_was_stamped_later_is_there():
    assert "So: 7/CV" in pdf_text.first_page(pdf_write.stamp(pdf_write.blank(LINES), "Số: 7/CV"))


def test_vietnamese_letters_come_out_composed():
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [7 0 R] >>",
        stream(UNICODE),
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /DW 1000 /CIDSystemInfo 8 0 R >>",
        b"<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>",
    )
    raw = page(stream(b"BT /F 12 Tf 70 700 Td <000100020003> Tj ET"), *font)
    text = pdf_text.first_page(raw)
    assert "ố 1" in text
    assert "ã" in text
    assert text == unicodedata.normalize("NFC", text)


def test_only_the_first_page_and_only_so_much():
    writer = pypdf.PdfWriter()
    for lines in (["first"], ["second"]):
        writer.append(io.BytesIO(pdf_write.blank(lines)))
    out = io.BytesIO()
    writer.write(out)
    assert pdf_text.first_page(out.getvalue()) == "first"
    assert pdf_text.first_page(pdf_write.blank(["x" * 100] * 10), most=50) == "x" * 50


def _encrypted():
    writer = pypdf.PdfWriter()
    writer.append(io.BytesIO(pdf_write.blank(LINES)))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


SILENT = {
    "nothing": lambda: b"",
    "no PDF": lambda: b"PK\x03\x04 nonsense",
    "only the magic": lambda: b"%PDF-1.7\n",
    "cut in half": lambda: pdf_write.blank(LINES)[:400],
    "encrypted": _encrypted,
    "no pages": lambda: with_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"
    ),
    "pages in a circle": lambda: with_objects(
        b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"
    ),
    "an image only": lambda: page(stream(b"q 595 0 0 842 0 0 cm /I Do Q")),
    "broken deflate": lambda: page(stream(b"\x00\x01nonsense", b"/Filter /FlateDecode")),
    "a filter nobody knows": lambda: page(stream(b"x", b"/Filter /Nonsense")),
    "endless text objects": lambda: page(stream(b"BT " * 10_000)),
    "a form that draws itself": lambda: page(
        stream(b"/X Do"), b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    ),
}


@pytest.mark.parametrize("case", SILENT)
def test_what_has_no_text_is_silence(case):
    assert pdf_text.first_page(SILENT[case]()) == ""


def test_a_deflated_page_comes_out():
    raw = page(stream(zlib.compress(b"BT /F 12 Tf 70 700 Td (So: 9/CV) Tj ET"), b"/Filter /FlateDecode"))
    assert pdf_text.first_page(raw) == "So: 9/CV"


@pytest.mark.long
def test_files_by_others_never_raise():
    files = sorted(corpora.path("pyhanko").rglob("*.pdf"))
    assert len(files) > 100
    found = [pdf_text.first_page(file.read_bytes()) for file in files]
    assert sum(map(bool, found)) > 50
