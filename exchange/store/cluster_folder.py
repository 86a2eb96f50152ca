"""The data folder: what lies where, who may use it, which processes live in it, and how it is first made.

    DATA/                     the exchange's data folder; its flock is the right to run a database here
      postgresql/             0700, belongs to the database's user
        cluster/              PostgreSQL's own data folder (PGDATA)
        password              0600, of role `congvan`, who owns database `congvan` and nothing else
        superuser_password    0600, of role `postgres`
        socket                where the folder of the Unix socket is: never in here, as paths of sockets end at 107 bytes
        server.log, cluster/log/
      programs/               a copy of PostgreSQL's programs, when its user cannot reach the installed ones

A cluster is made beside its place and renamed, so an interrupted first start leaves nothing that looks like one.
While root prepares a folder for another user, that user could plant links in it: files are therefore created
new (never opened through a link), and the rest is done by programs that run as that user.
"""

import fcntl
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from exchange.store import database_user
from exchange.store.database_user import Account, EmbeddedError

SETTINGS: Mapping[str, str] = {
    "max_connections": "100",
    "shared_buffers": "256MB",
    "min_wal_size": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_sync_method": "fsync_writethrough" if sys.platform == "darwin" else "fdatasync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "logging_collector": "on",
    "log_filename": "%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
}
"""Written into postgresql.conf when a cluster is made; an operator may change them there afterwards."""

UNICODE = ("--locale=C.UTF-8", "--encoding=UTF8")
PLAIN = ("--locale=C", "--encoding=UTF8")
BUILTIN = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
"""From PostgreSQL 17 on characters are PostgreSQL's own business: no index depends on the machine's C library."""
FIRST_WITH_BUILTIN = 17

PASSWORDS = {"congvan": "password", "postgres": "superuser_password"}

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_LIMIT = 107
"""Bytes of a Unix socket's path (unix(7): sun_path is 108 with its closing zero)."""

PRIVATE = 0o700

PROC = Path("/proc")

TEMPORARY = "/tmp"  # noqa: S108 - a 0700 folder with a random name is made in it

_PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/-]*")


class Lock:
    """The right to run a database in a data folder, held as long as its file descriptor stays open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Let others start; again is harmless. The end of the process does the same."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def lock(data: Path) -> Lock:
    """Make the data folder if need be and take it. EmbeddedError `in_use` if another process holds it."""
    try:
        _make(data)
        descriptor = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise EmbeddedError("folder_denied", folder=data, why=error.strerror) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise EmbeddedError("in_use", folder=data) from error
    return Lock(descriptor)


def home(data: Path) -> Path:
    """The folder of everything that is PostgreSQL's."""
    return data / "postgresql"


def cluster(data: Path) -> Path:
    """PostgreSQL's own data folder."""
    return home(data) / "cluster"


def owner(data: Path) -> int | None:
    """The uid that an existing cluster belongs to; None if there is no cluster yet."""
    try:
        return cluster(data).stat().st_uid
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EmbeddedError("folder_denied", folder=home(data), why=error.strerror) from error


def major(data: Path) -> int:
    """The major version of PostgreSQL that made the cluster."""
    return int((cluster(data) / "PG_VERSION").read_text(encoding="ascii"))


def dsn(data: Path, socket: str, role: str = "congvan", database: str = "congvan") -> str:
    """How asyncpg reaches the server whose socket lies in the folder `socket`. Holds a password."""
    secret = quote(password(data, role), safe="")
    return f"postgresql://{role}:{secret}@/{database}?host={quote(socket, safe='')}&port=5432"


def password(data: Path, role: str = "congvan") -> str:
    """The password of role `congvan` or `postgres`."""
    path = home(data) / PASSWORDS[role]
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise EmbeddedError("no_password", file=path, why=error.strerror) from error


def prepare(data: Path, account: Account) -> None:
    """Make everything but the cluster itself: the folder, its owner, the passwords. Safe to repeat."""
    place = home(data)
    place.mkdir(mode=PRIVATE, exist_ok=True)
    shutil.rmtree(place / "cluster.new", ignore_errors=True)
    for name in PASSWORDS.values():
        if not (place / name).exists():
            _write(place / name, secrets.token_urlsafe(32), account)
        os.chown(place / name, account.uid, account.gid, follow_symlinks=False)
    os.chown(place, account.uid, account.gid, follow_symlinks=False)


def create(data: Path, account: Account, programs: Path, version: int) -> None:
    """Make the cluster with `initdb`: checksums, passwords (SCRAM) on the socket, nothing over a network."""
    fixed = (
        *("--pgdata=cluster.new", "--username=postgres", "--pwfile=superuser_password", "--data-checksums"),
        *("--auth-local=scram-sha-256", "--auth-host=reject", "--lc-messages=C", "--no-instructions"),
        *(BUILTIN if version >= FIRST_WITH_BUILTIN else ()),
    )
    for locale in (UNICODE, PLAIN):
        made = database_user.run(account, (programs / "initdb", *fixed, *locale), folder=home(data))
        if "invalid locale name" not in made.stderr:
            break
    if made.returncode:
        raise EmbeddedError("not_made", folder=home(data), why=last_words(made.stderr))
    _configure(data, account)
    (home(data) / "cluster.new").rename(cluster(data))
    _sync(home(data))


def processes(data: Path) -> tuple[int, ...]:
    """The PostgreSQL processes that live in the cluster: the server with its children, or what a killed one left.

    Where the system has no /proc only the server is found, by the number in its own file.
    """
    if not PROC.exists():
        found = postmaster(data)
        return (found[0],) if found and lives(data, found[0]) else ()
    numbers = (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())
    return tuple(number for number in numbers if lives(data, number))


def lives(data: Path, process: int) -> bool:
    """Whether a process is a PostgreSQL of this cluster; one that ended but was not collected yet is not."""
    try:
        if not PROC.exists():
            os.kill(process, 0)
            return True
        place, program = ((PROC / str(process) / link).readlink() for link in ("cwd", "exe"))
    except OSError:  # ended, or somebody else's
        return False
    # "(deleted)" follows the name after the programs were upgraded under a running server.
    return program.name.removesuffix(" (deleted)") == "postgres" and place == cluster(data).resolve()


def postmaster(data: Path) -> tuple[int, str, str] | None:
    """What the server says of itself in `postmaster.pid`: process id, folder of its socket, state ("ready", …)."""
    try:
        lines = (cluster(data) / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    if not lines or not lines[0].isdecimal():
        return None
    lines += [""] * 8
    return int(lines[0]), lines[4], lines[7].strip()


def socket_folder(data: Path, account: Account) -> Path:
    """A short folder that only the database's user may enter: the one of last time, or a new one, remembered."""
    remembered = home(data) / "socket"
    with suppress(OSError):
        folder = Path(remembered.read_text(encoding="utf-8"))
        if _private(folder, account):
            return folder
    folder = _new_socket_folder(account)
    _write(remembered, str(folder), account)
    return folder


def sweep(data: Path, socket: Path) -> None:
    """Before a start, remove what a killed server left, when no process lives in the cluster (`processes`).

    PostgreSQL keeps to itself when the number in such a file is taken, and numbers come back: after a reboot,
    and soon in a container, it is another program's.
    """
    if PROC.exists():
        for left in (cluster(data) / "postmaster.pid", socket / SOCKET_NAME, socket / f"{SOCKET_NAME}.lock"):
            left.unlink(missing_ok=True)


def last_words(text: str) -> str:
    """Of a program's output the line that says what went wrong: the last fatal one, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    grave = [line for line in lines if re.search(r"FATAL|PANIC|could not|error:", line)]
    return (grave or lines or [""])[-1]


def log(data: Path) -> str:
    """The newest end of what the server wrote, for a start that failed."""
    files = [home(data) / "server.log", *cluster(data).glob("log/*.log")]
    present = sorted((file for file in files if file.is_file()), key=lambda file: file.stat().st_mtime)
    return "\n".join(file.read_text(encoding="utf-8", errors="replace")[-4000:] for file in present[-2:])


def _make(data: Path) -> None:
    # Others may pass through a folder that root makes, as the database's user must, but not list it.
    for folder in (*reversed(data.parents), data):
        if not folder.exists():
            with suppress(FileExistsError):
                folder.mkdir(mode=PRIVATE)
                if os.geteuid() == 0:
                    folder.chmod(0o711)


def _configure(data: Path, account: Account) -> None:
    lines = "".join(f"{name} = '{setting}'\n" for name, setting in SETTINGS.items())
    append = ("/bin/sh", "-c", "cat >> cluster.new/postgresql.conf")
    written = database_user.run(account, append, folder=home(data), given=f"\n# Công văn\n{lines}")
    if written.returncode:
        raise EmbeddedError("not_made", folder=home(data), why=last_words(written.stderr))


def _write(path: Path, text: str, account: Account) -> None:
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchown(descriptor, account.uid, account.gid)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def _private(folder: Path, account: Account) -> bool:
    status = folder.lstat()
    mine = (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == account.uid
        and stat.S_IMODE(status.st_mode) == PRIVATE
    )
    return mine and database_user.closed_folder(account, folder) is None


def _new_socket_folder(account: Account) -> Path:
    for parent in (os.environ.get("RUNTIME_DIRECTORY", ""), os.environ.get("XDG_RUNTIME_DIR", ""), TEMPORARY):
        if not _PLAIN_PATH.fullmatch(parent) or not os.access(parent, os.W_OK | os.X_OK):
            continue
        folder = Path(tempfile.mkdtemp(prefix="congvan-", dir=parent))
        os.chown(folder, account.uid, account.gid)
        if len(os.fsencode(folder / SOCKET_NAME)) <= SOCKET_LIMIT and _private(folder, account):
            return folder
        folder.rmdir()
    raise EmbeddedError("no_socket", folder=TEMPORARY)
