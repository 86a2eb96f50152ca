"""Bad input, item by item: surrogates and NULs, marks heaped on letters, dates that are none, `null`, NFC and NFD.

What is tolerated must say the same as its proper form, and what is refused must be refused alike in memory and from a file.
"""

import base64
import copy
import io
import re
import unicodedata
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from exchange import texts
from exchange.edxml import agency_codes, attachments, draft, model, names, notes, read, spool, view

FIXTURES = Path(__file__).parent / "fixtures"
NAMESPACE = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
MB = 1 << 20


def fixture(name: str) -> str:
    return (FIXTURES / f"{name}.edxml").read_text(encoding="utf-8")


LETTER, NOTICE = fixture("new_dotnet"), fixture("status_03_registered")
UPDATE, REPLACE = fixture("update_java"), fixture("replace_java")


def edited(old: str, new: str, text: str = LETTER) -> model.Reading:
    assert text.count(old) == 1, old
    return read.read(text.replace(old, new).encode())


def codes(found: model.Reading) -> list[str]:
    return [one.code for one in found.findings]


# --- characters that are none ------------------------------------------------------------------------------

RAW = LETTER.encode()
BODY = LETTER.partition("?>")[2]
NO_CHARACTERS = {
    "a reference to half a surrogate pair": RAW.replace(b"STN-TTr<", b"STN&#xD800;<"),
    "a reference to the other half": RAW.replace(b"STN-TTr<", b"STN&#57343;<"),
    "references to both halves": RAW.replace(b"STN-TTr<", b"STN&#xD83D;&#xDE00;<"),
    "half a pair in UTF-8": RAW.replace(b"STN-TTr<", b"STN\xed\xbf\xbf<"),
    "a pair in UTF-8 (CESU)": RAW.replace(b"STN-TTr<", b"STN\xed\xa0\xbd\xed\xb8\x80<"),
    "half a pair in UTF-16": BODY.encode("utf-16").replace("STN-TTr<".encode("utf-16-le"), "STN".encode("utf-16-le") + b"\x00\xd8<\x00"),
    "the other half in UTF-16": BODY.encode("utf-16").replace("STN-TTr<".encode("utf-16-le"), "STN".encode("utf-16-le") + b"\x00\xdc<\x00"),
    "a NUL in two bytes (overlong)": RAW.replace(b"STN-TTr<", b"STN\xc0\x80<"),
    "a slash in two bytes (overlong)": RAW.replace(b"STN-TTr<", b"STN\xc0\xaf<"),
    "a NUL in UTF-16": BODY.encode("utf-16").replace("STN-TTr<".encode("utf-16-le"), "STN\0<".encode("utf-16-le")),
    "a NUL in an attribute": RAW.replace(b'id="a1b2c3d4"', b'id="a1\0b2"'),
    "a NUL in an element's name": RAW.replace(b"<edXML:DigitalSignature />", b"<edXML:Digital\0Signature />"),
    "a NUL in a comment": RAW.replace(b"<edXML:DigitalSignature />", b"<!--\0-->"),
    "a NUL in a file": RAW.replace(b"JVBERi0x", b"JVBE\0Ri0x"),
    "a NUL in CDATA": RAW.replace(b"STN-TTr<", b"<![CDATA[STN\0]]><"),
    "U+FFFE": RAW.replace(b"STN-TTr<", b"STN\xef\xbf\xbe<"),
    "U+FFFF by reference": RAW.replace(b"STN-TTr<", b"STN&#xFFFF;<"),
    "beyond Unicode": RAW.replace(b"STN-TTr<", b"STN\xf4\x90\x80\x80<"),
    "beyond Unicode by reference": RAW.replace(b"STN-TTr<", b"STN&#x110000;<"),
    "1212 before the declaration": b"1212" + RAW,
    "1212 before it, behind a mark": b"\xef\xbb\xbf1212" + RAW,
    "1212 before it, in UTF-16": ("1212" + BODY).encode("utf-16"),
    "a space before the declaration": b" " + RAW,
}  # fmt: skip


@pytest.mark.parametrize("name", NO_CHARACTERS)
def test_what_is_no_character_is_no_xml_in_memory_and_from_a_file(name, tmp_path):
    raw = NO_CHARACTERS[name]
    assert raw not in (RAW, BODY.encode("utf-16"))
    path = tmp_path / "letter"
    path.write_bytes(raw)
    for reader in (lambda: read.read(raw), lambda: spool.read_file(path, tmp_path)):
        with pytest.raises(model.Unreadable) as caught:
            reader()
        assert (caught.value.code, [one.code for one in caught.value.findings]) == ("not_xml", ["not_xml"])


def test_what_is_one_is_read_in_every_encoding():
    """The same characters whole: a pair in UTF-16, one letter of four bytes in UTF-8, a reference."""
    ways = [
        LETTER.replace("STN-TTr<", f"STN{one}<").encode() for one in ("😀", "&#x1F600;", "<![CDATA[😀]]>")
    ]
    ways.append(BODY.replace("STN-TTr<", "STN😀<").encode("utf-16"))
    assert {read.read(raw).message.notation for raw in ways} == {"STN😀"}


# --- CDATA and comments ------------------------------------------------------------------------------------


def leaves(text: str) -> list[str]:
    """The path of every value of the envelope's blocks that says something."""
    tree = etree.ElementTree(etree.fromstring(text.encode()))
    found = (one for one in tree.iter("{*}*") if not len(one) and (one.text or "").strip())
    return [tree.getpath(one) for one in found if "Signature" not in one.tag]


def changed(text: str, path: str, change) -> model.Reading:
    root = etree.fromstring(text.encode())
    change(root.getroottree().xpath(path, namespaces={"edXML": NAMESPACE})[0])
    return read.read(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


EVERY_VALUE = [(name, path) for name in ("new_dotnet", "update_java", "replace_java", "status_13_take_back") for path in leaves(fixture(name))]  # fmt: skip
of_every_value = pytest.mark.parametrize(
    "name, path",
    EVERY_VALUE,
    ids=[f"{name} {'/'.join(path.split('/')[-2:])}" for name, path in EVERY_VALUE],
)


def test_the_values_are_many():
    assert len(EVERY_VALUE) > 100


@of_every_value
def test_cdata_says_the_same(name, path):
    def in_cdata(element):
        element.text = etree.CDATA(element.text)

    text = fixture(name)
    found = changed(text, path, in_cdata)
    assert (found.message, found.findings) == (read.read(text.encode()).message, ())


def emptied(element):
    element.text = "\n \t"


@of_every_value
def test_a_comment_in_any_value_is_an_error_and_the_value_is_not_taken(name, path):
    """Whether it stands before, within or behind the text: readers differ in what they see then."""
    for place in ("before", "within", "behind"):

        def with_comment(element, place=place):
            said = element.text
            cut = {"before": 0, "within": len(said) // 2 or 1, "behind": len(said)}[place]
            comment = etree.Comment("x")
            element.text, comment.tail = said[:cut], said[cut:]
            element.append(comment)

        found = changed(fixture(name), path, with_comment)
        assert codes(found)[0] == "comment_in_value"
        assert found.message == changed(fixture(name), path, emptied).message


@of_every_value
def test_empty_is_as_absent(name, path):
    def removed(element):
        parent = element.getparent()
        parent.remove(element)

    text = fixture(name)
    empty, absent = changed(text, path, emptied), changed(text, path, removed)
    assert empty.message == absent.message
    assert codes(empty) == codes(absent)


def test_cdata_that_looks_like_markup_is_text():
    found = edited("Về việc phê", "<![CDATA[</edXML:Subject><edXML:Paper>0]]]]><![CDATA[>]]>phê")
    assert found.message.subject.startswith("</edXML:Subject><edXML:Paper>0]]>phê")
    assert (found.message.paper, found.findings) == (1, ())


def test_a_file_in_cdata_is_the_file():
    found = edited("<ContentTransferEncoded>JVBE", "<ContentTransferEncoded><![CDATA[JVBE]]>")
    assert found.message == read.read(RAW).message


# --- days --------------------------------------------------------------------------------------------------

NO_DAYS = ("2024/02/30", "30/02/2024", "2023-02-29", "2024/04/31", "2024/00/10", "2024/13/01", "00/00/0000")
OPTIONAL_DAYS = {
    "a deadline": (LETTER, "<edXML:DueDate>", lambda said: (said.due_on, said.due_on_text), "DueDate"),
    "an answer's day": (NOTICE, "<edXML:PromulgationDate>", lambda said: (said.response_for.issued_on, said.response_for.issued_on_text), "PromulgationDate"),
    "a notice's time": (NOTICE, "<edXML:Timestamp>", lambda said: (said.at, said.at_text), "Timestamp"),
    "a hop's time": (LETTER, "<edXML:Timestamp>", lambda said: (None, said.traces[0].at_text), "Timestamp"),
}  # fmt: skip


@pytest.mark.parametrize("day", NO_DAYS)
@pytest.mark.parametrize("place", OPTIONAL_DAYS)
def test_an_optional_day_that_does_not_exist_is_kept_as_text_with_a_warning(place, day):
    text, tag, kept, element = OPTIONAL_DAYS[place]
    found = read.read(re.sub(f"{tag}[^<]*<", f"{tag}{day}<", text).encode())
    assert kept(found.message) == (None, day)
    assert [(one.severity, one.code, one.facts["element"]) for one in found.findings] == [
        ("warning", "bad_date", element)
    ]


def test_times_of_hops_and_notices_in_the_other_order():
    found = edited("<edXML:Timestamp>2024/03/05 14:08:36", "<edXML:Timestamp>05/03/2024 14:08:36", NOTICE)
    assert (found.message.at, found.findings) == (datetime(2024, 3, 5, 7, 8, 36, tzinfo=UTC), ())
    assert edited("2024/03/14 16:00:00", "14/03/2024 16:00:00").findings == ()


# --- null --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("null", ["null", "NULL", "\n null \t"])
def test_null_is_no_agency_in_the_lists_of_operations(null):
    update = edited("<edXML:OrganId>G12.18</edXML:OrganId>\n                <edXML:ReceiverType>", f"<edXML:OrganId>{null}</edXML:OrganId><edXML:ReceiverType>", UPDATE)  # fmt: skip
    assert [one.code for one in update.message.update.receivers] == ["H99.30"]
    assert codes(update) == ["unclear_receiver"]
    listed = re.search(r"<edXML:OrganIdList>.*?</edXML:OrganIdList>", REPLACE, re.DOTALL).group()
    replaced = edited(
        listed,
        f"<edXML:OrganIdList><edXML:OrganId>{null}</edXML:OrganId><edXML:OrganId>A</edXML:OrganId></edXML:OrganIdList>",
        REPLACE,
    )
    assert replaced.message.replaced[0].codes == ("A",)


def test_a_hop_that_says_null_is_kept_as_it_was_written_and_one_that_says_nothing_is_not():
    hops = "<edXML:TraceHeader><edXML:OrganId>null</edXML:OrganId></edXML:TraceHeader><edXML:TraceHeader/>"
    found = edited("<edXML:Bussiness>", f"{hops}<edXML:Bussiness>")
    assert [hop.code for hop in found.message.traces] == ["000.00.07.H99", "null"]
    assert found.findings == ()


def test_null_for_the_agency_answered_leaves_the_rest_of_the_answer():
    found = edited(
        "<edXML:OrganId></edXML:OrganId>\n          <edXML:Code>",
        "<edXML:OrganId>null</edXML:OrganId><edXML:Code>7/X",
    )
    assert found.message.response_for == (model.ResponseFor(reference="7/X"),)


# --- ids and names -----------------------------------------------------------------------------------------

IDS = (
    "000.00.11.H53,2020/10/30,2491/STC-BCTC", "9fbfbad2-f1f8-4256-a2eb-50fb1061cddb", "53234", "H99.ĐN,2014/02/30,7/ĐN-UBND",
    "đ" * 150, "a,b,c,d", "../../x", "null", "-1", "0x1", "<&>\"'",
)  # fmt: skip


@pytest.mark.parametrize("document_id", IDS)
def test_an_id_is_opaque(document_id):
    escaped = document_id.replace("&", "&amp;").replace("<", "&lt;")
    found = edited("000.00.07.H99,2024/03/14,15/2024/STN-TTr", escaped)
    assert (found.message.document_id, found.findings) == (document_id, ())


TWINS = [("H99.ĐN", "h99.đn", True), ("H99.Ệ", unicodedata.normalize("NFD", "H99.Ệ"), True), ("H99.Ệ", unicodedata.normalize("NFD", "h99.ệ"), True), ("H99.Đ", "H99.D", False), ("H99.Đ", "H99.Ð", False)]  # fmt: skip


@pytest.mark.parametrize("first, second, same", TWINS)
def test_a_recipient_named_in_two_spellings_is_one_as_in_the_directory(first, second, same):
    text = LETTER.replace(">000.00.00.G99<", f">{first}<").replace(">H99.30<", f">{second}<")
    found = read.read(text.encode())
    assert [one.code for one in found.message.recipients] == [first, second]
    assert codes(found) == ["duplicate_recipient"] * same
    assert (agency_codes.compared(first) == agency_codes.compared(second)) == same


def test_a_name_that_is_nfc_in_the_manifest_and_nfd_beside_the_bytes_is_one_name():
    nfc, nfd = (unicodedata.normalize(form, "Tờ trình.pdf") for form in ("NFC", "NFD"))
    lines = "".join(
        f"<Reference><AttachmentName>{name}</AttachmentName><Description>{name[:1]}</Description></Reference>"
        for name in ("b.pdf", nfc, "C.PDF")
    )
    files = "".join(
        f"<Attachment><AttachmentName>{name}</AttachmentName><ContentTransferEncoded>QQ==</ContentTransferEncoded></Attachment>"
        for name in (nfd, "c.pdf", "b.pdf")
    )
    text = re.sub(r"<edXML:Reference .*</edXML:Reference>", lines, LETTER, flags=re.DOTALL)
    found = read.read(re.sub(r"<Attachment>.*</Attachment>", files, text, flags=re.DOTALL).encode())
    assert [(one.name, one.description) for one in found.message.attachments] == [
        (nfd, "T"),
        ("c.pdf", "C"),
        ("b.pdf", "b"),
    ]
    assert found.findings == ()


def test_the_longest_names_of_files_are_cut_and_told():
    long = "ế" * 5_000
    found = read.read(LETTER.replace("to-trinh.signed.pdf", f"{long}.pdf").encode())
    (file,) = found.message.attachments
    assert (file.raw_name, len(file.name.encode()) <= names.LONGEST, file.name.endswith("ế.pdf")) == (
        f"{long}.pdf",
        True,
        True,
    )
    assert {*codes(found)} == {"over_long", "hostile_name"}


@pytest.mark.parametrize(
    "root", ["edXML", "EdXML", "EDXML", "edXMLEnvelope", "EdXMLEnvelope", "x:edXML", "x:EdXMLEnvelope"]
)
def test_roots(root):
    """A prefix that nobody declared is left in the name by the repair, and passed over."""
    header = re.search(r"<edXML:MessageHeader>.*</edXML:MessageHeader>", LETTER, re.DOTALL).group()
    found = read.read(f"<{root}>{header.replace('edXML:', '')}</{root}>".encode())
    assert found.message.document_id == "000.00.07.H99,2024/03/14,15/2024/STN-TTr"
    assert (found.repaired, codes(found)) == (":" in root, ["repaired"] * (":" in root))


# --- what takes time or room -------------------------------------------------------------------------------

HEAPED = {
    "marks of two kinds in turns": "a" + "\u0315\u0300" * 600,
    "with what is invisible between": "a" + "\u0315\u200b\u0300\u00ad" * 400,
    "with spaces between": "a" + "\u0315 \u0300\u00a0" * 400,
    "behind a long text": "Kính gửi " * 2_000 + "\u0315\u0300" * 60,
    "of another script": "ก" + "\u0e38\u0e48" * 600,
}
NOT_HEAPED = {
    "long Vietnamese": "Ủy ban nhân dân tỉnh, đề nghị… " * 3_000,
    "the same in NFD": unicodedata.normalize("NFD", "Ủy ban nhân dân tỉnh, đề nghị… " * 3_000),
    "Arabic with its vowels": "بِسْمِ اللَّهِ " * 3_000,
    "Thai": "ที่นี่ " * 3_000,
    "lines of dots": "………………" * 3_000,
    "a hundred marks": "a" + "\u0315\u0300" * 50 + "b" * 2_000,
    "few letters": "a" + "\u0315\u0300" * 400,
    "spaces and lines": " \n" * 100_000 + "ế",
}


@pytest.mark.parametrize("name", [*HEAPED, *NOT_HEAPED])
def test_marks_heaped_on_a_letter(name):
    text = (HEAPED | NOT_HEAPED)[name]
    assert texts.heaped(text) == (name in HEAPED)
    assert texts.clean(texts.clean(text)) == texts.clean(text)


@pytest.mark.parametrize("name", HEAPED)
@pytest.mark.parametrize(
    "element", ["Subject", "Content", "TypeName", "Competence", "CodeNumber", "DocumentId", "Email"]
)
def test_a_letter_with_them_is_refused(name, element):
    text = re.sub(f"<edXML:{element}>[^<]*<", f"<edXML:{element}>{HEAPED[name]}<", LETTER)
    with pytest.raises(model.Unreadable) as caught:
        read.read(text.encode())
    assert (caught.value.code, caught.value.detail) == ("too_complex", "marks")


def test_so_are_facts_with_them():
    heap, said = HEAPED["marks of two kinds in turns"], notes.Notes()
    facts = {
        "sender": "A",
        "recipients": [heap, heap],
        "number": heap,
        "notation": "X",
        "issued_on": "2026-11-21",
        "subject": "x",
    }
    assert (
        draft.read(said, {**facts, "files": [{"name": heap, "data": b"1"}, {"name": heap, "data": b"1"}]})
        is None
    )
    assert {(one.code, one.path) for one in said.findings()} == {
        ("fact_heaped", place) for place in ("/recipients/0/code", "/recipients/1/code", "/number", "/files/0/name", "/files/1/name")
    }  # fmt: skip


def test_names_of_elements_without_end_stay_short_in_findings():
    name = "x" * 200_000
    inner = f"<{name}><b>" + "<c/>" * 50 + f"</b></{name}>"
    found = edited(
        "</edXML:OtherInfo>", f"<{name}/>" * 5 + f"<edXML:Code>{inner}</edXML:Code></edXML:OtherInfo>"
    )
    assert {"unknown_element", "misplaced"} <= {*codes(found)}
    assert max(len(one.path) + len(str(one.facts)) for one in found.findings) < 1_000


def wrapped(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b" " * size)
    return out.getvalue()


def test_bombs_in_many_files_share_one_room_also_where_they_are_only_looked_at():
    """40 files of 1 MiB each out of a kilobyte: `lint`, `show` and the facts of a letter unfold 16 of them."""
    one = model.Attachment(name="0.txt", encoded=base64.b64encode(wrapped(MB)).decode())
    files = [model.Attachment(**{**vars(one), "name": f"{n}.txt", "position": n}) for n in range(40)]
    letter = model.Letter(**{**vars(read.read(RAW).message), "attachments": tuple(files)})
    assert [found.wrapped for found in attachments.inspections(letter)] == [True] * 16 + [False] * 24
    facts = view.facts(model.Reading(message=letter))["attachments"]
    assert [found["size"] for found in facts] == [MB] * 16 + [len(wrapped(MB))] * 24
    assert [found.facts["name"] for found in attachments.examine(letter)] == [
        f"{n}.txt" for n in range(16, 40)
    ]


def test_a_second_of_anything_known_is_told_wherever_it_is_copied_to():
    """Every once-only value put a second time beside itself: never the first, never the second."""
    for path in leaves(LETTER):
        if re.search(r"\[\d+\]$|Appendix|Place$", path):
            continue

        def doubled(element):
            element.addnext(copy.deepcopy(element))

        found = changed(LETTER, path, doubled)
        assert codes(found)[0] == "twice", path
