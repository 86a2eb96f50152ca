"""What the clients know, kept apart from the exchange: every answer they got, every letter in their hands.

What a client can see to be wrong at that moment - a letter that comes back after its acknowledgement was answered, an
answer that is neither yes nor "again" - is a fault at once. The rest is left to `compare`.
"""

import hashlib
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from exchange.rules import lifecycle


class Fault(NamedTuple):
    """One difference between what was promised and what is."""

    kind: str
    where: str


@dataclass
class Letter:
    """One letter or notice that a sender wants to be rid of, and every 2xx it got for it.

    A notice has the code that it says, and `about`: the letter and the recipient whose delivery it speaks of.
    """

    raw: bytes
    sender: str
    recipients: tuple
    code: str = ""
    about: tuple = ()
    statuses: list = field(default_factory=list)
    receipts: list = field(default_factory=list)

    @cached_property
    def sha256(self):
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def answered(self):
        return bool(self.receipts)

    @cached_property
    def id(self):
        return json.loads(self.receipts[0])["receipt"]["letter"]


@dataclass
class Ledger:
    """All clients' knowledge. `taken` is (letter, recipient) -> ids under which it lay in the inbox."""

    letters: list = field(default_factory=list)
    taken: defaultdict = field(default_factory=lambda: defaultdict(set))
    bodies: defaultdict = field(default_factory=lambda: defaultdict(set))
    acknowledged: dict = field(default_factory=dict)
    unsure: set = field(default_factory=set)
    faults: list = field(default_factory=list)
    answers: int = 0
    owed: int = 0
    unknown: int = 0
    slowest: float = 0.0

    def promised(self):
        """Every (letter, recipient) that a sender holds a receipt for."""
        return {(one.id, code) for one in self.letters if one.answered for code in one.recipients}

    def states(self):
        """Where every delivery of a letter must stand that was answered: as far as its notices lead from *arrived*."""
        found = {}
        for one in self.letters:
            if one.code and one.answered:
                state = found.get(one.about, "arrived")
                found[one.about] = lifecycle.advance(state, one.code) or state
        return found

    def pending(self):
        """What was promised and is not in its recipient's hands, acknowledged; and notices still to be handed over."""
        done = {pair for pair, ids in self.taken.items() if ids & self.acknowledged.keys()}
        unsaid = {(*one.about, one.code) for one in self.letters if one.code and not one.answered}
        return (self.promised() - done) | unsaid

    @property
    def outstanding(self):
        """How many deliveries were promised and not acknowledged yet: what `pending` names, at a glance."""
        return self.owed - len(self.acknowledged)

    def sent(self, letter, answer):
        """A final answer to a letter."""
        if answer.status not in (200, 201):
            self.strange("POST", answer)
            return
        self.answers += 1
        self.owed += 0 if letter.answered else len(letter.recipients)
        letter.statuses.append(answer.status)
        letter.receipts.append(answer.raw)

    def shown(self, items, asked):
        """One page of an inbox, asked for at that moment."""
        pairs = Counter((item["letter"], item["recipient"]) for item in items)
        self.faults += [Fault("twice_in_one_page", repr(pair)) for pair, n in pairs.items() if n > 1]
        for item in items:
            self.taken[(item["letter"], item["recipient"])].add(item["id"])
            if self.acknowledged.get(item["id"], asked) < asked:
                self.faults.append(Fault("came_back", item["id"]))

    def held(self, letter, raw):
        """The bytes of a letter, as some recipient got them."""
        self.bodies[letter].add(hashlib.sha256(raw).hexdigest())

    def acked(self, body):
        """The answer to an acknowledgement."""
        at = time.monotonic()
        twice = [one for one in body["acknowledged"] if one in self.acknowledged]
        unasked = [one for one in body["already"] if one not in self.unsure]
        self.faults += [Fault("acknowledged_twice", one) for one in twice]
        self.faults += [Fault("acknowledged_unasked", one) for one in unasked]
        self.faults += [Fault("unknown_delivery", one) for one in body["unknown"]]
        self.acknowledged.update(dict.fromkeys([*body["acknowledged"], *body["already"]], at))

    def strange(self, what, answer):
        """An answer that nobody should get."""
        self.faults.append(Fault("strange_answer", f"{what}: {answer.status} {answer.raw[:200]!r}"))

    def figures(self):
        """One line for the reader of a campaign."""
        statuses = Counter(status for one in self.letters for status in one.statuses)
        return {
            "letters": sum(one.answered and not one.code for one in self.letters),
            "notices": sum(one.answered and bool(one.code) for one in self.letters),
            "promised": len(self.promised()),
            "acknowledged": len(self.acknowledged),
            "statuses": dict(statuses),
            "first_answer_was_a_replay": sum(one.statuses[:1] == [200] for one in self.letters),
            "unknown": self.unknown,
            "slowest_answer_s": round(self.slowest, 1),
        }
