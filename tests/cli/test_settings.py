"""`congvan config`: every setting, where it came from, nothing secret, and what is wrong."""

import ast
import inspect

import pytest
from clerk import congvan

from exchange import config
from exchange.cli import client, settings

PLANTED = "planted-9c1f6e0b"


def shown(**environment):
    return {one["name"]: one for one in congvan(None, "config", "--json", **environment).json["settings"]}


def test_every_setting_that_is_read_is_told_with_its_value():
    """A new setting of `config.read` shows up by itself; how its default is written must be said in VALUES."""
    assert set(settings.names()) == set(settings.VALUES)
    assert len(settings.names()) >= 19


def test_every_setting_of_the_client_is_told():
    tree = ast.parse(inspect.getsource(client))
    named = {
        one.value
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and str(one.value).startswith("CONGVAN_")
    }
    assert {name for name in named if name.isidentifier()} - {"CONGVAN_LANGUAGE"} == set(settings.CLIENT)


def test_defaults_and_environment(tmp_path):
    found = shown(
        CONGVAN_DATA=tmp_path, CONGVAN_EXPIRE_DAYS="7", CONGVAN_LISTEN="[::1]:99", CONGVAN_LANGUAGE=None
    )
    assert (found["CONGVAN_DATA"]["value"], found["CONGVAN_DATA"]["source"]) == (str(tmp_path), "environment")
    assert (found["CONGVAN_EXPIRE_DAYS"]["value"], found["CONGVAN_EXPIRE_DAYS"]["source"]) == (
        "7",
        "environment",
    )
    assert found["CONGVAN_LISTEN"]["value"] == "[::1]:99"
    assert (found["CONGVAN_MAX_LETTER_MB"]["value"], found["CONGVAN_MAX_LETTER_MB"]["source"]) == (
        "100",
        "default",
    )
    assert (found["CONGVAN_DATABASE_URL"]["value"], found["CONGVAN_DATABASE_URL"]["source"]) == (
        None,
        "default",
    )
    assert found["CONGVAN_RECEIPT_KEY_FILE"]["value"] == str(tmp_path / "receipt.key")
    assert found["CONGVAN_SERVER"]["part"] == "client"


SECRETS = {
    "password": {"CONGVAN_DATABASE_URL": f"postgresql://u:{PLANTED}@h/d"},
    "password as parameter": {"CONGVAN_DATABASE_URL": f"postgresql://h/d?user=u&password={PLANTED}"},
    "broken address": {"CONGVAN_DATABASE_URL": f"postgresql://u:{PLANTED}/x@h:p/d"},
    "no address": {"CONGVAN_DATABASE_URL": f"u {PLANTED} h"},
    "key": {"CONGVAN_SECRET": f"cv_a7_{PLANTED}"},
    "other key": {"CONGVAN_SECRET": PLANTED},
    "key in the address": {"CONGVAN_SERVER": f"https://u:{PLANTED}@truc.example"},
    "unknown": {"CONGVAN_PASSWORD": PLANTED},
    "wrong beside": {"CONGVAN_DATABASE_URL": f"postgresql://u:{PLANTED}@h/d", "CONGVAN_EXPIRE_DAYS": "x"},
}


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
def test_secrets_are_masked(name, options):
    ran = congvan(None, "config", *options, **SECRETS[name])
    assert PLANTED not in ran.out + ran.err
    assert next(iter(SECRETS[name])) in ran.out + ran.err


def test_what_is_wrong_is_told_with_the_rest():
    ran = congvan(None, "config", "--json", CONGVAN_EXPIRE_DAYS="often", CONGVAN_EXPRIE_DAYS="7")
    assert ran.code == 2
    assert "CONGVAN_EXPIRE_DAYS" in ran.json["wrong"]
    assert ran.json["unknown"] == ["CONGVAN_EXPRIE_DAYS"]
    ran = congvan(None, "config", CONGVAN_EXPIRE_DAYS="often", CONGVAN_EXPRIE_DAYS="7")
    assert ran.code == 2
    assert "CONGVAN_EXPRIE_DAYS is no setting" in ran.err
    assert "CONGVAN_DATA" in ran.out


def test_hostile_values(tmp_path):
    ran = congvan(None, "config", CONGVAN_DATA="/\u202e\x1b[2J[red]x", CONGVAN_SYSTEM="\u009b")
    assert ran.code == 0
    assert not [one for one in ran.out + ran.err if not (one.isprintable() or one == "\n")]
    assert "[red]" in ran.out


def test_the_noting_environment_is_the_environment():
    given = {"CONGVAN_EXPIRE_DAYS": "7", "HOME": "/x"}
    assert config.read(settings._Noting(given)) == config.read(given)
