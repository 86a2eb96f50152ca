"""What is refused, over real HTTP: each refusal says why, leaves one line in the journal and nothing else.

Every case sends something bad, reads the whole problem in both languages, counts the rows of every table before and
after, and then sends the same document with the cause removed: that one is accepted.
"""

import asyncio
import base64
import copy
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from lxml import etree
from province import OLD, Province, actor, quick_letter

from exchange import ids
from exchange.broker import directory as cases
from exchange.demo import letters
from exchange.edxml import attachments
from exchange.links import sdk
from exchange.store import pool as pools
from signing import keys, pdf_write, seal

SENDER = "H13.01"
PROBLEM = {"type", "title", "status", "code", "detail", "findings", "request_id"}
FINDING = {"severity", "code", "path", "line", "text"}
NAMESPACE = "{http://www.mic.gov.vn/TBT/QCVN_102_2016}"
TRIED: list[str] = []
SETTINGS = {"CONGVAN_MAX_LETTER_MB": "1"}


@dataclass(frozen=True)
class Desk:
    """What a test has at hand: the province, the running server, a connection to its database."""

    server: object
    connection: object
    tables: tuple[str, ...]

    @property
    def province(self) -> Province:
        return self.server.province

    async def rows(self):
        """Rows in every table there is, but for who holds the housekeeping; once all facts of before are merged."""
        for _ in range(100):
            if not await self.connection.fetchval("SELECT count(*) FROM tally_delta"):
                break
            await asyncio.sleep(0.1)
        counted = ", ".join(f"(SELECT count(*) FROM {name}) AS {name}" for name in self.tables)
        return dict(await self.connection.fetchrow(f"SELECT {counted}"))

    async def gained(self, before):
        after = await self.rows()
        return {name: after[name] - before[name] for name in after if after[name] != before[name]}

    async def last_line(self):
        return await self.connection.fetchrow("SELECT * FROM journal ORDER BY at DESC, id DESC LIMIT 1")

    async def post(self, raw, *, key=SENDER, language="vi", path="/v1/messages", **given):
        """One request without the client's courtesies; `key` is an agency's code, or a whole header."""
        kind = "application/xml" if path.startswith("/v1/messages") else "application/json"
        headers = {"Accept-Language": language, "Content-Type": kind, **given.pop("headers", {})}
        if key is not None:
            headers["Authorization"] = f"Bearer {self.province.key_of(key)}" if key in OLD else key
        async with (
            aiohttp.ClientSession(self.server.url) as session,
            session.post(path, data=raw, headers=headers, **given) as response,
        ):
            return await answered(response)


async def answered(response):
    raw = await response.read()
    body = json.loads(raw) if "json" in response.content_type else None
    return sdk.Answer(status=response.status, raw=raw, body=body, headers=response.headers)


@pytest.fixture(scope="module")
def sound(shared_server):
    """The server; at the end, nothing that was sent to it was a crash."""
    yield shared_server
    log = shared_server.log.read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log
    assert '"event": "internal"' not in log


@pytest.fixture
async def desk(sound):
    connection = await pools.connect(sound.dsn)
    names = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
        " AND relnamespace = 'public'::regnamespace AND relname NOT IN ('lease', 'trusted_root') ORDER BY 1"
    )
    try:
        yield Desk(sound, connection, tuple(record["relname"] for record in names))
    finally:
        await connection.close()


def expect_problem(answer, status, code):
    """The whole shape of a problem (contract.md), and that it tells nothing of our insides."""
    assert (answer.status, answer.problem) == (status, code), answer.raw
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    body = answer.body
    assert set(body) >= PROBLEM
    assert body["status"] == status
    assert body["type"] == f"/help/codes#{code}"
    assert body["title"].strip()
    assert body["detail"].strip()
    assert body["request_id"] == answer.headers["X-Request-Id"]
    for finding in body["findings"]:
        assert set(finding) >= FINDING
        assert finding["text"].strip()
        assert finding["severity"] in {"error", "warning", "info"}
    text = answer.raw.decode()
    for inside in ("Traceback", 'File "', "asyncpg", "exchange/", "site-packages", "lxml", "root:x:0"):
        assert inside not in text
    assert text.isprintable()


async def expect_refused(desk, raw, status, code, **given):
    """Refused in both languages, each time with exactly one journal row; the Vietnamese answer."""
    answers = {}
    for language in ("vi", "en"):
        before = await desk.rows()
        answers[language] = await desk.post(raw, language=language, **given)
        expect_problem(answers[language], status, code)
        assert await desk.gained(before) == {"journal": 1}
        await expect_line(desk, code)
    assert answers["vi"].body["title"] != answers["en"].body["title"]
    return answers["vi"]


async def expect_line(desk, code):
    """The newest journal row: a refusal under the owner of the caller's system, claiming no identity."""
    line = await desk.last_line()
    assert (line["event"], line["code"], line["letter"], line["delivery"]) == ("refused", code, None, None)
    owner = await desk.connection.fetchval("SELECT owner_agency FROM system WHERE id = $1", line["system"])
    assert line["agency"] == owner
    assert line["detail"] == {}


async def expect_accepted(desk, raw, **given):
    answer = await desk.post(raw, **given)
    assert answer.status == 201, answer.raw
    return answer.body


def document_id(raw):
    return re.search(rb"<edXML:DocumentId>([^<]+)<", raw)[1]


# --- how bad letters are made --------------------------------------------------------------------------------------


def letter(province, number, *, ours=None, case="signed_pdf", sender=SENDER, foreign=None):
    """A letter as the demo makes them, by the province's authority or by a changed one."""
    draft = letters.Draft(
        case=case, sender=actor(sender), recipients=("H13.02",), number=number, subject="V/v thử từ chối",
        foreign=actor(foreign) if foreign else None,
    )  # fmt: skip
    return letters.compose(draft, ours or province.ours, datetime.now(UTC))


def sealed_with(province, **changed):
    """The province's authority, but the sender's seal is another certificate or another key."""
    holder = replace(province.ours.seals[SENDER], **changed)
    return replace(province.ours, seals={**province.ours.seals, SENDER: holder})


def certificate(province, issuer=None, *, key=None, start=-20, days=40):
    """A certificate for the sender's own seal key, of other dates or of another issuer; days from today."""
    at = datetime.now(UTC) + timedelta(days=start)
    public = (key or province.ours.seals[SENDER].key).public_key()
    issuer = issuer or province.ours.issuer
    return keys.certificate(issuer, "Văn phòng", public, at=at, days=days, serial=777_001)


def strangers():
    """A second authority that nobody here trusts."""
    at = datetime.now(UTC) - timedelta(days=30)
    root = keys.root("Root CA lạ", key=keys.new_key(), at=at)
    return keys.subordinate(root, "CA lạ", key=keys.new_key(), at=at)


def with_parts(number, *, header=b"", files=(), manifest=True):
    """An unsigned letter with a block in its header and attached files (name, bytes)."""
    listed, encoded = "", ""
    for position, (name, data) in enumerate(files):
        shown = name.replace("&", "&amp;").replace("<", "&lt;")
        listed += f"<edXML:Reference><edXML:ContentId>cid:{position}</edXML:ContentId><edXML:AttachmentName>{shown}</edXML:AttachmentName></edXML:Reference>"
        encoded += f"<edXML:Attachment><edXML:ContentId>{position}</edXML:ContentId><edXML:AttachmentName>{shown}</edXML:AttachmentName><edXML:ContentTransferEncoded>{base64.b64encode(data).decode()}</edXML:ContentTransferEncoded></edXML:Attachment>"
    body = (
        f"<edXML:edXMLBody><edXML:edXMLManifest>{listed}</edXML:edXMLManifest></edXML:edXMLBody>"
        if manifest
        else ""
    )
    raw = quick_letter(number).replace(
        b"</edXML:edXMLHeader>", header + b"</edXML:edXMLHeader>" + body.encode()
    )
    ending = f"<edXML:AttachmentEncoded>{encoded}</edXML:AttachmentEncoded></edXML:edXMLEnvelope>"
    return raw.replace(b"</edXML:edXMLEnvelope>", ending.encode())


def changed(raw, *replacements):
    for old, new in replacements:
        assert raw.count(old) >= 1, old
        raw = raw.replace(old, new, 1)
    return raw


# --- unreadable, over budgets, incomplete --------------------------------------------------------------------------

DOCTYPE = b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE edXML [%s]>\n'
LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10 if level else b"ha") for level in range(10)
)


def doctype(number, declarations, subject=b"x"):
    """A letter with a DOCTYPE before it and `subject` (perhaps an entity) in it."""
    whole = quick_letter(number, subject="SUBJECT").replace(b"SUBJECT", subject)
    return DOCTYPE % declarations + whole.partition(b"?>")[2].lstrip()


UNREADABLE: dict[str, tuple[str, bytes | Callable[[int], bytes]]] = {
    "nothing": ("not_xml", b""),
    "spaces": ("not_xml", b" \r\n\t"),
    "plain text": ("not_xml", "Kính gửi".encode()),
    "json": ("not_xml", b'{"edXML": 1}'),
    "a bare PDF": ("not_xml", pdf_write.blank(["x"])),
    "zeros": ("not_xml", bytes(64)),
    "cut off": ("not_xml", lambda n: quick_letter(n)[:-20]),
    "two roots": ("not_xml", lambda n: quick_letter(n) + b"<edXML/>"),
    "an escape character": ("not_xml", lambda n: changed(quick_letter(n), (b"V/v", b"V/v&#27;[2J"))),
    "a raw control character": ("not_xml", lambda n: changed(quick_letter(n), (b"V/v", b"V/v\x1b[2J"))),
    "an unknown entity": ("not_xml", lambda n: changed(quick_letter(n), (b"V/v", b"&nbsp;V/v"))),
    "bytes that are no UTF-8": ("not_xml", lambda n: changed(quick_letter(n), (b"V/v", b"\xff\xfe"))),
    "UTF-16 that says UTF-8": ("not_xml", lambda n: quick_letter(n).decode().encode("utf-16")),
    "an encoding we do not read": ("not_xml", lambda n: changed(quick_letter(n), (b"UTF-8", b"UTF-7"))),
    "zipped": ("not_xml", lambda n: gzip.compress(quick_letter(n))),
    "a DTD": ("forbidden_xml", lambda n: doctype(n, b"")),
    "a DTD after a comment": (
        "forbidden_xml",
        lambda n: changed(doctype(n, b""), (b"<!DOCTYPE", b"<!-- x --><?x y?><!DOCTYPE")),
    ),
    "billion laughs": ("forbidden_xml", lambda n: doctype(n, LAUGHS, b"&l9;")),
    "an external entity": (
        "forbidden_xml",
        lambda n: doctype(n, b'<!ENTITY x SYSTEM "file:///etc/passwd">', b"&x;"),
    ),
    "an external DTD": (
        "forbidden_xml",
        lambda n: changed(doctype(n, b""), (b"[]", b'SYSTEM "http://127.0.0.1:1/x.dtd"')),
    ),
    "a parameter entity": (
        "forbidden_xml",
        lambda n: doctype(n, b'<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;'),
    ),
    "HTML": ("not_edxml", b"<html><body/></html>"),
    "a SOAP envelope": (
        "not_edxml",
        b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>',
    ),
    "a root with our name in it": ("not_edxml", b"<edXMLs><edXML/></edXMLs>"),
    "too deep": ("too_complex", lambda n: with_parts(n, header=b"<x>" * 70 + b"</x>" * 70)),
    "far too deep": ("too_complex", b"<edXML>" * 100_000),
    "too many elements": ("too_complex", lambda n: with_parts(n, header=b"<x/>" * 200_001)),
    "too long a subject": (
        "too_complex",
        lambda n: changed(quick_letter(n), (b"V/v", b"V/v " + b"x" * 100_001)),
    ),
    "too many attachments": (
        "too_complex",
        lambda n: with_parts(n, files=[(f"{one}.zip", b"PK\x05\x06") for one in range(201)]),
    ),
}
"""Name -> code, and how it is made. The letter of that number without the fault is accepted afterwards."""


def numbered(table, start):
    return [pytest.param(number, *table[name], id=name) for number, name in enumerate(table, start)]


@pytest.mark.parametrize("number, code, make", numbered(UNREADABLE, 1000))
async def test_what_cannot_be_read_is_refused(desk, number, code, make):
    raw = make if isinstance(make, bytes) else make(number)
    TRIED.append(code)
    answer = await expect_refused(desk, raw, 422, code)
    assert [finding["code"] for finding in answer.body["findings"]] == [code]
    line = await desk.last_line()
    assert (line["sha256"], line["size"]) == (hashlib.sha256(raw).digest(), len(raw))
    await expect_accepted(desk, quick_letter(number))


# --- mandatory fields ------------------------------------------------------------------------------------------------


def spoiled(raw, path, how):
    """The message with one element of its header removed, emptied or doubled; `.` is the header itself."""
    root = etree.fromstring(raw)
    header = next(root.iter(NAMESPACE + "MessageHeader"))
    names = "/".join(NAMESPACE + name for name in path.split("/"))
    element = header if path == "." else header.find(names)
    if how == "doubled":
        element.addnext(copy.deepcopy(element))
    elif how == "removed":
        element.getparent().remove(element)
    else:
        element[:] = []
        element.text = " \n "
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


FIELDS = [
    (".", {"removed": ("missing", "MessageHeader"), "emptied": ("missing", "From/OrganId"), "doubled": ("twice", "MessageHeader")}),
    ("From", {"removed": ("missing", "From/OrganId"), "emptied": ("missing", "From/OrganId"), "doubled": ("twice", "From")}),
    ("From/OrganId", {"removed": ("missing", "From/OrganId"), "emptied": ("missing", "From/OrganId"), "doubled": ("twice", "From/OrganId")}),
    ("To", {"removed": ("missing", "To/OrganId"), "emptied": ("missing", "To/OrganId")}),
    ("To/OrganId", {"removed": ("missing", "To/OrganId"), "emptied": ("missing", "To/OrganId"), "doubled": ("twice", "To[1]/OrganId")}),
    ("DocumentId", {"removed": ("missing", "DocumentId"), "emptied": ("missing", "DocumentId"), "doubled": ("twice", "DocumentId")}),
    ("Code", {"removed": ("missing", "Code/CodeNumber"), "emptied": ("missing", "Code/CodeNumber"), "doubled": ("twice", "Code")}),
    ("Code/CodeNumber", {"removed": ("missing", "CodeNumber"), "emptied": ("missing", "CodeNumber"), "doubled": ("twice", "CodeNumber")}),
    ("Code/CodeNotation", {"removed": ("missing", "CodeNotation"), "emptied": ("missing", "CodeNotation"), "doubled": ("twice", "CodeNotation")}),
    ("PromulgationInfo", {"removed": ("missing", "PromulgationDate"), "emptied": ("missing", "PromulgationDate"), "doubled": ("twice", "PromulgationInfo")}),
    ("PromulgationInfo/PromulgationDate", {"removed": ("missing", "PromulgationDate"), "emptied": ("missing", "PromulgationDate"), "doubled": ("twice", "PromulgationDate")}),
    ("Subject", {"removed": ("missing", "Subject"), "emptied": ("missing", "Subject"), "doubled": ("twice", "Subject")}),
]  # fmt: skip
"""Element of the header -> what is done to it -> the finding and the end of its path. `To` may be doubled."""

SPOILED = [
    pytest.param(number, path, how, *expected, id=f"{path} {how}")
    for number, (path, how, expected) in enumerate(
        ((path, how, expected) for path, ways in FIELDS for how, expected in ways.items()), 1100
    )
]


@pytest.mark.parametrize("number, path, how, code, place", SPOILED)
async def test_a_mandatory_field_stands_once_and_is_not_empty(desk, number, path, how, code, place):
    raw = quick_letter(number)
    TRIED.append(f"{path} {how}")
    answer = await expect_refused(desk, spoiled(raw, path, how), 422, "findings")
    errors = [one for one in answer.body["findings"] if one["severity"] == "error"]
    assert any(one["code"] == code and one["path"].endswith(place) for one in errors), errors
    assert all(one["line"] for one in errors)
    accepted = await expect_accepted(desk, raw)
    assert accepted["receipt"]["document_id"].encode() == document_id(raw)


DUBIOUS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a date that is none": (
        "bad_date",
        lambda raw: re.sub(rb"(PromulgationDate>)[\d/]+<", rb"\g<1>2026/02/30<", raw),
    ),
    "a comment in the sender's code": (
        "comment_in_value",
        lambda raw: changed(raw, (b"<edXML:OrganId>H13", b"<edXML:OrganId><!-- H13.02 -->H13")),
    ),
    "an element in the sender's code": (
        "element_in_value",
        lambda raw: changed(raw, (b"<edXML:OrganId>H13", b"<edXML:OrganId><b/>H13")),
    ),
    "a second sender in another case": (
        "twice",
        lambda raw: changed(raw, (b"<edXML:To>", b"<edXML:FROM><edXML:OrganId>H13</edXML:OrganId></edXML:FROM><edXML:To>")),
    ),
    "a sender in another layer": (
        "misplaced",
        lambda raw: re.sub(rb"(<edXML:MessageHeader>)(<edXML:From>.*?</edXML:From>)", rb"\2\1", raw),
    ),
    "a second sender in another layer": (
        "twice",
        lambda raw: changed(raw, (b"<edXML:edXMLHeader>", b"<edXML:edXMLHeader><From><OrganId>H13</OrganId></From>")),
    ),
    "a second header in the body": (
        "twice",
        lambda raw: changed(raw, (b"</edXML:edXMLEnvelope>", b"<edXML:edXMLBody><MessageHeader/></edXML:edXMLBody></edXML:edXMLEnvelope>")),
    ),
    "an operation nobody knows": (
        "unknown_code",
        lambda raw: changed(raw, (b"BussinessDocType>0", b"BussinessDocType>9")),
    ),
    "a recipient and a status code": (
        "two_in_one",
        lambda raw: changed(raw, (b"<edXML:Subject>", b"<edXML:StatusCode>01</edXML:StatusCode><edXML:Subject>")),
    ),
    "an attachment without bytes": (
        "missing_bytes",
        lambda raw: changed(raw, (b"</edXML:edXMLEnvelope>", b"<edXML:AttachmentEncoded><edXML:Attachment/></edXML:AttachmentEncoded></edXML:edXMLEnvelope>")),
    ),
    "an attachment that is no base64": (
        "damaged_bytes",
        lambda raw: changed(raw, (b"</edXML:edXMLEnvelope>", b"<edXML:AttachmentEncoded><edXML:Attachment><edXML:AttachmentName>a.pdf</edXML:AttachmentName><edXML:ContentTransferEncoded>JVBERi0*</edXML:ContentTransferEncoded></edXML:Attachment></edXML:AttachmentEncoded></edXML:edXMLEnvelope>")),
    ),
    "an attachment whose base64 is cut off": (
        "damaged_bytes",
        lambda raw: changed(raw, (b"</edXML:edXMLEnvelope>", b"<edXML:AttachmentEncoded><edXML:Attachment><edXML:AttachmentName>a.pdf</edXML:AttachmentName><edXML:ContentTransferEncoded>JVBER</edXML:ContentTransferEncoded></edXML:Attachment></edXML:AttachmentEncoded></edXML:edXMLEnvelope>")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("number, code, spoil", numbered(DUBIOUS, 1200))
async def test_what_could_be_read_in_two_ways_is_refused(desk, number, code, spoil):
    raw = quick_letter(number)
    TRIED.append(code)
    answer = await expect_refused(desk, spoil(raw), 422, "findings")
    assert code in {one["code"] for one in answer.body["findings"] if one["severity"] == "error"}
    await expect_accepted(desk, raw)


# --- who sends, to whom ----------------------------------------------------------------------------------------------

PARTIES: dict[str, tuple[int, str, dict[str, object]]] = {
    "an unknown sender": (422, "unknown_sender", {"sender": "H99.99"}),
    "a sender with markup in its code": (422, "unknown_sender", {"sender": "H13.01' OR 1=1 --"}),
    "a sender of another system": (403, "not_allowed_to_act", {"sender": "H13.31"}),
    "a sender of another system by its old code": (403, "not_allowed_to_act", {"sender": OLD["H13.31"]}),
    "the superior": (403, "not_allowed_to_act", {"sender": "H13"}),
    "a recipient nobody knows": (422, "no_routable_recipient", {"recipients": ["H99.98"]}),
    "recipients nobody knows": (422, "no_routable_recipient", {"recipients": ["H99.98", "000.00.77.H99"]}),
}


@pytest.mark.parametrize("number, status, code, parties", numbered(PARTIES, 1300))
async def test_a_sender_or_recipients_that_will_not_do_are_refused(desk, number, status, code, parties):
    TRIED.append(code)
    answer = await expect_refused(desk, quick_letter(number, **parties), status, code)
    unknown = [one["text"] for one in answer.body["findings"] if one["code"] == "recipient_unknown"]
    assert len(unknown) == len(parties.get("recipients", ()))
    await expect_accepted(desk, quick_letter(number))


async def test_some_unknown_recipients_keep_nobody_from_the_others(desk):
    TRIED.append("some recipients unknown")
    body = await expect_accepted(desk, quick_letter(1310, recipients=["H99.98", "H13.02", "h99.97"]))
    assert body["receipt"]["recipients"] == ["H13.02"]
    assert body["receipt"]["unroutable"] == ["H99.98", "H99.97"]
    assert [one["code"] for one in body["warnings"]].count("recipient_unknown") == 2


async def test_a_recipient_named_twice_gets_one_delivery(desk):
    TRIED.append("a recipient twice")
    body = await expect_accepted(desk, quick_letter(1311, recipients=["H13.02", "h13.02", OLD["H13.02"]]))
    assert body["receipt"]["recipients"] == ["H13.02"]
    found = await desk.connection.fetchval(
        "SELECT count(*) FROM delivery WHERE letter = $1::uuid", body["receipt"]["letter"]
    )
    assert found == 1


async def test_other_bytes_under_one_document_id_are_a_conflict_that_names_the_first(desk):
    TRIED.append("conflict")
    first = await expect_accepted(desk, quick_letter(1320))
    answer = await expect_refused(desk, quick_letter(1320, subject="V/v khác"), 409, "conflict")
    assert answer.body["detail"] == first["receipt"]["letter"]
    spaced = quick_letter(1320, subject="V/v khác").replace(b"DocumentId>H13", b"DocumentId>\n H13")
    assert (await expect_refused(desk, spaced, 409, "conflict")).body["detail"] == first["receipt"]["letter"]
    assert (await desk.post(quick_letter(1320))).status == 200


@pytest.mark.parametrize(
    "operation, status, code", [("1", 404, "not_found"), ("2", 404, "not_found"), ("3", 422, "findings")]
)
async def test_operations_on_what_nobody_sent_are_refused(desk, operation, status, code):
    TRIED.append(code)
    raw = changed(quick_letter(1330), (b"BussinessDocType>0", f"BussinessDocType>{operation}".encode()))
    await expect_refused(desk, raw, status, code)


# --- signatures that refuse a letter -----------------------------------------------------------------------------------


def forged_pdf(province, number):
    return letter(province, number, case="forged")


def forged_package(province, number):
    """One byte of the subject in a letter whose package the agency signed."""
    return changed(letter(province, number, case="package_signed"), ("thử".encode(), "thứ".encode()))


def forged_digest(province, number):
    raw = letter(province, number, case="package_signed")
    return re.sub(rb"(DigestValue>)(.)", lambda m: m[1] + (b"B" if m[2] == b"A" else b"A"), raw, count=1)


def forged_value(province, number):
    raw = letter(province, number, case="package_signed")
    return re.sub(
        rb"(SignatureValue>\s*)(.)", lambda m: m[1] + (b"B" if m[2] == b"A" else b"A"), raw, count=1
    )


def forged_attachment(province, number):
    """The attached file exchanged under a package signature that covers it; the file itself is well signed."""
    raw = letter(province, number, case="package_signed")
    other = letter(province, number + 1, case="package_signed")
    file, strange = (letters.read_letter(one).attachments[0].encoded.encode() for one in (raw, other))
    return changed(raw, (file, strange))


def foreign_pdf(province, number):
    return letter(province, number, case="foreign_signature", foreign="H13.14")


def foreign_package(province, number):
    return letter(province, number, case="package_signed", foreign="H13.14")


def swapped_key_pdf(province, number):
    ours = sealed_with(province, key=province.ours.seals["H13.14"].key)
    return letter(province, number, ours=ours)


def swapped_key_package(province, number):
    ours = sealed_with(province, key=province.ours.seals["H13.14"].key)
    return letter(province, number, ours=ours, case="package_signed")


def swapped_certificate(province, number):
    """The certificate in a package signature exchanged for the sender's own: another agency signed."""
    raw = foreign_package(province, number)
    theirs, own = (province.ours.seals[code].der for code in ("H13.14", SENDER))
    return changed(raw, (base64.b64encode(theirs), base64.b64encode(own)))


def wrapped_identifier(province, number):
    """The package signature covers the element with that Id; a second element has it too."""
    holder = province.ours.seals[SENDER]
    raw = changed(quick_letter(number), (b"<edXML:MessageHeader>", b'<edXML:MessageHeader Id="h">'))
    signed = seal.sign_xml(raw, holder.key, holder.certificate, at=None, references=("#h",))
    return changed(signed, (b"<edXML:TraceHeaderList>", b'<edXML:TraceHeaderList Id="h">'))


def wrapped_in_signature(province, number):
    """Another header of our vocabulary hidden in the signature, under a name that the reader does not know."""
    holder = province.ours.seals[SENDER]
    signed = seal.sign_xml(quick_letter(number), holder.key, holder.certificate, at=datetime.now(UTC))
    hidden = b'<ds:Object><edXML:Note xmlns:edXML="http://www.mic.gov.vn/TBT/QCVN_102_2016">x</edXML:Note></ds:Object>'
    return changed(signed, (b"</ds:Signature>", hidden + b"</ds:Signature>"))


SIGNED: dict[str, tuple[str, Callable[[Province, int], bytes]]] = {
    "a byte of the PDF changed": ("signature_broken", forged_pdf),
    "a byte of the package changed": ("signature_broken", forged_package),
    "the digest changed": ("signature_broken", forged_digest),
    "the signature value changed": ("signature_broken", forged_value),
    "the attached file exchanged": ("signature_broken", forged_attachment),
    "another agency's seal in the PDF": ("signature_of_another", foreign_pdf),
    "another agency's seal on the package": ("signature_of_another", foreign_package),
    "a key that is not the certificate's, in the PDF": ("signature_broken", swapped_key_pdf),
    "a key that is not the certificate's, on the package": ("signature_broken", swapped_key_package),
    "the certificate exchanged": ("signature_broken", swapped_certificate),
    "an Id that stands twice": ("signature_wrapping", wrapped_identifier),
    "content within the signature": ("signature_wrapping", wrapped_in_signature),
}


@pytest.mark.parametrize("number, code, make", numbered(SIGNED, 1400))
async def test_a_letter_whose_signature_proves_something_else_is_refused(desk, number, code, make):
    number *= 10  # some cases take a second number
    raw = make(desk.province, number)
    TRIED.append(code)
    answer = await expect_refused(desk, raw, 422, code)
    assert code in {one["code"] for one in answer.body["findings"] if one["severity"] == "error"}
    good = letter(desk.province, number, case="package_signed" if b"ds:Signature" in raw else "signed_pdf")
    if code == "signature_wrapping":
        good = quick_letter(number)
    assert document_id(good) == document_id(raw)
    await expect_accepted(desk, good)


def copies(raw, most):
    """The package signature standing there several times."""
    signature = re.search(rb"<ds:Signature .*?</ds:Signature>", raw, re.DOTALL)[0]
    return changed(raw, (signature, signature * most))


def references(raw, most):
    reference = re.search(rb"<ds:Reference .*?</ds:Reference>", raw, re.DOTALL)[0]
    return changed(raw, (reference, reference * most))


def transforms(raw, most):
    transform = re.search(rb"<ds:Transform [^>]*/>", raw)[0]
    return changed(raw, (transform, transform * most))


def certificates(raw, most):
    one = re.search(rb"<ds:X509Certificate>.*?</ds:X509Certificate>", raw, re.DOTALL)[0]
    return changed(raw, (one, one * most))


TOO_MANY: dict[str, tuple[Callable[[bytes, int], bytes], int]] = {
    "signatures": (copies, 9),
    "references": (references, 17),
    "transforms": (transforms, 3),
    "certificates": (certificates, 17),
}


@pytest.mark.parametrize("number, multiply, most", numbered(TOO_MANY, 1450))
async def test_a_letter_that_would_be_too_much_to_verify_is_refused(desk, number, multiply, most):
    holder = desk.province.ours.seals[SENDER]
    signed = seal.sign_xml(quick_letter(number), holder.key, holder.certificate, at=None)
    TRIED.append("too_complex")
    await expect_refused(desk, multiply(signed, most), 422, "too_complex")
    await expect_accepted(desk, signed)


# --- signatures that let a letter in, without legal value ----------------------------------------------------------------


def unknown_root(province, number):
    return letter(
        province, number, ours=sealed_with(province, certificate=certificate(province, strangers()))
    )


def unknown_root_package(province, number):
    ours = sealed_with(province, certificate=certificate(province, strangers()))
    return letter(province, number, ours=ours, case="package_signed")


def expired(province, number):
    return letter(province, number, ours=sealed_with(province, certificate=certificate(province, days=10)))


def not_yet_valid(province, number):
    return letter(province, number, ours=sealed_with(province, certificate=certificate(province, start=5)))


def unregistered(province, number):
    return letter(province, number, ours=sealed_with(province, certificate=certificate(province)))


def placeholder_only(_province, number):
    return with_parts(number, header=letters._PLACEHOLDER, files=[("a.pdf", pdf_write.blank(["x"]))])


PASSED, FAILED, OPEN = "TOTAL_PASSED", "TOTAL_FAILED", "INDETERMINATE"
NO_CHAIN = "NO_CERTIFICATE_CHAIN_FOUND"

WITHOUT_VALUE: dict[str, tuple[str, list[tuple[str, str | None]], Callable[[Province, int], bytes]]] = {
    "no file at all": ("no_document", [], lambda _, n: quick_letter(n)),
    "unsigned": ("no_signature", [], lambda _, n: with_parts(n, files=[("a.pdf", pdf_write.blank(["x"]))])),
    "a placeholder": ("placeholder", [], placeholder_only),
    "no PDF but its name": ("no_signature", [], lambda _, n: with_parts(n, files=[("a.pdf", b"hello")])),
    "a PDF that is damaged": ("unreadable", [], lambda _, n: with_parts(n, files=[("a.pdf", b"%PDF-1.7\n1 0 obj")])),
    "a detached signature that is none": (
        "format",
        [(FAILED, "FORMAT_FAILURE")],
        lambda _, n: with_parts(n, files=[("a.pdf", pdf_write.blank(["x"])), ("a.pdf.p7s", b"0\x80\x06")]),
    ),
    "a path to an unknown root": ("no_path", [(PASSED, None), (OPEN, NO_CHAIN)], unknown_root),
    "a path to an unknown root, on the package": ("no_path", [(OPEN, NO_CHAIN), (PASSED, None)], unknown_root_package),
    "an expired certificate": ("expired", [(PASSED, None), (OPEN, "OUT_OF_BOUNDS_NO_POE")], expired),
    "a certificate not yet valid": ("not_yet_valid", [(PASSED, None), (FAILED, "NOT_YET_VALID")], not_yet_valid),
    "a certificate nobody registered": ("signer_unknown", [(PASSED, None), (PASSED, None)], unregistered),
}  # fmt: skip


@pytest.mark.parametrize("number, reason, verdicts, make", numbered(WITHOUT_VALUE, 1500))
async def test_other_signatures_let_a_letter_in_without_value(desk, number, reason, verdicts, make):
    TRIED.append(reason)
    body = await expect_accepted(desk, make(desk.province, number))
    assert (body["requirement"], body["class_if_electronic"]) == ("not_met", "N")
    assert f"requirement_{reason}" in {one["code"] for one in body["warnings"]}
    assert all(one["text"].strip() and one["severity"] != "error" for one in body["warnings"])
    async with desk.server.client() as client:
        found = (await client.about(body["receipt"]["letter"], "verdicts")).body
        assert (await client.about(body["receipt"]["letter"], "header")).status == 200
    assert [(one["indication"], one["sub_indication"]) for one in found["signatures"]] == verdicts
    assert all(one["why"] for one in found["signatures"])


async def test_a_letter_in_another_encoding_is_answered_and_not_a_crash(desk):
    """The reader takes UTF-16; signatures are looked at in UTF-8 only."""
    TRIED.append("UTF-16")
    raw = quick_letter(1520).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    await expect_refused(desk, raw, 422, "forbidden_xml")
    await expect_accepted(desk, quick_letter(1520))


async def test_an_undeclared_prefix_is_repaired_and_counts_for_nothing(desk):
    TRIED.append("repaired")
    raw = changed(
        letter(desk.province, 1521, case="package_signed"), (b"<edXML:Subject>", b"<foo:x/><edXML:Subject>")
    )
    body = await expect_accepted(desk, raw)
    assert (body["requirement"], body["class_if_electronic"]) == ("not_met", "N")
    assert {"repaired", "requirement_repaired"} <= {one["code"] for one in body["warnings"]}


# --- names and texts that want to be something else ----------------------------------------------------------------------

NAMES = {
    "a path upwards": ("../../../etc/passwd", "passwd"),
    "an absolute path": ("/etc/cron.d/x.pdf", "x.pdf"),
    "another system's path": ("C:\\Windows\\system32\\x.pdf", "x.pdf"),
    "a reading direction": ("cv\u202efdp.exe", "cvfdp.exe"),
    "a terminal's control": ("a\u009b2Jb.pdf", "a2Jb.pdf"),
    "only dots": ("..", "attachment-1"),
    "markup": ("<script>x</script>.pdf", "script_.pdf"),
    "endless": ("x" * 5_000 + ".pdf", "x" * 251 + ".pdf"),
}


@pytest.mark.parametrize("number, raw_name, name", numbered(NAMES, 1550))
async def test_a_hostile_file_name_is_shown_harmless(desk, number, raw_name, name):
    TRIED.append("hostile_name")
    signed = attachments.decode(letters.read_letter(letter(desk.province, number)).attachments[0])
    body = await expect_accepted(desk, with_parts(number, files=[(raw_name, signed)]))
    assert "hostile_name" in {one["code"] for one in body["warnings"]}
    assert all(one["text"].isprintable() for one in body["warnings"])
    async with desk.server.client() as client:
        verdicts = (await client.about(body["receipt"]["letter"], "verdicts")).body["signatures"]
    assert {one["where"] for one in verdicts} == {name}
    assert len(verdicts) == 2


async def test_hidden_characters_in_a_subject_are_told_and_cannot_act(desk):
    TRIED.append("hidden_characters")
    subject = "V/v \u202ecod.exe\u202c \u009b2J \u200b\ufeff&#133;"
    body = await expect_accepted(desk, quick_letter(1560, subject=subject))
    assert "hidden_characters" in {one["code"] for one in body["warnings"]}
    stored = await desk.connection.fetchval(
        "SELECT subject FROM letter WHERE id = $1::uuid", body["receipt"]["letter"]
    )
    assert stored == subject.replace("&#133;", "\x85").strip()


# --- the way the bytes travel --------------------------------------------------------------------------------------------


async def raw_request(desk, head, *parts, later=b"", half_close=False):
    """Bytes on a socket as they are, some after a pause; the answer, or nothing if the server closes without one."""
    host, _, port = desk.server.url.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(head.replace("KEY", desk.province.key_of(SENDER)).encode() + b"".join(parts))
        await writer.drain()
        if later:
            await asyncio.sleep(0.2)
            writer.write(later)
        if half_close:
            writer.write_eof()
        async with asyncio.timeout(1 if later else 5):
            top = await reader.readuntil(b"\r\n\r\n")
            return top + await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", top)[1]))
    except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
        return b""
    finally:
        writer.close()


HEAD = "POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer KEY\r\n"


async def expect_silent_refusal(desk, before, code, size):
    """A refusal whose answer nobody may be able to read is on record all the same."""
    for _ in range(100):
        if await desk.gained(before):
            break
        await asyncio.sleep(0.02)
    assert await desk.gained(before) == {"journal": 1}
    await expect_line(desk, code)
    line = await desk.last_line()
    assert (line["sha256"], line["size"]) == (None, size)


async def test_a_truncated_upload_is_refused(desk):
    TRIED.append("truncated")
    raw, before = quick_letter(1600), await desk.rows()
    head = HEAD + f"Content-Length: {len(raw) + 100}\r\n\r\n"
    answer = await raw_request(desk, head, raw, half_close=True)
    assert not answer or b" 400 " in answer.partition(b"\r\n")[0]
    await expect_silent_refusal(desk, before, "incomplete_body", len(raw))
    await expect_accepted(desk, raw)


async def test_a_truncated_upload_in_chunks_is_refused(desk):
    TRIED.append("truncated chunks")
    raw, before = quick_letter(1601), await desk.rows()
    chunk = f"{len(raw):x}\r\n".encode() + raw + b"\r\n"
    await raw_request(desk, HEAD + "Transfer-Encoding: chunked\r\n\r\n", chunk, half_close=True)
    await expect_silent_refusal(desk, before, "incomplete_body", len(raw))
    await expect_accepted(desk, raw)


@pytest.mark.parametrize("number, header", numbered({
    "of other bytes": ("sha-256=:" + base64.b64encode(bytes(32)).decode() + ":",),
    "of other bytes after another": ("sha-512=:AAAA:, sha-256=:" + base64.b64encode(bytes(32)).decode() + ":",),
    "too short": ("sha-256=:AAAA:",),
    "no base64": ("sha-256=:====:",),
    "empty": ("sha-256=::",),
    "in no colons": ("sha-256=" + base64.b64encode(bytes(32)).decode(),),
    "in hex": ("sha-256=:" + "0" * 64 + ":",),
}, 1610))  # fmt: skip
async def test_a_wrong_content_digest_is_refused(desk, number, header):
    TRIED.append("digest")
    raw = quick_letter(number)
    await expect_refused(desk, raw, 400, "digest_mismatch", headers={"Content-Digest": header})
    line = await desk.last_line()
    assert line["size"] == len(raw)
    right = base64.b64encode(hashlib.sha256(raw).digest()).decode()
    await expect_accepted(desk, raw, headers={"Content-Digest": f"sha-512=:AAAA:, sha-256=:{right}:"})


async def test_a_letter_over_the_limit_is_refused_before_it_is_read(desk):
    TRIED.append("too_large")
    before = await desk.rows()
    answer = await raw_request(desk, HEAD + f"Content-Length: {(1 << 20) + 1}\r\n\r\n")
    assert b" 413 " in answer.partition(b"\r\n")[0]
    assert b'"code": "too_large"' in answer
    await expect_silent_refusal(desk, before, "too_large", 0)


async def chunks(total):
    for _ in range(total >> 16):
        yield bytes(1 << 16)


async def test_a_letter_over_the_limit_without_a_length_is_refused(desk):
    TRIED.append("too_large chunks")
    before = await desk.rows()
    try:
        answer = await desk.post(chunks(3 << 20))
    except aiohttp.ClientConnectionError:
        answer = None  # the server closed while we were still sending
    assert answer is None or (answer.status, answer.problem) == (413, "too_large")
    for _ in range(100):
        if await desk.gained(before):
            break
        await asyncio.sleep(0.02)
    assert await desk.gained(before) == {"journal": 1}
    assert 1 << 20 < (await desk.last_line())["size"] < 3 << 20


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "x", "gzip, gzip"])
async def test_a_body_in_a_coding_that_is_not_spoken_is_refused_unread(desk, encoding):
    TRIED.append("compressed")
    raw = quick_letter(1620)
    answer = await expect_refused(
        desk, raw, 415, "unsupported_media_type", headers={"Content-Encoding": encoding}
    )
    assert "Content-Encoding" in answer.body["detail"]
    assert (await desk.last_line())["size"] == 0


FOLDED = {
    "a bomb": (gzip.compress(bytes(64 << 20)), 413, "too_large"),
    "a bomb in a bomb": (gzip.compress(gzip.compress(bytes(256 << 20))), 422, "not_xml"),
    "broken off": (gzip.compress(quick_letter(1621))[:-9], 400, "incomplete_body"),
    "a wrong checksum": (gzip.compress(quick_letter(1622))[:-8] + bytes(8), 400, "incomplete_body"),
    "something behind it": (gzip.compress(quick_letter(1623)) + b"x", 400, "incomplete_body"),
    "two members": (gzip.compress(quick_letter(1624)) * 2, 400, "incomplete_body"),
    "no gzip at all": (quick_letter(1625), 400, "incomplete_body"),
    "nothing": (b"", 400, "incomplete_body"),
}


@pytest.mark.parametrize("raw, status, code", FOLDED.values(), ids=FOLDED.keys())
async def test_a_folded_body_that_does_not_unfold_well_is_refused(desk, raw, status, code):
    TRIED.append("folded")
    await expect_refused(desk, raw, status, code, headers={"Content-Encoding": "gzip"})


async def test_a_folded_letter_is_taken_and_is_the_plain_one(desk):
    plain = quick_letter(1626)
    body = await expect_accepted(desk, gzip.compress(plain), headers={"Content-Encoding": "gzip"})
    assert body["receipt"]["sha256"] == hashlib.sha256(plain).hexdigest()


async def test_chunks_that_are_none_are_refused(desk):
    TRIED.append("chunks")
    before = await desk.rows()
    head = HEAD + "Transfer-Encoding: chunked\r\n\r\n"
    answer = await raw_request(desk, head, b"5\r\nabcde\r\n", later=b"xyz\r\n")
    assert not answer or b" 400 " in answer.partition(b"\r\n")[0]
    await expect_silent_refusal(desk, before, "incomplete_body", 5)


MALFORMED = {
    "no HTTP": b"GARBAGE\r\n\r\n",
    "a header without colon": b"GET /healthz HTTP/1.1\r\nHost x\r\n\r\n",
    "two lengths": b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "length and chunks": b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "an endless header": b"GET /healthz HTTP/1.1\r\nHost: " + b"x" * 100_000 + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_http_changes_nothing_and_harms_nobody(desk, raw):
    TRIED.append("no http")
    before = await desk.rows()
    answer = await raw_request(desk, "", raw, half_close=True)
    assert not answer or answer.split(b" ", 2)[1] in {b"400", b"401"}
    assert b"Traceback" not in answer
    assert await desk.gained(before) == {}
    assert (await desk.post(b"", key=None)).problem == "unauthenticated"


# --- parameters ----------------------------------------------------------------------------------------------------------

PARAMETERS = {
    "main twice": "main=a.pdf&main=b.pdf",
    "an unknown copy form": "copy=photo",
    "a purpose without code": "purpose=act",
    "an unknown purpose": "purpose=H13.02:read",
    "an unknown paper reason": "paper_reason=habit",
    "a round that is no number": "resend=two",
    "a round in other digits": "resend=%D9%A2",
    "a negative round": "resend=-1",
    "a test that is neither": "test=yes",
    "a name nobody knows": "whatever=1",
    "a name misspelt": "Main=a.pdf",
    "an empty copy form": "copy=",
}


@pytest.mark.parametrize("number, query", [pytest.param(number, query, id=name) for number, (name, query) in enumerate(PARAMETERS.items(), 1700)])  # fmt: skip
async def test_a_parameter_that_says_nothing_known_is_refused(desk, number, query):
    TRIED.append(query)
    raw = quick_letter(number)
    answer = await expect_refused(desk, raw, 400, "bad_request", path=f"/v1/messages?{query}")
    assert query.partition("=")[0] in answer.body["detail"]
    known = "main=a.pdf&copy=true_copy&purpose=H13.02:inform&paper_reason=listed&resend=1&test=0"
    await expect_accepted(desk, raw, path=f"/v1/messages?{known}")


STRANGE = {
    "zero": "main=a%00b.pdf",
    "no text": "main=%FF%FE",
    "half a letter": "main=%ED%A0%80",
    "a purpose": "purpose=%00:act",
}


@pytest.mark.parametrize("number, query", [pytest.param(number, query, id=name) for number, (name, query) in enumerate(STRANGE.items(), 1720)])  # fmt: skip
async def test_strange_text_in_a_parameter_is_no_crash(desk, number, query):
    TRIED.append(query)
    raw = letter(desk.province, number)
    answer = await desk.post(raw, path=f"/v1/messages?{query}")
    assert answer.status in {201, 400}, answer.raw
    assert answer.raw.decode().isprintable()


ASKED = {
    "a limit of nothing": ("/v1/inbox?limit=0", 400, "bad_request"),
    "too high a limit": ("/v1/inbox?limit=501", 400, "bad_request"),
    "a limit that is no number": ("/v1/inbox?limit=ten", 400, "bad_request"),
    "a limit in other digits": ("/v1/inbox?limit=%D9%A2", 400, "bad_request"),
    "an endless limit": ("/v1/inbox?limit=" + "9" * 4_000, 400, "bad_request"),
    "an empty limit": ("/v1/inbox?limit=", 400, "bad_request"),
    "an endless wait of nothing": ("/v1/inbox?wait=" + "0" * 5_000, 400, "bad_request"),
    "a long wait behind noughts": ("/v1/inbox?wait=000000000999", 400, "bad_request"),
    "an empty cursor": ("/v1/inbox?after=", 400, "bad_request"),
    "too long a wait": ("/v1/inbox?wait=61", 400, "bad_request"),
    "a negative wait": ("/v1/inbox?wait=-1", 400, "bad_request"),
    "a cursor that is none": ("/v1/inbox?after=yesterday", 400, "bad_request"),
    "a cursor with a zero": ("/v1/inbox?after=%00", 400, "bad_request"),
    "another's inbox": ("/v1/inbox?for=H13.31", 403, "not_allowed_to_act"),
    "nobody's inbox": ("/v1/inbox?for=H99.99", 403, "not_allowed_to_act"),
    "an inbox of zero": ("/v1/inbox?for=%00", 403, "not_allowed_to_act"),
    "an id that is none": ("/v1/messages/x", 404, "not_found"),
    "an id upwards": ("/v1/messages/%2e%2e%2fetc", 404, "not_found"),
    "an id with a zero": ("/v1/messages/%00", 404, "not_found"),
    "nothing there": ("/v1/nothing", 404, "not_found"),
    "a page of tomorrow": ("/v1/messages/01900000-0000-7000-8000-000000000000/verdict", 404, "not_found"),
}


@pytest.mark.parametrize("path, status, code", ASKED.values(), ids=ASKED)
async def test_questions_that_cannot_be_answered_change_nothing(desk, path, status, code):
    TRIED.append(path)
    before = await desk.rows()
    headers = {"Authorization": f"Bearer {desk.province.key_of(SENDER)}"}
    for language in ("vi", "en"):
        async with (
            aiohttp.ClientSession(desk.server.url) as session,
            session.get(path, headers={**headers, "Accept-Language": language}) as response,
        ):
            expect_problem(await answered(response), status, code)
    assert await desk.gained(before) == {}


async def test_a_method_that_a_place_does_not_know(desk):
    TRIED.append("method")
    async with aiohttp.ClientSession(desk.server.url) as session, session.delete("/v1/messages") as response:
        expect_problem(await answered(response), 405, "method_not_allowed")


# --- acknowledgements ------------------------------------------------------------------------------------------------------

ACKS = {
    "nothing": b"",
    "no JSON": b"ids",
    "no object": b'["x"]',
    "no ids": b"{}",
    "ids that are no list": b'{"ids": "x"}',
    "ids that are no texts": b'{"ids": [1]}',
    "an agency that is no text": b'{"ids": [], "for": 1}',
    "too many": json.dumps({"ids": ["x"] * 501}).encode(),
    "no UTF-8": b'{"ids": ["\xff"]}',
    "very deep": b'{"ids":' * 100_000,
    "an endless number": b'{"ids": [' + b"9" * 5_000 + b"]}",
}


@pytest.mark.parametrize("raw", ACKS.values(), ids=ACKS)
async def test_an_acknowledgement_that_cannot_be_read_changes_nothing(desk, raw):
    TRIED.append("ack")
    before = await desk.rows()
    for language in ("vi", "en"):
        answer = await desk.post(raw, path="/v1/inbox/ack", language=language)
        expect_problem(answer, 400, "bad_request")
        await expect_line(desk, "bad_request")
    assert await desk.gained(before) == {"journal": 2}


async def test_ids_that_are_none_are_unknown(desk):
    TRIED.append("ack of nonsense")
    strange = ["", "x", "\x00", "\u202e", "01900000-0000-7000-8000-000000000000", "{" * 100]
    answer = await desk.post(json.dumps({"ids": strange}).encode(), path="/v1/inbox/ack")
    assert answer.status == 200
    assert sorted(answer.body["unknown"]) == sorted(strange)
    half = await desk.post(b'{"ids": ["\\ud800"]}', path="/v1/inbox/ack")
    assert (half.status, half.body["unknown"]) == (200, ["\ud800"])


async def test_another_systems_letters_cannot_be_read_or_acknowledged(desk):
    TRIED.append("another's")
    body = await expect_accepted(desk, quick_letter(1750, recipients=["H13.31"]))
    delivery = await desk.connection.fetchval(
        "SELECT id FROM delivery WHERE letter = $1::uuid", body["receipt"]["letter"]
    )
    before = await desk.rows()
    ids = json.dumps({"ids": [str(delivery)]}).encode()
    assert (await desk.post(ids, path="/v1/inbox/ack")).body["unknown"] == [str(delivery)]  # the sender's
    assert (await desk.post(ids, path="/v1/inbox/ack", key="H13")).body["unknown"] == [str(delivery)]
    foreign = json.dumps({"ids": [str(delivery)], "for": "H13.31"}).encode()
    expect_problem(await desk.post(foreign, path="/v1/inbox/ack", key="H13"), 403, "not_allowed_to_act")
    async with desk.server.client("H13") as stranger:
        for what in ("", "/header", "/verdicts", "/trace", "/receipt"):
            answer = await stranger.ask("GET", f"/v1/messages/{body['receipt']['letter']}{what}")
            expect_problem(answer, 404, "not_found")
    assert await desk.gained(before) == {"journal": 1}
    await expect_line(desk, "not_allowed_to_act")
    assert (await desk.post(ids, path="/v1/inbox/ack", key="H13.31")).body["acknowledged"] == [str(delivery)]


# --- keys ------------------------------------------------------------------------------------------------------------------


async def system(desk, *, changed_by=""):
    """A system of its own that acts for H13.03: its key, after a statement about it was carried out."""
    opened = await pools.open(desk.server.dsn, size=1)
    try:
        at = datetime.now(UTC)
        made = await cases.add_system(
            opened, name="Hệ thống thử", acts_for=["H13.03"], new_ids=ids.Ids(lambda: at), at=at
        )
    finally:
        await opened.close()
    if changed_by:
        await desk.connection.execute(changed_by, made.system)
    return made


UNKNOWN_KEYS = {
    "none": None,
    "another scheme": "Basic eDp5",
    "no key": "Bearer ",
    "not ours": "Bearer abc",
    "half of it": "Bearer cv_abc",
    "nobody's": "Bearer cv_abc_" + "x" * 43,
    "no ASCII": "Bearer cv_abc_\u1ea1\u00ff",
    "a zero byte": "Bearer cv_a\\x00_b",
    "endless": "Bearer cv_abc_" + "x" * 7_000,
    "a quote": "Bearer cv_abc'--_x",
}


@pytest.mark.parametrize("header", UNKNOWN_KEYS.values(), ids=UNKNOWN_KEYS)
async def test_a_key_that_is_none_is_turned_away_and_leaves_nothing(desk, header):
    TRIED.append("unauthenticated")
    before = await desk.rows()
    for path in ("/v1/messages", "/v1/inbox/ack"):
        answer = await desk.post(quick_letter(1800), key=header, path=path)
        expect_problem(answer, 401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert await desk.gained(before) == {}


async def test_bytes_that_are_no_text_in_a_key_are_turned_away(desk):
    TRIED.append("unauthenticated")
    head = HEAD.replace("KEY", "cv_abc_") + "Content-Length: 0\r\n\r\n"
    for sent in (
        head.encode().replace(b"cv_abc_", b"cv_abc_\xff\xfe"),
        head.encode().replace(b"cv_abc_", b"cv_\xff_x"),
    ):
        assert b" 401 " in (await raw_request(desk, "", sent)).partition(b"\r\n")[0]


ENDED = {
    "expired": "UPDATE system_key SET valid_to = now() - interval '1 second' WHERE system = $1",
    "not yet valid": "UPDATE system_key SET valid_from = now() + interval '1 hour' WHERE system = $1",
}


@pytest.mark.parametrize("statement", ENDED.values(), ids=ENDED)
async def test_a_key_out_of_its_time_is_turned_away(desk, statement):
    TRIED.append("unauthenticated")
    good, ended = await system(desk), await system(desk, changed_by=statement)
    before = await desk.rows()
    for key in (ended.secret, ended.secret[:-1] + "x", good.secret[:-1]):
        expect_problem(await desk.post(quick_letter(1810), key=f"Bearer {key}"), 401, "unauthenticated")
    assert await desk.gained(before) == {}


async def test_a_rotated_key_works_until_its_end_and_no_longer(desk):
    TRIED.append("rotated")
    old = await system(desk)
    raw = quick_letter(1820, sender="H13.03")
    await expect_accepted(desk, raw, key=f"Bearer {old.secret}")
    told = desk.server.congvan("system", "rotate", str(old.system), "--both-for", "0", "--json", check=True)
    new = json.loads(told.stdout)["secret"]
    before = await desk.rows()
    expect_problem(await desk.post(raw, key=f"Bearer {old.secret}"), 401, "unauthenticated")
    assert await desk.gained(before) == {}
    assert (await desk.post(raw, key=f"Bearer {new}")).status == 200


async def test_a_system_switched_off_is_out_at_once(desk):
    TRIED.append("disabled")
    made = await system(desk)
    raw = quick_letter(1830, sender="H13.03")
    await expect_accepted(desk, raw, key=f"Bearer {made.secret}")
    await desk.connection.execute("UPDATE system SET disabled_at = now() WHERE id = $1", made.system)
    before = await desk.rows()
    for language in ("vi", "en"):
        answer = await desk.post(raw, key=f"Bearer {made.secret}", language=language)
        expect_problem(answer, 403, "disabled")
    expect_problem(await desk.post(raw, key=f"Bearer {made.secret[:-1]}x"), 401, "unauthenticated")
    assert await desk.gained(before) == {}


async def test_cookies_mean_nothing_here(desk):
    TRIED.append("cookie")
    headers = {
        "Cookie": f"key={desk.province.key_of(SENDER)}; Authorization=Bearer {desk.province.key_of(SENDER)}"
    }
    expect_problem(await desk.post(quick_letter(1840), key=None, headers=headers), 401, "unauthenticated")


def test_how_much_was_tried(capsys):
    with capsys.disabled():
        print(f"\nbad input: {len(TRIED)} tried")
