"""What a manifest calls a file: ContentId with whatever stands around it, and `xlink:href` as a further name of it."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.edxml import content_ids, model, planned, read

GOOD = (Path(__file__).parent / "fixtures" / "new_dotnet.edxml").read_bytes()
XLINK = "http://www.w3.org/1999/xlink"
PLAIN = re.sub(rb"<!--.*?-->", b"", GOOD, flags=re.DOTALL)
"""A comment with markup in it is looked at by the parser alone."""

HREF = 'xlink:href="cid:tep-1"'
HEADER = PLAIN.decode().partition("<edXML:edXMLHeader>")[2].partition("</edXML:edXMLHeader>")[0]
NFC, NFD = (unicodedata.normalize(form, "tệp") for form in ("NFC", "NFD"))


def line(name: str, *hrefs: str, content_id: str = "") -> str:
    """A line of the manifest; an href without `=` is that of XLink."""
    said = " ".join(one if "=" in one else f'xlink:href="{one}"' for one in hrefs)
    return (
        f"<Reference {said}><ContentId>{content_id}</ContentId><AttachmentName>{name}</AttachmentName>"
        f"<ContentType>of-{name or 'nameless'}</ContentType></Reference>"
    )


def file(name: str, content_id: str = "") -> str:
    return (
        f"<Attachment><ContentId>{content_id}</ContentId><AttachmentName>{name}</AttachmentName>"
        "<ContentTransferEncoded>QQ==</ContentTransferEncoded></Attachment>"
    )


def message(lines: str, files: str) -> bytes:
    header = HEADER.replace("edXML:", "")
    manifest = f"<edXMLManifest>{lines}</edXMLManifest>"
    return (
        f'<edXML xmlns:xlink="{XLINK}" xmlns:x="urn:x"><edXMLHeader>{header}</edXMLHeader>{manifest}'
        f"<AttachmentEncoded>{files}</AttachmentEncoded></edXML>"
    ).encode()


def joined(lines: str, files: str) -> tuple[list[str], list[str]]:
    """What the manifest says of each file, and the codes of the findings."""
    found = read.read(message(lines, files))
    assert found.sound
    return [one.content_type for one in found.message.attachments], [one.code for one in found.findings]


# --- ids as they are written -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written, bare",
    [
        *(("a", "a"), ("cid:a", "a"), ("CID:a", "a"), ("cid:cid: Cid:a", "a"), ("<a>", "a"), ("cid:<a>", "a")),
        *(("< cid:a >", "a"), ("cid:", ""), ("<>", ""), ("", ""), ("<", "<"), (">", ">"), ("<a", "<a")),
        *(("a>", "a>"), ("<<a>>", "a"), ("<<a>", "<a"), ("xcid:a", "xcid:a"), ("ci:a", "ci:a"), ("a%40b", "a%40b")),
        *(("cid:a b", "a b"), ("cid", "cid"), ("<cid:>", ""), ("http://x/a", "http://x/a")),
    ],
)  # fmt: skip
def test_bare(written, bare):
    assert content_ids.bare(written) == bare


@given(st.text(st.sampled_from("cid:CID<> a%@é")))
def test_what_is_bare_stays_so(written):
    bare = content_ids.bare(written)
    assert content_ids.bare(bare) == content_ids.bare(f"cid:{bare}") == content_ids.bare(f"<{bare}>") == bare


def test_endless_prefixes_are_taken_off_in_one_pass():
    assert content_ids.bare("cid:" * 200_000 + "<" * 200_000 + "a" + ">" * 200_000) == "a"


@pytest.mark.parametrize(
    "one, other, same",
    [
        *(("a", "a", True), ("a", "A", True), ("a%40b", "a@b", True), ("a%40b", "a%40B", True), ("%3Ca%3E", "a", True)),
        *(("%63id:a", "a", True), (NFC, NFD, True), ("%FF", "%fe", False), ("%", "%25", True), ("a", "b", False)),
        *(("", "", True), ("", "a", False), ("a" * 2_000, "A" * 2_000, False), ("a" * 2_000, "a" * 2_000, True)),
    ],
)  # fmt: skip
def test_meet(one, other, same):
    assert content_ids.meet(one, other) == content_ids.meet(other, one) == same


# --- the href joins --------------------------------------------------------------------------------------

A, B = file("a.pdf", "1"), file("b.pdf", "2")
OTHERS = {
    "an href alone": ("", "cid:{}"),
    "the scheme in capitals": ("", "CID:{}"),
    "the scheme twice": ("", "cid:cid:{}"),
    "no scheme": ("", "{}"),
    "angle brackets": ("", "cid:&lt;{}&gt;"),
    "angle brackets, percent-encoded": ("", "cid:%3C{}%3E"),
    "white space around": ("", "\n cid:{}\t"),
    "no namespace": ("", 'href="cid:{}"'),
    "another namespace, in capitals": ("", 'x:HREF="cid:{}"'),
    "the same twice": ("", 'href="cid:{0}" xlink:href="{0}"'),
    "a ContentId": ("cid:{}", ""),
    "a ContentId that points nowhere": ("zzz", "cid:{}"),
}


@pytest.mark.parametrize("how", OTHERS)
def test_every_spelling_finds_its_file(how):
    """Lines in another order than files and without names: position would join the wrong ones."""
    content_id, href = OTHERS[how]
    lines = [line("", href.format(one), content_id=content_id.format(one)) for one in ("2", "1")]
    named = [text.replace("of-nameless", f"of-{one}") for text, one in zip(lines, ("2", "1"), strict=True)]
    assert joined("".join(named), A + B) == (["of-1", "of-2"], [])


@pytest.mark.parametrize(
    "href, content_id",
    [("cid:a%40x", "a@x"), ("cid:a@x", "a%40x"), ("cid:A@X", "a@x"), (f"cid:{NFC}", NFD), ("cid:t%E1%BB%87p", NFC)],
)  # fmt: skip
@pytest.mark.parametrize("where", ["xlink:href", "ContentId"])
def test_escapes_and_case_find_the_file_that_no_other_line_names(href, content_id, where):
    odd = line("", href) if where == "xlink:href" else line("", content_id=href)
    lines = line("z.pdf", content_id="9").replace("of-z.pdf", "of-9") + odd
    assert joined(lines, file("", content_id) + file("z.pdf", "9")) == (
        ["of-nameless", "of-9"],
        ["nameless_attachment"],
    )


def test_of_ids_that_differ_in_case_alone_each_has_its_own():
    lines = line("x", "cid:A").replace("of-x", "of-A") + line("x", "cid:a").replace("of-x", "of-a")
    assert joined(lines, file("x1", "a") + file("x2", "A"))[0] == ["of-a", "of-A"]


def test_a_content_id_goes_before_an_href():
    """The href names the other file: the join is told, nothing is lost."""
    lines = line("a.pdf", "cid:2", content_id="1") + line("b.pdf", "cid:1", content_id="2")
    assert joined(lines, A + B) == (["of-a.pdf", "of-b.pdf"], ["href_differs"] * 2)


def test_an_href_goes_before_a_name():
    lines = line("a.pdf", "cid:2") + line("b.pdf", "cid:1")
    assert joined(lines, A + B) == (["of-b.pdf", "of-a.pdf"], ["names_differ"] * 2)


@pytest.mark.parametrize("href", ["cid:9", "http://localhost/a.pdf", "file:///etc/passwd", "#1", "x" * 5_000])
def test_an_href_that_points_nowhere_loses_nothing(href):
    found = read.read(message(line("a.pdf", href), A))
    (one,) = found.findings
    assert (one.severity, one.code, one.facts["name"], one.facts["href"]) == (
        *("warning", "href_nowhere", "a.pdf"),
        content_ids.bare(href)[:300],
    )
    assert [file.content_type for file in found.message.attachments] == ["of-a.pdf"]


@pytest.mark.parametrize("href", ["cid:", "", " ", "<>".replace("<", "&lt;").replace(">", "&gt;")])
def test_an_href_without_an_id_is_none(href):
    assert joined(line("a.pdf", href), A) == (["of-a.pdf"], [])


def test_a_line_that_no_file_answers_is_told_once_by_name_or_href():
    found = read.read(message(line("", "cid:9") + line("c.pdf", "cid:8"), ""))
    assert [(one.code, one.facts["name"]) for one in found.findings] == [("not_attached", "9"), ("not_attached", "c.pdf")]  # fmt: skip


def test_hrefs_that_contradict_each_other_join_nothing():
    lines = line("b.pdf", 'href="1" xlink:href="2"') + line("a.pdf")
    assert joined(lines, A + B) == (["of-a.pdf", "of-b.pdf"], ["href_differs"])


def test_two_lines_with_one_href_do_not_take_one_file_twice():
    assert joined(line("a.pdf", "cid:1") + line("b.pdf", "cid:1"), A + B) == (
        ["of-a.pdf", "of-b.pdf"],
        ["href_differs"],
    )
    assert joined(line("a.pdf", "cid:1") + line("", "cid:1"), A) == (["of-a.pdf"], ["not_attached"])


def test_two_files_with_one_id_take_their_lines_in_order():
    files = file("a.pdf", "1") + file("b.pdf", "1")
    assert joined(line("a.pdf", "cid:1") + line("b.pdf", "cid:1"), files) == (
        ["of-a.pdf", "of-b.pdf"],
        ["same_content_id"] * 2,
    )


def test_a_file_without_an_id_has_that_of_its_line():
    found = read.read(message(line("a.pdf", "cid:7"), file("a.pdf")))
    assert [one.content_id for one in found.message.attachments] == ["7"]
    assert found.findings == ()


def test_hrefs_of_the_form_in_soap():
    """`Manifest/Reference xlink:href="cid:dinhkem1"` is all that form says of a file (reference page edxml, 11, C)."""
    lines = line("", "cid:dinhkem2").replace("of-nameless", "of-2") + line("", "cid:dinhkem1")
    assert joined(lines, file("a.pdf", "dinhkem1") + file("b.pdf", "dinhkem2")) == (
        ["of-nameless", "of-2"],
        [],
    )


def test_ids_are_not_folded_once_for_each_pair(monkeypatch):
    """200 lines, 200 files, and no href that finds one."""
    folded, real = [], content_ids.folded
    monkeypatch.setattr(content_ids, "folded", lambda one: folded.append(one) or real(one))
    lines = "".join(line(f"{n}.pdf", "cid:" * 200 + "%41" * 300 + str(n)) for n in range(200))
    found = read.read(message(lines, "".join(file(f"{n}.pdf", f"x{n}") for n in range(200))))
    assert [one.code for one in found.findings][:100] == ["href_nowhere"] * 100
    assert 1_000 < len(folded) < 4_000


# --- by a plan and by the ordinary way -------------------------------------------------------------------


@pytest.mark.parametrize(
    "href, by_plan",
    [
        *((HREF, True), ('xlink:href="CID:tep-1"', True), ('xlink:href="tep-1"', True), ('xlink:href=""', True)),
        *(('href="tep-1"', True), ('x="cid:tep-2" xlink:href="cid:tep-1"', True), ("", True)),
        *(('xlink:href="cid:tep-2"', False), ('href="a" xlink:href="cid:tep-1"', False)),
        *(('xlink:href="cid:tep-1" href="tep-2"', False), ('xlink:href="cid:TEP-1"', False)),
        *(('x="y href=" xlink:href="cid:tep-2"', False), ('xlink:href="cid:tep\n-1"', False)),
    ],
)  # fmt: skip
def test_a_plan_answers_only_where_the_href_is_the_id(href, by_plan):
    raw = PLAIN.replace(HREF.encode(), href.encode())
    assert (planned.read(raw, model.LIMITS) is not None) == by_plan
    assert read.read(raw) == read.ordinary(raw, model.LIMITS)


def test_every_line_has_its_own_href_in_a_plan():
    """A letter of the same shape, in which the hrefs of two lines are exchanged, is looked at more closely."""
    two = [line("a.pdf", "cid:1", content_id="1"), line("b.pdf", "cid:2", content_id="2")]
    raw = message("".join(two), A + B)
    other = (
        raw.replace(b'href="cid:1"', b'href="cid:3"')
        .replace(b'"cid:2"', b'"cid:1"')
        .replace(b"cid:3", b"cid:2")
    )
    assert planned.read(raw, model.LIMITS) is not None
    assert planned.read(other, model.LIMITS) is None
    assert [one.code for one in read.read(other).findings] == ["href_differs"] * 2
