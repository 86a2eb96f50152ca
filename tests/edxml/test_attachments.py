"""Files inside letters: joined, named, decoded, unwrapped, looked at."""

import base64
import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.edxml import attachments, kinds, model, names, read, wrapping, write

GOOD = (Path(__file__).parent / "fixtures" / "new_dotnet.edxml").read_bytes()
PDF = b"%PDF-1.4\n%%EOF\n"
MOST = attachments.MOST


def sent(name: str, data: bytes, transfer_type: str = "") -> model.Attachment:
    return model.Attachment(name=name, transfer_type=transfer_type, encoded=base64.b64encode(data).decode())


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def streamed(name: str, data: bytes) -> bytes:
    """As `java.util.zip` writes: sizes behind the data, not before it."""

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.written = b""

        def writable(self):
            return True

        def write(self, piece):
            self.written += bytes(piece)
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return pipe.written


# --- base64 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoded", ["JVBERg==", "JVBE\nRg==", " J V B E R g = = ", "\r\n\tJVBERg==\n"])
def test_decoded(encoded):
    assert attachments.decode(model.Attachment(name="a.pdf", encoded=encoded)) == b"%PDF"


@pytest.mark.parametrize(
    "encoded",
    [
        "JVBERg",
        "JVBERg=",
        "JVBERg===",
        "JVBE=",
        "JVBE==",
        "JVBE===",
        "JVBE====",
        "=JVBERg==",
        "JVBE=Rg=",
        "JVBERg==JVBE",
        "JVBER-_=",
        "${tep}",
        "JVBERgđ=",
    ],
)
def test_damaged(encoded):
    attachment = model.Attachment(name="a.pdf", encoded=encoded, line=7, position=1)
    with pytest.raises(attachments.Damaged):
        attachments.decode(attachment)
    (finding,) = attachments.inspect(attachment).findings
    assert (finding.severity, finding.code, finding.path, finding.line) == (
        *("error", "damaged_bytes", "AttachmentEncoded/Attachment[2]"),
        7,
    )


# --- what is sent and what comes out ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, bare",
    [
        *(("a.pdf", True), ("a.PDF", True), ("a.doc", True), ("a.docx", True), ("a.zip", True)),
        *(("a.xls", False), ("a.xlsx", False), ("a.txt", False), ("a", False), ("báo cáo.odt", False)),
    ],
)
def test_encoded_as_every_reader_undoes(name, bare):
    attachment = attachments.encode(name, b"data", "x/y")
    assert attachments.decode(attachment) == (b"data" if bare else wrapping.wrap(name, b"data"))
    assert (attachment.content_type, attachment.transfer_type) == (
        "x/y",
        "x/y" if bare else "application/zip",
    )
    assert attachments.content(attachment) == b"data"


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=300), st.sampled_from(("a.txt", "b.xlsx", "c", "d.edxml")))
def test_content_undoes_encode(data, name):
    assert attachments.content(attachments.encode(name, data, "x/y")) == data


def test_a_bare_file_needs_bytes():
    with pytest.raises(ValueError, match=r"a\.pdf has no bytes"):
        attachments.encode("a.pdf", b"", "application/pdf")


def test_an_id_is_made_of_name_and_bytes():
    first = attachments.encode("a.pdf", b"1", "x/y").content_id
    assert first == attachments.encode("a.pdf", b"1", "x/z").content_id
    assert (
        len(
            {
                first,
                *(attachments.encode(*file, "x/y").content_id for file in (("a.pdf", b"2"), ("b.pdf", b"1"))),
            }
        )
        == 3
    )
    assert attachments.encode("a.pdf", b"1", "x/y", "own").content_id == "own"


@pytest.mark.parametrize(
    "data",
    [
        zipped(("2b7c.pdf", PDF)),
        zipped(("2B7C.PDF", PDF)),
        zipped(("x/y/../../2b7c.pdf", PDF)),
        zipped(("tên.pdf", PDF)),
        zipped(("2b7c.pdf", PDF), method=zipfile.ZIP_STORED),
        streamed("2b7c.pdf", PDF),
    ],
)
def test_a_plain_wrapping_is_taken_off(data):
    assert attachments.content(sent("a.pdf", data)) == PDF


def undescribed(data: bytes) -> bytes:
    """A streamed archive without the optional signature of its data descriptor."""
    at = data.index(b"PK\x07\x08")
    end = len(data) - 22
    moved = struct.pack("<L", struct.unpack_from("<L", data, end + 16)[0] - 4)
    return data[:at] + data[at + 4 : end + 16] + moved + data[end + 20 :]


def test_a_descriptor_without_signature():
    assert attachments.content(sent("a.pdf", undescribed(streamed("b.pdf", PDF)))) == PDF


PLAIN = zipped(("b.pdf", PDF))
RECORD = PLAIN.index(b"PK\x01\x02")

AMBIGUOUS = {
    "two entries": zipped(("b.pdf", PDF), ("c.pdf", b"%PDF-other")),
    "a folder and an entry": zipped(("x/", b""), ("x/b.pdf", PDF)),
    "another ending": zipped(("b.exe", PDF)),
    "no ending": zipped(("b", PDF)),
    "something before": b"PK\x03\x04" + PLAIN,
    "a byte after": PLAIN + b"\0",
    "another archive after": PLAIN + zipped(("c.pdf", b"%PDF-other")),
    "a comment that hides an archive": PLAIN[:-2] + struct.pack("<H", len(PLAIN)) + PLAIN,
    "another name in the directory": PLAIN[:RECORD] + PLAIN[RECORD:].replace(b"b.pdf", b"c.pdf"),
    "a gap before the directory": None,
    "another checksum in the directory": PLAIN[: RECORD + 16] + b"\1\2\3\4" + PLAIN[RECORD + 20 :],
    "another checksum in the header": PLAIN[:14] + b"\1\2\3\4" + PLAIN[18:],
    "damaged data": PLAIN[:40] + b"\xff" + PLAIN[41:],
    "encrypted": PLAIN[:6] + b"\1" + PLAIN[7:],
    "a method nobody knows": PLAIN[:8] + b"\x63" + PLAIN[9:],
    "two disks": PLAIN[:-18] + b"\1\0" + PLAIN[-16:],
    "cut short": PLAIN[:-5],
    "only a signature": b"PK\x03\x04",
}
GAP = struct.unpack_from("<L", PLAIN, len(PLAIN) - 6)[0]
AMBIGUOUS["a gap before the directory"] = (
    PLAIN[:RECORD] + b"gap!" + PLAIN[RECORD:-6] + struct.pack("<L", GAP + 4) + PLAIN[-2:]
)


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_what_two_readers_might_open_differently_stays_wrapped(name):
    assert attachments.content(sent("a.pdf", AMBIGUOUS[name])) == AMBIGUOUS[name]


@pytest.mark.parametrize("position", range(len(PLAIN)))
def test_a_changed_wrapping_never_yields_other_bytes(position):
    changed = PLAIN[:position] + bytes([PLAIN[position] ^ 0x55]) + PLAIN[position + 1 :]
    assert attachments.content(sent("a.pdf", changed)) in (PDF, changed)


def test_a_wrapping_larger_than_allowed_stays():
    data = zipped(("b.pdf", PDF + bytes(10_000)))
    assert attachments.content(sent("a.pdf", data), most=len(PDF) + 10_000) == PDF + bytes(10_000)
    assert attachments.content(sent("a.pdf", data), most=len(PDF) + 9_999) == data


def test_a_size_that_lies_costs_no_memory():
    data = bytearray(zipped(("b.pdf", bytes(1_000_000))))
    record = data.index(b"PK\x01\x02")
    for at in (22, record + 24):
        data[at : at + 4] = struct.pack("<L", 100)
    assert attachments.content(sent("a.pdf", bytes(data))) == bytes(data)


def test_a_zip_is_what_it_is():
    data = zipped(("inner.zip", b"PK"))
    assert attachments.content(sent("a.zip", data, "application/zip")) == data


@pytest.mark.parametrize("transfer_type, opened", [("application/zip", b"x"), ("text/plain", None)])
def test_a_name_without_ending_is_unwrapped_only_if_said_so(transfer_type, opened):
    data = zipped(("b", b"x"))
    assert attachments.content(sent("a", data, transfer_type)) == (opened or data)


# --- kinds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data, kind",
    [
        *((PDF, "pdf"), (b"\r\n" + PDF, "pdf"), (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff\xe0", "jpeg")),
        *((b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"), (b"{\\rtf1", "rtf"), (b"MZ\x90", "executable")),
        *((zipped(("a", b"")), "zip"), (zipped(("word/document.xml", b"")), "docx")),
        *(
            (zipped(("xl/workbook.xml", b"")), "xlsx"),
            ("Kính gửi".encode(), "text"),
            (b"\xff\xfea\0", "text"),
        ),
        *((b"  <edXML/>", "markup"), (b"", "text"), (b"\0\1\2", "data")),
    ],
)
def test_kind(data, kind):
    assert kinds.kind(data) == kind


@pytest.mark.parametrize(
    "name, data, codes",
    [
        ("a.pdf", PDF, []),
        ("a.pdf", zipped(("b.doc", b"")), ["kind_differs"]),
        ("a.doc", b"{\\rtf1", []),
        ("a.xyz", b"\0", []),
        ("a.xyz", b"MZ\x90", ["executable"]),
        ("a.pdf", b"MZ\x90", ["kind_differs", "executable"]),
        ("a.pdf", PDF + b"\xef\xbf\xbd\xef\xbf\xbd", ["recoded_bytes"]),
        ("a.txt", "\ufffd\ufffd".encode(), []),
    ],
)
def test_doubts(name, data, codes):
    inspection = attachments.inspect(sent(name, data))
    assert [finding.code for finding in inspection.findings] == codes
    assert inspection.size == len(data)


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw, safe",
    [
        *(("a.pdf", "a.pdf"), ("Công văn số 7.pdf", "Công văn số 7.pdf"), ("a..pdf", "a..pdf")),
        *(("../../etc/passwd", "passwd"), ("C:\\x\\a.pdf", "a.pdf"), ("a/b", "b"), ("/", "attachment-3")),
        *(("", "attachment-3"), (".", "attachment-3"), ("..", "attachment-3"), (".bashrc", "bashrc")),
        *(
            ("a\u202efdp.exe", "afdp.exe"),
            ("a\x00b\n.pdf", "ab.pdf"),
            ("a.pdf. ", "a.pdf"),
            ("a:b*.pdf", "a_b_.pdf"),
        ),
        *(
            ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
            ("a" * 300, "a" * 255),
            ("x" * 9 + "." + "y" * 300, "x" * 9 + "." + "y" * 245),
        ),
    ],
)
def test_safe_names(raw, safe):
    assert names.safe(raw, 2) == safe


@given(st.text(max_size=400), st.integers(0, 200))
def test_a_safe_name_is_safe_and_stays(raw, position):
    name = names.safe(raw, position)
    assert names.safe(name, position) == name
    assert 0 < len(name) <= names.LONGEST
    assert not set(name) & set('/\\<>:"|?*\0\n\u202e')
    assert name not in (".", "..")


def edited(*changes: tuple[str, str]) -> model.Reading:
    raw = GOOD.decode()
    for old, new in changes:
        assert old in raw
        raw = raw.replace(old, new)
    return read.read(raw.encode())


def test_a_hostile_name_is_made_safe_and_told():
    found = edited(("to-trinh.signed.pdf", "../../to\u202etrinh.pdf"))
    (attachment,) = found.message.attachments
    assert (attachment.name, attachment.raw_name) == ("totrinh.pdf", "../../to\u202etrinh.pdf")
    assert {f.code for f in found.findings} == {"hostile_name", "hidden_characters"}


# --- joining manifest and files --------------------------------------------------------------------------


def line(content_id: str, name: str) -> str:
    return f"<Reference><ContentId>{content_id}</ContentId><AttachmentName>{name}</AttachmentName><ContentType>of-{name}</ContentType></Reference>"


def file(content_id: str, name: str, encoded: str = "QQ==") -> str:
    return (
        f"<Attachment><ContentId>{content_id}</ContentId><AttachmentName>{name}</AttachmentName>"
        f"<ContentTransferEncoded>{encoded}</ContentTransferEncoded></Attachment>"
    )


def joined(lines: str, files: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Name and joined content type of each file, and the codes of the findings."""
    header = GOOD.decode().partition("<edXML:edXMLHeader>")[2].partition("</edXML:edXMLHeader>")[0]
    header = header.replace("edXML:", "").replace("xlink:", "")
    found = read.read(
        f"<edXML><edXMLHeader>{header}</edXMLHeader><edXMLManifest>{lines}</edXMLManifest>"
        f"<AttachmentEncoded>{files}</AttachmentEncoded></edXML>".encode()
    )
    return [(a.name, a.content_type) for a in found.message.attachments], [f.code for f in found.findings]


@pytest.mark.parametrize(
    "lines, files, pairs, codes",
    [
        (line("cid:1", "a"), file("1", "a"), [("a", "of-a")], []),
        (line("cid:cid:1", "a"), file("CID:1", "a"), [("a", "of-a")], []),
        (
            line("x", "x") + line("cid:cid:1", "y"),
            file("CID:1", "a") + file("cid: cid:x", "b"),
            [("a", "of-y"), ("b", "of-x")],
            ["names_differ", "names_differ"],
        ),
        (
            line("1", "a") + line("2", "b"),
            file("1", "b") + file("2", "a"),
            [("b", "of-a"), ("a", "of-b")],
            ["names_differ", "names_differ"],
        ),
        (
            line("1", "a") + line("2", "b"),
            file("2", "b") + file("1", "a"),
            [("b", "of-b"), ("a", "of-a")],
            [],
        ),
        (line("", "a") + line("", "b"), file("x", "b") + file("y", "a"), [("b", "of-b"), ("a", "of-a")], []),
        (line("1", "a"), file("1", ""), [("a", "of-a")], []),
        (line("1", "a"), file("2", "b"), [("b", "of-a")], ["names_differ"]),
        (line("1", "a"), file("1", "b"), [("b", "of-a")], ["names_differ"]),
        (line("1", "a"), "", [], ["not_attached"]),
        ("", file("1", "a"), [("a", "")], ["not_in_manifest"]),
        (line("1", "a"), file("1", "a", ""), [("a", "of-a")], ["missing_bytes"]),
        (line("1", "a"), file("1", "a", " \n"), [("a", "of-a")], ["missing_bytes"]),
        (line("", ""), file("", ""), [("attachment-1", "of-")], ["nameless_attachment"]),
        (
            line("1", "a") + line("1", "a"),
            file("1", "a") + file("1", "a"),
            [("a", "of-a"), ("a", "of-a")],
            ["same_name", "same_content_id"] * 2,
        ),
    ],
)
def test_joined(lines, files, pairs, codes):
    assert joined(lines, files) == (pairs, codes)


def test_missing_bytes_is_an_error():
    found = edited(
        ("<ContentTransferEncoded>", "<ContentTransferEncoded/><Format>"),
        ("</ContentTransferEncoded>", "</Format>"),
    )
    assert [(f.severity, f.code) for f in found.findings] == [("error", "missing_bytes")]


def test_bytes_with_a_comment_inside_are_not_taken():
    found = edited(("<ContentTransferEncoded>", "<ContentTransferEncoded><!-- x -->"))
    assert [(f.severity, f.code) for f in found.findings] == [("error", "comment_in_value")]
    assert found.message.attachments[0].encoded == ""


def test_examine_tells_of_every_attachment():
    letter = read.read(GOOD).message
    files = (sent("a.pdf", PDF), sent("b.pdf", b"no pdf"), model.Attachment(name="c.pdf", encoded="!"))
    raw = write.write(model.Letter(**{**vars(letter), "attachments": files}))
    found = attachments.examine(read.read(raw).message)
    assert [(f.code, f.facts["name"]) for f in found] == [
        ("kind_differs", "b.pdf"),
        ("damaged_bytes", "c.pdf"),
    ]
