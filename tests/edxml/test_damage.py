"""Letters damaged at random are read or refused, and nothing else; the long campaign is `make fuzz`."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from edxml import damage

TRIED = 500
PIECE = 50


@pytest.mark.parametrize("piece", range(TRIED // PIECE))
def test_damaged_letters_end_as_they_must(piece):
    for seed in range(piece * PIECE, (piece + 1) * PIECE):
        assert damage.outcome(damage.damaged(seed)) in {"sound", "unsound", *damage.CODES}, seed


def test_the_damage_is_of_every_kind_and_the_number_is_told(capsys):
    ends = Counter(damage.outcome(damage.damaged(seed)) for seed in range(TRIED))
    print(f"{ends.total()} damaged letters read: {dict(ends.most_common())}")
    assert f"{TRIED} damaged" in capsys.readouterr().out
    assert min(ends[end] for end in ("sound", "unsound", "not_xml")) > TRIED // 20
    assert ends["not_edxml"] + ends["forbidden_xml"] + ends["too_complex"] > 0


@pytest.mark.long
def test_twenty_thousand():
    command = [sys.executable, str(Path(damage.__file__)), "20000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    assert done.stdout.startswith("20000 damaged letters read")


def test_the_campaign_stops_at_a_reader_that_hangs_or_fails(tmp_path):
    """Break it: the campaign must not pass over an exception."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from edxml import damage; from exchange.edxml import read\n"
        "def hang(raw):\n    while True: pass\n"
        "read.read = hang if sys.argv[2] == 'hang' else (lambda raw: 1 // 0)\n"
        "damage.SECONDS = 0.05\n"
        "damage.campaign(3)\n"
    )
    for fault, said in (("hang", "TimeoutError"), ("fail", "ZeroDivisionError")):
        command = [sys.executable, "-c", script, str(Path(damage.__file__).parents[1]), fault]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert said in done.stderr
        assert "damage of seed 0" in done.stderr
