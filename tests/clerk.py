"""A clerk's machine: the client commands as programs, which know of the exchange only its address and a key."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

from click.testing import CliRunner

from exchange.cli.main import main

KEPT = ("PATH", "HOME", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "PYTHONUTF8")


@dataclass
class Ran:
    """What a command did. `out` and `err` are text."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def environment(server, code="H13.01", *, url=None, **settings):
    """The environment of a command that acts for `code`; None takes a variable away."""
    given = {name: os.environ[name] for name in KEPT if name in os.environ} | {
        "CONGVAN_SERVER": url or (server.url if server else None),
        "CONGVAN_SECRET": server.province.key_of(code) if server else None,
        "CONGVAN_PATIENCE": "20",
        "CONGVAN_LANGUAGE": "en",
        "PYTHONIOENCODING": "utf-8",
        **settings,
    }
    return {name: str(text) for name, text in given.items() if text is not None}


def start(*arguments, env, **given):
    """A command that runs on its own."""
    command = [sys.executable, "-m", "exchange", *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, env=env, **{**pipes, **given})


def program(server, *arguments, code="H13.01", url=None, stdin=b"", **settings):
    """Run a command as a program, to its end."""
    process = start(*arguments, env=environment(server, code, url=url, **settings))
    try:
        out, err = process.communicate(stdin, timeout=90)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    ran = Ran(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in ran.err, ran.err
    return ran


def congvan(server, *arguments, code="H13.01", url=None, stdin=b"", **settings):
    """The same in this process: a program takes a second to start."""
    env = dict.fromkeys(name for name in os.environ if name.startswith("CONGVAN_"))
    env |= environment(server, code, url=url, **settings)
    ran = CliRunner(env=env).invoke(main, list(map(str, arguments)), input=stdin)
    assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
    return Ran(ran.exit_code, ran.stdout, ran.stderr)
