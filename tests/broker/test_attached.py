"""A letter's files side by side: which file a signature belongs to, what is judged of it, and what it counts for."""

import hashlib
import io
import struct
import zipfile
from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import p7_cases as p7s
import pdf_cases as cases
import pytest

from exchange.broker import attached, intake, verify
from exchange.edxml import attachments, spooled, wrapping
from exchange.rules import directory, policy, requirements
from signing import keys
from signing.verdict import Remark, SubIndication

REPORT, OTHER = p7s.CONTENT, b"other content of another file"


def report(*files):
    """Verdicts as (where, carrier, why) and remarks as (code, where), every task done here."""
    verdicts, remarks = [], []
    for task in attached.tasks(files):
        if isinstance(task, Remark):
            remarks.append(task)
        else:
            told = attached.judge(task, cases.TRUST, cases.AT)
            verdicts += told.verdicts
            remarks += told.remarks
    return [(one.where, one.carrier, one.why) for one in verdicts], [(one.code, one.where) for one in remarks]


def zipped(**entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("__", "."), content)
    return file.getvalue()


SIG = p7s.signed(REPORT)
PAIRED = {
    "by_name": ([("a.docx", REPORT), ("b.docx", OTHER), ("a.docx.p7s", SIG)], ("a.docx", "a.docx.p7s", "passed")),
    "name_in_other_case": ([("A.DOCX", REPORT), ("a.docx.P7S", SIG)], ("A.DOCX", "a.docx.P7S", "passed")),
    "by_name_though_it_fits_another": (
        [("a.docx", OTHER), ("b.docx", REPORT), ("a.docx.p7s", SIG)],
        ("a.docx", "a.docx.p7s", "p7_digest"),
    ),
    "by_stem": ([("a.docx", OTHER), ("a.p7s", SIG)], ("a.docx", "a.p7s", "p7_digest")),
    "by_digest_before_stem": ([("a.docx", OTHER), ("b.docx", REPORT), ("a.p7s", SIG)], ("b.docx", "a.p7s", "passed")),
    "by_digest": ([("a.docx", OTHER), ("b.docx", REPORT), ("chu-ky.p7s", SIG)], ("b.docx", "chu-ky.p7s", "passed")),
    "same_bytes_twice": ([("a.docx", REPORT), ("b.docx", REPORT), ("x.p7s", SIG)], ("a.docx", "x.p7s", "passed")),
    "same_name_twice": ([("a.docx", OTHER), ("a.docx", REPORT), ("a.docx.p7s", SIG)], ("a.docx", "a.docx.p7s", "passed")),
    "same_name_twice_fits_none": ([("a", OTHER), ("a", b"x"), ("a.p7s", SIG)], ("a", "a.p7s", "p7_digest")),
    "no_such_file": ([("a.docx", OTHER), ("b.p7s", SIG)], ("b.p7s", "", "p7_content_missing")),
    "alone": ([("b.p7s", SIG)], ("b.p7s", "", "p7_content_missing")),
    "detached_though_p7m": ([("a.docx", REPORT), ("a.docx.p7m", SIG)], ("a.docx", "a.docx.p7m", "passed")),
    "inside": ([("a.docx.p7m", p7s.signed(REPORT, inside=True))], ("a.docx.p7m", "", "passed")),
    "inside_a_p7s": ([("a.docx.p7s", p7s.signed(REPORT, inside=True))], ("a.docx.p7s", "", "passed")),
    "inside_and_beside": (
        [("a.docx", REPORT), ("a.docx.p7m", p7s.signed(REPORT, inside=True))],
        ("a.docx", "a.docx.p7m", "passed"),
    ),
    "another_inside_than_beside": (
        [("a.docx", OTHER), ("a.docx.p7m", p7s.signed(REPORT, inside=True))],
        ("a.docx.p7m", "", "passed"),
    ),
    "another_inside_a_p7s": (
        [("a.docx", OTHER), ("a.docx.p7s", p7s.signed(REPORT, inside=True))],
        ("a.docx", "a.docx.p7s", "p7_other_content"),
    ),
    "damaged": ([("a.docx", REPORT), ("a.docx.p7s", SIG[:-9])], ("a.docx", "a.docx.p7s", "p7_damaged")),
    "pem": ([("a.docx", REPORT), ("a.docx.p7s", p7s.signed(REPORT, armoured=True))], ("a.docx", "a.docx.p7s", "passed")),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRED)
def test_the_file_a_signature_belongs_to(name):
    files, expected = PAIRED[name]
    assert report(*files)[0] == [expected]


def test_signatures_that_were_swapped_fail_both():
    files = [("a", REPORT), ("b", OTHER), ("a.p7s", p7s.signed(OTHER)), ("b.p7s", p7s.signed(REPORT))]
    assert report(*files)[0] == [("a", "a.p7s", "p7_digest"), ("b", "b.p7s", "p7_digest")]


def test_a_pdf_and_its_signature_file_are_both_judged():
    files = [("main.pdf", cases.by_person()), ("main.pdf.p7s", p7s.signed(cases.by_person()))]
    assert report(*files)[0] == [("main.pdf", "", "passed"), ("main.pdf", "main.pdf.p7s", "passed")]


@pytest.mark.parametrize("armoured", [False, True], ids=["der", "pem"])
def test_a_pdf_inside_a_signature_file_is_judged_too(armoured):
    raw = p7s.signed(cases.by_person(), inside=True, armoured=armoured)
    assert report(("main.pdf.p7m", raw))[0] == [("main.pdf.p7m", "", "passed")] * 2
    assert attached.holds_pdf("main.pdf.p7m", raw)
    assert not attached.is_detached("main.pdf.p7m", raw)


def test_what_is_inside_is_opened_once():
    twice = p7s.signed(p7s.signed(REPORT, inside=True), inside=True)
    assert report(("a.p7m", twice)) == ([("a.p7m", "", "passed")], [("not_examined", "a.p7m")])
    wrapped = p7s.signed(zipped(a__txt=b"a", b__txt=b"b"), inside=True)
    assert report(("a.p7m", wrapped)) == ([("a.p7m", "", "passed")], [("zip_not_examined", "a.p7m")])


def test_archives_and_office_files_are_told():
    plain, signed = zipped(word_document="x"), zipped(**{"_xmlsignatures/sig1__xml": "x"})
    files = [("tai-lieu.zip", plain), ("gia.pdf", plain), ("a.docx", signed), ("b.txt", b"text")]
    tasks = attached.tasks(files)
    assert tasks == (
        Remark(code="zip_not_examined", where="tai-lieu.zip", severity="info"),
        Remark(code="zip_not_examined", where="gia.pdf", severity="warning"),
        Remark(code="office_signature", where="a.docx", severity="warning"),
    )


WRAPPED = {
    "plain": (lambda pdf: wrapping.wrap("a.pdf", pdf), True),
    "two_entries": (lambda pdf: zipped(b__txt=b"x" * 2000, a__pdf=pdf), False),
    "another_ending": (lambda pdf: wrapping.wrap("a.txt", pdf), False),
    "behind_it": (lambda pdf: wrapping.wrap("a.pdf", pdf) + b"x", False),
}


@pytest.mark.parametrize("name", WRAPPED)
def test_a_wrapped_pdf_is_judged_as_the_recipient_opens_it(name):
    wrap, opened = WRAPPED[name]
    sent = attachments.encode("x.zip", wrap(cases.by_person()), "application/zip")
    content = attachments.content(_named(sent, "a.pdf"))
    verdicts, remarks = report(("a.pdf", content))
    assert verdicts == ([("a.pdf", "", "passed")] if opened else [])
    assert remarks == ([] if opened else [("zip_not_examined", "a.pdf")])


def _named(attachment, name):
    return replace(attachment, name=name)


def test_a_wrapped_bomb_is_not_unfolded():
    bomb = wrapping.wrap("a.pdf", b"%PDF-" + bytes(2 << 20))
    assert len(bomb) < 4096
    sent = _named(attachments.encode("x.zip", bomb, "application/zip"), "a.pdf")
    content = attachments.content(sent, most=1 << 20)
    assert content == bomb
    assert report(("a.pdf", content)) == ([], [("zip_not_examined", "a.pdf")])


def test_a_letter_full_of_signature_files_stays_cheap(monkeypatch):
    """Each file is hashed once, and few signature files are opened to find theirs."""
    hashed, opened = [], []
    real_hash, real_read = spooled.hashlib.new, attached.p7.read
    monkeypatch.setattr(
        spooled.hashlib, "new", lambda name, raw=b"": hashed.append(1) or real_hash(name, raw)
    )
    files = [(f"{n}.docx", REPORT + bytes([n])) for n in range(100)]
    files += [(f"chu-ky-{n}.p7s", p7s.signed(files[n][1])) for n in range(100)]
    hashed.clear()
    monkeypatch.setattr(attached.p7, "read", lambda raw: opened.append(1) or real_read(raw))
    tasks = attached.tasks(files)
    assert sum(bool(task.carrier) for task in tasks) == attached.MOST_SEARCHES
    assert len(hashed) <= 100
    assert len(opened) <= 100 + attached.MOST_SEARCHES


def test_a_file_found_by_its_name_is_not_searched_for(monkeypatch):
    files = [(f"{n}.docx", REPORT + bytes([n])) for n in range(30)]
    files += [(f"{n}.docx.p7s", p7s.signed(files[n][1])) for n in range(30)]
    hashed = []
    real = spooled.hashlib.new
    monkeypatch.setattr(spooled.hashlib, "new", lambda name, raw=b"": hashed.append(1) or real(name, raw))
    tasks = attached.tasks(files)
    assert [task.carrier for task in tasks] == [name for name, _ in files[30:]]
    assert hashed == []


async def test_signature_files_go_through_the_pool():
    """Small ones in this process, those that carry a content or are large in a worker; the order is the letter's."""
    large = p7s.signed(cases.page(), p7s.PERSON, inside=True)
    files = [
        ("a.docx", bytes(200_000)),
        ("a.docx.p7s", p7s.signed(bytes(200_000))),
        ("b.p7m", large),
        ("c.pdf", cases.by_person()),
    ]
    assert [task.light for task in attached.tasks(files)] == [True, False, False]
    async with verify.VerifyPool(cases.TRUST, verify.Limits(workers=1)) as pool:
        found = await verify.letter(pool, b"<a/>", files, cases.AT, repaired=False)
    assert [(one.where, one.carrier, one.why) for one in found.report.verdicts] == [
        ("a.docx", "a.docx.p7s", "passed"),
        ("b.p7m", "", "passed"),
        ("c.pdf", "", "passed"),
    ]


SENDER = UUID(int=1)
ON = date(2026, 1, 5)
AGENCY = directory.Agency(
    id=SENDER, code="H13.01", name="Sở Thử", kind="department", level=2, parent=None, root=SENDER, valid_from=date(2020, 1, 1),
)  # fmt: skip
OFFICER = uuid4()


def held(kind, certificate, officer=None):
    return directory.Certificate(
        sha256=keys.fingerprint(certificate), agency=SENDER, kind=kind, officer=officer, officer_agency=officer and SENDER,
        valid_from=date(2020, 1, 1), confirmed=True,
    )  # fmt: skip


SNAPSHOT = directory.build(
    1,
    [AGENCY],
    certificates=[held("organisation", cases.ORGANISATION), held("individual", cases.PERSON, OFFICER)],
)


def judged(*files):
    """The requirement for a letter of these files, by the way that a real one takes."""
    opened = tuple(
        intake.File(name=name, path=f"/a/b[{at}]", raw=raw) for at, (name, raw) in enumerate(files, 1)
    )
    facts = [one for one in opened if not attached.is_detached(one.name, one.raw)]
    letter = requirements.LetterFacts(
        sender=SENDER,
        document_type_name="Công văn",
        attachments=tuple(
            requirements.AttachmentFacts(
                name=one.name, path=one.path, kind="pdf" if one.is_pdf else "other", sha256=hashlib.sha256(one.raw).digest()
            )
            for one in facts
        ),
    )  # fmt: skip
    verdicts, remarks = [], []
    for task in attached.tasks(files):
        if isinstance(task, Remark):
            remarks.append(task)
        else:
            told = attached.judge(task, cases.TRUST, cases.AT)
            verdicts += told.verdicts
            remarks += told.remarks
    found = verify.Report(verdicts=tuple(verdicts), remarks=tuple(remarks))
    return requirements.judge(letter, found, SNAPSHOT, policy.DEFAULT, ON)


PERSON_PDF, BLANK = cases.by_person(), cases.page()
ORGANISATION_PDF = cases.by_organisation(BLANK)
BOTH = (p7s.PERSON, p7s.ORGANISATION)
REQUIREMENTS = {
    "person_inside_organisation_beside": (
        [("main.pdf", PERSON_PDF), ("main.pdf.p7s", p7s.signed(PERSON_PDF))], "met", "",
    ),
    "signature_file_first": ([("main.pdf.p7s", p7s.signed(PERSON_PDF)), ("main.pdf", PERSON_PDF)], "met", ""),
    "both_beside": ([("main.pdf", BLANK), ("main.pdf.p7s", p7s.signed(BLANK, *BOTH))], "met", ""),
    "both_beside_a_word_file": ([("main.docx.p7s", p7s.signed(OTHER, *BOTH)), ("main.docx", OTHER)], "met", ""),
    "two_signature_files": (
        [("main.pdf", BLANK), ("main.pdf.p7s", p7s.signed(BLANK, p7s.PERSON)), ("x.p7s", p7s.signed(BLANK))], "met", "",
    ),
    "both_around": ([("main.pdf.p7m", p7s.signed(BLANK, *BOTH, inside=True))], "met", ""),
    "person_inside_organisation_around": ([("main.pdf.p7m", p7s.signed(PERSON_PDF, inside=True))], "met", ""),
    "organisation_only": ([("main.pdf", BLANK), ("main.pdf.p7s", p7s.signed(BLANK))], "not_met", "individual_missing"),
    "of_another_file": (
        [("main.pdf", PERSON_PDF), ("main.pdf.p7s", p7s.signed(BLANK))], "not_met", "broken_main",
    ),
    "changed_after": (
        [("main.pdf", cases.by_organisation(PERSON_PDF)[:-1] + b"\n"), ("main.pdf.p7s", p7s.signed(PERSON_PDF))], "not_met", "broken_main",
    ),
    "annex_signed_beside": (
        [("main.pdf", cases.by_both()), ("annex.pdf", BLANK), ("annex.pdf.p7s", p7s.signed(BLANK))], "met", "",
    ),
    "annex_signed_by_a_person_only": (
        [("main.pdf", cases.by_both()), ("annex.pdf", BLANK), ("annex.pdf.p7s", p7s.signed(BLANK, p7s.PERSON))],
        "not_met", "annex_unsigned",
    ),
    "annex_in_a_signature_file": (
        [("main.pdf", cases.by_both()), ("annex.pdf.p7m", p7s.signed(BLANK, p7s.PERSON, inside=True))],
        "not_met", "annex_unsigned",
    ),
    "annex_as_a_zip_that_cannot_be_opened": (
        [("main.pdf", cases.by_both()), ("annex.pdf", zipped(a__txt=b"x" * 2000, b__pdf=BLANK))], "not_met", "annex_unsigned",
    ),
    "annex_behind_some_bytes": (
        [("main.pdf", cases.by_both()), ("annex.bin", b"junk" + BLANK)], "not_met", "unreadable",
    ),
    "signature_file_alone": ([("main.pdf.p7s", p7s.signed(BLANK, *BOTH))], "not_met", "no_document"),
    "signature_without_its_file": (
        [("main.pdf", BLANK), ("khac.p7s", p7s.signed(OTHER, *BOTH))], "not_met", "no_signature",
    ),
    "one_certificate_twice": (
        [("main.pdf", ORGANISATION_PDF), ("main.pdf.p7s", p7s.signed(ORGANISATION_PDF))],
        "not_met", "individual_missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_signature_files_count_for_what_they_sign(name):
    files, requirement, reason = REQUIREMENTS[name]
    found = judged(*files)
    assert (found.requirement, found.reason) == (requirement, reason)


def test_a_signature_file_is_never_the_main_document():
    for files, _, _ in REQUIREMENTS.values():
        main = judged(*files).main
        assert main is None or not main.endswith(".p7s")


def test_a_final_failure_is_told_of_the_signed_file():
    (verdict,) = attached.judge(
        attached.tasks([("main.pdf", BLANK), ("main.pdf.p7s", SIG)])[1], cases.TRUST, cases.AT
    ).verdicts
    assert (verdict.where, verdict.sub_indication) == ("main.pdf", SubIndication.HASH_FAILURE)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
SIGNED_OLE = OLE + ("_signatures\0".encode("utf-16-le").ljust(64, b"\0") + struct.pack("<HB", 24, 2)).ljust(
    128, b"\0"
)
ON_DISK = {
    "PDF by both": [("a.pdf", cases.by_both())],
    "PDF by one, and another": [("a.pdf", cases.by_person()), ("b.pdf", cases.page())],
    "PDF altered": [("a.pdf", cases.by_person().replace(b"%PDF-1.7", b"%PDF-1.6"))],
    "PDF cut short": [("a.pdf", cases.by_person()[:-100])],
    "no PDF": [("a.pdf", b"%PDF-1.7\n" + bytes(100_000))],
    "p7s": [("a.docx", REPORT), ("a.docx.p7s", p7s.signed(REPORT))],
    "p7s of another file": [("a.docx", REPORT), ("a.docx.p7s", p7s.signed(b"another"))],
    "p7s found by its digest": [("a.docx", REPORT), ("b.docx", b"b"), ("ky.p7s", p7s.signed(REPORT))],
    "p7s of one of two alike": [("a.docx", REPORT), ("b.docx", REPORT), ("ky.p7s", p7s.signed(REPORT))],
    "p7s around its content": [("a.docx", REPORT), ("a.docx.p7s", p7s.signed(REPORT, inside=True))],
    "p7s around another content": [("a.docx", OTHER), ("a.docx.p7s", p7s.signed(REPORT, inside=True))],
    "p7m with the file beside it": [("a.docx", REPORT), ("a.docx.p7m", p7s.signed(REPORT, inside=True))],
    "p7m with another file beside it": [("a.docx", b"x"), ("a.docx.p7m", p7s.signed(REPORT, inside=True))],
    "p7m with a PDF": [("a.p7m", p7s.signed(cases.by_person(), inside=True))],
    "a ZIP": [("a.zip", zipped(b__txt=b"x"))],
    "a signed old Word file": [("a.doc", SIGNED_OLE)],
    "a signed Word file": [("a.docx", zipped(**{"_xmlsignatures/sig1__xml": b"x"}))],
}


@pytest.mark.parametrize("name", ON_DISK)
def test_a_file_on_disk_is_judged_as_one_in_memory(tmp_path, name):
    """What a large letter's files become; every other file stays in memory, as small ones do."""

    def put(position, raw):
        path = tmp_path / str(position)
        path.write_bytes(raw)
        return spooled.of(path)

    def reports(files):
        tasks = attached.tasks(files)
        done = [
            attached.judge(one, cases.TRUST, cases.AT) if isinstance(one, attached.Task) else one
            for one in tasks
        ]
        return (
            done,
            [attached.is_detached(*one) for one in files],
            [attached.holds_pdf(*one) for one in files],
        )

    files = ON_DISK[name]
    on_disk = [(one, put(position, raw)) for position, (one, raw) in enumerate(files)]
    assert reports(on_disk) == reports(files)
    assert reports([on_disk[0], *files[1:]]) == reports(files)
    assert reports(files)[0]
