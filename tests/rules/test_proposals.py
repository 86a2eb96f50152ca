"""Whose a certificate seems to be: names and senders suggest it, and nothing is made up where they do not."""

from datetime import date

import pytest

from exchange.rules import proposals
from exchange.rules.directory_entries import AgencyEntry, OfficerEntry

LONG = "Ủy ban nhân dân phường An Bình, quận Ninh Kiều, thành phố Cần Thơ"
NAMES = proposals.Names(
    [
        AgencyEntry(code=code, name=name, kind="unit", level=2, valid_from=date(2020, 1, 1))
        for code, name in (("H13.01", "Sở Nội vụ"), ("H13.02", "Sở Tư pháp"), ("H13.31", LONG))
    ],
    [
        OfficerEntry(agency=agency, code=code, name=name, valid_from=date(2020, 1, 1))
        for agency, code, name in (
            ("H13.01", "01", "Nguyễn Văn An"), ("H13.01", "02", "Lê Bình"), ("H13.01", "03", "Lê Bình"),
        )
    ],
)  # fmt: skip


def seen(name, *, identifiers=(), mailboxes=(), letters=None):
    return proposals.Seen(
        certificate="ab" * 32, common_name=name, subject=f"CN={name}", issuer="CN=CA", identifiers=identifiers,
        mailboxes=mailboxes, valid_from=date(2026, 1, 1), valid_to=date(2030, 1, 1), letters=letters or {"H13.01": 3},
    )  # fmt: skip


@pytest.mark.parametrize(
    "name, more, expected",
    [
        ("Sở Nội vụ", {}, ("H13.01", "organisation", "", "name_of_agency", "")),
        ("SO NOI VU", {}, ("H13.01", "organisation", "", "name_of_agency", "")),
        ("Sở Nội vụ", {"mailboxes": ("vanthu@example.vn",)}, ("H13.01", "organisation", "", "name_of_agency", "")),
        ("Sở Tư pháp", {}, ("H13.02", "organisation", "", "name_of_agency", "")),
        (proposals.cut(LONG), {}, ("H13.31", "organisation", "", "name_of_agency", "")),
        ("Nguyễn Văn An", {}, ("H13.01", "individual", "01", "name_of_officer", "")),
        ("Lê Bình", {}, ("H13.01", "individual", "", "name_of_officer", "officer")),
        ("Phòng Một cửa", {"identifiers": ("MST:1800",)}, ("H13.01", "organisation", "", "tax_number", "")),
        ("Trần Lạ", {"identifiers": ("CCCD:09",)}, ("H13.01", "individual", "", "identity_number", "officer")),
        (
            "Trần Lạ",
            {"identifiers": ("MST:1800", "CMND:09")},
            ("H13.01", "individual", "", "identity_number", "officer"),
        ),
        ("Trần Văn Lạ", {"mailboxes": ("la.tv@example.vn",)}, ("H13.01", "individual", "", "mailbox", "officer")),
        ("Trần Văn Lạ", {"mailboxes": ("tranvanla@example.vn",)}, ("H13.01", "individual", "", "mailbox", "officer")),
        ("Hệ thống một cửa", {"mailboxes": ("vanthu@example.vn",)}, ("H13.01", "", "", "sender", "kind")),
        ("", {}, ("H13.01", "", "", "sender", "kind")),
    ],
    ids=[
        "agency", "without_marks", "agency_mailbox", "another_agency", "cut", "officer", "two_of_a_name", "tax_number",
        "identity", "both_numbers", "personal_mailbox", "whole_name", "nothing", "no_name",
    ],
)  # fmt: skip
def test_a_guess_and_its_ground(name, more, expected):
    found = proposals.propose(seen(name, **more), NAMES)
    assert (found.agency, found.kind, found.officer, found.ground, found.lacks) == expected


def test_without_a_name_it_is_whoever_sends_most_letters_with_it():
    found = proposals.propose(seen("?", letters={"H13.01": 1, "H13.02": 5}), NAMES)
    assert (found.agency, found.letters) == ("H13.02", 6)


def test_an_officer_is_looked_for_at_the_sender_only():
    found = proposals.propose(seen("Nguyễn Văn An", letters={"H13.02": 1}), NAMES)
    assert (found.kind, found.officer) == ("", "")
