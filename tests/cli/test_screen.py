"""Nothing that strangers wrote steers a terminal: hostile words through every verb that prints them, every byte read."""

import json
import os
import re
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from exchange.cli.main import main
from signing import keys, pdf_write

FIXTURES = Path(__file__).parents[1] / "edxml" / "fixtures"
LETTER = (FIXTURES / "new_dotnet.edxml").read_bytes().decode()
NOTICE = (FIXTURES / "status_02_refused.edxml").read_bytes().decode()

IN_XML = (
    "\x85\x9b31m\x9d0;x\x9c\u202e\u2066\u2069\u200b\u200d\ufeff\u2028\u2029\u00ad\U000e0041\u0378\ue000\u115f"
)
"""Of all that harms, what XML can carry."""
MARKUP = "[red]đỏ[/red][link=http://x]y[/link] :smile: "
TERMINAL = "\x1b[31m\x1b]0;title\x07\x1bP1\x1b\\\x08\x7f\r\v"
HOSTILE = MARKUP + "a" + TERMINAL + IN_XML + "b"
NAME = HOSTILE.replace("/", "÷")
"""As a name of a file."""
SUBJECT = "[red]đ[/red]\x1b[31m\x9b2J\u202e\u2028\ufeff\U000e0041:smile:"
"""As a name in a certificate, which takes 64 bytes."""
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def harm(text, *, styled=False):
    """What in an output is neither ink nor the end of a line; a console's own styles apart."""
    shown = STYLE.sub("", text) if styled else text
    return {
        one for one in shown if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    } - {"\n"}


def call(*arguments, content=None, **environment):
    told = CliRunner().invoke(
        main,
        [str(one) for one in arguments],
        input=content,
        env={"COLUMNS": "400", "CONGVAN_LANGUAGE": "vi", **environment},
        prog_name="congvan",
    )
    assert told.exception is None or isinstance(told.exception, SystemExit), told.exception
    for written in (told.stdout_bytes, told.stderr_bytes):
        assert harm(written.decode(), styled="FORCE_COLOR" in environment) == set()
    return told


def test_harm_is_seen():
    assert harm("\x1b[31m", styled=True) == set()
    assert harm("\x1b[2J", styled=True) == {"\x1b"}
    ink = {*"[31m]0;titlePx\\", "\u115f"}
    assert harm(TERMINAL + IN_XML) == {*TERMINAL, *IN_XML} - ink


@pytest.mark.parametrize(
    "forced", [{}, {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "0"}], ids=["piped", "terminal"]
)
@pytest.mark.parametrize("verb", ["show", "lint"])
@pytest.mark.parametrize("source", [LETTER, NOTICE], ids=["letter", "notice"])
def test_messages(tmp_path, verb, source, forced):
    """Every text of a message is hostile, one after the other and all together; so is the name of its file."""
    file = tmp_path / NAME[:60]
    texts_of_it = [found for found in re.finditer(r">([^<>]*\w[^<>]*)</", source) if len(found[1]) < 200]
    all_of_them = re.sub(r">([^<>]{1,199})</", lambda found: f">{found[1]}{MARKUP}{IN_XML}</", source)
    sources = [source[: one.end(1)] + MARKUP + IN_XML + source[one.end(1) :] for one in texts_of_it[::3]]
    for content in (all_of_them, *sources):
        file.write_text(content, encoding="utf-8")
        shown = call(verb, file, **forced)
        assert shown.exit_code in {0, 1, 2}
        call(verb, file, "--json", **forced)
    assert "[red]đỏ[/red]" in "".join(call("show", file).output.split("\n"))


def test_unreadable_messages(tmp_path):
    for content in (
        f"<a>{HOSTILE}</b>",
        f"<!DOCTYPE {HOSTILE}>",
        f'<a x="{IN_XML}">',
        f"<{HOSTILE}/>",
        "<x/>",
    ):
        for verb in ("show", "lint", "verify"):
            file = tmp_path / NAME[:60]
            file.write_text(content, encoding="utf-8", errors="surrogatepass")
            told = call(verb, file)
            assert told.exit_code in {1, 2}
            call(verb, file, "--json")


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A signed PDF whose signer, authority, field and file all have hostile names, and what is trusted for it."""
    place, at = tmp_path_factory.mktemp("signed"), datetime.now(UTC) - timedelta(days=1)
    authority = keys.root(SUBJECT, key=keys.new_key(), at=at)
    key = keys.new_key()
    signer = keys.certificate(authority, SUBJECT, key.public_key(), at=at, serial=7, organisation=SUBJECT)
    for folder, name, content in (
        ("trust", "root.crt", keys.der(authority.certificate)),
        ("crl", "list.crl", keys.revocation_list(authority, {}, at=at)),
        ("wrong", "leaf.crt", keys.der(signer)),
    ):
        (place / folder).mkdir()
        (place / folder / name).write_bytes(content)
    raw = pdf_write.blank(["x"])
    file = place / f"{NAME[:40]}.pdf"
    file.write_bytes(pdf_write.sign(raw, key, signer, at=datetime.now(UTC), field="Signature1"))
    return place, file


@pytest.mark.parametrize(
    "forced", [{}, {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "0"}], ids=["piped", "terminal"]
)
def test_certificates(signed, forced):
    place, file = signed
    trusted = ("--trust", place / "trust", "--crl", place / "crl")
    shown = call("verify", file, *trusted, **forced)
    assert "[red]đ[/red]" in STYLE.sub("", shown.output)
    call("verify", file, "--json", *trusted, **forced)
    wrong = call("verify", file, "--trust", place / "wrong", **forced)
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "\\x" in wrong.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [HOSTILE],
        ["demo", f"--{HOSTILE.replace('=', '-')}"],
        ["demo", "--port", HOSTILE],
        ["demo", HOSTILE],
        ["verify", HOSTILE],
        ["verify", __file__, "--at", HOSTILE],
        ["sign", __file__, "--key", __file__, "--certificate", __file__, "--out", HOSTILE],
        ["tally", "--period", HOSTILE],
        ["system", "disable", HOSTILE],
        ["--language", HOSTILE, "check"],
        ["directory", "agency", "export", "--headings", HOSTILE],
    ],
    ids=lambda arguments: (
        " ".join(one for one in arguments if one.isprintable() and "/" not in one) or "verb"
    ),
)
def test_words_of_the_command_line(arguments):
    told = call(*arguments)
    assert told.exit_code == 2
    assert "\\x1b[31m" in told.stderr or "sign" in arguments


@pytest.mark.parametrize(
    "name",
    [
        "CONGVAN_TLS_CERT",
        "CONGVAN_METRICS_FROM",
        "CONGVAN_LISTEN",
        "CONGVAN_TRUST_DIR",
        "CONGVAN_EXPIRE_DAYS",
        "CONGVAN_CLOSE_DAY",
        "CONGVAN_LOG_LEVEL",
        "CONGVAN_NOTIFY",
    ],
)
def test_settings(name):
    for language in ("vi", "en"):
        told = call("check", **{name: HOSTILE, "CONGVAN_LANGUAGE": language})
        assert (told.exit_code, told.stdout) == (2, "")
        assert told.stderr.startswith(name)
        assert "\\x1b[31m" in told.stderr


def test_a_database_that_cannot_be_had():
    told = call("check", CONGVAN_DATABASE_URL="postgresql://x@127.0.0.1:1/" + HOSTILE.replace("/", ""))
    assert told.exit_code in {2, 3}


SHEET = (
    "Mã định danh;Mã QCVN 102;Tên cơ quan;Loại cơ quan;Cấp;Mã cơ quan cấp trên;Hiệu lực từ\n"
    "H13;000.00.00.H13;Ủy ban nhân dân;province;1;;01/01/2019\n"
)


@pytest.mark.parametrize(
    "forced", [{}, {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "0"}], ids=["piped", "terminal"]
)
def test_the_directory(database, tmp_path, forced):
    """What a sheet says, and what stands in the database although no sheet would be let say it."""
    forced = {**forced, "CONGVAN_DATABASE_URL": database}
    sheet = tmp_path / f"{NAME[:60]}.csv"
    for content in (SHEET.replace("Ủy ban", HOSTILE), SHEET.replace("H13;000", f'"{HOSTILE}";000'), HOSTILE):
        sheet.write_text(content, encoding="utf-8", newline="")
        told = call("directory", "agency", "import", sheet, **forced)
        assert told.exit_code == 2
        call("directory", "agency", "import", sheet, "--json", **forced)
    sheet.write_text(SHEET, encoding="utf-8")
    assert call("directory", "agency", "import", sheet, **forced).exit_code == 0
    unlawful(database, HOSTILE)
    sheet.write_text(SHEET.replace("Ủy ban nhân dân", "Sở"), encoding="utf-8")
    assert "\\x1b[31m" in call("directory", "agency", "import", sheet, "--dry-run", **forced).output
    assert "[red]đỏ[/red]" in call("directory", "agency", "list", **forced).output
    call("directory", "agency", "list", "--json", **forced)
    exported = call("directory", "agency", "export", "--output", tmp_path / "out.csv", **forced)
    assert exported.exit_code == 0
    assert harm((tmp_path / "out.csv").read_text(encoding="utf-8-sig")) == set()
    assert call("system", "add", "--acts-for", "H13", "--name", HOSTILE, **forced).exit_code == 2
    assert call("system", "add", "--acts-for", "H13", "--name", "[red]đỏ[/red]", **forced).exit_code == 0
    assert call("system", "add", "--acts-for", HOSTILE, "--name", "x", **forced).exit_code == 2
    assert "[red]đỏ[/red]" in call("system", "list", **forced).output
    call("system", "list", "--json", **forced)
    call("tally", "--period", "2019", "--agency", HOSTILE, **forced)


def unlawful(database, name):
    """An agency's name as no import would write it."""
    program = (
        "import asyncio, sys\n"
        "from exchange.store import pool\n"
        "async def go():\n"
        "    connection = await pool.connect(sys.argv[1])\n"
        "    await connection.execute('UPDATE agency SET name = $1', sys.stdin.read())\n"
        "    await connection.close()\n"
        "asyncio.run(go())\n"
    )
    subprocess.run([sys.executable, "-c", program, database], input=name.encode(), check=True)


BROKEN = """
import asyncio, logging, sys, warnings
import structlog
from exchange import log
from exchange.cli import screen
hostile = sys.stdin.buffer.read().decode("utf-8", "surrogatepass")
log.configure("info")
screen.guard()
class Strange(Exception):
    pass
structlog.get_logger().info("event", name=hostile, many=[hostile], held={hostile: hostile}, raw=hostile.encode("utf-8", "replace"))
logging.getLogger("library").warning("said %s", hostile)
logging.getLogger("library").warning(hostile)
warnings.warn(hostile)
try:
    raise Strange(hostile)
except Strange:
    structlog.get_logger().exception("broke", path=hostile)
    logging.getLogger("library").exception("broke")
raise Strange(hostile + " cv_0198_SECRETSECRET postgresql://u:PASSWORD@h/d")
"""


def test_log_lines_and_the_last_word():
    hostile = HOSTILE + "\ud800\udfff"
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        input=hostile.encode("utf-8", "surrogatepass"),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    told = done.stderr.decode()
    assert (done.returncode, done.stdout) == (1, b"")
    assert harm(told) == set()
    assert "SECRETSECRET" not in told
    assert "PASSWORD" not in told
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert [line["event"][:5] for line in lines] == ["event", "said ", "[red]", "<stri", "broke", "broke"]
    assert told.splitlines()[-1].startswith("Strange: [red]")
