import io
from datetime import UTC, datetime

import pdf_cases as cases
import pytest
from pyhanko.pdf_utils import generic, writer
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, general

from signing import keys, pdf_write


def read(raw):
    return PdfFileReader(io.BytesIO(raw))


def drawn(raw):
    """All page operators of the first page."""
    contents = read(raw).root["/Pages"]["/Kids"][0].raw_get("/Contents").get_object()
    streams = contents if isinstance(contents, generic.ArrayObject) else [contents]
    return b"\n".join(stream.get_object().data for stream in streams)


def true_text(text):
    return (b"\xfe\xff" + text.encode("utf-16-be")).hex().encode()


def test_the_same_lines_give_the_same_page():
    lines = ["Số: 12/UBND-VP", "(Đính kèm) \\ hết"]
    raw = pdf_write.blank(lines)
    assert raw == pdf_write.blank(lines)
    assert raw != pdf_write.blank(lines[:1])
    assert len(raw) < 1500
    assert read(raw).total_revisions == 1
    assert b"(So: 12/UBND-VP) Tj" in drawn(raw)
    assert rb"(\(Dinh kem\) \\ het) Tj" in drawn(raw)
    for line in lines:
        assert true_text(line) in drawn(raw)


@pytest.mark.parametrize("lines", [[], [""], ["x" * 3000], ["\x00\n\r"], ["𠀀"]])
def test_odd_lines_still_make_a_page(lines):
    assert cases.judged(pdf_write.blank(lines)).remarks == ()


def test_a_stamp_is_appended_and_drawn():
    raw = pdf_write.stamp(cases.page(), "Số 12")
    assert raw.startswith(cases.page())
    assert raw == pdf_write.stamp(cases.page(), "Số 12")
    assert b"(So 12) Tj" in drawn(raw)
    twice = pdf_write.stamp(raw, "ngày 5/1/2026")
    assert b"(ngay 5/1/2026) Tj" in drawn(twice)
    assert len(read(twice).root["/Pages"]["/Kids"][0]["/Resources"]["/Font"]) == 3


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384"])
def test_signing_with_each_kind_of_key(kind):
    key = keys.new_key(kind)
    certificate = keys.certificate(cases.AUTHORITY, "Thử", key.public_key(), at=cases.ISSUED, serial=9)
    raw = pdf_write.sign(
        cases.page(), key, certificate, at=cases.SIGNED_AT, field="O", chain=[cases.AUTHORITY.certificate]
    )
    assert raw.startswith(cases.page())
    assert cases.only(raw).passed
    value = read(raw).root["/AcroForm"]["/Fields"][0]["/V"]
    assert value["/SubFilter"] == "/ETSI.CAdES.detached"
    assert value["/M"] == "D:20260105080000Z"


def test_the_visible_signature_shows_name_and_moment():
    at = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
    raw = pdf_write.sign(
        cases.page(),
        cases.PERSON_KEY,
        cases.PERSON,
        at=at,
        field="O",
        name="Trần Thị Thử",
        box=(10, 10, 200, 60),
    )
    field = read(raw).root["/AcroForm"]["/Fields"][0]
    shown = field["/AP"]["/N"]
    assert list(shown["/BBox"]) == [0, 0, 190, 50]
    assert b"(Tran Thi Thu) Tj" in shown.data
    assert b"(05/01/2026 08:30:00 +0000) Tj" in shown.data
    assert field["/V"]["/Name"] == "Trần Thị Thử"


def test_an_empty_field_is_used_and_a_filled_one_refused():
    prepared = cases.updated(
        cases.page(), lambda writer: fields.append_signature_field(writer, fields.SigFieldSpec("Ca nhan"))
    )
    raw = pdf_write.sign(prepared, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan")
    assert len(read(raw).root["/AcroForm"]["/Fields"]) == 1
    assert cases.only(raw).passed
    with pytest.raises(general.SigningError):
        pdf_write.sign(raw, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan")


def test_files_with_compressed_cross_references():
    fresh = writer.PdfFileWriter(stream_xrefs=True)
    fresh.insert_page(
        writer.PageObject(
            contents=fresh.add_object(generic.StreamObject(stream_data=b"")),
            media_box=generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842))),
        )
    )
    output = io.BytesIO()
    fresh.write(output)
    raw = cases.by_organisation(pdf_write.stamp(output.getvalue(), "Số 12"))
    assert cases.only(raw).passed
    assert cases.only(raw).coverage.whole
