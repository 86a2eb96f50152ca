"""`congvan verify` as a person runs it: files in, exit codes, cards and JSON out."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import p7_cases as p7s
import pytest
from click.testing import CliRunner

from exchange import texts
from exchange.broker import offline
from exchange.cli import main
from exchange.demo import agencies, authority
from exchange.edxml import attachments, read, write
from exchange.rules import directory_csv, directory_entries, directory_pages, directory_plan, xlsx_write
from signing import keys, p7_write, pdf_write, seal


def congvan(*arguments, **environment):
    environment = {"COLUMNS": "140", "CONGVAN_LANGUAGE": "", **environment}
    return CliRunner().invoke(main.main, [str(one) for one in arguments], env=environment)


@pytest.fixture
def folders(province):
    return ("--trust", province.folder / "trust", "--crl", province.folder / "crl")


def test_a_letter_with_two_signatures_in_its_pdf_passes(province, folders, tmp_path):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1))
    done = congvan("verify", file, *folders, "--json")
    found = json.loads(done.output)
    assert done.exit_code == 0
    assert [(one["where"], one["format"], one["indication"]) for one in found["signatures"]] == [
        ("van_ban.pdf", "pades", "TOTAL_PASSED"),
        ("van_ban.pdf", "pades", "TOTAL_PASSED"),
    ]
    shown = congvan("verify", file, *folders).output
    assert "Hợp lệ" in shown
    assert "TOTAL_PASSED" in shown


@pytest.mark.parametrize(
    "case, code, indications",
    [
        ("package_signed", 0, ["TOTAL_PASSED", "TOTAL_PASSED"]),
        ("placeholder", 0, ["TOTAL_PASSED", "TOTAL_PASSED"]),
        ("annex_unsigned", 0, ["TOTAL_PASSED", "TOTAL_PASSED"]),
        ("forged", 1, ["TOTAL_FAILED", "TOTAL_FAILED"]),
    ],
)
def test_every_kind_of_letter(province, folders, tmp_path, case, code, indications):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1, case=case))
    done = congvan("verify", file, *folders, "--json")
    assert [one["indication"] for one in json.loads(done.output)["signatures"]] == indications
    assert done.exit_code == code


def test_nothing_is_trusted_without_configuration(province, tmp_path):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1))
    done = congvan("verify", file, "--json")
    assert done.exit_code == 1
    assert {one["sub_indication"] for one in json.loads(done.output)["signatures"]} == {
        "NO_CERTIFICATE_CHAIN_FOUND"
    }


def test_without_revocation_lists_the_answer_is_not_enough_evidence(province, tmp_path):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1))
    done = congvan("verify", file, "--trust", province.folder / "trust", "--json")
    assert done.exit_code == 1
    assert {one["sub_indication"] for one in json.loads(done.output)["signatures"]} == {"TRY_LATER"}


def test_an_unsigned_file_is_a_no_and_an_unreadable_one_is_two(folders, tmp_path):
    (tmp_path / "blank.pdf").write_bytes(pdf_write.blank(["khong ky"]))
    (tmp_path / "nothing.xml").write_bytes(b"1212<?xml version='1.0'?><a/>")
    assert congvan("verify", tmp_path / "blank.pdf", *folders).exit_code == 1
    assert congvan("verify", tmp_path / "nothing.xml", *folders).exit_code == 2
    assert congvan("verify", tmp_path / "absent.xml", *folders).exit_code == 2
    assert congvan("verify", tmp_path / "blank.pdf", "--at", "yesterday").exit_code == 2


@pytest.fixture
def known(province, tmp_path):
    """Some lines of the demo's directory as CSV sheets."""
    files = {
        "agency.csv": agencies.agency_sheet(),
        "officer.csv": agencies.officer_sheet(),
        "certificate.csv": authority.sheet(province.ours, province.script.odd, datetime.now(UTC)),
    }
    for name, raw in files.items():
        heading, *lines = raw.splitlines(keepends=True)
        kept = [line for line in lines if line.partition(b",")[0] in (b"H13", b"H13.01", b"H13.14")]
        (tmp_path / name).write_bytes(b"".join([heading, *kept]))
    return [part for name in files for part in ("--directory", tmp_path / name)]


def holder(province, kind="seal"):
    if kind == "seal":
        return province.ours.seals["H13.01"]
    return next(one for (agency, _), one in province.ours.persons.items() if agency == "H13.01")


def signer(province, kind="seal"):
    held = holder(province, kind)
    return p7_write.Signer(key=held.key, certificate=held.certificate)


def letter(province, *files):
    """A letter of the demo with these files (name, bytes) instead of its own."""
    reading = read.read(province.letter(1)).message
    encoded = tuple(attachments.encode(name, raw, "application/octet-stream") for name, raw in files)
    return write.write(replace(reading, attachments=encoded))


def test_who_signed_in_whose_name_by_the_directory(province, folders, known, tmp_path):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1))
    found = json.loads(congvan("verify", file, *folders, *known, "--policy", "--json").output)
    assert [(one["signer"]["kind"], one["signer"]["agency"], one["main"]) for one in found["signatures"]] == [
        ("individual", "H13.01", True),
        ("organisation", "H13.01", True),
    ]
    assert (found["requirement"], found["missing"], found["main"]) == ("met", [], "van_ban.pdf")
    shown = congvan("verify", file, *folders, *known, "--policy").output
    assert "(cá nhân)" in shown
    assert "(cơ quan, tổ chức)" in shown
    assert "Đủ chữ ký số hợp lệ" in shown


@pytest.mark.parametrize(
    "case, code, requirement, reason",
    [
        ("signed_pdf", 0, "met", ""),
        ("annex_unsigned", 1, "not_met", "annex_unsigned"),
        ("forged", 1, "not_met", "broken_main"),
        ("foreign_signature", 1, "not_met", "signer_of_another"),
    ],
)
def test_the_requirement_of_a_letter(  # noqa: PLR0917 - fixtures and a row of the table
    province, folders, known, tmp_path, case, code, requirement, reason
):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1, case=case))
    done = congvan("verify", file, *folders, *known, "--policy", "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["requirement"], found["reason"]) == (code, requirement, reason)


def test_without_a_directory_signers_are_unknown_and_it_says_so(province, folders, tmp_path):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1))
    done = congvan("verify", file, *folders, "--policy", "--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["passed"], found["requirement"]) == (1, True, "not_met")
    assert {one["signer"]["kind"] for one in found["signatures"]} == {"unknown"}
    assert "--directory" in congvan("verify", file, *folders, "--policy", "--language", "en").output


def test_the_workbook_serves_as_well_as_sheets(province, folders, known, tmp_path):
    alone = offline.sheets(
        [offline.DirectoryFile(name=one.name, raw=one.read_bytes()) for one in known[1::2]], datetime.now(UTC)
    )
    assert [one for one in alone.findings if one.severity == "error"] == []
    state = directory_plan.State(
        **{
            kind: {change.after.key: change.after for change in getattr(planned(known), kind)}
            for kind in ("agencies", "officers", "certificates")
        }
    )
    notes = xlsx_write.Notes(title="Ghi chú", lines=())
    book = tmp_path / "danh-muc.xlsx"
    book.write_bytes(xlsx_write.write(notes, directory_pages.laid_out(state, "vi")))
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1))
    done = congvan("verify", file, *folders, "--directory", book, "--policy", "--json")
    assert (done.exit_code, json.loads(done.output)["requirement"]) == (0, "met")


def planned(known):
    sheets = {}
    for path in known[1::2]:
        kind = path.name.partition(".")[0]
        sheets[kind] = directory_csv.read(directory_entries.LAYOUTS[kind], path.read_bytes()).rows
    return directory_plan.plan(directory_plan.State(), sheets, datetime.now(UTC).date())


def test_a_directory_with_errors_is_told_and_not_used(province, tmp_path):
    (tmp_path / "agency.csv").write_text("code,name,kind,level,valid_from\nH13.01,Sở Thử,x,2,khong\n")
    (tmp_path / "letter.edxml").write_bytes(province.letter(1))
    done = congvan("verify", tmp_path / "letter.edxml", "--directory", tmp_path / "agency.csv", "--policy")
    assert done.exit_code == 2
    assert "agency.valid_from:2" in done.stderr


def test_a_signature_file_finds_its_file_beside_it(province, folders, tmp_path):
    report = tmp_path / "bao-cao.docx"
    report.write_bytes(b"report")
    signature = tmp_path / "bao-cao.docx.p7s"
    signature.write_bytes(p7_write.sign(b"report", [signer(province)], at=datetime.now(UTC)))
    found = json.loads(congvan("verify", signature, *folders, "--json").output)
    (one,) = found["signatures"]
    assert (found["form"], one["where"], one["carrier"], one["format"]) == (
        "p7",
        "bao-cao.docx",
        "bao-cao.docx.p7s",
        "cades",
    )
    assert one["indication"] == "TOTAL_PASSED"
    assert "bao-cao.docx.p7s" in congvan("verify", signature, *folders).output
    (tmp_path / "khac").write_bytes(b"another")
    done = congvan("verify", signature, *folders, "--content", tmp_path / "khac", "--json")
    assert (done.exit_code, json.loads(done.output)["signatures"][0]["sub_indication"]) == (1, "HASH_FAILURE")
    report.unlink()
    done = congvan("verify", signature, *folders, "--json")
    told = json.loads(done.output)["signatures"][0]
    assert (done.exit_code, told["indication"], told["sub_indication"]) == (
        1,
        "INDETERMINATE",
        "SIGNED_DATA_NOT_FOUND",
    )


@pytest.mark.parametrize("name", ["ban-ve.p7s", "chu-ky.bin"])
def test_a_signature_file_by_stem_and_by_what_it_is(province, folders, tmp_path, name):
    (tmp_path / "ban-ve.dwg").write_bytes(b"drawing")
    (tmp_path / name).write_bytes(p7_write.sign(b"drawing", [signer(province)], at=datetime.now(UTC)))
    given = [] if name.endswith("p7s") else ["--content", tmp_path / "ban-ve.dwg"]
    assert congvan("verify", tmp_path / name, *folders, *given).exit_code == 0


def test_a_content_within(province, folders, tmp_path):
    file = tmp_path / "bao-cao.pdf.p7m"
    file.write_bytes(
        p7_write.sign(
            pdf_write.blank(["x"]), [signer(province)], at=datetime.now(UTC), inside=True, armoured=True
        )
    )
    assert congvan("verify", file, *folders).exit_code == 0


def test_a_letter_signed_in_a_file_beside_its_main_document(province, folders, known, tmp_path):
    person, at = holder(province, "person"), datetime.now(UTC)
    pdf = pdf_write.sign(pdf_write.blank(["x"]), person.key, person.certificate, at=at, field="A")
    seal = p7_write.sign(pdf, [signer(province)], at=at)
    file = tmp_path / "letter.edxml"
    file.write_bytes(letter(province, ("main.pdf", pdf), ("main.pdf.p7s", seal)))
    done = congvan("verify", file, *folders, *known, "--policy", "--json")
    found = json.loads(done.output)
    assert [(one["where"], one["carrier"], one["format"], one["main"]) for one in found["signatures"]] == [
        ("main.pdf", None, "pades", True),
        ("main.pdf", "main.pdf.p7s", "cades", True),
    ]
    assert (done.exit_code, found["requirement"], found["main"]) == (0, "met", "main.pdf")
    file.write_bytes(letter(province, ("main.pdf", pdf), ("main.pdf.p7s", p7s.signed(pdf))))
    done = congvan("verify", file, *folders, *known, "--policy", "--json")
    assert (done.exit_code, json.loads(done.output)["requirement"]) == (1, "not_met")


def test_an_attachment_that_cannot_be_decoded_is_named(province, folders, tmp_path):
    raw = letter(province, ("bao-cao.pdf", pdf_write.blank(["x"])))
    file = tmp_path / "letter.edxml"
    file.write_bytes(raw.replace(b"JVBERi0", b"J*BERi0"))
    done = congvan("verify", file, *folders)
    assert done.exit_code == 2
    assert "bao-cao.pdf" in done.stderr


def test_policy_is_about_letters_only(folders, tmp_path):
    (tmp_path / "a.pdf").write_bytes(pdf_write.blank(["x"]))
    done = congvan("verify", tmp_path / "a.pdf", *folders, "--policy")
    assert done.exit_code == 2
    assert "--policy" in done.stderr


def test_what_is_not_examined_is_told(province, folders, tmp_path):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("_xmlsignatures/sig1.xml", "x")
    (tmp_path / "a.docx").write_bytes(archive.getvalue())
    done = congvan("verify", tmp_path / "a.docx", *folders, "--json")
    assert done.exit_code == 1
    assert [one["code"] for one in json.loads(done.output)["findings"]] == ["office_signature"]
    assert "a.docx" in congvan("verify", tmp_path / "a.docx").output


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_card_fits_every_screen(province, folders, known, tmp_path, columns, language):
    file = tmp_path / "letter.edxml"
    file.write_bytes(province.letter(1, case="annex_unsigned"))
    arguments = ("verify", file, *folders, *known, "--policy", "--language", language)
    shown = congvan(*arguments, COLUMNS=str(columns)).output
    assert max(map(len, shown.splitlines())) <= columns
    labels = [
        texts.say(f"verify.{one}", language) for one in ("what", "by", "for", "when", "why", "certificate")
    ]
    assert all(shown.count(f"   {label}  ") >= 2 for label in labels)


def test_names_of_strangers_do_not_steer_the_screen(folders, tmp_path):
    key = keys.new_key()
    ours = keys.root("Gốc", key=key, at=datetime(2026, 1, 1, tzinfo=UTC))
    held = keys.certificate(
        ours, "\x1b[31mĐỏ\u202e", key.public_key(), at=datetime(2026, 1, 1, tzinfo=UTC), serial=5
    )
    file = tmp_path / "a.xml"
    file.write_bytes(seal.sign_xml(b"<a/>", key, held, at=datetime(2026, 2, 1, tzinfo=UTC)))
    for shown in (congvan("verify", file).output, congvan("verify", file, "--json").output):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
