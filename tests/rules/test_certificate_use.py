"""Certificates as an inventory sees them: whose, in which state on which day, idle or not."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from exchange.rules import certificate_use
from exchange.rules.certificate_use import NEVER, STATES, Own, Row, Use

PARENT, CHILD, OTHER, OFFICER = (UUID(int=number) for number in (1, 2, 3, 9))
ON = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def row(**changed):
    facts = {
        "sha256": b"1", "agency": PARENT, "home": PARENT, "level": 2, "kind": "organisation", "officer": None,
        "officer_name": "", "position": "", "leader": False, "subject": "CN=A", "issuer": "CN=CA", "purpose": "exchange",
        "valid_from": date(2026, 1, 1), "valid_to": date(2030, 12, 31), "confirmed": True,
    }  # fmt: skip
    if "agency" in changed:
        changed.setdefault("home", changed["agency"])
    return Row(**{**facts, **changed})


def own(first=date(2026, 1, 1), last=date(2030, 12, 31), revoked=None):
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, 16, tzinfo=UTC)
    return Own(
        subject="A", issuer="CA", serial="1f", valid_from=start, valid_to=end, first=first, last=last, revoked=revoked
    )  # fmt: skip


def one(*rows, own=None):
    (found,) = certificate_use.held(rows, {b"1": own} if own else {})
    return found


def state(*rows, own=None, on=ON, at=AT):
    return certificate_use.state(one(*rows, own=own), at, on)


@pytest.mark.parametrize(
    "rows, owner, shared",
    [
        ([row()], PARENT, ()),
        ([row(agency=CHILD, level=3, valid_from=date(2026, 2, 1)), row()], PARENT, (CHILD,)),
        ([row(agency=CHILD, level=3), row()], PARENT, (CHILD,)),  # on one day: the one above
        ([row(agency=CHILD, level=3), row(valid_from=date(2026, 2, 1))], CHILD, (PARENT,)),
        ([row(confirmed=False), row(agency=OTHER, valid_from=date(2026, 5, 1))], OTHER, (PARENT,)),
        ([row(), row(valid_from=date(2026, 5, 1))], PARENT, ()),
        ([row(kind="individual", officer=OFFICER, home=CHILD)], CHILD, ()),
    ],
    ids=[
        "alone",
        "later",
        "same day",
        "earlier below",
        "confirmed first",
        "two rows of one",
        "home of an officer",
    ],
)
def test_a_certificate_is_one_agencys_own_and_shared_with_the_others(rows, owner, shared):
    found = one(*rows)
    assert (found.owner, found.shared) == (owner, shared)
    assert one(*reversed(rows)).owner == owner


@pytest.mark.parametrize(
    "expected, rows, own_facts",
    [
        ("valid", [row()], own()),
        ("valid", [row()], None),
        ("expired", [row()], own(last=ON - DAY)),
        ("valid", [row()], own(last=ON)),
        ("expired", [row(valid_to=ON - DAY)], None),
        ("valid", [row(valid_to=ON)], None),
        ("ended", [row(valid_to=ON - DAY)], own()),
        ("revoked", [row()], own(revoked=AT)),
        ("valid", [row()], own(revoked=AT + DAY)),
        ("revoked", [row()], own(last=ON - DAY, revoked=AT - 90 * DAY)),
        ("proposed", [row(confirmed=False)], own()),
        ("revoked", [row(confirmed=False)], own(revoked=AT - DAY)),
        ("not_yet", [row(valid_from=ON + DAY)], own()),
        ("not_yet", [row()], own(first=ON + DAY)),
        ("valid", [row(valid_to=ON - DAY), row(valid_from=ON)], own()),
        ("ended", [row(valid_to=ON - DAY), row(agency=CHILD, level=3)], own()),
    ],
)
def test_a_certificate_is_in_one_state(expected, rows, own_facts):
    assert state(*rows, own=own_facts) == expected


def test_a_certificate_holds_until_its_last_moment_of_the_day():
    assert state(row(), own=own(last=ON), at=datetime(2026, 11, 21, 16, tzinfo=UTC)) == "valid"
    assert state(row(), own=own(last=ON), at=datetime(2026, 11, 21, 16, 1, tzinfo=UTC)) == "expired"


def test_states_always_add_up():
    random = Random(4)
    days = [ON + n * DAY for n in (-900, -400, -1, 0, 1, 400)]
    rows = [
        row(sha256=bytes([n]), valid_from=random.choice(days), valid_to=random.choice([None, *days]),
            confirmed=random.random() < 0.8)
        for n in range(200)
    ]  # fmt: skip
    facts = {
        bytes([n]): own(
            random.choice(days[:3]),
            random.choice(days[2:]),
            random.choice([None, None, AT - DAY, AT + DAY]),
        )
        for n in range(150)
    }
    found = certificate_use.held(rows, facts)
    counts = Counter(certificate_use.state(held, AT, ON) for held in found)
    assert sum(counts.values()) == 200 == sum(counts[name] for name in STATES)
    assert set(counts) == set(STATES)


@pytest.mark.parametrize(
    "during, rows, own_facts",
    [
        (True, [row()], None),
        (True, [row(valid_to=date(2026, 10, 1))], None),
        (False, [row(valid_to=date(2026, 9, 30))], None),
        (True, [row(valid_from=date(2026, 12, 31))], None),
        (False, [row(valid_from=date(2027, 1, 1))], None),
        (False, [row(confirmed=False)], own()),
        (False, [row()], own(last=date(2026, 9, 30))),
        (False, [row()], own(first=date(2027, 1, 1))),
        (True, [row()], own(revoked=datetime(2026, 9, 30, 17, tzinfo=UTC))),  # 1 October, local
        (False, [row()], own(revoked=datetime(2026, 9, 30, 16, tzinfo=UTC))),
    ],
)
def test_in_force_during_a_quarter(during, rows, own_facts):
    found = one(*rows, own=own_facts)
    assert certificate_use.in_force_during(found, date(2026, 10, 1), date(2026, 12, 31)) is during


@pytest.mark.parametrize(
    "idle, use, changed",
    [
        (True, NEVER, {}),
        (False, NEVER, {"valid_from": ON - 90 * DAY}),
        (True, NEVER, {"valid_from": ON - 91 * DAY}),
        (True, Use(documents=0, last=ON - 91 * DAY), {}),
        (False, Use(documents=1, last=ON - 90 * DAY), {}),
        (False, NEVER, {"purpose": "treasury"}),
        (False, NEVER, {"purpose": "other"}),
        (False, NEVER, {"confirmed": False}),
    ],
)
def test_idle_after_more_than_ninety_days_and_never_for_the_treasury(idle, use, changed):
    assert certificate_use.idle(one(row(**changed), own=own()), use, AT, ON, 90) is idle


def test_what_is_not_in_force_is_not_idle():
    assert not certificate_use.idle(one(row(), own=own(revoked=AT - DAY)), NEVER, AT, ON, 90)
