"""Confirming certificates, purely: who may, how many it takes, and everything that stands against it."""

from dataclasses import replace
from datetime import date

import pytest

from exchange import texts
from exchange.rules import confirmation
from exchange.rules.confirmation import Asked
from exchange.rules.directory_entries import AgencyEntry, CertificateEntry, OfficerEntry
from exchange.rules.directory_plan import State

ON = date(2026, 11, 21)
SEAL, OTHER, PERSON, BOX = "ab" * 32, "ab" * 31 + "cd", "12" * 32, "34" * 32


def agency(code, **facts):
    given = {"name": code, "kind": "department", "level": 2, "valid_from": date(2020, 1, 1)}
    return AgencyEntry(code=code, **{**given, **facts})


def row(certificate, *, kind="organisation", of="H13.01", **facts):
    given = {"valid_from": date(2025, 1, 1), "valid_to": date(2030, 1, 1), "basis": "QĐ 1"}
    return CertificateEntry(agency=of, kind=kind, certificate=certificate, **{**given, **facts})


def state(*rows, agencies=(), officers=()):
    known = (agency("H13.01"), agency("H13.02"), agency("H13.09", valid_to=date(2026, 1, 1)), *agencies)
    chief = OfficerEntry(agency="H13.01", code="01", name="Lê An", valid_from=date(2020, 1, 1))
    return State(
        agencies={one.key: one for one in known},
        officers={one.key: one for one in (chief, *officers)},
        certificates={one.key: one for one in rows},
    )


def planned(held, *certificates, by=("Lê An", "Trần Bình"), disabled=(), **asked):
    return confirmation.plan(held, disabled, Asked(certificates=certificates, by=by, **asked), ON)


def against(*given, **more):
    return [one.code for one in planned(*given, **more).obstacles]


@pytest.mark.parametrize(
    "kind, by, confirmed, wanting",
    [
        ("organisation", ("Lê An", "Trần Bình"), True, 0),
        ("organisation", ("Lê An",), False, 1),
        ("device", ("Lê An", "Trần Bình"), True, 0),
        ("device", ("Lê An",), False, 1),
        ("individual", ("Lê An",), True, 0),
    ],
)
def test_so_many_persons_it_takes(kind, by, confirmed, wanting):
    held = state(row(SEAL, kind=kind, officer="01" if kind == "individual" else ""))
    plan = planned(held, SEAL, by=by)
    (entry,) = plan.entries
    assert (plan.obstacles, entry.confirmed_by) == ((), by)
    assert (entry.confirmed, confirmation.wanting(entry)) == (confirmed, wanting)
    (written,) = plan.rows
    assert written.given == {
        "agency": "H13.01",
        "certificate": SEAL,
        "valid_from": date(2025, 1, 1),
        "confirmed_by": by,
    }


def test_the_second_person_may_come_another_day():
    held = state(row(SEAL, confirmed_by=("Lê An",)))
    (entry,) = planned(held, SEAL, by=("Trần Bình",)).entries
    assert (entry.confirmed_by, entry.confirmed) == (("Lê An", "Trần Bình"), True)
    for same in ("Lê An", "lê an", "LE  AN", "Lê An"):
        assert against(held, SEAL, by=(same,)) == ["same_person"]
    assert against(held, SEAL, by=("Trần Bình", "tran binh")) == ["name_twice"]


@pytest.mark.parametrize("name", ["", " ", "=1+1", "a;b", "a|b", "x\u202ey", "n" * 501])
def test_names_that_cannot_be_kept(name):
    assert "bad_name" in against(state(row(SEAL)), SEAL, by=(name, "Trần Bình"))


@pytest.mark.parametrize(
    "given, code",
    [
        ("", "no_digest"),
        ("ab" * 5, "no_digest"),
        ("zz" * 32, "no_digest"),
        ("ab" * 33, "no_digest"),
        ("ab" * 6, "digest_short"),
        ("ff" * 32, "unknown"),
        ("12" * 6, None),
        (SEAL.upper(), None),
        (f" {SEAL} ", None),
    ],
    ids=["empty", "short", "no_hex", "long", "prefix_of_two", "strange", "prefix", "upper_case", "blanks"],
)
def test_which_certificate_is_meant(given, code):
    held = state(row(SEAL), row(OTHER), row(PERSON, kind="individual", officer="01"))
    assert against(held, given, by=("Lê An",)) == ([code] if code else [])


def test_a_seal_of_several_agencies_is_confirmed_for_the_one_that_is_named():
    own, child = row(SEAL, confirmed_by=("Lê An", "Trần Bình")), row(SEAL, of="H13.02")
    third = row(SEAL, of="H13.03")
    assert [one.agency for one in planned(state(own, child), SEAL).entries] == ["H13.02"]
    three = state(own, child, third, agencies=(agency("H13.03"),))
    assert against(three, SEAL) == ["several"]
    assert [one.agency for one in planned(three, SEAL, agency="H13.03").entries] == ["H13.03"]
    assert against(three, SEAL, agency="H13.04") == ["unknown"]


@pytest.mark.parametrize(
    "change, more, code",
    [
        ({"confirmed_by": ("A", "B")}, {}, "already"),
        ({"valid_to": date(2026, 11, 20)}, {}, "over"),
        ({"valid_to": ON}, {}, None),
        ({"valid_to": None}, {}, None),
        ({"agency": "H13.09"}, {}, "agency_over"),
        ({}, {"disabled": ("H13.01",)}, "agency_disabled"),
        ({}, {"kind": "device"}, "wrong_kind"),
        ({}, {"kind": "organisation"}, None),
    ],
    ids=["already", "over", "last_day", "no_end", "agency_over", "disabled", "wrong_kind", "right_kind"],
)
def test_what_stands_against_it(change, more, code):
    held = state(replace(row(SEAL), **change))
    assert against(held, SEAL, **more) == ([code] if code else [])


def test_an_officer_who_left():
    gone = OfficerEntry(
        agency="H13.01", code="02", name="Trần Cũ", valid_from=date(2020, 1, 1), valid_to=date(2026, 1, 1)
    )
    held = state(row(PERSON, kind="individual", officer="02"), officers=(gone,))
    assert against(held, PERSON, by=("Lê An",)) == ["officer_over"]


def test_everything_is_told_at_once():
    held = state(row(SEAL, valid_to=date(2026, 1, 1)), row(BOX, kind="device", of="H13.09"))
    assert against(held, SEAL, BOX, "ff" * 32, by=("Lê An",)) == ["over", "agency_over", "unknown"]


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_obstacle_has_its_sentence(language):
    codes = {
        "bad_name", "name_twice", "no_digest", "digest_short", "unknown", "several", "already", "wrong_kind",
        "agency_disabled", "agency_over", "over", "officer_over", "same_person",
    }  # fmt: skip
    told = {
        key.rpartition("_")[2] for key in texts.catalogue(language) if key.startswith("certificate.obstacle_")
    }
    assert {f"certificate.obstacle_{code}" for code in codes} <= texts.catalogue(language).keys()
    assert len(told) > 1
