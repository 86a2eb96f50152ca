"""Office files: a signature is seen by names in directories, whatever the file holds beside; nothing is unpacked."""

import io
import struct
import zipfile

import pytest

from signing import office


def archive(*names, size=10, comment=b""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(name, b"0" * size)
        made.comment = comment
    return file.getvalue()


def entry(name, kind):
    encoded = (name + "\0").encode("utf-16-le")
    return encoded.ljust(64, b"\0") + struct.pack("<HB", len(encoded), kind) + bytes(61)


def compound(*entries, before=b""):
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(512, b"\0") + before + b"".join(entries)


WORD = ("[Content_Types].xml", "word/document.xml")
SIGNED = {
    "docx": archive(*WORD, "_xmlsignatures/origin.sigs", "_xmlsignatures/sig1.xml"),
    "docx_comment": archive(*WORD, "_xmlsignatures/sig1.xml", comment=b"x" * 60000),
    "odt": archive("mimetype", "content.xml", "META-INF/documentsignatures.xml"),
    "doc_stream": compound(entry("Root Entry", 5), entry("WordDocument", 2), entry("_signatures", 2)),
    "xls_storage": compound(entry("Root Entry", 5), entry("_xmlsignatures", 1)),
}
UNSIGNED = {
    "docx": archive(*WORD),
    "docx_lookalike": archive(*WORD, "media/_xmlsignatures/x.png", "META-INF/documentsignatures.xml.bak"),
    "doc": compound(entry("Root Entry", 5), entry("WordDocument", 2)),
    "doc_text": compound(
        entry("Root Entry", 5), before="x_signatures\0".encode("utf-16-le").ljust(512, b"\0")
    ),
    "doc_property": compound(entry("_signatures", 5)),
    "pdf": b"%PDF-1.7 _xmlsignatures/",
    "empty": b"",
    "cut": SIGNED["docx"][:-30],
    "cut_compound": SIGNED["doc_stream"][:-100],
}


@pytest.mark.parametrize("name", SIGNED)
def test_a_signature_is_seen(name):
    assert office.signed(SIGNED[name])


@pytest.mark.parametrize("name", UNSIGNED)
def test_what_is_none_is_not_seen(name):
    assert not office.signed(UNSIGNED[name])


def test_a_bomb_is_not_unpacked():
    """A part that unfolds to 50 MB costs nothing: only names are read."""
    bomb = archive(*WORD, "_xmlsignatures/sig1.xml", size=16 << 20)
    assert len(bomb) < 1 << 20
    assert office.signed(bomb)


def test_a_directory_that_lies_about_itself():
    raw = bytearray(SIGNED["docx"])
    end = raw.rfind(b"PK\x05\x06")
    for size, at in ((0xFFFFFFFF, 0), (0, 0), (10, 0xFFFFFFFF)):
        struct.pack_into("<LL", raw, end + 12, size, at)
        assert not office.signed(bytes(raw))
