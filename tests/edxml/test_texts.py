"""Every finding the code can make has its sentence in every language, with no fact that is not given."""

import ast
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange import edxml, texts

SEVERITIES = {"error", "warning", "info"}


def made() -> Iterator[tuple[str, frozenset[str]]]:
    """Code and names of facts of every call that makes a finding."""
    for file in sorted(Path(edxml.__file__).parent.glob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call):
                yield from of_call(call)


def of_call(call: ast.Call) -> Iterator[tuple[str, frozenset[str]]]:
    constants = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    words = [constant for constant in constants if isinstance(constant, str)]
    facts = frozenset(keyword.arg or "" for keyword in call.keywords)
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called in {*SEVERITIES, "fault"} and words:
        yield words[0], facts
    elif called == "apart":
        yield words[0], frozenset({"name"})
    elif called == "_finding" and words:
        yield words[1], facts | {"name"}
    elif called == "Unreadable":
        yield words[0], frozenset({"detail"})
    elif called == "Finding":
        yield from (
            (keyword.value.value, frozenset({"count"})) for keyword in call.keywords if is_code(keyword)
        )


def is_code(keyword: ast.keyword) -> bool:
    return keyword.arg == "code" and isinstance(keyword.value, ast.Constant)


MADE = sorted(
    {*made(), *((code, frozenset({"element"})) for code in ("comment_in_value", "element_in_value"))}, key=str
)


@pytest.mark.parametrize("code, facts", MADE)
@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_a_sentence_uses_only_facts_that_are_given(code, facts, language):
    sentence = texts.catalogue(language)[f"finding.{code}"]
    assert {name for _, name, _, _ in string.Formatter().parse(sentence) if name} <= facts


def test_no_sentence_of_ours_is_left_over():
    folder = texts.files("exchange.texts").joinpath("vi")
    files = ("finding.toml", "compose.toml", "letter_file.toml")
    ours = [tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))["finding"] for name in files]
    assert {code for part in ours for code in part} == {code for code, _ in MADE}
