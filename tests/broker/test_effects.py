"""What operations, notices and acknowledgements do to one delivery, in any order: the journal tells all of it again."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange import ids
from exchange.broker import effects, expand, noticed
from exchange.edxml import model
from exchange.rules import lifecycle, operations, transfer
from exchange.store import rows
from exchange.store.transitions import Standing
from exchange.tracker import check_requests

AT = datetime(2026, 11, 21, 16, 30, tzinfo=UTC)
SENDER, RECIPIENT, SYSTEM = UUID(int=1), UUID(int=2), UUID(int=9)
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
WAITING = Standing(
    requirement="met", state="waiting", open=True, system=None, arrived_at=None, counted_class=None, excluded=None,
    id=UUID(int=4), scope="same_root", number="1", notation="CV", issued_on=date(2026, 11, 21),
    document_type="Công văn", subject="V/v thử",
)  # fmt: skip
CAUSES = ("revoke", "replace", "remove", "restate")
NOTICES = ("01", "02", "03", "04", "05", "06", "13", "15", "16")


class Story:
    """One delivery with its journal and what was counted of it."""

    def __init__(self, standing=WAITING, letter=LETTER):
        self.standing, self.letter, self.lines, self.facts, self.number = standing, letter, [], Counter(), 0
        self.new_ids = ids.Ids(lambda: AT)

    def take(self, event):
        self.number += 1
        at = AT + timedelta(minutes=self.number)
        moved = (self.strike if event in CAUSES else self.say)(event, at)
        self.standing = moved.standing
        self.lines += moved.lines
        for fact in moved.facts:
            self.facts[
                (fact.view, fact.day, fact.klass, fact.excluded, fact.document_type, fact.urgency)
            ] += fact.n

    def strike(self, event, at):
        restated = {**effects.facts(LETTER), "subject": f"V/v {self.number}", "urgency": self.number % 5}
        cause = effects.Cause(
            name=event, letter=self.new_ids.new(), operation="update" if event in ("remove", "restate") else event,
            at=at, system=SYSTEM, facts=restated if event == "restate" else None,
        )  # fmt: skip
        return effects.transition(cause, self.letter, RECIPIENT, self.new_ids).move(self.standing)

    def say(self, event, at):
        agency = SimpleNamespace(id=RECIPIENT, code="H13.31")
        notice = model.Notice(
            sender=model.Party(code="H13.31"), response_for=model.ResponseFor(), status=event, description="x"
        )
        about = noticed.Noticed(
            notice=notice, sender=agency, addressee=agency, delivery=DELIVERY, letter=self.letter
        )
        stored = noticed.replace(LETTER, id=self.new_ids.new(), operation="status", accepted_at=at)
        return noticed.move(about, stored, self.new_ids, self.standing)

    @property
    def told(self):
        """The row with its journal, as the self-check reads it."""
        events = {"arrived", "expired", "status", "withdrawn"}
        asked = {"asked", "agreed", "refused_request", "put_off"}
        return {
            **vars(self.standing),
            "steps": [
                (one.event, one.code, one.detail.get("was")) for one in self.lines if one.event in events
            ],
            "requests": [{**one.detail, "event": one.event} for one in self.lines if one.event in asked],
            "updates": [one.detail["letter"] for one in self.lines if one.event in ("updated", "replaced")],
            "same_facts": True,
        }


def steps(told):
    for event, code, was in told["steps"]:
        if event in ("status", "withdrawn"):
            yield ("withdraw" if event == "withdrawn" else code), was


@given(st.lists(st.sampled_from((*CAUSES, *NOTICES)), max_size=14))
def test_the_journal_tells_state_request_recall_and_count_again(events):
    story = Story()
    for event in events:
        story.take(event)
    now, told = story.standing, story.told
    json.dumps([one.detail for one in story.lines])
    assert lifecycle.replay(steps(told)) == now.state
    assert list(check_requests.faults(told)) == []
    accepted = noticed.replace(
        expand.accepted(LETTER, "same_root", RECIPIENT), document_type=now.document_type
    )
    found = transfer.classification(accepted, now.state, now.arrived_at, recalled=now.recalled)
    counted = {fact: n for fact, n in story.facts.items() if n}
    if found.klass is None:
        assert counted == {}
    else:
        assert {(key[0], *key[2:]): n for key, n in counted.items()} == {
            (view, found.klass, found.excluded, now.document_type, now.urgency): 1 for view in ("out", "in")
        }
    assert now.open is (now.arrived_at is None and now.state != "withdrawn")


@given(st.lists(st.sampled_from((*CAUSES, *NOTICES)), max_size=14))
def test_what_is_withdrawn_stays_so_and_what_was_registered_stays_counted(events):
    story, registered, withdrawn = Story(), False, False
    for event in events:
        story.take(event)
        registered |= story.standing.state in transfer.REGISTERED
        withdrawn |= story.standing.state == "withdrawn"
        assert not withdrawn or story.standing.state == "withdrawn"
    if withdrawn:
        assert story.standing.recalled is registered
        assert (story.standing.counted_class == "E") is registered


@pytest.mark.parametrize("orders", [("revoke", "revoke"), ("revoke", "replace"), ("remove", "revoke")])
@pytest.mark.parametrize("before", ["", "01", "03", "02"])
def test_two_withdrawals_at_once_end_as_one(orders, before):
    ends = []
    for causes in (orders, orders[::-1]):
        story = Story()
        for event in (*([before] if before else []), *causes, "15"):
            story.take(event)
        ends.append((story.standing.state, story.standing.recalled, story.standing.counted_class))
        assert sum(one.event == "withdrawn" for one in story.lines) == (before != "02")
    assert ends[0] == ends[1]


def test_an_answer_counts_once_and_only_to_what_was_asked():
    story = Story()
    for event in ("03", "15", "16"):
        story.take(event)
    assert story.standing.request is None
    for event in ("revoke", "16", "15"):
        story.take(event)
    assert (story.standing.state, story.standing.request_answer) == ("registered", "refused")
    for event in ("13", "15", "16"):
        story.take(event)
    assert (story.standing.state, story.standing.request_answer) == ("withdrawn", "agreed")


def test_an_update_does_not_put_a_withdrawal_aside():
    story = Story()
    for event in ("03", "revoke", "restate", "15"):
        story.take(event)
    assert (story.standing.state, story.standing.subject) == ("withdrawn", "V/v thử")


def test_an_update_that_came_meanwhile_is_asked_for_once_the_letter_stays():
    """Of two the newer one; also when another withdrawal asks in between."""
    story = Story()
    for event in ("03", "revoke", "restate", "restate", "13", "16"):
        story.take(event)
    now = story.standing
    assert (now.state, now.subject, now.request, now.request_answer, now.put_off) == (
        "registered", "V/v thử", "update", None, None,
    )  # fmt: skip
    story.take("15")
    assert (story.standing.state, story.standing.subject) == ("registered", "V/v 4")
    assert list(check_requests.faults(story.told)) == []


def test_an_update_that_a_withdrawal_puts_aside_is_asked_for_again():
    story = Story()
    for event in ("03", "restate", "revoke", "16", "13", "16", "15"):
        story.take(event)
    now = story.standing
    assert (now.state, now.subject, now.request, now.request_answer, now.put_off) == (
        "registered", "V/v 2", "update", "agreed", None,
    )  # fmt: skip
    assert list(check_requests.faults(story.told)) == []


@pytest.mark.parametrize("end", ["15", "02"])
def test_what_was_put_off_ends_with_the_letter(end):
    story = Story()
    for event in ("03", "revoke", "restate", end, "16", "15"):
        story.take(event)
    assert (story.standing.subject, story.standing.put_off, story.standing.put_off_facts) == (
        "V/v thử",
        None,
        None,
    )
    assert story.standing.state == ("withdrawn" if end == "15" else "refused")


def test_the_newest_facts_stand_in_whichever_order_updates_come():
    new_ids, ends = ids.Ids(lambda: AT), []
    old, new = new_ids.new(), new_ids.new()
    for order in ((old, new), (new, old)):
        standing = WAITING
        for letter in order:
            facts = {**effects.facts(LETTER), "subject": "mới" if letter == new else "cũ"}
            cause = effects.Cause(
                name="restate", letter=letter, operation="update", at=AT, system=SYSTEM, facts=facts
            )
            standing = effects.transition(cause, LETTER, RECIPIENT, new_ids).move(standing).standing
        ends.append((standing.subject, standing.restated_by))
    assert ends == [("mới", new)] * 2


@pytest.mark.parametrize("state", lifecycle.STATES)
@pytest.mark.parametrize("cause", [*CAUSES, "take_back"])
def test_the_table_is_whole(state, cause):
    found = operations.effect(state, cause)
    over = state in {"refused", "withdrawn"}
    asks = cause == "take_back" or state in transfer.REGISTERED
    assert found == (None if over else "ask" if asks else "restate" if cause == "restate" else "withdraw")
    assert cause in operations.REQUESTS
