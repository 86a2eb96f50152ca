"""The picture of the lifecycle says what the table says, cell by cell, and nothing else."""

import pytest

from exchange import texts
from exchange.rules import lifecycle, lifecycle_picture


def read(page):
    """The table of a page: reached words by words of the state and event."""
    heads, _, *rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in page.splitlines()
        if line.startswith("|")
    ]
    return {
        (row[0].strip("*"), event): cell
        for row in rows
        for events, cell in zip(heads[1:], row[1:], strict=True)
        for event in events.split()
    }


def expected(language):
    for state in lifecycle.STATES:
        for event in lifecycle.EVENTS:
            reached = lifecycle.advance(state, event)
            told = {None: "–", state: "·"}.get(reached) or texts.say(f"state.{reached}", language)
            yield (texts.say(f"state.{state}", language), event), told


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_picture_is_the_table(language):
    assert read(lifecycle_picture.markdown(language)) == dict(expected(language))


def test_another_table_makes_another_picture(monkeypatch):
    before = lifecycle_picture.markdown()
    changed = {state: dict(row) for state, row in lifecycle.TABLE.items()}
    changed["done"]["02"] = "done"
    monkeypatch.setattr(lifecycle, "TABLE", changed)
    assert lifecycle_picture.markdown() != before
    assert read(lifecycle_picture.markdown()) == dict(expected("vi"))


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_event_is_explained(language):
    page = lifecycle_picture.markdown(language)
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("- ")] == list(
        lifecycle.EVENTS
    )
