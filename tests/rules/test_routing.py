import pytest

from exchange.rules import routing


def _route(world, *codes, sender=None, purposes=None):
    return routing.route(world.snapshot(), sender or world.PROVINCE, codes, world.ON, purposes or {})


def test_a_recipient_named_twice_by_either_form_is_one(world):
    found = _route(world, "H13.02", "000.00.02.H13", "H13.31", "h13.02")
    assert found.recipients == (world.DEPARTMENT, world.COMMUNE)
    assert found.duplicates == ("000.00.02.H13", "H13.02")
    assert found.unroutable == ()


def test_unknown_and_disabled_recipients_are_unroutable_and_the_others_stay(world):
    found = _route(world, "H99", "H13.09", "G09", "h99")
    assert found.recipients == (world.MINISTRY,)
    assert found.unroutable == ("H99", "H13.09")
    assert found.disabled == ("H13.09",)


def test_a_letter_to_nobody_known_has_no_recipient(world):
    assert _route(world, "H99").recipients == ()


def test_purposes_follow_the_agency_by_any_of_its_codes(world):
    found = _route(
        world, "H13.02", "H13.31", "G09", purposes={"000.00.02.h13": "inform", "G09": "burn", "H77": "act"}
    )
    assert found.purposes == ("inform", "act", "act")


@pytest.mark.parametrize(
    "sender, recipient, scope",
    [
        ("DEPARTMENT", "DEPARTMENT", "internal"),
        ("DEPARTMENT", "SECTION", "internal"),
        ("SECTION", "DEPARTMENT", "internal"),
        ("SECTION", "SECTION", "internal"),
        ("SECTION", "COMMUNE", "same_root"),
        ("DEPARTMENT", "COMMUNE", "same_root"),
        ("PROVINCE", "COMMUNE", "same_root"),
        ("DEPARTMENT", "MINISTRY", "other_root"),
        ("DEPARTMENT", "PARTY", "outside_state"),
        ("PARTY", "MINISTRY", "outside_state"),
        ("PARTY", "PARTY", "internal"),
    ],
)
def test_scope(world, sender, recipient, scope):
    assert routing.scope(world.snapshot(), getattr(world, sender), getattr(world, recipient)) == scope


def test_scopes_stand_beside_the_recipients_and_writing_to_oneself_is_internal(world):
    found = _route(world, "H13.02", "H13.02.01", "G09", sender=world.DEPARTMENT)
    assert found.scopes == ("internal", "internal", "other_root")
