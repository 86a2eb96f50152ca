"""`congvan new` from facts, and about earlier letters: every operation, notices, and the way back of `congvan show`."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from letters_generated import VENDORS

from exchange.cli import main
from exchange.edxml import attachments, model, read, view
from signing import pdf_write

FIXTURES = Path(__file__).parents[1] / "edxml" / "fixtures"
READABLE = sorted(
    path.relative_to(FIXTURES).as_posix()
    for path in FIXTURES.rglob("*.edxml")
    if path.name not in {"doctype.edxml", "flat_other_vocabulary.edxml", "garbage_before_declaration.edxml"}
)
PDF = pdf_write.blank(["Công văn"])
ORIGINAL = "H13.01,2026/11/05,7/CV-STC"


def congvan(*arguments, code=0):
    environment = {"COLUMNS": "140", "CONGVAN_LANGUAGE": "en"}
    done = CliRunner().invoke(main.main, [str(one) for one in arguments], env=environment)
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a letter to three agencies that has a file."""
    monkeypatch.chdir(tmp_path)
    Path("main.pdf").write_bytes(PDF)
    congvan(
        "new", "--from", "H13.01", "--from-name", "Sở A", "--to", "H13.02", "--to", "H13.14", "--number", "7",
        "--notation", "CV-STC", "--subject", "V/v thử", "--issued", "2026-11-05", "--no-paper", "--attach", "main.pdf",
        "--out", "original.edxml",
    )  # fmt: skip
    return tmp_path


def made(*arguments):
    congvan("new", *arguments, "--out", "made.edxml")
    reading = read.read(Path("made.edxml").read_bytes())
    assert reading.findings == ()
    return reading.message


def again(facts, message):
    """What is told of a message, but what another way of writing it changes."""
    told = json.loads(json.dumps(view.facts(model.Reading(message=message))))
    for one in (told, facts):
        for name in ("readable", "repaired", "findings", "files", "issued_on_text", "due_on_text", "at_text"):
            one.pop(name, None)
        one["extensions"] = [known for known in one["extensions"] if known["path"] in VENDORS]
        for attached in one.get("attachments", ()):
            for name in ("transfer_type", "wrapped", "raw_name"):
                attached.pop(name, None)
        answered = one.get("response_for")
        for answer in answered if isinstance(answered, list) else [answered] if answered else []:
            answer.pop("issued_on_text", None)
    return told


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("way", ["embedded", "folder"])
def test_what_is_shown_makes_it_again(name, way, tmp_path):
    facts, out, folder = tmp_path / "facts.json", tmp_path / "again.edxml", tmp_path / "files"
    folder.mkdir()
    saved = ("--files", folder) if way == "folder" else ("--embed",)
    shown = congvan("show", FIXTURES / name, "--json", "--language", "vi", *saved).stdout
    facts.write_text(shown, encoding="utf-8")
    told = json.loads(shown)
    given = ("--files", folder) if way == "folder" else ()
    codes = {one["code"] for one in told["findings"]}
    if any(one["severity"] == "error" for one in told["findings"]) or codes & {"not_a_number", "same_name"}:
        return
    congvan("new", "--facts", facts, *given, "--out", out)
    assert again(told, read.read(out.read_bytes()).message) == told


def test_facts_without_their_files_are_not_a_letter(desk):
    Path("facts.json").write_text(congvan("show", "original.edxml", "--json").stdout, encoding="utf-8")
    done = congvan("new", "--facts", "facts.json", "--out", "made.edxml", code=2)
    assert "--embed" in done.stderr
    assert not Path("made.edxml").exists()


def test_options_speak_over_facts(desk):
    Path("facts.json").write_text(
        congvan("show", "original.edxml", "--json", "--embed").stdout, encoding="utf-8"
    )
    letter = made("--facts", "facts.json", "--subject", "Khác", "--from-name", "Sở B", "--paper")
    assert (letter.subject, letter.sender.code, letter.sender.name, letter.paper) == (
        "Khác",
        "H13.01",
        "Sở B",
        1,
    )
    assert [attachments.content(one) for one in letter.attachments] == [PDF]
    assert letter.document_id == ORIGINAL


@pytest.mark.parametrize("text", ["[]", "{", '{"readable": false}'], ids=["list", "broken", "unreadable"])
def test_what_holds_no_facts_is_refused(desk, text):
    Path("facts.json").write_text(text, encoding="utf-8")
    congvan("new", "--facts", "facts.json", "--out", "made.edxml", code=2)


def test_a_revocation_of_a_letter(desk):
    letter = made("--operation", "revoke", "--original", "original.edxml", "--reason", "Sai số")
    assert (letter.operation, letter.operation_reason, letter.target_document_id) == (
        "revoke",
        "Sai số",
        ORIGINAL,
    )
    assert [one.code for one in letter.recipients] == ["H13.02", "H13.14"]
    assert (letter.document_id, letter.number, letter.issued_on.isoformat()) == (ORIGINAL, "7", "2026-11-05")


def test_a_revocation_from_one_recipient(desk):
    letter = made("--operation", "revoke", "--original", "original.edxml", "--to", "H13.14")
    assert [one.code for one in letter.recipients] == ["H13.14"]


def test_an_update_of_recipients(desk):
    letter = made(
        "--operation", "update", "--original", "original.edxml", "--add", "H13.20", "--add", "H13.21", "--remove", "H13.14"
    )  # fmt: skip
    added = [model.Receiver(code=code, added=True) for code in ("H13.20", "H13.21")]
    removed = model.Receiver(code="H13.14", added=False)
    assert letter.update == model.Update(document=False, recipients=True, receivers=(*added, removed))
    assert letter.target_document_id == ORIGINAL


@pytest.mark.parametrize(
    "arguments, recipients", [((), False), (("--add", "H13.20", "--document-changes"), True)]
)
def test_an_update_of_the_document(desk, arguments, recipients):
    letter = made(
        "--operation", "update", "--original", "original.edxml", "--subject", "Trích yếu đúng", *arguments
    )
    assert (letter.update.document, letter.update.recipients, letter.subject) == (
        True,
        recipients,
        "Trích yếu đúng",
    )


def test_a_replacement_of_several_for_some(desk):
    letter = made(
        "--operation", "replace", "--original", "original.edxml", "--target", "X", "--replaced-for", "H13.02",
        "--replaced-for", "H13.14", "--number", "9", "--notation", "QĐ-STC", "--subject", "Thay thế",
    )  # fmt: skip
    codes = ("H13.02", "H13.14")
    assert letter.replaced == tuple(
        model.Replacement(document_id=one, codes=codes) for one in (ORIGINAL, "X")
    )
    assert (letter.type_name, letter.target_document_id, letter.number) == ("Quyết định", "", "9")
    assert letter.document_id != ORIGINAL


def test_a_letter_in_answer_to_another(desk):
    letter = made(
        "--from", "H13.02", "--to", "H13.01", "--number", "1", "--notation", "CV-B", "--subject", "V/v trả lời",
        "--answers", "original.edxml",
    )  # fmt: skip
    (answered,) = letter.response_for
    assert (answered.code, answered.reference, answered.document_id) == ("H13.01", "7/CV-STC", ORIGINAL)
    assert answered.issued_on.isoformat() == "2026-11-05"


@pytest.mark.parametrize("status", ["01", "02", "03", "04", "05", "06", "15", "16"])
def test_a_notice_of_a_recipient(desk, status):
    notice = made("--status", status, "--answers", "original.edxml", "--from", "H13.14", "--reason", "Đã xem")
    assert (notice.status, notice.sender.code, notice.description) == (status, "H13.14", "Đã xem")
    assert (notice.response_for.code, notice.response_for.document_id) == ("H13.01", ORIGINAL)
    assert notice.at is not None


def test_taking_back_is_the_senders_word_to_a_recipient(desk):
    notice = made("--status", "13", "--answers", "original.edxml", "--to", "H13.14", "--reason", "Gửi nhầm")
    assert (notice.sender.code, notice.response_for.code) == ("H13.01", "H13.14")
    assert notice.response_for.document_id == ORIGINAL


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--original", "original.edxml"], "--operation"),
        (
            ["--operation", "revoke", "--original", "original.edxml", "--target", "a", "--target", "b"],
            "--target",
        ),
        (["--operation", "revoke", "--original", "main.pdf"], "main.pdf"),
        (["--status", "03", "--answers", "original.edxml"], "sender"),
        (["--status", "03", "--from", "H13.02"], "response_for"),
        (["--from", "H13.01"], "recipients"),
    ],
    ids=["no_operation", "two_targets", "no_letter", "which_recipient", "no_answer", "no_recipient"],
)
def test_what_is_lacking_is_told(desk, arguments, told):
    done = congvan("new", *arguments, "--out", "made.edxml", code=2)
    assert told in done.stderr
    assert not Path("made.edxml").exists()


def test_who_declares_nothing_about_paper_is_told_so(desk):
    given = ["--from", "H13.01", "--to", "H13.02", "--number", "1", "--notation", "CV-A", "--subject", "V/v"]
    assert "--no-paper" in congvan("new", *given, "--out", "a.edxml").stderr
    assert b"Paper" not in Path("a.edxml").read_bytes()
    assert congvan("new", *given, "--no-paper", "--out", "b.edxml").stderr == ""
    assert b"<edXML:Paper>0</edXML:Paper>" in Path("b.edxml").read_bytes()


def test_files_are_saved_once_and_never_written_over(desk):
    congvan("show", "original.edxml", "--files", "saved")
    assert Path("saved/main.pdf").read_bytes() == PDF
    Path("saved/main.pdf").write_bytes(b"mine")
    done = congvan("show", "original.edxml", "--files", "saved", code=2)
    assert "main.pdf" in done.stderr
    assert Path("saved/main.pdf").read_bytes() == b"mine"


@pytest.mark.parametrize("where", ["nowhere/made.edxml", "main.pdf/made.edxml"])
def test_what_cannot_be_written_is_told(desk, where):
    given = ["--operation", "revoke", "--original", "original.edxml"]
    done = congvan("new", *given, "--out", where, code=2)
    assert where in done.stderr
    assert "Traceback" not in done.output


def test_a_folder_that_cannot_be_made_is_told(desk):
    done = congvan("show", "original.edxml", "--files", "main.pdf/saved", code=2)
    assert "main.pdf/saved" in done.stderr


@pytest.mark.parametrize("signer", ["x", 7, ["x"], None])
def test_a_signer_of_the_facts_that_is_none_gives_way_to_the_options(desk, signer):
    facts = json.loads(congvan("show", "original.edxml", "--json", "--embed").stdout) | {"signer": signer}
    Path("facts.json").write_text(json.dumps(facts), encoding="utf-8")
    assert made("--facts", "facts.json", "--signer", "B").signer.name == "B"
    congvan("new", "--facts", "facts.json", "--out", "none.edxml", code=0 if signer is None else 2)
