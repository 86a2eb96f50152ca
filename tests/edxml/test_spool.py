"""A message read from a file, its attached files cut out of it, says exactly what it says read whole."""

import base64
import dataclasses
import random
import tempfile
from pathlib import Path

import large_letters
import pytest
from edxml.test_hostile import UNREADABLE
from hypothesis import given, settings
from letters_generated import any_letter
from province import quick_letter

from exchange.edxml import attachments, model, read, spool, spooled, write

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = (FIXTURES / "new_dotnet.edxml").read_bytes()
THREE = (FIXTURES / "new_gateway_three_attachments.edxml").read_bytes()
FLAT = (
    b'<edXMLEnvelope xmlns="http://www.go.vn/eDoc"><MessageHeader><From><OrganId>A</OrganId></From></MessageHeader>'
    b"<Attachment><FileName>a.txt</FileName><FileType>text/plain</FileType><Content>QUJD</Content></Attachment>"
    b"</edXMLEnvelope>"
)
OPEN, CLOSE = b"<ContentTransferEncoded>", b"</ContentTransferEncoded>"
PDF = GOOD.partition(OPEN)[2].partition(CLOSE)[0]


def opened(attachment):
    try:
        return spooled.whole(attachments.content(attachment))
    except attachments.Damaged:
        return "damaged"


def told(reading):
    """Everything that a reading says: facts, what it keeps beside them, findings with their lines, bytes of files."""
    message = reading.message
    if isinstance(message, model.Notice):
        return message, reading.findings, reading.repaired, reading.header_path
    bare = [vars(dataclasses.replace(one, encoded="", spooled=None, size=0)) for one in message.attachments]
    files = [opened(one) for one in message.attachments]
    facts = vars(dataclasses.replace(message, attachments=()))
    return facts, bare, files, reading.findings, reading.repaired, reading.header_path


def both(raw, limits=read.LIMITS):
    """What is said of it read whole, and read from a file: a reading's facts, or the code of its refusal."""
    with tempfile.TemporaryDirectory() as place:
        ways = (
            lambda: read.read(raw, limits),
            lambda: spool.read_file(large_letters.put(Path(place), raw), Path(place), limits),
        )
        found = []
        for way in ways:
            try:
                found.append(told(way()))
            except read.Unreadable as error:
                found.append((error.code, error.detail if error.code == "too_complex" else ""))
        return found


@pytest.mark.parametrize(
    "path", sorted(FIXTURES.rglob("*.edxml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_sample(path):
    whole, cut = both(path.read_bytes())
    assert whole == cut


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_alike(name):
    whole, cut = both(UNREADABLE[name][0])
    assert whole[0] == cut[0] == UNREADABLE[name][1]


def within(encoded):
    """The good letter with this in place of its file's base64."""
    return GOOD.replace(PDF, encoded)


def behind(encoded):
    """The same with something odd some lines behind the file."""
    return within(encoded).replace(b"</AttachmentEncoded>", b"</AttachmentEncoded>\n\n<Unknown/>")


INSIDE = {
    "nothing": within(b""),
    "white space": within(b" \r\n\t"),
    "lines": within(b"\r\n".join(PDF[at : at + 76] for at in range(0, len(PDF), 76)) + b"\n"),
    "CDATA": within(b"<![CDATA[" + PDF + b"]]>"),
    "half in CDATA": within(PDF[:10] + b"<![CDATA[" + PDF[10:-4] + b"]]>" + PDF[-4:]),
    "an empty CDATA": within(b"<![CDATA[]]>"),
    "references": within(b"&#" + str(PDF[0]).encode() + b";" + PDF[1:] + b"&#10;"),
    "a no-break space": within(b"\xc2\xa0" + PDF),
    "letters of Vietnamese": within("đ".encode() * 100),
    "one letter too many": within(PDF + b"A"),
    "cut short": within(PDF[:-1]),
    "padding only": within(b"===="),
    "too much padding": within(PDF.rstrip(b"=") + b"===="),
    "padding after a whole quad": within(b"QUJD="),
    "two after a whole quad": within(b"QUJD=="),
    "a quad of padding": within(b"QUJD===="),
    "a quad of padding apart": within(b"QUJD<!-- x -->===="),
    "two files in a row": within(b"QQ==" + b"QUJD"),
    "a comment inside": within(PDF[:8] + b"<!-- x -->" + PDF[8:]),
    "a comment before": within(b"<!-- x -->" + PDF),
    "an instruction inside": within(PDF[:8] + b"<?x y?>" + PDF[8:]),
    "an element inside": within(PDF[:8] + b"<x>QUJD</x>" + PDF[8:]),
    "itself inside": within(PDF[:8] + OPEN + b"QUJD" + CLOSE + PDF[8:]),
    "twice": within(PDF + CLOSE + OPEN + b"QUJD"),
    "another spelling": GOOD.replace(OPEN, b"<contenttransferENCODED>").replace(
        CLOSE, b"</contenttransferENCODED>"
    ),
    "an attribute with a bracket": GOOD.replace(OPEN, b'<ContentTransferEncoded a="&gt;/>">'),
    "closed at once": within(b"").replace(OPEN + CLOSE, b"<ContentTransferEncoded/>"),
    "elsewhere": GOOD.replace(b"<edXML:Subject>", OPEN + b"QUJD" + CLOSE + b"<edXML:Subject>"),
    "as a fact": GOOD.replace(b"<edXML:Subject>", b"<edXML:Subject>" + OPEN + b"QUJD" + CLOSE),
    "an undeclared prefix": GOOD.replace(b"xmlns:xlink=", b"xmlns:other="),
    "damage behind it": GOOD.replace(b"</AttachmentEncoded>", b"</AttachmentEncode>"),
    "an unknown element behind it": GOOD.replace(
        b"</AttachmentEncoded>", b"</AttachmentEncoded>\n\n<Unknown/>"
    ),
    "CR alone in it": behind(b"QU\rJD\n"),
    "every end of line in it": behind(b"\r\rQU\r\nJD\n\r"),
    "every end of line in it, in UTF-16": behind(b"\r\rQU\r\nJD\n\r")
    .decode()
    .replace('encoding="utf-8"', "")
    .encode("utf-16"),
    "two headers": GOOD.replace(b"</edXML:edXMLHeader>", b"<MessageHeader/></edXML:edXMLHeader>"),
    "two subjects": GOOD.replace(b"<edXML:Subject>", b"<edXML:Subject>x</edXML:Subject><edXML:Subject>"),
    "UTF-16": GOOD.decode().replace('encoding="utf-8"', "").encode("utf-16"),
    "UTF-16, the other end first": b"\xfe\xff"
    + GOOD.decode().replace('"utf-8"', '"utf-16"').encode("utf-16-be"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "windows-1258": GOOD.decode()
    .replace('"utf-8"', '"windows-1258"')
    .encode("windows-1258", "xmlcharrefreplace"),
    "Latin": GOOD.decode().replace('"utf-8"', '"iso-8859-1"').encode("latin-1", "xmlcharrefreplace"),
    "three files": THREE,
    "in the flat form": FLAT,
    "in a vendor's element": GOOD.replace(b"<edXML:Subject>", b"<Content>QUJD</Content><edXML:Subject>"),
    "one of three damaged": THREE.replace(b"ContentTransferEncoded>", b"ContentTransferEncoded>*", 1),
}


@pytest.mark.parametrize("name", INSIDE)
def test_every_way_of_writing_a_file(name):
    whole, cut = both(INSIDE[name])
    assert whole == cut


def test_the_flat_form_has_its_file_cut_out(tmp_path):
    (one,) = spool.read_file(large_letters.put(tmp_path, FLAT), tmp_path).message.attachments
    assert one.spooled.read_bytes() == b"ABC"


def test_the_table_is_of_letters_that_differ():
    assert len({str(both(raw)[0]) for raw in INSIDE.values()}) >= 15


@settings(deadline=None, max_examples=25)
@given(any_letter())
def test_any_letter(letter):
    whole, cut = both(write.write(letter))
    assert whole == cut


MUTATIONS = 300


def test_mutants_are_read_alike():
    """Bytes changed, cut, doubled and moved at random: the two ways never say different things."""
    source = random.Random(20261121)
    pieces = (
        b"<",
        b">",
        b"</",
        b"&",
        b"]]>",
        b"<!--",
        b"-->",
        b"<![CDATA[",
        b"\0",
        b"\xff",
        b"=",
        b" ",
        OPEN,
        CLOSE,
        b"x:",
    )
    seen = set()
    for number in range(MUTATIONS):
        raw = bytearray((GOOD, THREE)[number % 2])
        for _ in range(source.choice((1, 1, 2, 5))):
            at, size = source.randrange(len(raw)), source.choice((0, 0, 1, 3, 40))
            raw[at : at + size] = source.choice((*pieces, raw[source.randrange(len(raw)) :][:60]))
        whole, cut = both(bytes(raw))
        assert whole == cut, bytes(raw)
        seen.add(whole[0] if isinstance(whole[0], str) else "read")
    assert seen >= {"not_xml", "read"}


def test_pieces_of_any_size_give_the_same(monkeypatch, tmp_path):
    raw = INSIDE["lines"]
    for size in (1, 2, 3, 5, 64, 1_000):
        monkeypatch.setattr(spool, "PIECE_BYTES", size)
        found = spool.read_file(large_letters.put(tmp_path, raw), tmp_path)
        assert told(found) == told(read.read(raw))


# --- what is only too large for memory -------------------------------------------------------------------


def huge(place, inside):
    path = place / "body"
    before, found, behind = quick_letter(1).partition(b"<edXML:Subject>")
    with path.open("wb") as file:
        file.write(before + found)
        for piece in inside:
            file.write(piece)
        file.write(behind)
    return path


BIG = b"a" * large_letters.MB


@pytest.mark.parametrize(
    "pieces, code",
    [
        ([BIG] * 17, "too_complex"),
        ([b"<!--", *[BIG] * 9, b"-->"], "too_complex"),
        ([b'<x y="', *[BIG] * 9, b'"/>'], "too_complex"),
        ([b"<x>", *[BIG] * 17, b"</x>"], "too_complex"),
        ([b"<x>", *[BIG] * 17], "not_xml"),
    ],
    ids=["a subject", "a comment", "an attribute", "an unknown element", "never closed"],
)
def test_too_much_outside_of_files_is_refused(tmp_path, pieces, code):
    with pytest.raises(read.Unreadable) as refused:
        spool.read_file(huge(tmp_path, pieces), tmp_path)
    assert refused.value.code == code


def test_the_cap_in_bytes_is_not_of_the_reader(tmp_path):
    """Whoever takes the file in knows how large it may be."""
    limits = dataclasses.replace(read.LIMITS, bytes=1_000)
    assert spool.read_file(large_letters.put(tmp_path, GOOD), tmp_path, limits).sound


def test_files_stand_in_the_folder(tmp_path):
    data = random.Random(1).randbytes(3 * large_letters.MB)
    raw = large_letters.letter(1, ("a.bin", data), ("b.txt", b"hai"))
    reading = spool.read_file(large_letters.put(tmp_path, raw), tmp_path)
    first, second = reading.message.attachments
    assert (first.spooled.read_bytes(), first.size, first.encoded) == (data, len(data), "")
    content = attachments.content(first)
    assert (content.path, len(content), content[5:9]) == (first.spooled, len(data), data[5:9])
    assert (attachments.content(second), attachments.decode(second)) == (b"hai", b"hai")
    assert len(reading.skeleton) < 10_000
    assert attachments.inspect(first).sha256 == spooled.digest(data).hex()


def test_a_wrapped_file_is_unfolded_on_disk(tmp_path):
    data = random.Random(2).randbytes(2 * large_letters.MB) + bytes(5 * large_letters.MB)
    sent = attachments.encode("a.xlsx", data, "x/y")
    raw = large_letters.with_encoded(quick_letter(2), ("a.xlsx", sent.encoded.encode()))
    (one,) = spool.read_file(large_letters.put(tmp_path, raw), tmp_path).message.attachments
    content = attachments.content(one)
    assert isinstance(content, spooled.Spooled)
    assert (spooled.whole(content), attachments.inspect(one).wrapped) == (data, True)


def test_base64_with_line_ends_inside_quads(tmp_path):
    data = bytes(range(256)) * 20
    raw = large_letters.letter(
        3, ("a.bin", data), encoded=lambda one: base64.encodebytes(one).replace(b"\n", b"\n \t")
    )
    (one,) = spool.read_file(large_letters.put(tmp_path, raw), tmp_path).message.attachments
    assert attachments.content(one) == data
