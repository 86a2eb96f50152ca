from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import lifecycle, paper_class, transfer

AT = datetime(2026, 11, 21, tzinfo=UTC)
LATER = AT + timedelta(hours=1)


def accepted(**facts):
    return paper_class.Event(kind="accepted", at=AT, **{"requirement": "met", "paper": 0, **facts})


@pytest.mark.parametrize(
    "state, klass, excluded",
    [
        ("arrived", "E", ""),
        ("registered", "E", ""),
        ("assigned", "E", ""),
        ("in_process", "E", ""),
        ("done", "E", ""),
        ("refused", "X", "refused"),
        ("withdrawn", "X", "recalled"),
    ],
)
def test_the_class_follows_from_the_state(state, klass, excluded):
    found = transfer.classification(accepted(), state, LATER)
    assert (found.klass, found.excluded) == (klass, excluded)


@pytest.mark.parametrize("state", lifecycle.STATES)
def test_what_never_arrived_has_no_class(state):
    assert transfer.classification(accepted(), state, None).klass is None


@pytest.mark.parametrize("state", ["arrived", "done", "refused"])
@pytest.mark.parametrize("why", [{"test": True}, {"scope": "internal"}])
def test_what_is_never_counted_is_not_counted_in_any_state(state, why):
    found = transfer.classification(accepted(**why), state, LATER)
    assert (found.klass, found.excluded) == ("X", why.get("scope", "test"))


@given(st.sampled_from(["met", "not_met"]), st.sampled_from([0, 1, None]), st.booleans())
def test_an_arrival_counts_as_it_was_announced_at_acceptance(requirement, paper, standing):
    event = accepted(requirement=requirement, paper=paper, no_paper_standing=standing)
    assert transfer.classification(event, "arrived", LATER) == paper_class.on_arrival(event)
