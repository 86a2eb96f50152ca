"""Files of a deployment's own: read again when they change, and told of when they are no good."""

import os
from types import SimpleNamespace

import pytest

from exchange.api import figures
from exchange.errors import Problem
from exchange.rules import league
from exchange.tracker import deployment


def deployed(file):
    """As much of an exchange as its files are asked of."""
    config = SimpleNamespace(calendar_file=None, league_file=file, coverage_percent=80)
    return SimpleNamespace(config=config, spool_folder=file.parent / "spool")


GOOD, OTHER = "[targets]\nM1 = 80", "[targets]\nM1 = 70"


@pytest.fixture
def write(tmp_path):
    file, moments = tmp_path / "league.toml", iter(range(1_000_000_000, 2_000_000_000, 1_000_000))

    def written(text):
        file.write_text(text, encoding="utf-8")
        os.utime(file, ns=(next(moments),) * 2)
        return file

    return written


def test_a_file_is_read_again_when_it_changes(write):
    assert deployment.settings(None, write(GOOD)).league.targets == {"M1": 80}
    assert deployment.settings(None, write(OTHER)).league.targets == {"M1": 70}
    assert deployment.settings(None, None).league == league.default()


@pytest.mark.parametrize(
    "wrong",
    ["x", "[targets]\nM1 = '1/0'", "a = " + "[" * 50_000, None],
    ids=["syntax", "number", "deep", "gone"],
)
async def test_what_a_file_said_before_holds_while_it_is_no_good(write, wrong):
    file = write(GOOD)
    exchange = deployed(file)
    before = await figures._settings(exchange)
    file.unlink() if wrong is None else write(wrong)
    with pytest.raises(deployment.UnusableFileError, match=r"league\.toml"):
        deployment.settings(None, file)
    assert await figures._settings(exchange) == before


async def test_without_anything_said_before_figures_wait(write):
    exchange = deployed(write("x"))
    with pytest.raises(Problem) as refused:
        await figures._settings(exchange)
    assert refused.value.code == "starting"
