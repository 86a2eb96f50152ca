"""A deployment's signature policy: used when it is sound, told with every mistake before anything is judged by it."""

import pytest
from clerk import congvan

SOUND = """source = "Quy chế"
accept_broken = true
[[rule]]
copy_form = "*"
document_type = "*"
demands = ["organisation"]
basis = "Điều 1"
"""


def test_a_sound_policy_is_a_setting_like_any_other(tmp_path):
    file = tmp_path / "policy.toml"
    file.write_text(SOUND, encoding="utf-8")
    answer = congvan(None, "config", "--json", CONGVAN_POLICY_FILE=file)
    assert (answer.code, answer.json["wrong"]) == (0, None)
    found = {one["name"]: one["value"] for one in answer.json["settings"]}
    assert found["CONGVAN_POLICY_FILE"] == str(file)


@pytest.mark.parametrize("command", [("config",), ("serve",)], ids=" ".join)
@pytest.mark.parametrize(
    "language, words", [("vi", ("sorce", "[[rule]] 1: demands")), ("en", ("no such name",))]
)
def test_every_mistake_is_told_and_nothing_starts(tmp_path, command, language, words):
    file = tmp_path / "policy.toml"
    wrong = SOUND.replace("source", "sorce").replace('["organisation"]', '["minister"]')
    file.write_text(wrong, encoding="utf-8")
    answer = congvan(
        None, *command, CONGVAN_POLICY_FILE=file, CONGVAN_LANGUAGE=language, CONGVAN_DATA=tmp_path / "data"
    )
    assert answer.code == 2
    said = answer.out + answer.err
    assert all(word in said for word in words)
    assert "Traceback" not in said
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", [("config",), ("serve",)], ids=" ".join)
@pytest.mark.parametrize(
    "name, wrong", [("LEAGUE", "[targets]\nM1 = '1/0'"), ("CALENDAR", "[week]\noff = [9]")]
)
def test_a_calendar_or_league_that_cannot_be_used_is_told_and_nothing_starts(tmp_path, command, name, wrong):
    file = tmp_path / "own.toml"
    file.write_text(wrong, encoding="utf-8")
    answer = congvan(None, *command, CONGVAN_DATA=tmp_path / "data", **{f"CONGVAN_{name}_FILE": file})
    assert answer.code == 2
    assert str(file) in "".join((answer.out + answer.err).split())
    assert "Traceback" not in answer.out + answer.err
    assert not (tmp_path / "data").exists()


def test_a_policy_file_that_is_not_there(tmp_path):
    answer = congvan(None, "config", CONGVAN_POLICY_FILE=tmp_path / "none.toml")
    assert answer.code == 2
    assert "TOML" in answer.out + answer.err
