"""Files made to harm: they are refused fast with one of four codes, and nothing else ever comes out."""

import contextlib
import gc
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from exchange.edxml import model, read, view, write

FIXTURES = Path(__file__).parent / "fixtures"
GOOD = (FIXTURES / "new_dotnet.edxml").read_bytes()
DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
BODY = GOOD.removeprefix(DECLARATION)
CODES = {"not_xml", "forbidden_xml", "not_edxml", "too_complex"}

BOMB = b'<!DOCTYPE edXML [<!ENTITY a "ha">%s]><edXML>&h;</edXML>' % b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), ord("i"))
)
PARAMETER_BOMB = b"<!DOCTYPE edXML [<!ENTITY %% a \"<!ENTITY x '1'>\">%s%%f;]><edXML/>" % b"".join(
    b'<!ENTITY %% %c "%s">' % (name, b"&#37;%c;" % (name - 1) * 50) for name in range(ord("b"), ord("g"))
)

UNREADABLE = {
    "empty": (b"", "not_xml"),
    "white space": (b" \r\n\t ", "not_xml"),
    "no markup": (b"Kinh g\xe1\xbb\xadi:", "not_xml"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "not_xml"),
    "a ZIP": (b"PK\x03\x04\x14\x00", "not_xml"),
    "JSON": (b'{"edXML": 1}', "not_xml"),
    "garbage before the declaration": (b"1212" + GOOD, "not_xml"),
    "a line before the declaration": (b"\n" + GOOD, "not_xml"),
    "garbage after the root": (GOOD + b"1212", "not_xml"),
    "a second root": (GOOD + b"<edXML/>", "not_xml"),
    "truncated": (GOOD[:3000], "not_xml"),
    "truncated in the last tag": (GOOD.rstrip()[:-1], "not_xml"),
    "a NUL in a value": (GOOD.replace(b"STN-TTr<", b"STN\0TTr<"), "not_xml"),
    "NULs only": (b"\0" * 64, "not_xml"),
    "a NUL at the end": (GOOD + b"\0", "not_xml"),
    "a control character": (GOOD.replace(b"STN-TTr<", b"STN\x0bTTr<"), "not_xml"),
    "a reference to NUL": (GOOD.replace(b"STN-TTr<", b"STN&#0;TTr<"), "not_xml"),
    "bytes that are no UTF-8": (GOOD.replace(b"STN-TTr<", b"STN\xffTTr<"), "not_xml"),
    "surrogates in UTF-8": (GOOD.replace(b"STN-TTr<", b"STN\xed\xa0\x80<"), "not_xml"),
    "an entity nobody declared": (GOOD.replace(b"STN-TTr<", b"STN&nbsp;<"), "not_xml"),
    "an attribute twice": (GOOD.replace(b'version="1.0">', b'version="1.0" version="1.0">'), "not_xml"),
    "tags crossed": (GOOD.replace(b"</edXML:Code>", b"</edXML:Cade>"), "not_xml"),
    "tags crossed and a prefix undeclared": (
        GOOD.replace(b"xmlns:xlink=", b"xmlns:other=").replace(b"</edXML:Code>", b"</edXML:Cade>"),
        "not_xml",
    ),
    "a prefix undeclared and garbage after": (
        GOOD.replace(b"xmlns:xlink=", b"xmlns:other=") + b"1212",
        "not_xml",
    ),
    "a prefix undeclared and damage far behind it": (
        GOOD.replace(b"xmlns:xlink=", b"xmlns:other=").replace(
            b"</AttachmentEncoded>", b"<x>" + b"A" * 200_000 + b"</AttachmentEncoded>"
        ),
        "not_xml",
    ),
    "the xml prefix bound elsewhere": (GOOD.replace(b"xmlns:xlink=", b"xmlns:xml="), "not_xml"),
    "DOCTYPE": (DECLARATION + b"<!DOCTYPE edXML>" + BODY, "forbidden_xml"),
    "DOCTYPE without declaration": (b"<!DOCTYPE edXML>" + BODY, "forbidden_xml"),
    "DOCTYPE behind a comment": (
        DECLARATION + b"<!-- - > --> <?a ?>\n<!DOCTYPE edXML>" + BODY,
        "forbidden_xml",
    ),
    "DOCTYPE behind 10,000 comments": (b"<!---->" * 10_000 + b"<!DOCTYPE edXML>" + BODY, "forbidden_xml"),
    "DOCTYPE in lower case": (b"<!doctype html><html/>", "forbidden_xml"),
    "DOCTYPE in UTF-16": ("<!DOCTYPE edXML><edXML/>".encode("utf-16"), "forbidden_xml"),
    "DOCTYPE behind a byte order mark": (b"\xef\xbb\xbf<!DOCTYPE edXML>" + BODY, "forbidden_xml"),
    "DOCTYPE that is not closed": (b"<!DOCTYPE edXML [" + b"<!ENTITY a 'b'>" * 1000, "forbidden_xml"),
    "an external subset": (b'<!DOCTYPE edXML SYSTEM "http://localhost:1/x.dtd"><edXML/>', "forbidden_xml"),
    "an external entity": (
        b'<!DOCTYPE edXML [<!ENTITY x SYSTEM "file:///etc/hostname">]><edXML>&x;</edXML>',
        "forbidden_xml",
    ),
    "a bomb of entities": (BOMB, "forbidden_xml"),
    "a bomb of parameter entities": (PARAMETER_BOMB, "forbidden_xml"),
    "DOCTYPE inside": (b"<edXML><!DOCTYPE edXML></edXML>", "not_xml"),
    "UTF-16 without its mark": ("<edXML/>".encode("utf-16-le"), "not_xml"),
    "UTF-16 cut in half": ("<edXML/>".encode("utf-16")[:-1], "not_xml"),
    "UTF-16 said to be UTF-8": ('<?xml version="1.0" encoding="UTF-8"?><edXML/>'.encode("utf-16"), "not_xml"),
    "UTF-8 with a mark said to be Latin": (
        b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?><edXML/>',
        "not_xml",
    ),
    "UTF-32": ("<edXML/>".encode("utf-32"), "not_xml"),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE edXML+AD4-<edXML/>', "not_xml"),
    "EBCDIC": ('<?xml version="1.0" encoding="IBM037"?><edXML/>'.encode("cp037"), "not_xml"),
    "Shift_JIS": (b'<?xml version="1.0" encoding="Shift_JIS"?><edXML/>', "not_xml"),
    "an encoding nobody knows": (b'<?xml version="1.0" encoding="x-mau"?><edXML/>', "not_xml"),
    "another root": (b"<letter/>", "not_edxml"),
    "another root of the namespace": (
        b'<Status xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016"/>',
        "not_edxml",
    ),
    "a layer as root": (b"<edXMLHeader/>", "not_edxml"),
    "the header as root": (b"<MessageHeader/>", "not_edxml"),
    "HTML": (b"<html><body/></html>", "not_edxml"),
    "SOAP": (b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>', "not_edxml"),
    "a look-alike root": ("<еdXML/>".encode(), "not_edxml"),
    "65 levels": (b"<edXML>" + b"<a>" * 64 + b"</a>" * 64 + b"</edXML>", "too_complex"),
    "200,000 levels": (b"<edXML>" + b"<a>" * 200_000 + b"</a>" * 200_000 + b"</edXML>", "too_complex"),
    "200,000 levels, never closed": (b"<edXML>" * 200_000, "too_complex"),
    "200,001 elements": (b"<edXML>" + b"<a/>" * 200_000 + b"</edXML>", "too_complex"),
    "200,001 comments": (b"<edXML>" + b"<!---->" * 200_001 + b"</edXML>", "too_complex"),
    "many elements with an undeclared prefix": (
        b"<edXML>" + b"<x:a/>" * 200_000 + b"</edXML>",
        "too_complex",
    ),
    "201 attachments": (
        b"<edXML><MessageHeader/><AttachmentEncoded>"
        + b"<Attachment/>" * 201
        + b"</AttachmentEncoded></edXML>",
        "too_complex",
    ),
    "201 lines of a manifest": (
        b"<edXML><MessageHeader/><edXMLManifest>" + b"<Reference/>" * 201 + b"</edXMLManifest></edXML>",
        "too_complex",
    ),
    "a subject of 100,001 letters": (
        GOOD.replace(b"<edXML:Subject>", b"<edXML:Subject>" + b"a" * 100_000),
        "too_complex",
    ),
}


@pytest.fixture(scope="module")
def parse_seconds():
    """CPU that a bare parse of a document as large as the budget allows takes here and now."""
    raw = b"<a>" + b"<b/>" * 200_000 + b"</a>"
    with unswept():
        began = time.process_time()
        assert sum(1 for _ in etree.fromstring(raw).iter()) == 200_001
        return time.process_time() - began


@contextlib.contextmanager
def unswept():
    """Without the garbage collector, whose price is that of everything else this process holds."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("name", UNREADABLE)
def test_refused(name, parse_seconds):
    raw, code = UNREADABLE[name]
    with unswept():
        began = time.process_time()
        with pytest.raises(read.Unreadable) as caught:
            read.read(raw)
    assert time.process_time() - began < 25 * parse_seconds, (time.process_time() - began) / parse_seconds
    assert caught.value.code == code
    assert [finding.code for finding in caught.value.findings] == [code]


def test_the_budget_of_bytes():
    limits = model.Limits(bytes=len(GOOD))
    assert read.read(GOOD, limits).sound
    with pytest.raises(read.Unreadable, match="too_complex"):
        read.read(GOOD + b"\n", limits)


@pytest.mark.parametrize(
    "raw",
    [
        b"<edXML>" + b"<a>" * 63 + b"</a>" * 63 + b"</edXML>",
        b"<edXML>" + b"<a/>" * 199_999 + b"</edXML>",
        b"<edXML>" + b"<x:a/>" * 500 + b"</edXML>",
        b"<edXML " + b" ".join(b"a%d=''" % number for number in range(50_000)) + b"/>",
    ],
)
def test_large_but_within_budgets(raw):
    assert not read.read(raw).sound


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + GOOD,
        b"\xef\xbb\xbf" + BODY.lstrip(),
        BODY,
        GOOD.decode().replace("utf-8", "UTF-16").encode("utf-16"),
        GOOD.decode().replace("utf-8", "UTF-16").encode("utf-16-be").join([b"\xfe\xff", b""]),
        BODY.decode().encode("utf-16"),
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b'encoding="utf-8"', b"encoding='UTF-8' standalone='yes'"),
        GOOD.replace(b"<edXML xmlns", b"<!-- <!DOCTYPE edXML> --><?x <!DOCTYPE ?><edXML xmlns"),
        GOOD + b"<!-- <!DOCTYPE edXML> -->",
    ],
)
def test_encodings_and_prologues_that_say_the_same(raw):
    found = read.read(raw)
    assert (found.message, found.findings) == (read.read(GOOD).message, ())


def test_a_single_byte_encoding():
    raw = '<?xml version="1.0" encoding="windows-1258"?><edXML><MessageHeader><Subject>đơn</Subject></MessageHeader></edXML>'
    assert read.read(raw.encode("cp1258")).message.subject == "đơn"


def test_a_large_attachment_is_no_reason_to_refuse(parse_seconds):
    letter = read.read(GOOD).message
    attachment = model.Attachment(name="lon.pdf", content_id="lon", encoded="QUJD" * 4_000_000)
    raw = write.write(model.Letter(**{**vars(letter), "attachments": (attachment,)}))
    with unswept():
        began = time.process_time()
        assert read.read(raw).message.attachments == (attachment,)
        assert time.process_time() - began < 25 * parse_seconds


MARKUP = (
    *(
        b"<!-- x -->",
        b"<?x?>",
        b"<![CDATA[x]]>",
        b"&lt;",
        b"&x;",
        b"&#x202e;",
        b"<x:y/>",
        b"<To/>",
        b"\0",
        b"]]>",
    ),
    *(b"<edXML:Subject>x</edXML:Subject>", b"<Paper>2</Paper>", b"<!DOCTYPE x>", b"</edXML:To>", b"cid:"),
)
DAMAGED = ("new_java", "new_dotnet_undeclared_prefix", "update_java", "status_13_take_back")


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """One to three strokes: a piece changed, cut out, doubled or moved, markup put between elements, an end cut."""
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(len(raw))
        stroke = dice.choice(("change", "cut", "double", "move", "put", "put", "line", "line", "truncate"))
        if stroke == "line":  # a whole line changes its place, which mostly leaves XML
            lines = raw.splitlines(keepends=True)
            line = lines.pop(dice.randrange(len(lines)))
            for _ in range(dice.randrange(3)):
                lines.insert(dice.randrange(len(lines) + 1), line)
            raw = b"".join(lines) or raw
            continue
        piece = raw[start : start + dice.choice((1, 1, 2, 8, 64, 512))]
        before, after = raw[:start], raw[start + len(piece) :]
        raw = {
            "change": before + bytes(dice.randrange(256) for _ in piece) + after,
            "cut": before + after or raw,
            "double": before + piece + piece + after,
            "move": after + piece + before,
            "put": raw[: raw.find(b">", start) + 1] + dice.choice(MARKUP) + raw[raw.find(b">", start) + 1 :],
            "truncate": before or raw,
        }[stroke]
    return raw


def outcome(name: str, number: int) -> str:
    """How the damaged file `number` of a fixture ends; anything else is an exception that fails the test."""
    case = mutated((FIXTURES / f"{name}.edxml").read_bytes(), random.Random(f"{name} {number}"))
    try:
        view.facts(read.read(case), "en")
    except read.Unreadable as problem:
        return problem.code
    return "read"


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("number", range(100))
def test_damaged_at_random(name, number):
    assert outcome(name, number) in {"read", *CODES}


def test_the_damage_is_of_both_kinds():
    outcomes = Counter(outcome(name, number) for name in DAMAGED for number in range(100))
    assert outcomes["not_xml"] > 100
    assert outcomes["read"] > 50
