"""Any interleaving of notices, operations, re-judgements, acts about paper and their undoing: the journal tells all of it."""

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from broker.test_effects import AT, CAUSES, LETTER, NOTICES, RECIPIENT, SENDER, WAITING, Story
from hypothesis import given
from hypothesis import strategies as st

from exchange.broker import counted, expand, paper_acts, rejudged
from exchange.broker.paper_acts import Act, Author
from exchange.broker.standings import Matter
from exchange.rules import transfer
from exchange.tracker import check, check_paper

ROWS = (UUID(int=71), UUID(int=72))
ACTS = {
    "paper": ("paper_received", {"on": "2026-11-22"}),
    "paper later": ("paper_received", {"on": "2026-11-23"}),
    "no paper": ("paper_received_undone", {}),
    "attest": ("attested", {}),
    "unattest": ("attested_undone", {}),
    "said 0": ("paper_declared", {"paper": 0, "reason": None}),
    "said 1": ("paper_declared", {"paper": 1, "reason": "government"}),
    "unsaid": ("paper_declared_undone", {}),
    "row 1": ("register_matched", {"row": str(ROWS[0])}),
    "row 2": ("register_matched", {"row": str(ROWS[1])}),
    "no row 1": ("register_matched_undone", {"row": str(ROWS[0])}),
    "no row 2": ("register_matched_undone", {"row": str(ROWS[1])}),
}
JUDGED = {"met": "", "not_met": "revoked", "undetermined": "no_path"}


def starting(letter):
    found = transfer.on_arrival(expand.accepted(letter, "same_root", RECIPIENT))
    return replace(
        WAITING,
        klass=found.klass,
        grade=found.grade,
        justified=found.justified,
        requirement=letter.requirement,
    )


class Whole(Story):
    """One delivery with everything that can happen to it."""

    def __init__(self, letter=LETTER):
        super().__init__(starting(letter), letter)
        self.counts = Counter()

    def take(self, event):
        if event in ACTS:
            self.act(event)
        elif event in JUDGED:
            self.judge(event)
        else:
            self.number += 1
            self.keep(
                (self.strike if event in CAUSES else self.say)(event, AT + timedelta(minutes=self.number))
            )

    def act(self, event):
        self.number += 1
        at = AT + timedelta(minutes=self.number)
        name, facts = ACTS[event]
        if name == "attested":
            facts = {"at": at.isoformat(), "attestation": "…"}
        act = Act(event=name, author=Author(name="Văn thư thử", at=at, why="vì"), facts=facts)
        matter = Matter(letter=self.letter, recipient=RECIPIENT, delivery=WAITING.id, scope="same_root")
        self.keep(paper_acts.move(matter, act, self.new_ids, self.standing))

    def keep(self, moved):
        self.standing = moved.standing
        self.lines += moved.lines
        for fact in moved.facts:
            self.counts[counted.Fact(*(getattr(fact, name) for name in counted.Fact._fields))] += fact.n

    def judge(self, requirement):
        """As `broker.rejudge` does it: on the row that stands, which it locks."""
        stands = SimpleNamespace(requirement=requirement, reason=JUDGED[requirement])
        moved = rejudged.moved(self.row, SimpleNamespace(letter=self.letter, stands=stands))
        _, _, _, _, klass, grade, justified, counted_class = moved.columns
        self.letter = replace(self.letter, requirement=requirement, reason=JUDGED[requirement])
        self.standing = replace(
            self.standing, requirement=requirement, klass=klass, grade=grade, justified=justified,
            counted_class=counted_class,
        )  # fmt: skip
        for fact, n in moved.facts.items():
            self.counts[fact] += n

    @property
    def row(self):
        now = self.standing
        return {
            **vars(now), "class": now.klass, "recipient": RECIPIENT, "letter": LETTER.id, "round": 1, "sender": SENDER,
            "operation": "new", "accepted_at": AT, "register_rows": list(now.register_rows),
        }  # fmt: skip

    @property
    def recounted(self):
        """The row as `store.recount` reads it, the journal's lines in any order."""
        letter, arrivals = self.letter, [one.at for one in self.lines if one.event == "arrived"]
        return {
            **self.told, **self.row, "letter_accepted_at": AT, "letter_requirement": letter.requirement,
            "reason": letter.reason, "paper": letter.paper, "paper_reason": letter.paper_reason,
            "no_paper_standing": letter.no_paper_standing, "test": letter.test, "duplicate": False,
            "letter_type": self.standing.document_type, "journal_arrived_at": min(arrivals, default=None),
            "papers": [
                json.loads(json.dumps({**one.detail, "event": one.event}))
                for one in reversed(self.lines) if one.event in check_paper.EVENTS
            ],
        }  # fmt: skip


LETTERS = st.builds(
    lambda paper, standing, requirement: replace(
        LETTER, paper=paper, no_paper_standing=standing, requirement=requirement, reason=JUDGED[requirement]
    ),
    st.sampled_from([0, 1, None]),
    st.booleans(),
    st.sampled_from(sorted(JUDGED)),
)
EVENTS = st.lists(st.sampled_from((*CAUSES, *NOTICES, *ACTS, *JUDGED)), max_size=20)


@given(LETTERS, EVENTS)
def test_the_self_check_is_silent_and_the_tally_is_the_recount(letter, events):
    story = Whole(letter)
    for event in events:
        story.take(event)
    assert [fault.code for fault in check._delivery_faults(story.recounted)] == []
    assert {tuple(fact) for fact, n in story.counts.items() if n} == set(expected(story))
    assert all(n in (0, 1) for n in story.counts.values())


def expected(story):
    """The facts of the self-check, in the order of the columns of `counted.Fact`."""
    for view, agency, day, *rest in check._facts(story.recounted):
        yield (agency, view, day, *rest)


def stood(story):
    found = transfer.classification(
        replace(expand.accepted(story.letter, "same_root", RECIPIENT), document_type=story.standing.document_type),
        story.standing.state, story.standing.arrived_at, said=transfer.said(vars(story.standing)),
    )  # fmt: skip
    return found.klass, found.grade, found.justified, found.conflict


@pytest.mark.parametrize(
    "events, klass",
    [
        (["01"], ("E", "B", "", False)),
        (["01", "paper"], ("S", "", "no", True)),
        (["paper", "01"], ("S", "", "no", True)),
        (["01", "paper", "no paper"], ("E", "B", "", False)),
        (["01", "attest"], ("E", "A", "", False)),
        (["attest", "01"], ("E", "B", "", False)),
        (["01", "attest", "paper"], ("S", "", "no", True)),
        (["01", "paper", "attest", "no paper"], ("E", "B", "", False)),
        (["01", "attest", "paper", "no paper"], ("E", "A", "", False)),
        (["01", "attest", "unattest"], ("E", "B", "", False)),
        (["01", "said 1"], ("S", "", "yes", False)),
        (["01", "said 1", "paper"], ("S", "", "yes", False)),
        (["01", "said 1", "unsaid"], ("E", "B", "", False)),
        (["01", "row 1", "row 2", "no row 1"], ("S", "", "no", True)),
        (["01", "row 1", "row 2", "no row 1", "no row 2"], ("E", "B", "", False)),
        (["row 1", "01"], ("E", "B", "", False)),
        (["01", "attest", "not_met", "said 0"], ("N", "", "", False)),
        (["01", "attest", "not_met", "met"], ("E", "A", "", False)),
        (["02", "paper"], ("X", "", "", False)),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else given[0],
)
def test_what_acts_lead_to(events, klass):
    story = Whole()
    for event in events:
        story.take(event)
    assert stood(story) == klass


def test_undeclared_becomes_electronic_by_attestation_or_correction_alone():
    letter = replace(LETTER, paper=None)
    for act, grade in (("attest", "A"), ("said 0", "B")):
        story = Whole(letter)
        for event in ("01", act):
            story.take(event)
        assert stood(story)[:2] == ("E", grade)


@given(st.lists(st.sampled_from(tuple(ACTS)), max_size=8))
def test_an_act_repeated_changes_nothing_and_leaves_no_line(events):
    once, twice = Whole(), Whole()
    for event in ("01", *events):
        once.take(event)
        twice.take(event)
        if event in ACTS:
            twice.take(event)
    assert (once.standing.klass, once.standing.paper_acts) == (
        twice.standing.klass,
        twice.standing.paper_acts,
    )
    assert len(once.lines) == len(twice.lines)


@pytest.mark.parametrize("event", sorted(paper_acts.EVENTS))
def test_every_act_is_known_to_the_self_check(event):
    assert event in check_paper.EVENTS
