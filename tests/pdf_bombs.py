"""PDF files made to hang a parser or to bloat it, each a few hundred kilobytes to some megabytes."""

import zlib
from functools import cache

import pdf_cases as cases

from signing import pdf_write

MANY = 1 << 20  # bytes


def assembled(objects, trailer=b"", before=b""):
    """A PDF of numbered objects (number -> bytes) with a true table; `trailer` entries more, `before` the table."""
    body, places = bytearray(b"%PDF-1.7\n"), {}
    for number, content in objects.items():
        places[number] = len(body)
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    body += before
    table = len(body)
    body += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        body += b"%d 1\n%010d 00000 n \n" % (number, place)
    body += b"trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (
        max(objects) + 1,
        trailer,
        table,
    )
    return bytes(body)


PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"


def holding(catalogue=b"", pages=PAGES, page=PAGE, **more):
    """A small file whose catalogue holds something."""
    objects = {1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalogue, 2: pages, 3: page}
    return assembled(objects | {int(number[1:]): content for number, content in more.items()})


def stream(data, entries=b""):
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), entries, data)


def form(*fields, **more):
    return holding(b"/AcroForm << /Fields [%s] >>" % b" ".join(fields), **more)


def behind_a_signature(content):
    """A signed file, then a revision that writes its catalogue again and brings this object."""
    raw = cases.by_person()
    root = raw.rindex(b"/Type /Catalog")
    start = raw.rindex(b"<<", 0, root)
    catalogue = raw[start : raw.index(b"endobj", root)]
    number = int(raw[:start].rstrip().removesuffix(b"obj").split()[-2])
    size = 5000
    opened = len(raw) + 1
    objects = b"\n%d 0 obj\n%s\nendobj\n" % (
        number,
        catalogue.replace(b"<<", b"<< /Names 4999 0 R ", 1).strip(),
    )
    second = len(raw) + len(objects)
    objects += b"4999 0 obj\n%s\nendobj\n" % content
    previous = int(raw[raw.rindex(b"startxref") + 9 :].split()[0])
    table = b"xref\n%d 1\n%010d 00000 n \n4999 1\n%010d 00000 n \n" % (number, opened, second)
    trailer = b"trailer\n<< /Size %d /Root %d 0 R /Prev %d >>\n" % (size, number, previous)
    at = len(raw) + len(objects)
    return raw + objects + table + trailer + b"startxref\n%d\n%%%%EOF\n" % at


def chained(revisions):
    """Tables that each name the one before."""
    raw = holding()
    place = raw.rindex(b"xref\n0 1")
    parts, size = [raw], len(raw)
    for _ in range(revisions):
        parts.append(
            b"xref\n0 0\ntrailer\n<< /Size 4 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n"
            % (place, size)
        )
        place, size = size, size + len(parts[-1])
    return b"".join(parts)


def table_loop():
    raw = holding()
    at = raw.rindex(b"xref\n0 1")
    return raw.replace(b"/Root 1 0 R ", b"/Root 1 0 R /Prev %d" % at)


@cache
def deflated(size):
    """So many zeros, compressed."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MANY)) for _ in range(size // MANY)) + packer.flush()


def object_stream(size):
    filled = stream(deflated(size), b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode")
    raw = holding(b"/AcroForm 9 0 R", x8=filled)
    at = raw.rindex(b"xref\n0 1")
    rows = ((b"\0", 0), *((b"\1", raw.index(b"%d 0 obj" % number)) for number in (1, 2, 3, 8)), (b"\2", 8))
    table = b"".join(kind + place.to_bytes(4, "big") + b"\0\0" for kind, place in rows)
    index = b"/Type /XRef /Size 10 /W [1 4 2] /Index [0 4 8 2] /Root 1 0 R"
    return raw[:at] + b"10 0 obj\n" + stream(table, index) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % at


def table_stream(size):
    raw = holding()
    at = raw.rindex(b"xref\n0 1")
    index = b"/Type /XRef /Size 4 /W [1 4 2] /Root 1 0 R /Filter /FlateDecode"
    return (
        raw[:at] + b"10 0 obj\n" + stream(deflated(size), index) + b"\nendobj\nstartxref\n%d\n%%%%EOF\n" % at
    )


def container(contents):
    """A signature whose container is this."""
    return pdf_write.embed(
        cases.page(), lambda _: contents, len(contents), at=cases.SIGNED_AT, field="Co quan"
    )


def ranges(count):
    """A signed file with so many ranges that lead nowhere, behind its end."""
    raw = cases.by_person()
    tail = raw[raw.rindex(b"\nstartxref") :]
    return raw + b"".join(b"/ByteRange [0 %d 9000 9]\n" % (number + 1) for number in range(count)) + tail


def many_fields():
    """Fields in objects of their own."""
    numbers = range(5, 30_005)
    fields = {f"x{number}": b"<< /FT /Tx /T (a) >>" for number in numbers}
    return form(*(b"%d 0 R" % number for number in numbers), **fields)


def nine_signatures():
    raw = cases.page()
    for number in range(9):
        raw = pdf_write.sign(
            raw, cases.ORGANISATION_KEY, cases.ORGANISATION, at=cases.SIGNED_AT, field=f"O {number}"
        )
    return raw


QUICK = {
    "object stream that unpacks to 160 MB": lambda: object_stream(160 * MANY),
    "table that unpacks to 160 MB": lambda: table_stream(160 * MANY),
    "table that names itself": table_loop,
    "arrays in arrays": lambda: holding(b"/Names " + b"[" * 100_000),
    "dictionaries in dictionaries": lambda: holding(b"/Names " + b"<< /A " * 50_000),
    "arrays in arrays behind a signature": lambda: behind_a_signature(b"[" * 900 + b"]" * 900),
    "hexadecimal string of 30 MB": lambda: holding(b"/Lang <" + b"41" * (15 * MANY) + b">"),
    "hexadecimal string without end": lambda: holding(b"/Lang <" + b"41" * MANY),
    "twenty thousand revisions": lambda: chained(20_000),
    "sixty-five revisions": lambda: chained(65),
    "thirty thousand fields": many_fields,
    "nine signatures": nine_signatures,
    "field that is its own child": lambda: form(b"5 0 R", x5=b"<< /FT /Sig /Kids [5 0 R 5 0 R] >>"),
    "page that is its own parent": lambda: holding(page=b"<< /Type /Page /Parent 3 0 R /Kids [3 0 R] >>"),
    "objects that name each other": lambda: form(b"5 0 R", x5=b"6 0 R", x6=b"5 0 R"),
    "stream as long as itself": lambda: form(b"5 0 R", x5=b"<< /Length 5 0 R >>\nstream\nabc\nendstream"),
    "table without end": lambda: holding().replace(b"xref\n0 1\n", b"xref\n0 9999999999\n", 1),
    "number without end": lambda: holding().replace(b"startxref\n", b"startxref\n" + b"9" * 1900, 1),
    "many ranges": lambda: ranges(50_000),
    "container of openings": lambda: container(b"\x30\x80" * 20_000),
    "container of a long number": lambda: container(b"\x30\x84\x7f\xff\xff\xff" + bytes(50_000)),
    "names of escapes": lambda: holding(b"/Names [" + b"/a#41#41#41 " * 20_000 + b"]"),
}

SLOW = {
    "string of 20 MB": lambda: holding(b"/Lang (" + b"a" * (20 * MANY) + b")"),
    "array of a million": lambda: holding(b"/Names [" + b"[] " * MANY + b"]"),
    "names of many objects": lambda: behind_a_signature(b"[" + b"<< /A 1 0 R >> " * 300_000 + b"]"),
}
