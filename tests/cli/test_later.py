"""The command starts without the code of verbs that nobody asked for."""

import subprocess
import sys

import click
import pytest

from exchange.cli import later, main

HEAVY = ("openpyxl", "pyhanko", "asyncpg", "aiohttp", "lxml")


def loaded(*arguments):
    """Heavy packages that a fresh `congvan` reads for these arguments."""
    code = f"""if True:
        import sys
        from exchange.cli import main
        try:
            main.main({arguments!r}, prog_name="congvan")
        except SystemExit as end:
            assert not end.code, end.code
        print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stderr.split())


def test_the_version_needs_none_of_the_heavy_packages():
    assert loaded("--version") == set()


@pytest.mark.parametrize("verb", ["lint", "ack"])
def test_a_verb_without_workbooks_reads_no_code_for_them(verb):
    assert "openpyxl" not in loaded(verb, "--help")


@pytest.mark.parametrize("name", main.VERBS)
def test_every_entry_of_the_table_is_a_verb_of_that_name(name):
    assert main.congvan.commands[name].name == name
    assert main.main.commands[name].name == name


def test_verbs_are_read_when_they_are_asked_for():
    verbs = later.Verbs({"old": ("exchange.cli.later", "Verbs"), "gone": ("exchange.cli.nothing", "x")})
    assert (list(verbs), len(verbs), "gone" in verbs, "no" in verbs) == (["old", "gone"], 2, True, False)
    verbs["own"] = made = click.Command("own")
    assert verbs["own"] is made
    del verbs["gone"]
    del verbs["old"]
    assert verbs.read() == {"own": made}
    with pytest.raises(KeyError):
        verbs["gone"]
