"""What speed is held against, and how it is measured so that a busy machine cannot make it lie.

Absolute figures say little: the same disk gave 300 and 9,000 flushes a second within a day. So every bench measures
its anchor in the same run, in rounds that alternate with the work, and compares medians. Where other programs could
slow one side more than the other, CPU time is compared instead of wall time, of all processes involved: each with
its descendants, and with those that ended meanwhile, from /proc. Every line tells which share of the machine was
busy with others; above `NOISY` a ratio on the wrong side of its bound is a skip, not a failure, and says so.
"""

import asyncio
import os
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

NOISY = 0.3
BLOCK = os.urandom(8192)
AREA = 16 << 20
TICK = 1 / os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()


def fdatasyncs(folder, seconds=0.5):
    """How often a second 8 kB can be written and made durable, one after the other, as a database log does."""
    path = Path(folder) / "anchor.fdatasync"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        os.pwrite(descriptor, bytes(AREA), 0)
        os.fsync(descriptor)
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            os.pwrite(descriptor, BLOCK, done * len(BLOCK) % AREA)
            os.fdatasync(descriptor)
            done += 1
        return done / (time.perf_counter() - started)
    finally:
        os.close(descriptor)
        path.unlink()


def _processes():
    """Process -> its parent, and CPU seconds of its own and of the children that it has buried."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            try:
                told = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended while we looked
                continue
            found[int(entry.name)] = int(told[1]), sum(map(int, told[11:15])) * TICK
    return found


def cpu_of(*roots, without=()):
    """CPU seconds that these processes and their descendants have used so far, ended ones included.

    Descendants that are among `without`, and theirs, do not count.
    """
    processes, children = _processes(), defaultdict(list)
    for process, (parent, _) in processes.items():
        if process not in without:
            children[parent].append(process)
    waiting, total = [root for root in roots if root in processes], 0.0
    while waiting:
        process = waiting.pop()
        total += processes[process][1]
        waiting += children[process]
    return total


def _machine():
    """CPU seconds for which the machine was busy, whoever kept it so."""
    user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(rest)) * TICK


@dataclass
class Span:
    """A stretch of work: its wall seconds, CPU seconds by name of who used them, share of the machine used by others."""

    wall: float
    cpu: dict
    others: float

    @property
    def ours(self):
        return sum(self.cpu.values())


class Stopwatch:
    """Measures the block: `with Stopwatch(server=[…], database=[…]) as watch: …`, then `watch.span`.

    Names stand for groups of processes; a process stands for its descendants too, unless another group has them.
    """

    def __init__(self, **groups):
        self.groups = groups
        self.span = None

    def _now(self):
        named = {process for roots in self.groups.values() for process in roots}
        cpu = {name: cpu_of(*roots, without=named) for name, roots in self.groups.items()}
        return time.perf_counter(), cpu, _machine()

    def __enter__(self):
        self._before = self._now()
        return self

    def __exit__(self, *_failure):
        (started, before, machine), (ended, after, later) = self._before, self._now()
        cpu = {name: after[name] - before[name] for name in after}
        wall = ended - started
        self.span = Span(wall, cpu, max(0.0, (later - machine - sum(cpu.values())) / (wall * CORES)))


def medians(rounds):
    """The median of each figure over rounds, which are mappings with the same names."""
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def judge(line, ratio, *, least=None, most=None, spans=()):
    """Print the bench's line, and hold its ratio against the bound; a run among busy neighbours is no failure."""
    others = max((span.others for span in spans), default=0.0)
    noisy = others > NOISY
    bound = f">= {least}" if most is None else f"<= {most}"
    held = (least is None or ratio >= least) and (most is None or ratio <= most)
    print(f"\n{line} | bound {bound} | others {others:.2f}{' NOISY' if noisy else ''}")
    if not held and noisy:
        pytest.skip(f"{ratio:.2f} is not {bound}, but other programs used {others:.0%} of the machine")
    assert held, f"{ratio:.2f} is not {bound}: {line}"


async def often(work, seconds):
    """How often a second `work` can be awaited, one time after the other."""
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        await work()
        done += 1
    return done / (time.perf_counter() - started)


async def crowd(work, things, in_flight, seconds):
    """Do `work` on things, so many at a time, until there are no more or the time is up; what came of each."""
    waiting, done, end = iter(things), [], time.perf_counter() + seconds

    async def one_after_another():
        for thing in waiting:
            done.append(await work(thing))
            if time.perf_counter() > end:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(one_after_another())
    return done
