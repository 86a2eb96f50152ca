import asyncio
import os
import re
import shutil
import signal
import stat
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest

from exchange import texts
from exchange.store import cluster_folder, database_user, embedded
from exchange.store.embedded import EmbeddedError

ROOT = Path(__file__).resolve().parents[2]


async def asked(dsn, *statements):
    connection = await asyncpg.connect(dsn)
    try:
        return [await connection.fetchval(statement) for statement in statements][-1]
    finally:
        await connection.close()


def ask(server, *statements):
    return asyncio.run(asked(server.dsn, *statements))


def start(data, **wishes):
    return embedded.start(data, allow_nobody=True, **wishes)


def refused(data, **wishes):
    with pytest.raises(EmbeddedError) as caught:
        start(data, **wishes)
    return caught.value


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    while (
        Path(f"/proc/{pid}/stat").exists()
        and Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] != "Z"
    ):
        time.sleep(0.01)


def test_a_restart_keeps_data(place):
    told = []
    server = start(place / "data", progress=told.append)
    ask(server, "CREATE TABLE kept (word text)", "INSERT INTO kept VALUES ('biên nhận')")
    assert embedded.alive(server)
    embedded.stop(server)
    assert not embedded.alive(server)
    again = start(place / "data")
    assert (again.attached, again.pid != server.pid) == (False, True)
    assert ask(again, "SELECT word FROM kept") == "biên nhận"
    embedded.stop(again)
    told = [key for key in told if key != "database.progress_nobody"]
    assert told == ["database.progress_making", "database.progress_starting"]


@pytest.fixture(scope="module")
def server():
    """One server for all that is only looked at, started with a secret in our environment."""
    folder = Path(tempfile.mkdtemp(prefix="congvan-test-"))
    folder.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONGVAN_SECRET", "cv_planted_secret")
        patch.setenv("PGOPTIONS", "-c work_mem=1MB")
        started = start(folder / "data")
    yield started
    embedded.stop(started)
    shutil.rmtree(folder)


def test_the_server_is_durable_and_speaks_vietnamese(server):
    names = ("data_checksums", "fsync", "full_page_writes", "listen_addresses", "synchronous_commit")
    assert [ask(server, f"SHOW {name}") for name in names] == ["on", "on", "on", "", "on"]
    assert ask(server, "SELECT lower('ĐƯỜNG') = 'đường' AND 'Đ' > 'Z'")
    assert ask(server, "SHOW server_encoding") == "UTF8"
    provider = (
        "SELECT datlocprovider::text || ' ' || datlocale FROM pg_database WHERE datname = current_database()"
    )
    assert ask(server, provider) == "b C.UTF-8"  # no index depends on the machine's C library
    assert server.version.startswith("18.")


def test_the_socket_lies_in_a_private_folder(server, place):
    socket = Path(cluster_folder.postmaster(server.data)[1])
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    with embedded.running(place / "data", allow_nobody=True) as other:
        passing = Path(cluster_folder.postmaster(other.data)[1])
        assert passing != socket
    assert not passing.exists()


def test_passwords_are_asked_for_kept_private_and_never_shown(server):
    password = cluster_folder.password(server.data)
    for name in cluster_folder.PASSWORDS.values():
        assert stat.S_IMODE((cluster_folder.home(server.data) / name).stat().st_mode) == 0o600
    assert password in server.dsn
    assert password not in repr(server)
    for wrong in (server.dsn.replace(f":{password}@", "@"), server.dsn.replace(password, "guess")):
        with pytest.raises(asyncpg.InvalidPasswordError):
            asyncio.run(asked(wrong, "SELECT 1"))
    hba = (cluster_folder.cluster(server.data) / "pg_hba.conf").read_text()
    assert {line.split()[-1] for line in hba.splitlines() if line[:1] not in ("", "#")} == {
        "scram-sha-256",
        "reject",
    }
    log = cluster_folder.log(server.data)
    assert "authentication failed" in log
    assert password not in log


def test_the_exchange_owns_its_database_and_nothing_else(server):
    assert (
        ask(server, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'congvan'") == "congvan"
    )
    rights = (
        "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication FROM pg_roles WHERE rolname = "
    )
    assert ask(server, rights + "current_user") is False
    assert asyncio.run(asked(embedded.superuser_dsn(server, "congvan"), rights + "current_user")) is True


def test_nothing_of_our_environment_reaches_the_server(server):
    assert b"planted" not in Path(f"/proc/{server.pid}/environ").read_bytes()
    assert ask(server, "SHOW work_mem") == "4MB"


def test_no_file_makes_the_server_forgetful(place):
    embedded.stop(start(place / "data"))
    with (cluster_folder.cluster(place / "data") / "postgresql.conf").open("a") as file:
        file.write(
            "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nlisten_addresses = '127.0.0.1'\n"
        )
    with embedded.running(place / "data", allow_nobody=True) as server:
        names = ("fsync", "full_page_writes", "synchronous_commit", "listen_addresses")
        assert [ask(server, f"SHOW {name}") for name in names] == ["on", "on", "on", ""]


def test_a_long_data_path(place):
    data = place.joinpath(*["văn bản đi và đến" * 3] * 5) / "data"
    assert len(os.fsencode(data)) > 200
    with embedded.running(data, allow_nobody=True) as server:
        socket = Path(cluster_folder.postmaster(server.data)[1]) / cluster_folder.SOCKET_NAME
        assert len(os.fsencode(socket)) <= 107
        assert ask(server, "SELECT 1") == 1


def test_one_folder_one_starter_two_folders_two_servers(place, starter):
    starter(place / "first")
    error = refused(place / "first")
    assert error.key == "in_use"
    assert str(place / "first") in error.sentence("vi")
    with embedded.running(place / "second", allow_nobody=True) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_command_joins_the_server_of_another_process(place, starter):
    _, pid = starter(place / "data")
    with embedded.running(place / "data", allow_nobody=True, joining=True) as joined:
        assert (joined.pid, joined.attached, joined.plan) == (pid, True, None)
        assert ask(joined, "SELECT current_user || '@' || current_database()") == "congvan@congvan"
    assert embedded.alive(joined)
    assert embedded.join(place / "nothing here") is None


def test_a_killed_server_keeps_what_it_committed(place):
    server = start(place / "data")
    ask(server, "CREATE TABLE kept (n integer)", "INSERT INTO kept SELECT generate_series(1, 1000)")
    kill(server.pid)
    assert not embedded.alive(server)
    again = embedded.restart(server)
    assert (again.attached, again.pid != server.pid) == (False, True)
    assert ask(again, "SELECT count(*) FROM kept") == 1000
    assert refused(place / "data").key == "in_use"
    embedded.stop(again)


def test_a_killed_supervisor_leaves_its_server_to_the_next(place, starter):
    parent, pid = starter(place / "data")
    kill(parent.pid)
    server = start(place / "data")
    assert (server.pid, server.attached) == (pid, True)
    assert ask(server, "SELECT 1") == 1
    embedded.stop(server)
    assert not embedded.alive(server)


def test_a_server_that_is_just_stopping_is_waited_for(place, starter):
    parent, pid = starter(place / "data")
    kill(parent.pid)
    os.kill(pid, signal.SIGINT)
    server = start(place / "data")
    assert ask(server, "SELECT 1") == 1
    embedded.stop(server)


def test_a_process_number_given_to_somebody_else_stops_nothing(place):
    embedded.stop(start(place / "data"))
    left = cluster_folder.cluster(place / "data") / "postmaster.pid"
    other = os.getppid()
    left.write_text(f"{other}\n{left.parent}\n1700000000\n5432\n/tmp/gone\n\n  123456 1\nready   \n")
    server = start(place / "data")
    assert (server.attached, server.pid != other) == (False, True)
    embedded.stop(server)


def test_a_folder_of_another_major_version(place):
    embedded.stop(start(place / "data"))
    (cluster_folder.cluster(place / "data") / "PG_VERSION").write_text("16\n")
    error = refused(place / "data")
    assert (error.key, error.facts["old"], error.facts["new"]) == ("other_major", 16, 18)
    assert all(
        word in error.sentence() for word in ("pg_dump", "pg_restore", "16", "18", str(place / "data"))
    )
    assert refused(place / "data").key == "other_major"  # and not in_use: the folder was let go


def test_an_interrupted_first_start_is_begun_anew(place):
    half = cluster_folder.home(place / "data") / "cluster.new"
    half.mkdir(parents=True)
    for folder in (half.parent.parent, half.parent, half):
        folder.chmod(0o711)
    (half / "PG_VERSION").write_text("18\n")
    (half.parent / "password.new").write_text("torn")
    with embedded.running(place / "data", allow_nobody=True) as server:
        assert ask(server, "SELECT 1") == 1
        assert not half.exists()


def test_a_server_that_cannot_start_says_why(place):
    embedded.stop(start(place / "data"))
    with (cluster_folder.cluster(place / "data") / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = 'very much'\n")
    error = refused(place / "data")
    assert error.key == "not_started"
    assert "FATAL" in error.facts["why"]
    assert "shared_buffers" in cluster_folder.log(place / "data")


def test_a_lost_password_file(place):
    embedded.stop(start(place / "data"))
    (cluster_folder.home(place / "data") / "password").unlink()
    assert refused(place / "data").key == "no_password"
    assert cluster_folder.processes(place / "data") == ()


def test_programs_of_another_release_of_postgresql(place, debian_postgres):
    assert debian_postgres.version.startswith("15.")
    assert ask(debian_postgres, "SELECT lower('ĐƯỜNG') = 'đường' AND 'Đ' > 'Z'")


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_error_has_its_sentence(language):
    sources = [Path(module.__file__).read_text() for module in (embedded, cluster_folder, database_user)]
    keys = {key for source in sources for key in re.findall(r'EmbeddedError\("(\w+)"', source)}
    assert len(keys) > 15
    keys |= {key for source in sources for key in re.findall(r'progress\("database.(\w+)"', source)}
    assert [key for key in keys if f"database.{key}" not in texts.catalogue(language)] == []
