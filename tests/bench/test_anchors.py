"""The measures themselves: what is counted as ours, and when a run may fail."""

import os
import subprocess
import sys

import pytest
from bench import anchors

BUSY = "import time; end = time.process_time() + 0.4\nwhile time.process_time() < end: pass"


def span(others):
    return anchors.Span(wall=1.0, cpu={}, others=others)


def test_a_bound_kept_passes_and_one_missed_fails():
    anchors.judge("x", 5, least=5, most=5, spans=[span(0.1)])
    for missed in ({"least": 5.1}, {"most": 4.9}):
        with pytest.raises(AssertionError, match=r"5\.00 is not"):
            anchors.judge("x", 5, **missed, spans=[span(0.1), span(0.2)])


def test_a_bound_missed_among_busy_neighbours_is_a_skip_and_said_to_be_noisy(capsys):
    with pytest.raises(pytest.skip.Exception, match="31%"):
        anchors.judge("x", 5, least=6, spans=[span(0.1), span(0.31)])
    assert "NOISY" in capsys.readouterr().out


def test_processes_that_ended_are_counted_and_those_of_another_group_are_not():
    with anchors.Stopwatch(ours=[os.getpid()]) as ended:
        subprocess.run([sys.executable, "-c", BUSY], check=True)
    assert ended.span.cpu["ours"] > 0.35
    with subprocess.Popen([sys.executable, "-c", BUSY + "\ninput()"], stdin=subprocess.PIPE) as child:
        with anchors.Stopwatch(ours=[os.getpid()], child=[child.pid]) as apart:
            while anchors.cpu_of(child.pid) < 0.35:
                pass
        child.communicate(b"\n")
    assert apart.span.cpu["child"] > 0.3
    assert ended.span.others < 1


def test_medians_are_taken_figure_by_figure():
    assert anchors.medians([{"a": 1, "b": 9}, {"a": 3, "b": 7}, {"a": 2, "b": 8}]) == {"a": 2, "b": 8}
