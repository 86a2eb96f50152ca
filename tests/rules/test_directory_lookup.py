from datetime import date, timedelta

import pytest

from exchange.rules import directory


@pytest.mark.parametrize("code", ["H13.02", " h13.02\n", "000.00.02.H13", "000.00.02.h13"])
def test_both_forms_of_a_code_lead_to_one_agency_however_written(world, code):
    assert directory.find(world.snapshot(), code, world.ON).id == world.DEPARTMENT


def test_a_code_is_found_whatever_its_unicode_form(world):
    agency = world.snapshot().agencies[world.DEPARTMENT]
    code = directory.Code(code="H13.Đ\u00ea", form="other", agency=agency.id, valid_from=world.START)
    snapshot = world.snapshot(codes=[code])
    assert directory.find(snapshot, "h13.đe\u0302", world.ON) == agency


def test_a_dated_code_is_known_from_its_first_to_its_last_day(world):
    first, last = date(2022, 1, 1), date(2022, 12, 31)
    code = directory.Code(code="OLD", form="other", agency=world.PROVINCE, valid_from=first, valid_to=last)
    later = directory.Code(
        code="OLD", form="other", agency=world.COMMUNE, valid_from=last + timedelta(days=1)
    )
    snapshot = world.snapshot(codes=[code, later])
    asked = [first - timedelta(days=1), first, last, last + timedelta(days=1)]
    found = [directory.find(snapshot, "OLD", day) for day in asked]
    assert [agency and agency.id for agency in found] == [None, world.PROVINCE, world.PROVINCE, world.COMMUNE]


def test_a_disabled_agency_is_found_and_flagged_and_an_ended_one_is_not_found(world):
    still = directory.Code(code="STILL", form="other", agency=world.ENDED, valid_from=world.START)
    snapshot = world.snapshot(codes=[still])
    assert directory.find(snapshot, "still", world.END).id == world.ENDED
    assert directory.find(snapshot, "still", world.ON) is None
    assert directory.find(snapshot, "H13.09", world.ON).disabled
    assert directory.find(snapshot, "H13.08", world.END).id == world.ENDED
    assert directory.find(snapshot, "H13.08", world.ON) is None
    assert directory.find(snapshot, "H99", world.ON) is None


def test_an_agency_whose_code_has_dated_rows_is_known_by_those_only(world):
    gone = directory.Code(
        code="h13.02", form="qd20", agency=world.DEPARTMENT, valid_from=world.START, valid_to=world.END
    )
    snapshot = world.snapshot(codes=[gone])
    assert directory.find(snapshot, "H13.02", world.END).id == world.DEPARTMENT
    assert directory.find(snapshot, "H13.02", world.ON) is None


def test_signers_are_the_rows_in_force_confirmed_or_not(world):
    snapshot = world.snapshot()
    assert [row.agency for row in directory.signers(snapshot, world.sha256("shared seal"), world.ON)] == [
        world.PROVINCE,
        world.COMMUNE,
    ]
    assert not directory.signers(snapshot, world.sha256("proposed seal"), world.ON)[0].confirmed
    assert directory.signers(snapshot, world.sha256("former seal"), world.ON) == ()
    assert len(directory.signers(snapshot, world.sha256("former seal"), world.END)) == 1


def test_a_declaration_holds_to_its_last_day(world):
    snapshot = world.snapshot()
    assert directory.declared(snapshot, world.MINISTRY, "no_paper", world.END)
    assert not directory.declared(snapshot, world.MINISTRY, "no_paper", world.ON)
    assert not directory.declared(snapshot, world.MINISTRY, "signs_package", world.END)
    assert not directory.declared(snapshot, world.PROVINCE, "no_paper", world.END)


def test_only_a_superior_whose_seal_is_registered_represents(world):
    snapshot = world.snapshot()
    assert directory.represents(snapshot, world.PROVINCE, world.COMMUNE, world.ON)
    assert not directory.represents(snapshot, world.COMMUNE, world.PROVINCE, world.ON)
    assert not directory.represents(snapshot, world.PROVINCE, world.DEPARTMENT, world.ON)
    assert not directory.represents(snapshot, world.MINISTRY, world.COMMUNE, world.ON)


def test_an_unconfirmed_row_represents_nobody(world):
    rows = [
        directory.Certificate(
            sha256=b"x",
            agency=agency,
            kind="organisation",
            valid_from=world.START,
            confirmed=agency == world.PROVINCE,
        )
        for agency in (world.PROVINCE, world.COMMUNE)
    ]
    assert not directory.represents(
        world.snapshot(certificates=rows), world.PROVINCE, world.COMMUNE, world.ON
    )


def test_a_circle_of_parents_ends(world):
    one, other = (
        directory.Agency(
            id=id_,
            code=str(id_.int),
            name="",
            kind="",
            level=1,
            parent=parent,
            root=id_,
            valid_from=world.START,
        )
        for id_, parent in ((world.PROVINCE, world.COMMUNE), (world.COMMUNE, world.PROVINCE))
    )
    snapshot = directory.build(1, [one, other])
    assert list(directory.ancestors(snapshot, one.id)) == [other]


def test_a_snapshot_cannot_be_changed(world):
    with pytest.raises(TypeError):
        world.snapshot().agencies[world.PROVINCE] = None
