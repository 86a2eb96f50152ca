import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

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


def led(events, state="waiting"):
    """The state to which events lead, and what the journal would keep of them: each with the state that it met."""
    steps = []
    for event in events:
        steps.append((event, state))
        state = lifecycle.advance(state, event) or state
    return state, steps


def expected(said):
    """Where a delivery must stand, by the set of what was said alone, written down without the table."""
    if "02" in said:
        return "refused"
    reached = {
        "ack": "arrived",
        "01": "arrived",
        "03": "registered",
        "04": "assigned",
        "05": "in_process",
        "06": "done",
    }
    ranked = sorted((reached[event] for event in said if event in reached), key=RANK.__getitem__)
    return ranked[-1] if ranked else "expired" if "expire" in said else "waiting"


@given(
    st.lists(st.sampled_from([event for event in lifecycle.EVENTS if event != "withdraw"]), max_size=14),
    st.data(),
)
def test_any_permutation_of_all_that_can_be_said_leads_to_the_same_state(events, data):
    """With repetitions and gaps, acknowledgement and expiry among them; only a withdrawal cares for what came before."""
    shuffled = data.draw(st.permutations(events))
    state, steps = led(shuffled)
    assert state == led(events)[0] == expected(set(events))
    assert sorted(event for event, _ in steps) == sorted(events)


@given(st.lists(EVENTS), st.data())
def test_of_a_letter_that_was_not_withdrawn_no_notice_is_turned_away(events, data):
    state = led([event for event in events if event != "withdraw"])[0]
    code = data.draw(st.sampled_from([event for event in lifecycle.EVENTS if event.isdigit()]))
    assert lifecycle.advance(state, code) is not None


def test_only_what_was_withdrawn_turns_notices_away():
    unknown = {
        (state, event) for state, row in lifecycle.TABLE.items() for event in set(lifecycle.EVENTS) - set(row)
    }
    late = {("withdrawn", code) for code in ("02", "03", "04", "05", "06")}
    assert {one for one in unknown if one[1] != "expire"} == late
    assert {state for state, event in unknown if event == "expire"} == {*RANK, "refused", "withdrawn"} - {
        "waiting"
    }


@given(st.lists(EVENTS, max_size=10), st.data())
def test_a_letter_that_was_withdrawn_or_refused_is_over(events, data):
    """Whatever is said of it, the round stays closed: another may have been opened."""
    state = data.draw(st.sampled_from(["withdrawn", "refused"]))
    assert led(events, state)[0] == state


class Story(RuleBasedStateMachine):
    """A delivery to which everything happens in any order; beside it only the bare list of what happened."""

    def __init__(self):
        super().__init__()
        self.state, self.steps, self.said = "waiting", [], set()

    def happens(self, event):
        self.steps.append((event, self.state))
        reached = lifecycle.advance(self.state, event)
        if reached is not None:
            self.said.add(event)
            assert lifecycle.advance(reached, event) == reached
        self.state = reached or self.state

    @rule(code=st.sampled_from([event for event, actor in lifecycle.EVENTS.items() if actor == "recipient"]))
    def recipient_says(self, code):
        self.happens(code)

    @rule()
    def sender_takes_back(self):
        self.happens("13")

    @rule()
    def it_expires(self):
        self.happens("expire")

    @precondition(lambda self: len(self.steps) > 3)
    @rule()
    def it_is_withdrawn(self):
        refused = self.state == "refused"
        self.happens("withdraw")
        assert self.state == ("refused" if refused else "withdrawn")

    @rule(random=st.randoms(use_true_random=False))
    def its_journal_in_any_order_tells_where_it_stands(self, random):
        shuffled = random.sample(self.steps, len(self.steps))
        assert lifecycle.replay(shuffled) == self.state

    @invariant()
    def it_stands_in_the_table_where_what_was_said_leads(self):
        assert self.state in lifecycle.TABLE
        if self.state != "withdrawn":
            assert self.state == expected(self.said)


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=150, stateful_step_count=20, deadline=None)


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
        ("done", "02", "refused"),
        ("done", "01", "done"),
        ("in_process", "04", "in_process"),
        ("refused", "03", "refused"),
        ("refused", "06", "refused"),
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
