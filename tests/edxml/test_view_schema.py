"""`congvan show --json` against its published schemas, and what it embeds against what compose takes."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema_rs
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from letters_generated import any_letter, any_notice

from exchange.cli import letters
from exchange.edxml import model, read, view, write

FIXTURES = Path(__file__).parent / "fixtures"
FOLDER = files("schemas")
UNREADABLE = {"doctype.edxml", "flat_other_vocabulary.edxml", "garbage_before_declaration.edxml"}


def retrieved(uri):
    return json.loads((FOLDER / uri.removeprefix("json-schema:///")).read_bytes())


def validator(name):
    schema = retrieved(name)
    return jsonschema_rs.Draft202012Validator(
        schema, base_uri=f"json-schema:///{name}", retriever=retrieved, validate_formats=True
    )


LETTER, NOTICE = validator("edxml/letter.json"), validator("edxml/notice.json")
COMPOSE = validator("api/compose.json")


@pytest.mark.parametrize(
    "name", sorted({path.relative_to(FIXTURES).as_posix() for path in FIXTURES.rglob("*.edxml")} - UNREADABLE)
)
@pytest.mark.parametrize(
    "options", [("--json",), ("--json", "--embed", "--language", "en")], ids=["plain", "embedded"]
)
def test_what_is_shown_fits_its_schema(name, options):
    told = json.loads(CliRunner().invoke(letters.show, [str(FIXTURES / name), *options]).output)
    ours, other = (LETTER, NOTICE) if told["kind"] == "letter" else (NOTICE, LETTER)
    ours.validate(told)
    assert not other.is_valid(told)
    assert ("files" in told) == ("--embed" in options and told["kind"] == "letter")
    del told["sender"]["website"]
    assert not ours.is_valid(told)


@settings(deadline=None, max_examples=30)
@given(any_letter() | any_notice())
def test_whatever_is_shown_fits_its_schema_and_compose_takes_it(message):
    reading = read.read(write.write(message))
    facts = json.loads(json.dumps({"readable": True, **view.facts(reading)}))
    if not isinstance(message, model.Letter):
        NOTICE.validate(facts)
        return
    facts["files"] = view.files(reading.message)
    LETTER.validate(facts)
    COMPOSE.validate(facts)
    assert not LETTER.is_valid({**facts, "strange": 1})
