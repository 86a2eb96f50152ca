"""Time: what is known when, what a timestamp saves, what a later revocation cannot take away, what is remembered."""

from dataclasses import replace
from datetime import timedelta

import pytest
import timestamp_cases as stamps
import xml_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st
from timestamp_cases import AT, DAY, HOUR, ISSUED, STAMPER, stamped

from signing import certificate_facts, judge, keys, keys_revocation, settled, trust
from signing.keys_revocation import HOLD, RELEASED, Revoked
from signing.moment import Moment
from signing.verdict import Indication, SubIndication

SIGNER = cases.CERTIFICATES["p256"]
MINUTE = timedelta(minutes=1)
PASSED, LATER = "TOTAL_PASSED/None/passed", "TOTAL_PASSED/None/passed_provisionally"
REVOKED = "INDETERMINATE/REVOKED_NO_POE/certificate_revoked"
HELD = "INDETERMINATE/TRY_LATER/certificate_on_hold"
EXPIRED = "INDETERMINATE/OUT_OF_BOUNDS_NO_POE/certificate_expired"
NOT_REVOKED = "INDETERMINATE/OUT_OF_BOUNDS_NOT_REVOKED/certificate_expired"


def by_authority(revoked=None, at=AT + HOUR, **terms):
    named = {serial: Revoked(*entry) for serial, entry in (revoked or {}).items()}
    return keys_revocation.revocation_list(cases.AUTHORITY, named, at=at, **terms)


def by_root(at=AT + HOUR):
    return keys.revocation_list(cases.ROOT, {}, at=at, days=30)


def settle(tokens, trusted, signer=SIGNER, at=AT):
    return settled.judged(signer, (), tokens, stamps.digest_of, trusted, at)


def ended(found):
    return cases.ended(found.judgement)


def test_the_earliest_token_is_the_time_of_the_signature():
    found = settle([stamped(at=AT - HOUR), stamped(at=AT - DAY)], stamps.TRUST)
    assert (found.best_signature_time, found.time_source, found.remarks) == (AT - DAY, "timestamp", ())
    assert ended(found) == PASSED
    assert keys.fingerprint(stamps.ROOT.certificate).hex() in found.judgement.evidence
    assert [stamp.moment for stamp in found.stamps] == [AT - HOUR, AT - DAY]


def test_without_a_token_that_holds_the_receipt_is_the_time():
    plain = settle([], stamps.TRUST)
    assert (plain.best_signature_time, plain.time_source, plain.remarks) == (AT, "receipt", ())
    found = settle([stamped(value=b"of another")], stamps.TRUST)
    assert (found.best_signature_time, found.time_source) == (AT, "receipt")
    assert found.remarks == ("timestamp_not_valid",)
    assert found.judgement == plain.judgement
    mixed = settle([stamped(value=b"of another"), stamped()], stamps.TRUST)
    assert (mixed.best_signature_time, mixed.remarks) == (AT - HOUR, ("timestamp_not_valid",))


def test_more_tokens_than_are_heard():
    found = settle([stamped()] * 8 + [stamped(at=AT - DAY)], stamps.TRUST)
    assert (found.best_signature_time, found.remarks) == (AT - HOUR, ("timestamp_not_valid",))


def test_revoked_an_hour_before_the_receipt_and_told_only_in_the_next_list():
    before = stamps.trusted(by_root(), by_authority(at=AT - 2 * HOUR))
    assert ended(settle([], before)) == LATER
    after = stamps.trusted(
        by_root(), by_authority(at=AT - 2 * HOUR), by_authority({SIGNER.serial_number: (AT - HOUR,)})
    )
    assert ended(settle([], after)) == REVOKED
    # A timestamp from before the revocation proves the signature older than it.
    lists = (by_root(), by_authority({SIGNER.serial_number: (AT - HOUR,)}), stamps.by_root())
    proven = settle([stamped(at=AT - 2 * HOUR)], stamps.trusted(*lists))
    assert ended(proven) == PASSED
    assert ended(settle([stamped(at=AT - HOUR)], stamps.trusted(*lists))) == REVOKED


RAN_OUT = AT - MINUTE
SHORT = cases.issued(valid=(ISSUED, RAN_OUT))


def test_signed_before_the_certificate_ran_out_and_sent_after():
    lists = (by_root(), by_authority(at=RAN_OUT - HOUR), stamps.by_root())
    trusted = stamps.trusted(*lists)
    assert ended(settle([], trusted, SHORT)) == NOT_REVOKED
    assert ended(settle([stamped(at=RAN_OUT - 2 * HOUR)], trusted, SHORT)) == PASSED
    assert ended(settle([stamped(at=RAN_OUT - MINUTE)], trusted, SHORT)) == LATER
    assert ended(settle([stamped(at=RAN_OUT + timedelta(seconds=1))], trusted, SHORT)) == NOT_REVOKED
    evidence = settle([], trusted, SHORT).judgement.evidence
    assert set(evidence) <= set(trust.documents(trusted))
    assert len(evidence) == 4


def test_what_had_become_of_a_certificate_that_ran_out():
    assert ended(settle([], stamps.trusted(by_root()), SHORT)) == EXPIRED
    late = stamps.trusted(by_root(), by_authority(at=RAN_OUT + HOUR))
    assert ended(settle([], late, SHORT)) == EXPIRED, "a later list may have dropped it"
    revoked = stamps.trusted(by_root(), by_authority({SHORT.serial_number: (RAN_OUT - HOUR,)}))
    assert ended(settle([], revoked, SHORT)) == REVOKED
    held = stamps.trusted(by_root(), by_authority({SHORT.serial_number: (RAN_OUT - HOUR, HOLD)}, at=RAN_OUT))
    assert ended(settle([], held, SHORT)) == EXPIRED


def test_a_signature_from_before_its_certificate():
    young = cases.issued(valid=(AT - HOUR, AT + DAY))
    assert ended(settle([], stamps.TRUST, young)) == PASSED
    found = settle([stamped(at=AT - 2 * HOUR)], stamps.TRUST, young)
    assert ended(found) == "TOTAL_FAILED/NOT_YET_VALID/certificate_not_yet_valid"


def test_put_on_hold_and_released():
    number = SIGNER.serial_number
    held = by_authority({number: (AT - DAY, HOLD)}, at=AT - HOUR, number=5)
    assert ended(settle([], stamps.trusted(by_root(), held))) == HELD
    told = by_authority({number: (AT, RELEASED)}, number=6, delta_of=5)
    assert ended(settle([], stamps.trusted(by_root(), held, told))) == PASSED
    assert ended(settle([], stamps.trusted(by_root(), held, by_authority(number=6)))) == PASSED
    lost = by_authority({number: (AT - DAY,)}, number=6)
    assert ended(settle([], stamps.trusted(by_root(), held, lost))) == REVOKED


def test_on_hold_is_never_final():
    held = stamps.trusted(by_root(), by_authority({SIGNER.serial_number: (AT - DAY, HOLD)}))
    found = settle([], held).judgement
    assert found.indication is Indication.INDETERMINATE
    assert found.sub_indication is SubIndication.TRY_LATER
    assert not found.provisional


def test_a_later_revocation_lowers_no_moment_proven_before():
    for revoked_at in (AT + MINUTE, AT + DAY, AT + 5 * DAY):
        lost = by_authority({SIGNER.serial_number: (revoked_at,)}, at=AT + 6 * DAY)
        assert ended(settle([], stamps.trusted(by_root(), lost))) == PASSED
        assert ended(settle([], stamps.trusted(by_root(), lost), at=revoked_at)) == REVOKED


def test_a_token_on_older_lists_makes_the_verdict_provisional():
    older = stamps.trusted(by_root(), by_authority(), stamps.by_root(at=AT - HOUR))
    found = settle([stamped(at=AT - 2 * HOUR)], older).judgement
    assert (cases.ended(found), found.provisional) == (LATER, True)
    newer = stamps.trusted(by_root(), by_authority(), stamps.by_root())
    assert not settle([stamped(at=AT - 2 * HOUR)], newer).judgement.provisional


# What is remembered.


def test_a_root_that_is_gone_vouches_no_more_however_warm():
    lists = cases.lists()
    trusted = trust.load(cases.TRUSTED, lists)
    for _ in range(3):
        assert judge.certificate(SIGNER, (), trusted, AT).indication is Indication.TOTAL_PASSED
    without = trust.load(cases.TRUSTED[1:], lists)
    assert judge.certificate(SIGNER, (), without, AT).why == "unknown_issuer"
    assert judge.certificate(SIGNER, (), replace(trusted, anchors=()), AT).why == "unknown_issuer"


def test_a_new_list_is_heard_however_warm():
    before, after = (
        stamps.trusted(by_root(), by_authority()),
        stamps.trusted(by_root(), by_authority({SIGNER.serial_number: (AT,)})),
    )
    for _ in range(2):
        assert cases.ended(judge.certificate(SIGNER, (), before, AT)) == PASSED
        assert cases.ended(judge.certificate(SIGNER, (), after, AT)) == REVOKED


def test_the_list_that_runs_out_is_not_remembered_beyond_it():
    trusted = stamps.trusted(by_root(), by_authority(at=AT - HOUR, days=1))
    judged = [
        cases.ended(judge.certificate(SIGNER, (), trusted, AT + hours * HOUR)) for hours in (0, 22, 23, 24)
    ]
    assert judged == [LATER, LATER, LATER, "INDETERMINATE/TRY_LATER/revocation_stale"]


def test_purposes_are_remembered_apart():
    both = stamps.trusted(signers=[*cases.TRUSTED, *stamps.TRUSTED])
    stamper = certificate_facts.load(STAMPER.der)
    assert judge.certificate(stamper, (), both, AT).why == "key_usage"
    assert judge.certificate(stamper, (), both, AT, purpose="timestamp").why == "passed"
    assert judge.certificate(stamper, (), both, AT).why == "key_usage"


EVENTFUL = {
    "dates and lists": (cases.issued(valid=(AT - 3 * DAY, AT + 3 * DAY)), [by_root(AT - 2 * DAY), by_authority(at=AT - 2 * DAY, days=2), by_authority(at=AT, days=1)]),
    "revoked": (cases.issued(), [by_root(AT - 2 * DAY), by_authority({4711: (AT,)}, at=AT - DAY, days=2)]),
    "held and released": (cases.issued(), [by_root(AT - 2 * DAY), by_authority({4711: (AT - DAY, HOLD)}, at=AT - HOUR, number=5), by_authority({4711: (AT, RELEASED)}, number=6, delta_of=5, days=1)]),
    "nothing known": (cases.issued(valid=(AT - DAY, AT + DAY)), []),
}  # fmt: skip


@pytest.mark.parametrize("name", EVENTFUL)
@given(hours=st.lists(st.floats(-100, 100), min_size=2, max_size=12))
@settings(max_examples=40, deadline=None)
def test_what_is_remembered_is_what_would_be_found(name, hours):
    """Asked at many moments, in any order, one trust set says what a fresh one would."""
    certificate, lists = EVENTFUL[name]
    warm = trust.load(cases.TRUSTED, lists)
    for each in hours:
        moment = AT + timedelta(hours=each)
        fresh = replace(warm)
        assert not fresh.remembered
        expected = judge.certificate(certificate, (), fresh, moment)
        assert judge.certificate(certificate, (), warm, moment) == expected


def test_a_moment_knows_how_far_it_may_be_moved():
    moment = Moment(AT)
    assert moment.reached(AT)
    assert not moment.passed(AT)
    assert (moment.since, moment.until) == (AT, AT + timedelta(microseconds=1))
    moment = Moment(AT)
    assert moment.passed(AT - HOUR)
    assert not moment.reached(AT + HOUR)
    assert (moment.since, moment.until) == (AT - HOUR + timedelta(microseconds=1), AT + HOUR)
