"""Ways to draw something into the first page of a PDF in a later revision, as clerks' tools do, and as they must not."""

import io

import pdf_cases as cases
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

NAME, DICTIONARY, ARRAY, NUMBER, STREAM = (
    generic.pdf_name,
    generic.DictionaryObject,
    generic.ArrayObject,
    generic.NumberObject,
    generic.StreamObject,
)
NUMBERED = b"q BT /Moi 12 Tf 1 0 0 1 100 720 Tm (So: 12/UBND-VP) Tj ET Q"


def numbers(*values):
    return ARRAY(generic.FloatObject(value) for value in values)


def dictionary(**entries):
    return DICTIONARY({NAME("/" + name): value for name, value in entries.items()})


def stream(data=b"", **entries):
    return STREAM(dictionary(**entries), stream_data=data)


def font(**entries):
    plain = {"Type": NAME("/Font"), "Subtype": NAME("/Type1"), "BaseFont": NAME("/Helvetica")}
    return dictionary(**(plain | entries))


def image(**entries):
    plain = {
        "Subtype": NAME("/Image"),
        "Width": NUMBER(1),
        "Height": NUMBER(1),
        "BitsPerComponent": NUMBER(8),
    }
    return stream(b"\0", **(plain | {"ColorSpace": NAME("/DeviceGray")} | entries))


def form(data=NUMBERED, **entries):
    plain = {"Subtype": NAME("/Form"), "BBox": numbers(0, 0, 300, 100)}
    return stream(data, **(plain | entries))


class Page:
    """The first page in a new revision: `before` and `after` are contents put around the old, the rest resources."""

    def __init__(self, writer):
        self.writer = writer
        self.reference, _ = writer.find_page_for_modification(0)
        self.node = self.reference.get_object()

    def contents(self):
        held = self.node.raw_get("/Contents")
        found = held.get_object()
        return list(found.iterate()) if isinstance(found, ARRAY) else [held]

    def put(self, before=(), after=(NUMBERED,)):
        first, last = ([self.writer.add_object(stream(one)) for one in part] for part in (before, after))
        self.node[NAME("/Contents")] = ARRAY([*first, *self.contents(), *last])
        self.writer.mark_update(self.reference)
        return self

    def name(self, category="Font", name="Moi", value=None):
        """A name more among the page's own resources."""
        held = self.node["/Resources"]
        named = held.setdefault(NAME("/" + category), DICTIONARY())
        named.get_object()[NAME("/" + name)] = self.writer.add_object(font() if value is None else value)
        self.writer.mark_update(self.reference)
        return self


def drawn(raw, change):
    """`raw` with a revision in which `change` (of a Page) has drawn something."""
    writer = IncrementalPdfFileWriter(io.BytesIO(raw))
    change(Page(writer))
    output = io.BytesIO()
    writer.write(output)
    return output.getvalue()


def whited_out(page):
    page.name().put(after=(b"1 g 60 700 200 30 re f 0 g", NUMBERED))


def replaced(page):
    """The old content is rewritten, with the number in it."""
    (reference,) = page.contents()
    content = reference.get_object()
    content._data = content.data + b" " + NUMBERED
    content._encoded_data = None
    page.name()
    page.writer.mark_update(reference)


def signed():
    return cases.by_person()
