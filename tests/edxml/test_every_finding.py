"""A row for every finding that `congvan lint` can make: a sound letter, one small edit, and what is told of it.

The codes are collected from the code with their severities: one without a row fails here, and so does a row whose code
nobody says any more. Every row goes through `congvan lint` itself, in both languages, and must tell its code alone.
"""

import ast
import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from exchange import edxml, errors, texts
from exchange.cli import letters
from exchange.edxml import draft, model, notes, read, spool, view

FIXTURES = Path(__file__).parent / "fixtures"
LETTER = "new_dotnet"
TAKE_BACK = "status_13_take_back"
NOTICE = "status_03_registered"
REPLACE = "replace_java"
UPDATE = "update_java"

ENVELOPE = "edXML/edXMLEnvelope"
HEADER = f"{ENVELOPE}/edXMLHeader/MessageHeader"
BUSINESS = f"{ENVELOPE}/edXMLHeader/TraceHeaderList/Bussiness"
FILE = "edXML/AttachmentEncoded/Attachment[1]"
REFERENCE = f"{ENVELOPE}/edXMLBody/edXMLManifest/Reference[1]"

Edits = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Row:
    """An edit of a fixture, and the one thing told: `at` stands in the line of it, as what follows an `@` in a fact; `beside`, what cannot but come too."""

    edits: Edits
    severity: str
    path: str
    at: str = ""
    of: str = LETTER
    facts: Mapping[str, str]
    times: int = 1
    beside: frozenset[str] = frozenset()


def error(edits: Edits, path: str, at: str = "", **rest: object) -> Row:
    return row("error", edits, path, at, rest)


def warning(edits: Edits, path: str, at: str = "", **rest: object) -> Row:
    return row("warning", edits, path, at, rest)


def info(edits: Edits, path: str, at: str = "", **rest: object) -> Row:
    return row("info", edits, path, at, rest)


def row(severity: str, edits: Edits, path: str, at: str, rest: Mapping[str, object]) -> Row:
    own = {name: rest[name] for name in ("of", "times", "beside") if name in rest}
    facts = {name.rstrip("_"): str(fact) for name, fact in rest.items() if name not in own}
    return Row(severity=severity, edits=edits, path=path, at=at, facts=facts, **own)  # type: ignore[arg-type]  # as named


def value(name: str, old: str, new: str) -> Edits:
    """Another text in an element of the envelope."""
    return {f"<edXML:{name}>{old}</edXML:{name}>": f"<edXML:{name}>{new}</edXML:{name}>"}


def of_file(data: bytes, name: str) -> Edits:
    """Another file in the attachment, under another name."""
    return {BYTES: base64.b64encode(data).decode(), "to-trinh.signed.pdf": name}


def with_file(content_id: str, name: str) -> Edits:
    """A second file beside the first, and its line."""
    line = f"<edXML:Reference><edXML:AttachmentName>{name}</edXML:AttachmentName><edXML:ContentId>{content_id}</edXML:ContentId></edXML:Reference>"
    again = f"<Attachment><ContentId>{content_id}</ContentId><ContentTransferEncoded>JVBERi0=</ContentTransferEncoded><AttachmentName>{name}</AttachmentName></Attachment>"
    return {
        "</edXML:edXMLManifest>": f"{line}</edXML:edXMLManifest>",
        "</AttachmentEncoded>": f"{again}</AttachmentEncoded>",
    }


def text_of(fixture: str) -> str:
    return (FIXTURES / f"{fixture}.edxml").read_bytes().decode()


BYTES = text_of(LETTER).partition("<ContentTransferEncoded>")[2].partition("<")[0]
SWAPPED = {
    "<edXML:OrganId>000.00.00.G99<": "<edXML:OrganId>218/STN-VP<",
    "<edXML:Code>218/STN-VP<": "<edXML:Code>000.00.00.G99<",
}
ANSWER = {
    "<edXML:OrganId></edXML:OrganId>": "<edXML:OrganId>H99.30</edXML:OrganId>",
    "<edXML:DocumentId></edXML:DocumentId>": "<edXML:DocumentId>d</edXML:DocumentId>",
    "<edXML:SteeringType>0</edXML:SteeringType>": "<edXML:StatusCode>01</edXML:StatusCode>",
}
SUBJECT = "<edXML:Subject>"
UNSAID = {"unclear_paper": {"element"}}
"""Facts that a sentence says in other words."""

ROWS = {
    # the file as a whole
    "not_xml": error({"</edXML:Code>": "</edXML:Cade>"}, "", "</edXML:Cade>"),
    "not_xml: garbage before the declaration": error({"<?xml": "1212<?xml"}, "", "1212<?xml"),
    "not_xml: an encoding": error({'encoding="utf-8"': 'encoding="utf-7"'}, "", detail="encoding utf-7"),
    "forbidden_xml": error({"<edXML xmlns:xsi": "<!DOCTYPE edXML><edXML xmlns:xsi"}, "", detail="DOCTYPE"),
    "not_edxml": error({"<edXML xmlns:xsi": "<Thu xmlns:xsi", "</edXML>": "</Thu>"}, "", "<Thu ", detail="Thu"),
    "too_complex: text": error({SUBJECT: SUBJECT + "x" * 100_000}, "", SUBJECT, detail="text"),
    "too_complex: marks": error({SUBJECT: SUBJECT + "\u0315\u0300" * 600}, "", SUBJECT, detail="marks"),
    "too_complex: depth": error({SUBJECT: "<a>" * 64 + "</a>" * 64 + SUBJECT}, "", detail="depth"),
    "too_complex: elements": error({SUBJECT: "<a/>" * 200_001 + SUBJECT}, "", detail="elements"),
    "too_complex: attachments": error({"<AttachmentEncoded>": "<AttachmentEncoded>" + "<Attachment/>\n" * 200}, "", "    <Attachment>", detail="attachments"),
    "too_complex: namespace": error({SUBJECT: f'<edXML:Subject xmlns:x="urn:{"x" * 5_000}">'}, "", detail="namespace"),
    "repaired": warning({" xmlns:xlink=": " xmlns:other="}, ""),
    # facts that must be there, once, in their place
    "missing": error(value("Subject", "Về việc phê duyệt kế hoạch kiểm thử", " "), f"{HEADER}/Subject", SUBJECT, element="Subject"),
    "missing: the header": error({f"{letter}edXML:MessageHeader>": f"{letter}edXML:Khac>" for letter in ("<", "</")}, "edXML/MessageHeader", "<edXML xmlns", element="MessageHeader", beside=frozenset({"unknown_element", "misplaced"})),
    "missing: null for a code": error({"<edXML:OrganId>000.00.07.H99</edXML:OrganId>\n          <edXML:OrganName>": "<edXML:OrganId>null</edXML:OrganId>\n          <edXML:OrganName>"}, f"{HEADER}/From/OrganId", "<edXML:OrganId>null<", element="OrganId"),
    "missing: every recipient's code": error({"<edXML:OrganId>000.00.00.G99</edXML:OrganId>\n          <edXML:OrganName>": "<edXML:OrganName>", "<edXML:OrganId>H99.30</edXML:OrganId>": ""}, f"{HEADER}/To/OrganId", "<edXML:MessageHeader>", element="OrganId"),
    "twice": error({SUBJECT: f"{SUBJECT}x</edXML:Subject>\n{SUBJECT}"}, f"{HEADER}/Subject", "Về việc phê", element="Subject", first="@<edXML:Subject>x<"),
    "twice: in one element": error({"<edXML:OrganId>H99.30": "<edXML:OrganId>H99.31</edXML:OrganId><edXML:organId>H99.30", "H99.30</edXML:OrganId>": "H99.30</edXML:organId>"}, f"{HEADER}/To[2]/organId", "H99.30", element="OrganId", first="@H99.31"),
    "twice: an answer": error({"</edXML:ResponseFor>": "</edXML:ResponseFor>\n<edXML:ResponseFor/>"}, f"{HEADER}/ResponseFor[2]", "<edXML:ResponseFor/>", of=NOTICE, element="ResponseFor", first="@<edXML:ResponseFor>"),
    "twice: files in two places": error({"</edXML:edXMLManifest>": "<Attachment><Content>QQ==</Content></Attachment></edXML:edXMLManifest>"}, "edXML/AttachmentEncoded", "<AttachmentEncoded>", element="AttachmentEncoded", first="@<edXML:edXMLManifest", beside=frozenset({"shape"})),
    "misplaced": error({"<edXML:DigitalSignature />": "<edXML:Code>1</edXML:Code>"}, f"{ENVELOPE}/edXMLHeader/Code", "<edXML:Code>1<", element="Code"),
    "comment_in_value": error({"Về việc": "Về<!-- x -->việc"}, f"{HEADER}/Subject", SUBJECT, element="Subject"),
    "element_in_value": error({"Về việc": "Về<b/>việc"}, f"{HEADER}/Subject", SUBJECT, element="Subject"),
    "two_in_one": error(ANSWER, HEADER, "<edXML:MessageHeader>"),
    # values
    "too_long": error({"000.00.07.H99,2024/03/14,": "Đ" * 1_000}, f"{HEADER}/DocumentId", "ĐĐĐ", element="DocumentId", most="2000", beside=frozenset({"over_long"})),
    "over_long": warning({"Về việc phê": "Về việc phê" + "ê" * 500}, f"{HEADER}/Subject", SUBJECT, element="Subject", most="500", length="535"),
    "hidden_characters": warning({"Về việc": "Về\u202eviệc"}, f"{HEADER}/Subject", SUBJECT, element="Subject"),
    "text_ignored": warning({"<edXML:Code>\n": "<edXML:Code>thừa\n"}, f"{HEADER}/Code", "<edXML:Code>thừa", element="Code"),
    "bad_date": error({"14/03/2024": "30/02/2024"}, f"{HEADER}/PromulgationInfo/PromulgationDate", "30/02/2024", element="PromulgationDate", text="30/02/2024"),
    "bad_date: of a deadline": warning({"<edXML:DueDate>": "<edXML:DueDate>2024/02/30"}, f"{HEADER}/DueDate", "<edXML:DueDate>", element="DueDate", text="2024/02/30"),
    "bad_date: of a hop": warning({"2024/03/14 16:00:00": "hôm qua"}, f"{ENVELOPE}/edXMLHeader/TraceHeaderList/TraceHeader[1]/Timestamp", "hôm qua", element="Timestamp", text="hôm qua"),
    "bad_date: of a notice": warning({"<edXML:Timestamp>2024/03/05": "<edXML:Timestamp>2024/02/30"}, f"{HEADER}/Timestamp", "<edXML:Timestamp>", of=NOTICE, element="Timestamp", text="2024/02/30 14:08:36"),
    "not_a_number": warning(value("PageAmount", "7", "bảy"), f"{HEADER}/OtherInfo/PageAmount", "bảy", element="PageAmount", text="bảy"),
    "not_a_number: of a type": warning(value("Type", "1", "CV"), f"{HEADER}/DocumentType/Type", "<edXML:Type>", element="Type", text="CV"),
    "unusual_code": warning(value("Priority", "3", "5"), f"{HEADER}/OtherInfo/Priority", "<edXML:Priority>", element="Priority", text="5", meant="0"),
    "unknown_code": warning(value("Priority", "3", "9"), f"{HEADER}/OtherInfo/Priority", "<edXML:Priority>", element="Priority", text="9"),
    "unknown_code: an operation": error(value("BussinessDocType", "0", "4"), f"{BUSINESS}/BussinessDocType", "<edXML:BussinessDocType>", element="BussinessDocType", text="4"),
    "unknown_code: a status": error(value("StatusCode", "03", "07"), f"{HEADER}/StatusCode", "<edXML:StatusCode>", of=NOTICE, element="StatusCode", text="07"),
    "unclear_paper": warning(value("Paper", "1", "có"), f"{BUSINESS}/Paper", "<edXML:Paper>", element="Paper", text="có"),
    "unknown_element": info({"</edXML:OtherInfo>": "<edXML:Mat>1</edXML:Mat></edXML:OtherInfo>"}, f"{HEADER}/OtherInfo/Mat", "<edXML:Mat>", element="Mat"),
    "more_findings": info({SUBJECT: "<edXML:La/>" * 105 + SUBJECT}, "", count="5", beside=frozenset({"unknown_element"})),
    # agencies and persons
    "recipient_without_code": warning({**value("OrganId", "H99.30", ""), "</edXML:To>\n        <edXML:To>": "</edXML:To><edXML:To>"}, f"{HEADER}/To[2]", "</edXML:To><edXML:To>", name="UBND huyện Ví Dụ"),
    "duplicate_recipient": warning(value("OrganId", "H99.30", "000.00.00.g99"), f"{HEADER}/To[2]/OrganId", "000.00.00.g99", code="000.00.00.g99"),
    "staff_passed_over": warning({"</edXML:Bussiness>": "<edXML:StaffInfo><edXML:Staff>A</edXML:Staff></edXML:StaffInfo>\n<edXML:StaffInfo><edXML:Staff>B</edXML:Staff></edXML:StaffInfo></edXML:Bussiness>"}, f"{BUSINESS}/StaffInfo[2]", "<edXML:Staff>B"),
    "swapped_code": warning(SWAPPED, f"{HEADER}/ResponseFor[1]", "<edXML:ResponseFor>", of=TAKE_BACK, code="000.00.00.G99"),
    "unclear_receiver": warning({"<edXML:ReceiverType>0<": "<edXML:ReceiverType>2<", "</edXML:Receiver>\n              <edXML:Receiver>": "</edXML:Receiver><edXML:Receiver>"}, f"{BUSINESS}/BussinessDocumentInfo/ReceiverList/Receiver[2]", "</edXML:Receiver><edXML:Receiver>", of=UPDATE),
    "nothing_replaced": warning({"<edXML:ReplacementInfoList>": "<!--", "</edXML:ReplacementInfoList>": "-->"}, BUSINESS, "<edXML:Bussiness>", of=REPLACE),
    # files
    "nameless_attachment": warning({"to-trinh.signed.pdf": ""}, FILE, "    <Attachment>", name="attachment-1"),
    "hostile_name": warning({"to-trinh.signed.pdf": "../../to-trinh.pdf"}, FILE, "    <Attachment>", raw="../../to-trinh.pdf", name="to-trinh.pdf"),
    "names_differ": warning({"<edXML:AttachmentName>to-": "<edXML:AttachmentName>"}, FILE, "    <Attachment>", name="to-trinh.signed.pdf", other="trinh.signed.pdf"),
    "missing_bytes": error({BYTES: ""}, FILE, "    <Attachment>", name="to-trinh.signed.pdf"),
    "not_in_manifest": warning({"<edXML:Reference": "<!--<edXML:Reference", "</edXML:Reference>": "</edXML:Reference>-->"}, FILE, "    <Attachment>", name="to-trinh.signed.pdf"),
    "not_attached": warning({"<AttachmentEncoded>": "<!--", "</AttachmentEncoded>": "-->"}, REFERENCE, "<edXML:Reference ", name="to-trinh.signed.pdf"),
    "href_differs": warning({**with_file("tep-2", "b.pdf"), 'href="cid:tep-1"': 'href="cid:tep-2"'}, REFERENCE, "<edXML:Reference ", href="tep-2", name="to-trinh.signed.pdf"),
    "href_nowhere": warning({'href="cid:tep-1"': 'href="cid:tep-9"'}, REFERENCE, "<edXML:Reference ", href="tep-9", name="to-trinh.signed.pdf"),
    "same_name": warning(with_file("tep-2", "to-trinh.signed.pdf"), FILE, "    <Attachment>", times=2, name="to-trinh.signed.pdf"),
    "same_content_id": warning(with_file("tep-1", "b.pdf"), FILE, "    <Attachment>", times=2, content_id="tep-1"),
    "damaged_bytes": error({"JVBERi0xLjQK": "JVBERi0xLjQ"}, FILE.removeprefix("edXML/"), "    <Attachment>", name="to-trinh.signed.pdf"),
    "kind_differs": warning({"to-trinh.signed.pdf": "to-trinh.doc"}, FILE.removeprefix("edXML/"), "    <Attachment>", name="to-trinh.doc", kind="pdf"),
    "executable": warning(of_file(b"MZ\x90", "a.exe"), FILE.removeprefix("edXML/"), "    <Attachment>", name="a.exe"),
    "recoded_bytes": warning(of_file(b"%PDF-1.4\n\xef\xbf\xbd\xef\xbf\xbd", "a.pdf"), FILE.removeprefix("edXML/"), "    <Attachment>", name="a.pdf"),
    # the published shape
    "shape: place": warning({"</edXML:Bussiness>": "</edXML:Bussiness><edXML:Paper/>", "<edXML:Paper>1</edXML:Paper>": ""}, f"{ENVELOPE}/edXMLHeader/TraceHeaderList/Paper", "<edXML:Paper/>", element="Paper", cause="place"),
    "shape: spelling": warning({"<edXML:Subject>": "<edXML:subject>", "</edXML:Subject>": "</edXML:subject>"}, f"{HEADER}/subject", "<edXML:subject>", element="subject", cause="spelling"),
    "shape: namespace": warning({SUBJECT: '<Subject xmlns="urn:x">', "</edXML:Subject>": "</Subject>"}, f"{HEADER}/Subject", '<Subject xmlns="urn:x">', element="Subject", cause="namespace"),
}  # fmt: skip


def edited(name: str) -> bytes:
    """The letter of a row. Every edit must have what it changes."""
    text = text_of(ROWS[name].of)
    for old, new in ROWS[name].edits.items():
        assert old in text, old
        text = text.replace(old, new)
    return text.encode()


def line_of(at: str, raw: bytes) -> int:
    """The first line in which that stands."""
    return next(number for number, line in enumerate(raw.decode().split("\n"), 1) if at in line)


@cache
def linted(name: str, language: str) -> tuple[int, tuple[Mapping[str, object], ...]]:
    """Exit code of `congvan lint --json`, and what it lists."""
    done = CliRunner().invoke(letters.lint, ["-", "--json", "--language", language], input=edited(name))
    return done.exit_code, tuple(json.loads(done.stdout)["findings"])


def code_of(name: str) -> str:
    return name.partition(":")[0]


@pytest.mark.parametrize("name", ROWS)
def test_one_edit_is_one_finding(name):
    row, (_, listed) = ROWS[name], linted(name, "en")
    own = [one for one in listed if one["code"] == code_of(name)]
    assert len(own) == row.times
    assert (own[0]["severity"], own[0]["path"]) == (row.severity, row.path)
    assert {one["code"] for one in listed} == {code_of(name), *row.beside}


@pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name].at])
def test_the_line_is_where_the_edit_was_made(name):
    row, (_, listed) = ROWS[name], linted(name, "en")
    (first, *_) = (one["line"] for one in listed if one["code"] == code_of(name))
    assert first == line_of(row.at, edited(name))


@pytest.mark.parametrize("name", ROWS)
def test_the_facts_are_in_the_sentence_of_either_language(name):
    """What the finding knows is what the row says; the sentence is made from it and from nothing else."""
    finding = next(one for one in told(edited(name)) if one.code == code_of(name))
    for fact, said in ROWS[name].facts.items():
        expected = str(line_of(said[1:], edited(name))) if said.startswith("@") else said
        assert finding.facts[fact] == expected
    sentences = []
    for language in texts.LANGUAGES:
        (sentence,) = {one["text"] for one in linted(name, language)[1] if one["code"] == finding.code}
        assert sentence == view.sentence(finding, language)
        assert not {"{", "}"} & {*sentence.replace("${", "")}
        shown = {**finding.facts, **in_words(finding, language)}
        silent = {fact for fact, said in shown.items() if texts.clean(said) not in sentence}
        assert silent == UNSAID.get(finding.code, set())
        sentences.append(sentence)
    assert sentences[0] != sentences[1]


def in_words(finding: errors.Finding, language: str) -> Mapping[str, str]:
    """What stands in a sentence in place of a word of the code."""
    if finding.code == "too_complex":
        return {"detail": texts.say(f"limit.{finding.facts['detail']}", language)}
    return (
        {"cause": texts.say(f"shape_cause.{finding.facts['cause']}", language)}
        if finding.code == "shape"
        else {}
    )


def told(raw: bytes) -> tuple[errors.Finding, ...]:
    """What is found, without its words."""
    try:
        reading = read.read(raw)
    except model.Unreadable as problem:
        return problem.findings
    found = view.findings(reading)
    return (*found, *letters.shape.findings(raw, found))


@pytest.mark.parametrize("name", ROWS)
def test_the_exit_code_says_whether_it_may_be_sent(name):
    row = ROWS[name]
    unreadable = row.severity == "error" and row.path == ""
    assert linted(name, "en")[0] == (
        2 if unreadable else int(row.severity == "error" or "misplaced" in row.beside)
    )


@pytest.mark.parametrize("name", ROWS)
def test_from_a_file_it_is_the_same(name, tmp_path):
    """A large letter is read in another way; its findings may not be others."""
    raw = edited(name)
    path = tmp_path / "letter"
    path.write_bytes(raw)
    assert codes_of(lambda: spool.read_file(path, tmp_path)) == codes_of(lambda: read.read(raw))


def codes_of(reader: Callable[[], model.Reading]) -> list[tuple[str, str, int | None]]:
    """All but the parser's own words: two parsers have two."""
    try:
        found = reader().findings
    except model.Unreadable as problem:
        found = tuple(replace(one, line=None) for one in problem.findings)
    return [(one.code, one.path, one.line) for one in found]


# --- facts, of which letters are made ---------------------------------------------------------------------

SMALL = {
    "sender": "H13.01", "recipients": ["H13.02"], "number": "15", "notation": "CV-STC", "issued_on": "2026-11-21",
    "subject": "V/v thử",
}  # fmt: skip
PDF = {"name": "a.pdf", "data": b"%PDF-"}

FACTS = {
    "fact_missing": ({"number": " "}, "/number"),
    "fact_unknown": ({"sốhiệu": "1"}, "/sốhiệu"),
    "fact_not_text": ({"number": 15}, "/number"),
    "fact_unwritable": ({"subject": "\ud800"}, "/subject"),
    "fact_too_long": ({"content": "x" * 100_001}, "/content"),
    "fact_heaped": ({"content": "x" + "\u0315\u0300" * 600}, "/content"),
    "fact_not_day": ({"issued_on": "2026-02-30"}, "/issued_on"),
    "fact_not_moment": ({"kind": "notice", "status": "03", "response_for": {"code": "A", "document_id": "d"}, "at": "hôm qua"}, "/at"),
    "fact_not_integer": ({"type_code": "CV"}, "/type_code"),
    "fact_not_flag": ({"update": {"document": 1}}, "/update/document"),
    "fact_not_whole": ({"paper": 2}, "/paper"),
    "fact_not_known": ({"operation": "xoá"}, "/operation"),
    "fact_not_list": ({"recipients": "A"}, "/recipients"),
    "fact_not_object": ({"sender": []}, "/sender"),
    "fact_too_many": ({"files": [{**PDF, "name": f"{n}.pdf"} for n in range(201)]}, "/files"),
    "recipient_twice": ({"recipients": ["A", "a"]}, "/recipients/1"),
    "files_missing": ({"attachments": [{"name": "a.pdf"}]}, "/files"),
    "file_same_name": ({"files": [PDF, {**PDF, "name": "A.PDF"}]}, "/files/1"),
    "file_not_base64": ({"files": [{**PDF, "data": "*"}]}, "/files/0/data"),
    "file_empty": ({"files": [{**PDF, "data": b""}]}, "/files/0/data"),
    "file_unsafe_name": ({"files": [{**PDF, "name": "../a.pdf"}]}, "/files/0/name"),
}  # fmt: skip
"""What can be wrong with the facts of `congvan new` and of `POST /v1/messages:compose`."""


@pytest.mark.parametrize("code", FACTS)
def test_one_wrong_fact_is_one_finding(code):
    facts, place = FACTS[code]
    said = notes.Notes()
    if facts.get("kind") == "notice":
        assert draft.notice(said, {"sender": "H13.01", **facts}) is None
    else:
        assert draft.read(said, {**SMALL, **facts}) is None
    (found,) = said.findings()
    assert (found.severity, found.code, found.path, found.line) == ("error", code, place, None)
    sentences = {view.sentence(found, language) for language in texts.LANGUAGES}
    assert len(sentences) == len(texts.LANGUAGES)
    assert not any("{" in sentence for sentence in sentences)


# --- the codes of the code --------------------------------------------------------------------------------

NOTED = {"error", "warning", "info"}
MADE_ELSEWHERE = {"fault": {"apart", "read"}, "Finding": {"_add", "_finding", "__init__"}, "error": {"fault"}, "warning": set(), "info": set(), "Unreadable": set(), "_finding": set(), "apart": set()}  # fmt: skip
"""Functions in which the code is one that was given: it is named where they are called, or in their literals."""


def said_by_code() -> Iterator[tuple[str, str, str]]:
    """Module, severity and code of every finding that the package makes."""
    for module in sorted(Path(edxml.__file__).parent.glob("*.py")):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        scopes = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]
        for scope in (*scopes, *(one for one in tree.body if isinstance(one, ast.Assign))):
            for call in (one for one in ast.walk(scope) if isinstance(one, ast.Call)):
                yield from ((module.stem, severity, code) for severity, code in of_call(call, scope))


def of_call(call: ast.Call, scope: ast.FunctionDef | ast.Assign) -> Iterator[tuple[str, str]]:
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name in NOTED:
        pairs = [(name, call.args[0])] if call.args else []
    elif name == "_finding":
        pairs = [(literals(call.args[0], scope)[0], call.args[1])]
    elif name == "Unreadable":
        pairs = [("error", call.args[0])]
    elif name in {"fault", "apart"}:
        pairs = [("error", call.args[1])]
    elif name == "Finding":
        pairs = [
            (severity, given(call, "code"))
            for severity in literals(given(call, "severity"), scope) or ["error"]
        ]
    else:
        return
    for severity, code in pairs:
        found = literals(code, scope)
        assert found or getattr(scope, "name", "") in MADE_ELSEWHERE[name], (
            name,
            ast.unparse(scope)[:60],
            ast.unparse(call),
        )
        yield from ((severity, one) for one in found)


def given(call: ast.Call, name: str) -> ast.AST:
    return next(one.value for one in call.keywords if one.arg == name)


def literals(expression: ast.AST, scope: ast.FunctionDef | ast.Assign) -> list[str]:
    """The texts an expression may be, also by the name it has in the scope."""
    if isinstance(expression, ast.Name):
        values = [
            one.value
            for one in ast.walk(scope)
            if isinstance(one, ast.Assign) and getattr(one.targets[0], "id", "") == expression.id
        ]
        return [text for one in values for text in literals(one, scope)]
    if isinstance(expression, ast.IfExp):
        return [*literals(expression.body, scope), *literals(expression.orelse, scope)]
    return (
        [expression.value]
        if isinstance(expression, ast.Constant) and isinstance(expression.value, str)
        else []
    )


SAID = sorted(set(said_by_code()))
OF_FACTS = {"plain", "draft"}


def test_the_codes_are_collected():
    """Each way of saying one, so that no way is passed over in silence."""
    assert {
        ("walk", "error", "comment_in_value"), ("joins", "warning", "href_nowhere"), ("tree", "error", "not_xml"),
        ("notes", "info", "more_findings"), ("attachments", "warning", "executable"), ("shape", "warning", "shape"),
        ("draft", "error", "file_same_name"), ("plain", "error", "fact_missing"), ("letter", "error", "unknown_code"),
    } <= {*SAID}  # fmt: skip


def test_every_finding_of_a_letter_has_its_row_and_every_row_its_finding():
    said = {(severity, code) for module, severity, code in SAID if module not in OF_FACTS}
    assert said == {(row.severity, code_of(name)) for name, row in ROWS.items()}


def test_every_finding_of_facts_has_its_row_and_every_row_its_finding():
    assert {(severity, code) for module, severity, code in SAID if module in OF_FACTS} == {
        ("error", code) for code in FACTS
    }


def test_every_budget_has_its_row():
    """`too_complex` names one of the limits; those of reading are named in the package."""
    named = {
        detail.value
        for module in Path(edxml.__file__).parent.glob("*.py")
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "Unreadable"
        for code, detail in [call.args[:2]]
        if isinstance(code, ast.Constant) and code.value == "too_complex" and isinstance(detail, ast.Constant)
    }
    of_size = {"bytes"}  # a letter over the cap: test_hostile has it, here it would be 100 MB
    rows = {row.facts["detail"] for name, row in ROWS.items() if code_of(name) == "too_complex"}
    assert named == rows | of_size
    assert named <= {key.removeprefix("limit.") for key in texts.catalogue("vi") if key.startswith("limit.")}


@pytest.mark.parametrize("fixture", [LETTER, NOTICE, TAKE_BACK, REPLACE, UPDATE])
def test_the_letters_that_are_edited_are_sound(fixture):
    assert told(text_of(fixture).encode()) == ()
