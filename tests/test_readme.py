"""Every transcript in the README, run: commands must succeed, and shown output must be what is printed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from province import quick_letter

from exchange.demo import agencies, run

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
CONGVAN = [sys.executable, "-m", "exchange"]


def commands(block):
    """The commands of a block, without prompt and remark."""
    return [line[2:].partition("   #")[0].strip() for line in block.splitlines() if line.startswith("$ ")]


def block_with(text):
    (found,) = [block for block in BLOCKS if text in block]
    return found


def same(printed):
    """What differs from run to run, made the same: the port and the seconds."""
    printed = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8470", printed)
    return [
        line.rstrip() for line in re.sub(r"\b\d+[.,]\d (giây|s)\b", r"7,5 \1", printed).strip().splitlines()
    ]


def test_the_two_commands_are_in_the_makefile():
    makefile = (README.parent / "Makefile").read_text()
    for command in commands(block_with("$ make test")):
        assert re.search(rf"^{command.split()[1]}:", makefile, re.MULTILINE)


def test_the_demo_prints_what_the_readme_shows():
    environment = {**os.environ, "COLUMNS": "100", "CONGVAN_LANGUAGE": "vi"}
    shown = block_with("$ congvan demo")
    (command,) = commands(shown)
    arguments = [*command.split()[1:], "--port", "0"]
    done = subprocess.run(
        [*CONGVAN, *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert same(done.stdout) == same(shown.partition("\n")[2])


@pytest.fixture
def place():
    """A folder that PostgreSQL's user can pass through, with the two files that the README names."""
    folder = Path(tempfile.mkdtemp(prefix="congvan-readme-"))
    folder.chmod(0o711)
    (folder / "agencies.csv").write_bytes(agencies.agency_sheet())
    (folder / "letter.edxml").write_bytes(quick_letter(1))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_an_exchange_is_run_as_the_readme_says(place):
    port = run.free_port()
    environment = {**os.environ, "CONGVAN_DATA": str(place / "data"), "CONGVAN_LISTEN": f"127.0.0.1:{port}"}
    serve, *rest = commands(block_with("$ congvan serve"))
    (place / "data").mkdir(mode=0o711)
    command = [*CONGVAN, *serve.split()[1:], "--allow-nobody"]
    with (place / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
    try:
        wait_ready(port, process, place / "serve.log")
        shell = {**environment, "PATH": f"{place}:{os.environ['PATH']}"}
        (place / "congvan").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m exchange "$@"\n')
        (place / "congvan").chmod(0o755)
        printed = "".join(said(line, place, shell) for line in rest)
        shell["KEY"] = shell["CONGVAN_SECRET"] = re.search(r"cv_[a-z0-9]+_[\w\-]+", printed)[0]
        shell["CONGVAN_SERVER"] = f"http://127.0.0.1:{port}"
        send, inbox = commands(block_with("$ congvan send"))
        assert "letter.edxml: đã tiếp nhận." in said(send, place, shell)
        said(inbox, place, shell)
        (curl,) = commands(block_with("curl"))
        if shutil.which("curl"):
            assert '"receipt":{' in said(curl.replace("8470", str(port)), place, shell)
    finally:
        process.terminate()
        process.wait(60)


def said(line, place, shell):
    """What a command prints; it must succeed."""
    done = subprocess.run(
        line, shell=True, cwd=place, env=shell, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def wait_ready(port, process, log):
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        probe = subprocess.run([sys.executable, "-c", PROBE, str(port)], capture_output=True, check=False)
        if probe.returncode == 0:
            return
    raise AssertionError("not ready")


PROBE = "import sys, urllib.request as u; u.urlopen(f'http://127.0.0.1:{sys.argv[1]}/readyz', timeout=2)"
