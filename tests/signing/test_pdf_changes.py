import io
import re

import pdf_cases as cases
import pytest
from pyhanko.pdf_utils import generic, writer
from pyhanko.sign import fields

from signing import pdf_write

NAME, DICTIONARY, ARRAY, NUMBER = (
    generic.pdf_name,
    generic.DictionaryObject,
    generic.ArrayObject,
    generic.NumberObject,
)


def test_the_usual_flow_person_stamp_organisation():
    stamped = pdf_write.stamp(cases.by_person(), "Số: 12/UBND-VP ngày 5/1/2026")
    assert cases.only(stamped).changes_after == ("page_stamp",)
    person, organisation = cases.judged(cases.by_organisation(stamped, box=(60, 60, 260, 110))).verdicts
    assert person.passed
    assert person.changes_after == ("signature", "page_stamp")
    assert organisation.passed
    assert organisation.coverage.whole


def test_visible_signatures_change_nothing_but_signatures():
    raw = cases.by_organisation(cases.by_person(box=(300, 60, 500, 110)), box=(260, 60, 320, 110))
    assert cases.judged(raw).verdicts[0].changes_after == ("signature",)


def annotate(writer):
    note = DICTIONARY({NAME("/Type"): NAME("/Annot"), NAME("/Subtype"): NAME("/Square")})
    note[NAME("/Rect")] = ARRAY(map(NUMBER, (0, 0, 500, 800)))
    page, _ = writer.find_page_for_modification(0)
    writer.register_annotation(page, writer.add_object(note))


def add_field(writer, **entries):
    field = DICTIONARY({NAME("/T"): generic.pdf_string("Ghi chu")})
    field.update({NAME("/" + name): value for name, value in entries.items()})
    writer.root["/AcroForm"]["/Fields"].append(writer.add_object(field))
    writer.update_container(writer.root["/AcroForm"]["/Fields"])


def attach(writer):
    writer.root[NAME("/Names")] = writer.add_object(
        DICTIONARY({NAME("/EmbeddedFiles"): DICTIONARY({NAME("/Names"): ARRAY()})})
    )
    writer.update_root()


def replace_text(writer):
    page, _ = writer.find_page_for_modification(0)
    reference = page.get_object().raw_get("/Contents")
    reference.get_object()._data = b"BT ET"
    reference.get_object()._encoded_data = None
    writer.mark_update(reference)


def replace_font(writer):
    fonts = writer.find_page_for_modification(0)[0].get_object()["/Resources"]["/Font"]
    reference = fonts.raw_get(next(iter(fonts)))
    reference.get_object()[NAME("/BaseFont")] = NAME("/Symbol")
    writer.mark_update(reference)


def alter_signed_field(writer):
    field = writer.root["/AcroForm"]["/Fields"][0]
    field[NAME("/AP")] = DICTIONARY({NAME("/N"): writer.add_object(generic.StreamObject(stream_data=b"q Q"))})
    writer.update_container(field)


def add_page(writer):
    page = DICTIONARY({NAME("/Type"): NAME("/Page"), NAME("/MediaBox"): ARRAY(map(NUMBER, (0, 0, 9, 9)))})
    writer.insert_page(page)


@pytest.mark.parametrize(
    "change, kinds",
    [
        (annotate, ("annotation",)),
        (lambda writer: add_field(writer, FT=NAME("/Tx"), V=generic.pdf_string("x")), ("form",)),
        (lambda writer: fields.append_signature_field(writer, fields.SigFieldSpec("Trong")), ("form",)),
        (attach, ("other",)),
        (replace_text, ("page_content",)),
        (replace_font, ("page_content",)),
        (add_page, ("page_content",)),
        (alter_signed_field, ("other",)),
        (lambda writer: (annotate(writer), attach(writer)), ("annotation", "other")),
        (lambda writer: writer.add_object(DICTIONARY()), ()),
        (lambda writer: writer.set_info(DICTIONARY({NAME("/Title"): generic.pdf_string("x")})), ()),
    ],
)
def test_what_came_after_a_signature(change, kinds):
    verdict = cases.only(cases.updated(cases.by_person(), change))
    assert verdict.passed
    assert not verdict.coverage.whole
    assert verdict.changes_after == kinds


def test_a_change_undone_is_no_change_for_the_first_but_the_organisation_signed_it():
    text_field = cases.updated(
        cases.by_person(), lambda writer: add_field(writer, FT=NAME("/Tx"), V=generic.pdf_string("x"))
    )
    signed = cases.by_organisation(text_field)

    def undo(writer):
        del writer.root["/AcroForm"]["/Fields"][1]
        writer.update_container(writer.root["/AcroForm"]["/Fields"])

    person, organisation = cases.judged(cases.updated(signed, undo)).verdicts
    assert person.changes_after[0] == "signature"
    assert "form" in organisation.changes_after


def test_a_stripped_signature_leaves_a_trace():
    stripped = cases.updated(cases.by_person(), cases.remove_field)
    report = cases.judged(stripped)
    assert report.verdicts == ()
    assert cases.codes(report) == ["hidden_signature"]
    (organisation,) = cases.judged(cases.by_organisation(stripped)).verdicts
    assert organisation.passed

    def empty(writer):
        field = writer.root["/AcroForm"]["/Fields"][0]
        del field["/V"]
        writer.update_container(field)

    assert cases.codes(cases.judged(cases.updated(cases.by_person(), empty))) == [
        "empty_signature_field",
        "hidden_signature",
    ]


def test_the_organisation_signature_does_not_survive_the_removal_of_the_person():
    _, organisation = cases.judged(cases.by_both()).verdicts
    assert organisation.coverage.whole
    (left,) = cases.judged(cases.updated(cases.by_both(), cases.remove_field)).verdicts
    assert "other" in left.changes_after
    assert not left.coverage.whole


def test_a_field_without_a_name_hides_nothing():
    def unname(writer):
        field = writer.root["/AcroForm"]["/Fields"][0]
        del field["/T"]
        writer.update_container(field)

    assert cases.only(cases.updated(cases.by_person(), unname)).changes_after == ("other",)


def test_what_only_pyhanko_finds_strange_is_another_change():
    def reorder(writer):
        page, _ = writer.find_page_for_modification(0)
        page.get_object()[NAME("/LastModified")] = generic.pdf_string("D:2026")
        writer.mark_update(page)

    assert cases.only(cases.updated(cases.by_person(), reorder)).changes_after == ("other",)


def test_an_empty_signature_field_that_is_a_font_too():
    """Signing the field would change how the page reads."""
    spec = fields.SigFieldSpec("Co quan")

    def prepare(writer):
        fields.append_signature_field(writer, spec)
        page, _ = writer.find_page_for_modification(0)
        fonts = page.get_object()["/Resources"]["/Font"]
        fonts[next(iter(fonts))] = writer.root["/AcroForm"]["/Fields"].raw_get(0)
        writer.mark_update(page)

    prepared = cases.updated(cases.page(), prepare)
    signed = pdf_write.sign(prepared, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan")
    person, _ = cases.judged(cases.by_organisation(signed)).verdicts
    assert "page_content" in person.changes_after


def in_object_streams():
    """A page whose objects lie in an object stream, signed by the person, and the stream's number."""
    fresh = writer.PdfFileWriter(stream_xrefs=True)
    stream = fresh.prepare_object_stream()
    content = fresh.add_object(generic.StreamObject(stream_data=b"BT ET"))
    resources = fresh.add_object(DICTIONARY({NAME("/Font"): DICTIONARY()}), obj_stream=stream)
    page = {"/Type": NAME("/Page"), "/MediaBox": ARRAY(map(NUMBER, (0, 0, 9, 9))), "/Contents": content}
    fresh.insert_page(
        DICTIONARY({NAME(key): value for key, value in page.items()} | {NAME("/Resources"): resources})
    )
    output = io.BytesIO()
    fresh.write(output)
    raw = output.getvalue()
    number = int(re.search(rb"(\d+) 0 obj\s*<<\s*[^>]*/ObjStm", raw)[1])
    return pdf_write.sign(raw, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan"), number


def test_an_object_stream_written_again_is_another_change():
    raw, number = in_object_streams()
    assert cases.only(raw).coverage.whole
    assert cases.judged(cases.by_organisation(raw)).verdicts[0].changes_after == ("signature",)

    def rewrite(writer):
        old = writer.get_object(generic.Reference(number, 0, writer))
        data = old.data.replace(b"/Font", b"/Tnof")
        assert data != old.data
        entries = {key: old.raw_get(key) for key in ("/Type", "/N", "/First")}
        fresh = DICTIONARY(entries)
        writer.objects[(0, number)] = generic.StreamObject(fresh, stream_data=data)

    assert "other" in cases.only(cases.updated(raw, rewrite)).changes_after
    stamped = cases.updated(raw, lambda writer: (rewrite(writer), annotate(writer)))
    assert cases.only(stamped).changes_after == ("annotation", "other")


def test_going_back_to_an_older_revision_is_a_change():
    raw = cases.by_both()
    older = re.findall(rb"startxref\n(\d+)\n%%EOF", cases.by_person())[-1]
    back = raw + b"startxref\n%s\n%%%%EOF\n" % older
    verdict = cases.only(back)
    assert verdict.signer_name == "Trần Thị Thử"
    assert not verdict.coverage.whole
    assert verdict.changes_after == ("other",)
    assert "hidden_signature" in cases.codes(cases.judged(back))
