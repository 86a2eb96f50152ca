"""`congvan verify` and `congvan sign` as a person runs them: files in, exit codes and tables out."""

import hashlib
import json

import pytest
from click.testing import CliRunner

from exchange.cli import main
from signing import keys, pdf_write


def congvan(*arguments):
    return CliRunner().invoke(main.main, [str(one) for one in arguments], env={"COLUMNS": "140"})


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


@pytest.mark.parametrize("name, raw", [("a.xml", b"<a><b>1</b></a>"), ("a.pdf", pdf_write.blank(["ky thu"]))])
def test_what_sign_makes_verify_accepts(province, folders, tmp_path, name, raw):
    holder = province.ours.seals["H13.01"]
    (tmp_path / name).write_bytes(raw)
    (tmp_path / "key.pem").write_bytes(keys.private_pem(holder.key))
    (tmp_path / "certificate.der").write_bytes(holder.der)
    signed = tmp_path / f"signed-{name}"
    made = congvan(
        "sign",
        tmp_path / name,
        "--key",
        tmp_path / "key.pem",
        "--certificate",
        tmp_path / "certificate.der",
        "--out",
        signed,
    )
    assert made.exit_code == 0, made.output
    assert congvan("verify", signed, *folders).exit_code == 0
    assert (
        congvan("sign", tmp_path / name, "--key", signed, "--certificate", signed, "--out", signed).exit_code
        == 2
    )


def test_what_sign_made_as_json(province, tmp_path):
    holder = province.ours.seals["H13.01"]
    source, key, certificate, signed = (
        tmp_path / name for name in ("a.xml", "key.pem", "c.der", "signed.xml")
    )
    source.write_bytes(b"<a><b>1</b></a>")
    key.write_bytes(keys.private_pem(holder.key))
    certificate.write_bytes(holder.der)
    made = congvan("sign", source, "--key", key, "--certificate", certificate, "--out", signed, "--json")
    raw, told = signed.read_bytes(), json.loads(made.output)
    assert (told["sha256"], told["size"]) == (hashlib.sha256(raw).hexdigest(), len(raw))
    assert told["certificate_sha256"] == hashlib.sha256(holder.der).hexdigest()
    assert (told["file"], told["out"]) == ("a.xml", str(signed))
