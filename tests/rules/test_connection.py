from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from exchange import texts
from exchange.rules import connection
from exchange.rules.connection import Acted, Credential, Facts, Refusal

AT = datetime(2026, 3, 1, 5, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SINCE = date(2019, 1, 1)


def key(first=AT - DAY, last=None):
    return Credential(kind="key", id="abc", valid_from=first, valid_to=last)


def acted(code="H13", last=None, *, first=SINCE, over=False, disabled=False):
    return Acted(code=code, valid_from=first, valid_to=last, over=over, disabled=disabled)


WELL = Facts(
    id=UUID(int=1), name="i-Office", owner="H13", disabled_at=None, seen_at=AT - HOUR, credentials=(key(),),
    agencies=(acted(),),
)  # fmt: skip


def found(facts):
    """What is not well; every check has its sentence, and every one that is not well its advice."""
    checks = connection.judge(facts, AT)
    for check in checks:
        for language in ("vi", "en"):
            assert texts.say(f"connection.{check.code}", language, **check.facts)
            if check.severity != "good":
                assert texts.say(f"connection.{check.code}_advice", language, **check.facts)
    return [(check.severity, check.code) for check in checks if check.severity != "good"]


def test_where_all_is_well_nothing_is_found():
    assert found(WELL) == []
    assert len(connection.judge(WELL, AT)) == 6


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"disabled_at": AT - DAY}, [("fault", "disabled")]),
        ({"credentials": ()}, [("fault", "no_credential")]),
        ({"credentials": (key(last=AT),)}, [("fault", "no_credential")]),
        ({"credentials": (key(first=AT + HOUR),)}, [("fault", "no_credential")]),
        ({"credentials": (key(last=AT + 13 * DAY),)}, [("warning", "credential_ends")]),
        ({"credentials": (key(last=AT + 14 * DAY),)}, []),
        ({"credentials": (key(last=AT + DAY), key())}, []),
        ({"credentials": (key(last=AT + DAY), key(last=AT + 30 * DAY))}, []),
        ({"agencies": ()}, [("fault", "no_agency")]),
        ({"agencies": (acted(last=date(2026, 2, 28)),)}, [("fault", "no_agency")]),
        ({"agencies": (acted(first=date(2026, 3, 2)),)}, [("fault", "no_agency")]),
        ({"agencies": (acted(), acted("H13.01", over=True))}, [("fault", "agency_over")]),
        ({"agencies": (acted(), acted("H13.01", disabled=True))}, [("fault", "agency_disabled")]),
        ({"agencies": (acted(last=date(2026, 3, 14)),)}, [("warning", "agency_ends")]),
        ({"agencies": (acted(last=date(2026, 3, 15)),)}, []),
        ({"agencies": (acted(last=date(2026, 3, 5)), acted(first=date(2026, 3, 6)))}, []),
        ({"seen_at": None}, [("warning", "never_seen")]),
        ({"seen_at": AT - 25 * HOUR}, [("warning", "silent")]),
        ({"open": 3, "oldest": AT - 24 * HOUR}, []),
        ({"open": 3, "oldest": AT - 25 * HOUR}, [("fault", "open_late")]),
        ({"refusals": (Refusal(at=AT - HOUR, code="conflict"),)}, [("warning", "refused")]),
        ({"refusals": (Refusal(at=AT - 25 * HOUR, code="conflict"),)}, []),
    ],
    ids=[
        "off", "no key", "key over", "key to come", "key ends in 13 days", "key ends in 14 days", "one of two ends",
        "the later counts", "no agency", "agency over yesterday", "agency from tomorrow", "agency not in force", "agency off",
        "acting ends soon", "acting ends later", "acting goes on", "never called", "silent", "open", "open too long",
        "refused", "refused long ago",
    ],
)  # fmt: skip
def test_each_thing_that_is_not_well_is_found(change, expected):
    assert found(replace(WELL, **change)) == expected


@pytest.mark.parametrize("status, severity, code", [(200, "good", "exchange_ready"), (503, "fault", "exchange_down"), (None, "fault", "exchange_silent")])  # fmt: skip
def test_the_running_exchange(status, severity, code):
    check = connection.answered(status, "http://127.0.0.1:8470")
    assert (check.severity, check.code) == (severity, code)
    assert "8470" in texts.say(f"connection.{code}", "vi", **check.facts)


def test_many_agencies_are_named_by_the_first_few():
    facts = replace(WELL, agencies=tuple(acted(f"H{n}", over=True) for n in range(10, 20)))
    told = next(check for check in connection.judge(facts, AT) if check.code == "agency_over")
    assert told.facts == {"count": "10", "codes": "H10, H11, H12, H13, H14, …"}
