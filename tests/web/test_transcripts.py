"""Every transcript of the help, run page by page in one shell, on a real exchange: what it shows is what is printed."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from province import quick_letter, serving

from exchange import texts
from exchange.demo import agencies, authority, run
from exchange.edxml import attachments, read, write
from exchange.web import manual
from signing import keys, pdf_write

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the help calls curl")

BOTH = [(name, language) for language in texts.LANGUAGES for name in manual.PAGES]
MARK = "@@@ "
READY = "curl -sf http://$CONGVAN_LISTEN/readyz > /dev/null"


def steps(page):
    """The commands of a page in order, each with what is shown of its output; a remark after a command is none of it."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:].partition("   #")[0].strip(), []))
            else:
                found[-1][1].append(line)
    return found


def agree(shown, printed):
    """Whether the output is what is shown: `…` alone stands for any lines, at a line's end for the rest of it."""
    if not shown:
        return not printed
    first, *rest = shown
    if first == "…":
        return any(agree(rest, printed[skipped:]) for skipped in range(len(printed) + 1))
    if not printed:
        return False
    fits = (
        printed[0].startswith(first.removesuffix("…").rstrip())
        if first.endswith("…")
        else printed[0] == first
    )
    return fits and agree(rest, printed[1:])


def test_what_differs_is_seen():
    assert agree(["a", "…", "c"], ["a", "b", "b", "c"])
    assert agree(["a …"], ["a b"])
    assert agree(["…"], [])
    for shown in (["a"], ["a", "b", "c"], [], ["b …"], ["a", "…", "d"]):
        assert not agree(shown, ["a", "b"])


async def prepared(server):
    """A letter that waits for H13.01, and its delivery: what the help calls $LETTER and $DELIVERY."""
    async with server.client("H13.31") as sender, server.client("H13.01") as recipient:
        letter = quick_letter(1, sender="H13.31", recipients=["H13.01"], subject="V/v gặp mặt")
        receipt = (await sender.send(letter)).body["receipt"]
        (item,) = (await recipient.inbox()).body["items"]
    return receipt["letter"], item["id"]


@pytest.mark.parametrize("name, language", [one for one in BOTH if steps(manual.page(*one))])
def test_a_page_does_what_it_says(province, province_database, tmp_path, name, language):
    (tmp_path / "exchange").mkdir()
    with serving(province, province_database, tmp_path / "exchange") as server:
        letter, delivery = asyncio.run(prepared(server))
        port = str(run.free_port())
        place = tmp_path / "desk"
        place.mkdir()
        key = province.key_of("H13.01")
        (place / "key").write_text(key)
        (place / "letter.edxml").write_bytes(quick_letter(7))
        furnish_desk(place, province)
        (place / "congvan").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m exchange "$@"\n')
        (place / "congvan").chmod(0o755)
        given = steps(manual.page(name, language))
        environment = {
            **server.environment, "PATH": f"{place}:{os.environ['PATH']}", "CONGVAN_LANGUAGE": language,
            "CONGVAN_LISTEN": f"127.0.0.1:{port}", "SERVER": server.url, "KEY_FILE": str(place / "key"), "KEY": key,
            "LETTER": letter, "DELIVERY": delivery, "COLUMNS": "200",
        }  # fmt: skip
        done = subprocess.run(
            ["bash", "-c", script([command.replace("8470", port) for command, _ in given])],
            cwd=place, env=environment, capture_output=True, text=True, timeout=150, check=False,
        )  # fmt: skip
    answers = done.stdout.split(MARK)[1:]
    assert len(answers) == len(given), (done.stdout, done.stderr)
    for (command, shown), answer in zip(given, answers, strict=True):
        code, _, printed = answer.partition("\n")
        lines = printed.replace(port, "8470").rstrip("\n").split("\n") if printed.strip() else []
        assert (code, command) == ("0", command), (answer, done.stderr)
        assert agree(shown, lines), (command, shown, lines)


def furnish_desk(place, province):
    """What a person has who signs and verifies: trust, a directory, keys of a seal and an officer, files to sign."""
    at = datetime.now(UTC)
    seal = province.ours.seals["H13.01"]
    officer = next(one for (agency, _), one in province.ours.persons.items() if agency == "H13.01")
    for folder in ("trust", "crl"):
        (place / folder).symlink_to(province.folder / folder)
    for name, held in (("seal", seal), ("officer", officer)):
        (place / f"{name}.pem").write_bytes(keys.private_pem(held.key))
        (place / f"{name}.der").write_bytes(held.der)
    for name, sheet in (
        ("agency", agencies.agency_sheet()),
        ("officer", agencies.officer_sheet()),
        ("certificate", authority.sheet(province.ours, province.script.odd, at)),
    ):
        (place / f"{name}.csv").write_bytes(sheet)
    once = pdf_write.sign(pdf_write.blank(["Công văn"]), officer.key, officer.certificate, at=at, field="A")
    (place / "signed.pdf").write_bytes(once)
    (place / "main.pdf").write_bytes(pdf_write.sign(once, seal.key, seal.certificate, at=at, field="B"))
    (place / "plan.docx").write_bytes(b"plan")
    message = read.read(quick_letter(8)).message
    attached = attachments.encode("main.pdf", (place / "main.pdf").read_bytes(), "application/pdf")
    (place / "letter.signed.edxml").write_bytes(write.write(replace(message, attachments=(attached,))))


def script(commands):
    """Each command's exit code and output behind a mark; a server that is started is waited for, and stopped at the end."""
    lines = []
    for command in commands:
        if command.endswith("&"):
            lines.append(f"{command[:-1]} > printed 2>&1 &")
            lines.append(f"for try in $(seq 300); do {READY} && break; sleep 0.1; done; code=$?")
            lines.append("grep -v '^{' printed > shown; mv shown printed")
        else:
            lines.append(f"{{ {command}; }} > printed 2>&1; code=$?")
        lines.append(f'echo "{MARK}$code"; cat printed')
    return "\n".join([*lines, "kill $(jobs -p) 2> /dev/null; wait"])
