import pdf_cases as cases
import pdf_stamps as stamps
import pytest
from pdf_stamps import NAME, NUMBER, NUMBERED, dictionary, font, form, image, numbers, stream
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.writer import PageObject

from signing import pdf_drawing, pdf_write

PLACED = b"q 120 0 0 60 300 100 cm /Hinh Do Q"


def transparent(**entries):
    return image(SMask=image(), **entries)


def own_resources(page, content, category, value, name="Hinh"):
    page.name(category, name, value).name().put(after=(content,))


def shared_resources(page):
    """Resources in an object of their own, written again with a font more."""
    held = page.node["/Resources"]
    held["/Font"][NAME("/Moi")] = page.writer.add_object(font())
    page.writer.mark_update(page.node.raw_get("/Resources"))
    page.put()


STAMPS = {
    "appended": lambda page: page.name().put(),
    "old content wrapped": lambda page: page.name().put((b"q\n",), (b"Q", NUMBERED)),
    "text alone": lambda page: page.name().put(
        after=(b"BT /Moi 12 Tf 100 720 Td [(S) -20 (o)] TJ T* (12) ' ET",)
    ),
    "two streams": lambda page: page.name().put(after=(NUMBERED[:18], NUMBERED[18:])),
    "a frame": lambda page: page.put(after=(b"0 0 1 RG 2 w 70 700 150 40 re S 70 720 m 220 720 l s",)),
    "thin dark areas": lambda page: page.put(after=(b"0.8 0 0 rg 70 700 150 1 re f",)),
    "transparent image": lambda page: own_resources(page, PLACED, "XObject", transparent()),
    "stencil": lambda page: own_resources(
        page, b"1 0 0 rg " + PLACED, "XObject", image(ImageMask=generic.BooleanObject(True))
    ),
    "form": lambda page: own_resources(page, b"q 1 0 0 1 9 9 cm /Hinh Do Q", "XObject", form()),
    "multiplied": lambda page: own_resources(
        page, b"/Hinh gs " + NUMBERED, "ExtGState", dictionary(BM=NAME("/Multiply"), ca=NUMBER(1))
    ),
    "device colours": lambda page: page.name().put(after=(b"/DeviceCMYK cs 0 1 1 0 sc " + NUMBERED,)),
    "marked content": lambda page: page.name().put(after=(b"/Span << /A (b) >> BDC " + NUMBERED + b" EMC",)),
    "a name that nobody uses": lambda page: page.name(),
}


@pytest.mark.parametrize("kind", STAMPS)
def test_a_stamp(kind):
    assert after(stamps.drawn(stamps.signed(), STAMPS[kind])) == ("page_stamp",)


def after(raw):
    verdict = cases.only(raw)
    assert verdict.passed
    return verdict.changes_after


def without_old(page):
    page.name().put()
    page.node["/Contents"].pop(0)


def before_old(page):
    page.name().put((NUMBERED,), ())


def rotated(page):
    page.name().put()
    page.node[NAME("/Rotate")] = NUMBER(180)


def smaller_paper(page):
    page.name().put()
    page.node[NAME("/CropBox")] = numbers(0, 0, 600, 400)


def other_font(page):
    page.name().put()
    fonts = page.node["/Resources"]["/Font"]
    fonts[next(iter(fonts))] = page.writer.add_object(font(BaseFont=NAME("/Symbol")))


def rewritten_font(page):
    page.name().put()
    reference = next(iter(page.node["/Resources"]["/Font"].values()))
    reference.get_object()[NAME("/BaseFont")] = NAME("/Symbol")
    page.writer.mark_update(reference)


def another_page(page):
    page.name().put()
    page.writer.insert_page(PageObject(contents=page.writer.add_object(stream()), media_box=(0, 0, 9, 9)))


def endless_forms(page):
    reference = page.writer.add_object(form(b"/Hinh Do"))
    reference.get_object()[NAME("/Resources")] = dictionary(XObject=dictionary(Hinh=reference))
    page.node["/Resources"][NAME("/XObject")] = dictionary(Hinh=reference)
    page.put(after=(b"/Hinh Do",))


CHANGES = {
    "content replaced": stamps.replaced,
    "white box under the text": stamps.whited_out,
    "old content missing": without_old,
    "old content behind": before_old,
    "page rotated": rotated,
    "page cropped": smaller_paper,
    "font replaced": other_font,
    "font rewritten": rewritten_font,
    "page added": another_page,
    "form within itself": endless_forms,
    "state left before the old": lambda page: page.name().put((b"q .1 0 0 .1 0 0 cm",), (b"Q", NUMBERED)),
    "more restored than saved": lambda page: page.name().put(after=(b"Q Q " + NUMBERED,)),
    "white text": lambda page: page.name().put(after=(b"1 1 1 rg " + NUMBERED,)),
    "white strokes": lambda page: page.put(after=(b"1 G 30 w 70 700 m 220 700 l S",)),
    "light in a space of its own": lambda page: page.name("ColorSpace", "Rieng", dictionary()).put(),
    "colour unknown": lambda page: page.name().put(after=(b"/Pattern cs /P scn " + NUMBERED,)),
    "invisible text": lambda page: page.name().put(after=(b"3 Tr " + NUMBERED,)),
    "text without font": lambda page: page.put(),
    "glyphs drawn by procedures": lambda page: page.name(value=font(Subtype=NAME("/Type3"))).put(),
    "huge text": lambda page: page.name().put(after=(b"BT /Moi 400 Tf 10 400 Td (\xdb) Tj ET",)),
    "much text": lambda page: page.name().put(
        after=((b"BT /Moi 12 Tf 30 700 Td (" + b"x" * 90 + b") Tj ET ") * 16,)
    ),
    "large dark area": lambda page: page.put(after=(b"70 100 400 400 re f",)),
    "one wide line": lambda page: page.put(after=(b"400 w 70 400 m 500 400 l S",)),
    "opaque image": lambda page: own_resources(page, PLACED, "XObject", image()),
    "image over all": lambda page: own_resources(
        page, b"595 0 0 842 0 0 cm /Hinh Do", "XObject", transparent()
    ),
    "image in layers": lambda page: own_resources(page, PLACED, "XObject", transparent(OC=dictionary())),
    "enlarged form": lambda page: own_resources(
        page, b"/Hinh Do", "XObject", form(b"0 0 100 100 re f", Matrix=numbers(9, 0, 0, 9, 0, 0))
    ),
    "inline image": lambda page: page.put(
        after=(b"q 90 0 0 9 9 9 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \xff EI Q",)
    ),
    "lightening": lambda page: own_resources(
        page, b"/Hinh gs " + NUMBERED, "ExtGState", dictionary(BM=NAME("/Screen"))
    ),
    "mask of the state": lambda page: own_resources(
        page, b"/Hinh gs " + NUMBERED, "ExtGState", dictionary(SMask=NAME("/None"))
    ),
    "content that can be switched off": lambda page: page.name().put(
        after=(b"/OC /x BDC " + NUMBERED + b" EMC",)
    ),
    "shading": lambda page: page.put(after=(b"/Hinh sh",)),
    "unknown operator": lambda page: page.name().put(after=(NUMBERED + b" paint",)),
    "string without end": lambda page: page.name().put(after=(NUMBERED + b" (",)),
    "operands without operator": lambda page: page.name().put(after=(NUMBERED + b" 1 2",)),
    "text without end": lambda page: page.name().put(after=(NUMBERED[:-5],)),
    "far away": lambda page: page.put(after=(b"9" * 400 + b" 0 0 1 0 0 cm 0 0 1 1 re f",)),
    "too many operators": lambda page: page.put(after=(b"n " * (pdf_drawing.MOST_OPERATORS + 1),)),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_no_stamp(kind):
    assert after(stamps.drawn(stamps.signed(), CHANGES[kind])) == ("page_content",)


def holding(content, resources=None, **entries):
    """A page with this content, signed by the person."""

    def change(page):
        page.put(after=())
        page.node[NAME("/Contents")] = page.writer.add_object(stream(content))
        page.node.update({NAME("/" + name): value for name, value in entries.items()})
        if resources is not None:
            page.node[NAME("/Resources")] = page.writer.add_object(resources)

    raw = stamps.drawn(cases.page(), change)
    return pdf_write.sign(raw, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan")


SMALL = b"0 0 20 9 re f"


@pytest.mark.parametrize(
    "content, before, added, kinds",
    [
        (b"40 0 0 40 0 0 cm", (), SMALL, "page_content"),  # what is left open enlarges what follows
        (b"40 0 0 40 0 0 cm", (b"q",), b"Q " + SMALL, "page_stamp"),
        (b"q 40 0 0 40 0 0 cm", (b"q",), b"Q " + SMALL, "page_stamp"),
        (b"q 40 0 0 40 0 0 cm", (), b"Q " + SMALL, "page_stamp"),
        (b"q 40 0 0 40 0 0 cm", (), SMALL, "page_content"),
        (b"q 40 0 0 40 0 0 cm Q Q", (), SMALL, "page_stamp"),
        (b"1 g", (), SMALL, "page_content"),
        (b"/Cs8 cs 1 scn", (), SMALL, "page_content"),
        (b"/DeviceGray cs 1 sc 0 0 1 1 re f 0 g", (), SMALL, "page_stamp"),
        (b"0 1 g 1 rg", (), SMALL, "page_stamp"),  # operators without their operands do nothing
        (b"BT 9 0 0 9 0 0 Tm", (), SMALL, "page_content"),
        (b"(a\\)b(c)d) pop", (), SMALL, "page_stamp"),
        (b"(open", (), SMALL + b") pop", "page_content"),
        (b"<< /A [1 2", (), b"] >> pop " + SMALL, "page_content"),
        (b"BI /W 1 /H 1 ID (( EI\nq Q", (), SMALL, "page_stamp"),
        (b"BI /W 1 /H 1 ID ((", (), b" EI " + SMALL, "page_content"),
    ],
)
def test_what_the_old_content_leaves_behind(content, before, added, kinds):
    raw = stamps.drawn(holding(content), lambda page: page.put(before, (added,)))
    assert after(raw) == (kinds,)


def test_a_new_name_must_not_give_old_content_another_meaning():
    raw = holding(b"BT /Moi 12 Tf (gone) Tj ET")
    assert after(stamps.drawn(raw, lambda page: page.name().put())) == ("page_content",)
    assert after(stamps.drawn(raw, lambda page: page.name())) == ("page_content",)


def test_resources_in_an_object_of_their_own():
    raw = holding(b"q Q", resources=dictionary(Font=dictionary(Cu=font())))
    assert after(stamps.drawn(raw, shared_resources)) == ("page_stamp",)

    def other(page):
        page.node["/Resources"]["/Font"][NAME("/Cu")] = page.writer.add_object(font(BaseFont=NAME("/Symbol")))
        shared_resources(page)

    assert after(stamps.drawn(raw, other)) == ("page_content",)


def test_inherited_resources_become_the_pages_own():
    def hand_down(page):
        pages = page.node["/Parent"]
        pages[NAME("/Resources")] = page.node.pop("/Resources")
        page.writer.update_container(pages)
        page.writer.mark_update(page.reference)

    def own(page, **fonts):
        named = page.node["/Parent"]["/Resources"]["/Font"]
        kept = {} if "lost" in fonts else dict(named.items())
        page.node[NAME("/Resources")] = dictionary(
            Font=generic.DictionaryObject({**kept, NAME("/Moi"): page.writer.add_object(font())})
        )
        page.put()

    inherited = stamps.drawn(cases.page(), hand_down)
    raw = pdf_write.sign(inherited, cases.PERSON_KEY, cases.PERSON, at=cases.SIGNED_AT, field="Ca nhan")
    assert after(stamps.drawn(raw, own)) == ("page_stamp",)
    assert after(stamps.drawn(raw, lambda page: own(page, lost=True))) == ("page_content",)


def test_the_share_is_of_what_is_seen_of_the_page():
    box = b"100 100 200 200 re f"
    assert after(stamps.drawn(holding(b""), lambda page: page.put(after=(box,)))) == ("page_stamp",)
    cropped = holding(b"", CropBox=numbers(90, 90, 400, 400))
    assert after(stamps.drawn(cropped, lambda page: page.put(after=(box,)))) == ("page_content",)


def test_stamps_and_annotations_are_told_apart():
    def both(page):
        page.name().put()
        note = dictionary(Type=NAME("/Annot"), Subtype=NAME("/Stamp"), Rect=numbers(0, 0, 99, 99))
        page.writer.register_annotation(page.reference, page.writer.add_object(note))

    assert after(stamps.drawn(stamps.signed(), both)) == ("annotation", "page_stamp")
