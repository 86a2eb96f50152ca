import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import lifecycle

STATES = st.sampled_from(lifecycle.STATES)
EVENTS = st.sampled_from(tuple(lifecycle.EVENTS))
RANK = {
    state: rank
    for rank, state in enumerate(("waiting", "arrived", "registered", "assigned", "in_process", "done"))
}


@given(STATES, st.lists(EVENTS))
def test_no_path_leaves_the_table(state, events):
    for event in events:
        reached = lifecycle.advance(state, event)
        assert reached is None or reached in lifecycle.TABLE
        state = reached or state


@given(STATES, EVENTS)
def test_the_same_event_again_changes_nothing(state, event):
    once = lifecycle.advance(state, event)
    if once is not None:
        assert lifecycle.advance(once, event) == once


@given(st.permutations(["ack", "01", "03", "04", "05", "06"]))
def test_statuses_in_any_order_and_with_gaps_lead_to_the_highest(events):
    state, highest = "waiting", 0
    for event in events:
        state = lifecycle.advance(state, event)
        highest = max(highest, RANK[lifecycle.advance("waiting", event)])
        assert RANK[state] == highest


def test_going_forward_never_goes_back():
    for state, event in itertools.product(RANK, ("ack", "01", "03", "04", "05", "06")):
        assert RANK[lifecycle.advance(state, event)] >= RANK[state]


@pytest.mark.parametrize("state", lifecycle.STATES)
def test_an_acknowledgement_always_wins(state):
    expected = "arrived" if state in {"waiting", "expired"} else state
    assert lifecycle.advance(state, "ack") == expected


@pytest.mark.parametrize(
    "state, event, reached",
    [
        ("waiting", "01", "arrived"),
        ("waiting", "02", "refused"),
        ("waiting", "06", "done"),
        ("waiting", "expire", "expired"),
        ("waiting", "withdraw", "withdrawn"),
        ("expired", "03", "registered"),
        ("expired", "02", "refused"),
        ("arrived", "expire", None),
        ("arrived", "02", "refused"),
        ("registered", "02", "refused"),
        ("done", "02", None),
        ("done", "01", "done"),
        ("in_process", "04", "in_process"),
        ("refused", "03", None),
        ("refused", "02", "refused"),
        ("refused", "01", "refused"),
        ("withdrawn", "03", None),
        ("withdrawn", "15", "withdrawn"),
        ("registered", "13", "registered"),
        ("registered", "16", "registered"),
        ("registered", "withdraw", "withdrawn"),
        ("waiting", "07", None),
        ("waiting", "", None),
    ],
)
def test_transitions(state, event, reached):
    assert lifecycle.advance(state, event) == reached


def test_every_state_has_its_row_and_closed_states_are_states():
    assert set(lifecycle.TABLE) == set(lifecycle.STATES)
    assert set(lifecycle.STATES) >= lifecycle.CLOSED


def test_events_of_the_table_are_those_with_an_actor():
    assert {event for row in lifecycle.TABLE.values() for event in row} == set(lifecycle.EVENTS)


def test_only_the_sender_asks_to_take_back():
    assert [event for event, actor in lifecycle.EVENTS.items() if actor == "sender"] == ["13"]


@given(st.lists(EVENTS, max_size=12), st.randoms(use_true_random=False))
def test_a_history_in_any_order_is_replayed_to_the_state_it_led_to(events, random):
    """What the journal keeps of every path, with the state that each event met, leads to the same state again."""
    state, steps = "waiting", []
    for event in events:
        steps.append((event, state))
        state = lifecycle.advance(state, event) or state
    random.shuffle(steps)
    assert lifecycle.replay(steps) == state


@given(st.lists(EVENTS, min_size=1, max_size=8), st.data())
def test_a_history_that_lacks_the_step_that_led_on_is_no_path(events, data):
    state, steps = "waiting", []
    for event in events:
        steps.append((event, state))
        state = lifecycle.advance(state, event) or state
    moving = [
        position
        for position, (event, was) in enumerate(steps)
        if lifecycle.advance(was, event) not in {None, was}
    ]
    if moving:
        gone = data.draw(st.sampled_from(moving))
        assert lifecycle.replay(steps[:gone] + steps[gone + 1 :]) != state


@pytest.mark.parametrize(
    "steps",
    [
        [("03", "waiting"), ("02", "waiting")],
        [("06", "registered")],
        [("01", "arrived")],
        [("03", "waiting"), ("04", "arrived")],
        [("03", "nowhere")],
        [("03", None)],
    ],
)
def test_what_no_path_explains_is_seen(steps):
    assert lifecycle.replay(steps) is None
