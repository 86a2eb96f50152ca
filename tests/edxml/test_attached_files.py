"""Attached files as reference page edxml, section 10, tells them: a row for each sentence, bombs and lies among them.

Every row is tried on a letter in memory and on one read from a file: what comes out must be the same.
"""

import base64
import io
import os
import random
import struct
import tempfile
import unicodedata
import zipfile
import zlib
from pathlib import Path

import large_letters
import pytest
from province import quick_letter

from exchange.edxml import attachments, kinds, model, names, read, spool, spooled, wrapping

MB = 1 << 20
PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" + bytes(range(256)) * 8 + b"\n%%EOF\n"
BIG = PDF + random.Random(3).randbytes(200_000)
XLSX_WITHIN = ("[Content_Types].xml", "xl/workbook.xml")


def zipped(*entries, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


class Pipe(io.RawIOBase):
    """As `java.util.zip` writes: what cannot go back puts sizes behind the data."""

    def __init__(self):
        self.written = b""

    def writable(self):
        return True

    def write(self, piece):
        self.written += bytes(piece)
        return len(piece)


def by_java(name, data):
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return pipe.written


def inspected(name, data, content_type="", encode=base64.b64encode):
    """What two ways say of a file: its kind, whether it was wrapped, the bytes that come out, codes of findings."""
    raw = large_letters.with_encoded(quick_letter(1), (name, encode(data)))
    if content_type:
        raw = raw.replace(b"application/octet-stream", content_type.encode())
    with tempfile.TemporaryDirectory() as place:
        ways = (read.read(raw), spool.read_file(large_letters.put(Path(place), raw), Path(place)))
        found = []
        for reading in ways:
            (one,) = reading.message.attachments
            seen = attachments.inspect(one)
            bytes_ = spooled.whole(attachments.content(one))
            assert (seen.size, seen.sha256) == (len(bytes_), spooled.digest(bytes_).hex())
            codes = {finding.code for finding in (*reading.findings, *seen.findings)}
            found.append((seen.kind, seen.wrapped, bytes_, codes))
    assert found[0] == found[1]
    return found[0]


ZIP, PDF_TYPE, DOC_TYPE = "application/zip", "application/pdf", "application/doc"
EDXML = quick_letter(9)
SENTENCES = {
    "raw PDF, declared so": ("a.pdf", PDF, PDF_TYPE, "pdf", False, PDF, set()),
    "the type lies: zip, but a PDF": ("a.pdf", PDF, ZIP, "pdf", False, PDF, set()),
    "zipped by the axis, type zip (2019)": ("a.pdf", by_java("2b7c.pdf", PDF), ZIP, "pdf", True, PDF, set()),
    "zipped by the axis, type PDF (2025)": (
        "a.pdf",
        by_java("2b7c.pdf", PDF),
        PDF_TYPE,
        "pdf",
        True,
        PDF,
        set(),
    ),
    "a large one zipped by the axis": ("a.pdf", by_java("2b7c.pdf", BIG), PDF_TYPE, "pdf", True, BIG, set()),
    "a large one stored": (
        *("a.pdf", zipped(("x.pdf", BIG), method=zipfile.ZIP_STORED), ZIP, "pdf", True, BIG, set()),
    ),
    "the entry's ending in capitals": ("a.pdf", zipped(("X.PDF", PDF)), ZIP, "pdf", True, PDF, set()),
    "an entry with a path that leads out": (
        *("a.pdf", zipped(("../../../etc/x.pdf", PDF)), ZIP, "pdf", True, PDF, set()),
    ),
    "an absolute path": ("a.pdf", zipped(("/etc/x.pdf", PDF)), ZIP, "pdf", True, PDF, set()),
    "xlsx is a ZIP itself": (
        *("a.xlsx", zipped(*((name, b"<x/>") for name in XLSX_WITHIN)), "application/xlsx", "xlsx", False),
        *(zipped(*((name, b"<x/>") for name in XLSX_WITHIN)), set()),
    ),
    "xlsx in its wrapping": (
        *("a.xlsx", by_java("9.xlsx", zipped(*((name, b"<x/>") for name in XLSX_WITHIN))), ZIP, "xlsx", True),
        *(zipped(*((name, b"<x/>") for name in XLSX_WITHIN)), set()),
    ),
    "xls in its wrapping": (
        *("a.xls", by_java("9.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), ZIP, "ole", True),
        *(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", set()),
    ),
    "a ZIP stays a ZIP": (
        "a.zip",
        zipped(("b.zip", b"x")),
        ZIP,
        "zip",
        False,
        zipped(("b.zip", b"x")),
        set(),
    ),
    "a ZIP in a ZIP stays": (
        "a.ZIP",
        zipped(("b.zip", b"x")),
        ZIP,
        "zip",
        False,
        zipped(("b.zip", b"x")),
        set(),
    ),
    "a .doc that is edXML": ("a.doc", EDXML, DOC_TYPE, "markup", False, EDXML, {"kind_differs"}),
    "a .doc that is zipped edXML": (
        *(
            "a.doc",
            zipped(("9.edxml", EDXML)),
            DOC_TYPE,
            "zip",
            False,
            zipped(("9.edxml", EDXML)),
            {"kind_differs"},
        ),
    ),
    "a .doc that is docx": (
        *("a.doc", zipped(("word/document.xml", b"x"), ("y", b"")), "application/docx", "docx", False),
        *(zipped(("word/document.xml", b"x"), ("y", b"")), {"kind_differs"}),
    ),
    "edxml in its wrapping": ("a.edxml", by_java("9.edxml", EDXML), ZIP, "markup", True, EDXML, set()),
    "no ending, said to be zipped": ("a", zipped(("b", b"x")), ZIP, "text", True, b"x", set()),
    "an executable called PDF": (
        "a.pdf",
        b"MZ\x90",
        PDF_TYPE,
        "executable",
        False,
        b"MZ\x90",
        {"kind_differs", "executable"},
    ),
    "a PDF through a text codec": (
        *("a.pdf", PDF.decode(errors="replace").encode(), PDF_TYPE, "pdf", False),
        *(PDF.decode(errors="replace").encode(), {"recoded_bytes"}),
    ),
    "a wrapped PDF that went through a text codec before": (
        *("a.pdf", by_java("9.pdf", PDF.decode(errors="replace").encode()), PDF_TYPE, "pdf", True),
        *(PDF.decode(errors="replace").encode(), {"recoded_bytes"}),
    ),
    "an old .doc through a text codec: its magic is lost": (
        *(
            "a.doc",
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(128, 256))).decode(errors="replace").encode(),
        ),
        *(DOC_TYPE, "data", False),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(128, 256))).decode(errors="replace").encode(),
        {"kind_differs", "recoded_bytes"},
    ),
    "a PNG through a text codec": (
        *("a.png", b"\xef\xbf\xbdPNG\r\n\x1a\n\0\0\xef\xbf\xbd\xef\xbf\xbd", "image/png", "data", False),
        *(b"\xef\xbf\xbdPNG\r\n\x1a\n\0\0\xef\xbf\xbd\xef\xbf\xbd", {"kind_differs", "recoded_bytes"}),
    ),
    "a text with replacement characters is a text": (
        *("a.txt", "\ufffd\ufffd".encode(), "text/plain", "text", False, "\ufffd\ufffd".encode(), set()),
    ),
    "a PDF with one such character is whole": (
        *("a.pdf", PDF + "\ufffd".encode(), PDF_TYPE, "pdf", False, PDF + "\ufffd".encode(), set()),
    ),
    "damage far inside a large file": (
        *("a.pdf", BIG + bytes(MB) + b"\xef\xbf\xbd" * 2, PDF_TYPE, "pdf", False),
        *(BIG + bytes(MB) + b"\xef\xbf\xbd" * 2, {"recoded_bytes"}),
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_section_10(name):
    file, data, content_type, kind, wrapped, bytes_, codes = SENTENCES[name]
    assert inspected(file, data, content_type) == (kind, wrapped, bytes_, codes)


@pytest.mark.parametrize(
    "encode",
    [
        base64.b64encode,
        base64.encodebytes,
        lambda data: b"\r\n\t " + base64.encodebytes(data).replace(b"\n", b"\r\n"),
    ],
    ids=["one line", "lines", "lines of Windows"],
)
def test_base64_in_lines(encode):
    assert inspected("a.pdf", BIG, encode=encode)[2] == BIG


def test_a_replacement_between_two_pieces_is_found(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"%PDF-" + bytes(60) + b"\xef\xbf\xbd" * 2 + bytes(60))
    for size in range(2, 70):
        monkeypatch.setattr(spooled, "PIECE_BYTES", size)
        assert kinds.recoded(spooled.of(path))
    assert not kinds.recoded(spooled.of(large_letters.put(tmp_path, b"%PDF-" + bytes(200))))


# --- bombs and lies --------------------------------------------------------------------------------------


def deflated(data):
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packing.compress(data) + packing.flush()


def built(
    packed, size, crc, *, name=b"x.txt", method=8, flags=0, count=1, local=(), record=(), tail=b"", gap=b""
):
    """A ZIP built by hand: `local` and `record` replace (CRC, packed, size) in header and directory."""
    said = (crc, len(packed), size)
    header = (
        struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, flags, method, 0, 0, *(local or said), len(name), 0)
        + name
    )
    at = len(header) + len(packed) + len(gap)
    entry = struct.pack(
        "<4sHHHHHHLLLHHHHHLL",
        b"PK\1\2",
        20,
        20,
        flags,
        method,
        0,
        0,
        *(record or said),
        len(name),
        0,
        0,
        0,
        0,
        0,
        0,
    )
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(entry) + len(name), at, 0)
    return header + packed + gap + entry + name + end + tail


TEXT = random.Random(4).randbytes(200_000).hex().encode()
"""Packed it is still too much to be taken into memory from a file."""

PACKED, CRC = deflated(TEXT), zlib.crc32(TEXT)
SAID = (CRC, len(PACKED), len(TEXT))
ZEROS = deflated(bytes(60 * MB))
LIES = {
    "60 MB of zeros": built(ZEROS, 60 * MB, zlib.crc32(bytes(60 * MB))),
    "zeros that say they are few": built(ZEROS, 1_000, zlib.crc32(bytes(1_000))),
    "zeros that say they are 4 GB": built(ZEROS, 2**32 - 1, 0),
    "300 MB of zeros": built(deflated(bytes(300 * MB)), 300 * MB, 0),
    "a size one too small": built(PACKED, len(TEXT) - 1, zlib.crc32(TEXT[:-1])),
    "a size one too large": built(PACKED, len(TEXT) + 1, CRC),
    "another checksum": built(PACKED, len(TEXT), CRC ^ 1),
    "header and directory differ in checksum": built(PACKED, len(TEXT), CRC, local=(CRC ^ 1, *SAID[1:])),
    "header and directory differ in size": built(PACKED, len(TEXT), CRC, local=(CRC, len(PACKED), 5)),
    "header and directory differ in packed size": built(PACKED, len(TEXT), CRC, record=(CRC, 5, len(TEXT))),
    "packed size beyond the file": built(
        PACKED, len(TEXT), CRC, local=(CRC, 2**31, 1), record=(CRC, 2**31, 1)
    ),
    "all sizes zero": built(PACKED, 0, 0, local=(0, 0, 0), record=(0, 0, 0)),
    "sizes of ZIP64": built(PACKED, 2**32 - 1, CRC, record=(CRC, 2**32 - 1, 2**32 - 1)),
    "two entries said, one there": built(PACKED, len(TEXT), CRC, count=2),
    "no entry said": built(PACKED, len(TEXT), CRC, count=0),
    "encrypted": built(PACKED, len(TEXT), CRC, flags=1),
    "another method": built(PACKED, len(TEXT), CRC, method=12),
    "bytes behind the end": built(PACKED, len(TEXT), CRC, tail=b"x"),
    "bytes between": built(PACKED, len(TEXT), CRC, gap=b"x"),
    "deflated data not ended": built(PACKED[:-5], len(TEXT), CRC),
    "deflated data with more behind": built(PACKED + b"xxx", len(TEXT), CRC),
    "no deflated data": built(b"\xff" * 200, len(TEXT), CRC),
    "stored, but sizes differ": built(TEXT, len(TEXT) - 1, CRC, method=0),
    "another ending inside": built(PACKED, len(TEXT), CRC, name=b"x.exe"),
    "a folder": built(b"", 0, 0, name=b"x.txt/", method=0),
    "described behind, but nothing is there": built(PACKED, len(TEXT), CRC, flags=8),
    "a header alone": b"PK\3\4" + bytes(26),
    "an end alone behind the mark": b"PK\3\4" + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, 1, 1, 0, 4, 0),
}


def test_the_rows_are_tried_in_memory_and_on_disk():
    assert spooled.SMALL_BYTES < len(PACKED) < len(TEXT)


def test_the_builder_builds_what_is_unwrapped():
    assert inspected("a.txt", built(PACKED, len(TEXT), CRC))[1:3] == (True, TEXT)
    assert inspected("a.txt", built(TEXT, len(TEXT), CRC, method=0))[1:3] == (True, TEXT)


@pytest.mark.parametrize("name", LIES)
def test_bombs_and_lies_stay_wrapped(name):
    assert inspected("a.txt", LIES[name])[1:3] == (False, LIES[name])


def test_a_lie_about_the_size_costs_no_disk(tmp_path, monkeypatch):
    """100 MB that say they are 200 kB are given up within a piece."""
    packed = deflated(bytes(100 * MB))
    raw = built(packed, 200_000, zlib.crc32(bytes(200_000)))
    unfolded, real = [], wrapping._pieces
    monkeypatch.setattr(
        wrapping, "_pieces", lambda *given: (unfolded.append(len(one)) or one for one in real(*given))
    )
    assert wrapping.unwrap(spooled.of(large_letters.put(tmp_path, raw)), "txt", 1 << 30) is None
    assert unfolded == [MB]
    assert [path.name for path in tmp_path.iterdir()] == ["body"]


def test_a_file_that_was_opened_is_left_alone_when_it_is_opened_again(tmp_path):
    """A worker may be reading it, and may have it mapped into its memory."""
    wrapped = large_letters.put(tmp_path, built(PACKED, len(TEXT), CRC))
    first = wrapping.unwrap(spooled.of(wrapped), "txt", 1 << 30)
    with first.path.open("rb") as reader:
        held = os.fstat(reader.fileno()).st_ino
        assert wrapping.unwrap(spooled.of(wrapped), "txt", 1 << 30) == first
        assert (first.path.stat().st_ino != held, reader.read()) == (True, TEXT)
    for lie in ("deflated data not ended", "another CRC"):
        wrapped.write_bytes(LIES.get(lie) or built(PACKED, len(TEXT), CRC ^ 1))
        assert wrapping.unwrap(spooled.of(wrapped), "txt", 1 << 30) is None
        assert spooled.whole(first) == TEXT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["body", "body.opened"]


def test_a_ratio_is_no_bomb_while_it_is_little():
    little = built(deflated(bytes(MB)), MB, zlib.crc32(bytes(MB)))
    more = built(deflated(bytes(MB + 1)), MB + 1, zlib.crc32(bytes(MB + 1)))
    assert wrapping.unwrap(little, "txt", 1 << 30) == bytes(MB)
    assert wrapping.unwrap(more, "txt", 1 << 30) is None


def test_wrapped_files_of_a_letter_have_one_room():
    """Fifty files of 1 MB each out of a kilobyte: sixteen fit, the others stay wrapped."""
    data = built(deflated(bytes(MB)), MB, zlib.crc32(bytes(MB)))
    sent = [model.Attachment(name=f"{n}.txt", encoded=base64.b64encode(data).decode()) for n in range(50)]
    letter = read.read(quick_letter(1)).message
    opened = [
        len(one) for one in attachments.contents(model.Letter(**vars(letter) | {"attachments": tuple(sent)}))
    ]
    assert opened == [MB] * 16 + [len(data)] * 34


# --- names -----------------------------------------------------------------------------------------------

DAMAGED_NAMES = {
    "con.pdf": "_con.pdf", "CON": "_CON", "aux.tar.gz": "_aux.tar.gz", "lpt1.txt": "_lpt1.txt", "Com9": "_Com9",
    "nul .pdf": "_nul .pdf", "com¹.pdf": "_com¹.pdf", "conin$": "_conin$", "console.pdf": "console.pdf", "com10": "com10",
    "a.pdf.": "a.pdf", "a.pdf . .": "a.pdf", " a.pdf": "a.pdf", "..\\..\\con.pdf": "_con.pdf",
    "a\u202epdf.exe": "apdf.exe", "\u2066a\u2069.pdf": "a.pdf", "a\u2028b\u2029.pdf": "ab.pdf", "a\u200b.pdf": "a.pdf",
    "\ufeffa.pdf": "a.pdf", "a\r\nb.pdf": "ab.pdf", "a\x7f\x85.pdf": "a.pdf", "\ue000.pdf": "pdf", "a/b\\c.pdf": "c.pdf",
    "file:///a.pdf": "a.pdf", "a:b.pdf": "a_b.pdf", 'a"<>|?*.pdf': "a______.pdf", "đ" * 200 + ".pdf": "đ" * 125 + ".pdf",
    "Công văn số 7.pdf": "Công văn số 7.pdf", "a\u00a0.pdf": "a\u00a0.pdf", "~$a.docx": "~$a.docx", "-rf.pdf": "-rf.pdf",
}  # fmt: skip


@pytest.mark.parametrize("raw", DAMAGED_NAMES)
def test_names(raw):
    safe = names.safe(raw, 0)
    assert (safe, names.safe(safe, 0)) == (DAMAGED_NAMES[raw], DAMAGED_NAMES[raw])
    assert len(safe.encode()) <= names.LONGEST


NFC, NFD = (unicodedata.normalize(form, "Tờ trình.pdf") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    "first, second, alike",
    [(NFC, NFD, True), ("A.pdf", "a.PDF", True), ("a.pdf", "a.pdf.", True), (NFC, "To trinh.pdf", False)],
)
def test_twins_are_told(first, second, alike):
    raw = large_letters.with_encoded(quick_letter(1), (first, b"QQ=="), (second, b"QQ=="))
    codes = [finding.code for finding in read.read(raw).findings]
    assert codes.count("same_name") == (2 if alike else 0)
