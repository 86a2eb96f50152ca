"""Facts of the tally that are the same become one row."""

from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

from exchange import ids
from exchange.broker import counted
from exchange.rules import paper_class

ACCEPTED, ARRIVED = datetime(2026, 1, 5, 16, 59, tzinfo=UTC), datetime(2026, 1, 5, 17, 1, tzinfo=UTC)
E = paper_class.Classification(klass="E", step="arrived", grade="B")


def delivery(sender=1, recipient=2):
    return {
        "sender": UUID(int=sender), "recipient": UUID(int=recipient), "accepted_at": ACCEPTED, "scope": "same_root",
        "document_type": "Công văn", "urgency": 0,
    }  # fmt: skip


def test_alike_are_added_and_the_rest_kept_apart():
    transfers = [delivery(), delivery(), delivery(sender=3)]
    counts = Counter(fact for one in transfers for fact in counted.facts(one, E, ARRIVED))
    made = counted.deltas(counts, ids.Ids(lambda: ARRIVED))
    told = {(row.view, row.agency.int, f"{row.day}", row.n) for row in made}
    assert told == {("out", 1, "2026-01-05", 2), ("out", 3, "2026-01-05", 1), ("in", 2, "2026-01-06", 3)}
    assert len({row.id for row in made}) == 3


def test_what_has_not_arrived_or_has_no_class_is_not_counted():
    pending = paper_class.Classification(klass=None, step="pending")
    assert counted.facts(delivery(), E, None) == counted.facts(delivery(), pending, ARRIVED) == ()


def test_what_is_taken_back_and_added_again_leaves_no_row():
    counts = Counter(counted.facts(delivery(), E, ARRIVED))
    counts.subtract(counted.facts(delivery(), E, ARRIVED))
    assert counted.deltas(counts, ids.Ids(lambda: ARRIVED)) == []
