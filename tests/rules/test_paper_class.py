import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules import paper_class
from exchange.rules.paper_class import Event

NOON = datetime(2026, 11, 20, 5, tzinfo=UTC)


def _at(hours):
    return NOON + timedelta(hours=hours)


def _accepted(hours=0, **declared):
    return Event(
        kind="accepted",
        at=_at(hours),
        **({"requirement": "met", "paper": 0, "document_type": "Công văn"} | declared),
    )


def _sent(*further, **declared):
    """Accepted at noon, arrived an hour later; `further` are kinds of events, an hour apart, or events."""
    events = [_accepted(**declared), Event(kind="arrived", at=_at(1))]
    for hours, event in enumerate(further, start=2):
        events.append(Event(kind=event, at=_at(hours)) if isinstance(event, str) else event)
    return events


def _class(events):
    return paper_class.classify(events).klass


# The golden cases of the reference, by their numbers


def test_01_signed_and_without_paper_is_electronic():
    found = paper_class.classify(_sent())
    assert (found.klass, found.grade, found.step, found.conflict, found.recalled) == (
        "E",
        "B",
        "no_paper",
        False,
        False,
    )


def test_02_minutes_with_paper_on_the_list_are_justified():
    found = paper_class.classify(_sent(paper=1, paper_reason="listed", document_type="Biên bản"))
    assert (found.klass, found.justified, found.reason, found.grade) == ("S", "yes", "listed", "")


def test_03_an_official_letter_with_paper_on_the_list_is_not():
    found = paper_class.classify(_sent(paper=1, paper_reason="listed", document_type="công  văn"))
    assert (found.klass, found.justified) == ("S", "no")


def test_04_paper_seen_by_the_recipient_overrides_what_was_declared():
    found = paper_class.classify(_sent("paper_received"))
    assert (found.klass, found.conflict, found.justified, found.step) == ("S", True, "no", "observed")


def test_05_only_the_persons_signature_is_without_value():
    found = paper_class.classify(_sent(requirement="not_met", reason="organisation_missing"))
    assert (found.klass, found.reason, found.grade) == ("N", "organisation_missing", "")


def test_06_a_certificate_revoked_before_signing_is_without_value():
    assert paper_class.classify(_sent(requirement="not_met", reason="revoked")).reason == "revoked"
    assert _class(_sent(requirement="undetermined", reason="no_revocation_data")) == "N"


def test_07_unsigned_with_paper_counts_as_parallel():
    assert _class(_sent(requirement="not_met", paper=1)) == "S"


def test_08_a_register_row_alone_is_paper_only():
    row = Event(kind="register_row", at=paper_class.start_of(date(2026, 11, 20)))
    assert paper_class.classify([row]) == paper_class.Classification(klass="P", step="register")


def test_09_a_register_row_beside_an_electronic_transfer_is_parallel():
    row = Event(kind="register_row", at=paper_class.start_of(date(2026, 11, 20)))
    found = paper_class.classify(_sent(row))
    assert (found.klass, found.conflict) == ("S", True)


def test_10_refused_then_sent_again_is_one_excluded_and_one_electronic():
    refused = paper_class.classify(_sent("refused"))
    assert (refused.klass, refused.excluded) == ("X", "refused")
    assert _class(_sent("registered")) == "E"


@pytest.mark.parametrize("recall", ["withdrawn", "recall_confirmed"])
def test_11_recalled_before_registration_is_not_counted(recall):
    found = paper_class.classify(_sent(recall))
    assert (found.klass, found.excluded, found.recalled) == ("X", "recalled", False)
    assert _class([_accepted(), Event(kind=recall, at=_at(1))]) == "X"


@pytest.mark.parametrize("recall", ["withdrawn", "recall_confirmed"])
def test_12_recalled_after_registration_stays_counted_with_a_flag(recall):
    found = paper_class.classify(_sent("registered", recall))
    assert (found.klass, found.recalled) == ("E", True)


def test_13_half_past_eleven_on_new_years_eve_is_the_old_year():
    late = datetime(2026, 12, 31, 23, 30, tzinfo=paper_class.VIETNAM)
    assert late.astimezone(UTC).hour == 16
    assert paper_class.local_day(late.astimezone(UTC)) == date(2026, 12, 31)
    assert paper_class.local_day(datetime(2026, 12, 31, 17, tzinfo=UTC)) == date(2027, 1, 1)


def test_14_a_document_with_one_recipient_on_paper_is_parallel():
    assert paper_class.document_class(["E", "E", "P"]) == "S"


def test_15_a_retry_tells_the_same_event_and_a_duplicate_is_not_counted():
    events = _sent()
    assert paper_class.classify(events * 2) == paper_class.classify(events)
    assert paper_class.classify(_sent(duplicate=True)).excluded == "duplicate"


def test_16_a_state_secret_is_not_counted():
    assert paper_class.classify(_sent(secret=True)).excluded == "secret"


def test_17_within_one_clerks_desk_is_not_counted():
    assert paper_class.classify(_sent(scope="internal")).excluded == "internal"
    assert _class(_sent(scope="same_root")) == "E"


def test_18_nothing_declared_is_undeclared_until_a_standing_declaration():
    assert paper_class.classify(_sent(paper=None)) == paper_class.Classification(klass="U", step="undeclared")
    found = paper_class.classify(_sent(paper=None, no_paper_standing=True))
    assert (found.klass, found.grade) == ("E", "B")


# The steps and what precedes what


def test_pending_expired_and_late():
    pending = paper_class.classify([_accepted()])
    assert (pending.klass, pending.step) == (None, "pending")
    expired = paper_class.classify([_accepted(), Event(kind="expired", at=_at(720))])
    assert (expired.klass, expired.excluded) == ("X", "undelivered")
    assert (
        _class([_accepted(), Event(kind="expired", at=_at(720)), Event(kind="arrived", at=_at(800))]) == "E"
    )
    assert paper_class.classify([]).klass is None


def test_what_never_arrived_but_went_on_paper_is_paper_only():
    row = Event(kind="register_row", at=_at(5))
    assert _class([_accepted(), row]) == "P"
    assert _class([_accepted(), row, Event(kind="expired", at=_at(720))]) == "P"


def test_registration_is_stronger_than_arrival():
    assert _class([_accepted(), Event(kind="registered", at=_at(3))]) == "E"


def test_registered_again_after_a_refusal_counts():
    assert _class(_sent("refused", "registered")) == "E"
    assert _class(_sent("registered", "refused")) == "X"


def test_recalled_at_the_moment_of_registration_counts():
    events = [*_sent(), Event(kind="registered", at=_at(2)), Event(kind="withdrawn", at=_at(2))]
    assert paper_class.classify(events).recalled


EXCLUDED = ("secret", "test", "internal", "duplicate", "refused", "recalled")


@pytest.mark.parametrize("first, second", list(itertools.combinations(EXCLUDED, 2)))
def test_of_two_grounds_for_exclusion_the_earlier_step_is_named(first, second):
    declared = {name: True for name in (first, second) if name in {"secret", "test", "duplicate"}}
    if "internal" in (first, second):
        declared["scope"] = "internal"
    told = [
        {"refused": "refused", "recalled": "withdrawn"}[name]
        for name in (first, second)
        if name in EXCLUDED[4:]
    ]
    assert paper_class.classify(_sent(*told, **declared)).excluded == first


@pytest.mark.parametrize(
    "declared, klass",
    [
        ({"paper": 1, "no_paper_standing": True}, "S"),
        ({"paper": 2}, "U"),
        ({"paper": 7, "no_paper_standing": True}, "E"),
        ({"paper": -1}, "U"),
        ({"paper": None, "requirement": "not_met"}, "N"),
    ],
)
def test_flags_and_standing_declarations(declared, klass):
    assert _class(_sent(**declared)) == klass


def test_a_standing_declaration_is_contradicted_by_paper_too():
    found = paper_class.classify(_sent("paper_received", paper=None, no_paper_standing=True))
    assert (found.klass, found.conflict) == ("S", True)
    assert not paper_class.classify(_sent("paper_received", paper=None)).conflict
    assert not paper_class.classify(_sent("paper_received", paper=1, no_paper_standing=True)).conflict


def test_an_attestation_settles_the_undeclared_and_raises_the_grade():
    assert paper_class.classify(_sent("attested", paper=None)).grade == "A"
    assert paper_class.classify(_sent("attested")).grade == "A"
    assert _class(_sent("attested", "paper_received")) == "S"
    assert _class(_sent("attested", requirement="not_met")) == "N"


def test_what_was_imported_is_unverified_until_attested():
    assert paper_class.classify(_sent(imported=True)).grade == "C"
    assert paper_class.classify(_sent("attested", imported=True)).grade == "A"


def test_a_confirmed_signer_turns_n_into_e_and_the_latest_judgement_counts():
    judged = Event(kind="judged", at=_at(50), requirement="met")
    again = Event(kind="judged", at=_at(60), requirement="not_met", reason="revoked")
    events = _sent(judged, requirement="undetermined", reason="signer_unconfirmed")
    assert _class(events) == "E"
    assert paper_class.classify([again, *events]).reason == "revoked"


def test_two_judgements_of_one_moment_give_one_answer_in_any_order():
    one = Event(kind="judged", at=_at(50), requirement="met")
    other = Event(kind="judged", at=_at(50), requirement="not_met")
    assert paper_class.classify(_sent(one, other)) == paper_class.classify(_sent(other, one))
    first, second = _accepted(document_type="Biên bản", paper=1, paper_reason="listed"), _accepted(paper=0)
    arrived = Event(kind="arrived", at=_at(1))
    assert paper_class.classify([first, second, arrived]) == paper_class.classify([second, first, arrived])


def test_the_sender_may_correct_what_it_said_about_paper():
    corrected = Event(kind="declared", at=_at(9), paper=1, paper_reason="government")
    found = paper_class.classify(_sent(corrected))
    assert (found.klass, found.justified) == ("S", "yes")
    assert _class(_sent(Event(kind="declared", at=_at(9), paper=0), paper=1)) == "E"


@pytest.mark.parametrize(
    "reason, listed, unlisted",
    [
        ("government", True, True),
        ("other_law", True, True),
        ("listed", False, True),
        ("recipient_unable", False, True),
        ("other", False, False),
        (None, False, False),
        ("nonsense", False, False),
    ],
)
def test_what_justifies_paper(reason, listed, unlisted):
    assert paper_class.justified(reason, "Quyết định") is listed
    assert paper_class.justified(reason, "Hợp đồng") is unlisted


@pytest.mark.parametrize(
    "classes, klass",
    [
        ([], None),
        (["X", None], None),
        (["E", "E", "X"], "E"),
        (["P", "P"], "P"),
        (["U"], "U"),
        (["N", "N"], "N"),
        (["E", "S"], "S"),
        (["E", "N"], "N"),
        (["N", "P"], "S"),
        (["U", "N", "E"], "N"),
        (["E", "U"], "U"),
    ],
)
def test_the_class_of_a_document(classes, klass):
    assert paper_class.document_class(classes) == klass


def test_the_class_on_arrival():
    assert paper_class.on_arrival(_accepted()).klass == "E"
    assert paper_class.on_arrival(_accepted(test=True)).excluded == "test"


def test_an_event_that_nobody_knows_is_an_error():
    with pytest.raises(ValueError, match="teleported"):
        paper_class.classify(_sent("teleported"))


def test_a_moment_without_zone_has_no_day():
    with pytest.raises(ValueError, match="zone"):
        paper_class.local_day(datetime(2026, 1, 1))  # noqa: DTZ001


def test_days_are_those_of_acceptance_and_arrival():
    late = datetime(2026, 12, 31, 16, 59, tzinfo=UTC)
    accepted = Event(kind="accepted", at=late, requirement="met", paper=0)
    assert paper_class.days([accepted]) == paper_class.Days(outgoing=None, incoming=None)
    told = [
        accepted,
        Event(kind="registered", at=late + timedelta(hours=9)),
        Event(kind="arrived", at=late + timedelta(minutes=1)),
    ]
    assert paper_class.days(told) == paper_class.Days(outgoing=date(2026, 12, 31), incoming=date(2027, 1, 1))


def test_paper_counts_on_the_day_of_the_register():
    moved = date(2026, 12, 31)
    row = Event(kind="register_row", at=paper_class.start_of(moved))
    assert paper_class.days([row]) == paper_class.Days(outgoing=moved, incoming=moved)
    assert paper_class.days([]) == paper_class.Days(outgoing=None, incoming=None)


# Properties

EVENTS = st.builds(
    Event,
    kind=st.sampled_from(paper_class.KINDS),
    at=st.integers(0, 4).map(_at),
    requirement=st.sampled_from(("met", "not_met", "undetermined")),
    reason=st.sampled_from(("", "revoked")),
    paper=st.sampled_from((None, 0, 1, 2)),
    no_paper_standing=st.booleans(),
    paper_reason=st.sampled_from((None, "listed", "government")),
    document_type=st.sampled_from(("", "Công văn", "Biên bản")),
    scope=st.sampled_from(("same_root", "internal")),
    test=st.booleans(),
)


@given(st.lists(EVENTS, max_size=8), st.randoms(use_true_random=False))
def test_the_class_depends_on_the_events_only_not_on_their_order(events, random):
    shuffled = [*events, *events]
    random.shuffle(shuffled)
    assert paper_class.classify(shuffled) == paper_class.classify(events)
    assert paper_class.days(shuffled) == paper_class.days(events)


@given(st.lists(EVENTS, max_size=8))
def test_a_classification_is_well_formed(events):
    found = paper_class.classify(events)
    assert found.klass in {*paper_class.CLASSES, "X", None}
    assert (found.klass == "X") == bool(found.excluded)
    assert (found.klass == "S") == bool(found.justified)
    assert (found.klass == "E") == bool(found.grade)


@given(st.lists(EVENTS, max_size=8))
def test_only_what_arrived_or_went_on_paper_is_counted_and_then_it_has_a_day(events):
    kinds = {event.kind for event in events}
    if paper_class.classify(events).klass in paper_class.CLASSES:
        assert kinds & {"arrived", "registered", "register_row"}
        assert paper_class.days(events).outgoing is not None


@given(st.lists(EVENTS, max_size=6))
def test_paper_never_makes_a_transfer_more_electronic(events):
    before = paper_class.classify(events).klass
    after = paper_class.classify([*events, Event(kind="paper_received", at=_at(9))]).klass
    assert after == before or (before in {"E", "N", "U"} and after == "S")
