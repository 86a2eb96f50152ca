"""What notices do to a delivery, purely: any order, any number - one final state, one count, the whole history."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import ids
from exchange.broker import noticed
from exchange.edxml import model
from exchange.rules import lifecycle
from exchange.store import rows
from exchange.store.transitions import Standing

AT = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
SENDER, RECIPIENT, SYSTEM = UUID(int=1), UUID(int=2), UUID(int=9)
NEW_IDS = ids.Ids(lambda: AT)
WAITING = Standing(
    requirement="met",
    state="waiting",
    open=True,
    system=None,
    arrived_at=None,
    counted_class=None,
    excluded=None,
    document_type="Công văn",
)
CODES = [event for event in lifecycle.EVENTS if event.isdigit() and event not in {"13", "15", "16"}]
"""Those of which the order does not matter; requests and their answers: `test_effects`."""

LETTER = rows.LetterRow(
    sender=SENDER, id=UUID(int=3), document_id="doc", operation="new", round=1, sha256=b"s" * 32, size=9, number="1",
    notation="CV", issued_on=date(2026, 11, 21), document_type="Công văn", subject="V/v thử", urgency=0,
    target_document_id=None, response_for=(), main_attachment=None, copy_form="original", paper=0, paper_reason=None,
    no_paper_standing=False, test=False, recipients=(RECIPIENT,), purposes=("act",), unroutable=(), requirement="met",
    reason="", missing=(), directory_version=1, policy_sha256=b"p" * 32, system=SYSTEM, accepted_at=AT, receipt=b"",
    expanded_at=AT,
)  # fmt: skip
DELIVERY = {
    "recipient": RECIPIENT, "letter": LETTER.id, "round": 1, "id": UUID(int=4), "sender": SENDER, "scope": "same_root",
    "document_type": "Công văn", "urgency": 0, "accepted_at": AT,
}  # fmt: skip


def said(standing, code, at=AT + timedelta(hours=1)):
    """One notice of that code, about a delivery that stands so."""
    agency = SimpleNamespace(id=RECIPIENT, code="H13.31")
    notice = model.Notice(
        sender=model.Party(code="H13.31"),
        response_for=model.ResponseFor(),
        status=code,
        description=f"text {code}",
    )
    about = noticed.Noticed(notice=notice, sender=agency, addressee=agency, delivery=DELIVERY, letter=LETTER)
    stored = noticed.replace(LETTER, id=NEW_IDS.new(), operation="status", accepted_at=at)
    return noticed.move(about, stored, NEW_IDS, standing)


def told(codes, standing=WAITING):
    """Notices one after the other: where the delivery stands at last, all journal lines, and all that was counted."""
    lines, facts = [], Counter()
    for code in codes:
        moved = said(standing, code)
        standing = moved.standing
        lines += moved.lines
        for fact in moved.facts:
            facts[(fact.view, fact.day, fact.klass, fact.excluded)] += fact.n
    return standing, lines, {fact: n for fact, n in facts.items() if n}


def history(lines):
    return [line.code for line in lines if line.event == "status"]


@given(st.lists(st.sampled_from(CODES), min_size=1), st.data())
def test_any_permutation_gives_the_same_state_count_and_history(codes, data):
    shuffled = data.draw(st.permutations(codes))
    one, other = told(codes), told(shuffled)
    assert one[0] == other[0]
    assert one[2] == other[2]
    assert history(one[1]) == codes
    assert history(other[1]) == shuffled


@given(st.permutations(CODES))
def test_a_refusal_wins_over_everything(codes):
    standing, lines, facts = told(codes)
    assert (standing.state, standing.counted_class, standing.excluded) == ("refused", "X", "refused")
    assert set(facts.values()) == {1}
    assert {(view, klass, excluded) for view, _, klass, excluded in facts} == {
        ("out", "X", "refused"),
        ("in", "X", "refused"),
    }
    assert sorted(history(lines)) == sorted(codes)


@given(st.lists(st.sampled_from(CODES)))
def test_no_path_leaves_the_table_and_every_transfer_is_counted_at_most_once(codes):
    standing, lines, facts = told(codes)
    assert standing.state in lifecycle.TABLE
    arrived = standing.state not in {"waiting", "expired"}
    assert (standing.arrived_at is not None) is arrived
    assert standing.open is not arrived
    assert sorted(facts.values()) == ([1, 1] if arrived else [])
    assert sum(line.event == "arrived" for line in lines) == arrived
    steps = [(line.code, line.detail["was"]) for line in lines if line.event == "status"]
    assert lifecycle.replay(steps) == standing.state


def test_the_first_notice_counts_on_the_day_of_acceptance_and_of_arrival():
    moved = said(WAITING, "01", AT + timedelta(hours=1))
    assert [(fact.view, fact.agency, fact.day, fact.klass, fact.n) for fact in moved.facts] == [
        ("out", SENDER, date(2026, 11, 21), "E", 1),
        ("in", RECIPIENT, date(2026, 11, 22), "E", 1),
    ]
    assert (moved.standing.system, moved.standing.arrived_at) == (SYSTEM, AT + timedelta(hours=1))


def test_a_refusal_takes_back_what_was_counted_on_the_day_it_was_counted():
    arrived = Standing(
        requirement="met",
        state="arrived",
        open=False,
        system=UUID(int=8),
        arrived_at=AT,
        counted_class="E",
        excluded=None,
    )
    moved = said(arrived, "02", AT + timedelta(days=40))
    assert [(fact.view, fact.day, fact.klass, fact.excluded, fact.n) for fact in moved.facts] == [
        ("out", date(2026, 11, 21), "E", "", -1),
        ("in", date(2026, 11, 21), "E", "", -1),
        ("out", date(2026, 11, 21), "X", "refused", 1),
        ("in", date(2026, 11, 21), "X", "refused", 1),
    ]
    assert (moved.standing.system, moved.standing.arrived_at) == (UUID(int=8), AT)
    assert [line.event for line in moved.lines] == ["status"]


@pytest.mark.parametrize("state", ["refused", "withdrawn"])
def test_what_comes_too_late_is_kept_and_moves_nothing(state):
    over = Standing(
        requirement="met",
        state=state,
        open=False,
        system=SYSTEM,
        arrived_at=AT,
        counted_class="X",
        excluded="refused",
    )
    moved = said(over, "06")
    assert (moved.standing, moved.facts) == (over, ())
    assert [line.code for line in moved.lines] == ["06"]
