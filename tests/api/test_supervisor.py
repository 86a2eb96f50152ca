"""The parent of the workers: who is started, told to leave and killed, when - with workers that do nothing else."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from faults import parent as script


@dataclass
class Place:
    folder: Path
    process: subprocess.Popen

    def told(self, *events):
        """What the workers told, in order; a line that is not whole yet is not there."""
        with contextlib.suppress(FileNotFoundError):
            whole = (self.folder / "told").read_text().rpartition("\n")[0]
            lines = [json.loads(line) for line in whole.splitlines()]
            return [line for line in lines if not events or line["event"] in events]
        return []

    def pids(self, event):
        return [line["pid"] for line in self.told(event)]

    def logged(self, event):
        text = (self.folder / "log").read_text()
        return sum(f'"event": "{event}"' in line for line in text.splitlines())

    def wrong(self, name, *, there=True):
        (self.folder / name).touch() if there else (self.folder / name).unlink()

    def until(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, [*self.told(), (self.folder / "log").read_text()]
            time.sleep(0.01)

    def renewed(self):
        """A rolling restart asked for now, and awaited."""
        before = self.pids("ready")
        self.process.send_signal(signal.SIGHUP)
        self.until(lambda: set(before) <= set(self.pids("left")))
        self.until(lambda: len(self.pids("ready")) == len(before) + 2)
        return self.pids("ready")[len(before) :]

    def answering(self):
        """How many workers answered after each thing that happened, from the moment on when two did."""
        counts, now = [], 0
        for line in self.told("ready", "leaving"):
            now += 1 if line["event"] == "ready" else -1
            counts.append(now)
        return counts[1:]


@contextlib.contextmanager
def running(folder, **other):
    command = [sys.executable, script.__file__, str(folder)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, **{"stdin": subprocess.DEVNULL, **other})
    place = Place(folder, process)
    try:
        place.until(lambda: len(place.pids("ready")) == 2)
        yield place
    finally:
        for path in folder.iterdir():
            path.unlink() if path.name in {"fails", "hangs", "lingers", "deaf", "revives"} else None
        process.terminate()
        assert process.wait(20) == 0
        assert not [pid for pid in place.pids("started") if Path(f"/proc/{pid}").exists()]


@pytest.fixture
def place(tmp_path):
    with running(tmp_path) as found:
        yield found


def test_a_rolling_restart_replaces_all_and_never_lacks_one(place):
    first = place.pids("ready")
    second = place.renewed()
    third = place.renewed()
    assert len({*first, *second, *third}) == 6
    left = place.pids("left")
    assert [{*left[:2]}, {*left[2:]}] == [{*first}, {*second}]
    assert set(place.answering()) == {2, 3}
    assert (place.logged("rolling_restart"), place.logged("worker_died")) == (2, 0)


def test_asked_again_in_the_middle_all_are_replaced_by_what_is_newest(place):
    first = place.pids("ready")
    for _ in range(2):
        place.process.send_signal(signal.SIGHUP)
        place.until(lambda: place.pids("left"))
    place.until(lambda: len(place.pids("left")) >= 3)
    time.sleep(1)
    alive = set(place.pids("ready")) - set(place.pids("left"))
    assert len(alive) == 2
    assert not alive & set(first)
    assert min(place.answering()) == 2


def test_new_workers_that_fail_leave_the_old_ones_at_work(place):
    first = place.pids("ready")
    place.wrong("fails")
    place.process.send_signal(signal.SIGHUP)
    place.until(lambda: place.logged("rolling_restart_abandoned"))
    time.sleep(1)
    assert (len(place.pids("started")), place.told("leaving")) == (3, [])
    place.wrong("fails", there=False)
    assert not set(place.renewed()) & set(first)


def test_a_new_worker_that_does_not_get_ready_is_ended_and_the_old_ones_stay(place):
    first = place.pids("ready")
    place.wrong("hangs")
    place.process.send_signal(signal.SIGHUP)
    place.until(lambda: len(place.pids("left")) == 1)
    assert place.logged("rolling_restart_abandoned") == 1
    assert (place.pids("ready"), set(place.pids("left")) & set(first)) == (first, set())
    place.wrong("hangs", there=False)
    assert not set(place.renewed()) & set(first)


def test_a_new_worker_that_is_killed_is_tried_again(place):
    first = place.pids("ready")
    place.wrong("hangs")
    place.process.send_signal(signal.SIGHUP)
    place.until(lambda: len(place.pids("started")) == 3)
    place.wrong("hangs", there=False)
    os.kill(place.pids("started")[2], signal.SIGKILL)
    place.until(lambda: set(first) <= set(place.pids("left")))
    assert place.logged("rolling_restart_abandoned") == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_a_worker_that_dies_is_started_again(place, number):
    os.kill(place.pids("ready")[0], number)
    place.until(lambda: len(place.pids("ready")) == 3)
    assert place.logged("worker_died") == 1


def test_a_worker_told_to_leave_has_its_successor_before_it_is_gone(tmp_path):
    (tmp_path / "lingers").touch()
    with running(tmp_path) as place:
        goes, stays = place.pids("ready")
        os.kill(goes, signal.SIGTERM)
        place.until(lambda: len(place.pids("ready")) == 3)
        assert (place.pids("leaving"), place.pids("left")) == ([goes], [])
        place.wrong("lingers", there=False)
        place.until(lambda: place.logged("worker_left") == 1)
        assert (place.logged("worker_died"), stays in place.pids("leaving")) == (0, False)


def test_dead_workers_are_replaced_while_the_database_is_being_revived(place):
    place.wrong("revives")
    time.sleep(0.3)
    for worker in place.pids("ready"):
        os.kill(worker, signal.SIGKILL)
    place.until(lambda: len(place.pids("ready")) == 4)


def test_a_worker_that_does_not_leave_is_killed(tmp_path):
    (tmp_path / "deaf").touch()
    with running(tmp_path) as place:
        first = place.pids("ready")
        place.wrong("deaf", there=False)
        place.process.send_signal(signal.SIGHUP)
        place.until(lambda: len(place.pids("ready")) == 4)
        place.until(lambda: not [pid for pid in first if Path(f"/proc/{pid}").exists()])
        place.until(lambda: place.logged("worker_died") == 2)


def test_whose_terminal_is_closed_stops_and_does_not_restart(tmp_path):
    """Without a terminal SIGHUP is an order; from a terminal that went away it is the end."""
    ours, theirs = pty.openpty()
    try:
        with running(tmp_path, stdin=theirs, start_new_session=True) as place:
            os.close(theirs)
            place.renewed()  # the terminal is there: an order
            os.close(ours)
            place.process.send_signal(signal.SIGHUP)
            assert place.process.wait(20) == 0
            assert len(place.pids("left")) == 4
    finally:
        with contextlib.suppress(OSError):
            os.close(ours)
