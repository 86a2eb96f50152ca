"""`congvan send` as a script and a clerk see it: real commands, the real server, lines that break."""

import asyncio
import hashlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import time

import pytest
from clerk import congvan, environment, program, start
from cryptography.hazmat.primitives import serialization
from province import fetch, quick_letter
from weak_line import Fault, WeakLine, answering

from exchange.broker import receipts
from exchange.links import statement
from signing import keys

numbers = iter(range(20_000, 30_000))
HOSTILE = "V/v \u009b2J\u202ecod.exe\x1b[31mđỏ"


@pytest.fixture
def letter(tmp_path):
    """Makes letters as files."""

    def make(name=None, raw=None, **given):
        number = next(numbers)
        path = tmp_path / (name or f"{number}.edxml")
        path.write_bytes(quick_letter(number, **given) if raw is None else raw)
        return path

    return make


def rows(server, statement, *arguments):
    return asyncio.run(fetch(server.dsn, statement, *arguments))


@pytest.fixture(scope="module")
def receipt_key(shared_server, tmp_path_factory):
    """The exchange's public key as a file."""
    key = receipts.load(shared_server.folder / "receipt.key", "").key
    path = tmp_path_factory.mktemp("key") / "receipt.pub"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, form))
    return path


def test_a_letter_is_accepted_and_told_in_words(shared_server, letter, receipt_key):
    path = letter(recipients=("H13.02", "X99.99"))
    ran = program(shared_server, "send", path, "--receipt-key", receipt_key)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"{path}: accepted."
    assert re.fullmatch(r"  Receipt [0-9a-f-]{36}, letter [0-9a-f-]{36}\.", lines[1])
    assert lines[2:4] == ["  Recipients: H13.02", "  Cannot be reached: X99.99"]
    assert any(line.startswith("  Signatures: ") for line in lines)
    assert any(line.startswith("  Counted as: ") for line in lines)
    assert any(line.startswith("  warning") for line in lines)


def test_in_vietnamese(shared_server, letter):
    path = letter()
    said = congvan(shared_server, "send", path, CONGVAN_LANGUAGE="vi").out
    assert f"{path}: đã tiếp nhận." in said
    assert "Nơi nhận: H13.02" in said
    assert f"{path}: accepted before" not in said
    assert "was accepted before" in congvan(shared_server, "send", path, "--language", "en").out


def test_several_files_as_json(shared_server, letter):
    """One refusal does not stop the rest; one object, exit 1."""
    good, bad, replay = letter(), letter(raw=b"<x/>"), letter()
    assert congvan(shared_server, "send", replay).code == 0
    ran = congvan(shared_server, "send", good, bad, replay, "--json")
    assert (ran.code, ran.err) == (1, "")
    files = ran.json["files"]
    assert [one["outcome"] for one in files] == ["accepted", "refused", "replayed"]
    assert [one["file"] for one in files] == [str(good), str(bad), str(replay)]
    assert files[0]["receipt"]["sha256"] == hashlib.sha256(good.read_bytes()).hexdigest()
    assert files[0]["requirement"] == "not_met"
    assert files[1]["problem"]["code"] == "not_edxml"


def test_a_refusal_says_what_where_and_what_to_do(shared_server, letter):
    raw = quick_letter(next(numbers)).replace(
        b"<edXML:Subject>", b"\n\n<edXML:DocumentId>x</edXML:DocumentId><edXML:Subject>"
    )
    ran = congvan(shared_server, "send", letter(raw=raw))
    assert (ran.code, ran.out) == (1, "")
    assert "Refused: The message has errors (findings, HTTP 422)." in ran.err
    assert re.search(r"  error, line \d+: \S", ran.err)
    assert re.search(r"  Request: \S+", ran.err)


def test_standard_input(shared_server):
    raw = quick_letter(next(numbers))
    assert congvan(shared_server, "send", "-", stdin=raw).out.startswith("-: accepted.")
    assert congvan(shared_server, "send", "-", "--quiet", stdin=raw).out == ""
    assert congvan(shared_server, "send", "-", "-", stdin=raw).code == 2
    assert congvan(shared_server, "send", "-", "--secret-file", "-", stdin=raw, CONGVAN_SECRET=None).code == 2


def test_metadata_reach_the_exchange(shared_server, letter):
    path = letter(recipients=("H13.02", "H13.31"))
    options = [
        "--main",
        "tờ trình.pdf",
        "--copy",
        "true_copy",
        "--purpose",
        "H13.02:act",
        "--purpose",
        "H13.31:inform",
    ]
    ran = congvan(shared_server, "send", path, *options, "--paper-reason", "government", "--test", "--json")
    assert ran.code == 0, ran.err
    named = ran.json["files"][0]["receipt"]["letter"]
    (row,) = rows(shared_server, "SELECT * FROM letter WHERE id = $1", named)
    assert (row["copy_form"], row["test"], row["paper_reason"]) == ("true_copy", True, "government")
    found = rows(shared_server, "SELECT purpose FROM delivery WHERE letter = $1", named)
    assert {one["purpose"] for one in found} == {"act", "inform"}


USAGE = {
    "no file": (),
    "missing": ("missing.edxml",),
    "folder": ("/",),
    "purpose": ("-", "--purpose", "H13.01:read"),
    "purpose alone": ("-", "--purpose", "act"),
    "copy": ("-", "--copy", "photo"),
    "reason": ("-", "--paper-reason", "because"),
    "resend": ("-", "--resend", "0"),
    "key": ("-", "--receipt-key", "/etc/passwd"),
    "language": ("-", "--language", "fr"),
    "patience": ("-", "--patience", "0"),
    "patience nan": ("-", "--patience", "nan"),
    "secret": ("-", "--secret", "hunter2-planted"),
    "two secrets": ("-", "--secret", "cv_a_b", "--secret-file", "/etc/passwd"),
    "secret file": ("-", "--secret-file", "/etc/passwd"),
    "server": ("-", "--server", "truc.example"),
    "server path": ("-", "--server", "https://truc.example/v1"),
    "server http": ("-", "--server", "http://truc.example"),
    "authorities": ("-", "--server", "https://127.0.0.1:9", "--ca", "/etc/passwd"),
    "certificate": ("-", "--server", "https://127.0.0.1:9", "--certificate", "/etc/passwd"),
    "receipt": ("-", "/etc/passwd", "--receipt", "one.json"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_2_and_sends_nothing(name, tmp_path):
    with WeakLine() as line:
        ran = congvan(None, "send", *USAGE[name], url=line.url, CONGVAN_SECRET="cv_id_planted", stdin=b"x")
        assert line.connections == 0
    assert (ran.code, ran.out) == (2, "")
    assert ran.err
    assert "planted" not in ran.err


@pytest.mark.parametrize("missing", ["CONGVAN_SERVER", "CONGVAN_SECRET"])
def test_where_and_who_are_asked_for(missing):
    settings = {"CONGVAN_SERVER": "http://127.0.0.1:9", "CONGVAN_SECRET": "cv_a_b"} | {missing: None}
    ran = congvan(None, "send", "-", **settings)
    assert ran.code == 2
    assert missing in ran.err


def test_the_key_from_a_file_or_standard_input(shared_server, letter, tmp_path):
    key = tmp_path / "key"
    key.write_text(shared_server.province.key_of("H13.01") + "\n")
    path = letter()
    for given in (["--secret-file", key], ["--secret", key.read_text().strip()]):
        assert congvan(shared_server, "send", path, *given, CONGVAN_SECRET=None).code == 0
        assert congvan(shared_server, "send", path, *given, CONGVAN_SECRET="cv_wrong_key").code == 0
    assert congvan(shared_server, "send", path, CONGVAN_SECRET=None, CONGVAN_SECRET_FILE=key).code == 0
    ran = congvan(
        shared_server, "send", path, "--secret-file", "-", CONGVAN_SECRET=None, stdin=key.read_bytes()
    )
    assert ran.code == 0


def test_no_key_is_ever_printed(shared_server, letter):
    """Whatever goes well or wrong."""
    key = shared_server.province.key_of("H13.01")
    path, outputs = letter(), []
    for given in (
        (),
        ("--json",),
        ("--server", "http://127.0.0.1:9"),
        ("--server", f"https://{key}@truc.example"),
    ):
        ran = congvan(shared_server, "send", path, *given, CONGVAN_PATIENCE="1")
        outputs += [ran.out, ran.err]
    wrong = congvan(shared_server, "send", path, CONGVAN_SECRET=key + "x", CONGVAN_SYSTEM="i-office-7")
    assert (wrong.code, "unauthenticated" in wrong.err, "i-office-7" in wrong.err) == (1, True, True)
    assert not [one for one in (*outputs, wrong.out, wrong.err) if key.split("_")[2] in one]


def test_503_is_asked_again_with_one_key_and_429_waits(shared_server, letter):
    faults = [answering(503), Fault(down=3), answering(429, b"{}", "Retry-After: 1"), Fault("reset", up=20)]
    with WeakLine(shared_server.url, faults) as line:
        started = time.monotonic()
        ran = congvan(shared_server, "send", letter(), url=line.url)
        assert ran.code == 0, ran.err
        assert time.monotonic() - started > 1
        assert line.connections == 5
        assert len(set(line.header("Idempotency-Key"))) == 1
        assert len(line.header("Idempotency-Key")) >= 3


def test_the_answer_is_lost_and_the_letter_is_one(shared_server, letter):
    """The exchange accepted; nobody heard it. Asked again it says: the same again, and that is the receipt."""
    with WeakLine(shared_server.url, [Fault(down=1)]) as line:
        ran = congvan(shared_server, "send", letter(), "--json", url=line.url)
    (one,) = ran.json["files"]
    assert (ran.code, one["outcome"]) == (0, "replayed")


@pytest.mark.parametrize("how", ["nobody", "silent", "503"])
def test_an_honest_end(shared_server, letter, how):
    """Exit 3, outcome unknown, sending again is safe; the rest is not tried; within the patience."""
    with socket.create_server(("127.0.0.1", 0)) as silent, WeakLine(always=answering(503)) as busy:
        urls = {
            "nobody": "http://127.0.0.1:9",
            "silent": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "503": busy.url,
        }
        started = time.monotonic()
        ran = congvan(shared_server, "send", letter(), letter(), url=urls[how], CONGVAN_PATIENCE="2")
        assert time.monotonic() - started < 12
    assert (ran.code, ran.out) == (3, "")
    assert "Outcome unknown" in ran.err
    assert "Sending again is safe." in ran.err
    assert "not sent." in ran.err


def test_the_end_as_json(shared_server, letter):
    good, bad = letter(), letter(raw=b"<x/>")
    with WeakLine(shared_server.url, [None, None], always=Fault(up=0)) as line:
        ran = congvan(shared_server, "send", bad, good, good, "--json", url=line.url, CONGVAN_PATIENCE="1")
    outcomes = [one["outcome"] for one in ran.json["files"]]
    assert ran.code in {0, 1, 3}
    assert outcomes[0] == "refused"
    assert ran.code == (1 if "unknown" not in outcomes else 3)


def test_the_server_dies_and_comes_back(server, letter):
    """Killed while letters are sent: the command goes on when the server is there again, and nothing is doubled."""
    files = [letter() for _ in range(12)]
    process = start("send", *files, "--json", env=environment(server, CONGVAN_PATIENCE="60"))
    time.sleep(1.2)
    server.process.kill()
    server.process.wait()
    time.sleep(0.5)
    server.start()
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    told = json.loads(out)["files"]
    assert {one["outcome"] for one in told} <= {"accepted", "replayed"}
    assert len({one["receipt"]["letter"] for one in told}) == len(files)


def test_a_receipt_is_kept_and_checked(shared_server, letter, receipt_key, tmp_path):
    path, kept, folder = letter(), tmp_path / "one.json", tmp_path / "receipts"
    folder.mkdir()
    assert congvan(shared_server, "send", path, "--receipt", kept, "--receipt-key", receipt_key).code == 0
    key = keys.load_statement_public_key(receipt_key.read_bytes())
    assert statement.fault(kept.read_bytes(), path.read_bytes(), key) == ""
    assert congvan(shared_server, "send", path, "--receipt", kept).code == 0  # the same bytes again
    assert congvan(shared_server, "send", path, letter(), "--receipt", folder).code == 0
    assert {one.read_bytes() == kept.read_bytes() for one in folder.iterdir()} == {True, False}
    kept.write_text("precious")
    ran = congvan(shared_server, "send", path, "--receipt", kept)
    assert (ran.code, kept.read_text()) == (2, "precious")
    assert "accepted, but its receipt could not be kept" in ran.err


def test_a_receipt_with_another_key_is_doubtful(shared_server, letter, tmp_path):
    other = tmp_path / "other.pub"
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    other.write_bytes(keys.new_statement_key().public_key().public_bytes(serialization.Encoding.PEM, form))
    ran = congvan(shared_server, "send", letter(), "--receipt-key", other)
    assert ran.code == 1
    assert "signed with another key" in ran.err


def liar(**changes):
    receipt = {
        "id": "1",
        "letter": "2",
        "sha256": "0" * 64,
        "size": 1,
        "recipients": [HOSTILE],
        "sender": HOSTILE,
    } | changes
    return json.dumps(
        {"receipt": receipt, "requirement": HOSTILE, "signature": {}}, ensure_ascii=False
    ).encode()


ANSWERS = {
    "other bytes": (answering(201, liar()), 1),
    "no receipt": (answering(201, b"{}"), 1),
    "html": (answering(200, b"<html>", content_type="text/html"), 1),
    "empty": (answering(201, b""), 1),
    "redirect": (answering(302, b"", "Location: http://127.0.0.1:9/"), 1),
    "500": (answering(500, b"{}"), 3),
    "list": (answering(422, b"[1]"), 1),
    "hostile": (answering(422, json.dumps({"code": HOSTILE, "title": HOSTILE, "detail": HOSTILE, "findings": [{"text": HOSTILE, "severity": HOSTILE, "line": HOSTILE}, 1, None], "request_id": HOSTILE}).encode()), 1),
    "many findings": (answering(422, json.dumps({"findings": [{"text": "x"}] * 10_000}).encode()), 1),
    "findings no list": (answering(422, json.dumps({"findings": {"a": 1}, "title": None}).encode()), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_a_server_that_lies_steers_no_terminal(letter, name, options):
    fault, code = ANSWERS[name]
    with WeakLine(always=fault) as line:
        ran = congvan(
            None, "send", letter(), *options, url=line.url, CONGVAN_SECRET="cv_a_b", CONGVAN_PATIENCE="2"
        )
    assert ran.code == code
    assert not [one for one in ran.out + ran.err if not (one.isprintable() or one == "\n")]
    if options:
        assert ran.json["files"][0]["outcome"] in {"doubtful", "refused", "unknown"}
    assert len(ran.err) < 20_000


def test_hostile_names_of_files(shared_server, letter):
    path = letter(name=f"a{HOSTILE}".replace("/", ""))
    ran = congvan(shared_server, "send", path)
    assert ran.code == 0
    assert not [one for one in ran.out if not (one.isprintable() or one == "\n")]


def test_progress_only_for_a_person(shared_server, letter):
    """A bar on a terminal's standard error; none with --json, none in a file."""
    path = letter(raw=quick_letter(next(numbers)) + b"<!--" + os.urandom(1_200_000).hex().encode() + b"-->")
    for options, shown in (((), True), (("--quiet",), False), (("--json",), False)):
        master, slave = pty.openpty()
        command = ["send", path, *options]
        env = environment(shared_server, TERM="xterm", COLUMNS="120")
        watched = start(*command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave)
        os.close(slave)
        drawn = drain(master)
        assert watched.wait(60) == 0
        assert ("MB" in drawn) is shown, drawn


def drain(master):
    pieces = []
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(master)
    return b"".join(pieces).decode(errors="replace")


def test_a_large_letter_over_a_bad_line(shared_server, letter):
    raw = quick_letter(next(numbers)) + b"<!--" + os.urandom(1_000_000).hex().encode() + b"-->"
    with WeakLine(shared_server.url, always=Fault(up=700_000)) as line:
        ran = congvan(shared_server, "send", letter(raw=raw), "--json", url=line.url)
        assert line.up < 2 * len(raw)
    (one,) = ran.json["files"]
    assert (ran.code, one["outcome"], one["receipt"]["size"]) == (0, "accepted", len(raw))


def heeding():
    """A suite that runs in the background ignores interrupts, and what it starts would too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_it(letter):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        process = start(
            "send", letter(), env=environment(None, url=url, CONGVAN_SECRET="cv_a_b"), preexec_fn=heeding
        )
        silent.settimeout(60)
        with silent.accept()[0]:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert b"Traceback" not in err
