"""`congvan show` and `congvan lint`, as a person and as a script see them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from exchange import texts
from exchange.cli import letters

FIXTURES = Path(__file__).parents[1] / "edxml" / "fixtures"
GOOD = (FIXTURES / "new_dotnet.edxml").read_bytes()


def run(command, *arguments: str, content: bytes | None = None) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(command, [*arguments], input=content)


@pytest.mark.parametrize("command", [letters.show, letters.lint])
@pytest.mark.parametrize(
    "name", sorted(file.relative_to(FIXTURES).as_posix() for file in FIXTURES.rglob("*.edxml"))
)
def test_exit_codes(command, name):
    unreadable = {"garbage_before_declaration.edxml", "doctype.edxml", "flat_other_vocabulary.edxml"}
    damaged = {"samples/new_dotnet_undeclared_prefix.edxml"}
    for options in ((), ("--json",), ("--language", "en")):
        done = run(command, str(FIXTURES / name), *options)
        assert done.exit_code == 2 * (name in unreadable) + (command is letters.lint and name in damaged)


@pytest.mark.parametrize("command", [letters.show, letters.lint])
def test_usage(command):
    assert run(command, str(FIXTURES / "no-such-file.edxml")).exit_code == 2
    assert run(command).exit_code == 2
    assert run(command, "-", "--language", "fr", content=GOOD).exit_code == 2


def test_show_for_people():
    shown = run(letters.show, str(FIXTURES / "revoke_java.edxml")).output
    for fact in (
        "218/STN-VP",
        "Sở Thử nghiệm tỉnh Mẫu (000.00.07.H99)",
        "UBND huyện Ví Dụ (H99.30)",
        "05/03/2024",
    ):
        assert fact in shown
    for fact in (
        "Thu hồi, Thu hồi do ban hành nhầm",
        "Lê Thị Mẫu",
        "77/BKT-VP",
        "cong-van.pdf",
        "125",
        "pdf",
    ):
        assert fact in shown
    assert "Không có phát hiện nào." in shown


def test_show_a_notice_in_english():
    shown = run(letters.show, str(FIXTURES / "status_02_refused.edxml"), "--language", "en").output
    for fact in ("Notice", "02, Refused", "Bộ Kiểm thử (000.00.00.G99)", "218/STN-VP", "2024/03/05 14:08:36"):
        assert fact in shown


def test_the_language_comes_from_the_environment():
    result = CliRunner(env={"CONGVAN_LANGUAGE": "en"}).invoke(
        letters.lint, [str(FIXTURES / "new_dotnet.edxml")]
    )
    assert result.output == "No findings.\n"


def test_show_as_json():
    shown = json.loads(run(letters.show, str(FIXTURES / "update_java.edxml"), "--json").output)
    assert {
        name: shown[name] for name in ("readable", "kind", "operation", "operation_name", "number", "paper")
    } == {
        "readable": True,
        "kind": "letter",
        "operation": "update",
        "operation_name": "Cập nhật",
        "number": "219",
        "paper": 1,
    }
    assert shown["issued_on"] == "2024-03-07"
    assert shown["sender"]["code"] == "000.00.07.H99"
    assert shown["update"]["receivers"] == [
        {"code": "H99.30", "added": True},
        {"code": "G12.18", "added": False},
    ]
    assert shown["findings"] == []


def test_attachments_as_json():
    shown = json.loads(run(letters.show, str(FIXTURES / "new_returned_by_axis.edxml"), "--json").output)
    (attachment,) = shown["attachments"]
    assert "encoded" not in attachment
    assert (attachment["name"], attachment["size"], attachment["kind"], attachment["wrapped"]) == (
        *("HUONG DAN.SIGNED.PDF", 125, "pdf"),
        True,
    )


def test_lint_as_json():
    content = GOOD.replace(b"<edXML:CodeNumber>15/2024</edXML:CodeNumber>", b"").replace(
        b"Priority>3", b"Priority>7"
    )
    result = run(letters.lint, "-", "--json", "--language", "en", content=content)
    assert result.exit_code == 1
    header = "edXML/edXMLEnvelope/edXMLHeader/MessageHeader"
    assert json.loads(result.output) == {
        "readable": True,
        "repaired": False,
        "findings": [
            {
                "severity": "error",
                "code": "missing",
                "path": f"{header}/Code/CodeNumber",
                "line": line_of(content, b"<edXML:Code>"),
                "text": "CodeNumber is mandatory and missing.",
            },
            {
                "severity": "warning",
                "code": "unknown_code",
                "path": f"{header}/OtherInfo/Priority",
                "line": line_of(content, b"<edXML:Priority>"),
                "text": "Priority has an unknown code: “7”.",
            },
        ],
    }


def line_of(content: bytes, mark: bytes) -> int:
    return content[: content.index(mark)].count(b"\n") + 1


def test_lint_for_people():
    content = GOOD.replace(b"<edXML:Subject>", b"<edXML:subject>x</edXML:subject><edXML:Subject>")
    result = run(letters.lint, "-", content=content)
    assert result.exit_code == 1
    at = line_of(content, b"<edXML:Subject>")
    assert result.output == (
        f"Lỗi twice edXML/edXMLEnvelope/edXMLHeader/MessageHeader/Subject dòng {at}: Subject xuất hiện hơn một lần "
        f"(lần đầu ở dòng {at}); hệ thống không tự chọn giá trị nào.\n"
        "Lỗi: 1. Cảnh báo: 0. Ghi chú: 0.\n"
    )


def test_damaged_attachments_are_errors():
    content = GOOD.replace(b"<ContentTransferEncoded>", b"<ContentTransferEncoded>!")
    assert run(letters.lint, "-", content=content).exit_code == 1
    assert run(letters.show, "-", content=content).exit_code == 0


def test_unreadable_for_scripts_and_people():
    result = run(letters.lint, "-", "--json", content=b"1212")
    told = json.loads(result.output)
    assert (told["readable"], told["code"], told["findings"][0]["line"]) == (False, "not_xml", 1)
    result = run(letters.show, "-", content=b"1212")
    assert result.stdout == ""
    assert result.stderr.startswith("Không đọc được tệp.\nLỗi not_xml dòng 1: ")


def test_foreign_text_cannot_write_to_the_terminal():
    content = GOOD.decode().replace("Về việc phê", "[red]Về\u009b31m\u202e[/red]việc phê").encode()
    shown = run(letters.show, "-", content=content).output
    assert "[red]Về\\x9b31m\\u202e[/red]việc phê" in shown
    assert "\u202e" not in shown


def test_both_languages_have_the_same_keys_and_facts():
    vietnamese, english = (texts.catalogue(language) for language in texts.LANGUAGES)
    for key in vietnamese.keys() | english.keys():
        if key.startswith(("finding.", "show.")):
            assert vietnamese[key].count("{") == english[key].count("{"), key
