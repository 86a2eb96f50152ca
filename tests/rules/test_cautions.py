"""What both sides are warned of about header, names and files: findings that decide nothing."""

import pytest
from rules import conftest as world
from rules.test_table import signature

from exchange.rules import requirements
from signing.verdict import Report

PAGE = "AGENCY H13.02\nSố: 12/CV\nCần Thơ, ngày 21 tháng 11 năm 2026"
SAYS = {"number": "12", "notation": "CV", "issued_on": world.ON, "first_page": PAGE}
GOOD = "person@main~signature seal@main"


def judged(signatures, **facts):
    report = Report(verdicts=tuple(signature(world, one) for one in signatures.split()))
    return requirements.judge(world.letter(**facts), report, world.snapshot(), requirements.DEFAULT, world.ON)


def told(signatures, **facts):
    return [(one.code, one.facts.get("fact", "")) for one in judged(signatures, **facts).warnings]


HEADERS = [
    # what the header says otherwise, the warnings
    ({}, []),
    ({"number": "13"}, ["number"]),
    ({"notation": "QĐ"}, ["notation"]),
    ({"issued_on": world.START}, ["date"]),
    ({"number": "13", "notation": "QĐ"}, ["number", "notation"]),
    ({"sender": world.COMMUNE}, ["agency"]),
    ({"sender": world.SECTION}, []),
    ({"first_page": ""}, []),
]


@pytest.mark.parametrize("further, facts", HEADERS)
@pytest.mark.parametrize("signed", ["person@main", "stranger@main!expired"])
def test_a_signed_page_that_says_something_else_than_the_header(further, facts, signed):
    found = [one for one in told(signed, **{**SAYS, **further}) if one[0] == "header_differs"]
    assert found == [("header_differs", fact) for fact in facts]


@pytest.mark.parametrize("signed", ["", "seal@package person@package", "seal@annex"])
def test_an_unsigned_page_contradicts_nobody(signed):
    found = told(signed, **{**SAYS, "number": "13"})
    assert "header_differs" not in dict(found)


def test_what_differs_never_changes_what_is_decided():
    plain, warned = (
        judged(GOOD, **SAYS),
        judged(GOOD, **{**SAYS, "number": "13", "signer_name": "Người Khác"}),
    )
    assert (plain.requirement, plain.reason, plain.missing) == ("met", "", ())
    assert (warned.requirement, warned.reason, warned.missing) == ("met", "", ())
    assert [one.code for one in warned.warnings] == ["header_differs", "signer_name_differs"]
    assert {one.severity for one in warned.warnings} == {"warning"}


NAMES = [
    # who signed, the name in the header, whether it is warned of
    (GOOD, "Officer", False),
    (GOOD, "OFFICER", False),
    (GOOD, "ThS. Officer", False),
    (GOOD, "department person", False),
    (GOOD, "", False),
    (GOOD, "Nguyễn Văn An", True),
    ("seal@main", "Nguyễn Văn An", False),
    ("stranger@main seal@main", "Nguyễn Văn An", False),
    ("person@main!expired seal@main", "Nguyễn Văn An", False),
    ("seal@main person@package", "Nguyễn Văn An", True),
    ("seal@main person@annex", "Nguyễn Văn An", False),
    ("ministry-person@main person@main~signature seal@main", "department person", False),
]


@pytest.mark.parametrize("signatures, name, warned", NAMES)
def test_the_name_in_the_header_is_that_of_one_of_the_persons(signatures, name, warned):
    assert ("signer_name_differs" in dict(told(signatures, signer_name=name))) is warned


def test_a_file_that_came_before_is_told_with_its_number_whatever_else_is_missing():
    for signatures, reason in ((GOOD, "file_reused"), ("seal@main", "individual_missing")):
        judgement = judged(signatures, reused=True, reused_as="7/CV")
        assert judgement.reason == reason
        assert {one.code: one.facts for one in judgement.warnings}["main_file_reused"]["number"] == "7/CV"
